"""Parameters that differ between people: the grammar of their distributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vagus import resources
from vagus.errors import InputError
from vagus.population import draw_parameters

PEOPLE = [f"C{i + 1}" for i in range(600)]
COLUMNS = ["parameter", "value", "distribution", "spread"]

EXPECTED = {
    ("normal", "2", "0.5"): stats.norm(2, 0.5),
    ("lognormal", "3", "0.4"): stats.lognorm(0.4, scale=3),
    ("beta", "0.3", "1|2.5"): stats.beta(1, 2.5),
    ("uniform", "1", "0.5|4"): stats.uniform(0.5, 3.5),
    ("truncnormal", "1", "0.8|0|1.5"): stats.truncnorm((0 - 1) / 0.8, (1.5 - 1) / 0.8, loc=1, scale=0.8),
}


def table(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


@pytest.mark.parametrize(("row", "expected"), EXPECTED.items(), ids=[row[0] for row in EXPECTED])
def test_draws_follow_the_distribution(row: tuple[str, str, str], expected: stats.rv_continuous) -> None:
    drawn = draw_parameters(table(("x", row[1], row[0], row[2])), PEOPLE, seed=3)["x"]
    # One fixed seed: a correct draw passes 999 of 1000 seeds.
    assert stats.kstest(drawn, expected.cdf).pvalue > 0.001


def test_truncated_lognormal_is_a_lognormal_cut_at_both_ends() -> None:
    drawn = draw_parameters(table(("x", "1.25", "trunclognormal", "0.4|0.4|4")), PEOPLE, seed=3)["x"]
    cut = stats.truncnorm(np.log(0.4 / 1.25) / 0.4, np.log(4 / 1.25) / 0.4, loc=np.log(1.25), scale=0.4)
    assert stats.kstest(np.log(drawn), cut.cdf).pvalue > 0.001


@settings(max_examples=40, deadline=None)
@given(
    value=st.floats(0.1, 10),
    sd=st.floats(0.01, 3),
    low=st.floats(0.01, 1),
    width=st.floats(0.1, 5),
    seed=st.integers(0),
)
def test_cut_draws_stay_between_their_bounds(value: float, sd: float, low: float, width: float, seed: int) -> None:
    value = min(max(value, low), low + width)
    rows = table(
        ("a", repr(value), "truncnormal", f"{sd!r}|{low!r}|{low + width!r}"),
        ("b", repr(value), "trunclognormal", f"{sd!r}|{low!r}|{low + width!r}"),
    )
    drawn = draw_parameters(rows, PEOPLE[:5], seed)
    assert np.isfinite(drawn.to_numpy()).all()
    assert (drawn >= low).all(axis=None)
    assert (drawn <= low + width).all(axis=None)


def test_a_changed_median_moves_people_and_does_not_reshuffle_them() -> None:
    before = draw_parameters(table(("x", "1", "lognormal", "0.4")), PEOPLE[:20], seed=1)["x"]
    after = draw_parameters(table(("x", "2", "lognormal", "0.4")), PEOPLE[:20], seed=1)["x"]
    np.testing.assert_allclose(after, 2 * before)


def test_derived_and_fixed_rows_are_left_out() -> None:
    rows = table(("a", "1", "normal", "1"), ("b", "1", "derived", ""), ("c", "1", "lognormal", "0.3"))
    rows["varies_between"] = ["people", "people", "studies"]
    assert list(draw_parameters(rows, ["C1"], seed=1)) == ["a"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("x", "1", "lognorml", "0.3"), 'did you mean "lognormal"?'),
        (("x", "1", "", ""), "needs a distribution"),
        (("x", "one", "normal", "0.3"), "needs numbers"),
        (("x", "1", "truncnormal", "0.3"), "needs 3 numbers"),
        (("x", "1", "normal", "-0.3"), "an SD above 0"),
        (("x", "1", "normal", "nan"), "finite numbers"),
        (("x", "9", "truncnormal", "0.3|0|2"), "between the bounds"),
        (("x", "-1", "lognormal", "0.3"), "a value above 0"),
        (("x", "1", "trunclognormal", "0.3|0|2"), "a lower bound above 0"),
        (("x", "1", "uniform", "2|1"), "lower bound below the upper"),
        (("x", "1", "beta", "0|1"), "both shapes above 0"),
    ],
)
def test_a_row_outside_the_grammar_is_refused(row: tuple[str, str, str, str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        draw_parameters(table(row, ("y", "1", "normal", "bad")), ["C1"], seed=1)
    assert told in str(caught.value)
    assert len(caught.value.problems) == 2  # all at once


def test_a_parameter_may_have_one_row_only() -> None:
    with pytest.raises(InputError, match='two of "x"'):
        draw_parameters(table(("x", "1", "normal", "1"), ("x", "2", "normal", "1")), ["C1"], seed=1)


def test_the_shipped_model_tables_are_in_the_grammar() -> None:
    folder = resources.entry("model", "library")
    names = sorted(node.name for node in folder.iterdir() if (node / "parameters.csv").is_file())
    assert names
    for name in names:
        rows = resources.table("model", "library", name, "parameters.csv")
        drawn = draw_parameters(rows[rows["varies_between"] == "people"], ["C1", "C2"], seed=1)
        assert np.isfinite(drawn.to_numpy()).all()
