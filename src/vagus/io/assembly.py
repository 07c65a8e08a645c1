"""From tables and a mapping to a trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from vagus.errors import InputError, Problem, nearest
from vagus.io.mapping import TrialMap
from vagus.io.rows import Findings, Rows, read_rows
from vagus.io.samples import collect_samples, derive_bifidobacterium, read_events, read_features
from vagus.io.tables import Table
from vagus.io.values import join_values, read_values, use_given_baselines
from vagus.protocol.types import Protocol
from vagus.trial.checks import find_arm_conflicts, is_missing, parse_numbers, shorten
from vagus.trial.data import VISITS, TrialData, make_outcomes
from vagus.trial.vocabulary import Outcome

BASELINE = "baseline"


def assemble(
    mapping: TrialMap, folder: Path, known: Mapping[str, Outcome], protocol: Protocol | None, notes: list[str]
) -> TrialData:
    """Read every table of a mapping and put the trial together.

    Parameters
    ----------
    mapping : TrialMap
        What the files hold.
    folder : pathlib.Path
        Where they are.
    known : mapping of str to Outcome
        Vocabulary.
    protocol : Protocol or None
        Its arms, control and visits are compared.
    notes : list of str
        What was noted before.

    Returns
    -------
    TrialData
        The trial.

    Raises
    ------
    InputError
        Every problem found. Where a table cannot be read, checks across tables wait for it.
    """
    found = Findings(notes=[note for note in notes if note])
    files: dict[str, Table | None] = {}
    tables = [
        rows
        for table in mapping.tables
        if (rows := read_rows(table, mapping, folder, files, protocol, found)) is not None
    ]
    values = [part for rows in tables if (part := read_values(rows, known, found)) is not None]
    subjects = collect_subjects(tables, found)
    if len(tables) < len(mapping.tables):
        raise InputError(_unique(found.problems))
    _check_arms_given(subjects, tables, found)
    visits = collect_visits(tables)
    samples = collect_samples(tables, found)
    features, kind = read_features(mapping, folder, samples, found)
    events = read_events(mapping, folder, subjects, found)
    if control := mapping.control:
        if protocol is not None and control != protocol.control:
            text = f'Control of the mapping must be the one of the protocol ("{protocol.control}"), got "{control}".'
            found.problems.append(mapping.problem(("control",), text))
        elif control not in set(subjects["arm"]):
            text = f'Control must be an arm of the data, got "{control}"; {nearest(control, set(subjects["arm"]))}'
            found.problems.append(mapping.problem(("control",), text))
    if found.problems:
        raise InputError(_unique(found.problems))
    derived = derive_bifidobacterium(samples, features, kind, values, tables, found)
    if derived is not None:
        values.append(derived)
    long = join_values(values, visits, found)
    table = make_outcomes(long[["subject_id", "visit", "day", "outcome", "value"]], subjects, BASELINE)
    table = use_given_baselines(table, long, found)
    if found.problems:
        raise InputError(_unique(found.problems))
    if protocol is not None:
        _compare_visits(visits, protocol, folder, found)
        if found.problems:
            raise InputError(found.problems)
    if BASELINE not in set(visits["visit"]):
        found.notes.append('no visit is called "baseline": changes cannot be computed (see visits: in the mapping)')
    subjects = with_status(subjects, table, features, samples)
    return TrialData(
        subjects=subjects,
        visits=visits,
        outcomes=table,
        samples=samples,
        features=features,
        events=events,
        feature_kind=kind,
        notes=tuple(found.notes),
    )


def _unique(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _compare_visits(visits: pd.DataFrame, protocol: Protocol, folder: Path, found: Findings) -> None:
    there = list(dict.fromkeys(visits["visit"]))
    extra = [label for label in there if label not in protocol.visit_labels]
    if there and len(extra) == len(there):
        known = ", ".join(protocol.visit_labels)
        text = (
            f"Visits of the data must be those of the protocol ({known}), got {', '.join(map(str, there[:5]))}; "
            "say which is which under visits: in the mapping."
        )
        found.problems.append(Problem(str(folder), 0, text))
    elif extra:
        found.notes.append(f"visits that the protocol does not have: {', '.join(map(str, extra))}")


def with_status(
    subjects: pd.DataFrame, table: pd.DataFrame, features: pd.DataFrame, samples: pd.DataFrame
) -> pd.DataFrame:
    """Give everybody a status: ``ok``, the sentence of the file, or that no value was found."""
    seen = set(table["subject_id"])
    seen |= set(samples.loc[samples["sample_id"].isin(features.index), "subject_id"]) if len(features) else set()
    given = subjects["status"] if "status" in subjects else pd.Series([None] * len(subjects), index=subjects.index)
    status = [
        str(word) if isinstance(word, str) and word else ("ok" if subject in seen else "no value was found")
        for subject, word in zip(subjects["subject_id"], given)
    ]
    rest = [name for name in subjects.columns if name not in ("subject_id", "arm", "status")]
    return subjects.assign(status=status)[["subject_id", "arm", "status", *rest]]


def collect_subjects(tables: list[Rows], found: Findings) -> pd.DataFrame:
    """One row a subject of any table, with arm and covariates."""
    ids = dict.fromkeys(str(subject) for rows in tables for subject in rows.frame["subject_id"])
    arms: dict[str, tuple[str, str]] = {}
    columns: dict[str, dict[str, str]] = {}
    for rows in tables:
        if "arm" in rows.frame:
            found.problems += find_arm_conflicts(rows.frame, rows.file)
            for line, subject, arm in zip(rows.frame.index, rows.frame["subject_id"], rows.frame["arm"]):
                other = arms.setdefault(subject, (arm, rows.file))
                if other[1] != rows.file and arm and other[0] != arm:
                    text = f'Subject "{subject}" must be in one arm, got "{arm}" here and "{other[0]}" in {other[1]}.'
                    found.problems.append(Problem(rows.file, int(line), text))
        covariates = dict(rows.table.covariates)
        if rows.table.status is not None:
            covariates[rows.table.status] = "status"
        for column, name in covariates.items():
            found.problems += _collect_covariate(rows, column, name, columns.setdefault(name, {}))
    arm_of = [arms.get(subject, ("", ""))[0] for subject in ids]
    frame = pd.DataFrame({"subject_id": list(ids), "arm": arm_of}, dtype=object)
    for name, by_subject in columns.items():
        cells = pd.Series([by_subject.get(subject, "") for subject in ids], name=name, dtype=object)
        frame[name] = _as_numbers_if_all(cells)
    return frame


def _check_arms_given(subjects: pd.DataFrame, tables: list[Rows], found: Findings) -> None:
    if not any("arm" in rows.frame for rows in tables):
        first = tables[0]
        text = f"One table must have the arm of each subject; {nearest('arm', map(str, first.raw.columns[:200]))}"
        found.problems.append(Problem(first.file, 1, text))
        return
    without = set(subjects.loc[subjects["arm"] == "", "subject_id"]) - {""}
    for rows in tables:
        if "arm" in rows.frame:
            continue
        first_rows = rows.frame[rows.frame["subject_id"].isin(without)].drop_duplicates("subject_id")
        found.problems += shorten(
            Problem(rows.file, int(line), f'Subject "{subject}" must have an arm in one of the tables, found none.')
            for line, subject in zip(first_rows.index, first_rows["subject_id"])
        )


def _collect_covariate(rows: Rows, column: str, name: str, by_subject: dict[str, str]) -> list[Problem]:
    problems = []
    for line, subject, cell in zip(rows.frame.index, rows.frame["subject_id"], rows.raw[column]):
        if is_missing(cell, rows.table.missing):
            continue
        known = by_subject.setdefault(subject, cell)
        if known != cell:
            text = f'Covariate "{name}" must be one value a subject, got "{cell}" and "{known}" for "{subject}".'
            problems.append(Problem(rows.file, int(line), text))
    return shorten(problems)


def _as_numbers_if_all(cells: pd.Series) -> pd.Series:
    numbers, problems = parse_numbers(cells, "")
    return cells.where(cells != "", None) if problems or cells.name == "status" else numbers


def collect_visits(tables: list[Rows]) -> pd.DataFrame:
    """One row a subject and visit of any table."""
    parts = [rows.frame.loc[rows.frame["_keep"], list(VISITS)] for rows in tables if "visit" in rows.frame]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in VISITS})
    together = pd.concat(parts, ignore_index=True)
    # Repeated samples of one visit may carry several days: the visit stands at their mean.
    visits = together.groupby(["subject_id", "visit"], sort=False)["day"].mean().reset_index()
    return visits.sort_values(["subject_id", "day", "visit"], kind="stable").reset_index(drop=True)[list(VISITS)]
