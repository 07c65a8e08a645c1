"""Stress: a period that the protocol sets, felt with a lag.

Equations: README of the submodel. Parameters by the names of its table. Time in days; stress in SD between people.

    load    = reactivity x size from the first to the last day, else 0
    stress' = (load - stress) / tau
"""

from __future__ import annotations

from collections.abc import Mapping


def load(t_d: float, p: Mapping[str, float]) -> float:
    within = p["stress_from_d"] <= t_d < p["stress_to_d"]
    return p["stress_reactivity"] * p["stress_size"] if within else 0.0


def rate(t_d: float, stress: float, p: Mapping[str, float]) -> float:
    """Right-hand side per day."""
    return (load(t_d, p) - stress) / p["tau_stress_d"]
