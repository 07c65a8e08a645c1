"""The axis of an infant: its own submodels, and the colon with its own table of constants.

Nothing is taken from the adults' tables: every constant of the colon has a row in ``colon/infant.csv``, and a row that
is missing there is an error. Inflammation, stress hormones, the body clock and mood of infants are not modelled.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from vagus import resources
from vagus.errors import InputError, nearest
from vagus.model.composition import ComposedModel, compose
from vagus.model.libraries import PARAMETERS, README, TEXT, VARIABLES, Library, Submodel

Feeding = Literal["breast", "formula"]

#: Parts in the order in which they are joined.
PARTS = ("infant_feeding", "colon", "adhesion", "infection", "infant_sleep")
#: Part -> its table for infants, where it is shared with adults.
TABLES = {"colon": "infant.csv"}


@cache
def infant_library() -> Library:
    """Return the library of the infant axis.

    Examples
    --------
    >>> infant_library().names
    ('infant_feeding', 'colon', 'adhesion', 'infection', 'infant_sleep')
    """
    return Library(tuple(_part(name) for name in PARTS))


def _part(name: str) -> Submodel:
    files = (TEXT, TABLES.get(name, PARAMETERS), VARIABLES, README)
    return Submodel(name, *(resources.text("model", "library", name, file) for file in files))


def compose_infant(feeding: Feeding = "formula", age_d: float = 30.0) -> ComposedModel:
    """Join the infant axis for one way of feeding and one age at the start.

    Parameters
    ----------
    feeding : {"breast", "formula"}
        What the milk is; mixtures are not offered.
    age_d : float
        Age on the first day of the run (days).

    Raises
    ------
    InputError
        Another way of feeding, or an age outside the first year, in which the norms of milk and sleep were measured.
    """
    if feeding not in get_args(Feeding):
        raise InputError(f'Feeding must be breast or formula, got "{feeding}"; {nearest(feeding, get_args(Feeding))}')
    if not 7 <= age_d <= 365:
        raise InputError(
            f"Age of an infant must be 7 to 365 days at the start, got {age_d:g}; adults have their own axis."
        )
    values = (("age0_d", float(age_d)), ("human_milk_share", 1.0 if feeding == "breast" else 0.0))
    return compose(library=infant_library(), values=values)
