"""Which outcomes each measure of a protocol yields."""

from __future__ import annotations

from functools import cache

from vagus import resources
from vagus.errors import InputError, nearest


@cache
def measures() -> dict[str, tuple[str, ...]]:
    """Return the outcomes of every measure that a protocol may name.

    Returns
    -------
    dict of str to tuple of str
        Measure (left side of ``measures:`` in a protocol) to outcome names, in the order of ``measures.csv``.

    Examples
    --------
    >>> measures()["STAI"]
    ('stai_state', 'stai_trait')
    """
    table = resources.table("instruments", "measures.csv")
    return {str(row["measure"]): tuple(str(row["outcomes"]).split()) for row in table.to_dict("records")}


def measure_of(outcome: str) -> str:
    """Return the measure that yields an outcome.

    Raises
    ------
    InputError
        No measure yields it.

    Examples
    --------
    >>> measure_of("waso_actigraphy_min")
    'actigraphy'
    """
    for measure, outcomes in measures().items():
        if outcome in outcomes:
            return measure
    known = [name for outcomes in measures().values() for name in outcomes]
    raise InputError(f'An outcome must be one that a measure yields, got "{outcome}"; {nearest(outcome, known)}')
