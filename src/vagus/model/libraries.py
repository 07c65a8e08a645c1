"""A library of submodels as a value: the shipped one, or that one with a user's own submodels."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO

from vagus import resources
from vagus.errors import InputError, ModelError, Problem, nearest

#: Files of a submodel's folder; the first three are needed.
TEXT, PARAMETERS, VARIABLES, README = "model.ant", "parameters.csv", "variables.csv", "README.md"
#: Tables beside the submodels.
COUPLINGS, SWITCHES, SOURCES = "couplings.csv", "switches.csv", "sources.csv"


#: Names that an error message lists at most.
MOST_LISTED = 24


@dataclass(frozen=True)
class Submodel:
    """One part of the axis, as written.

    Attributes
    ----------
    name : str
        Name of its folder.
    text : str
        Antimony.
    parameters, variables : str
        Its tables (CSV).
    readme : str
        What it is; may be empty.
    folder : str
        Where it comes from, as the user named it; empty where it ships with vagus.
    """

    name: str
    text: str
    parameters: str
    variables: str
    readme: str = ""
    folder: str = ""

    def file(self, name: str) -> str:
        """Return what one of its files is called in a message."""
        return f"{self.folder or f'library/{self.name}'}/{name}"

    def line_of(self, name: str) -> int:
        """Return the line of the text that defines or first mentions a name; 0 where none does."""
        import re

        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        defines = re.compile(rf"(?:^|;|,)\s*{re.escape(name)}'?\s*(?::=|=(?!=)|:)")
        lines = [line.split("//")[0] for line in self.text.splitlines()]
        for pattern in (defines, word):
            for number, line in enumerate(lines, 1):
                if pattern.search(line):
                    return number
        return 0


@dataclass(frozen=True)
class Library:
    """Submodels in the order in which they are joined, and the tables beside them.

    Attributes
    ----------
    submodels : tuple of Submodel
        Parts.
    couplings, switches, sources : str
        What a user's folder adds to these tables (CSV with the shipped heads; empty where nothing).
    folder : str
        The user's folder; empty for the shipped library.
    """

    submodels: tuple[Submodel, ...]
    couplings: str = ""
    switches: str = ""
    sources: str = ""
    folder: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the submodels in order."""
        return tuple(part.name for part in self.submodels)

    @property
    def own(self) -> tuple[str, ...]:
        """Names of the submodels that do not ship with vagus."""
        return tuple(part.name for part in self.submodels if part.folder)

    def submodel(self, name: str) -> Submodel:
        """Return one submodel.

        Raises
        ------
        ModelError
            There is none of that name; the nearest is named.
        """
        for part in self.submodels:
            if part.name == name:
                return part
        raise ModelError(f'No submodel "{name}" in the library; {nearest(name, self.names)}')

    def file(self, name: str) -> str:
        """Return what a table beside the submodels is called in a message."""
        return f"{self.folder or 'library'}/{name}"

    def with_parts(self, parts: Iterable[Submodel], folder: str, **tables: str) -> Library:
        """Return the library with submodels replaced (same name) or added (behind the others)."""
        given = {part.name: part for part in parts}
        kept = [given.pop(part.name, part) for part in self.submodels]
        return replace(self, submodels=(*kept, *given.values()), folder=folder, **tables)

    def describe(self) -> str:
        """Say which submodels are not the shipped ones; empty where all are.

        Examples
        --------
        >>> shipped().describe()
        ''
        """
        known = shipped().names
        parts = [f"{name} {'replaced' if name in known else 'added'}" for name in self.own]
        tables = [name for name in ("couplings", "switches", "sources") if getattr(self, name)]
        if tables:
            parts.append(f"rows added to {' and '.join(tables)}")
        return f"{', '.join(parts)} ({self.folder})" if parts else ""


def near(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant; a list that would fill the screen is left out.

    Examples
    --------
    >>> near("barier", ["barrier", "colon"]), near("xyz", [f"name{i}" for i in range(99)])
    ('did you mean "barrier"?', 'vagus model list and vagus model show NAME say what there is.')
    """
    names = list(known)
    hint = nearest(name, names)
    few = len(names) <= MOST_LISTED or hint.startswith("did you mean")
    return hint if few else "vagus model list and vagus model show NAME say what there is."


@cache
def shipped() -> Library:
    """Return the library that ships with vagus."""
    order = resources.text("model", "library", "order.txt").split()
    return Library(tuple(_shipped_submodel(name) for name in order))


def _shipped_submodel(name: str) -> Submodel:
    def read(file: str) -> str:
        return resources.text("model", "library", name, file)

    return Submodel(name, read(TEXT), read(PARAMETERS), read(VARIABLES), read(README))


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells by column and the line that it stands in."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def read_rows(text: str, columns: Sequence[str], file: str) -> list[Row]:
    """Read a CSV table whose columns are known; cells are stripped texts.

    Parameters
    ----------
    text : str
        The whole file.
    columns : sequence of str
        Its head, in this order.
    file : str
        Its name in messages.

    Raises
    ------
    InputError
        Another head, or rows with too many or too few cells; all at once, with lines.
    """
    reader = csv.reader(StringIO(text, newline=""))
    problems: list[Problem] = []
    rows: list[Row] = []
    try:
        head = [cell.strip() for cell in next(reader, [])]
        if head != list(columns):
            wanted = f"The columns must be {','.join(columns)}; got {','.join(head) or 'nothing'}."
            raise InputError(Problem(file, 1, wanted))
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) == len(columns):
                    rows.append(Row(line, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
                else:
                    message = (
                        f"A row must have {len(columns)} cells, got {len(cells)}; quote a text with a comma in it."
                    )
                    problems.append(Problem(file, line, message))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(file, reader.line_num, f"The table cannot be read: {error}."))
    if problems:
        raise InputError(problems)
    return rows
