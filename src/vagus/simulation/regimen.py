"""From a protocol's arms to single doses: what, how much, when, and which were missed; and what befalls everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.protocol import Protocol, products
from vagus.rng import streams

Array = NDArray[np.float64]

#: Clock hour of a dose whose protocol names none.
USUAL_HOUR = 8.0


@dataclass(frozen=True)
class Regimen:
    """All doses of one arm.

    Attributes
    ----------
    times : numpy.ndarray
        Shape (d,), model time of each dose in days.
    amounts : dict
        State that a dose is added to (``oral_FL``) -> amount of each dose in the unit of that state, shape (d,).
    day_of_dose : numpy.ndarray
        Shape (d,), which treatment day a dose belongs to.
    """

    times: Array
    amounts: dict[str, Array]
    day_of_dose: NDArray[np.int64]


def plan_doses(protocol: Protocol, arm: str) -> Regimen:
    """Return the doses of an arm if nobody missed any."""
    known = products()
    start, days = protocol.schedule.run_in_days, round(protocol.schedule.treat_days)
    by_hour: dict[float, dict[str, float]] = {}
    for dose in protocol.arms[arm].doses:
        hour = USUAL_HOUR if dose.at_hour is None else dose.at_hour
        for state, amount in known[dose.product].added(dose.grams_per_day).items():
            at = by_hour.setdefault(hour, {})
            at[state] = at.get(state, 0.0) + amount
    slots = [(day, hour) for day in range(days) for hour in sorted(by_hour)]
    states = sorted({state for given in by_hour.values() for state in given})
    return Regimen(
        times=np.array([start + day + hour / 24 for day, hour in slots]),
        amounts={state: np.array([by_hour[hour].get(state, 0.0) for _, hour in slots]) for state in states},
        day_of_dose=np.array([day for day, _ in slots], dtype=np.int64),
    )


def plan_conditions(protocol: Protocol) -> dict[str, float]:
    """Return the constants of the model that the conditions of a protocol set, for everybody in every arm.

    Examples
    --------
    >>> from vagus.protocol import bundled_text, parse
    >>> protocol = parse(bundled_text("hmo-sleep"), "hmo-sleep.yaml", {"conditions.stress": "{size: 1 SD, to: 2 wk}"})
    >>> plan_conditions(protocol)
    {'stress_size': 1.0, 'stress_from_d': 14.0, 'stress_to_d': 28.0}
    """
    stress = protocol.conditions.stress
    if stress is None:
        return {}
    start = protocol.schedule.run_in_days
    return {
        "stress_size": stress.size,
        "stress_from_d": start + stress.from_day,
        "stress_to_d": start + stress.to_day,
    }


def draw_taken(protocol: Protocol, subject_ids: tuple[str, ...], seed: int) -> NDArray[np.bool_]:
    """Return which treatment days each person takes the product on, shape (n, days).

    A person's own adherence is drawn around the protocol's mean (normal, kept between 0 and 1), each day by itself.
    The same days are taken whatever the arm, so that arms differ by product alone.
    """
    days = round(protocol.schedule.treat_days)
    adherence = protocol.events.adherence
    taken = np.ones((len(subject_ids), days), dtype=bool)
    if adherence.mean >= 1 and adherence.sd == 0:
        return taken
    for row, generator in enumerate(streams(seed, "simulation", "adherence", last=subject_ids)):
        own = float(np.clip(adherence.mean + adherence.sd * generator.standard_normal(), 0.0, 1.0))
        taken[row] = generator.random(days) < own
    return taken
