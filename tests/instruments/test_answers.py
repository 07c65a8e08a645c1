"""Virtual answers: ranges, streams, agreement with what the banks were fitted to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vagus import resources
from vagus.errors import InputError
from vagus.instruments import answer_items, answer_sum, bank, expected_sum, scales, score
from vagus.instruments.answers import clipped_mean, offsets

SCALES = scales()
N = 3000
IDS = tuple(f"C{i + 1}" for i in range(N))


@pytest.fixture(scope="module")
def theta() -> NDArray[np.float64]:
    return np.random.default_rng(7).standard_normal(N)


def targets(scale: str) -> dict[str, float]:
    table = resources.table("instruments", "targets.csv")
    rows = table[table["scale"] == scale]
    return dict(zip(rows["statistic"], rows["value"].astype(float), strict=True))


@given(
    scale=st.sampled_from(SCALES),
    theta=st.lists(st.floats(-6, 6), min_size=1, max_size=5),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_sums_are_whole_and_in_range(scale: str, theta: list[float], seed: int) -> None:
    ids = [f"S{i}" for i in range(len(theta))]
    items = answer_items(scale, theta, ids, "week 4", seed)
    sums = answer_sum(scale, theta, ids, "week 4", seed)
    b = bank(scale)
    assert items.dtype == np.int64
    assert items.min() >= b.item_min
    assert items.max() <= b.item_max
    assert sums.dtype == np.int64
    assert b.score_min <= sums.min()
    assert sums.max() <= b.score_max


@given(scale=st.sampled_from(SCALES), low=st.floats(-4, 4), step=st.floats(0.01, 3), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_expected_sum_rises_with_the_trait(scale: str, low: float, step: float, seed: int) -> None:
    below, above = expected_sum(scale, [low, low + step], ["S1", "S1"], seed)
    assert bank(scale).score_min <= below < above <= bank(scale).score_max


@pytest.mark.parametrize("scale", SCALES)
def test_a_person_answers_alike_in_any_company(scale: str) -> None:
    theta = {"S1": 0.3, "S2": -1.0, "S3": 1.4}
    whole = dict(zip(theta, answer_items(scale, list(theta.values()), list(theta), "baseline", 5), strict=True))
    turned = answer_items(scale, [1.4, 0.3], ["S3", "S1"], "baseline", 5)
    np.testing.assert_array_equal(turned, [whole["S3"], whole["S1"]])


@pytest.mark.parametrize("scale", SCALES)
def test_another_occasion_or_seed_gives_other_answers_but_leanings_stay(scale: str) -> None:
    theta, ids = np.linspace(0.0, 2.0, 50), IDS[:50]
    first = answer_items(scale, theta, ids, "baseline", 5)
    np.testing.assert_array_equal(first, answer_items(scale, theta, ids, "baseline", 5))
    assert (first != answer_items(scale, theta, ids, "week 4", 5)).any()
    assert (first != answer_items(scale, theta, ids, "baseline", 6)).any()
    np.testing.assert_array_equal(first, answer_items(scale, theta, ids, "baseline", 5, person_seed=5))
    assert (first != answer_items(scale, theta, ids, "baseline", 5, person_seed=6)).any()


@pytest.mark.parametrize("scale", SCALES)
def test_answers_average_to_the_expected_sum(scale: str) -> None:
    occasions = 400
    sums = np.array([answer_sum(scale, [0.8], ["S1"], f"visit {k}", 3)[0] for k in range(occasions)])
    error = sums.std(ddof=1) / np.sqrt(occasions)
    assert abs(sums.mean() - expected_sum(scale, [0.8], ["S1"], 3)[0]) < 4 * error


@pytest.mark.parametrize("scale", SCALES)
def test_a_population_shows_the_mean_sd_and_alpha_of_the_fit(scale: str, theta: NDArray[np.float64]) -> None:
    fit = resources.table("instruments", "fits.csv").set_index("scale").loc[scale]
    raw = answer_items(scale, theta, IDS, "baseline", 11)
    b = bank(scale)
    keyed = np.where(b.reverse, b.item_min + b.item_max - raw, raw)
    total = keyed.sum(axis=1)
    np.testing.assert_array_equal(total, score(scale, raw))
    alpha = b.n_items / (b.n_items - 1) * (1 - keyed.var(axis=0).sum() / total.var())
    mean, sd = float(fit["mean"]), float(fit["sd"])
    assert total.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(N))
    assert total.std() == pytest.approx(sd, rel=0.08)
    assert alpha == pytest.approx(float(fit["alpha"]), abs=0.03)


@pytest.mark.parametrize("scale", SCALES)
def test_the_fit_meets_its_published_targets(scale: str) -> None:
    fit = resources.table("instruments", "fits.csv").set_index("scale").loc[scale]
    for name, value in targets(scale).items():
        if name in ("mean", "sd", "alpha"):
            assert float(fit[name]) == pytest.approx(value, rel=1e-3), (scale, name)


@pytest.mark.parametrize(
    ("scale", "low", "high"), [("bdi", 0.84, 0.91), ("isi", 0.84, 0.92), ("stai_trait", 0.80, 0.90)]
)
def test_retest_after_a_week_is_as_published(scale: str, low: float, high: float, theta: NDArray[np.float64]) -> None:
    """BDI-II ICC 0.89 (Gomes-Oliveira 2012), ISI 0.90 at 2 weeks (Dieperink 2020), STAI trait about 0.8 (manual)."""
    rng = np.random.default_rng(8)
    rho = 0.95 * np.exp(-7 / 400) + 0.05 * np.exp(-7 / 3)
    later = rho * theta + np.sqrt(1 - rho**2) * rng.standard_normal(N)
    first, second = answer_sum(scale, theta, IDS, "a", 2), answer_sum(scale, later, IDS, "b", 2)
    assert low < np.corrcoef(first, second)[0, 1] < high


def test_people_selected_by_their_score_regress_to_the_mean(theta: NDArray[np.float64]) -> None:
    first, second = answer_sum("bdi", theta, IDS, "screening", 2), answer_sum("bdi", theta, IDS, "baseline", 2)
    chosen = (first >= 14) & (first <= 28)
    assert chosen.sum() > 300
    drop = (second - first)[chosen].mean()
    assert -4.0 < drop < -0.5


def test_leanings_have_the_stated_spread() -> None:
    found = offsets("bdi", IDS[:500], 4)
    assert found.shape == (500, 21)
    assert found.std() == pytest.approx(bank("bdi").offset_sd, rel=0.03)


def test_a_wrong_trait_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        answer_sum("bdi", [np.nan], ["S1"], "baseline", 1)
    with pytest.raises(ValueError, match="one value a subject"):
        answer_sum("bdi", [0.0, 1.0], ["S1"], "baseline", 1)
    with pytest.raises(InputError, match='did you mean "psqi"'):
        answer_sum("psqy", [0.0], ["S1"], "baseline", 1)


def test_nobody_is_a_population_too() -> None:
    assert answer_sum("isi", [], [], "baseline", 1).shape == (0,)
    assert expected_sum("ibs_sss", [], [], 1).shape == (0,)


def test_clipped_mean_is_the_mean_of_a_clipped_normal() -> None:
    draws = np.random.default_rng(0).normal(10.0, 30.0, 400_000)
    assert float(clipped_mean(10.0, 30.0, 0.0, 100.0)) == pytest.approx(np.clip(draws, 0, 100).mean(), abs=0.15)


def test_every_item_names_a_source_and_a_grade() -> None:
    for name in ("items.csv", "targets.csv", "fits.csv"):
        table = resources.table("instruments", name)
        assert (table["source"] != "").all(), name
        assert set(table["grade"]) <= set("ABCD"), name
    items = resources.table("instruments", "items.csv")
    sizes = pd.to_numeric(resources.table("instruments", "scales.csv").set_index("scale")["n_items"])
    assert items.groupby("scale").size().to_dict() == sizes.to_dict()


def test_thresholds_increase() -> None:
    for scale in SCALES:
        if bank(scale).response == "graded":
            assert (np.diff(bank(scale).b, axis=1) > 0).all(), scale
            assert bank(scale).b.shape[1] == bank(scale).item_max - bank(scale).item_min, scale
            assert (bank(scale).a > 0).all(), scale
