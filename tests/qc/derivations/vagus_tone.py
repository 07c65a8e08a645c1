"""Vagal tone, one state.

Equations: section 4 of the project's model notes. Parameters: rows "proposed.host" of the parameter table; the stress
weight 0.2 is printed in section 4 only. Time in DAYS; V relative to baseline 1.

Reading: dSCFA = TSCFA/baseline - 1 and dGABA = X/baseline - 1 with X the bifidobacteria (couplings table); `b` of
ln RMSSD = ln RMSSD_i + b (V - 1) is not printed.

The fold change of Bifidobacterium saturates (table of the submodel: the stand-in "is halved" at a fold change of 10).
Reading: (fold - 1) / (1 + fold / 10), which is half of fold - 1 at a fold of 10.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "e_SCFA": 0.10,
    "e_GABA": 0.02,
    "e_IL6": -0.15,
    "e_stress": -0.20,
    "tau_V_d": 3.0,
    "e_V_on_TNF": 0.15,
    "e_V_on_HPA": -0.10,
}


def target(scfa_ratio: float, gaba_ratio: float, il6_ratio: float, stress: float, p: dict[str, float]) -> float:
    """V* = 1 + 0.10 dSCFA + 0.02 dGABA - 0.15 ln(IL6/IL6_0) - 0.2 stress."""
    return (
        1.0
        + p["e_SCFA"] * (scfa_ratio - 1.0)
        + p["e_GABA"] * (gaba_ratio - 1.0)
        + p["e_IL6"] * np.log(il6_ratio)
        + p["e_stress"] * stress
    )


def rates(
    t_d: float, v: float, p: dict[str, float], scfa_ratio: float, gaba_ratio: float, il6_ratio: float, stress: float
) -> float:
    """Right-hand side per day."""
    return (target(scfa_ratio, gaba_ratio, il6_ratio, stress, p) - v) / p["tau_V_d"]


def tnf_production_factor(v: float, p: dict[str, float]) -> float:
    return 1.0 / (1.0 + p["e_V_on_TNF"] * (v - 1.0))


def hpa_drive_factor(v: float, p: dict[str, float]) -> float:
    return 1.0 + p["e_V_on_HPA"] * (v - 1.0)


def ln_rmssd(ln_rmssd_person: float, b: float, v: float) -> float:
    return ln_rmssd_person + b * (v - 1.0)


def gaba(fold: float, saturation: float) -> float:
    """Stand-in for GABA, none at baseline."""
    return (fold - 1.0) / (1.0 + fold / saturation)
