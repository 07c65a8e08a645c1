"""LSODA (C++) and DOP853 (Fortran) of numbalsoda, on our machine code for the rates.

The rates are those of the scalar kernel, compiled from the same expression graph; a few instructions of LLVM put its
arguments into numbalsoda's order. No Python runs between two restarts.
"""

from __future__ import annotations

import time
from importlib.metadata import version

import numpy as np
from llvmlite import ir
from numbalsoda.driver import lsoda_wrapper
from numbalsoda.driver_dop853 import dop853_wrapper
from workloads import Workload

from peers import ABSOLUTE, MOST_STEPS, Failed, Floats, Unfit
from vagus.engine.assembly import REAL, REALS, Array, Module, Value
from vagus.engine.kernel import kernel_of
from vagus.engine.native import Library, build

METHODS = {"lsoda": lsoda_wrapper, "dop853": dop853_wrapper}


def in_its_order() -> Library:
    """Return ``rates(t, y, rates, data)``, where `data` begins with the address of ``f(t, y, p, rates)``, then p."""
    module = Module("numbalsoda")
    code = module.function("rates", [REAL, REALS, REALS, REALS])
    t, y, rates, data = code.arguments
    assert isinstance(t, Value)
    assert isinstance(y, Array)
    assert isinstance(rates, Array)
    assert isinstance(data, Array)
    code.call_at(data.seen_as(ir.IntType(64))[0], t, y, data.after(1), rates)
    code.give(0)
    text = module.text()
    return build(lambda: text, ["rates"], text)


class Compiled:
    """One of numbalsoda's solvers."""

    def __init__(self, load: Workload, people: int, method: str) -> None:
        if load.model.events:
            raise Unfit("It knows no events, which this model has.")
        self.version, self.detail, self.solve = f"numbalsoda {version('numbalsoda')}", "", METHODS[method]
        begin = time.perf_counter()
        self.load = load.read()
        self.kernel = kernel_of(self.load.model)
        self.rates = in_its_order()
        self.compile_s = time.perf_counter() - begin

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """See `peers.Peer`."""
        load, kernel = self.load, self.kernel
        own, states = len(load.model.parameters), len(load.model.states)
        data = np.zeros(1 + own + kernel.prepared)
        data[:1].view(np.int64)[0] = kernel.library.addresses["rhs"]
        p = data[1:]
        ends, course, state = np.empty(2), np.empty((2, states)), np.empty(states)
        fine = np.zeros((), dtype=np.int32)
        address = self.rates.addresses["rates"]
        arrays = [array.ctypes.data for array in (ends, course)]
        values = np.empty((people, days, len(load.model.outputs)))
        for person, pieces in enumerate(load.some(people).stretches(days)):
            p[:own], state[:] = load.parameters[person], load.initial[person]
            kernel.call("prepare", 0.0, state, p, p[own:])
            for piece in pieces:
                for place, amount in piece.doses:
                    state[place] += amount
                ends[:] = piece.start, piece.end
                self.solve(
                    address,
                    states,
                    state.ctypes.data,
                    data.ctypes.data,
                    2,
                    *arrays,
                    rtol,
                    rtol * ABSOLUTE,
                    MOST_STEPS,
                    fine.ctypes.data,
                )
                if fine != 1:
                    raise Failed(f"It gave up after day {piece.start:g}.")
                state[:] = course[1]
                if piece.row >= 0:
                    kernel.call("outputs", piece.end, state, p, values[person, piece.row])
        return values
