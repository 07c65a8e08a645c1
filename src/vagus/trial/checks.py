"""What trial tables must hold; every check returns all its problems and raises nothing.

The tables that come from a file are indexed by line number, so that a problem says where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.errors import Problem, nearest
from vagus.trial.data import EVENTS, OUTCOMES, SAMPLES, SUBJECTS, VISITS, TrialData
from vagus.trial.vocabulary import Outcome

#: Cells that stand for "not measured" in any table.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "-"})
#: Problems of one kind that are written out; the rest is counted.
SHOWN = 5
#: A sample's fractions may miss 1 by rounding and by rare taxa that were left out, never exceed it by more than this.
FRACTION_SLACK = 0.02
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def is_missing(cell: str, extra: Collection[str] = ()) -> bool:
    """Return whether a cell stands for "not measured".

    Examples
    --------
    >>> is_missing("NA"), is_missing(" "), is_missing("0"), is_missing("-99", extra={"-99"})
    (True, True, False, True)
    """
    text = cell.strip()
    return text.casefold() in MISSING or text in extra


def parse_numbers(cells: pd.Series, file: str, missing: Collection[str] = ()) -> tuple[pd.Series, list[Problem]]:
    """Read a column of text as numbers.

    Parameters
    ----------
    cells : pandas.Series
        Text, indexed by line; the series' name is the column's.
    file : str
        File as the user named it.
    missing : collection of str
        Further marks for "not measured".

    Returns
    -------
    numbers : pandas.Series
        Floats, NaN where not measured or not a number; same index.
    problems : list of Problem
        One for every cell that holds something else.

    Examples
    --------
    >>> cells = pd.Series(["7", "", "7,5"], index=[2, 3, 4], name="ISI")
    >>> values, problems = parse_numbers(cells, "isi.csv")
    >>> values.tolist(), str(problems[0])
    ([7.0, nan, nan], 'Column "ISI" must hold numbers, got "7,5" (decimal comma); write 7.5. (isi.csv, line 4)')
    """
    numbers = np.full(len(cells), np.nan)
    problems: list[Problem] = []
    for place, (line, cell) in enumerate(cells.items()):
        text = str(cell).strip()
        if is_missing(text, missing):
            continue
        try:
            value = float(text) if "_" not in text else np.nan
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            problems.append(Problem(file, _line(line), _not_a_number(str(cells.name), text)))
            continue
        numbers[place] = value
    return pd.Series(numbers, index=cells.index, name=cells.name), shorten(problems)


def _not_a_number(column: str, text: str) -> str:
    must = f'Column "{column}" must hold numbers, got "{text}"'
    if _THOUSANDS.fullmatch(text):
        whole = text.replace(",", "")
        choice = f"{whole} or {text.replace(',', '.')}" if text.count(",") == 1 and "." not in text else whole
        return f"{must} (a comma marks neither decimals nor thousands); write {choice}."
    if _DECIMAL_COMMA.fullmatch(text):
        return f"{must} (decimal comma); write {text.replace(',', '.')}."
    if text.casefold().lstrip("+-") in {"inf", "infinity"}:
        return f"{must}, which is not finite; leave the cell empty where nothing was measured."
    if text[:1] in "<>":
        return f"{must}; write the value to use (for example half the detection limit) or leave the cell empty."
    return f"{must}; write a number, leave the cell empty, or name this mark under missing: in the mapping."


def find_arm_conflicts(rows: pd.DataFrame, file: str) -> list[Problem]:
    """Return a problem for every subject that appears in two arms, and for every row without one.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``subject_id, arm``, indexed by line.
    file : str
        File as the user named it.
    """
    problems: list[Problem] = []
    first: dict[str, tuple[str, int]] = {}
    for line, subject, arm in zip(rows.index, rows["subject_id"], rows["arm"]):
        if not arm:
            problems.append(
                Problem(file, _line(line), f'Subject "{subject}" must have an arm, the cell is empty; write the arm.')
            )
            continue
        known, where = first.setdefault(subject, (arm, _line(line)))
        if known != arm:
            text = (
                f'Subject "{subject}" must be in one arm, got "{arm}" here and "{known}" in line {where}; correct one.'
            )
            problems.append(Problem(file, _line(line), text))
    return shorten(problems)


def find_unknown(values: pd.Series, known: Iterable[str], file: str, what: str, fix: str = "") -> list[Problem]:
    """Return one problem for every distinct value that is not among the known ones, with its first line.

    Parameters
    ----------
    values : pandas.Series
        Text, indexed by line.
    known : iterable of str
        Accepted values.
    file, what : str
        File, and what the values are (``Arm``, ``Visit``).
    fix : str
        A last sentence.
    """
    known = set(known)
    problems = []
    for line, value in values[~values.isin(known)].drop_duplicates().items():
        count = int((values == value).sum())
        text = f'{what} must be a known one, got "{value}" ({count} rows); {nearest(str(value), known)}{fix}'
        problems.append(Problem(file, _line(line), text))
    return shorten(problems)


def find_duplicates(rows: pd.DataFrame, keys: Sequence[str], file: str, fix: str) -> list[Problem]:
    """Return a problem for every row that repeats the keys of an earlier one.

    Parameters
    ----------
    rows : pandas.DataFrame
        Indexed by line.
    keys : sequence of str
        Columns that must be unique together.
    file, fix : str
        File, and what the user can do.
    """
    repeated = rows.duplicated(list(keys), keep="first")
    if not repeated.any():
        return []
    first: dict[tuple[Hashable, ...], int] = {}
    problems = []
    for line, key in zip(rows.index, rows[list(keys)].itertuples(index=False, name=None)):
        if key in first:
            named = ", ".join(f'{name} "{value}"' for name, value in zip(keys, key))
            problems.append(
                Problem(file, _line(line), f"Rows must be unique, {named} stands already in line {first[key]}; {fix}")
            )
        else:
            first[key] = _line(line)
    return shorten(problems)


def find_out_of_range(values: pd.Series, outcome: Outcome, file: str) -> list[Problem]:
    """Return a problem for every value that the instrument cannot give.

    Parameters
    ----------
    values : pandas.Series
        Numbers in the outcome's unit, indexed by line.
    outcome : Outcome
        Outcome with its range.
    file : str
        File as the user named it.
    """
    low = -np.inf if outcome.minimum is None else outcome.minimum
    high = np.inf if outcome.maximum is None else outcome.maximum
    reach = f"at least {low:g}" if not np.isfinite(high) else f"between {low:g} and {high:g}"
    wrong = values[(values < low) | (values > high)]
    return shorten(
        Problem(
            file,
            _line(line),
            f"{outcome.label} must be {reach} {outcome.unit}, got {value:g}; correct it, or map its unit.",
        )
        for line, value in wrong.items()
    )


def find_bad_features(
    values: NDArray[np.float64], taxa: Sequence[str], lines: Sequence[int], kind: str, file: str
) -> list[Problem]:
    """Return what is wrong in a feature table.

    Parameters
    ----------
    values : numpy.ndarray
        Samples x taxa.
    taxa : sequence of str
        Column names.
    lines : sequence of int
        Line of each sample; 0 where a sample is a column of the file.
    kind : str
        ``counts`` (whole numbers, 0 or more) or ``fractions`` (0 to 1, at most 1 a sample).
    file : str
        File as the user named it.
    """
    problems = []
    must = "whole numbers, 0 or more" if kind == "counts" else "fractions between 0 and 1"
    if kind == "counts":
        wrong = ~np.isfinite(values) | (values < 0) | (values != np.rint(values))
        fix = "give the raw reads, or write kind: fractions in the mapping."
    else:
        wrong = ~np.isfinite(values) | (values < 0) | (values > 1 + FRACTION_SLACK)
        fix = "write kind: counts for reads or kind: percent for percentages in the mapping."
    rows, columns = np.nonzero(wrong)
    for row, column in zip(rows[: SHOWN + 1], columns[: SHOWN + 1]):
        got = "no value" if np.isnan(values[row, column]) else f"{values[row, column]:g}"
        text = f'Feature table must hold {must}, got {got} for "{taxa[column]}"; {fix}'
        problems.append(Problem(file, lines[row], text))
    problems = shorten(problems, total=len(rows))
    if kind == "fractions" and not problems:
        totals = values.sum(axis=1)
        for row in np.flatnonzero(totals > 1 + FRACTION_SLACK)[:1]:
            count = int((totals > 1 + FRACTION_SLACK).sum())
            text = (
                f"Fractions of a sample must sum to at most 1, got {totals[row]:.3g} ({count} samples); "
                "the table may hold several ranks (genus and species): keep one."
            )
            problems.append(Problem(file, lines[row], text))
    return problems


def check_arms(data: TrialData, arms: Iterable[str]) -> list[Problem]:
    """Return a problem for every arm of the data that the protocol does not have.

    Parameters
    ----------
    data : TrialData
        A trial.
    arms : iterable of str
        Arm ids of the protocol.
    """
    known = set(arms)
    problems = []
    for arm in sorted(set(data.subjects["arm"]) - known):
        count = int((data.subjects["arm"] == arm).sum())
        text = (
            f'Arm of the data must be one of the protocol, got "{arm}" ({count} subjects); {nearest(str(arm), known)} '
            "Rename it under arms: in the mapping, or analyze with the protocol of this trial."
        )
        problems.append(Problem("", 0, text))
    return problems


def check_trial(data: TrialData, file: str = "") -> list[Problem]:
    """Return what is wrong with a trial as a whole.

    Parameters
    ----------
    data : TrialData
        A trial, simulated or read.
    file : str
        Where it comes from, for the messages.

    Returns
    -------
    list of Problem
        Missing columns, repeated subjects, visits, outcomes and samples, rows of subjects that do not exist, values
        that are not numbers, and bad features; empty where all is well.
    """
    problems: list[Problem] = []
    wanted = {
        "subjects": (data.subjects, SUBJECTS),
        "visits": (data.visits, VISITS),
        "outcomes": (data.outcomes, OUTCOMES),
        "samples": (data.samples, SAMPLES),
        "events": (data.events, EVENTS),
    }
    for name, (table, columns) in wanted.items():
        for column in columns:
            if column not in table.columns:
                text = f'Table {name} must have a column "{column}"; {nearest(column, map(str, table.columns))}'
                problems.append(Problem(file, 0, text))
    if problems:
        return problems
    if data.subjects.empty:
        return [Problem(file, 0, "A trial must have at least one subject, the table of subjects is empty.")]
    keys = {
        "subjects": ["subject_id"],
        "visits": ["subject_id", "visit"],
        "outcomes": ["subject_id", "visit", "outcome"],
        "samples": ["sample_id"],
    }
    for name, key in keys.items():
        table = wanted[name][0]
        repeated = table[table.duplicated(key)]
        if len(repeated):
            first = ", ".join(f'{column} "{repeated.iloc[0][column]}"' for column in key)
            text = f"Table {name} must hold each {' and '.join(key)} once, got {len(repeated)} more, first {first}."
            problems.append(Problem(file, 0, text))
    subjects = set(data.subjects["subject_id"])
    for name in ("visits", "outcomes", "samples", "events"):
        strangers = sorted(map(str, set(wanted[name][0]["subject_id"]) - subjects))
        if strangers:
            text = f'Table {name} must name subjects of the trial, got "{strangers[0]}" ({len(strangers)} unknown).'
            problems.append(Problem(file, 0, text))
    values = pd.to_numeric(data.outcomes["value"], errors="coerce")
    wrong = data.outcomes.loc[(values.isna() & data.outcomes["value"].notna()) | np.isinf(values), "value"]
    if len(wrong):
        text = f'Outcome values must be finite numbers or missing, got "{wrong.iloc[0]}" ({len(wrong)} values).'
        problems.append(Problem(file, 0, text))
    if len(data.features):
        problems += _check_feature_frame(data, file)
    return problems


def _check_feature_frame(data: TrialData, file: str) -> list[Problem]:
    if data.feature_kind not in {"counts", "fractions"}:
        text = f'Kind of the feature table must be counts or fractions, got "{data.feature_kind}".'
        return [Problem(file, 0, text)]
    unknown = set(data.features.index) - set(data.samples["sample_id"])
    problems = []
    if unknown:
        first = sorted(map(str, unknown))[0]
        text = f'Feature table must hold samples of the trial, got "{first}" ({len(unknown)} unknown).'
        problems.append(Problem(file, 0, text))
    values = data.features.to_numpy(dtype=np.float64)
    taxa = [str(name) for name in data.features.columns]
    return problems + find_bad_features(values, taxa, [0] * len(values), data.feature_kind, file)


def shorten(problems: Iterable[Problem], total: int | None = None) -> list[Problem]:
    """Return the first problems of one kind; the last one says how many more there are.

    Examples
    --------
    >>> shown = shorten([Problem("a.csv", line, "Bad.") for line in range(2, 100)])
    >>> len(shown), shown[-1].message
    (6, 'And 93 more like these.')
    """
    problems = list(problems)
    total = len(problems) if total is None else total
    if total <= SHOWN:
        return problems
    last = problems[SHOWN - 1]
    return [*problems[:SHOWN], Problem(last.file, 0, f"And {total - SHOWN} more like these.")]


def _line(label: Hashable) -> int:
    return int(label) if isinstance(label, (int, np.integer)) else 0
