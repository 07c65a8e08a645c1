"""The exported axis through two integrators: ours and that of libRoadRunner."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import InputError

Array = NDArray[np.float64]

#: Largest |a - b| / (|b| + FLOOR max|b|) that is allowed over all states and times.
ALLOWED = 1e-4
FLOOR = 1e-3
#: A difference below this, in a state's own unit, is rounding: a change from the own baseline that stays at nothing.
ROUNDING = 1e-12
#: Both at tight tolerances; events switch sleep and hormones, and must not be stepped over.
OUR_TOLERANCE = 1e-11
PEER_SETTINGS = {
    "relative_tolerance": 1e-10,
    "absolute_tolerance": 1e-13,
    "maximum_time_step": 0.02,
    "maximum_num_steps": 10_000_000,
    "stiff": False,  # Adams: twice as fast as BDF here, and closer
}
MISSING = 'Needs libRoadRunner, which is not installed; run: pip install "vagus[cross-check]"'


@dataclass(frozen=True)
class CrossCheck:
    """How far two integrators are apart.

    Attributes
    ----------
    states : tuple of str
        All states, events' targets included.
    days : numpy.ndarray
        Shape (t,), times compared.
    differences : numpy.ndarray
        Shape (t, states), |a - b| / (|b| + 1e-3 max|b|) with b of libRoadRunner.
    peer : str
        Version of libRoadRunner.
    """

    states: tuple[str, ...]
    days: Array
    differences: Array
    peer: str

    @property
    def worst(self) -> float:
        """Largest difference."""
        return float(self.differences.max(initial=0.0))

    @property
    def ok(self) -> bool:
        """Whether the largest difference is within what is allowed."""
        return self.worst <= ALLOWED

    def by_state(self) -> list[tuple[str, float, float]]:
        """Return (state, largest difference, day of it), the largest first."""
        places = self.differences.argmax(axis=0)
        rows = [
            (name, float(self.differences[place, column]), float(self.days[place]))
            for column, (name, place) in enumerate(zip(self.states, places, strict=True))
        ]
        return sorted(rows, key=lambda row: (-row[1], row[0]))


def cross_check(sbml: str, days: int = 84) -> CrossCheck:
    """Integrate an SBML text by both and compare every state at every noon.

    Parameters
    ----------
    sbml : str
        From `vagus.model.archive.export_sbml`.
    days : int
        Length.

    Raises
    ------
    InputError
        libRoadRunner is not installed.
    """
    roadrunner = _roadrunner()
    times = np.arange(days, dtype=np.float64) + 0.5
    model = engine.load(sbml)
    found = engine.simulate(model, np.zeros((1, 0)), output_times=times, rtol=OUR_TOLERANCE)
    if found.messages != ("ok",):
        raise InputError(f"Our integrator gave up: {found.messages[0]}.")
    peer = roadrunner.RoadRunner(sbml)
    for name, value in PEER_SETTINGS.items():
        setattr(peer.integrator, name, value)
    # Noon is one of every second point, so that the course is read where the other one is.
    course = np.array(peer.simulate(0, float(days), 2 * days + 1, list(model.states)))[1::2]
    scale = np.abs(course) + FLOOR * np.abs(course).max(axis=0)
    apart = np.abs(found.values[0] - course)
    apart[apart < ROUNDING] = 0.0
    differences = np.divide(apart, scale, out=np.where(apart > 0, np.inf, 0.0), where=scale > 0)
    return CrossCheck(model.states, times, differences, str(roadrunner.__version__))


def require_peer() -> None:
    """Refuse where libRoadRunner is not installed, before any work.

    Raises
    ------
    InputError
        It is not.
    """
    _roadrunner()


def _roadrunner() -> Any:
    # Its solver writes warnings of steps at events ("will continue anyway") among what we print.
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)
    try:
        import roadrunner
    except ImportError:
        raise InputError(MISSING) from None
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    # It writes every rule out wherever its name is read, and its optimizer then takes hours; without it, half a minute.
    config = roadrunner.Config
    config.setValue(config.LLVM_BACKEND, config.LLJIT)
    config.setValue(config.LLJIT_OPTIMIZATION_LEVEL, config.NONE)
    return roadrunner
