"""The slow, obviously right way: NumPy evaluates the graph node by node, SciPy integrates one person at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.engine.expression import Graph, apply
from vagus.engine.model import Model
from vagus.engine.solution import Doses, Inputs, Solution, read_doses, read_inputs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def evaluate_nodes(graph: Graph, roots: Sequence[int], t: ArrayLike, states: Floats, parameters: Floats) -> Floats:
    """Evaluate expressions for many people at once.

    Parameters
    ----------
    graph : Graph
        The expressions.
    roots : sequence of int
        Nodes wanted.
    t : float or array, shape (n,)
        Time.
    states : array, shape (n, S)
    parameters : array, shape (n, P)

    Returns
    -------
    array, shape (n, number of roots)
        Truths as 0 and 1.
    """
    n = len(states)
    values: dict[int, NDArray[np.generic]] = {}
    time = np.broadcast_to(np.asarray(t, dtype=np.float64), (n,))
    for node in graph.order(roots):
        op, args, value = graph.nodes[node]
        if op == "const":
            values[node] = np.full(n, value)
        elif op == "bool":
            values[node] = np.full(n, bool(value))
        elif op == "param":
            values[node] = parameters[:, int(value)]
        elif op == "state":
            values[node] = states[:, int(value)]
        elif op == "time":
            values[node] = time
        else:
            values[node] = np.asarray(apply(op, [values[arg] for arg in args]))
    result = np.empty((n, len(roots)))
    for column, root in enumerate(roots):
        result[:, column] = values[root]
    return result


@dataclass(frozen=True)
class Evaluation:
    """Rates and outputs of many people at one moment.

    Attributes
    ----------
    rates : array, shape (n, S)
    outputs : array, shape (n, number of outputs)
    """

    rates: Floats
    outputs: Floats


def evaluate(model: Model, parameters: ArrayLike, states: ArrayLike, t: ArrayLike = 0.0) -> Evaluation:
    """Compute rates and outputs for many people at once, by NumPy.

    Parameters
    ----------
    model : Model
        From `load`.
    parameters : array, shape (n, P)
    states : array, shape (n, S)
    t : float or array, shape (n,)
        Time.
    """
    p, y = np.asarray(parameters, dtype=np.float64), np.asarray(states, dtype=np.float64)
    both = evaluate_nodes(model.graph, (*model.rates, *model.output_nodes), t, y, p)
    return Evaluation(both[:, : len(model.states)], both[:, len(model.states) :])


def simulate_reference(
    model: Model,
    parameters: ArrayLike,
    initial: ArrayLike | None = None,
    t_start: float = 0.0,
    output_times: ArrayLike = (),
    doses: Doses | None = None,
    inputs: Inputs | None = None,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    solver: str = "LSODA",
    max_step: float = np.inf,
) -> Solution:
    """Integrate with SciPy over the NumPy evaluation: slow, and sharing nothing with the kernel but the graph.

    Arguments and result are those of `vagus.engine.simulate`; `solver` is a SciPy method (``LSODA``, ``Radau``,
    ``BDF``, ``DOP853``). Events are located by root finding on the comparisons of their condition. An error of
    evaluation ends the person with a sentence, as in the fast engine.
    """
    p = np.array(parameters, dtype=np.float64)
    times = np.asarray(output_times, dtype=np.float64)
    y0 = model.initial_values(p) if initial is None else np.array(initial, dtype=np.float64)
    dose_table, input_table = read_doses(model, doses, len(p)), read_inputs(model, inputs, len(p))
    values = np.full((len(p), len(times), len(model.outputs)), np.nan)
    final = np.full(y0.shape, np.nan)
    messages = []
    steps = np.zeros(len(p), dtype=np.int64)
    for person in range(len(p)):
        path = _Path(model, p[person], y0[person], t_start, times, solver, (rtol, atol, max_step))
        first, last = dose_table.dose_offsets[person : person + 2]
        dosing = [
            (float(dose_table.dose_times[d]), int(dose_table.dose_states[d]), float(dose_table.dose_amounts[d]))
            for d in range(first, last)
            if t_start <= dose_table.dose_times[d] < times[-1]
        ]
        messages.append(
            path.run(dosing, input_table.input_starts, input_table.input_places, input_table.input_values[person])
        )
        values[person], final[person], steps[person] = path.values, path.y, path.steps
    status = np.array([message != "ok" for message in messages], dtype=np.int64)
    final[status != 0] = np.nan
    method = (solver,) * len(p)
    return Solution(model.outputs, times, values, final, status, tuple(messages), steps, method)


class _Path:
    """One person's way through the model."""

    def __init__(
        self,
        model: Model,
        p: Floats,
        y: Floats,
        t: float,
        times: Floats,
        solver: str,
        tolerances: tuple[float, float, float],
    ) -> None:
        self.model, self.p, self.y, self.t, self.times = model, p.copy(), y.copy(), t, times
        self.solver, self.tolerances = solver, tolerances
        self.values = np.full((len(times), len(model.outputs)), np.nan)
        self.done = 0
        self.steps = 0
        self.levels = tuple(level_of(model.graph, event.trigger) for event in model.events)
        self.triggers = tuple(event.trigger for event in model.events)

    def _at(self, nodes: Sequence[int], t: float, y: Floats) -> Floats:
        row: Floats = evaluate_nodes(self.model.graph, nodes, t, y[None, :], self.p[None, :])[0]
        return row

    def _rates(self, t: float, y: Floats) -> Floats:
        return self._at(self.model.rates, t, y)

    def run(self, dosing: list[tuple[float, int, float]], starts: Floats, places: Integers, values: Floats) -> str:
        borders = {float(start) for start in starts if start > self.t}
        stops = sorted({time for time, _, _ in dosing} | borders | {float(self.times[-1])})
        self._take_inputs(starts, places, values)
        if not (np.isfinite(self.p).all() and np.isfinite(self.y).all()):
            return "a parameter or an initial value was not a finite number"
        self.truth = np.array([event.initial_value for event in self.model.events], dtype=bool)
        self.truth &= self._at(self.triggers, self.t, self.y) != 0
        self._fire()
        self._write_until(self.t, lambda _: self.y)
        for stop in stops:
            if stop > self.times[-1]:
                break
            if stop > self.t:
                message = self._go(stop)
                if message != "ok":
                    return message
            for time, place, amount in dosing:
                if time == self.t:
                    self.y[place] += amount
            self._take_inputs(starts, places, values)
            self._fire()
        return "ok"

    def _take_inputs(self, starts: Floats, places: Integers, values: Floats) -> None:
        interval = int(np.searchsorted(starts, self.t, side="right")) - 1
        if interval >= 0:
            self.p[places] = values[interval]

    def _write_until(self, t: float, states: Callable[[float], Floats]) -> None:
        while self.done < len(self.times) and self.times[self.done] <= t:
            time = float(self.times[self.done])
            self.values[self.done] = self._at(self.model.output_nodes, time, states(time))
            self.done += 1

    def _go(self, stop: float) -> str:
        from scipy import integrate

        rtol, atol, max_step = self.tolerances
        method = getattr(integrate, self.solver)
        while self.t < stop:
            solver = method(self._rates, self.t, self.y, stop, rtol=rtol, atol=atol, max_step=max_step)
            while solver.status == "running":
                problem = solver.step()
                self.steps += 1
                if solver.status == "failed" or not np.isfinite(solver.y).all():
                    return f"the reference solver failed near time {solver.t:.6g}: {problem}"
                dense = solver.dense_output()
                truth = self._at(self.triggers, solver.t, solver.y) != 0
                risen = truth & ~self.truth
                if risen.any():
                    t_event = min(self._root(int(k), dense, solver.t_old, solver.t) for k in np.flatnonzero(risen))
                    self._write_until(t_event, dense)
                    self.t, self.y = t_event, np.array(dense(t_event), dtype=np.float64)
                    self._fire()
                    break
                self.truth = truth
                self._write_until(solver.t, dense)
            else:
                self.t, self.y = float(solver.t), np.array(solver.y, dtype=np.float64)
        return "ok"

    def _root(self, k: int, dense: Callable[[float], Floats], lower: float, upper: float) -> float:
        from scipy.optimize import brentq

        def level(t: float) -> float:
            return float(self._at(self.levels[k : k + 1], t, dense(t))[0])

        def holds(t: float) -> bool:
            return bool(self._at(self.triggers[k : k + 1], t, dense(t))[0])

        root = upper
        if level(lower) < 0 < level(upper):
            root = float(brentq(level, lower, upper, xtol=1e-14, rtol=1e-14))
        while root < upper and not holds(root):  # the condition itself must hold, not only nearly
            root = min(upper, float(np.nextafter(root, upper)) + 1e-15 * abs(root))
        return root

    def _fire(self) -> None:
        model = self.model
        for _ in range(1000):
            now = self._at(self.triggers, self.t, self.y) != 0
            fired = np.flatnonzero(now & ~self.truth)
            self.truth = now
            if not len(fired):
                return
            before = self.y.copy()
            for k in fired:
                event = model.events[k]
                if not event.persistent and not self._at((event.trigger,), self.t, self.y)[0]:
                    self.truth[k] = False
                    continue
                source = before if event.values_at_trigger else self.y
                values = self._at([node for _, node in event.assignments], self.t, source)
                for (place, _), value in zip(event.assignments, values, strict=True):
                    self.y[place] = value


def level_of(graph: Graph, node: int) -> int:
    """Return a number that is positive where a condition holds and negative where it does not."""
    op, args, _ = graph.nodes[node]
    if op in {"lt", "le"}:
        return graph.sub(args[1], args[0])
    if op in {"and", "or"}:
        join = graph.minimum if op == "and" else graph.maximum
        return join(level_of(graph, args[0]), level_of(graph, args[1]))
    if op == "not":
        return graph.neg(level_of(graph, args[0]))
    return graph.sub(graph.as_number(node), graph.const(0.5))
