"""The interval glyph: thin bar 95 %, thick bar 50 %, hollow dot the median; as SVG and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vagus.report.style import INK, NEUTRAL, PAPER
from vagus.report.wording import is_number


@dataclass(frozen=True)
class Interval:
    """An estimate with its intervals; missing parts are None."""

    middle: float | None
    lo50: float | None
    hi50: float | None
    lo95: float | None
    hi95: float | None


@dataclass(frozen=True)
class Scale:
    """A small axis.

    Attributes
    ----------
    low, high : float
        Ends of the axis.
    reference : float
        Value of no difference, drawn as a hairline.
    logarithmic : bool
        Ratios: equal factors are equal lengths.
    """

    low: float
    high: float
    reference: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value between 0 (low end) and 1 (high end); outside where it lies beyond."""
        if not self.logarithmic:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return -math.inf
        return math.log(value / self.low) / math.log(self.high / self.low)


def scale_for(intervals: Sequence[Interval], reference: float, *, logarithmic: bool) -> Scale:
    """Return the axis that holds all intervals and the reference, with a little room at both ends."""
    parts = [part for item in intervals for part in (item.middle, item.lo95, item.hi95)]
    values = [float(part) for part in parts if part is not None and is_number(part)]
    if logarithmic:
        logs = [math.log(value) for value in values if value > 0]
        scale = _padded([*logs, math.log(reference)])
        return Scale(math.exp(scale[0]), math.exp(scale[1]), reference, True)
    low, high = _padded([*values, reference])
    return Scale(low, high, reference)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or 1.0
    return low - room, high + room


def interval_svg(item: Interval, scale: Scale, width: float, height: float, x: float = 0.0, y: float = 0.0) -> str:
    """Draw one interval as a piece of SVG.

    Parameters
    ----------
    item : Interval
        What to draw; parts beyond the axis end in an arrow head.
    scale : Scale
        The small axis.
    width, height : float
        Room in px; an arrow head reaches 9 px beyond it.
    x, y : float
        Upper left corner in px.

    Returns
    -------
    str
        SVG elements without the ``svg`` around them.
    """
    middle_y = y + height / 2
    parts = [_line(_px(scale.reference, scale, x, width), y, y + height, NEUTRAL)]
    if item.lo95 is not None and item.hi95 is not None and is_number(item.lo95) and is_number(item.hi95):
        parts.append(_bar(item.lo95, item.hi95, scale, x, width, middle_y, 1.4))
        for value, towards in ((item.lo95, -1), (item.hi95, 1)):
            place = scale.place(value)
            if not -1e-9 <= place <= 1 + 1e-9:
                edge = x if place < 0 else x + width
                tip, back = edge + 9 * towards, edge + 5 * towards
                parts.append(
                    f'<path d="M{edge:.1f},{middle_y:.1f}H{tip:.1f}M{back:.1f},{middle_y - 3:.1f}'
                    f'L{tip:.1f},{middle_y:.1f}L{back:.1f},{middle_y + 3:.1f}" fill="none" stroke="{INK}" '
                    f'stroke-width="1.4"/>'
                )
    if item.lo50 is not None and item.hi50 is not None and is_number(item.lo50) and is_number(item.hi50):
        parts.append(_bar(item.lo50, item.hi50, scale, x, width, middle_y, 5))
    if item.middle is not None and is_number(item.middle):
        parts.append(
            f'<circle cx="{_px(item.middle, scale, x, width):.1f}" cy="{middle_y:.1f}" r="3.6" fill="{PAPER}" '
            f'stroke="{INK}" stroke-width="1.6"/>'
        )
    return "".join(parts)


def _px(value: float, scale: Scale, x: float, width: float) -> float:
    return x + min(max(scale.place(value), 0.0), 1.0) * width


def _line(x: float, top: float, bottom: float, color: str) -> str:
    return f'<path d="M{x:.1f},{top:.1f}V{bottom:.1f}" stroke="{color}" stroke-width="1" fill="none"/>'


def _bar(low: float, high: float, scale: Scale, x: float, width: float, y: float, thick: float) -> str:
    start, end = _px(low, scale, x, width), _px(high, scale, x, width)
    return f'<path d="M{start:.1f},{y:.1f}H{end:.1f}" stroke="{INK}" stroke-width="{thick:g}" fill="none"/>'


def interval_text(item: Interval, scale: Scale, width: int, *, ascii_only: bool = False) -> str:
    """Draw one interval with characters.

    Parameters
    ----------
    item : Interval
        What to draw.
    scale : Scale
        The small axis.
    width : int
        Number of characters.
    ascii_only : bool
        Use only ASCII characters.

    Returns
    -------
    str
        Exactly `width` characters.

    Examples
    --------
    >>> interval_text(Interval(-1.2, -2, -0.4, -3.4, 1.0), Scale(-4, 2, 0), 19)
    '  ────━━○━━━┼───   '
    >>> interval_text(Interval(None, None, None, None, None), Scale(-4, 2, 0), 7, ascii_only=True)
    '    |  '
    """
    thin, thick, dot, bar, cross = "-=o|+" if ascii_only else "─━○│┼"
    cells = [" "] * width

    def cell(value: float) -> int:
        return min(max(round(scale.place(value) * (width - 1)), 0), width - 1)

    def draw(low: float | None, high: float | None, sign: str) -> None:
        if low is None or high is None or not (is_number(low) and is_number(high)):
            return
        for index in range(cell(low), cell(high) + 1):
            cells[index] = sign

    draw(item.lo95, item.hi95, thin)
    draw(item.lo50, item.hi50, thick)
    reference = cell(scale.reference)
    cells[reference] = bar if cells[reference] == " " else cross
    if item.middle is not None and is_number(item.middle):
        cells[cell(item.middle)] = dot
    return "".join(cells)
