"""One table of a trial: its rows in the package's words, and what was found on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from vagus.errors import InputError, Problem, nearest
from vagus.io.mapping import TableMap, TrialMap, visit_day
from vagus.io.tables import Table, read_table
from vagus.protocol.types import Protocol
from vagus.trial.checks import find_unknown, parse_numbers, shorten


@dataclass
class Findings:
    """What was found while reading: problems that stop it, and notes that do not."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Rows:
    """The rows of one table in the package's words, indexed by line."""

    table: TableMap
    file: str
    raw: pd.DataFrame
    frame: pd.DataFrame  # subject_id, and arm, visit, day, sample_id where the table has them


def read_rows(
    table: TableMap,
    mapping: TrialMap,
    folder: Path,
    files: dict[str, Table | None],
    protocol: Protocol | None,
    found: Findings,
) -> Rows | None:
    """Read one table and translate its subjects, arms, visits and days."""
    if table.file not in files:
        files[table.file] = _load(table.file, table.place, mapping, folder, found)
    loaded = files[table.file]
    if loaded is None:
        return None
    raw = loaded.frame
    wanted = [table.subject, table.arm, table.visit, table.day, table.sample, table.status, table.outcome, table.value]
    wide = () if table.outcome else table.outcomes
    wanted += [table.baseline, *wide, *table.covariates]
    absent = [name for name in dict.fromkeys(wanted) if name is not None and name not in raw.columns]
    for name in absent:
        text = f'The table must have a column "{name}"; {nearest(name, map(str, raw.columns[:200]))}'
        found.problems.append(Problem(loaded.file, loaded.header_line, text))
    if absent:
        return None
    frame = pd.DataFrame({"subject_id": raw[table.subject]}, index=raw.index)
    if (blank := frame["subject_id"] == "").any():
        found.problems += shorten(
            Problem(
                loaded.file, int(line), f'Column "{table.subject}" must name a subject in every row, the cell is empty.'
            )
            for line in raw.index[blank]
        )
    if table.arm is not None:
        frame["arm"] = _translate_arms(raw[table.arm], mapping, protocol, loaded.file, found)
    keep = pd.Series(True, index=raw.index)
    if table.visit is not None:
        frame["visit"], keep = _translate_visits(raw[table.visit], mapping, loaded.file, found)
        days = {word: visit.day for word, visit in mapping.visits.items() if visit is not None}
        frame["day"] = [days.get(word, visit_day(word)) for word in raw[table.visit]]
        if table.day is not None:
            given, problems = parse_numbers(raw[table.day], loaded.file, table.missing)
            found.problems += problems
            frame["day"] = given.where(given.notna(), frame["day"])
    if table.sample is not None:
        frame["sample_id"] = raw[table.sample]
    if not keep.all():
        names = ", ".join(sorted(set(raw.loc[~keep, str(table.visit)])))
        found.notes.append(f"{table.file}: {int((~keep).sum())} rows of visits that the mapping leaves out ({names})")
    used = {name for name in wanted if name is not None}
    if unread := [str(name) for name in raw.columns if name not in used and name not in ("change",)]:
        shown = ", ".join(unread[:12]) + (f" and {len(unread) - 12} more" if len(unread) > 12 else "")
        found.notes.append(f"{table.file}: columns not read: {shown}")
    # Nobody is dropped: a left-out visit takes its rows away, its subject stays.
    return Rows(table, loaded.file, raw, frame.assign(_keep=keep))


def _load(name: str, place: tuple[str, ...], mapping: TrialMap, folder: Path, found: Findings) -> Table | None:
    path = find_inside(name, place, mapping, folder, found)
    if path is None:
        return None
    try:
        return read_table(path)
    except InputError as error:
        found.problems += error.problems
        return None


def find_inside(name: str, place: tuple[str, ...], mapping: TrialMap, folder: Path, found: Findings) -> Path | None:
    """Return the file of that name in the folder; names that lead out of it are refused."""
    path = folder / name
    if Path(name).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        found.problems.append(mapping.problem((*place, "file"), f'A file must be inside the folder, got "{name}".'))
        return None
    return path


def _translate_arms(
    words: pd.Series, mapping: TrialMap, protocol: Protocol | None, file: str, found: Findings
) -> pd.Series:
    arms = words.map(lambda word: mapping.arms.get(word, word))
    if protocol is not None:
        fix = " Rename it under arms: in the mapping, or analyze with the protocol of this trial."
        given = arms[arms != ""]
        found.problems += find_unknown(given, protocol.arms, file, "Arm of the data", fix)
    elif mapping.arms:
        known = {*mapping.arms, *mapping.arms.values()}
        found.problems += find_unknown(arms[arms != ""], known, file, "Arm of the data", " Add it under arms:.")
    return arms


def _translate_visits(words: pd.Series, mapping: TrialMap, file: str, found: Findings) -> tuple[pd.Series, pd.Series]:
    """Return the labels, and which rows are read."""
    if (blank := words == "").any():
        found.problems += shorten(
            Problem(file, int(line), f'Column "{words.name}" must name a visit in every row, the cell is empty.')
            for line in words.index[blank]
        )
    if not mapping.visits:
        return words, pd.Series(True, index=words.index)
    labels = {word: visit.label for word, visit in mapping.visits.items() if visit is not None}
    known = {*mapping.visits, *labels.values()}
    found.problems += find_unknown(words[~blank], known, file, "Visit of the data", " Add it under visits:.")
    left_out = {word for word, visit in mapping.visits.items() if visit is None}
    return words.map(lambda word: labels.get(word, word)), ~words.isin(left_out)
