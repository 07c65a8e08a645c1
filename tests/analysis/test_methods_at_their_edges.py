"""Data that leave a method nothing to work with end in a sentence, never in a crash or a silent number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_trial import estimate

from vagus.analysis.ancova import ancova, log_ancova
from vagus.analysis.counts import fit_counts, negative_binomial
from vagus.analysis.fold_change import fold_change
from vagus.analysis.responders import newcombe_interval, responders
from vagus.trial.vocabulary import Threshold

ISI = "isi"
ACID = "faecal_butyrate_mmol_kg"
GENUS = "bifidobacterium_rel_abundance_pct"
WAKE = "night_awakenings_n"

P, L, H = "placebo", "low", "high"


def no_number(found) -> None:
    assert math.isnan(found.se)
    assert math.isnan(found.ci_low)
    assert found.p_value is None
    assert found.status != "ok"


def test_one_person_in_an_arm():
    people = [(P, 14.0, 12.0), (P, 15.0, 11.0), (P, 12.0, 13.0), (H, 14.0, 9.0), (L, 15.0, 9.0), (L, 17.0, 10.0)]
    found = estimate(ancova, ISI, people)
    no_number(found[H])
    assert found[H].status == 'Arm "high" has 1 complete cases of 1 subjects; 2 are needed.'
    assert found[L].status == "ok"
    assert found[L].n == 6
    no_number(estimate(fold_change, ACID, people, "baseline", (H,))[H])
    no_number(estimate(responders, ISI, people)[H])
    no_number(estimate(negative_binomial, WAKE, people)[H])


def test_a_control_arm_of_one():
    people = [(P, 14.0, 12.0), (H, 14.0, 9.0), (H, 15.0, 9.0), (L, 15.0, 9.0), (L, 17.0, 10.0)]
    for method, name in ((ancova, ISI), (log_ancova, ACID), (negative_binomial, WAKE), (responders, ISI)):
        for found in estimate(method, name, people).values():
            no_number(found)
            assert 'Arm "placebo" has 1 complete cases' in found.status


def test_nobody_at_all():
    people = [(P, 14.0, math.nan), (H, math.nan, 9.0), (L, math.nan, math.nan)]
    for method, name in ((ancova, ISI), (log_ancova, ACID), (negative_binomial, WAKE), (responders, ISI)):
        for found in estimate(method, name, people).values():
            no_number(found)
            assert found.n == 0 or found.n is not None


def test_as_many_coefficients_as_people():
    people = [(P, 14.0, 12.0), (P, 15.0, 11.0), (H, 15.0, 9.0), (H, 17.0, 8.0)]
    assert estimate(ancova, ISI, people)[H].df == 1
    people = [(P, 14.0, 12.0), (P, 15.0, 11.0), (H, 15.0, 9.0), (H, 16.0, 9.5), (L, 13.0, 9.0)]
    assert estimate(ancova, ISI, people)[H].df == 1
    people = [(P, 14.0, 12.0), (P, 15.0, 11.0), (H, 15.0, 9.0), (L, 16.0, 8.0)]
    found = estimate(ancova, ISI, people)[H]
    no_number(found)
    assert "2 are needed" in found.status


def test_a_baseline_that_does_not_vary_is_left_out_and_said():
    people = [(P, 14.0, 12.0), (P, 14.0, 11.0), (P, 14.0, 13.0), (H, 14.0, 9.0), (H, 14.0, 8.0), (H, 14.0, 10.0)]
    found = estimate(ancova, ISI, people)[H]
    assert found.estimate == pytest.approx(-3)
    assert found.df == 4
    assert found.method.endswith("the baseline does not vary and is left out")
    assert found.details["baseline_slope"] is None


def test_baseline_and_arm_that_cannot_be_told_apart():
    people = [(P, 14.0, 12.0), (P, 14.0, 11.0), (P, 14.0, 13.0), (H, 18.0, 9.0), (H, 18.0, 8.0), (H, 18.0, 10.0)]
    found = estimate(ancova, ISI, people)[H]
    no_number(found)
    assert "cannot be told apart" in found.status


def test_nothing_varies():
    people = [(P, 14.0, 12.0), (P, 15.0, 13.0), (P, 17.0, 15.0), (H, 14.0, 9.0), (H, 16.0, 11.0), (H, 18.0, 13.0)]
    found = estimate(ancova, ISI, people)[H]
    assert found.estimate == pytest.approx(-3)
    no_number(found)
    assert found.status.startswith("Nothing varies beyond arm and baseline")
    same = [(P, 2.0, 4.0), (P, 3.0, 6.0), (H, 2.0, 4.0), (H, 5.0, 10.0)]
    fold = estimate(fold_change, ACID, same, "baseline", (H,))[H]
    assert fold.estimate == pytest.approx(2)
    no_number(fold)


def test_zeros_have_no_logarithm_unless_they_are_shares():
    people = [(P, 2.0, 4.0), (P, 3.0, 5.0), (P, 4.0, 5.0), (H, 0.0, 4.0), (H, 5.0, 10.0), (H, 4.0, 0.0), (H, 6.0, 9.0)]
    people += [(H, 3.0, 4.0)]
    acid = estimate(log_ancova, ACID, people)[H]
    assert acid.n == 6
    assert acid.details["set_aside_by_arm"] == {P: 0, L: 0, H: 2}
    assert "adding" not in acid.method
    share = estimate(log_ancova, GENUS, people)[H]
    assert share.n == 8
    assert "after adding 0.02 % of reads" in share.method
    assert estimate(fold_change, GENUS, people, "baseline", (H,))[H].n == 5
    assert estimate(fold_change, ACID, people, "baseline", (H,))[H].n == 3


def test_whole_counts_with_little_spread_are_poisson():
    rng = np.random.default_rng(1)
    people = [(arm, 2.0 + place % 3, float(2 + place % 2)) for place, arm in enumerate([P] * 12 + [H] * 12)]
    found = estimate(negative_binomial, WAKE, people)[H]
    assert found.details["dispersion"] < 1
    assert found.details["model"] == "Poisson with robust errors"
    assert found.details["theta"] is None
    wild = [(arm, 2.0, float(rng.negative_binomial(0.7, 0.2))) for arm in [P] * 25 + [H] * 25]
    found = estimate(negative_binomial, WAKE, wild)[H]  # baseline does not vary here: left out
    assert found.details["model"] == "negative binomial"
    assert found.details["dispersion"] > 1


def test_an_arm_without_any_event():
    people = [(P, 2.0, 3.0), (P, 1.0, 2.0), (P, 3.0, 2.0), (H, 2.0, 0.0), (H, 1.0, 0.0), (L, 2.0, 1.0), (L, 3.0, 1.0)]
    found = estimate(negative_binomial, WAKE, people)
    no_number(found[H])
    assert "the ratio is 0 and has no interval" in found[H].status
    assert found[L].status == "ok"
    swapped = [({P: H, H: P}.get(arm, arm), b, v) for arm, b, v in people]
    assert 'Nobody in arm "placebo" has an event' in estimate(negative_binomial, WAKE, swapped)[L].status


def test_negative_counts_are_refused():
    people = [(P, 2.0, 3.0), (P, 1.0, -2.0), (H, 2.0, 1.0), (H, 1.0, 2.0)]
    assert "must be 0 or more" in estimate(negative_binomial, WAKE, people)[H].status


def test_theta_is_found_again():
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(4000), rng.normal(size=4000)])
    mean = np.exp(design @ np.array([1.0, 0.3]))
    fit = fit_counts(rng.negative_binomial(2.0, 2.0 / (2.0 + mean)).astype(float), design)
    assert fit["theta"] == pytest.approx(2.0, abs=4 * 0.1)  # four standard errors of theta at this size
    assert fit["params"] == pytest.approx([1.0, 0.3], abs=0.05)


def test_responders_need_a_control_a_direction_and_a_bar():
    people = [(P, 14.0, 12.0), (P, 15.0, 8.0), (H, 15.0, 9.0), (H, 16.0, 8.0)]
    within = estimate(responders, ISI, people, "baseline", (H,))[H]
    assert "Responders must be compared with a control arm" in within.status
    assert "no direction that is good" in estimate(responders, "car_auc_i_nmol_min_l", people)[H].status
    assert "No change of one person that matters is known" in estimate(responders, "stai_state", people)[H].status


def test_responders_reach_the_bar_in_the_good_direction():
    # ISI: 6 points down; the ones that rise or fall short are none.
    people = [(P, 14.0, 12.0), (P, 15.0, 9.0), (P, 10.0, 16.0), (H, 15.0, 9.0), (H, 16.0, 8.0), (H, 9.0, 3.1)]
    found = estimate(responders, ISI, people)[H]
    assert (found.details["responders_arm"], found.details["responders_reference"]) == (2, 1)
    assert found.estimate == pytest.approx(1 / 3)
    assert found.ci_low < found.estimate < found.ci_high
    assert "6 points or more (Yang et al. 2009" in found.method
    # BDI: 17.5 % of the own baseline; from zero nobody can fall.
    people = [(P, 0.0, 0.0), (P, 20.0, 17.0), (H, 20.0, 16.5), (H, 40.0, 33.0), (H, 0.0, 0.0)]
    found = estimate(responders, "bdi", people)[H]
    assert (found.details["responders_arm"], found.details["responders_reference"]) == (2, 0)


def test_a_given_bar_replaces_the_one_of_the_vocabulary():
    people = [(P, 20.0, 18.0), (P, 20.0, 20.0), (H, 20.0, 17.0), (H, 20.0, 20.0)]
    bar = Threshold("within-person", 3.0, "the protocol", "D", "")

    def with_bar(request, cases, arms):
        return responders(request, cases, arms, bar)

    found = estimate(with_bar, "stai_state", people)[H]
    assert (found.details["responders_arm"], found.details["responders_reference"]) == (1, 0)


@pytest.mark.parametrize(
    ("counts", "bounds"),
    [
        # Newcombe 1998, Stat Med 17:873-890, table II, method 10 (examples a to h).
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_newcombe_gives_the_examples_of_its_paper(counts, bounds):
    assert newcombe_interval(*counts) == pytest.approx(bounds, abs=5e-5)
