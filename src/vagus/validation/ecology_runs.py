"""Virtual people with a colon and nothing else: trials, untreated days, stool in a vessel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import ModelError
from vagus.model import ComposedModel, compose, draw_uncertain, people_rows
from vagus.observation.assays import StoolAcids
from vagus.observation.noise import factor
from vagus.observation.people import People
from vagus.observation.stool import BIFIDOBACTERIUM, OUTCOME, StoolSequencing
from vagus.population import Cohort, draw_cohort, figures
from vagus.protocol import Population, product
from vagus.rng import stream
from vagus.simulation import Trajectories
from vagus.simulation.ecology import solve_colon
from vagus.simulation.people import LARGEST_RESIDUAL, parameter_names
from vagus.simulation.regimen import USUAL_HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: One person's regimen: product -> grams a day.
Daily = Mapping[str, float]

SEED = 20
RTOL = 1e-5
POPULATION = "healthy-adults"
#: What is read beside the states.
OUTPUTS = ("acetate_mM", "propionate_mM", "butyrate_mM", "colon_pH", "h2_mmol_d")
BIFIDOBACTERIA = ("X_bifhmo", "X_bifadult")
#: Constants that make the colon a closed vessel, and their values there.
VESSEL = {"intake_scale": 0.0, "inflow_MP": 0.0, "k_absorb_scfa": 0.0, "k_absorb_la_pd": 0.0, "immigration_g_d": 0.0}
NO_WASH_OUT_D = 1e9


@dataclass(frozen=True)
class _Wanted:
    """What `vagus.population.draw_cohort` reads of a protocol."""

    population: Population


@dataclass(frozen=True)
class Lab:
    """A pool of virtual people and the colon model that they are simulated with.

    Attributes
    ----------
    axis : ComposedModel
        The submodel colon alone; serotonin is at rest.
    model : vagus.engine.Model
        Its engine form.
    cohort : Cohort
        The pool.
    """

    axis: ComposedModel
    model: engine.Model
    cohort: Cohort


@cache
def open_lab(people: int) -> Lab:
    """Compose the colon and draw a pool of healthy adults.

    Parameters
    ----------
    people : int
        Size of the pool that each virtual trial draws its people from.
    """
    axis = compose(("colon",))
    names = dict.fromkeys((*parameter_names(axis.parameters), *VESSEL))
    model = engine.load(axis.sbml, tuple(names), [*axis.states, *OUTPUTS])
    protocol = _Wanted(Population(source=POPULATION, n=people, baseline_microbiome="", entry={}))
    return Lab(axis, model, draw_cohort(protocol, people_rows(axis.parameters), SEED))


@dataclass(frozen=True)
class Start:
    """People at their own baseline under one parameter draw.

    Attributes
    ----------
    lab : Lab
    rows : numpy.ndarray
        Who, as places in the pool.
    parameters, initial : numpy.ndarray
        One row a person, in the order of the engine's parameters and states.
    """

    lab: Lab
    rows: Ints
    parameters: Floats
    initial: Floats

    def take(self, places: Ints) -> Start:
        """Return some of the people, each as often as named."""
        return Start(self.lab, self.rows[places], self.parameters[places], self.initial[places])


def begin(lab: Lab, n: int, replicate: int, purpose: str) -> Start:
    """Draw parameters and n people, and solve their own baselines.

    Parameters
    ----------
    lab : Lab
    n : int
        People of the virtual trial.
    replicate : int
        Number of the parameter draw (0: the central values) and of the sample of people.
    purpose : str
        Name of the check, which names the stream.

    Raises
    ------
    ModelError
        A baseline composition of which the colon has no steady state.
    """
    rows = stream(SEED, "ecology", purpose, replicate).choice(lab.cohort.n, n, replace=n > lab.cohort.n)
    table = lab.axis.parameters
    values: dict[str, Floats | float] = dict(zip(table["parameter"], table["value"], strict=True))
    values |= draw_uncertain(table, SEED, replicate)
    own = lab.cohort.parameters.iloc[rows]
    values |= {name: own[name].to_numpy(float) for name in own.columns}
    colon = solve_colon(lab.cohort.guild_fractions[rows], values)
    if not colon.residual.max() <= LARGEST_RESIDUAL:
        raise ModelError(f"No steady state of the colon for a person of the pool (draw {replicate}, {purpose}).")
    values |= colon.weights
    parameters = np.column_stack([np.broadcast_to(values[name], (n,)) for name in lab.model.parameters]).astype(float)
    initial = lab.model.initial_values(parameters)
    for name, array in colon.states.items():
        initial[:, lab.model.states.index(name)] = array
    return Start(lab, rows.astype(np.int64), parameters, initial)


def substrates(daily: Daily) -> dict[str, float]:
    """Return what products bring into the colon, grams a day by state (``oral_OS``)."""
    found: dict[str, float] = {}
    for name, grams in daily.items():
        for state, amount in product(name).added(grams).items():
            found[state] = found.get(state, 0.0) + amount
    return found


def treat(
    start: Start,
    regimens: Sequence[Daily],
    days: int,
    last_day: int,
    taken: NDArray[np.bool_] | None = None,
    hours: Sequence[float] = (USUAL_HOUR,),
) -> Trajectories:
    """Simulate one untreated day, then `days` of each person's own regimen, then the rest without.

    Parameters
    ----------
    start : Start
        n people.
    regimens : sequence of mapping
        Length n.
    days, last_day : int
        Length of treatment, and last day to simulate, both from the start of treatment.
    taken : numpy.ndarray of bool, optional
        Shape (n, days); which days each person takes the product on. All by default.
    hours : sequence of float
        Clock hours over which a day's amount is spread.

    Returns
    -------
    Trajectories
        Noon values; `at_visit` counts from the start of treatment.
    """
    person: list[int] = []
    time: list[float] = []
    state: list[str] = []
    amount: list[float] = []
    cache_of: dict[tuple[tuple[str, float], ...], dict[str, float]] = {}
    for who, daily in enumerate(regimens):
        key = tuple(daily.items())
        given = cache_of.setdefault(key, substrates(daily))
        when = np.arange(days) if taken is None else np.flatnonzero(taken[who])
        for name, grams in given.items():
            for hour in hours:
                person += [who] * len(when)
                time += (1 + when + hour / 24).tolist()
                state += [name] * len(when)
                amount += [grams / len(hours)] * len(when)
    doses = engine.Doses(np.array(person), np.array(time), state, np.array(amount)) if person else None
    noons = np.arange(1 + last_day, dtype=np.float64) + 0.5
    values = _simulate(start, noons, doses)
    ids = tuple(f"P{place}" for place in range(len(start.rows)))
    return Trajectories(ids, "own", 1.0, noons, tuple(start.lab.model.outputs), values, ("ok",) * len(ids))


def _simulate(start: Start, times: Floats, doses: engine.Doses | None) -> Floats:
    done = engine.simulate(start.lab.model, start.parameters, start.initial, 0.0, times, doses=doses, rtol=RTOL)
    if done.status.any():
        failed = int(np.flatnonzero(done.status)[0])
        raise ModelError(f"The colon of a virtual person could not be simulated: {done.messages[failed]}")
    return done.values


class Stools:
    """Stools of simulated people, with the fluctuation and the counting error of the observation layer.

    Parameters
    ----------
    start : Start
    course : Trajectories
        Of the same people.
    seed : int
        Seed of the noise.
    technology : str
        See `vagus.observation.technologies`.
    """

    def __init__(self, start: Start, course: Trajectories, seed: int, technology: str = "V4") -> None:
        n = len(start.rows)
        self._people = People(
            _renamed(start.lab.cohort, start.rows),
            np.arange(n),
            np.arange(n),
            course,
            course.run_in_days,
            float(course.days[-1]),
            seed,
        )
        self._sequencing = StoolSequencing(self._people, technology)
        self._acids = StoolAcids(self._people)

    def bifidobacterium_pct(self, days: Sequence[float]) -> Floats:
        """Return the observed share of reads on several days in the order of time, shape (n, days)."""
        return np.column_stack([self._sequencing.observe(f"day {day:g}", day)[OUTCOME] for day in days])

    def acid_mmol_kg(self, acid: str, days: Sequence[float]) -> Floats:
        """Return the assayed concentration of one acid on several days, shape (n, days)."""
        name = f"faecal_{acid}_mmol_kg"
        return np.column_stack([self._acids.observe(f"day {day:g}", day)[name] for day in days])

    def log10_counts(self, days: Sequence[float]) -> Floats:
        """Return log10 of the bifidobacteria in the colon with the fluctuation of one stool, shape (n, days).

        Cultures and probes count cells a gram; the volume of the colon is constant here, so changes are comparable.
        """
        grams = sum(np.column_stack([self._people.at_visit(name, day) for day in days]) for name in BIFIDOBACTERIA)
        sd = _fluctuation()
        z = np.column_stack([self._people.draws("stool_counts", f"day {day:g}", 1)[:, 0] for day in days])
        return np.asarray(np.log10(grams) + np.log10(factor(z, sd)))


@cache
def _fluctuation() -> float:
    """Return the SD of ln Bifidobacterium from stool to stool in one person."""
    known = figures(POPULATION)
    return float(known.within_sd[known.genera.index(BIFIDOBACTERIUM)])


def _renamed(cohort: Cohort, rows: Ints) -> Cohort:
    """Return the chosen people as a cohort of their own; someone chosen twice is two persons to the noise."""
    ids = tuple(f"P{place}" for place in range(len(rows)))
    return replace(
        cohort,
        subject_ids=ids,
        candidate_ids=ids,
        covariates=cohort.covariates.iloc[rows].set_axis(list(ids)),
        parameters=cohort.parameters.iloc[rows].set_axis(list(ids)),
        genus_fractions=cohort.genus_fractions[rows],
        guild_fractions=cohort.guild_fractions[rows],
        slow=cohort.slow[rows],
        fast=cohort.fast[rows],
    )


def ferment(
    start: Start, added: Daily, grams_per_l: float, hours: Sequence[float], dilution: float
) -> dict[str, Floats]:
    """Simulate diluted colon contents in a closed vessel: no inflow, no wash-out, no absorption.

    Parameters
    ----------
    start : Start
        n donors.
    added : mapping
        Products and their parts by weight; only what reaches the colon counts.
    grams_per_l : float
        What is added, in grams a liter of the vessel.
    hours : sequence of float
        When the vessel is read, ascending.
    dilution : float
        Share of colon contents in the vessel.

    Returns
    -------
    dict of str to numpy.ndarray
        Output -> shape (n, hours).
    """
    model = start.lab.model
    parameters, initial = start.parameters.copy(), start.initial * dilution
    for name, value in (VESSEL | {"transit_d": NO_WASH_OUT_D}).items():
        parameters[:, model.parameters.index(name)] = value
    liters = _constant(start, "vol_l")
    given = substrates(added)
    whole = sum(given.values())
    for name, grams in given.items():
        state = name.replace("oral_", "S_")
        initial[:, model.states.index(state)] += grams / whole * grams_per_l * liters
    values = _simulate(Start(start.lab, start.rows, parameters, initial), np.asarray(hours) / 24, None)
    return {name: values[:, :, place] for place, name in enumerate(model.outputs)}


def _constant(start: Start, name: str) -> Floats | float:
    if name in start.lab.model.parameters:
        return start.parameters[:, start.lab.model.parameters.index(name)]
    table = start.lab.axis.parameters
    return float(table.loc[table["parameter"] == name, "value"].iloc[0])
