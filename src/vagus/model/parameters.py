"""Parameter tables: every value with unit, spread, source and grade.

Columns: ``parameter, value, unit, distribution, spread, varies_between, calibrated, study_id, grade, description``.

`distribution` says what kind of number it is:

==================  ====================================================================================
(empty)             fixed
``normal``          mean `value`, `spread` = SD
``truncnormal``     mean `value`, `spread` = ``sd|low|high``
``lognormal``       median `value`, `spread` = SD of the natural logarithm
``trunclognormal``  median `value`, `spread` = ``sd of ln|low|high``
``beta``            `spread` = ``a|b`` (`value` is the mean)
``input``           given by another submodel or by the protocol; `value` is what a submodel alone runs with
``derived``         solved for each person from the own baseline (`vagus.simulation`); where it is simply a
                    variable's value at that baseline, `spread` names the variable
``setting``         switched by the simulation, no biology
==================  ====================================================================================

`varies_between` is ``people`` (a person's value is drawn), ``studies`` or ``none`` (with a spread: our own uncertainty,
one value for everybody in a draw).
"""

from __future__ import annotations

import math
from functools import cache

import pandas as pd

from vagus.errors import InputError, ModelError, Problem
from vagus.model.distributions import read_distribution
from vagus.model.libraries import PARAMETERS, Library, Row, Submodel, read_rows, shipped
from vagus.rng import stream

COLUMNS = (
    "parameter",
    "value",
    "unit",
    "distribution",
    "spread",
    "varies_between",
    "calibrated",
    "study_id",
    "grade",
    "description",
)
NOT_DRAWN = ("", "input", "derived", "setting")


def submodel_names() -> tuple[str, ...]:
    """Return the names of the library's submodels, in the order in which the axis is composed."""
    return shipped().names


def parameter_table(submodel: str, library: Library | None = None) -> pd.DataFrame:
    """Return one submodel's parameter table; `value` is a float, all else text.

    Raises
    ------
    ModelError
        Unknown submodel.
    InputError
        A table without its columns, a row with too few cells, a value that is no number; with lines.
    """
    return _table((library or shipped()).submodel(submodel))


@cache
def _table(submodel: Submodel) -> pd.DataFrame:
    file = submodel.file(PARAMETERS)
    rows = parameter_rows(submodel)
    problems = [
        Problem(file, row.line, f'Value of "{row["parameter"]}" must be a plain number, got "{row["value"]}".')
        for row in rows
        if not _is_number(row["value"])
    ]
    seen: dict[str, int] = {}
    for row in rows:
        first = seen.setdefault(row["parameter"], row.line)
        if first != row.line:
            text = f'A parameter must have one row, got "{row["parameter"]}" again (first in line {first}); remove one.'
            problems.append(Problem(file, row.line, text))
    if problems:
        raise InputError(problems)
    table = pd.DataFrame([row.cells for row in rows], columns=list(COLUMNS), dtype=object)
    table["value"] = table["value"].astype(float)
    table.insert(0, "submodel", submodel.name)
    return table


@cache
def parameter_rows(submodel: Submodel) -> tuple[Row, ...]:
    """Return the rows of a submodel's parameter table as written, with their lines.

    Raises
    ------
    InputError
        Another head, or rows with too many or too few cells.
    """
    return tuple(read_rows(submodel.parameters, COLUMNS, submodel.file(PARAMETERS)))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@cache
def parameter_tables(submodels: tuple[str, ...] | None = None, library: Library | None = None) -> pd.DataFrame:
    """Return the tables of several submodels (all of them by default), one below the other."""
    chosen = library or shipped()
    return pd.concat([parameter_table(name, chosen) for name in submodels or chosen.names], ignore_index=True)


def shared_rows(tables: pd.DataFrame) -> pd.DataFrame:
    """Return one row a parameter.

    A name that stands in several tables is one quantity: either all rows agree, or they are inputs and derived values
    that only repeat a stand-alone default.

    Raises
    ------
    ModelError
        Two tables give one name different values, units or distributions.
    """
    for name, owners in conflicting_rows(tables).items():
        raise ModelError(
            f'Parameter "{name}" has different rows in {", ".join(owners)}; one quantity must have one value.'
        )
    return tables.drop_duplicates("parameter").reset_index(drop=True)


def conflicting_rows(tables: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return every parameter whose rows differ between tables, and the submodels that have one."""
    keys = ["parameter", "value", "unit", "distribution", "spread", "varies_between"]
    different = tables.drop_duplicates(keys)["parameter"]
    names = dict.fromkeys(different[different.duplicated()])
    return {str(name): tuple(tables.loc[tables["parameter"] == name, "submodel"]) for name in names}


def uncertain_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that a parameter draw varies: uncertain, and the same for everybody in a draw."""
    return table[~table["distribution"].isin(NOT_DRAWN) & (table["varies_between"] != "people")]


def people_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that vary between people and are drawn (not solved)."""
    return table[~table["distribution"].isin(NOT_DRAWN) & (table["varies_between"] == "people")]


def draw_uncertain(table: pd.DataFrame, seed: int, draw: int) -> dict[str, float]:
    """Return one joint draw of everything that is uncertain and common to all people.

    Draw 0 is the central one: the table's own values.

    Notes
    -----
    Rows are drawn independently; correlation enters with calibration. Each row has a stream of its own, so that a new
    row does not move the draws of the others.
    """
    rows = uncertain_rows(table)
    if draw == 0:
        return dict(zip(rows["parameter"], rows["value"], strict=True))
    drawn = {}
    for row in rows.to_dict("records"):
        quantile, value, spread = read_distribution(row)
        uniform = stream(seed, "parameter", row["parameter"], draw).random(1)
        drawn[str(row["parameter"])] = float(quantile(uniform, value, spread)[0])
    return drawn
