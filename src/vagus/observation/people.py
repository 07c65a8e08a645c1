"""Some subjects under one arm, seen from the observation: who they are and what happened in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vagus.observation.noise import FloatArray, noise
from vagus.population import Cohort
from vagus.rng import stream

OK = "ok"


class Trajectory(Protocol):
    """What the observation reads from the simulation of one arm."""

    @property
    def subject_ids(self) -> Sequence[str]:
        """Length m."""

    @property
    def days(self) -> FloatArray:
        """Shape (t,), model days of the daily values (noon)."""

    @property
    def status(self) -> Sequence[str]:
        """Length m; ``ok`` or a sentence."""

    def at_visit(self, name: str, visit_day: float) -> FloatArray:
        """Shape (m,); a model variable as a visit meets it, NaN for a failed subject."""

    def daily(self, name: str) -> FloatArray:
        """Shape (m, t)."""

    def car_at_visit(self, visit_day: float) -> FloatArray:
        """Shape (m, 5); salivary cortisol 0, 15, 30, 45, 60 min after waking, nmol/l."""


@dataclass(frozen=True, eq=False)
class People:
    """n subjects of a cohort under one arm.

    Attributes
    ----------
    cohort : Cohort
        All subjects of the trial.
    rows : numpy.ndarray of int
        Shape (n,); positions in the cohort.
    columns : numpy.ndarray of int
        Shape (n,); positions in the trajectory.
    trajectory : Trajectory
        What happened under the arm.
    run_in_days, last_day : float
        Length of the run-in; last day of follow-up, from the start of treatment.
    seed : int
        Seed of the observation.
    """

    cohort: Cohort
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    trajectory: Trajectory
    run_in_days: float
    last_day: float
    seed: int

    @property
    def n(self) -> int:
        """Number of subjects."""
        return len(self.rows)

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Length n."""
        return tuple(self.cohort.subject_ids[row] for row in self.rows)

    @property
    def person_ids(self) -> tuple[str, ...]:
        """Length n; names of the persons' own random streams."""
        return tuple(self.cohort.person_ids[row] for row in self.rows)

    @property
    def status(self) -> tuple[str, ...]:
        """Length n; ``ok`` or why the simulation failed."""
        return tuple(self.trajectory.status[column] for column in self.columns)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Shape (n,); the simulation went well."""
        return np.array([status == OK for status in self.status], dtype=np.bool_)

    def at_visit(self, name: str, day: float) -> FloatArray:
        """Return a model variable at a visit, shape (n,)."""
        return np.asarray(self.trajectory.at_visit(name, day), dtype=np.float64)[self.columns]

    def before_treatment(self, name: str) -> FloatArray:
        """Return a model variable on the first model day, shape (n,)."""
        return self.at_visit(name, 1.0 - self.run_in_days)

    def car(self, day: float) -> FloatArray:
        """Return the true awakening response at a visit, shape (n, 5)."""
        return np.asarray(self.trajectory.car_at_visit(day), dtype=np.float64)[self.columns]

    def nights(self, day: float) -> NDArray[np.int64]:
        """Return the model days whose mornings end the nights that a visit looks back on, shape (7,).

        Nights before the first model day are negative.
        """
        count = int(noise("week.nights"))
        return np.asarray(int(np.ceil(self.run_in_days + day)) - count + np.arange(count), dtype=np.int64)

    def week(self, name: str, day: float) -> FloatArray:
        """Return a daily model variable over those nights, shape (n, 7).

        Before the first model day nothing has happened yet, so the first day stands for the days before it.
        """
        noon = np.maximum(self.nights(day), 0) + 0.5
        days = np.asarray(self.trajectory.days, dtype=np.float64)
        at = np.abs(days - noon[:, None]).argmin(axis=1)
        if np.abs(days[at] - noon).max() > 0.5:
            raise ValueError(f"the trajectory has no daily values for day {noon[-1]:g} of the model")
        values = np.asarray(self.trajectory.daily(name), dtype=np.float64)
        return np.asarray(values[np.ix_(self.columns, at)], dtype=np.float64)

    def own(self, purpose: str, k: int) -> FloatArray:
        """Return what stays with a person for life: standard normal draws, shape (n, k)."""
        draws = [
            stream(self.cohort.seed, "observation", "person", purpose, name).standard_normal(k)
            for name in self.person_ids
        ]
        return np.array(draws, dtype=np.float64).reshape(self.n, k)

    def draws(self, purpose: str, occasion: str, k: int) -> FloatArray:
        """Return standard normal draws of one occasion, shape (n, k)."""
        draws = [
            stream(self.seed, "observation", purpose, occasion, name).standard_normal(k) for name in self.person_ids
        ]
        return np.array(draws, dtype=np.float64).reshape(self.n, k)

    def nightly(self, purpose: str, k: int) -> FloatArray:
        """Return standard normal draws of every night from a week before the first model day, shape (n, nights, k)."""
        nights = int(np.ceil(self.run_in_days + self.last_day)) + int(noise("week.nights")) + 1
        draws = [
            stream(self.seed, "observation", "nights", purpose, name).standard_normal((nights, k))
            for name in self.person_ids
        ]
        return np.array(draws, dtype=np.float64).reshape(self.n, nights, k)
