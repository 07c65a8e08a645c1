"""The submodels sleep and hpa: units, age, low mood, switches."""

from __future__ import annotations

import libsbml
import numpy as np
import pytest

from vagus.model import compose, parameter_table
from vagus.model.switches import switches
from vagus.model.units import unit_problems
from vagus.validation.runs import run_library

SLEEP = ("sleep_latency_min", "waso_min", "awakening_rate", "awakening_log_rel")


def sleep(**changes: float) -> dict[str, float]:
    course = run_library(("sleep",), [0.0], SLEEP, changes)
    return {name: float(course[name][0]) for name in SLEEP}


@pytest.mark.parametrize("parts", [("sleep",), ("hpa",), ("hpa", "sleep")])
def test_units_are_clean(parts: tuple[str, ...]) -> None:
    assert unit_problems(libsbml.readSBMLFromString(compose(parts).sbml)) == []


def test_a_wrong_unit_in_the_text_is_found() -> None:
    text = compose(("sleep",)).sbml
    document = libsbml.readSBMLFromString(text)
    parameter = document.getModel().getParameter("circ_tau_h")
    parameter.setUnits("dimensionless")
    assert any("circ_f * circ_tau_h" in problem for problem in unit_problems(document))


def test_typical_sleep_at_40_years() -> None:
    found = sleep()
    assert found["sleep_latency_min"] == 13.3
    assert found["awakening_rate"] == pytest.approx(0.2667 * 7.4)
    assert found["awakening_log_rel"] == 0


def test_age_raises_latency_awakenings_and_wake_after_sleep_onset() -> None:
    young, old = sleep(age_decades=-2.0), sleep(age_decades=3.0)
    assert (old["sleep_latency_min"] - young["sleep_latency_min"]) / 5 == pytest.approx(1.1)
    assert (old["waso_min"] - young["waso_min"]) / 5 == pytest.approx(9.7, abs=0.2)  # Boulos 2019
    assert np.log(old["awakening_rate"] / young["awakening_rate"]) / 5 == pytest.approx(0.08)
    assert old["awakening_log_rel"] == pytest.approx(0)  # age is no change during a trial


def test_wake_after_sleep_onset_is_that_of_healthy_sleepers() -> None:
    # Mitterling 2015: 6.0 % of the sleep period up to 30 years, 15.2 % over 60; 413.5 and 378.3 min asleep
    for years, share, asleep_min in ((25, 0.060, 413.5), (67, 0.152, 378.3)):
        awake = asleep_min * share / (1 - share)
        assert sleep(age_decades=(years - 40) / 10)["waso_min"] == pytest.approx(awake, abs=3), years


def test_low_mood_lengthens_latency_and_adds_awakenings() -> None:
    usual, low = sleep(), sleep(mood_shift=1.0)
    assert low["sleep_latency_min"] / usual["sleep_latency_min"] == pytest.approx(np.exp(0.15))
    assert low["awakening_log_rel"] == pytest.approx(0.15)
    assert sleep(latency_rel=2.0)["sleep_latency_min"] == pytest.approx(2 * usual["sleep_latency_min"])


def test_a_short_latency_never_becomes_negative() -> None:
    rows = parameter_table("sleep").set_index("parameter")
    low = float(rows.loc["latency_rel", "spread"].split("|")[1])
    steepest = float(rows.loc["latency_per_decade_min", "spread"].split("|")[2])
    assert sleep(age_decades=-2.2, latency_rel=low, latency_per_decade_min=steepest)["sleep_latency_min"] > 0
    assert sleep(age_decades=-2.2)["waso_min"] > 0


def test_the_awakening_pulse_is_a_switch_and_on() -> None:
    switch = switches()["awakening_pulse"]
    value = parameter_table("hpa").set_index("parameter").loc["awakening_pulse_on", "value"]
    assert (switch.default, switch.parameter, switch.value("on"), switch.value("off")) == (
        "on",
        "awakening_pulse_on",
        1,
        0,
    )
    assert value == switch.value(switch.default)
    off = run_library(("hpa",), [0.31], ["awakening_drive"], {"awakening_pulse_on": 0.0})
    on = run_library(("hpa",), [0.31], ["awakening_drive"], {"awakening_pulse_on": 1.0})
    assert off["awakening_drive"][0] == 0 < on["awakening_drive"][0]
