"""What a trial must hold, whoever made it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vagus.trial import TrialData, make_outcomes
from vagus.trial.checks import check_arms, check_trial


@pytest.fixture
def trial() -> TrialData:
    subjects = pd.DataFrame({"subject_id": ["S1", "S2"], "arm": ["placebo", "hmo"], "status": "ok"})
    values = pd.DataFrame(
        [("S1", "baseline", 0.0, "isi", 14.0), ("S1", "week 8", 56.0, "isi", 12.0), ("S2", "week 8", 56.0, "isi", 9.0)],
        columns=["subject_id", "visit", "day", "outcome", "value"],
    )
    return TrialData(
        subjects=subjects,
        visits=values[["subject_id", "visit", "day"]],
        outcomes=make_outcomes(values, subjects, "baseline"),
        samples=pd.DataFrame({"sample_id": ["x1"], "subject_id": ["S1"], "visit": ["baseline"], "day": [0.0]}),
        features=pd.DataFrame({"Bifidobacterium": [5], "Blautia": [7]}, index=pd.Index(["x1"], name="sample_id")),
        feature_kind="counts",
    )


def said(trial: TrialData) -> str:
    return "\n".join(map(str, check_trial(trial)))


def test_a_sound_trial_has_no_problems(trial):
    assert check_trial(trial) == []
    assert check_arms(trial, ["placebo", "hmo"]) == []


def test_change_is_missing_where_the_baseline_is(trial):
    row = trial.outcomes.set_index(["subject_id", "visit"]).loc[("S2", "week 8")]
    assert np.isnan(row["baseline"])
    assert np.isnan(row["change"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subjects": lambda t: t.subjects.iloc[:0]}, "A trial must have at least one subject"),
        ({"subjects": lambda t: t.subjects.rename(columns={"arm": "arms"})}, 'column "arm"; did you mean "arms"?'),
        ({"subjects": lambda t: pd.concat([t.subjects] * 2)}, "each subject_id once, got 2 more, first subject_id"),
        ({"visits": lambda t: pd.concat([t.visits] * 2)}, "Table visits must hold each subject_id and visit once"),
        ({"outcomes": lambda t: pd.concat([t.outcomes] * 2)}, "each subject_id and visit and outcome once"),
        ({"outcomes": lambda t: t.outcomes.replace("S2", "S9")}, 'name subjects of the trial, got "S9" (1 unknown)'),
        ({"outcomes": lambda t: t.outcomes.assign(value=np.inf)}, "must be finite numbers or missing"),
        ({"outcomes": lambda t: t.outcomes.assign(value="x")}, 'must be finite numbers or missing, got "x" (3 values)'),
        ({"samples": lambda t: t.samples.assign(sample_id="y")}, 'hold samples of the trial, got "x1" (1 unknown)'),
        ({"features": lambda t: -t.features}, 'got -5 for "Bifidobacterium"'),
        ({"features": lambda t: t.features / 2}, "must hold whole numbers, 0 or more, got 2.5"),
        ({"feature_kind": lambda t: ""}, 'Kind of the feature table must be counts or fractions, got ""'),
        ({"feature_kind": lambda t: "fractions"}, "must hold fractions between 0 and 1, got 5"),
    ],
)
def test_what_is_wrong_is_said(trial, change, message):
    changed = replace(trial, **{name: make(trial) for name, make in change.items()})
    assert message in said(changed)


def test_arms_that_the_protocol_does_not_have(trial):
    (problem,) = check_arms(trial, ["placebo", "HMO"])
    assert 'must be one of the protocol, got "hmo" (1 subjects); did you mean "HMO"?' in str(problem)
