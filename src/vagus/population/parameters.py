"""Draw the model parameters that differ between people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri

from vagus.errors import InputError, Problem, nearest
from vagus.rng import stream

FloatArray = NDArray[np.float64]


def _normal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    return np.asarray(value + spread[0] * ndtri(u))


def _lognormal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    return np.asarray(value * np.exp(spread[0] * ndtri(u)))


def _beta(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    return np.asarray(betaincinv(spread[0], spread[1], u))


def _uniform(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    return spread[0] + (spread[1] - spread[0]) * u


def _truncnormal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    sd, low, high = spread
    below, above = ndtr((low - value) / sd), ndtr((high - value) / sd)
    return np.asarray(np.clip(value + sd * ndtri(below + u * (above - below)), low, high))


def _trunclognormal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    sd, low, high = spread
    drawn = np.exp(_truncnormal(u, np.log(value), (sd, np.log(low), np.log(high))))
    return np.asarray(np.clip(drawn, low, high))


Quantile = Callable[[FloatArray, float, Sequence[float]], FloatArray]

#: Name -> (quantile function, numbers that `spread` must hold).
DISTRIBUTIONS: dict[str, tuple[Quantile, int]] = {
    "normal": (_normal, 1),
    "lognormal": (_lognormal, 1),
    "beta": (_beta, 2),
    "uniform": (_uniform, 2),
    "truncnormal": (_truncnormal, 3),
    "trunclognormal": (_trunclognormal, 3),
}


def draw_parameters(people_parameters: pd.DataFrame, people: Sequence[str], seed: int) -> pd.DataFrame:
    """Draw every parameter of every person by the inverse of its distribution function.

    One uniform number stands behind one parameter of one person, so a changed median or a new parameter leaves every
    other draw as it was.

    Parameters
    ----------
    people_parameters : pandas.DataFrame
        Columns ``parameter, value, distribution, spread``; where ``varies_between`` is given only its rows ``people``
        are drawn. `value` is the mean (normal, truncnormal) or the median (lognormal, trunclognormal); `spread` is
        the SD (of ln for the lognormals), ``a|b`` (beta), ``lo|hi`` (uniform) or ``sd|lo|hi`` (truncated). Rows
        ``derived`` are left out: they follow from the person's own baseline.
    people : sequence of str
        Length n; names of the random streams.
    seed : int
        Seed of the run.

    Returns
    -------
    pandas.DataFrame
        Shape (n, parameters), index `people`.

    Raises
    ------
    InputError
        A row that is not in this grammar; all of them at once.

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     {"parameter": ["transit_d"], "value": ["1.25"], "distribution": ["trunclognormal"], "spread": ["0.4|0.4|4"]}
    ... )
    >>> draw_parameters(rows, ["C1", "C2"], seed=1)["transit_d"].between(0.4, 4).all()
    np.True_
    """
    problems: list[Problem] = []
    columns: dict[str, FloatArray] = {}
    for row in people_parameters.to_dict("records"):
        if row.get("varies_between", "people") != "people" or row["distribution"] == "derived":
            continue
        name = str(row["parameter"])
        if name in columns:
            problems.append(Problem("", 0, f'A parameter must have one row, got two of "{name}"; remove one.'))
            continue
        try:
            quantile, value, spread = _read(row)
        except InputError as error:
            problems.extend(error.problems)
            continue
        u = np.array([stream(seed, "population", "parameter", name, person).random() for person in people])
        # The lowest double would be sent to minus infinity.
        columns[name] = quantile(np.clip(u, 1e-12, 1 - 1e-12), value, spread)
    if problems:
        raise InputError(problems)
    return pd.DataFrame(columns, index=pd.Index(people, name="subject_id"), dtype=np.float64)


def _read(row: dict[str, object] | dict[object, object]) -> tuple[Quantile, float, tuple[float, ...]]:
    """Check one row of the parameter table."""
    name, kind = row["parameter"], str(row["distribution"])
    where = f'Parameter "{name}"'
    if kind not in DISTRIBUTIONS:
        message = f'{where} needs a distribution to vary between people, got "{kind}"; {nearest(kind, DISTRIBUTIONS)}'
        raise InputError(message)
    quantile, wanted = DISTRIBUTIONS[kind]
    try:
        value = float(str(row["value"]))
        spread = tuple(float(part) for part in str(row["spread"]).split("|"))
    except ValueError:
        message = f'{where} needs numbers, got value "{row["value"]}" and spread "{row["spread"]}".'
        raise InputError(message) from None
    if len(spread) != wanted:
        message = f'{where} ({kind}) needs {wanted} numbers in its spread, got "{row["spread"]}"; divide them by "|".'
        raise InputError(message)
    for must, holds in _rules(kind, value, spread):
        if not holds:
            raise InputError(f'{where} ({kind}) must have {must}, got value {value:g} and spread "{row["spread"]}".')
    return quantile, value, spread


def _rules(kind: str, value: float, spread: tuple[float, ...]) -> list[tuple[str, bool]]:
    """Return what must hold for the numbers of a distribution, and whether it does."""
    rules = [("finite numbers", bool(np.isfinite([value, *spread]).all()))]
    if kind == "uniform":
        rules.append(("its lower bound below the upper", spread[0] < spread[1]))
    elif kind == "beta":
        rules.append(("both shapes above 0", min(spread) > 0))
    else:
        rules.append(("an SD above 0", spread[0] > 0))
    if kind.startswith("trunc"):
        rules.append(("its value between the bounds", spread[1] <= value <= spread[2] and spread[1] < spread[2]))
    if kind.endswith("lognormal"):
        rules.append(("a value above 0", value > 0))
    if kind == "trunclognormal":
        rules.append(("a lower bound above 0", spread[1] > 0))
    return rules
