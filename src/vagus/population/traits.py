"""Latent traits: what a questionnaire would tell of a person if it had no error.

``theta = slow + fast``: the slow part wanders over months and holds most of the variance between people, the fast
part over days. Both are multivariate normal with the same correlation between scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import resources
from vagus.population.constants import constant
from vagus.population.sources import Source
from vagus.rng import streams

FloatArray = NDArray[np.float64]

#: Scales with a latent trait, in the order of every trait array.
SCALES = ("bdi", "stai_state", "stai_trait", "panas_positive", "panas_negative", "psqi", "isi", "ibs_sss")


@cache
def _correlation() -> FloatArray:
    table = resources.table("population", "data", "trait_correlations.csv")
    matrix = np.eye(len(SCALES))
    for row in table.to_dict("records"):
        a, b = SCALES.index(row["scale_a"]), SCALES.index(row["scale_b"])
        matrix[a, b] = matrix[b, a] = float(row["correlation"])
    matrix.setflags(write=False)
    return matrix


def trait_correlation() -> pd.DataFrame:
    """Return the correlation of the latent traits between people.

    Returns
    -------
    pandas.DataFrame
        Shape (8, 8), index and columns `SCALES`; positive definite. Sources in ``data/trait_correlations.csv``.

    Examples
    --------
    >>> r = trait_correlation()
    >>> bool(r.loc["bdi", "stai_trait"] > 0.5), bool(r.loc["panas_positive", "bdi"] < 0)
    (True, True)
    """
    return pd.DataFrame(_correlation().copy(), index=list(SCALES), columns=list(SCALES))


def draw_traits(source: Source, people: Sequence[str], seed: int) -> tuple[FloatArray, FloatArray]:
    """Draw the traits of candidates.

    Parameters
    ----------
    source : Source
        Population; gives the mean and SD of every trait.
    people : sequence of str
        Length n; names of the random streams.
    seed : int
        Seed of the run.

    Returns
    -------
    slow, fast : numpy.ndarray
        Shape (n, 8), latent SD; the population's mean is part of `slow`.
    """
    k = len(SCALES)
    mean = np.array([source.latent_mean[scale] for scale in SCALES])
    sd = np.array([source.latent_sd[scale] for scale in SCALES])
    draws = [rng.standard_normal((2, k)) for rng in streams(seed, "population", "traits", last=people)]
    # One small triangular factor for all people; the same correlation for slow and fast (assumed, grade D).
    z = np.array(draws, dtype=np.float64).reshape(len(people), 2, k) @ np.linalg.cholesky(_correlation()).T
    slow = mean + sd * np.sqrt(constant("slow_share")) * z[:, 0]
    fast = sd * np.sqrt(constant("fast_share")) * z[:, 1]
    return slow, fast
