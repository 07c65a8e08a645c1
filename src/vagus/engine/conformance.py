"""Cases of the SBML semantic test suite through the engine, judged by the suite's own rule.

A case passes where ``|ours - theirs| <= absolute + relative * |theirs|`` at every time for every variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.engine.model import load, read_document
from vagus.engine.sbml import RefusedModel
from vagus.engine.solver import simulate
from vagus.errors import VagusError

Floats = NDArray[np.float64]

#: Far below what the cases allow (from 1e-4), so that a miss is a wrong meaning and not a coarse step.
RTOL, ATOL = 1e-9, 1e-14


@dataclass(frozen=True)
class Case:
    """One case of the suite.

    Attributes
    ----------
    name : str
        Its number.
    sbml : str
        The model.
    times : numpy.ndarray
        Shape (t,), times of the expected values; empty where the case is no time course.
    expected : mapping of str to numpy.ndarray
        Variable -> shape (t,), expected values.
    amounts, concentrations : frozenset of str
        Species that are given so; every other variable is given as the value of its symbol.
    absolute, relative : float
        How far a value may be away.
    """

    name: str
    sbml: str
    times: Floats
    expected: Mapping[str, Floats]
    amounts: frozenset[str]
    concentrations: frozenset[str]
    absolute: float
    relative: float


@dataclass(frozen=True)
class Miss:
    """The value of one variable that is furthest from what is allowed.

    Attributes
    ----------
    variable : str
    time : float
    ours, theirs : float
    allowed : float
        Largest difference allowed there.
    """

    variable: str
    time: float
    ours: float
    theirs: float
    allowed: float


@dataclass(frozen=True)
class Outcome:
    """What one case gave.

    Attributes
    ----------
    case : str
        Its number.
    misses : tuple of Miss
        Every variable that is too far away, at its worst.
    failure : str
        Why there are no values; empty where there are.
    unsupported : str
        What the engine does not support, by name; empty where it supports all.
    """

    case: str
    misses: tuple[Miss, ...] = ()
    failure: str = ""
    unsupported: str = ""

    @property
    def passed(self) -> bool:
        """Whether every value is within what is allowed."""
        return not (self.misses or self.failure or self.unsupported)

    @property
    def failed(self) -> bool:
        """Whether it is wrong; what is refused by name is not."""
        return bool(self.misses or self.failure)


def run_case(case: Case) -> Outcome:
    """Integrate one case and compare every value; what cannot be read or integrated is an outcome too."""
    if not len(case.times):
        return Outcome(case.name, unsupported="the case is no time course")
    try:
        ours = _integrate(case)
    except RefusedModel as error:
        reasons = "; ".join(map(str, error.faults))
        if all(fault.unsupported for fault in error.faults):
            return Outcome(case.name, unsupported=reasons)
        return Outcome(case.name, failure=reasons)
    except VagusError as error:
        return Outcome(case.name, failure=str(error))
    misses = (_miss(case, name, values) for name, values in ours.items())
    return Outcome(case.name, tuple(miss for miss in misses if miss is not None))


def _integrate(case: Case) -> dict[str, Floats]:
    """Return every variable's values as the case wants them: species as amounts or as concentrations."""
    sbml = read_document(case.sbml).getModel()
    species = {name: item for name in case.expected if (item := sbml.getSpecies(name)) is not None}
    homes = {name: item.getCompartment() for name, item in species.items()}
    model = load(case.sbml, outputs=list(dict.fromkeys((*case.expected, *homes.values()))))
    found = simulate(model, np.zeros((1, 0)), output_times=case.times, rtol=RTOL, atol=ATOL)
    if found.messages != ("ok",):
        raise VagusError(found.messages[0])
    values = {name: found.output(name)[0] for name in case.expected}
    for name, item in species.items():
        size, home = found.output(homes[name])[0], sbml.getCompartment(homes[name])
        in_amount = item.getHasOnlySubstanceUnits() or home.getSpatialDimensionsAsDouble() == 0
        if name in case.amounts and not in_amount:
            values[name] = values[name] * size
        elif name in case.concentrations and in_amount:
            values[name] = values[name] / size
    return values


def _miss(case: Case, name: str, ours: Floats) -> Miss | None:
    theirs = case.expected[name]
    allowed = case.absolute + case.relative * np.abs(theirs)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):  # two infinities, or nothing allowed around zero
        away = np.where(same, 0.0, np.abs(ours - theirs))
        met = same | (away <= allowed)
    if met.all():
        return None
    worst = int(np.argmax(np.where(met, -1.0, np.nan_to_num(away, nan=np.inf) / np.maximum(allowed, 1e-300))))
    return Miss(name, float(case.times[worst]), float(ours[worst]), float(theirs[worst]), float(allowed[worst]))
