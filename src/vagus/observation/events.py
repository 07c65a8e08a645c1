"""What happens to people during a trial: who leaves, who takes antibiotics."""

from __future__ import annotations

import numpy as np

from vagus.observation.noise import FloatArray
from vagus.population import Cohort
from vagus.rng import stream
from vagus.units import Risk


def event_days(kind: str, risk: Risk | None, cohort: Cohort, seed: int) -> FloatArray:
    """Draw the day of an event for every subject.

    The hazard is constant and the same under every arm, so a person who leaves does so whatever the assignment.

    Parameters
    ----------
    kind : str
        Name of the event; names the random stream.
    risk : Risk or None
        Share of people per period; None where it does not happen.
    cohort : Cohort
        n subjects.
    seed : int
        Seed of the observation.

    Returns
    -------
    numpy.ndarray
        Shape (n,), days from the start of treatment; infinite where it never happens.
    """
    hazard = 0.0 if risk is None else risk.daily_hazard()
    if hazard == 0.0:
        return np.full(cohort.n, np.inf)
    waits = [stream(seed, "observation", kind, name).standard_exponential() for name in cohort.person_ids]
    return np.array(waits, dtype=np.float64) / hazard
