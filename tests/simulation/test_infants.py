"""A typical infant over weeks, fed formula with and without milk oligosaccharides, or human milk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vagus.errors import InputError
from vagus.model import draw_uncertain
from vagus.population import GUILDS
from vagus.simulation import infants
from vagus.simulation.infants import TRIED_FORMULA, baseline_shares, compare_formula, run_infant

BIFIDOBACTERIA = [GUILDS.index(name) for name in ("bifhmo", "bifadult")]


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return run_infant(weeks=12)


@pytest.fixture(scope="module")
def tried() -> pd.DataFrame:
    return run_infant(product_g_l=TRIED_FORMULA, weeks=12)


def test_the_baseline_is_a_steady_state(plain: pd.DataFrame) -> None:
    """Milk grows a little from week to week, and nothing else moves."""
    share = baseline_shares("formula", 14)[BIFIDOBACTERIA].sum()
    assert plain["bif_fraction"].iloc[0] == pytest.approx(share, rel=0.05)
    assert plain["colon_pH"].diff().abs().max() < 0.02
    assert (plain[["decoy", "unexplained_lrti"]] == 1).all().all()


def test_oligosaccharides_feed_bifidobacteria_and_acidify(plain: pd.DataFrame, tried: pd.DataFrame) -> None:
    assert (tried["bif_fraction"] > plain["bif_fraction"]).all()
    assert (tried["colon_pH"] < plain["colon_pH"]).all()
    assert tried["hmo_fed"].iloc[-1] == pytest.approx(1, abs=0.02)
    assert (tried["infant_sleep_h"] == plain["infant_sleep_h"]).all()


def test_decoys_are_next_to_nothing_beside_the_unexplained_part(tried: pd.DataFrame) -> None:
    assert (tried["decoy"] > 0.99).all()
    assert tried["unexplained_lrti"].iloc[-1] < 0.85


def test_infections_add_up_from_the_start(plain: pd.DataFrame, tried: pd.DataFrame) -> None:
    for name in ("ari_expected", "lrti_share", "antibiotic_share", "antipyretic_share"):
        assert (plain[name].diff().iloc[1:] > 0).all()
        assert tried[name].iloc[-1] < plain[name].iloc[-1]


def test_breast_fed_infants_have_more_bifidobacteria_and_more_acid(plain: pd.DataFrame) -> None:
    breast = run_infant("breast", weeks=2)
    dominated = run_infant("breast", weeks=2, baseline="bifidobacterium")
    assert plain["bif_fraction"].iloc[1] < breast["bif_fraction"].iloc[1] < dominated["bif_fraction"].iloc[1]
    assert breast["colon_pH"].iloc[1] < plain["colon_pH"].iloc[1]
    assert breast["adhesion_gut"].iloc[1] < plain["adhesion_gut"].iloc[1]


def test_a_feed_brings_its_share_of_the_days_milk() -> None:
    axis, model = infants._load("formula", 14.0)
    drawn = [draw_uncertain(axis.parameters, 1, draw) for draw in (0, 1)]
    parameters, _, _ = infants._begin(axis, model, baseline_shares("formula", 14), drawn)
    doses = infants._doses(model, parameters, {"FL": 2.0, "LN": 0.0}, np.arange(3))
    assert doses is not None
    amount, person = np.asarray(doses.amount), np.asarray(doses.person)
    assert set(doses.state) == {"oral_FL"}
    assert len(amount) == 2 * 3 * infants.FEEDS_PER_DAY
    assert amount[person == 0].sum() == pytest.approx(2.0 * 3 * 0.815, rel=0.01)
    assert infants._doses(model, parameters, {"FL": 0.0}, np.arange(3)) is None


def test_the_interval_of_the_difference_is_wide_where_nothing_fixes_it() -> None:
    result = compare_formula(weeks=6, draws=24)
    assert result.attrs["draws"] == 24
    assert result.loc["wakings_per_night", "difference"] < 0 < result.loc["wakings_per_night", "high"]
    assert result.loc["lrti_share", "low"] < result.loc["lrti_share", "difference"] < 0
    assert result.loc["infant_sleep_h", ["difference", "low", "high"]].tolist() == [0, 0, 0]
    again = compare_formula(weeks=6, draws=24)
    pd.testing.assert_frame_equal(result, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"product_g_l": {"GOS": 4.0}}, "must be g of FL, LN, LT, SL per liter of milk"),
        ({"product_g_l": {"FL": -1.0}}, "must be g of FL, LN, LT, SL per liter of milk"),
        ({"weeks": 60}, "must end within the first year, got 60 weeks from day 14"),
        ({"weeks": 0}, "must end within the first year"),
        ({"age_d": 3.0}, "must be 7 to 365 days at the start, got 3"),
        ({"feeding": "cow"}, "Feeding must be breast or formula"),
        ({"baseline": "bifidobacterium"}, 'bifidobacterium in breast-fed infants; got "bifidobacterium"'),
    ],
)
def test_what_cannot_be_run_says_why(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_infant(**arguments)  # type: ignore[arg-type]
