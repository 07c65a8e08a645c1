"""Populations of any size: people are drawn, settled and integrated in chunks, so that memory is that of a chunk.

A person's numbers depend on the seed, the model and the precision alone. The precision is chosen once, on people
that are spread evenly over all; so neither chunks nor threads change a bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from vagus import population
from vagus.errors import Cancelled, InputError, Problem, nearest
from vagus.model import ComposedModel, draw_uncertain, people_rows
from vagus.protocol import Protocol
from vagus.simulation.numerics import Precision, Work, audited_places
from vagus.simulation.people import load_axis, load_clock, settle
from vagus.simulation.trial import Stack, choose_precision, integrate, noons, stack_arms

Array = NDArray[np.float64]

PATIENCE = 0.1  # seconds between two looks at the threads
LAST_WAIT = 0.5  # seconds that threads get to end after Ctrl-C


@dataclass(frozen=True)
class Part:
    """Some people of a large run.

    Attributes
    ----------
    values : numpy.ndarray
        Shape (arms, n, t, k).
    sentences : numpy.ndarray of str
        Shape (arms, n), ``ok`` or what went wrong.
    people : dict of str to numpy.ndarray
        Covariates and own parameters, each (n,).
    work : Work
        What the engine did.
    """

    values: Array
    sentences: NDArray[np.object_]
    people: dict[str, Array]
    work: Work


class Source(Interface):
    """Where the people of a large run come from."""

    @property
    def count(self) -> int:
        """Number of people."""

    @property
    def arms(self) -> tuple[str, ...]:
        """What each of them is simulated under."""

    def choose(self, work: Work, cancel: threading.Event | None = None) -> Precision:
        """Choose the precision by an audit of people spread evenly over all."""

    def simulate(
        self,
        rows: NDArray[np.int64],
        precision: Precision,
        threads: int,
        on_progress: Callable[[int, int], None] | None,
        cancel: threading.Event | None,
    ) -> Part:
        """Simulate some people under all arms."""


class VirtualPeople:
    """The people of a protocol, each simulated under its arms with the central parameters.

    Parameters
    ----------
    protocol : Protocol
        Population, arms and schedule.
    axis : ComposedModel
        The model.
    seed : int
        Seed of the run.
    arms, variables : sequence of str, optional
        Which of the arms, and which variables are kept; all by default.

    Raises
    ------
    InputError
        An arm or a variable that does not exist.
    """

    def __init__(
        self,
        protocol: Protocol,
        axis: ComposedModel,
        seed: int,
        arms: Sequence[str] | None = None,
        variables: Sequence[str] | None = None,
    ) -> None:
        self.protocol, self.axis, self.seed = protocol, axis, seed
        self.arms = _known("An arm", arms, protocol.arms)
        self.model = load_axis(axis)
        self.variables = _known("A variable", variables, self.model.outputs)
        self.clock = load_clock(axis)
        self.drawn = draw_uncertain(axis.parameters, seed, 0)
        self.rows = people_rows(axis.parameters)
        self.count = protocol.population.n
        self.days = noons(protocol) - protocol.schedule.run_in_days

    @cached_property
    def chosen(self) -> population.Chosen:
        """Who takes part; everybody is screened when this is first asked for.

        Raises
        ------
        InputError
            Too few candidates meet the entry criteria.
        """
        return population.choose_people(self.protocol, self.seed)

    @property
    def person_numbers(self) -> tuple[str, ...]:
        """Names of the covariates and own parameters that `Part` holds."""
        cohort = population.draw_people(self.chosen, self.rows, self.seed, np.arange(1))
        return tuple(_person_numbers(cohort))

    def choose(self, work: Work, cancel: threading.Event | None = None) -> Precision:
        """Choose the precision by an audit; who is audited depends on the numbers of people and arms alone."""
        people, arms = np.divmod(audited_places(self.count * len(self.arms)), len(self.arms))
        who, place = np.unique(people, return_inverse=True)
        stack, _ = self._ready(who, work.threads, cancel)
        rows = arms * len(who) + place
        return choose_precision(self.model, stack.take(rows), self.protocol, work, cancel)

    def simulate(
        self,
        rows: NDArray[np.int64],
        precision: Precision,
        threads: int = 1,
        on_progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Part:
        """Simulate some people under all arms.

        Raises
        ------
        Cancelled
            `cancel` was set.
        """
        work = Work(threads=threads)
        stack, cohort = self._ready(rows, threads, cancel)
        solution = integrate(
            self.model,
            stack,
            self.protocol,
            lanes=precision.lanes,
            audited=0,
            threads=threads,
            work=work,
            on_progress=on_progress,
            cancel=cancel,
        )
        shape = (len(self.arms), len(rows))
        kept = [self.model.outputs.index(name) for name in self.variables]
        values = solution.values[:, :, kept].reshape(*shape, len(self.days), len(kept))
        return Part(values, np.array(solution.messages, dtype=object).reshape(shape), _person_numbers(cohort), work)

    def _ready(
        self, rows: NDArray[np.int64], threads: int, cancel: threading.Event | None
    ) -> tuple[Stack, population.Cohort]:
        cohort = population.draw_people(self.chosen, self.rows, self.seed, rows)
        _check(cancel)
        people = settle(cohort, threads, cancel=cancel, clock=self.clock)
        _check(cancel)
        # One's own submodels come to rest together with all others of a call; alone, nobody's bits rest on others.
        alone = bool(self.axis.library.own)
        groups = np.arange(len(rows)).reshape(-1, 1) if alone else [np.arange(len(rows))]
        stack = Stack.join(
            [
                stack_arms(people, self.model, self.protocol, self.drawn, seed=self.seed, arms=self.arms, rows=group)
                for group in groups
            ]
        )
        if alone:
            stack = stack.take(np.arange(len(rows) * len(self.arms)).reshape(len(rows), -1).T.ravel())
        return stack, cohort


def stream(
    source: Source,
    precision: Precision,
    parts: Mapping[int, tuple[int, int]],
    write: Callable[[int, Part], None],
    *,
    jobs: int = 1,
    on_progress: Callable[[int], None] | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Simulate chunks of people in several threads, each of which writes what it has made.

    Parameters
    ----------
    source : Source
        The people.
    precision : Precision
        From `Source.choose`.
    parts : mapping
        Number of a chunk -> its first row and the row behind its last one.
    write : callable
        Called with the number of a chunk and what was found, by the thread that made it.
    jobs : int
        Threads; they share a chunk where there are fewer chunks than threads.
    on_progress : callable, optional
        Called with the simulations done.
    cancel : threading.Event, optional
        Ends all threads soon.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    stopped = threading.Event() if cancel is None else cancel
    threads = max(1, jobs // max(1, len(parts)))
    done: dict[int, int] = {}

    def make(part: int, first: int, last: int) -> None:
        _check(stopped)

        def tell(now: int, _: int) -> None:
            done[part] = now

        found = source.simulate(np.arange(first, last), precision, threads, tell, stopped)
        write(part, found)
        done[part] = (last - first) * len(source.arms)

    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="vagus-people")
    try:
        running = {pool.submit(make, part, *ends) for part, ends in parts.items()}
        told = -1
        while running:
            finished, running = wait(running, timeout=PATIENCE, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
            now = sum(list(done.values()))
            if on_progress is not None and now != told:
                told = now
                on_progress(now)
            _check(stopped)
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(running, timeout=LAST_WAIT)
        raise
    pool.shutdown()


def _check(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise Cancelled("Stopped.")


def _known(what: str, asked: Sequence[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    """Return what was asked for in the order in which it is known; everything where nothing was."""
    known = tuple(known)
    if not asked:
        return known
    problems = [
        Problem("", 0, f'{what} must be one of the trial and its model, got "{name}"; {nearest(name, known)}')
        for name in asked
        if name not in known
    ]
    if problems:
        raise InputError(problems)
    return tuple(name for name in known if name in asked)


def _person_numbers(cohort: population.Cohort) -> dict[str, Array]:
    """Return covariates and own parameters as numbers."""
    covariates = cohort.covariates
    columns = {str(name): covariates[name] for name in covariates if covariates[name].dtype.kind in "fiu"}
    if "sex" in covariates:
        columns["female"] = covariates["sex"] == "female"
    columns |= {str(name): cohort.parameters[name] for name in cohort.parameters}
    return {name: column.to_numpy(float) for name, column in columns.items()}
