"""Expected effects: what is true of the draws, and how the interval of a trial's estimate is made."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest

from vagus import api
from vagus.design.estimates import Z95
from vagus.design.prediction import Effect, _Truth, shares
from vagus.observation import loadings
from vagus.protocol import PlannedAnalysis
from vagus.report import render_html
from vagus.report.assemble import simulated_content
from vagus.report.record import dump_content, load_content

SMALL = {
    "population.n": "8",
    "schedule": "{run_in: 2 d, treat: 1 wk, visits: [0, 1] wk}",
    "estimands.primary.variable": "BDI change at 1 wk",
    "events.dropout": "0 %/4wk",
}


@pytest.fixture(scope="module")
def run() -> api.Run:
    return api.simulate(api.read_protocol("efficad", SMALL), draws=3, people_per_draw=3, seed=2)


@pytest.fixture(scope="module")
def answer(run: api.Run) -> api.Answer:
    return api.predict(run)


def planned(method: str, reference: str = "placebo", outcome: str = "bdi") -> PlannedAnalysis:
    return PlannedAnalysis(
        estimand="primary", outcome=outcome, visit="week 1", method=method, arms=("a",), reference=reference, family="x"
    )


def truth(values: dict[tuple[str, str], list[float]], outcome: str = "bdi") -> pd.DataFrame:
    rows = [
        {"subject_id": f"S{place}", "arm": arm, "visit": visit, "outcome": outcome, "value": value}
        for (arm, visit), column in values.items()
        for place, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_a_difference_is_the_mean_of_the_peoples_own_differences() -> None:
    table = truth({("placebo", "week 1"): [10.0, 12.0], ("a", "week 1"): [9.0, 8.0]})
    assert _Truth(table).effect(planned("ancova"), "a") == pytest.approx((-2.5, np.sqrt(4.5)))


def test_a_ratio_is_of_geometric_means() -> None:
    table = truth({("placebo", "week 1"): [1.0, 4.0], ("a", "week 1"): [2.0, 8.0]}, "faecal_butyrate_mmol_kg")
    effect, _ = _Truth(table).effect(planned("log_ancova", outcome="faecal_butyrate_mmol_kg"), "a")
    assert effect == pytest.approx(np.log(2))


def test_a_fold_change_is_against_the_own_baseline() -> None:
    name = "bifidobacterium_rel_abundance_pct"
    table = truth({("a", "baseline"): [0.98, 0.98], ("a", "week 1"): [1.98, 3.98]}, name)
    effect, _ = _Truth(table).effect(planned("fold_change", "baseline", name), "a")
    assert effect == pytest.approx(0.5 * (np.log(2) + np.log(4)))


def test_rates_are_compared_by_their_means() -> None:
    table = truth({("placebo", "week 1"): [1.0, 3.0], ("a", "week 1"): [1.0, 1.0]}, "night_awakenings_n")
    effect, _ = _Truth(table).effect(planned("negative_binomial", outcome="night_awakenings_n"), "a")
    assert effect == pytest.approx(np.log(0.5))


def test_shares_sum_to_one_and_follow_their_causes() -> None:
    effect = Effect(planned("ancova"), "a", "placebo", False, 0.0, np.array([-1.0, 1.0]), 0.5)
    parts = shares(effect, trial_se=1.0, measured_sd=2.0, true_sd=1.0)
    assert sum(parts.values()) == pytest.approx(1)
    assert parts["parameters"] == pytest.approx(2 / 3)
    assert parts["measurement and moment"] == pytest.approx(0.75 / 3)
    assert shares(replace(effect, draws=np.array([])), 0.0, 0.0, 0.0) == {}


def test_every_planned_contrast_is_predicted_once(run: api.Run, answer: api.Answer) -> None:
    wanted = [(item.outcome, arm) for item in run.protocol.plan for arm in item.arms]
    assert [(item.outcome, item.arm) for item in answer.estimates] == wanted
    assert answer.status == "complete"


def test_the_interval_joins_parameters_and_sampling(run: api.Run, answer: api.Answer) -> None:
    for effect, item in zip(run.prediction.effects, answer.estimates, strict=True):
        trial = item.details["simulated_trial"]
        assert item.se == pytest.approx(np.hypot(effect.parameter_sd, trial["se"]))
        center = np.log(item.estimate) if effect.log else item.estimate
        high = np.log(item.ci_high) if effect.log else item.ci_high
        assert high == pytest.approx(center + Z95 * item.se)
        assert item.p_value is None
        assert item.df is None


def test_the_unexplained_path_stands_apart_in_every_questionnaire(run: api.Run, answer: api.Answer) -> None:
    for item in answer.estimates:
        paths = item.details["paths"]
        if item.outcome not in loadings():
            assert paths is None
            continue
        loading = loadings()[item.outcome]
        course = {arm: run.prediction.bands[f"{loading.shift}_direct"][arm][:, -1] for arm in (item.arm, item.contrast)}
        direct = loading.loading * (course[item.arm] - course[item.contrast])
        assert paths["direct, unexplained path"]["mean"] == pytest.approx(direct.mean(), abs=1e-15)
        # A sum score rises with its trait: the two paths together have the sign of what they do to it.
        both = sum(part["mean"] for part in paths.values())
        assert abs(both) < 1e-4 or np.sign(both) == np.sign(item.estimate)


def test_one_truth_for_every_arm(run: api.Run) -> None:
    known = run.data.truth
    assert known is not None
    first = known[(known["visit"] == "baseline") & (known["outcome"] == "bdi")]
    spread = first.groupby("subject_id")["value"].agg(lambda column: column.max() - column.min())
    assert spread.max() == pytest.approx(0, abs=1e-9)


def test_placebo_against_itself_would_be_nothing(run: api.Run) -> None:
    known = _Truth(run.prediction.truth)
    assert known.effect(planned("ancova"), "placebo") == (0.0, 0.0)


def test_json_is_plain_and_has_no_time_path_or_id(answer: api.Answer) -> None:
    text = json.dumps(answer.to_json(), allow_nan=False)
    found = json.loads(text)
    assert set(found) == {"verdict", "estimates", "rests_on", "status", "notes", "published_apart", "numerics"}
    assert found["estimates"][0]["published"]["contrast"] == "not stated"


def test_the_analysis_of_a_run_is_the_analysis_of_its_data(run: api.Run, answer: api.Answer) -> None:
    on_run = api.analyze(run.protocol, run)
    on_data = api.analyze(run.protocol, replace(run.data, truth=None))
    assert [item.to_json() for item in on_run.estimates] == [item.to_json() for item in on_data.estimates]
    first = on_run.estimates[0]
    assert answer.estimates[0].details["simulated_trial"]["estimate"] == first.estimate


def test_trajectories_are_labelled(run: api.Run) -> None:
    cube = run.trajectories
    assert cube["il6_pg_ml"].dims == ("arm", "subject", "time")
    assert list(cube.arm.values) == ["placebo", "OF", "OF+2FL", "2FL"]
    assert float(cube.time[0]) == -1.5


def test_a_report_is_the_same_after_its_record(run: api.Run, answer: api.Answer) -> None:
    content = simulated_content(
        run.protocol,
        answer.verdict,
        answer.estimates,
        answer.published_apart,
        answer.rests_on,
        answer.notes,
        answer.data,
        run.prediction,
        {"seed": "2"},
    )
    again = load_content(dump_content(content), "report.json")
    assert dump_content(again) == dump_content(content)
    assert render_html(again) == render_html(content)

    # The direct, unexplained path apart from known mechanisms; contested links; what is left out, with the reason.
    titles = [panel.title for panel in content.trajectories]
    for name in ("Low mood", "Sleep complaint"):
        assert {f"{name}: shift by known mechanisms", f"{name}: shift by the direct, unexplained path"} <= set(titles)
    links = {(link.source, link.target): link.prior_only for link in content.rests_on.links}
    assert links["Bifidobacterium", "Low mood"] == "contested"
    assert links["Kyn : Trp", "Low mood"] is True
    assert any(what == "dopamine" and done == "not modelled" and why for what, done, why in content.left_out)
    page = render_html(content)
    assert all(why.split(";")[0][:30] in unescape(page) for _, _, why in content.left_out)


def test_the_same_seed_gives_the_same_answer_whatever_the_threads(run: api.Run, answer: api.Answer) -> None:
    again = api.predict(api.simulate(run.protocol, draws=3, people_per_draw=3, seed=2, jobs=2))
    assert again.to_json() == answer.to_json()


def test_another_seed_gives_other_people(run: api.Run) -> None:
    other = api.simulate(run.protocol, draws=0, seed=3)
    assert not other.cohort.covariates.equals(run.cohort.covariates)
    assert other.prediction.effects[0].parameter_sd == 0
