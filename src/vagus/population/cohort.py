"""The people of one virtual trial, before anything happens to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Functional guilds of the colon model, in the order of every guild array.
GUILDS = ("bact", "starch", "bifhmo", "bifadult", "butyr", "lacuse", "entero", "probif", "prolac")
#: Guilds that only a product brings: a Bifidobacterium and a Lactobacillus.
DOSED = ("probif", "prolac")


@dataclass(frozen=True)
class Cohort:
    """Virtual subjects as drawn and screened; arms are assigned later.

    Attributes
    ----------
    source : str
        Id of the population file.
    seed : int
        Seed that all streams of these people start from.
    subject_ids : tuple of str
        Length n.
    covariates : pandas.DataFrame
        Index subject_id; ``age_years, sex (female|male), bmi_kg_m2`` and what the population file adds.
    parameters : pandas.DataFrame
        Index subject_id, one column a model parameter that varies between people.
    genera : tuple of str
        Length g, taxa of the baseline microbiome.
    genus_guild : tuple of str
        Length g, the guild that each genus is counted in; ``none`` where it is outside the model, ``bifidobacteria``
        for the genus that feeds two guilds (its share is that of ``bifhmo`` and ``bifadult`` together).
    genus_fractions : numpy.ndarray
        Shape (n, g); relative abundance at baseline, rows sum to 1.
    guild_fractions : numpy.ndarray
        Shape (n, guilds) in the order of `GUILDS`; rows sum to 1, dosed guilds are zero.
    scales : tuple of str
        Length k, outcomes that have a latent trait (``bdi``, ``psqi``, ...).
    slow, fast : numpy.ndarray
        Shape (n, k); the slow and fast part of every latent (SD units, + = more of what the scale counts) at screening.
    screened : int
        Candidates who were screened to find these n.
    screening : pandas.DataFrame
        Index subject_id, scores that the entry criteria were applied to.
    screening_day : float
        Model day of the screening (negative: before the run-in).
    candidate_ids : tuple of str
        Length n, number of each subject among the candidates (``C12``): the name of the person's own random streams,
        which must not depend on who else was let in. Empty where the subjects were not screened.
    """

    source: str
    seed: int
    subject_ids: tuple[str, ...]
    covariates: pd.DataFrame
    parameters: pd.DataFrame
    genera: tuple[str, ...]
    genus_guild: tuple[str, ...]
    genus_fractions: NDArray[np.float64]
    guild_fractions: NDArray[np.float64]
    scales: tuple[str, ...]
    slow: NDArray[np.float64]
    fast: NDArray[np.float64]
    screened: int
    screening: pd.DataFrame
    screening_day: float
    candidate_ids: tuple[str, ...] = ()

    @property
    def person_ids(self) -> tuple[str, ...]:
        """Names of the persons' random streams: what stays with a person from the screening to the last visit."""
        return self.candidate_ids or self.subject_ids

    @property
    def n(self) -> int:
        """Number of subjects."""
        return len(self.subject_ids)
