"""Tables of what a submodel computes: every state, assigned name and event-set name with its unit and meaning."""

from __future__ import annotations

from functools import cache

import pandas as pd

from vagus import resources
from vagus.errors import ModelError

COLUMNS = ("variable", "unit", "identifier", "description")


@cache
def variable_table(submodel: str) -> pd.DataFrame:
    """Return one submodel's variables: ``variable, unit, identifier, description``, all text.

    `identifier` is a MIRIAM id such as ``CHEBI:17968``, or empty.

    Raises
    ------
    ModelError
        The table lacks a column.
    """
    table = resources.table("model", "library", submodel, "variables.csv")
    if tuple(table.columns) != COLUMNS:
        raise ModelError(f"variables.csv of {submodel} must have the columns {', '.join(COLUMNS)}.")
    return table


@cache
def variable_tables(submodels: tuple[str, ...]) -> pd.DataFrame:
    """Return the tables of several submodels, one below the other, with a column `submodel` in front."""
    tables = []
    for name in submodels:
        table = variable_table(name).copy()
        table.insert(0, "submodel", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
