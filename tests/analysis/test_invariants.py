"""What must hold whatever the data are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_trial import ARMS, estimate

from vagus.analysis import analyze, holm
from vagus.analysis.ancova import ancova, log_ancova
from vagus.analysis.counts import negative_binomial
from vagus.analysis.fold_change import fold_change
from vagus.analysis.responders import newcombe_interval, responders

QUICK = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ACID = "faecal_butyrate_mmol_kg"
SEEDS = st.integers(0, 10_000)


def people(seed: int, n: int = 24) -> list[tuple[str, float, float]]:
    """Positive values of n people in three arms."""
    rng = np.random.default_rng(seed)
    before = np.exp(rng.normal(1.5, 0.6, n))
    after = before**0.6 * np.exp(rng.normal(0.4, 0.5, n))
    arms = rng.permutation([ARMS[place % 3] for place in range(n)])
    return [(str(arm), float(b), float(v)) for arm, b, v in zip(arms, before, after)]


def counts(seed: int, n: int = 30) -> list[tuple[str, float, float]]:
    rng = np.random.default_rng(seed)
    arms = [ARMS[place % 3] for place in range(n)]
    return [(arm, float(rng.poisson(2)), float(1 + rng.negative_binomial(1, 0.3))) for arm in arms]


def numbers(found) -> np.ndarray:
    return np.array([found.estimate, found.se, found.ci_low, found.ci_high, found.p_value])


@QUICK
@given(seed=SEEDS)
def test_row_order_does_not_matter(protocol, full, seed):
    rng = np.random.default_rng(seed)
    shuffled = replace(
        full,
        subjects=full.subjects.iloc[rng.permutation(len(full.subjects))],
        outcomes=full.outcomes.iloc[rng.permutation(len(full.outcomes))],
        visits=full.visits.iloc[rng.permutation(len(full.visits))],
    )
    assert analyze(protocol, shuffled).estimates == analyze(protocol, full).estimates


@QUICK
@given(seed=SEEDS, factor=st.floats(0.01, 1000))
def test_scaling_leaves_ratios_alone(seed, factor):
    original = people(seed)
    scaled = [(arm, b * factor, v * factor) for arm, b, v in original]
    for method, reference in ((log_ancova, "placebo"), (fold_change, "baseline")):
        one = estimate(method, ACID, original, reference)
        two = estimate(method, ACID, scaled, reference)
        for arm in one:
            assert numbers(two[arm]) == pytest.approx(numbers(one[arm]), rel=1e-7, abs=1e-10)


@QUICK
@given(seed=SEEDS, factor=st.floats(0.5, 3), shift=st.floats(0, 5))
def test_a_difference_scales_with_its_unit_and_ignores_its_zero(seed, factor, shift):
    original = people(seed)
    moved = [(arm, factor * b + shift, factor * v + shift) for arm, b, v in original]
    one, two = estimate(ancova, "isi", original), estimate(ancova, "isi", moved)
    for arm in one:
        assert numbers(two[arm])[:4] == pytest.approx(factor * numbers(one[arm])[:4], rel=1e-6, abs=1e-9)
        assert two[arm].p_value == pytest.approx(one[arm].p_value, rel=1e-6)


@QUICK
@given(seed=SEEDS)
def test_swapping_arms_turns_the_effect_around(seed):
    swap = {"placebo": "high", "high": "placebo", "low": "low"}
    for method, name, rows, ratio in (
        (ancova, "isi", people(seed), False),
        (log_ancova, ACID, people(seed), True),
        (negative_binomial, "night_awakenings_n", counts(seed), True),
        (responders, "isi", [(a, 5 * b, 5 * v) for a, b, v in people(seed)], False),
    ):
        one = estimate(method, name, rows)["high"]
        two = estimate(method, name, [(swap[arm], b, v) for arm, b, v in rows])["high"]
        turn = (lambda x: 1 / x) if ratio else (lambda x: -x)
        assert two.estimate == pytest.approx(turn(one.estimate), rel=1e-6, abs=1e-9)
        assert (two.ci_low, two.ci_high) == pytest.approx((turn(one.ci_high), turn(one.ci_low)), rel=1e-6, abs=1e-9)
        assert two.p_value == pytest.approx(one.p_value, rel=1e-6)


@QUICK
@given(seed=SEEDS)
def test_an_interval_holds_its_estimate_and_agrees_with_p(seed):
    for method, name, rows in (
        (ancova, "isi", people(seed)),
        (log_ancova, ACID, people(seed)),
        (negative_binomial, "night_awakenings_n", counts(seed)),
    ):
        for found in estimate(method, name, rows).values():
            none = 1.0 if found.statistic.endswith("ratio") else 0.0
            assert found.ci_low < found.estimate < found.ci_high
            assert (found.p_value < 0.05) == (not found.ci_low <= none <= found.ci_high)


@QUICK
@given(seed=SEEDS)
def test_the_arms_of_one_model_agree(seed):
    """High against placebo is high against low times low against placebo."""
    rows = people(seed)
    against_placebo = estimate(log_ancova, ACID, rows)
    against_low = estimate(log_ancova, ACID, rows, "low", ("high", "placebo"))
    assert against_low["high"].estimate * against_placebo["low"].estimate == pytest.approx(
        against_placebo["high"].estimate, rel=1e-9
    )
    assert against_low["placebo"].p_value == pytest.approx(against_placebo["low"].p_value, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_holm_keeps_order_and_lies_between_p_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted):
        assert q is not None
        assert p <= q <= min(1.0, len(p_values) * p) + 1e-15
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted, dtype=float)[order]) >= 0)
    assert min(adjusted) == pytest.approx(min(1.0, len(p_values) * min(p_values)))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_newcombe_stays_inside_and_turns_around(n, m, data):
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    low, high = newcombe_interval(x, n, y, m)
    assert -1 <= low <= x / n - y / m <= high <= 1
    assert newcombe_interval(y, m, x, n) == pytest.approx((-high, -low))
    assert not math.isnan(low)
