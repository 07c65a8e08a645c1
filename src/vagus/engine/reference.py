"""The slow, obviously right way: NumPy evaluates the graph node by node, SciPy integrates one person at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.engine.expression import Graph, apply

Floats = NDArray[np.float64]


def evaluate_nodes(
    graph: Graph, roots: Sequence[int], t: ArrayLike, states: Floats, parameters: Floats
) -> Floats:
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
