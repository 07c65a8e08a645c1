"""Many people through one model: checks, threads, progress, cancellation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.engine.model import Model
from vagus.engine.solution import Doses, Inputs, Solution, methods, read_doses, read_inputs
from vagus.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 8  # people a call of the integrator: small enough for a smooth progress bar
PATIENCE = 0.1  # seconds between two looks at the cancel flag
METHODS = ("automatic", "explicit", "stiff")
LANES = ("none", "automatic", "single", "double")


def simulate(
    model: Model,
    parameters: ArrayLike,
    initial: ArrayLike | None = None,
    t_start: float = 0.0,
    output_times: ArrayLike = (),
    doses: Doses | None = None,
    inputs: Inputs | None = None,
    *,
    rtol: float = 1e-6,
    atol: float | ArrayLike | None = None,
    max_step: float = np.inf,
    max_steps: int = 1_000_000,
    method: str = "automatic",
    lanes: str = "none",
    audited: int | None = None,
    scales: Mapping[str, float] | None = None,
    threads: int = 1,
    chunk: int = CHUNK,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Solution:
    """Integrate a model for many people.

    The bits of a person's trajectory depend on the model and on this person's own numbers only, not on `threads`,
    `chunk` or the other people.

    Parameters
    ----------
    model : Model
        From `load`.
    parameters : array, shape (n, P)
        The people's parameters, in the order of ``model.parameters``.
    initial : array, shape (n, S), optional
        States at the start; the model's own initial values where not given.
    t_start : float
        Time at the start.
    output_times : array, shape (m,)
        Times of the outputs, ascending, not before `t_start`. The integration ends at the last one. An output at the
        time of a dose, an input's border or an event shows the state just before it.
    doses : Doses, optional
        Amounts added to states.
    inputs : Inputs, optional
        Parameters that change over time.
    rtol : float
        Relative tolerance of one step.
    atol : float or array, shape (S,), optional
        Absolute tolerance. Where not given, each state's tolerance follows the largest value it has had so far in
        this person (a thousandth of `rtol` times it, at least a millionth of `rtol`).
    max_step : float
        Longest step.
    max_steps : int
        Most steps for one person.
    method : {"automatic", "explicit", "stiff"}
        Which integration method.
    lanes : {"none", "automatic", "single", "double"}
        Whether many people share a vector of numbers, and of which precision. ``automatic`` takes single precision
        where an audit of some people finds it exact enough. The precision then rests on all people of the call; a
        person's bits rest on the precision and on the own numbers.
    audited : int, optional
        How many people are solved again for the audit, spread evenly; one of a hundred, and at least eight, where not
        given. 0 leaves the audit out, which takes lanes of a given precision: many calls then share one decision.
    scales : dict of str to float, optional
        Of outputs that are differences: a size that matters, in their unit. The audit judges smaller values on it; the
        error of a value near zero, relative to itself, would say nothing.
    threads : int
        Number of threads.
    chunk : int
        People that a thread takes at a time.
    on_progress : callable, optional
        Called with the number of people done and the number of all.
    cancel : threading.Event, optional
        When set, the people that are not done get the status "cancelled"; what is finished is returned.

    Returns
    -------
    Solution
        Every person has a status; nobody is dropped.

    Raises
    ------
    InputError
        Arrays do not fit the model, times do not ascend, a dose names an unknown state.
    ModelError
        A dose or an input names what the model does not have.
    """
    values = np.ascontiguousarray(parameters, dtype=np.float64)
    times = np.ascontiguousarray(output_times, dtype=np.float64)
    problems = _problems(model, values, times, t_start, (rtol, atol, max_step), method)
    if lanes not in LANES:
        problems.append(f"Lanes must be one of {', '.join(LANES)}; got {lanes!r}")
    if audited is not None and (audited < 0 or (audited == 0 and lanes == "automatic")):
        problems.append(f"An audit must have people, or none where the lanes are of a given precision; got {audited}")
    for name, scale in (scales or {}).items():
        if name not in model.outputs or not 0.0 < scale < np.inf:
            problems.append(f"A scale must be a positive number of an output of the model, got {name} {scale:g}")
    if problems:
        raise InputError("; ".join(problems))
    people = len(values)
    start = model.initial_values(values) if initial is None else np.ascontiguousarray(initial, dtype=np.float64)
    if start.shape != (people, len(model.states)):
        raise InputError(f"Initial states must have the shape {(people, len(model.states))}, got {start.shape}")
    tolerance = np.broadcast_to(np.asarray(0.0 if atol is None else atol, dtype=np.float64), (len(model.states),))
    numbers = {"t_start": float(t_start), "t_end": times[-1], "rtol": rtol, "max_step": max_step}
    arrays = {
        "parameters": values,
        "initial": start,
        "output_times": times,
        "atol": np.ascontiguousarray(tolerance),
        **vars(read_doses(model, doses, people)),
        **vars(read_inputs(model, inputs, people)),
    }
    sizes = {"by_itself": int(atol is None), "max_steps": int(max_steps), "method": METHODS.index(method)}

    def one_by_one(chosen: dict[str, NDArray[Any]], tell: Callable[[int, int], None] | None) -> Solution:
        job = _Job(model, chosen, dict(numbers), **sizes)
        _run(job, max(1, int(threads)), max(1, int(chunk)), tell, cancel)
        return job.solution()

    if lanes == "none":
        return one_by_one(arrays, on_progress)
    from vagus.engine.lanesolver import LaneRun

    run = LaneRun(model, arrays, {**numbers, **sizes}, max(1, int(threads)), on_progress, cancel, scales)
    return run.solve(lanes, one_by_one, audited)


def _problems(
    model: Model,
    parameters: Floats,
    times: Floats,
    t_start: float,
    accuracy: tuple[float, float | ArrayLike | None, float],
    method: str,
) -> list[str]:
    rtol, atol, max_step = accuracy
    problems = []
    if parameters.ndim != 2 or parameters.shape[1] != len(model.parameters):
        wanted = f"(people, {len(model.parameters)})"
        problems.append(f"Parameters must have the shape {wanted}, got {parameters.shape}")
    if times.ndim != 1 or not len(times):
        problems.append("Output times must be a list of at least one time")
    elif not np.isfinite(times).all() or np.any(np.diff(times) < 0) or times[0] < t_start:
        problems.append(f"Output times must be finite, ascend and not lie before the start ({t_start:g})")
    if not 1e-14 <= rtol <= 0.1:
        problems.append(f"The relative tolerance must lie between 1e-14 and 0.1, got {rtol:g}")
    absolute = np.asarray(1.0 if atol is None else atol, dtype=np.float64)
    if absolute.shape not in {(), (len(model.states),)} or not (absolute > 0).all():
        problems.append(f"The absolute tolerance must be positive: one number, or {len(model.states)} for the states")
    if not max_step > 0:
        problems.append(f"The longest step must be positive, got {max_step:g}")
    if method not in METHODS:
        problems.append(f"The method must be one of {', '.join(METHODS)}; got {method!r}")
    return problems


class _Job:
    """The arrays of one simulation."""

    def __init__(self, model: Model, people: dict[str, NDArray[Any]], numbers: dict[str, float], **sizes: int) -> None:
        from vagus.engine import integrate as loop
        from vagus.engine.kernel import FUNCTIONS, kernel_of

        self.model = model
        self.people = people
        self.numbers = numbers
        self.count = len(people["parameters"])
        self.times = people["output_times"]
        self.kernel = kernel_of(model)  # holds the machine code that the addresses point to
        n, events = len(model.states), model.events
        targets = np.zeros((len(events), n), dtype=np.int64)
        for k, event in enumerate(events):
            targets[k, [place for place, _ in event.assignments]] = 1
        kinds = [[event.initial_value, event.persistent, event.values_at_trigger] for event in events]
        addresses = self.kernel.library.addresses
        self.shared = {
            **people,
            "kinds": np.array(kinds, dtype=np.int64).reshape(len(events), 3),
            "targets": targets,
            "events": np.array([addresses[f"event{k}"] for k in range(len(events))], dtype=np.int64),
            "values": np.full((self.count, len(self.times), len(model.outputs)), np.nan),
            "final": np.full((self.count, n), np.nan),
            "status": np.full(self.count, loop.CANCELLED, dtype=np.int64),  # until a person is done
            "status_time": np.full(self.count, numbers["t_start"]),
            "status_place": np.full(self.count, -1, dtype=np.int64),
            "steps": np.zeros(self.count, dtype=np.int64),
            "stiff_steps": np.zeros(self.count, dtype=np.int64),
            "cancel": np.zeros(1, dtype=np.int64),
        }
        numbers["cost_explicit"], numbers["cost_stiff"] = loop.step_costs(n, *self.kernel.costs)
        self.entries = {
            **{loop.FUNCTIONS[k]: addresses[name] for k, name in enumerate(FUNCTIONS)},
            "n_states": n,
            "n_own": len(model.parameters),
            "n_outputs": len(model.outputs),
            "n_events": len(events),
            "n_switches": len(model.switches),
            "n_times": len(self.times),
            "n_intervals": len(people["input_starts"]),
            "n_inputs": len(people["input_places"]),
            **sizes,
        }

    def work(self, pieces: Iterator[tuple[int, int]]) -> None:
        """Integrate pieces of the people, each a first and a last row, until there are no more."""
        from vagus.engine import integrate as loop

        memory = loop.memory(self.entries, self.kernel.prepared, self.numbers)
        table = loop.Table({**self.shared, **memory}, self.entries)
        for first, last in pieces:
            loop.integrate(table, first, last)

    def cancel(self) -> None:
        """Let every person that is not done end soon."""
        self.shared["cancel"][0] = 1

    def solution(self) -> Solution:
        """Return the results with a sentence for every status."""
        result = self.shared
        return Solution(
            outputs=self.model.outputs,
            times=self.times,
            values=result["values"],
            final_state=result["final"],
            status=result["status"],
            messages=tuple(self._sentence(person) for person in range(self.count)),
            steps=result["steps"],
            method=methods(result["stiff_steps"], result["steps"]),
        )

    def _sentence(self, person: int) -> str:
        from vagus.engine import integrate as codes

        code, place, steps = (int(self.shared[name][person]) for name in ("status", "status_place", "steps"))
        if code == codes.OK:
            return "ok"
        when = f"near time {self.shared['status_time'][person]:.6g}"
        states = self.model.states
        state = states[place] if 0 <= place < len(states) else "unknown"
        if code == codes.STEP_TOO_SMALL:
            return f"the step size became too small {when}; the hardest state was {state}"
        if code == codes.NOT_FINITE:
            return f"state {state} or its rate was not a finite number {when}"
        if code == codes.TOO_MANY_STEPS:
            return f"too many steps: {steps} and the stops between them were not enough, the last one {when}"
        if code == codes.CANCELLED:
            return "cancelled"
        if code == codes.BAD_PARAMETER:
            return f"parameter {self.model.parameters[place]} was not a finite number"
        if code == codes.BAD_INITIAL:
            return f"the initial value of state {state} was not a finite number"
        if code == codes.EVENT_CHAIN:
            return f"events caused each other without end {when}"
        return f"a dose made state {state} not a finite number {when}"


class _Pieces:
    """Hands out pieces of the people to several threads and counts what is done."""

    def __init__(self, count: int, chunk: int) -> None:
        self.count, self.chunk = count, chunk
        self.next = self.done = 0
        self.lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[int, int]]:
        while True:
            with self.lock:
                first, last = self.next, min(self.next + self.chunk, self.count)
                self.next = last
            if first == last:
                return
            yield first, last
            with self.lock:
                self.done += last - first


def _run(
    job: _Job,
    threads: int,
    chunk: int,
    on_progress: Callable[[int, int], None] | None,
    cancel: threading.Event | None,
) -> None:
    pieces = _Pieces(job.count, chunk)
    told = -1
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="vagus-engine") as pool:
        try:
            running = {pool.submit(job.work, iter(pieces)) for _ in range(threads)}
            while running:
                finished, running = wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if on_progress is not None and pieces.done != told:
                    told = pieces.done
                    on_progress(told, job.count)
                if cancel is not None and cancel.is_set():
                    job.cancel()
        except BaseException:
            job.cancel()
            raise
