"""The folder of a run: trial tables written whole, and read back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vagus.errors import InputError, Problem
from vagus.io.assembly import with_status
from vagus.io.tables import MOST_BYTES, read_bytes
from vagus.protocol.types import Protocol
from vagus.trial.checks import check_arms, check_trial
from vagus.trial.data import TrialData

#: Tables of a trial folder, in the order they are written.
PARTS = ("subjects", "visits", "outcomes", "samples", "features", "events", "truth")
FACTS = "trial.json"


def read_run(folder: Path, protocol: Protocol | None) -> TrialData:
    """Read a trial from the folder of a run.

    Raises
    ------
    InputError
        A table that is broken or missing columns, or an arm that the protocol does not have.
    """
    frames = {part: frame for part in PARTS if (frame := _read_part(folder / f"{part}.parquet")) is not None}
    facts = read_facts(folder / FACTS)
    features = frames.pop("features", pd.DataFrame())
    kind = str(facts.get("feature_kind", ""))
    if "sample_id" in features:
        features = features.set_index("sample_id")
    if len(features) and not kind:
        numbers = features.to_numpy(dtype=np.float64)
        kind = "counts" if np.all(numbers == np.rint(numbers)) and numbers.max(initial=0.0) > 1 else "fractions"
    notes = [str(note) for note in facts.get("notes", ())]
    if (state := read_facts(folder / "run.json").get("status", "complete")) != "complete":
        notes.append(f'this run is marked "{state}", not complete: what it holds may be a part')
    data = TrialData(**frames, features=features, feature_kind=kind, notes=tuple(notes))
    problems = check_trial(data, str(folder))
    if not problems and protocol is not None:
        problems = check_arms(data, protocol.arms)
    if problems:
        raise InputError(problems)
    if "status" not in data.subjects:
        data = replace(data, subjects=with_status(data.subjects, data.outcomes, data.features, data.samples))
    return data


def _read_part(path: Path) -> pd.DataFrame | None:
    if not path.exists():
        return None
    import pyarrow

    if path.stat().st_size > MOST_BYTES:
        text = f"A table must be at most {MOST_BYTES // 2**20} MB, got {path.stat().st_size / 2**20:.0f} MB."
        raise InputError(Problem(str(path), 0, text))
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        text = f"The file must be a whole Parquet table, got: {reason}; repeat the run that wrote it."
        raise InputError(Problem(str(path), 0, text)) from None
    return frame


def read_facts(path: Path) -> dict[str, Any]:
    """Return a small JSON object that was written beside the tables; empty where there is none."""
    if not path.exists():
        return {}
    try:
        facts = json.loads(read_bytes(path))
    except ValueError as error:
        raise InputError(Problem(str(path), 0, f"The file must be JSON, got: {error}.")) from None
    if not isinstance(facts, dict):
        raise InputError(Problem(str(path), 0, "The file must be a JSON object."))
    return facts


def write_trial(
    folder: str | Path, data: TrialData, *, file_format: str = "parquet", overwrite: bool = False
) -> tuple[Path, ...]:
    """Write a trial as a folder that `read_trial` reads back.

    Written are ``subjects, visits, outcomes, samples, features, events`` and, where there is one, ``truth``, each as a
    table of its own, and ``trial.json`` with the kind of features and the notes. Every file is complete or not there.

    Parameters
    ----------
    folder : str or pathlib.Path
        Made if it does not exist.
    data : TrialData
        The trial.
    file_format : str
        ``parquet`` or ``csv``.
    overwrite : bool
        Replace files of these names.

    Returns
    -------
    tuple of pathlib.Path
        The files written.

    Raises
    ------
    InputError
        The trial is not whole, a file exists already, or the folder cannot be written.
    """
    if file_format not in ("parquet", "csv"):
        raise InputError(f'Format of a trial folder must be parquet or csv, got "{file_format}".')
    target = Path(folder)
    if problems := check_trial(data):
        raise InputError(problems)
    tables: dict[str, pd.DataFrame] = {
        "subjects": data.subjects,
        "visits": data.visits,
        "outcomes": data.outcomes,
        "samples": data.samples,
        "events": data.events,
    }
    if len(data.features):
        tables["features"] = data.features.rename_axis("sample_id").reset_index()
    if data.truth is not None:
        tables["truth"] = data.truth
    paths = {name: target / f"{name}.{file_format}" for name in PARTS if name in tables}
    there = [path for path in (*paths.values(), target / FACTS) if path.exists()]
    if there and not overwrite:
        text = "A trial must not overwrite another, the file exists; give another folder or allow overwriting."
        raise InputError([Problem(str(path), 0, text) for path in there[:1]])
    facts = {"feature_kind": data.feature_kind, "notes": list(data.notes)}
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            _write_whole(path, tables[name], file_format)
        _replace(target / FACTS, (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        text = f"The folder must be writable, got: {error.strerror or error}; give another one."
        raise InputError(Problem(str(folder), 0, text)) from None
    return (*paths.values(), target / FACTS)


def _write_whole(path: Path, frame: pd.DataFrame, file_format: str) -> None:
    if file_format == "csv":
        _replace(path, frame.to_csv(index=False, lineterminator="\n").encode())
        return
    waiting = path.with_name(path.name + ".part")
    try:
        frame.to_parquet(waiting, index=False)
        os.replace(waiting, path)
    finally:
        waiting.unlink(missing_ok=True)


def _replace(path: Path, content: bytes) -> None:
    waiting = path.with_name(path.name + ".part")
    try:
        waiting.write_bytes(content)
        os.replace(waiting, path)
    finally:
        waiting.unlink(missing_ok=True)
