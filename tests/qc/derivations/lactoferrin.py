"""Swallowed lactoferrin in stomach, small intestine and colon.

Equations: README of the submodel. Bound LPS is one-to-one mass action: with a = lactoferrin / Kd and b = LPS / Kd the
complex c obeys (a - c)(b - c) = c, so c = (s - sqrt(s^2 - 4 a b)) / 2 with s = a + b + 1. The share of LPS held is
c / b, here without the difference of two near numbers. Time in days.

Not said in the README and assumed: `f_colon_lactoferrin` counts from the swallowed dose, so it does not also see
`f_gastric_lactoferrin`; lactoferrin in the colon does not act on the barrier.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Values = Mapping[str, float]


def rates(y: Values, p: Values) -> dict[str, float]:
    """Rate of every state per day."""
    leaving = p["k_gastric"] * y["oral_lactoferrin"]
    return {
        "oral_lactoferrin": -leaving,
        "intestine_lactoferrin_g": p["f_gastric_lactoferrin"] * leaving
        - p["k_digest_lactoferrin"] * y["intestine_lactoferrin_g"],
        "lactoferrin_g": p["f_colon_lactoferrin"] * leaving - p["k_lactoferrin"] * y["lactoferrin_g"],
    }


def variables(y: Values, p: Values) -> dict[str, float]:
    """Every assigned variable of the table, by name."""
    c = y["intestine_lactoferrin_g"] / p["vol_intestine_l"]
    protein_nM = y["lactoferrin_g"] / p["lactoferrin_g_nmol"] / p["vol_l"]
    lps_nM = (p["X_entero"] + p["X_bact"]) * p["lps_mass_share"] / p["lps_g_nmol"] / p["vol_l"]
    a, b = protein_nM / p["Kd_lactoferrin_nM"], lps_nM / p["Kd_lactoferrin_nM"]
    s = a + b + 1
    return {
        "intestine_lactoferrin_g_l": c,
        "lactoferrin_barrier_effect": p["e_lactoferrin_barrier"] * c / (c + p["K_lactoferrin_g_l"]),
        "lactoferrin_nM": protein_nM,
        "luminal_lps_nM": lps_nM,
        "binding_sum": s,
        "lps_bound_share": 2 * a / (s + np.sqrt(s**2 - 4 * a * b)),
    }
