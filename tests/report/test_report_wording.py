"""Numbers and stored facts as words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.report.wording import (
    decimals_for,
    list_words,
    sign_of,
    write_cell,
    write_interval,
    write_number,
    write_p,
    write_stored,
)

finite = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((-1.234, -3.41, 0.98), "−1.2 [−3.4, 1.0]"),
        ((4.381, 2.771, 6.939), "4.4 [2.8, 6.9]"),
        ((0.8512, 0.6201, 1.1799), "0.85 [0.62, 1.18]"),
        ((-0.004, -0.2, 0.2), "0.00 [−0.20, 0.20]"),
        ((31250.0, 28000.0, 34500.0), "31,250 [28,000, 34,500]"),
        ((1.5, None, 2.0), "1.50 [no interval]"),
        ((float("nan"), 1.0, 2.0), "not estimable"),
    ],
)
def test_intervals_are_rounded_by_their_width(values, expected):
    assert write_interval(*values) == expected


@given(finite, st.floats(1e-3, 1e5), st.floats(1e-3, 1e5))
def test_an_interval_keeps_its_order_and_two_figures_of_its_width(middle, below, above):
    low, high = middle - below, middle + above
    text = write_interval(middle, low, high)
    assert "-" not in text, "minus signs are real ones"
    numbers = [float(part.replace("−", "-").replace(",", "")) for part in re.findall(r"[−\d.,]*\d", text)]
    assert len(numbers) == 3
    assert numbers[1] <= numbers[0] <= numbers[2]
    half = (high - low) / 2
    assert abs(numbers[1] - low) <= max(0.06 * half, 0.5)


def test_no_number_is_written_as_minus_zero():
    assert write_number(-0.0001, 2) == "0.00"
    assert write_number(-0.0001, 2, signed=True) == "0.00"
    assert write_number(0.3, 1, signed=True) == "+0.3"


def test_precision_of_a_group_without_width_or_numbers():
    assert decimals_for(0.0, 0.0) == 0
    assert decimals_for(None, float("nan")) == 0
    assert decimals_for(5.0, 5.0) == 1


@pytest.mark.parametrize(
    ("p", "text"), [(0.05, "0.050"), (0.0544, "0.054"), (0.055, "0.06"), (0.0096, "0.01"), (0.001, "0.001")]
)
def test_p_never_hides_the_side_of_five_percent(p, text):
    assert write_p(p) == text


def test_stored_values_are_not_changed():
    assert write_stored("improved; see Table 2") == "improved; see Table 2"
    assert write_stored(float("nan")) == "not stated"
    assert write_cell(None) == "–"
    assert write_cell(["a", 2]) == "a, 2"
    assert write_cell({"k": True}) == "k: yes"


@pytest.mark.parametrize(
    ("sign", "value"), [("+", 1), ("-", -1), ("−", -1), ("+/-", 0), ("0", 0), (1, 1), (-1, -1), (0, 0)]
)
def test_signs(sign, value):
    assert sign_of(sign) == value


def test_lists_of_words():
    assert [list_words(words) for words in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]
