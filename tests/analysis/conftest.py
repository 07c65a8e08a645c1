"""A small protocol and trials made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from vagus.analysis import EffectEstimate
from vagus.analysis.cases import collect_cases
from vagus.analysis.request import Request
from vagus.protocol import Protocol, parse
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


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return parse(TEXT, "small.yaml")


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


@pytest.fixture(scope="session")
def full() -> TrialData:
    """Every outcome of the plan for 60 people."""
    rng = np.random.default_rng(11)
    arms = [ARMS[place % 3] for place in range(60)]
    shift = np.array([ARMS.index(arm) for arm in arms], dtype=float)
    before = rng.integers(10, 25, 60)
    after = np.clip(before - 2 * shift - rng.integers(0, 5, 60), 0, 28)
    acid = np.exp(rng.normal(2.5, 0.5, 60))
    acid_after = acid * np.exp(0.2 * shift + rng.normal(0, 0.3, 60))
    genus = np.exp(rng.normal(1, 1, 60))
    woke = rng.poisson(2, 60)
    return make_trial(
        {
            "isi": [(a, float(x), float(y)) for a, x, y in zip(arms, before, after)],
            "psqi": [(a, float(x // 2 + 6), float(y // 2 + 3)) for a, x, y in zip(arms, before, after)],
            "faecal_butyrate_mmol_kg": list(zip(arms, acid.tolist(), acid_after.tolist())),
            "bifidobacterium_rel_abundance_pct": [(a, float(x), float(x * 2)) for a, x in zip(arms, genus)],
            "night_awakenings_n": [(a, float(x), float(y)) for a, x, y in zip(arms, woke, rng.poisson(2, 60))],
        }
    )
