"""The typical adult: every constant at the value of its row, the typical composition, the own baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import ModelError
from vagus.model import ComposedModel, compose, draw_uncertain, people_rows
from vagus.population import GUILDS, Cohort
from vagus.simulation.people import People, Start, begin, load_axis, settle


@dataclass(frozen=True)
class TypicalAdult:
    """One person ready to be simulated.

    Attributes
    ----------
    people : People
        The person as a cohort of one.
    model : vagus.engine.Model
        The axis.
    start : Start
        Constants and states at model day 0, treatment from that day on.
    """

    people: People
    model: engine.Model
    start: Start

    @property
    def constants(self) -> dict[str, float]:
        """Constants of this person that are not those of the tables: drives, set points, the own baseline."""
        return dict(zip(self.model.parameters, self.start.parameters[0].tolist(), strict=True))

    @property
    def states(self) -> dict[str, float]:
        """States at model day 0, with what events set."""
        return dict(zip(self.model.states, self.start.initial[0].tolist(), strict=True))


def typical_adult(axis: ComposedModel | None = None) -> TypicalAdult:
    """Return the typical adult of an axis (the shipped one by default) at the exact own baseline.

    Raises
    ------
    ModelError
        The model has no rest before the trial.
    """
    axis = axis or compose()
    people = settle(typical_cohort(axis), axis=axis)
    model = load_axis(axis)
    start = begin(people, model, draw_uncertain(axis.parameters, 0, 0), 0.0, np.arange(1))
    if start.problems[0]:
        raise ModelError(f"The typical adult cannot be started: {start.problems[0]}.")
    return TypicalAdult(people, model, start)


def typical_cohort(axis: ComposedModel, n: int = 1) -> Cohort:
    """Return n copies of the typical adult: person parameters at the values of their rows.

    The composition is the one that the submodel colon starts with when it runs alone.
    """
    rows = people_rows(axis.parameters)
    ids = [f"S{index + 1:03d}" for index in range(n)]
    return Cohort(
        source="typical",
        seed=0,
        subject_ids=tuple(ids),
        covariates=pd.DataFrame(index=ids),
        parameters=pd.DataFrame(np.tile(rows["value"].to_numpy(float), (n, 1)), index=ids, columns=rows["parameter"]),
        genera=(),
        genus_guild=(),
        genus_fractions=np.ones((n, 0)),
        guild_fractions=np.tile(typical_shares(axis), (n, 1)),
        scales=(),
        slow=np.zeros((n, 0)),
        fast=np.zeros((n, 0)),
        screened=n,
        screening=pd.DataFrame(index=ids),
        screening_day=0.0,
    )


def typical_shares(axis: ComposedModel) -> NDArray[np.float64]:
    """Return the shares of the guilds that the submodel colon starts with when it runs alone, shape (8,)."""
    names = [f"X_{guild}" for guild in GUILDS]
    model = engine.load(axis.sbml, (), names)
    masses = engine.evaluate(model, np.zeros((1, 0)), model.initial_values(np.zeros((1, 0)))).outputs[0]
    return np.asarray(masses / masses.sum())
