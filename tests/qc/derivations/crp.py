"""C-reactive protein relative to the own baseline.

Equation: README of the submodel (synthesis in proportion to IL-6, decay with the half-life of Vigushin 1993, 19 h).
Time in days.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def rate(crp: float, p: Mapping[str, float]) -> float:
    """Rate of `crp_rel` per day."""
    return np.log(2) / p["crp_half_h"] * p["h_per_d"] * (p["il6_pg_ml"] / p["il6_0_pg_ml"] - crp)
