"""A small protocol, and trials made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from vagus.analysis import EffectEstimate
from vagus.analysis.cases import collect_cases
from vagus.analysis.request import Request
from vagus.trial import TrialData, make_outcomes, outcome

TEXT = """\
vagus: 1
trial: {id: small, title: "A small trial", design: parallel}
population: {from: adults-poor-sleep, n: 60, baseline_microbiome: {from: healthy-adults}}
arms:
  placebo: {maltodextrin: 5 g/day}
  low:     {2FL: 2 g/day}
  high:    {2FL: 5 g/day}
schedule: {run_in: 2 wk, treat: 8 wk, follow: 2 wk, visits: [0, 4, 8] wk}
measures: {ISI: visits, PSQI: visits, stool_scfa: visits, stool_16S: visits, sleep_diary: daily}
estimands:
  primary:
    variable: ISI change at 8 wk
    contrast: [high - placebo, low - placebo]
    dropout: treatment-policy
    antibiotics: hypothetical
analysis:
  primary: ancova
  secondary:
    - {variable: butyrate ratio at 8 wk, family: gut}
    - {variable: bifidobacterium fold change at 8 wk, contrast: baseline, family: gut}
    - {variable: night awakenings at 8 wk, family: sleep}
    - {variable: PSQI change at 8 wk, method: responders, family: sleep}
  multiplicity: {gut: holm}
"""
ARMS = ("placebo", "low", "high")

Values = Mapping[str, Sequence[tuple[str, float, float]]]


def make_trial(values: Values) -> TrialData:
    """Return a trial from outcome -> rows of (arm, baseline, value at week 8), one row a subject."""
    arms: dict[str, str] = {}
    rows = []
    for name, people in values.items():
        for place, (arm, before, after) in enumerate(people):
            subject = f"S{place:03d}"
            assert arms.setdefault(subject, arm) == arm
            rows.append((subject, "baseline", 0.0, name, before))
            rows.append((subject, "week 8", 56.0, name, after))
    subjects = pd.DataFrame({"subject_id": list(arms), "arm": list(arms.values()), "status": "ok"})
    table = pd.DataFrame(rows, columns=["subject_id", "visit", "day", "outcome", "value"])
    visits = table[["subject_id", "visit", "day"]].drop_duplicates().reset_index(drop=True)
    return TrialData(subjects=subjects, visits=visits, outcomes=make_outcomes(table, subjects, "baseline"))


def estimate(
    method: Callable[..., tuple[EffectEstimate, ...]],
    outcome_id: str,
    people: Sequence[tuple[str, float, float]],
    reference: str = "placebo",
    arms: tuple[str, ...] = ("low", "high"),
) -> dict[str, EffectEstimate]:
    """Return the estimates of one method by arm."""
    data = make_trial({outcome_id: people})
    cases = collect_cases(data, outcome_id, "week 8", ARMS)
    request = Request("primary", outcome(outcome_id), "week 8", arms, reference)
    return {found.arm: found for found in method(request, cases, ARMS)}
