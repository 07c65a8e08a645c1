"""The small texts inside a protocol: ``ISI change at 8 wk`` and ``hmo - placebo``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from vagus import resources
from vagus.errors import InputError, nearest
from vagus.instruments import measures
from vagus.trial import outcome as vocabulary
from vagus.trial import outcomes
from vagus.trial.vocabulary import resolve_outcome
from vagus.units import UnitError, parse_duration, shown

BASELINE = "baseline"
METHODS = ("ancova", "log_ancova", "fold_change", "negative_binomial", "responders")
#: Method where a secondary analysis names none, by scale of the outcome.
DEFAULT_METHOD = {
    "bounded": "ancova",
    "real": "ancova",
    "positive": "log_ancova",
    "proportion": "log_ancova",
    "count": "negative_binomial",
}
#: Kind of change as written -> method that it asks for.
KIND_METHOD = {"fold change": "fold_change", "ratio": "log_ancova"}

_VARIABLE = re.compile(
    r"(?P<name>\S(?:.*?\S)?)(?:\s+(?P<kind>fold[ -]change|change|ratio))?(?:\s+at\s+(?P<at>\S.*))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Variable:
    """A variable as written: name of an outcome or measure, kind of change (may be empty), day (None: not written)."""

    name: str
    kind: str
    day: float | None


def parse_variable(text: str) -> Variable:
    """Read ``<outcome> [change | ratio | fold change] [at <duration>]``.

    Raises
    ------
    UnitError
        The duration cannot be read.

    Examples
    --------
    >>> parse_variable("ISI change at 8 wk")
    Variable(name='ISI', kind='change', day=56.0)
    """
    found = _VARIABLE.fullmatch(" ".join(text.split()))
    if found is None:
        raise UnitError(f'A variable must be written like "ISI change at 8 wk", got "{shown(text)}".')
    kind = (found["kind"] or "").lower().replace("-", " ")
    day = parse_duration(found["at"], of="Time of a variable") if found["at"] else None
    return Variable(found["name"], kind, day)


def parse_contrast(text: str) -> tuple[str, str]:
    """Read ``arm - reference``.

    Raises
    ------
    UnitError
        Not two names with a minus between blanks.

    Examples
    --------
    >>> parse_contrast("OF+2FL - placebo")
    ('OF+2FL', 'placebo')
    """
    parts = re.split(r"\s+(?:-|−|–|vs\.?|versus)\s+", " ".join(text.split()))
    if len(parts) != 2 or not all(parts):
        raise UnitError(
            f'A contrast must be two arms with a minus between blanks, got "{shown(text)}"; write "hmo - placebo".'
        )
    return parts[0], parts[1]


def find_outcomes(name: str) -> tuple[str, ...]:
    """Return the outcomes that a name stands for.

    Raises
    ------
    UnitError
        Unknown name; the nearest is named.
    """
    try:
        return resolve_outcome(name)
    except InputError:
        known = [word for item in outcomes().values() for word in (item.id, *item.aliases)]
        hint = nearest(name, known)
        if not hint.startswith("did you mean"):
            hint = f"write an outcome of a measure: {', '.join(measures())}"
        raise UnitError(f'Unknown outcome "{shown(name)}"; {hint}') from None


def scale_of(outcome: str) -> str:
    """Return the scale of an outcome (``bounded``, ``count``, ...)."""
    return vocabulary(outcome).scale


def why_not(method: str, outcome: str) -> str:
    """Say why a method does not suit an outcome; empty where it does."""
    scale = scale_of(outcome)
    if method in ("log_ancova", "fold_change") and scale in ("bounded", "real"):
        return f'compares ratios, and {outcome} is a score or may be zero or negative; write "ancova"'
    if method == "negative_binomial" and scale != "count":
        return f'is for counts, and {outcome} is none; write "{DEFAULT_METHOD[scale]}"'
    return ""


def label_of(day: float) -> str:
    """Return the label of a visit on `day` of treatment.

    Examples
    --------
    >>> label_of(0.0), label_of(28.0), label_of(3.0)
    ('baseline', 'week 4', 'day 3')
    """
    if day == 0:
        return BASELINE
    return f"week {day / 7:g}" if day % 7 == 0 else f"day {day:g}"


@cache
def cadences() -> Mapping[str, str]:
    """Return how often each measure may be taken: ``daily`` or ``visits``."""
    table = resources.table("instruments", "measures.csv")
    return dict(zip(table["measure"], table["cadence"], strict=True))
