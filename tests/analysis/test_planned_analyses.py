"""The plan is followed to the letter, and whoever is missing is counted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_trial import make_trial

from vagus.analysis import EffectEstimate, analyze, holm
from vagus.errors import InputError
from vagus.protocol import parse


def by_key(result) -> dict[tuple[str, str, str], EffectEstimate]:
    return {(e.outcome, e.statistic, e.arm): e for e in result.estimates}


def test_every_planned_analysis_has_its_estimates(protocol, full):
    result = analyze(protocol, full)
    planned = [
        ("primary" if item.estimand == "primary" else f"secondary.{item.outcome}", item.outcome, arm, item.reference)
        for item in protocol.plan
        for arm in item.arms
    ]
    assert [(e.estimand, e.outcome, e.arm, e.contrast) for e in result.estimates] == planned
    assert {e.visit for e in result.estimates} == {"week 8"}
    assert [e.arm for e in result.primary] == ["high", "low"]
    assert result.status == "complete"
    found = by_key(result)
    # Everybody's share doubled: a fold change of 2 without any spread to make an interval from.
    doubled = found["bifidobacterium_rel_abundance_pct", "fold_change", "low"]
    assert doubled.estimate == pytest.approx(2, rel=0.02)
    assert found["isi", "difference", "high"].estimate < found["isi", "difference", "low"].estimate < 0
    assert found["faecal_butyrate_mmol_kg", "ratio", "high"].estimate > 1
    assert found["night_awakenings_n", "rate_ratio", "high"].statistic == "rate_ratio"
    assert found["psqi", "risk_difference", "high"].details["responders_arm"] >= 0


def test_holm_is_applied_within_its_family_only(protocol, full):
    result = analyze(protocol, full)
    family = [e for e in result.estimates if e.outcome.startswith(("faecal", "bifido"))]
    assert [e.p_adjusted for e in family] == list(holm([e.p_value for e in family]))
    assert all(e.p_adjusted is None for e in result.estimates if e not in family)


def test_missing_people_are_counted_and_nobody_is_dropped(protocol, full):
    subjects = pd.concat([full.subjects, pd.DataFrame([("S999", "low", "never came")], columns=full.subjects.columns)])
    rows = full.outcomes
    gone = (rows["subject_id"] == "S000") & (rows["outcome"] == "isi") & (rows["visit"] == "week 8")
    blank = (rows["subject_id"] == "S001") & (rows["outcome"] == "isi") & (rows["visit"] == "baseline")
    table = rows[~gone].copy()
    table.loc[blank.reindex(table.index), "value"] = np.nan
    table.loc[(table["subject_id"] == "S001") & (table["outcome"] == "isi"), "baseline"] = np.nan
    result = analyze(protocol, replace(full, subjects=subjects.reset_index(drop=True), outcomes=table))
    high = by_key(result)["isi", "difference", "high"]
    assert result.status == "complete-case"
    assert high.n == 58
    assert high.details["missing_by_arm"] == {"placebo": 1, "low": 2, "high": 0}
    assert (
        "ISI at week 8: 3 of 61 subjects without baseline or value (placebo 1, low 2): complete cases" in result.notes
    )


def test_hypothetical_strategy_takes_values_after_the_event_out(protocol, full):
    events = pd.DataFrame(
        [("S002", 20.0, "antibiotics"), ("S005", 57.0, "antibiotics"), ("S003", 20.0, "dropout")],
        columns=["subject_id", "day", "event"],
    )
    result = analyze(protocol, replace(full, events=events))
    found = by_key(result)
    assert found["isi", "difference", "high"].n == 59  # antibiotics after the visit do not count
    assert found["isi", "difference", "high"].details["set_aside_by_arm"] == {"placebo": 0, "low": 0, "high": 1}
    assert found["faecal_butyrate_mmol_kg", "ratio", "high"].n == 60  # no estimand asks for it there
    assert "1 subject with antibiotics before week 8 set aside for isi (hypothetical strategy)" in result.notes
    assert result.status == "complete-case"


def test_strategies_that_complete_cases_cannot_honor_are_refused(protocol, full):
    text = protocol.source_text.replace("dropout: treatment-policy", "dropout: composite")
    result = analyze(parse(text, "small.yaml"), full)
    assert all('Strategy "composite" for dropout cannot be honored yet' in e.status for e in result.primary)
    assert all(math.isnan(e.estimate) and e.p_value is None for e in result.primary)
    assert len(result.failed) >= 2


def test_outcomes_and_visits_that_are_not_there(protocol, full):
    without = full.outcomes[~full.outcomes["outcome"].isin(["psqi"])]
    without = without[~((without["outcome"] == "isi") & (without["visit"] == "week 8"))]
    result = analyze(protocol, replace(full, outcomes=without))
    found = by_key(result)
    assert (
        'The data have no ISI at "week 8"; visits in the data: baseline.' in found["isi", "difference", "high"].status
    )
    assert "The data have no PSQI (psqi); outcomes in the data:" in found["psqi", "risk_difference", "low"].status
    assert len(result.estimates) == sum(len(item.arms) for item in protocol.plan)


def test_arm_that_nobody_is_in(protocol, full):
    some = full.subjects["arm"] != "low"
    ids = set(full.subjects.loc[some, "subject_id"])
    data = replace(
        full,
        subjects=full.subjects[some],
        visits=full.visits[full.visits["subject_id"].isin(ids)],
        outcomes=full.outcomes[full.outcomes["subject_id"].isin(ids)],
    )
    found = by_key(analyze(protocol, data))
    assert found["isi", "difference", "low"].status == 'Nobody in the data is in arm "low".'
    assert found["isi", "difference", "high"].status == "ok"


def test_bad_trials_are_refused(protocol, full):
    with pytest.raises(InputError, match='Arm of the data must be one of the protocol, got "lo"'):
        analyze(protocol, replace(full, subjects=full.subjects.replace("low", "lo")))
    with pytest.raises(InputError, match="Table outcomes must hold each subject_id and visit and outcome once"):
        analyze(protocol, replace(full, outcomes=pd.concat([full.outcomes, full.outcomes.iloc[:1]])))


def test_estimates_as_a_table_and_as_json(protocol, full):
    result = analyze(protocol, full)
    table = result.to_frame()
    assert len(table) == len(result.estimates)
    assert {"estimand", "outcome", "arm", "contrast", "estimate", "p_adjusted", "n", "status"} <= set(table.columns)
    plain = result.estimates[0].to_json()
    assert plain["details"]["n_by_arm"] == {"placebo": 20, "low": 20, "high": 20}
    assert type(plain["estimate"]) is float


def test_other_visits_do_not_matter(protocol):
    people = [
        (arm, float(b), float(b - d)) for arm, b, d in [("placebo", 14, 1), ("placebo", 15, 3), ("placebo", 13, 2)]
    ]
    people += [("high", 15.0, 9.0), ("high", 14.0, 9.0), ("high", 18.0, 10.0)]
    data = make_trial({"isi": people})
    more = data.outcomes[data.outcomes["visit"] == "week 8"].assign(visit="week 4", day=28.0, value=20.0)
    early = analyze(protocol, data)
    late = analyze(protocol, replace(data, outcomes=pd.concat([data.outcomes, more], ignore_index=True)))
    assert early.primary[0] == late.primary[0]
