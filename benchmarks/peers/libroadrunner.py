"""libRoadRunner: CVODE on machine code of its own, restarted at every dose.

The daily dose as an event of the model's text is no way here: after each event its step collapses. Three settings are
needed for it to do well. The absolute tolerance is given state by state, as one number it is scaled by each state's
value at every restart and falls to nothing with the dose that decays. The optimizer is left out where the model has
many rules: it writes every rule out wherever its name is read, and then takes hours. Steps are held short where the
model has events, which it would step over.
"""

from __future__ import annotations

import time

import numpy as np
import roadrunner
from workloads import Workload

from peers import ABSOLUTE, MOST_STEPS, Failed, Floats

LONGEST_STEP = 0.02  # days, where there are events


class RoadRunner:
    """CVODE with backward differences (its default, for stiff models) or with Adams' method."""

    def __init__(self, load: Workload, people: int, stiff: bool) -> None:
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
        self.version, self.detail = str(roadrunner.__version__), "BDF" if stiff else "Adams"
        model, self.load = load.model, load
        begin = time.perf_counter()
        if model.events:
            config = roadrunner.Config
            config.setValue(config.LLVM_BACKEND, config.LLJIT)
            config.setValue(config.LLJIT_OPTIMIZATION_LEVEL, config.NONE)
            self.detail += ", not optimized"
        self.peer = roadrunner.RoadRunner(load.sbml)
        self.compile_s = time.perf_counter() - begin
        own = self.peer.model
        species, globals_ = list(own.getFloatingSpeciesIds()), list(own.getGlobalParameterIds())
        self.places = [globals_.index(name) for name in model.parameters]
        self.in_species = bool(species)
        self.order = [(species or globals_).index(name) for name in model.states]
        self.selections = [f"[{name}]" if name in species else name for name in model.outputs]
        self.peer.integrator.stiff = stiff
        self.peer.integrator.maximum_num_steps = MOST_STEPS
        self.peer.integrator.maximum_time_step = LONGEST_STEP if model.events else 0.0

    def _set(self, states: Floats) -> None:
        own = self.peer.model
        write = own.setFloatingSpeciesConcentrations if self.in_species else own.setGlobalParameterValues
        write(self.order, states)

    def _states(self) -> Floats:
        own = self.peer.model
        read = own.getFloatingSpeciesConcentrations if self.in_species else own.getGlobalParameterValues
        return np.array(read(self.order))

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """See `peers.Peer`."""
        peer, load = self.peer, self.load
        peer.integrator.relative_tolerance = rtol
        count = len(peer.integrator.getAbsoluteToleranceVector())
        peer.integrator.setValue("absolute_tolerance", [rtol * ABSOLUTE] * count)
        peer.timeCourseSelections = self.selections
        values = np.empty((people, days, len(self.selections)))
        for person, pieces in enumerate(load.some(people).stretches(days)):
            peer.reset(roadrunner.SelectionRecord.TIME)
            peer.model.setGlobalParameterValues(self.places, load.parameters[person])
            self._set(load.initial[person])
            for piece in pieces:
                if piece.doses:
                    states = self._states()
                    for state, amount in piece.doses:
                        states[state] += amount
                    self._set(states)
                try:
                    course = peer.simulate(piece.start, piece.end, 2)
                except RuntimeError as problem:
                    raise Failed(str(problem).partition(";")[0]) from None
                if piece.row >= 0:
                    values[person, piece.row] = np.asarray(course)[-1]
        return values
