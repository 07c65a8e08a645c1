"""Stool samples, their feature table, and the share of Bifidobacterium in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vagus.errors import InputError, Problem, nearest
from vagus.io.mapping import TrialMap
from vagus.io.rows import Findings, Rows, find_inside
from vagus.io.tables import Matrix, read_matrix, read_table
from vagus.trial.checks import find_bad_features, find_duplicates, find_unknown, parse_numbers
from vagus.trial.data import EVENTS, SAMPLES
from vagus.trial.taxa import columns_of_genus, genus_of

BIFIDOBACTERIUM = "bifidobacterium_rel_abundance_pct"


def collect_samples(tables: list[Rows], found: Findings) -> pd.DataFrame:
    """One row a stool sample of the tables that name samples."""
    parts = []
    for rows in tables:
        if "sample_id" not in rows.frame:
            continue
        frame = rows.frame[rows.frame["_keep"]]
        fix = "rename one of them."
        found.problems += find_duplicates(frame, ["sample_id"], rows.file, fix)
        columns = [name for name in SAMPLES if name in frame]
        parts.append(frame[columns])
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in SAMPLES})
    samples = pd.concat(parts, ignore_index=True)
    for name, empty in (("visit", ""), ("day", np.nan)):
        if name not in samples:
            samples[name] = empty
    return samples[list(SAMPLES)]


def read_features(mapping: TrialMap, folder: Path, samples: pd.DataFrame, found: Findings) -> tuple[pd.DataFrame, str]:
    """Return the feature table (samples x taxa, index `sample_id`) and its kind."""
    table = mapping.features
    if table is None or (path := find_inside(table.file, table.place, mapping, folder, found)) is None:
        return pd.DataFrame(), ""
    try:
        matrix = read_matrix(path, table.sample)
    except InputError as error:
        found.problems += error.problems
        return pd.DataFrame(), ""
    if table.orientation == "taxa x samples":
        matrix = Matrix(matrix.file, matrix.columns, matrix.rows, matrix.values.T.copy(), (0,) * len(matrix.columns))
    values, kind = matrix.values, table.kind
    if kind is None:
        whole = bool(np.all(np.isnan(values) | (values == np.rint(values))) and np.nanmax(values, initial=0.0) > 1)
        kind = "counts" if whole else "fractions"
        found.notes.append(f"{table.file}: read as {kind} (by its numbers)")
    if kind == "percent":
        values, kind = values / 100, "fractions"
        found.notes.append(f"{table.file}: percentages divided by 100")
    if bad := find_bad_features(values, matrix.columns, matrix.lines, kind, matrix.file):
        found.problems += bad
        return pd.DataFrame(), ""
    frame = pd.DataFrame(values, index=pd.Index(matrix.rows, name="sample_id"), columns=list(matrix.columns))
    if kind == "counts":
        frame = frame.astype(np.int64)
    return _match_samples(frame, samples, table.file, matrix.file, kind, found), kind


def _match_samples(
    frame: pd.DataFrame, samples: pd.DataFrame, name: str, file: str, kind: str, found: Findings
) -> pd.DataFrame:
    """Keep the rows whose sample is known, and say what was not."""
    known = frame.index.isin(set(samples["sample_id"]))
    if len(samples) and not known.any():
        text = (
            f'Samples of the feature table must be those of the sample table, got "{frame.index[0]}", which is none of '
            'them; check "sample:" and "orientation:" in the mapping.'
        )
        found.problems.append(Problem(file, 0, text))
        return pd.DataFrame()
    if strangers := int((~known).sum()):
        found.notes.append(f"{name}: {strangers} samples of nobody in the sample table set aside")
    frame = frame[known]
    if lonely := int((~samples["sample_id"].isin(frame.index)).sum()):
        found.notes.append(f"{name}: {lonely} samples of the sample table have no features")
    unknown = [taxon for taxon in frame.columns if genus_of(str(taxon)) is None]
    if unknown:
        totals = frame.sum(axis=1).to_numpy(dtype=np.float64)
        share = frame[unknown].sum(axis=1).to_numpy(dtype=np.float64)[totals > 0] / totals[totals > 0]
        percent = 100 * float(share.mean()) if share.size else 0.0
        shown = ", ".join(map(str, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
        found.notes.append(
            f"{name}: {len(unknown)} of {frame.shape[1]} taxa name no genus that can be read "
            f"({percent:.1f} % of an average sample: {shown}); they count in the total only"
        )
    if kind == "counts" and (empty := int((frame.sum(axis=1) == 0).sum())):
        found.notes.append(f"{name}: {empty} samples have no reads at all")
    return frame


def derive_bifidobacterium(
    samples: pd.DataFrame,
    features: pd.DataFrame,
    kind: str,
    values: list[pd.DataFrame],
    tables: list[Rows],
    found: Findings,
) -> pd.DataFrame | None:
    """Sum the columns of the genus, as percent of each sample's total; nothing where the table has no such column."""
    if features.empty or any((part["outcome"] == BIFIDOBACTERIUM).any() for part in values):
        return None
    columns = columns_of_genus(map(str, features.columns), "Bifidobacterium")
    if not columns:
        found.notes.append("no column of the feature table is of the genus Bifidobacterium: its share is not derived")
        return None
    part = features[columns].sum(axis=1).astype(np.float64)
    if kind == "counts":
        total = features.sum(axis=1).astype(np.float64)
        part = part / total.where(total > 0)
    by_sample = samples.merge((100 * part).rename("value"), left_on="sample_id", right_index=True, how="inner")
    by_sample = by_sample[by_sample["value"].notna()]
    keys = ["subject_id", "visit"]
    averaged = by_sample.groupby(keys, sort=False)["value"].mean().reset_index()
    repeats = {rows.table.repeats for rows in tables if rows.table.sample}
    text = f"{BIFIDOBACTERIUM}: sum of {len(columns)} columns of the genus"
    if len(averaged) < len(by_sample):
        if repeats != {"mean"}:
            first = by_sample[by_sample.duplicated(keys)].iloc[0]
            message = (
                f'A subject must have one sample a visit, got several of "{first["subject_id"]}" at "{first["visit"]}" '
                f'({len(by_sample) - len(averaged)} more in all); write "repeats: mean" to average them.'
            )
            found.problems.append(Problem(next(rows.file for rows in tables if rows.table.sample), 0, message))
        text += f", averaged over the samples of a subject and visit ({len(by_sample)} to {len(averaged)})"
    found.notes.append(text)
    return averaged.assign(outcome=BIFIDOBACTERIUM, given=np.nan)


def read_events(mapping: TrialMap, folder: Path, subjects: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Return the table of events; empty where there is none."""
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in EVENTS})
    if mapping.events is None:
        return empty
    names = mapping.events
    path = find_inside(names.file, names.place, mapping, folder, found)
    if path is None:
        return empty
    try:
        loaded = read_table(path, needs_rows=False)
    except InputError as error:
        found.problems += error.problems
        return empty
    columns = {names.subject: "subject_id", names.day: "day", names.event: "event"}
    absent = [name for name in columns if name not in loaded.frame.columns]
    for name in absent:
        text = f'The table must have a column "{name}"; {nearest(name, map(str, loaded.frame.columns))}'
        found.problems.append(Problem(loaded.file, loaded.header_line, text))
    if absent:
        return empty
    frame = loaded.frame[list(columns)].rename(columns=columns)
    found.problems += find_unknown(frame["subject_id"], set(subjects["subject_id"]), loaded.file, "Subject of an event")
    days, problems = parse_numbers(frame["day"], loaded.file)
    found.problems += problems
    return frame.assign(day=days)[list(EVENTS)].reset_index(drop=True)
