"""From a model's text to trajectories of a population: expression graph, compiled kernels, integrator.

>>> model = load(sbml_text, person_parameters=["k"])              # doctest: +SKIP
>>> solution = simulate(model, [[0.1], [0.2]], output_times=[1])  # doctest: +SKIP
>>> solution.messages                                             # doctest: +SKIP
('ok', 'ok')

Importing this package loads neither libSBML nor the compiler; the first `load` and the first `simulate` do.
"""

from vagus.engine.model import Event, Model, load
from vagus.engine.reference import Evaluation, evaluate, simulate_reference
from vagus.engine.solution import Doses, Inputs, Solution
from vagus.engine.solver import simulate
from vagus.engine.steady import SteadyState, steady_state

__all__ = [
    "Doses",
    "Evaluation",
    "Event",
    "Inputs",
    "Model",
    "Solution",
    "SteadyState",
    "evaluate",
    "load",
    "simulate",
    "simulate_reference",
    "steady_state",
]
