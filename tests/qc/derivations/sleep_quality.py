"""Sleep complaint: shift of the latent behind PSQI and ISI.

Equations: README of the submodel. Parameters and inputs by the names of its table. Time in days; shifts in SD between
people, + is worse. State y = [mechanistic shift, direct shift].

Reading, where the text is short: the complaint follows the simulated latency, not the felt one (magnesium would count
twice); the felt latency is the simulated one times 1 + (minutes by magnesium) / (latency of the patients), not below
a floor.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def assigned(y: Array, p: Mapping[str, float]) -> dict[str, float]:
    latency = p["sleep_latency_min"]
    return {
        "complaint_from_time": p["e_tst_sleep"] * (p["tst0_h"] - p["tst_h"]) / p["tst_sd_h"],
        "complaint_from_awakenings": p["e_awakening_sleep"] * p["awakening_log_rel"] / p["awakening_sd_ln"],
        "complaint_from_latency": p["e_latency_sleep"] * np.log(latency / p["sleep_latency0_min"]) / p["latency_sd_ln"],
        "complaint_from_nutrients": p["vitamin_d_sleep_effect"] + p["magnesium_sleep_effect"],
        "sleep_shift": float(y.sum()),
        "sleep_latency_felt_min": latency
        * max(p["latency_least_share"], 1.0 + p["magnesium_latency_effect"] / p["latency_patients_min"]),
    }


def rates(y: Array, p: Mapping[str, float]) -> Array:
    """Right-hand side per day."""
    part = assigned(y, p)
    asked = sum(value for name, value in part.items() if name.startswith("complaint_from_"))
    mech = asked + p["e_mood_sleep"] * p["mood_shift_mech"]
    direct = p["e_mood_sleep"] * p["mood_shift_direct"]
    return (np.array([mech, direct]) - y) / p["tau_sleep_quality_d"]
