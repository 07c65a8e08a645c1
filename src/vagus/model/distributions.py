"""Distributions of parameter rows: one grammar for what varies between people and for what is uncertain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.errors import InputError, nearest

FloatArray = NDArray[np.float64]


def _normal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(value + spread[0] * ndtri(u))


def _lognormal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(value * np.exp(spread[0] * ndtri(u)))


def _beta(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    from scipy.special import betaincinv

    return np.asarray(betaincinv(spread[0], spread[1], u))


def _uniform(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    return spread[0] + (spread[1] - spread[0]) * u


def _truncnormal(u: FloatArray, value: float, spread: Sequence[float]) -> FloatArray:
    from scipy.special import ndtr, ndtri

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


def read_distribution(row: Mapping[Any, Any]) -> tuple[Quantile, float, tuple[float, ...]]:
    """Check one row of a parameter table.

    Parameters
    ----------
    row : mapping
        ``parameter, value, distribution, spread``.

    Returns
    -------
    quantile, value, spread
        ``quantile(u, value, spread)`` gives the quantiles of the uniform numbers `u`.

    Raises
    ------
    InputError
        The row is not in the grammar.

    Examples
    --------
    >>> row = {"parameter": "x", "value": 2.0, "distribution": "lognormal", "spread": "0.5"}
    >>> quantile, value, spread = read_distribution(row)
    >>> quantile(np.array([0.5]), value, spread).tolist()
    [2.0]
    """
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
