"""Single numbers of the population layer, each with its source in ``data/constants.csv``."""

from __future__ import annotations

from vagus import resources


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
    return resources.numbers("population", "data", "constants.csv")[name]
