"""Native code for a model's expressions over many lanes: one vector instruction computes one node for all of them.

Every function of a kernel has one signature, ``f(v* time, v* y, v* p, v* out)``, where ``v`` is a vector of lanes.
``time`` holds the day and the time since it. ``y`` holds the states that move; ``p`` the states that do not, then the
person's parameters, then what `prepare` has written from them. The functions are those of `vagus.engine.kernel`.
"""

from __future__ import annotations

import ctypes
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from vagus.engine import vectormath
from vagus.engine.assembly import REAL, SINGLE, TRUTH, Array, Code, Module, Value, like
from vagus.engine.kernel import LIBRARY, hoisted
from vagus.engine.lanemodel import LaneModel, lane_model
from vagus.engine.model import Model
from vagus.engine.native import Library, build

ALIGNMENT = 64
CALLABLE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 4)
FUNCTIONS = ("prepare", "rhs", "outputs", "triggers", "switches")
VECTOR: dict[str, Callable[[Value], Value]] = {
    name: getattr(vectormath, name) for name in ("exp", "log", "sin", "cos", "tan", "tanh")
}
# what a function that has many of them computes in loops: long code that is run once from beginning to end is fetched
# more slowly than it is executed
BATCHED = {"logsize": vectormath.log_of_size, **{name: VECTOR[name] for name in ("exp", "log", "sin", "cos")}}
LEAST_BATCH, LEAST_BATCHED = 3, 24
OWN: dict[str, Callable[[Code, Value], Value]] = {
    "sqrt": Code.root,
    "abs": Code.size,
    "floor": Code.floor,
    "ceil": lambda code, a: -code.floor(-a),
}
SIMPLE: dict[str, Callable[..., Value]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "lt": operator.lt,
    "le": operator.le,
    "eq": Value.equals,
    "and": operator.and_,
    "or": operator.or_,
    "not": operator.invert,
    "xor": Value.differs,
}


@dataclass(frozen=True)
class Shape:
    """How many lanes, and of which precision.

    Attributes
    ----------
    width : int
        Lanes in a vector.
    single : bool
        Whether numbers have 32 bits, not 64.
    """

    width: int
    single: bool

    @property
    def number(self) -> Any:
        """The kind of one number."""
        return SINGLE if self.single else REAL

    @property
    def vector(self) -> Any:
        """The kind of a vector."""
        return ir.VectorType(self.number, self.width)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """The NumPy type of one number."""
        return np.float32 if self.single else np.float64


@dataclass(frozen=True)
class LaneKernel:
    """Compiled functions of one model for lanes.

    Attributes
    ----------
    library : Library
        The machine code; events stand as ``event0``, ``event1``, ...
    prepared : int
        Number of values that `prepare` writes.
    """

    library: Library
    prepared: int

    def call(self, name: str, time: NDArray[Any], y: NDArray[Any], p: NDArray[Any], out: NDArray[Any]) -> None:
        """Call one function (for tests and checks), with arrays from `aligned`."""
        CALLABLE(self.library.addresses[name])(*(array.ctypes.data for array in (time, y, p, out)))


def aligned(rows: int, shape: Shape) -> NDArray[Any]:
    """Return rows of lanes, zero, as the processor wants them in memory."""
    size = np.dtype(shape.dtype).itemsize
    raw = np.zeros(rows * shape.width + ALIGNMENT // size, dtype=shape.dtype)
    first = (-raw.ctypes.data % ALIGNMENT) // size
    return raw[first : first + rows * shape.width].reshape(rows, shape.width)


def lane_kernel(model: Model, shape: Shape) -> LaneKernel:
    """Return the compiled kernel of a model: from memory, from the cache on disk, or newly compiled."""
    key = f"lanes {shape}"
    kernel: LaneKernel | None = model.compiled.get(key)
    if kernel is None:
        text, prepared = write(lane_model(model), shape)
        names = (*FUNCTIONS, *(f"event{k}" for k in range(len(model.events))))
        kernel = model.compiled[key] = LaneKernel(build(lambda: text, names, text), prepared)
    return kernel


def write(model: LaneModel, shape: Shape) -> tuple[str, int]:
    """Return a kernel as LLVM assembly, and the number of prepared values."""
    jobs: dict[str, list[tuple[int, int]]] = {
        "rhs": list(enumerate(model.rates)),
        "outputs": list(enumerate(model.outputs)),
        "triggers": list(enumerate((*model.triggers, *model.levels))),
        "switches": list(enumerate(model.switches)),
    }
    for k, assignments in enumerate(model.assignments):
        jobs[f"event{k}"] = list(assignments)
    prepared = hoisted(model.graph, [node for job in jobs.values() for _, node in job])
    first = model.still + model.parameters
    places = {node: first + k for k, node in enumerate(prepared)}
    module = Module("vagus-lanes")
    write_function(module, model, shape, "prepare", [(places[node], node) for node in prepared], {})
    for name, job in jobs.items():
        write_function(module, model, shape, name, job, places)
    return module.text(), len(prepared)


def write_function(
    module: Module, model: LaneModel, shape: Shape, name: str, job: list[tuple[int, int]], places: dict[int, int]
) -> None:
    """Add to a module a function that computes nodes.

    Parameters
    ----------
    module : Module
    model : LaneModel
    shape : Shape
    name : str
    job : list of (int, int)
        Place in the function's output, and node.
    places : dict of int to int
        Where in `p` a node stands that another function has prepared.
    """
    _Writer(module, model, shape, name, places).write(job)


class _Writer:
    """Writes one function."""

    def __init__(self, module: Module, model: LaneModel, shape: Shape, name: str, places: dict[int, int]) -> None:
        self.model = model
        self.graph = model.graph
        self.places = places
        self.kind = shape.vector
        pointer = self.kind.as_pointer()
        self.code = module.function(name, [pointer] * 4, apart=name != "prepare")  # which writes behind what it reads
        arrays: list[Array] = self.code.arguments
        self.code.align_stack()
        self.time, self.y, self.p, self.out = arrays
        self.values: dict[int, Value] = {}

    def write(self, job: list[tuple[int, int]]) -> None:
        """Compute one root after the other, each with what it needs: few values are held at a time."""
        for function, nodes in self._batches([root for _, root in job]):
            self._compute_batch(function, nodes)
        for place, root in job:
            value = self._computed(root)
            self.out[place] = self.code.choose(value, self._number(1.0), 0.0) if self.graph.is_boolean(root) else value
        self.code.give(0)

    def _batches(self, roots: list[int]) -> list[tuple[str, list[int]]]:
        """Return the functions that are computed many at a time, in an order of evaluation."""
        needed: set[int] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node not in needed:
                needed.add(node)
                waiting.extend(self._below(node))
        rank: dict[int, int] = {}  # how many such functions stand one within the other
        found: dict[tuple[int, str], list[int]] = {}
        for node in sorted(needed):
            op = self.graph.nodes[node].op
            rank[node] = max((rank[arg] for arg in self._below(node)), default=0)
            if op in BATCHED and node not in self.places:
                rank[node] += 1
                found.setdefault((rank[node], op), []).append(node)
        batches = [(op, nodes) for (_, op), nodes in sorted(found.items()) if len(nodes) >= LEAST_BATCH]
        return batches if sum(len(nodes) for _, nodes in batches) >= LEAST_BATCHED else []

    def _compute_batch(self, function: str, nodes: list[int]) -> None:
        code = self.code
        arguments = [self._computed(self.graph.nodes[node].args[0]) for node in nodes]
        rows = code.memory(len(nodes), self.kind, ALIGNMENT)
        for place, argument in enumerate(arguments):
            rows[place] = argument
        with code.each(len(nodes)) as row:
            rows[row] = BATCHED[function](rows[row])
        for place, node in enumerate(nodes):
            self.values[node] = rows[place]

    def _below(self, node: int) -> tuple[int, ...]:
        return () if node in self.places else self.graph.nodes[node].args

    def _computed(self, root: int) -> Value:
        waiting = [root]
        while waiting:
            node = waiting[-1]
            missing = tuple(arg for arg in self._below(node) if arg not in self.values)
            if missing:
                waiting.extend(reversed(missing))
                continue
            waiting.pop()
            if node not in self.values:
                self.values[node] = self._value(node)
        return self.values[root]

    def _number(self, value: float) -> Value:
        return Value(self.code, self.code.constant(value, self.kind))

    def _value(self, node: int) -> Value:
        if node in self.places:
            value = self.p[self.places[node]]
            return value.differs(0.0) if self.graph.is_boolean(node) else value
        op, args, number = self.graph.nodes[node]
        code, place = self.code, int(number) if math.isfinite(number) else 0
        if op == "const":
            return self._number(number)
        if op == "bool":
            return Value(code, code.constant(place, like(self.kind, TRUTH)))
        if op in {"time", "day"}:
            return self.time[int(op == "time")]
        if op == "param":
            return self.p[self.model.still + place]
        if op == "state":
            return self.y[place] if place < self.model.moving else self.p[place - self.model.moving]
        return self._operation(op, [self.values[arg] for arg in args], args)

    def _operation(self, op: str, v: list[Value], args: tuple[int, ...]) -> Value:
        code = self.code
        if op in SIMPLE:
            return SIMPLE[op](*v)
        if op == "select":
            return code.choose(v[0], v[1], v[2])
        if op in {"min", "max"}:
            a, b = v if self.graph.number(args[0]) is None else v[::-1]
            extreme = code.choose(b < a if op == "min" else b > a, b, a)  # NaN in a stays
            return extreme if self.graph.number(args[1]) is not None else code.choose(b.equals(b), extreme, b)
        if op == "pow":
            return vectormath.power(v[2], v[0], v[1], v[3])
        if op == "logsize":
            return vectormath.log_of_size(v[0])
        if op == "log10":
            return vectormath.log(v[0]) * (1.0 / math.log(10.0))
        if op in VECTOR:
            return VECTOR[op](v[0])
        if op in OWN:
            return OWN[op](code, v[0])
        return vectormath.by_library(code, LIBRARY[op], v[0])
