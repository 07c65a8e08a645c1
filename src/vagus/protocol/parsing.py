"""From the text of a protocol to the immutable object, or to every problem at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from vagus.errors import InputError, Problem
from vagus.protocol.document import Document, inspect, override
from vagus.protocol.grammar import find_outcomes
from vagus.protocol.product import product
from vagus.protocol.rules import Case, check
from vagus.protocol.schema import ArmPart, Draft, fill
from vagus.protocol.types import (
    Adherence,
    AnalysisPlan,
    Arm,
    Conditions,
    Dose,
    Events,
    Method,
    Population,
    Protocol,
    Schedule,
    Stress,
    VerdictRule,
    Visit,
)


def parse(text: str | bytes, file_name: str, settings: Mapping[str, str] | None = None) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    text : str or bytes
        The whole YAML text.
    file_name : str
        The file as the user named it, for messages.
    settings : mapping of str to str, optional
        ``--set`` values: dotted path to a value in YAML.

    Returns
    -------
    Protocol
        Checked and immutable.

    Raises
    ------
    InputError
        Every problem of structure, units and meaning, each with file and line (or the ``--set`` that it comes from).
    """
    settings = dict(settings or {})
    document, repeated = _open(text, file_name, settings)
    filled = fill(document)
    case = Case(document, filled)
    problems = [*repeated, *filled.problems, *check(case)]
    if problems:
        raise InputError(
            sorted(dict.fromkeys(problems), key=lambda item: (item.file != file_name, item.file, item.line))
        )
    source = text if isinstance(text, str) else text.decode("utf-8-sig")
    return _build(case, file_name, source, settings)


def open_document(text: str, file_name: str, settings: Mapping[str, str]) -> Document:
    """Return the values of a protocol that was read before, settings applied, with their places."""
    return _open(text, file_name, settings)[0]


def _open(text: str | bytes, file_name: str, settings: Mapping[str, str]) -> tuple[Document, tuple[Problem, ...]]:
    document, repeated = inspect(text, file_name)
    return (override(document, settings) if settings else document), repeated


def _build(case: Case, file_name: str, text: str, settings: Mapping[str, str]) -> Protocol:
    """Turn a draft without problems into the protocol."""
    draft = case.draft
    trial, population, schedule, analysis = draft.trial, draft.population, draft.schedule, draft.analysis
    visits = case.visits
    # The rules have seen to it that nothing of this is missing; this says so to the type checker.
    if not (trial and trial.id and trial.title and trial.design and population and schedule and analysis):
        raise AssertionError("a rule let an incomplete protocol pass")
    microbiome = population.baseline_microbiome
    if not (population.source and population.n and microbiome and microbiome.source and schedule.treat and visits):
        raise AssertionError("a rule let an incomplete protocol pass")
    if not (draft.arms and draft.measures and analysis.primary) or case.control is None:
        raise AssertionError("a rule let an incomplete protocol pass")
    events = draft.events
    adherence = events.adherence if events else None
    verdict = draft.verdict.model_dump(exclude_none=True) if draft.verdict else {}
    return Protocol(
        id=trial.id,
        title=trial.title,
        design=cast(Literal["parallel", "single-arm"], trial.design),
        published=draft.published,
        population=Population(
            source=population.source,
            n=population.n,
            baseline_microbiome=microbiome.source,
            entry={find_outcomes(name)[0]: limits for name, limits in (population.entry or {}).items()},
        ),
        arms={name: _arm(name, part) for name, part in draft.arms.items()},
        control=case.control,
        allocation={arm: (draft.allocation or {}).get(arm, 1.0) for arm in draft.arms},
        schedule=Schedule(
            run_in_days=schedule.run_in or 0.0,
            treat_days=schedule.treat,
            follow_days=schedule.follow or 0.0,
            visits=visits,
        ),
        events=Events(
            dropout=events.dropout if events else None,
            adherence=Adherence(
                mean=1.0 if adherence is None or adherence.mean is None else adherence.mean,
                sd=0.0 if adherence is None or adherence.sd is None else adherence.sd,
            ),
            antibiotics=events.antibiotics if events else None,
        ),
        conditions=Conditions(stress=_stress(draft)),
        measures={name: _when(when, visits) for name, when in draft.measures.items()},
        estimands=case.planning.estimands,
        analysis=AnalysisPlan(
            primary=cast(Method, analysis.primary),
            multiplicity=cast(dict[str, Literal["holm", "none"]], analysis.multiplicity or {}),
        ),
        plan=tuple(case.planning.plan),
        verdict=VerdictRule(**verdict),
        model=draft.model or {},
        source_file=file_name,
        source_text=text,
        settings=dict(settings),
    )


def _arm(name: str, part: ArmPart | None) -> Arm:
    doses = part.doses if part else {}
    return Arm(
        id=name,
        label=(part.label if part else None) or name,
        doses=tuple(
            Dose(product=product(item).id, grams_per_day=dose.grams_per_day, at_hour=dose.at_hour, text=dose.text)
            for item, dose in doses.items()
        ),
    )


def _stress(draft: Draft) -> Stress | None:
    part = draft.conditions.stress if draft.conditions else None
    if part is None or not part.size or draft.schedule is None or draft.schedule.treat is None:
        return None
    end = draft.schedule.treat + (draft.schedule.follow or 0.0)
    return Stress(size=part.size, from_day=part.start or 0.0, to_day=end if part.end is None else part.end)


def _when(when: str | tuple[float, ...], visits: tuple[Visit, ...]) -> tuple[Visit, ...] | Literal["daily"]:
    if when == "daily":
        return "daily"
    return tuple(visit for visit in visits if not isinstance(when, tuple) or visit.day in when)


def to_yaml(text: str, file_name: str, settings: Mapping[str, str]) -> str:
    """Write a protocol that was read before as canonical YAML, settings applied, comments left out."""
    lines: list[str] = []
    _write(open_document(text, file_name, settings).data, "", lines)
    return "\n".join(lines) + "\n"


def _write(value: dict[str, Any], indent: str, lines: list[str]) -> None:
    for key, item in value.items():
        name = key if key.isidentifier() and key.lower() not in {"null", "true", "false"} else _flow(key)
        if isinstance(item, dict) and item:
            lines.append(f"{indent}{name}:")
            _write(item, indent + "  ", lines)
        else:
            lines.append(f"{indent}{name}: {_flow(item)}")


def _flow(value: Any) -> str:
    """Write a value as JSON, which is YAML too."""
    return json.dumps(value, ensure_ascii=False)
