"""Native code for a model's expressions, by LLVM's own target; no compiler is needed on the machine.

Every function of a kernel has one signature, ``void f(double t, double* y, double* p, double* out)``:

=========== ==================================================================================
prepare     reads `p`, writes into ``out`` what depends on a person's parameters alone
rhs         rates of the states
jacobian    derivatives of the rates, row by row (S x S), then their derivatives in time (S)
outputs     values of the outputs
triggers    1 or 0 for each event's condition
switches    values that depend on time alone and jump
event k     the new values of the states that event k sets, written in their places
=========== ==================================================================================

``p`` holds the person's parameters and, behind them, what `prepare` has written.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from vagus.engine.expression import PERSON, Graph
from vagus.engine.model import Model
from vagus.engine.native import Library, build

CONTRACT = ("contract",)
INTRINSICS = {name: name for name in ("exp", "log", "log10", "sqrt", "floor", "ceil", "sin", "cos")} | {"abs": "fabs"}
LIBRARY = {"gamma": "tgamma"} | {
    name: name for name in (*("tan", "asin", "acos", "atan", "sinh", "cosh"), *("tanh", "asinh", "acosh", "atanh"))
}
# rough cost of an operation, in additions; only the choice between the two integration methods rests on it
COSTS = {"div": 5.0, "pow": 40.0, "sqrt": 6.0, "select": 1.0, "floor": 1.0, "ceil": 1.0, "abs": 1.0}
FUNCTION_COST = 20.0
EASY = {"const", "bool", "param", "state", "time"}

DOUBLE = ir.DoubleType()
POINTER = DOUBLE.as_pointer()
BIT = ir.IntType(1)
INDEX = ir.IntType(32)
SIGNATURE = ir.FunctionType(ir.VoidType(), [DOUBLE, POINTER, POINTER, POINTER])
CALLABLE = ctypes.CFUNCTYPE(None, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

FUNCTIONS = ("prepare", "rhs", "jacobian", "outputs", "triggers", "switches")

_lock = threading.Lock()


@dataclass(frozen=True)
class Kernel:
    """Compiled functions of one model.

    Attributes
    ----------
    library : Library
        The machine code; a function's address stands under its name, events as ``event0``, ``event1``, ...
    events : int
        Number of events.
    prepared : int
        Number of values that `prepare` writes.
    costs : tuple of float
        Rough cost of one call of rhs and of jacobian.
    """

    library: Library
    events: int
    prepared: int
    costs: tuple[float, float]

    def call(
        self,
        name: str,
        t: float,
        y: NDArray[np.float64],
        p: NDArray[np.float64],
        out: NDArray[np.float64],
    ) -> None:
        """Call one function (for tests and checks); `p` must have room for what `prepare` writes."""
        for array in (y, p, out):
            if array.dtype != np.float64 or not array.flags.c_contiguous:
                raise TypeError("a kernel takes contiguous arrays of float64")
        CALLABLE(self.library.addresses[name])(t, y.ctypes.data, p.ctypes.data, out.ctypes.data)


def kernel_of(model: Model) -> Kernel:
    """Return the compiled kernel of a model: from memory, from the cache on disk, or newly compiled."""
    with _lock:
        kernel: Kernel | None = model.compiled.get("kernel")
        if kernel is None:
            text, prepared, costs = write(model)
            names = (*FUNCTIONS, *(f"event{k}" for k in range(len(model.events))))
            kernel = Kernel(build(lambda: text, names, text), len(model.events), prepared, costs)
            model.compiled["kernel"] = kernel
        return kernel


# ---------------------------------------------------------------------- writing the code


class _Writer:
    """Writes one function."""

    def __init__(self, module: ir.Module, graph: Graph, name: str, places: dict[int, int]) -> None:
        self.module = module
        self.graph = graph
        self.places = places
        function = ir.Function(module, SIGNATURE, name)
        if name != "prepare":  # which writes behind the parameters that it reads
            for argument in function.args[1:]:
                argument.add_attribute("noalias")
        self.t, self.y, self.p, self.out = function.args
        self.builder = ir.IRBuilder(function.append_basic_block())
        self.values: dict[int, ir.Value] = {}

    def compute(self, roots: list[int]) -> None:
        """Compute all nodes that the roots need; a prepared node is read instead."""
        graph = self.graph
        needed: set[int] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node in needed or node in self.values:
                continue
            needed.add(node)
            if node not in self.places:
                waiting.extend(graph.nodes[node].args)
        for node in sorted(needed):
            self.values[node] = self._value(node)

    def store(self, place: int, node: int) -> None:
        """Write a computed node into the output array."""
        value = self.values[node]
        if self.graph.is_boolean(node):
            value = self.builder.uitofp(value, DOUBLE)
        self.builder.store(value, self._at(self.out, place))

    def close(self) -> None:
        """End the function."""
        self.builder.ret_void()

    def _at(self, array: ir.Value, place: int) -> ir.Value:
        return self.builder.gep(array, [ir.Constant(INDEX, place)], inbounds=True)

    def _value(self, node: int) -> ir.Value:
        b = self.builder
        if node in self.places:
            value = b.load(self._at(self.p, self.places[node]))
            return b.fcmp_unordered("!=", value, _number(0.0)) if self.graph.is_boolean(node) else value
        op, args, number = self.graph.nodes[node]
        if op == "const":
            return _number(number)
        if op == "bool":
            return ir.Constant(BIT, int(number))
        if op == "time":
            return self.t
        if op in {"state", "param"}:
            return b.load(self._at(self.y if op == "state" else self.p, int(number)))
        v = [self.values[arg] for arg in args]
        if op in {"add", "sub", "mul"}:
            return getattr(b, f"f{op}")(v[0], v[1], flags=CONTRACT)
        if op == "div":
            return b.fdiv(v[0], v[1])
        if op == "neg":
            return b.fneg(v[0])
        if op == "select":
            return b.select(v[0], v[1], v[2])
        if op in {"lt", "le", "eq"}:
            return b.fcmp_ordered({"lt": "<", "le": "<=", "eq": "=="}[op], v[0], v[1])
        if op in {"and", "or", "xor"}:
            return getattr(b, f"{op}_")(v[0], v[1]) if op != "xor" else b.xor(v[0], v[1])
        if op == "not":
            return b.not_(v[0])
        if op in {"min", "max"}:
            first = b.fcmp_ordered("<" if op == "min" else ">", v[0], v[1])
            extreme = b.select(first, v[0], v[1])
            return b.select(b.fcmp_unordered("uno", v[0], v[1]), _number(np.nan), extreme)
        if op == "pow":
            return b.call(self._function("llvm.pow.f64", 2), v)
        name = f"llvm.{INTRINSICS[op]}.f64" if op in INTRINSICS else LIBRARY[op]
        return b.call(self._function(name, 1), v)

    def _function(self, name: str, count: int) -> ir.Function:
        known = self.module.globals.get(name)
        if known is None:
            known = ir.Function(self.module, ir.FunctionType(DOUBLE, [DOUBLE] * count), name)
        return known


def _number(value: float) -> ir.Constant:
    return ir.Constant(DOUBLE, float(value))


def jacobian_nodes(model: Model) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Return the derivatives of the rates that are not zero.

    Returns
    -------
    entries : list of (row, column, node)
    in_time : list of int
        Nodes of the derivatives in time, one a state.
    """
    graph = model.graph
    entries = []
    for column in range(len(model.states)):
        for row, node in enumerate(graph.derivatives(model.rates, column)):
            if graph.number(node) != 0:
                entries.append((row, column, node))
    return entries, graph.derivatives(model.rates, -1)


def write(model: Model) -> tuple[str, int, tuple[float, float]]:
    """Return a kernel as LLVM assembly, the number of prepared values, and the costs of rhs and jacobian."""
    graph = model.graph
    entries, in_time = jacobian_nodes(model)
    size = len(model.states)
    jobs: dict[str, list[tuple[int, int]]] = {
        "rhs": list(enumerate(model.rates)),
        "jacobian": [
            *((row * size + column, node) for row, column, node in entries),
            *((size * size + row, node) for row, node in enumerate(in_time)),
        ],
        "outputs": list(enumerate(model.output_nodes)),
        "triggers": [(k, event.trigger) for k, event in enumerate(model.events)],
        "switches": list(enumerate(model.switches)),
    }
    for k, event in enumerate(model.events):
        jobs[f"event{k}"] = list(event.assignments)
    first = len(model.parameters)
    prepared = hoisted(graph, [node for job in jobs.values() for _, node in job])
    module = ir.Module(name="vagus")
    writer = _Writer(module, graph, "prepare", {})
    writer.compute(prepared)
    for k, node in enumerate(prepared):
        writer.store(k, node)
    writer.close()
    places = {node: first + k for k, node in enumerate(prepared)}
    for name, job in jobs.items():
        writer = _Writer(module, graph, name, places)
        writer.compute([node for _, node in job])
        for place, node in job:
            writer.store(place, node)
        writer.close()
    costs = tuple(cost_of(graph, [node for _, node in jobs[name]]) for name in ("rhs", "jacobian"))
    return str(module), len(prepared), (costs[0], costs[1])


def hoisted(graph: Graph, roots: list[int]) -> list[int]:
    """Return the largest expressions that depend on a person's parameters alone."""
    found = {root for root in roots if graph.reach[root] == PERSON and graph.nodes[root].op not in EASY}
    for node in graph.order(roots):
        if graph.reach[node] & ~PERSON:
            found.update(
                arg for arg in graph.nodes[node].args if graph.reach[arg] == PERSON and graph.nodes[arg].op not in EASY
            )
    return sorted(found)


def cost_of(graph: Graph, roots: list[int]) -> float:
    """Return the rough cost of some expressions, in additions."""
    total = 0.0
    for node in graph.order(roots):
        op = graph.nodes[node].op
        if op not in EASY and graph.reach[node] & ~PERSON:
            cheap = op not in INTRINSICS and op not in LIBRARY
            total += COSTS.get(op, 1.0 if cheap else FUNCTION_COST)
    return total
