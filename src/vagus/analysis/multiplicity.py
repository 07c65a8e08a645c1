"""Multiplicity within a family of hypotheses."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return Holm's adjusted p values (1979), which keep the chance of any false claim in the family.

    Parameters
    ----------
    p_values : sequence of float or None
        p of each hypothesis; None or NaN where there is no test, which then is no member of the family.

    Returns
    -------
    tuple of float or None
        In the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, None, 0.03])
    (0.03, 0.06, None, 0.06)
    """
    tested = [place for place, p in enumerate(p_values) if p is not None and not math.isnan(p)]
    order = sorted(tested, key=lambda place: (p_values[place], place))
    adjusted: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, place in enumerate(order):
        p = p_values[place]
        reached = max(reached, min(1.0, (len(order) - rank) * (p if p is not None else 1.0)))
        adjusted[place] = reached
    return tuple(adjusted)
