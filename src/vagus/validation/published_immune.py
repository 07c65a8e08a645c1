"""Endotoxin in people: Windoloski 2024 in the library's submodel, Somvanshi 2020; inflammation: Reynolds 2006."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vagus import engine, resources
from vagus.model import parameter_table
from vagus.validation.registry import measures
from vagus.validation.runs import Course, run_library, run_published

HOURS = np.arange(0.0, 24.0, 0.01)
CYTOKINES = {"TNF": "tnf_pg_ml", "IL-6": "il6_pg_ml", "IL-8": "il8_pg_ml", "IL-10": "il10_pg_ml"}


def _peaks(course: Course, names: dict[str, str], end: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for label, name in names.items():
        value, hour = course.peak(name)
        found |= {f"{label} peak, {end}": value, f"hour of {label} peak, {end}": hour}
    return found


def _peak_names(labels: dict[str, str], end: str) -> list[str]:
    return [f"{kind}{label} peak, {end}" for label in labels for kind in ("", "hour of ")]


# ---------------------------------------------------------------------- Windoloski 2024 in the submodel immune

#: Hours at which a mean of the 20 people stands beside the model: of the highest mean, and the last.
BOLUS_DATA = {"TNF": (1.5, 6), "IL-6": (2, 6), "IL-8": (2, 6), "IL-10": (3, 6)}


def _windoloski(*sets: str) -> dict[str, float]:
    rows = resources.rows("validation", "windoloski2024.csv")
    return {row["parameter"]: float(row["value"]) for row in rows if row["set"] in sets}


def _alone() -> dict[str, float]:
    """Return what takes the library's additions out of the submodel."""
    return {"lps_flux": 0.0, "vagal_tone": 1.0, "sleep_reaches_il6": 0.0} | {
        "il6_background": _windoloski("both")["il6_background"]
    }


def _immune(
    changes: Mapping[str, float], lps: float, without_lps: Mapping[str, float], inputs: engine.Inputs | None = None
) -> Course:
    """Run the submodel as published; times in hours."""
    both = _windoloski("both")
    start = {
        "mono_rest": both["mono_rest"],
        "mono_active": 0.0,
        "lps_ng_kg": lps,
        "tnf_pg_ml": without_lps["wTNF"],
        "il6_pg_ml": both["il6_background"],
        "il8_pg_ml": without_lps["w8"],
        "il10_pg_ml": without_lps["w10"],
    }
    values = _alone() | dict(changes)
    course = run_library(("immune",), HOURS / 24, list(CYTOKINES.values()), values, start, inputs=inputs, rtol=1e-8)
    return Course(HOURS, course.values)


@measures(
    *_peak_names(CYTOKINES, "bolus"),
    *(f"{label} at {hour} h, bolus" for label, hours in BOLUS_DATA.items() for hour in hours),
)
def bolus() -> dict[str, float]:
    """LPS at once; the parameters fitted to it are the library's own."""
    rows = parameter_table("immune")
    library = dict(zip(rows["parameter"], rows["value"], strict=True))
    course = _immune({}, _windoloski("bolus")["dose"], library)
    data = {
        f"{label} at {hour} h, bolus": course.at(CYTOKINES[label], hour)
        for label, hours in BOLUS_DATA.items()
        for hour in hours
    }
    return _peaks(course, CYTOKINES, "bolus") | data


@measures(*_peak_names(CYTOKINES, "infusion"))
def infusion() -> dict[str, float]:
    """LPS over hours, with the parameters fitted to that."""
    values = _windoloski("infusion")
    rate, duration = values.pop("rate"), values.pop("duration")
    flow = engine.Inputs([0.0, duration / 24], ["lps_flux"], [[[rate], [0.0]]])
    return _peaks(_immune(values, 0.0, values, flow), CYTOKINES, "infusion")


LOW_FLUXES = (0.0, 0.003, 0.01, 0.1)  # ng/kg/h


@measures(*(f"resting IL-6 at LPS flux {flux:g}" for flux in LOW_FLUXES))
def low_flux() -> dict[str, float]:
    """Resting IL-6 under a constant small flux of LPS."""
    found = {}
    for flux in LOW_FLUXES:
        course = run_library(("immune",), [0.0, 200.0], ["il6_pg_ml"], _alone() | {"lps_flux": flux})
        found[f"resting IL-6 at LPS flux {flux:g}"] = float(course["il6_pg_ml"][-1])
    return found


# ---------------------------------------------------------------------- Somvanshi 2020

SOMVANSHI = {"TNF": "TNF", "IL-6": "IL6", "IL-10": "IL10", "cortisol": "CORT", "ACTH": "ACTH"}
SOMVANSHI_DATA = {"TNF": 1.5, "IL-6": 2, "IL-10": 2, "cortisol": 3, "ACTH": 3}
LPS_HOUR = 712.0  # 14:00 after a month


@measures(
    *_peak_names(SOMVANSHI, "LPS 0.4 ng/kg"),
    *(f"{label} at {hour} h, LPS 0.4 ng/kg" for label, hour in SOMVANSHI_DATA.items()),
)
def stress_axis_and_lps() -> dict[str, float]:
    """0.4 ng/kg LPS within 0.1 h at 14:00."""
    lps = {"lps_start": LPS_HOUR, "lps_end": LPS_HOUR + 0.1}
    course = run_published("somvanshi2020", LPS_HOUR + HOURS, list(SOMVANSHI.values()), lps, rtol=1e-8)
    course = Course(HOURS, course.values)
    data = {
        f"{label} at {hour} h, LPS 0.4 ng/kg": course.at(SOMVANSHI[label], hour)
        for label, hour in SOMVANSHI_DATA.items()
    }
    return _peaks(course, SOMVANSHI, "LPS 0.4 ng/kg") | data


RESTING = ("highest cortisol", "lowest cortisol", "mean cortisol", "lowest TNF", "lowest IL-6", "highest IL-6")


@measures(*(f"{name} of a day" for name in RESTING))
def resting_day() -> dict[str, float]:
    """The day before the LPS."""
    times = LPS_HOUR - 24 + HOURS
    course = run_published("somvanshi2020", times, ["CORT", "TNF", "IL6"], rtol=1e-8)
    cortisol, tnf, il6 = (course[name] for name in ("CORT", "TNF", "IL6"))
    values = (cortisol.max(), cortisol.min(), cortisol.mean(), tnf.min(), il6.min(), il6.max())
    return {f"{name} of a day": float(value) for name, value in zip(RESTING, values, strict=True)}


@measures("IL-6, LPS leak x5", "cortisol, LPS leak x5")
def low_grade() -> dict[str, float]:
    """How much five times the resting leak of LPS raises the means of ten days."""
    times = np.arange(1200.0, 1440.0, 0.05)
    one, five = (
        run_published("somvanshi2020", times, ["CORT", "IL6"], {"leak_factor": factor}, rtol=1e-8) for factor in (1, 5)
    )
    return {
        f"{label}, LPS leak x5": float(100 * (five[name].mean() / one[name].mean() - 1))
        for label, name in (("IL-6", "IL6"), ("cortisol", "CORT"))
    }


# ---------------------------------------------------------------------- Reynolds 2006

REYNOLDS = {"phagocyte": "Nstar", "damage": "D", "anti-inflammation": "C_A"}


@measures(*_peak_names(REYNOLDS, "pathogen 1"), "pathogen after 300 h")
def acute_inflammation() -> dict[str, float]:
    """A pathogen load of 1 that the body clears."""
    course = run_published("reynolds2006", np.arange(0.0, 300.05, 0.1), ["P", *REYNOLDS.values()], rtol=1e-8)
    return _peaks(course, REYNOLDS, "pathogen 1") | {"pathogen after 300 h": float(course["P"][-1])}
