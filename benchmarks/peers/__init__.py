"""The solvers of the comparison, each behind one class.

A peer is made for one workload, which reads and compiles its model, and then integrates the first people from the
start, one process, one thread. Every peer runs in a process of its own (`peers.__main__`): what one of them does to
its process, even a crash, is no other's matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from workloads import Workload

Floats = NDArray[np.float64]

#: Absolute tolerance of the peers that take one number for all states, as a share of the relative one.
ABSOLUTE = 1e-2
MOST_STEPS = 1_000_000


class Unfit(Exception):
    """The peer cannot do the workload; the sentence says why."""


class Failed(Exception):
    """The peer gave up at a tolerance."""


class Peer(Protocol):
    """A solver that has compiled a model.

    Attributes
    ----------
    version : str
        Of the package.
    detail : str
        What was chosen, in a few words; may be empty.
    compile_s : float
        Seconds from the model's text to code that runs, without imports.
    """

    version: str
    detail: str
    compile_s: float

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """Return the outputs of the first people, shape (people, days, outputs).

        Raises
        ------
        Failed
            The solver gave up.
        """


@dataclass(frozen=True)
class Entry:
    """A peer before it is imported.

    Attributes
    ----------
    name : str
        As it stands in the table.
    place : str
        Module and class.
    options : dict
        Arguments of the class beside the workload and the number of people.
    people, least : int
        People to integrate, and the fewest where time is short: fewer days are then integrated instead.
    rtol : float
        Tolerance that is tried first.
    install : str
        What pip calls it.
    own_rtol : dict of str to float
        The same for workloads that need another one.
    for_stiff : bool
        Whether it is run on the stiff workload without being asked for by name.
    """

    name: str
    place: str
    options: dict[str, Any]
    people: int
    least: int
    rtol: float
    install: str
    own_rtol: dict[str, float] = field(default_factory=dict)
    for_stiff: bool = True

    def first_rtol(self, workload: str) -> float:
        """Return the tolerance that is tried first."""
        return self.own_rtol.get(workload, self.rtol)

    def make(self, load: Workload, people: int) -> Peer:
        """Read and compile a workload's model.

        Raises
        ------
        ImportError
            The package is not installed.
        Unfit
        """
        module, name = self.place.split(":")
        peer: Peer = getattr(import_module(f"peers.{module}"), name)(load, people, **self.options)
        return peer


LANES, SCALAR = "vagus lanes", "vagus scalar"
RUNNER_BDF, RUNNER_ADAMS = "libRoadRunner BDF", "libRoadRunner Adams"
LSODA, DOP853 = "LSODA compiled", "DOP853 compiled"
DIFFRAX_64, DIFFRAX_32 = "diffrax Tsit5 f64", "diffrax Tsit5 f32"
COPASI = "COPASI LSODA"

TIGHT = {"axis": 5e-8}  # events add to the error
OURS = {"stiff": 5e-4, "axis": 1e-5}

ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(LANES, "ours:Lanes", {}, 256, 64, 5e-5, "vagus", OURS),
        Entry(SCALAR, "ours:Scalar", {}, 8, 2, 5e-5, "vagus", OURS),
        Entry(RUNNER_BDF, "libroadrunner:RoadRunner", {"stiff": True}, 4, 2, 1e-5, "libroadrunner", TIGHT),
        Entry(RUNNER_ADAMS, "libroadrunner:RoadRunner", {"stiff": False}, 4, 2, 1e-5, "libroadrunner", TIGHT, False),
        Entry(LSODA, "compiled:Compiled", {"method": "lsoda"}, 8, 2, 5e-5, "numbalsoda", {"stiff": 1e-4}),
        Entry(DOP853, "compiled:Compiled", {"method": "dop853"}, 8, 2, 2e-4, "numbalsoda", {"stiff": 5e-4}),
        Entry(DIFFRAX_64, "batched:Diffrax", {"single": False}, 32, 32, 2e-5, "diffrax", {}, False),
        Entry(DIFFRAX_32, "batched:Diffrax", {"single": True}, 32, 32, 2e-5, "diffrax", {}, False),
        Entry(COPASI, "copasi:Copasi", {}, 4, 2, 1e-4, "python-copasi"),
    )
}
