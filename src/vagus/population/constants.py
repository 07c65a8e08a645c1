"""Single numbers of the population layer, each with its source in ``data/constants.csv``."""

from __future__ import annotations

from functools import cache

from vagus import resources


@cache
def _values() -> dict[str, float]:
    table = resources.table("population", "data", "constants.csv")
    return {str(row["name"]): float(row["value"]) for row in table.to_dict("records")}


def constant(name: str) -> float:
    """Return one number of ``data/constants.csv``.

    Raises
    ------
    KeyError
        There is no such row.

    Examples
    --------
    >>> constant("slow_tau_d")
    400.0
    """
    return _values()[name]
