"""Expected effects with their uncertainty.

Both potential outcomes of every virtual person are simulated, so the true effect of a parameter draw is known without
any test. Draw 0 (the central values) uses everybody; the other draws use the same few people in each draw, and only
the *difference* from draw 0 in those people is taken over to the whole cohort. That keeps chance differences between
people out of the uncertainty about parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import engine
from vagus.analysis.ancova import pseudo_count
from vagus.model import draw_uncertain
from vagus.model.couplings import Node, nodes
from vagus.observation import expected
from vagus.protocol import PlannedAnalysis, Protocol
from vagus.simulation import People, Precision, Stack, Trajectories, Work
from vagus.simulation.numerics import audited_places
from vagus.simulation.trial import check_stop, choose_precision, simulate_arms, simulate_draws, stack_arms
from vagus.trial import outcome

Array = NDArray[np.float64]

#: Methods whose effect is a ratio; their uncertainty is handled on the log scale.
RATIOS = ("log_ancova", "fold_change", "negative_binomial")


@dataclass(frozen=True)
class Effect:
    """The true effect of one contrast under each parameter draw.

    Attributes
    ----------
    planned : PlannedAnalysis
        The analysis that estimates it.
    arm, reference : str
        Arm, and what it is compared with (an arm, or ``baseline``).
    log : bool
        Whether the numbers are natural logs of ratios.
    central : float
        Effect with the central parameters, all people.
    draws : numpy.ndarray
        Shape (d,), effect under each further draw.
    person_sd : float
        SD between people of their own effect, central parameters.
    """

    planned: PlannedAnalysis
    arm: str
    reference: str
    log: bool
    central: float
    draws: Array
    person_sd: float

    @property
    def all_draws(self) -> Array:
        """Draws of the effect, with the central one where there are no others."""
        return self.draws if len(self.draws) else np.array([self.central])

    @property
    def mean(self) -> float:
        """Expected effect."""
        return float(self.all_draws.mean())

    @property
    def parameter_sd(self) -> float:
        """SD of the effect over parameter draws (0 with fewer than two)."""
        return float(self.draws.std(ddof=1)) if len(self.draws) > 1 else 0.0


@dataclass(frozen=True)
class Prediction:
    """All effects of a plan, and the axis behind them.

    Attributes
    ----------
    effects : tuple of Effect
        In the order of the plan.
    trajectories : dict of str to Trajectories
        Central parameters, everybody under every arm.
    truth : pandas.DataFrame
        Central parameters: ``subject_id, arm, visit, outcome, value`` without measurement noise.
    axis : dict of str to dict of str to numpy.ndarray
        Arm -> node -> change against the control at the end of treatment in SD between people, one value a draw.
    bands : dict of str to dict of str to numpy.ndarray
        Variable -> arm -> shape (d, t), mean over the cohort in each draw.
    draws : int
        Parameter draws beside the central one.
    failed : int
        Simulations of a person under an arm that failed.
    simulated : int
        Simulations in all.
    people_per_draw : int
        People simulated in each further draw.
    days : numpy.ndarray
        Shape (t,), days of the bands counted as visits are: 0 is the last noon before treatment.
    precision : Precision, optional
        Of all simulations, from an audit of some of them.
    work : Work
        What the engine did.
    """

    effects: tuple[Effect, ...]
    trajectories: dict[str, Trajectories]
    truth: pd.DataFrame
    axis: dict[str, dict[str, Array]]
    bands: dict[str, dict[str, Array]]
    draws: int
    failed: int
    simulated: int
    people_per_draw: int = 0
    days: Array = field(default_factory=lambda: np.empty(0))
    precision: Precision | None = None
    work: Work = field(default_factory=Work)


#: Simulations of further draws that the engine is given at once: enough to fill its lanes, few enough for memory.
SIMULATIONS_AT_ONCE = 1024
#: Variables whose course is kept from every draw.
BANDS = (
    *("bif_fraction", "tscfa_mM", "il6_pg_ml", "car_30"),
    *("mood_shift_mech", "mood_shift_direct", "sleep_shift_mech", "sleep_shift_direct"),
    *("ibs_shift_mech", "ibs_shift_direct"),
    *("vitamin_d_nmol_l", "magnesium_mmol_l"),
)


def predict(
    people: People,
    model: engine.Model,
    protocol: Protocol,
    *,
    seed: int,
    draws: int,
    people_per_draw: int,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: Event | None = None,
) -> Prediction:
    """Simulate the cohort under every arm, and some of it under every parameter draw.

    Parameters
    ----------
    people : People
        From `vagus.simulation.settle`.
    model : vagus.engine.Model
        From `vagus.simulation.load_axis`.
    protocol : Protocol
        The trial.
    seed : int
        Seed of the run.
    draws : int
        Parameter draws beside the central one.
    people_per_draw : int
        People simulated in each of them.
    threads : int
        Threads of the engine; the bits do not depend on it.
    on_progress : callable, optional
        Called with simulations done and in all.
    cancel : threading.Event, optional
        Stops the engine; `vagus.errors.Cancelled` is raised.

    Returns
    -------
    Prediction
    """
    arms = list(protocol.arms)
    some = np.arange(min(people_per_draw, people.cohort.n))
    in_all = len(arms) * (people.cohort.n + draws * len(some))
    finished = 0
    work = Work(threads=threads)
    sample = _sample(people, model, protocol, seed, draws, some, cancel)
    precision = choose_precision(model, sample, protocol, work, cancel)
    how: dict[str, Any] = {"lanes": precision.lanes, "threads": threads, "work": work, "cancel": cancel}

    def advance(done: int, _: int) -> None:
        if on_progress is not None:
            on_progress(finished + done, in_all)

    table = people.axis.parameters
    central = simulate_arms(
        people,
        model,
        protocol,
        draw_uncertain(table, seed, 0),
        seed=seed,
        on_progress=advance,
        **how,
    )
    finished = len(arms) * people.cohort.n
    truth = expected(protocol, people.cohort, central, seed)
    subset = {arm: course.take(some.tolist()) for arm, course in central.items()}
    subset_truth = truth[truth["subject_id"].isin([people.cohort.subject_ids[row] for row in some])]
    contrasts = _contrasts(protocol)
    sub = _Truth(subset_truth)
    base = {key: sub.effect(*key)[0] for key in contrasts}
    shifts: list[dict[tuple[PlannedAnalysis, str], float]] = []
    axis: dict[str, dict[str, list[float]]] = {
        arm: {node.node: [] for node in nodes()} for arm in arms if arm != protocol.control
    }
    bands: dict[str, dict[str, list[Array]]] = {name: {arm: [] for arm in arms} for name in BANDS}
    failed = _failures(central)
    together = max(1, SIMULATIONS_AT_ONCE // max(1, len(arms) * len(some)))
    for first in range(1, draws + 1, together):
        drawn = [draw_uncertain(table, seed, draw) for draw in range(first, min(first + together, draws + 1))]
        found = simulate_draws(people, model, protocol, drawn, seed=seed, rows=some, on_progress=advance, **how)
        finished += len(arms) * len(some) * len(drawn)
        for course in found:
            failed += _failures(course)
            true = _Truth(expected(protocol, people.cohort, course, seed))
            shifts.append({key: true.effect(*key)[0] - base[key] for key in contrasts})
            _collect(axis, bands, axis_changes(protocol, course), course)
    if not draws:
        _collect(axis, bands, axis_changes(protocol, subset), subset)
    effects = []
    everybody = _Truth(truth)
    for key in contrasts:
        planned, arm = key
        whole, spread = everybody.effect(planned, arm)
        own = np.array([whole + shift[key] for shift in shifts])
        effects.append(Effect(planned, arm, planned.reference, planned.method in RATIOS, whole, own, spread))
    return Prediction(
        effects=tuple(effects),
        trajectories=central,
        truth=truth,
        axis={arm: {node: np.array(values) for node, values in rows.items()} for arm, rows in axis.items()},
        bands={
            name: {arm: _carry_over(np.array(rows), name, central[arm], subset[arm]) for arm, rows in by_arm.items()}
            for name, by_arm in bands.items()
        },
        draws=draws,
        failed=failed,
        simulated=in_all,
        people_per_draw=len(some),
        days=next(iter(central.values())).days + 0.5 - protocol.schedule.run_in_days,
        precision=precision,
        work=work,
    )


def _sample(
    people: People,
    model: engine.Model,
    protocol: Protocol,
    seed: int,
    draws: int,
    some: NDArray[np.int64],
    cancel: Event | None,
) -> Stack:
    """Return the simulations that are audited, spread evenly over the whole cohort and all draws."""
    arms, everybody = list(protocol.arms), np.arange(people.cohort.n)
    central = len(arms) * len(everybody)
    stacks = []
    for place in audited_places(central + draws * len(arms) * len(some)):
        check_stop(cancel)
        draw, place_in_draw = (0, place) if place < central else divmod(place - central, len(arms) * len(some))
        who = everybody if place < central else some
        arm, person = divmod(place_in_draw, len(who))
        drawn = draw_uncertain(people.axis.parameters, seed, int(draw) + (place >= central))
        row = who[person : person + 1]
        stacks.append(stack_arms(people, model, protocol, drawn, seed=seed, arms=[arms[arm]], rows=row))
    return Stack.join(stacks)


def axis_changes(protocol: Protocol, course: Mapping[str, Trajectories]) -> dict[str, dict[str, float]]:
    """Return each arm's mean change of every node against the control at the end of treatment, in SD between people."""
    if not protocol.control:
        return {}
    end = protocol.schedule.treat_days
    control = {node.node: _level(course[protocol.control], node, end) for node in nodes()}
    return {
        arm: {node.node: _mean(_level(one, node, end) - control[node.node]) / node.sd for node in nodes()}
        for arm, one in course.items()
        if arm != protocol.control
    }


def _contrasts(protocol: Protocol) -> list[tuple[PlannedAnalysis, str]]:
    return [(planned, arm) for planned in protocol.plan for arm in planned.arms if arm != planned.reference]


class _Truth:
    """Expected values by outcome, arm and visit, people in one order."""

    def __init__(self, truth: pd.DataFrame) -> None:
        self.visits: dict[str, str] = {}
        self.values: dict[tuple[str, str, str], Array] = {}
        people: list[str] | None = None
        for key, rows in truth.groupby(["outcome", "arm", "visit"], sort=False):
            measured, arm, visit = (str(part) for part in key)
            self.visits.setdefault(measured, visit)
            who = rows["subject_id"].tolist()
            if people is not None and who != people:
                raise ValueError("every outcome must hold the same people in the same order")
            people = who
            self.values[measured, arm, visit] = rows["value"].to_numpy(float)

    def effect(self, planned: PlannedAnalysis, arm: str) -> tuple[float, float]:
        """Return the mean true effect of one contrast and the SD between people of their own effects."""
        name = planned.outcome
        after = self.values[name, arm, planned.visit]
        if planned.reference == "baseline":
            before = self.values[name, arm, self.visits[name]]
        else:
            before = self.values[name, planned.reference, planned.visit]
        if planned.method in ("fold_change", "log_ancova"):
            offset = pseudo_count(outcome(name))
            own = np.log((after + offset) / (before + offset))
        elif planned.method == "negative_binomial":
            own = np.log(after / before)
            return float(np.log(_mean(after) / _mean(before))), _spread(own)
        else:
            own = after - before
        return _mean(own), _spread(own)


def _spread(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.std(ddof=1)) if len(finite) > 1 else 0.0


def _level(course: Trajectories, node: Node, day: float) -> Array:
    value = course.at_visit(node.variable, day)
    return np.log(value) if node.transform == "log" else value


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _failures(course: Mapping[str, Trajectories]) -> int:
    return sum(sentence != "ok" for one in course.values() for sentence in one.status)


def _carry_over(rows: Array, name: str, everybody: Trajectories, some: Trajectories) -> Array:
    """Move each draw's mean course of a few people to the whole cohort, by their common course under draw 0."""
    shift = np.nanmean(everybody.daily(name), axis=0) - np.nanmean(some.daily(name), axis=0)
    return np.asarray(rows + shift, dtype=np.float64)


def _collect(
    axis: Mapping[str, Mapping[str, list[float]]],
    bands: Mapping[str, Mapping[str, list[Array]]],
    changes: Mapping[str, Mapping[str, float]],
    course: Mapping[str, Trajectories],
) -> None:
    for arm, by_node in changes.items():
        for node, value in by_node.items():
            axis[arm][node].append(value)
    for name, by_arm in bands.items():
        for arm, one in course.items():
            by_arm[arm].append(np.nanmean(one.daily(name), axis=0))


def shares(effect: Effect, trial_se: float, measured_sd: float, true_sd: float) -> dict[str, float]:
    """Split the variance of a trial's estimate: parameters, people over time, measurement and moment.

    What wanders for days or longer (mood, trait) belongs to people over time; what differs from one hour or sample to
    the next (answers, assays, cortisol of a morning, one stool) to measurement and moment.

    Parameters
    ----------
    effect : Effect
        The contrast.
    trial_se : float
        Standard error of one trial of this size.
    measured_sd, true_sd : float
        SD between people of the measured and of the true change in one arm.

    Returns
    -------
    dict of str to float
        Shares that sum to 1.
    """
    parameter = effect.parameter_sd**2
    noise = max(measured_sd**2 - true_sd**2, 0.0) / measured_sd**2 if measured_sd > 0 else 0.0
    whole = parameter + trial_se**2
    if not np.isfinite(whole) or whole <= 0:
        return {}
    return {
        "parameters": parameter / whole,
        "people over time": (1 - noise) * trial_se**2 / whole,
        "measurement and moment": noise * trial_se**2 / whole,
    }


def quantiles(values: Array, probabilities: Sequence[float]) -> list[float]:
    """Return quantiles of the finite values."""
    finite = values[np.isfinite(values)]
    return [float(np.quantile(finite, p)) if len(finite) else float("nan") for p in probabilities]
