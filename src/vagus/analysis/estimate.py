"""The result of one contrast, and the verdict on the primary one."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class EffectEstimate:
    """One estimated effect.

    Attributes
    ----------
    estimand : str
        Id of the estimand in the protocol (``primary``, ``secondary.bdi``) or of the supporting analysis.
    outcome, arm, contrast, visit : str
        Outcome of the vocabulary, arm, what it is compared with (``placebo``, ``baseline``), visit label.
    statistic : str
        ``difference``, ``ratio`` (of geometric means), ``rate_ratio``, ``fold_change`` or ``risk_difference`` (of the
        shares of responders).
    estimate, se, ci_low, ci_high : float
        On the scale of `statistic`; `se` is on the log scale for ratios. NaN where it cannot be estimated.
    df, p_value : float or None
        Degrees of freedom of the t reference (None: normal) and two-sided p.
    n : int
        Subjects that entered the model: all arms of an ANCOVA or count model, the arm of a fold change, the two arms of
        a comparison of responders (`details` has them by arm).
    method : str
        The model in one line.
    p_adjusted : float or None
        After the family's multiplicity procedure.
    published : dict or None
        What the study reported, exactly as stored in the evidence base.
    details : dict
        Further figures of the method (a t interval beside the normal one, means by arm, ...).
    status : str
        ``ok``, or the sentence that says why there is no estimate or no interval.
    """

    estimand: str
    outcome: str
    arm: str
    contrast: str
    visit: str
    statistic: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    df: float | None
    p_value: float | None
    n: int
    method: str = ""
    p_adjusted: float | None = None
    published: dict[str, Any] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    status: str = "ok"

    def to_json(self) -> dict[str, Any]:
        """Return plain values; numbers that are not finite become None."""
        return {key: plain(value) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Verdict:
    """The answer in one of three shapes.

    Attributes
    ----------
    shape : str
        ``likely helps``, ``likely no useful effect`` or ``cannot tell from this``.
    sentence : str
        The verdict in words, with the interval and the smallest difference that matters.
    p_benefit, p_mcid : float or None
        P(benefit > 0) and P(benefit >= MCID).
    mcid : float or None
        Smallest difference that matters, in outcome units.
    mcid_source : str
        Where the MCID comes from.
    """

    shape: str
    sentence: str
    p_benefit: float | None
    p_mcid: float | None
    mcid: float | None
    mcid_source: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {key: plain(value) for key, value in asdict(self).items()}


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NumPy numbers as Python's, numbers that are not finite as None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
