"""Units that a user writes: doses, durations, risks and clock times, read into grams per day, days and hours.

A dose is a mass, or a count (IU, CFU) whose mass the product knows. Masses and times go through pint (one small
registry, made at first use); everything else in the package works with plain floats in the units of these functions.
A text that cannot be read raises `UnitError`, whose message says what must hold, what was got, and the usual fix; the
caller adds where it stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

#: The whole vocabulary of units; liter and hour are there so that a wrong unit is known as one.
_DEFINITIONS = (
    "micro- = 1e-6 = u- = µ- = μ-",
    "milli- = 1e-3 = m-",
    "kilo- = 1e3 = k-",
    "gram = [mass] = g",
    "mcg = 1e-6 * gram",
    "day = [time] = d",
    "week = 7 * day = wk = wks",
    "hour = day / 24 = h",
    "liter = [volume] = l = L",
)
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_AMOUNT = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>\S.*)?", re.DOTALL)
_UNIT = re.compile(r"[A-Za-zµμ]+(?:\s*(?:/|\bper\b)\s*[A-Za-z]+)?")
_CLOCK = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})")
_LIST = re.compile(r"\[(?P<items>[^\[\]]*)\]\s*(?P<unit>\S.*)?", re.DOTALL)
_RISK = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<percent>%)?\s*(?:/|per\b)\s*(?P<period>\S.*)", re.DOTALL | re.IGNORECASE
)
_TIMES = {"once": 1, "twice": 2, "thrice": 3, "two": 2, "three": 3, "four": 4}
_TIMES_A_DAY = re.compile(
    r"(?P<unit>\S+)\s*,?\s*(?:(?P<word>once|twice|thrice)|(?P<count>\d+|two|three|four)\s*(?:x|×|times))"
    r"\s*(?:/\s*d(?:ay)?|a\s+day|per\s+day|daily)",
    re.IGNORECASE,
)
#: Above this no person takes a powder every day; a larger dose is a slip of the unit.
MOST_GRAMS_PER_DAY = 200.0
#: Units that count instead of weighing.
COUNTED = ("IU", "CFU")
_WORDS_OF_TEN = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_COUNT = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<word>{'|'.join(_WORDS_OF_TEN)})?\s*(?P<unit>{'|'.join(COUNTED)})s?"
    r"(?P<day>\s*(?:/|per\b)\s*d(?:ay)?)?",
    re.IGNORECASE,
)


class UnitError(ValueError):
    """A quantity that cannot be read, or one of the wrong kind."""


@dataclass(frozen=True)
class DoseUnits:
    """What the dose of a product may be written in.

    Attributes
    ----------
    mass : bool
        Whether a mass per day is understood.
    per_gram : mapping of str to float
        Counted unit (``IU``, ``CFU``) to how many of it a gram of product is.
    most_grams_per_day : float
        Largest dose; what is above is a slip of the unit, or outside what is known of the product.
    most : str
        That dose as a user would write it.
    examples : mapping of str to str
        Kind (``mass``, ``IU``, ``CFU``) to a usual dose, for messages.
    """

    mass: bool = True
    per_gram: Mapping[str, float] = field(default_factory=dict)
    most_grams_per_day: float = MOST_GRAMS_PER_DAY
    most: str = f"{MOST_GRAMS_PER_DAY:g} g/day"
    examples: Mapping[str, str] = field(default_factory=lambda: {"mass": "5 g/day"})

    @property
    def words(self) -> str:
        """What a dose must be, in a sentence.

        Examples
        --------
        >>> DoseUnits().words, DoseUnits(mass=False, per_gram={"CFU": 1e12}).words
        ('a mass per day', 'in CFU per day')
        """
        counted = " or ".join(self.per_gram)
        return " or ".join([*(["a mass"] if self.mass else []), *([f"in {counted}"] if counted else [])]) + " per day"

    @property
    def example(self) -> str:
        """A usual dose in each kind of unit, as a message shows it."""
        return " or ".join(f'"{text}"' for text in self.examples.values())


@dataclass(frozen=True)
class DoseRate:
    """A daily dose.

    Attributes
    ----------
    grams_per_day : float
        Grams of the product per day.
    at_hour : float or None
        Clock hour of intake (0 to 24), None where no time was given.
    text : str
        As written.
    """

    grams_per_day: float
    at_hour: float | None
    text: str


@dataclass(frozen=True)
class Risk:
    """A share of people whom an event meets within a period.

    Attributes
    ----------
    fraction : float
        Share of people, 0 to below 1.
    per_days : float
        Length of the period (days).
    """

    fraction: float
    per_days: float

    def daily_hazard(self) -> float:
        """Return the constant hazard (1/day) that gives `fraction` after `per_days`.

        Examples
        --------
        >>> round(Risk(0.12, 56.0).daily_hazard(), 6)
        0.002283
        """
        return -math.log1p(-self.fraction) / self.per_days

    def within(self, days: float) -> float:
        """Return the share of people met within `days` days at the same hazard.

        Examples
        --------
        >>> round(Risk(0.12, 56.0).within(28.0), 4)
        0.0619
        """
        return -math.expm1(-self.daily_hazard() * days)


@cache
def registry() -> pint.UnitRegistry[Any]:
    """Return the one registry of the package (made at first use; knows masses, times and volumes only)."""
    import pint  # half a second: only where somebody wrote a unit

    units: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    units.load_definitions(list(_DEFINITIONS))
    return units


def _scale(unit: str, target: str) -> float | None:
    """Return how many `target` one `unit` is, or None where the unit is unknown or of another kind."""
    if _UNIT.fullmatch(unit) is None:  # plain words only: pint also reads powers, brackets and numbers
        return None
    import pint

    try:
        return float(registry().Quantity(1.0, registry().parse_units(unit)).to(target).magnitude)
    except pint.PintError:
        return None


def shown(value: object) -> str:
    r"""Return a value as a message may quote it: one line, printable, not longer than 60 characters.

    Examples
    --------
    >>> shown("5\n mL")
    '5 mL'
    """
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in _words(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(value: float) -> str:
    """Write a number as a user would.

    Examples
    --------
    >>> plain(25.0), plain(2500.0), plain(1e10)
    ('25', '2500', '1e10')
    """
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{value:g}")


def _words(value: object) -> str:
    return " ".join(str(value).split())


def parse_dose(text: object, of: str = "Dose", units: DoseUnits | None = None) -> DoseRate:
    """Read a daily dose.

    Parameters
    ----------
    text : object
        ``"5 g/day"``, ``"500 mg per day"``, ``"4 g/day at 08:00"``, ``"1000 IU/day"``, ``"10 billion CFU/day"``;
        anything but a text is refused.
    of : str
        Subject of the error sentence, for example ``Dose of arm '2FL'``.
    units : DoseUnits, optional
        What the product's dose may be written in; a mass by default.

    Returns
    -------
    DoseRate
        Grams per day, and the clock hour where one is written.

    Raises
    ------
    UnitError
        A unit of another kind, without a unit, not above zero, or more than a person takes.

    Examples
    --------
    >>> parse_dose("500 mg/day at 08:30")
    DoseRate(grams_per_day=0.5, at_hour=8.5, text='500 mg/day at 08:30')
    >>> parse_dose("5 mL", of="Dose of arm '2FL'")
    Traceback (most recent call last):
    ...
    vagus.units.UnitError: Dose of arm '2FL' must be a mass per day, got "5 mL"; write "5 g/day".
    >>> live = DoseUnits(mass=False, per_gram={"CFU": 1e12}, examples={"CFU": "1e10 CFU/day"})
    >>> parse_dose("10 billion CFU/day", units=live).grams_per_day
    0.01
    """
    units = units or DoseUnits()
    got = shown(text)
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise UnitError(f'{of} must be {units.words}, got "{got}"; write {units.example}.')
    written = _words(text)
    body, at, clock = written.partition(" at ")
    counted = _COUNT.fullmatch(body.strip())
    if counted is not None:
        grams = _counted_grams(counted, of, got, units)
    elif units.mass:
        grams = _weighed_grams(body.strip(), of, got, units)
    else:
        raise UnitError(f'{of} must be {units.words}, got "{got}"; write {units.example}.')
    if not grams <= units.most_grams_per_day:
        number = _AMOUNT.fullmatch(body.strip())
        slip = f', as in "{float(number["number"]):g} mg/day"' if number and units == DoseUnits() else ""
        raise UnitError(f'{of} must be at most {units.most}, got "{got}"; check the unit{slip}.')
    grams = float(f"{grams:.14g}")  # 25 ug and 1000 IU are one dose, to the last digit
    return DoseRate(grams, parse_clock(clock, of=f"Time of the {of[0].lower()}{of[1:]}") if at else None, written)


def _counted_grams(found: re.Match[str], of: str, got: str, units: DoseUnits) -> float:
    """Return the grams per day of a dose in IU or CFU, or raise."""
    unit = found["unit"].upper()
    number = float(found["number"]) * _WORDS_OF_TEN.get((found["word"] or "").lower(), 1.0)
    if unit not in units.per_gram or not math.isfinite(number):
        raise UnitError(f'{of} must be {units.words}, got "{got}"; write {units.example}.')
    size = plain(abs(number)) if number else units.examples[unit].partition(" ")[0]
    if not found["day"]:
        raise UnitError(f'{of} must be {units.words}, got "{got}"; write "{size} {unit}/day".')
    if number <= 0:
        raise UnitError(f'{of} must be above zero, got "{got}"; write "{size} {unit}/day".')
    return number / units.per_gram[unit]


def _weighed_grams(body: str, of: str, got: str, units: DoseUnits) -> float:
    """Return the grams per day of a dose by mass, or raise."""
    found = _AMOUNT.fullmatch(body)
    if found is None:
        raise UnitError(f'{of} must be {units.words}, got "{got}"; write {units.example}.')
    number, unit = float(found["number"]), (found["unit"] or "").strip()
    usual = units.examples["mass"].partition(" ")
    size = f"{abs(number):g}" if number and math.isfinite(number) else usual[0]
    comma = re.fullmatch(r",(\d+)\s*(\S.*)?", unit)
    if comma is not None:
        raise UnitError(f'{of} must have a decimal point, got "{got}"; write "{size}.{comma[1]} {usual[2]}".')
    if not unit:
        raise UnitError(f'{of} needs a unit, got "{got}"; write "{size} {usual[2]}".')
    several = _TIMES_A_DAY.fullmatch(unit)
    if several is not None:
        count = several["word"] or several["count"]
        times = _TIMES.get(count.lower()) or int(count)
        total = f"{abs(number) * times:g} {several['unit'].split('/')[0]}/day"
        raise UnitError(f'{of} must be written as one amount a day, got "{got}"; write "{total}".')
    scale = _scale(unit, "gram / day")
    if scale is None or not re.search(r"(/|per)\s*d(ay)?s?$", unit):
        raise UnitError(f'{of} must be {units.words}, got "{got}"; write "{size} {usual[2]}".')
    if number <= 0:
        mass = re.split(r"\s*(?:/|per\b)", unit)[0]
        raise UnitError(f'{of} must be above zero, got "{got}"; write "{size} {mass}/day".')
    return number * scale


def is_counted(text: object) -> bool:
    """Say whether a dose is written in a counted unit.

    Examples
    --------
    >>> is_counted("1e10 CFU/day at 08:00"), is_counted("5 g/day")
    (True, False)
    """
    return _COUNT.fullmatch(_words(text).partition(" at ")[0].strip()) is not None


def parse_clock(text: object, of: str = "Time of day") -> float:
    """Read a clock time ``HH:MM`` (00:00 to 23:59) as hours after midnight.

    Raises
    ------
    UnitError
        Not a clock time.

    Examples
    --------
    >>> parse_clock("08:15")
    8.25
    """
    got = shown(text)
    found = _CLOCK.fullmatch(_words(text))
    if found is None or int(found["hour"]) > 23 or int(found["minute"]) > 59:
        raise UnitError(f'{of} must be a clock time between 00:00 and 23:59, got "{got}"; write "at 08:00".')
    return int(found["hour"]) + int(found["minute"]) / 60


def _days(unit: str, of: str, got: str, number: str) -> float:
    """Return the days in one `unit`, or raise."""
    word = unit.strip().lower()
    if re.fullmatch(r"mo|mos|months?|y|yr|yrs|years?", word):
        kind = "month" if word.startswith("mo") else "year"
        raise UnitError(
            f'{of} must be in days or weeks, got "{got}": a {kind} has no fixed length; write "4 wk" or "30 d".'
        )
    scale = _scale(word, "day") if re.fullmatch(r"[a-z]+", word) else None
    if scale is None or word in {"h", "hour", "hours"}:
        raise UnitError(f'{of} must be in days or weeks, got "{got}"; write "{number} wk".')
    return scale


def parse_duration(text: object, of: str = "Duration") -> float:
    """Read a duration in days or weeks.

    Parameters
    ----------
    text : object
        ``"8 wk"``, ``"3 days"``, ``"10d"``; zero may stand without a unit.
    of : str
        Subject of the error sentence.

    Returns
    -------
    float
        Days, 0 or more.

    Raises
    ------
    UnitError
        No unit, not days or weeks, or below zero. Months and years are refused: they have no fixed length.

    Examples
    --------
    >>> parse_duration("8 wk"), parse_duration("10d"), parse_duration(0)
    (56.0, 10.0, 0.0)
    """
    got = shown(text)
    plain = isinstance(text, (str, int, float)) and not isinstance(text, bool)
    found = _AMOUNT.fullmatch(_words(text)) if plain else None
    if found is None:
        raise UnitError(f'{of} must be a number of days or weeks, got "{got}"; write "8 wk".')
    number, unit = float(found["number"]), found["unit"]
    size = f"{abs(number):g}"
    if unit is None:
        if number == 0:
            return 0.0
        raise UnitError(f'{of} needs a unit, got "{got}"; write "{size} wk" or "{size} d".')
    days = number * _days(unit, of, got, size)
    if days < 0:
        raise UnitError(f'{of} must not be below zero, got "{got}"; write "{size} {unit.strip()}".')
    if not math.isfinite(days):
        raise UnitError(f'{of} must be a number of days or weeks, got "{got}"; write "8 wk".')
    return days


def parse_durations(value: object, of: str = "Times") -> tuple[float, ...]:
    """Read a list of durations with one unit behind it, or a list in which each has its own.

    Parameters
    ----------
    value : object
        ``"[0, 4, 8] wk"``, ``["0 d", "4 wk"]`` or one duration ``"4 wk"``.
    of : str
        Subject of the error sentence.

    Returns
    -------
    tuple of float
        Days, in the order written.

    Raises
    ------
    UnitError
        No unit, or an item that is not a duration.

    Examples
    --------
    >>> parse_durations("[0, 4, 8] wk"), parse_durations(["0 d", "4 wk"])
    ((0.0, 28.0, 56.0), (0.0, 28.0))
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        got = shown("[" + ", ".join(_words(item) for item in value) + "]")
        if not value:
            raise UnitError(f'{of} must name at least one time, got "[]"; write "[0, 4, 8] wk".')
        if any(re.fullmatch(_NUMBER, _words(item)) and float(_words(item)) != 0 for item in value):
            raise UnitError(f'{of} need a unit, got "{got}"; write "{got} wk".')
        return tuple(parse_duration(item, of) for item in value)
    got = shown(value)
    found = _LIST.fullmatch(_words(value)) if isinstance(value, str) else None
    if found is None:
        return (parse_duration(value, of),)
    items = [item.strip() for item in found["items"].split(",")]
    if found["unit"] is None:
        return parse_durations(items if items != [""] else [], of)
    bad = [item for item in items if not re.fullmatch(_NUMBER, item)]
    if bad:
        raise UnitError(f'{of} must be numbers with one unit behind the list, got "{got}"; write "[0, 4, 8] wk".')
    return tuple(parse_duration(f"{item} {found['unit']}", of) for item in items)


def parse_risk(text: object, of: str = "Risk") -> Risk:
    """Read a share of people per period.

    Parameters
    ----------
    text : object
        ``"12 %/8wk"``, ``"2 % per 8 wk"`` or, as a fraction, ``"0.12/8wk"``.
    of : str
        Subject of the error sentence.

    Returns
    -------
    Risk
        Fraction and period in days.

    Raises
    ------
    UnitError
        No period, or a share outside 0 to below 100 %.

    Examples
    --------
    >>> parse_risk("12 %/8wk")
    Risk(fraction=0.12, per_days=56.0)
    """
    got = shown(text)
    found = _RISK.fullmatch(_words(text)) if isinstance(text, str) else None
    if found is None:
        raise UnitError(f'{of} must be a percentage per period, got "{got}"; write "12 %/8wk".')
    share = float(found["number"]) / (100.0 if found["percent"] else 1.0)
    period = found["period"].strip()
    days = parse_duration(
        period if period[0].isdigit() or period[0] in "+-." else f"1 {period}", f"Period of the {of[0].lower()}{of[1:]}"
    )
    if not 0 <= share < 1:
        raise UnitError(f'{of} must be between 0 % and below 100 %, got "{got}"; write "12 %/8wk".')
    if days == 0:
        raise UnitError(f'{of} must be per a period above zero, got "{got}"; write "12 %/8wk".')
    return Risk(share, days)


def parse_fraction(value: object, of: str = "Share") -> float:
    """Read a share between 0 and 1, written as a number or as a percentage.

    Raises
    ------
    UnitError
        Not a number, or outside 0 to 1.

    Examples
    --------
    >>> parse_fraction(0.85), parse_fraction("85 %")
    (0.85, 0.85)
    """
    got = shown(value)
    found = re.fullmatch(rf"({_NUMBER})\s*(%)?", _words(value)) if not isinstance(value, bool) else None
    share = float(found[1]) / (100.0 if found[2] else 1.0) if found else math.nan
    if not 0 <= share <= 1:
        raise UnitError(f'{of} must be a share between 0 and 1, got "{got}"; write "0.85".')
    return share
