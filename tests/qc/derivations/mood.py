"""Mood: placebo response, two-scale Ornstein-Uhlenbeck latent, a sum score for its retest, and the shift by the body.

Equations: section 7 of the project's model notes. Parameters: rows "link7.mood dynamics" and "link7.synthetic GRM bank
BDI-II" of the parameter table. Time in DAYS; theta in SD of the population.

Not printed: how the 21 synthetic items differ. Here their difficulties are spread evenly with `ITEM_SPREAD_SD`, which
brings mean, SD and the expected score at theta near the printed ones; the retest hardly depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PARAMETERS = {
    "placebo_tau_d": -14.0 / np.log(0.24),
    "placebo_amplitude_sd": 0.25,
    "slow_share": 0.95,
    "slow_tau_d": 400.0,
    "fast_share": 0.05,
    "fast_tau_d": 3.0,
    "person_item_sd": 0.6,
    "bdi_a": 1.655,
    "bdi_b1": 1.056,
    "bdi_step": 0.998,
}
BDI_ITEMS = 21
ITEM_SPREAD_SD = 0.7


def placebo(t_d: float | Array, amplitude: float, p: dict[str, float] = PARAMETERS) -> float | Array:
    """P(t) = P_i (1 - exp(-t/tau)): improvement, to be subtracted from theta."""
    return amplitude * (1.0 - np.exp(-np.asarray(t_d) / p["placebo_tau_d"]))


def latent_retest(days: float, p: dict[str, float] = PARAMETERS) -> float:
    """Correlation of theta with itself some days later."""
    return float(p["slow_share"] * np.exp(-days / p["slow_tau_d"]) + p["fast_share"] * np.exp(-days / p["fast_tau_d"]))


def noise_intensity(share: float, tau_d: float) -> float:
    """sigma of d x = -(x - m)/tau dt + sigma dW whose stationary variance is `share`."""
    return float(np.sqrt(2.0 * share / tau_d))


def later(x: Array, share: float, tau_d: float, days: float, rng: np.random.Generator) -> Array:
    """Exact step of the process around mean 0."""
    keep = np.exp(-days / tau_d)
    return keep * x + np.sqrt(share * (1.0 - keep**2)) * rng.standard_normal(x.shape)


def bdi(theta: Array, person_item: Array, rng: np.random.Generator, p: dict[str, float] = PARAMETERS) -> Array:
    """Sum of 21 graded items (0-3): P(X >= k) = logistic(a (theta + person-by-item effect - b_k - item offset))."""
    offset = np.linspace(-1.0, 1.0, BDI_ITEMS)
    offset = offset / offset.std() * ITEM_SPREAD_SD
    level = theta[:, None] + person_item - offset
    uniform = rng.random(level.shape)
    score = np.zeros(level.shape)
    for k in range(3):
        threshold = p["bdi_b1"] + k * p["bdi_step"]
        score += uniform < 1.0 / (1.0 + np.exp(-p["bdi_a"] * (level - threshold)))
    return score.sum(axis=1)


def bdi_pairs(days: float, people: int, seed: int, p: dict[str, float] = PARAMETERS) -> tuple[Array, Array]:
    """Scores of the same people now and some days later, with nobody treated."""
    rng = np.random.default_rng(seed)
    slow = np.sqrt(p["slow_share"]) * rng.standard_normal(people)
    fast = np.sqrt(p["fast_share"]) * rng.standard_normal(people)
    person_item = p["person_item_sd"] * rng.standard_normal((people, BDI_ITEMS))
    first = bdi(slow + fast, person_item, rng, p)
    slow = later(slow, p["slow_share"], p["slow_tau_d"], days, rng)
    fast = later(fast, p["fast_share"], p["fast_tau_d"], days, rng)
    return first, bdi(slow + fast, person_item, rng, p)


# --- what gut and body move (README of the submodel; parameters and inputs by the names of its table) ---------------


def shift_assigned(y: Array, v: Mapping[str, float]) -> dict[str, float]:
    """Low mood that the body asks for, in SD; y = [mechanistic shift, direct shift].

    Reading: kynurenine over tryptophan and cortisol are compared with 1, their baseline; the floor is added to the
    share of Bifidobacterium now and before.
    """
    rise = np.log((v["bif_fraction"] + v["bif_floor"]) / (v["bif_fraction0"] + v["bif_floor"]))
    return {
        "mood_from_il6": v["e_il6_mood"] * np.log(v["il6_pg_ml"] / v["il6_0_pg_ml"]) / v["il6_sd_ln"],
        "mood_from_ktr": v["e_ktr_mood"] * (v["ktr_rel"] - 1.0) / v["ktr_sd_rel"],
        "mood_from_cortisol": v["e_cort_mood"] * (v["cort_day_rel"] - 1.0) / v["cort_sd_rel"],
        "mood_from_sleep": v["e_sleep_mood"] * (v["tst0_h"] - v["tst_h"]) / v["tst_sd_h"],
        "bif_log_change": float(rise),
        "mood_shift": float(y.sum()),
    }


def shift_rates(y: Array, v: Mapping[str, float]) -> Array:
    """Right-hand side per day; both parts follow with one time constant."""
    part = shift_assigned(y, v)
    mech = sum(value for name, value in part.items() if name.startswith("mood_from_"))
    direct = -v["direct_mood_on"] * v["e_direct_mood"] * part["bif_log_change"]
    return (np.array([mech, direct]) - y) / v["tau_mood_d"]
