"""Vitamin D and magnesium against the published numbers that they rest on, and against some that they do not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import truncnorm

from vagus import engine
from vagus.model import compose, parameter_table
from vagus.protocol import product


@cache
def loaded(submodel: str) -> tuple[engine.Model, tuple[str, ...], dict[str, float]]:
    axis = compose((submodel,))
    names = tuple(axis.parameters["parameter"])
    values = dict(zip(names, axis.parameters["value"], strict=True))
    return engine.load(axis.sbml, names, list(axis.owner)), names, values


def run(
    submodel: str, times: list[float], *, daily: tuple[str, float, int] | None = None, **given: float
) -> dict[str, np.ndarray]:
    """Return every variable at `times`; `daily` is a state, the amount added to it at noon, and for how many days."""
    model, names, values = loaded(submodel)
    assert set(given) <= set(names), set(given) - set(names)
    parameters = np.array([[(values | given)[name] for name in names]])
    doses = None
    if daily is not None:
        state, amount, days = daily
        doses = engine.Doses(np.zeros(days, dtype=int), np.arange(days) + 0.5, [state] * days, np.full(days, amount))
    solution = engine.simulate(model, parameters, output_times=times, doses=doses, rtol=1e-8)
    assert solution.messages == ("ok",)
    return {name: solution.output(name)[0] for name in model.outputs}


def rise_at(supply_ug_d: float) -> float:
    """Return the rise of 25(OH)D that a constant supply leads to."""
    model, names, values = loaded("vitamin_d")
    parameters = np.array([[values[name] for name in names]])
    initial = model.initial_values(parameters)
    initial[0, model.states.index("oral_vitamin_d")] = supply_ug_d * values["vitamin_d3_half_d"] / np.log(2)
    outputs = engine.evaluate(model, parameters, initial, 0.0)
    return float(outputs.outputs[0][model.outputs.index("vitamin_d_target_nmol_l")])


def test_vitamin_d_has_both_published_slopes() -> None:
    # Ekwaru 2014: 12.0 nmol/l per 1000 IU (25 ug) between 0 and 1000 IU/day, 1.1 between 15,000 and 20,000.
    assert rise_at(25) == pytest.approx(12.0, abs=0.05)
    assert (rise_at(500) - rise_at(375)) / 5 == pytest.approx(1.1, abs=0.05)


def test_a_daily_dose_acts_as_daily_intake() -> None:
    course = run("vitamin_d", [400.0, 401.0], daily=("oral_vitamin_d", 100.0, 400))
    assert course["vitamin_d_rise_nmol_l"][0] == pytest.approx(rise_at(100), rel=0.02)


def test_vitamin_d_leaves_with_its_half_life() -> None:
    # after the last dose has turned over
    course = run("vitamin_d", [120.0, 135.1], daily=("oral_vitamin_d", 100.0, 100))
    assert course["vitamin_d_rise_nmol_l"][1] / course["vitamin_d_rise_nmol_l"][0] == pytest.approx(0.5, abs=0.001)


def test_the_season_moves_the_level_and_not_the_sleep() -> None:
    year = run("vitamin_d", list(np.linspace(0, 365.25, 49)))
    swing = year["vitamin_d_nmol_l"]
    assert (swing.max() - swing.min()) / 2 == pytest.approx(8.3, abs=0.05)
    assert np.all(year["vitamin_d_sleep_effect"] == 0)


def test_weight_lowers_the_usual_level() -> None:
    usual = [
        run("vitamin_d", [0.0, 1.0], overweight=over, obese=obese)["vitamin_d_usual_nmol_l"][0]
        for over, obese in ((0, 0), (1, 0), (0, 1))
    ]
    assert usual[0] - usual[1] == pytest.approx(8.0)
    assert usual[0] - usual[2] == pytest.approx(19.8)
    lowest = run("vitamin_d", [0.0, 1.0], vitamin_d0_nmol_l=15.0, obese=1.0)["vitamin_d_usual_nmol_l"][0]
    assert lowest == 10.0


def test_usual_levels_are_those_of_europeans() -> None:
    # Cashman 2016: 13.0 % below 30 and 40.4 % below 50 nmol/l; 35 % overweight and 17 % obese adults (OECD 2012)
    model, names, values = loaded("vitamin_d")
    row = parameter_table("vitamin_d").set_index("parameter").loc["vitamin_d0_nmol_l"]
    sd, low, high = (float(part) for part in row["spread"].split("|"))
    rng = np.random.default_rng(1)
    n = 20_000
    mean = values["vitamin_d0_nmol_l"]
    own = truncnorm.rvs((low - mean) / sd, (high - mean) / sd, mean, sd, n, random_state=rng)
    weight = rng.uniform(size=n)
    table = np.tile([values[name] for name in names], (n, 1))
    for name, column in (
        ("vitamin_d0_nmol_l", own),
        ("obese", weight < 0.17),
        ("overweight", (weight >= 0.17) & (weight < 0.52)),
        ("vitamin_d_summer_d", rng.uniform(0, 365.25, n)),
    ):
        table[:, names.index(name)] = column
    found = engine.evaluate(model, table, model.initial_values(table), 0.0).outputs
    usual = found[:, model.outputs.index("vitamin_d_usual_nmol_l")]
    assert (usual < 30).mean() == pytest.approx(0.130, abs=0.015)
    assert (usual < 50).mean() == pytest.approx(0.404, abs=0.015)


def test_vitamin_d_on_sleep_is_shrunk_less_for_the_well_supplied_and_can_be_switched_off() -> None:
    def effect(**given: float) -> float:
        course = run("vitamin_d", [84.0, 85.0], daily=("oral_vitamin_d", 50.0, 84), **given)
        return float(course["vitamin_d_sleep_effect"][0])

    low, good = effect(vitamin_d0_nmol_l=35.0), effect(vitamin_d0_nmol_l=100.0)
    assert low < good < 0
    assert effect(vitamin_d_reaches_sleep=0.0) == 0
    # half of the pooled 1.32 PSQI points where the level rises as in the trial behind it
    at_trial = -0.5 * 1.32 / 3.1
    model, names, values = loaded("vitamin_d")
    parameters = np.array([[values[name] for name in names]])
    initial = model.initial_values(parameters)
    usual = engine.evaluate(model, parameters, initial, 0.0).outputs[0][model.outputs.index("vitamin_d_usual_nmol_l")]
    initial[0, model.states.index("vitamin_d_rise_nmol_l")] = usual * (np.exp(0.49) - 1)
    found = engine.evaluate(model, parameters, initial, 0.0).outputs[0][model.outputs.index("vitamin_d_sleep_effect")]
    assert found == pytest.approx(at_trial, rel=1e-6)


def absorbed(mg_d: float, **given: float) -> float:
    """Return the magnesium absorbed a day at a constant supply."""
    model, names, values = loaded("magnesium")
    parameters = np.array([[(values | given)[name] for name in names]])
    initial = model.initial_values(parameters)
    initial[0, model.states.index("oral_magnesium")] = mg_d / values["k_magnesium"]
    outputs = engine.evaluate(model, parameters, initial, 0.0).outputs[0]
    return float(outputs[model.outputs.index("magnesium_absorbed_mg_d")])


@pytest.mark.parametrize(("intake_mg", "share"), [(36, 0.65), (973, 0.11)])
def test_magnesium_is_absorbed_as_measured(intake_mg: float, share: float) -> None:
    assert absorbed(intake_mg, magnesium_meal_mg_d=0.0) / intake_mg == pytest.approx(share, abs=0.005)


def test_a_usual_meal_gives_a_third() -> None:
    # text books: 30 to 40 % of what a meal holds (not used to set anything)
    assert 0.30 < absorbed(120, magnesium_meal_mg_d=0.0) / 120 < 0.40


def test_absorbed_magnesium_agrees_with_urine_that_it_was_not_set_by() -> None:
    # Zhang 2016: +1.52 (1.20 to 1.83) mmol a day in urine under 197 to 994 mg/day
    assert 1.20 * 24.305 < absorbed(365) < 1.83 * 24.305


def test_serum_magnesium_barely_moves() -> None:
    course = run("magnesium", [84.0, 365.0, 366.0], daily=("oral_magnesium", 365.0, 365))
    assert course["magnesium_rise_mmol_l"][0] == pytest.approx(0.04, abs=0.002)
    assert course["magnesium_rise_mmol_l"][1] < 0.06


def test_an_oxide_tablet_gives_four_percent() -> None:
    # Firoz and Graber 2001: fractional absorption 4 % of about 255 mg elemental magnesium a day
    tablet_mg = 255 / 0.603
    dissolved = product("magnesium_oxide").added(tablet_mg / 1000)["oral_magnesium"]
    assert absorbed(dissolved) / 255 == pytest.approx(0.04, abs=0.005)
    salt_mg = 255 / 0.162
    assert absorbed(product("magnesium_citrate").added(salt_mg / 1000)["oral_magnesium"]) > 3 * absorbed(dissolved)


def test_magnesium_on_sleep_is_shrunk_and_can_be_switched_off() -> None:
    course = run("magnesium", [56.0, 57.0], daily=("oral_magnesium", 500.0, 56))
    share = course["magnesium_rise_mmol_l"][0] / 0.04
    assert course["magnesium_latency_effect"][0] == pytest.approx(-0.5 * 17.36 * share)
    assert course["magnesium_sleep_effect"][0] == pytest.approx(-0.5 * 0.41 * share)
    off = run("magnesium", [56.0, 57.0], daily=("oral_magnesium", 500.0, 56), magnesium_reaches_sleep=0.0)
    assert off["magnesium_latency_effect"][0] == off["magnesium_sleep_effect"][0] == 0


def test_the_size_that_no_trial_prints_is_weighed_as_stated() -> None:
    # ISI lower with p = 0.006 in 46 people: t with 44 degrees of freedom -> d of equal arms; prior normal(0, 0.3)
    d = student.isf(0.003, 44) * np.sqrt(4 / 46)
    se = np.sqrt(4 / 46 + d**2 / (2 * 46))
    assert (d, se) == pytest.approx((0.85, 0.31), abs=0.01)
    _, _, values = loaded("magnesium")
    assert values["e_magnesium_sleep"] == pytest.approx(d * 0.3**2 / (0.3**2 + se**2), abs=0.01)


def test_the_spread_between_vitamin_d_trials_follows_from_the_published_interval() -> None:
    # Mirzaei-Azandaryani 2022: -1.32 (-2.55 to -0.09), 5 trials, I2 above 75 %
    se = (2.55 - 0.09) / 2 / 1.96
    between = np.sqrt(0.75 * 5 * se**2)
    row = parameter_table("vitamin_d").set_index("parameter").loc["e_vitamin_d_psqi"]
    assert float(row["spread"]) == pytest.approx(np.hypot(se, between), abs=0.02)
