"""Many people through one model: checks, threads, progress, cancellation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.engine.model import Model
from vagus.engine.solution import Doses, Inputs, Solution
from vagus.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 8  # people a call of the integrator: small enough for a smooth progress bar
PATIENCE = 0.1  # seconds between two looks at the cancel flag
METHODS = ("automatic", "explicit", "stiff")


@dataclass(frozen=True)
class _DoseTable:
    offsets: Integers
    times: Floats
    states: Integers
    amounts: Floats


@dataclass(frozen=True)
class _InputTable:
    starts: Floats
    places: Integers
    values: Floats


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
    problems = _problems(model, values, times, t_start, rtol, max_step, method)
    if problems:
        raise InputError("; ".join(problems))
    people = len(values)
    start = model.initial_values(values) if initial is None else np.ascontiguousarray(initial, dtype=np.float64)
    if start.shape != (people, len(model.states)):
        raise InputError(f"Initial states must have the shape {(people, len(model.states))}, got {start.shape}")
    tolerance = np.broadcast_to(np.asarray(0.0 if atol is None else atol, dtype=np.float64), (len(model.states),))
    dose_table = _read_doses(model, doses, people)
    input_table = _read_inputs(model, inputs, people)
    job = _Job(model, values, start, float(t_start), times, dose_table, input_table, tolerance, people)
    job.settings = (
        float(rtol),
        np.ascontiguousarray(tolerance),
        atol is None,
        float(max_step),
        int(max_steps),
        METHODS.index(method),
    )
    _run(job, max(1, int(threads)), max(1, int(chunk)), on_progress, cancel)
    return job.solution()


def _problems(
    model: Model, parameters: Floats, times: Floats, t_start: float, rtol: float, max_step: float, method: str
) -> list[str]:
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
    if not max_step > 0:
        problems.append(f"The longest step must be positive, got {max_step:g}")
    if method not in METHODS:
        problems.append(f"The method must be one of {', '.join(METHODS)}; got {method!r}")
    return problems


def _places(names: Sequence[int | str] | NDArray[np.int64], find: Callable[[str], int], count: int) -> Integers:
    array = np.asarray(names)
    if array.dtype.kind in "iu":
        places = array.astype(np.int64)
    else:
        unique, inverse = np.unique(array.astype(str), return_inverse=True)
        places = np.array([find(str(name)) for name in unique], dtype=np.int64)[inverse]
    if np.any((places < 0) | (places >= count)):
        raise InputError(f"A place must lie between 0 and {count - 1}")
    return places.reshape(array.shape)


def _read_doses(model: Model, doses: Doses | None, people: int) -> _DoseTable:
    if doses is None:
        nothing = np.zeros(0)
        return _DoseTable(np.zeros(people + 1, dtype=np.int64), nothing, np.zeros(0, dtype=np.int64), nothing)
    person = np.atleast_1d(np.asarray(doses.person, dtype=np.int64))
    time = np.atleast_1d(np.asarray(doses.time, dtype=np.float64))
    amount = np.atleast_1d(np.asarray(doses.amount, dtype=np.float64))
    state = np.atleast_1d(_places(doses.state, model.state_index, len(model.states)))
    if not person.shape == time.shape == amount.shape == state.shape or person.ndim != 1:
        raise InputError("Person, time, state and amount of the doses must be lists of one length")
    if np.any((person < 0) | (person >= people)):
        raise InputError(f"A dose's person must lie between 0 and {people - 1}")
    if not np.isfinite(time).all():
        raise InputError("The time of a dose must be a finite number")
    order = np.lexsort((state, time, person))  # doses of one moment in the order of the states: always the same bits
    offsets = np.searchsorted(person[order], np.arange(people + 1)).astype(np.int64)
    return _DoseTable(offsets, time[order], state[order], amount[order])


def _read_inputs(model: Model, inputs: Inputs | None, people: int) -> _InputTable:
    if inputs is None:
        return _InputTable(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((people, 0, 0)))
    starts = np.ascontiguousarray(inputs.starts, dtype=np.float64)
    values = np.ascontiguousarray(inputs.values, dtype=np.float64)
    places = _places(inputs.parameters, model.parameter_index, len(model.parameters))
    if starts.ndim != 1 or not np.isfinite(starts).all() or np.any(np.diff(starts) <= 0):
        raise InputError("Starts of the inputs' intervals must be finite and ascend")
    if values.shape != (people, len(starts), len(places)):
        raise InputError(f"Values of the inputs must have the shape {(people, len(starts), len(places))}")
    return _InputTable(starts, places, values)


class _Job:
    """The arrays of one simulation."""

    settings: tuple[float, Floats, bool, float, int, int]

    def __init__(
        self,
        model: Model,
        parameters: Floats,
        initial: Floats,
        t_start: float,
        times: Floats,
        doses: _DoseTable,
        inputs: _InputTable,
        tolerance: Floats,
        people: int,
    ) -> None:
        from vagus.engine.kernel import kernel_of

        self.model = model
        self.people = people
        self.times = times
        self.t_start = t_start
        self.kernel = kernel_of(model)
        events = model.events
        self.kinds = np.array(
            [[event.initial_value, event.persistent, event.values_at_trigger] for event in events], dtype=np.int64
        ).reshape(len(events), 3)
        self.targets = np.zeros((len(events), len(model.states)), dtype=np.bool_)
        for k, event in enumerate(events):
            self.targets[k, [place for place, _ in event.assignments]] = True
        self.start = (parameters, initial, t_start, times)
        self.tables = (
            *(doses.offsets, doses.times, doses.states, doses.amounts),
            *(inputs.starts, inputs.places, inputs.values),
        )
        self.values = np.full((people, len(times), len(model.outputs)), np.nan)
        self.final = np.full((people, len(model.states)), np.nan)
        self.status = np.zeros(people, dtype=np.int64)
        self.status_time = np.full(people, t_start)
        self.status_place = np.full(people, -1, dtype=np.int64)
        self.steps = np.zeros(people, dtype=np.int64)
        self.stiff_steps = np.zeros(people, dtype=np.int64)
        self.flag = np.zeros(1, dtype=np.int64)

    def run(self, first: int, last: int) -> int:
        """Integrate some of the people; return their number."""
        from vagus.engine.integrate import integrate

        kernel = self.kernel
        integrate(
            first,
            last,
            kernel.addresses,
            kernel.events,
            self.kinds,
            self.targets,
            np.array([kernel.prepared, len(self.model.switches)], dtype=np.int64),
            np.array(kernel.costs),
            *self.start,
            *self.tables,
            *self.settings,
            self.values,
            self.final,
            self.status,
            self.status_time,
            self.status_place,
            self.steps,
            self.stiff_steps,
            self.flag,
        )
        return last - first

    def solution(self) -> Solution:
        """Return the results with a sentence for every status."""
        names = ("explicit", "stiff", "explicit and stiff")
        which = np.where(self.stiff_steps == 0, 0, np.where(self.stiff_steps == self.steps, 1, 2))
        return Solution(
            outputs=self.model.outputs,
            times=self.times,
            values=self.values,
            final_state=self.final,
            status=self.status,
            messages=tuple(self._sentence(person) for person in range(self.people)),
            steps=self.steps,
            method=tuple(names[index] for index in which),
        )

    def _sentence(self, person: int) -> str:
        from vagus.engine import integrate as codes

        code = int(self.status[person])
        if code == codes.OK:
            return "ok"
        place = int(self.status_place[person])
        when = f"near time {self.status_time[person]:.6g}"
        states = self.model.states
        state = states[place] if 0 <= place < len(states) else "unknown"
        if code == codes.STEP_TOO_SMALL:
            return f"the step size became too small {when}; the hardest state was {state}"
        if code == codes.NOT_FINITE:
            return f"state {state} or its rate was not a finite number {when}"
        if code == codes.TOO_MANY_STEPS:
            return f"too many steps: {self.steps[person]} up to time {self.status_time[person]:.6g}"
        if code == codes.CANCELLED:
            return "cancelled"
        if code == codes.BAD_PARAMETER:
            return f"parameter {self.model.parameters[place]} was not a finite number"
        if code == codes.BAD_INITIAL:
            return f"the initial value of state {state} was not a finite number"
        if code == codes.EVENT_CHAIN:
            return f"events caused each other without end {when}"
        return f"a dose made state {state} not a finite number {when}"


def _run(
    job: _Job,
    threads: int,
    chunk: int,
    on_progress: Callable[[int, int], None] | None,
    cancel: threading.Event | None,
) -> None:
    from vagus.engine import integrate as codes

    job.status[:] = codes.CANCELLED  # until a person is done
    pieces = [(first, min(first + chunk, job.people)) for first in range(0, job.people, chunk)]
    done = 0
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="vagus-engine") as pool:
        running: set[Future[int]] = set()
        try:
            running = {pool.submit(job.run, first, last) for first, last in pieces}
            while running:
                finished, running = wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                done += sum(future.result() for future in finished)
                if finished and on_progress is not None:
                    on_progress(done, job.people)
                if cancel is not None and cancel.is_set():
                    job.flag[0] = 1
                    break
        except BaseException:
            job.flag[0] = 1
            raise
        finally:
            if job.flag[0]:
                for future in running:
                    future.cancel()
