"""The infant axis against norms and against the one trial."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vagus import engine
from vagus.model import compose
from vagus.model.infants import infant_library
from vagus.simulation.infants import TRIED_FORMULA, run_infant
from vagus.validation.registry import measures
from vagus.validation.runs import Course

#: Parts that do without the colon; without a product nothing of it reaches them.
WITHOUT_COLON = ("infant_feeding", "adhesion", "infection", "infant_sleep")
YEAR = 365.25


def _by_age(days: Sequence[float], outputs: Sequence[str]) -> Course:
    """Run a breast-fed infant of mean proneness without a product from the first day of life on."""
    values = (("age0_d", 1.0), ("human_milk_share", 1.0), ("ari_own", 1.0), ("wakings_own", 1.0))
    axis = compose(WITHOUT_COLON, library=infant_library(), values=values)
    model = engine.load(axis.sbml, (), tuple(outputs))
    done = engine.simulate(model, [[]], output_times=list(days))
    return Course(np.asarray(days), {name: done.output(name)[0] for name in outputs})


@measures("respiratory infections in the first year", "respiratory infections a month, first two years")
def infections() -> dict[str, float]:
    """Expected episodes of the typical infant."""
    course = _by_age([0.0, YEAR, 2 * YEAR], ["ari_expected"])["ari_expected"]
    return {
        "respiratory infections in the first year": float(course[1]),
        "respiratory infections a month, first two years": float(course[2]) / 24,
    }


@measures("sleep in the first two years", "night wakings at two years")
def sleep() -> dict[str, float]:
    """Sleep and wakings of the typical infant."""
    course = _by_age([float(day) for day in np.linspace(0, 2 * YEAR, 25)], ["infant_sleep_h", "wakings_per_night"])
    return {
        "sleep in the first two years": float(course["infant_sleep_h"].mean()),
        "night wakings at two years": float(course["wakings_per_night"][-1]),
    }


@measures(
    "stool pH, breast-fed today",
    "stool pH, breast-fed and mostly Bifidobacterium",
    "stool pH, formula-fed",
    "Bifidobacterium at five months, breast-fed",
    "Bifidobacterium at five months, formula-fed",
)
def colon() -> dict[str, float]:
    """Colon after four months, from the composition at one month."""
    breast, formula = (run_infant(feeding, weeks=17, age_d=30) for feeding in ("breast", "formula"))
    dominated = run_infant("breast", weeks=2, age_d=30, baseline="bifidobacterium")
    return {
        "stool pH, breast-fed today": float(breast["colon_pH"].mean()),
        "stool pH, breast-fed and mostly Bifidobacterium": float(dominated["colon_pH"].mean()),
        "stool pH, formula-fed": float(formula["colon_pH"].mean()),
        "Bifidobacterium at five months, breast-fed": 100 * float(breast["bif_fraction"].iloc[-1]),
        "Bifidobacterium at five months, formula-fed": 100 * float(formula["bif_fraction"].iloc[-1]),
    }


@measures(
    "lower respiratory infections in the first year, plain formula",
    "lower respiratory infections in the first year, 2'-FL and LNnT",
    "antibiotics by six months, 2'-FL and LNnT",
    "antipyretics by four months, 2'-FL and LNnT",
)
def trial() -> dict[str, float]:
    """Shares of infants (%) with at least one event, fed as in the trial from the second week on."""
    plain, given = (run_infant("formula", content, weeks=50) for content in ({}, TRIED_FORMULA))
    return {
        "lower respiratory infections in the first year, plain formula": 100 * float(plain["lrti_share"].iloc[-1]),
        "lower respiratory infections in the first year, 2'-FL and LNnT": 100 * float(given["lrti_share"].iloc[-1]),
        "antibiotics by six months, 2'-FL and LNnT": 100 * float(given["antibiotic_share"].loc[24]),
        "antipyretics by four months, 2'-FL and LNnT": 100 * float(given["antipyretic_share"].loc[15]),
    }
