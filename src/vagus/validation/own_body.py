"""The library's own typical adult at rest: gut, cytokines."""

from __future__ import annotations

import numpy as np

from vagus.model import parameter_table
from vagus.population import GUILDS
from vagus.simulation.ecology import solve_colon
from vagus.validation.registry import measures
from vagus.validation.runs import run_library

ACIDS = ("acetate", "propionate", "butyrate")
OUTPUTS = ("tscfa_mM", "colon_pH", "microbes_g_d", *(f"{acid}_mM" for acid in ACIDS))


@measures(
    "colon SCFA, typical adult",
    "colon pH, typical adult",
    "microbes leaving, typical adult",
    *(f"share of {acid}, typical adult" for acid in ACIDS),
)
def typical_colon() -> dict[str, float]:
    """The solved baseline of the table's typical composition, after 60 days of the differential equations."""
    rows = parameter_table("colon")
    values = dict(zip(rows["parameter"], rows["value"], strict=True))
    biomass = [f"X_{guild}" for guild in GUILDS]
    weights = {name: values[name] for name in (*(f"w_{guild}" for guild in GUILDS), "lacuse_growth")}
    start = run_library(("colon",), [0.0], (*OUTPUTS, *biomass), weights)
    grams = np.array([start[name][0] for name in biomass])
    steady = solve_colon(grams[None, :] / grams.sum(), values)
    own = {name: float(steady.weights[name][0]) for name in weights}
    states = {name: float(value[0]) for name, value in steady.states.items()}
    course = run_library(("colon",), [0.0, 60.0], (*OUTPUTS, *biomass), own, states)
    end = {name: float(course[name][-1]) for name in OUTPUTS}
    return {
        "colon SCFA, typical adult": end["tscfa_mM"],
        "colon pH, typical adult": end["colon_pH"],
        "microbes leaving, typical adult": end["microbes_g_d"],
        **{f"share of {acid}, typical adult": end[f"{acid}_mM"] / end["tscfa_mM"] for acid in ACIDS},
    }


@measures("resting IL-6, typical adult", "resting TNF, typical adult")
def typical_cytokines() -> dict[str, float]:
    """Rest under the typical adult's own flux of LPS."""
    course = run_library(("immune",), [0.0, 60.0], ["il6_pg_ml", "tnf_assay_pg_ml"])
    return {
        "resting IL-6, typical adult": float(course["il6_pg_ml"][-1]),
        "resting TNF, typical adult": float(course["tnf_assay_pg_ml"][-1]),
    }
