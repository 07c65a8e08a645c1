"""One typical infant over weeks: milk, colon, adhesion, infections, sleep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import engine, resources
from vagus.errors import InputError, ModelError
from vagus.model import ComposedModel, draw_uncertain
from vagus.model.infants import Feeding, compose_infant
from vagus.population import GUILDS
from vagus.simulation.ecology import solve_colon
from vagus.simulation.people import LARGEST_RESIDUAL, baseline_names, parameter_names

Array = NDArray[np.float64]
Baseline = Literal["typical", "bifidobacterium"]

#: Own multipliers of the norms. Their mean over infants is 1, and the typical infant has the norm, not the median.
AT_MEAN = {"ari_own": 1.0, "wakings_own": 1.0}
#: Oligosaccharides that the tried formula had (g/l): 2'-FL and LNnT (Puccio 2017).
TRIED_FORMULA = {"FL": 1.0, "LN": 0.5}
#: Oligosaccharides that a product may have: 2'-FL, LNnT, LNT, sialyllactoses.
SUGARS = ("FL", "LN", "LT", "SL")
FEEDS_PER_DAY = 6
#: Each week is read as the mean over its last day.
READINGS_PER_DAY = 8
DAYS_PER_MONTH = 365.25 / 12
RTOL = 1e-5
#: What the milk brings to the colon; the colon's steady state needs it.
MILK = ("inflow_OS", "inflow_MP")
OUTPUTS = (
    "age_d",
    "milk_l_d",
    "bif_fraction",
    "tscfa_mM",
    "lactate_mM",
    "colon_pH",
    "hmo_fed",
    "adhesion_airway",
    "adhesion_gut",
    "decoy",
    "unexplained_lrti",
    "ari_expected",
    "lrti_share",
    "antibiotic_share",
    "antipyretic_share",
    "infant_sleep_h",
    "wakings_per_night",
)


def run_infant(
    feeding: Feeding = "formula",
    product_g_l: Mapping[str, float] | None = None,
    *,
    weeks: int = 24,
    age_d: float = 14.0,
    baseline: Baseline = "typical",
) -> pd.DataFrame:
    """Run one typical infant with the tables' own values and the mean proneness to infections and wakings.

    Parameters
    ----------
    feeding : {"breast", "formula"}
        What the milk is.
    product_g_l : mapping of str to float, optional
        Oligosaccharides (`SUGARS`) added to each liter of milk, in g; none by default. `TRIED_FORMULA` is the formula
        of the one trial.
    weeks : int
        Length of the run.
    age_d : float
        Age at the start (days).
    baseline : {"typical", "bifidobacterium"}
        Mean composition of all infants so fed, or of those breast-fed ones whose stool is mostly Bifidobacterium.

    Returns
    -------
    pandas.DataFrame
        One row a week (index ``week``), columns `OUTPUTS`; counts and shares of infections are since the start.

    Raises
    ------
    InputError
        An unknown way of feeding, product or baseline, or an age outside the first year.
    ModelError
        No steady state of the colon, or the integration failed.
    """
    course = _courses(feeding, product_g_l or {}, weeks, age_d, baseline, 1, [0])[0]
    return pd.DataFrame(course, columns=list(OUTPUTS), index=pd.RangeIndex(1, weeks + 1, name="week"))


def compare_formula(
    product_g_l: Mapping[str, float] | None = None,
    *,
    weeks: int = 24,
    age_d: float = 14.0,
    draws: int = 100,
    seed: int = 1,
) -> pd.DataFrame:
    """Compare formula with and without oligosaccharides at the end of a run, with what is uncertain drawn anew.

    Parameters
    ----------
    product_g_l : mapping of str to float, optional
        As in `run_infant`; the formula of the trial by default.
    weeks, age_d
        As in `run_infant`.
    draws : int
        Parameter draws of the interval.
    seed : int
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        One row an output: ``without``, ``with_product`` and ``difference`` at the tables' values, and the middle 95 %
        of the differences over draws (``low``, ``high``). Draws in which the baseline composition cannot be a steady
        state contradict the data and are left out; ``attrs["draws"]`` counts those that are in.
    """
    if draws < 2:
        raise InputError(f"An interval needs 2 or more draws, got {draws}.")
    product = TRIED_FORMULA if product_g_l is None else product_g_l
    which = list(range(draws + 1))
    without, given = (
        _courses("formula", content, weeks, age_d, "typical", seed, which)[:, -1, :] for content in ({}, product)
    )
    difference = given - without
    low, high = np.nanquantile(difference[1:], [0.025, 0.975], axis=0)
    columns = {"without": without[0], "with_product": given[0], "difference": difference[0], "low": low, "high": high}
    result = pd.DataFrame(columns, index=pd.Index(OUTPUTS, name="output"))
    result.attrs["draws"] = int(np.isfinite(difference[1:, 0]).sum())
    return result


def _courses(
    feeding: Feeding,
    product_g_l: Mapping[str, float],
    weeks: int,
    age_d: float,
    baseline: Baseline,
    seed: int,
    draws: Sequence[int],
) -> Array:
    """Return the weekly means of the outputs under several parameter draws, shape (draws, weeks, outputs)."""
    if set(product_g_l) - set(SUGARS) or any(not 0 <= amount <= 20 for amount in product_g_l.values()):
        message = f"A product for infants must be g of {', '.join(SUGARS)} per liter of milk (0 to 20)"
        raise InputError(f"{message}, got {dict(product_g_l)}.")
    if weeks < 1 or age_d + 7 * weeks > 365:
        raise InputError(f"A run of an infant must end within the first year, got {weeks} weeks from day {age_d:g}.")
    axis, model = _load(feeding, float(age_d))
    shares = baseline_shares(feeding, age_d, baseline)
    drawn = [draw_uncertain(axis.parameters, seed, draw) for draw in draws]
    parameters, initial, possible = _begin(axis, model, shares, drawn)
    last = np.arange(1, weeks + 1) * 7.0 - 1.0
    times = (last[:, None] + (np.arange(READINGS_PER_DAY) + 0.5) / READINGS_PER_DAY).ravel()
    doses = _doses(model, parameters, product_g_l, np.arange(7 * weeks))
    solution = engine.simulate(model, parameters, initial, 0.0, times, doses=doses, rtol=RTOL)
    if solution.status.any():
        message = next(text for code, text in zip(solution.status, solution.messages, strict=True) if code)
        raise ModelError(f"The infant could not be simulated: {message}")
    values = solution.values[:, :, [model.outputs.index(name) for name in OUTPUTS]].copy()
    values[~possible] = np.nan
    return np.asarray(values.reshape(len(draws), weeks, READINGS_PER_DAY, len(OUTPUTS)).mean(axis=2))


def baseline_shares(feeding: Feeding, age_d: float, baseline: Baseline = "typical") -> Array:
    """Return the shares of the guilds at an age, in the order of `vagus.population.GUILDS`.

    Raises
    ------
    InputError
        An unknown baseline, or one that the data do not hold for this way of feeding.

    Examples
    --------
    >>> breast, formula = baseline_shares("breast", 60), baseline_shares("formula", 60)
    >>> round(float(breast.sum()), 3), bool((breast > formula)[GUILDS.index("bifhmo")])
    (1.0, True)
    """
    label = {"typical": feeding, "bifidobacterium": f"{feeding}_bifidobacterium"}.get(baseline, baseline)
    rows = [
        row for row in resources.rows("model", "library", "infant_feeding", "guilds.csv") if row["feeding"] == label
    ]
    if not rows:
        message = "Baseline must be typical, or bifidobacterium in breast-fed infants"
        raise InputError(f'{message}; got "{baseline}" and feeding "{feeding}".')
    month = age_d / DAYS_PER_MONTH
    edges = [float(row["to_month"]) for row in rows]
    row = rows[min(int(np.searchsorted(edges, month)), len(rows) - 1)]
    shares = np.array([float(row[name]) for name in GUILDS])
    return np.asarray(shares / shares.sum())


@cache
def _load(feeding: Feeding, age_d: float) -> tuple[ComposedModel, engine.Model]:
    axis = compose_infant(feeding, age_d)
    more = [*MILK, *baseline_names(axis.parameters).values()]
    return axis, engine.load(axis.sbml, parameter_names(axis.parameters), [*OUTPUTS, *dict.fromkeys(more)])


def _begin(
    axis: ComposedModel, model: engine.Model, shares: Array, drawn: Sequence[Mapping[str, float]]
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return parameters and states of infants whose own composition is the steady state at the start.

    A draw in which it cannot be one (the colon too acid for a guild that is there) is marked and gets the first one's.
    """
    n = len(drawn)
    table = axis.parameters
    values: dict[str, Array] = {
        name: np.array([one.get(name, value) for one in drawn], dtype=np.float64)
        for name, value in zip(table["parameter"], table["value"], strict=True)
    }
    values |= {name: np.full(n, value) for name, value in AT_MEAN.items()}

    def rows() -> Array:
        return np.column_stack([values[name] for name in model.parameters])

    def look(name: str, states: Array) -> Array:
        return np.asarray(engine.evaluate(model, rows(), states).outputs[:, model.outputs.index(name)])

    initial = model.initial_values(rows())
    milk = {name: look(name, initial) for name in MILK}
    with np.errstate(divide="ignore", invalid="ignore"):
        colon = solve_colon(np.tile(shares, (n, 1)), values | milk)
    possible = (colon.residual <= LARGEST_RESIDUAL) & np.isfinite(list(colon.weights.values())).all(axis=0)
    if not possible[0]:
        raise ModelError("No steady state of the infant's colon with this composition was found.")
    values |= {name: np.where(possible, array, array[0]) for name, array in colon.weights.items()}
    for name, array in colon.states.items():
        initial[:, model.states.index(name)] = np.where(possible, array, array[0])
    names = baseline_names(table)
    for _ in names:  # one such constant may enter the variable of another
        values |= {constant: look(variable, initial) for constant, variable in names.items()}
    return rows(), initial, possible


def _doses(
    model: engine.Model, parameters: Array, product_g_l: Mapping[str, float], days: NDArray[np.int64]
) -> engine.Doses | None:
    """Return what each feed brings of a product: its share of the day's milk."""
    amounts = {name: grams for name, grams in product_g_l.items() if grams > 0}
    if not amounts:
        return None
    states, milk = model.initial_values(parameters[:1]), model.outputs.index("milk_l_d")
    liters = [engine.evaluate(model, parameters[:1], states, float(day)).outputs[0, milk] for day in days]
    times = (days[:, None] + np.arange(FEEDS_PER_DAY) / FEEDS_PER_DAY).ravel()
    per_feed = np.repeat(np.array(liters) / FEEDS_PER_DAY, FEEDS_PER_DAY)
    n, count = len(parameters), len(times) * len(amounts)
    return engine.Doses(
        person=np.repeat(np.arange(n), count),
        time=np.tile(times, n * len(amounts)),
        state=[f"oral_{name}" for name in amounts for _ in times] * n,
        amount=np.tile(np.concatenate([grams * per_feed for grams in amounts.values()]), n),
    )
