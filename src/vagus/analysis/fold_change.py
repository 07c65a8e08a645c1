"""Geometric-mean fold change within an arm."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vagus.analysis.ancova import LEVEL, loggable, pseudo_count
from vagus.analysis.cases import Cases
from vagus.analysis.estimate import EffectEstimate
from vagus.analysis.request import Request

#: Normal quantile of the 95 % interval, as such fold changes are printed in the field.
Z = 1.96


def fold_change(request: Request, cases: Cases, arms: Sequence[str]) -> tuple[EffectEstimate, ...]:
    """Estimate exp(mean of ln((value + c)/(baseline + c))) of each arm, with a normal interval.

    c is 2e-4 as a fraction for shares of reads, 0 for other outcomes (whose zeros are set aside and counted). A change
    within an arm holds drift and regression to the mean: it is no effect of the product.

    Parameters
    ----------
    request : Request
        What to estimate; the reference is ``baseline``.
    cases : Cases
        Complete cases.
    arms : sequence of str
        Not used: each arm stands alone.

    Returns
    -------
    tuple of EffectEstimate
        One an arm of the request. `df` is None and p is normal; `details` has the t interval.
    """
    from scipy import stats

    added = pseudo_count(request.outcome)
    cases = loggable(cases, added)
    plus = f" + {added:g}" if added else ""
    method = f"geometric mean of (value{plus})/(baseline{plus}) within the arm, normal interval (1.96)"
    found = []
    for arm in request.arms:
        chosen = cases.frame[cases.frame["arm"] == arm]
        n = len(chosen)
        if reason := cases.too_few([arm]):
            found.append(request.cannot(arm, "fold_change", reason, n, method=method))
            continue
        value, baseline = chosen["value"].to_numpy(dtype=np.float64), chosen["baseline"].to_numpy(dtype=np.float64)
        logs = np.log((value + added) / (baseline + added))
        mean, se = float(logs.mean()), float(logs.std(ddof=1)) / math.sqrt(n)
        details = {
            "n_by_arm": {arm: n},
            "missing_by_arm": {arm: cases.missing[arm]},
            "set_aside_by_arm": {arm: cases.set_aside[arm]},
        }
        if se <= 1e-12:
            reason = "Everybody changed by the same factor: an interval cannot be computed."
            estimate = math.exp(mean)
            found.append(
                request.cannot(arm, "fold_change", reason, n, estimate=estimate, method=method, details=details)
            )
            continue
        quantile = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))
        t_interval = {
            "t_ci_low": math.exp(mean - quantile * se),
            "t_ci_high": math.exp(mean + quantile * se),
            "t_df": n - 1,
            "t_p_value": float(2 * stats.t.sf(abs(mean / se), n - 1)),
        }
        both = {**details, **t_interval}
        found.append(request.log_normal(arm, "fold_change", mean, se, Z, n, method=method, details=both))
    return tuple(found)
