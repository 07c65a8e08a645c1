"""Plasma melatonin: Brown 1997, two states, one night.

Equations and parameters: BioModels BIOMD0000000672 (CC0), read from the SBML file; the published article is
Am J Physiol 272:E506 (1997). Rate constants are ln 2 over the half-lives of the file.

Time in MINUTES after midnight of the first day (as in the file); H1 (pineal) and H2 (plasma) in pmol/l.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]

PARAMETERS = {
    "A_max": 6.51,
    "t_on_min": 1316.0,
    "t_off_min": 1794.0,
    "tau_I_min": 2.82,
    "tau_C_min": 23.67,
    "tau_alpha_min": 25.92,
    "tau_lambda_min": 24.04,
}
START = np.array([0.05, 1.0])


def synthesis(t_min: float, p: dict[str, float]) -> float:
    """N-acetyltransferase activity A(t), pmol/l/min: rises from t_on to A_max at t_off, then decays."""
    lam = np.log(2) / p["tau_lambda_min"]
    alpha = np.log(2) / p["tau_alpha_min"]
    if t_min < p["t_on_min"]:
        return 0.0
    if t_min < p["t_off_min"]:
        rise = 1.0 - np.exp(-lam * (t_min - p["t_on_min"]))
        whole = 1.0 - np.exp(-lam * (p["t_off_min"] - p["t_on_min"]))
        return float(p["A_max"] * rise / whole)
    return float(p["A_max"] * np.exp(-alpha * (t_min - p["t_off_min"])))


def rates(t_min: float, y: Array, p: dict[str, float]) -> Array:
    """Right-hand side per minute."""
    h1, h2 = y
    infusion = np.log(2) / p["tau_I_min"]
    clearance = np.log(2) / p["tau_C_min"]
    return np.array([synthesis(t_min, p) - infusion * h1, infusion * h1 - clearance * h2])


def plasma(t_min: Array, p: dict[str, float] = PARAMETERS) -> Array:
    """Plasma melatonin at the given minutes (from 0 on), integrated piece by piece because A(t) has corners."""
    corners = [0.0, p["t_on_min"], p["t_off_min"], max(float(t_min.max()), p["t_off_min"]) + 1.0]
    h2 = np.empty(len(t_min))
    y = START
    for begin, end in pairwise(corners):
        piece = solve_ivp(rates, (begin, end), y, method="LSODA", args=(p,), dense_output=True, rtol=1e-9, atol=1e-9)
        inside = (t_min >= begin) & (t_min <= end)
        if inside.any():
            h2[inside] = piece.sol(t_min[inside])[1]
        y = piece.y[:, -1]
    return h2


def peak() -> tuple[float, float]:
    """Highest plasma level and its minute, on a grid of one minute."""
    t_min = np.arange(0.0, 2881.0)
    h2 = plasma(t_min)
    return float(h2.max()), float(t_min[h2.argmax()])


def crossing_min(level: float = 43.0) -> float:
    """First minute of the night at which the level is reached, to one second."""
    t_min = np.arange(1316 * 60, 1440 * 60) / 60.0
    return float(t_min[np.argmax(plasma(t_min) >= level)])
