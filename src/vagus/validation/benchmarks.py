"""The table of benchmarks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from vagus import resources
from vagus.errors import ModelError
from vagus.evidence.citations import references

DATA, PUBLISHED, OWN = "data", "published model", "own reference run"
KINDS = (DATA, PUBLISHED, OWN)
COLUMNS = (
    "submodel",
    "benchmark",
    "kind",
    "expected",
    "tolerance",
    "tolerance_kind",
    "unit",
    "source",
    "accepted_miss",
    "description",
)


@dataclass(frozen=True)
class Benchmark:
    """One value that a model has to give.

    Attributes
    ----------
    submodel : str
        Submodel of the library, or published model, that gives it.
    name : str
        Name of the benchmark.
    kind : str
        ``data``, ``published model`` or ``own reference run``.
    expected, tolerance : float
        What is expected, and how far off a value may be.
    tolerance_kind : str
        ``relative`` or ``absolute``.
    unit : str
    source : str
        Study id.
    accepted_miss : str
        Why a miss is accepted; empty where none is.
    description : str
    """

    submodel: str
    name: str
    kind: str
    expected: float
    tolerance: float
    tolerance_kind: str
    unit: str
    source: str
    accepted_miss: str
    description: str

    @property
    def allowed(self) -> float:
        """How far off a value may be, in the benchmark's unit."""
        return self.tolerance * (abs(self.expected) if self.tolerance_kind == "relative" else 1.0)

    @property
    def validates(self) -> bool:
        """Whether it is held against something that is not our own."""
        return self.kind != OWN

    def met_by(self, value: float) -> bool:
        """Whether a value is within the tolerance."""
        return math.isfinite(value) and abs(value - self.expected) <= self.allowed


@cache
def benchmarks() -> tuple[Benchmark, ...]:
    """Return all benchmarks in the order of the table.

    Raises
    ------
    ModelError
        A row that is incomplete or unclear; all problems at once.
    """
    return read_benchmarks(resources.rows("validation", "benchmarks.csv"))


def read_benchmarks(rows: Iterable[Mapping[str, str]]) -> tuple[Benchmark, ...]:
    """Read rows of the table.

    Parameters
    ----------
    rows : iterable of mapping
        Column -> cell.

    Raises
    ------
    ModelError
        A row that is incomplete or unclear; all problems at once.
    """
    rows = list(rows)
    problems: list[str] = []
    found = [_read(row, problems) for row in rows]
    counts = Counter(item.name for item in found)
    problems += [f'benchmark "{name}" stands {count} times' for name, count in counts.items() if count > 1]
    if problems:
        raise ModelError("The table of benchmarks must be mended: " + "; ".join(problems))
    return tuple(found)


def _read(row: Mapping[str, str], problems: list[str]) -> Benchmark:
    name = row.get("benchmark", "")
    if tuple(row) != COLUMNS:
        problems.append(f'"{name}" must have the columns {", ".join(COLUMNS)}')
    cells = {column: row.get(column) or "" for column in COLUMNS}
    where = f'"{name}" ({cells["submodel"]})'
    for column in ("submodel", "benchmark", "unit", "description"):
        if not cells[column]:
            problems.append(f"{where} has no {column}")
    for column, known in (("kind", KINDS), ("tolerance_kind", ("relative", "absolute"))):
        if cells[column] not in known:
            problems.append(f'{where} must have a {column} of {", ".join(known)}, got "{cells[column]}"')
    if cells["source"] not in references():
        problems.append(f'{where} names the source "{cells["source"]}", which has no row in the evidence base')
    expected, tolerance = (_number(cells[column]) for column in ("expected", "tolerance"))
    if not (math.isfinite(expected) and tolerance > 0):
        problems.append(f"{where} must have a number that is expected and a positive tolerance")
    elif cells["tolerance_kind"] == "relative" and expected == 0:
        problems.append(f"{where} expects 0, which no relative tolerance fits; make it absolute")
    return Benchmark(
        cells["submodel"],
        name,
        cells["kind"],
        expected,
        tolerance,
        *(cells[column] for column in ("tolerance_kind", "unit", "source", "accepted_miss", "description")),
    )


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
