"""A model in the form that lanes want: time in two parts, cheap divisions, and the states that never move apart.

Single precision has seven digits. Time on day 80 would be known to half a second only, so a lane holds the whole day
and the time since then, and every expression is rewritten for the two. ``time - floor(time)``, the cosine of whole
turns a day, and the difference of two times need no day at all. A state that events set to the time (a *mark*, such
as the hour of waking) is held relative to the day as well.

A state whose rate is zero moves in events and doses only. It is kept beside the parameters and costs nothing in a
step. An event that sets such states alone, of which no rate knows, is *quiet*: the step goes on over it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vagus.engine.expression import PERSON, STATE, TIME, Graph
from vagus.engine.model import Model
from vagus.engine.reference import level_of

TURN = 2.0 * math.pi


@dataclass(frozen=True)
class LaneModel:
    """A model's expressions for lanes; states are numbered anew.

    Attributes
    ----------
    graph : Graph
        All expressions; ``time`` is the time since the start of ``day``.
    order : array of int, shape (S,)
        The model's place of each state: first those that move, then those that only jump.
    moving : int
        How many of them move.
    marks : array of bool, shape (S,)
        States that are held relative to the day.
    rates : tuple of int
        Rates of the states that move.
    outputs, triggers, switches : tuple of int
    assignments : tuple of tuple of (int, int)
        Of each event: state and node of its new value.
    levels : tuple of int
        Of each trigger: a number that is positive where it holds and negative where not, to find the border by.
    lasting : tuple of bool
        Of each trigger: whether, once true, it stays true until an event changes a state (a clock that has run out).
    quiet : tuple of bool
        Of each event: whether no rate sees what it sets.
    watched : tuple of int
        States that move and that triggers depend on.
    parameters : int
        Number of the person's parameters.
    """

    graph: Graph
    order: NDArray[np.int64]
    moving: int
    marks: NDArray[np.bool_]
    rates: tuple[int, ...]
    outputs: tuple[int, ...]
    triggers: tuple[int, ...]
    switches: tuple[int, ...]
    assignments: tuple[tuple[tuple[int, int], ...], ...]
    levels: tuple[int, ...]
    lasting: tuple[bool, ...]
    quiet: tuple[bool, ...]
    watched: tuple[int, ...]
    parameters: int

    @property
    def still(self) -> int:
        """How many states do not move."""
        return len(self.order) - self.moving


def lane_model(model: Model) -> LaneModel:
    """Rewrite a model for lanes (once a model)."""
    known: LaneModel | None = model.compiled.get("lanes")
    if known is None:
        known = model.compiled["lanes"] = _write(model)
    return known


def _write(model: Model) -> LaneModel:
    graph = model.graph
    still = [place for place, rate in enumerate(model.rates) if graph.number(rate) == 0]
    moving = [place for place in range(len(model.states)) if place not in set(still)]
    order = [*moving, *still]
    marks = _candidates(model, still)
    while True:
        rewriter = _Rewriter(model, {old: new for new, old in enumerate(order)}, marks)
        wrong = {
            place
            for event in model.events
            for place, node in event.assignments
            if place in marks and rewriter.split(node).days != 1.0
        }
        if not wrong:
            break
        marks -= wrong
    new = rewriter.graph
    rates = tuple(rewriter.value(model.rates[place]) for place in moving)
    triggers = tuple(rewriter.value(event.trigger) for event in model.events)
    assignments = tuple(
        tuple(
            (order.index(place), rewriter.split(node).rest if place in marks else rewriter.value(node))
            for place, node in event.assignments
        )
        for event in model.events
    )
    seen = _states_in(new, rates)
    watched = [place for place in _states_in(new, triggers) if place < len(moving)]
    return LaneModel(
        graph=new,
        order=np.array(order, dtype=np.int64),
        moving=len(moving),
        marks=np.array([place in marks for place in order], dtype=bool),
        rates=rates,
        outputs=tuple(rewriter.value(node) for node in model.output_nodes),
        triggers=triggers,
        levels=tuple(level_of(new, node) for node in triggers),
        lasting=tuple(_lasts(new, node, len(moving)) for node in triggers),
        switches=tuple(rewriter.value(node) for node in model.switches),
        assignments=assignments,
        quiet=tuple(all(place >= len(moving) and place not in seen for place, _ in event) for event in assignments),
        watched=tuple(sorted(watched)),
        parameters=len(model.parameters),
    )


def rewrite(model: Model, nodes: Sequence[int]) -> tuple[LaneModel, list[int]]:
    """Rewrite further expressions of a model together with its rates, in a graph of their own.

    Returns
    -------
    LaneModel
        With the new graph and its rates; the nodes of all else are those of `lane_model`.
    list of int
        The expressions in that graph.
    """
    own = lane_model(model)
    places = {int(old): new for new, old in enumerate(own.order)}
    rewriter = _Rewriter(model, places, {int(place) for place in own.order[own.marks]}, nodes)
    rates = tuple(rewriter.value(model.rates[place]) for place in own.order[: own.moving])
    return replace(own, graph=rewriter.graph, rates=rates), [rewriter.value(node) for node in nodes]


def _lasts(graph: Graph, node: int, moving: int) -> bool:
    """Say whether a condition compares a clock, which runs evenly, with what does not move."""
    op, args, _ = graph.nodes[node]
    known = {"add", "sub", "neg", "mul", "div", "const", "param", "state", "time", "day"}
    if op not in {"lt", "le"} or any(graph.nodes[part].op not in known for part in graph.order(args)):
        return False
    if any(place < moving for place in _states_in(graph, args)):
        return False
    slope = graph.number(graph.derivative(graph.sub(args[1], args[0]), -1))
    return slope is not None and slope >= 0


def _states_in(graph: Graph, nodes: Iterable[int]) -> set[int]:
    support = 0
    for node in nodes:
        support |= graph.support[node]
    return {place for place in range(support.bit_length()) if support >> place & 1}


def _candidates(model: Model, still: list[int]) -> set[int]:
    """Return the states that events set and that are set to, subtracted from or compared with the time."""
    graph = model.graph
    targets = [item for event in model.events for item in event.assignments]
    set_to_time = {place for place, node in targets if graph.reach[node] & TIME}
    roots = [*model.rates, *model.output_nodes, *(event.trigger for event in model.events)]
    beside_time = 0
    for node in graph.order(roots):
        if graph.nodes[node].op in {"sub", "lt", "le", "eq"} and graph.reach[node] & TIME:
            beside_time |= graph.support[node]
    return {place for place, _ in targets if place in still and (place in set_to_time or beside_time >> place & 1)}


class _Split(NamedTuple):
    """An expression as ``days * day + rest``, and the same computed in the model's own order."""

    days: float
    rest: int
    plain: int


class _Rewriter:
    """Rewrites expressions, each once."""

    def __init__(self, model: Model, places: dict[int, int], marks: set[int], more: Sequence[int] = ()) -> None:
        self.old = model.graph
        self.graph = Graph()
        g = self.graph
        self._named: dict[str, Callable[..., int]] = dict(
            add=g.add,
            sub=g.sub,
            neg=g.neg,
            min=g.minimum,
            max=g.maximum,
            select=g.choose,
            lt=g.less,
            le=g.less_equal,
            eq=g.equal,
            **{"and": g.both, "or": g.either, "xor": g.differ, "not": g.negate},
        )
        self.places = places
        self.marks = marks
        self.known: dict[int, _Split] = {}
        roots = [
            *(*model.rates, *model.output_nodes, *model.switches),
            *(node for event in model.events for node in (event.trigger, *(value for _, value in event.assignments))),
            *more,
        ]
        nodes = [self.old.nodes[node] for node in self.old.order(roots)]
        self.uses = Counter(arg for node in nodes for arg in node.args)
        self.divisions = Counter(node.args[1] for node in nodes if node.op == "div")

    def value(self, node: int) -> int:
        """Return the node that computes the whole value."""
        return self.split(node).plain

    def split(self, root: int) -> _Split:
        """Return an expression in two parts."""
        for node in self.old.order([root]):
            if node not in self.known:
                self.known[node] = self._rewrite(node)
        return self.known[root]

    # ------------------------------------------------------------------ one node

    def _rewrite(self, node: int) -> _Split:
        op, args, number = self.old.nodes[node]
        g = self.graph
        if op == "time":
            return self._with_day(g.time())
        if op == "state":
            state = g.state(self.places[int(number)])
            return self._with_day(state) if int(number) in self.marks else _Split(0.0, state, state)
        if op in {"const", "bool", "param"}:
            same = (
                g.const(number) if op == "const" else g.param(int(number)) if op == "param" else g.boolean(bool(number))
            )
            return _Split(0.0, same, same)
        parts = [self.known[arg] for arg in args]
        plain = self._apply(node, op, [part.plain for part in parts])
        if not any(part.days for part in parts):
            return _Split(0.0, plain, plain)
        found = self._parted(op, parts)
        if found is None:
            return _Split(0.0, plain, plain)
        days, rest = found
        return _Split(days, rest, plain if days else rest)

    def _with_day(self, rest: int) -> _Split:
        return _Split(1.0, rest, self.graph.add(self.graph.day(), rest))

    def _parted(self, op: str, parts: list[_Split]) -> tuple[float, int] | None:
        """Apply an operation to arguments that count from the day; None where it needs them whole."""
        g = self.graph
        days = [part.days for part in parts]
        rest = [part.rest for part in parts]
        if op == "add":
            return days[0] + days[1], g.add(*rest)
        if op == "sub":
            return days[0] - days[1], g.sub(*rest)
        if op == "neg":
            return -days[0], g.neg(*rest)
        if op == "mul":
            for one, other in ((0, 1), (1, 0)):
                factor = g.number(rest[one])
                if factor is not None and not days[one]:
                    return factor * days[other], g.mul(*rest)
            return None
        if op == "div":
            divisor = g.number(rest[1])
            return None if divisor is None or days[1] else (days[0] / divisor, g.div(*rest))
        if op == "floor" and days[0] == round(days[0]):
            return days[0], g.call("floor", rest[0])
        if op in {"sin", "cos"} and math.isclose(days[0] / TURN, round(days[0] / TURN), rel_tol=1e-12):
            return 0.0, g.call(op, rest[0])
        if op in {"lt", "le", "eq"}:
            left = g.sub(rest[0], g.mul(g.const(days[1] - days[0]), g.day()))
            return 0.0, self._named[op](left, rest[1])
        if op in {"select", "min", "max"} and days[-1] == days[-2]:
            return days[-1], self._named[op](*rest)
        return None

    def _apply(self, node: int, op: str, args: list[int]) -> int:
        g = self.graph
        if op == "div":
            return self._divide(node, *args)
        if op == "mul":
            return self._multiply(node, *args)
        if op == "pow":
            return self._power(*args)
        return self._named[op](*args) if op in self._named else g.call(op, *args)

    def _power(self, base: int, exponent: int) -> int:
        """Powers of one base share its logarithm; what concerns the exponent alone is apart."""
        g = self.graph
        known = g.power(base, exponent)
        if g.nodes[known].op != "pow":
            return known
        logarithm = g.extra("logsize", (g.call("abs", base),))
        size = g.call("exp", g.mul(exponent, logarithm))
        half = g.mul(exponent, g.const(0.5))
        parity = g.choose(g.equal(g.call("floor", half), half), g.const(1.0), g.const(-1.0))
        sign = g.choose(g.equal(g.call("floor", exponent), exponent), parity, g.const(math.nan))
        return g.extra("pow", (base, exponent, size, sign))

    def _multiply(self, node: int, a: int, b: int) -> int:
        """Join factors of the person alone: they are computed once a person."""
        g = self.graph
        for fixed, other, whose in ((a, b, 1), (b, a, 0)):
            item = g.nodes[other]
            if g.reach[fixed] & ~PERSON or item.op != "mul" or self.uses[self.old.nodes[node].args[whose]] > 1:
                continue
            for inner, left in (item.args, item.args[::-1]):
                if not g.reach[inner] & ~PERSON and g.reach[left] & STATE:
                    return g.mul(g.mul(fixed, inner), left)
        return g.mul(a, b)

    def _divide(self, node: int, a: int, b: int) -> int:
        """Share reciprocals; where time alone is divided, the exact quotient stays (its jumps have exact times)."""
        g, old = self.graph, self.old
        if not (g.reach[a] | g.reach[b]) & STATE:
            return g.div(a, b)
        one = g.const(1.0)
        top, bottom = old.nodes[node].args
        if not g.reach[b] & ~PERSON or self.divisions[bottom] > 1:
            return self._multiply(node, a, g.div(one, b)) if not g.reach[b] & ~PERSON else g.mul(a, g.div(one, b))
        if g.nodes[a].op == "div" and self.uses[top] == 1:
            above, below = g.nodes[a].args
            return g.div(above, g.mul(below, b))
        return g.div(a, b)
