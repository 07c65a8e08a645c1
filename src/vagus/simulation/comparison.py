"""The typical adult under one product, with one model beside another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vagus.errors import InputError, Problem
from vagus.model import ComposedModel, draw_uncertain
from vagus.model.couplings import nodes
from vagus.protocol import Protocol, parse
from vagus.simulation.trial import simulate_arms
from vagus.simulation.typical import typical_adult

TRIAL = """
vagus: 1
trial: {{id: typical, title: typical adult, design: parallel}}
population: {{from: healthy-adults, n: 4, baseline_microbiome: {{from: healthy-adults}}}}
arms:
  without: {{}}
  with: {{{product}: {dose}}}
control: without
schedule: {{treat: {weeks} wk, visits: [0, {weeks}] wk}}
measures: {{stool_16S: visits, BDI: visits}}
estimands: {{primary: {{variable: BDI change at {weeks} wk, contrast: with - without}}}}
analysis: {{primary: ancova}}
"""


@dataclass(frozen=True)
class Response:
    """One quantity of the axis in the typical adult at the end of treatment.

    Attributes
    ----------
    node, label, variable : str
        Of the diagram.
    without, with_product : float
        Value of the variable without and with the product.
    change : float
        Difference in SD between people (on the log scale where the diagram says so).
    """

    node: str
    label: str
    variable: str
    without: float
    with_product: float
    change: float


def typical_trial(product: str, dose: str, weeks: int = 6) -> Protocol:
    """Return the protocol of a typical adult with and without one product.

    Raises
    ------
    InputError
        An unknown product, or a dose that is no mass per day.
    """
    try:
        return parse(TRIAL.format(product=product, dose=dose, weeks=weeks), "")
    except InputError as error:
        # The user wrote one product and one amount, not the trial around them.
        words = (
            problem.message.replace(" of arm 'with'", "").replace(" in arm 'with'", "") for problem in error.problems
        )
        raise InputError(Problem("--dose", 0, message) for message in words) from None


def typical_response(axis: ComposedModel, protocol: Protocol) -> tuple[Response, ...]:
    """Simulate the typical adult with and without a product and return every quantity of the diagram at the end.

    Raises
    ------
    ModelError
        The model has no rest before the trial.
    """
    adult = typical_adult(axis)
    drawn = draw_uncertain(axis.parameters, 0, 0)
    courses = simulate_arms(adult.people, adult.model, protocol, drawn, seed=0, rows=np.arange(1))
    found = []
    for node in nodes():
        low, high = (
            float(courses[arm].at_visit(node.variable, protocol.schedule.treat_days)[0]) for arm in ("without", "with")
        )
        change = np.log(high / low) if node.transform == "log" else high - low
        found.append(Response(node.node, node.label, node.variable, low, high, float(change) / node.sd))
    return tuple(found)
