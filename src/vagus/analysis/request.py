"""What a method is asked to estimate, and the estimate that says why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vagus.analysis.estimate import EffectEstimate
from vagus.trial.vocabulary import Outcome


@dataclass(frozen=True)
class Request:
    """One planned analysis, resolved.

    Attributes
    ----------
    estimand : str
        Id that the estimates carry.
    outcome : Outcome
        Outcome of the vocabulary.
    visit : str
        Visit label.
    arms : tuple of str
        Arms to compare with the reference.
    reference : str
        Arm, or ``baseline``.
    """

    estimand: str
    outcome: Outcome
    visit: str
    arms: tuple[str, ...]
    reference: str

    def cannot(self, arm: str, statistic: str, reason: str, n: int = 0, **fields: Any) -> EffectEstimate:
        """Return the estimate of `arm` that is none, with the sentence that says why."""
        return EffectEstimate(
            estimand=self.estimand,
            outcome=self.outcome.id,
            arm=arm,
            contrast=self.reference,
            visit=self.visit,
            statistic=statistic,
            estimate=fields.pop("estimate", math.nan),
            se=math.nan,
            ci_low=math.nan,
            ci_high=math.nan,
            df=None,
            p_value=None,
            n=n,
            status=reason,
            **fields,
        )

    def log_normal(
        self, arm: str, statistic: str, log: float, se: float, z: float, n: int, **fields: Any
    ) -> EffectEstimate:
        """Return the estimate of a ratio from its logarithm, with a normal interval of `z` standard errors."""
        return EffectEstimate(
            estimand=self.estimand,
            outcome=self.outcome.id,
            arm=arm,
            contrast=self.reference,
            visit=self.visit,
            statistic=statistic,
            estimate=math.exp(log),
            se=se,
            ci_low=math.exp(log - z * se),
            ci_high=math.exp(log + z * se),
            df=None,
            p_value=math.erfc(abs(log / se) / math.sqrt(2)),
            n=n,
            **fields,
        )
