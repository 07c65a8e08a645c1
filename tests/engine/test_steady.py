"""Steady states against closed forms and long integrations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vagus.engine import evaluate, load, simulate, steady_state
from vagus.errors import InputError, ModelError

Convert = Callable[[str], str]


def test_a_linear_chain(sbml: Convert) -> None:
    model = load(sbml("f = 2; k = 3; a = 0; b = 0; a' = f - k*a; b' = k*a - 0.5*b"), ["f", "k"])
    p = np.array([[2.0, 3.0], [0.1, 50.0], [7.0, 1e-3]])
    found = steady_state(model, p, model.initial_values(p))
    assert found.messages == ("ok",) * 3
    assert found.states == pytest.approx(np.stack([p[:, 0] / p[:, 1], p[:, 0] / 0.5], axis=1), rel=1e-9)
    assert found.residual.max() <= 1e-10


def test_it_finds_the_state_that_the_person_settles_in(sbml: Convert) -> None:
    """Two stable states with an unstable one between them: each start has its own end."""
    model = load(sbml("x = 0; x' = x*(1 - x)*(x - 0.3) "))
    starts = np.array([[0.05], [0.29], [0.31], [0.7], [3.0]])
    found = steady_state(model, np.zeros((5, 0)), starts, lower=0.0)
    settled = simulate(model, np.zeros((5, 0)), starts, output_times=[500.0])
    assert found.states[:, 0] == pytest.approx(settled.values[:, 0, 0], abs=1e-6)
    assert found.states[2:, 0] == pytest.approx(1.0, rel=1e-9)


def test_other_states_are_held(sbml: Convert) -> None:
    model = load(sbml("a = 1; b = 2; c = 3; a' = b - a; b' = c - 2*b; c' = -1"))
    found = steady_state(model, np.zeros((1, 0)), [[9.0, 9.0, 4.0]], ["b", "a"])
    assert found.states[0] == pytest.approx([2.0, 2.0, 4.0], rel=1e-9)
    assert evaluate(model, np.zeros((1, 0)), found.states).rates[0] == pytest.approx([0.0, 0.0, -1.0], abs=1e-9)


def test_a_chemostat_with_a_threshold_of_washing_out(sbml: Convert) -> None:
    """Monod growth, closed form: washed out where the largest growth is below the dilution."""
    body = "mu = 1; D = 0.4; s = 5; x = 0.1; g := mu*s/(0.5 + s); s' = D*(5 - s) - g*x; x' = (g - D)*x"
    model = load(sbml(body), ["mu"])
    mu = np.array([2.0, 0.9, 0.5])
    found = steady_state(model, mu[:, None], model.initial_values(mu[:, None]), lower=0.0)
    rest = 0.5 * 0.4 / (mu - 0.4)
    assert found.messages == ("ok",) * 3
    assert found.states[:, 0] == pytest.approx(rest, rel=1e-8)
    assert found.states[:, 1] == pytest.approx(5 - rest, rel=1e-8)


def test_no_steady_state_gets_a_sentence(sbml: Convert) -> None:
    model = load(sbml("f = 1; x = 1; x' = f"), ["f"])
    found = steady_state(model, [[1.0], [0.0]], [[1.0], [1.0]], iterations=40)
    assert found.status.tolist() == [1, 0]
    assert found.messages[0].startswith("no steady state found")
    assert found.states[1, 0] == 1.0


def test_a_person_that_is_not_finite_leaves_the_others_alone(sbml: Convert) -> None:
    model = load(sbml("f = 1; x = 1; x' = f - x"), ["f"])
    found = steady_state(model, [[2.0], [np.nan]], [[1.0], [1.0]])
    assert found.status.tolist() == [0, 1]
    assert found.states[0, 0] == pytest.approx(2.0)


def test_arguments_that_do_not_fit(sbml: Convert) -> None:
    model = load(sbml("x = 1; x' = 1 - x"))
    with pytest.raises(InputError, match="shape"):
        steady_state(model, np.zeros((1, 0)), [[1.0, 2.0]])
    with pytest.raises(ModelError, match="no state"):
        steady_state(model, np.zeros((1, 0)), [[1.0]], ["y"])
