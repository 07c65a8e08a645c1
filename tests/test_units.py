"""Units that users write: values, sentences, and round trips."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.units import (
    DoseRate,
    Risk,
    UnitError,
    parse_clock,
    parse_dose,
    parse_duration,
    parse_durations,
    parse_fraction,
    parse_risk,
    shown,
)


@pytest.mark.parametrize(
    ("text", "grams", "hour"),
    [
        ("5 g/day", 5.0, None),
        ("5g/d", 5.0, None),
        ("500 mg per day", 0.5, None),
        ("0.01 kg/day", 10.0, None),
        ("250 µg/day", 0.00025, None),
        ("4 g/day at 08:00", 4.0, 8.0),
        ("2.5  g / day  at 22:30", 2.5, 22.5),
    ],
)
def test_doses(text: str, grams: float, hour: float | None) -> None:
    dose = parse_dose(text)
    assert dose.grams_per_day == pytest.approx(grams, rel=1e-12)
    assert dose.at_hour == hour


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5 mL", 'Dose of arm \'2FL\' must be a mass per day, got "5 mL"; write "5 g/day".'),
        ("5", 'Dose of arm \'2FL\' needs a unit, got "5"; write "5 g/day".'),
        (5, 'Dose of arm \'2FL\' needs a unit, got "5"; write "5 g/day".'),
        ("-5 g/day", 'Dose of arm \'2FL\' must be above zero, got "-5 g/day"; write "5 g/day".'),
        ("-50 mg/day", 'Dose of arm \'2FL\' must be above zero, got "-50 mg/day"; write "50 mg/day".'),
        ("0 g/day", 'Dose of arm \'2FL\' must be above zero, got "0 g/day"; write "5 g/day".'),
        ("5 g", 'Dose of arm \'2FL\' must be a mass per day, got "5 g"; write "5 g/day".'),
        ("5 g/wk", 'Dose of arm \'2FL\' must be a mass per day, got "5 g/wk"; write "5 g/day".'),
        ("5 kapsules/day", 'Dose of arm \'2FL\' must be a mass per day, got "5 kapsules/day"; write "5 g/day".'),
        ("5 g**9/day", 'Dose of arm \'2FL\' must be a mass per day, got "5 g**9/day"; write "5 g/day".'),
        ("a lot", 'Dose of arm \'2FL\' must be a mass per day, got "a lot"; write "5 g/day".'),
        (None, 'Dose of arm \'2FL\' must be a mass per day, got "None"; write "5 g/day".'),
        (True, 'Dose of arm \'2FL\' must be a mass per day, got "True"; write "5 g/day".'),
        ("1,5 g/day", 'Dose of arm \'2FL\' must have a decimal point, got "1,5 g/day"; write "1.5 g/day".'),
        (
            "2.5 g twice a day",
            'Dose of arm \'2FL\' must be written as one amount a day, got "2.5 g twice a day"; write "5 g/day".',
        ),
        (
            "500 mg 3x/day",
            'Dose of arm \'2FL\' must be written as one amount a day, got "500 mg 3x/day"; write "1500 mg/day".',
        ),
        (
            "5 kg/day",
            'Dose of arm \'2FL\' must be at most 200 g/day, got "5 kg/day"; check the unit, as in "5 mg/day".',
        ),
        (
            "5 g/day at 25:00",
            "Time of the dose of arm '2FL' must be a clock time between 00:00 and 23:59, got \"25:00\"; "
            'write "at 08:00".',
        ),
    ],
)
def test_wrong_doses(text: object, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_dose(text, of="Dose of arm '2FL'")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "days"),
    [("8 wk", 56.0), ("8wk", 56.0), ("1 week", 7.0), ("2 Weeks", 14.0), ("3 d", 3.0), ("10 days", 10.0), (0, 0.0)],
)
def test_durations(text: object, days: float) -> None:
    assert parse_duration(text) == days


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8", 'Treatment needs a unit, got "8"; write "8 wk" or "8 d".'),
        (8, 'Treatment needs a unit, got "8"; write "8 wk" or "8 d".'),
        ("-3 d", 'Treatment must not be below zero, got "-3 d"; write "3 d".'),
        (
            "2 months",
            'Treatment must be in days or weeks, got "2 months": a month has no fixed length; write "4 wk" or "30 d".',
        ),
        (
            "1 y",
            'Treatment must be in days or weeks, got "1 y": a year has no fixed length; write "4 wk" or "30 d".',
        ),
        ("3 mL", 'Treatment must be in days or weeks, got "3 mL"; write "3 wk".'),
        ("5 h", 'Treatment must be in days or weeks, got "5 h"; write "5 wk".'),
        ("soon", 'Treatment must be a number of days or weeks, got "soon"; write "8 wk".'),
        ("1e999 wk", 'Treatment must be a number of days or weeks, got "1e999 wk"; write "8 wk".'),
        (True, 'Treatment must be a number of days or weeks, got "True"; write "8 wk".'),
    ],
)
def test_wrong_durations(text: object, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_duration(text, of="Treatment")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "value", ["[0, 4, 8] wk", "[0,4,8]wk", "[0, 28, 56] d", ["0 wk", "4 wk", "56 d"], [0, "4 wk", "8 wk"]]
)
def test_duration_lists(value: object) -> None:
    assert parse_durations(value) == (0.0, 28.0, 56.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 4], 'Visits need a unit, got "[0, 4]"; write "[0, 4] wk".'),
        ("[0, 4]", 'Visits need a unit, got "[0, 4]"; write "[0, 4] wk".'),
        ([], 'Visits must name at least one time, got "[]"; write "[0, 4, 8] wk".'),
        (
            "[0, x] wk",
            'Visits must be numbers with one unit behind the list, got "[0, x] wk"; write "[0, 4, 8] wk".',
        ),
        ("[-4, 0] wk", 'Visits must not be below zero, got "-4 wk"; write "4 wk".'),
    ],
)
def test_wrong_duration_lists(value: object, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_durations(value, of="Visits")
    assert str(caught.value) == message


def test_risks() -> None:
    assert parse_risk("12 %/8wk") == Risk(0.12, 56.0)
    assert parse_risk("0.12 per 8 wk") == Risk(0.12, 56.0)
    assert parse_risk("1 %/day") == Risk(0.01, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12 %", 'Dropout must be a percentage per period, got "12 %"; write "12 %/8wk".'),
        (12, 'Dropout must be a percentage per period, got "12"; write "12 %/8wk".'),
        ("100 %/8wk", 'Dropout must be between 0 % and below 100 %, got "100 %/8wk"; write "12 %/8wk".'),
        ("-1 %/8wk", 'Dropout must be between 0 % and below 100 %, got "-1 %/8wk"; write "12 %/8wk".'),
        ("12 %/8", 'Period of the dropout needs a unit, got "8"; write "8 wk" or "8 d".'),
        ("12 %/0wk", 'Dropout must be per a period above zero, got "12 %/0wk"; write "12 %/8wk".'),
    ],
)
def test_wrong_risks(text: object, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_risk(text, of="Dropout")
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "hour"), [("00:00", 0.0), ("8:15", 8.25), ("23:59", 23 + 59 / 60)])
def test_clock(text: str, hour: float) -> None:
    assert parse_clock(text) == pytest.approx(hour)


@pytest.mark.parametrize("text", ["24:00", "08:60", "8", "noon", "8.15"])
def test_wrong_clock(text: str) -> None:
    with pytest.raises(UnitError, match="clock time between 00:00 and 23:59"):
        parse_clock(text)


@pytest.mark.parametrize("value", ["x", 1.2, -0.1, None, True, "120 %"])
def test_wrong_fractions(value: object) -> None:
    with pytest.raises(UnitError, match="must be a share between 0 and 1"):
        parse_fraction(value)


def test_messages_quote_one_short_printable_line() -> None:
    assert shown("a\n\tb\x1b[31m") == "a b\N{REPLACEMENT CHARACTER}[31m"
    assert len(shown("x" * 500)) == 60


amounts = st.floats(min_value=1e-3, max_value=100.0).map(lambda value: float(f"{value:.6g}"))


@given(amounts, st.sampled_from([("g", 1.0), ("mg", 1e-3), ("kg", 1e3)]), st.integers(0, 1439))
def test_dose_round_trip(amount: float, unit: tuple[str, float], minute: int) -> None:
    name, factor = unit
    if amount * factor > 200:
        amount /= 1e3
    text = f"{amount!r} {name}/day at {minute // 60:02d}:{minute % 60:02d}"
    dose = parse_dose(text)
    assert dose == DoseRate(dose.grams_per_day, dose.at_hour, text)
    assert dose.grams_per_day == pytest.approx(amount * factor, rel=1e-12)
    assert dose.at_hour == pytest.approx(minute / 60, abs=1e-12)
    assert parse_dose(f"{dose.grams_per_day!r} g/day").grams_per_day == dose.grams_per_day


@given(st.lists(st.integers(0, 200), min_size=1, max_size=8), st.sampled_from([("wk", 7), ("d", 1), ("weeks", 7)]))
def test_duration_round_trip(numbers: list[int], unit: tuple[str, int]) -> None:
    name, factor = unit
    days = tuple(float(number * factor) for number in numbers)
    assert parse_durations(f"{numbers} {name}") == days
    assert parse_durations([f"{number} {name}" for number in numbers]) == days


@given(st.floats(0.0, 0.99), st.floats(0.5, 400.0))
def test_a_risk_is_a_constant_hazard(fraction: float, days: float) -> None:
    risk = Risk(fraction, days)
    assert risk.within(days) == pytest.approx(fraction, abs=1e-12)
    assert math.exp(-risk.daily_hazard() * days) == pytest.approx(1 - fraction, abs=1e-12)


@given(st.text(max_size=30))
def test_any_text_gives_a_value_or_a_sentence(text: str) -> None:
    for parse in (parse_dose, parse_duration, parse_durations, parse_risk, parse_clock, parse_fraction):
        sentence = ""
        try:
            parse(text)
        except UnitError as error:
            sentence = str(error)
        assert sentence == "" or sentence.endswith(".")
        assert "\n" not in sentence


def test_pint_is_imported_only_where_a_unit_is_read() -> None:
    look = "print('pint' in sys.modules)"
    code = f"import sys, vagus.units as u; {look}; u.parse_dose('5 g/d'); {look}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
