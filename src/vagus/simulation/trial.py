"""A cohort under every arm of a protocol: both potential outcomes of every virtual person."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import Cancelled
from vagus.protocol import Protocol
from vagus.rng import stream
from vagus.simulation.numerics import Precision, Work
from vagus.simulation.people import People, begin
from vagus.simulation.regimen import draw_taken, plan_conditions, plan_doses
from vagus.simulation.scales import audit_scales
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


@dataclass(frozen=True)
class Stack:
    """Simulations ready for the engine: one row is one person under one arm and one parameter draw.

    Attributes
    ----------
    parameters, initial : numpy.ndarray
        Shapes (n, P) and (n, S).
    doses : vagus.engine.Doses or None
        None where nobody takes anything.
    problems : tuple of str
        Length n; empty, or why this person cannot be simulated.
    """

    parameters: NDArray[np.float64]
    initial: NDArray[np.float64]
    doses: engine.Doses | None
    problems: tuple[str, ...]

    @classmethod
    def join(cls, stacks: Sequence[Stack]) -> Stack:
        """Put stacks below each other."""
        firsts = np.cumsum([0, *(len(stack.problems) for stack in stacks)])
        taken = [(first, stack.doses) for first, stack in zip(firsts, stacks, strict=False) if stack.doses is not None]
        doses = None
        if taken:
            doses = engine.Doses(
                np.concatenate([np.asarray(own.person) + first for first, own in taken]),
                np.concatenate([np.asarray(own.time) for _, own in taken]),
                [state for _, own in taken for state in own.state],
                np.concatenate([np.asarray(own.amount) for _, own in taken]),
            )
        return cls(
            np.concatenate([stack.parameters for stack in stacks]),
            np.concatenate([stack.initial for stack in stacks]),
            doses,
            tuple(problem for stack in stacks for problem in stack.problems),
        )

    def take(self, rows: NDArray[np.int64]) -> Stack:
        """Return some of the simulations, in the order of `rows`."""
        doses = None
        if self.doses is not None:
            person = np.asarray(self.doses.person)
            new, old = np.nonzero(rows[:, None] == person[None, :])
            states = list(self.doses.state)
            doses = engine.Doses(
                new, np.asarray(self.doses.time)[old], [states[k] for k in old], np.asarray(self.doses.amount)[old]
            )
        return Stack(self.parameters[rows], self.initial[rows], doses, tuple(self.problems[row] for row in rows))


def stack_arms(
    people: People,
    model: engine.Model,
    protocol: Protocol,
    drawn: Mapping[str, float],
    *,
    seed: int,
    arms: Sequence[str],
    rows: NDArray[np.int64],
) -> Stack:
    """Make people ready under several arms, arm after arm; parameters as in `simulate_arms`."""
    ids = tuple(people.cohort.subject_ids[row] for row in rows)
    settings = {**drawn, **plan_conditions(protocol)}
    start = begin(people, model, settings, protocol.schedule.run_in_days, rows)
    return Stack(
        np.tile(start.parameters, (len(arms), 1)),
        np.tile(start.initial, (len(arms), 1)),
        dose_table(protocol, arms, draw_taken(protocol, ids, seed)),
        start.problems * len(arms),
    )


def integrate(
    model: engine.Model,
    stack: Stack,
    protocol: Protocol,
    *,
    lanes: str = "none",
    audited: int | None = None,
    threads: int = 1,
    work: Work | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: Event | None = None,
) -> engine.Solution:
    """Integrate a stack over all days of a protocol; who could not be made ready has no values.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    begun = time.perf_counter()
    solution = engine.simulate(
        model,
        stack.parameters,
        stack.initial,
        0.0,
        noons(protocol),
        doses=stack.doses,
        rtol=RTOL,
        lanes=lanes,
        audited=audited,
        scales=audit_scales(model.outputs),
        threads=threads,
        on_progress=on_progress,
        cancel=cancel,
    )
    check_stop(cancel)
    if work is not None:
        work.add(solution, time.perf_counter() - begun)
    solution.values[[bool(problem) for problem in stack.problems]] = np.nan
    messages = (problem or said for problem, said in zip(stack.problems, solution.messages, strict=True))
    return replace(solution, messages=tuple(messages))


def check_stop(cancel: Event | None) -> None:
    """Raise where the user has stopped the run.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    if cancel is not None and cancel.is_set():
        raise Cancelled("Stopped.")


def choose_precision(
    model: engine.Model, stack: Stack, protocol: Protocol, work: Work, cancel: Event | None = None
) -> Precision:
    """Choose the precision of a run by an audit of everybody in a stack, which is a sample of the run.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    begun = time.perf_counter()
    count = len(stack.problems)
    sample = integrate(
        model, stack, protocol, lanes="automatic", audited=max(count, 1), threads=work.threads, cancel=cancel
    )
    work.audit_seconds += time.perf_counter() - begun
    assert sample.lanes is not None
    return Precision.of(sample.lanes, RTOL)


def noons(protocol: Protocol) -> NDArray[np.float64]:
    """Return the model times at which everything is read: noon of every simulated day."""
    return np.arange(model_days(protocol), dtype=np.float64) + 0.5


def simulate_arms(
    people: People,
    model: engine.Model,
    protocol: Protocol,
    drawn: Mapping[str, float],
    *,
    seed: int,
    arms: Sequence[str] | None = None,
    rows: NDArray[np.int64] | None = None,
    lanes: str = "none",
    threads: int = 1,
    work: Work | None = None,
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
    lanes : {"none", "single", "double"}
        Lanes of the engine, unaudited: `choose_precision` says which.
    threads : int
        Threads of the engine; the bits do not depend on it.
    work : Work, optional
        Counts what the engine does.
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
    (found,) = simulate_draws(
        people,
        model,
        protocol,
        [drawn],
        seed=seed,
        arms=arms,
        rows=rows,
        lanes=lanes,
        threads=threads,
        work=work,
        on_progress=on_progress,
        cancel=cancel,
    )
    return found


def simulate_draws(
    people: People,
    model: engine.Model,
    protocol: Protocol,
    draws: Sequence[Mapping[str, float]],
    *,
    seed: int,
    arms: Sequence[str] | None = None,
    rows: NDArray[np.int64] | None = None,
    cancel: Event | None = None,
    **settings: Any,
) -> list[dict[str, Trajectories]]:
    """Simulate the same people under several parameter draws in one call of the engine, which fills its lanes.

    Parameters, errors : as in `simulate_arms`; the result has an entry for each draw.
    """
    chosen = list(protocol.arms) if arms is None else list(arms)
    who = np.arange(people.cohort.n) if rows is None else rows
    ids = tuple(people.cohort.subject_ids[row] for row in who)
    stacks = []
    for drawn in draws:
        check_stop(cancel)
        stacks.append(stack_arms(people, model, protocol, drawn, seed=seed, arms=chosen, rows=who))
    solution = integrate(model, Stack.join(stacks), protocol, audited=0, cancel=cancel, **settings)
    start, days = protocol.schedule.run_in_days, noons(protocol)
    result: list[dict[str, Trajectories]] = []
    for place in range(len(draws) * len(chosen)):
        if place % len(chosen) == 0:
            result.append({})
        arm, part = chosen[place % len(chosen)], slice(place * len(who), (place + 1) * len(who))
        values, status = solution.values[part].copy(), solution.messages[part]
        result[-1][arm] = Trajectories(ids, arm, start, days, model.outputs, values, status)
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
