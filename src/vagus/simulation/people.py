"""Virtual people made ready for the engine: drawn values, own baseline, own body clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import ModelError
from vagus.model import ComposedModel, compose
from vagus.population import Cohort
from vagus.simulation.ecology import solve_colon
from vagus.simulation.immune_rest import solve_immune_rest
from vagus.simulation.own_rest import settle_own

Array = NDArray[np.float64]

#: Parts that set a person's body clock before the trial; at rest nothing else acts on them.
CLOCK_PARTS = ("hpa", "sleep")
CLOCK_DAYS = 42
#: Step tolerance of that; the set points are then within 1e-7 of those at 1e-10.
CLOCK_RTOL = 1e-5
CLOCK_MEAN_DAYS = 7
#: States that hold a moment in model time.
CLOCK_MARKS = ("t_wake", "t_onset", "t_cbtmin")
MEANS = (
    "means",
    """
model submodel_means()
  x1_crh = 1; x2_acth = 1; x3_cort = 1;
  x1_sum' = x1_crh;
  x2_sum' = x2_acth;
  x3_sum' = x3_cort;
  x1_sum = 0; x2_sum = 0; x3_sum = 0;
end
""",
)
LARGEST_RESIDUAL = 1e-6
#: Classes of body mass index (WHO).
#: Age that the model's typical adult has (`age_decades` is zero).
MIDDLE_AGE_YEARS = 40.0
OVERWEIGHT_KG_M2, OBESE_KG_M2 = 25.0, 30.0
#: What is read from the trajectories, beside the states.
OUTPUTS = [
    "X_bact",
    "X_starch",
    "X_bifhmo",
    "X_bifadult",
    "X_butyr",
    "X_lacuse",
    "X_entero",
    "X_probif",
    "X_prolac",
    "acetate_mM",
    "propionate_mM",
    "butyrate_mM",
    "lactate_mM",
    "tscfa_mM",
    "colon_pH",
    "bif_fraction",
    "microbes_g_d",
    "gas_ml_d",
    "co2_mmol_d",
    "h2_mmol_d",
    "lps_potency",
    "barrier",
    "lps_flux",
    "lps_ng_kg",
    "tnf_pg_ml",
    "tnf_assay_pg_ml",
    "il6_pg_ml",
    "il8_pg_ml",
    "il10_pg_ml",
    "crp_rel",
    "stress",
    "lps_bound_share",
    "vitamin_d_nmol_l",
    "vitamin_d_sleep_effect",
    "magnesium_mmol_l",
    "magnesium_latency_effect",
    "magnesium_sleep_effect",
    "ktr_rel",
    "tph1_rel",
    "trp_rel",
    "gut_5ht_rel",
    "brain_5ht_rel",
    "vagal_tone",
    "rmssd_ms",
    "gland_p",
    "gland_a",
    "cort_day_rel",
    "car_0",
    "car_15",
    "car_30",
    "car_45",
    "car_60",
    "t_wake",
    "t_onset",
    "tst_h",
    "dlmo_h",
    "cbtmin_h",
    "awakening_rate",
    "mood_shift",
    "mood_shift_mech",
    "mood_shift_direct",
    "placebo_mood",
    "placebo_sleep",
    "placebo_ibs",
    "sleep_shift",
    "ibs_shift",
    "sleep_latency_min",
    "sleep_latency_felt_min",
    "waso_min",
    "sleep_shift_mech",
    "sleep_shift_direct",
    "ibs_shift_mech",
    "ibs_shift_direct",
    "gas_passages_d",
    "bloating_shift",
    "breath_h2_rel",
    "stool_form",
    "stools_d",
]


@dataclass(frozen=True)
class People:
    """A cohort ready to be simulated.

    Attributes
    ----------
    cohort : Cohort
        Who they are.
    axis : ComposedModel
        The model that they are simulated with.
    clock_states : dict
        States of the clock parts at model day 0 -> (n,).
    clock_values : dict
        Personal set points (``x1_bar, x2_bar, x3_bar, tst0_h``) -> (n,).
    problems : tuple of str
        Length n; empty, or why a person's body clock could not be found.
    """

    cohort: Cohort
    axis: ComposedModel
    clock_states: dict[str, Array]
    clock_values: dict[str, Array]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """Parameters and initial states of some people under one parameter draw.

    Attributes
    ----------
    parameters : numpy.ndarray
        Shape (n, P) in the order of `parameter_names`.
    initial : numpy.ndarray
        Shape (n, S) in the order of the engine's states.
    problems : tuple of str
        Length n; empty, or why a person cannot be simulated.
    """

    parameters: Array
    initial: Array
    problems: tuple[str, ...]


def parameter_names(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the constants that differ between people or draws; all others are compiled in."""
    varying = (table["distribution"] != "") | (table["varies_between"] == "people")
    return tuple(table.loc[varying, "parameter"])


def load_axis(axis: ComposedModel) -> engine.Model:
    """Return the engine's form of the whole axis."""
    missing = [name for name in OUTPUTS if name not in axis.owner]
    if missing:
        raise ModelError(f"The model must compute {', '.join(missing)}, which is read from its results; it does not.")
    baseline = [name for name in baseline_names(axis.parameters).values() if name not in OUTPUTS]
    return engine.load(axis.sbml, parameter_names(axis.parameters), [*OUTPUTS, *dict.fromkeys(baseline)])


@dataclass(frozen=True)
class Clock:
    """The clock parts of an axis alone, ready for the engine.

    Attributes
    ----------
    axis : ComposedModel
        The model that they are parts of.
    model : vagus.engine.Model
        Their engine form.
    values : dict of str to float
        Constants of everybody who has no own.
    """

    axis: ComposedModel
    model: engine.Model
    values: dict[str, float]


def load_clock(axis: ComposedModel) -> Clock:
    """Return the clock parts of an axis for `settle`, where many cohorts are settled with one model."""
    clock = clock_model(axis)
    model = engine.load(clock.sbml, parameter_names(clock.parameters), ["x1_sum", "x2_sum", "x3_sum", "tst_h"])
    return Clock(axis, model, _table_values(clock.parameters) | {"glands_move": 0.0})


def settle(
    cohort: Cohort,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: Event | None = None,
    axis: ComposedModel | None = None,
    clock: Clock | None = None,
) -> People:
    """Find every person's own body clock and hormone set points before the trial.

    The clock parts of `axis` (the shipped one by default), or `clock` from `load_clock`, alone run for six weeks with
    the gland masses held; the last week gives the personal daily means of CRH, ACTH and cortisol (the set points of the
    glands) and the usual sleep.
    """
    clock = clock or load_clock(axis or compose())
    model = clock.model
    parameters = _matrix(model.parameters, clock.values, cohort)
    # Every midnight is an output, so that no stretch between two of them is long; the noons tell of the last sleep.
    times = np.arange(-2 * CLOCK_DAYS + 1, 1) / 2
    initial = model.initial_values(parameters)
    for name in CLOCK_MARKS:
        initial[:, model.states.index(name)] -= CLOCK_DAYS
    solution = engine.simulate(
        model,
        parameters,
        initial,
        -float(CLOCK_DAYS),
        times,
        rtol=CLOCK_RTOL,
        lanes="double",
        audited=0,
        threads=threads,
        on_progress=on_progress,
        cancel=cancel,
    )
    week = solution.values[:, -2 * CLOCK_MEAN_DAYS - 1 :]
    means = (week[:, -1, :3] - week[:, 0, :3]) / CLOCK_MEAN_DAYS
    states = {
        name: solution.final_state[:, index] for index, name in enumerate(model.states) if not name.endswith("_sum")
    }
    set_points = {"x1_bar": means[:, 0], "x2_bar": means[:, 1], "x3_bar": means[:, 2]}
    set_points["tst0_h"] = week[:, 1::2, 3].mean(axis=1)
    return People(cohort, clock.axis, states, set_points, _messages(solution))


def clock_model(axis: ComposedModel) -> ComposedModel:
    """Return the clock parts of an axis alone, with the values that were set in it."""
    names = set(compose(CLOCK_PARTS, (MEANS,), axis.library).parameters["parameter"])
    values = tuple((name, value) for name, value in axis.values.items() if name in names)
    return compose(CLOCK_PARTS, (MEANS,), axis.library, values)


def begin(
    people: People, model: engine.Model, drawn: Mapping[str, float], t_treat_start: float, rows: NDArray[np.int64]
) -> Start:
    """Solve the own baseline of some people under one parameter draw.

    Parameters
    ----------
    people : People
        From `settle`.
    model : vagus.engine.Model
        From `load_axis`.
    drawn : mapping
        Parameter draw: values that hold for everybody.
    t_treat_start : float
        Model day on which treatment starts.
    rows : numpy.ndarray
        Which people.
    """
    n = len(rows)
    values: dict[str, Array | float] = {
        **_table_values(people.axis.parameters),
        **drawn,
        "t_treat_start": t_treat_start,
    }
    own = people.cohort.parameters.iloc[rows]
    values |= {name: own[name].to_numpy(float) for name in own.columns if name in values}
    values |= {name: array[rows] for name, array in people.clock_values.items()}
    values |= from_covariates(people.cohort, rows)
    try:
        colon = solve_colon(people.cohort.guild_fractions[rows], values)
        immune, immune_residual = solve_immune_rest(values, n)
    except KeyError as error:  # a user's own submodel without it
        raise ModelError(f"The model must have the constant {error}, which each baseline is solved with.") from None
    values |= colon.weights
    known = colon.states | immune | {name: array[rows] for name, array in people.clock_states.items()}
    names = baseline_names(people.axis.parameters)
    parameters, initial = _baseline(model, names, values, known, n)
    unsettled = ("",) * n
    if people.axis.library.own:
        owner = people.axis.owner
        clock = [name for name in model.states if owner[name] in CLOCK_PARTS]
        parameters, initial, unsettled = settle_own(
            model,
            lambda values, known: _baseline(model, names, values, known, n),
            values,
            known,
            clock,
            [name for name in people.axis.states if owner[name] in people.axis.library.own and name not in clock],
            people.cohort.guild_fractions[rows],
        )
    problems = []
    finite = np.isfinite(own.to_numpy(float))
    for index, row in enumerate(rows):
        sentence = people.problems[row] or unsettled[index]
        if not sentence and not finite[index].all():
            sentence = f"parameter {own.columns[int(np.argmin(finite[index]))]} was not a finite number"
        if not sentence and not colon.residual[index] <= LARGEST_RESIDUAL:
            sentence = "no steady state of the colon with this baseline composition was found"
        if not sentence and not immune_residual[index] <= LARGEST_RESIDUAL:
            sentence = "no resting state of the immune system was found"
        problems.append(sentence)
    return Start(parameters, initial, tuple(problems))


def from_covariates(cohort: Cohort, rows: NDArray[np.int64]) -> dict[str, Array]:
    """Return what the model reads of age and weight; nothing of what is not known."""
    found = {}
    if "age_years" in cohort.covariates:
        found["age_decades"] = (cohort.covariates["age_years"].to_numpy(float)[rows] - MIDDLE_AGE_YEARS) / 10
    if "bmi_kg_m2" in cohort.covariates:
        bmi = cohort.covariates["bmi_kg_m2"].to_numpy(float)[rows]
        found["overweight"] = ((bmi >= OVERWEIGHT_KG_M2) & (bmi < OBESE_KG_M2)).astype(float)
        found["obese"] = (bmi >= OBESE_KG_M2).astype(float)
    return found


def baseline_names(table: pd.DataFrame) -> dict[str, str]:
    """Return the constants that are a variable's value at the own baseline: constant -> variable."""
    rows = table[(table["distribution"] == "derived") & (table["spread"] != "")]
    return dict(zip(rows["parameter"], rows["spread"], strict=True))


def _baseline(
    model: engine.Model,
    names: Mapping[str, str],
    values: Mapping[str, Array | float],
    known: Mapping[str, Array],
    n: int,
) -> tuple[Array, Array]:
    """Return parameters and initial states in which every baseline constant equals its variable at the start.

    One such constant may enter the variable of another, so the values are filled in until they stand still.
    """
    parameters = np.column_stack([np.broadcast_to(values[name], (n,)) for name in model.parameters]).astype(float)
    places = {model.parameters.index(name): variable for name, variable in names.items()}
    for _ in range(len(places) + 1):
        initial = model.initial_values(parameters)
        for name, array in known.items():
            initial[:, model.states.index(name)] = array
        outputs = engine.evaluate(model, parameters, initial).outputs
        before = parameters.copy()
        for place, variable in places.items():
            parameters[:, place] = outputs[:, model.outputs.index(variable)]
        if np.array_equal(before, parameters, equal_nan=True):
            break
    return parameters, initial


def _table_values(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["parameter"], table["value"], strict=True))


def _matrix(names: tuple[str, ...], values: Mapping[str, float], cohort: Cohort) -> Array:
    own = cohort.parameters
    columns = [own[name].to_numpy(float) if name in own else np.full(cohort.n, values[name]) for name in names]
    return np.column_stack(columns)


def _messages(solution: engine.Solution) -> tuple[str, ...]:
    return tuple("" if code == 0 else message for code, message in zip(solution.status, solution.messages, strict=True))
