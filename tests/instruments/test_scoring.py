"""Scoring of raw answers, measures, awakening response."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vagus.errors import InputError
from vagus.instruments import bank, car_indices, measure_of, measures, scales, score
from vagus.trial import outcomes

BLANK = np.nan


def test_ranges_are_those_of_the_instruments() -> None:
    expected = {
        "bdi": (0, 63),
        "stai_state": (20, 80),
        "stai_trait": (20, 80),
        "panas_positive": (10, 50),
        "panas_negative": (10, 50),
        "psqi": (0, 21),
        "isi": (0, 28),
        "ibs_sss": (0, 500),
    }
    assert {scale: (bank(scale).score_min, bank(scale).score_max) for scale in scales()} == expected


def test_stai_forms_flip_the_items_of_the_manual() -> None:
    assert (np.flatnonzero(bank("stai_state").reverse) + 1).tolist() == [1, 2, 5, 8, 10, 11, 15, 16, 19, 20]
    assert (np.flatnonzero(bank("stai_trait").reverse) + 1).tolist() == [1, 3, 6, 7, 10, 13, 14, 16, 19]
    calm = np.where(bank("stai_trait").reverse, 4, 1)
    assert score("stai_trait", calm).tolist() == [20.0]
    assert score("stai_trait", 5 - calm).tolist() == [80.0]


def test_blank_items_are_prorated_up_to_the_limit() -> None:
    form = np.full(21, 2.0)
    form[0] = 0
    assert score("bdi", form).tolist() == [40.0]
    form[[1, 2]] = BLANK  # 36 of 19 items x 21 = 39.8
    assert score("bdi", form).tolist() == [40.0]
    form[3] = BLANK
    assert np.isnan(score("bdi", form)).all()
    week = np.array([3.0, 2, 2, 1, 1, 0, BLANK])
    assert np.isnan(score("psqi", week)).all()
    assert np.isnan(score("isi", np.full((2, 7), BLANK))).all()


def test_half_points_round_up() -> None:
    form = np.zeros(21)
    form[:10], form[20] = 1.0, BLANK  # 10 of 20 items x 21 = 10.5
    assert score("bdi", form).tolist() == [11.0]
    form[10] = 1.0  # 11 of 20 items x 21 = 11.55
    assert score("bdi", form).tolist() == [12.0]
    reverse = np.where(bank("stai_state").reverse, 3.0, 2.0)
    reverse[[0, 2]] = BLANK  # every keyed answer is 2, whichever items are blank
    assert score("stai_state", reverse).tolist() == [40.0]


def test_every_bad_answer_is_named() -> None:
    forms = np.tile([0.0, 1, 2, 3, 4, 0, 1], (3, 1))
    forms[0, 2], forms[2, 6] = 5, 1.5
    with pytest.raises(InputError) as caught:
        score("isi", forms)
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 2
    assert "got 5 (form 1, item 3)" in messages[0]
    assert "got 1.5 (form 3, item 7)" in messages[1]


def test_very_many_bad_answers_are_counted() -> None:
    with pytest.raises(InputError) as caught:
        score("bdi", np.full((3, 21), 9.0))
    assert len(caught.value.problems) == 21
    assert "43 more answers" in caught.value.problems[-1].message


def test_a_form_with_other_items_is_refused() -> None:
    with pytest.raises(InputError, match="must have 7 items, got 6"):
        score("psqi", np.zeros((4, 6)))


def test_lines_may_be_read_in_half_millimeters() -> None:
    assert score("ibs_sss", [50.5, 20.0, 0.0, 100.0, 30.0]).tolist() == [200.5]


def test_measures_yield_every_outcome_of_the_vocabulary_once() -> None:
    found = [outcome for names in measures().values() for outcome in names]
    assert len(found) == len(set(found))
    assert set(found) == set(outcomes())
    assert all(measure_of(outcome) in measures() for outcome in found)
    assert set(scales()) < set(found)
    with pytest.raises(InputError, match='did you mean "crp_mg_l"'):
        measure_of("crp_mg_dl")


def test_awakening_areas_by_hand() -> None:
    found = car_indices([[4.0, 8.0, 12.0, 10.0, 6.0], [10.0, 9.0, 8.0, 7.0, 6.0]])
    # 15 x (4/2 + 8 + 12 + 10 + 6/2) = 525 and 525 - 4 x 60 = 285; falling: 15 x (5 + 9 + 8 + 7 + 3) = 480 and -120
    assert found["car_auc_g_nmol_min_l"].tolist() == [525.0, 480.0]
    assert found["car_auc_i_nmol_min_l"].tolist() == [285.0, -120.0]
    assert found["cortisol_awakening_nmol_l"].tolist() == [4.0, 10.0]
    assert found["car_peak_increase_nmol_l"].tolist() == [8.0, -1.0]


def test_awakening_areas_with_uneven_times_and_a_lost_sample() -> None:
    found = car_indices([[2.0, 4.0, 4.0], [2.0, np.nan, 4.0]], minutes=[0.0, 30.0, 45.0])
    assert found["car_auc_g_nmol_min_l"][0] == 30 * 3 + 15 * 4
    assert found["car_auc_i_nmol_min_l"][0] == 150 - 90
    assert np.isnan(found["car_auc_i_nmol_min_l"][1])
    assert found["cortisol_awakening_nmol_l"][1] == 2.0
    with pytest.raises(ValueError, match="as many samples as minutes"):
        car_indices([[1.0, 2.0]])


def test_awakening_means_of_the_norms_agree_with_each_other() -> None:
    """Indices of the mean curve lie near the mean indices (CARWatch: 255 and 717 nmol min/l, other mornings blank)."""
    found = car_indices([[7.52, 10.98, 13.29, 12.88, 11.07]])
    assert found["car_auc_i_nmol_min_l"][0] == pytest.approx(255, rel=0.05)
    assert found["car_auc_g_nmol_min_l"][0] == pytest.approx(717, rel=0.05)


def test_state_bank_shows_the_margins_of_the_real_answers(shared: Path) -> None:
    """Shares of each answer in 2,931 students (psychTools, set sai) against the fitted bank."""
    from vagus.instruments import answer_items

    raw = pd.read_csv(shared / "data" / "psych_state_trait_items" / "stai_state_items.tsv.gz", sep="\t")
    real = raw.loc[raw["time"] == 1].iloc[:, 3:23].dropna().to_numpy(dtype=int)
    n = 3000
    theta = np.random.default_rng(3).standard_normal(n)
    virtual = answer_items("stai_state", theta, [f"C{i}" for i in range(n)], "now", 1)
    for answer in (1, 2, 3, 4):
        np.testing.assert_allclose((virtual == answer).mean(axis=0), (real == answer).mean(axis=0), atol=0.045)
    assert score("stai_state", real).std() == pytest.approx(score("stai_state", virtual).std(), rel=0.08)
