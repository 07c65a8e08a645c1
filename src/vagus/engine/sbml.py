"""From SBML formulas to expressions: every construct is either translated or named as unsupported."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vagus.engine.expression import Graph
from vagus.errors import ModelError

AVOGADRO = 6.02214179e23  # the value that SBML fixes for its symbol
LARGEST_TEXT = 20_000_000
LARGEST_GRAPH = 300_000
DEEPEST_CALL = 50
DEEPEST_MARKUP = 1000  # libSBML calls itself for each level and would run out of stack

#: What a person who wrote a model calls its parts; a fault in a formula is one of the part around it.
PARTS = {
    *("functionDefinition", "compartment", "species", "parameter", "initialAssignment"),
    *("assignmentRule", "rateRule", "algebraicRule", "reaction", "event"),
}
HARMLESS = {"l3v2extendedmath", "layout", "render"}  # SBML packages that leave the meaning as it is, or are read here

SIMPLE_FUNCTIONS = {
    "FUNCTION_EXP": "exp",
    "FUNCTION_LN": "log",
    "FUNCTION_ABS": "abs",
    "FUNCTION_FLOOR": "floor",
    "FUNCTION_CEILING": "ceil",
    "FUNCTION_SIN": "sin",
    "FUNCTION_COS": "cos",
    "FUNCTION_TAN": "tan",
    "FUNCTION_ARCSIN": "asin",
    "FUNCTION_ARCCOS": "acos",
    "FUNCTION_ARCTAN": "atan",
    "FUNCTION_SINH": "sinh",
    "FUNCTION_COSH": "cosh",
    "FUNCTION_TANH": "tanh",
    "FUNCTION_ARCSINH": "asinh",
    "FUNCTION_ARCCOSH": "acosh",
    "FUNCTION_ARCTANH": "atanh",
}
RECIPROCALS = {"FUNCTION_SEC": "cos", "FUNCTION_CSC": "sin", "FUNCTION_SECH": "cosh", "FUNCTION_CSCH": "sinh"}
INVERSE_RECIPROCALS = {
    "FUNCTION_ARCSEC": "acos",
    "FUNCTION_ARCCSC": "asin",
    "FUNCTION_ARCSECH": "acosh",
    "FUNCTION_ARCCSCH": "asinh",
    "FUNCTION_ARCCOT": "atan",
    "FUNCTION_ARCCOTH": "atanh",
}
REFUSED = {
    "FUNCTION_DELAY": "delay()",
    "FUNCTION_RATE_OF": "rateOf()",
}


@dataclass(frozen=True)
class Fault:
    """One reason why a model text is refused.

    Attributes
    ----------
    message : str
        What is wrong.
    line : int
        Line of the SBML text; 0 where there is none.
    part, name : str
        Kind and id of the part of the model it stands in, as in ``rateRule`` and ``x``; empty where there is none.
    unsupported : bool
        Whether it is sound SBML that this engine cannot run (else it is no sound model).
    """

    message: str
    line: int = 0
    part: str = ""
    name: str = ""
    unsupported: bool = False

    def __str__(self) -> str:
        return f"{self.message} (line {self.line})" if self.line else self.message


class RefusedModel(ModelError):
    """A model text is refused, for all the reasons that were found.

    Parameters
    ----------
    faults : iterable of Fault
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def fault_at(element: Any, message: str, *, unsupported: bool = False) -> Fault:
    """Return a fault with the line of a libSBML element and the part of the model that it stands in."""
    line = element.getLine() if element is not None else 0
    holder = element
    while holder is not None and holder.getElementName() not in PARTS:
        holder = holder.getParentSBMLObject()
    if holder is None:
        return Fault(message, line, unsupported=unsupported)
    name = holder.getId() or holder.getIdAttribute()
    return Fault(message, line, holder.getElementName(), name, unsupported)


def check_markup(text: str) -> None:
    """Refuse XML that is broken, declares entities, or is nested too deeply for libSBML.

    Raises
    ------
    RefusedModel
        With the line.
    """
    from xml.parsers import expat

    parser = expat.ParserCreate()
    depth = 0

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST_MARKUP:
            message = f"A model text may be nested {DEEPEST_MARKUP:,} levels deep, this one is deeper; write sums flat"
            raise RefusedModel([Fault(message, parser.CurrentLineNumber)])

    def end(_: object) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        message = "A model text must have no DOCTYPE (it could declare entities); remove it"
        raise RefusedModel([Fault(message, parser.CurrentLineNumber)])

    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = begin, end, doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise RefusedModel([Fault(f"The text is not readable SBML: {reason}", error.lineno)]) from None


def unsupported(document: Any) -> list[Fault]:
    """Return every construct of an SBML document, formulas aside, that the engine cannot run."""
    model = document.getModel()
    found = []

    def note(element: Any, message: str) -> None:
        found.append(fault_at(element, message, unsupported=True))

    for package in items(document.getNumPlugins(), document.getPlugin):
        name = package.getPackageName()
        if document.getLevel() >= 3 and name not in HARMLESS and document.getPackageRequired(name):
            note(document, f"the SBML package {name!r}, which changes the mathematics, is not supported")
    for rule in items(model.getNumRules(), model.getRule):
        if rule.isAlgebraic():
            note(rule, "algebraic rules are not supported")
    for reaction in items(model.getNumReactions(), model.getReaction):
        if reaction.isSetFast() and reaction.getFast():
            note(reaction, f"reaction {reaction.getId()!r} is fast; fast reactions are not supported")
    for number, event in enumerate(items(model.getNumEvents(), model.getEvent), start=1):
        name = repr(event.getId()) if event.getId() else str(number)
        if event.isSetDelay() and event.getDelay().isSetMath():
            delay = event.getDelay().getMath()
            if not (delay.isNumber() and delay.getValue() == 0):
                note(event, f"event {name} has a delay; delayed events are not supported")
        if model.getNumEvents() > 1 and event.isSetPriority() and event.getPriority().isSetMath():
            note(event, f"event {name} has a priority; priorities are not supported")
    return found


def named_twice(model: Any) -> list[Fault]:
    """Return every id that two elements of an SBML model share, and every symbol that two rules determine."""
    lists = ("FunctionDefinitions", "Compartments", "Species", "Parameters", "Reactions", "Events")
    elements = [element for name in lists for element in getattr(model, f"getListOf{name}")()]
    for reaction in model.getListOfReactions():
        elements += [*reaction.getListOfReactants(), *reaction.getListOfProducts()]
    rules = [rule for rule in model.getListOfRules() if not rule.isAlgebraic()]
    found = []
    for group, what in ((elements, "is the id of two elements"), (rules, "is determined by two rules")):
        seen = set()
        for element in group:
            name = element.getId()
            if name and name in seen:
                found.append(fault_at(element, f"{name!r} {what}"))
            seen.add(name)
    return found


def type_names() -> dict[int, str]:
    """Return libSBML's formula types by number, without their prefix."""
    import libsbml

    return {value: name[4:] for name, value in vars(libsbml).items() if name.startswith("AST_") and type(value) is int}


def names_in(formula: Any) -> set[str]:
    """Return all names of symbols that a libSBML formula reads."""
    import libsbml

    found: set[str] = set()
    waiting = [formula]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if node.getType() == libsbml.AST_NAME:
            found.add(node.getName())
        waiting.extend(node.getChild(i) for i in range(node.getNumChildren()))
    return found


class Translator:
    """Translates formulas of one model into its graph.

    Parameters
    ----------
    graph : Graph
        Where the expressions go.
    functions : mapping of str to libSBML formula
        The model's function definitions (lambda formulas).
    problems : list of Fault
        Takes every unsupported construct by name; the translation goes on with NaN.
    """

    def __init__(self, graph: Graph, functions: Mapping[str, Any], problems: list[Fault]) -> None:
        self.graph = graph
        self.functions = functions
        self.problems = problems
        self._types = type_names()
        self._holders: list[Any] = []  # elements whose formulas are being translated, the innermost last
        self._calls: list[str] = []
        self._results: dict[tuple[str, tuple[int, ...]], int] = {}

    def refuse(self, message: str, *, unsupported: bool = False) -> int:
        """Note a problem with the line of the formula and return NaN in its place."""
        fault = fault_at(self._holders[-1] if self._holders else None, message, unsupported=unsupported)
        if fault not in self.problems:
            self.problems.append(fault)
        return self.graph.const(math.nan)

    def translate(self, formula: Any, symbols: Callable[[str], int | None], where: str) -> int:
        """Translate a formula.

        Parameters
        ----------
        formula : libSBML formula
            What to translate.
        symbols : callable
            Gives the node of a name, None for an unknown one.
        where : str
            Where the formula stands, for messages.
        """
        if formula is None:
            return self.refuse(f"{where} has no formula")
        self._holders.append(formula.getParentSBMLObject())
        try:
            return self._translate(formula, symbols, where)
        finally:
            self._holders.pop()

    def _translate(self, formula: Any, symbols: Callable[[str], int | None], where: str) -> int:
        done: list[int] = []
        waiting: list[tuple[Any, bool]] = [(formula, False)]
        while waiting:
            node, ready = waiting.pop()
            count = node.getNumChildren()
            if ready or not count:
                args = done[len(done) - count :]
                del done[len(done) - count :]
                done.append(self._combine(node, args, symbols, where))
            else:
                waiting.append((node, True))
                waiting.extend((node.getChild(i), False) for i in reversed(range(count)))
        return done[0]

    # ------------------------------------------------------------------ one formula node

    def _combine(self, node: Any, args: list[int], symbols: Callable[[str], int | None], where: str) -> int:
        graph = self.graph
        kind = self._types.get(node.getType(), "UNKNOWN")
        if not args and (leaf := self._leaf(node, kind, symbols, where)) is not None:
            return leaf
        if kind == "FUNCTION":
            return self._user_function(node.getName(), args, where)
        if kind in REFUSED:
            return self.refuse(f"{where}: {REFUSED[kind]} is not supported", unsupported=True)
        if kind.startswith("DISTRIB_"):
            return self.refuse(f"{where}: {node.getName()}(), a random number, is not supported", unsupported=True)
        if kind == "FUNCTION_PIECEWISE":
            return self._piecewise(args)
        if kind.startswith(("LOGICAL_", "RELATIONAL_")):
            return self._truth(kind, args, where)
        numbers = [graph.as_number(arg) for arg in args]
        if kind in SIMPLE_FUNCTIONS and len(numbers) == 1:
            return graph.call(SIMPLE_FUNCTIONS[kind], numbers[0])
        result = self._arithmetic(kind, numbers)
        if result is None:
            import libsbml

            text = libsbml.formulaToL3String(node) or kind
            return self.refuse(f"{where}: {text[:80]!r} is not supported", unsupported=True)
        return result

    def _leaf(self, node: Any, kind: str, symbols: Callable[[str], int | None], where: str) -> int | None:
        graph = self.graph
        if kind == "NAME":
            found = symbols(node.getName())
            return self.refuse(f"{where}: symbol {node.getName()!r} is not defined") if found is None else found
        if node.isInfinity() or node.isNegInfinity():
            return graph.const(math.inf if node.isInfinity() else -math.inf)
        if node.isNaN():
            return graph.const(math.nan)
        if node.isNumber():
            return graph.const(node.getValue())
        constants = {"CONSTANT_E": math.e, "CONSTANT_PI": math.pi, "NAME_AVOGADRO": AVOGADRO, "PLUS": 0.0, "TIMES": 1.0}
        if kind in constants:
            return graph.const(constants[kind])
        if kind in {"CONSTANT_TRUE", "CONSTANT_FALSE"}:
            return graph.boolean(kind == "CONSTANT_TRUE")
        if kind == "NAME_TIME":
            time = symbols("\0time")
            return graph.time() if time is None else time
        return None

    def _user_function(self, name: str, args: list[int], where: str) -> int:
        definition = self.functions.get(name)
        if definition is None:
            if name in {"max", "min"} and args:
                return self._fold_all(name, [self.graph.as_number(arg) for arg in args])
            return self.refuse(f"{where}: function {name!r} is not defined")
        count = definition.getNumChildren() - 1
        if count != len(args):
            return self.refuse(f"{where}: function {name!r} takes {count} arguments, got {len(args)}")
        if name in self._calls:
            return self.refuse(f"function {name!r} calls itself")
        if len(self._calls) == DEEPEST_CALL:
            return self.refuse(f"{where}: functions call each other more than {DEEPEST_CALL} levels deep")
        call = (name, tuple(args))
        if call in self._results:
            return self._results[call]
        if len(self.graph.nodes) > LARGEST_GRAPH:
            message = f"{where}: with its functions written out, the model has more than {LARGEST_GRAPH:,} terms"
            raise RefusedModel([*self.problems, fault_at(self._holders[-1], message)])
        bound = {definition.getChild(i).getName(): arg for i, arg in enumerate(args)}
        self._calls.append(name)
        self._holders.append(definition.getParentSBMLObject())
        try:
            self._results[call] = self._translate(definition.getChild(count), bound.get, f"function {name!r}")
        finally:
            self._calls.pop()
            self._holders.pop()
        return self._results[call]

    def _piecewise(self, args: list[int]) -> int:
        graph = self.graph
        pieces = len(args) // 2
        truths = all(graph.is_boolean(arg) for arg in args[0::2])
        result = args[-1] if len(args) % 2 else graph.const(math.nan)
        if truths and graph.is_boolean(result):
            # a truth chosen by conditions: (c and a) or (not c and b)
            for i in reversed(range(pieces)):
                value, condition = args[2 * i], graph.as_truth(args[2 * i + 1])
                result = graph.either(graph.both(condition, value), graph.both(graph.negate(condition), result))
            return result
        result = graph.as_number(result)
        for i in reversed(range(pieces)):
            result = graph.choose(graph.as_truth(args[2 * i + 1]), graph.as_number(args[2 * i]), result)
        return result

    def _truth(self, kind: str, args: list[int], where: str) -> int:
        graph = self.graph
        if kind.startswith("LOGICAL_"):
            truths = [graph.as_truth(arg) for arg in args]
            if kind == "LOGICAL_NOT" and len(truths) == 1:
                return graph.negate(truths[0])
            if kind == "LOGICAL_IMPLIES" and len(truths) == 2:
                return graph.either(graph.negate(truths[0]), truths[1])
            join = {"LOGICAL_AND": graph.both, "LOGICAL_OR": graph.either, "LOGICAL_XOR": graph.differ}.get(kind)
            if join is not None:
                result = graph.boolean(kind == "LOGICAL_AND")
                for truth in truths:
                    result = join(result, truth)
                return result
        elif len(args) >= 2:
            return self._relation(kind, args)
        return self.refuse(f"{where}: {kind.lower()} cannot have {len(args)} arguments")

    def _relation(self, kind: str, args: list[int]) -> int:
        graph = self.graph
        if kind in {"RELATIONAL_EQ", "RELATIONAL_NEQ"} and all(graph.is_boolean(arg) for arg in args):
            differ = graph.differ(args[0], args[1])
            return differ if kind == "RELATIONAL_NEQ" else graph.negate(differ)
        numbers = [graph.as_number(arg) for arg in args]
        result = graph.boolean(True)
        for left, right in pairwise(numbers):
            a, b = (right, left) if kind in {"RELATIONAL_GT", "RELATIONAL_GEQ"} else (left, right)
            if kind in {"RELATIONAL_LT", "RELATIONAL_GT"}:
                link = graph.less(a, b)
            elif kind in {"RELATIONAL_LEQ", "RELATIONAL_GEQ"}:
                link = graph.less_equal(a, b)
            else:
                link = graph.equal(a, b)
                link = graph.negate(link) if kind == "RELATIONAL_NEQ" else link
            result = graph.both(result, link)
        return result

    def _fold_all(self, kind: str, args: list[int]) -> int:
        join = self.graph.maximum if kind == "max" else self.graph.minimum
        result = args[0]
        for arg in args[1:]:
            result = join(result, arg)
        return result

    def _arithmetic(self, kind: str, args: list[int]) -> int | None:
        graph = self.graph
        one = graph.const(1.0)
        if kind == "PLUS":
            result = args[0]
            for arg in args[1:]:
                result = graph.add(result, arg)
            return result
        if kind == "TIMES":
            result = args[0]
            for arg in args[1:]:
                result = graph.mul(result, arg)
            return result
        if kind == "MINUS":
            return graph.neg(args[0]) if len(args) == 1 else graph.sub(args[0], args[1])
        if kind in {"FUNCTION_MAX", "FUNCTION_MIN"}:
            return self._fold_all(kind[-3:].lower(), args)
        if kind == "FUNCTION_ROOT":
            degree, radicand = (graph.const(2.0), args[0]) if len(args) == 1 else (args[0], args[1])
            return graph.power(radicand, graph.div(one, degree))
        if kind == "FUNCTION_LOG":
            base, argument = (graph.const(10.0), args[0]) if len(args) == 1 else (args[0], args[1])
            if graph.number(base) == 10:
                return graph.call("log10", argument)
            return graph.div(graph.call("log", argument), graph.call("log", base))
        if len(args) == 1:
            return self._unary(kind, args[0])
        if len(args) != 2:
            return None
        if kind == "DIVIDE":
            return graph.div(args[0], args[1])
        if kind in {"POWER", "FUNCTION_POWER"}:
            return graph.power(args[0], args[1])
        if kind in {"FUNCTION_QUOTIENT", "FUNCTION_REM"}:
            ratio = graph.div(args[0], args[1])
            whole = graph.choose(
                graph.less(ratio, graph.const(0.0)), graph.call("ceil", ratio), graph.call("floor", ratio)
            )
            return whole if kind == "FUNCTION_QUOTIENT" else graph.sub(args[0], graph.mul(args[1], whole))
        return None

    def _unary(self, kind: str, a: int) -> int | None:
        graph = self.graph
        one = graph.const(1.0)
        if kind in RECIPROCALS:
            return graph.div(one, graph.call(RECIPROCALS[kind], a))
        if kind in INVERSE_RECIPROCALS:
            return graph.call(INVERSE_RECIPROCALS[kind], graph.div(one, a))
        if kind == "FUNCTION_COT":
            return graph.div(one, graph.call("tan", a))
        if kind == "FUNCTION_COTH":
            return graph.div(one, graph.call("tanh", a))
        if kind == "FUNCTION_FACTORIAL":
            return graph.call("gamma", graph.add(a, one))
        return None


def items(count: int, get: Callable[[int], Any]) -> Iterator[Any]:
    """Walk a libSBML list."""
    return (get(i) for i in range(count))
