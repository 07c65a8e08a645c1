"""Infections, first antibiotic and first antipyretic of an infant, and how one trial's results become ratios.

Equations: README and tables of the submodel `infection`. Rate by age solved from two figures of LoewenKIDS (abstract:
13.7 episodes in two years, median age of 91 days at the first); Tucson 32.88 of 100 infants in the first year
(abstract); arm percentages of Puccio 2017 as in the project's evidence table. Weighing: the ratio of cumulative hazards
with its delta-method standard error; a normal prior of the true effect around none in units of that standard error, as
wide as makes a just significant result overstate 1.7 times (van Zwet, Schwab and Senn 2021, abstract); then the
likelihood of the result given that it is significant at 5 %, both ways.
Own proneness (`ari_own`) multiplies respiratory infections and those of the lower tract, as the README says.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import erf, exp, log, sqrt

import numpy as np

EXAGGERATION = 1.7
CRITICAL = 1.959964
# outcome: week, control share of 87, share of 88 with the product
TRIAL = {
    "lrti_pct": (52, 0.345, 0.193),
    "bronchitis_pct": (52, 0.276, 0.102),
    "antibiotic_use_pct": (26, 0.494, 0.341),
    "antipyretic_use_pct": (17, 0.299, 0.159),
}
ARMS = (87, 88)

_cdf = np.vectorize(lambda x: 0.5 * (1 + erf(x / sqrt(2))))


def normal_cdf(x: np.ndarray | float) -> np.ndarray:
    return np.asarray(_cdf(x), dtype=float)


def cumulative_hazard(share: float) -> float:
    return -log(1 - share)


def hazard_ratio(control: float, test: float, arms: tuple[int, int] = ARMS) -> tuple[float, float]:
    """ln of the ratio of cumulative hazards, and its standard error: var(ln H) = p / (n (1 - p) H^2)."""
    variance = sum(p / (n * (1 - p) * cumulative_hazard(p) ** 2) for p, n in zip((control, test), arms, strict=True))
    return log(cumulative_hazard(test) / cumulative_hazard(control)), sqrt(variance)


def prior_width(exaggeration: float = EXAGGERATION) -> float:
    """SD of the prior in standard errors: a result z is shrunk to z v / (1 + v), so v = 1 / (exaggeration - 1)."""
    return sqrt(1 / (exaggeration - 1))


def median_power(width: float) -> float:
    """Power at the median absolute effect of a normal prior of this width."""
    low, high = 0.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(normal_cdf(middle)) < 0.75 else (low, middle)
    effect = width * low
    return float(normal_cdf(effect - CRITICAL) + normal_cdf(-effect - CRITICAL))


def weighed(ln_ratio: float, se: float) -> tuple[float, float]:
    """Mean and SD of the effect given a result that is known because it was significant."""
    width, z = prior_width(), ln_ratio / se
    s = np.linspace(-12, 12, 6001)
    power = normal_cdf(s - CRITICAL) + normal_cdf(-s - CRITICAL)
    weight = np.exp(-0.5 * (s / width) ** 2 - 0.5 * (z - s) ** 2) / power
    weight /= weight.sum()
    mean = float((weight * s).sum())
    return mean * se, sqrt(float((weight * (s - mean) ** 2).sum())) * se


def episodes(days: float, highest: float, tau: float) -> float:
    return highest * (days - tau * (1 - exp(-days / tau)))


def rate_by_age(total: float = 13.7, over_d: float = 730.5, median_first_d: float = 91.0) -> tuple[float, float]:
    """Highest rate and time constant: `total` episodes over two years, half without one at the median age."""

    def excess(tau: float) -> float:
        return total * episodes(median_first_d, 1.0, tau) / episodes(over_d, 1.0, tau) - log(2)

    low, high = 1.0, 2000.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return total / episodes(over_d, 1.0, low), low


def constant_hazard(share: float, days: float) -> float:
    return cumulative_hazard(share) / days


def assigned(age_d: float, adhesion_airway: float, y: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    decoy = (adhesion_airway / p["adhesion_airway0"]) ** p["decoy_exponent"]
    found = {
        "decoy": decoy,
        "ari_rate": p["ari_own"] * p["ari_highest"] * (1 - np.exp(-age_d / p["tau_ari_d"])) * decoy,
    }
    for name in ("lrti", "antibiotic", "antipyretic"):
        ratio = np.exp(p[f"ln_rr_{name}"] * y["hmo_seen"])
        found[f"unexplained_{name}"] = ratio
        own = p["ari_own"] if name == "lrti" else 1.0
        found[f"{name}_rate"] = own * p[f"{name}_usual"] * decoy * ratio
        found[f"{name}_share"] = 1 - np.exp(-y[f"{name}_hazard"])
    return found


def rates(found: Mapping[str, float]) -> dict[str, float]:
    """Right-hand side per day."""
    return {
        "ari_expected": found["ari_rate"],
        **{f"{name}_hazard": found[f"{name}_rate"] for name in ("lrti", "antibiotic", "antipyretic")},
    }
