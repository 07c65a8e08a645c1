"""Whether what cannot be negative stays so: the typical adult and drawn people, under products and stress."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vagus import engine
from vagus.model import ComposedModel, draw_uncertain, people_rows
from vagus.model.units import read_unit
from vagus.model.variables import variable_tables
from vagus.population import Cohort
from vagus.population.parameters import draw_parameters
from vagus.rng import stream
from vagus.simulation.people import begin, load_axis, settle
from vagus.simulation.regimen import USUAL_HOUR
from vagus.simulation.typical import typical_cohort

SEED, RTOL = 0, 1e-6
#: Length and grid (days), people beside the typical adult, draws beside the central values.
DAYS, STEP_D, PEOPLE, DRAWS = 21, 1 / 12, 4, 3
#: Dose into every oral state, in its own unit: several times what is taken of sugars.
DOSE = 20.0
#: A value counts as negative below minus this share of the largest value of its state: rounding of the integrator.
ROUNDING = 1e-6
#: Coordinates of the body clock: an oscillation around zero.
SIGNED = ("circ_x", "circ_xc")
#: How widely the compositions of the drawn people differ from the typical one: SD of the log share.
SHARE_SD = 1.0


@dataclass(frozen=True)
class Lowest:
    """The lowest value of a state over everybody and all times, as a share of its largest."""

    state: str
    value: float
    share: float

    @property
    def negative(self) -> bool:
        """Whether it is below zero by more than rounding."""
        return not self.share >= -ROUNDING


def positive_states(axis: ComposedModel, start: dict[str, float]) -> tuple[str, ...]:
    """Return the states that cannot be negative.

    These are all amounts and concentrations, and the relative ones: without a unit and above zero at the start. Times
    and shifts in standard deviations may have either sign.
    """
    table = variable_tables(tuple(name for name in axis.submodels if name in axis.library.names), axis.library)
    units = dict(zip(table["variable"], table["unit"], strict=True))
    found = []
    for name in start:
        unit = units.get(name, "1")
        kinds = {kind for kind, _, _ in read_unit(unit)}
        physical = bool(kinds - {"second"})
        relative = not kinds and unit != "SD" and start[name] > 0
        if (physical or relative) and name not in SIGNED:
            found.append(name)
    return tuple(found)


def lowest_values(axis: ComposedModel) -> tuple[tuple[Lowest, ...], tuple[str, ...]]:
    """Simulate the typical adult and drawn people, all under large doses, under the central values and draws of them.

    Returns
    -------
    lowest : tuple of Lowest
        Every state that cannot be negative, the lowest first.
    failed : tuple of str
        What was said where somebody could not be simulated.
    """
    people = settle(_mixed_cohort(axis), axis=axis)
    base = load_axis(axis)
    outputs = [*base.outputs, *(name for name in base.states if name not in base.outputs)]
    model = engine.load(axis.sbml, base.parameters, outputs)
    rows = np.arange(people.cohort.n)
    starts = [begin(people, model, draw_uncertain(axis.parameters, SEED, draw), 0.0, rows) for draw in range(1 + DRAWS)]
    initial = np.concatenate([start.initial for start in starts])
    times = np.arange(0.0, DAYS, STEP_D)
    solution = engine.simulate(
        model,
        np.concatenate([start.parameters for start in starts]),
        initial,
        0.0,
        times,
        doses=_large_doses(model, len(initial)),
        rtol=RTOL,
    )
    problems = [problem for start in starts for problem in start.problems]
    said = [problem or text for problem, text in zip(problems, solution.messages, strict=True)]
    usable = np.array([text == "ok" for text in said])
    found = []
    for name in positive_states(axis, dict(zip(model.states, initial[0].tolist(), strict=True))):
        values = solution.values[usable][:, :, model.outputs.index(name)]
        low = float(values.min(initial=np.inf))
        found.append(Lowest(name, low, low / max(float(np.abs(values).max(initial=0.0)), 1e-300)))
    failed = tuple(dict.fromkeys(text for text in said if text != "ok"))
    return tuple(sorted(found, key=lambda item: item.share)), failed


def _mixed_cohort(axis: ComposedModel) -> Cohort:
    """Return the typical adult and people with drawn parameters and compositions."""
    cohort = typical_cohort(axis, 1 + PEOPLE)
    drawn = draw_parameters(people_rows(axis.parameters), cohort.subject_ids[1:], SEED)
    own = pd.concat([cohort.parameters.iloc[:1], drawn[cohort.parameters.columns]])
    shares = cohort.guild_fractions.copy()
    shares[1:] *= np.exp(SHARE_SD * stream(SEED, "model", "positivity").standard_normal(shares[1:].shape))
    return replace(cohort, parameters=own, guild_fractions=shares / shares.sum(axis=1, keepdims=True))


def _large_doses(model: engine.Model, n: int) -> engine.Doses:
    """Return a large dose into every oral state of everybody at eight o'clock on every day."""
    states = [name for name in model.states if name.startswith("oral_")]
    person, day, state = (
        grid.ravel() for grid in np.meshgrid(range(n), range(DAYS), range(len(states)), indexing="ij")
    )
    names = [states[place] for place in state]
    return engine.Doses(person, day + USUAL_HOUR / 24, names, np.full(len(names), DOSE))
