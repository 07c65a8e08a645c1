"""The unit check sees wrong dimensions and wrong factors alike."""

from __future__ import annotations

import libsbml
import pytest

from vagus.errors import ModelError
from vagus.model import antimony_to_sbml
from vagus.model.units import read_unit, set_units, unit_problems

TEXT = """
model example()
  x' = rate * (source - x);
  x = 1;
  rate = 2; source = 3;
end
"""


def problems(text: str = TEXT, **units: str) -> list[str]:
    document = libsbml.readSBMLFromString(antimony_to_sbml(text, "example"))
    set_units(document, units)
    return unit_problems(document)


def test_a_right_equation_is_clean() -> None:
    assert problems(x="g", rate="1/d", source="g") == []
    assert problems(x="mM", rate="1/d", source="mmol/l") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": "1/h"},
        {"rate": "1/min"},
        {"source": "mg"},
        {"source": "mol"},
        {"source": "1"},
        {"rate": "1"},
    ],
)
def test_a_wrong_unit_is_seen(wrong: dict[str, str]) -> None:
    assert problems(**{"x": "g", "rate": "1/d", "source": "g"} | wrong) != []


def test_a_conversion_needs_a_constant() -> None:
    converted = TEXT.replace("rate *", "24 * rate *")
    assert problems(converted, x="g", rate="1/h", source="g") != []
    named = TEXT.replace("rate *", "h_per_d * rate *").replace("rate = 2;", "rate = 2; h_per_d = 24;")
    assert problems(named, x="g", rate="1/h", source="g", h_per_d="h/d") == []


def test_a_quantity_without_a_unit_is_named() -> None:
    found = problems(x="g", rate="1/d")
    assert found[0] == '"source" has no unit; give it a row in variables.csv or parameters.csv.'


def test_an_exponent_must_have_no_unit() -> None:
    text = "model e()\n  y := (a / b)^n; a = 1; b = 2; n = 3;\nend\n"
    assert problems(text, y="1", a="g", b="g", n="1") == []
    assert problems(text, y="1", a="g", b="mg", n="1") != []


@pytest.mark.parametrize("text", ["foo", "2 g", "g/", ""])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="is no unit"):
        read_unit(text)
