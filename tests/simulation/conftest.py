"""The typical virtual adult: every person parameter at its table value, the model's typical composition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from vagus import engine, simulation
from vagus.model import compose, draw_uncertain, people_rows
from vagus.population import Cohort
from vagus.protocol import Protocol, parse

TYPICAL_SHARES = (0.32, 0.30, 0.0044, 0.0436, 0.235, 0.085, 0.012, 0.0, 0.0)

TRIAL = """
vagus: 1
trial: {id: typical, title: typical adult, design: parallel}
population: {from: healthy-adults, n: 4, baseline_microbiome: {from: healthy-adults}}
arms:
  placebo: {maltodextrin: 5 g/day}
  fl5: {2FL: 5 g/day}
schedule: {run_in: 1 wk, treat: 6 wk, follow: 2 wk, visits: [0, 3, 6, 8] wk}
measures: {stool_16S: visits, BDI: visits}
estimands: {primary: {variable: BDI change at 6 wk, contrast: fl5 - placebo}}
analysis: {primary: ancova}
"""


def typical_cohort(n: int = 1) -> Cohort:
    """Return n copies of the typical adult."""
    rows = people_rows(compose().parameters)
    ids = tuple(f"S{index + 1:03d}" for index in range(n))
    parameters = pd.DataFrame(
        np.tile(rows["value"].to_numpy(float), (n, 1)), index=list(ids), columns=rows["parameter"]
    )
    return Cohort(
        source="typical",
        seed=1,
        subject_ids=ids,
        covariates=pd.DataFrame({"age_years": [40.0] * n}, index=list(ids)),
        parameters=parameters,
        genera=("Bifidobacterium",),
        genus_guild=("bifidobacteria",),
        genus_fractions=np.ones((n, 1)),
        guild_fractions=np.tile(TYPICAL_SHARES, (n, 1)),
        scales=("bdi",),
        slow=np.zeros((n, 1)),
        fast=np.zeros((n, 1)),
        screened=n,
        screening=pd.DataFrame(index=list(ids)),
        screening_day=-7.0,
        candidate_ids=ids,
    )


@pytest.fixture(scope="session")
def cohort_of() -> Callable[[int], Cohort]:
    """Return the function that makes n typical adults."""
    return typical_cohort


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return parse(TRIAL, "typical.yaml")


@pytest.fixture(scope="session")
def people() -> simulation.People:
    return simulation.settle(typical_cohort())


@pytest.fixture(scope="session")
def axis_model(people: simulation.People) -> engine.Model:
    return simulation.load_axis(people.axis)


@pytest.fixture(scope="session")
def courses(
    people: simulation.People, axis_model: engine.Model, protocol: Protocol
) -> dict[str, simulation.Trajectories]:
    drawn = draw_uncertain(people.axis.parameters, 1, 0)
    return simulation.simulate_arms(people, axis_model, protocol, drawn, seed=1)
