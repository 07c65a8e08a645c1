"""Population files: who is asked to take part, and whom the entry criteria let in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus import resources
from vagus.errors import InputError, Problem, nearest

FloatArray = NDArray[np.float64]
FOLDER = ("population", "data", "populations")


@dataclass(frozen=True, eq=False)
class Covariates:
    """Fitted distribution of age, sex and body mass index.

    Attributes
    ----------
    probabilities : numpy.ndarray
        Shape (q,); probabilities of the quantiles, from 0 to 1.
    age_years : numpy.ndarray
        Shape (q,); quantiles of age.
    bmi_kg_m2 : mapping
        ``female`` and ``male`` -> quantiles, shape (q,).
    female : float
        Share of women.
    age_bmi : float
        Correlation of the normal scores of age and body mass index.
    """

    probabilities: FloatArray
    age_years: FloatArray
    bmi_kg_m2: Mapping[str, FloatArray]
    female: float
    age_bmi: float


@dataclass(frozen=True, eq=False)
class Source:
    """One population file.

    Attributes
    ----------
    id, title : str
        Name of the file and a half sentence that says who these people are.
    covariates : Covariates
        Age, sex, body mass index.
    microbiome : str
        Id of the set of baseline microbiomes.
    latent_mean, latent_sd : mapping
        Scale -> mean and SD of the latent trait among candidates, in SD of the item bank's own population.
    entry : mapping
        Scale -> (lowest, highest) screening score; used where the protocol names no criteria.
    screening_days : float
        Days from the screening to the start of the run-in.
    """

    id: str
    title: str
    covariates: Covariates
    microbiome: str
    latent_mean: Mapping[str, float]
    latent_sd: Mapping[str, float]
    entry: Mapping[str, tuple[float, float]]
    screening_days: float


def sources() -> tuple[str, ...]:
    """Return the ids of the shipped populations.

    Examples
    --------
    >>> "healthy-adults" in sources()
    True
    """
    return tuple(resources.names(*FOLDER, suffix=".csv"))


def source(name: str, file: str = "") -> Source:
    """Read a population.

    Parameters
    ----------
    name : str
        Id of the population.
    file : str, optional
        File that named it, for the message.

    Raises
    ------
    InputError
        There is no such population.

    Examples
    --------
    >>> source("adults-mild-anxiety-depression").entry["bdi"]
    (14.0, 28.0)
    """
    if name not in sources():
        message = f'Population must be one that ships with vagus, got "{name}"; {nearest(name, sources())}'
        raise InputError(Problem(file, 0, message))
    return _read(name)


@cache
def _read(name: str) -> Source:
    rows = resources.table(*FOLDER, f"{name}.csv")
    word = {str(row["quantity"]): str(row["value"]) for row in rows.to_dict("records") if not row["group"]}
    latent = _pairs(rows, "latent", "mean", "sd")
    return Source(
        id=name,
        title=word["title"],
        covariates=_covariates(word["covariates"]),
        microbiome=word["microbiome"],
        latent_mean=MappingProxyType({scale: mean for scale, (mean, _) in latent.items()}),
        latent_sd=MappingProxyType({scale: sd for scale, (_, sd) in latent.items()}),
        entry=MappingProxyType(_pairs(rows, "entry", "lowest", "highest")),
        screening_days=float(word["screening"]),
    )


def _pairs(rows: pd.DataFrame, quantity: str, first: str, second: str) -> dict[str, tuple[float, float]]:
    """Return group -> (value of `first`, value of `second`) in the order of the file."""
    found: dict[str, dict[str, float]] = {}
    for row in rows[rows["quantity"] == quantity].to_dict("records"):
        found.setdefault(str(row["group"]), {})[str(row["statistic"])] = float(row["value"])
    return {group: (values[first], values[second]) for group, values in found.items()}


def _covariates(name: str) -> Covariates:
    rows = resources.table("population", "data", "covariates.csv")
    rows = rows[rows["set"] == name]

    def values(quantity: str, group: str) -> FloatArray:
        picked = rows[(rows["quantity"] == quantity) & (rows["group"] == group)]
        return picked["value"].to_numpy(dtype=np.float64)

    labels = rows[rows["quantity"] == "age_years"]["statistic"]
    return Covariates(
        probabilities=np.array([float(str(label)[1:]) / 100 for label in labels]),
        age_years=values("age_years", "all"),
        bmi_kg_m2=MappingProxyType({sex: values("bmi_kg_m2", sex) for sex in ("female", "male")}),
        female=float(values("female", "all")[0]),
        age_bmi=float(values("age_bmi", "all")[0]),
    )
