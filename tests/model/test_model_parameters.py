"""Draws of uncertain parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import InputError, ModelError
from vagus.model import compose, draw_uncertain, people_rows, uncertain_rows
from vagus.model.distributions import read_distribution
from vagus.model.parameters import shared_rows

TABLE = compose().parameters


def test_draw_zero_is_the_table() -> None:
    drawn = draw_uncertain(TABLE, 5, 0)
    rows = uncertain_rows(TABLE).set_index("parameter")["value"]
    assert drawn == rows.to_dict()


def test_same_seed_same_bits_and_rows_are_independent() -> None:
    first, again = draw_uncertain(TABLE, 5, 3), draw_uncertain(TABLE, 5, 3)
    fewer = draw_uncertain(TABLE[TABLE["parameter"] != "e_bu_barrier"], 5, 3)
    assert first == again
    assert fewer == {name: value for name, value in first.items() if name != "e_bu_barrier"}
    assert first != draw_uncertain(TABLE, 6, 3)


def test_people_and_uncertain_rows_do_not_overlap() -> None:
    people, uncertain = set(people_rows(TABLE)["parameter"]), set(uncertain_rows(TABLE)["parameter"])
    assert people
    assert uncertain
    assert not people & uncertain


def inverse(kind: str, value: float, spread: str, u: np.ndarray) -> np.ndarray:
    row = {"parameter": "x", "value": value, "distribution": kind, "spread": spread}
    quantile, read, parts = read_distribution(row)
    return quantile(u, read, parts)


@given(st.floats(0.001, 0.999))
def test_truncated_draws_stay_inside(u: float) -> None:
    value = inverse("truncnormal", 0.1, "0.1|0|0.3", np.array([u]))[0]
    assert 0 <= value <= 0.3
    value = inverse("trunclognormal", 1.1, "1|0.2|8", np.array([u]))[0]
    assert 0.2 <= value <= 8


def test_draws_have_the_moments_they_name() -> None:
    uniform = (np.arange(20_000) + 0.5) / 20_000
    assert inverse("normal", 2.0, "0.5", uniform).std() == pytest.approx(0.5, rel=1e-3)
    assert np.log(inverse("lognormal", 2.0, "0.5", uniform)).std() == pytest.approx(0.5, rel=1e-3)
    assert inverse("beta", 0.5, "2|2", uniform).mean() == pytest.approx(0.5, abs=1e-6)


def test_unknown_distribution_is_refused() -> None:
    with pytest.raises(InputError, match='got "cauchy"'):
        inverse("cauchy", 0.0, "1", np.array([0.5]))


def test_every_row_of_the_axis_is_in_the_grammar() -> None:
    for row in [*uncertain_rows(TABLE).to_dict("records"), *people_rows(TABLE).to_dict("records")]:
        read_distribution(row)


def test_one_name_with_two_values_is_refused() -> None:
    other = TABLE.head(1).assign(value=99.0, submodel="other")
    with pytest.raises(ModelError, match="one quantity must have one value"):
        shared_rows(pd.concat([TABLE.head(1), other]))
