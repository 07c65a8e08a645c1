"""Body clocks, sleep and melatonin: published models and the submodel `sleep`, also against the package circadian."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus import engine
from vagus.errors import ModelError
from vagus.model import compose
from vagus.rng import stream
from vagus.validation.registry import measures
from vagus.validation.runs import Course, run_library, run_published

Floats = NDArray[np.float64]

#: Published clock -> class of the package circadian.
CLOCKS = {
    "forger1999": "Forger99",
    "jewett1999": "Jewett99",
    "hannay2019": "Hannay19",
    "hannay2019_two": "Hannay19TP",
}
CIRCADIAN_VERSION = "1.0.3"
LUX = (50, 250, 1000)
DAY_H = 24.0
LIGHT_H = (7.0, 23.0)
#: Days after which the package's melatonin onsets were read, and hours of its steps.
PACKAGE_DAYS, PACKAGE_STEP_H = 30, 0.05
#: The light of the benchmark of Skeldon 2023 in the submodel `sleep`: its edges as sharp as they go, and no alarm.
SKELDON_LIGHT = {
    "circ_tau_h": 24.2,
    "lux_day": 700.0,
    "lux_evening": 40.0,
    "dawn_h": 6.0,
    "dusk_h": 20.0,
    "light_edge_h": 0.02,
    "alarm_h": 12.0,
}


def circadian_model(name: str) -> Any:
    """Return a model of the package circadian.

    Parameters
    ----------
    name : str
        Its class.

    Raises
    ------
    ModelError
        The package is not installed, or in another version.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("circadian")
        from circadian import models
    except (PackageNotFoundError, ImportError):
        raise ModelError("not run: circadian is not installed; it comes with the extra dev") from None
    if found != CIRCADIAN_VERSION:
        raise ModelError(f"not run: circadian must be {CIRCADIAN_VERSION}, got {found}; install the extra dev")
    return getattr(models, name)()


@measures(*(f"melatonin onset, {clock}, {lux} lux" for clock in CLOCKS for lux in LUX))
def melatonin_onsets() -> dict[str, float]:
    """The clocks under light from 7 to 23 h."""
    return {
        f"melatonin onset, {clock}, {lux} lux": float(
            run_published(clock, [DAY_H * PACKAGE_DAYS], ["dlmo"], {"lux": lux})["dlmo"][-1]
        )
        for clock in CLOCKS
        for lux in LUX
    }


@measures(*(f"largest difference from the package, {clock}" for clock in CLOCKS))
def clocks_against_the_package() -> dict[str, float]:
    """All states of the clocks over ten days of light from 7 to 23 h, here and in the package."""
    times = np.arange(0.0, 10 * DAY_H + PACKAGE_STEP_H / 2, PACKAGE_STEP_H)
    # The package holds a step's light constant at its value at the step's end; half a step earlier, edges are exact.
    hour = (times - PACKAGE_STEP_H / 2) % DAY_H
    light = np.where((hour >= LIGHT_H[0]) & (hour < LIGHT_H[1]), 250.0, 0.0)
    found = {}
    for clock, name in CLOCKS.items():
        theirs = circadian_model(name)(times, input=light).states
        states = _states(clock)
        ours = run_published(clock, times, states, {"lux": 250.0})
        worst = max(np.abs(ours[state] - theirs[:, place]).max() for place, state in enumerate(states))
        found[f"largest difference from the package, {clock}"] = float(worst)
    return found


def _states(clock: str) -> tuple[str, ...]:
    """Return the states of a published clock in the order of the package."""
    return {
        "hannay2019": ("R", "psi", "n"),
        "hannay2019_two": ("Rv", "Rd", "psiv", "psid", "n"),
    }.get(clock, ("x", "xc", "n"))


NIGHT = ("duration", "onset", "offset", "melatonin onset")


@measures(
    *(f"{what}, Skeldon 2023" for what in NIGHT),
    *(f"{what}, Skeldon 2023, nights 15 to 30" for what in NIGHT),
    "duration, Skeldon 2023 at 30 years",
)
def skeldon_nights() -> dict[str, float]:
    """Sleep under the benchmark's light: entrained (nights 83 to 90), and in the nights of the printed run.

    The printed run gave 40 lux from 17 h on, on top of the day's light.
    """
    entrained = _night(_skeldon_run(90), slice(-8, None))
    printed = _night(_skeldon_run(30, {"evening_on": 17.0}), slice(14, 30))
    young = _night(_skeldon_run(90, {"mu": 18.67, "ca": 2.72}), slice(-8, None))
    return {
        **{f"{what}, Skeldon 2023": value for what, value in entrained.items()},
        **{f"{what}, Skeldon 2023, nights 15 to 30": value for what, value in printed.items()},
        "duration, Skeldon 2023 at 30 years": young["duration"],
    }


def _skeldon_run(nights: int, changes: dict[str, float] | None = None) -> Course:
    """Return the marks of each night at 14 h, when everybody is awake."""
    afternoons = DAY_H * np.arange(nights) + 14.0
    return run_published("skeldon2023", afternoons, ["onset", "offset", "slept", "dlmo"], changes)


def _night(course: Course, nights: slice) -> dict[str, float]:
    return {
        "duration": float(course["slept"][nights].mean()),
        "onset": float(_from_noon(course["onset"][nights]).mean()),
        "offset": float((course["offset"][nights] % DAY_H).mean()),
        "melatonin onset": float(course["dlmo"][nights].mean()),
    }


def _from_noon(hours: Floats) -> Floats:
    """Return clock hours between -12 and 12, so that hours around midnight can be averaged."""
    return np.asarray((hours + DAY_H / 2) % DAY_H - DAY_H / 2)


@measures(*(f"{what} against the package, Skeldon 2023" for what in NIGHT))
def skeldon_against_the_package() -> dict[str, float]:
    """The third to the tenth night from the package's start, here less in the package, h."""
    step, nights = 0.02, 10
    model = circadian_model("Skeldon23")
    times = np.arange(0.0, DAY_H * nights, step)
    hour = (times - step / 2) % DAY_H
    light = np.select([(hour >= 6.0) & (hour < 20.0), hour >= 20.0], [700.0, 40.0], 0.0)
    trajectory = model(times, input=light)
    # A switch noted at one step was seen at the step before; it lies half a step earlier on average.
    onset, offset = (times[np.flatnonzero(np.diff(model.sleep_state) == way)] - step / 2 for way in (1.0, -1.0))
    minima = model.cbt(trajectory)
    theirs = {
        "duration": float((offset - onset)[2:nights].mean()),
        "onset": float(_from_noon(onset[2:nights]).mean()),
        "offset": float((offset[2:nights] % DAY_H).mean()),
        "melatonin onset": float((minima[2:nights] % DAY_H).mean()) - model.cbt_to_dlmo + DAY_H,
    }
    ours = _night(_skeldon_run(nights), slice(2, None))
    return {f"{what} against the package, Skeldon 2023": ours[what] - theirs[what] for what in NIGHT}


@measures("largest difference of rates from the package, sleep")
def sleep_rates_against_the_package() -> dict[str, float]:
    """Rates of the submodel `sleep` at random states, relative to the package's Skeldon23."""
    model = circadian_model("Skeldon23")
    states = ("circ_x", "circ_xc", "circ_n", "sleep_pressure")
    free = ("circ_tau_h", "lux_day", "lux_evening")
    ours = engine.load(compose(("sleep",)).sbml, free)
    draw = stream(0, "clocks", "rates")
    worst = 0.0
    for _ in range(50):
        state = np.array([*draw.uniform(-1.0, 1.0, 2), draw.uniform(0.0, 1.0), draw.uniform(11.0, 15.0)])
        asleep, lux = float(draw.integers(2)), float(draw.uniform(1.0, 1000.0))
        model.current_sleep_state = asleep
        theirs = model.derv(0.0, state, lux)
        person = np.array([[model.tauc, lux, lux]])
        initial = ours.initial_values(person)
        for name, value in zip((*states, "awake"), (*state, 1.0 - asleep), strict=True):
            initial[0, ours.state_index(name)] = value
        rates = engine.evaluate(ours, person, initial).rates[0]
        found = np.array([rates[ours.state_index(name)] for name in states]) / DAY_H
        worst = max(worst, float(np.max(np.abs(found - theirs) / (np.abs(theirs) + 1e-6))))
    return {"largest difference of rates from the package, sleep": worst}


@measures(*(f"{what}, sleep under the light of Skeldon 2023" for what in NIGHT))
def sleep_under_the_light_of_skeldon() -> dict[str, float]:
    """The submodel `sleep`, entrained."""
    return {
        f"{what}, sleep under the light of Skeldon 2023": value for what, value in _own_night(SKELDON_LIGHT).items()
    }


@measures(
    "sleep duration, typical adult",
    "melatonin onset to sleep, typical adult, young adults 2002",
    "melatonin onset to sleep, typical adult, young adults 2010",
    "sleep latency at 67 years",
)
def typical_sleeper() -> dict[str, float]:
    """The submodel `sleep` with its own light, alarm and central values."""
    night = _own_night({})
    angle = (night["onset"] - night["melatonin onset"]) % DAY_H
    older = run_library(("sleep",), [0.0], ["sleep_latency_min"], {"age_decades": 2.7})
    return {
        "sleep duration, typical adult": night["duration"],
        "melatonin onset to sleep, typical adult, young adults 2002": angle,
        "melatonin onset to sleep, typical adult, young adults 2010": angle,
        "sleep latency at 67 years": float(older["sleep_latency_min"][0]),
    }


def _own_night(changes: dict[str, float]) -> dict[str, float]:
    """Return the last week of 90 nights of the submodel `sleep`."""
    afternoons = np.arange(84, 91) + 14.0 / DAY_H
    course = run_library(("sleep",), afternoons, ["t_onset", "t_wake", "tst_h", "dlmo_h"], changes)
    return {
        "duration": float(course["tst_h"].mean()),
        "onset": float(_from_noon(DAY_H * course["t_onset"]).mean()),
        "offset": float((DAY_H * course["t_wake"] % DAY_H).mean()),
        "melatonin onset": float(course["dlmo_h"].mean()),
    }


@measures(
    "melatonin peak, Brown 1997",
    "time of melatonin peak, Brown 1997",
    "time of 43 pmol/l melatonin, Brown 1997",
    "melatonin at 8 h, Brown 1997",
    "melatonin peak, sleep with the times of Brown 1997",
)
def melatonin() -> dict[str, float]:
    """Plasma melatonin over the published night, in the published model and in the submodel `sleep`."""
    seconds = np.arange(1200 * 60, 1921 * 60) / 60.0
    course = run_published("brown1997", np.concatenate([[0.0], seconds]), ["H2"])
    peak, minute = course.peak("H2")
    crossing = course.times[np.flatnonzero(course["H2"] >= 43.0)[0]]
    return {
        "melatonin peak, Brown 1997": peak,
        "time of melatonin peak, Brown 1997": minute / 60.0 - DAY_H,
        "time of 43 pmol/l melatonin, Brown 1997": float(crossing / 60.0),
        "melatonin at 8 h, Brown 1997": course.at("H2", 1920.0),
        "melatonin peak, sleep with the times of Brown 1997": _own_melatonin_peak((1794.0 - 1316.0) / 1440.0),
    }


def _own_melatonin_peak(synthesis_d: float) -> float:
    """Return the highest melatonin of the submodel `sleep` after so many days of synthesis in the dark."""
    course = run_library(
        ("sleep",),
        [synthesis_d],
        ["melatonin_pmol_l"],
        {"lux_day": 1e-9, "lux_evening": 1e-9, "mel_lag_h": 100.0},
        {"melatonin_on": 1.0, "mel_pineal": 0.05, "melatonin_pmol_l": 1.0, "t_cbtmin": 0.0},
    )
    return float(course["melatonin_pmol_l"][-1])
