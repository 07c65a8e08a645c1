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

from functools import cache

import pandas as pd

from vagus import resources
from vagus.errors import ModelError, nearest
from vagus.model.distributions import read_distribution
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
    order = resources.text("model", "library", "order.txt").split()
    return tuple(order)


@cache
def parameter_table(submodel: str) -> pd.DataFrame:
    """Return one submodel's parameter table; `value` is a float, all else text.

    Raises
    ------
    ModelError
        Unknown submodel, or a table that lacks a column or a readable value.
    """
    if submodel not in submodel_names():
        raise ModelError(f'No submodel "{submodel}" in the library; {nearest(submodel, submodel_names())}')
    table = resources.table("model", "library", submodel, "parameters.csv")
    if tuple(table.columns) != COLUMNS:
        raise ModelError(f"parameters.csv of {submodel} must have the columns {', '.join(COLUMNS)}.")
    table["value"] = table["value"].astype(float)
    table.insert(0, "submodel", submodel)
    return table


@cache
def parameter_tables(submodels: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Return the tables of several submodels (all of them by default), one below the other."""
    return pd.concat([parameter_table(name) for name in submodels or submodel_names()], ignore_index=True)


def shared_rows(tables: pd.DataFrame) -> pd.DataFrame:
    """Return one row a parameter.

    A name that stands in several tables is one quantity: either all rows agree, or they are inputs and derived values
    that only repeat a stand-alone default.

    Raises
    ------
    ModelError
        Two tables give one name different values, units or distributions.
    """
    keys = ["value", "unit", "distribution", "spread", "varies_between"]
    for name, rows in tables.groupby("parameter"):
        if len(rows[keys].drop_duplicates()) > 1:
            owners = ", ".join(rows["submodel"])
            raise ModelError(f'Parameter "{name}" has different rows in {owners}; one quantity must have one value.')
    return tables.drop_duplicates("parameter").reset_index(drop=True)


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
