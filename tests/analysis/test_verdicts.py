"""The verdict: three shapes, and what it says where it cannot tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_trial import estimate

from vagus.analysis import EffectEstimate, verdict
from vagus.analysis.ancova import ancova
from vagus.protocol import VerdictRule
from vagus.trial import outcome

HELPS, NO_USE, CANNOT_TELL = "likely helps", "likely no useful effect", "cannot tell from this"
ISI = outcome("isi")  # lower is better, 4 points matter
TST = outcome("tst_diary_h")  # higher is better, a quarter of an hour matters
WAKE = outcome("night_awakenings_n")  # lower is better, half an awakening matters


@pytest.mark.parametrize(
    ("estimate", "se", "shape"),
    [
        (-4.1, 1.0, HELPS),  # surely better than nothing, more likely than not by 4 points
        (-3.9, 1.0, CANNOT_TELL),  # surely better, but rather less than 4 points
        (-4.1, 3.0, CANNOT_TELL),  # may be anything
        (-2.3, 1.0, NO_USE),  # better than nothing and still surely less than 4 points
        (0.0, 1.0, NO_USE),
        (5.0, 1.0, NO_USE),  # harm is no useful effect
        (0.0, 3.0, CANNOT_TELL),
    ],
)
def test_three_shapes(estimate, se, shape):
    found = verdict((estimate, se, None), ISI, arm="hmo", contrast="placebo", visit="week 8")
    assert found.shape == shape
    assert found.sentence.startswith(shape[0].upper() + shape[1:] + ": ISI at week 8, hmo against placebo: difference ")
    assert "Smallest difference that matters: 4 points (Qin et al. 2024" in found.sentence
    assert found.sentence.endswith("with a flat prior.")
    assert found.mcid == 4


def test_probabilities_are_those_of_the_t_distribution():
    from scipy import stats

    found = verdict((-3.0, 1.2, 20.0), ISI)
    assert found.p_benefit == pytest.approx(stats.t.sf(0, 20, 3.0, 1.2))
    assert found.p_mcid == pytest.approx(stats.t.sf(4, 20, 3.0, 1.2))
    normal = verdict((-3.0, 1.2, None), ISI)
    assert normal.p_mcid == pytest.approx(stats.norm.sf(4, 3.0, 1.2))


def test_higher_is_better_where_it_is():
    assert verdict((0.5, 0.1, None), TST).shape == HELPS
    assert verdict((-0.5, 0.1, None), TST).shape == NO_USE


def test_draws_are_counted():
    rng = np.random.default_rng(3)
    draws = rng.normal(-5, 1, 4000)
    found = verdict(draws, ISI)
    assert found.shape == HELPS
    assert found.p_benefit == np.mean(draws < 0)
    assert found.p_mcid == np.mean(draws <= -4)
    failed = verdict(np.append(draws, [np.nan, np.nan]), ISI)
    assert failed.p_mcid == found.p_mcid
    assert failed.sentence.endswith("2 draws failed and are not counted.")
    assert verdict(np.full(5, np.nan), ISI).shape == CANNOT_TELL


def test_ratios_measure_the_mcid_against_the_reference_arm():
    # 2 awakenings in the reference arm: half an awakening less is a ratio of 0.75.
    found = verdict((0.6, 0.05, None), WAKE, statistic="rate_ratio", reference_mean=2.0)
    assert found.shape == HELPS
    assert "a ratio of 0.75 to the reference arm" in found.sentence
    assert verdict((0.85, 0.05, None), WAKE, statistic="rate_ratio", reference_mean=2.0).shape == NO_USE
    # Where there is less than half an awakening to lose, nothing can help by that much.
    little = verdict((0.5, 0.05, None), WAKE, statistic="rate_ratio", reference_mean=0.4)
    assert (little.shape, little.p_mcid) == (NO_USE, 0.0)
    assert "more than the reference arm leaves to gain" in little.sentence
    unknown = verdict((0.6, 0.05, None), WAKE, statistic="rate_ratio")
    assert (unknown.shape, unknown.p_mcid) == (CANNOT_TELL, None)
    assert "no ratio without the mean of the reference arm" in unknown.sentence
    draws = np.exp(np.random.default_rng(2).normal(math.log(0.6), 0.05, 2000))
    assert verdict(draws, WAKE, statistic="rate_ratio", reference_mean=2.0).shape == HELPS


def test_without_an_mcid_nothing_is_useful_and_harm_is_still_no_use():
    acid = outcome("faecal_butyrate_mmol_kg")
    good = verdict((1.5, 0.05, None), acid, statistic="ratio")
    assert (good.shape, good.p_mcid, good.mcid) == (CANNOT_TELL, None, None)
    assert good.p_benefit > 0.99
    assert "No smallest difference that matters is known" in good.sentence
    bad = verdict((0.7, 0.05, None), acid, statistic="ratio")
    assert bad.shape == NO_USE
    assert "whatever difference would matter" in bad.sentence
    # An MCID that the user sets is one.
    own = verdict((1.5, 0.05, None), acid, statistic="ratio", reference_mean=10.0, mcid=2.0, mcid_source="this trial")
    assert (own.shape, own.mcid, own.mcid_source) == (HELPS, 2.0, "this trial")


def test_what_has_no_verdict():
    car = verdict((-100.0, 10.0, None), outcome("car_auc_i_nmol_min_l"))
    assert (car.shape, car.p_benefit) == (CANNOT_TELL, None)
    assert "depends on the context" in car.sentence
    within = verdict((4.4, 0.2, None), outcome("bifidobacterium_rel_abundance_pct"), statistic="fold_change")
    assert within.shape == CANNOT_TELL
    assert "drift and regression to the mean" in within.sentence
    assert verdict((math.nan, math.nan, None), ISI).shape == CANNOT_TELL
    assert verdict((-5.0, 0.0, None), ISI).shape == CANNOT_TELL


def test_an_estimate_brings_its_own_words():
    people = [("placebo", 14.0 + p % 3, 13.0 + p % 4) for p in range(12)]
    people += [("high", 14.0 + p % 4, 6.0 + p % 3) for p in range(12)]
    found = estimate(ancova, "isi", people, arms=("high",))["high"]
    words = verdict(found, ISI)
    assert words.shape == HELPS
    assert "ISI at week 8, high against placebo" in words.sentence
    low, high = (f"{value:.2f}".replace("-", "\N{MINUS SIGN}") for value in (found.ci_low, found.ci_high))
    assert f"95 % interval {low} to {high}; lower is better" in words.sentence
    alone = estimate(ancova, "isi", people[:12], arms=("high",))["high"]
    failed = verdict(alone, ISI)
    assert failed.shape == CANNOT_TELL
    assert 'nobody in the data is in arm "high".' in failed.sentence


def test_responders_are_judged_without_the_mcid_of_the_score():
    effect = EffectEstimate(
        *("secondary.isi", "isi", "high", "placebo", "week 8", "risk_difference"),
        *(0.3, 0.1, 0.1, 0.5, None, 0.01, 80),
    )
    found = verdict(effect, ISI)
    assert (found.shape, found.mcid) == (CANNOT_TELL, None)
    assert found.p_benefit > 0.99
    assert "higher is better" in found.sentence


def test_thresholds_can_be_set():
    assert verdict((-2.3, 1.0, None), ISI, VerdictRule(p_no_useful=0.99)).shape == CANNOT_TELL
    assert verdict((-3.9, 1.0, None), ISI, VerdictRule(p_mcid=0.4)).shape == HELPS
    both = verdict((-2.3, 1.0, None), ISI, VerdictRule(p_mcid=0.01))
    assert both.shape == CANNOT_TELL
    assert "thresholds of the verdict overlap" in both.sentence


ORDER = {NO_USE: 0, CANNOT_TELL: 1, HELPS: 2}


@given(st.floats(-10, 10), st.floats(0.05, 5), st.floats(0, 5))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_better_estimate_never_gets_a_worse_verdict(estimate, se, gain):
    worse, better = verdict((estimate, se, None), ISI), verdict((estimate - gain, se, None), ISI)
    assert ORDER[better.shape] >= ORDER[worse.shape]
    assert better.p_benefit >= worse.p_benefit
    assert better.p_mcid <= better.p_benefit
