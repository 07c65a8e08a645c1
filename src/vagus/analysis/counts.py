"""Rate ratios of counts a night: Poisson with robust errors, or negative binomial where there is more spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.analysis.cases import Cases
from vagus.analysis.estimate import EffectEstimate
from vagus.analysis.request import Request

Floats = NDArray[np.float64]

#: Added to the baseline count before its logarithm.
HALF = 0.5
_ROUNDS = 200


def negative_binomial(request: Request, cases: Cases, arms: Sequence[str]) -> tuple[EffectEstimate, ...]:
    """Estimate rate ratios: ln E(count) = ln(baseline + 0.5) + arm, with a log link.

    The rule, stated before the data are seen: whole counts with a Pearson dispersion above 1 are fitted by a negative
    binomial model (variance mu + mu^2/theta, theta by maximum likelihood, errors from the expected information at that
    theta, as ``MASS::glm.nb``); everything else, also means over several nights, by Poisson with robust (sandwich, HC0)
    errors, which asks for the mean to be right and not for the variance.

    Parameters
    ----------
    request : Request
        What to estimate.
    cases : Cases
        Complete cases.
    arms : sequence of str
        Arms of the model (all of the trial).

    Returns
    -------
    tuple of EffectEstimate
        One an arm of the request: rate ratios with normal quantiles; `se` is on the log scale.
    """
    from scipy import stats

    sizes = cases.counts()
    frame = cases.frame
    counts = frame["value"].to_numpy(dtype=np.float64)
    reason = cases.too_few([request.reference])
    if not reason and ((counts < 0).any() or (frame["baseline"] < 0).any()):
        reason = "Counts must be 0 or more, got negative ones."
    if not reason and counts[(frame["arm"] == request.reference).to_numpy()].sum() == 0:
        reason = f'Nobody in arm "{request.reference}" has an event: a ratio of rates does not exist.'
    method = "count model: ln rate ~ ln(baseline + 0.5) + arm"
    if reason:
        return tuple(request.cannot(arm, "rate_ratio", reason, len(counts), method=method) for arm in request.arms)
    # An arm without any event has a rate of zero, whose logarithm no model can hold: it is reported and left out.
    empty = {arm for arm in arms if sizes.get(arm, 0) and counts[(frame["arm"] == arm).to_numpy()].sum() == 0}
    used = ~frame["arm"].isin(empty).to_numpy()
    frame, counts = frame[used], counts[used]
    others = [arm for arm in arms if arm != request.reference and sizes.get(arm, 0) > 0 and arm not in empty]
    baseline = np.log(frame["baseline"].to_numpy(dtype=np.float64) + HALF)
    columns = [np.ones(len(counts)), baseline - baseline.mean()]
    if np.ptp(baseline) <= 1e-12:
        columns.pop()
    place = {arm: len(columns) + index for index, arm in enumerate(others)}
    columns += [(frame["arm"] == arm).to_numpy(dtype=np.float64) for arm in others]
    design = np.column_stack(columns)
    if len(counts) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        reason = f"The model has {design.shape[1]} coefficients for {len(counts)} subjects and cannot be fitted."
        return tuple(request.cannot(arm, "rate_ratio", reason, len(counts), method=method) for arm in request.arms)
    fit = fit_counts(counts, design)
    if not fit["converged"]:
        reason = "The count model did not converge; look at the counts by arm."
        return tuple(request.cannot(arm, "rate_ratio", reason, len(counts), method=method) for arm in request.arms)
    found = []
    for arm in request.arms:
        reason = cases.too_few([arm])
        if arm in empty:
            reason = f'Nobody in arm "{arm}" has an event: the ratio is 0 and has no interval on the log scale.'
        if reason:
            found.append(request.cannot(arm, "rate_ratio", reason, len(counts), method=method))
            continue
        coefficient, se = float(fit["params"][place[arm]]), float(fit["se"][place[arm]])
        z = float(stats.norm.ppf(0.975))
        details = {
            "n_by_arm": sizes,
            "n_arm": sizes[arm],
            "n_reference": sizes[request.reference],
            "missing_by_arm": dict(cases.missing),
            "set_aside_by_arm": dict(cases.set_aside),
            "reference_mean": float(np.exp(fit["params"][0])),
            "model": fit["model"],
            "dispersion": fit["dispersion"],
            "theta": fit["theta"],
            "robust_se": float(fit["robust_se"][place[arm]]),
        }
        words = f"{fit['model']}: ln rate ~ ln(baseline + 0.5) + arm, normal interval"
        found.append(
            request.log_normal(arm, "rate_ratio", coefficient, se, z, len(counts), method=words, details=details)
        )
    return tuple(found)


def fit_counts(counts: Floats, design: Floats) -> dict[str, Any]:
    """Fit a log-linear model of counts by the rule of `negative_binomial`.

    Parameters
    ----------
    counts : numpy.ndarray
        0 or more, shape (n,).
    design : numpy.ndarray
        Full rank, shape (n, k).

    Returns
    -------
    dict
        ``params``, ``se`` and ``robust_se`` (k,), ``model``, ``dispersion`` (Pearson, of the Poisson model), ``theta``
        (None: Poisson) and ``converged``.
    """
    fit = _glm(counts, design, math.inf)
    dispersion = float(fit.pearson_chi2 / fit.df_resid)
    whole = bool(np.all(np.abs(counts - np.rint(counts)) < 1e-9))
    theta = math.inf
    if whole and dispersion > 1:
        fit, theta = _joint(counts, design, fit)
    robust = np.asarray(fit.bse)
    result = {"params": np.asarray(fit.params), "dispersion": dispersion, "converged": bool(fit.converged)}
    if math.isinf(theta):
        model = "Poisson with robust errors" + ("" if whole else " (means over nights)")
        return {**result, "se": robust, "robust_se": robust, "model": model, "theta": None}
    expected = np.sqrt(np.diag(fit.normalized_cov_params))
    return {**result, "se": expected, "robust_se": robust, "model": "negative binomial", "theta": theta}


def _glm(counts: Floats, design: Floats, theta: float, start: Floats | None = None) -> Any:
    """Fit the coefficients at a given theta (infinite: Poisson), with HC0 errors."""
    import warnings

    from statsmodels.genmod.families import NegativeBinomial, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    family = Poisson() if math.isinf(theta) else NegativeBinomial(alpha=1 / theta)
    model = GLM(counts, design, family=family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they would say is in `converged`
        return model.fit(start_params=start, maxiter=200, tol=1e-13, tol_criterion="params", cov_type="HC0")


def _joint(counts: Floats, design: Floats, fit: Any) -> tuple[Any, float]:
    """Return the fit and theta at the joint maximum; theta is infinite where the likelihood rises to Poisson."""
    from scipy.optimize import brentq
    from scipy.special import digamma

    def score(log_theta: float, mean: Floats) -> float:
        theta = math.exp(log_theta)
        terms = digamma(counts + theta) - digamma(theta) + np.log(theta / (theta + mean))
        return float(np.sum(terms + 1 - (counts + theta) / (theta + mean)))

    theta = math.inf
    low, high = math.log(1e-6), math.log(1e6)
    for _ in range(_ROUNDS):
        mean = np.asarray(fit.mu)
        if score(high, mean) >= 0 or score(low, mean) <= 0:
            return _glm(counts, design, math.inf), math.inf
        new = math.exp(float(brentq(score, low, high, args=(mean,), xtol=1e-13, rtol=1e-13)))
        fit = _glm(counts, design, new, np.asarray(fit.params))
        if math.isfinite(theta) and abs(new - theta) <= 1e-11 * new:
            break
        theta = new
    return fit, theta
