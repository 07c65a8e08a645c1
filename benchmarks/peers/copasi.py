"""COPASI: LSODA on an interpreted model, with the daily dose as an event of the model's text."""

from __future__ import annotations

import time

import COPASI
import numpy as np
from workloads import DOSED, Workload

from peers import ABSOLUTE, MOST_STEPS, Failed, Floats, Unfit


class Copasi:
    """The time course task, set up through its objects (which costs next to nothing)."""

    def __init__(self, load: Workload, people: int) -> None:
        if load.dosed_sbml is None:
            raise Unfit("It takes doses as events of the text only, and here they differ from day to day.")
        self.version, self.detail, self.load = str(COPASI.__version__), "", load
        begin = time.perf_counter()
        self.data = COPASI.CRootContainer.addDatamodel()
        if not self.data.importSBMLFromString(load.dosed_sbml):
            raise Unfit("It could not read the model's text.")
        self.compile_s = time.perf_counter() - begin
        self.own = self.data.getModel()
        species = [self.own.getMetabolite(k) for k in range(self.own.getNumMetabs())]
        constants = [self.own.getModelValue(k) for k in range(self.own.getNumModelValues())]
        species_by_name = {item.getSBMLId(): item for item in species}
        constants_by_name = {item.getSBMLId(): item for item in constants}
        self.states = [species_by_name[name] for name in load.model.states]
        self.parameters = [constants_by_name[name] for name in load.model.parameters]
        self.task = self.data.getTask("Time-Course")
        self.task.setMethodType(COPASI.CTaskEnum.Method_deterministic)

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """See `peers.Peer`."""
        method, problem, load = self.task.getMethod(), self.task.getProblem(), self.load
        method.getParameter("Relative Tolerance").setDblValue(rtol)
        method.getParameter("Absolute Tolerance").setDblValue(rtol * ABSOLUTE)
        method.getParameter("Max Internal Steps").setUIntValue(MOST_STEPS)
        problem.setStepNumber(days)
        problem.setDuration(float(load.times[days - 1]))
        problem.setTimeSeriesRequested(True)
        dose = load.model.parameter_index("dose")
        start = load.initial[:people].copy()
        start[:, load.model.state_index(DOSED)] += load.parameters[:people, dose]  # the event comes from day 1 on
        values = np.empty((people, days, len(load.model.outputs)))
        for person in range(people):
            for item, value in zip(self.parameters, load.parameters[person], strict=True):
                item.setInitialValue(float(value))
            for item, value in zip(self.states, start[person], strict=True):
                item.setInitialConcentration(float(value))
            self.own.updateInitialValues(COPASI.CCore.Framework_Concentration)
            if not (self.task.initializeRaw(COPASI.CCopasiTask.ONLY_TIME_SERIES) and self.task.processRaw(True)):
                raise Failed(f"Its task failed: {self.task.getProcessError()}")
            series = self.task.getTimeSeries()
            titles = [series.getTitle(k) for k in range(series.getNumVariables())]
            columns = [titles.index(name) for name in load.model.outputs]
            for day in range(days):
                values[person, day] = [series.getConcentrationData(day + 1, column) for column in columns]
        return values
