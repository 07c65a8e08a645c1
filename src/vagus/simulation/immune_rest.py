"""Resting state of the immune submodel: what IL-6, TNF and their relatives are before the trial."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STATES = ("lps_ng_kg", "mono_rest", "mono_active", "tnf_pg_ml", "il6_pg_ml", "il8_pg_ml", "il10_pg_ml")
MAX_SWEEPS = 500
TOLERANCE = 1e-13


def solve_immune_rest(values: Mapping[str, Array | float], n: int) -> tuple[dict[str, Array], Array]:
    """Solve the resting state of n people.

    Parameters
    ----------
    values : mapping
        Parameters of the submodel immune and `lps_flux0`, each a number or an array of shape (n,).
    n : int
        Number of people.

    Returns
    -------
    states : dict
        Each of `STATES` -> (n,).
    residual : numpy.ndarray
        Shape (n,); largest relative move of the last sweep.

    Notes
    -----
    At rest barrier, lumen, butyrate and vagal tone are at their own baseline, so the LPS flux is `lps_flux0`, and
    everything follows from the active monocytes. Resting flux activates few of them, so plain substitution converges.
    """
    get = {name: np.broadcast_to(np.asarray(value, dtype=float), (n,)) for name, value in values.items()}

    def up(x: Array, s: str, h: str) -> Array:
        powered = np.power(x, get[h])
        return np.asarray(powered / (powered + np.power(get[s], get[h])))

    def down(x: Array, s: str, h: str) -> Array:
        return 1.0 - up(x, s, h)

    lps = get["lps_flux0"] / get["kE"]
    tnf, il6, il10 = get["wTNF"] * 1.03, get["il6_background"] * 1.3, get["w10"] * 1.0
    il8, rest, active = get["w8"] * 1.0, get["Mmax"] * 1.0, np.zeros(n)
    residual = np.full(n, np.inf)
    # A person is done by the own residual, so that nobody's last digits depend on who else is solved with them.
    for _ in range(MAX_SWEEPS):
        moving = residual >= TOLERANCE
        if not moving.any():
            break
        last = (rest, active, tnf, il6, il8, il10)
        before = np.column_stack([active + 1e-6, tnf, il6, il8, il10])
        per_cell = up(lps, "xME", "hME") * (get["kM"] + get["kMTNF"] * up(tnf, "xMTNF", "hMTNF"))
        per_cell = per_cell * down(il10, "xM10", "hM10")
        rest = get["Mmax"] * np.maximum(1 - per_cell / get["kMR"], 0.0)
        active = per_cell * rest / get["kMA"]
        il10 = (get["k10M"] + get["k106"] * up(il6, "x106", "h106")) * active / get["k10"] + get["w10"]
        tnf_made = get["kTNFM"] * down(il6, "xTNF6", "hTNF6") * down(il10, "xTNF10", "hTNF10") * active
        tnf = tnf_made / get["kTNF"] + get["wTNF"]
        il6_made = (get["k6M"] + get["k6TNF"] * up(tnf, "x6TNF", "h6TNF")) * down(il10, "x610", "h610") * active
        il6 = il6_made * down(il6, "x66", "h66") / get["k6"] + get["il6_background"]
        il8_made = (get["k8M"] + get["k8TNF"] * up(tnf, "x8TNF", "h8TNF")) * down(il10, "x810", "h810") * active
        il8 = il8_made / get["k8"] + get["w8"]
        after = np.column_stack([active + 1e-6, tnf, il6, il8, il10])
        residual = np.where(moving, np.abs(after / before - 1).max(axis=1), residual)
        moved = (rest, active, tnf, il6, il8, il10)
        rest, active, tnf, il6, il8, il10 = (np.where(moving, new, old) for new, old in zip(moved, last, strict=True))
    solved = (lps, rest, active, tnf, il6, il8, il10)
    return {name: np.asarray(value, dtype=float) for name, value in zip(STATES, solved, strict=True)}, residual
