"""A cohort under every arm of a protocol: both potential outcomes of every virtual person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import Cancelled
from vagus.protocol import Protocol
from vagus.rng import stream
from vagus.simulation.people import People, begin
from vagus.simulation.regimen import draw_taken, plan_conditions, plan_doses
from vagus.simulation.trajectories import Trajectories

#: Relative tolerance of one step; 99 % of all outputs then lie within 5e-5 of a run at 1e-9 (validation/tolerance.md).
RTOL = 1e-5


def assign_arms(protocol: Protocol, subject_ids: Sequence[str], seed: int) -> pd.Series:
    """Randomize subjects to arms in the planned numbers.

    Parameters
    ----------
    protocol : Protocol
        Arms and their sizes.
    subject_ids : sequence of str
        As many as the arms need.
    seed : int
        Seed of the run.

    Returns
    -------
    pandas.Series
        Index subject_id, value arm.
    """
    sizes = protocol.arm_sizes()
    labels = [arm for arm, size in sizes.items() for _ in range(size)]
    order = stream(seed, "simulation", "randomization").permutation(len(labels))
    return pd.Series([labels[place] for place in order], index=list(subject_ids), name="arm")


def model_days(protocol: Protocol) -> int:
    """Return the number of simulated days: run-in, treatment and follow-up."""
    return int(np.ceil(protocol.total_days))


def simulate_arms(
    people: People,
    model: engine.Model,
    protocol: Protocol,
    drawn: Mapping[str, float],
    *,
    seed: int,
    arms: Sequence[str] | None = None,
    rows: NDArray[np.int64] | None = None,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: Event | None = None,
) -> dict[str, Trajectories]:
    """Simulate people under several arms.

    Parameters
    ----------
    people : People
        From `settle`.
    model : vagus.engine.Model
        From `load_axis`.
    protocol : Protocol
        Arms, schedule, adherence.
    drawn : mapping
        One parameter draw (`vagus.model.draw_uncertain`).
    seed : int
        Seed of the run.
    arms : sequence of str, optional
        Which arms; all by default.
    rows : numpy.ndarray, optional
        Which people; all by default.
    threads : int
        Threads of the engine; the bits do not depend on it.
    on_progress : callable, optional
        Called with people done and people in all.
    cancel : threading.Event, optional
        Stops the engine.

    Returns
    -------
    dict of str to Trajectories
        One entry an arm; every person is in every arm.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    chosen = list(protocol.arms) if arms is None else list(arms)
    who = np.arange(people.cohort.n) if rows is None else rows
    ids = tuple(people.cohort.subject_ids[row] for row in who)
    settings = {**drawn, **plan_conditions(protocol)}
    start = begin(people, model, settings, protocol.schedule.run_in_days, who)
    taken = draw_taken(protocol, ids, seed)
    days = np.arange(model_days(protocol), dtype=np.float64) + 0.5
    solution = engine.simulate(
        model,
        np.tile(start.parameters, (len(chosen), 1)),
        np.tile(start.initial, (len(chosen), 1)),
        0.0,
        days,
        doses=dose_table(protocol, chosen, taken),
        rtol=RTOL,
        threads=threads,
        on_progress=on_progress,
        cancel=cancel,
    )
    if cancel is not None and cancel.is_set():
        raise Cancelled("Stopped.")
    result = {}
    for place, arm in enumerate(chosen):
        part = slice(place * len(who), (place + 1) * len(who))
        values = solution.values[part].copy()
        messages = zip(start.problems, solution.messages[part], strict=True)
        status = tuple(problem or message for problem, message in messages)
        values[[bool(problem) for problem in start.problems]] = np.nan
        result[arm] = Trajectories(ids, arm, protocol.schedule.run_in_days, days, model.outputs, values, status)
    return result


def dose_table(protocol: Protocol, arms: Sequence[str], taken: NDArray[np.bool_]) -> engine.Doses | None:
    """Return the doses of people who are all in every arm, arm after arm; None where nobody takes anything.

    Parameters
    ----------
    protocol : Protocol
        Regimens.
    arms : sequence of str
        Arms, in the order in which the people are stacked.
    taken : numpy.ndarray
        Shape (n, treatment days).
    """
    person: list[NDArray[np.int64]] = []
    time, amount = [], []
    state: list[str] = []
    for place, arm in enumerate(arms):
        plan = plan_doses(protocol, arm)
        for name, grams in plan.amounts.items():
            subject, dose = np.nonzero(taken[:, plan.day_of_dose] & (grams > 0))
            person.append(subject + place * len(taken))
            time.append(plan.times[dose])
            amount.append(grams[dose])
            state += [name] * len(dose)
    if not state:
        return None
    return engine.Doses(np.concatenate(person), np.concatenate(time), state, np.concatenate(amount))
