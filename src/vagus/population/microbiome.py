"""Baseline microbiomes: genus compositions of virtual adults and their sums over the guilds of the colon model.

A composition is drawn from fitted figures (``data/microbiome_*.csv``): a few common factors and one own part per
genus make correlated normal scores; a genus is present where its score passes the share of people without it; the
rest of the score picks a quantile of its abundance. Bifidobacterium keeps its drawn share, all others are scaled to
what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri

from vagus import resources
from vagus.errors import InputError, Problem, nearest
from vagus.population.cohort import GUILDS
from vagus.population.constants import constant
from vagus.rng import streams

FloatArray = NDArray[np.float64]

#: Probabilities of the abundance quantiles that are shipped.
PROBABILITIES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
#: Quantiles are extrapolated no further than this and its complement.
OUTERMOST = 0.005
BIFIDOBACTERIUM = "Bifidobacterium"
#: Guild name of Bifidobacterium in the genus table: it feeds two guilds of the model.
SPLIT = "bifidobacteria"
#: Above this share of Bifidobacterium the other guilds could not keep their floors.
MOST_BIFIDOBACTERIUM = 0.99


@dataclass(frozen=True, eq=False)
class MicrobiomeFigures:
    """Fitted distribution of a set of microbiomes.

    Attributes
    ----------
    genera : tuple of str
        Length g.
    guild : tuple of str
        Length g; guild of each genus, ``bifidobacteria`` for the genus that feeds two, ``none`` outside the model.
    prevalence : numpy.ndarray
        Shape (g,); share of people who carry the genus.
    log_quantiles : numpy.ndarray
        Shape (g, 7); quantiles of ln abundance (share of the whole) among carriers, at `PROBABILITIES`.
    within_sd : numpy.ndarray
        Shape (g,); SD of ln abundance from visit to visit in one person. Not part of the baseline that is drawn here.
    loadings : numpy.ndarray
        Shape (g, factors); correlation of each genus's score with the common factors.
    """

    genera: tuple[str, ...]
    guild: tuple[str, ...]
    prevalence: FloatArray
    log_quantiles: FloatArray
    within_sd: FloatArray
    loadings: FloatArray

    @property
    def uniqueness(self) -> FloatArray:
        """Variance of each score that the common factors leave, shape (g,)."""
        return np.asarray(1.0 - (self.loadings**2).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Microbiomes:
    """Drawn baseline microbiomes of n people.

    Attributes
    ----------
    genera, genus_guild : tuple of str
        Length g; as in `vagus.population.Cohort`.
    genus_fractions : numpy.ndarray
        Shape (n, g); rows sum to 1.
    guild_fractions : numpy.ndarray
        Shape (n, guilds); rows sum to 1; ``bifhmo + bifadult`` is the share of Bifidobacterium among all genera.
    hmo_share : numpy.ndarray
        Shape (n,); share of HMO users among the bifidobacteria.
    """

    genera: tuple[str, ...]
    genus_guild: tuple[str, ...]
    genus_fractions: FloatArray
    guild_fractions: FloatArray
    hmo_share: FloatArray


def microbiomes() -> tuple[str, ...]:
    """Return the ids of the shipped sets of microbiomes.

    Examples
    --------
    >>> microbiomes()
    ('healthy-adults',)
    """
    files = resources.names("population", "data", suffix="_loadings.csv")
    return tuple(name.removeprefix("microbiome_").replace("_", "-") for name in files if name.startswith("microbiome_"))


def figures(name: str, file: str = "") -> MicrobiomeFigures:
    """Read a set of fitted figures.

    Parameters
    ----------
    name : str
        Id of the set.
    file : str, optional
        File that named it, for the message.

    Raises
    ------
    InputError
        There is no such set.

    Examples
    --------
    >>> "Bifidobacterium" in figures("healthy-adults").genera
    True
    """
    if name not in microbiomes():
        message = f'Baseline microbiome must be one that ships with vagus, got "{name}"; {nearest(name, microbiomes())}'
        raise InputError(Problem(file, 0, message))
    return _read(name)


@cache
def _read(name: str) -> MicrobiomeFigures:
    stem = f"microbiome_{name.replace('-', '_')}"
    margins = resources.table("population", "data", f"{stem}.csv")
    loadings = resources.table("population", "data", f"{stem}_loadings.csv").set_index("genus")
    genera = tuple(margins["genus"])
    guilds = resources.table("population", "data", "genus_guild.csv").set_index("genus")["guild"]
    quantiles = [f"ln_p{round(100 * p):02d}" for p in PROBABILITIES]
    return MicrobiomeFigures(
        genera=genera,
        guild=tuple(str(guilds[genus]) for genus in genera),
        prevalence=margins["prevalence"].to_numpy(dtype=np.float64),
        log_quantiles=margins[quantiles].to_numpy(dtype=np.float64),
        within_sd=margins["within_sd_ln"].to_numpy(dtype=np.float64),
        loadings=loadings.loc[list(genera)].to_numpy(dtype=np.float64),
    )


def healthy_microbiome(n: int, seed: int) -> Microbiomes:
    """Draw baseline microbiomes of healthy adults.

    Parameters
    ----------
    n : int
        Number of people.
    seed : int
        Seed; person i is the same whatever `n` is.

    Examples
    --------
    >>> drawn = healthy_microbiome(3, seed=1)
    >>> drawn.guild_fractions.sum(axis=1).round(12).tolist()
    [1.0, 1.0, 1.0]
    """
    return draw_microbiomes("healthy-adults", [f"C{i + 1}" for i in range(n)], seed)


def draw_microbiomes(name: str, people: Sequence[str], seed: int) -> Microbiomes:
    """Draw one baseline microbiome per person.

    Parameters
    ----------
    name : str
        Id of the set (`microbiomes`).
    people : sequence of str
        Length n; names of the random streams.
    seed : int
        Seed of the run.

    Returns
    -------
    Microbiomes
        What lives in the person, before any sequencing; depth, primers and day-to-day noise belong to the observation.

    Raises
    ------
    InputError
        The set is unknown.
    """
    found = figures(name)
    g, k = found.loadings.shape
    draws = [rng.standard_normal(k + g) for rng in streams(seed, "population", "microbiome", last=people)]
    normal = np.array(draws, dtype=np.float64).reshape(len(people), k + g)
    scores = normal[:, k:] * np.sqrt(found.uniqueness)
    for factor in range(k):  # not as a product of matrices, whose last digits depend on how many people there are
        scores += normal[:, factor, None] * found.loadings[:, factor]
    genus_fractions = close(found, abundances(found, scores))
    u = np.array([rng.random() for rng in streams(seed, "population", "hmo_share", last=people)], dtype=np.float64)
    hmo_share = np.asarray(betaincinv(constant("hmo_share_alpha"), constant("hmo_share_beta"), u))
    return Microbiomes(
        genera=found.genera,
        genus_guild=found.guild,
        genus_fractions=genus_fractions,
        guild_fractions=guild_fractions(genus_fractions, found.guild, hmo_share),
        hmo_share=hmo_share,
    )


def abundances(found: MicrobiomeFigures, scores: FloatArray) -> FloatArray:
    """Turn normal scores into abundances by the fitted margins.

    Parameters
    ----------
    found : MicrobiomeFigures
        Fitted figures.
    scores : numpy.ndarray
        Shape (n, g), each column standard normal.

    Returns
    -------
    numpy.ndarray
        Shape (n, g); shares that do not yet sum to 1, zero where the genus is absent.
    """
    rank = (ndtr(scores) - (1.0 - found.prevalence)) / found.prevalence
    score = ndtri(np.clip(rank, OUTERMOST, 1.0 - OUTERMOST))
    knots = ndtri(np.array(PROBABILITIES))
    out = np.zeros(scores.shape)
    for j, quantiles in enumerate(found.log_quantiles):
        out[:, j] = np.exp(interpolate(score[:, j], knots, quantiles))
    return np.where(rank > 0, out, 0.0)


def interpolate(x: FloatArray, knots: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolate linearly; beyond the ends go on with the slope of the outermost piece.

    Examples
    --------
    >>> interpolate(np.array([-1.0, 0.5, 3.0]), np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0])).tolist()
    [-1.0, 0.5, 5.0]
    """
    piece = np.clip(np.searchsorted(knots, x) - 1, 0, len(knots) - 2)
    slope = (np.diff(values) / np.diff(knots))[piece]
    return np.asarray(values[piece] + slope * (x - knots[piece]))


def close(found: MicrobiomeFigures, raw: FloatArray) -> FloatArray:
    """Scale abundances to shares that sum to 1, the share of Bifidobacterium as drawn.

    The lowest share of Bifidobacterium is the sum of the floors of its two guilds, so that genera and guilds agree.
    """
    if BIFIDOBACTERIUM not in found.genera:
        return np.asarray(raw / raw.sum(axis=1, keepdims=True))
    j = found.genera.index(BIFIDOBACTERIUM)
    lowest = constant("floor_bifhmo") + constant("floor_bifadult")
    bifidobacterium = np.clip(raw[:, j], lowest, constant("highest_bifidobacterium"))
    out = raw.copy()
    out[:, j] = 0.0
    out *= ((1.0 - bifidobacterium) / out.sum(axis=1))[:, None]
    out[:, j] = bifidobacterium
    return out


def guild_fractions(genus_fractions: FloatArray, guild: Sequence[str], hmo_share: FloatArray) -> FloatArray:
    """Sum genera over the guilds of the colon model.

    Bifidobacterium keeps its share of the whole (up to 99 %) and is split by `hmo_share`. The other guilds share the
    rest in proportion to their genera; genera outside the model (``none``) are passed over, as if they were made of
    the same guilds. Every resident guild gets at least its floor (``data/constants.csv``), because the colon model
    starts from a steady state that needs every share above zero; dosed guilds (`DOSED`) are zero.

    Parameters
    ----------
    genus_fractions : numpy.ndarray
        Shape (n, g), rows sum to 1.
    guild : sequence of str
        Length g; a name of `vagus.population.GUILDS`, ``bifidobacteria`` or ``none``.
    hmo_share : numpy.ndarray
        Shape (n,), share of HMO users among bifidobacteria, 0 to 1.

    Returns
    -------
    numpy.ndarray
        Shape (n, guilds) in the order of `vagus.population.GUILDS`, rows sum to 1.

    Examples
    --------
    >>> whole = np.array([[0.4, 0.2, 0.3, 0.05, 0.05]])
    >>> guilds = guild_fractions(whole, ("bact", "butyr", "starch", "bifidobacteria", "none"), np.array([0.2]))
    >>> guilds.round(4).tolist()
    [[0.4217, 0.3163, 0.01, 0.04, 0.2109, 0.001, 0.0001, 0.0, 0.0]]
    """
    names = np.array(guild)
    out = np.zeros((len(genus_fractions), len(GUILDS)))
    bif = _row_sums(genus_fractions[:, names == SPLIT])
    low_hmo, low_adult = constant("floor_bifhmo"), constant("floor_bifadult")
    bif = np.clip(bif, low_hmo + low_adult, MOST_BIFIDOBACTERIUM)
    out[:, GUILDS.index("bifhmo")] = np.clip(bif * hmo_share, low_hmo, bif - low_adult)
    out[:, GUILDS.index("bifadult")] = bif - out[:, GUILDS.index("bifhmo")]
    others = ("bact", "starch", "butyr", "lacuse", "entero")
    sums = np.stack([_row_sums(genus_fractions[:, names == one]) for one in others], axis=1)
    whole = sums.sum(axis=1, keepdims=True)
    # A person with nothing in the model at all cannot be drawn, but may be given: spread evenly.
    sums = np.divide(sums, whole, out=np.full_like(sums, 1.0 / len(others)), where=whole > 0) * (1.0 - bif)[:, None]
    floors = np.array([constant(f"floor_{one}") for one in others])
    out[:, [GUILDS.index(one) for one in others]] = _raise_to(sums, floors)
    return out


def _row_sums(chosen: FloatArray) -> FloatArray:
    """Sum each row in one order of its numbers, whatever the number of rows."""
    return np.asarray(np.ascontiguousarray(chosen).sum(axis=1))


def _raise_to(shares: FloatArray, floors: FloatArray) -> FloatArray:
    """Raise shares to their floors and take the difference from what stands above the floors; the sum is kept."""
    raised = np.maximum(shares, floors)
    above = raised - floors
    excess = raised.sum(axis=1, keepdims=True) - shares.sum(axis=1, keepdims=True)
    room = above.sum(axis=1, keepdims=True)
    return np.asarray(raised - np.divide(above, room, out=np.zeros_like(above), where=room > 0) * excess)
