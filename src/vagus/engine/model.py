"""Read an SBML model into states, rates, outputs and events over one expression graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine.expression import STATE, TIME, Graph
from vagus.engine.sbml import (
    LARGEST_TEXT,
    Fault,
    RefusedModel,
    Translator,
    check_markup,
    fault_at,
    items,
    named_twice,
    names_in,
    unsupported,
)
from vagus.errors import ModelError, nearest

Floats = NDArray[np.float64]

MOST_NAMES = 20  # of a circle, in its message


@dataclass(frozen=True)
class Event:
    """What happens when a condition becomes true.

    Attributes
    ----------
    name : str
        Its id.
    trigger : int
        Node of the condition.
    assignments : tuple of (int, int)
        State and node of its new value; all values are computed before any is set.
    initial_value : bool
        What the condition counts as before the start; ``False`` lets a condition that holds at the start fire.
    persistent : bool
        Whether it still happens if another event at the same moment makes the condition false.
    values_at_trigger : bool
        Whether new values are computed before other events of the same moment, or when its turn comes.
    """

    name: str
    trigger: int
    assignments: tuple[tuple[int, int], ...]
    initial_value: bool = True
    persistent: bool = True
    values_at_trigger: bool = True


@dataclass(frozen=True)
class Model:
    """A model ready for the engine.

    Attributes
    ----------
    name : str
        The model's id.
    states : tuple of str
        Names of the states. A state holds the value of its SBML symbol; a species whose compartment changes in size
        is held as an amount instead (see `amounts`).
    parameters : tuple of str
        Names of the person's parameters.
    outputs : tuple of str
        Names of the outputs.
    parameter_values : array, shape (P,)
        The values that the model text gives to the person's parameters (NaN where it gives none).
    amounts : frozenset of str
        States that are held as an amount.
    graph : Graph
        All expressions.
    initial, rates : tuple of int
        Node of each state's initial value and of its rate.
    output_nodes : tuple of int
        Node of each output.
    events : tuple of Event
        Events in the order of the model text.
    switches : tuple of int
        Nodes that depend on time alone and jump; the integrator stops exactly there.
    """

    name: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    parameter_values: Floats
    amounts: frozenset[str]
    graph: Graph
    initial: tuple[int, ...]
    rates: tuple[int, ...]
    output_nodes: tuple[int, ...]
    events: tuple[Event, ...]
    switches: tuple[int, ...]
    compiled: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "compiled": {}}  # machine code belongs to one process

    def state_index(self, name: str) -> int:
        """Return the place of a state.

        Raises
        ------
        ModelError
            There is no such state.
        """
        return _place(name, self.states, "state")

    def parameter_index(self, name: str) -> int:
        """Return the place of a person's parameter.

        Raises
        ------
        ModelError
            There is no such parameter.
        """
        return _place(name, self.parameters, "person parameter")

    def initial_values(self, parameters: Floats) -> Floats:
        """Return the states at the start.

        Parameters
        ----------
        parameters : array, shape (n, P)
            The people's parameters.

        Returns
        -------
        array, shape (n, S)
        """
        from vagus.engine.reference import evaluate_nodes

        parameters = np.asarray(parameters, dtype=np.float64)
        empty = np.zeros((len(parameters), len(self.states)))
        return evaluate_nodes(self.graph, self.initial, 0.0, empty, parameters)


def _place(name: str, names: tuple[str, ...], what: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise ModelError(f'The model has no {what} "{name}": {nearest(name, names)}') from None


def load(sbml: str, person_parameters: Sequence[str] = (), outputs: Sequence[str] | None = None) -> Model:
    """Read an SBML model.

    Parameters
    ----------
    sbml : str
        The SBML text (any level).
    person_parameters : sequence of str
        Constants of the model that get a value for each person.
    outputs : sequence of str, optional
        Symbols whose values are wanted over time: states, variables of rules, reactions, parameters. All states where
        not given.

    Returns
    -------
    Model

    Raises
    ------
    RefusedModel
        The text is not SBML, or uses something unsupported; all reasons are named at once, with their lines.
    """
    return _Reader(sbml, tuple(person_parameters), outputs).read()


def read_document(sbml: str) -> Any:
    """Parse SBML text.

    Raises
    ------
    RefusedModel
        It is too large or not readable; the parser's messages with their lines.
    """
    import libsbml

    if len(sbml) > LARGEST_TEXT:
        message = f"A model text may have at most {LARGEST_TEXT:,} characters, got {len(sbml):,}"
        raise RefusedModel([Fault(message)])
    check_markup(sbml)
    document = libsbml.readSBMLFromString(sbml)
    errors = [
        document.getError(i)
        for i in range(document.getNumErrors())
        if document.getError(i).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    if errors:
        raise RefusedModel(dict.fromkeys(unreadable(document, error) for error in errors[:20]))
    if document.getModel() is None:
        raise RefusedModel([Fault("The SBML text holds no model")])
    return document


def unreadable(document: Any, error: Any) -> Fault:
    """Return what libSBML says it cannot read; a package that it does not know is named."""
    import libsbml

    if error.getErrorId() == libsbml.RequiredPackagePresent:
        names = ", ".join(
            repr(document.getUnknownPackagePrefix(i) or document.getUnknownPackageURI(i))
            for i in range(document.getNumUnknownPackages())
        )
        message = f"the SBML package {names}, which changes the mathematics, is not supported"
        return Fault(message, error.getLine(), unsupported=True)
    reason = error.getShortMessage() or "error"
    return Fault(f"The text is not readable SBML: {reason}", error.getLine())


def _has_formula(node: Any) -> bool:
    return bool(node.isSetMath())


class _Reader:
    """One reading of one SBML text; every step notes its problems and goes on."""

    def __init__(self, sbml: str, person: tuple[str, ...], outputs: Sequence[str] | None) -> None:
        self.document = read_document(sbml)
        self.sbml = self.document.getModel()
        self.person = person
        self.wanted = outputs
        self.problems: list[Fault] = []
        self.graph = Graph()
        m = self.sbml
        functions = {f.getId(): f.getMath() for f in items(m.getNumFunctionDefinitions(), m.getFunctionDefinition)}
        self.translator = Translator(self.graph, functions, self.problems)
        self.parameters = {p.getId(): p for p in items(m.getNumParameters(), m.getParameter)}
        self.compartments = {c.getId(): c for c in items(m.getNumCompartments(), m.getCompartment)}
        self.species = {s.getId(): s for s in items(m.getNumSpecies(), m.getSpecies)}
        self.reactions = {r.getId(): r for r in items(m.getNumReactions(), m.getReaction)}
        self.references = {ref.getId(): ref for _, ref, _ in self._participants() if ref.getId()}
        self.assigning = {item.getSymbol(): item for item in self._initial_assignments()}
        self.assignments = {name: item.getMath() for name, item in self.assigning.items()}
        self.rules: dict[str, Any] = {}
        self.rate_rules: dict[str, Any] = {}
        self.initial: dict[str, int] = {}
        self.runtime: dict[str, int] = {}
        self.unset: dict[str, Fault] = {}  # symbols without a value, and what to say where one is needed

    # ------------------------------------------------------------------ walking the document

    def _participants(self) -> Iterable[tuple[Any, Any, float]]:
        for reaction in self.reactions.values():
            for reference in items(reaction.getNumReactants(), reaction.getReactant):
                yield reaction, reference, -1.0
            for reference in items(reaction.getNumProducts(), reaction.getProduct):
                yield reaction, reference, 1.0

    def _initial_assignments(self) -> Iterable[Any]:
        found = items(self.sbml.getNumInitialAssignments(), self.sbml.getInitialAssignment)
        return (item for item in found if _has_formula(item))

    def _note(self, message: str, element: Any = None) -> None:
        self._note_fault(fault_at(element, message))

    def _note_fault(self, fault: Fault) -> None:
        if fault not in self.problems:
            self.problems.append(fault)

    # ------------------------------------------------------------------ reading

    def read(self) -> Model:
        self.problems += [*unsupported(self.document), *named_twice(self.sbml)]
        self._read_rules()
        self._find_states()
        self._check_person_parameters()
        if self.problems:
            self._give_up()
        self._resolve(self.initial, self._initial_needs, self._initial_node)
        self._resolve(self.runtime, self._runtime_needs, self._runtime_node)
        rates = tuple(self._rate(name) for name in self.states)
        events = tuple(self._events())
        output_names = tuple(self.wanted) if self.wanted is not None else self.states
        output_nodes = tuple(self._output(name) for name in output_names)
        initial = tuple(self._initial_state(name) for name in self.states)
        if self.problems:
            self._give_up()
        return Model(
            name=self.sbml.getId() or "model",
            states=self.states,
            parameters=self.person,
            outputs=output_names,
            parameter_values=np.array([self._given_value(name) for name in self.person], dtype=np.float64),
            amounts=frozenset(self.amounts),
            graph=self.graph,
            initial=initial,
            rates=rates,
            output_nodes=output_nodes,
            events=events,
            switches=self._switches([*rates, *(event.trigger for event in events)]),
        )

    def _give_up(self) -> None:
        raise RefusedModel(self.problems)

    def _read_rules(self) -> None:
        self.defining = dict(self.assigning)
        for rule in items(self.sbml.getNumRules(), self.sbml.getRule):
            if rule.isAlgebraic() or not _has_formula(rule):
                continue
            self.defining[rule.getVariable()] = rule
            if rule.isRate():
                self.rate_rules[rule.getVariable()] = rule.getMath()
            else:
                self.rules[rule.getVariable()] = rule.getMath()
        known = self._known()
        for name, element in self.defining.items():
            if name not in known:
                self._note(f"a rule sets {name!r}, which is not defined", element)

    def _known(self) -> set[str]:
        return {*self.parameters, *self.compartments, *self.species, *self.references, *self.reactions}

    def _find_states(self) -> None:
        targets = {
            target.getVariable(): target
            for event in items(self.sbml.getNumEvents(), self.sbml.getEvent)
            for target in items(event.getNumEventAssignments(), event.getEventAssignment)
        }
        changed = set(targets)
        for name in sorted(changed - self._known()):
            self._note(f"an event sets {name!r}, which is not defined", targets[name])
        for name in sorted(changed & set(self.rules)):
            self._note(f"an event sets {name!r}, which an assignment rule already determines", targets[name])
        self.changes: dict[str, list[tuple[Any, Any, float]]] = {}
        for reaction, reference, sign in self._participants():
            if reaction.isSetKineticLaw():
                self.changes.setdefault(reference.getSpecies(), []).append((reaction, reference, sign))
        reacting = set(self.changes)
        self.reacting = {
            name
            for name in reacting & set(self.species)
            if not self.species[name].getBoundaryCondition() and not self.species[name].getConstant()
        }
        for name in sorted(reacting - set(self.species)):
            self._note(f"a reaction changes {name!r}, which is no species", self.changes[name][0][1])
        for name in sorted(self.reacting & {*self.rules, *self.rate_rules}):
            message = f"species {name!r} is changed by a reaction and by a rule; only one of them may"
            self._note(message, self.species[name])
        moving = {*self.rate_rules, *changed}
        order = [*self.species, *self.compartments, *self.parameters, *self.references]
        self.states = tuple(name for name in order if name in moving or name in self.reacting)
        self.varying = {name for name in self.compartments if name in moving or name in self.rules}
        self.amounts = {
            name
            for name in self.states
            if name in self.species
            and self._is_concentration(name)
            and name not in self.rate_rules
            and self.species[name].getCompartment() in self.varying
        }
        for name in self.states:
            inside = self.species[name].getCompartment() if name in self.species else None
            if name in self.rate_rules and inside in changed and self._is_concentration(name):
                message = f"species {name!r} has a rate rule while an event changes its compartment: not supported"
                self._note_fault(fault_at(self.species[name], message, unsupported=True))

    def _is_concentration(self, name: str) -> bool:
        species = self.species[name]
        if species.getHasOnlySubstanceUnits():
            return False
        compartment = self.compartments.get(species.getCompartment())
        return compartment is None or compartment.getSpatialDimensionsAsDouble() != 0

    def _check_person_parameters(self) -> None:
        constants = {*self.parameters, *self.compartments}
        for name in self.person:
            if name not in constants:
                self._note(f"person parameter {name!r} is not in the model: {nearest(name, constants)}")
            elif name in self.states or name in self.rules:
                self._note(f"person parameter {name!r} is changed by the model itself (a rule or an event)")
        if len(set(self.person)) < len(self.person):
            self._note("a person parameter is named twice")

    # ------------------------------------------------------------------ symbols

    def _resolve(
        self,
        target: dict[str, int],
        needs: Callable[[str], set[str]],
        make: Callable[[str], int],
    ) -> None:
        names = [*self.parameters, *self.compartments, *self.species, *self.references, *self.reactions]
        known = set(names)
        graph = {name: sorted(needs(name) & known) for name in names}
        try:
            for name in TopologicalSorter(graph).static_order():
                target[name] = make(name)
        except CycleError as error:
            circle = list(dict.fromkeys(error.args[1]))
            shown = " -> ".join(circle if len(circle) <= MOST_NAMES else [*circle[:MOST_NAMES], "..."])
            message = f"definitions refer to each other in a circle: {shown}"
            self._note(message, next((self.defining[name] for name in circle if name in self.defining), None))
            self._give_up()

    def _law_needs(self, name: str) -> set[str]:
        law = self.reactions[name].getKineticLaw()
        if law is None or not law.isSetMath():
            return set()
        return names_in(law.getMath()) - set(self._local_values(law))

    def _initial_needs(self, name: str) -> set[str]:
        if name in self.person:
            return set()
        if name in self.assignments:
            return names_in(self.assignments[name])
        if name in self.rules:
            return names_in(self.rules[name])
        if name in self.reactions:
            return self._law_needs(name)
        if name in self.species:
            return {self.species[name].getCompartment()}
        reference = self.references.get(name)
        if reference is not None and reference.isSetStoichiometryMath():
            return names_in(reference.getStoichiometryMath().getMath())
        return set()

    def _runtime_needs(self, name: str) -> set[str]:
        if name in self.person or (name in self.states and name not in self.amounts):
            return set()
        if name in self.rules:
            return names_in(self.rules[name])
        if name in self.reactions:
            return self._law_needs(name)
        if name in self.species:
            return {self.species[name].getCompartment()}
        reference = self.references.get(name)
        if reference is not None and reference.isSetStoichiometryMath():
            return names_in(reference.getStoichiometryMath().getMath())
        return set()

    def _initial_symbol(self, name: str) -> int | None:
        # SBML computes what holds "at the start" at its own time zero
        return self.graph.const(0.0) if name == "\0time" else self._checked(name, self.initial.get(name))

    def _runtime_symbol(self, name: str) -> int | None:
        return None if name == "\0time" else self._checked(name, self.runtime.get(name))

    def _checked(self, name: str, node: int | None) -> int | None:
        if node is not None and name in self.unset:
            self._note_fault(self.unset[name])
        return node

    def _initial_node(self, name: str) -> int:
        graph = self.graph
        if name in self.person:
            return graph.param(self.person.index(name))
        translate = partial(self.translator.translate, symbols=self._initial_symbol)
        if name in self.assignments:
            return graph.as_number(translate(self.assignments[name], where=f"initial assignment of {name!r}"))
        if name in self.rules:
            return graph.as_number(translate(self.rules[name], where=f"rule of {name!r}"))
        if name in self.reactions:
            return self._law(name, self._initial_symbol)
        if name in self.references:
            return self._stoichiometry(self.references[name], self._initial_symbol)
        if name in self.species:
            return self._initial_species(name)
        value = self._given_value(name)
        if name in self.parameters and not self.parameters[name].isSetValue():
            message = f"parameter {name!r} has no value; give it one, or name it as a person's parameter"
            self.unset[name] = fault_at(self.parameters[name], message)
        return graph.const(value)

    def _given_value(self, name: str) -> float:
        if name in self.compartments:  # without a size, 1 is what every simulator takes
            item = self.compartments[name]
            return float(item.getSize()) if item.isSetSize() else 1.0
        item = self.parameters.get(name)
        return float(item.getValue()) if item is not None and item.isSetValue() else math.nan

    def _initial_species(self, name: str) -> int:
        species, graph = self.species[name], self.graph
        size = species.getCompartment()
        if species.isSetInitialConcentration():
            value = graph.const(species.getInitialConcentration())
            return value if self._is_concentration(name) else graph.mul(value, self._size(size, self._initial_symbol))
        if not species.isSetInitialAmount():
            self.unset[name] = fault_at(species, f"species {name!r} has no initial value")
            return graph.const(math.nan)
        value = graph.const(species.getInitialAmount())
        return graph.div(value, self._size(size, self._initial_symbol)) if self._is_concentration(name) else value

    def _size(self, compartment: str, symbols: Callable[[str], int | None]) -> int:
        node = symbols(compartment)
        if node is None:
            self._note(f"compartment {compartment!r} is not defined")
            return self.graph.const(math.nan)
        return node

    def _runtime_node(self, name: str) -> int:
        graph = self.graph
        if name in self.states:
            node = graph.state(self.states.index(name))
            if name not in self.amounts:
                return node
            return graph.div(node, self._size(self.species[name].getCompartment(), self._runtime_symbol))
        if name in self.person:
            return self.initial[name]
        if name in self.rules:
            where = f"rule of {name!r}"
            return graph.as_number(self.translator.translate(self.rules[name], self._runtime_symbol, where))
        if name in self.reactions:
            return self._law(name, self._runtime_symbol)
        if name in self.references and self.references[name].isSetStoichiometryMath():
            return self._stoichiometry(self.references[name], self._runtime_symbol)
        if name in self.species and self._is_concentration(name):
            size = self.species[name].getCompartment()
            if size in self.varying:  # a fixed amount in a changing volume
                amount = graph.mul(self.initial[name], self._size(size, self._initial_symbol))
                return graph.div(amount, self._size(size, self._runtime_symbol))
        return self.initial[name]

    def _local_values(self, law: Any) -> dict[str, int]:
        found = {}
        local = [
            *items(law.getNumParameters(), law.getParameter),
            *items(law.getNumLocalParameters(), law.getLocalParameter),
        ]
        for item in local:
            if not item.isSetValue():
                self._note(f"local parameter {item.getId()!r} has no value", item)
            found[item.getId()] = self.graph.const(item.getValue())
        return found

    def _law(self, name: str, symbols: Callable[[str], int | None]) -> int:
        law = self.reactions[name].getKineticLaw()
        if law is None or not law.isSetMath():
            return self.graph.const(math.nan)
        local = self._local_values(law)

        def look_up(symbol: str) -> int | None:
            return local[symbol] if symbol in local else symbols(symbol)

        node = self.translator.translate(law.getMath(), look_up, f"rate of reaction {name!r}")
        return self.graph.as_number(node)

    def _stoichiometry(self, reference: Any, symbols: Callable[[str], int | None]) -> int:
        if reference.isSetStoichiometryMath():
            where = f"stoichiometry of {reference.getSpecies()!r}"
            formula = reference.getStoichiometryMath().getMath()
            return self.graph.as_number(self.translator.translate(formula, symbols, where))
        value = reference.getStoichiometry() / (reference.getDenominator() if reference.getLevel() < 3 else 1)
        if not reference.isSetStoichiometry() and reference.getLevel() >= 3:
            message = f"a reference to species {reference.getSpecies()!r} has no stoichiometry"
            if reference.getId():
                self.unset[reference.getId()] = fault_at(reference, message)
            else:
                self._note(message, reference)
        return self.graph.const(value)

    # ------------------------------------------------------------------ rates, events, outputs

    def _initial_state(self, name: str) -> int:
        node = self.initial[name]
        if name in self.unset:
            self._note_fault(self.unset[name])
        if name in self.amounts:
            node = self.graph.mul(node, self._size(self.species[name].getCompartment(), self._initial_symbol))
        return node

    def _rate(self, name: str) -> int:
        graph = self.graph
        if name in self.rate_rules:
            where = f"rate rule of {name!r}"
            return graph.as_number(self.translator.translate(self.rate_rules[name], self._runtime_symbol, where))
        total = graph.const(0.0)
        if name not in self.reacting:
            return total
        for reaction, reference, sign in self.changes.get(name, ()):
            if reference.getId():
                amount = self._runtime_symbol(reference.getId())
                assert amount is not None
            else:
                amount = self._stoichiometry(reference, self._runtime_symbol)
            term = graph.mul(amount, self.runtime[reaction.getId()])
            total = graph.add(total, term) if sign > 0 else graph.sub(total, term)
        species = self.species[name]
        factor = species.getConversionFactor() if species.isSetConversionFactor() else self.sbml.getConversionFactor()
        if factor:
            node = self._runtime_symbol(factor)
            if node is None:
                self._note(f"conversion factor {factor!r} is not defined")
            else:
                total = graph.mul(node, total)
        if self._is_concentration(name) and name not in self.amounts:
            total = graph.div(total, self._size(species.getCompartment(), self._runtime_symbol))
        return total

    def _events(self) -> Iterable[Event]:
        graph = self.graph
        for number, event in enumerate(items(self.sbml.getNumEvents(), self.sbml.getEvent), start=1):
            name = event.getId() or f"event {number}"
            trigger = event.getTrigger()
            if trigger is None or not trigger.isSetMath():
                continue
            node = self.translator.translate(trigger.getMath(), self._runtime_symbol, f"trigger of event {name!r}")
            targets = {
                item.getVariable(): item.getMath()
                for item in items(event.getNumEventAssignments(), event.getEventAssignment)
                if item.isSetMath()
            }
            values = {
                target: graph.as_number(
                    self.translator.translate(formula, self._runtime_symbol, f"event {name!r}, {target!r}")
                )
                for target, formula in targets.items()
            }
            for target in values:
                if target in self.amounts:
                    size = self.species[target].getCompartment()
                    node_of_size = values.get(size, self._size(size, self._runtime_symbol))
                    values[target] = graph.mul(values[target], node_of_size)
            yield Event(
                name=name,
                trigger=graph.as_truth(node),
                assignments=tuple((self.states.index(target), value) for target, value in values.items()),
                initial_value=trigger.getInitialValue() if trigger.isSetInitialValue() else True,
                persistent=trigger.getPersistent() if trigger.isSetPersistent() else True,
                values_at_trigger=event.getUseValuesFromTriggerTime(),
            )

    def _output(self, name: str) -> int:
        if name == "time":
            return self.graph.time()
        node = self._runtime_symbol(name)
        if node is None:
            self._note(f"output {name!r} is not in the model: {nearest(name, self._known())}")
            return self.graph.const(math.nan)
        return node

    def _switches(self, roots: list[int]) -> tuple[int, ...]:
        graph = self.graph
        jumps = {"lt", "le", "eq", "floor", "ceil"}
        return tuple(
            graph.as_number(node)
            for node in graph.order(roots)
            if graph.nodes[node].op in jumps and graph.reach[node] & TIME and not graph.reach[node] & STATE
        )
