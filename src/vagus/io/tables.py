"""Text tables of a user: CSV, TSV, also gzipped, read with the line of every row and with all problems at once."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.errors import InputError, Problem, nearest
from vagus.trial.checks import is_missing, shorten

#: A trial's tables are a few megabytes; a file beyond this is something else (or must be cut first).
MOST_BYTES = 256 * 1024 * 1024
MOST_COLUMNS = 100_000
#: Endings of a text table, in the order they are looked for.
ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_DELIMITERS = {"csv": ",", "tsv": "\t", "txt": "\t"}


@dataclass(frozen=True)
class Table:
    """A text table.

    Attributes
    ----------
    file : str
        As the user named it.
    frame : pandas.DataFrame
        All cells as text without outer blanks; the index is the line in the file, counted from 1.
    header_line : int
        Line of the column names.
    """

    file: str
    frame: pd.DataFrame
    header_line: int = 1


@dataclass(frozen=True)
class Matrix:
    """A table of numbers with a name for each row and column.

    Attributes
    ----------
    file : str
        As the user named it.
    rows, columns : tuple of str
        First cell of each line, and the header without its first cell.
    values : numpy.ndarray
        Rows x columns; NaN where the cell is empty.
    lines : tuple of int
        Line of each row.
    """

    file: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    lines: tuple[int, ...]


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, unpacked where it is gzipped.

    Raises
    ------
    InputError
        No such file, no file, no permission, too large, or a broken archive.
    """
    shown = str(path)
    try:
        if not path.exists():
            raise InputError(Problem(shown, 0, f"The file must exist, found none; {_beside(path)}"))
        if not path.is_file():
            raise InputError(Problem(shown, 0, "A table must be a file, got a folder or a device."))
        if path.stat().st_size > MOST_BYTES:
            raise InputError(Problem(shown, 0, _too_large(path.stat().st_size)))
        content = path.read_bytes()
    except OSError as error:
        text = f"The file must be readable, got: {error.strerror or error}; check its permissions."
        raise InputError(Problem(shown, 0, text)) from None
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as archive:
            content = archive.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        text = f"A gzipped file must be whole, got: {error}; copy it again."
        raise InputError(Problem(shown, 0, text)) from None
    if len(content) > MOST_BYTES:
        raise InputError(Problem(shown, 0, _too_large(len(content))))
    return content


def _too_large(size: int) -> str:
    return f"A table must be at most {MOST_BYTES // 2**20} MB, got {size / 2**20:.0f} MB or more; split or shorten it."


def _beside(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f'there is no folder "{folder}" either.'
    there = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    return nearest(path.name, there) if there else f'the folder "{folder}" is empty.'


def decode(content: bytes, shown: str) -> str:
    """Return `content` as text.

    Raises
    ------
    InputError
        Empty, a workbook or another binary file, or not UTF-8 (with the line).
    """
    if not content.strip():
        raise InputError(Problem(shown, 0, "A table must have a header and rows, the file is empty."))
    if content.startswith(b"PK\x03\x04"):
        text = "A table must be CSV or TSV text, got a workbook or archive; save the sheet as CSV (UTF-8)."
        raise InputError(Problem(shown, 0, text))
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(Problem(shown, 1, "A table must be UTF-8 text, got UTF-16; save it as CSV (UTF-8)."))
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise InputError(Problem(shown, line, "A table must be CSV or TSV text, got a binary file."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        text = f"A table must be UTF-8 text, got the byte 0x{content[error.start]:02X}; save it as CSV (UTF-8)."
        raise InputError(Problem(shown, line, text)) from None


def _lines(text: str, shown: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and cells of the header and of each row; comments in front and blank lines are left out."""
    delimiter = _delimiter(text, shown)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    last = 0
    started = False
    try:
        for cells in reader:
            line, last = last + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not started and cells[0].startswith("# "):  # "# Constructed from biom file"
                continue
            started = True
            yield line, [cell.strip() for cell in cells]
    except csv.Error as error:
        message = f"A table must be CSV or TSV text, got: {error}; check the quotes around this line."
        raise InputError(Problem(shown, last + 1, message)) from None


def _delimiter(text: str, shown: str) -> str:
    header = next((row for row in text.splitlines() if row.strip() and not row.startswith("# ")), "")
    ending = Path(shown.removesuffix(".gz")).suffix.lstrip(".").lower()
    own = _DELIMITERS.get(ending, ",")
    others = max((",", "\t", ";"), key=header.count)
    return own if own in header or others not in header else others


def read_table(path: Path, *, needs_rows: bool = True) -> Table:
    """Read a text table with every cell as text.

    The delimiter follows the ending of the name (``.csv`` comma, ``.tsv`` and ``.txt`` tab) unless the header has none
    of it and has semicolons, tabs or commas.

    Parameters
    ----------
    path : pathlib.Path
        CSV or TSV file, also gzipped.
    needs_rows : bool
        Refuse a table that has a header alone.

    Returns
    -------
    Table
        Cells and lines.

    Raises
    ------
    InputError
        Unreadable, empty, without rows, not UTF-8, a column name twice, or rows of another length: all of them.
    """
    shown = str(path)
    rows = _lines(decode(read_bytes(path), shown), shown)
    header_line, header = next(rows)
    names, problems = _check_header(header, shown, header_line)
    cells: list[list[str]] = []
    lines: list[int] = []
    wrong: list[Problem] = []
    for line, row in rows:
        while len(row) > len(names) and not row[-1]:
            row.pop()
        if len(row) != len(names):
            wrong.append(Problem(shown, line, _wrong_length(len(row), len(names))))
            continue
        cells.append(row)
        lines.append(line)
    problems += shorten(wrong)
    if needs_rows and not cells and not problems:
        problems.append(Problem(shown, header_line, "A table must have rows below its header, got none."))
    if problems:
        raise InputError(problems)
    frame = pd.DataFrame(cells, columns=names, index=pd.Index(lines, dtype="int64"), dtype=object)
    return Table(shown, frame, header_line)


def _check_header(header: list[str], shown: str, line: int) -> tuple[list[str], list[Problem]]:
    while header and not header[-1]:
        header = header[:-1]
    names = [name or f"column {place}" for place, name in enumerate(header, start=1)]
    if len(names) > MOST_COLUMNS:
        return names, [Problem(shown, line, f"A table must have at most {MOST_COLUMNS} columns, got {len(names)}.")]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    return names, shorten(
        Problem(shown, line, f'A column name must stand once, got "{name}" {names.count(name)} times; rename one.')
        for name in twice
    )


def _wrong_length(got: int, must: int) -> str:
    fix = "a cell with the delimiter inside needs quotes" if got > must else "fill the row up with empty cells"
    return f"A row must have {must} cells as the header has, got {got}; {fix}."


def read_matrix(path: Path, row_column: str | None, missing: Collection[str] = ()) -> Matrix:
    """Read a table of numbers, one named row a line.

    Parameters
    ----------
    path : pathlib.Path
        CSV or TSV file, also gzipped.
    row_column : str or None
        Column with the names of the rows; None: the first one.
    missing : collection of str
        Further marks of empty cells.

    Returns
    -------
    Matrix
        Numbers with the names of rows and columns.

    Raises
    ------
    InputError
        As `read_table`; also text where a number belongs, and a row name twice.
    """
    shown = str(path)
    rows = _lines(decode(read_bytes(path), shown), shown)
    line, header = next(rows)
    names, problems = _check_header(header, shown, line)
    if row_column is not None and row_column not in names:
        text = f'The table must have a column "{row_column}"; {nearest(row_column, names[:200])}'
        raise InputError([*problems, Problem(shown, line, text)])
    place = names.index(row_column) if row_column is not None else 0
    columns = tuple(name for position, name in enumerate(names) if position != place)
    labels: dict[str, int] = {}
    values: list[NDArray[np.float64]] = []
    wrong: list[Problem] = []
    twice: list[Problem] = []
    for line, row in rows:
        while len(row) > len(names) and not row[-1]:
            row.pop()
        if len(row) != len(names):
            wrong.append(Problem(shown, line, _wrong_length(len(row), len(names))))
            continue
        label = row.pop(place)
        if label in labels:
            text = f'A row name must stand once, got "{label}" again (first in line {labels[label]}); rename one.'
            twice.append(Problem(shown, line, text))
            continue
        labels[label] = line
        try:
            values.append(np.array(row, dtype=np.float64))
        except ValueError:
            numbers, found = _parse_row(row, columns, shown, line, missing)
            values.append(numbers)
            wrong += found
    problems += shorten(wrong) + shorten(twice)
    if not values and not problems:
        problems.append(Problem(shown, line, "A table must have rows below its header, got none."))
    if problems:
        raise InputError(problems)
    return Matrix(shown, tuple(labels), columns, np.vstack(values), tuple(labels.values()))


def _parse_row(
    row: list[str], columns: tuple[str, ...], shown: str, line: int, missing: Collection[str]
) -> tuple[NDArray[np.float64], list[Problem]]:
    numbers = np.full(len(row), np.nan)
    problems = []
    for place, cell in enumerate(row):
        if is_missing(cell, missing):
            continue
        try:
            numbers[place] = float(cell)
        except ValueError:
            text = f'Column "{columns[place]}" must hold numbers, got "{cell}"; write a number.'
            problems.append(Problem(shown, line, text))
    return numbers, problems
