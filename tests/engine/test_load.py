"""What a model's text becomes, and how what is not supported is named."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vagus.engine import evaluate, load, simulate
from vagus.engine.sbml import DEEPEST_MARKUP, LARGEST_GRAPH, RefusedModel
from vagus.errors import ModelError

Convert = Callable[[str], str]


MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
DELAY = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">d</csymbol>'
    "<ci>x0</ci><cn>1</cn></apply>"
)


def document(inside: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">\n'
        f'<model id="m">{inside}</model></sbml>'
    )


def rates_at_start(text: str, parameters: tuple[str, ...] = (), values: Any = ((),)) -> dict[str, float]:
    model = load(text, parameters)
    p = np.array(values, dtype=float).reshape(len(values), len(parameters))
    found = evaluate(model, p, model.initial_values(p)).rates[0]
    return dict(zip(model.states, found, strict=True))


def test_states_parameters_and_outputs(sbml: Convert) -> None:
    text = sbml("k = 0.3; a = 1; a' = -k*a; b := 2*a; c = 7; at (a < 0.5): c = 8")
    model = load(text, ["k"], ["b", "a", "k", "time"])
    assert model.states == ("a", "c")
    assert model.parameters == ("k",)
    assert model.parameter_values.tolist() == [0.3]
    p = np.array([[0.3], [0.5]])
    found = evaluate(model, p, [[1.0, 7.0], [2.0, 7.0]], t=[4.0, 5.0])
    assert found.outputs.tolist() == [[2.0, 1.0, 0.3, 4.0], [4.0, 2.0, 0.5, 5.0]]
    assert found.rates.tolist() == [[-0.3, 0.0], [-1.0, 0.0]]


def test_amounts_and_concentrations(sbml: Convert) -> None:
    """A reaction gives amounts per time; a state of concentration is divided by its volume, one of substance is not."""
    body = "compartment v = 4; species A in v; substanceOnly species B in v; A = 3; B = 0; R: A -> B; 2*A"
    assert rates_at_start(sbml(body)) == {"A": -6.0 / 4.0, "B": 6.0}
    model = load(sbml(body))
    start = model.initial_values(np.zeros((1, 0)))[0]
    assert start[model.state_index("A")] == 3.0


def test_a_growing_volume_dilutes(sbml: Convert) -> None:
    text = sbml("compartment v; v = 2; v' = 1; species A in v; A = 3; R: -> A; v*0.5")
    model = load(text, outputs=["A", "v"])
    assert model.amounts == {"A"}
    solution = simulate(model, np.zeros((1, 0)), output_times=[0.0, 1.0, 2.0], rtol=1e-10)
    t = np.array([0.0, 1.0, 2.0])
    amount = 6.0 + 0.5 * (2 * t + t**2 / 2)
    assert solution.values[0, :, 0] == pytest.approx(amount / (2 + t), rel=1e-9)


def test_initial_assignments_may_depend_on_the_person(sbml: Convert) -> None:
    model = load(sbml("k = 1; b := 2*k; a = b^2 + 1; a' = 0; c = a/2; c' = 0"), ["k"])
    assert model.initial_values(np.array([[1.0], [3.0]])).tolist() == [[5.0, 2.5], [37.0, 18.5]]


def test_functions_piecewise_and_extremes() -> None:
    import antimony

    body = """
    function mm(v, k, s)
      v*s/(k + s)
    end
    model under_test()
      a = 2; a' = -mm(3, 1, a)
      b = 1; b' = piecewise(5, a > 1, 7)
      c = 0; c' = max(a, 3, b) - min(a, b)
    end
    """
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(body) >= 0, antimony.getLastError()
    assert rates_at_start(antimony.getSBMLString("under_test")) == {"a": -2.0, "b": 5.0, "c": 2.0}


def test_logic(sbml: Convert) -> None:
    body = "a = 2; b = 3; x = 0; x' = piecewise(1, (a < b && !(a >= 2.5)) || b == 4, 0) + piecewise(10, a != 2, 20)"
    assert rates_at_start(sbml(body))["x"] == 21.0


def test_powers_and_logarithms(sbml: Convert) -> None:
    body = "a = 8; x = 0; x' = root(3, a) + log(100, 1000) + log10(1000) + ln(exp(4)) + a^0.75 + sqr(3) + ceil(1.2)"
    expected = 2 + 1.5 + 3 + 4 + 8**0.75 + 9 + 2
    assert rates_at_start(sbml(body))["x"] == pytest.approx(expected, rel=1e-14)


def test_a_long_chain_of_rules_in_any_order() -> None:
    names = [f"r{i}" for i in range(3000)]
    parameters = "".join(f'<parameter id="{name}" constant="false"/>' for name in (*names, "r3000"))
    rules = "".join(
        f'<assignmentRule variable="{name}"><math {MATHML}><apply><plus/><ci>r{i + 1}</ci><cn>1</cn></apply></math>'
        "</assignmentRule>"
        for i, name in enumerate(names)
    )
    last = f'<assignmentRule variable="r3000"><math {MATHML}><cn>5</cn></math></assignmentRule>'
    parameters += '<parameter id="x" value="0" constant="false"/>'
    rate = f'<rateRule variable="x"><math {MATHML}><ci>r0</ci></math></rateRule>'
    text = document(f"<listOfParameters>{parameters}</listOfParameters><listOfRules>{rules}{last}{rate}</listOfRules>")
    assert rates_at_start(text)["x"] == 3005.0


def test_jumps_of_time_alone_are_found(sbml: Convert) -> None:
    model = load(sbml("x = 1; x' = piecewise(1, sin(time) > 0.5, 0)*x + floor(time/2) + piecewise(3, x > 2, 0)"))
    assert len(model.switches) == 2


def test_importing_the_engine_is_light() -> None:
    code = "import sys, vagus.engine; print([m for m in ('libsbml', 'llvmlite', 'scipy', 'numba') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# ---------------------------------------------------------------------- what is refused


def refused(text: str, *parameters: str, outputs: Any = None) -> str:
    with pytest.raises(ModelError) as caught:
        load(text, parameters, outputs)
    return str(caught.value)


def test_all_problems_are_named_at_once(sbml: Convert) -> None:
    text = sbml("a = 1; a' = -k2*a; k2 = 3; E: at 2 after (a < 0.5): a = 3")
    message = refused(text, "dose")
    assert "'E' has a delay" in message
    assert "'dose' is not in the model" in message
    formulas = ("<ci>nowhere</ci>", "<apply><ci>unknown</ci><cn>1</cn></apply>", DELAY)
    parameters = "".join(f'<parameter id="x{i}" value="0" constant="false"/>' for i in range(len(formulas)))
    rules = "".join(
        f'<rateRule variable="x{i}"><math {MATHML}>{formula}</math></rateRule>' for i, formula in enumerate(formulas)
    )
    message = refused(document(f"<listOfParameters>{parameters}</listOfParameters><listOfRules>{rules}</listOfRules>"))
    assert "rate rule of 'x0': symbol 'nowhere' is not defined" in message
    assert "rate rule of 'x1': function 'unknown' is not defined" in message
    assert "rate rule of 'x2': delay() is not supported" in message


def test_a_symbol_without_a_value_is_named(sbml: Convert) -> None:
    assert "parameter 'k' has no value" in refused(sbml("a = 1; a' = -k*a"))
    load(sbml("a = 1; a' = -k*a"), ["k"])
    assert "parameter 'a' has no value" in refused(sbml("a' = -1"))


def test_algebraic_rules_fast_reactions_and_packages() -> None:
    rule = f"<listOfRules><algebraicRule><math {MATHML}><ci>k</ci></math></algebraicRule></listOfRules>"
    parameters = '<listOfParameters><parameter id="k" value="1" constant="false"/></listOfParameters>'
    assert "algebraic rules" in refused(document(parameters + rule))
    reaction = '<listOfReactions><reaction id="R" reversible="false" fast="true"/></listOfReactions>'
    assert "fast reactions" in refused(document(reaction))
    composed = document("").replace(
        'version="1">\n',
        'version="1" xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true">\n',
        1,
    )
    assert "'comp'" in refused(composed)


def test_circles_are_shown(sbml: Convert) -> None:
    text = sbml("a := b + 1; b := 2; x = 0; x' = a")
    text = re.sub(r"<cn[^>]*> 2 </cn>", "<ci> a </ci>", text)
    message = refused(text)
    assert "circle" in message
    assert "a" in message


def test_person_parameters_must_be_constants(sbml: Convert) -> None:
    text = sbml("k = 1; k' = -k; b := 2*k; c = 1")
    assert "changed by the model itself" in refused(text, "k")
    assert "changed by the model itself" in refused(text, "b")
    assert 'did you mean "k"' in refused(sbml("k = 1; rate = 2; x = 0; x' = k"), "kk")
    assert "named twice" in refused(text, "c", "c")


def test_unknown_outputs_are_named(sbml: Convert) -> None:
    assert 'did you mean "acetate"' in refused(sbml("acetate = 1; acetate' = 0"), outputs=["acetat"])


@pytest.mark.parametrize("text", ["", "not xml", "<sbml/>", "<html><body/></html>"])
def test_what_is_no_sbml_is_refused(text: str) -> None:
    assert refused(text)


def test_a_text_that_is_too_large_is_refused() -> None:
    assert "20,000,000" in refused(" " * 20_000_001)


def test_undefined_symbols_in_reactions() -> None:
    inside = (
        '<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>'
        '<listOfSpecies><species id="S" compartment="c" initialAmount="1" hasOnlySubstanceUnits="true" '
        'boundaryCondition="false" constant="false"/></listOfSpecies>'
        '<listOfReactions><reaction id="R" reversible="false" fast="false"><listOfReactants>'
        '<speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants>'
        f"<kineticLaw><math {MATHML}><apply><times/><ci>k</ci><ci>S</ci></apply></math></kineticLaw>"
        "</reaction></listOfReactions>"
    )
    assert "'k' is not defined" in refused(document(inside))


def chain_of_functions(*bodies: str) -> str:
    """A model of one state whose rate is the first of functions of one argument, f0, f1, ..."""
    functions = "".join(
        f'\n<functionDefinition id="f{place}"><math {MATHML}><lambda><bvar><ci>x</ci></bvar>{body}</lambda></math>'
        "</functionDefinition>"
        for place, body in enumerate(bodies)
    )
    return document(
        f"<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions>"
        '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'
        f'<listOfRules><rateRule variable="x"><math {MATHML}><apply><ci>f0</ci><ci>x</ci></apply></math></rateRule>'
        "</listOfRules>"
    )


def twice(function: str, first: str, second: str) -> str:
    """The sum of a function of two arguments."""
    calls = "".join(f"<apply><ci>{function}</ci>{argument}</apply>" for argument in (first, second))
    return f"<apply><plus/>{calls}</apply>"


def test_recursive_functions_are_refused_at_once() -> None:
    """Also where each calls itself twice: not two to the power of the depth."""
    body = twice("f0", "<ci>x</ci>", "<cn>2</cn>")
    assert refused(chain_of_functions(body)) == "function 'f0' calls itself (line 4)"
    around = (twice("f1", "<ci>x</ci>", "<cn>2</cn>"), twice("f0", "<ci>x</ci>", "<cn>2</cn>"))
    assert "calls itself" in refused(chain_of_functions(*around))


def test_functions_that_repeat_themselves_are_written_out_once() -> None:
    same = [twice(f"f{place + 1}", "<ci>x</ci>", "<ci>x</ci>") for place in range(40)]
    text = chain_of_functions(*same, "<ci>x</ci>")
    assert rates_at_start(text)["x"] == 2.0**40
    assert len(load(text).graph.nodes) < 100


def test_functions_that_grow_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from vagus.engine import sbml as module

    double = "<apply><times/><cn>2</cn><ci>x</ci></apply>"
    other = f"<apply><plus/><cn>1</cn>{double}</apply>"
    bodies = [twice(f"f{place + 1}", double, other) for place in range(40)]
    monkeypatch.setattr(module, "LARGEST_GRAPH", LARGEST_GRAPH // 100)
    assert f"more than {LARGEST_GRAPH // 100:,} terms" in refused(chain_of_functions(*bodies, "<ci>x</ci>"))
    deep = [f"<apply><ci>f{place + 1}</ci><ci>x</ci></apply>" for place in range(60)]
    assert "50 levels deep" in refused(chain_of_functions(*deep, "<ci>x</ci>"))


# ---------------------------------------------------------------------- lines, and what is no sound text


def faults(text: str) -> set[tuple[int, str, str, bool]]:
    with pytest.raises(RefusedModel) as caught:
        load(text)
    assert pickle.loads(pickle.dumps(caught.value)).faults == caught.value.faults
    return {(fault.line, fault.part, fault.name, fault.unsupported) for fault in caught.value.faults}


def test_every_fault_has_its_line_and_part() -> None:
    text = document(
        '<listOfParameters>\n<parameter id="x" value="0" constant="false"/>\n<parameter id="y" constant="false"/>'
        "</listOfParameters>\n<listOfRules>\n"
        f'<rateRule variable="x"><math {MATHML}>{DELAY.replace("x0", "x")}</math></rateRule>\n'
        f'<assignmentRule variable="y"><math {MATHML}><ci>nowhere</ci></math></assignmentRule>\n'
        "</listOfRules>"
    )
    assert faults(text) == {(7, "rateRule", "x", True), (8, "assignmentRule", "y", False)}
    events = (
        '<listOfEvents>\n<event id="late" useValuesFromTriggerTime="true">'
        f'<trigger initialValue="true" persistent="true"><math {MATHML}><true/></math></trigger>'
        f"<delay><math {MATHML}><cn>2</cn></math></delay></event></listOfEvents>"
    )
    assert faults(document(events)) == {(4, "event", "late", True)}


PACKAGES = {
    "comp": "http://www.sbml.org/sbml/level3/version1/comp/version1",
    "distrib": "http://www.sbml.org/sbml/level3/version1/distrib/version1",
    "arrays": "http://www.sbml.org/sbml/level3/version1/arrays/version1",  # one that libSBML does not know
}


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_that_change_the_mathematics_are_refused_by_name(name: str) -> None:
    text = document("").replace('version="1">', f'version="1" xmlns:{name}="{PACKAGES[name]}" {name}:required="true">')
    assert f"the SBML package {name!r}" in refused(text)
    assert faults(text) == {(2, "", "", True)}


def test_names_are_given_once() -> None:
    same = '<parameter id="k" value="1" constant="true"/>\n'
    assert refused(document(f"<listOfParameters>{same}{same}</listOfParameters>")) == (
        "'k' is the id of two elements (line 4)"
    )
    rule = f'<rateRule variable="x"><math {MATHML}><cn>1</cn></math></rateRule>'
    state = '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'
    assert "'x' is determined by two rules" in refused(document(f"{state}<listOfRules>{rule}{rule}</listOfRules>"))


def test_markup_that_would_break_the_parser_is_refused() -> None:
    depth = 200_000
    nested = f"{'<apply><minus/>' * depth}<cn>1</cn>{'</apply>' * depth}"
    rule = f'<listOfRules><rateRule variable="x"><math {MATHML}>{nested}</math></rateRule></listOfRules>'
    assert f"{DEEPEST_MARKUP:,} levels" in refused(document(rule))
    bomb = "".join(f'<!ENTITY e{place + 1} "{f"&e{place};" * 10}">\n' for place in range(30))
    text = f'<?xml version="1.0"?>\n<!DOCTYPE m [<!ENTITY e0 "ha">\n{bomb}]>\n<sbml>&e30;</sbml>'
    assert refused(text) == "A model text must have no DOCTYPE (it could declare entities); remove it (line 2)"
    assert refused(document("<listOfRules>")).endswith("mismatched tag (line 3)")
