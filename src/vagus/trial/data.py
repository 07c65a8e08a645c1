"""`TrialData`: tidy tables with ADaM ideas in lower case."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

SUBJECTS = ("subject_id", "arm")
VISITS = ("subject_id", "visit", "day")
OUTCOMES = ("subject_id", "arm", "visit", "day", "outcome", "value", "baseline", "change")
SAMPLES = ("sample_id", "subject_id", "visit", "day")
EVENTS = ("subject_id", "day", "event")


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


@dataclass(frozen=True)
class TrialData:
    """What a trial observed; simulated and real trials are the same type.

    Attributes
    ----------
    subjects : pandas.DataFrame
        One row a subject: ``subject_id, arm, status`` and covariates. Nobody is ever removed: `status` is ``ok`` or a
        sentence that says why values are missing.
    visits : pandas.DataFrame
        ``subject_id, visit, day``; `day` counts from the start of treatment.
    outcomes : pandas.DataFrame
        ``subject_id, arm, visit, day, outcome, value, baseline, change``; one row a subject, visit and outcome.
    samples : pandas.DataFrame
        ``sample_id, subject_id, visit, day`` and sample facts; one row a stool sample.
    features : pandas.DataFrame
        Samples x taxa, index `sample_id`, columns taxon names.
    events : pandas.DataFrame
        ``subject_id, day, event`` (dropout, antibiotics, missed_dose_days, ...).
    feature_kind : str
        ``counts`` (reads) or ``fractions``; empty where there is no feature table.
    notes : tuple of str
        What was dropped, merged or converted on the way in.
    truth : pandas.DataFrame or None
        Simulated trials only: ``subject_id, arm, visit, outcome, value``: the expected value (no measurement noise) of
        every subject under every arm, so that each estimand is known.
    """

    subjects: pd.DataFrame
    visits: pd.DataFrame = field(default_factory=lambda: _empty(VISITS))
    outcomes: pd.DataFrame = field(default_factory=lambda: _empty(OUTCOMES))
    samples: pd.DataFrame = field(default_factory=lambda: _empty(SAMPLES))
    features: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: pd.DataFrame = field(default_factory=lambda: _empty(EVENTS))
    feature_kind: str = ""
    notes: tuple[str, ...] = ()
    truth: pd.DataFrame | None = None


def make_outcomes(values: pd.DataFrame, subjects: pd.DataFrame, baseline_visit: str) -> pd.DataFrame:
    """Add arm, baseline and change to long values.

    Parameters
    ----------
    values : pandas.DataFrame
        ``subject_id, visit, day, outcome, value``, one row a subject, visit and outcome.
    subjects : pandas.DataFrame
        ``subject_id, arm``.
    baseline_visit : str
        Label of the visit whose value is the baseline.

    Returns
    -------
    pandas.DataFrame
        The columns of `OUTCOMES`; baseline and change are missing where the baseline is.
    """
    keys = ["subject_id", "outcome"]
    base = values.loc[values["visit"] == baseline_visit, [*keys, "value"]].rename(columns={"value": "baseline"})
    table = values.merge(subjects[["subject_id", "arm"]], on="subject_id", how="left", validate="many_to_one")
    table = table.merge(base, on=keys, how="left", validate="many_to_one")
    table["change"] = table["value"] - table["baseline"]
    table = table.sort_values(["outcome", "subject_id", "day", "visit"], kind="stable")
    return table[list(OUTCOMES)].reset_index(drop=True)
