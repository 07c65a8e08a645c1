"""diffrax: Tsit5 for a batch of people at once, compiled by XLA from our expression graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from workloads import DOSED, Workload

from peers import ABSOLUTE, MOST_STEPS, Failed, Floats, Unfit
from vagus.engine.expression import Graph
from vagus.engine.kernel import hoisted

FIRST_STEP = 2e-3
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "div": jnp.divide,
    "neg": jnp.negative,
    "pow": jnp.power,
    "min": jnp.minimum,
    "max": jnp.maximum,
    "select": jnp.where,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "eq": jnp.equal,
    "and": jnp.logical_and,
    "or": jnp.logical_or,
    "xor": jnp.logical_xor,
    "not": jnp.logical_not,
    **{name: getattr(jnp, name) for name in ("exp", "log", "log10", "sqrt", "abs", "floor", "ceil")},
    **{name: getattr(jnp, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(jnp, f"arc{name[1:]}") for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "gamma": jax.scipy.special.gamma,
}


def evaluate(graph: Graph, roots: Sequence[int], p: Any, prepared: dict[int, Any], t: Any = None, y: Any = None) -> Any:
    """Return expressions of one person, stacked.

    Parameters
    ----------
    graph : Graph
    roots : sequence of int
    p : array, shape (P,)
    prepared : dict of int to value
        Nodes that are computed already.
    t : value
    y : array, shape (S,)
    """
    values = dict(prepared)
    waiting, needed = list(roots), set(prepared)
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting.extend(graph.nodes[node].args)
    for node in sorted(needed - set(prepared)):
        op, args, number = graph.nodes[node]
        if op == "const":
            values[node] = jnp.asarray(number, p.dtype)
        elif op == "bool":
            values[node] = jnp.asarray(bool(number))
        elif op in {"param", "state"}:
            values[node] = (p if op == "param" else y)[int(number)]
        else:
            values[node] = t if op == "time" else OPERATIONS[op](*(values[arg] for arg in args))
    return jnp.stack([values[root] for root in roots])


class Diffrax:
    """A day of the whole batch is one compiled call; each person has steps of its own."""

    def __init__(self, load: Workload, people: int, single: bool) -> None:
        if load.model.events:
            raise Unfit("It finds no events, which this model has.")
        jax.config.update("jax_enable_x64", not single)
        self.version, self.detail = f"{version('diffrax')}, jax {jax.__version__}", f"batch of {people}"
        self.load = load
        self.dtype = jnp.float32 if single else jnp.float64
        begin = time.perf_counter()
        self.model = load.read().model
        self.dose = self.model.parameter_index("dose")
        batch = jax.jit(jax.vmap(self._day, in_axes=(0, 0, 0, None)))
        self.day = batch.lower(*self._start(people), jnp.asarray(1e-5, self.dtype)).compile()
        self.compile_s = time.perf_counter() - begin

    def _start(self, people: int) -> tuple[Any, Any, Any]:
        p, y = (jnp.asarray(rows[:people], self.dtype) for rows in (self.load.parameters, self.load.initial))
        return p, y, jnp.asarray(self.load.parameters[:people, self.dose], self.dtype)

    def _day(self, p: Any, y: Any, dose: Any, rtol: Any) -> tuple[Any, Any, Any]:
        """Integrate one person for a day; the rates know the hour alone, so that time begins anew each day."""
        model = self.model
        roots = [*model.rates, *model.output_nodes]
        nodes = hoisted(model.graph, roots)
        prepared = dict(zip(nodes, evaluate(model.graph, nodes, p, {}), strict=True))

        def rates(t: Any, state: Any, _: Any) -> Any:
            return evaluate(model.graph, model.rates, p, prepared, t, state)

        hours = jnp.asarray([0.0, 1.0], self.dtype)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(rates),
            diffrax.Tsit5(),
            t0=hours[0],
            t1=hours[1],
            dt0=jnp.asarray(FIRST_STEP, self.dtype),
            y0=y.at[model.state_index(DOSED)].add(dose),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=ABSOLUTE * rtol),
            saveat=diffrax.SaveAt(t1=True),
            max_steps=MOST_STEPS,
            throw=False,
        )
        state = found.ys[0]
        outputs = evaluate(model.graph, model.output_nodes, p, prepared, hours[1], state)
        return state, outputs, found.result == diffrax.RESULTS.successful

    def run(self, people: int, days: int, rtol: float) -> Floats:
        """See `peers.Peer`; the batch is always the same people."""
        p, y, dose = self._start(people)
        found = []
        for _ in range(days):
            y, outputs, fine = self.day(p, y, dose, jnp.asarray(rtol, self.dtype))
            found.append((outputs, fine))
        outputs, fine = (np.stack([np.asarray(pair[k]) for pair in found], axis=1) for k in (0, 1))
        if not fine.all():
            raise Failed("A step of somebody became too small.")
        return outputs.astype(np.float64)
