"""Tables of what a submodel computes: every state, assigned name and event-set name with its unit and meaning."""

from __future__ import annotations

from functools import cache

import pandas as pd

from vagus.errors import InputError, Problem
from vagus.model.libraries import VARIABLES, Library, Row, Submodel, read_rows, shipped

COLUMNS = ("variable", "unit", "identifier", "description")


def variable_table(submodel: str, library: Library | None = None) -> pd.DataFrame:
    """Return one submodel's variables: ``variable, unit, identifier, description``, all text.

    `identifier` is a MIRIAM id such as ``CHEBI:17968``, or empty.

    Raises
    ------
    ModelError
        Unknown submodel.
    InputError
        A table without its columns, a row with too few cells, a variable twice; with lines.
    """
    return _table((library or shipped()).submodel(submodel))


@cache
def _table(submodel: Submodel) -> pd.DataFrame:
    rows = variable_rows(submodel)
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        line = first.setdefault(row["variable"], row.line)
        if line != row.line:
            text = f'A variable must have one row, got "{row["variable"]}" again (first in line {line}); remove one.'
            problems.append(Problem(submodel.file(VARIABLES), row.line, text))
    if problems:
        raise InputError(problems)
    return pd.DataFrame([row.cells for row in rows], columns=list(COLUMNS), dtype=object)


@cache
def variable_rows(submodel: Submodel) -> tuple[Row, ...]:
    """Return the rows of a submodel's table of variables as written, with their lines.

    Raises
    ------
    InputError
        Another head, or rows with too many or too few cells.
    """
    return tuple(read_rows(submodel.variables, COLUMNS, submodel.file(VARIABLES)))


@cache
def variable_tables(submodels: tuple[str, ...] | None = None, library: Library | None = None) -> pd.DataFrame:
    """Return the tables of several submodels, one below the other, with a column `submodel` in front."""
    chosen = library or shipped()
    tables = []
    for name in submodels or chosen.names:
        table = variable_table(name, chosen).copy()
        table.insert(0, "submodel", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
