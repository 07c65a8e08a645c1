"""Intestinal barrier, luminal lactoferrin, CRP and the bioactive endotoxin flux.

Equations: section 2.5 of the project's model notes. Parameters: rows "proposed.host" of the parameter table, all prior.

Time in DAYS. y = [B, Lf, CRP]; B and CRP relative to baseline 1, Lf in the unit of the dose. Flux J in ng/kg/h.

Not printed: K_Lf (half-inhibiting lactoferrin) and k_Lf (its loss); both are arguments here. `stress` is in SD.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PARAMETERS = {
    "J0_ng_per_kg_h": 0.0042,
    "m_B": 2.0,
    "e_Bu": 0.1,
    "K_Bu_mM": 10.0,
    "tau_B_d": 4.0,
    "e_TNF": 0.2,
    "e_stress": 0.1,
    "k_CRP_per_d": 0.875,
    "bacteroides_potency": 0.1,
}


def saturation(x: float, half: float) -> float:
    return x / (x + half)


def luminal_lps(x_entero: float, x_bact: float, p: dict[str, float]) -> float:
    """LPS potency of the biomass (grams), Bacteroides counted at a tenth."""
    return x_entero + p["bacteroides_potency"] * x_bact


def flux(lps_ratio: float, barrier: float, lactoferrin: float, k_lf: float, p: dict[str, float]) -> float:
    """Bioactive LPS flux J, ng/kg/h."""
    return p["J0_ng_per_kg_h"] * lps_ratio * barrier ** (-p["m_B"]) / (1.0 + lactoferrin / k_lf)


def barrier_target(
    butyrate_mM: float, butyrate0_mM: float, tnf_ratio: float, stress: float, p: dict[str, float]
) -> float:
    """Value B* towards which the barrier relaxes."""
    relative = saturation(butyrate_mM, p["K_Bu_mM"]) / saturation(butyrate0_mM, p["K_Bu_mM"])
    return 1.0 + 2.0 * p["e_Bu"] * (relative - 1.0) - p["e_TNF"] * (tnf_ratio - 1.0) - p["e_stress"] * stress


def rates(
    t_d: float,
    y: Array,
    p: dict[str, float],
    butyrate_mM: float,
    butyrate0_mM: float,
    tnf_ratio: float,
    il6_ratio: float,
    stress: float,
    lactoferrin_dose_per_d: float,
    f_colon: float,
    k_loss_lf_per_d: float,
) -> Array:
    """Right-hand side per day."""
    barrier, lactoferrin, crp = y
    target = barrier_target(butyrate_mM, butyrate0_mM, tnf_ratio, stress, p)
    return np.array(
        [
            (target - barrier) / p["tau_B_d"],
            lactoferrin_dose_per_d * f_colon - k_loss_lf_per_d * lactoferrin,
            p["k_CRP_per_d"] * (il6_ratio - crp),
        ]
    )
