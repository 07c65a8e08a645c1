"""Round ticks and ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence

DAY_STEPS = (1, 2, 7, 14, 28, 56, 84, 112, 168, 364)


def ticks_between(low: float, high: float, count: int = 5) -> list[float]:
    """Return round tick values that enclose a range.

    Parameters
    ----------
    low, high : float
        The range; a range without width is widened.
    count : int
        About how many steps.

    Returns
    -------
    list of float
        Rising multiples of 1, 2 or 5 times a power of ten; the first is at most `low`, the last at least `high`.

    Examples
    --------
    >>> ticks_between(8.2, 15.7)
    [8.0, 10.0, 12.0, 14.0, 16.0]
    """
    largest = max(abs(low), abs(high))
    if not high - low > 1e-9 + 1e-6 * largest:  # what is left of rounding has no width
        spread = 0.1 * largest if largest > 1e-6 else 1.0
        low, high = low - spread, high + spread
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def day_ticks(first: float, last: float, most: int = 6) -> list[float]:
    """Return tick days inside a range: whole days, whole weeks, multiples of four weeks.

    Examples
    --------
    >>> day_ticks(0, 35)
    [0.0, 7.0, 14.0, 21.0, 28.0, 35.0]
    >>> day_ticks(0, 84)
    [0.0, 28.0, 56.0, 84.0]
    """
    steps = (*DAY_STEPS, *(364 * factor for factor in range(2, 200)))
    for step in steps:
        start = math.ceil(first / step - 1e-9)
        found = [float(index * step) for index in range(start, math.floor(last / step + 1e-9) + 1)]
        if len(found) <= most:
            return found
    return [first, last]


def spread_apart(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Move label centers as little as needed so that no two overlap.

    Parameters
    ----------
    wanted : sequence of float
        Centers in px.
    sizes : sequence of float
        Heights in px.
    low, high : float
        Room for all labels; given up at the lower end only where they do not fit.

    Returns
    -------
    list of float
        Centers in the order of `wanted`.

    Examples
    --------
    >>> spread_apart([10, 12, 80], [14, 14, 14], 0, 100)
    [7.0, 21.0, 80.0]
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    # Blocks of touching labels, each placed around the mean of what its labels want.
    blocks: list[tuple[float, float, list[int]]] = []
    for index in order:
        members, height = [index], sizes[index]
        center = float(wanted[index])
        while True:
            center = min(max(center, low + height / 2), max(high - height / 2, low + height / 2))
            if not blocks or blocks[-1][0] + blocks[-1][1] / 2 <= center - height / 2 + 1e-9:
                break
            _, other, before = blocks.pop()
            members, height = before + members, height + other
            center = _block_center(members, wanted, sizes, height)
        blocks.append((center, height, members))
    found = [0.0] * len(wanted)
    for center, height, members in blocks:
        edge = center - height / 2
        for index in members:
            found[index] = edge + sizes[index] / 2
            edge += sizes[index]
    return found


def _block_center(members: Sequence[int], wanted: Sequence[float], sizes: Sequence[float], height: float) -> float:
    edge, shifts = 0.0, []
    for index in members:
        shifts.append(wanted[index] - (edge + sizes[index] / 2))
        edge += sizes[index]
    return sum(shifts) / len(shifts) + height / 2
