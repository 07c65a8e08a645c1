"""The verdict on an effect: likely helps, likely no useful effect, or cannot tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.analysis.estimate import EffectEstimate, Verdict
from vagus.protocol.types import VerdictRule
from vagus.trial.vocabulary import Outcome

HELPS = "likely helps"
NO_USE = "likely no useful effect"
CANNOT_TELL = "cannot tell from this"
#: Statistics whose effect is the logarithm of a ratio.
RATIOS = frozenset({"ratio", "rate_ratio", "fold_change"})
_WORDS = {
    "difference": "difference",
    "ratio": "ratio of geometric means",
    "rate_ratio": "ratio of rates",
    "fold_change": "fold change within the arm",
    "risk_difference": "difference in the share of responders",
}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Effect:
    """An effect as a distribution of benefits: positive is good, logarithms for ratios."""

    center: float
    low: float
    high: float
    p_benefit: float
    p_mcid: float | None
    n_failed: int


def verdict(
    effect: EffectEstimate | tuple[float, float, float | None] | ArrayLike,
    outcome: Outcome,
    rule: VerdictRule | None = None,
    *,
    arm: str = "",
    contrast: str = "",
    visit: str = "",
    statistic: str = "difference",
    reference_mean: float | None = None,
    mcid: float | None = None,
    mcid_source: str = "",
) -> Verdict:
    """Return the answer to "does it help?" in one of three shapes.

    *Likely helps*: P(benefit > 0) and P(benefit >= MCID) both reach the rule's thresholds (0.95 and 0.5). *Likely no
    useful effect*: P(benefit < MCID) reaches its threshold (0.95). Everything else is *cannot tell from this*.

    An estimate is read as a distribution with a flat prior: a t distribution (normal where there are no degrees of
    freedom) around the estimate with its standard error. Draws are counted as they are.

    Without an MCID nothing can be called useful, so "likely helps" is out of reach. One statement remains true
    whatever the MCID would be: where P(benefit <= 0) reaches the threshold, so does P(benefit < MCID) for every
    positive MCID, and the verdict is *likely no useful effect*. A fold change within one arm holds drift and regression
    to the mean and gets no verdict; nor does an outcome whose good direction depends on the context.

    Parameters
    ----------
    effect : EffectEstimate, (estimate, se, df), or array_like of float
        The contrast, or draws of it. For ratios draws and estimate are ratios, `se` is on the log scale.
    outcome : Outcome
        Says which direction is good, and the MCID.
    rule : VerdictRule, optional
        Thresholds.
    arm, contrast, visit, statistic : str
        For the sentence and the scale; an `EffectEstimate` brings its own.
    reference_mean : float, optional
        Mean of the reference arm, which turns an MCID in units into a ratio; an `EffectEstimate` brings its own.
    mcid : float, optional
        Smallest difference that matters, in outcome units; that of the vocabulary by default.
    mcid_source : str
        Where a given `mcid` comes from.

    Returns
    -------
    Verdict
        Shape, sentence and probabilities.

    Examples
    --------
    >>> from vagus.trial import outcome
    >>> verdict((-6.0, 1.0, 100.0), outcome("isi"), arm="hmo", contrast="placebo").shape
    'likely helps'
    >>> verdict((-1.0, 1.0, 100.0), outcome("isi"), arm="hmo", contrast="placebo").shape
    'likely no useful effect'
    >>> verdict((-3.0, 1.0, 100.0), outcome("isi"), arm="hmo", contrast="placebo").shape
    'cannot tell from this'
    """
    rule = rule or VerdictRule()
    status = "ok"
    if isinstance(effect, EffectEstimate):
        arm, contrast, visit, statistic = effect.arm, effect.contrast, effect.visit, effect.statistic
        reference_mean = effect.details.get("reference_mean", reference_mean)
        status = effect.status
        effect = (effect.estimate, effect.se, effect.df)
    source = f"{outcome.mcid_source}, grade {outcome.mcid_grade}" if outcome.mcid_source else ""
    if mcid is not None:
        source = mcid_source
    elif statistic != "risk_difference":
        mcid = outcome.mcid
    about = _about(outcome, arm, contrast, visit)
    reason = _why_none(outcome, statistic, contrast, status)
    if reason:
        return Verdict(CANNOT_TELL, f"{_capital(CANNOT_TELL)}: {about}: {reason}", None, None, mcid, source)
    ratio = statistic in RATIOS
    sign = 1.0 if outcome.benefit == "higher" or statistic == "risk_difference" else -1.0
    target, remark = _target(mcid, sign, ratio, reference_mean)
    found = _from_estimate(effect, sign, ratio, target) if isinstance(effect, tuple) else None
    if found is None and not isinstance(effect, tuple):
        found = _from_draws(effect, sign, ratio, target)
    if found is None:
        text = f"{_capital(CANNOT_TELL)}: {about}: there is no estimate with an interval."
        return Verdict(CANNOT_TELL, text, None, None, mcid, source)
    shape, why = _shape(found, rule, target)
    interval = _interval(found, sign, ratio, outcome, statistic)
    words = [
        f"{_capital(shape)}: {about}: {_WORDS.get(statistic, statistic)} {interval}.",
        _mcid_words(mcid, source, outcome, statistic, remark),
        f"Probability of any benefit {_probability(found.p_benefit)}"
        + (f", of one that matters {_probability(found.p_mcid)}." if found.p_mcid is not None else "."),
        why,
        "The probabilities read the estimate and its error with a flat prior." if isinstance(effect, tuple) else "",
        f"{found.n_failed} draws failed and are not counted." if found.n_failed else "",
    ]
    return Verdict(shape, " ".join(word for word in words if word), found.p_benefit, found.p_mcid, mcid, source)


def _why_none(outcome: Outcome, statistic: str, contrast: str, status: str) -> str:
    if statistic == "fold_change" or contrast == "baseline":
        return "a change within one arm holds drift and regression to the mean, so it says nothing about the product."
    if outcome.benefit == "none" and statistic != "risk_difference":
        return "which direction is good depends on the context, so no difference can be called a benefit."
    return "" if status == "ok" else status[0].lower() + status[1:]


def _target(mcid: float | None, sign: float, ratio: bool, reference_mean: float | None) -> tuple[float | None, str]:
    """Return the MCID on the scale of the benefit, and what to remark about it."""
    if mcid is None or not ratio:
        return mcid, ""
    if reference_mean is None or not reference_mean > 0:
        return None, ", which is no ratio without the mean of the reference arm"
    reached = reference_mean + sign * mcid
    if reached <= 0:
        return math.inf, ", which is more than the reference arm leaves to gain"
    return abs(math.log(reached / reference_mean)), f", a ratio of {reached / reference_mean:.2g} to the reference arm"


def _from_estimate(
    effect: tuple[float, float, float | None], sign: float, ratio: bool, target: float | None
) -> _Effect | None:
    from scipy import stats

    estimate, se, df = effect
    if not (math.isfinite(estimate) and math.isfinite(se) and se > 0) or (ratio and estimate <= 0):
        return None
    center = sign * (math.log(estimate) if ratio else estimate)
    law = stats.norm(center, se) if df is None else stats.t(df, center, se)
    low, high = (float(bound) for bound in law.interval(0.95))
    p_mcid = None if target is None else (0.0 if math.isinf(target) else float(law.sf(target)))
    return _Effect(center, low, high, float(law.sf(0.0)), p_mcid, 0)


def _from_draws(draws: ArrayLike, sign: float, ratio: bool, target: float | None) -> _Effect | None:
    values = np.asarray(draws, dtype=np.float64).ravel()
    usable = values[np.isfinite(values) & ((values > 0) | (not ratio))]
    if usable.size < 2:
        return None
    benefit = sign * (np.log(usable) if ratio else usable)
    low, high = (float(bound) for bound in np.quantile(benefit, [0.025, 0.975]))
    p_mcid = None if target is None else float(np.mean(benefit >= target))
    return _Effect(
        float(np.mean(benefit)), low, high, float(np.mean(benefit > 0)), p_mcid, int(values.size - usable.size)
    )


def _shape(found: _Effect, rule: VerdictRule, target: float | None) -> tuple[str, str]:
    if found.p_mcid is None or target is None:
        if 1 - found.p_benefit >= rule.p_no_useful:
            return NO_USE, "It points away from benefit, which holds whatever difference would matter."
        return CANNOT_TELL, "Without such a figure no difference can be called useful."
    helps = found.p_benefit >= rule.p_benefit and found.p_mcid >= rule.p_mcid
    useless = 1 - found.p_mcid >= rule.p_no_useful
    if helps and useless:
        return CANNOT_TELL, "The thresholds of the verdict overlap, so it cannot decide; set them further apart."
    return (HELPS if helps else NO_USE if useless else CANNOT_TELL), ""


def _about(outcome: Outcome, arm: str, contrast: str, visit: str) -> str:
    when = f" at {visit}" if visit else ""
    versus = f", {arm} against {contrast}" if arm and contrast else ""
    return f"{outcome.label}{when}{versus}"


def _interval(found: _Effect, sign: float, ratio: bool, outcome: Outcome, statistic: str) -> str:
    ends = sorted((sign * found.low, sign * found.high))
    center = sign * found.center
    if ratio:
        center, ends = math.exp(center), [math.exp(end) for end in ends]
    unit = "" if ratio or statistic == "risk_difference" else f" {outcome.unit}"
    better = "higher" if sign > 0 else "lower"
    middle, low, high = (_written(value, ends[1] - ends[0]) for value in (center, *ends))
    return f"{middle}{unit} (95 % interval {low} to {high}; {better} is better)"


def _written(value: float, width: float) -> str:
    """Write a number with as many decimals as an interval of this width is worth, and a real minus sign."""
    decimals = min(max(1 - math.floor(math.log10(width / 2)), 0), 6) if width > 0 else 3
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _mcid_words(mcid: float | None, source: str, outcome: Outcome, statistic: str, remark: str) -> str:
    if mcid is None:
        return "No smallest difference that matters is known for it."
    unit = "" if statistic == "risk_difference" else f" {outcome.unit}"
    return f"Smallest difference that matters: {mcid:g}{unit}" + (f" ({source})" if source else "") + f"{remark}."


def _probability(p: float | None) -> str:
    if p is None:
        return "not known"
    return "above 0.99" if p > 0.99 else "below 0.01" if p < 0.01 else f"{p:.2f}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
