"""Checks of the ecology: virtual trials do what they say, and their table holds the observed figures."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vagus import resources
from vagus.protocol import products
from vagus.validation import benchmarks
from vagus.validation.ecology import TRIALS, observed, predict
from vagus.validation.ecology_runs import (
    OUTPUTS,
    Lab,
    Start,
    Stools,
    begin,
    ferment,
    open_lab,
    substrates,
    treat,
)
from vagus.validation.registry import Predicted

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "derive_ecology_figures.py"


@pytest.fixture(scope="module")
def lab() -> Lab:
    return open_lab(60)


@pytest.fixture(scope="module")
def start(lab: Lab) -> Start:
    return begin(lab, 12, 0, "test")


def test_benchmarks_hold_the_observed_figures() -> None:
    rows = {item.name: item for item in benchmarks()}
    for one in observed():
        row = rows[one["benchmark"]]
        low, high = float(one["low"]), float(one["high"])
        assert row.kind == "data"
        assert row.submodel == "colon"
        assert row.source == one["source"]
        assert row.unit == one["unit"]
        assert (row.expected, row.tolerance) == pytest.approx((float(one["observed"]), (high - low) / 2), rel=1e-3)


def test_derived_figures_are_the_shipped_ones(shared: Path) -> None:
    spec = importlib.util.spec_from_file_location("derive_ecology_figures", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = script.derive(shared).astype(str).to_dict("records")
    shipped = observed()
    assert [row["benchmark"] for row in made] == [row["benchmark"] for row in shipped]
    numbers = ("observed", "low", "high")
    for one, other in zip(made, shipped, strict=True):
        assert {key: one[key] for key in one if key not in numbers} == {
            key: other[key] for key in other if key not in numbers
        }
        assert [float(one[key]) for key in numbers] == pytest.approx([float(other[key]) for key in numbers], rel=1e-3)


def test_each_kind_of_trial_gives_its_own_benchmarks(lab: Lab) -> None:
    rows = pd.DataFrame(observed())
    assert set(rows["trial"]) == {trial.__name__ for trial in TRIALS}
    for trial in TRIALS:
        values = trial(lab, 1)
        assert set(values) == set(rows.loc[rows["trial"] == trial.__name__, "benchmark"])
        assert np.isfinite(list(values.values())).all()


def test_a_replicate_is_a_draw_of_its_own_and_repeats(lab: Lab) -> None:
    trial = next(iter(TRIALS))
    assert trial(lab, 1) == trial(lab, 1)
    assert trial(lab, 1) != trial(lab, 2)


def test_a_prediction_is_the_middle_of_its_trials() -> None:
    def trial(_: Lab | None, replicate: int) -> dict[str, float]:
        return {"size": replicate / 100, "verdict": float(replicate <= 25)}

    found = predict(trial, None, 100)  # type: ignore[arg-type]
    assert found["size"] == pytest.approx(0.505)
    assert (found["size"].low, found["size"].high) == pytest.approx((0.03475, 0.97525))
    assert found["verdict"] == pytest.approx(0.25)
    assert found["verdict"].low < 0.25 < found["verdict"].high


def test_a_prediction_keeps_its_interval_on_the_way_to_another_process() -> None:
    sent = pickle.loads(pickle.dumps(Predicted(0.5, 0.25, 0.75)))
    assert (sent, sent.low, sent.high) == (0.5, 0.25, 0.75)


def test_untreated_people_stay_at_their_own_baseline(start: Start) -> None:
    course = treat(start, [{}] * 12, 0, 20)
    for name in ("X_bact", "X_bifhmo", "X_lacuse", *OUTPUTS):
        values = course.daily(name)
        assert values[:, -1] == pytest.approx(values[:, 0], rel=1e-4)


def test_doses_that_are_not_taken_do_nothing(start: Start) -> None:
    regimen = [{"inulin": 20.0}] * 12
    nothing = treat(start, regimen, 5, 5, taken=np.zeros((12, 5), dtype=bool))
    something = treat(start, regimen, 5, 5)
    assert nothing.at_visit("X_bifadult", 5) == pytest.approx(nothing.at_visit("X_bifadult", 0), rel=1e-4)
    assert (something.at_visit("X_bifadult", 5) > 1.02 * something.at_visit("X_bifadult", 0)).mean() > 0.8


def test_a_day_over_three_meals_brings_the_same_grams(lab: Lab, start: Start) -> None:
    for hours in ((8.0,), (8.0, 13.0, 19.0)):
        course = treat(start, [{"2FL": 6.0}] * 12, 1, 1, hours=hours)
        given = substrates({"2FL": 6.0})["oral_FL"]
        assert given == pytest.approx(6.0 * products()["2FL"].composition["FL"])
        at_noon = course.at_visit("oral_FL", 1)
        rate = lab.axis.parameters.set_index("parameter")["value"]["k_orocaecal"]
        expected = sum(given / len(hours) * np.exp(-rate * (12 - hour) / 24) for hour in hours if hour < 12)
        assert at_noon == pytest.approx(np.full(12, expected), rel=1e-3)


def test_placebo_powders_bring_nothing_into_the_colon() -> None:
    assert substrates({"maltodextrin": 10.0}) == {}


def test_a_vessel_is_closed(lab: Lab, start: Start) -> None:
    hours = (0.0, 1.0, 6.0, 48.0)
    found = ferment(start, {"2FL": 1.0}, 5.0, hours, 0.1)
    biomass = sum(found[name] for name in found if name.startswith("X_"))
    acids = sum(found[f"{acid}_mM"] for acid in ("acetate", "propionate", "butyrate"))
    assert (np.diff(biomass, axis=1) > -1e-9).all()
    assert (np.diff(acids, axis=1) > -1e-6).all()
    liters = lab.axis.parameters.set_index("parameter")["value"]["vol_l"]
    assert found["S_FL"][:, 0] == pytest.approx(np.full(12, 5.0 * liters), rel=1e-6)
    # what was added is all that can be built from it: less new biomass than substrate
    assert (biomass[:, -1] - biomass[:, 0] < 5.0 * liters + 1.0).all()


def test_an_empty_vessel_makes_less(start: Start) -> None:
    blank, fed = (ferment(start, {"oligofructose": 1.0}, grams, (0.0, 24.0), 0.1) for grams in (0.0, 10.0))
    assert (fed["tscfa_mM" if "tscfa_mM" in fed else "acetate_mM"] >= blank["acetate_mM"] - 1e-9).all()
    assert (fed["acetate_mM"][:, 1] > blank["acetate_mM"][:, 1]).all()


def test_stools_fluctuate_about_what_the_colon_holds(lab: Lab) -> None:
    n = 60
    start = begin(lab, n, 0, "noise")
    course = treat(start, [{}] * n, 0, 1)
    stools = Stools(start, course, 1)
    days = list(range(-60, 0, 6))
    counts = stools.log10_counts(days)
    true = np.log10(course.at_visit("X_bifhmo", 0) + course.at_visit("X_bifadult", 0))
    within = counts.std(axis=1, ddof=1).mean()
    assert 0.2 < within < 0.4
    assert (counts.mean(axis=1) - true).mean() == pytest.approx(-0.5 * np.log(10) * within**2, abs=0.05)
    assert Stools(start, course, 2).log10_counts((0,)) != pytest.approx(counts[:, :1])


def test_two_virtual_persons_of_one_pool_row_have_own_noise(lab: Lab) -> None:
    one = begin(lab, 2, 0, "twins")
    twins = one.take(np.array([0, 0]))
    stools = Stools(twins, treat(twins, [{}, {}], 0, 1), 1)
    percent = stools.bifidobacterium_pct((0,))
    assert percent[0] != percent[1]


def test_only_those_who_take_it_get_it(start: Start) -> None:
    course = treat(start, [{"2FL": 5.0} if who == 3 else {} for who in range(12)], 1, 1)
    reached = course.at_visit("oral_FL", 1) > 0
    assert reached.tolist() == [who == 3 for who in range(12)]


def test_settings_name_their_source() -> None:
    from vagus.evidence.citations import references

    for row in resources.rows("validation", "data", "ecology_settings.csv"):
        assert row["source"] in references()
        assert row["unit"]
        assert row["grade"] in ("A", "B", "C", "D")
