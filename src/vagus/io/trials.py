"""Reading a trial: a real one from tables and a mapping, a simulated one from the folder of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from vagus import resources
from vagus.errors import InputError, Problem, nearest
from vagus.io.assembly import assemble
from vagus.io.headers import guess_mapping
from vagus.io.mapping import TrialMap, parse_mapping
from vagus.io.runs import FACTS, read_facts, read_run
from vagus.io.tables import read_bytes, read_table
from vagus.protocol.types import Protocol
from vagus.trial.checks import parse_numbers
from vagus.trial.data import TrialData
from vagus.trial.vocabulary import Outcome, outcomes

MAPPING_NAMES = ("mapping.yaml", "mapping.yml")
_SHIPPED = ".mapping.yaml"


def read_trial(
    path: str | Path,
    mapping: str | Path | None = None,
    *,
    protocol: Protocol | None = None,
    known_outcomes: Mapping[str, Outcome] | None = None,
) -> TrialData:
    """Read a trial from a folder of tables, from one table, or from the folder of a run.

    The mapping is the one given, else ``mapping.yaml`` in the folder, else (no run folder) the one that ships with the
    protocol if one of its files is there. Without any, the columns must carry the names of the vocabulary:
    ``subject_id, arm, visit`` and ``outcome, value`` or one column an outcome.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder with CSV or TSV tables (also gzipped), one such table, or a run folder.
    mapping : str or pathlib.Path, optional
        Mapping file, or the id of a bundled protocol that ships one (``baxter2019``).
    protocol : Protocol, optional
        Its arms and visits are checked against the data.
    known_outcomes : mapping of str to Outcome, optional
        Vocabulary; the package's by default.

    Returns
    -------
    TrialData
        The trial. `notes` lists all that was averaged, converted, set aside or left unread.

    Raises
    ------
    InputError
        Every problem found, with file and line.
    """
    known = outcomes() if known_outcomes is None else dict(known_outcomes)
    folder, files = _look(Path(path))
    names = [file.name for file in files]
    found, note = _find_mapping(folder, names, mapping, protocol, known)
    if found is not None:
        return assemble(found, folder, known, protocol, [note])
    if "subjects.parquet" in names:
        return read_run(folder, protocol)
    if "run.json" in names:
        text = "A run must hold its tables (subjects.parquet), found none: it was stopped too early; run it again."
        raise InputError(Problem(str(path), 0, text))
    facts = read_facts(folder / FACTS) if FACTS in names else {}
    found = guess_mapping(files, folder, known, facts.get("feature_kind") or None)
    data = assemble(found, folder, known, protocol, list(map(str, facts.get("notes", ()))))
    return replace(data, truth=_read_truth(folder / "truth.csv")) if facts and "truth.csv" in names else data


def _read_truth(path: Path) -> pd.DataFrame:
    """Read the expected values that were written with a simulated trial."""
    table = read_table(path)
    if "value" not in table.frame:
        raise InputError(Problem(table.file, table.header_line, 'The table must have a column "value".'))
    values, problems = parse_numbers(table.frame["value"], table.file)
    if problems:
        raise InputError(problems)
    return table.frame.assign(value=values).reset_index(drop=True)


def _look(place: Path) -> tuple[Path, list[Path]]:
    """Return the folder and its files; for a single table its folder and itself."""
    try:
        if not place.exists():
            text = f"Data must be an existing folder or table, found none; {_near(place)}"
            raise InputError(Problem(str(place), 0, text))
        return (place.parent, [place]) if place.is_file() else (place, sorted(place.iterdir()))
    except OSError as error:
        text = f"The folder must be readable, got: {error.strerror or error}; check its permissions."
        raise InputError(Problem(str(place), 0, text)) from None


def _near(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f'there is no folder "{parent}" either.'
    there = sorted(entry.name for entry in parent.iterdir())
    return nearest(path.name, there) if there else f'the folder "{parent}" is empty.'


def _find_mapping(
    folder: Path, names: list[str], given: str | Path | None, protocol: Protocol | None, known: Mapping[str, Outcome]
) -> tuple[TrialMap | None, str]:
    shipped = resources.names("protocol", "bundled", suffix=_SHIPPED)
    if given is not None:
        file = Path(given)
        if file.is_file():
            return parse_mapping(read_bytes(file), str(given), known), f"mapping: {file.name}"
        if str(given) in shipped:
            return _shipped(str(given), known), f"mapping: the one that ships with {given}"
        text = f'A mapping must be a file or the id of a protocol that ships one ({", ".join(shipped)}), got "{given}".'
        raise InputError(Problem(str(given), 0, text))
    own = next((name for name in MAPPING_NAMES if name in names), None)
    if own is not None:
        return parse_mapping(read_bytes(folder / own), str(folder / own), known), f"mapping: {own}"
    if protocol is not None and protocol.id in shipped and "subjects.parquet" not in names:
        found = _shipped(protocol.id, known)
        if any(table.file in names for table in found.tables):
            return found, f"mapping: the one that ships with {protocol.id}"
    return None, ""


def _shipped(name: str, known: Mapping[str, Outcome]) -> TrialMap:
    return parse_mapping(resources.text("protocol", "bundled", name + _SHIPPED), name + _SHIPPED, known)
