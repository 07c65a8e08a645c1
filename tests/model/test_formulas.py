"""Equations as readable maths: the same value as the text they come from, and within the width."""

from __future__ import annotations

import math
import re

import libsbml
import numpy as np
import pytest

from vagus.model import antimony_to_sbml
from vagus.model.composition import read_submodel
from vagus.model.formulas import Expression, plain_text, read_equations
from vagus.model.infants import infant_library
from vagus.model.libraries import shipped

EVERY = {part.name: part for library in (shipped(), infant_library()) for part in library.submodels}


def read(body: str) -> dict[str, str]:
    document = libsbml.readSBMLFromString(antimony_to_sbml(f"model m()\n{body}\nend\n", "m"))
    return {equation.name: str(equation) for equation in read_equations(document)}


def value(text: str, names: dict[str, float]) -> float:
    """Evaluate what was written, read back as Python."""
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = re.sub(r"√(\w+|\([^()]*\))", r"sqrt(\1)", text)
    text = plain_text(text).replace("^", "**").replace(" if ", " , ").replace("log10(", "log_ten(")
    functions = {"exp": math.exp, "ln": math.log, "log_ten": math.log10, "sqrt": math.sqrt, "abs": abs, "min": min}
    functions |= {"max": max, "floor": math.floor, "ceil": math.ceil, "cos": math.cos, "sin": math.sin}
    return float(eval(text, {"__builtins__": {}}, {**functions, "pi": math.pi, **names}))


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("-k*x + 2*k - x/k*3", "−k · x + 2 · k − x / k · 3"),
        ("a - (b - c) - (-d1)", "a − (b − c) + d1"),
        ("1 / (1 + x/k) / k", "1 / (1 + x / k) / k"),
        ("a / (b*c)", "a / (b · c)"),
        ("(a + b)^2 * exp(-x)", "(a + b)² · exp(−x)"),
        ("(x/k)^h / (1 + (x/k)^h)", "(x / k)^h / (1 + (x / k)^h)"),
        ("x^(-h)", "x^(−h)"),
        ("(-x)^2", "(−x)²"),
        ("a^b^c", "a^(b^c)"),
        ("a * (-b)", "a · (−b)"),
        ("sqrt(a) + abs(b) + floor(c) + 1e-9", "√a + |b| + ⌊c⌋ + 10⁻⁹"),
        ("piecewise(1, x > 2 && k < 3, 2, x < 1, 0)", "1 if x > 2 and k < 3; 2 if x < 1; else 0"),
        ("2 * piecewise(1, x >= 2 || !(k != 3), 0)", "2 · (1 if x ≥ 2 or not (k ≠ 3); else 0)"),
        ("2 * pi * time", "2 · π · t"),
    ],
)
def test_as_a_reader_would_write_it(formula: str, written: str) -> None:
    assert read(f"y := {formula}")["y"] == f"y = {written}"


def test_rates_and_events() -> None:
    found = read("x' = -x; x = 1; drop: at (x < 0.5): x = 2*x, n = n + 1; n = 0")
    assert found == {"x": "d x / dt = −x", "drop": "when x < 0.5; x ← 2 · x; n ← n + 1"}


@pytest.mark.parametrize("name", EVERY)
def test_every_equation_of_the_library_means_what_it_says(name: str) -> None:
    document = read_submodel(EVERY[name])
    sources = {rule.getVariable(): rule.getMath() for rule in document.getModel().getListOfRules()}
    generator = np.random.default_rng(3)
    compared = 0
    for equation in read_equations(document):
        if equation.kind == "event" or "cases" in kinds(equation.formula):
            continue
        names = {word: float(generator.uniform(0.2, 1.5)) for word in equation.names()}
        source = re.sub(r"\btime\b", "t", libsbml.formulaToL3String(sources[equation.name]).replace("^", "**"))
        try:
            expected = value(source, names)
        except ValueError:  # a logarithm of a negative number
            continue
        written = str(equation).split(" = ", 1)[1]
        assert value(written, names) == pytest.approx(expected, rel=1e-9), equation.name
        compared += 1
    assert compared >= 0.5 * len(sources) - 1


def kinds(node: Expression) -> set[str]:
    return {node.kind}.union(*(kinds(part) for part in node.parts))


@pytest.mark.parametrize("name", EVERY)
def test_every_equation_fits_sixty_columns_and_loses_nothing(name: str) -> None:
    for equation in read_equations(read_submodel(EVERY[name])):
        lines = equation.lines(56)
        assert max(map(len, lines)) <= 56, equation.name
        if equation.kind != "event" and "cases" not in kinds(equation.formula):
            joined = re.sub(r"\s+", "", "".join(lines))
            assert joined == re.sub(r"\s+", "", str(equation)), equation.name


def test_plain_signs() -> None:
    assert plain_text("x² · (a − b)^(−h) ≥ 10⁻⁹") == "x^2 * (a - b)^(-h) >= 10^-9"
