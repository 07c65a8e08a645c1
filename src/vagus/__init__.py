"""Simulate and analyze trials of gut interventions on sleep and mood.

>>> import vagus as vg
>>> trial = vg.read_protocol("efficad")                      # doctest: +SKIP
>>> run = vg.simulate(trial, seed=1)                         # doctest: +SKIP
>>> vg.predict(run).verdict.sentence                         # doctest: +SKIP
>>> vg.analyze(trial, "data/").estimates                     # doctest: +SKIP

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vagus.api import Answer, Run, analyze, predict, read_protocol, simulate
    from vagus.errors import InputError, ModelError, VagusError

__version__ = "0.1.0"

_HOMES = {
    "Answer": "vagus.api",
    "InputError": "vagus.errors",
    "ModelError": "vagus.errors",
    "Run": "vagus.api",
    "VagusError": "vagus.errors",
    "analyze": "vagus.api",
    "predict": "vagus.api",
    "read_protocol": "vagus.api",
    "simulate": "vagus.api",
}

__all__ = [
    "Answer",
    "InputError",
    "ModelError",
    "Run",
    "VagusError",
    "__version__",
    "analyze",
    "predict",
    "read_protocol",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
