"""TPH1 expression, kynurenine/tryptophan, tryptophan and serotonin, minimal form.

Equations: section 3 of the project's model notes ("minimal form") and README of the submodel. Parameters: rows
"proposed.host" of the parameter table; those of the second half by the names of the submodel's table. Time in DAYS;
T (TPH1) and K (kynurenine/tryptophan) relative to baseline 1; concentrations in mM.

Reading of the second half, where the text is short: plasma tryptophan follows 1 - e (K - 1); gut serotonin follows
T x tryptophan; brain serotonin is a power of plasma tryptophan (that is how its exponent is made); with the switch on,
gut serotonin multiplies it; the amplitude of melatonin is 1 + e (brain - 1).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PARAMETERS = {
    "e_TPH": 0.25,
    "K_TPH_mM": 15.0,
    "tau_TPH_d": 2.0,
    "a_IDO": 0.25,
    "tau_KT_d": 0.5,
    "transit_per_TPH": 0.1,
}


def saturation(x: float, half: float) -> float:
    return x / (x + half)


def tph_target(acetate: float, acetate0: float, butyrate: float, butyrate0: float, p: dict[str, float]) -> float:
    """1 + e (h(Ac)/h(Ac0)/2 + h(Bu)/h(Bu0)/2 - 1)."""
    half = p["K_TPH_mM"]
    from_acetate = saturation(acetate, half) / saturation(acetate0, half)
    from_butyrate = saturation(butyrate, half) / saturation(butyrate0, half)
    return 1.0 + p["e_TPH"] * (from_acetate / 2.0 + from_butyrate / 2.0 - 1.0)


def kt_target(il6_ratio: float, p: dict[str, float]) -> float:
    """1 + a ln(IL6/IL6_0)."""
    return 1.0 + p["a_IDO"] * np.log(il6_ratio)


def rates(
    t_d: float,
    y: Array,
    p: dict[str, float],
    acetate: float,
    acetate0: float,
    butyrate: float,
    butyrate0: float,
    il6_ratio: float,
) -> Array:
    """Right-hand side per day of y = [T, K]."""
    tph, kt = y
    return np.array(
        [
            (tph_target(acetate, acetate0, butyrate, butyrate0, p) - tph) / p["tau_TPH_d"],
            (kt_target(il6_ratio, p) - kt) / p["tau_KT_d"],
        ]
    )


def gut_serotonin(tph: float, tryptophan: float) -> float:
    """Gut 5-HT = T * Trp, both relative to baseline."""
    return tph * tryptophan


def wash_out_per_d(transit_d: float, tph: float, p: dict[str, float]) -> float:
    """D = (1/T) (1 + 0.1 (TPH - 1))."""
    return (1.0 + p["transit_per_TPH"] * (tph - 1.0)) / transit_d


def later_rates(tph: float, kt: float, trp: float, gut: float, v: Mapping[str, float]) -> Array:
    """Right-hand side per day of plasma tryptophan and gut serotonin."""
    d_trp = (1.0 - v["e_ktr_trp"] * (kt - 1.0) - trp) / v["tau_trp_d"]
    return np.array([d_trp, v["k_gut_5ht"] * (gut_serotonin(tph, trp) - gut)])


def brain_serotonin(trp: float, gut: float, v: Mapping[str, float]) -> float:
    from_gut = gut if v["gut_5ht_reaches_brain"] else 1.0
    return trp ** v["e_trp_brain"] * from_gut


def melatonin_amplitude(brain: float, v: Mapping[str, float]) -> float:
    return 1.0 + v["e_5ht_melatonin"] * (brain - 1.0)
