"""On which scale the numerical error of an output that is a difference is judged.

A shift is measured against the person's own baseline and stays near zero for most; its error relative to itself says
nothing. It is judged on the smallest difference between groups that matters (``scales.csv``: unit, reason, source).
"""

from __future__ import annotations

from collections.abc import Iterable

from vagus import resources


def audit_scales(outputs: Iterable[str]) -> dict[str, float]:
    """Return the scales of those outputs that have one, for `vagus.engine.simulate`.

    Examples
    --------
    >>> audit_scales(["mood_shift", "cortisol_nmol_l"])
    {'mood_shift': 0.2}
    """
    known = resources.numbers("simulation", "scales.csv")
    return {name: known[name] for name in outputs if name in known}
