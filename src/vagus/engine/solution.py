"""What goes into a simulation beside the model, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


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
    """

    outputs: tuple[str, ...]
    times: Floats
    values: Floats
    final_state: Floats
    status: NDArray[np.int64]
    messages: tuple[str, ...]
    steps: NDArray[np.int64]
    method: tuple[str, ...]

    def output(self, name: str) -> Floats:
        """Return one output over time, shape (n, m)."""
        return self.values[:, :, self.outputs.index(name)]
