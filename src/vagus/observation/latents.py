"""Latent traits at the visits: the person's own wandering plus what the model moves.

The wandering is an Ornstein-Uhlenbeck process on two time scales. It starts from the traits that the person was
screened with, is stepped exactly from visit to visit, and is the same under every arm. How much of a scale's variance
is short-lived differs: a question about this moment keeps its standing for days, one about the past weeks for months.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from vagus import resources
from vagus.instruments import answer_sum, expected_sum, measures
from vagus.observation.noise import FloatArray
from vagus.observation.people import People
from vagus.population import constant, source, trait_correlation
from vagus.rng import stream


@dataclass(frozen=True)
class Loading:
    """How a model shift moves a scale: trait + loading x (shift - placebo)."""

    shift: str
    loading: float
    placebo: str


@cache
def loadings() -> dict[str, Loading]:
    """Return the loading of every scale (``loadings.csv``).

    Examples
    --------
    >>> loadings()["panas_positive"]
    Loading(shift='mood_shift', loading=-1.0, placebo='placebo_mood')
    """
    table = resources.table("observation", "loadings.csv")
    return {
        str(row["scale"]): Loading(str(row["shift"]), float(row["loading"]), str(row["placebo"]))
        for row in table.to_dict("records")
    }


@cache
def fast_shares() -> dict[str, float]:
    """Return the share of short-lived variance of the scales that have one of their own (``stability.csv``).

    Examples
    --------
    >>> sorted(fast_shares())
    ['panas_negative', 'panas_positive', 'stai_state']
    """
    table = resources.table("observation", "stability.csv")
    return {str(row["scale"]): float(row["fast_share"]) for row in table.to_dict("records")}


def wander(people: People, days: list[float]) -> FloatArray:
    """Return the traits at given days without what the model moves.

    Parameters
    ----------
    people : People
        n subjects.
    days : list of float
        Increasing days from the start of treatment, not before the screening.

    Returns
    -------
    numpy.ndarray
        Shape (n, days, scales), latent SD, in the order of ``cohort.scales``.

    Notes
    -----
    With C the correlation between scales and f the short-lived shares, the fast part has the covariance
    ``F = sqrt(f) C sqrt(f)`` and the slow part ``S = C - F``, so that the whole keeps C at any one time. What a person
    was screened with is split into the two parts by their joint normal distribution. Each part x reverts to its mean m:
    ``x(t+d) = m + (x(t)-m) r + sqrt(1-r^2) L z``, with ``r = exp(-d/tau)`` and L the factor of its covariance.
    """
    cohort = people.cohort
    origin = source(cohort.source)
    scales = list(cohort.scales)
    k = len(scales)
    mean = np.array([origin.latent_mean[scale] for scale in scales])
    sd = np.array([origin.latent_sd[scale] for scale in scales])
    root = np.sqrt([fast_shares().get(scale, constant("fast_share")) for scale in scales])
    whole = trait_correlation().loc[scales, scales].to_numpy(dtype=np.float64)
    fast_part = root[:, None] * whole * root
    slow_part = whole - fast_part
    lower_slow, lower_fast = np.linalg.cholesky(slow_part), np.linalg.cholesky(fast_part)
    kept = slow_part @ np.linalg.inv(whole)
    screened = (cohort.slow + cohort.fast)[people.rows] - mean
    split = _mix(people.own("trait_parts", k), np.linalg.cholesky(slow_part - kept @ slow_part))
    slow = sd * (_mix(screened / sd, kept) + split)
    fast = screened - slow
    out = np.empty((people.n, len(days), k))
    now = cohort.screening_day - people.run_in_days
    for column, day in enumerate(days):
        gap, now = day - now, day
        if gap < 0:
            raise ValueError("days must increase and lie after the screening")
        # One stream a day: a further visit changes no other draw.
        draws = [
            stream(people.seed, "observation", "latent", name, f"{day:g}").standard_normal((2, k))
            for name in people.person_ids
        ]
        z = np.array(draws, dtype=np.float64).reshape(people.n, 2, k)
        r_slow, r_fast = np.exp(-gap / constant("slow_tau_d")), np.exp(-gap / constant("fast_tau_d"))
        slow = r_slow * slow + np.sqrt(1 - r_slow**2) * sd * _mix(z[:, 0], lower_slow)
        fast = r_fast * fast + np.sqrt(1 - r_fast**2) * sd * _mix(z[:, 1], lower_fast)
        out[:, column] = mean + slow + fast
    return out


def _mix(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """Multiply each row by a matrix, one row at a time: a person's bits must not depend on the others' number."""
    return np.asarray(np.einsum("nk,jk->nj", rows, matrix))


class Latents:
    """Latent traits of some subjects at all visits of a trial.

    Parameters
    ----------
    people : People
        n subjects under one arm.
    days : list of float
        Increasing days of the visits, from the start of treatment.
    """

    def __init__(self, people: People, days: list[float]) -> None:
        self.people = people
        self._days = days
        self._paths = wander(people, days)

    def theta(self, scale: str, day: float) -> FloatArray:
        """Return the latent trait at a visit, shape (n,); NaN for a failed subject."""
        own = self._paths[:, self._days.index(day), self.people.cohort.scales.index(scale)]
        load = loadings()[scale]
        moved = self.people.at_visit(load.shift, day) - self.people.at_visit(load.placebo, day)
        return np.where(self.people.ok, own + load.loading * moved, np.nan)


class Questionnaire:
    """One questionnaire measure: latent traits to answers to sums.

    Parameters
    ----------
    measure : str
        Measure whose outcomes all have a latent trait.
    latents : Latents
        Traits at the visits.
    """

    def __init__(self, measure: str, latents: Latents) -> None:
        self._scales = measures()[measure]
        self._latents = latents

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return expected sums at a visit, given the person's trait of that day and own leanings."""
        return {scale: self._apply(scale, day, None) for scale in self._scales}

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return answered sums at a visit."""
        return {scale: self._apply(scale, day, visit) for scale in self._scales}

    def _apply(self, scale: str, day: float, visit: str | None) -> FloatArray:
        people = self._latents.people
        theta, ok = self._latents.theta(scale, day), people.ok
        out = np.full(people.n, np.nan)
        names = [name for name, fine in zip(people.person_ids, ok, strict=True) if fine]
        if visit is None:
            out[ok] = expected_sum(scale, theta[ok], names, people.cohort.seed)
        else:
            out[ok] = answer_sum(scale, theta[ok], names, visit, people.seed, people.cohort.seed)
        return out
