"""Many people through lanes: memory, threads, groups of either method, and what the scalar integrator is left with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine import lanes as loop
from vagus.engine import pair
from vagus.engine.integrate import (
    AUTOMATIC,
    CANCELLED,
    SELF_FLOOR,
    SELF_SCALE,
    STIFF,
)
from vagus.engine.lanekernel import FUNCTIONS, Shape, aligned, lane_kernel
from vagus.engine.lanemodel import LaneModel, lane_model
from vagus.engine.lanestiff import StiffKernel, explicit_cost, stiff_kernel
from vagus.engine.model import Model
from vagus.engine.solution import LaneReport, Solution, methods, rows_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PATIENCE = 0.1  # seconds between two looks at the cancel flag
STIFF_STAGES = 6  # evaluations a stiff step
ROUNDS = 1000  # steps of a group until it is asked again which group runs
RECORDS = 4  # for so many times the lanes of a group there is room to wait for it: see `_Crew`
NOBODY = 1 << 62  # more people than ever wait
LARGEST = 1e30  # beyond it, single precision soon overflows
# the audit: how many people, how exact the comparison is, and which error is allowed
AUDITED_SHARE, LEAST_AUDITED = 0.01, 8
EXACT, EXACT_STIFF = 1e-9, 1e-7
ALLOWED = 1e-4
FAR_OFF = 1e-2
WORTH = 2.0  # where single precision exceeds that: so many times more exact must double precision be to be taken


def shape_of(single: bool) -> Shape:
    """Return the lanes that this processor computes at once (16 bytes where it is not known)."""
    from llvmlite import binding

    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        features = {}
    size = 64 if features.get("avx512f") else 32 if features.get("avx2") else 16
    return Shape(size // (4 if single else 8), single)


@dataclass(frozen=True)
class LaneResult:
    """What the lanes found.

    Attributes
    ----------
    values, final : array
        As in `vagus.engine.Solution`; meaningless for people that were not done.
    status : array of int, shape (n,)
        A code of `vagus.engine.lanes`.
    steps, stiff_steps, rejected, refreshed : array of int, shape (n,)
        Steps tried, those of the stiff method, and steps rejected, and how often rates were computed anew between
        steps.
    """

    values: Floats
    final: Floats
    status: Integers
    steps: Integers
    stiff_steps: Integers
    rejected: Integers
    refreshed: Integers

    @property
    def done(self) -> NDArray[np.bool_]:
        """Who was integrated to the end."""
        done: NDArray[np.bool_] = self.status == loop.DONE
        return done

    @property
    def evaluations(self) -> Integers:
        """Evaluations of the rates for each person, but for the two of the very first step size."""
        return pair.STAGES * (self.steps - self.stiff_steps) + STIFF_STAGES * self.stiff_steps + self.refreshed


class LaneJob:
    """The arrays of one simulation.

    Parameters
    ----------
    model : Model
    people : dict of str to array
        Parameters, initial states, output times, doses and inputs, as tables of the scalar integrator.
    numbers : dict of str to float
        ``t_start``, ``t_end``, ``rtol``, ``max_step``, ``max_steps``, ``by_itself``, ``method``.
    shape : Shape
    queue : array of int
        Who is integrated, in which order.
    """

    def __init__(
        self,
        model: Model,
        people: dict[str, NDArray[Any]],
        numbers: dict[str, float],
        shape: Shape,
        queue: Integers,
    ) -> None:
        self.whole_model, self.model, self.shape = model, lane_model(model), shape
        self.kernel = lane_kernel(model, shape)
        own, count = self.model, len(people["parameters"])
        n = len(own.order)
        times = people["output_times"]
        start = np.ascontiguousarray(people["initial"][:, own.order])
        start[:, own.marks] -= np.floor(numbers["t_start"])
        place = np.empty(n, dtype=np.int64)
        place[own.order] = np.arange(n)
        events = len(model.events)
        targets = np.zeros((events, n), dtype=np.int64)
        for k, assignments in enumerate(own.assignments):
            targets[k, [target for target, _ in assignments]] = 1
        kinds = [
            [event.initial_value, event.persistent, event.values_at_trigger, quiet, lasting]
            for event, quiet, lasting in zip(model.events, own.quiet, own.lasting, strict=True)
        ]
        addresses = self.kernel.library.addresses
        by_itself, rtol = bool(numbers["by_itself"]), numbers["rtol"]
        floor = np.full(n, rtol * SELF_FLOOR) if by_itself else np.ascontiguousarray(people["atol"][own.order])
        self.method = int(numbers["method"])
        if self.method == STIFF and stiff_kernel(model, shape) is None:
            queue = queue[:0]
        cost = explicit_cost(model)
        self.scalars = {
            **numbers,
            "share_of_scale": rtol * SELF_SCALE if by_itself else 0.0,
            "cost": cost,
            "cost_explicit": cost,
            "growth": pair.EXPONENT,
            "memory": pair.MEMORY,
            "shrink": 0.2,
        }
        first = _from_start(people, numbers["t_start"])
        self.shared: dict[str, NDArray[Any]] = {
            **{name: people[name] for name in ("parameters", "output_times")},
            **{name: people[name] for name in ("input_starts", "input_values", "input_places")},
            **first,
            "dose_states": place[first["dose_states"]],
            "initial": start,
            "floor": floor,
            "values": np.full((count, len(times), len(model.outputs)), np.nan),
            "final": np.full((count, n), np.nan),
            "final_day": np.zeros(count),
            "queue": np.ascontiguousarray(queue, dtype=np.int64),
            **{name: np.zeros(1, dtype=np.int64) for name in ("next_in_queue", "finished", "cancel")},
            "watched": np.array(own.watched, dtype=np.int64),
            "marks": own.marks[own.moving :].astype(np.int64),
            "kinds": np.array(kinds, dtype=np.int64).reshape(events, loop.KINDS),
            "targets": targets,
            "events": np.array([addresses[f"event{k}"] for k in range(events)], dtype=np.int64),
            "status": np.full(count, loop.WAITING, dtype=np.int64),
            **{name: np.zeros(count, dtype=np.int64) for name in loop.COUNTED},
        }
        self.numbers = {
            **{name: addresses[name] for name in FUNCTIONS},
            "n_queue": len(queue),
            "n_moving": own.moving,
            "n_still": own.still,
            "n_own": own.parameters,
            "n_outputs": len(model.outputs),
            "n_events": events,
            "n_switches": len(model.switches),
            "n_times": len(times),
            "n_intervals": len(people["input_starts"]),
            "n_inputs": len(people["input_places"]),
            "n_watched": len(own.watched),
            "automatic": int(self.method == AUTOMATIC),
            "n_record": _record_size(own, events, len(model.switches)),
        }
        self.counts: list[Integers] = []

    def memory(self, stiff: StiffKernel | None) -> dict[str, NDArray[Any]]:
        """Return the memory of one group of lanes; of the stiff method where its kernel is given."""
        own, sizes, width = self.model, self.numbers, self.shape.width
        n, events, switches = own.moving, sizes["n_events"], sizes["n_switches"]
        rows = {
            **dict.fromkeys(("y", "new", "stage", "scale", "at", "lost", "rest"), n),
            **dict.fromkeys(("before", "low", "fired"), events),
            **dict.fromkeys(("s_now", "s_then"), switches),
            "g": 2 * events,
            "time": 2,
            "p": own.still + own.parameters + self.kernel.prepared + (stiff.prepared if stiff else 0),
            "k": (pair.STAGES + 1) * n,
            "late": 0 if stiff else n,
            "slopes": 2 * n + stiff.entries if stiff else 0,
            "factors": stiff.factors if stiff else 0,
            "out": sizes["n_outputs"],
            "event_out": events * len(own.order),
            "cells": len(loop.CELLS),
        }
        memory: dict[str, NDArray[Any]] = {name: aligned(count, self.shape) for name, count in rows.items()}
        memory["stop_time"] = np.zeros(width)
        for name in loop.LANE_WHOLES:
            memory[name] = np.zeros(width, dtype=np.int64)
        memory["count"] = np.zeros(len(loop.COUNT), dtype=np.int64)
        scalars = dict(self.scalars)
        if stiff:
            scalars |= {"growth": 0.25, "memory": 0.0, "shrink": 0.25, "cost": stiff.cost}
        memory["numbers"] = np.array([scalars[name] for name in loop.NUMBERS], dtype=np.float64)
        return memory

    def work(self) -> None:
        """Integrate people until the queue is empty and everybody taken from it is done."""
        crew = _Crew(self)
        while not self.shared["cancel"][0] and crew.run():
            pass
        self.counts.extend(group.memory["count"] for group in crew.groups if group.memory)

    @property
    def waiting(self) -> bool:
        """Whether there still is somebody in the queue."""
        return bool(self.shared["next_in_queue"][0] < self.numbers["n_queue"])

    def hand_over(self, people: Integers) -> None:
        """Leave people to the scalar integrator."""
        self.shared["status"][people] = loop.HANDED_OVER
        self.shared["finished"] += len(people)

    @property
    def finished(self) -> int:
        """How many people are done."""
        return int(self.shared["finished"][0])

    def cancel(self) -> None:
        """Let all lanes end soon."""
        self.shared["cancel"][0] = 1

    def result(self) -> LaneResult:
        """Return what was found, in the model's own order of states."""
        shared, own = self.shared, self.model
        final = np.empty_like(shared["final"])
        final[:, own.order] = shared["final"] + shared["final_day"][:, None] * own.marks
        counts = {name: shared[name] for name in loop.COUNTED}
        return LaneResult(values=shared["values"], final=final, status=shared["status"], **counts)


def _from_start(people: dict[str, NDArray[Any]], t_start: float) -> dict[str, NDArray[Any]]:
    """Return the doses without those before the start."""
    kept = people["dose_times"] >= t_start
    before = np.concatenate([[0], np.cumsum(kept)])
    return {
        **{name: people[name][kept] for name in ("dose_times", "dose_states", "dose_amounts")},
        "dose_offsets": before[people["dose_offsets"]].astype(np.int64),
    }


def _record_size(own: LaneModel, events: int, switches: int) -> int:
    """Return how many numbers belong to a person on the way from one group to another."""
    rows = 3 * own.moving + own.still + own.parameters + 2 * events + switches
    return len(loop.CELLS) + rows + len(loop.LANE_WHOLES) + 1


class _Records:
    """People who wait for a group; who came last is taken first."""

    def __init__(self, job: LaneJob) -> None:
        self.rows = np.zeros((RECORDS * job.shape.width, job.numbers["n_record"]))
        self.count = np.zeros(1, dtype=np.int64)

    @property
    def taken(self) -> Floats:
        """Their records."""
        return self.rows[: self.count[0]]


class _Group:
    """Lanes that use one method; those of the stiff one are made when somebody needs them."""

    def __init__(self, job: LaneJob, stiff: bool, here: _Records, there: _Records) -> None:
        self.job, self.stiff, self.here, self.there = job, stiff, here, there
        self.memory: dict[str, NDArray[Any]] = {}
        if not stiff:
            self._make(None)

    def _make(self, kernel: StiffKernel | None) -> None:
        job = self.job
        self.memory = job.memory(kernel)
        self.kernel = kernel  # holds the machine code
        records = {"here": self.here.rows, "waiting_here": self.here.count}
        records |= {"there": self.there.rows, "waiting_there": self.there.count}
        arrays = {**job.shared, **self.memory, **records}
        own = kernel.library.addresses if kernel else {}
        entries = {
            **{name: array.ctypes.data for name, array in arrays.items()},
            **job.numbers,
            **{name: own.get(name.removeprefix("stiff_"), 0) for name in loop.OWN_FUNCTIONS},
            "n_factors": kernel.factors if kernel else 0,
            "stiff": int(self.stiff),
            "takes": int(self.stiff == (job.method == STIFF)),
        }
        self.table = np.array([entries[name] for name in loop.TABLE], dtype=np.int64)

    def _cell(self, name: str) -> NDArray[Any]:
        row: NDArray[Any] = self.memory["cells"][loop.CELLS.index(name)]
        return row

    @property
    def live(self) -> int:
        """How many lanes hold a person."""
        return int(np.count_nonzero(self._cell("live"))) if self.memory else 0

    @property
    def people(self) -> int:
        """How many people are here or wait."""
        return self.live + len(self.here.taken)

    @property
    def earliest(self) -> float:
        """Time that everybody here and everybody who waits has reached."""
        day, off = (loop.CELLS.index(name) for name in ("day", "off"))
        times = list(self.here.taken[:, day] + self.here.taken[:, off])
        if self.memory:
            times.extend((self._cell("day") + self._cell("off"))[self._cell("live") != 0.0])
        return float(min(times, default=np.inf))

    def run(self, wanted: int) -> None:
        """Go on, until so many people as `wanted` wait for the other group or for some rounds."""
        if not self.memory:
            kernel = stiff_kernel(self.job.whole_model, self.job.shape)
            if kernel is None:
                place = -1 - len(loop.LANE_WHOLES)
                self.job.hand_over(self.here.taken[:, place].astype(np.int64))
                self.here.count[0] = 0
                return
            self._make(kernel)
        count = self.memory["count"]
        count[loop.COUNT.index("rounds_left")] = ROUNDS
        count[loop.COUNT.index("wanted")] = wanted
        loop.run(self.job.shape, self.table)


class _Crew:
    """The two groups of a thread, of which one runs at a time.

    The stiff group runs where it can fill its lanes, else the explicit one, so that new people only come while fewer
    than a group's lanes are stiff: never more than three times as many are on the way. When the queue is empty, those
    who are furthest behind go on. What a person's course is does not depend on it.
    """

    def __init__(self, job: LaneJob) -> None:
        self.job = job
        explicit, stiff = _Records(job), _Records(job)
        self.explicit, self.stiff = _Group(job, False, explicit, stiff), _Group(job, True, stiff, explicit)
        self.groups = (self.explicit, self.stiff)

    def run(self) -> bool:
        """Let a group run; gives False where nobody is left."""
        width = self.job.shape.width
        group, wanted = min(self.groups, key=lambda group: group.earliest), NOBODY
        if self.stiff.people >= width or (self.job.waiting and self.job.method == STIFF):
            group = self.stiff
        elif self.job.waiting:
            group, wanted = self.explicit, width - self.stiff.live
        elif not group.people:
            return False
        group.run(wanted)
        return True


class LaneRun:
    """One simulation in lanes: precision, audit, and the people whom the scalar integrator does."""

    def __init__(
        self,
        model: Model,
        people: dict[str, NDArray[Any]],
        numbers: dict[str, float],
        threads: int,
        on_progress: Callable[[int, int], None] | None,
        cancel: threading.Event | None,
        scales: Mapping[str, float] | None = None,
    ) -> None:
        self.model, self.people, self.numbers = model, people, numbers
        self.scales = scales
        self.threads, self.on_progress, self.cancel = threads, on_progress, cancel
        self.count = len(people["parameters"])
        self.sound = np.flatnonzero(_sound(people))

    def solve(
        self,
        lanes: str,
        one_by_one: Callable[[dict[str, NDArray[Any]], Callable[[int, int], None] | None], Solution],
        wanted: int | None = None,
    ) -> Solution:
        """Integrate everybody.

        Parameters
        ----------
        lanes : {"automatic", "single", "double"}
        one_by_one : callable
            Integrates people by the scalar integrator.
        wanted : int, optional
            How many people are audited; a share of them where not given.
        """
        audited = self._audited(wanted)
        exact: LaneResult | None = None
        single, single_error = lanes == "single", np.nan
        if lanes == "automatic":
            tried = self._run(audited, True)
            exact = self._exact(audited, tried)
            error, _ = audit(tried, exact, self.model.outputs, self.scales)
            if np.any(exact.done & ~tried.done):  # too few digits to go on
                error = np.inf
            single = error <= ALLOWED
            if not single:  # some people are ill-conditioned in any precision
                other, _ = audit(self._run(audited, False), exact, self.model.outputs, self.scales)
                single = error <= WORTH * other
            single_error = np.nan if single else error
        shape = shape_of(single)
        result = self._run(self.sound, single, self.on_progress)
        found = _rows(result, audited)
        exact = exact or self._exact(audited, found)
        error, errors = audit(found, exact, self.model.outputs, self.scales)
        ill = ill_conditioned(found, exact, self.model.outputs, self.scales)
        if single and len(ill):  # whom double precision brings back, single precision was too coarse for
            again, exact = self._run(audited[ill], False), _rows(exact, ill)
            ill = ill[ill_conditioned(again, exact, self.model.outputs, self.scales)]
        values, final = result.values, result.final
        status, steps = result.status.copy(), result.steps.copy()
        messages, method = ["ok"] * self.count, list(methods(result.stiff_steps, result.steps))
        stopped = self.cancel is not None and self.cancel.is_set()
        rest = np.flatnonzero(~result.done)
        if stopped:
            status[rest] = CANCELLED
            values[rest], final[rest] = np.nan, np.nan
            for row in rest:
                messages[row] = "cancelled"
        elif len(rest):
            others = one_by_one(rows_of(self.people, rest), self._after(self.count - len(rest)))
            values[rest], final[rest] = others.values, others.final_state
            status[rest], steps[rest] = others.status, others.steps
            for place, row in enumerate(rest):
                messages[row], method[row] = others.messages[place], others.method[place]
        report = LaneReport(
            width=shape.width,
            bits=32 if shape.single else 64,
            rejected=np.where(result.done, result.rejected, 0),
            evaluations=np.where(result.done, result.evaluations, 0),
            stiff_steps=np.where(result.done, result.stiff_steps, 0),
            handed_over=len(rest),
            audited=len(audited),
            error=error,
            errors=errors,
            ill_conditioned=len(ill),
            single_error=single_error,
        )
        times = self.people["output_times"]
        outputs = self.model.outputs
        return Solution(outputs, times, values, final, status, tuple(messages), steps, tuple(method), report)

    def _after(self, done: int) -> Callable[[int, int], None] | None:
        tell = self.on_progress
        return None if tell is None else lambda now, of: tell(done + now, self.count)

    def _audited(self, wanted: int | None) -> Integers:
        """Return some people, spread evenly over those whose numbers are sound."""
        if wanted is None:
            wanted = max(LEAST_AUDITED, int(np.ceil(AUDITED_SHARE * self.count)))
        wanted = min(len(self.sound), wanted)
        places = np.unique(np.linspace(0, len(self.sound) - 1, wanted).round().astype(np.int64))
        return self.sound[places] if wanted else self.sound[:0]

    def _exact(self, rows: Integers, found: LaneResult) -> LaneResult:
        """Integrate some people exactly; the stiff method's order is too low for as much as the explicit one's."""
        wanted = EXACT_STIFF if np.any(2 * found.stiff_steps > found.steps) else EXACT
        finer = wanted / max(self.numbers["rtol"], wanted)
        exact = {"rtol": self.numbers["rtol"] * finer, "max_steps": self.numbers["max_steps"] / finer**0.25}
        people = {**self.people, "atol": self.people["atol"] * finer}
        return self._run(rows, False, people=people, numbers={**self.numbers, **exact})

    def _run(
        self,
        rows: Integers,
        single: bool,
        tell: Callable[[int, int], None] | None = None,
        people: dict[str, NDArray[Any]] | None = None,
        numbers: dict[str, float] | None = None,
    ) -> LaneResult:
        """Integrate some people; those of the audit alone come back in the order of the rows."""
        chosen = self.people if people is None else people
        everybody = rows is self.sound
        if not everybody:
            chosen, rows = rows_of(chosen, rows), np.arange(len(rows))
        job = LaneJob(self.model, chosen, self.numbers if numbers is None else numbers, shape_of(single), rows)
        share = None if tell is None else lambda done: tell(done, self.count)
        return run_lanes(job, min(self.threads, max(1, len(rows))), share, self.cancel)


def _sound(people: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Say whose numbers are all finite and of a size that single precision knows."""
    count = len(people["parameters"])
    sound = np.ones(count, dtype=bool)
    for name in ("parameters", "initial", "input_values"):
        values = people[name]
        sound &= (np.abs(values) <= LARGEST).all(axis=tuple(range(1, values.ndim)))
    person = np.repeat(np.arange(count), np.diff(people["dose_offsets"]))
    sound[person[~(np.abs(people["dose_amounts"]) <= LARGEST)]] = False
    return sound


def _rows(result: LaneResult, rows: Integers) -> LaneResult:
    return LaneResult(**{name: array[rows] for name, array in vars(result).items()})


def audit(
    found: LaneResult, exact: LaneResult, outputs: tuple[str, ...], scales: Mapping[str, float] | None = None
) -> tuple[float, dict[str, float]]:
    """Return the 99th percentile of the relative error, of all numbers and of each output (see `LaneReport`).

    Smaller values than an output's scale are judged on that scale. An output without one whose exact values are all
    zero is not judged.
    """
    both = found.done & exact.done
    if not both.any() or not outputs:
        return np.nan, {}
    error = _errors(found, exact, outputs, scales)[both]
    each = np.quantile(error, 0.99, axis=(0, 1), method="higher")
    return float(np.quantile(error, 0.99, method="higher")), dict(zip(outputs, map(float, each), strict=True))


def ill_conditioned(
    found: LaneResult, exact: LaneResult, outputs: tuple[str, ...], scales: Mapping[str, float] | None = None
) -> Integers:
    """Return the rows of people of whose own numbers more than one in a hundred is far off.

    They sit where the course branches (a night that comes or does not), and the last digits decide.
    """
    if not len(found.status) or not outputs:
        return np.zeros(0, dtype=np.int64)
    own = np.quantile(_errors(found, exact, outputs, scales), 0.99, axis=(1, 2), method="higher")
    return np.flatnonzero(found.done & exact.done & (own > FAR_OFF))


def _errors(
    found: LaneResult, exact: LaneResult, outputs: tuple[str, ...], scales: Mapping[str, float] | None
) -> Floats:
    """Return the relative error of every number; infinite where one is missing."""
    near, true = found.values, exact.values
    known = true[found.done & exact.done]
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.abs(true) + 1e-3 * np.nanmax(np.abs(known), axis=(0, 1), initial=0.0)
        size = np.maximum(size, [(scales or {}).get(name, 0.0) for name in outputs])
        error = np.where((near == true) | (np.isfinite(near) & (size == 0.0)), 0.0, np.abs(near - true) / size)
    return np.nan_to_num(error, nan=np.inf)


def run_lanes(
    job: LaneJob,
    threads: int,
    on_progress: Callable[[int], None] | None,
    cancel: threading.Event | None,
) -> LaneResult:
    """Integrate everybody of a job's queue."""
    told = -1
    if cancel is not None and cancel.is_set():
        job.cancel()
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="vagus-lanes") as pool:
        try:
            running = {pool.submit(job.work) for _ in range(threads)}
            while running:
                finished, running = wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if on_progress is not None and job.finished != told:
                    told = job.finished
                    on_progress(told)
                if cancel is not None and cancel.is_set():
                    job.cancel()
        except BaseException:
            job.cancel()
            raise
    return job.result()
