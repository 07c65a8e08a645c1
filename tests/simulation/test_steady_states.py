"""Own baselines are exact steady states, for any composition that people have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus import engine
from vagus.model import compose
from vagus.population import DOSED, GUILDS, healthy_microbiome
from vagus.simulation.ecology import solve_colon
from vagus.simulation.immune_rest import solve_immune_rest

AXIS = compose()
VALUES = dict(zip(AXIS.parameters["parameter"], AXIS.parameters["value"], strict=True))
COLON = compose(("colon",))
COLON_VALUES = dict(zip(COLON.parameters["parameter"], COLON.parameters["value"], strict=True))
#: Constants of a person's own colon.
OWN = ("transit_d", "intake_scale", "fl_competence", "lacuse_growth", *(f"w_{name}" for name in GUILDS))


def shares_from(weights: list[float]) -> np.ndarray:
    shares = np.maximum(np.array(weights) / sum(weights), 1e-5)
    return np.append(shares / shares.sum(), np.zeros(len(DOSED)))[None, :]


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


def people(n: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    draw = np.random.default_rng(4)
    own = {
        "transit_d": np.exp(draw.normal(np.log(1.25), 0.385, n)).clip(0.5, 3),
        "intake_scale": draw.uniform(0.5, 1.6, n),
    }
    return healthy_microbiome(n, seed=4).guild_fractions, own


def colon_at(shares: np.ndarray, **values: np.ndarray | float) -> tuple[engine.Model, np.ndarray, np.ndarray]:
    """Return the submodel colon, with parameters and states at the own baseline."""
    model = engine.load(COLON.sbml, OWN, ["tscfa_mM"])
    solved = solve_colon(shares, COLON_VALUES | values)
    given = COLON_VALUES | values | solved.weights
    n = len(shares)
    parameters = np.column_stack([np.broadcast_to(given[name], (n,)) for name in OWN]).astype(float)
    initial = np.column_stack([solved.states.get(name, np.zeros(n)) for name in model.states])
    return model, parameters, initial


def test_the_rates_of_the_composed_model_vanish() -> None:
    shares, own = people(100)
    model, parameters, initial = colon_at(shares, **own)
    rates = engine.evaluate(model, parameters, initial).rates
    # Against the flow of each quantity: a guild's wash-out, 50 g of substrate and 300 mmol of acids a day.
    flow = np.array([0.0 if name.startswith("X_") else 50.0 if name[0] in "So" else 300.0 for name in model.states])
    turnover = np.maximum(flow, initial / parameters[:, :1])
    assert np.abs(rates / np.where(turnover > 0, turnover, 1)).max() < 1e-10


def test_the_engine_agrees_that_it_is_steady() -> None:
    shares = np.array([[0.2, 0.38, 0.004, 0.03, 0.30, 0.06, 0.026, 0.0, 0.0]])
    model, parameters, initial = colon_at(shares)
    after = engine.simulate(model, parameters, initial, 0.0, [30.0], rtol=1e-8)
    assert np.allclose(after.final_state, initial, rtol=1e-6, atol=1e-9)


def test_many_people_at_once_are_the_same_as_one_by_one() -> None:
    shares = np.vstack([shares_from([1, 1, 0.01, 0.1, 0.8, 0.2, 0.02]), shares_from([0.2, 1, 0.2, 0.1, 0.3, 0.1, 0.1])])
    together = solve_colon(shares, VALUES | {"transit_d": np.array([0.8, 2.0])})
    for row, transit in enumerate((0.8, 2.0)):
        alone = solve_colon(shares[row : row + 1], VALUES | {"transit_d": transit})
        for name, array in together.weights.items():
            assert array[row] == pytest.approx(alone.weights[name][0], rel=1e-8, abs=1e-12)


def test_a_settled_strain_is_at_rest_at_its_share() -> None:
    shares, own = people(20)
    names = (*OWN, "settling_people")
    model = engine.load(COLON.sbml, names, ["X_probif", "biomass_g"])
    solved = solve_colon(shares, COLON_VALUES | own)
    given = COLON_VALUES | own | solved.weights | {"settling_people": 1.0}
    parameters = np.column_stack([np.broadcast_to(given[name], (20,)) for name in names]).astype(float)
    initial = np.column_stack([solved.states.get(name, np.zeros(20)) for name in model.states])
    place = model.states.index("X_probif")
    whole = initial[:, [model.states.index(f"X_{name}") for name in GUILDS]].sum(axis=1)
    initial[:, place] = COLON_VALUES["settled_share"] * whole
    rates = engine.evaluate(model, parameters, initial).rates[:, place]
    # The strain is not counted when its weight is solved; it takes from itself what it adds to the sum of drives.
    assert np.abs(rates * parameters[:, 0] / initial[:, place]).max() < 0.02


def test_an_impossible_composition_is_reported_not_dropped() -> None:
    # Enterobacteriaceae take no fiber in this model: 97 % of the biomass cannot be theirs.
    shares = np.array([[0.01, 0.01, 1e-4, 1e-4, 0.005, 0.0048, 0.97, 0.0, 0.0]])
    assert not solve_colon(shares, VALUES).residual[0] < 1e-6


def test_a_dosed_strain_cannot_be_part_of_the_baseline() -> None:
    shares = shares_from([1, 1, 0.01, 0.1, 0.8, 0.2, 0.02])
    shares[0, GUILDS.index("prolac")] = 0.01
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
