"""Statistics that the checks of the ecology take from real and from virtual people alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.str_]

#: Added to a share of reads (in percent) before its logarithm, as in the planned analyses.
ADDED_PCT = 0.02


def log_share(percent: Floats) -> Floats:
    """Return the natural logarithm of shares in percent; zeros are kept.

    Examples
    --------
    >>> float(np.exp(log_share(np.array(0.0))).round(2))
    0.02
    """
    return np.asarray(np.log(percent + ADDED_PCT))


def adjusted_log_ratios(before: Floats, after: Floats, arm: Labels, reference: str) -> dict[str, float]:
    """Return ln ratios of arms over a reference arm, adjusted for the baseline: ln after ~ ln before + arm.

    Parameters
    ----------
    before, after : numpy.ndarray
        Positive values of n people; people with a missing value are left out.
    arm : numpy.ndarray of str
        Length n.
    reference : str
        Arm that the others are compared with.
    """
    kept = np.isfinite(before) & np.isfinite(after)
    others = [str(name) for name in np.unique(arm) if name != reference]
    columns = [np.ones(kept.sum()), np.log(before[kept]), *((arm[kept] == name).astype(float) for name in others)]
    fit = np.linalg.lstsq(np.column_stack(columns), np.log(after[kept]), rcond=None)[0]
    return {name: float(value) for name, value in zip(others, fit[2:], strict=True)}


def slope(x: Floats, y: Floats) -> float:
    """Return the least-squares slope of y on x.

    Examples
    --------
    >>> slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
    2.0
    """
    centered = x - x.mean()
    return float(centered @ (y - y.mean()) / (centered @ centered))


def moderation(before: Floats, after: Floats, treated: NDArray[np.bool_], *, log: bool) -> float:
    """Return how the effect depends on the baseline: slope of change on baseline, treated less control.

    The slope within one arm is negative by regression to the mean alone; only the difference of two arms says that
    people with more (or less) of something at baseline respond more.

    Parameters
    ----------
    before, after : numpy.ndarray
        Shares in percent.
    treated : numpy.ndarray of bool
        The others are the control arm.
    log : bool
        Whether baseline and change are taken on the log scale.
    """
    x, y = (log_share(before), log_share(after)) if log else (before, after)
    return slope(x[treated], (y - x)[treated]) - slope(x[~treated], (y - x)[~treated])


def rank_correlation(x: Floats, y: Floats) -> float:
    """Return Spearman's correlation of the pairs without a missing value."""
    from scipy.stats import rankdata

    kept = np.isfinite(x) & np.isfinite(y)
    return float(np.corrcoef(rankdata(x[kept]), rankdata(y[kept]))[0, 1])


def two_sample_p(x: Floats, y: Floats) -> float:
    """Return the p value of a two-sided t test with equal variances."""
    from scipy.stats import ttest_ind

    return float(ttest_ind(x, y).pvalue)


def slope_p(x: Floats, y: Floats) -> float:
    """Return the p value of a least-squares slope."""
    from scipy.stats import linregress

    return float(linregress(x, y).pvalue)


def spread_within_and_between(values: Sequence[Floats]) -> tuple[float, float]:
    """Return the SD within people and the reliability of one value, by one-way analysis of variance.

    Parameters
    ----------
    values : sequence of numpy.ndarray
        Repeated values, one array a person; a person with one value tells nothing and is left out.

    Returns
    -------
    within_sd, reliability : float
        Reliability is the variance between people over the whole (ICC).
    """
    groups = [group for group in values if len(group) > 1]
    sizes = np.array([len(group) for group in groups])
    n = int(sizes.sum())
    whole_mean = np.concatenate(groups).mean()
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / (n - len(groups))
    between = sum(len(group) * float((group.mean() - whole_mean) ** 2) for group in groups) / (len(groups) - 1)
    usual_size = (n - (sizes**2).sum() / n) / (len(groups) - 1)
    variance = max((between - within) / usual_size, 0.0)
    return float(np.sqrt(within)), float(variance / (variance + within))


def spread_changes(before: Floats, after: Floats, control_before: Floats, control_after: Floats) -> tuple[float, float]:
    """Return how much more the spread changed in a treated arm than in the control arm.

    Trials that publish only means and SDs still say on which scale an effect is even: an effect of the same size in
    everybody leaves the SD, one of the same ratio in everybody leaves the coefficient of variation.

    Returns
    -------
    additive, log : float
        ln of the ratio of SDs and of coefficients of variation, after over before, treated over control.
    """
    sds = [float(part.std(ddof=1)) for part in (before, after, control_before, control_after)]
    means = [float(part.mean()) for part in (before, after, control_before, control_after)]
    return spread_changes_from_figures(sds, means)


def spread_changes_from_figures(sds: Sequence[float], means: Sequence[float]) -> tuple[float, float]:
    """Return the same from published SDs and means: before, after, control before, control after.

    Examples
    --------
    >>> [round(value, 3) for value in spread_changes_from_figures([2.0, 2.0, 2.0, 2.0], [4.0, 8.0, 4.0, 4.0])]
    [0.0, -0.693]
    """
    log_sd, log_mean = np.log(np.asarray(sds)), np.log(np.asarray(means))
    sign = np.array([-1.0, 1.0, 1.0, -1.0])
    return float(sign @ log_sd), float(sign @ (log_sd - log_mean))
