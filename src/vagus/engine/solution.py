"""What goes into a simulation beside the model, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.engine.model import Model
from vagus.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Doses:
    """Amounts that are added to states at exact times.

    One entry of each sequence is one dose; their order does not matter. A dose acts from its time on: an output at
    that very time shows the state just before it. Doses outside ``[t_start, last output time)`` belong to another
    stretch and are not given.

    Attributes
    ----------
    person : sequence of int
        Place of the person (row of the parameters).
    time : sequence of float
        When, in the model's time.
    state : sequence of int or str
        Place or name of the state.
    amount : sequence of float
        What is added.
    """

    person: ArrayLike
    time: ArrayLike
    state: Sequence[int | str] | NDArray[np.int64]
    amount: ArrayLike


@dataclass(frozen=True)
class Inputs:
    """Parameters that take other values from one interval to the next.

    Attributes
    ----------
    starts : sequence of float, shape (m,)
        Start of each interval, ascending; the last one is open. Before the first start the person's own parameters
        hold.
    parameters : sequence of int or str, shape (k,)
        Places or names among the person's parameters.
    values : array, shape (n, m, k)
        Value of each person, interval and parameter.
    """

    starts: ArrayLike
    parameters: Sequence[int | str]
    values: ArrayLike


@dataclass(frozen=True)
class LaneReport:
    """How a population went through lanes, and how exact that was.

    Attributes
    ----------
    width, bits : int
        Lanes in a vector, and the precision of their numbers.
    rejected, evaluations : array of int, shape (n,)
        Steps that were rejected, and evaluations of the rates; zero for people that were handed over.
    stiff_steps : array of int, shape (n,)
        Steps of the stiff method; zero for people that were handed over.
    handed_over : int
        People that the scalar integrator did.
    audited : int
        People solved again, in double precision and with a much smaller tolerance; without any the errors are NaN.
    error : float
        99th percentile over the audited people, outputs and times of ``|y - exact| / (|exact| + largest / 1000)``,
        where the largest value is that of the output; values smaller than an output's given scale count as that.
    errors : dict of str to float
        The same for each output.
    ill_conditioned : int
        Audited people of whose own numbers more than one in a hundred is off by more than a hundredth, in double
        precision as well: any solver's last digits decide about them.
    single_error : float
        Error in single precision, where that was tried and found too large; NaN where it was not.
    """

    width: int
    bits: int
    rejected: Integers
    evaluations: Integers
    stiff_steps: Integers
    handed_over: int
    audited: int
    error: float
    errors: dict[str, float]
    ill_conditioned: int = 0
    single_error: float = float("nan")

    @property
    def sentence(self) -> str:
        """What a reader should know of it."""
        said = f"{self.width} lanes of {self.bits} bits; "
        if self.audited:
            said += f"99 % of the numbers of {self.audited} audited people within {self.error:.1g} of the exact ones; "
        stiff = np.count_nonzero(self.stiff_steps)
        return said + f"{stiff} people partly stiff, {self.handed_over} by the scalar integrator"


@dataclass(frozen=True)
class Solution:
    """Trajectories of many people.

    Attributes
    ----------
    outputs : tuple of str
        Names of the outputs.
    times : array, shape (m,)
        Output times.
    values : array, shape (n, m, number of outputs)
        Outputs; NaN after the time at which a person's integration failed.
    final_state : array, shape (n, S)
        States at the last output time; NaN for a person that failed.
    status : array of int, shape (n,)
        0 where all went well, else a code of `vagus.engine.integrate`.
    messages : tuple of str
        ``"ok"`` or a sentence, one a person.
    steps : array of int, shape (n,)
        Steps tried, of both methods.
    method : tuple of str
        ``explicit``, ``stiff`` or ``explicit and stiff``: which methods a person needed.
    lanes : LaneReport, optional
        Where lanes were used.
    """

    outputs: tuple[str, ...]
    times: Floats
    values: Floats
    final_state: Floats
    status: NDArray[np.int64]
    messages: tuple[str, ...]
    steps: NDArray[np.int64]
    method: tuple[str, ...]
    lanes: LaneReport | None = None

    def output(self, name: str) -> Floats:
        """Return one output over time, shape (n, m)."""
        return self.values[:, :, self.outputs.index(name)]


def methods(stiff_steps: Integers, steps: Integers) -> tuple[str, ...]:
    """Return which methods each person needed (see `Solution`)."""
    names = ("explicit", "stiff", "explicit and stiff")
    which = np.where(stiff_steps == 0, 0, np.where(stiff_steps == steps, 1, 2))
    return tuple(names[index] for index in which)


@dataclass(frozen=True)
class DoseTable:
    """Doses by person and time; those of person i stand from ``dose_offsets[i]`` up to ``dose_offsets[i + 1]``."""

    dose_offsets: Integers
    dose_times: Floats
    dose_states: Integers
    dose_amounts: Floats


@dataclass(frozen=True)
class InputTable:
    """Inputs with places instead of names."""

    input_starts: Floats
    input_places: Integers
    input_values: Floats


def _places(names: Sequence[int | str] | NDArray[np.int64], find: Callable[[str], int], count: int) -> Integers:
    array = np.asarray(names)
    if array.dtype.kind in "iu":
        places = array.astype(np.int64)
    else:
        called = [str(name) for name in array.ravel().tolist()]
        known = {name: find(name) for name in sorted(set(called))}
        places = np.array([known[name] for name in called], dtype=np.int64)
    if np.any((places < 0) | (places >= count)):
        raise InputError(f"A place must lie between 0 and {count - 1}")
    return places.reshape(array.shape)


def read_doses(model: Model, doses: Doses | None, people: int) -> DoseTable:
    """Check and sort doses.

    Raises
    ------
    InputError
        Lists of different lengths, a person that does not exist, a time that is not finite.
    ModelError
        A state that the model does not have.
    """
    if doses is None:
        nothing = np.zeros(0)
        return DoseTable(np.zeros(people + 1, dtype=np.int64), nothing, np.zeros(0, dtype=np.int64), nothing)
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
    return DoseTable(offsets, time[order], state[order], amount[order])


def rows_of(people: dict[str, NDArray[Any]], rows: Integers) -> dict[str, NDArray[Any]]:
    """Return the arrays of some people, in their order: parameters, initial states, doses and inputs."""
    offsets = people["dose_offsets"]
    counts = np.diff(offsets)[rows]
    places = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in rows] or [np.zeros(0)])
    doses = {name: people[name][places.astype(np.int64)] for name in ("dose_times", "dose_states", "dose_amounts")}
    own = {name: np.ascontiguousarray(people[name][rows]) for name in ("parameters", "initial", "input_values")}
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return {**people, **own, **doses, "dose_offsets": ends}


def read_inputs(model: Model, inputs: Inputs | None, people: int) -> InputTable:
    """Check inputs.

    Raises
    ------
    InputError
        Starts that do not ascend, values of another shape.
    ModelError
        A parameter that the model does not have.
    """
    if inputs is None:
        return InputTable(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((people, 0, 0)))
    starts = np.ascontiguousarray(inputs.starts, dtype=np.float64)
    values = np.ascontiguousarray(inputs.values, dtype=np.float64)
    places = _places(inputs.parameters, model.parameter_index, len(model.parameters))
    if starts.ndim != 1 or not np.isfinite(starts).all() or np.any(np.diff(starts) <= 0):
        raise InputError("Starts of the inputs' intervals must be finite and ascend")
    if values.shape != (people, len(starts), len(places)):
        raise InputError(f"Values of the inputs must have the shape {(people, len(starts), len(places))}")
    return InputTable(starts, places, values)
