"""From estimands and analyses as written to the plan, each resolved against arms, visits and measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

from vagus.errors import nearest
from vagus.instruments import measure_of
from vagus.protocol.document import Path
from vagus.protocol.grammar import (
    BASELINE,
    DEFAULT_METHOD,
    KIND_METHOD,
    METHODS,
    Variable,
    find_outcomes,
    label_of,
    parse_contrast,
    parse_variable,
    scale_of,
    why_not,
)
from vagus.protocol.schema import Draft, EstimandPart, SecondaryPart
from vagus.protocol.types import Contrast, Estimand, Method, PlannedAnalysis, Strategy, Visit
from vagus.units import UnitError, shown

Finding = tuple[Path, str]


@dataclass
class Planning:
    """Estimands and plan of a draft, with everything that is wrong in them.

    Attributes
    ----------
    draft : Draft
        As written.
    arms : tuple of str
        Arm ids.
    control : str or None
        Control arm, empty in a single-arm trial, None where it is not known (reported elsewhere).
    visits : tuple of Visit or None
        Visits, None where they are not known (reported elsewhere).
    measured : dict
        Outcome to its visits, None where they are not known.
    sound : callable
        Says whether nothing at a path was taken out of the draft.
    """

    draft: Draft
    arms: tuple[str, ...]
    control: str | None
    visits: tuple[Visit, ...] | None
    measured: dict[str, tuple[Visit, ...] | None]
    sound: Callable[..., bool]
    findings: list[Finding] = field(default_factory=list)
    estimands: dict[str, Estimand] = field(default_factory=dict)
    plan: list[PlannedAnalysis] = field(default_factory=list)
    families: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        written = self.draft.estimands or {}
        for name in sorted(written, key=lambda item: item != "primary"):
            self._estimand(name, written[name])
        analysis = self.draft.analysis
        for position, item in enumerate((analysis.secondary if analysis else None) or []):
            if item is not None:
                self._secondary(("analysis", "secondary", str(position)), item)

    def _say(self, path: Path, message: str) -> None:
        if (path, message) not in self.findings:
            self.findings.append((path, message))

    # --- estimands

    def _estimand(self, name: str, part: EstimandPart) -> None:
        path: Path = ("estimands", name)
        if part.variable is None or part.contrast is None:
            for key, example in (("variable", "ISI change at 8 wk"), ("contrast", "active - placebo")):
                if getattr(part, key) is None and self.sound(*path):
                    self._say(path, f"Estimand '{name}' must have a {key}, got none; write \"{key}: {example}\".")
        variable = self._variable((*path, "variable"), part.variable)
        outcome, visit = None, None
        if variable is not None:
            outcomes = self._outcomes((*path, "variable"), variable)
            if len(outcomes) > 1:
                names = ", ".join(outcomes)
                self._say(
                    (*path, "variable"),
                    f'An estimand must be about one outcome, got "{variable.name}" for {names}; write one of them.',
                )
            elif outcomes:
                outcome = outcomes[0]
            if variable.day is None:
                self._say(
                    (*path, "variable"),
                    f'An estimand must say when, got "{part.variable}"; write "{part.variable} at 8 wk".',
                )
            else:
                visit = self._visit((*path, "variable"), variable.day)
        contrasts = self._contrasts((*path, "contrast"), part.contrast)
        if outcome is None or variable is None or variable.day is None:
            return
        self._measured((*path, "variable"), outcome, variable.day)
        primary = self.draft.analysis.primary if self.draft.analysis else None
        method: str | None = primary
        if name != "primary":
            method = KIND_METHOD.get(variable.kind, DEFAULT_METHOD[scale_of(outcome)])
        if method not in METHODS or not self._suits((*path, "variable"), method, outcome, variable.kind):
            return
        if visit is None or not contrasts or not self._against((*path, "contrast"), method, contrasts):
            return
        self.estimands[name] = Estimand(
            id=name,
            outcome=outcome,
            visit=visit.label,
            contrast=contrasts[0],
            contrasts=tuple(contrasts),
            strategies={
                event: cast(Strategy, strategy)
                for event in ("dropout", "antibiotics", "adherence")
                if (strategy := getattr(part, event)) is not None
            },
            text=part.variable or "",
        )
        kind: Literal["primary", "secondary"] = "primary" if name == "primary" else "secondary"
        self._add((*path, "variable"), kind, outcome, visit, method, contrasts, kind)

    # --- secondary analyses

    def _secondary(self, path: Path, part: SecondaryPart) -> None:
        if not part.variable:
            if self.sound(*path):
                self._say(path, 'A secondary analysis must have a variable, got none; write "variable: psqi".')
            return
        family = part.family or "secondary"
        self.families.append(family)
        for written in part.variable:
            variable = self._variable(path, written)
            if variable is None:
                continue
            outcomes = self._outcomes(path, variable)
            if len(outcomes) > 1:  # a measure with several outcomes: those that this trial takes
                outcomes = tuple(outcome for outcome in outcomes if outcome in self.measured) or outcomes[:1]
            day = variable.day if variable.day is not None else self._primary_day()
            if day is None:
                continue
            own = variable.day is not None  # a time taken over from the primary estimand is reported there
            visit = self._visit(path if own else (), day)
            for outcome in outcomes:
                self._measured(path, outcome, day)
                method = part.method or KIND_METHOD.get(variable.kind, DEFAULT_METHOD[scale_of(outcome)])
                if method not in METHODS:
                    self._unknown_method(path, method)
                    continue
                if not self._suits(path, method, outcome, variable.kind):
                    continue
                contrasts = self._contrasts(path, part.contrast, method)
                if visit is not None and contrasts and self._against(path, method, contrasts):
                    self._add(path, "secondary", outcome, visit, method, contrasts, family)

    def _unknown_method(self, path: Path, method: str) -> None:
        if method == "mmrm":
            self._say(path, 'Method must be one that this version has, got "mmrm" (planned); write "ancova".')
        else:
            self._say(path, f'Unknown analysis method "{shown(method)}"; {nearest(method, (*METHODS, "mmrm"))}')

    def _primary_day(self) -> float | None:
        primary = (self.draft.estimands or {}).get("primary")
        variable = self._variable((), primary.variable) if primary is not None else None
        return variable.day if variable is not None else None

    # --- parts of both

    def _variable(self, path: Path, text: str | None) -> Variable | None:
        if text is None:
            return None
        try:
            return parse_variable(text)
        except UnitError as error:
            if path:
                self._say(path, str(error))
            return None

    def _outcomes(self, path: Path, variable: Variable) -> tuple[str, ...]:
        try:
            return find_outcomes(variable.name)
        except UnitError as error:
            self._say(path, str(error))
            return ()

    def _visit(self, path: Path, day: float) -> Visit | None:
        if self.visits is None:
            return None
        for visit in self.visits:
            if visit.day == day:
                if day == 0 and path:
                    self._say(path, 'A variable must be at a visit after baseline, got "0 wk"; write "at 8 wk".')
                return visit if day > 0 else None
        known = ", ".join(visit.label for visit in self.visits)
        if path:
            self._say(path, f"A variable must be at a visit of the schedule, got {label_of(day)}; visits: {known}.")
        return None

    def _measured(self, path: Path, outcome: str, day: float) -> None:
        if self.draft.measures is None:
            return
        if outcome not in self.measured:
            measure = measure_of(outcome)
            self._say(
                path,
                f"Outcome {outcome} must be measured, got no measure that yields it; "
                f'add "{measure}: visits" to "measures".',
            )
            return
        visits = self.measured[outcome]
        if visits is None or self.visits is None or day not in {visit.day for visit in self.visits}:
            return
        days = {visit.day for visit in visits}
        for needed in sorted({0.0, day}):
            if needed not in days and needed in {visit.day for visit in self.visits}:
                measure = measure_of(outcome)
                self._say(
                    path,
                    f"Outcome {outcome} must be measured at {label_of(needed)}, got {measure} at "
                    f'{", ".join(visit.label for visit in visits) or "no visit"}; add it to "{measure}" in "measures".',
                )

    def _contrasts(self, path: Path, written: list[str] | None, method: str = "") -> list[Contrast]:
        """Read contrasts; where a secondary analysis has none, every arm against the control (or its own baseline)."""
        if written is None:
            if not method or not self.arms:
                return []
            if method == "fold_change" or self.control == "":
                return [Contrast(arm=arm, reference=BASELINE) for arm in self.arms]
            if self.control is None:
                return []
            return [Contrast(arm=arm, reference=self.control) for arm in self.arms if arm != self.control]
        contrasts: list[Contrast] = []
        for text in written:
            if text == BASELINE and method:
                contrasts += [Contrast(arm=arm, reference=BASELINE) for arm in self.arms]
                continue
            try:
                arm, reference = parse_contrast(text)
            except UnitError as error:
                self._say(path, str(error))
                continue
            unknown = [name for name in (arm, reference) if name not in (*self.arms, BASELINE)]
            for name in unknown:
                if self.arms and self.sound("arms", name):
                    self._say(path, f'A contrast must name arms, got "{shown(name)}"; {nearest(name, self.arms)}')
            if unknown:
                continue
            if arm in (BASELINE, reference):
                self._say(path, f'A contrast must compare an arm with another one, got "{text}".')
                continue
            contrasts.append(Contrast(arm=arm, reference=reference))
        return contrasts

    def _suits(self, path: Path, method: str, outcome: str, kind: str) -> bool:
        reason = why_not(method, outcome)
        if reason:
            self._say(path, f"Method {method} {reason}.")
            return False
        asked = KIND_METHOD.get(kind)
        if asked is not None and asked != method:
            self._say(path, f'A {kind} must be analyzed by {asked}, got {method}; write "{asked}" or another variable.')
            return False
        if kind == "change" and method in ("log_ancova", "fold_change"):
            word = "ratio" if method == "log_ancova" else "fold change"
            self._say(path, f'Method {method} must be written with "{word}", got "change"; write "{word}".')
            return False
        return True

    def _against(self, path: Path, method: str, contrasts: list[Contrast]) -> bool:
        for contrast in contrasts:
            within = contrast.reference == BASELINE
            if within and method != "fold_change":
                self._say(
                    path,
                    f"Method {method} must compare two arms, got {contrast.arm} against its baseline; "
                    "write an arm, or a fold change of a positive outcome.",
                )
                return False
            if not within and method == "fold_change":
                self._say(
                    path,
                    f"A fold change must be against the baseline, got {contrast.arm} against {contrast.reference}; "
                    f'write "{contrast.arm} - baseline".',
                )
                return False
        return True

    def _add(
        self,
        path: Path,
        estimand: Literal["primary", "secondary"],
        outcome: str,
        visit: Visit,
        method: str,
        contrasts: list[Contrast],
        family: str,
    ) -> None:
        for reference in dict.fromkeys(contrast.reference for contrast in contrasts):
            arms = tuple(dict.fromkeys(item.arm for item in contrasts if item.reference == reference))
            for planned in self.plan:
                same = (planned.outcome, planned.visit, planned.method, planned.reference)
                if same == (outcome, visit.label, method, reference) and set(arms) & set(planned.arms):
                    self._say(
                        path,
                        f"An analysis must be planned once, got {outcome} at {visit.label} against {reference} again "
                        f"({planned.estimand}); remove one.",
                    )
            self.plan.append(
                PlannedAnalysis(
                    estimand=estimand,
                    outcome=outcome,
                    visit=visit.label,
                    method=cast(Method, method),
                    arms=arms,
                    reference=reference,
                    family=family,
                )
            )
