"""Item banks: what each item of a questionnaire needs to be answered by a virtual person.

Graded items follow Samejima's graded response model: the keyed answer reaches category ``k`` with probability
``logistic(a (theta + u - b_k))``. `theta` is the latent trait (mean 0, SD 1 in the population that the bank was
fitted to; + = more of what the scale counts) and `u` the person's stable leaning on this item, which is why a retest
agrees better than independent answers would. Visual analog scales are a normal variable read off a line with two
ends: ``clip(location + slope (theta + u) + noise, 0, 100)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vagus import resources
from vagus.errors import InputError, nearest

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bank:
    """One scale: its items, their parameters and how a sum is formed.

    Attributes
    ----------
    scale : str
        Outcome name (``bdi``).
    title : str
        Name of the instrument.
    response : str
        ``graded`` (integer categories) or ``vas`` (0-100 mm line).
    item_min, item_max : int
        Range of one raw answer.
    max_missing : int
        Blank items up to which a sum is prorated.
    reverse : numpy.ndarray of bool
        Shape (items,); raw answers that count in the other direction.
    a : numpy.ndarray
        Shape (items,); discrimination (graded) or slope in mm per latent SD (vas).
    b : numpy.ndarray
        Increasing thresholds in latent SD, shape (items, categories - 1) (graded); location in mm, shape (items, 1)
        (vas).
    noise : numpy.ndarray
        Shape (items,); occasion noise in mm (vas), zero for graded items (their noise is the draw itself).
    offset_sd : float
        SD of the person-by-item leaning, latent SD.
    """

    scale: str
    title: str
    response: str
    item_min: int
    item_max: int
    max_missing: int
    reverse: NDArray[np.bool_]
    a: FloatArray
    b: FloatArray
    noise: FloatArray
    offset_sd: float

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.a)

    @property
    def score_min(self) -> int:
        """Lowest possible sum."""
        return self.n_items * self.item_min

    @property
    def score_max(self) -> int:
        """Highest possible sum."""
        return self.n_items * self.item_max


def scales() -> tuple[str, ...]:
    """Return the scales that have an item bank, in the order of ``scales.csv``.

    Examples
    --------
    >>> scales()[:2]
    ('bdi', 'stai_state')
    """
    return tuple(_banks())


def bank(scale: str) -> Bank:
    """Return the bank of one scale.

    Raises
    ------
    InputError
        The scale is unknown.

    Examples
    --------
    >>> bank("bdi").n_items, bank("stai_state").score_max
    (21, 80)
    """
    try:
        return _banks()[scale]
    except KeyError:
        message = f'A scale must be one that has an item bank, got "{scale}"; {nearest(scale, _banks())}'
        raise InputError(message) from None


@cache
def _banks() -> dict[str, Bank]:
    items = resources.table("instruments", "items.csv")
    fits = resources.table("instruments", "fits.csv").to_dict("records")
    offset_sd = {str(row["scale"]): float(row["offset_sd"]) for row in fits}
    banks: dict[str, Bank] = {}
    for row in resources.table("instruments", "scales.csv").to_dict("records"):
        scale = str(row["scale"])
        rows = items[items["scale"] == scale]
        thresholds = [name for name in ("b1", "b2", "b3", "b4") if (rows[name] != "").all()]
        banks[scale] = Bank(
            scale=scale,
            title=str(row["title"]),
            response=str(row["response"]),
            item_min=int(row["item_min"]),
            item_max=int(row["item_max"]),
            max_missing=int(row["max_missing"]),
            reverse=np.array(rows["reverse"] == "1"),
            a=rows["a"].to_numpy(float),
            b=rows[thresholds].to_numpy(float),
            noise=rows["noise"].replace("", "0").to_numpy(float),
            offset_sd=offset_sd[scale],
        )
    return banks
