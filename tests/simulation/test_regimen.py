"""Doses of every kind and conditions, from the protocol to the states and constants of the model."""

from __future__ import annotations

import numpy as np
import pytest

from vagus import engine, simulation
from vagus.model import compose, draw_uncertain
from vagus.protocol import Protocol, parse
from vagus.protocol.product import PARTS
from vagus.simulation.people import OBESE_KG_M2, OVERWEIGHT_KG_M2, from_covariates
from vagus.simulation.regimen import USUAL_HOUR, plan_conditions, plan_doses

TRIAL = """
vagus: 1
trial: {id: doses, title: doses of every kind, design: parallel}
population: {from: healthy-adults, n: 6, baseline_microbiome: {from: healthy-adults}}
arms:
  placebo: {maltodextrin: 5 g/day}
  all: {vitamin_d3: 1000 IU/day, magnesium_citrate: 2 g/day at 21:00, rhLF: 1 g/day, magnesium: 100 mg/day at 21:00}
  live: {live_bifidobacterium: 1e10 CFU/day, l_casei_shirota: 20 billion CFU/day, 2FL: 5 g/day}
control: placebo
schedule: {run_in: 1 wk, treat: 2 wk, follow: 1 wk, visits: [0, 2] wk}
conditions: {stress: {size: 1.5 SD, from: 1 wk, to: 2 wk}}
measures: {PSQI: visits}
estimands: {primary: {variable: PSQI change at 2 wk, contrast: all - placebo}}
analysis: {primary: ancova}
"""


@pytest.fixture(scope="module")
def trial() -> Protocol:
    return parse(TRIAL, "doses.yaml")


def test_each_dose_arrives_in_the_unit_of_its_state(trial: Protocol) -> None:
    plan = plan_doses(trial, "all")
    assert len(plan.times) == 2 * 14
    assert plan.times[0] == 7 + USUAL_HOUR / 24
    assert plan.times[1] == 7 + 21 / 24
    morning = {state: amounts[0] for state, amounts in plan.amounts.items()}
    evening = {state: amounts[1] for state, amounts in plan.amounts.items()}
    assert morning == {
        "oral_vitamin_d": pytest.approx(25),
        "oral_lactoferrin": pytest.approx(0.93),
        "oral_magnesium": 0,
    }
    # two products in one evening add up: 324 mg from the citrate and 100 mg
    assert evening == {"oral_vitamin_d": 0, "oral_lactoferrin": 0, "oral_magnesium": pytest.approx(424)}


def test_live_cells_are_grams(trial: Protocol) -> None:
    first = {state: amounts[0] for state, amounts in plan_doses(trial, "live").amounts.items()}
    assert first == {
        "oral_probif": pytest.approx(0.01),
        "oral_prolac": pytest.approx(0.02),
        "oral_FL": pytest.approx(4.7),
    }


def test_a_comparator_brings_nothing(trial: Protocol) -> None:
    assert plan_doses(trial, "placebo").amounts == {}


def test_every_part_has_its_state_in_the_model() -> None:
    # MP (mucin, protein) is in no product; its state is not needed
    wanted = {part.state: part.unit for name, part in PARTS.items() if part.state and name != "MP"}
    axis = compose()
    assert set(wanted) <= set(axis.states), set(wanted) - set(axis.states)


def test_conditions_become_constants_of_the_model(trial: Protocol) -> None:
    assert plan_conditions(trial) == {"stress_size": 1.5, "stress_from_d": 14.0, "stress_to_d": 21.0}
    assert plan_conditions(trial.with_settings({"conditions": "{}"})) == {}
    table = compose().parameters.set_index("parameter")
    assert set(table.loc[list(plan_conditions(trial)), "distribution"]) == {"setting"}


def test_age_and_weight_reach_the_model(cohort_of) -> None:
    cohort = cohort_of(4)
    assert set(from_covariates(cohort, np.arange(4))) == {"age_decades"}
    bmi = [20.0, OVERWEIGHT_KG_M2, OBESE_KG_M2 - 0.1, OBESE_KG_M2]
    cohort.covariates["bmi_kg_m2"] = bmi
    found = from_covariates(cohort, np.array([0, 1, 2, 3]))
    assert found["overweight"].tolist() == [0, 1, 1, 0]
    assert found["obese"].tolist() == [0, 0, 0, 1]
    cohort.covariates["age_years"] = [20.0, 40.0, 55.0, 67.0]
    assert from_covariates(cohort, np.array([0, 1, 3]))["age_decades"].tolist() == [-2.0, 0.0, 2.7]


def test_a_trial_with_all_of_it(trial: Protocol, people: simulation.People, axis_model: engine.Model) -> None:
    drawn = draw_uncertain(people.axis.parameters, 1, 0)
    courses = simulation.simulate_arms(people, axis_model, trial, drawn, seed=1, arms=["placebo", "all", "live"])
    assert [courses[arm].status for arm in courses] == [("ok",)] * 3
    calm = trial.with_settings({"conditions": "{}"})
    quiet = simulation.simulate_arms(people, axis_model, calm, drawn, seed=1, arms=["placebo"])["placebo"]

    def at(arm: simulation.Trajectories, name: str, day: float) -> float:
        return float(arm.at_visit(name, day)[0])

    placebo, active = courses["placebo"], courses["all"]
    # the supplement moves its own status and, through it, the complaint; the placebo moves neither
    assert at(active, "vitamin_d_nmol_l", 14) - at(placebo, "vitamin_d_nmol_l", 14) == pytest.approx(5.5, abs=1.0)
    assert at(active, "magnesium_mmol_l", 14) > at(placebo, "magnesium_mmol_l", 14) == pytest.approx(0.85)
    assert at(active, "vitamin_d_sleep_effect", 14) < 0 == at(placebo, "vitamin_d_sleep_effect", 14)
    assert at(active, "magnesium_latency_effect", 14) < 0 == at(placebo, "magnesium_latency_effect", 14)
    assert 0 < active.daily("lps_bound_share").max() < 1e-5
    # live cells arrive and count as what they are
    assert at(courses["live"], "bif_fraction", 14) > at(placebo, "bif_fraction", 14)
    # stress befalls both arms from week 1 to 2 and is gone for whom the protocol sets none
    assert at(placebo, "stress", 7) == 0
    assert at(placebo, "stress", 14) == pytest.approx(1.5 * (1 - np.exp(-6.5 / 3)), rel=1e-3)
    assert at(active, "stress", 14) == pytest.approx(at(placebo, "stress", 14))
    assert np.all(quiet.daily("stress") == 0)
    assert at(placebo, "barrier", 14) < at(quiet, "barrier", 14) - 0.05
    assert at(placebo, "vagal_tone", 14) < at(quiet, "vagal_tone", 14)
    assert at(placebo, "cort_day_rel", 14) > at(quiet, "cort_day_rel", 14)
    # at rest nothing moves
    assert at(quiet, "barrier", 14) == pytest.approx(1, abs=1e-3)
    assert at(quiet, "crp_rel", 14) == pytest.approx(1, abs=1e-2)
