"""Analysis of covariance on the change, and on logarithms as a ratio of geometric means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.analysis.cases import Cases
from vagus.analysis.estimate import EffectEstimate
from vagus.analysis.request import Request
from vagus.trial.vocabulary import Outcome

#: Added to a share of reads before its logarithm (as a fraction), about one read in a shallow sample.
PSEUDO_FRACTION = 2e-4
LEVEL = 0.95


def pseudo_count(measured: Outcome) -> float:
    """Return what is added to values before their logarithm, in outcome units: 0 except for shares (in percent)."""
    return 100 * PSEUDO_FRACTION if measured.scale == "proportion" else 0.0


def loggable(cases: Cases, added: float) -> Cases:
    """Return the cases whose baseline and value have a logarithm after `added`; the others count as set aside."""
    return cases.keep((cases.frame["baseline"] + added > 0) & (cases.frame["value"] + added > 0))


def ancova(request: Request, cases: Cases, arms: Sequence[str]) -> tuple[EffectEstimate, ...]:
    """Estimate differences in change: change ~ baseline + arm, ordinary least squares, t intervals.

    Parameters
    ----------
    request : Request
        What to estimate.
    cases : Cases
        Complete cases.
    arms : sequence of str
        Arms of the model (all of the trial: one residual variance).

    Returns
    -------
    tuple of EffectEstimate
        One an arm of the request, on the outcome's scale.
    """
    frame = cases.frame
    change = (frame["value"] - frame["baseline"]).to_numpy(dtype=np.float64)
    baseline = frame["baseline"].to_numpy(dtype=np.float64)
    method = "ANCOVA: change ~ baseline + arm, least squares over all arms, t interval"
    return _fit(request, cases, arms, change, baseline, "difference", method)


def log_ancova(request: Request, cases: Cases, arms: Sequence[str]) -> tuple[EffectEstimate, ...]:
    """Estimate ratios of geometric means: ln value ~ ln baseline + arm, ordinary least squares, t intervals.

    A share of reads gets a pseudo-count of 2e-4 (as a fraction); other outcomes get none, so that a zero has no
    logarithm and its subject is set aside and counted.

    Parameters
    ----------
    request : Request
        What to estimate.
    cases : Cases
        Complete cases.
    arms : sequence of str
        Arms of the model (all of the trial: one residual variance).

    Returns
    -------
    tuple of EffectEstimate
        One an arm of the request; estimate and interval are ratios, `se` is on the log scale.
    """
    added = pseudo_count(request.outcome)
    cases = loggable(cases, added)
    value = np.log(cases.frame["value"].to_numpy(dtype=np.float64) + added)
    baseline = np.log(cases.frame["baseline"].to_numpy(dtype=np.float64) + added)
    plus = f" after adding {added:g} {request.outcome.unit}" if added else ""
    method = f"ANCOVA of logarithms{plus}: ln value ~ ln baseline + arm, least squares over all arms, t interval"
    return _fit(request, cases, arms, value, baseline, "ratio", method)


def _fit(
    request: Request,
    cases: Cases,
    arms: Sequence[str],
    response: NDArray[np.float64],
    baseline: NDArray[np.float64],
    statistic: str,
    method: str,
) -> tuple[EffectEstimate, ...]:
    from statsmodels.regression.linear_model import OLS

    sizes = cases.counts()
    others = [arm for arm in arms if arm != request.reference and sizes.get(arm, 0) > 0]
    if not (response.size and np.isfinite(response).all() and np.isfinite(baseline).all()):
        reason = cases.too_few([request.reference, *request.arms]) or "Values must be finite numbers."
        return tuple(request.cannot(arm, statistic, reason, len(response), method=method) for arm in request.arms)
    design = pd.DataFrame({"constant": np.ones(len(response))})
    centered = baseline - baseline.mean()
    varies = bool(np.ptp(baseline) > 1e-12 * max(1.0, float(np.abs(baseline).max())))
    if varies:
        design["baseline"] = centered
    else:
        method += "; the baseline does not vary and is left out"
    for arm in others:
        design[f"arm {arm}"] = (cases.frame["arm"] == arm).to_numpy(dtype=np.float64)
    problem = _why_not(design, response)
    fit = None if problem else OLS(response, design).fit()
    found = []
    for arm in request.arms:
        reason = cases.too_few([request.reference, arm]) or problem
        if reason or fit is None:
            found.append(request.cannot(arm, statistic, reason, len(response), method=method))
            continue
        found.append(_estimate(request, cases, arm, fit, statistic, method, centered, varies))
    return tuple(found)


def _why_not(design: pd.DataFrame, response: NDArray[np.float64]) -> str:
    free = len(response) - design.shape[1]
    if free < 1:
        return f"The model has {design.shape[1]} coefficients for {len(response)} subjects; more subjects are needed."
    if np.linalg.matrix_rank(design.to_numpy()) < design.shape[1]:
        return "Baseline and arm cannot be told apart: every baseline belongs to one arm alone."
    return ""


def _estimate(
    request: Request,
    cases: Cases,
    arm: str,
    fit: Any,
    statistic: str,
    method: str,
    centered: NDArray[np.float64],
    varies: bool,
) -> EffectEstimate:
    ratio = statistic == "ratio"
    name = f"arm {arm}"
    coefficient, se, df = float(fit.params[name]), float(fit.bse[name]), float(fit.df_resid)
    low, high = (float(bound) for bound in fit.conf_int(1 - LEVEL).loc[name])
    back = np.exp if ratio else float
    sizes = cases.counts()
    frame = cases.frame
    means = frame.groupby("arm")[["baseline", "value"]].mean()
    adjusted = float(fit.params["constant"]) if ratio else float(fit.params["constant"] + frame["baseline"].mean())
    details: dict[str, Any] = {
        "n_by_arm": sizes,
        "n_arm": sizes[arm],
        "n_reference": sizes[request.reference],
        "missing_by_arm": dict(cases.missing),
        "set_aside_by_arm": dict(cases.set_aside),
        "baseline_mean": float(means["baseline"][arm]),
        "value_mean": float(means["value"][arm]),
        "reference_baseline_mean": float(means["baseline"][request.reference]),
        "reference_value_mean": float(means["value"][request.reference]),
        "reference_mean": float(back(adjusted)),
        "baseline_slope": float(fit.params["baseline"]) if varies else None,
        "residual_sd": float(np.sqrt(fit.scale)),
    }
    if not fit.ssr > 1e-24 * max(float(fit.centered_tss), float(np.sum(centered**2)), 1e-300):
        reason = "Nothing varies beyond arm and baseline: an interval cannot be computed."
        return request.cannot(
            arm, statistic, reason, int(fit.nobs), estimate=float(back(coefficient)), method=method, details=details
        )
    return EffectEstimate(
        estimand=request.estimand,
        outcome=request.outcome.id,
        arm=arm,
        contrast=request.reference,
        visit=request.visit,
        statistic=statistic,
        estimate=float(back(coefficient)),
        se=se,
        ci_low=float(back(low)),
        ci_high=float(back(high)),
        df=df,
        p_value=float(fit.pvalues[name]),
        n=int(fit.nobs),
        method=method,
        details=details,
    )
