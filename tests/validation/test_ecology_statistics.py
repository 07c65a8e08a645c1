"""Statistics of the ecology's checks, against values known in other ways."""

from __future__ import annotations

import numpy as np
import pytest

from vagus.rng import stream
from vagus.validation.ecology_statistics import (
    adjusted_log_ratios,
    log_share,
    moderation,
    rank_correlation,
    slope_p,
    spread_changes,
    spread_changes_from_figures,
    spread_within_and_between,
    two_sample_p,
)


def test_adjusted_log_ratios_are_the_planned_analysis_of_the_package() -> None:
    from statsmodels.regression.linear_model import OLS

    rng = stream(1, "ratios")
    before = np.exp(rng.standard_normal(60))
    arm = np.repeat(["a", "b", "c"], 20)
    after = before**0.5 * np.exp(0.3 * (arm == "b") - 0.2 * (arm == "c") + 0.2 * rng.standard_normal(60))
    before[3] = np.nan
    found = adjusted_log_ratios(before, after, arm, "a")
    kept = np.isfinite(before)
    design = np.column_stack([np.ones(kept.sum()), np.log(before[kept]), arm[kept] == "b", arm[kept] == "c"])
    fit = OLS(np.log(after[kept]), design.astype(float)).fit()
    assert found == pytest.approx({"b": fit.params[2], "c": fit.params[3]}, rel=1e-9)


def people(n: int, seed: int, log_effect: float = 0.0, added_effect: float = 0.0) -> tuple[np.ndarray, ...]:
    """Two arms whose people differ, measured with error before and after."""
    rng = stream(seed, "people")
    true = np.exp(1.0 + rng.standard_normal(2 * n))
    treated = np.arange(2 * n) < n
    noise = np.exp(0.5 * rng.standard_normal((2, 2 * n)))
    return true * noise[0], (true * np.exp(log_effect * treated) + added_effect * treated) * noise[1], treated


@pytest.mark.parametrize("log", [True, False])
def test_regression_to_the_mean_alone_is_no_moderation(log: bool) -> None:
    before, after, treated = people(20_000, 2)
    x = log_share(before) if log else before
    change = (log_share(after) if log else after) - x
    within_one_arm = np.polyfit(x[treated], change[treated], 1)[0]
    assert within_one_arm < -0.1
    assert moderation(before, after, treated, log=log) == pytest.approx(0.0, abs=0.03)


def test_an_effect_of_one_ratio_moderates_on_the_additive_scale_only() -> None:
    before, after, treated = people(20_000, 3, log_effect=0.7)
    assert moderation(before, after, treated, log=True) == pytest.approx(0.0, abs=0.03)
    assert moderation(before, after, treated, log=False) > 0.3


def test_an_effect_of_one_size_moderates_on_the_log_scale_only() -> None:
    before, after, treated = people(20_000, 4, added_effect=4.0)
    assert moderation(before, after, treated, log=True) < -0.2
    assert moderation(before, after, treated, log=False) == pytest.approx(0.0, abs=0.06)


def test_spreads_tell_the_scale_of_an_even_effect() -> None:
    before = np.array([1.0, 2.0, 4.0, 8.0])
    doubled, shifted = (
        spread_changes(before, 2 * before, before, before),
        spread_changes(before, before + 3, before, before),
    )
    assert doubled == pytest.approx((np.log(2), 0.0))
    assert shifted[0] == pytest.approx(0.0)
    assert shifted[1] == pytest.approx(np.log(before.mean() / (before.mean() + 3)))


def test_spreads_of_the_control_arm_are_taken_off() -> None:
    assert spread_changes_from_figures([1, 3, 1, 3], [1, 2, 1, 2]) == pytest.approx((0.0, 0.0))


def test_spread_within_and_between_finds_what_was_put_in() -> None:
    rng = stream(5, "spread")
    groups = [person + 0.5 * rng.standard_normal(8) for person in 1.5 * rng.standard_normal(3000)]
    within, reliability = spread_within_and_between([*groups, np.array([9.0])])
    assert within == pytest.approx(0.5, rel=0.02)
    assert reliability == pytest.approx(1.5**2 / (1.5**2 + 0.5**2), abs=0.01)


def test_rank_correlation_passes_over_missing_values() -> None:
    x, y = np.array([1.0, 2.0, 3.0, np.nan, 5.0]), np.array([1.0, 4.0, 9.0, 0.0, 25.0])
    assert rank_correlation(x, y) == pytest.approx(1.0)
    assert rank_correlation(x, -y) == pytest.approx(-1.0)


def test_p_values_are_uniform_without_an_effect() -> None:
    rng = stream(6, "p")
    draws = rng.standard_normal((400, 2, 8))
    tests = [two_sample_p(*pair) for pair in draws]
    slopes = [slope_p(np.arange(8.0), pair[0]) for pair in draws]
    assert np.mean(np.array(tests) < 0.05) == pytest.approx(0.05, abs=0.033)
    assert np.mean(np.array(slopes) < 0.05) == pytest.approx(0.05, abs=0.033)
