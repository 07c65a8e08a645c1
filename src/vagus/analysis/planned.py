"""The plan of a protocol, carried out on trial data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from vagus.analysis.ancova import ancova, log_ancova
from vagus.analysis.cases import Cases, collect_cases
from vagus.analysis.counts import negative_binomial
from vagus.analysis.estimate import EffectEstimate
from vagus.analysis.fold_change import fold_change
from vagus.analysis.multiplicity import holm
from vagus.analysis.request import Request
from vagus.analysis.responders import responders
from vagus.errors import InputError
from vagus.protocol.types import PlannedAnalysis, Protocol
from vagus.trial.checks import check_arms, check_trial
from vagus.trial.data import TrialData
from vagus.trial.vocabulary import outcome

COMPLETE = "complete"
COMPLETE_CASE = "complete-case"

Method = Callable[[Request, Cases, Sequence[str]], tuple[EffectEstimate, ...]]
METHODS: dict[str, Method] = {
    "ancova": ancova,
    "log_ancova": log_ancova,
    "fold_change": fold_change,
    "negative_binomial": negative_binomial,
    "responders": responders,
}
#: Method -> what its estimate is.
STATISTICS = {
    "ancova": "difference",
    "log_ancova": "ratio",
    "fold_change": "fold_change",
    "negative_binomial": "rate_ratio",
    "responders": "risk_difference",
}
#: Strategies for intercurrent events that complete cases can honor.
_HONORED = ("treatment-policy", "hypothetical")


@dataclass(frozen=True)
class AnalysisResult:
    """What the planned analyses gave.

    Attributes
    ----------
    estimates : tuple of EffectEstimate
        One an arm of each planned analysis, in the order of the plan.
    notes : tuple of str
        Who was missing or set aside, and why there is no estimate where there is none.
    status : str
        ``complete`` (everybody has every value) or ``complete-case``.
    """

    estimates: tuple[EffectEstimate, ...]
    notes: tuple[str, ...]
    status: str

    @property
    def primary(self) -> tuple[EffectEstimate, ...]:
        """Estimates of the primary estimand; the first is the one that the verdict is about."""
        return tuple(estimate for estimate in self.estimates if estimate.estimand == "primary")

    @property
    def failed(self) -> tuple[EffectEstimate, ...]:
        """Estimates without a value or an interval; their `status` says why."""
        return tuple(estimate for estimate in self.estimates if estimate.status != "ok")

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates as a table, one row each (details left out)."""
        rows = [estimate.to_json() for estimate in self.estimates]
        names = [name for name in EffectEstimate.__dataclass_fields__ if name not in ("details", "published")]
        return pd.DataFrame([{name: row[name] for name in names} for row in rows], columns=names)


def analyze(protocol: Protocol, data: TrialData) -> AnalysisResult:
    """Carry out every planned analysis on a trial, simulated or real.

    Parameters
    ----------
    protocol : Protocol
        Its `plan` is followed to the letter; `estimands` say how intercurrent events count; `analysis.multiplicity`
        names the families that are adjusted.
    data : TrialData
        The trial. Latent states are not part of it.

    Returns
    -------
    AnalysisResult
        Estimates with intervals; one that cannot be computed stays in its place with the reason as its status.

    Raises
    ------
    InputError
        The data are no trial (repeated rows, strangers, no numbers) or have an arm that the protocol does not have.
    """
    problems = check_trial(data)
    if not problems:
        problems = check_arms(data, protocol.arms)
    if problems:
        raise InputError(problems)
    estimates: list[EffectEstimate] = []
    families: list[str] = []
    notes: list[str] = []
    for planned in protocol.plan:
        found = _carry_out(planned, protocol, data, notes)
        estimates += found
        families += [planned.family] * len(found)
    estimates = _adjust(estimates, families, protocol, notes)
    gaps = any(
        count
        for estimate in estimates
        for key in ("missing_by_arm", "set_aside_by_arm")
        for count in estimate.details.get(key, {"": 1}).values()
    )
    return AnalysisResult(tuple(estimates), tuple(dict.fromkeys(notes)), COMPLETE_CASE if gaps else COMPLETE)


def estimand_name(planned: PlannedAnalysis) -> str:
    """Return the id that the estimates of a planned analysis carry."""
    return "primary" if planned.estimand == "primary" else f"secondary.{planned.outcome}"


def _carry_out(
    planned: PlannedAnalysis, protocol: Protocol, data: TrialData, notes: list[str]
) -> tuple[EffectEstimate, ...]:
    name = estimand_name(planned)
    request = Request(name, outcome(planned.outcome), planned.visit, planned.arms, planned.reference)
    if reason := _why_no_data(request, data):
        notes.append(reason)
        return tuple(request.cannot(arm, STATISTICS[planned.method], reason) for arm in planned.arms)
    excluded, refusal = _excluded(planned, protocol, data, notes)
    if refusal:
        notes.append(refusal)
        return tuple(request.cannot(arm, STATISTICS[planned.method], refusal) for arm in planned.arms)
    cases = collect_cases(data, planned.outcome, planned.visit, tuple(protocol.arms), excluded)
    _note_missing(request, cases, notes)
    found = METHODS[planned.method](request, cases, tuple(protocol.arms))
    _note_set_aside(request, cases, found, notes)
    for estimate in found:
        if estimate.status != "ok":
            notes.append(f"{request.outcome.label} at {request.visit}, {estimate.arm}: {estimate.status}")
    return found


def _why_no_data(request: Request, data: TrialData) -> str:
    """Return why an outcome or visit is not there at all; empty where it is."""
    rows = data.outcomes[data.outcomes["outcome"] == request.outcome.id]
    if not rows["value"].notna().any():
        there = ", ".join(sorted(set(map(str, data.outcomes["outcome"])))) or "none"
        return f"The data have no {request.outcome.label} ({request.outcome.id}); outcomes in the data: {there}."
    if request.visit not in set(rows["visit"]):
        there = ", ".join(dict.fromkeys(map(str, rows.sort_values("day")["visit"])))
        return f'The data have no {request.outcome.label} at "{request.visit}"; visits in the data: {there}.'
    return ""


def _excluded(
    planned: PlannedAnalysis, protocol: Protocol, data: TrialData, notes: list[str]
) -> tuple[frozenset[str], str]:
    """Return whose value at the visit a hypothetical strategy takes out, or why the strategy is refused."""
    estimand = next(
        (
            item
            for item in protocol.estimands.values()
            if (item.outcome, item.visit) == (planned.outcome, planned.visit)
            and (item.id == "primary") == (planned.estimand == "primary")
        ),
        None,
    )
    if estimand is None:
        return frozenset(), ""
    excluded: set[str] = set()
    for event, strategy in estimand.strategies.items():
        if strategy not in _HONORED or (strategy == "hypothetical" and event == "adherence"):
            known = " and ".join(_HONORED)
            return (
                frozenset(),
                f'Strategy "{strategy}" for {event} cannot be honored yet; complete cases allow {known}.',
            )
        if strategy != "hypothetical":
            continue
        days = data.visits[data.visits["visit"] == planned.visit].set_index("subject_id")["day"]
        happened = data.events[data.events["event"] == event]
        late = happened["subject_id"].map(days)
        # A subject without a day for the visit has no value there either.
        hit = set(happened.loc[pd.to_numeric(happened["day"]) <= pd.to_numeric(late), "subject_id"])
        excluded |= hit
        if hit:
            who = "1 subject" if len(hit) == 1 else f"{len(hit)} subjects"
            text = f"{who} with {event} before {planned.visit} set aside for {planned.outcome}"
            notes.append(f"{text} (hypothetical strategy)")
    return frozenset(excluded), ""


def _note_missing(request: Request, cases: Cases, notes: list[str]) -> None:
    total, everyone = sum(cases.missing.values()), sum(cases.assigned.values())
    if total:
        by_arm = ", ".join(f"{arm} {count}" for arm, count in cases.missing.items() if count)
        what = f"{request.outcome.label} at {request.visit}"
        notes.append(f"{what}: {total} of {everyone} subjects without baseline or value ({by_arm}): complete cases")


def _note_set_aside(request: Request, cases: Cases, found: Sequence[EffectEstimate], notes: list[str]) -> None:
    """Say how many the method itself set aside (values without a logarithm), beyond the estimand's strategy."""
    most: dict[str, int] = {}
    for estimate in found:
        for arm, count in estimate.details.get("set_aside_by_arm", {}).items():
            most[arm] = count - cases.set_aside[arm]
    if total := sum(most.values()):
        by_arm = ", ".join(f"{arm} {count}" for arm, count in most.items() if count)
        what = f"{request.outcome.label} at {request.visit}"
        notes.append(f"{what}: {total} subjects with a zero, which has no logarithm, set aside ({by_arm})")


def _adjust(
    estimates: list[EffectEstimate], families: list[str], protocol: Protocol, notes: list[str]
) -> list[EffectEstimate]:
    """Fill in `p_adjusted` of the families that the protocol adjusts."""
    adjusted = list(estimates)
    for family, method in protocol.analysis.multiplicity.items():
        members = [place for place, name in enumerate(families) if name == family]
        if method != "holm" or not members:
            continue
        values = holm([estimates[place].p_value for place in members])
        for place, value in zip(members, values):
            adjusted[place] = replace(adjusted[place], p_adjusted=value)
        if untested := sum(value is None for value in values):
            notes.append(f"{untested} of {len(members)} analyses of family {family} have no p; Holm counts the others")
    return adjusted
