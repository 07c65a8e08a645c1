"""Outcome values of wide and long tables, converted, checked, averaged and joined."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vagus.errors import InputError, Problem, nearest
from vagus.io.mapping import OutcomeColumn
from vagus.io.rows import Findings, Rows
from vagus.trial.checks import find_duplicates, find_out_of_range, parse_numbers
from vagus.trial.vocabulary import Outcome, resolve_outcome


def read_values(rows: Rows, known: Mapping[str, Outcome], found: Findings) -> pd.DataFrame | None:
    """Return ``subject_id, visit, outcome, value`` (and ``given`` baseline) of one table, indexed by line."""
    table = rows.table
    if "visit" not in rows.frame or not (table.outcomes or table.value):
        return None
    frame = rows.frame[rows.frame["_keep"]]
    raw = rows.raw.loc[frame.index]
    long = _read_long(rows, frame, raw, known, found) if table.value else _read_wide(rows, frame, raw, known, found)
    keys = ["subject_id", "visit", "outcome"]
    measured = long[long["value"].notna()]
    if table.repeats == "mean":
        groups = measured.groupby(keys, sort=False)
        averaged = groups["value"].mean().reset_index()
        if len(averaged) < len(measured):
            sizes = f"{len(measured)} values to {len(averaged)}"
            found.notes.append(f"{table.file}: several rows of one subject and visit averaged ({sizes})")
        averaged["given"] = groups["given"].mean().to_numpy()
        return averaged
    fix = 'keep one, or write "repeats: mean" in the mapping to average them.'
    if table.value:
        found.problems += find_duplicates(long, keys, rows.file, fix)
    else:
        found.problems += find_duplicates(frame, ["subject_id", "visit"], rows.file, fix)
    return measured


def _read_wide(
    rows: Rows, frame: pd.DataFrame, raw: pd.DataFrame, known: Mapping[str, Outcome], found: Findings
) -> pd.DataFrame:
    parts = []
    for column, meaning in rows.table.outcomes.items():
        values, problems = parse_numbers(raw[column], rows.file, rows.table.missing)
        values = _convert(values, meaning, column, rows, found)
        found.problems += problems + find_out_of_range(values, known[meaning.outcome], rows.file)
        if blank := int(values.isna().sum()) - len(problems):
            found.notes.append(f"{rows.table.file}: {meaning.outcome}: {blank} of {len(values)} cells are empty")
        parts.append(frame[["subject_id", "visit"]].assign(outcome=meaning.outcome, value=values, given=np.nan))
    return pd.concat(parts)


def _read_long(
    rows: Rows, frame: pd.DataFrame, raw: pd.DataFrame, known: Mapping[str, Outcome], found: Findings
) -> pd.DataFrame:
    table = rows.table
    words = raw[str(table.outcome)]
    meanings: dict[str, OutcomeColumn] = {}
    for word in words.unique():
        if word in table.outcomes:
            meanings[word] = table.outcomes[word]
        elif (meant := outcome_of(word, known)) is not None:
            meanings[word] = OutcomeColumn(meant)
            if meant != word:
                found.notes.append(f'{table.file}: outcome "{word}" read as {meant}')
        else:
            count = int((words == word).sum())
            hint = nearest(word, known) if len(known) < 200 else ""
            hint = hint if hint.startswith("did you mean") else "not in the vocabulary"
            found.notes.append(f'{table.file}: outcome "{word}" set aside ({count} rows; {hint})')
    parts = []
    for word, meaning in meanings.items():
        chosen = words == word
        cells = raw.loc[chosen, str(table.value)]
        values, problems = parse_numbers(cells, rows.file, table.missing)
        values = _convert(values, meaning, word, rows, found)
        found.problems += problems + find_out_of_range(values, known[meaning.outcome], rows.file)
        if blank := int(values.isna().sum()) - len(problems):
            found.notes.append(f"{table.file}: {meaning.outcome}: {blank} of {len(values)} cells are empty")
        given = pd.Series(np.nan, index=cells.index)
        if table.baseline is not None:
            given, problems = parse_numbers(raw.loc[chosen, table.baseline], rows.file, table.missing)
            given = given * meaning.factor
            found.problems += problems
        part = frame.loc[chosen, ["subject_id", "visit"]]
        parts.append(part.assign(outcome=meaning.outcome, value=values, given=given))
    if not parts:
        empty = frame.iloc[:0][["subject_id", "visit"]]
        return empty.assign(outcome="", value=np.nan, given=np.nan)
    return pd.concat(parts).sort_index(kind="stable")


def _convert(values: pd.Series, meaning: OutcomeColumn, word: str, rows: Rows, found: Findings) -> pd.Series:
    if meaning.factor == 1.0:
        return values
    unit = f" from {meaning.unit}" if meaning.unit else ""
    found.notes.append(f'{rows.table.file}: "{word}" converted{unit} to {meaning.outcome} (times {meaning.factor:g})')
    return values * meaning.factor


def join_values(values: list[pd.DataFrame], visits: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Put the values of all tables together and add the day of each visit; an outcome must come from one table."""
    columns = ["subject_id", "visit", "outcome", "value", "given"]
    if not values:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in (*columns, "day")})
    long = pd.concat([part[columns] for part in values], ignore_index=True)
    keys = ["subject_id", "visit", "outcome"]
    if (twice := long.duplicated(keys)).any():
        first = long[twice].iloc[0]
        text = (
            f'An outcome must come from one table, {first["outcome"]} of subject "{first["subject_id"]}" at '
            f'"{first["visit"]}" comes from two ({int(twice.sum())} values); leave it out of one of them.'
        )
        found.problems.append(Problem("", 0, text))
        long = long[~twice]
    return long.merge(visits, on=["subject_id", "visit"], how="left", validate="many_to_one")


def use_given_baselines(table: pd.DataFrame, long: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Fill baselines from a baseline column where there is no baseline visit; where there are both they must agree."""
    if "given" not in long or not long["given"].notna().any():
        return table
    keys = ["subject_id", "visit", "outcome"]
    given = table[keys].merge(long[[*keys, "given"]], on=keys, how="left")["given"].to_numpy(dtype=np.float64)
    own = table["baseline"].to_numpy(dtype=np.float64)
    differ = np.isfinite(given) & np.isfinite(own) & ~np.isclose(given, own, rtol=1e-9, atol=1e-12)
    if differ.any():
        row = table[differ].iloc[0]
        text = (
            f'Column "baseline" must agree with the baseline visit, got {given[differ][0]:g} and {row["baseline"]:g} '
            f'for {row["outcome"]} of subject "{row["subject_id"]}" ({int(differ.sum())} rows); correct one of them.'
        )
        found.problems.append(Problem("", 0, text))
    filled = np.where(np.isfinite(own), own, given)
    if count := int((np.isfinite(filled) & ~np.isfinite(own)).sum()):
        found.notes.append(f'{count} baselines taken from the column "baseline" (no baseline visit)')
    return table.assign(baseline=filled, change=table["value"].to_numpy(dtype=np.float64) - filled)


def outcome_of(name: str, known: Mapping[str, Outcome]) -> str | None:
    """Return the one outcome that a name stands for, or None."""
    if name in known:
        return name
    try:
        meant = resolve_outcome(name)
    except InputError:
        return None
    return meant[0] if len(meant) == 1 and meant[0] in known else None
