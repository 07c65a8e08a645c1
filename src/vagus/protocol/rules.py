"""What a protocol must fulfil beyond its grammar: one small class a rule, all of them asked, every finding reported.

To add a rule, write a class with a one-line docstring that says what must hold and a `_find` that yields
``(path, message)``, and put it into `RULES`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from vagus.errors import InputError, Problem, nearest
from vagus.instruments import measures
from vagus.protocol.document import Document, Path
from vagus.protocol.grammar import BASELINE, METHODS, cadences, find_outcomes, label_of
from vagus.protocol.plan import Planning
from vagus.protocol.product import product, why_not_modelled
from vagus.protocol.schema import Draft, Filled
from vagus.protocol.types import Visit, share_people
from vagus.units import UnitError, shown

Finding = tuple[Path, str]

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_ARM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+'-]{0,39}")


@dataclass(frozen=True)
class Case:
    """A draft under examination."""

    document: Document
    filled: Filled

    @property
    def draft(self) -> Draft:
        """The draft, without the parts that were taken out."""
        return self.filled.draft

    def sound(self, *path: str) -> bool:
        """Say whether nothing at, above or below `path` was taken out."""
        return not any(
            damage[: len(path)] == path or path[: len(damage)] == damage for damage in self.filled.damaged if damage
        )

    @cached_property
    def design(self) -> str:
        """Design as written; ``parallel`` where it is missing or wrong (another rule says so)."""
        trial = self.draft.trial
        return "single-arm" if trial and trial.design == "single-arm" else "parallel"

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """Ids of the arms."""
        return tuple(self.draft.arms or {})

    @cached_property
    def visits(self) -> tuple[Visit, ...] | None:
        """Visits in the order of time; None where they are missing or wrong."""
        schedule = self.draft.schedule
        if schedule is None or schedule.visits is None:
            return None
        return tuple(Visit(label=label_of(day), day=day) for day in sorted(set(schedule.visits)))

    @cached_property
    def measured(self) -> dict[str, tuple[Visit, ...] | None]:
        """Outcome to the visits at which it is measured (None: not known because something is wrong there)."""
        found: dict[str, tuple[Visit, ...] | None] = {}
        if self.visits is None:
            return {outcome: None for name in self.document.data.get("measures") or {} for outcome in _yield(name)}
        for name, when in (self.draft.measures or {}).items():
            days = when if isinstance(when, tuple) else None
            visits = self.visits if days is None else tuple(visit for visit in self.visits if visit.day in days)
            found.update(dict.fromkeys(_yield(name), visits))
        if isinstance(written := self.document.data.get("measures"), dict):
            found.update(
                {outcome: None for name in written if not self.sound("measures", name) for outcome in _yield(name)}
            )
        return found

    @cached_property
    def control(self) -> str | None:
        """Control arm: as written, or the one arm without an active product; None where there is not exactly one."""
        if self.design == "single-arm":
            return ""
        if self.draft.control is not None:
            return self.draft.control if self.draft.control in self.arms else None
        found = self.inactive
        return found[0] if found is not None and len(found) == 1 else None

    @cached_property
    def inactive(self) -> tuple[str, ...] | None:
        """Arms with comparators or nothing only; None where an arm is wrong, so that it cannot be said."""
        if not self.sound("arms"):
            return None
        try:
            return tuple(
                name
                for name, arm in (self.draft.arms or {}).items()
                if all(product(item).comparator for item in (arm.doses if arm else {}))
            )
        except InputError:
            return None

    @cached_property
    def planning(self) -> Planning:
        """The plan and what is wrong with it."""
        return Planning(
            draft=self.draft,
            arms=self.arms,
            control=self.control,
            visits=self.visits,
            measured=self.measured,
            sound=self.sound,
        )


def _yield(measure: str) -> tuple[str, ...]:
    return measures().get(measure, ())


class Rule(ABC):
    """One rule."""

    def check(self, case: Case) -> list[Finding]:
        """Return where the rule is broken and the sentences that say so."""
        return list(self._find(case))

    @abstractmethod
    def _find(self, case: Case) -> Iterator[Finding]: ...


class FormatVersion(Rule):
    """The file begins with the version of the format."""

    def _find(self, case: Case) -> Iterator[Finding]:
        version = case.draft.vagus
        if version != 1 and case.sound("vagus"):
            got = "nothing" if version is None else str(version)
            yield ("vagus",), f'A protocol must say its format, "vagus: 1", got "{got}".'


class NothingMissing(Rule):
    """Every part that a trial cannot do without is there."""

    NEEDED: tuple[tuple[Path, str], ...] = (
        (("trial",), "trial: {id: my-trial, title: ..., design: parallel}"),
        (("trial", "id"), "id: my-trial"),
        (("trial", "title"), "title: What the trial is about"),
        (("trial", "design"), "design: parallel"),
        (("population",), "population: {from: healthy-adults, n: 120, baseline_microbiome: {from: healthy-adults}}"),
        (("population", "from"), "from: healthy-adults"),
        (("population", "n"), "n: 120"),
        (("population", "baseline_microbiome"), "baseline_microbiome: {from: healthy-adults}"),
        (("population", "baseline_microbiome", "from"), "from: healthy-adults"),
        (("arms",), "arms: {placebo: {maltodextrin: 5 g/day}, active: {2FL: 5 g/day}}"),
        (("schedule",), "schedule: {run_in: 2 wk, treat: 8 wk, visits: [0, 4, 8] wk}"),
        (("schedule", "treat"), "treat: 8 wk"),
        (("schedule", "visits"), "visits: [0, 4, 8] wk"),
        (("measures",), "measures: {ISI: visits}"),
        (("estimands",), "estimands: {primary: {variable: ISI change at 8 wk, contrast: active - placebo}}"),
        (("estimands", "primary"), "primary: {variable: ISI change at 8 wk, contrast: active - placebo}"),
        (("analysis",), "analysis: {primary: ancova}"),
        (("analysis", "primary"), "primary: ancova"),
    )

    def _find(self, case: Case) -> Iterator[Finding]:
        for path, example in self.NEEDED:
            if _at(case.document.data, path[:-1]) in (None, {}) and len(path) > 1:
                continue  # the missing part above it is reported
            missing = _at(case.document.data, path) in (None, {}, [], "")
            typo = any(damage[:-1] == path[:-1] and damage != path for damage in case.filled.damaged)
            if missing and case.sound(*path) and not (typo and self._misspelled(case, path)):
                where = f' in "{".".join(path[:-1])}"' if len(path) > 1 else ""
                yield path, f'A protocol must have "{path[-1]}"{where}, got none; write "{example}".'

    @staticmethod
    def _misspelled(case: Case, path: Path) -> bool:
        """Say whether an unknown key that was reported is most likely this one."""
        wrong = [damage[-1] for damage in case.filled.damaged if damage[:-1] == path[:-1]]
        return any(
            path[-1] in nearest(name, [path[-1]]) and "did you mean" in nearest(name, [path[-1]]) for name in wrong
        )


class Names(Rule):
    """Ids are short plain words: they become file names and parts of contrasts."""

    def _find(self, case: Case) -> Iterator[Finding]:
        trial = case.draft.trial
        if trial is not None and trial.id is not None and not _ID.fullmatch(trial.id):
            fix = re.sub(r"[^a-z0-9_-]+", "-", trial.id.lower()).strip("-_")[:64] or "my-trial"
            yield (
                ("trial", "id"),
                f'Trial id must be lower-case letters, digits, "-" and "_", got "{shown(trial.id)}"; write "{fix}".',
            )
        for arm in case.arms:
            if not _ARM.fullmatch(arm) or arm in (BASELINE, "label"):
                yield (
                    ("arms", arm),
                    f'Arm name must be letters, digits, "+", "-", "_" and not "baseline", got "{shown(arm)}".',
                )


class Design(Rule):
    """The design is one that this version simulates."""

    PLANNED = ("crossover", "n-of-1")
    KNOWN = ("parallel", "single-arm")

    def _find(self, case: Case) -> Iterator[Finding]:
        design = case.draft.trial.design if case.draft.trial else None
        if design in self.PLANNED:
            yield (
                ("trial", "design"),
                f'Design must be parallel or single-arm in this version, got "{design}" (planned); write "parallel".',
            )
        elif design is not None and design not in self.KNOWN:
            hint = nearest(design, self.KNOWN + self.PLANNED)
            yield ("trial", "design"), f'Design must be parallel or single-arm, got "{shown(design)}"; {hint}'


class Products(Rule):
    """Every product is known and stands once in an arm."""

    def _find(self, case: Case) -> Iterator[Finding]:
        for name, arm in (case.draft.arms or {}).items():
            seen: dict[str, str] = {}
            # A product whose dose could not be read was taken out of the draft, its name is checked all the same.
            unread = sorted(
                damage[2] for damage in case.filled.damaged if len(damage) == 3 and damage[:2] == ("arms", name)
            )
            for written in (*(arm.doses if arm else {}), *(item for item in unread if item != "label")):
                try:
                    found = product(written).id
                except InputError as error:
                    reason = why_not_modelled(written)
                    hint = error.problems[0].message.rpartition("; ")[2]
                    message = f"Product \"{shown(written)}\" in arm '{name}' is not modelled: {reason}"
                    if not reason:
                        message = f"Unknown product \"{shown(written)}\" in arm '{name}'; {hint}"
                    yield ("arms", name, written), message
                    continue
                if found in seen:
                    yield (
                        ("arms", name, written),
                        f'A product must stand once in an arm, got "{seen[found]}" and "{written}" in arm '
                        f"'{name}'; add them up.",
                    )
                seen[found] = written


class Control(Rule):
    """A parallel trial has two arms or more, one of them the control; a single-arm trial has one arm."""

    def _find(self, case: Case) -> Iterator[Finding]:
        arms, draft = case.arms, case.draft
        if not arms or not case.sound("trial", "design"):
            return
        if case.design == "single-arm":
            if len(arms) > 1:
                yield ("arms",), f'A single-arm trial must have one arm, got {len(arms)}; write "design: parallel".'
            if draft.control is not None:
                yield ("control",), "A single-arm trial has no control; remove this line."
            return
        if len(arms) < 2 and case.sound("arms"):
            yield ("arms",), f"A parallel trial must have at least two arms, got {len(arms)}; add a control arm."
        if draft.control is not None:
            if draft.control not in arms:
                yield (
                    ("control",),
                    f'Control must be an arm, got "{shown(draft.control)}"; {nearest(draft.control, arms)}',
                )
            return
        found = case.inactive
        if found is None or len(arms) < 2:
            return
        if not found:
            yield (
                ("arms",),
                "A trial must have a control arm, got none with comparators only; "
                'add "placebo: {maltodextrin: 5 g/day}", or say which arm it is with "control: NAME".',
            )
        elif len(found) > 1:
            names = ", ".join(found)
            yield ("arms",), f'A trial must have one control arm, got {names}; say which with "control: {found[0]}".'


class Size(Rule):
    """Every arm gets two people or more, and the trial is one that a computer can hold."""

    MOST = 100_000

    def _find(self, case: Case) -> Iterator[Finding]:
        n = case.draft.population.n if case.draft.population else None
        if n is None or not case.arms:
            return
        weights = case.draft.allocation or dict.fromkeys(case.arms, 1.0)
        if set(weights) != set(case.arms) or min(weights.values()) <= 0 or not case.sound("allocation"):
            weights = dict.fromkeys(case.arms, 1.0)
        if n > self.MOST:
            yield ("population", "n"), f'Number of people must be at most {self.MOST}, got "{n}"; write "120".'
            return
        sizes = share_people(max(n, 0), weights)
        arm = min(sizes, key=lambda name: sizes[name])
        if n < 1 or sizes[arm] < 2:
            fewest = 2 * len(case.arms)
            yield (
                ("population", "n"),
                f"Every arm must have at least 2 people, got {sizes[arm]} in arm '{arm}' "
                f'(n: {n} in {len(sizes)} arms); write "n: {fewest}" or more.',
            )


class Allocation(Rule):
    """Weights name every arm and are above zero."""

    def _find(self, case: Case) -> Iterator[Finding]:
        weights = case.draft.allocation
        if weights is None or not case.arms:
            return
        for arm, weight in weights.items():
            if arm not in case.arms:
                yield ("allocation", arm), f'Allocation must name arms, got "{arm}"; {nearest(arm, case.arms)}'
            elif not 0 < weight < float("inf"):
                yield ("allocation", arm), f'Weight of arm \'{arm}\' must be above zero, got "{weight:g}"; write "1".'
        missing = [arm for arm in case.arms if arm not in weights and case.sound("allocation", arm)]
        if missing:
            yield (
                ("allocation",),
                f'Allocation must name every arm, got none for "{missing[0]}"; write "{missing[0]}: 1".',
            )


class Times(Rule):
    """Periods are whole days and end; visits are whole days, stand once, begin at baseline, end with the follow-up."""

    MOST_DAYS = 3 * 366

    def _find(self, case: Case) -> Iterator[Finding]:
        schedule = case.draft.schedule
        if schedule is None:
            return
        if schedule.treat == 0:
            yield ("schedule", "treat"), 'Treatment must be longer than zero, got "0"; write "8 wk".'
        for key in ("run_in", "treat", "follow"):
            days = getattr(schedule, key)
            if days is not None and days % 1 != 0:
                yield ("schedule", key), f'A period must be whole days, got {days:g} days; write "{round(days)} d".'
        for day in schedule.visits or ():
            if day % 1 != 0:
                yield (
                    ("schedule", "visits"),
                    f'A visit must be on a whole day, got day {day:g}; write "{round(day)} d".',
                )
        total = (schedule.run_in or 0.0) + (schedule.treat or 0.0) + (schedule.follow or 0.0)
        if total > self.MOST_DAYS:
            yield ("schedule",), f"A trial must last at most three years, got {total:g} days; check the units."
        visits = schedule.visits
        if visits is None:
            return
        path = ("schedule", "visits")
        if 0.0 not in visits:
            yield path, 'Visits must include the baseline, got none at 0; write "[0, 4, 8] wk".'
        for day in sorted({day for day in visits if visits.count(day) > 1}):
            yield path, f"A visit must stand once, got {label_of(day)} twice; remove one."
        if schedule.treat is None or not case.sound("schedule", "follow"):
            return
        end = schedule.treat + (schedule.follow or 0.0)
        for day in sorted(set(visits)):
            if day > end:
                yield (
                    path,
                    f"A visit must not be after the end of follow-up (day {end:g} of treatment), got {label_of(day)} "
                    f"(day {day:g}); write a longer follow-up or an earlier visit.",
                )


class Stresses(Rule):
    """A period of stress has a size, begins before it ends, and lies within the trial."""

    LARGEST = 3.0

    def _find(self, case: Case) -> Iterator[Finding]:
        stress = case.draft.conditions.stress if case.draft.conditions else None
        schedule = case.draft.schedule
        if stress is None or not case.sound("conditions"):
            return
        path = ("conditions", "stress")
        if stress.size is None:
            yield path, 'Stress must have a size, got none; write "stress: {size: 1 SD, from: 2 wk, to: 4 wk}".'
        elif abs(stress.size) > self.LARGEST:
            most = f"{self.LARGEST:g}"
            yield (
                (*path, "size"),
                f'Size of the stress must be within -{most} to {most} SD, got "{stress.size:g} SD"; write "1 SD".',
            )
        if schedule is None or schedule.treat is None or not case.sound("schedule"):
            return
        last = schedule.treat + (schedule.follow or 0.0)
        start, end = stress.start or 0.0, last if stress.end is None else stress.end
        if not start < end:
            yield path, f"Stress must begin before it ends, got day {start:g} to day {end:g}; check from and to."
        elif end > last:
            yield (
                (*path, "to"),
                f"Stress must end within the trial (day {last:g} of treatment), got day {end:g}; write an earlier end.",
            )


class Measures(Rule):
    """Every measure is known, and is taken at visits, or daily where that is possible."""

    def _find(self, case: Case) -> Iterator[Finding]:
        for name, when in (case.draft.measures or {}).items():
            path = ("measures", name)
            if name not in measures():
                yield path, f'Unknown measure "{shown(name)}"; {nearest(name, measures())}'
            elif when == "daily" and cadences()[name] != "daily":
                yield path, f'Measure {name} must be taken at visits, got "daily"; write "{name}: visits".'
            elif isinstance(when, tuple) and case.visits is not None:
                days = {visit.day for visit in case.visits}
                for day in when:
                    if day not in days:
                        yield (
                            path,
                            f"Measure {name} must be taken at visits of the schedule, got {label_of(day)}; "
                            f'add it to "visits" or remove it here.',
                        )


class Entry(Rule):
    """Entry criteria are about outcomes of the vocabulary."""

    def _find(self, case: Case) -> Iterator[Finding]:
        entry = case.draft.population.entry if case.draft.population else None
        seen: dict[str, str] = {}
        for name in entry or {}:
            path = ("population", "entry", name)
            try:
                found = find_outcomes(name)
            except UnitError as error:
                yield path, str(error)
                continue
            if len(found) > 1:
                yield path, f'Entry must name one outcome, got "{name}"; write one of {", ".join(found)}.'
            elif found[0] in seen:
                yield path, f'An outcome must stand once in the entry, got "{seen[found[0]]}" and "{name}"; remove one.'
            else:
                seen[found[0]] = name


class Published(Rule):
    """The published study is an id of the evidence base, not a citation."""

    def _find(self, case: Case) -> Iterator[Finding]:
        study = case.draft.published
        if study is not None and not re.fullmatch(r"[a-z0-9_]+", study):
            yield ("published",), f'Published study must be an id such as "jackson2023_efficad", got "{shown(study)}".'


class Plan(Rule):
    """Estimands and analyses name outcomes, visits, arms and methods that are there and suit each other."""

    def _find(self, case: Case) -> Iterator[Finding]:
        yield from case.planning.findings


class Families(Rule):
    """Multiplicity names families that have analyses, and procedures that exist."""

    METHODS = ("holm", "none")

    def _find(self, case: Case) -> Iterator[Finding]:
        analysis = case.draft.analysis
        if analysis is None:
            return
        families = {"primary", "secondary", *case.planning.families}
        for family, method in (analysis.multiplicity or {}).items():
            path = ("analysis", "multiplicity", family)
            if method not in self.METHODS:
                yield (
                    path,
                    f'Multiplicity must be a known procedure, got "{shown(method)}"; {nearest(method, self.METHODS)}',
                )
            if family not in families and case.sound("analysis", "secondary"):
                yield path, f'No analysis is in family "{family}"; {nearest(family, families)}'


class PrimaryMethod(Rule):
    """The primary method is one that this version has."""

    def _find(self, case: Case) -> Iterator[Finding]:
        method = case.draft.analysis.primary if case.draft.analysis else None
        if method is not None:
            yield from method_findings(("analysis", "primary"), method)


def method_findings(path: Path, method: str) -> Iterator[Finding]:
    """Yield what is wrong with the name of a method."""
    if method == "mmrm":
        yield path, 'Method must be one that this version has, got "mmrm" (planned); write "ancova".'
    elif method not in METHODS:
        yield path, f'Unknown analysis method "{shown(method)}"; {nearest(method, (*METHODS, "mmrm"))}'


RULES: tuple[Rule, ...] = (
    FormatVersion(),
    NothingMissing(),
    Names(),
    Design(),
    Products(),
    Control(),
    Size(),
    Allocation(),
    Times(),
    Stresses(),
    Measures(),
    Entry(),
    Published(),
    PrimaryMethod(),
    Plan(),
    Families(),
)


def check(case: Case) -> list[Problem]:
    """Return every problem that the rules find."""
    return [case.document.problem(path, message) for rule in RULES for path, message in rule.check(case)]


def _at(data: object, path: Path) -> object:
    for key in path:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data
