"""IBS symptoms: shift of the latent behind IBS-SSS.

Equations: README of the submodel. Parameters and inputs by the names of its table. Time in days; shifts in SD between
people. State y = [mechanistic shift, direct shift].

Reading, where the text is short: the barrier is compared with 1, its baseline; the direct part follows the same slope
on mood with the same time constant.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stool_off(p: Mapping[str, float]) -> float:
    """Bristol types further from the middle than usual."""
    middle = p["stool_form_middle"]
    return abs(p["stool_form"] - middle) - abs(p["stool_form_usual"] - middle)


def from_gut(p: Mapping[str, float]) -> float:
    return (
        p["e_bloating_ibs"] * p["bloating_shift"]
        + p["e_stool_ibs"] * stool_off(p)
        + p["e_transit_ibs"] * p["transit_log_rel"] / p["transit_sd_ln"]
        - p["e_barrier_ibs"] * (p["barrier"] - 1.0) / p["barrier_sd_rel"]
    )


def rates(y: Array, p: Mapping[str, float]) -> Array:
    """Right-hand side per day."""
    asked = np.array([from_gut(p) + p["e_mood_ibs"] * p["mood_shift_mech"], p["e_mood_ibs"] * p["mood_shift_direct"]])
    return (asked - y) / p["tau_ibs_d"]


def assigned(y: Array, p: Mapping[str, float]) -> dict[str, float]:
    return {"stool_off": stool_off(p), "ibs_from_gut": from_gut(p), "ibs_shift": float(y.sum())}
