"""Decoys against the adhesion of pathogens in throat and colon of an infant.

Equations: README and tables of the submodel `adhesion`. One site with a competitor at concentration c leaves
1 / (1 + c / K_i) of the adhesion, so K_i = c (1 - i) / i for an inhibited share i at c (Weichert 2013, abstract; 10 g/l
of 2'-FL as listed in Nutrients 2020;12:1789).
Not printed, assumed here: the milk that wets the throat holds the mother's oligosaccharides over all milk plus the
product's; of the channel OS the part that is oligosaccharide (not lactose) is taken to be what it is in the inflow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

TRIED_G_L = 10.0
AIRWAY_INHIBITED = 0.24
GUT_INHIBITED = {"P. aeruginosa": 0.17, "C. jejuni": 0.26, "E. coli": 0.18, "S. fyris": 0.12}


def inhibition_constant(inhibited: float, c_g_l: float = TRIED_G_L) -> float:
    return c_g_l * (1 - inhibited) / inhibited


def gut_constant() -> tuple[float, float]:
    """Geometric mean and SD of ln over the four gut pathogens."""
    logs = np.log([inhibition_constant(i) for i in GUT_INHIBITED.values()])
    return float(np.exp(logs.mean())), float(logs.std(ddof=1))


def left(c_g_l: float, k_i: float) -> float:
    return 1.0 / (1.0 + c_g_l / k_i)


def assigned(feeding: Mapping[str, float], y: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    mouth = feeding["hmo_mother_g_d"] / feeding["milk_l_d"] + y["hmo_product_g_l"]
    share_of_os = feeding["hmo_mother_g_d"] / feeding["inflow_OS"]
    lumen = (share_of_os * y["S_OS"] + y["S_FL"] + y["S_LN"] + y["S_LT"] + y["S_SL"]) / p["vol_l"]
    return {
        "hmo_mouth_g_l": mouth,
        "adhesion_airway": 1.0 - p["contact_share"] * (1.0 - left(mouth, p["ki_airway_g_l"])),
        "hmo_lumen_g_l": lumen,
        "adhesion_gut": left(lumen, p["ki_gut_g_l"]),
    }
