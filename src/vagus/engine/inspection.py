"""What a model from outside holds, and whether it would run: all that can be said without running it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vagus.engine.model import Model, load, read_document
from vagus.engine.reference import evaluate
from vagus.engine.sbml import HARMLESS, RefusedModel, fault_at, items, names_in
from vagus.errors import InputError, Problem
from vagus.model.consistency import Finding, findings, reason, unit_findings
from vagus.model.outside import ANTIMONY, SBML, OutsideModel

#: Numbers of the rules of SBML on units; what libSBML cannot tell for want of units has others, or says so.
UNIT_RULES = range(10500, 10600)
CANNOT_TELL = re.compile(r"indeterminable|may produce")
#: Names that a message lists at most.
MOST_NAMES = 8


@dataclass(frozen=True)
class Start:
    """A state at time zero: its value and its rate."""

    state: str
    value: float
    rate: float


@dataclass(frozen=True)
class Inspection:
    """A model that would run.

    Attributes
    ----------
    name : str
        The model's id.
    kind : str
        Antimony, or level and version of SBML.
    states : tuple of Start
    holds : dict of str to int
        How many there are of each kind of part.
    without_unit, quantities : int
        Parameters, species and compartments without a unit, and all of them.
    time_unit : str
        Unit of the model's time; empty where it has none.
    clashes : int
        Formulas whose units do not agree; none unless units were to be ignored.
    notes : tuple of str
        What to know of it.
    """

    name: str
    kind: str
    states: tuple[Start, ...]
    holds: dict[str, int]
    without_unit: int
    quantities: int
    time_unit: str
    clashes: int
    notes: tuple[str, ...]


def inspect(source: OutsideModel, *, ignore_units: bool = False) -> Inspection:
    """Check a model from outside: read it, evaluate it at time zero.

    Parameters
    ----------
    source : OutsideModel
    ignore_units : bool
        Tell of a unit clash as of something to know, instead of refusing it.

    Raises
    ------
    InputError
        It would not run: unreadable or unsound text, something unsupported, units that clash, a value or a rate that
        is not finite at the start; every reason with its line.
    """
    sbml, remark = source.to_sbml()
    try:
        model = load(sbml)
    except RefusedModel as error:
        faults = error.faults
        raise InputError(source.problem(_sentence(f.message), f.line, f.part, f.name) for f in faults) from None
    document = read_document(sbml)
    holds = _count(document.getModel())
    if not any(holds.values()):
        raise InputError(
            Problem(source.file, 0, "A model must hold something (states, parameters), this one is empty.")
        )
    notes = [remark] if remark else []
    problems = [
        _problem(source, document, "The model must be sound SBML", finding)
        for finding in findings(document)
        if finding.is_error
    ]
    clashes = [
        _problem(source, document, "Units must agree (--ignore-units leaves them aside)", finding)
        for finding in unit_findings(document)
        if finding.number in UNIT_RULES and not CANNOT_TELL.search(finding.message)
    ]
    if ignore_units:
        notes += map(str, clashes)
    else:
        problems += clashes
    start = _Start(source, model, sbml, document.getModel())
    problems += start.problems()
    if problems:
        raise InputError(dict.fromkeys(problems))
    units = list(_unit_of_each(document.getModel()))
    return Inspection(
        name=model.name,
        kind=ANTIMONY if source.language == ANTIMONY else f"{SBML} L{document.getLevel()}V{document.getVersion()}",
        states=start.states,
        holds=holds,
        without_unit=sum(not unit for unit in units),
        quantities=len(units),
        time_unit=_time_unit(document.getModel()),
        clashes=len(clashes),
        notes=tuple(dict.fromkeys([*notes, *start.notes(), *_left_aside(document)])),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _problem(source: OutsideModel, document: Any, must: str, finding: Finding) -> Problem:
    """Return what libSBML finds, in the part of the model that its line is in."""
    model = document.getModel()
    parts = [
        *(model.getListOfFunctionDefinitions(), model.getListOfCompartments(), model.getListOfSpecies()),
        *(model.getListOfParameters(), model.getListOfInitialAssignments(), model.getListOfRules()),
        *(model.getListOfReactions(), model.getListOfEvents()),
    ]
    before = [part for group in parts for part in group if part.getLine() <= finding.line]
    fault = fault_at(max(before, key=lambda part: int(part.getLine()), default=None), "")
    message = f"{must}, got: {reason(finding.message).rstrip('.')}."
    return source.problem(message, finding.line, fault.part, fault.name)


def _count(model: Any) -> dict[str, int]:
    rules = list(items(model.getNumRules(), model.getRule))
    return {
        "compartments": model.getNumCompartments(),
        "species": model.getNumSpecies(),
        "parameters": model.getNumParameters(),
        "reactions": model.getNumReactions(),
        "rate_rules": sum(rule.isRate() for rule in rules),
        "assignment_rules": sum(rule.isAssignment() for rule in rules),
        "initial_assignments": model.getNumInitialAssignments(),
        "functions": model.getNumFunctionDefinitions(),
        "events": model.getNumEvents(),
    }


def _unit_of_each(model: Any) -> Iterator[bool]:
    """Give for every quantity whether it has a unit."""
    for group in (model.getListOfParameters(), model.getListOfSpecies(), model.getListOfCompartments()):
        for element in group:
            unit = element.getDerivedUnitDefinition()
            yield unit is not None and unit.getNumUnits() > 0


def _time_unit(model: Any) -> str:
    import libsbml

    name = model.getTimeUnits() or ("time" if model.getLevel() < 3 else "")
    definition = model.getUnitDefinition(name) if name else None
    if definition is None:
        return name if name != "time" else "second"  # what Levels 1 and 2 take where nothing is said
    factor = 1.0
    for unit in items(definition.getNumUnits(), definition.getUnit):
        if unit.getKind() != libsbml.UNIT_KIND_SECOND or unit.getExponentAsDouble() != 1:
            return str(libsbml.UnitDefinition.printUnits(definition, True))
        factor *= unit.getMultiplier() * 10.0 ** unit.getScale()
    known = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
    return known.get(factor, f"{factor:g} seconds")


def _left_aside(document: Any) -> Iterator[str]:
    """Give what the engine reads over because it does not change the course."""
    model = document.getModel()
    idle = [item.getId() for item in model.getListOfReactions() if not item.isSetKineticLaw()]
    if idle:
        yield f"Without a rate law, and so without an effect: {_list(idle)}."
    if model.getNumConstraints():
        yield f"Constraints are not watched: {model.getNumConstraints()}."
    for package in items(document.getNumPlugins(), document.getPlugin):
        if package.getPackageName() not in HARMLESS:
            yield f'The SBML package "{package.getPackageName()}" is left aside.'


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"


def _number(value: float) -> str:
    return "NaN" if np.isnan(value) else f"{value:.6g}"


class _Start:
    """Every value and every rate at time zero, and where those that are not finite come from."""

    def __init__(self, source: OutsideModel, model: Model, sbml: str, document: Any) -> None:
        self.source = source
        assigned = list(items(document.getNumInitialAssignments(), document.getInitialAssignment))
        rules = list(items(document.getNumRules(), document.getRule))
        self.reactions = {item.getId(): item for item in document.getListOfReactions() if item.isSetKineticLaw()}
        self.taking: dict[str, set[str]] = {}  # species -> reactions that change it
        for name, reaction in self.reactions.items():
            for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
                self.taking.setdefault(reference.getSpecies(), set()).add(name)
        self.rates = {rule.getId(): rule for rule in rules if rule.isRate() and rule.isSetMath()}
        self.given = {
            element.getId(): element
            for group in (document.getListOfParameters(), document.getListOfSpecies(), document.getListOfCompartments())
            for element in group
        }
        self.formulas = {item.getId(): item for item in assigned if item.isSetMath()}
        self.formulas |= {rule.getId(): rule for rule in rules if rule.isAssignment() and rule.isSetMath()}
        known = [name for name in self.given if name in self.formulas or _has_value(self.given[name])]
        self.idle = [name for name in self.given if name not in known]
        named = [*known, *self.reactions]
        nobody = np.zeros((1, 0))
        both = load(sbml, outputs=named)
        found = evaluate(both, nobody, both.initial_values(nobody))
        self.values = dict(zip(named, map(float, found.outputs[0]), strict=True))
        start = both.initial_values(nobody)[0]
        self.states = tuple(
            Start(name, float(value), float(rate))
            for name, value, rate in zip(model.states, start, found.rates[0], strict=True)
        )
        self.wrong = {name for name, value in self.values.items() if not np.isfinite(value)}

    def problems(self) -> list[Problem]:
        """Return every value and rate that is not finite and keeps the model from running, at its origin."""
        stopped = [state for state in self.states if not np.isfinite(state.rate)]
        moving = {state.state for state in self.states}
        needed = set(self.values) if stopped else moving | (set(self.given) - set(self.formulas))
        origins = self._origins() & needed
        found = [self._value(name) for name in self.values if name in origins]
        return found + [self._rate(state) for state in stopped if not self._reads_of_rate(state.state) & self.wrong]

    def notes(self) -> list[str]:
        """Return what is not finite although the model runs, and what nothing reads."""
        found = [] if self.states else ["There are no states: nothing changes over time but what rules compute."]
        if harmless := [name for name in self.values if name in self.wrong]:
            found.append(f"Not finite at the start, which no rate reads: {_list(harmless)}.")
        if self.idle:
            found.append(f"Without a value, and read by nothing: {_list(self.idle)}.")
        return found

    def _origins(self) -> set[str]:
        """Return the values that are not finite although all that they are computed from is."""
        return {name for name in self.wrong if not (self._reads(name) - {name}) & self.wrong}

    def _reads(self, name: str) -> set[str]:
        if name in self.reactions:
            law = self.reactions[name].getKineticLaw()
            return names_in(law.getMath()) & set(self.values)
        if name in self.formulas:
            return names_in(self.formulas[name].getMath()) & set(self.values)
        element = self.given[name]
        return {element.getCompartment()} if element.getElementName() == "species" else set()

    def _reads_of_rate(self, state: str) -> set[str]:
        if state in self.rates:
            return names_in(self.rates[state].getMath()) & set(self.values)
        return self.taking.get(state, set())

    def _value(self, name: str) -> Problem:
        got = f"got {_number(self.values[name])}"
        if name in self.reactions:
            return self._told(f'The rate of reaction "{name}" must be finite at the start, {got}', name, self.reactions)
        if name in self.formulas:
            return self._told(f'"{name}" must be finite at the start, {got}', name, self.formulas)
        return self._told(f'"{name}" must be a finite number, {got}', name, self.given)

    def _told(self, message: str, name: str, elements: dict[str, Any]) -> Problem:
        fault = fault_at(elements[name], f"{message}{self._because(self._reads(name))}.")
        return self.source.problem(fault.message, fault.line, fault.part, fault.name)

    def _rate(self, state: Start) -> Problem:
        name = state.state
        because = self._because(self._reads_of_rate(name))
        message = f'The rate of "{name}" must be finite at the start, got {_number(state.rate)}{because}.'
        fault = fault_at(self.rates.get(name, self.given.get(name)), message)
        return self.source.problem(fault.message, fault.line, fault.part, fault.name)

    def _because(self, names: set[str]) -> str:
        """Return what a formula reads, zeros first: they are what it most often divides by."""
        ordered = sorted(names, key=lambda name: (self.values[name] != 0, name))
        shown = [f"{name} = {_number(self.values[name])}" for name in ordered]
        return f"; it reads {_list(shown)}" if shown else ""


def _has_value(element: Any) -> bool:
    kind = element.getElementName()
    if kind == "compartment":
        return True
    if kind == "species":
        return bool(element.isSetInitialAmount() or element.isSetInitialConcentration())
    return bool(element.isSetValue())
