"""Steady states of many people at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.engine.model import Model
from vagus.engine.reference import evaluate_nodes
from vagus.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LONGEST = 1e9  # time after which a person's step counts as Newton's own
FALLING = 0.95  # where the rates rise by more than this tells, the system is leaving an unstable state
LEAST_GAIN = 1.3  # growth of the time step where they do not
LEAST_SIZE = 1e-6  # a state smaller than this share of the people's largest is judged by that share


@dataclass(frozen=True)
class SteadyState:
    """Where rates vanish.

    Attributes
    ----------
    states : array, shape (n, S)
        All states; those that were not asked for are as in the guess.
    residual : array, shape (n,)
        Largest rate relative to the state's size, per unit of time.
    status : array of int, shape (n,)
        0 where the residual is within the tolerance.
    messages : tuple of str
        ``"ok"`` or a sentence.
    iterations : array of int, shape (n,)
    """

    states: Floats
    residual: Floats
    status: Integers
    messages: tuple[str, ...]
    iterations: Integers


def steady_state(
    model: Model,
    parameters: ArrayLike,
    guess: ArrayLike,
    states: Sequence[str] | None = None,
    *,
    t: float = 0.0,
    tolerance: float = 1e-10,
    iterations: int = 300,
    lower: float | None = None,
) -> SteadyState:
    """Find steady states by Newton's method, damped by a time step (pseudo-transient continuation).

    Far from the solution a step follows the system in time, so that it tends to the steady state that the person
    would settle in; near it the step is Newton's own.

    Parameters
    ----------
    model : Model
        From `load`.
    parameters : array, shape (n, P)
    guess : array, shape (n, S)
        Where to start; the states that are not asked for are held here.
    states : sequence of str, optional
        States whose rates shall vanish; all where not given.
    t : float
        Time at which the rates are taken.
    tolerance : float
        Largest relative rate per unit of time.
    iterations : int
        Most steps for one person.
    lower : float, optional
        Bound that no asked state may fall below; a step that would is shortened.

    Returns
    -------
    SteadyState
    """
    p = np.asarray(parameters, dtype=np.float64)
    y = np.array(guess, dtype=np.float64)
    if y.shape != (len(p), len(model.states)):
        raise InputError(f"The guess must have the shape {(len(p), len(model.states))}, got {y.shape}")
    asked = np.array([model.state_index(name) for name in (model.states if states is None else states)], dtype=np.int64)
    system = _System(model, asked, t, np.maximum(LEAST_SIZE * np.abs(y[:, asked]).max(axis=0, initial=0.0), 1e-12))
    residual = system.residual(y, p)
    used = np.zeros(len(p), dtype=np.int64)
    with np.errstate(all="ignore"):
        pace = system.first_pace(y, p, residual)
        for _ in range(iterations):
            open_ = np.flatnonzero(np.isfinite(residual) & (residual > tolerance) & (pace > 1e-14))
            if not len(open_):
                break
            used[open_] += 1
            step = system.step(y[open_], p[open_], pace[open_])
            trial = y[open_].copy()
            trial[:, asked] += step
            after = system.residual(trial, p[open_])
            good = np.isfinite(after) & (after < 2.0 * residual[open_])
            if lower is not None:
                good &= (trial[:, asked] >= lower).all(axis=1)
            gain = np.clip(residual[open_] / after, 0.5, 10.0)
            gain = np.where(gain < FALLING, gain, np.maximum(gain, LEAST_GAIN))
            taken = open_[good]
            y[taken] = trial[good]
            residual[taken] = after[good]
            pace[open_] = np.where(good, np.minimum(pace[open_] * gain, LONGEST), 0.2 * pace[open_])
    status = np.where(residual <= tolerance, 0, 1).astype(np.int64)
    messages = tuple(
        "ok" if code == 0 else f"no steady state found after {count} steps: relative rate {left:.3g} per unit of time"
        for code, count, left in zip(status, used, residual, strict=True)
    )
    return SteadyState(y, residual, status, messages, used)


class _System:
    """The asked rates and their Jacobian."""

    def __init__(self, model: Model, asked: Integers, t: float, size: Floats) -> None:
        self.graph, self.asked, self.t, self.size = model.graph, asked, t, size
        self.rates = [model.rates[i] for i in asked]
        self.slopes = [node for j in asked for node in model.graph.derivatives(self.rates, int(j))]

    def residual(self, y: Floats, p: Floats) -> Floats:
        rates = evaluate_nodes(self.graph, self.rates, self.t, y, p)
        relative: Floats = np.abs(rates) / np.maximum(np.abs(y[:, self.asked]), self.size)
        result: Floats = relative.max(axis=1, initial=0.0)
        return result

    def first_pace(self, y: Floats, p: Floats, residual: Floats) -> Floats:
        """Return the time step to begin with: short against the rates and against the fastest time scale."""
        count = len(self.asked)
        slopes = np.abs(evaluate_nodes(self.graph, self.slopes, self.t, y, p)).reshape(len(y), count, count)
        fastest = np.nan_to_num(slopes.sum(axis=1).max(axis=1, initial=0.0), nan=np.inf)
        pace: Floats = np.minimum(0.1 / np.maximum(residual, 1e-300), 0.3 / np.maximum(fastest, 1e-300))
        return np.clip(pace, 1e-12, LONGEST)

    def step(self, y: Floats, p: Floats, pace: Floats) -> Floats:
        """Return the step of one linear solve a person; zero where the matrix is singular."""
        count = len(self.asked)
        both = evaluate_nodes(self.graph, [*self.rates, *self.slopes], self.t, y, p)
        rates = both[:, :count]
        slopes = both[:, count:].reshape(len(y), count, count).transpose(0, 2, 1)
        matrix = np.where(np.isfinite(slopes), -slopes, 0.0)
        diagonal = np.arange(count)
        matrix[:, diagonal, diagonal] += 1.0 / pace[:, None]
        try:
            solved = np.linalg.solve(matrix, rates[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            solved = np.zeros_like(rates)
            for person in range(len(y)):
                try:
                    solved[person] = np.linalg.solve(matrix[person], rates[person])
                except np.linalg.LinAlgError:
                    continue
        return np.where(np.isfinite(solved), solved, 0.0)
