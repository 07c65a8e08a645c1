"""The numbers of the observation layer, each with its source in ``noise.csv``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vagus import resources

FloatArray = NDArray[np.float64]


def noise(parameter: str) -> float:
    """Return one number of ``noise.csv``.

    Raises
    ------
    KeyError
        There is no such row.

    Examples
    --------
    >>> noise("week.nights")
    7.0
    """
    return resources.numbers("observation", "noise.csv")[parameter]


def factor(z: FloatArray, sd: float | FloatArray) -> FloatArray:
    """Turn standard normal draws into lognormal factors with mean 1.

    Mean 1, not median 1, so that the average of many observations is the true value.

    Examples
    --------
    >>> float(factor(np.array(0.0), 0.0))
    1.0
    """
    return np.asarray(np.exp(sd * z - 0.5 * np.square(sd)))
