"""The engine beside others: the SBML semantic test suite, libRoadRunner, published models, a workload of 70 states."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vagus.engine import Doses, load, simulate
from vagus.engine.conformance import Case, run_case
from vagus.io.cases import read_cases

Convert = Callable[[str], str]
NOBODY = np.zeros((1, 0))

# ---------------------------------------------------------------------- the SBML semantic test suite

EVERY = 6  # every sixth case, and beside them the rare constructs:
RARE = (
    *("00173", "00269", "00957", "00961"),  # factorial, inverse functions, avogadro
    *("00191", "00201", "00279", "01113", "01115"),  # piecewise and logic
    *("00851", "00869", "00975", "00977"),  # time, conversion factors
    *("00049", "00239", "00489", "00951"),  # a compartment without size, NaN and infinity
)


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, Case]:
    """All cases of the suite that lie beside the checkout."""
    return {case.name: case for case in read_cases(shared / "sbml_test_suite")}


def test_semantic_test_suite(cases: dict[str, Case]) -> None:
    chosen = sorted({*list(cases)[::EVERY], *RARE})
    assert len(chosen) >= 60
    outcomes = [run_case(cases[name]) for name in chosen]
    assert [outcome for outcome in outcomes if not outcome.passed] == []


def test_a_value_that_is_off_is_named(cases: dict[str, Case]) -> None:
    case = cases["00001"]
    table = case.expected["S2"].copy()
    allowed = case.absolute + case.relative * table[20]
    table[20] += 1.5 * allowed
    (miss,) = run_case(replace(case, expected={**case.expected, "S2": table})).misses
    assert (miss.variable, miss.time, miss.theirs) == ("S2", case.times[20], table[20])
    assert miss.ours == pytest.approx(case.expected["S2"][20], rel=1e-4)
    assert miss.allowed == pytest.approx(allowed, rel=1e-3)


def test_amounts_are_no_concentrations(cases: dict[str, Case]) -> None:
    """In a volume that is not 1, a case misses when its species are read as the other kind."""
    for name in ("00021", "00075", "00999"):
        case = cases[name]
        assert run_case(case).passed
        assert run_case(replace(case, amounts=case.concentrations, concentrations=case.amounts)).misses


# ---------------------------------------------------------------------- libRoadRunner


def by_roadrunner(text: str, end: float, points: int, names: tuple[str, ...], amounts: frozenset[str]) -> Any:
    """Integrate with CVODE at tight tolerances."""
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner comes with the dev extra")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    peer = roadrunner.RoadRunner(text)
    peer.integrator.relative_tolerance = 1e-10
    peer.integrator.absolute_tolerance = 1e-13
    peer.integrator.maximum_num_steps = 1_000_000
    species = {*peer.model.getFloatingSpeciesIds(), *peer.model.getBoundarySpeciesIds()}
    columns = [f"[{name}]" if name in species and name not in amounts else name for name in names]
    return np.array(peer.simulate(0, end, points, ["time", *columns]))[:, 1:]


def compare(text: str, end: float, points: int = 51, **settings: Any) -> float:
    """Return the largest relative difference between the two (a thousandth of a state's largest value as floor)."""
    model = load(text)
    t = np.linspace(0, end, points)
    found = simulate(model, NOBODY, output_times=t, **{"rtol": 1e-9, "atol": 1e-13, **settings})
    assert found.messages == ("ok",)
    peer = by_roadrunner(text, end, points, model.states, model.amounts)
    scale = np.abs(peer) + 1e-3 * np.abs(peer).max(axis=0) + 1e-12
    return float((np.abs(found.values[0] - peer) / scale).max())


PUBLISHED = {
    "BIOMD0000000672.xml": 48.0,  # melatonin, with piecewise in time
    "BIOMD0000000714.xml": 200.0,  # acute inflammation
    "BIOMD0000001072.xml": 100.0,  # events, and jumps of time
    "MODEL0912835813.xml": 100.0,  # stiff, with jumps of time
    "MODEL0911270004.xml": 100.0,  # the stress axis
}


@pytest.mark.parametrize("file", PUBLISHED)
def test_published_models(shared: Path, file: str) -> None:
    text = (shared / "model" / "sources" / "sbml" / file).read_text(encoding="utf-8")
    assert compare(text, PUBLISHED[file]) < 1e-6


MODELS = {
    "decay chain": ("k = 0.5; a = 2; b = 0; c = 0; a' = -k*a; b' = k*a - 0.2*b; c' = 0.2*b", 20.0),
    "reactions in two volumes": (
        "compartment u = 2, w = 0.5; species A in u, B in w, C in w; A = 5; B = 1; C = 0;"
        "R1: A -> B; 0.3*A*u; R2: 2 B -> C; 0.2*B^2*w; R3: C -> ; 0.1*C",
        30.0,
    ),
    "Robertson": (
        "A = 1; B = 0; C = 0; A' = -0.04*A + 1e4*B*C; B' = 0.04*A - 1e4*B*C - 3e7*B^2; C' = 3e7*B^2",
        100.0,
    ),
    "piecewise input": ("x = 0; u := piecewise(3, time < 2.5, 1, sin(time) > 0, 0); x' = u - 0.7*x", 15.0),
    "threshold events": (
        "x = 1; n = 0; x' = 0.4*x; at (x > 3): x = 0.5*x, n = n + 1; y = 0; y' = n - y",
        12.0,
    ),
    "bouncing ball": ("h = 5; v = 0; h' = v; v' = -9.81; at (h < 0 && v < 0): v = -0.9*v", 4.0),
    "events of time": ("s = 0; s' = -2*s; at (time > 1.25): s = s + 3; at (time > 2.75): s = s + 1", 5.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_small_models(sbml: Convert, name: str) -> None:
    body, end = MODELS[name]
    assert compare(sbml(body), end, points=38) < 2e-6


# ---------------------------------------------------------------------- a workload of 70 states

GUILDS = ("BIFA", "BIFB", "LACB", "BACT", "PREV", "FAEC", "ROSE", "AKKE", "ENTE", "VEIL")
SPREAD = {"ktP": 0.25, "ktD": 0.25, "dose": 0.1, "kBar": 0.3, "gLPS": 0.5, "gIL6": 0.4, "tauH": 0.08, "moodk": 0.3}


def test_accuracy_on_the_workload(shared: Path) -> None:
    """Gut to mood, 70 states, a dose a day: 99 of 100 values within 1e-4 at the default tolerance."""
    import antimony

    source = (shared / "engine" / "gutbrain.ant").read_text()
    source = re.sub(r"(?m)^\s*(tnext = 1|E1:.*)$", "", source)  # doses are given by the engine instead
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(source) >= 0
    parameters = [f"mu_{guild}" for guild in GUILDS] + list(SPREAD)
    model = load(antimony.getSBMLString("gutbrain"), parameters)
    assert len(model.states) == 70
    count, days = 6, 7
    random = np.random.default_rng(1)
    spread = np.array([0.15] * len(GUILDS) + list(SPREAD.values()))
    p = model.parameter_values * np.exp(spread * random.standard_normal((count, len(parameters))))
    start = model.initial_values(p) * np.exp(0.5 * random.standard_normal((count, len(model.states))) * 0.5)
    doses = Doses(
        person=np.repeat(np.arange(count), days),
        time=np.tile(np.arange(days), count),
        state=["STO"] * (count * days),
        amount=np.repeat(p[:, parameters.index("dose")], days),
    )
    t = np.arange(0.5, days + 0.5, 0.5)
    found = simulate(model, p, start, output_times=t, doses=doses)
    exact = simulate(model, p, start, output_times=t, doses=doses, rtol=1e-10)
    assert found.messages == ("ok",) * count
    away = np.abs(found.values - exact.values) / (
        np.abs(exact.values) + 1e-3 * np.abs(exact.values).max(axis=(0, 1)) + 1e-30
    )
    assert np.quantile(away, 0.99) <= 1e-4
    assert found.steps.mean() < 500 * days
