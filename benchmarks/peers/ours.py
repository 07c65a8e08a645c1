"""Our own integrators."""

from __future__ import annotations

import time

from workloads import Workload

import vagus
from peers import MOST_STEPS, Floats

AUDITED = 4
AUDIT_RTOL = 5e-5


class Lanes:
    """Many people in the lanes of a vector, of the precision that an audit of the first few chooses."""

    def __init__(self, load: Workload, people: int) -> None:
        self.version = vagus.__version__
        begin = time.perf_counter()
        self.load = load.read()
        self.load.some(1, 1).simulate(rtol=AUDIT_RTOL, lanes="single", audited=0)
        self.compile_s = time.perf_counter() - begin
        chosen = self.load.some(AUDITED).simulate(rtol=AUDIT_RTOL, lanes="automatic", audited=AUDITED).lanes
        assert chosen is not None
        self.lanes = "single" if chosen.bits == 32 else "double"
        self.detail = f"{chosen.width} lanes of {chosen.bits} bits"

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """See `peers.Peer`."""
        return self.load.some(people, days).simulate(rtol=rtol, lanes=self.lanes, audited=0).values


class Scalar:
    """One person after the other, in double precision."""

    def __init__(self, load: Workload, people: int) -> None:
        self.version, self.detail = vagus.__version__, ""
        begin = time.perf_counter()
        self.load = load.read()
        self.load.some(1, 1).simulate(rtol=AUDIT_RTOL)
        self.compile_s = time.perf_counter() - begin

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """See `peers.Peer`."""
        return self.load.some(people, days).simulate(rtol=rtol, max_steps=MOST_STEPS).values
