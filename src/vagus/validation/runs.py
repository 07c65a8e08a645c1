"""Runs of published models and of the library's submodels, one person at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus import engine, resources
from vagus.errors import ModelError
from vagus.model import antimony_to_sbml, compose

Floats = NDArray[np.float64]
Outputs = tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """Outputs of one person over time.

    Attributes
    ----------
    times : array
        In the model's time unit.
    values : dict of str to array
        Output -> its course.
    """

    times: Floats
    values: dict[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        return self.values[name]

    def peak(self, name: str) -> tuple[float, float]:
        """Return the highest value of an output and its time."""
        place = int(self.values[name].argmax())
        return float(self.values[name][place]), float(self.times[place])

    def at(self, name: str, time: float) -> float:
        """Return the value of an output at a time, straight between the times of the course."""
        return float(np.interp(time, self.times, self.values[name]))


def run_published(
    name: str,
    times: ArrayLike,
    outputs: Sequence[str],
    changes: Mapping[str, float] | None = None,
    *,
    start_factors: Mapping[str, float] | None = None,
    rtol: float = 1e-7,
) -> Course:
    """Run a published model.

    Parameters
    ----------
    name : str
        Folder in ``model/published``.
    times : array
        Output times in the model's own unit, ascending.
    outputs : sequence of str
        What to return.
    changes : mapping of str to float, optional
        Constants that take another value.
    start_factors : mapping of str to float, optional
        States that start at so many times their own start.
    rtol : float
        Relative tolerance of one step.

    Raises
    ------
    ModelError
        The integration failed.
    """
    given = dict(changes or {})
    model = _published(name, tuple(given), tuple(outputs))
    start = model.initial_values(_row(model, given))[0]
    far = {state: factor * start[model.state_index(state)] for state, factor in (start_factors or {}).items()}
    return _course(model, given, far, times, rtol)


def run_library(
    submodels: Sequence[str],
    times: ArrayLike,
    outputs: Sequence[str],
    changes: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    *,
    inputs: engine.Inputs | None = None,
    rtol: float = 1e-7,
) -> Course:
    """Run submodels of the library, joined to each other and else with the stand-alone values of their inputs.

    Parameters
    ----------
    submodels : sequence of str
    times : array
        Output times in days, ascending.
    outputs : sequence of str
    changes : mapping of str to float, optional
        Constants that take another value.
    start : mapping of str to float, optional
        States at the start, where they differ from the text's.
    inputs : engine.Inputs, optional
        Constants that change over time; each must stand in `changes`.
    rtol : float
        Relative tolerance of one step.

    Raises
    ------
    ModelError
        The integration failed.
    """
    given = dict(changes or {})
    model = _library(tuple(submodels), tuple(given), tuple(outputs))
    return _course(model, given, start or {}, times, rtol, inputs)


@cache
def _published(name: str, constants: Outputs, outputs: Outputs) -> engine.Model:
    text = resources.text("model", "published", name, "model.ant")
    return engine.load(antimony_to_sbml(text, name), constants, outputs)


@cache
def _library(submodels: Outputs, constants: Outputs, outputs: Outputs) -> engine.Model:
    return engine.load(compose(submodels).sbml, constants, outputs)


def _row(model: engine.Model, values: Mapping[str, float]) -> Floats:
    return np.array([values[name] for name in model.parameters], dtype=np.float64).reshape(1, len(model.parameters))


def _course(
    model: engine.Model,
    values: Mapping[str, float],
    start: Mapping[str, float],
    times: ArrayLike,
    rtol: float,
    inputs: engine.Inputs | None = None,
) -> Course:
    parameters = _row(model, values)
    initial = model.initial_values(parameters)
    for name, value in start.items():
        initial[0, model.state_index(name)] = value
    moments = np.asarray(times, dtype=np.float64)
    done = engine.simulate(model, parameters, initial, 0.0, moments, inputs=inputs, rtol=rtol)
    if done.status[0]:
        raise ModelError(f"Model {model.name} could not be run: {done.messages[0]}")
    return Course(moments, {name: done.output(name)[0] for name in done.outputs})
