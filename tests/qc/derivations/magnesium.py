"""Magnesium: saturating absorption on top of a meal, serum, and effects on sleep.

Equations: README of the submodel; absorption Fine 1991 (doi:10.1172/JCI115317), serum Zhang 2016, sleep Mah and Pitre
2021. Parameters by the names of the submodel's table.

Time in days; amounts in mg. State y = [swallowed magnesium, rise of serum magnesium].

    supply   = k x swallowed
    absorbed = 40.3 x (share(meal + supply) - share(meal)) + 0.07 x supply,   share(x) = x / (33.4 + x)
    rise'    = (0.00115 x absorbed - rise) / 47 d
    effect   = -(share taken as true) x pooled effect x rise / 0.04

Reading, where the text is short: both effects carry their sign (below none is better) and are linear in the rise,
without a cap.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def share(intake: float, p: Mapping[str, float]) -> float:
    """How far an intake fills the saturable way."""
    return intake / (p["magnesium_half_mg_d"] + intake)


def absorbed(supply: float, p: Mapping[str, float]) -> float:
    """Magnesium absorbed beyond that of the meal, mg a day."""
    meal = p["magnesium_meal_mg_d"]
    saturable = p["magnesium_most_mg_d"] * (share(meal + supply, p) - share(meal, p))
    return saturable + p["magnesium_passive"] * supply


def rates(y: Array, p: Mapping[str, float]) -> Array:
    """Right-hand side per day."""
    swallowed, rise = y
    supply = p["k_magnesium"] * swallowed
    return np.array([-supply, (p["e_magnesium_serum"] * absorbed(supply, p) - rise) / p["tau_magnesium_d"]])


def assigned(y: Array, p: Mapping[str, float]) -> dict[str, float]:
    swallowed, rise = y
    supply = p["k_magnesium"] * swallowed
    believed = p["magnesium_reaches_sleep"] * p["magnesium_trial_share"] * rise / p["magnesium_trial_mmol_l"]
    return {
        "magnesium_supply_mg_d": supply,
        "magnesium_meal_share": share(p["magnesium_meal_mg_d"], p),
        "magnesium_full_share": share(p["magnesium_meal_mg_d"] + supply, p),
        "magnesium_absorbed_mg_d": absorbed(supply, p),
        "magnesium_mmol_l": p["magnesium0_mmol_l"] + rise,
        "magnesium_dose_share": believed,
        "magnesium_latency_effect": -believed * p["e_magnesium_latency_min"],
        "magnesium_sleep_effect": -believed * p["e_magnesium_sleep"],
    }
