"""The submodel `hpa` and published models of the stress axis against what they must give."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from vagus import resources
from vagus.validation import benchmarks, check_submodels
from vagus.validation.benchmarks import DATA
from vagus.validation.hormones import SAMPLES_MIN, WAKE_D, hpa_course

HERE = {"hpa", "karin2020", "bangsgaard2017"}


def test_every_benchmark_is_met_or_its_miss_is_explained() -> None:
    checks = list(check_submodels(HERE))
    assert len(checks) > 35
    assert [check.benchmark.name for check in checks if check.failed] == []
    assert {check.benchmark.submodel for check in checks if check.accepted} == {"hpa", "bangsgaard2017"}


def test_the_awakening_data_are_those_of_the_norms() -> None:
    norms = {row["norm_id"]: row for row in resources.rows("evidence", "data", "norms.csv")}
    data = [item for item in benchmarks() if item.name.endswith("min after waking, data")]
    assert [item.kind for item in data] == [DATA] * 5
    for place, item in enumerate(data):
        norm = norms[f"car_S{place}"]
        assert item.expected == float(norm["value"])
        sd = float(norm["note"].removeprefix("SD "))
        assert item.tolerance == pytest.approx(1.96 * sd / np.sqrt(115), abs=0.006)


def test_without_the_pulse_waking_does_not_speed_cortisol_up() -> None:
    # Microdialysis (doi:10.1098/rspb.2024.1844): no faster rise in the hour after waking than in the hour before.
    hours = 5 + WAKE_D + np.array([-1.0, 0.0, 1.0]) / 24

    def rises(pulse: float) -> np.ndarray:
        changes = {"glands_move": 0.0, "awakening_pulse_on": pulse}
        return np.diff(hpa_course(hours, ["cortisol_nmol_l"], 7, changes)["cortisol_nmol_l"])

    before, after = rises(0.0)
    assert 0 < after < before
    before, after = rises(1.0)
    assert after > 2 * before


def test_the_morning_samples_are_kept_until_the_next_morning() -> None:
    names = [f"car_{minute}" for minute in (0, 15, 30, 45, 60)]
    curve = hpa_course(5 + WAKE_D + np.array([1e-9, 15, 30, 45, 60]) / 1440, ["cortisol_nmol_l"], 7)
    kept = hpa_course([5 + WAKE_D + 0.1, 5.9], names, 7)
    for place, name in enumerate(names):
        assert kept[name][0] == pytest.approx(curve["cortisol_nmol_l"][place], rel=1e-3), name
        assert kept[name][0] == kept[name][1]


def test_sampling_times_are_near_the_nominal_ones() -> None:
    assert np.allclose(SAMPLES_MIN, (0, 15, 30, 45, 60), atol=1.5)


def test_the_gain_of_il6_on_the_drive_is_small_and_bounded() -> None:
    rows = csv.DictReader(resources.text("model", "library", "hpa", "parameters.csv").splitlines())
    row = next(row for row in rows if row["parameter"] == "e_il6_hpa")
    assert (row["value"], row["spread"].split("|")[1:], row["grade"]) == ("0.01", ["0.003", "0.03"], "D")
