"""Sleep and night wakings of an infant by age.

Equations: README and tables of the submodel `infant_sleep`; hours from the best fit of Galland 2012 (abstract: 10.49 -
5.56 [(age / 10 years)^0.5 - 0.71]), ranges there are means +- 1.96 SD. Wakings: exponential through the middles of two
published ranges. A visit of Puccio 2017 (p = 0.036 at month 2, none told at months 4 and 6) is turned into a ratio by
the norm's SD and weighed by the prior of `infection`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log, sqrt

import numpy as np

from derivations.infection import ARMS, CRITICAL, normal_cdf, prior_width

DAYS_PER_MONTH = 365.25 / 12
SLEEP_RANGE_H = (9.7, 15.9)
WAKINGS_EARLY = (0.0, 3.4)
WAKINGS_LATE = (0.0, 2.5)
TOLD_P_Z = 2.096927  # two-sided p = 0.036


def sleep_hours(age_years: float) -> float:
    return 10.49 - 5.56 * (sqrt(age_years / 10) - 0.71)


def sd_of(low_high: tuple[float, float]) -> float:
    return (low_high[1] - low_high[0]) / (2 * 1.96)


def waking_fall() -> float:
    """Rate of the fall from the middle of 0-2 months to the middle of 1-2 years, per day."""
    return log(sum(WAKINGS_EARLY) / sum(WAKINGS_LATE)) / ((18 - 1) * DAYS_PER_MONTH)


def told_ratio() -> tuple[float, float]:
    """ln ratio and standard error that p = 0.036 implies if wakings vary between infants as the norm says."""
    variation = sd_of(WAKINGS_EARLY) / np.mean(WAKINGS_EARLY)
    se = float(variation * sqrt(sum(1 / n for n in ARMS)))
    return -TOLD_P_Z * se, se


def one_visit() -> tuple[float, float]:
    told, se = told_ratio()
    kept = prior_width() ** 2 / (1 + prior_width() ** 2)
    return told * kept, se * sqrt(kept)


def three_visits(correlation: float = 0.5) -> tuple[float, float]:
    """One effect at three visits; one seen as told, the others only known not to be significant.

    A visit is s + sqrt(r) u + sqrt(1 - r) e with u shared by the visits and e its own, both standard normal.
    """
    _, se = told_ratio()
    s = np.linspace(-6, 6, 481)[:, None]
    u = np.linspace(-6, 6, 481)[None, :]
    own = sqrt(1 - correlation)
    center = s + sqrt(correlation) * u
    seen = np.exp(-0.5 * ((-TOLD_P_Z - center) / own) ** 2)
    silent = normal_cdf((CRITICAL - center) / own) - normal_cdf((-CRITICAL - center) / own)
    likelihood = (np.exp(-0.5 * u**2) * seen * silent**2).sum(axis=1)
    weight = likelihood * np.exp(-0.5 * (s[:, 0] / prior_width()) ** 2)
    weight /= weight.sum()
    mean = float((weight * s[:, 0]).sum())
    return mean * se, sqrt(float((weight * (s[:, 0] - mean) ** 2).sum())) * se


def assigned(age_d: float, hmo_fed: float, p: Mapping[str, float]) -> dict[str, float]:
    norm = p["wakings_early"] * exp(-p["k_wakings"] * max(age_d - p["wakings_early_age_d"], 0.0))
    ratio = exp(p["ln_rr_wakings"] * hmo_fed)
    slope, level, center = p["sleep_slope_h"], p["sleep_level_h"], p["sleep_center"]
    return {
        "infant_sleep_h": level - slope * (sqrt(age_d / p["decade_d"]) - center) + p["sleep_own_h"],
        "wakings_norm": norm,
        "unexplained_wakings": ratio,
        "wakings_per_night": norm * p["wakings_own"] * ratio,
    }
