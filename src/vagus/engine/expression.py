"""The expression graph of a model: every sub-expression once, with symbolic derivatives.

A node is an integer; its operation, arguments and value stand in the graph's lists. Arguments always have a lower
number than the node itself, so ascending order is a valid order of evaluation. Equal expressions get the same node
(hash consing), which makes shared terms cost nothing.

Kinds of nodes by what they depend on: ``constant``, ``person`` (parameters of one person), ``time`` (time, perhaps
with a person's parameters) and ``state``.

Simplifications assume finite operands where IEEE arithmetic would differ (``0 * x`` is ``0``, ``x - x`` is ``0``).
Division is kept as division: ``floor(time / 24)`` must step exactly at the multiple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

PERSON, TIME, STATE = 1, 2, 4
KINDS = {0: "constant", 1: "person"}

# operations of one argument that a library function computes; the same names in NumPy and in the kernel's tables
FUNCTIONS = (
    *("exp", "log", "log10", "sqrt", "abs", "floor", "ceil", "gamma"),
    *("sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
)
COMPARISONS = ("lt", "le", "eq")
LOGIC = ("and", "or", "not", "xor")
BOOLEAN = frozenset((*COMPARISONS, *LOGIC, "bool"))

LARGEST_EXPANDED_POWER = 8


class Node(NamedTuple):
    """One sub-expression."""

    op: str
    args: tuple[int, ...]
    value: float


class Graph:
    """Hash-consed expressions over parameters, time and states.

    Examples
    --------
    >>> graph = Graph()
    >>> x = graph.state(0)
    >>> graph.add(x, graph.const(1.0)) == graph.add(graph.const(1.0), x)
    True
    >>> graph.text(graph.derivative(graph.power(x, graph.const(3.0)), 0))
    '((y0 * y0) + (y0 * (y0 + y0)))'
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.reach: list[int] = []  # bit set of PERSON, TIME, STATE
        self.support: list[int] = []  # bit set of the states it depends on
        self._known: dict[tuple[str, tuple[int, ...], str], int] = {}
        self._derivatives: dict[tuple[int, int], int] = {}

    # ------------------------------------------------------------------ leaves

    def _make(self, op: str, args: tuple[int, ...] = (), value: float = 0.0) -> int:
        key = (op, args, float(value).hex())
        node = self._known.get(key)
        if node is None:
            node = len(self.nodes)
            self.nodes.append(Node(op, args, float(value)))
            reach = {"param": PERSON, "time": TIME, "day": TIME, "state": STATE}.get(op, 0)
            support = 1 << int(value) if op == "state" else 0
            for arg in args:
                reach |= self.reach[arg]
                support |= self.support[arg]
            self.reach.append(reach)
            self.support.append(support)
            self._known[key] = node
        return node

    def const(self, value: float) -> int:
        """Return the node of a number."""
        return self._make("const", (), float(value))

    def boolean(self, value: bool) -> int:
        """Return the node of true or false."""
        return self._make("bool", (), float(bool(value)))

    def param(self, index: int) -> int:
        """Return the node of a person's parameter."""
        return self._make("param", (), index)

    def state(self, index: int) -> int:
        """Return the node of a state."""
        return self._make("state", (), index)

    def time(self) -> int:
        """Return the node of time."""
        return self._make("time")

    def day(self) -> int:
        """Return the node of the whole day that `time` counts from (see `vagus.engine.lanemodel`)."""
        return self._make("day")

    # ------------------------------------------------------------------ questions

    def number(self, node: int) -> float | None:
        """Return the value of a constant node, None for any other."""
        item = self.nodes[node]
        return item.value if item.op == "const" else None

    def is_boolean(self, node: int) -> bool:
        """Say whether a node is true or false rather than a number."""
        return self.nodes[node].op in BOOLEAN

    def kind(self, node: int) -> str:
        """Return ``constant``, ``person``, ``time`` or ``state``."""
        reach = self.reach[node]
        return "state" if reach & STATE else "time" if reach & TIME else KINDS[reach]

    def order(self, roots: Iterable[int]) -> list[int]:
        """Return all nodes that the roots need, in an order of evaluation."""
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting.extend(arg for arg in self.nodes[node].args if arg not in seen)
        return sorted(seen)

    def text(self, node: int) -> str:
        """Return an expression as text, for messages and tests."""
        op, args, value = self.nodes[node]
        if op == "const":
            return f"{value:g}"
        if op == "bool":
            return "true" if value else "false"
        if op in {"param", "state"}:
            return f"{'p' if op == 'param' else 'y'}{int(value)}"
        if op in {"time", "day"}:
            return op[0]
        parts = [self.text(arg) for arg in args]
        if op == "add":
            return f"({parts[0]} + {parts[1]})"
        sign = {"sub": "-", "mul": "*", "div": "/"}.get(op)
        if sign:
            return f"({parts[0]} {sign} {parts[1]})"
        return f"{op}({', '.join(parts)})"

    # ------------------------------------------------------------------ arithmetic

    def _fold(self, op: str, *args: int) -> int | None:
        values = [self.nodes[arg] for arg in args]
        if any(item.op not in {"const", "bool"} for item in values):
            return None
        result = apply(op, [np.float64(item.value) if item.op == "const" else bool(item.value) for item in values])
        return self.boolean(bool(result)) if op in BOOLEAN else self.const(float(result))

    def add(self, a: int, b: int) -> int:
        """Return ``a + b``."""
        if (folded := self._fold("add", a, b)) is not None:
            return folded
        if self.number(a) == 0:
            return b
        if self.number(b) == 0:
            return a
        if self.nodes[b].op == "neg":
            return self.sub(a, self.nodes[b].args[0])
        if self.nodes[a].op == "neg":
            return self.sub(b, self.nodes[a].args[0])
        return self._make("add", (min(a, b), max(a, b)))

    def sub(self, a: int, b: int) -> int:
        """Return ``a - b``."""
        if (folded := self._fold("sub", a, b)) is not None:
            return folded
        if self.number(a) == 0:
            return self.neg(b)
        if self.number(b) == 0:
            return a
        if a == b:
            return self.const(0.0)
        if self.nodes[b].op == "neg":
            return self.add(a, self.nodes[b].args[0])
        return self._make("sub", (a, b))

    def neg(self, a: int) -> int:
        """Return ``-a``."""
        if (folded := self._fold("neg", a)) is not None:
            return folded
        return self.nodes[a].args[0] if self.nodes[a].op == "neg" else self._make("neg", (a,))

    def mul(self, a: int, b: int) -> int:
        """Return ``a * b``."""
        if (folded := self._fold("mul", a, b)) is not None:
            return folded
        if self.number(b) is not None:
            a, b = b, a
        factor = self.number(a)
        if factor == 0:
            return self.const(0.0)
        if factor == 1:
            return b
        if factor == -1:
            return self.neg(b)
        if self.nodes[a].op == "neg":
            return self.neg(self.mul(self.nodes[a].args[0], b))
        if self.nodes[b].op == "neg":
            return self.neg(self.mul(a, self.nodes[b].args[0]))
        return self._make("mul", (min(a, b), max(a, b)))

    def div(self, a: int, b: int) -> int:
        """Return ``a / b``."""
        if (folded := self._fold("div", a, b)) is not None:
            return folded
        if self.number(a) == 0:
            return self.const(0.0)
        if self.number(b) == 1:
            return a
        if self.number(b) == -1:
            return self.neg(a)
        return self._make("div", (a, b))

    def power(self, a: int, b: int) -> int:
        """Return ``a ** b``; small whole powers become products, quarters become square roots."""
        if (folded := self._fold("pow", a, b)) is not None:
            return folded
        exponent = self.number(b)
        if exponent is None or not abs(exponent) <= LARGEST_EXPANDED_POWER or (4 * exponent) % 1:
            return self._make("pow", (a, b))
        if exponent < 0:
            return self.div(self.const(1.0), self.power(a, self.const(-exponent)))
        whole, quarters = divmod(round(4 * exponent), 4)
        result = self._whole_power(a, whole)
        if quarters:
            root = self.call("sqrt", a)
            if quarters >= 2:
                result = self.mul(result, root)
            if quarters != 2:
                result = self.mul(result, self.call("sqrt", root))
        return result

    def _whole_power(self, a: int, exponent: int) -> int:
        result, square = self.const(1.0), a
        while exponent:
            if exponent & 1:
                result = self.mul(result, square)
            exponent >>= 1
            if exponent:
                square = self.mul(square, square)
        return result

    def call(self, function: str, a: int) -> int:
        """Return a function of one argument (one of `FUNCTIONS`)."""
        if function not in FUNCTIONS:
            raise KeyError(function)
        if (folded := self._fold(function, a)) is not None:
            return folded
        if function == "abs" and self.nodes[a].op in {"abs", "neg"}:
            return self.call("abs", self.nodes[a].args[0])
        return self._make(function, (a,))

    def minimum(self, a: int, b: int) -> int:
        """Return the lesser; NaN if either is."""
        return self._extreme("min", a, b)

    def maximum(self, a: int, b: int) -> int:
        """Return the greater; NaN if either is."""
        return self._extreme("max", a, b)

    def _extreme(self, op: str, a: int, b: int) -> int:
        if a == b:
            return a
        folded = self._fold(op, a, b)
        return self._make(op, (min(a, b), max(a, b))) if folded is None else folded

    def extra(self, op: str, args: tuple[int, ...]) -> int:
        """Return the node of an operation that only one writer of code knows."""
        return self._make(op, args)

    # ------------------------------------------------------------------ truth

    def less(self, a: int, b: int) -> int:
        """Return ``a < b``."""
        return self._compare("lt", a, b)

    def less_equal(self, a: int, b: int) -> int:
        """Return ``a <= b``."""
        return self._compare("le", a, b)

    def equal(self, a: int, b: int) -> int:
        """Return ``a == b`` (of numbers)."""
        return self._compare("eq", min(a, b), max(a, b))

    def _compare(self, op: str, a: int, b: int) -> int:
        folded = self._fold(op, a, b)
        return self._make(op, (a, b)) if folded is None else folded

    def both(self, a: int, b: int) -> int:
        """Return ``a and b``."""
        for x, y in ((a, b), (b, a)):
            if self.nodes[x].op == "bool":
                return y if self.nodes[x].value else x
        return a if a == b else self._make("and", (min(a, b), max(a, b)))

    def either(self, a: int, b: int) -> int:
        """Return ``a or b``."""
        for x, y in ((a, b), (b, a)):
            if self.nodes[x].op == "bool":
                return x if self.nodes[x].value else y
        return a if a == b else self._make("or", (min(a, b), max(a, b)))

    def differ(self, a: int, b: int) -> int:
        """Return ``a xor b``."""
        for x, y in ((a, b), (b, a)):
            if self.nodes[x].op == "bool":
                return self.negate(y) if self.nodes[x].value else y
        return self.boolean(False) if a == b else self._make("xor", (min(a, b), max(a, b)))

    def negate(self, a: int) -> int:
        """Return ``not a``."""
        if self.nodes[a].op == "bool":
            return self.boolean(not self.nodes[a].value)
        return self.nodes[a].args[0] if self.nodes[a].op == "not" else self._make("not", (a,))

    def choose(self, condition: int, a: int, b: int) -> int:
        """Return `a` where the condition holds, else `b`."""
        if self.nodes[condition].op == "bool":
            return a if self.nodes[condition].value else b
        return a if a == b else self._make("select", (condition, a, b))

    def as_number(self, a: int) -> int:
        """Return 1 or 0 for a truth, a number as it is."""
        return self.choose(a, self.const(1.0), self.const(0.0)) if self.is_boolean(a) else a

    def as_truth(self, a: int) -> int:
        """Return whether a number is not zero, a truth as it is."""
        return a if self.is_boolean(a) else self.negate(self.equal(a, self.const(0.0)))

    # ------------------------------------------------------------------ derivatives

    def derivative(self, node: int, state: int) -> int:
        """Return the partial derivative with respect to a state.

        Conditions, ``floor`` and ``ceil`` are taken as locally constant; ``abs``, ``min`` and ``max`` have the
        derivative of the side that is taken.

        Parameters
        ----------
        node : int
            A number's node.
        state : int
            Index of the state; -1 for time.
        """
        return self.derivatives([node], state)[0]

    def derivatives(self, roots: Sequence[int], state: int) -> list[int]:
        """Return the partial derivatives of several nodes (see `derivative`)."""
        zero = self.const(0.0)
        for node in self._affected(roots, state):
            key = (node, state)
            if key not in self._derivatives:
                self._derivatives[key] = self._differentiate(node, state)
        return [self._derivatives.get((root, state), zero) for root in roots]

    def _depends(self, node: int, state: int) -> bool:
        return bool(self.reach[node] & TIME) if state < 0 else bool(self.support[node] >> state & 1)

    def _affected(self, roots: Sequence[int], state: int) -> list[int]:
        seen: set[int] = set()
        waiting = [root for root in roots if self._depends(root, state)]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting.extend(arg for arg in self.nodes[node].args if self._depends(arg, state))
        return [node for node in sorted(seen) if not self.is_boolean(node)]

    def _differentiate(self, node: int, state: int) -> int:
        op, args, value = self.nodes[node]
        zero, one = self.const(0.0), self.const(1.0)
        if op in {"state", "time", "day"}:
            return one if op == "time" or (op == "state" and int(value) == state) else zero
        d = [self._derivatives.get((arg, state), zero) for arg in args]
        if op == "add":
            return self.add(d[0], d[1])
        if op == "sub":
            return self.sub(d[0], d[1])
        if op == "neg":
            return self.neg(d[0])
        if op == "mul":
            return self.add(self.mul(d[0], args[1]), self.mul(d[1], args[0]))
        if op == "div":
            return self.div(self.sub(d[0], self.mul(node, d[1])), args[1])
        if op == "pow":
            return self._power_derivative(node, d)
        if op == "select":
            return self.choose(args[0], d[1], d[2])
        if op in {"min", "max"}:
            first = self.less(args[0], args[1]) if op == "min" else self.less(args[1], args[0])
            return self.choose(first, d[0], d[1])
        return self.mul(self._slope(op, args[0], node), d[0])

    def _power_derivative(self, node: int, d: list[int]) -> int:
        base, exponent = self.nodes[node].args
        result = self.const(0.0)
        if self.number(d[0]) != 0:
            lower = self.power(base, self.sub(exponent, self.const(1.0)))
            result = self.mul(self.mul(exponent, lower), d[0])
        if self.number(d[1]) != 0:
            result = self.add(result, self.mul(self.mul(node, self.call("log", base)), d[1]))
        return result

    def _slope(self, op: str, a: int, node: int) -> int:
        one = self.const(1.0)
        square = self.mul(a, a)
        if op in {"floor", "ceil"}:
            return self.const(0.0)
        if op == "exp":
            return node
        if op == "log":
            return self.div(one, a)
        if op == "log10":
            return self.div(self.const(1.0 / np.log(10.0)), a)
        if op == "sqrt":
            return self.div(self.const(0.5), node)
        if op == "abs":
            return self.choose(self.less(a, self.const(0.0)), self.const(-1.0), one)
        if op == "sin":
            return self.call("cos", a)
        if op == "cos":
            return self.neg(self.call("sin", a))
        if op == "tan":
            return self.add(one, self.mul(node, node))
        if op == "asin":
            return self.div(one, self.call("sqrt", self.sub(one, square)))
        if op == "acos":
            return self.div(self.const(-1.0), self.call("sqrt", self.sub(one, square)))
        if op == "atan":
            return self.div(one, self.add(one, square))
        if op == "sinh":
            return self.call("cosh", a)
        if op == "cosh":
            return self.call("sinh", a)
        if op == "tanh":
            return self.sub(one, self.mul(node, node))
        if op == "asinh":
            return self.div(one, self.call("sqrt", self.add(square, one)))
        if op == "acosh":
            return self.div(one, self.call("sqrt", self.sub(square, one)))
        if op == "atanh":
            return self.div(one, self.sub(one, square))
        # the factorial of a state has no closed slope; a step of the stiff method tolerates an inexact one
        return self.const(0.0)


def apply(op: str, args: Sequence[Any]) -> Any:
    """Compute one operation with NumPy, elementwise.

    Parameters
    ----------
    op : str
        Operation of a node that has arguments.
    args : sequence of float, bool or array
        Values of the arguments.
    """
    with np.errstate(all="ignore"):
        if op == "gamma":
            from scipy.special import gamma

            return gamma(args[0])
        return _OPERATIONS[op](*args)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
    "not": np.logical_not,
    "select": np.where,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}
