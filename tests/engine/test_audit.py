"""The audit of lanes: how many are audited, one decision for many calls, and people no solver can tell."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from vagus.engine import Model, load, simulate
from vagus.errors import InputError

Convert = Callable[[str], str]
TIMES = np.arange(1.0, 9.0)


@pytest.fixture(scope="module")
def decay(sbml: Convert) -> Model:
    return load(sbml("k = 1; x = 1; x' = -k*x"), ["k"])


@pytest.mark.parametrize(("asked", "audited"), [(None, 8), (1, 1), (40, 40), (100, 40)])
def test_so_many_are_audited_as_asked(decay: Model, asked: int | None, audited: int) -> None:
    k = np.linspace(0.5, 1.5, 40)[:, None]
    found = simulate(decay, k, output_times=TIMES, lanes="automatic", audited=asked)
    assert found.lanes is not None
    assert found.lanes.audited == audited
    assert found.lanes.error < 1e-4
    assert found.lanes.ill_conditioned == 0


@pytest.mark.parametrize("lanes", ["single", "double"])
def test_one_decision_serves_many_calls(decay: Model, lanes: str) -> None:
    """Without an audit a person has the bits of the audited call."""
    k = np.linspace(0.5, 1.5, 11)[:, None]
    whole = simulate(decay, k, output_times=TIMES, lanes=lanes)
    parts = [
        simulate(decay, k[part], output_times=TIMES, lanes=lanes, audited=0) for part in (slice(0, 3), slice(3, 11))
    ]
    assert np.concatenate([part.values for part in parts]).tobytes() == whole.values.tobytes()
    for part in parts:
        assert part.lanes is not None
        assert (part.lanes.audited, part.lanes.errors) == (0, {})
        assert math.isnan(part.lanes.error)
        assert "audited" not in part.lanes.sentence


@pytest.mark.parametrize(("lanes", "audited"), [("automatic", 0), ("double", -1)])
def test_an_audit_without_people_decides_nothing(decay: Model, lanes: str, audited: int) -> None:
    with pytest.raises(InputError, match="An audit must have people"):
        simulate(decay, [[1.0]], output_times=TIMES, lanes=lanes, audited=audited)


def test_who_stands_where_the_course_branches_is_told_apart(sbml: Convert) -> None:
    """Without a push of the own (b) the error of z alone decides whether x goes up or down."""
    branching = load(sbml("b = 0; z = 1; x = 0; z' = -z; x' = 4*(x - x^3) + b + (z - exp(-time))"), ["b"], ["x"])
    b = np.full((30, 1), 0.3)
    calm = simulate(branching, b, output_times=TIMES, rtol=1e-6, lanes="automatic", audited=30)
    assert calm.lanes is not None
    assert calm.lanes.ill_conditioned == 0
    b[[4, 17]] = 0.0
    found = simulate(branching, b, output_times=TIMES, rtol=1e-6, lanes="automatic", audited=30)
    assert found.lanes is not None
    assert found.lanes.ill_conditioned == 2
    assert found.messages == ("ok",) * 30
