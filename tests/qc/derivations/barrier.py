"""Intestinal barrier relative to the own baseline, and the flux of bioactive endotoxin.

Equations: README of the submodel (section 2.5 of the project's model notes with a logarithmic term for TNF, a stress
term read from a public speech and lactoferrin). Time in days, flux in ng/kg/h, `stress` in SD.

The README gives the rival form of butyrate in words only (its effect turns around at a multiple of the own baseline,
where none is left). Assumed: the term is multiplied by 1 - 2 t, with t = f^n / (1 + f^n), f butyrate in units of that
multiple.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Values = Mapping[str, float]


def saturation(x: float, half: float) -> float:
    return x / (x + half)


def butyrate_term(p: Values) -> dict[str, float]:
    """Part of the target that butyrate moves, and what goes into it."""
    now, before = (saturation(p[name], p["K_bu_barrier_mM"]) for name in ("butyrate_mM", "butyrate0_mM"))
    fold = p["butyrate_mM"] / (p["butyrate_turn_fold"] * p["butyrate0_mM"])
    turned = p["butyrate_turns"] * saturation(fold ** p["butyrate_turn_hill"], 1.0)
    return {
        "butyrate_effect": now,
        "butyrate_effect0": before,
        "butyrate_fold": fold,
        "butyrate_turned": turned,
        "barrier_from_butyrate": 2 * p["e_bu_barrier"] * (now / before - 1) * (1 - 2 * turned),
    }


def variables(barrier: float, p: Values) -> dict[str, float]:
    """Every assigned variable of the table, by name."""
    v = butyrate_term(p)
    v["barrier_from_tnf"] = -p["e_tnf_barrier"] * np.log(p["tnf_pg_ml"] / p["tnf0_pg_ml"])
    v["barrier_from_stress"] = -p["e_speech_barrier"] * p["stress"] / p["speech_stress_sd"]
    v["barrier_target"] = (
        1
        + v["barrier_from_butyrate"]
        + v["barrier_from_tnf"]
        + v["barrier_from_stress"]
        + p["lactoferrin_barrier_effect"]
    )
    v["lps_flux"] = (
        p["lps_flux0"]
        * p["lps_potency"]
        / p["lps_potency0"]
        * barrier ** -p["barrier_exponent"]
        * (1 - p["lps_bound_share"])
    )
    return v


def rate(barrier: float, p: Values) -> float:
    """Rate of `barrier` per day."""
    return (variables(barrier, p)["barrier_target"] - barrier) / p["tau_barrier_d"]
