"""Sleep and circadian phase: the homeostatic-circadian-light model of Skeldon 2023.

Equations: section 6 of the project's model notes; the same equations are in the public repository
github:Arcascope/circadian (MIT). Parameters: rows "link6.Skeldon2023 HCL" and "link6.HCL age" of the parameter table.

Time in hours, light in lux. State y = [x, xc, n, H] and the switch awake/asleep.

Interpretation, where the text is silent or short:

* "700 lux 06-20 + 40 lux 17-24" is read as a sum, 740 lux from 17 to 20. Reading it as 700 lux there moves sleep by
  0.02 h.
* The light of a clock time is zero outside the printed pulses, so someone still awake after midnight sits in the dark.
* The benchmark has no age: mu = 17.78 and ca = 1.72 (the defaults in the table), not the age-30 or age-65 sets.
* kappa = 24/(2 pi) h; it is not in the table.
* C is computed from x and xc with the printed coefficients, 'onset' and 'offset' are the crossings of
  H = 13.5 + ca C (awake) and H = 12.5 + ca C (asleep), and CBTmin is the minimum of x without a reference offset.
  DLMO = CBTmin - 7 h.
* The printed benchmark is an average over nights 15 to 30 of a run from the start values of the public code
  (`DEFAULT_START`, midnight, awake), which has not reached its stable phase by then, read on a 0.1 h grid. The stable
  solution falls asleep 0.19 h earlier. Both are computed here, with the switch located exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]

PARAMETERS = {
    "mu": 17.78,
    "chi_h": 45.0,
    "H0": 13.0,
    "Delta": 1.0,
    "ca": 1.72,
    "tau_c_h": 24.2,
    "f": 0.99669,
    "G": 19.9,
    "p": 0.6,
    "k": 0.55,
    "b": 0.4,
    "gamma": 0.23,
    "alpha_0": 0.16,
    "beta": 0.013,
    "I0": 9500.0,
    "kappa_h": 24.0 / (2.0 * np.pi),
    "c20": 0.7896,
    "alpha21": -0.3912,
    "alpha22": 0.7583,
    "beta21": -0.4442,
    "beta22": 0.0250,
    "beta23": -0.9647,
}
AGE_30 = {"mu": 18.67, "ca": 2.72}
AGE_65 = {"mu": 17.87, "ca": 1.72}

DEFAULT_START = np.array([0.23995682, -1.1547196, 0.50529415, 12.83846474])
CBTMIN_TO_DLMO_H = 7.0
BENCHMARK_LIGHT_CHANGES = (0.0, 6.0, 17.0, 20.0)


def benchmark_light(t_h: float) -> float:
    """700 lux 06-20 plus 40 lux 17-24."""
    clock = t_h % 24.0
    day = 700.0 if 6.0 <= clock < 20.0 else 0.0
    evening = 40.0 if clock >= 17.0 else 0.0
    return day + evening


def circadian_drive(x: float, xc: float, p: dict[str, float]) -> float:
    """Circadian wakefulness drive C."""
    return (
        p["c20"]
        + p["alpha21"] * xc
        + p["alpha22"] * x
        + p["beta21"] * xc**2
        + p["beta22"] * xc * x
        + p["beta23"] * x**2
    )


def threshold(y: Array, p: dict[str, float], awake: bool) -> float:
    """Sleep pressure at which the state switches: upper threshold when awake, lower when asleep."""
    half_gap = 0.5 * p["Delta"] if awake else -0.5 * p["Delta"]
    return p["H0"] + half_gap + p["ca"] * circadian_drive(y[0], y[1], p)


def rates(t_h: float, y: Array, p: dict[str, float], lux: float, awake: bool) -> Array:
    """Right-hand side per hour; light reaches the clock only when awake."""
    x, xc, n, pressure = y
    alpha = p["alpha_0"] * (lux / p["I0"]) ** p["p"] if awake else 0.0
    light_drive = p["G"] * alpha * (1.0 - n) * (1.0 - p["b"] * x) * (1.0 - p["b"] * xc)

    d_x = (xc + light_drive) / p["kappa_h"]
    d_xc = (
        p["gamma"] * (xc - 4.0 / 3.0 * xc**3) - x * ((24.0 / (p["f"] * p["tau_c_h"])) ** 2 + p["k"] * light_drive)
    ) / p["kappa_h"]
    d_n = 60.0 * (alpha * (1.0 - n) - p["beta"] * n)
    d_pressure = (-pressure + (p["mu"] if awake else 0.0)) / p["chi_h"]
    return np.array([d_x, d_xc, d_n, d_pressure])


@dataclass
class Record:
    """Times in hours since the start (start = midnight)."""

    onsets: list[float]
    offsets: list[float]
    cbtmin: list[float]
    y: Array
    awake: bool


def simulate(
    p: dict[str, float],
    light: Callable[[float], float],
    light_changes: Sequence[float],
    days: int,
    y0: Array = DEFAULT_START,
    awake: bool = True,
) -> Record:
    """Run from midnight. The light must be constant between the clock hours in `light_changes`."""
    t, end, y = 0.0, 24.0 * days, y0
    edges = sorted(24.0 * day + hour for day in range(days + 1) for hour in light_changes)
    record = Record([], [], [], y, awake)
    while t < end - 1e-9:
        stop = min([edge for edge in edges if edge > t + 1e-9] + [end])
        lux = light(0.5 * (t + stop))

        def switch(s_h: float, state: Array, awake: bool = awake) -> float:
            return state[3] - threshold(state, p, awake)

        def x_turns(s_h: float, state: Array, lux: float = lux, awake: bool = awake) -> float:
            return rates(s_h, state, p, lux, awake)[0]

        switch.terminal = True  # type: ignore[attr-defined]
        switch.direction = 1 if awake else -1  # type: ignore[attr-defined]
        x_turns.direction = 1  # type: ignore[attr-defined]
        out = solve_ivp(
            lambda s_h, state, lux=lux, awake=awake: rates(s_h, state, p, lux, awake),
            (t, stop),
            y,
            method="LSODA",
            events=[switch, x_turns],
            rtol=1e-7,
            atol=1e-8,
            max_step=1.0,
        )
        t, y = float(out.t[-1]), out.y[:, -1]
        record.cbtmin.extend(out.t_events[1].tolist())
        if out.status == 1:
            (record.onsets if awake else record.offsets).append(t)
            awake = not awake
    record.y, record.awake = y, awake
    return record


def _mean_clock(times_h: Sequence[float]) -> float:
    """Mean clock hour, for times that stay within half a day of each other."""
    angle = np.exp(2j * np.pi * np.asarray(times_h) / 24.0).mean()
    return float(np.angle(angle) * 24.0 / (2.0 * np.pi) % 24.0)


def summary(record: Record, nights: slice) -> dict[str, float]:
    """Sleep hours, onset, offset and DLMO (clock hours) averaged over the chosen nights."""
    onsets = np.array(record.onsets[nights])
    offsets = np.array(record.offsets[nights])
    n = min(len(onsets), len(offsets))
    return {
        "sleep_h": float((offsets[:n] - onsets[:n]).mean()),
        "onset": _mean_clock(onsets),
        "offset": _mean_clock(offsets),
        "dlmo": _mean_clock(np.array(record.cbtmin[nights]) - CBTMIN_TO_DLMO_H),
    }


def benchmark_as_printed() -> dict[str, float]:
    """Nights 15 to 30 of the run from the start values of the public code."""
    return summary(simulate(PARAMETERS, benchmark_light, BENCHMARK_LIGHT_CHANGES, 31), slice(14, 30))


def benchmark_stable(days: int = 90) -> dict[str, float]:
    """The stable phase, last week of a long run."""
    return summary(simulate(PARAMETERS, benchmark_light, BENCHMARK_LIGHT_CHANGES, days), slice(-8, -1))


# --- what the library adds (README and table of the submodel; parameters and inputs by the names of its table) -------


def daylight(hour: float, v: Mapping[str, float]) -> float:
    """How much of the day's light is on. Reading of "dawn and dusk are soft": a logistic edge at each."""

    def edge(since_h: float) -> float:
        return float(1.0 / (1.0 + np.exp(-since_h / v["light_edge_h"])))

    return edge(hour - v["dawn_h"]) * edge(v["dusk_h"] - hour)


def light_lux(hour: float, awake: float, v: Mapping[str, float]) -> float:
    """Day light and evening light; none asleep. The evening light goes on until sleep."""
    on = daylight(hour, v)
    return awake * (v["lux_day"] * on + v["lux_evening"] * (1.0 - on))


def own_awakenings_per_h(v: Mapping[str, float]) -> float:
    return v["awakenings_per_h"] * float(np.exp(v["awakening_per_decade"] * v["age_decades"]))


def awakening_rate(tst_h: float, v: Mapping[str, float]) -> float:
    """Noticed awakenings a night: a rate per hour of sleep, raised by age, IL-6 and low mood."""
    il6 = np.log(v["il6_pg_ml"] / v["il6_0_pg_ml"]) / v["il6_sd_ln"]
    log_factor = v["e_il6_awakening"] * il6 + v["e_affect_awakening"] * v["mood_shift"]
    return own_awakenings_per_h(v) * tst_h * float(np.exp(log_factor))


def awakening_log_rel(tst_h: float, v: Mapping[str, float]) -> float:
    """ln of awakenings a night against those of the person's usual night before the trial."""
    return float(np.log(awakening_rate(tst_h, v) / (own_awakenings_per_h(v) * v["tst0_h"])))


def waso_min(tst_h: float, v: Mapping[str, float]) -> float:
    """Noticed awakenings times their length, and arousals that only a device sees."""
    unnoticed = v["waso_unnoticed_min"] + v["waso_unnoticed_per_decade_min"] * v["age_decades"]
    return awakening_rate(tst_h, v) * v["awakening_min"] + unnoticed


def sleep_latency_min(v: Mapping[str, float]) -> float:
    typical = v["latency_40_min"] + v["latency_per_decade_min"] * v["age_decades"]
    return typical * v["latency_rel"] * float(np.exp(v["e_affect_latency"] * v["mood_shift"]))


def melatonin_rates(hour: float, awake: float, made: bool, y: Array, v: Mapping[str, float]) -> Array:
    """Right-hand side per day of [synthesis, pineal, plasma]; `made`: the clock lets melatonin be made.

    Brown 1997 with an amplitude from serotonin. Light takes its share off the level that synthesis tends to; lux_half
    is the light at which half is left: 1 / (1 + lux / lux_half).
    """
    nat, pineal, plasma = y
    rise, fall, infusion, clearance = (
        1440.0 * np.log(2) / v[f"mel_{name}_min"] for name in ("rise", "fall", "infusion", "clearance")
    )
    left = 1.0 / (1.0 + light_lux(hour, awake, v) / v["mel_lux_half"])
    return np.array(
        [
            rise * (left * v["mel_amax"] * v["melatonin_amp_rel"] - nat) if made else -fall * nat,
            1440.0 * nat - infusion * pineal,
            infusion * pineal - clearance * plasma,
        ]
    )
