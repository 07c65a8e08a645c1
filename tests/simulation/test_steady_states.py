"""Own baselines are exact steady states, for any composition that people have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus import engine
from vagus.model import compose
from vagus.population import GUILDS
from vagus.simulation.ecology import solve_colon
from vagus.simulation.immune_rest import solve_immune_rest

AXIS = compose()
VALUES = dict(zip(AXIS.parameters["parameter"], AXIS.parameters["value"], strict=True))


def shares_from(weights: list[float]) -> np.ndarray:
    shares = np.maximum(np.array(weights) / sum(weights), 1e-5)
    return np.append(shares / shares.sum(), 0.0)[None, :]


@settings(max_examples=40, deadline=None)
@given(
    weights=st.tuples(
        st.floats(0.05, 1),
        st.floats(0.05, 1),
        st.floats(0.0, 0.3),
        st.floats(0.0, 0.3),
        st.floats(0.02, 1),
        st.floats(0.01, 0.5),
        st.floats(0.0, 0.3),
    ),
    transit=st.floats(0.5, 3),
    intake=st.floats(0.5, 1.6),
)
def test_any_composition_is_met(weights: tuple[float, ...], transit: float, intake: float) -> None:
    shares = shares_from(list(weights))
    solved = solve_colon(shares, VALUES | {"transit_d": transit, "intake_scale": intake})
    masses = np.array([solved.states[f"X_{name}"][0] for name in GUILDS])
    assert solved.residual[0] < 1e-8
    assert np.allclose(masses / masses.sum(), shares[0], rtol=1e-9, atol=1e-12)


def test_the_engine_agrees_that_it_is_steady() -> None:
    axis = compose(("colon",))
    names = [name for name in axis.parameters["parameter"] if name.startswith("w_")]
    model = engine.load(axis.sbml, names, ["tscfa_mM"])
    values = dict(zip(axis.parameters["parameter"], axis.parameters["value"], strict=True))
    shares = np.array([[0.2, 0.38, 0.004, 0.03, 0.30, 0.06, 0.026, 0.0]])
    solved = solve_colon(shares, values)
    parameters = np.column_stack([solved.weights[name] for name in names])
    initial = np.column_stack([solved.states.get(name, np.zeros(1)) for name in model.states])
    after = engine.simulate(model, parameters, initial, 0.0, [30.0], rtol=1e-8)
    assert np.allclose(after.final_state, initial, rtol=1e-6, atol=1e-9)


def test_many_people_at_once_are_the_same_as_one_by_one() -> None:
    shares = np.vstack([shares_from([1, 1, 0.01, 0.1, 0.8, 0.2, 0.02]), shares_from([0.2, 1, 0.2, 0.1, 0.3, 0.1, 0.1])])
    together = solve_colon(shares, VALUES | {"transit_d": np.array([0.8, 2.0])})
    for row, transit in enumerate((0.8, 2.0)):
        alone = solve_colon(shares[row : row + 1], VALUES | {"transit_d": transit})
        for name, array in together.weights.items():
            assert array[row] == pytest.approx(alone.weights[name][0], rel=1e-8, abs=1e-12)


def test_an_impossible_composition_is_reported_not_dropped() -> None:
    # Enterobacteriaceae take no fiber in this model: 97 % of the biomass cannot be theirs.
    shares = np.array([[0.01, 0.01, 1e-4, 1e-4, 0.005, 0.0048, 0.97, 0.0]])
    assert not solve_colon(shares, VALUES).residual[0] < 1e-6


def test_immune_rest_is_a_root_of_the_rates() -> None:
    axis = compose(("immune",))
    model = engine.load(axis.sbml, ["lps_flux"], ["il6_pg_ml"])
    values = dict(zip(axis.parameters["parameter"], axis.parameters["value"], strict=True)) | {"lps_flux0": 0.0042}
    states, residual = solve_immune_rest(values, 1)
    initial = np.column_stack([states[name] for name in model.states])
    after = engine.simulate(model, [[0.0042]], initial, 0.0, [60.0], rtol=1e-9)
    assert residual[0] < 1e-10
    assert np.allclose(after.final_state, initial, rtol=1e-7)
