"""What happened to every virtual person under one arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Minutes after waking at which true salivary cortisol is kept.
CAR_MINUTES = (0, 15, 30, 45, 60)
CAR_NAMES = tuple(f"car_{minute}" for minute in CAR_MINUTES)


@dataclass(frozen=True)
class Trajectories:
    """Daily values at noon under one arm.

    Attributes
    ----------
    subject_ids : tuple of str
        Length n.
    arm : str
        Id of the arm that all of them were simulated under.
    run_in_days : float
        Model day on which treatment starts.
    days : numpy.ndarray
        Shape (t,), model time of each value (noon of day 0, 1, ...).
    names : tuple of str
        Length k, names of the model's variables.
    values : numpy.ndarray
        Shape (n, t, k); NaN after a person's simulation failed.
    status : tuple of str
        Length n, ``ok`` or a sentence.
    """

    subject_ids: tuple[str, ...]
    arm: str
    run_in_days: float
    days: Array
    names: tuple[str, ...]
    values: Array
    status: tuple[str, ...]

    def daily(self, name: str) -> Array:
        """Return one variable at every noon, shape (n, t)."""
        return self.values[:, :, self.names.index(name)]

    def at_visit(self, name: str, visit_day: float) -> Array:
        """Return one variable at a visit, shape (n,).

        Parameters
        ----------
        name : str
            Name of the variable.
        visit_day : float
            Day from the start of treatment. The last day of the completed period is read, so that day 0 is a true
            baseline: the noon before the first dose.
        """
        return self.values[:, self._noon(visit_day), self.names.index(name)]

    def car_at_visit(self, visit_day: float) -> Array:
        """Return true salivary cortisol (nmol/l) 0, 15, 30, 45 and 60 min after waking on a visit's morning, (n, 5)."""
        noon = self._noon(visit_day)
        return np.column_stack([self.values[:, noon, self.names.index(name)] for name in CAR_NAMES])

    def take(self, rows: Sequence[int]) -> Trajectories:
        """Return the same for some of the people."""
        return replace(
            self,
            subject_ids=tuple(self.subject_ids[row] for row in rows),
            values=self.values[list(rows)],
            status=tuple(self.status[row] for row in rows),
        )

    def _noon(self, visit_day: float) -> int:
        wanted = max(int(np.ceil(self.run_in_days + visit_day)) - 1, 0)
        if wanted >= len(self.days):
            raise ValueError(f"day {visit_day:g} lies after the end of the simulation (day {len(self.days)})")
        return wanted
