"""Cortisol: the submodel `hpa` against awakening curves and its own earlier runs, and published models of the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from vagus import engine
from vagus.validation.registry import measures
from vagus.validation.runs import Course, run_library, run_published

Floats = NDArray[np.float64]

WAKE_D = 7.0 / 24.0
#: Mean minutes after waking at which the five samples of the mornings were taken.
SAMPLES_MIN = (0.0, 15.67, 30.99, 46.22, 61.44)
NOMINAL_MIN = (0, 15, 30, 45, 60)
SETTLED_D = 5
MEANS = ("x1_crh", "x2_acth", "x3_cort")


def hpa_course(
    times: Sequence[float] | Floats,
    outputs: Sequence[str],
    days: int,
    changes: Mapping[str, float] | None = None,
    stress: Mapping[int, float] | None = None,
) -> Course:
    """Run the submodel `hpa` in somebody who wakes at 7 h every day, with the body clock of the fit.

    Parameters
    ----------
    times : array
        Days.
    outputs : sequence of str
    days : int
        How many mornings.
    changes : mapping of str to float, optional
        Constants that take another value.
    stress : mapping of int to float, optional
        Day -> chronic stress in SD from that morning on.
    """
    wakes = [day + WAKE_D for day in range(days)]
    stressed = 0.0
    values = []
    for day, wake in enumerate(wakes):
        stressed = (stress or {}).get(day, stressed)
        values.append([wake, stressed])
    given = {"t_wake": -99.0, "stress": 0.0, "cbtmin_h": 3.2, **(changes or {})}
    inputs = engine.Inputs(wakes, ["t_wake", "stress"], [values])
    return run_library(("hpa",), times, outputs, given, inputs=inputs)


def _settled_day(changes: Mapping[str, float] | None = None) -> Course:
    """Return the day after five days with the glands held, every minute from waking on."""
    minutes = SETTLED_D + WAKE_D + np.arange(1441) / 1440.0
    return hpa_course(minutes, (*MEANS, "cortisol_nmol_l"), SETTLED_D + 2, {"glands_move": 0.0, **(changes or {})})


def _means(day: Course) -> dict[str, float]:
    hours = 24.0 * (day.times - day.times[0])
    return {name: float(np.trapezoid(day[name], hours) / 24.0) for name in MEANS}


@measures(
    *(
        f"cortisol {minute} min after waking, {what}"
        for what in ("printed run", "exact run", "data")
        for minute in NOMINAL_MIN
    ),
    "time of the awakening peak, printed run",
    "rise of cortisol by 30 min, other adults",
    "daily mean of CRH",
    "daily mean of ACTH",
    "daily mean of cortisol",
    "mean cortisol with 18 % more IL-6",
)
def awakening_response() -> dict[str, float]:
    """Cortisol after waking, and the daily means that are the set points of the glands."""
    day = _settled_day()
    minutes = 1440.0 * (day.times - day.times[0])
    cortisol = day["cortisol_nmol_l"]
    samples = np.interp(SAMPLES_MIN, minutes, cortisol)
    means = _means(day)
    inflamed = _means(_settled_day({"il6_pg_ml": 1.18 * 1.47}))
    return {
        **{
            f"cortisol {minute} min after waking, {what}": float(value)
            for what in ("printed run", "exact run", "data")
            for minute, value in zip(NOMINAL_MIN, samples, strict=True)
        },
        "time of the awakening peak, printed run": float(minutes[cortisol[:121].argmax()]),
        "rise of cortisol by 30 min, other adults": 100.0
        * (float(np.interp(30.0, minutes, cortisol)) / samples[0] - 1.0),
        "daily mean of CRH": means["x1_crh"],
        "daily mean of ACTH": means["x2_acth"],
        "daily mean of cortisol": means["x3_cort"],
        "mean cortisol with 18 % more IL-6": 100.0 * (inflamed["x3_cort"] / means["x3_cort"] - 1.0),
    }


@measures(
    "pituitary over 600 days, personal set points",
    "adrenal over 600 days, personal set points",
    "pituitary after 600 days, published set points",
    "adrenal after 600 days, published set points",
)
def glands() -> dict[str, float]:
    """Gland masses without any stress: how far from 1 they go, and where the published set points of 1 lead."""
    means = _means(_settled_day())
    days = np.arange(601.0)
    personal = {"x1_bar": means["x1_crh"], "x2_bar": means["x2_acth"]}
    own = hpa_course(days, ("gland_p", "gland_a"), 601, personal)
    drift = hpa_course(days, ("gland_p", "gland_a"), 601, {"x1_bar": 1.0, "x2_bar": 1.0})
    return {
        "pituitary over 600 days, personal set points": _farthest_from_one(own["gland_p"]),
        "adrenal over 600 days, personal set points": _farthest_from_one(own["gland_a"]),
        "pituitary after 600 days, published set points": float(drift["gland_p"][-1]),
        "adrenal after 600 days, published set points": float(drift["gland_a"][-1]),
    }


def _farthest_from_one(values: Floats) -> float:
    return float(values[np.abs(values - 1.0).argmax()])


@measures(
    "pituitary after 6 weeks of stress",
    "adrenal after 6 weeks of stress",
    "adrenal 4 weeks after the stress",
)
def chronic_stress() -> dict[str, float]:
    """Six weeks of 30 % more drive."""
    means = _means(_settled_day())
    personal = {"x1_bar": means["x1_crh"], "x2_bar": means["x2_acth"], "e_stress_hpa": 0.3}
    first, last, later = 14, 56, 84
    times = [day + WAKE_D for day in (first, last, later)]
    course = hpa_course(times, ("gland_p", "gland_a"), later + 1, personal, {first: 1.0, last: 0.0})
    return {
        "pituitary after 6 weeks of stress": 100.0 * float(course["gland_p"][1] - 1.0),
        "adrenal after 6 weeks of stress": 100.0 * float(course["gland_a"][1] - 1.0),
        "adrenal 4 weeks after the stress": 100.0 * float(course["gland_a"][2] - 1.0),
    }


@measures(
    "CRH after a year of stress, Karin 2020",
    "ACTH after a year of stress, Karin 2020",
    "cortisol after a year of stress, Karin 2020",
)
def glands_adapt() -> dict[str, float]:
    """Steady input 30 % above 1: the glands bring CRH and ACTH back, cortisol stays at the root of x/(MR GR) = u."""
    drive = 1.3
    end = run_published("karin2020", [730.0], ["x1", "x2", "x3"], {"stress": drive - 1.0, "stress_days": 1e6})
    root = brentq(lambda x: x * (1.0 + (x / 4.0) ** 3) - drive, 0.5, 2.0)
    return {
        "CRH after a year of stress, Karin 2020": float(end["x1"][-1]),
        "ACTH after a year of stress, Karin 2020": float(end["x2"][-1]),
        "cortisol after a year of stress, Karin 2020": float(end["x3"][-1]) / root,
    }


@measures(
    "cortisol maximum, subject f",
    "time of cortisol maximum, subject f",
    "cortisol minimum, subject f",
    "time of cortisol minimum, subject f",
    "mean cortisol, subject f",
    "ACTH maximum, subject f",
    "time of ACTH maximum, subject f",
    "measured cortisol maximum, subject f",
    "measured mean cortisol, subject f",
    "measured mean ACTH, subject f",
)
def subject_f() -> dict[str, float]:
    """The sixth day of the published start; the days before and after differ, and settle after some weeks."""
    minutes = np.arange(1440.0)
    course = run_published("bangsgaard2017", 5 * 1440.0 + minutes, ["F", "ACTH"])
    cortisol, acth = course["F"], course["ACTH"]
    return {
        "cortisol maximum, subject f": float(cortisol.max()),
        "time of cortisol maximum, subject f": float(minutes[cortisol.argmax()]) / 60.0,
        "cortisol minimum, subject f": float(cortisol.min()),
        "time of cortisol minimum, subject f": float(minutes[cortisol.argmin()]) / 60.0,
        "mean cortisol, subject f": float(cortisol.mean()),
        "ACTH maximum, subject f": float(acth.max()),
        "time of ACTH maximum, subject f": float(minutes[acth.argmax()]) / 60.0,
        "measured cortisol maximum, subject f": float(cortisol.max()),
        "measured mean cortisol, subject f": float(cortisol.mean()),
        "measured mean ACTH, subject f": float(acth.mean()),
    }
