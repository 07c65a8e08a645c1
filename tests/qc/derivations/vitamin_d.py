"""Vitamin D: 25-hydroxyvitamin D under a daily supplement and its effect on sleep.

Equations: README of the submodel; dose-response Ekwaru 2014 (doi:10.1371/journal.pone.0111265), season Heaney 2013,
half-life Jones 2014. Parameters by the names of the submodel's table.

Time in days; doses in ug; levels in nmol/l. State y = [swallowed vitamin D3, rise of 25(OH)D].

    supply = ln 2 / half-life of D3 x swallowed
    rise'  = ln 2 / 15.1 d x (response x 90.8 x (1 - exp(-supply / 176)) - rise)
    usual  = own level - 8 (overweight) or 19.8 (obese) + 8.3 cos(2 pi (day - summer) / year)
    effect = -share x e / SD of the PSQI x ln(level / usual) / ln rise of the trials

Reading, where the text is short: the lowest level seen is a floor of `usual`, season included; that a dose leaves the
pool of swallowed vitamin at the rate at which it counts as supply; the effect is linear in ln(level / usual) without a
cap.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def supply(swallowed: float, p: Mapping[str, float]) -> float:
    """Vitamin D3 from the supplement, ug a day."""
    return np.log(2) / p["vitamin_d3_half_d"] * swallowed


def target(supply_ug_d: float, p: Mapping[str, float]) -> float:
    """Rise that a supply leads to in the end."""
    return (
        p["vitamin_d_response"] * p["vitamin_d_most_nmol_l"] * (1.0 - np.exp(-supply_ug_d / p["vitamin_d_scale_ug_d"]))
    )


def season(t_d: float, p: Mapping[str, float]) -> float:
    return p["vitamin_d_season_nmol_l"] * np.cos(2.0 * np.pi * (t_d - p["vitamin_d_summer_d"]) / p["year_d"])


def usual(t_d: float, p: Mapping[str, float]) -> float:
    """Level without the supplement."""
    weight = p["overweight"] * p["vitamin_d_overweight_nmol_l"] + p["obese"] * p["vitamin_d_obese_nmol_l"]
    return max(p["vitamin_d_least_nmol_l"], p["vitamin_d0_nmol_l"] - weight + season(t_d, p))


def sleep_effect(level: float, usual_level: float, p: Mapping[str, float]) -> float:
    """Change of the sleep complaint, SD; below none is better."""
    full = p["e_vitamin_d_psqi"] / p["psqi_points_per_sd"]
    return (
        -p["vitamin_d_reaches_sleep"]
        * p["vitamin_d_trial_share"]
        * full
        * np.log(level / usual_level)
        / p["vitamin_d_trial_ln"]
    )


def rates(t_d: float, y: Array, p: Mapping[str, float]) -> Array:
    """Right-hand side per day."""
    swallowed, rise = y
    coming = supply(swallowed, p)
    return np.array([-coming, np.log(2) / p["vitamin_d_half_d"] * (target(coming, p) - rise)])


def assigned(t_d: float, y: Array, p: Mapping[str, float]) -> dict[str, float]:
    swallowed, rise = y
    without = usual(t_d, p)
    level = without + rise
    return {
        "vitamin_d_supply_ug_d": supply(swallowed, p),
        "vitamin_d_target_nmol_l": target(supply(swallowed, p), p),
        "vitamin_d_season": season(t_d, p),
        "vitamin_d_usual_nmol_l": without,
        "vitamin_d_nmol_l": level,
        "vitamin_d_sleep_effect": sleep_effect(level, without, p),
    }
