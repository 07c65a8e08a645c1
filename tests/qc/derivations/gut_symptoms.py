"""Gas, bloating and stool.

Equations: README of the submodel; slopes are the correlations of Lewis and Heaton 1997, Tornblom 2012, Youn 2011.
Parameters and inputs by the names of the submodel's table.

Time in days. State y = [gas passed against baseline, hydrogen against baseline, lactate above baseline in mM].

Reading, where the text is short:

* the three states follow their inputs with one time constant; the gas that no fermentation makes is added above and
  below the fraction line;
* transit time is 1 over the wash-out, and a usual transit that is longer than other people's is positive;
* a correlation r leaves sqrt(1 - r^2) to the person's own leaning, so that the spread is the published one;
* transit and lactate move stool form by SD of stool form, and stools a day by SD of their logarithm;
* no limit is put on the stool form beside the scale itself (1 to 7).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rates(y: Array, p: Mapping[str, float]) -> Array:
    """Right-hand side per day."""
    gas, hydrogen, lactate = y
    other = p["gas_other_ml_d"]
    targets = np.array(
        [
            (p["gas_ml_d"] + other) / (p["gas0_ml_d"] + other),
            p["h2_mmol_d"] / p["h2_0_mmol_d"],
            p["lactate_mM"] - p["lactate0_mM"],
        ]
    )
    return (targets - np.array([gas, hydrogen, lactate])) / p["tau_gut_symptoms_d"]


def mixed(r: float, shared: float, own: float) -> float:
    """Standard normal from a part that is shared with correlation r and a part of its own."""
    return r * shared + np.sqrt(1.0 - r**2) * own


def assigned(y: Array, p: Mapping[str, float]) -> dict[str, float]:
    gas, _, lactate = y
    transit_usual = np.log(p["dilution_typical"] / p["dilution0"]) / p["transit_sd_ln"]
    form_usual = p["stool_form_typical"] + p["stool_form_sd"] * mixed(
        p["e_transit_softness"], -transit_usual, p["stool_form_own"]
    )
    stools_usual = p["stools_typical_d"] * np.exp(
        p["stools_sd_ln"] * mixed(p["e_transit_stools"], -transit_usual, p["stools_own"])
    )
    transit_log_rel = np.log(p["dilution0"] / p["dilution"])
    transit_change = transit_log_rel / p["transit_sd_ln"]
    softness = -p["e_transit_softness"] * transit_change + p["e_lactate_softness"] * lactate
    form_usual = float(np.clip(form_usual, 1.0, 7.0))
    return {
        "gas_passages_d": p["gas_passages0_d"] * gas,
        "bloating_shift": p["e_gas_bloating"] * np.log(gas) / p["gas_sd_ln"],
        "transit_usual": transit_usual,
        "stool_form_usual": form_usual,
        "stools_usual_d": stools_usual,
        "transit_log_rel": transit_log_rel,
        "stool_softness": softness,
        "stool_form": float(np.clip(form_usual + p["stool_form_sd"] * softness, 1.0, 7.0)),
        "stools_d": stools_usual * np.exp(-p["e_transit_stools"] * p["stools_sd_ln"] * transit_change),
    }
