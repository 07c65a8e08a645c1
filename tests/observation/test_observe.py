"""Trial data from trajectories: shape, streams, truth, missing values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.errors import InputError
from vagus.instruments import bank, measures, scales
from vagus.observation import baseline_visit, expected, observe
from vagus.trial import TrialData

SEED = 3
World = Any
Build = Callable[..., Any]


def watch(world: World, seed: int = SEED, **more: Any) -> TrialData:
    return observe(world.protocol, world.cohort, world.assignment, world.trajectories, seed, **more)


def truth(world: World, seed: int = SEED) -> pd.DataFrame:
    return expected(world.protocol, world.cohort, world.trajectories, seed)


@pytest.fixture(scope="module")
def data(still: World) -> TrialData:
    return watch(still)


@pytest.fixture(scope="module")
def true(still: World) -> pd.DataFrame:
    return truth(still)


@pytest.fixture(scope="module")
def few(still: World) -> World:
    return still.take(list(range(8)))


def test_one_row_for_every_subject_scheduled_visit_and_outcome(still: World, data: TrialData) -> None:
    planned = {
        (name, visit.label, outcome)
        for measure in still.protocol.measures
        for visit in still.protocol.visits_of(measure)
        for outcome in measures()[measure]
        for name in still.cohort.subject_ids
    }
    keys = list(data.outcomes[["subject_id", "visit", "outcome"]].itertuples(index=False, name=None))
    assert len(keys) == len(set(keys))
    assert set(keys) == planned
    assert len(data.visits) == still.cohort.n * len(still.protocol.schedule.visits)
    assert data.subjects["subject_id"].tolist() == list(still.cohort.subject_ids)
    assert data.subjects.set_index("subject_id")["arm"].to_dict() == still.assignment
    assert {"age_years", "sex", "bmi_kg_m2", "doses_taken"} <= set(data.subjects)
    assert set(data.subjects["status"]) == {"ok"}
    assert data.truth is None


def test_scores_are_whole_and_in_range(data: TrialData) -> None:
    for scale in scales():
        values = data.outcomes.loc[data.outcomes["outcome"] == scale, "value"]
        assert values.notna().all(), scale
        assert (values == values.round()).all(), scale
        assert values.between(bank(scale).score_min, bank(scale).score_max).all(), scale


def test_concentrations_and_times_are_positive(data: TrialData) -> None:
    table = data.outcomes.dropna(subset=["value"])
    signed = {"car_auc_i_nmol_min_l", "car_peak_increase_nmol_l"}
    assert (table.loc[~table["outcome"].isin(signed), "value"] >= 0).all()
    assert (table.loc[table["outcome"].isin(signed), "value"] < 0).any()


def test_same_seed_same_bits_another_seed_another_trial(few: World) -> None:
    first, again, other = watch(few), watch(few), watch(few, seed=SEED + 1)
    pd.testing.assert_frame_equal(first.outcomes, again.outcomes, check_exact=True)
    pd.testing.assert_frame_equal(first.features, again.features, check_exact=True)
    pd.testing.assert_frame_equal(truth(few), truth(few), check_exact=True)
    assert not first.outcomes["value"].equals(other.outcomes["value"])


@given(rows=st.permutations(range(6)).map(lambda order: order[:3]))
@settings(max_examples=6, deadline=None)
def test_a_subject_is_the_same_in_any_company_and_order(few: World, rows: list[int]) -> None:
    keys = ["subject_id", "visit", "outcome"]
    whole = watch(few).outcomes.set_index(keys)["value"]
    part = watch(few.take(list(rows))).outcomes.set_index(keys)["value"]
    pd.testing.assert_series_equal(part, whole.loc[part.index], check_exact=True)


def test_a_further_measure_or_the_other_arm_changes_no_one(build_world: Build, protocol_text: str, few: World) -> None:
    text = protocol_text.replace("  stool_16S: visits\n", "").replace("  ISI: visits\n", "")
    less = build_world(300, text=text).take(list(range(8)))
    keys = ["subject_id", "visit", "outcome"]
    whole, part = (watch(one).outcomes.set_index(keys)["value"] for one in (few, less))
    pd.testing.assert_series_equal(part, whole.loc[part.index], check_exact=True)


def test_with_no_effect_the_truth_is_the_same_under_both_arms(still: World, true: pd.DataFrame) -> None:
    wide = true.pivot(index=["subject_id", "visit", "outcome"], columns="arm", values="value")
    assert len(wide) * 2 == len(true)
    pd.testing.assert_series_equal(wide["active"], wide["placebo"], check_names=False, check_exact=True)


def test_with_no_effect_arms_differ_by_chance_only(data: TrialData) -> None:
    """68 differences of means in units of their standard error: standard normal if all is well."""
    table = data.outcomes.dropna(subset=["value"])
    groups = table.groupby(["outcome", "visit", "arm"])["value"].agg(["mean", "var", "size"]).unstack("arm")
    error = np.sqrt(
        groups["var"]["active"] / groups["size"]["active"] + groups["var"]["placebo"] / groups["size"]["placebo"]
    )
    z = (groups["mean"]["active"] - groups["mean"]["placebo"]) / error
    assert np.isfinite(z).all()
    assert z.abs().max() < 4.2
    assert 0.6 < np.sqrt((z**2).mean()) < 1.5


def test_observations_scatter_around_the_truth(data: TrialData, true: pd.DataFrame) -> None:
    """Paired with the own expectation every mean error is within Monte Carlo error (peak increase and reads apart)."""
    keys = ["subject_id", "arm", "visit", "outcome"]
    both = data.outcomes.merge(true, on=keys, suffixes=("", "_true")).dropna(subset=["value"])
    assert len(both) > 0.98 * len(data.outcomes)
    error = (both["value"] - both["value_true"]).groupby(both["outcome"])
    z = error.mean() / (error.std() / np.sqrt(both.groupby("outcome")["subject_id"].nunique()))
    # The highest of four noisy samples lies above the highest true one, and shares of reads cannot pass 100 %.
    biased = {"car_peak_increase_nmol_l", "bifidobacterium_rel_abundance_pct"}
    assert z.drop(index=list(biased)).abs().max() < 4.0
    assert 0 < error.mean()["car_peak_increase_nmol_l"] < 1.0
    share = both.loc[both["outcome"] == "bifidobacterium_rel_abundance_pct"]
    assert share["value"].mean() / share["value_true"].mean() == pytest.approx(1.0, abs=0.12)


def test_a_shift_moves_every_scale_in_its_own_direction(build_world: Build) -> None:
    world = build_world(20, {"mood_shift": 0.5, "placebo_mood": 0.2, "sleep_shift": -0.3, "ibs_shift": 0.4})
    wide = truth(world).pivot(index=["subject_id", "visit", "outcome"], columns="arm", values="value")
    change = (wide["active"] - wide["placebo"]).unstack("visit")[["baseline", "week 4"]]
    worse = ["bdi", "stai_state", "stai_trait", "panas_negative", "ibs_sss"]
    better = ["panas_positive", "psqi", "isi", "sleep_latency_diary_min", "night_awakenings_n"]
    assert (change["baseline"] == 0).all()
    for outcomes, sign in ((worse, 1), (better, -1)):
        moved = change["week 4"].loc[(slice(None), outcomes)]
        assert (sign * moved > 0).all(), outcomes
    assert (change["week 4"].loc[(slice(None), ["tst_diary_h"])] > 0).all()
    untouched = ["crp_mg_l", "faecal_butyrate_mmol_kg", "tst_actigraphy_h", "waso_actigraphy_min"]
    assert (change["week 4"].loc[(slice(None), untouched)].fillna(0) == 0).all()


def test_an_effect_of_a_tenth_sd_is_about_one_bdi_point(build_world: Build) -> None:
    """0.1 SD of the latent moves a population by roughly 0.8 points of BDI (mean 9, SD 8.5)."""
    world = build_world(150, {"mood_shift": -0.1})
    wide = truth(world).pivot(index=["subject_id", "visit", "outcome"], columns="arm", values="value")
    change = (wide["active"] - wide["placebo"]).unstack("visit")["week 4"].loc[(slice(None), ["bdi"])]
    assert -1.2 < change.mean() < -0.5


def test_a_failed_subject_has_missing_values_and_says_why(build_world: Build) -> None:
    world = build_world(6, failed=(2,))
    data, table = watch(world), truth(world)
    name = world.cohort.subject_ids[2]
    assert data.subjects.set_index("subject_id").loc[name, "status"] == "the integrator gave up on day 3"
    assert data.outcomes.loc[data.outcomes["subject_id"] == name, "value"].isna().all()
    assert data.outcomes.loc[data.outcomes["subject_id"] != name, "value"].notna().mean() > 0.95
    assert table.loc[table["subject_id"] == name, "value"].isna().all()
    assert name not in set(data.samples["subject_id"])
    assert len(data.samples) == 5 * 4


def test_who_leaves_has_no_later_values(build_world: Build, protocol_text: str) -> None:
    text = protocol_text.replace("events: {}", "events: {dropout: 50 %/4wk, antibiotics: 30 %/4wk}")
    world = build_world(120, text=text)
    data = watch(world)
    left = data.events[data.events["event"] == "dropout"].set_index("subject_id")["day"]
    # Over six weeks 1 - 0.5^1.5 = 65 % leave.
    assert left.between(0, world.protocol.end_day).all()
    assert len(left) / 120 == pytest.approx(0.646, abs=0.13)
    days = data.outcomes["subject_id"].map(left).fillna(np.inf)
    assert data.outcomes.loc[data.outcomes["day"] > days, "value"].isna().all()
    kept = data.outcomes.loc[data.outcomes["day"] <= days]
    assert kept["value"].notna().mean() > 0.99
    status = data.subjects.set_index("subject_id")["status"]
    assert status[status != "ok"].index.tolist() == sorted(left.index)
    assert status[left.index[0]] == f"left the study on day {left.iloc[0]:.0f}; later visits are missing"
    taken = data.events[data.events["event"] == "antibiotics"]
    assert len(taken) > 10
    assert (taken["day"] <= taken["subject_id"].map(left).fillna(np.inf)).all()
    assert (data.samples["day"] <= data.samples["subject_id"].map(left).fillna(np.inf)).all()
    assert truth(world)["value"].notna().all()


def test_change_is_measured_from_the_visit_before_treatment(still: World, data: TrialData) -> None:
    assert baseline_visit(still.protocol) == "baseline"
    row = data.outcomes.query("outcome == 'bdi' and visit == 'week 4'").iloc[0]
    first = data.outcomes.query("outcome == 'bdi' and visit == 'baseline'").iloc[0]
    assert row["subject_id"] == first["subject_id"]
    assert row["baseline"] == first["value"]
    assert row["change"] == row["value"] - first["value"]


def test_missed_doses_are_reported(build_world: Build, protocol_text: str) -> None:
    text = protocol_text.replace("events: {}", "events: {adherence: {mean: 0.8, sd: 0.1}}")
    taken = watch(build_world(60, text=text)).subjects["doses_taken"]
    assert taken.between(0, 1).all()
    assert taken.mean() == pytest.approx(0.8, abs=0.06)


def test_subjects_without_an_arm_or_a_trajectory_are_an_error(few: World) -> None:
    arms = dict(list(few.assignment.items())[1:])
    with pytest.raises(ValueError, match="every subject needs an arm"):
        observe(few.protocol, few.cohort, arms, few.trajectories, 1)
    with pytest.raises(ValueError, match="was not simulated for S00"):
        observe(few.protocol, few.cohort, few.assignment, few.take([0, 1]).trajectories, 1)


def test_an_unknown_technology_is_refused(few: World) -> None:
    with pytest.raises(InputError, match='did you mean "V4"'):
        watch(few, technology="V4a")


def test_an_assignment_may_be_a_series(few: World) -> None:
    series = pd.Series(few.assignment, name="arm")
    first = observe(few.protocol, few.cohort, series, few.trajectories, SEED)
    pd.testing.assert_frame_equal(first.outcomes, watch(few).outcomes)
