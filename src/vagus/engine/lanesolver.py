"""Many people through lanes: memory, threads, and what the lanes hand over to the scalar integrator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine import lanes as loop
from vagus.engine.integrate import CANCELLED, EXPLICIT, SELF_FLOOR, SELF_SCALE, step_costs
from vagus.engine.kernel import kernel_of
from vagus.engine.lanekernel import FUNCTIONS, Shape, aligned, lane_kernel
from vagus.engine.lanemodel import lane_model
from vagus.engine.model import Model
from vagus.engine.solution import LaneReport, Solution, rows_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PATIENCE = 0.1  # seconds between two looks at the cancel flag
STIFF_STEPS_AN_OUTPUT = 100  # what the stiff method is taken to need at least from one output to the next
LARGEST = 1e30  # beyond it, single precision soon overflows
# the audit: how many people, how exact the comparison is, and which error is allowed
AUDITED_SHARE, LEAST_AUDITED = 0.01, 8
EXACT = 1e-9
ALLOWED = 1e-4
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
    steps, rejected, refreshed : array of int, shape (n,)
        Steps tried and steps rejected, and how often rates were computed anew between steps.
    """

    values: Floats
    final: Floats
    status: Integers
    steps: Integers
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
        return 6 * self.steps + self.refreshed


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
        self.model, self.shape = lane_model(model), shape
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
        scalars = {
            **numbers,
            "share_of_scale": rtol * SELF_SCALE if by_itself else 0.0,
            "steps_an_output": np.inf if numbers["method"] == EXPLICIT else _worthwhile_steps(model, shape),
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
            **{name: np.zeros(count, dtype=np.int64) for name in ("steps", "rejected", "refreshed")},
            "numbers": np.array([scalars[name] for name in loop.NUMBERS], dtype=np.float64),
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
        }
        self.counts: list[Integers] = []

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Return the memory of one group of lanes."""
        own, sizes, width = self.model, self.numbers, self.shape.width
        n, events, switches = own.moving, sizes["n_events"], sizes["n_switches"]
        rows = {
            **dict.fromkeys(("y", "new", "stage", "scale", "at", "lost", "rest"), n),
            **dict.fromkeys(("before", "low", "fired"), events),
            **dict.fromkeys(("s_now", "s_then"), switches),
            "g": 2 * events,
            "time": 2,
            "p": own.still + own.parameters + self.kernel.prepared,
            "k": 7 * n,
            "out": sizes["n_outputs"],
            "event_out": events * len(own.order),
            "cells": len(loop.CELLS),
        }
        memory: dict[str, NDArray[Any]] = {name: aligned(count, self.shape) for name, count in rows.items()}
        memory["stop_time"] = np.zeros(width)
        for name in ("person", "done", "dose", "interval"):
            memory[name] = np.zeros(width, dtype=np.int64)
        memory["count"] = np.zeros(len(loop.COUNT), dtype=np.int64)
        return memory

    def work(self) -> None:
        """Integrate one group of lanes until the queue is empty."""
        memory = self._memory()
        arrays = {**self.shared, **memory}
        entries = {**{name: array.ctypes.data for name, array in arrays.items()}, **self.numbers}
        loop.run(self.shape, np.array([entries[name] for name in loop.TABLE], dtype=np.int64))
        self.counts.append(memory["count"])

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
        counts = {name: shared[name] for name in ("steps", "rejected", "refreshed")}
        return LaneResult(values=shared["values"], final=final, status=shared["status"], **counts)


def _from_start(people: dict[str, NDArray[Any]], t_start: float) -> dict[str, NDArray[Any]]:
    """Return the doses without those before the start."""
    kept = people["dose_times"] >= t_start
    before = np.concatenate([[0], np.cumsum(kept)])
    return {
        **{name: people[name][kept] for name in ("dose_times", "dose_states", "dose_amounts")},
        "dose_offsets": before[people["dose_offsets"]].astype(np.int64),
    }


def _worthwhile_steps(model: Model, shape: Shape) -> float:
    """Return how many steps of a lane cost as much as the scalar stiff method takes from one output to the next.

    A lane that gives up there has cost at most as much as what then follows.
    """
    rhs, jacobian = kernel_of(model).costs
    explicit, stiff = step_costs(len(model.states), rhs, jacobian)
    return float(np.ceil(STIFF_STEPS_AN_OUTPUT * stiff / explicit * shape.width))


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
    ) -> None:
        self.model, self.people, self.numbers = model, people, numbers
        self.threads, self.on_progress, self.cancel = threads, on_progress, cancel
        self.count = len(people["parameters"])
        self.sound = np.flatnonzero(_sound(people))

    def solve(
        self,
        lanes: str,
        one_by_one: Callable[[dict[str, NDArray[Any]], Callable[[int, int], None] | None], Solution],
    ) -> Solution:
        """Integrate everybody.

        Parameters
        ----------
        lanes : {"automatic", "single", "double"}
        one_by_one : callable
            Integrates people by the scalar integrator.
        """
        audited = self._audited()
        exact = self._exact(audited)
        single, single_error = lanes == "single", np.nan
        if lanes == "automatic":
            error, _ = audit(self._run(audited, True), exact, self.model.outputs)
            single = error <= ALLOWED
            if not single:  # some people are ill-conditioned in any precision
                other, _ = audit(self._run(audited, False), exact, self.model.outputs)
                single = error <= WORTH * other
            single_error = np.nan if single else error
        shape = shape_of(single)
        result = self._run(self.sound, single, self.on_progress)
        error, errors = audit(_rows(result, audited), exact, self.model.outputs)
        values, final = result.values, result.final
        status, steps = result.status.copy(), result.steps.copy()
        messages, method = ["ok"] * self.count, ["explicit"] * self.count
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
            handed_over=len(rest),
            audited=len(audited),
            error=error,
            errors=errors,
            single_error=single_error,
        )
        times = self.people["output_times"]
        outputs = self.model.outputs
        return Solution(outputs, times, values, final, status, tuple(messages), steps, tuple(method), report)

    def _after(self, done: int) -> Callable[[int, int], None] | None:
        tell = self.on_progress
        return None if tell is None else lambda now, of: tell(done + now, self.count)

    def _audited(self) -> Integers:
        """Return some people, spread evenly over those whose numbers are sound."""
        wanted = min(len(self.sound), max(LEAST_AUDITED, int(np.ceil(AUDITED_SHARE * self.count))))
        places = np.unique(np.linspace(0, len(self.sound) - 1, wanted).round().astype(np.int64))
        return self.sound[places] if wanted else self.sound

    def _exact(self, rows: Integers) -> LaneResult:
        finer = EXACT / max(self.numbers["rtol"], EXACT)
        exact = {"rtol": self.numbers["rtol"] * finer, "max_steps": self.numbers["max_steps"] / finer**0.2}
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


def audit(found: LaneResult, exact: LaneResult, outputs: tuple[str, ...]) -> tuple[float, dict[str, float]]:
    """Return the 99th percentile of the relative error, of all numbers and of each output (see `LaneReport`).

    An output whose exact values are all zero has no scale and is not judged.
    """
    both = found.done & exact.done
    if not both.any() or not outputs:
        return np.nan, {}
    near, true = found.values[both], exact.values[both]
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.abs(true) + 1e-3 * np.nanmax(np.abs(true), axis=(0, 1), initial=0.0)
        error = np.where((near == true) | (np.isfinite(near) & (size == 0.0)), 0.0, np.abs(near - true) / size)
    error = np.nan_to_num(error, nan=np.inf)
    each = np.quantile(error, 0.99, axis=(0, 1), method="higher")
    return float(np.quantile(error, 0.99, method="higher")), dict(zip(outputs, map(float, each), strict=True))


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
