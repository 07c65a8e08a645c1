"""The graph's rules, and four ways to compute one expression."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vagus.engine.expression import FUNCTIONS, Graph
from vagus.engine.kernel import kernel_of
from vagus.engine.lanekernel import Shape, aligned, lane_kernel
from vagus.engine.lanemodel import lane_model
from vagus.engine.model import Model
from vagus.engine.reference import evaluate_nodes

STATES, PARAMETERS = 3, 2
EPSILON = sys.float_info.epsilon
LANES_LOSE = 8.0  # their functions are good to a few units in the last place, and divisions share reciprocals

# ---------------------------------------------------------------------- rules


def test_equal_expressions_are_one_node() -> None:
    graph = Graph()
    x, y = graph.state(0), graph.state(1)
    assert graph.add(x, y) == graph.add(y, x)
    assert graph.mul(graph.add(x, y), x) == graph.mul(x, graph.add(y, x))
    assert graph.sub(x, y) != graph.sub(y, x)
    assert graph.const(0.0) != graph.const(-0.0)


def test_neutral_elements_vanish() -> None:
    graph = Graph()
    x, zero, one = graph.state(0), graph.const(0.0), graph.const(1.0)
    assert graph.add(x, zero) == graph.mul(x, one) == graph.div(x, one) == graph.sub(x, zero) == x
    assert graph.mul(x, zero) == graph.sub(x, x) == zero
    assert graph.neg(graph.neg(x)) == x
    assert graph.power(x, zero) == one
    assert graph.choose(graph.boolean(True), x, one) == x
    assert graph.both(graph.boolean(True), graph.less(x, one)) == graph.less(x, one)


def test_division_stays_a_division() -> None:
    """72 h / 24 h must be three days, not just below: a reciprocal would break floor()."""
    graph = Graph()
    quotient = graph.div(graph.time(), graph.const(49.0))
    assert graph.nodes[quotient].op == "div"
    assert 49.0 * (1.0 / 49.0) < 1.0  # what the reciprocal would give
    whole = evaluate_nodes(graph, [graph.call("floor", quotient)], 49.0, np.zeros((1, 0)), np.zeros((1, 0)))
    assert whole[0, 0] == 1.0


def test_nodes_know_what_they_depend_on() -> None:
    graph = Graph()
    p, t, y = graph.param(0), graph.time(), graph.state(0)
    kinds = [graph.kind(node) for node in (graph.const(2.0), graph.call("exp", p), graph.add(p, t), graph.mul(t, y))]
    assert kinds == ["constant", "person", "time", "state"]


def test_an_unknown_function_is_an_error() -> None:
    graph = Graph()
    with pytest.raises(KeyError):
        graph.call("system", graph.const(1.0))


# ---------------------------------------------------------------------- random expressions
# a tree is a nested tuple; the same tree is put into the graph and computed with Python's own floats

SAFE = ("exp", "log", "sqrt", "abs", "floor", "ceil", "sin", "cos", "tanh", "atan", "asinh")
leaves = st.one_of(
    st.tuples(st.just("const"), st.floats(-4.0, 4.0)),
    st.tuples(st.just("state"), st.integers(0, STATES - 1)),
    st.tuples(st.just("param"), st.integers(0, PARAMETERS - 1)),
    st.tuples(st.just("time")),
)


def _grow(children: Any) -> Any:
    return st.one_of(
        st.tuples(st.sampled_from(("add", "sub", "mul", "div", "min", "max")), children, children),
        st.tuples(st.sampled_from(SAFE), children),
        st.tuples(st.just("neg"), children),
        st.tuples(st.just("pow"), children, st.tuples(st.just("const"), st.sampled_from((-2.0, 0.5, 0.75, 1.3, 3.0)))),
        st.tuples(st.just("select"), children, children, children, children),
    )


trees = st.recursive(leaves, _grow, max_leaves=12)


def plant(graph: Graph, tree: Any) -> int:
    """Put a tree into the graph."""
    op, *rest = tree
    if op in {"const", "state", "param"}:
        return int(getattr(graph, op)(rest[0]))
    if op == "time":
        return graph.time()
    args = [plant(graph, part) for part in rest]
    if op == "select":
        return graph.choose(graph.less(args[0], args[1]), args[2], args[3])
    names = {"pow": "power", "min": "minimum", "max": "maximum"}
    return graph.call(op, args[0]) if op in FUNCTIONS else int(getattr(graph, names.get(op, op))(*args))


class Unsure(Exception):
    """A rounding error could change the way through the expression, or the value is not finite."""


def compute(tree: Any, y: Any, p: Any, t: float) -> tuple[float, float]:
    """Return the value by Python's floats, and a bound of its rounding error."""
    op, *rest = tree
    if op in {"const", "state", "param"}:
        return float({"const": rest[0], "state": y, "param": p}[op][rest[0]] if op != "const" else rest[0]), 0.0
    if op == "time":
        return t, 0.0
    parts = [compute(part, y, p, t) for part in rest]
    (a, ea), (b, eb) = parts[0], parts[1] if len(parts) > 1 else (0.0, 0.0)
    try:
        value, error = _combine(op, a, ea, b, eb, parts)
    except (OverflowError, ZeroDivisionError):
        raise Unsure from None
    sound = value == 0 or 1e-100 < abs(value) < 1e100
    if not (sound and math.isfinite(error) and error < 1e-6 * (1 + abs(value))):
        raise Unsure
    return value, error + 4 * EPSILON * abs(value)


def _combine(op: str, a: float, ea: float, b: float, eb: float, parts: Any) -> tuple[float, float]:
    if op in {"add", "sub"}:
        return (a + b if op == "add" else a - b), ea + eb + 2 * EPSILON * (abs(a) + abs(b))
    if op == "mul":
        return a * b, abs(a) * eb + abs(b) * ea
    if op == "div":
        if abs(b) <= 2 * eb or b == 0:
            raise Unsure
        return a / b, (ea + abs(a / b) * eb) / (abs(b) - eb)
    if op in {"min", "max"}:
        return (min(a, b) if op == "min" else max(a, b)), max(ea, eb)
    if op == "neg":
        return -a, ea
    if op == "select":
        if abs(a - b) <= ea + eb:
            raise Unsure
        taken: tuple[float, float] = parts[2] if a < b else parts[3]
        return taken
    if op in {"floor", "ceil"}:
        if abs(a - round(a)) <= ea:
            raise Unsure
        return float(math.floor(a) if op == "floor" else math.ceil(a)), 0.0
    return _function(op, a, ea, b)


def _function(op: str, a: float, ea: float, b: float) -> tuple[float, float]:
    if op in {"log", "sqrt", "pow"} and a <= 2 * ea:
        raise Unsure
    if op == "pow":
        return a**b, abs(b) * a ** (b - 1) * ea * 2
    if op == "exp" and a > 200:
        raise Unsure
    value = {"abs": abs}.get(op, getattr(math, op, None))(a)  # type: ignore[misc]
    slope = {"exp": value, "log": 1 / a if a > 0 else 0.0, "sqrt": 0.5 / value if op == "sqrt" else 0.0}.get(op, 1.0)
    return value, 2 * abs(slope) * ea


def as_model(graph: Graph, roots: list[int]) -> Model:
    """Wrap expressions as the outputs of a model."""
    return Model(
        name="expressions",
        states=tuple(f"y{i}" for i in range(STATES)),
        parameters=tuple(f"p{i}" for i in range(PARAMETERS)),
        outputs=tuple(f"out{i}" for i in range(len(roots))),
        parameter_values=np.zeros(PARAMETERS),
        amounts=frozenset(),
        graph=graph,
        initial=(graph.const(0.0),) * STATES,
        rates=(graph.const(0.0),) * STATES,
        output_nodes=tuple(roots),
        events=(),
        switches=(),
    )


def kernel_values(graph: Graph, roots: list[int], y: Any, p: Any, t: float) -> Any:
    """Compute expressions by machine code."""
    kernel = kernel_of(as_model(graph, roots))
    own = np.array([*p, *np.zeros(kernel.prepared)])
    out = np.full(len(roots), np.nan)
    states = np.array(y, dtype=np.float64)
    kernel.call("prepare", t, states, own, own[PARAMETERS:])
    kernel.call("outputs", t, states, own, out)
    return out


def lane_values(graph: Graph, roots: list[int], y: Any, p: Any, t: float, single: bool = False) -> Any:
    """Compute expressions by the machine code of lanes, the same in each."""
    model, shape = as_model(graph, roots), Shape(4, single)
    kernel, own = lane_kernel(model, shape), lane_model(model)
    time, states, out = aligned(2, shape), aligned(STATES, shape), aligned(len(roots), shape)
    everything = aligned(STATES + PARAMETERS + kernel.prepared, shape)
    day = math.floor(t)
    time[0], time[1] = day, t - day
    everything[:STATES] = np.array(y)[own.order][:, None]  # states without a rate stand before the parameters
    everything[STATES : STATES + PARAMETERS] = np.array(p)[:, None]
    kernel.call("prepare", time, states, everything, everything)
    kernel.call("outputs", time, states, everything, out)
    assert np.array_equal(out[:, :1].repeat(4, axis=1), out, equal_nan=True)
    return out[:, 0].astype(np.float64)


numbers = st.floats(-3.0, 3.0).filter(lambda x: x == 0 or abs(x) > 1e-3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(trees, min_size=1, max_size=12),
    st.tuples(*[numbers] * STATES),
    st.tuples(*[numbers] * PARAMETERS),
    numbers,
)
def test_kernel_numpy_and_python_agree(forest: list[Any], y: Any, p: Any, t: float) -> None:
    graph = Graph()
    roots, expected, bounds = [], [], []
    for tree in forest:
        try:
            value, error = compute(tree, y, p, t)
        except Unsure:
            continue
        roots.append(plant(graph, tree))
        expected.append(value)
        bounds.append(error + 1e-300)
    assume(roots)
    by_numpy = evaluate_nodes(graph, roots, t, np.array([y]), np.array([p]))[0]
    by_kernel = kernel_values(graph, roots, y, p, t)
    assert np.all(np.abs(by_numpy - expected) <= bounds)
    assert np.all(np.abs(by_kernel - expected) <= bounds)
    by_lanes = lane_values(graph, roots, y, p, t)
    assert np.all(np.abs(by_lanes - expected) <= LANES_LOSE * np.array(bounds))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(trees, st.tuples(*[numbers] * STATES), st.tuples(*[numbers] * PARAMETERS), numbers, st.integers(-1, STATES - 1))
def test_derivatives_agree_with_differences(tree: Any, y: Any, p: Any, t: float, state: int) -> None:
    graph = Graph()
    root = plant(graph, tree)
    slope = evaluate_nodes(graph, [graph.derivative(root, state)], t, np.array([y]), np.array([p]))[0, 0]
    estimates = []
    for h in (1e-4, 3e-5):
        ends = []
        for sign in (1, -1):
            moved = list(y)
            if state >= 0:
                moved[state] += sign * h
            try:
                ends.append(compute(tree, moved, p, t + (sign * h if state < 0 else 0.0))[0])
            except Unsure:
                assume(False)
        estimates.append((ends[0] - ends[1]) / (2 * h))
    # where two step sizes differ there is a kink, a jump or a pole between them
    assume(abs(estimates[0] - estimates[1]) <= 1e-5 * (1 + abs(estimates[1])))
    assert slope == pytest.approx(estimates[1], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_in_the_kernel(function: str) -> None:
    graph = Graph()
    x = graph.state(0)
    place = {"acosh": 1.7, "gamma": 4.0}.get(function, 0.4)
    root = graph.call(function, x)
    y = np.array([place, 0.0, 0.0])
    by_numpy = evaluate_nodes(graph, [root], 0.0, y[None, :], np.zeros((1, PARAMETERS)))[0]
    assert kernel_values(graph, [root], y, (0.0, 0.0), 0.0) == pytest.approx(by_numpy, rel=1e-14)
    assert lane_values(graph, [root], y, (0.0, 0.0), 0.0) == pytest.approx(by_numpy, rel=1e-14)
    assert lane_values(graph, [root], y, (0.0, 0.0), 0.0, single=True) == pytest.approx(by_numpy, rel=1e-6)
    if function not in {"gamma", "floor", "ceil"}:
        slope = evaluate_nodes(graph, [graph.derivative(root, 0)], 0.0, y[None, :], np.zeros((1, PARAMETERS)))[0, 0]
        values = [
            evaluate_nodes(graph, [root], 0.0, np.array([[place + h, 0, 0]]), np.zeros((1, PARAMETERS)))[0, 0]
            for h in (1e-5, -1e-5)
        ]
        assert slope == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-8)


@pytest.mark.parametrize("pair", [(np.nan, 1.0), (1.0, np.nan)])
def test_extremes_and_comparisons_keep_nan_visible(pair: tuple[float, float]) -> None:
    graph = Graph()
    x, y = graph.state(0), graph.state(1)
    roots = [
        graph.minimum(x, y),
        graph.maximum(x, y),
        graph.as_number(graph.less(x, y)),
        graph.as_number(graph.equal(x, y)),
    ]
    for values in (kernel_values, lane_values):
        found = values(graph, roots, (*pair, 0.0), (0.0, 0.0), 0.0)
        assert np.isnan(found[:2]).all()
        assert list(found[2:]) == [0.0, 0.0]
