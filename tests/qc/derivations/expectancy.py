"""Being in a trial: placebo response of three domains.

Equations: README of the submodel; time course Sarris (76 % of the eventual responders after two weeks). Parameters by
the names of its table. Time in days; amplitudes in SD, + is better. State y = [mood, sleep, IBS].

    P(t) = amplitude (1 - exp(-(t - start) / tau)) from the start of treatment on

written as a rate: P' = (amplitude x in_trial - P) / tau. Before the start P is none, so that the rate of any other
value there is a matter of reading.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DOMAINS = ("mood", "sleep", "ibs")


def in_trial(t_d: float, p: Mapping[str, float]) -> float:
    return 1.0 if t_d >= p["t_treat_start"] else 0.0


def rates(t_d: float, y: Array, p: Mapping[str, float]) -> Array:
    """Right-hand side per day."""
    amplitudes = np.array([p[f"placebo_{name}_amp"] for name in DOMAINS])
    return (amplitudes * in_trial(t_d, p) - y) / p["tau_placebo_d"]


def course(t_d: float, p: Mapping[str, float]) -> Array:
    """The three responses in closed form."""
    amplitudes = np.array([p[f"placebo_{name}_amp"] for name in DOMAINS])
    since = max(0.0, t_d - p["t_treat_start"])
    return amplitudes * (1.0 - np.exp(-since / p["tau_placebo_d"]))
