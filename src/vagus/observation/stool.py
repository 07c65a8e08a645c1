"""Sequencing of stool: from guild fractions of the model to reads per genus."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import resources
from vagus.errors import InputError, nearest
from vagus.observation.noise import FloatArray, factor, noise
from vagus.observation.people import People
from vagus.population import GUILDS, figures, microbiomes
from vagus.rng import stream

OUTCOME = "bifidobacterium_rel_abundance_pct"
BIFIDOBACTERIUM = "Bifidobacterium"
#: The guilds of the model that are one genus on a sequencer.
BIFIDO_GUILDS = ("bifhmo", "bifadult", "probif")
#: Genus that a dosed Lactobacillus is read as; resident ones are too rare to be among the genera of a cohort.
LACTOBACILLUS = "Lactobacillus"


@cache
def technologies() -> dict[str, dict[str, float]]:
    """Return the bias of each technology: name to genus to factor (``technology.csv``); others 1.

    Examples
    --------
    >>> sorted(technologies())
    ['V3', 'V4', 'V4-mailed', 'shotgun']
    """
    out: dict[str, dict[str, float]] = {}
    for row in resources.table("observation", "technology.csv").to_dict("records"):
        out.setdefault(str(row["technology"]), {})[str(row["genus"])] = float(row["factor"])
    return out


@cache
def _within_sd() -> dict[str, float]:
    """Fluctuation of each genus from stool to stool, from the fitted figures of the population layer."""
    found: dict[str, float] = {}
    for name in microbiomes():
        shipped = figures(name)
        for genus, sd in zip(shipped.genera, shipped.within_sd, strict=True):
            if np.isfinite(sd):
                found.setdefault(genus, float(sd))
    return found


class StoolSequencing:
    """16S (or other) sequencing of one stool a visit.

    Parameters
    ----------
    people : People
        n subjects under one arm.
    technology : str
        A name of `technologies`.

    Raises
    ------
    InputError
        The technology is unknown.
    """

    def __init__(self, people: People, technology: str) -> None:
        if technology not in technologies():
            message = f'Sequencing technology must be a known one, got "{technology}"; '
            raise InputError(message + nearest(technology, technologies()))
        self._people = people
        self.technology = technology
        bias = technologies()[technology]
        self.genera, self._guild = people.cohort.genera, people.cohort.genus_guild
        if LACTOBACILLUS not in self.genera and (people.trajectory.daily("X_prolac")[people.columns] > 0).any():
            self.genera, self._guild = (*self.genera, LACTOBACILLUS), (*self._guild, "prolac")
        self._bias = np.array([bias.get(genus, 1.0) for genus in self.genera])
        default = noise("stool.within_sd_default")
        self._sd = np.array([_within_sd().get(genus, default) for genus in self.genera])
        self._bifidobacterium = np.array([genus == BIFIDOBACTERIUM for genus in self.genera])
        self._state: tuple[float, FloatArray] | None = None
        self.counts: dict[str, NDArray[np.int64]] = {}

    def composition(self, day: float) -> FloatArray:
        """Return the true share of each genus in the stool, shape (n, genera), rows sum to 1.

        Within a guild the genera keep their baseline proportions; genera outside the model keep their part of all that
        is not Bifidobacterium.
        """
        base = self._people.cohort.genus_fractions[self._people.rows]
        grams = np.stack([self._people.at_visit(f"X_{guild}", day) for guild in GUILDS], axis=1)
        return regroup(np.pad(base, ((0, 0), (0, len(self.genera) - base.shape[1]))), self._guild, grams)

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return the percentage that this technology shows without fluctuation and without counting error."""
        seen = close(self.composition(day) * self._bias)
        return {OUTCOME: 100.0 * seen[:, self._bifidobacterium].sum(axis=1)}

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Draw the reads of a visit, keep them in `counts`, and return the percentage of reads.

        Visits must come in the order of time: the fluctuation of one stool lasts into the next days.
        """
        people = self._people
        fluctuation = self._fluctuate(visit, day)
        seen = close(self.composition(day) * factor(fluctuation, self._sd) * self._bias)
        reads = np.zeros(seen.shape, dtype=np.int64)
        for row, name in enumerate(people.person_ids):
            if np.isfinite(seen[row]).all():
                rng = stream(people.seed, "observation", "stool_16S", "reads", visit, name)
                depth = noise("stool.depth_reads") * np.exp(noise("stool.depth_sd") * rng.standard_normal())
                reads[row] = rng.multinomial(max(int(depth), int(noise("stool.depth_lowest_reads"))), seen[row])
        self.counts[visit] = reads
        depth_of = reads.sum(axis=1)
        share = reads[:, self._bifidobacterium].sum(axis=1) / np.maximum(depth_of, 1)
        return {OUTCOME: np.where(depth_of > 0, 100.0 * share, np.nan)}

    def _fluctuate(self, visit: str, day: float) -> FloatArray:
        """Step the standardized fluctuation of every genus, a first-order process in days."""
        z = self._people.draws("stool_16S", visit, len(self._sd))
        if self._state is not None:
            before, last = self._state
            r = noise("stool.day_correlation") ** (day - before)
            z = r * last + np.sqrt(1.0 - r * r) * z
        self._state = (day, z)
        return z


def regroup(genus_fractions: FloatArray, genus_guild: tuple[str, ...], grams: FloatArray) -> FloatArray:
    """Spread guild masses over the genera of each person.

    Parameters
    ----------
    genus_fractions : numpy.ndarray
        Shape (n, g); baseline shares, rows sum to 1.
    genus_guild : tuple of str
        Length g; guild of each genus, ``none`` outside the model.
    grams : numpy.ndarray
        Shape (n, guilds); mass of each guild in the order of `GUILDS`.

    Returns
    -------
    numpy.ndarray
        Shape (n, g); rows sum to 1, NaN rows where `grams` has NaN.

    Examples
    --------
    >>> base = np.array([[0.10, 0.60, 0.20, 0.10]])
    >>> guild = ("bifadult", "bact", "bact", "none")
    >>> grams = np.array([[8.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])  # Bifidobacterium from 10 to 20 %
    >>> regroup(base, guild, grams).round(4).tolist()
    [[0.2, 0.5333, 0.1778, 0.0889]]
    """
    # "bifidobacteria" is how the population's genus table calls the genus that feeds both guilds.
    group = np.array(["bif" if name in (*BIFIDO_GUILDS, "bifidobacteria") else name for name in genus_guild])
    guild = np.array(["bif" if name in BIFIDO_GUILDS else name for name in GUILDS])
    shares = grams / grams.sum(axis=1, keepdims=True)
    bif_now = shares[:, guild == "bif"].sum(axis=1, keepdims=True)
    bif_then = genus_fractions[:, group == "bif"].sum(axis=1, keepdims=True)
    outside = group == "none"
    rest_then = 1.0 - bif_then
    none_part = _ratio(genus_fractions[:, outside].sum(axis=1, keepdims=True), rest_then)
    out = np.zeros_like(genus_fractions)
    if outside.any():
        out[:, outside] = genus_fractions[:, outside] * _ratio(1.0 - bif_now, rest_then)
    for name in dict.fromkeys(guild):
        mine = group == name
        if not mine.any():
            continue
        target = shares[:, guild == name].sum(axis=1, keepdims=True)
        if name != "bif":
            target = target * np.maximum(1.0 - none_part, 0.0)
        base = genus_fractions[:, mine]
        whole = base.sum(axis=1, keepdims=True)
        # A guild that grows from nothing is spread evenly over its genera.
        even = np.full_like(base, 1.0 / mine.sum())
        out[:, mine] = target * np.divide(base, whole, out=even, where=whole > 0)
    return close(out)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide; zero where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0)


def close(shares: FloatArray) -> FloatArray:
    """Scale rows to sum to 1."""
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def feature_table(
    sequencing: StoolSequencing, visits: list[tuple[str, float]], present: dict[str, NDArray[np.bool_]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the samples and the reads of the stools that were given.

    Parameters
    ----------
    sequencing : StoolSequencing
        After `observe` of every visit.
    visits : list of (str, float)
        Label and day.
    present : dict of str to numpy.ndarray of bool
        Visit label to who was there, shape (n,).

    Returns
    -------
    samples, features : pandas.DataFrame
        As in `vagus.trial.TrialData`.
    """
    people = sequencing._people
    samples, rows = [], []
    for label, day in visits:
        reads = sequencing.counts[label]
        given = present[label] & (reads.sum(axis=1) > 0)
        for row in np.flatnonzero(given):
            subject = people.subject_ids[row]
            sample = f"{subject}.{label.replace(' ', '_')}"
            depth = int(reads[row].sum())
            samples.append((sample, subject, label, day, sequencing.technology, depth))
            rows.append(reads[row])
    columns = ["sample_id", "subject_id", "visit", "day", "technology", "depth"]
    table = pd.DataFrame(samples, columns=columns)
    counts = np.array(rows, dtype=np.int64).reshape(len(rows), len(sequencing.genera))
    index = pd.Index(table["sample_id"], name="sample_id")
    return table, pd.DataFrame(counts, index=index, columns=list(sequencing.genera))
