"""Predictions in the form of results: the expected effect, and where a trial of this size would put it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.analysis import EffectEstimate
from vagus.analysis.planned import STATISTICS, estimand_name
from vagus.design.prediction import Effect, Prediction, quantiles, shares
from vagus.evidence import PublishedRow
from vagus.observation import loadings
from vagus.protocol import Protocol

#: Normal quantiles of 95 % and 50 % intervals.
Z95, Z50 = 1.959963984540054, 0.6744897501960817
#: Ends of the names of a shift's two parts -> what they are.
PATHS = {"mech": "known mechanisms", "direct": "direct, unexplained path"}


def predicted_estimates(
    protocol: Protocol,
    prediction: Prediction,
    simulated: tuple[EffectEstimate, ...],
    outcomes: pd.DataFrame,
    published: Mapping[tuple[str, str], PublishedRow],
) -> tuple[EffectEstimate, ...]:
    """Set every planned contrast's expected effect beside what was published.

    Parameters
    ----------
    protocol : Protocol
        The trial.
    prediction : Prediction
        True effects over parameter draws.
    simulated : tuple of EffectEstimate
        The planned analysis of one simulated trial; its standard errors say what a trial of this size can see.
    outcomes : pandas.DataFrame
        Outcomes of that simulated trial.
    published : mapping
        (arm, outcome) -> what the study reported.

    Returns
    -------
    tuple of EffectEstimate
        `estimate` is the mean of the true effect over parameter draws; `se` and the 95 % interval are those of the
        estimate that one trial of this size would give (parameters and sampling together), so `df` and `p_value` are
        empty. `details` holds the interval of the true effect alone, the simulated trial's own estimate, and for a
        questionnaire what of the effect the known mechanisms and the direct, unexplained path each bring, in SD of
        the scale's trait (mean and 95 % of the parameter draws).
    """
    by_key = {(item.estimand, item.outcome, item.arm, item.contrast, item.visit): item for item in simulated}
    sizes = protocol.arm_sizes()
    rows = []
    for effect in prediction.effects:
        planned = effect.planned
        name = estimand_name(planned)
        one = by_key.get((name, planned.outcome, effect.arm, effect.reference, planned.visit))
        trial_se = one.se if one is not None and math.isfinite(one.se) else 0.0
        whole = math.hypot(effect.parameter_sd, trial_se)
        true_low, true_high = quantiles(effect.all_draws, (0.025, 0.975))
        measured, true = _change_spread(outcomes, prediction.truth, effect)
        row = published.get((effect.arm, planned.outcome))
        n = sizes[effect.arm] + (sizes.get(effect.reference, 0) if effect.reference != "baseline" else 0)
        details: dict[str, Any] = {
            "true_effect_low": _back(true_low, effect.log),
            "true_effect_high": _back(true_high, effect.log),
            "central": _back(effect.central, effect.log),
            "ci50_low": _back(effect.mean - Z50 * whole, effect.log),
            "ci50_high": _back(effect.mean + Z50 * whole, effect.log),
            "sd_between_people": effect.person_sd,
            "uncertainty": shares(effect, trial_se, measured, true),
            "simulated_trial": None if one is None else _one_trial(one),
            "paths": _paths(protocol, prediction, effect),
        }
        rows.append(
            EffectEstimate(
                estimand=name,
                outcome=planned.outcome,
                arm=effect.arm,
                contrast=effect.reference,
                visit=planned.visit,
                statistic=STATISTICS[planned.method],
                estimate=_back(effect.mean, effect.log),
                se=whole,
                ci_low=_back(effect.mean - Z95 * whole, effect.log),
                ci_high=_back(effect.mean + Z95 * whole, effect.log),
                df=None,
                p_value=None,
                n=n,
                method=_method(prediction, trial_se),
                published=None if row is None else row.beside(),
                details=details,
            )
        )
    return tuple(rows)


def _method(prediction: Prediction, trial_se: float) -> str:
    text = f"expected true effect over {prediction.draws} parameter draws"
    return f"{text}; interval of one trial's estimate" if trial_se else f"{text}; interval of the true effect alone"


def _back(value: float, log: bool) -> float:
    return math.exp(value) if log else value


def _one_trial(one: EffectEstimate) -> dict[str, Any]:
    kept = ("estimate", "se", "ci_low", "ci_high", "df", "p_value", "p_adjusted", "n", "method")
    return {name: getattr(one, name) for name in kept}


def _paths(protocol: Protocol, prediction: Prediction, effect: Effect) -> dict[str, dict[str, float]] | None:
    loading = loadings().get(effect.planned.outcome)
    if loading is None:
        return None

    def course(part: str, arm: str, label: str) -> NDArray[np.float64]:
        at = np.flatnonzero(prediction.days == protocol.visit(label).day)[0]
        column: NDArray[np.float64] = prediction.bands[f"{loading.shift}_{part}"][arm][:, at]
        return column

    found = {}
    for part, name in PATHS.items():
        there = course(part, effect.arm, effect.planned.visit)
        if effect.reference == "baseline":
            here = course(part, effect.arm, protocol.schedule.visits[0].label)
        else:
            here = course(part, effect.reference, effect.planned.visit)
        change = loading.loading * (there - here)
        low, high = quantiles(change, (0.025, 0.975))
        found[name] = {"mean": float(change.mean()), "low": low, "high": high}
    return found


def _change_spread(outcomes: pd.DataFrame, truth: pd.DataFrame, effect: Effect) -> tuple[float, float]:
    """Return the SD between people of the measured and of the true change in the effect's arm, on its scale."""
    rows = outcomes[
        (outcomes["outcome"] == effect.planned.outcome)
        & (outcomes["arm"] == effect.arm)
        & (outcomes["visit"] == effect.planned.visit)
    ]
    known = truth[(truth["outcome"] == effect.planned.outcome) & (truth["arm"] == effect.arm)]
    wide = known.pivot_table(index="subject_id", columns="visit", values="value", sort=False)
    if effect.planned.visit not in wide or not len(rows) or wide.shape[1] < 2:
        return 0.0, 0.0
    before = wide.columns[wide.columns != effect.planned.visit][0]
    measured, true = (rows["value"], rows["baseline"]), (wide[effect.planned.visit], wide[before])
    if effect.log:
        positive = (rows["value"] > 0) & (rows["baseline"] > 0)
        measured = (np.log(rows["value"][positive]), np.log(rows["baseline"][positive]))
        true = (np.log(true[0]), np.log(true[1]))
    return float((measured[0] - measured[1]).std()), float((true[0] - true[1]).std())
