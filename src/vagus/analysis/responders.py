"""Responders of an arm against those of its control: the control arm's own drift is the yardstick."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.analysis.cases import Cases
from vagus.analysis.estimate import EffectEstimate
from vagus.analysis.request import Request
from vagus.trial.vocabulary import Outcome, Threshold


def responders(
    request: Request, cases: Cases, arms: Sequence[str], threshold: Threshold | None = None
) -> tuple[EffectEstimate, ...]:
    """Estimate differences between the shares of responders.

    A responder is one person whose change in the good direction reaches the threshold. Such people are there in every
    arm by chance and regression to the mean, so a share is only ever compared with the control's, never reported alone.

    Parameters
    ----------
    request : Request
        What to estimate; its reference must be an arm.
    cases : Cases
        Complete cases.
    arms : sequence of str
        Not used: each comparison has two arms.
    threshold : Threshold, optional
        Change that makes a responder; that of the vocabulary by default.

    Returns
    -------
    tuple of EffectEstimate
        Difference of two shares (0 to 1) with Newcombe's interval (1998, method 10) and Fisher's exact p; `details` has
        the counts and the conditional odds ratio with its exact interval.
    """
    threshold = threshold or request.outcome.responder
    statistic = "risk_difference"
    reason = ""
    if request.reference == "baseline":
        reason = "Responders must be compared with a control arm; within one arm their share holds drift and chance."
    elif request.outcome.benefit == "none":
        reason = f"{request.outcome.label} has no direction that is good for everybody, so nobody can respond."
    elif threshold is None:
        reason = f"No change of one person that matters is known for {request.outcome.label}; nobody can respond."
    if reason or threshold is None:
        return tuple(request.cannot(arm, statistic, reason) for arm in request.arms)
    unit = "% of the own baseline" if threshold.kind == "within-person-percent" else request.outcome.unit
    method = (
        f"share with a good change of {threshold.value:g} {unit} or more ({threshold.source}), difference from the "
        "control's share, Newcombe interval, Fisher's exact p"
    )
    hits = is_responder(cases.frame, request.outcome, threshold)
    found = []
    for arm in request.arms:
        if problem := cases.too_few([request.reference, arm]):
            found.append(request.cannot(arm, statistic, problem, method=method))
            continue
        own = hits[(cases.frame["arm"] == arm).to_numpy()]
        control = hits[(cases.frame["arm"] == request.reference).to_numpy()]
        found.append(_compare(request, cases, arm, own, control, method))
    return tuple(found)


def is_responder(frame: pd.DataFrame, outcome: Outcome, threshold: Threshold) -> NDArray[np.bool_]:
    """Return who changed by at least the threshold in the good direction.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``baseline, value``.
    outcome : Outcome
        Says which direction is good.
    threshold : Threshold
        Size of the change.
    """
    sign = 1.0 if outcome.benefit == "higher" else -1.0
    baseline = frame["baseline"].to_numpy(dtype=np.float64)
    change = sign * (frame["value"].to_numpy(dtype=np.float64) - baseline)
    needed = np.full(len(frame), threshold.value)
    if threshold.kind == "within-person-percent":
        # A baseline of zero leaves nothing to lose: nobody responds from there.
        needed = np.where(baseline > 0, baseline * threshold.value / 100, np.inf)
    return np.asarray(change >= needed - 1e-9)


def _compare(
    request: Request,
    cases: Cases,
    arm: str,
    own: NDArray[np.bool_],
    control: NDArray[np.bool_],
    method: str,
) -> EffectEstimate:
    from scipy import stats

    hits, n, control_hits, control_n = int(own.sum()), len(own), int(control.sum()), len(control)
    share, control_share = hits / n, control_hits / control_n
    low, high = newcombe_interval(hits, n, control_hits, control_n)
    table = np.array([[hits, n - hits], [control_hits, control_n - control_hits]])
    p_value = float(stats.fisher_exact(table).pvalue)
    details = {
        "n_by_arm": {arm: n, request.reference: control_n},
        "n_arm": n,
        "n_reference": control_n,
        "responders_arm": hits,
        "responders_reference": control_hits,
        "missing_by_arm": {name: cases.missing[name] for name in (arm, request.reference)},
        "set_aside_by_arm": {name: cases.set_aside[name] for name in (arm, request.reference)},
    }
    odds = stats.contingency.odds_ratio(table, kind="conditional")
    interval = odds.confidence_interval(0.95)
    details["odds_ratio"] = float(odds.statistic)
    details["odds_ratio_ci_low"], details["odds_ratio_ci_high"] = float(interval.low), float(interval.high)
    return EffectEstimate(
        estimand=request.estimand,
        outcome=request.outcome.id,
        arm=arm,
        contrast=request.reference,
        visit=request.visit,
        statistic="risk_difference",
        estimate=share - control_share,
        se=math.sqrt(share * (1 - share) / n + control_share * (1 - control_share) / control_n),
        ci_low=low,
        ci_high=high,
        df=None,
        p_value=p_value,
        n=n + control_n,
        method=method,
        details=details,
    )


def newcombe_interval(hits: int, n: int, control_hits: int, control_n: int) -> tuple[float, float]:
    """Return the 95 % interval of a difference of two shares (Newcombe 1998, method 10).

    It squares and adds the Wilson score intervals of the two shares, and stays inside -1 to 1.

    Examples
    --------
    >>> [round(bound, 4) for bound in newcombe_interval(56, 70, 48, 80)]  # table II (a) of the paper
    [0.0524, 0.3339]
    """
    share, control_share = hits / n, control_hits / control_n
    low, high = _wilson(hits, n)
    control_low, control_high = _wilson(control_hits, control_n)
    difference = share - control_share
    down = math.sqrt((share - low) ** 2 + (control_high - control_share) ** 2)
    up = math.sqrt((high - share) ** 2 + (control_share - control_low) ** 2)
    return difference - down, difference + up


def _wilson(hits: int, n: int) -> tuple[float, float]:
    from scipy.stats import norm

    z = float(norm.ppf(0.975))
    middle = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return middle - half, middle + half
