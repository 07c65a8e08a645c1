"""What published studies reported, exactly as stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pandas as pd

from vagus import resources
from vagus.errors import InputError, nearest

#: What stands where a study names no contrast.
NOT_STATED = "not stated"


@dataclass(frozen=True)
class PublishedRow:
    """One reported result.

    Attributes
    ----------
    arm, outcome, week : str
        As stored; `outcome` is the study's name of it.
    ours : str
        Outcome of the vocabulary that it is set beside; empty where there is none.
    direction : str
        Stored value: a word, or a number as text.
    statistic : str
        What the value is (``direction``, ``mean``, ...).
    contrast : str
        Stored contrast, or ``not stated``.
    as_worded : str
        Stored note: how the source says it.
    seen : str
        Where the number was seen (abstract, table, ...).
    """

    arm: str
    outcome: str
    week: str
    ours: str
    direction: str
    statistic: str
    contrast: str
    as_worded: str
    seen: str

    def beside(self) -> dict[str, str]:
        """Return what is printed beside a prediction: nothing but what is stored."""
        return {"direction": self.direction, "contrast": self.contrast, "as_worded": self.as_worded}

    def apart(self) -> dict[str, str]:
        """Return the whole row for the list of results that are no arm effect against the control."""
        return {"arm": self.arm, "outcome": self.outcome, "week": self.week, **self.beside()}


@cache
def studies() -> pd.DataFrame:
    """Return the studies table, every cell as text."""
    return resources.table("evidence", "data", "studies.csv")


def published_rows(study_id: str) -> tuple[PublishedRow, ...]:
    """Return all stored rows of one study.

    Raises
    ------
    InputError
        Unknown study id.
    """
    known = list(studies()["study_id"])
    if study_id not in known:
        raise InputError(f'No study "{study_id}" in the evidence base; {nearest(study_id, known)}')
    mapped = resources.rows("evidence", "data", "outcome_map.csv")
    ours = {row["published_outcome"]: row["outcome"] for row in mapped}
    return tuple(
        PublishedRow(
            arm=row["arm"],
            outcome=row["outcome"],
            week=row["week"],
            ours=ours.get(row["outcome"], ""),
            direction=row["value"],
            statistic=row["statistic"],
            contrast=row["contrast_vs"] or NOT_STATED,
            as_worded=row["note"],
            seen=row["seen"],
        )
        for row in resources.rows("evidence", "data", "outcomes.csv")
        if row["study_id"] == study_id
    )


def published_effects(
    study_id: str, arms: dict[str, str], control_names: tuple[str, ...]
) -> tuple[dict[tuple[str, str], PublishedRow], tuple[PublishedRow, ...]]:
    """Split a study's rows into arm effects and the rest.

    Parameters
    ----------
    study_id : str
        Study in the evidence base.
    arms : dict
        Name of an arm in the study -> arm of the protocol.
    control_names : tuple of str
        Contrasts that mean "against the control arm".

    Returns
    -------
    effects : dict of (arm of the protocol, outcome of the vocabulary) to PublishedRow
        Reported effects of one arm, against the control or with no contrast stated.
    apart : tuple of PublishedRow
        Everything else: comparisons between active arms, correlations, statements about all arms.
    """
    effects: dict[tuple[str, str], PublishedRow] = {}
    apart: list[PublishedRow] = []
    for row in published_rows(study_id):
        key = (arms.get(row.arm, ""), row.ours)
        against_control = row.contrast in (NOT_STATED, *control_names)
        if all(key) and row.statistic == "direction" and against_control and key not in effects:
            effects[key] = row
        else:
            apart.append(row)
    return effects, tuple(apart)
