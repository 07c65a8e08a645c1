"""Who enters an analysis: complete cases, and the count of everybody who does not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from vagus.trial.data import TrialData

#: An arm below this has no spread of its own.
FEWEST = 2


@dataclass(frozen=True)
class Cases:
    """The subjects of one outcome at one visit.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``subject_id, arm, baseline, value``; complete cases only, sorted by subject.
    assigned : dict of str to int
        Subjects of each arm, with or without values.
    missing : dict of str to int
        Subjects of each arm without baseline or value.
    set_aside : dict of str to int
        Subjects of each arm whose value an estimand strategy or the scale takes out.
    """

    frame: pd.DataFrame
    assigned: dict[str, int]
    missing: dict[str, int]
    set_aside: dict[str, int]

    def counts(self) -> dict[str, int]:
        """Return the complete cases of each arm, in the order of the arms."""
        sizes = self.frame["arm"].value_counts()
        return {arm: int(sizes.get(arm, 0)) for arm in self.assigned}

    def keep(self, usable: pd.Series) -> Cases:
        """Return the cases for which `usable` holds; the others count as set aside."""
        out = self.frame.loc[~usable, "arm"].value_counts()
        aside = {arm: count + int(out.get(arm, 0)) for arm, count in self.set_aside.items()}
        return Cases(self.frame[usable].reset_index(drop=True), self.assigned, self.missing, aside)

    def too_few(self, arms: Sequence[str]) -> str:
        """Return a sentence that names the first arm with fewer than two complete cases; empty where none has."""
        sizes = self.counts()
        for arm in arms:
            if self.assigned.get(arm, 0) == 0:
                return f'Nobody in the data is in arm "{arm}".'
            if sizes[arm] < FEWEST:
                found = f"{sizes[arm]} complete cases of {self.assigned[arm]} subjects"
                return f'Arm "{arm}" has {found}; {FEWEST} are needed.'
        return ""


def collect_cases(
    data: TrialData, outcome: str, visit: str, arms: Sequence[str], excluded: Collection[str] = ()
) -> Cases:
    """Return the complete cases of an outcome at a visit.

    Parameters
    ----------
    data : TrialData
        The trial.
    outcome, visit : str
        Outcome of the vocabulary and visit label.
    arms : sequence of str
        Arms of the model.
    excluded : collection of str
        Subjects whose value at this visit does not count (hypothetical strategy).

    Returns
    -------
    Cases
        Sorted by subject, so that the order of rows in the data cannot matter.
    """
    subjects = data.subjects.loc[data.subjects["arm"].isin(list(arms)), ["subject_id", "arm"]]
    rows = data.outcomes[(data.outcomes["outcome"] == outcome) & (data.outcomes["visit"] == visit)]
    frame = subjects.merge(rows[["subject_id", "baseline", "value"]], on="subject_id", how="left")
    frame["baseline"] = pd.to_numeric(frame["baseline"])
    frame["value"] = pd.to_numeric(frame["value"])
    frame = frame.sort_values("subject_id", kind="stable")
    complete = frame["baseline"].notna() & frame["value"].notna()
    out = complete & frame["subject_id"].isin(list(excluded))

    def by_arm(chosen: pd.Series) -> dict[str, int]:
        sizes = frame.loc[chosen, "arm"].value_counts()
        return {arm: int(sizes.get(arm, 0)) for arm in arms}

    kept = frame[complete & ~out].reset_index(drop=True)
    return Cases(kept, by_arm(pd.Series(True, index=frame.index)), by_arm(~complete), by_arm(out))
