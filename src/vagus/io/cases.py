"""Folders of SBML semantic test cases: a model, its settings and the expected table of each."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vagus.engine.conformance import Case
from vagus.engine.sbml import LARGEST_TEXT
from vagus.errors import InputError, Problem
from vagus.io.texts import read_text

Floats = NDArray[np.float64]

_MODEL = re.compile(r"(?P<case>\w+)(?:-sbml-l(?P<level>\d)v(?P<version>\d))?\.xml")
_TABLE = re.compile(r"(?P<case>\w+)-(?P<kind>settings\.txt|results\.csv)")
SETTINGS, RESULTS = "settings.txt", "results.csv"
COURSE = ("start", "duration", "steps")
NUMBERS = (*COURSE, "absolute", "relative")
#: Share of a step by which a time of the table may be off the settings' grid; tables are written with some digits.
OFF_GRID = 1e-3


@dataclass
class _Files:
    """What belongs to one case; the model in its newest level and version."""

    model: tuple[str, Path] | None = None
    tables: dict[str, Path] = field(default_factory=dict)


def read_cases(folder: str | Path) -> list[Case]:
    """Read a folder of cases, ``00001.xml``, ``00001-settings.txt`` and ``00001-results.csv``, or one folder a case.

    Parameters
    ----------
    folder : str or pathlib.Path
        As the suite comes: models may also be called ``00001-sbml-l3v2.xml``; the newest level is read.

    Returns
    -------
    list of Case
        In the order of their numbers.

    Raises
    ------
    InputError
        No such folder, no case in it, a case with a file missing or unreadable; all at once.
    """
    shown = str(folder).rstrip("/\\") or str(folder)
    found = _find(Path(folder), shown)
    if not found:
        message = "The folder must hold cases of the SBML semantic test suite (00001.xml, 00001-settings.txt, "
        raise InputError(Problem(shown, 0, f"{message}00001-results.csv), found none; name the folder they are in."))
    cases: list[Case] = []
    problems: list[Problem] = []
    for (place, name), files in sorted(found.items(), key=lambda item: (item[0][1], item[0][0])):
        where = f"{shown}/{place}" if place else shown
        try:
            cases.append(_read_case(name, files, where))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return cases


def _find(path: Path, shown: str) -> dict[tuple[str, str], _Files]:
    """Return (folder below, case) -> its files."""
    found: dict[tuple[str, str], _Files] = {}
    try:
        if not path.is_dir():
            got = "a file" if path.exists() else "nothing of that name"
            raise InputError(Problem(shown, 0, f"DIR must be a folder of test cases, got {got}."))
        entries = sorted(path.iterdir())
        inner = [entry for folder in entries if folder.is_dir() for entry in sorted(folder.iterdir())]
    except OSError as error:
        raise InputError(Problem(shown, 0, f"The folder cannot be read: {error.strerror or error}.")) from None
    for entry in (*entries, *inner):
        place = "" if entry.parent == path else entry.parent.name
        if model := _MODEL.fullmatch(entry.name):
            files = found.setdefault((place, model["case"]), _Files())
            files.model = max(files.model or ("", entry), (f"{model['level']}.{model['version']}", entry))
        elif table := _TABLE.fullmatch(entry.name):
            found.setdefault((place, table["case"]), _Files()).tables[table["kind"]] = entry
    return found


def _read_case(name: str, files: _Files, where: str) -> Case:
    missing = [f"{name}-{kind}" for kind in (SETTINGS, RESULTS) if kind not in files.tables]
    missing += [] if files.model else [f"{name}.xml"]
    if missing:
        message = f"A case needs its model, settings and results; case {name} has no {' and no '.join(missing)}."
        raise InputError(Problem(where, 0, message))
    assert files.model is not None
    settings, results = files.tables[SETTINGS], files.tables[RESULTS]
    sbml, text, table = (
        read_text(path, f"{where}/{path.name}", "A file of a case", LARGEST_TEXT)
        for path in (files.model[1], settings, results)
    )
    given = dict(_settings(text))
    numbers = _numbers(given, f"{where}/{settings.name}")
    variables = _names(given.get("variables", ""))
    times = np.empty(0)
    expected: dict[str, Floats] = {}
    if numbers["steps"]:
        times, expected = _expected(table, variables, numbers, f"{where}/{results.name}")
    return Case(
        name=name,
        sbml=sbml,
        times=times,
        expected=expected,
        amounts=frozenset(_names(given.get("amount", ""))),
        concentrations=frozenset(_names(given.get("concentration", ""))),
        absolute=numbers["absolute"],
        relative=numbers["relative"],
    )


def _settings(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(given: dict[str, str], shown: str) -> dict[str, float]:
    """Return the numbers of the settings; a case without steps, as those of steady states, is no time course."""
    found, problems = {}, []
    course = any(given.get(key) for key in COURSE)
    for key in NUMBERS:
        text = given.get(key, "")
        try:
            value = float(text) if course or key not in COURSE else 0.0
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            problems.append(Problem(shown, 0, f'"{key}" must be a number of at least 0, got "{text}".'))
        found[key] = value
    if not problems and found["steps"] and not found["duration"]:
        problems.append(Problem(shown, 0, '"duration" must be positive where there are steps, got 0.'))
    if problems:
        raise InputError(problems)
    return found


def _expected(
    text: str, variables: list[str], numbers: dict[str, float], shown: str
) -> tuple[Floats, dict[str, Floats]]:
    rows = [(line, row) for line, row in enumerate(csv.reader(text.splitlines()), start=1) if any(row)]
    head = [name.strip() for name in rows[0][1]] if rows else [""]
    if head[0].lower() != "time":
        raise InputError(Problem(shown, 1, f'The first column of the table must be "time", got "{head[0]}".'))
    missing = [name for name in variables if name not in head]
    if missing:
        message = f"The table must have the columns that the settings name, got none for {', '.join(missing)}."
        raise InputError(Problem(shown, 1, message))
    values = np.empty((len(rows) - 1, len(head)))
    for place, (line, row) in enumerate(rows[1:]):
        try:
            values[place] = [float(cell) for cell in row]
        except ValueError:
            message = f"A row of the table must have {len(head)} numbers, got: {', '.join(row)[:80]}"
            raise InputError(Problem(shown, line, message)) from None
    step = numbers["duration"] / numbers["steps"]
    grid = numbers["start"] + step * np.arange(int(numbers["steps"]) + 1)
    if len(values) != len(grid) or np.any(np.abs(values[:, 0] - grid) > OFF_GRID * step):
        wanted = f"{len(grid)} from {grid[0]:g} to {grid[-1]:g}"
        message = f"The table's times must be those of the settings ({wanted}), got {len(values)} others."
        raise InputError(Problem(shown, 0, message))
    return values[:, 0].copy(), {name: values[:, head.index(name)].copy() for name in variables}
