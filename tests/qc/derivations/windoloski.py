"""Endotoxin, monocytes and cytokines: Windoloski 2024, bolus and infusion, seven states.

Equations: doi:10.1113/EP091552 as printed in section 2.1 of the project's model notes.
Parameters: the two optimal sets in the project's parameter table ("Windoloski2024 bolus 2 ng/kg" and
"Windoloski2024 infusion 0.5 ng/kg/h x 4 h").

Time in hours; endotoxin E in ng/kg; monocytes MR (resting) and MA (active) in cells; cytokines in pg/ml.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

STATES = ("E", "MR", "MA", "TNF", "IL6", "IL8", "IL10")

BOLUS = {
    "kE": 1.01,
    "kMR": 0.006,
    "kMA": 2.67382,
    "kMTNF": 8.6497,
    "kM": 0.0414,
    "xME": 3.3,
    "xM10": 3.88393,
    "xMTNF": 140.845,
    "hME": 1.0,
    "hM10": 0.3,
    "hMTNF": 3.16,
    "Mmax": 30000.0,
    "kTNF": 1.3951,
    "kTNFM": 0.997979,
    "xTNF10": 15.5357,
    "xTNF6": 560.0,
    "hTNF10": 3.0,
    "hTNF6": 2.0,
    "wTNF": 8.79257,
    "k6": 0.66,
    "k6M": 0.81,
    "k6TNF": 0.81,
    "x610": 31.0714,
    "x66": 560.0,
    "x6TNF": 260.563,
    "h610": 4.0,
    "h66": 1.0,
    "h6TNF": 2.0,
    "w6": 0.609735,
    "k8": 0.686367,
    "k8M": 0.745727,
    "k8TNF": 0.788732,
    "x810": 15.5357,
    "x8TNF": 260.563,
    "h810": 1.5,
    "h8TNF": 3.0,
    "w8": 4.17507,
    "k10": 0.8,
    "k10M": 0.0150449,
    "k106": 0.0170536,
    "x106": 560.0,
    "h106": 3.68,
    "w10": 3.74713,
}

INFUSION = {
    "kE": 1.01,
    "kMR": 0.006,
    "kMA": 3.49131,
    "kMTNF": 9.0,
    "kM": 0.0414,
    "xME": 2.0,
    "xM10": 4.39394,
    "xMTNF": 222.222,
    "hME": 1.0,
    "hM10": 0.3,
    "hMTNF": 3.16,
    "Mmax": 30000.0,
    "kTNF": 0.422986,
    "kTNFM": 1.39113,
    "xTNF10": 17.5758,
    "xTNF6": 560.0,
    "hTNF10": 3.0,
    "hTNF6": 2.0,
    "wTNF": 13.8727,
    "k6": 0.66,
    "k6M": 0.81,
    "k6TNF": 0.81,
    "x610": 35.1515,
    "x66": 560.0,
    "x6TNF": 411.111,
    "h610": 1.0,
    "h66": 1.0,
    "h6TNF": 2.0,
    "w6": 0.609735,
    "k8": 0.386187,
    "k8M": 0.612711,
    "k8TNF": 0.509091,
    "x810": 17.5758,
    "x8TNF": 411.111,
    "h810": 1.5,
    "h8TNF": 3.0,
    "w8": 2.69481,
    "k10": 0.4,
    "k10M": 0.0364568,
    "k106": 0.0192929,
    "x106": 560.0,
    "h106": 3.68,
    "w10": 4.23918,
}

INITIAL_RESTING_MONOCYTES = 28200.0
BOLUS_DOSE_NG_PER_KG = 2.0
INFUSION_RATE_NG_PER_KG_H = 0.5
INFUSION_HOURS = 4.0


def up(x: float, s: float, h: float) -> float:
    """Rising Hill function."""
    return x**h / (x**h + s**h)


def down(x: float, s: float, h: float) -> float:
    """Falling Hill function."""
    return s**h / (x**h + s**h)


def rates(t_h: float, y: NDArray[np.float64], p: dict[str, float], flux: float) -> NDArray[np.float64]:
    """Right-hand side per hour; `flux` is the endotoxin input in ng/kg/h."""
    e, mr, ma, tnf, il6, il8, il10 = y
    e = max(e, 0.0)

    activation = (
        up(e, p["xME"], p["hME"])
        * (p["kM"] + p["kMTNF"] * up(tnf, p["xMTNF"], p["hMTNF"]))
        * down(il10, p["xM10"], p["hM10"])
        * mr
    )
    d_e = flux - p["kE"] * e
    d_mr = p["kMR"] * mr * (1.0 - mr / p["Mmax"]) - activation
    d_ma = activation - p["kMA"] * ma
    d_tnf = p["kTNFM"] * down(il6, p["xTNF6"], p["hTNF6"]) * down(il10, p["xTNF10"], p["hTNF10"]) * ma - p["kTNF"] * (
        tnf - p["wTNF"]
    )
    d_il6 = (p["k6M"] + p["k6TNF"] * up(tnf, p["x6TNF"], p["h6TNF"])) * down(il6, p["x66"], p["h66"]) * down(
        il10, p["x610"], p["h610"]
    ) * ma - p["k6"] * (il6 - p["w6"])
    d_il8 = (p["k8M"] + p["k8TNF"] * up(tnf, p["x8TNF"], p["h8TNF"])) * down(il10, p["x810"], p["h810"]) * ma - p[
        "k8"
    ] * (il8 - p["w8"])
    d_il10 = (p["k10M"] + p["k106"] * up(il6, p["x106"], p["h106"])) * ma - p["k10"] * (il10 - p["w10"])
    return np.array([d_e, d_mr, d_ma, d_tnf, d_il6, d_il8, d_il10])


def initial(p: dict[str, float], e0: float) -> NDArray[np.float64]:
    """Start of an experiment: cytokines at their basal levels, no active monocytes."""
    return np.array([e0, INITIAL_RESTING_MONOCYTES, 0.0, p["wTNF"], p["w6"], p["w8"], p["w10"]])


def _peaks(t_h: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    return {name: (float(y[i].max()), float(t_h[y[i].argmax()])) for i, name in enumerate(STATES) if i >= 2}


def bolus(t_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """States (7, len(t_h)) after 2 ng/kg at time 0."""
    run = solve_ivp(
        rates,
        (0.0, float(t_h[-1])),
        initial(BOLUS, BOLUS_DOSE_NG_PER_KG),
        method="LSODA",
        t_eval=t_h,
        args=(BOLUS, 0.0),
        rtol=1e-9,
        atol=1e-9,
    )
    return run.y


def infusion(t_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """States (7, len(t_h)) with 0.5 ng/kg/h for the first 4 h; t_h must contain 4.0 to split there."""
    during = t_h[t_h <= INFUSION_HOURS]
    after = t_h[t_h > INFUSION_HOURS]
    first = solve_ivp(
        rates,
        (0.0, INFUSION_HOURS),
        initial(INFUSION, 0.0),
        method="LSODA",
        t_eval=during,
        args=(INFUSION, INFUSION_RATE_NG_PER_KG_H),
        rtol=1e-9,
        atol=1e-9,
    )
    second = solve_ivp(
        rates,
        (INFUSION_HOURS, float(t_h[-1])),
        first.y[:, -1],
        method="LSODA",
        t_eval=after,
        args=(INFUSION, 0.0),
        rtol=1e-9,
        atol=1e-9,
    )
    return np.hstack([first.y, second.y])


def bolus_peaks() -> dict[str, tuple[float, float]]:
    """Peak and its hour for MA and the four cytokines after the 2 ng/kg bolus."""
    t_h = np.arange(0, 1201) / 100.0
    return _peaks(t_h, bolus(t_h))


def infusion_peaks() -> dict[str, tuple[float, float]]:
    """Peak and its hour for MA and the four cytokines during the 4 h infusion."""
    t_h = np.arange(0, 1201) / 100.0
    return _peaks(t_h, infusion(t_h))


def after_constant_flux(p: dict[str, float], flux: float, hours: float) -> NDArray[np.float64]:
    """State after some hours of a constant endotoxin flux (ng/kg/h), started from the usual initial state."""
    run = solve_ivp(rates, (0.0, hours), initial(p, 0.0), method="LSODA", args=(p, flux), rtol=1e-9, atol=1e-9)
    return run.y[:, -1]


def resting_state(p: dict[str, float], flux: float) -> NDArray[np.float64]:
    """Steady state under a constant small endotoxin flux (ng/kg/h), reached from the basal cytokine levels."""
    long_run = solve_ivp(
        rates, (0.0, 4000.0), initial(p, flux / p["kE"]), method="LSODA", args=(p, flux), rtol=1e-8, atol=1e-9
    )
    y, _, flag, message = fsolve(
        lambda y: rates(0.0, y, p, flux) / np.maximum(long_run.y[:, -1], 1.0), long_run.y[:, -1], full_output=True
    )
    if flag != 1:
        raise RuntimeError(message)
    return y


# --- what the library adds (README and table of the submodel; parameters and inputs by the names of its table) -------


def lps_flux(v: Mapping[str, float]) -> float:
    """Endotoxin input, ng/kg/h; with the switch off changes of the flux do not reach the blood."""
    return v["lps_flux"] if v["low_grade_lps"] else v["lps_flux0"]


def il6_source(v: Mapping[str, float]) -> float:
    """IL-6 not due to LPS, in place of w6; short sleep raises it where the switch is on.

    The slope is per SD of lost sleep on ln IL-6. Reading: it acts on this background, not on the part due to LPS.
    """
    lost = (v["tst0_h"] - v["tst_h"]) / v["tst_sd_h"]
    return v["il6_background"] * float(np.exp(v["sleep_reaches_il6"] * v["e_sleep_il6"] * lost))


def il10_source(v: Mapping[str, float]) -> float:
    """IL-10 without monocytes, in place of w10: raised by butyrate against baseline."""
    return v["w10"] * (1.0 + v["e_treg"] * (v["butyrate_mM"] / v["butyrate0_mM"] - 1.0))


def vagal_damping(v: Mapping[str, float]) -> float:
    """Factor on the TNF that active monocytes make."""
    return 1.0 / (1.0 + v["e_vagus_tnf"] * (v["vagal_tone"] - 1.0))


def library_parameters(v: Mapping[str, float]) -> dict[str, float]:
    """The published parameters with what the library puts in place of three of them."""
    p = {name: v[name] for name in BOLUS if name != "w6"}
    return p | {"w6": il6_source(v), "w10": il10_source(v), "kTNFM": v["kTNFM"] * vagal_damping(v)}
