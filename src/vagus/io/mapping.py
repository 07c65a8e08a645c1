"""The mapping file: which file, column and word of a trial means what. Data only, checked, with lines.

::

    vagus: 1
    visits: {before: baseline, during: week 2}       # word in the file: label
    arms: {Placebo: placebo}                         # word in the file: arm of the protocol
    tables:
      - file: samples.tsv
        subject: subject
        arm: arm
        visit: period
        sample: sample                               # one row a stool sample
        repeats: mean                                # several rows of one subject and visit are averaged
        outcomes: {butyrate: {outcome: faecal_butyrate_mmol_kg, unit: mmol/kg}}
        covariates: [age]
    features: {file: taxa.tsv.gz, sample: sample, kind: fractions, orientation: samples x taxa}

A long table names its columns ``outcome:`` and ``value:``; then the keys of ``outcomes:`` are words of that column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from vagus.errors import InputError, Problem, nearest
from vagus.protocol.document import Document, Path, read
from vagus.trial.vocabulary import Outcome, resolve_outcome

REPEATS = ("error", "mean")
KINDS = ("counts", "fractions", "percent")
ORIENTATIONS = ("samples x taxa", "taxa x samples")

#: How many of the vocabulary's units one unit of the file is. Cortisol: 362.46 g/mol.
_FACTORS: dict[str, dict[str, float]] = {
    "mmol/kg": {"umol/g": 1.0},
    "h": {"min": 1 / 60, "hours": 1.0, "hr": 1.0, "s": 1 / 3600},
    "min": {"h": 60.0, "s": 1 / 60, "minutes": 1.0},
    "% of reads": {"%": 1.0, "percent": 1.0, "fraction": 100.0, "proportion": 100.0},
    "pg/ml": {"ng/l": 1.0, "ng/ml": 1000.0},
    "mg/l": {"mg/dl": 10.0, "ug/ml": 1.0, "ng/ml": 0.001},
    "nmol/l": {"ug/dl": 10_000 / 362.46, "ng/ml": 1000 / 362.46},
    "n/night": {"n/week": 1 / 7},
    "points": {"score": 1.0},
}


@dataclass(frozen=True)
class OutcomeColumn:
    """An outcome of a table: its id and the factor from the file's unit to the vocabulary's."""

    outcome: str
    factor: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class VisitName:
    """What a word of the visit column means; `day` counts from the start of treatment, NaN where it is not known."""

    label: str
    day: float


@dataclass(frozen=True)
class TableMap:
    """What the columns of one table mean; a name that is None is not in this table.

    Attributes
    ----------
    place : tuple
        Where the table stands in the mapping, for messages.
    file, subject : str
        File inside the folder, column of the subject.
    arm, visit, day, sample, status : str or None
        Columns.
    repeats : str
        ``error`` or ``mean``: what to do with several rows of one subject and visit.
    outcomes : dict of str to OutcomeColumn
        Wide table: column to outcome. Long table: word of the column `outcome` to outcome.
    outcome, value : str or None
        Columns of a long table.
    baseline : str or None
        Column with the baseline of a long table, used where no baseline visit is given.
    covariates : dict of str to str
        Column to name.
    missing : frozenset of str
        Further marks for "not measured".
    """

    place: Path
    file: str
    subject: str
    arm: str | None = None
    visit: str | None = None
    day: str | None = None
    sample: str | None = None
    status: str | None = None
    repeats: str = "error"
    outcomes: Mapping[str, OutcomeColumn] = field(default_factory=dict)
    outcome: str | None = None
    value: str | None = None
    baseline: str | None = None
    covariates: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FeatureMap:
    """The feature table: file, column of the sample (None: the first), kind (None: by its numbers), orientation."""

    place: Path
    file: str
    sample: str | None = None
    kind: str | None = None
    orientation: str = "samples x taxa"


@dataclass(frozen=True)
class EventMap:
    """The table of events: dropout, antibiotics and what else happened."""

    place: Path
    file: str
    subject: str
    day: str
    event: str


@dataclass(frozen=True)
class TrialMap:
    """A whole mapping.

    Attributes
    ----------
    document : Document
        Text and lines, for messages.
    control : str
        Arm that the file calls the control; empty where it does not say.
    arms : dict of str to str
        Word of the file to arm.
    visits : dict of str to (VisitName or None)
        Word of the file to visit; None: rows of this visit are not read.
    tables, features, events
        What the files hold.
    """

    document: Document
    control: str = ""
    arms: Mapping[str, str] = field(default_factory=dict)
    visits: Mapping[str, VisitName | None] = field(default_factory=dict)
    tables: tuple[TableMap, ...] = ()
    features: FeatureMap | None = None
    events: EventMap | None = None

    def problem(self, place: Path, message: str) -> Problem:
        """Return a problem that stands at `place` of the mapping."""
        return self.document.problem(place, message)


def visit_day(label: str) -> float:
    """Return the day that a label names, counted from the start of treatment.

    Examples
    --------
    >>> visit_day("baseline"), visit_day("week 2"), visit_day("day 3"), visit_day("end")
    (0.0, 14.0, 3.0, nan)
    """
    if label.casefold() == "baseline":
        return 0.0
    found = re.fullmatch(r"(week|day)\s+(-?\d+(?:\.\d+)?)", label.strip(), re.IGNORECASE)
    if found is None:
        return math.nan
    return float(found[2]) * (7.0 if found[1].lower() == "week" else 1.0)


def unit_factor(unit: str, of: Outcome) -> float | None:
    """Return how many of the outcome's units one `unit` is, or None where that is not known.

    Examples
    --------
    >>> from vagus.trial import outcome
    >>> unit_factor("µmol/g", outcome("faecal_butyrate_mmol_kg")), unit_factor("min", outcome("tst_diary_h")) == 1 / 60
    (1.0, True)
    >>> unit_factor("ug/g", outcome("faecal_butyrate_mmol_kg")) is None
    True
    """
    plain = re.sub(r"\s+", "", unit.casefold().replace("µ", "u").replace("μ", "u"))
    if plain == re.sub(r"\s+", "", of.unit.casefold()):
        return 1.0
    return _FACTORS.get(of.unit, {}).get(plain)


def parse_mapping(text: str | bytes, file: str, known_outcomes: Mapping[str, Outcome]) -> TrialMap:
    """Read a mapping.

    Parameters
    ----------
    text : str or bytes
        YAML.
    file : str
        Its name, for messages.
    known_outcomes : mapping of str to Outcome
        Outcomes that may be named.

    Returns
    -------
    TrialMap
        The mapping.

    Raises
    ------
    InputError
        Not YAML, unknown keys (nearest name), missing keys, unknown outcomes or units: all at once, with lines.
    """
    try:
        document = read(text, file)
    except InputError as error:
        # The reader is shared with protocols and speaks of one.
        renamed = [Problem(p.file, p.line, p.message.replace("A protocol", "A mapping")) for p in error.problems]
        raise InputError(renamed) from None
    return _Parser(document, known_outcomes).parse()


_TOP = ("vagus", "about", "control", "arms", "visits", "tables", "features", "events")
_TABLE = (
    *("file", "subject", "arm", "visit", "day", "sample", "status", "repeats", "outcomes", "outcome", "value"),
    *("baseline", "covariates", "missing"),
)
_FEATURES = ("file", "sample", "kind", "orientation")
_EVENTS = ("file", "subject", "day", "event")


class _Parser:
    """Turns the values of a document into a `TrialMap`, collecting what is wrong."""

    def __init__(self, document: Document, known: Mapping[str, Outcome]) -> None:
        self.document = document
        self.known = known
        self.problems: list[Problem] = []

    def refuse(self, place: Path, message: str) -> None:
        self.problems.append(self.document.problem(place, message))

    def parse(self) -> TrialMap:
        data = self.document.data
        self.check_keys((), data, _TOP, required=("tables",))
        if data.get("vagus", 1) != 1:
            self.refuse(("vagus",), f'Version of a mapping must be 1, got "{data["vagus"]}"; write "vagus: 1".')
        arms = {str(key): str(value) for key, value in self.mapping(("arms",), data.get("arms")).items()}
        visits = {
            str(key): self.visit(("visits", key), value)
            for key, value in self.mapping(("visits",), data.get("visits")).items()
        }
        tables = data.get("tables")
        if "tables" in data and (not isinstance(tables, list) or not tables):
            self.refuse(("tables",), 'Tables must be a list of one or more tables; begin each with "- file: NAME".')
            tables = []
        parsed = tuple(self.table(("tables", str(place)), value) for place, value in enumerate(tables or []))
        features = self.features(data["features"]) if "features" in data else None
        events = self.events(data["events"]) if "events" in data else None
        if features is not None and not any(table.sample for table in parsed if table is not None):
            text = 'A feature table needs a table with "sample:", which says whose sample each is; add it to one.'
            self.refuse(("features",), text)
        control = self.text(("control",), data.get("control"))
        if self.problems:
            raise InputError(self.problems)
        found = tuple(table for table in parsed if table is not None)
        return TrialMap(self.document, control or "", arms, visits, found, features, events)

    def check_keys(self, place: Path, data: dict[str, Any], known: Collection[str], required: Collection[str]) -> None:
        for key in data:
            if key not in known:
                self.refuse((*place, key), f'A key must be a known one, got "{key}"; {nearest(str(key), known)}')
        for key in required:
            if data.get(key) in (None, ""):
                self.refuse(place, f'Key "{key}" must be given; add "{key}: ...".')

    def mapping(self, place: Path, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(place, f'"{place[-1]}" must be made of "word in the file: meaning" pairs, got "{value}".')
            return {}
        return value

    def text(self, place: Path, value: Any) -> str | None:
        if value is None or value == "":
            return None
        if isinstance(value, (dict, list, bool)):
            self.refuse(place, f'"{place[-1]}" must be one name, got "{value}".')
            return None
        return str(value)

    def choice(self, place: Path, value: Any, choices: tuple[str, ...]) -> str | None:
        if value is None:
            return None
        if value not in choices:
            self.refuse(place, f'"{place[-1]}" must be {" or ".join(choices)}, got "{value}".')
            return None
        return str(value)

    def visit(self, place: Path, value: Any) -> VisitName | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            label = str(value)
            return VisitName(label, visit_day(label))
        self.check_keys(place, value, ("label", "day"), required=("label",))
        label, day = str(value.get("label", "")), value.get("day")
        if day is not None and (isinstance(day, bool) or not isinstance(day, (int, float))):
            self.refuse((*place, "day"), f'Day of a visit must be a number from the start of treatment, got "{day}".')
            day = None
        return VisitName(label, visit_day(label) if day is None else float(day))

    def table(self, place: Path, value: Any) -> TableMap | None:
        if not isinstance(value, dict):
            self.refuse(place, f'A table must be made of "key: value" pairs, got "{value}"; begin with "file:".')
            return None
        self.check_keys(place, value, _TABLE, required=("file", "subject"))
        texts = {
            key: self.text((*place, key), value.get(key))
            for key in ("file", "subject", "arm", "visit", "day", "sample", "status", "outcome", "value", "baseline")
        }
        if (texts["outcome"] is None) != (texts["value"] is None):
            self.refuse(place, 'A long table needs both "outcome:" and "value:" (columns); give the other one.')
        outcomes = {
            str(key): self.outcome((*place, "outcomes", key), item)
            for key, item in self.mapping((*place, "outcomes"), value.get("outcomes")).items()
        }
        if (outcomes or texts["value"]) and not texts["visit"]:
            self.refuse(place, 'A table with outcomes needs "visit:" (the column that tells the visits apart).')
        missing = value.get("missing") or []
        if not isinstance(missing, list):
            missing = [missing]
        return TableMap(
            place=place,
            file=texts["file"] or "",
            subject=texts["subject"] or "",
            arm=texts["arm"],
            visit=texts["visit"],
            day=texts["day"],
            sample=texts["sample"],
            status=texts["status"],
            repeats=self.choice((*place, "repeats"), value.get("repeats"), REPEATS) or "error",
            outcomes={key: item for key, item in outcomes.items() if item is not None},
            outcome=texts["outcome"],
            value=texts["value"],
            baseline=texts["baseline"],
            covariates=self.covariates((*place, "covariates"), value.get("covariates")),
            missing=frozenset(str(mark) for mark in missing),
        )

    def covariates(self, place: Path, value: Any) -> dict[str, str]:
        if isinstance(value, list):
            return {str(name): str(name) for name in value}
        return {str(key): str(item) for key, item in self.mapping(place, value).items()}

    def outcome(self, place: Path, value: Any) -> OutcomeColumn | None:
        entry = value if isinstance(value, dict) else {"outcome": value}
        self.check_keys(place, entry, ("outcome", "unit", "factor"), required=("outcome",))
        name = str(entry.get("outcome", ""))
        if name not in self.known:
            self.refuse(place, self._unknown_outcome(name))
            return None
        unit, factor = entry.get("unit"), entry.get("factor")
        if factor is not None:
            if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor < math.inf:
                self.refuse((*place, "factor"), f'A factor must be a number above zero, got "{factor}".')
                return None
            return OutcomeColumn(name, float(factor), str(unit or ""))
        if unit is None:
            return OutcomeColumn(name)
        known = unit_factor(str(unit), self.known[name])
        if known is None:
            must = self.known[name].unit
            text = f'Unit of {name} must be "{must}", got "{unit}"; add "factor:" (how many {must} one {unit} is).'
            self.refuse((*place, "unit"), text)
            return None
        return OutcomeColumn(name, known, str(unit))

    def _unknown_outcome(self, name: str) -> str:
        try:
            meant = resolve_outcome(name)
        except InputError:
            return f'An outcome must be one of the vocabulary, got "{name}"; {nearest(name, self.known)}'
        return f'An outcome must be written with its id, got "{name}"; write {" or ".join(meant)}.'

    def features(self, value: Any) -> FeatureMap | None:
        place: Path = ("features",)
        entry = self.mapping(place, value)
        self.check_keys(place, entry, _FEATURES, required=("file", "kind"))
        orientation = self.choice((*place, "orientation"), entry.get("orientation"), ORIENTATIONS)
        return FeatureMap(
            place,
            self.text((*place, "file"), entry.get("file")) or "",
            self.text((*place, "sample"), entry.get("sample")),
            self.choice((*place, "kind"), entry.get("kind"), KINDS),
            orientation or ORIENTATIONS[0],
        )

    def events(self, value: Any) -> EventMap | None:
        place: Path = ("events",)
        entry = self.mapping(place, value)
        self.check_keys(place, entry, _EVENTS, required=_EVENTS)
        names = {key: self.text((*place, key), entry.get(key)) or "" for key in _EVENTS}
        return EventMap(place, names["file"], names["subject"], names["day"], names["event"])
