"""Draw the model parameters that differ between people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.errors import InputError, Problem
from vagus.model.distributions import read_distribution
from vagus.rng import streams

FloatArray = NDArray[np.float64]


def draw_parameters(people_parameters: pd.DataFrame, people: Sequence[str], seed: int) -> pd.DataFrame:
    """Draw every parameter of every person by the inverse of its distribution function.

    One uniform number stands behind one parameter of one person, so a changed median or a new parameter leaves every
    other draw as it was.

    Parameters
    ----------
    people_parameters : pandas.DataFrame
        Columns ``parameter, value, distribution, spread``; where ``varies_between`` is given only its rows ``people``
        are drawn. `value` is the mean (normal, truncnormal) or the median (lognormal, trunclognormal); `spread` is
        the SD (of ln for the lognormals), ``a|b`` (beta), ``lo|hi`` (uniform) or ``sd|lo|hi`` (truncated). Rows
        ``derived`` are left out: they follow from the person's own baseline.
    people : sequence of str
        Length n; names of the random streams.
    seed : int
        Seed of the run.

    Returns
    -------
    pandas.DataFrame
        Shape (n, parameters), index `people`.

    Raises
    ------
    InputError
        A row that is not in this grammar; all of them at once.

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     {"parameter": ["transit_d"], "value": ["1.25"], "distribution": ["trunclognormal"], "spread": ["0.4|0.4|4"]}
    ... )
    >>> draw_parameters(rows, ["C1", "C2"], seed=1)["transit_d"].between(0.4, 4).all()
    np.True_
    """
    problems: list[Problem] = []
    columns: dict[str, FloatArray] = {}
    for row in people_parameters.to_dict("records"):
        if row.get("varies_between", "people") != "people" or row["distribution"] == "derived":
            continue
        name = str(row["parameter"])
        if name in columns:
            problems.append(Problem("", 0, f'A parameter must have one row, got two of "{name}"; remove one.'))
            continue
        try:
            quantile, value, spread = read_distribution(row)
        except InputError as error:
            problems.extend(error.problems)
            continue
        u = np.array([rng.random() for rng in streams(seed, "population", "parameter", name, last=people)])
        # The lowest double would be sent to minus infinity.
        columns[name] = quantile(np.clip(u, 1e-12, 1 - 1e-12), value, spread)
    if problems:
        raise InputError(problems)
    return pd.DataFrame(columns, index=pd.Index(people, name="subject_id"), dtype=np.float64)
