"""The rest of a model with a user's own submodels, for which no solution is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vagus import engine
from vagus.population import GUILDS

Array = NDArray[np.float64]
#: Values and known states -> parameters and initial states of all people.
Fill = Callable[[Mapping[str, Array | float], Mapping[str, Array]], tuple[Array, Array]]

MOST_ROUNDS, MOST_STEPS = 60, 60
#: Relative rate (1/day) below which a state is at rest: what is sought, and what still counts.
SETTLED, ALMOST_SETTLED = 1e-9, 1e-6
#: A state smaller than this is judged by this.
LEAST_SIZE = 1e-6
#: Largest relative distance of a guild's share from the person's.
FARTHEST_SHARE = 0.01
#: Relative distance of every share from the person's below which the composition counts as met.
MET = 1e-6
#: How a drive is corrected: a share answers its drive more than in proportion, by this power at first and at most.
FIRST_POWER, MOST_POWER = 4.0, 20.0
#: Model time at which rest is sought: a midnight when no treatment has begun.
BEFORE_THE_TRIAL = -1.0


def settle_own(
    model: engine.Model,
    fill: Fill,
    values: Mapping[str, Array | float],
    known: Mapping[str, Array],
    clock: Sequence[str],
    own: Sequence[str],
    shares: Array,
) -> tuple[Array, Array, tuple[str, ...]]:
    """Find steady states by Newton's method, starting at the rest of the shipped model.

    The drives of the guilds are adjusted until the composition is that of the person. What follows the body clock is
    never quite at rest and stays as it is.

    Parameters
    ----------
    model : vagus.engine.Model
        The axis.
    fill : callable
        Fills in the constants that are a variable's value at the own baseline.
    values : mapping
        Parameters, each a number or (n,).
    known : mapping
        Initial states, each (n,).
    clock, own : sequence of str
        States of the body clock, and of the user's own submodels.
    shares : numpy.ndarray
        Shape (n, 8), the people's composition in the order of `GUILDS`.

    Returns
    -------
    parameters, initial : numpy.ndarray
        Shapes (n, P) and (n, S).
    sentences : tuple of str
        Length n; empty, or why no rest was found.
    """
    values, known = dict(values), dict(known)
    guilds = [name for name in GUILDS if f"X_{name}" in model.states and f"w_{name}" in values]
    target = shares[:, [GUILDS.index(name) for name in guilds]] if guilds else np.ones((len(shares), 1))
    parameters, initial = fill(values, known)
    followers = _followers(model, parameters, initial, clock)
    resting = [name for name in model.states if name not in clock and (name in own or name not in followers)]
    places = [model.states.index(name) for name in resting]
    moving: set[str] = set()
    drives: list[tuple[Array, Array]] = []
    for _ in range(MOST_ROUNDS):
        masses = np.column_stack([initial[:, model.states.index(f"X_{name}")] for name in guilds] or [target])
        wanted = target * masses.sum(axis=1, keepdims=True)
        off = np.divide(wanted, masses, out=np.ones_like(masses), where=(wanted > 0) & (masses > 0))
        rates = engine.evaluate(model, parameters, initial, BEFORE_THE_TRIAL).rates[:, places]
        left = np.abs(rates) / np.maximum(np.abs(initial[:, places]), LEAST_SIZE)
        if left.max() < SETTLED and np.abs(off - 1).max() < MET:
            break
        pull = _pull(drives, off)
        drives.append((np.log(off), pull * np.log(off)))
        moving |= {name for place, name in enumerate(resting) if left[:, place].max() >= SETTLED}
        step = np.exp(drives[-1][1])
        values |= {f"w_{name}": values[f"w_{name}"] * step[:, place] for place, name in enumerate(guilds)}
        parameters, initial = fill(values, known)
        asked = [name for name in resting if name in moving]
        solved = engine.steady_state(model, parameters, initial, asked, t=BEFORE_THE_TRIAL, iterations=MOST_STEPS)
        known |= {name: solved.states[:, model.states.index(name)] for name in asked}
        parameters, initial = fill(values, known)
    sentences = (
        "no rest before the trial was found with this model's own submodels"
        if not rate < ALMOST_SETTLED
        else "the model's own submodels do not settle at the person's baseline composition"
        if gone
        else ""
        for rate, gone in zip(left.max(axis=1), np.abs(off - 1).max(axis=1) > FARTHEST_SHARE, strict=True)
    )
    return parameters, initial, tuple(sentences)


def _pull(drives: list[tuple[Array, Array]], off: Array) -> Array | float:
    """Return the exponent of the next correction: from how far the last one moved each share."""
    if not drives:
        return 1 / FIRST_POWER
    before, step = drives[-1]
    moved = before - np.log(off)
    power = np.divide(moved, step, out=np.full_like(off, FIRST_POWER), where=np.abs(step) > MET)
    return 1 / np.clip(power, 1.0, MOST_POWER)


def _followers(model: engine.Model, parameters: Array, initial: Array, clock: Sequence[str]) -> set[str]:
    """Return the states whose rate moves with the body clock: they are never quite at rest."""
    places = [model.states.index(name) for name in clock]
    moved = initial.copy()
    moved[:, places] = 1.1 * moved[:, places] + 0.01
    before, after = (engine.evaluate(model, parameters, states).rates for states in (initial, moved))
    return {name for place, name in enumerate(model.states) if not np.array_equal(before[:, place], after[:, place])}
