"""The exported axis through two integrators: ours and that of libRoadRunner."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
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


class Peer:
    """A model in libRoadRunner; reading it takes half a minute, setting another person's values nothing.

    Parameters
    ----------
    sbml : str
        From `vagus.model.archive.export_sbml`.

    Raises
    ------
    InputError
        libRoadRunner is not installed.
    """

    def __init__(self, sbml: str) -> None:
        roadrunner = _roadrunner()
        self.version = str(roadrunner.__version__)
        self._runner = roadrunner.RoadRunner(sbml)
        for name, value in PEER_SETTINGS.items():
            setattr(self._runner.integrator, name, value)

    def noons(self, names: Sequence[str], days: int, values: Mapping[str, float] | None = None) -> Array:
        """Integrate from day 0 and return some variables at every noon.

        Parameters
        ----------
        names : sequence of str
        days : int
            Length.
        values : mapping of str to float, optional
            Constants and all states at the start; those of the text where not given.

        Returns
        -------
        array, shape (days, names)
        """
        self._runner.resetToOrigin()
        for name, value in (values or {}).items():
            self._runner.setValue(name, float(value))
        # Noon is one of every second point, so that the course is read where the other one is.
        return np.array(self._runner.simulate(0, float(days), 2 * days + 1, list(names)))[1::2]


def differences(found: Array, course: Array, largest: Array) -> Array:
    """Return |a - b| / (|b| + 1e-3 largest), and zero where a and b are the same but for rounding.

    Parameters
    ----------
    found, course : array, shape (..., names)
        The a and the b.
    largest : array, shape (names,)
        The largest |b|.
    """
    apart = np.abs(found - course)
    apart[apart < ROUNDING] = 0.0
    scale = np.abs(course) + FLOOR * largest
    return np.divide(apart, scale, out=np.where(apart > 0, np.inf, 0.0), where=scale > 0)


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
    require_peer()
    times = np.arange(days, dtype=np.float64) + 0.5
    model = engine.load(sbml)
    found = engine.simulate(model, np.zeros((1, 0)), output_times=times, rtol=OUR_TOLERANCE)
    if found.messages != ("ok",):
        raise InputError(f"Our integrator gave up: {found.messages[0]}.")
    peer = Peer(sbml)
    course = peer.noons(model.states, days)
    apart = differences(found.values[0], course, np.abs(course).max(axis=0))
    return CrossCheck(model.states, times, apart, peer.version)


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
