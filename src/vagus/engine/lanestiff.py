"""What the stiff method needs of a model, for many lanes: rates with their Jacobian, and a sparse solver.

The Jacobian is symbolic and sparse, so which numbers of a decomposition differ from zero is known once a model. The
order of elimination is that of Markowitz on the diagonal (the fewest products of row and column first), without
exchange of rows; every product is written out as an instruction of its own. A lane whose pivot is no more than
rounding is reported, and its step is rejected.

======== ==============================================================================================
prepare  as in `vagus.engine.lanekernel`; writes behind what that kernel's `prepare` has written
slopes   the rates, their derivatives in time, then the Jacobian's numbers that are not zero
factor   decomposes ``g - Jacobian``, where ``g`` stands on the diagonal; the last row says 1 where it is sound
solve    solves in place with a decomposed matrix
product  multiplies the Jacobian by a vector
======== ==============================================================================================
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vagus.engine import assembly, lanekernel, pair, vectormath
from vagus.engine.assembly import Array, Code, Module, Value
from vagus.engine.kernel import cost_of, hoisted, jacobian_nodes
from vagus.engine.lanekernel import Shape, lane_kernel, write_function
from vagus.engine.lanemodel import LaneModel, lane_model, rewrite
from vagus.engine.model import Model
from vagus.engine.native import Library, build, sources

FUNCTIONS = ("prepare", "slopes", "factor", "solve", "product")
ROUNDING = 64.0  # a pivot that is smaller than so many units in the last place of its terms is none
# slopes that may be infinite where the rates are finite; one that is counts as zero
ABRUPT = {"pow", "sqrt", "log", "log10", "logsize", "acosh", "asin", "acos", "atanh"}
PIECE = 200  # products that one function of a decomposition computes
LARGEST = 150_000  # instructions: more would take long to compile, and dense matrices are no work for lanes

_lock = threading.Lock()


class Places(NamedTuple):
    """Where the numbers of a decomposition stand.

    Attributes
    ----------
    order : list of int
        Rows in the order of elimination.
    lower, upper : list of dict of int to int
        Of each row: columns that are eliminated before and after it, with their places.
    diagonal : list of int
        Place of each inverse pivot.
    size : int
        How many numbers.
    """

    order: list[int]
    lower: list[dict[int, int]]
    upper: list[dict[int, int]]
    diagonal: list[int]
    size: int

    @property
    def products(self) -> int:
        """How many products a decomposition takes."""
        return sum(len(self.upper[column]) + 1 for row in self.lower for column in row)


@dataclass(frozen=True)
class Slopes:
    """A model's rates and their derivatives for lanes.

    Attributes
    ----------
    model : LaneModel
        Rates in a graph that has the derivatives too.
    in_time : list of int
        Derivative in time of each rate.
    entries : list of (row, column, node)
        Derivatives in the states that are not zero.
    places : Places
    """

    model: LaneModel
    in_time: list[int]
    entries: list[tuple[int, int, int]]
    places: Places

    @property
    def job(self) -> list[tuple[int, int]]:
        """What `slopes` computes: places and nodes, row by row, since a row's numbers have much in common."""
        n = self.model.moving
        rows: list[list[tuple[int, int]]] = [
            [(row, rate), (n + row, slope)]
            for row, (rate, slope) in enumerate(zip(self.model.rates, self.in_time, strict=True))
        ]
        for place, (row, _, node) in enumerate(self.entries):
            rows[row].append((2 * n + place, node))
        return [item for row in rows for item in row]

    @property
    def size(self) -> int:
        """How many instructions the stiff functions have, roughly."""
        nodes = self.model.graph.order(node for _, node in self.job)
        return len(nodes) + 2 * self.places.products + 4 * self.places.size + 2 * len(self.entries)


@dataclass(frozen=True)
class StiffKernel:
    """Compiled functions of one model for the stiff method.

    Attributes
    ----------
    library : Library
    prepared : int
        Number of values that `prepare` writes.
    entries, factors : int
        Numbers of the Jacobian and of its decomposition.
    cost : float
        Rough cost of one step, in additions.
    """

    library: Library
    prepared: int
    entries: int
    factors: int
    cost: float


def explicit_cost(model: Model) -> float:
    """Return the rough cost of one explicit step of a lane, in additions."""
    own = lane_model(model)
    return pair.STAGES * cost_of(own.graph, list(own.rates)) + 40.0 * own.moving


def slopes_of(model: Model) -> Slopes:
    """Derive a model's rates (once a model)."""
    known: Slopes | None = model.compiled.get("lane slopes")
    if known is None:
        own = lane_model(model)
        rank = {int(old): new for new, old in enumerate(own.order[: own.moving])}
        entries, in_time = jacobian_nodes(model)
        entries = [(rank[row], rank[column], node) for row, column, node in entries if row in rank and column in rank]
        slopes = [in_time[place] for place in own.order[: own.moving]]
        lanes, nodes = rewrite(model, [*(node for _, _, node in entries), *slopes])
        nodes = [_tamed(lanes, node) for node in nodes]
        found = [(row, column, node) for (row, column, _), node in zip(entries, nodes, strict=False)]
        places = arrange(own.moving, [(row, column) for row, column, _ in found])
        known = model.compiled["lane slopes"] = Slopes(lanes, nodes[len(found) :], found, places)
    return known


def _tamed(model: LaneModel, node: int) -> int:
    """Return a slope, or zero where it is not finite."""
    g = model.graph
    if not any(g.nodes[part].op in ABRUPT for part in g.order([node])):
        return node
    return g.choose(g.less(g.call("abs", node), g.const(np.inf)), node, g.const(0.0))


def arrange(n: int, pattern: Iterable[tuple[int, int]]) -> Places:
    """Choose the order of elimination of a sparse matrix with a full diagonal.

    Parameters
    ----------
    n : int
        Rows.
    pattern : iterable of (row, column)
        Where the matrix is not zero.
    """
    rows, columns = [{i} for i in range(n)], [{i} for i in range(n)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    left, order = set(range(n)), []
    lower: list[dict[int, int]] = [{} for _ in range(n)]
    upper: list[dict[int, int]] = [{} for _ in range(n)]
    while left:
        pivot = min(left, key=lambda i: ((len(rows[i]) - 1) * (len(columns[i]) - 1), i))
        order.append(pivot)
        left.remove(pivot)
        across, down = sorted(rows[pivot] - {pivot}), sorted(columns[pivot] - {pivot})
        upper[pivot] = dict.fromkeys(across, 0)
        for j in across:
            columns[j].remove(pivot)
        for i in down:
            lower[i][pivot] = 0
            rows[i].remove(pivot)
            rows[i].update(across)
        for j in across:
            columns[j].update(down)
    diagonal, count = [0] * n, 0
    for i in order:
        for part in (lower[i], upper[i]):
            for j in part:
                part[j], count = count, count + 1
        diagonal[i], count = count, count + 1
    return Places(order, lower, upper, diagonal, count)


def stiff_kernel(model: Model, shape: Shape) -> StiffKernel | None:
    """Return the compiled kernel: from memory, from the cache on disk, or new; None where it would be too large."""
    with _lock:
        key = f"stiff lanes {shape}"
        if key not in model.compiled:
            model.compiled[key] = _compile(model, shape)
        kernel: StiffKernel | None = model.compiled[key]
        return kernel


def _compile(model: Model, shape: Shape) -> StiffKernel | None:
    slopes = slopes_of(model)
    if slopes.size > LARGEST:
        return None
    own, places, before = slopes.model, slopes.places, lane_kernel(model, shape).prepared
    prepared = hoisted(own.graph, [node for _, node in slopes.job])
    rates = cost_of(own.graph, list(own.rates))
    linear = 2.0 * places.products + 12.0 * places.size + 60.0 * own.moving
    cost = cost_of(own.graph, [node for _, node in slopes.job]) + 5 * rates + linear
    library = build(
        lambda: write(slopes, shape, before, prepared), FUNCTIONS, _identity(slopes, shape, before, prepared)
    )
    return StiffKernel(library, len(prepared), len(slopes.entries), places.size + 1, cost)


def _identity(slopes: Slopes, shape: Shape, before: int, prepared: list[int]) -> str:
    """Return what a kernel's text follows from: writing it takes longer."""
    written = sources(sys.modules[__name__], assembly, lanekernel, vectormath)
    if written is None:
        return write(slopes, shape, before, prepared)
    graph, model = slopes.model.graph, slopes.model
    nodes = [(node, *graph.nodes[node]) for node in graph.order(node for _, node in slopes.job)]
    return (
        f"{(shape, before, model.moving, model.still, model.parameters, slopes.job, slopes.places, nodes)}\n{written}"
    )


def write(slopes: Slopes, shape: Shape, before: int, prepared: list[int]) -> str:
    """Return a kernel as LLVM assembly.

    Parameters
    ----------
    slopes : Slopes
    shape : Shape
    before : int
        Values that the lanes' own kernel has prepared.
    prepared : list of int
        Nodes whose values this one prepares, behind them.
    """
    model, job = slopes.model, slopes.job
    first = model.still + model.parameters + before
    places = {node: first + k for k, node in enumerate(prepared)}
    module = Module("vagus-stiff-lanes")
    write_function(module, model, shape, "prepare", [(places[node], node) for node in prepared], {})
    write_function(module, model, shape, "slopes", job, places)
    _write_factor(module, shape, slopes)
    _write_solve(module, shape, slopes.places)
    _write_product(module, shape, slopes)
    return module.text()


def _begin(module: Module, shape: Shape, name: str, count: int, private: bool = False) -> tuple[Code, list[Array]]:
    code = module.function(name, [shape.vector.as_pointer()] * count, private=private, apart=True)
    code.align_stack()
    if private:
        code.function.attributes.add("noinline")
    return code, code.arguments


class _Held:
    """Numbers in memory of which each is loaded once."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.known: dict[int, Value] = {}

    def __getitem__(self, place: int) -> Value:
        if place not in self.known:
            self.known[place] = self.array[place]
        return self.known[place]

    def __setitem__(self, place: int, value: Value) -> None:
        self.array[place] = self.known[place] = value


def _write_factor(module: Module, shape: Shape, slopes: Slopes) -> None:
    """Write ``factor(jacobian, g, out)``, some rows a function: LLVM takes long for one large piece."""
    places = slopes.places
    pieces: list[list[int]] = []
    room = 0
    for i in places.order:
        if room <= 0:
            pieces.append([])
            room = PIECE
        pieces[-1].append(i)
        room -= 1 + sum(len(places.upper[k]) + 1 for k in places.lower[i])
    parts = [_write_rows(module, shape, slopes, f"rows{number}", rows) for number, rows in enumerate(pieces)]
    code, arrays = _begin(module, shape, "factor", 3)
    arrays[2][places.size] = 1.0
    for part in parts:
        code.call(part, *arrays)
    code.give(0)


def _write_rows(module: Module, shape: Shape, slopes: Slopes, name: str, rows: list[int]) -> Code:
    """Write a function that decomposes some rows: takes those above them off."""
    code, (jacobian, g, memory) = _begin(module, shape, name, 3, private=True)
    out = _Held(memory)
    _, lower, upper, diagonal, count = slopes.places
    given = {(row, column): place for place, (row, column, _) in enumerate(slopes.entries)}
    zero, one = (Value(code, code.constant(number, shape.vector)) for number in (0.0, 1.0))
    least = ROUNDING * float(np.finfo(shape.dtype).eps)
    sound = out[count].differs(0.0)
    for i in rows:
        row = {j: -jacobian[given[i, j]] if (i, j) in given else zero for j in (*lower[i], i, *upper[i])}
        size = g[0] + code.size(row[i])
        row[i] = row[i] + g[0]
        for k in lower[i]:
            factor = row[k] * out[diagonal[k]]
            out[lower[i][k]] = factor
            for j, place in upper[k].items():
                row[j] = row[j] - factor * out[place]
        sound = sound & (code.size(row[i]) >= least * size)
        out[diagonal[i]] = 1.0 / row[i]
        for j, place in upper[i].items():
            out[place] = row[j]
    out[count] = code.choose(sound, one, 0.0)
    code.give(0)
    return code


def _write_solve(module: Module, shape: Shape, places: Places) -> None:
    """Write ``solve(matrix, x)``; what was computed last comes last in a sum, so that no sum waits for long."""
    code, (matrix, memory) = _begin(module, shape, "solve", 2)
    x = _Held(memory)
    rank = {row: place for place, row in enumerate(places.order)}
    for i in places.order:
        if places.lower[i]:
            total = x[i]
            for j in sorted(places.lower[i], key=lambda j: rank[j]):
                total = total - matrix[places.lower[i][j]] * x[j]
            x[i] = total
    for i in reversed(places.order):
        total = x[i]
        for j in sorted(places.upper[i], key=lambda j: -rank[j]):
            total = total - matrix[places.upper[i][j]] * x[j]
        x[i] = total * matrix[places.diagonal[i]]
    code.give(0)


def _write_product(module: Module, shape: Shape, slopes: Slopes) -> None:
    """Write ``product(jacobian, x, out)``."""
    code, (jacobian, memory, out) = _begin(module, shape, "product", 3)
    x = _Held(memory)
    totals: dict[int, Value] = {}
    for place, (row, column, _) in enumerate(slopes.entries):
        part = jacobian[place] * x[column]
        totals[row] = totals[row] + part if row in totals else part
    for row in range(slopes.model.moving):
        out[row] = totals.get(row, 0.0)
    code.give(0)
