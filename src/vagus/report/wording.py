"""How numbers and stored facts are written: two or three significant figures, real minus signs, nothing invented."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

DASH = "–"
NOT_STATED = "not stated"
NBSP = "\u00a0"
STATISTICS = {
    "difference": "difference",
    "ratio": "ratio of geometric means",
    "rate_ratio": "ratio of rates",
    "fold_change": "fold change",
    "odds_ratio": "odds ratio",
}
FOOTER = "This report supports planning and learning, is not medical advice and no substitute for care."


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_ratio(statistic: str) -> bool:
    """Tell whether a statistic is read against 1 instead of 0."""
    return statistic != "difference"


def decimals_for(*values: float | None, significant: int = 2) -> int:
    """Return how many decimals a group of numbers needs.

    An interval decides by half its width; a single number or an interval without width by its size.

    Examples
    --------
    >>> decimals_for(-3.4, 1.0), decimals_for(1.77, 2.96), decimals_for(120.0, 180.0), decimals_for(0.82)
    (1, 2, 0, 2)
    """
    numbers = [float(value) for value in values if value is not None and math.isfinite(value)]
    if not numbers:
        return 0
    size = (max(numbers) - min(numbers)) / 2 or max(abs(value) for value in numbers)
    if size == 0:
        return 0
    return min(max(0, significant - 1 - math.floor(math.log10(size) + 1e-9)), 6)


def write_number(value: float | None, decimals: int | None = None, *, signed: bool = False) -> str:
    """Write one number with a real minus sign; a dash where there is none.

    Examples
    --------
    >>> write_number(-1.234, 1), write_number(0.5, 2, signed=True), write_number(-0.01, 1), write_number(None)
    ('−1.2', '+0.50', '0.0', '–')
    >>> write_number(12345.6), write_number(1.25)
    ('12,346', '1.25')
    """
    if value is None or not math.isfinite(value):
        return DASH
    places = decimals_for(value, significant=3) if decimals is None else decimals
    text = f"{abs(value):,.{places}f}"
    if not any(digit in "123456789" for digit in text):
        return text
    return ("−" if value < 0 else "+" if signed else "") + text


def write_interval(estimate: float | None, low: float | None, high: float | None, decimals: int | None = None) -> str:
    """Write an estimate with its interval, all to the given decimals or to what the interval's width supports.

    Examples
    --------
    >>> write_interval(-1.2, -3.4, 1.0)
    '−1.2 [−3.4, 1.0]'
    >>> write_interval(2.289, 1.771, 2.959)
    '2.29 [1.77, 2.96]'
    >>> write_interval(float("nan"), None, None)
    'not estimable'
    """
    if estimate is None or not math.isfinite(estimate):
        return "not estimable"
    known = [value for value in (low, high) if value is not None and math.isfinite(value)]
    if len(known) < 2:
        return f"{write_number(estimate, decimals)} [no interval]"
    places = decimals_for(*known) if decimals is None else decimals
    middle, low_text, high_text = (write_number(value, places) for value in (estimate, *known))
    return f"{middle} [{low_text}, {high_text}]"


def write_p(value: float | None) -> str:
    """Write a p value: two decimals, three where two would hide the side of 0.05 or be too few.

    Examples
    --------
    >>> [write_p(p) for p in (0.04, 0.0004, 0.732, 0.0489, 0.0042, 0.9991, None)]
    ['0.04', '<0.001', '0.73', '0.049', '0.004', '>0.99', '–']
    """
    if value is None or not math.isfinite(value):
        return DASH
    if value < 0.001:
        return "<0.001"
    if value > 0.99:
        return ">0.99"
    return f"{value:.3f}" if value < 0.0095 or 0.045 <= value < 0.055 else f"{value:.2f}"


def write_probability(value: float | None) -> str:
    """Write a probability with two decimals, never as a bare 0 or 1.

    Examples
    --------
    >>> [write_probability(p) for p in (0.873, 1.0, 0.0, None)]
    ['0.87', '>0.99', '<0.01', '–']
    """
    if value is None or not math.isfinite(value):
        return DASH
    if value > 0.99:
        return ">0.99"
    return "<0.01" if value < 0.01 else f"{value:.2f}"


def write_plain(value: float) -> str:
    """Write a given (not estimated) number without decimals that say nothing.

    Examples
    --------
    >>> write_plain(3.0), write_plain(28), write_plain(2.5)
    ('3', '28', '2.5')
    """
    return write_number(value, 0 if float(value).is_integer() else decimals_for(value))


def write_stored(value: object) -> str:
    """Write a stored value as it is; ``not stated`` where it is absent.

    Examples
    --------
    >>> write_stored("lower"), write_stored(None), write_stored("")
    ('lower', 'not stated', 'not stated')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOT_STATED
    text = str(value).strip()
    return text or NOT_STATED


def write_cell(value: object) -> str:
    """Write any stored value for a table: text as it is, numbers plain, lists joined, a dash where there is none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(write_cell(item) for item in value) or DASH
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {write_cell(item)}" for key, item in value.items()) or DASH
    text = write_stored(value)
    return DASH if text == NOT_STATED and value != NOT_STATED else text


def write_sign(sign: str | int) -> str:
    """Write the sign of a link in words.

    Examples
    --------
    >>> write_sign("+"), write_sign(-1), write_sign("+/-")
    ('raises', 'lowers', 'depends')
    """
    return {1: "raises", -1: "lowers", 0: "depends"}[sign_of(sign)]


def sign_of(sign: str | int) -> int:
    """Return 1, -1 or 0 for the sign of a link given as a number or as ``+``, ``-``."""
    if isinstance(sign, str):
        return {"+": 1, "-": -1, "−": -1, "1": 1, "-1": -1, "+1": 1}.get(sign.strip(), 0)
    return (sign > 0) - (sign < 0)


def list_words(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> list_words(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
