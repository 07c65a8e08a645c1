"""HPA axis: gland model with a circadian drive and a direct adrenal awakening drive.

Equations: Karin 2020 (doi:10.15252/msb.20209510) and Milo 2025 (doi:10.1038/s44320-024-00083-0) as printed in section 5
of the project's model notes, with the awakening term added there and with personal set points of the glands.
Parameters: rows "link5.Karin2020/Milo2025" and "proposed.HPA fit to CARWatch" of the project's parameter table.

Time in hours; x1 (CRH), x2 (ACTH), x3 (cortisol), P (pituitary) and A (adrenal) in units of their baseline.

    dx1 = g1 (u/x3 GR(x3) - x1)          u  = exp(a1 cos(2 pi (t - t1)/24) + a2 cos(4 pi (t - t2)/24))
    dx2 = g2 (x1 P GR(x3) - x2)          GR = 1/((x/4)^3 + 1)
    dx3 = g3 ((x2 + Aw exp(-s/tau)) A - x3),   s = hours since the last awakening
    dP  = gP P (x1/x1bar - 1)
    dA  = gA A (x2/x2bar - 1)

The awakening drive jumps at the moment of waking. The runs here start a new integration at every awakening, so the
jump is exact. The cortisol values printed in the notes belong to a fixed-step fourth-order Runge-Kutta run of 0.04 h on
a grid that contains the hour of waking: the last stage of the step that ends at waking already sees the full pulse,
which puts g3 Aw A dt/6 = 0.038 units (0.15 nmol/l) of cortisol into the sample taken at waking: `car_on_grid`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp, trapezoid

Array = NDArray[np.float64]

PARAMETERS = {
    "half_life_x1_h": 4.0 / 60.0,
    "half_life_x2_h": 20.0 / 60.0,
    "half_life_x3_h": 51.46 / 60.0,
    "half_life_P_h": 20.0 * 24.0,
    "half_life_A_h": 30.0 * 24.0,
    "K_GR": 4.0,
    "n_GR": 3.0,
    "a1": 1.676,
    "acrophase1_h": 10.07,
    "a2": 0.5624,
    "acrophase2_h": 6.967,
    "Aw": 7.116,
    "tau_w_h": 0.4105,
    "scale_nmol_per_l": 3.869,
}

WAKE_H = 7.0
SAMPLES_MIN = np.array([0.0, 15.67, 30.99, 46.22, 61.44])
NO_SET_POINTS = (1.0, 1.0)


def drive(t_h: float, p: dict[str, float]) -> float:
    """Circadian drive u of CRH."""
    return float(
        np.exp(
            p["a1"] * np.cos(2 * np.pi * (t_h - p["acrophase1_h"]) / 24)
            + p["a2"] * np.cos(4 * np.pi * (t_h - p["acrophase2_h"]) / 24)
        )
    )


def glucocorticoid_receptor(x: float, p: dict[str, float]) -> float:
    return 1.0 / ((x / p["K_GR"]) ** p["n_GR"] + 1.0)


def rates(
    t_h: float,
    y: Array,
    p: dict[str, float],
    wake_h: float,
    drive_factor: float = 1.0,
    set_points: tuple[float, float] | None = None,
) -> Array:
    """Right-hand side per hour; without `set_points` the glands stand still."""
    x1, x2, x3, pituitary, adrenal = y
    since_waking = (t_h - wake_h) % 24.0
    awakening = p["Aw"] * np.exp(-since_waking / p["tau_w_h"])
    receptor = glucocorticoid_receptor(x3, p)

    g1, g2, g3, g_p, g_a = (np.log(2) / p[f"half_life_{name}_h"] for name in ("x1", "x2", "x3", "P", "A"))
    d_x1 = g1 * (drive_factor * drive(t_h, p) / x3 * receptor - x1)
    d_x2 = g2 * (x1 * pituitary * receptor - x2)
    d_x3 = g3 * ((x2 + awakening) * adrenal - x3)
    if set_points is None:
        return np.array([d_x1, d_x2, d_x3, 0.0, 0.0])
    d_pituitary = g_p * pituitary * (x1 / set_points[0] - 1.0)
    d_adrenal = g_a * adrenal * (x2 / set_points[1] - 1.0)
    return np.array([d_x1, d_x2, d_x3, d_pituitary, d_adrenal])


def one_day(
    y: Array,
    p: dict[str, float],
    wake_h: float,
    hours: Array,
    drive_factor: float = 1.0,
    set_points: tuple[float, float] | None = None,
    rtol: float = 1e-8,
) -> Array:
    """States (5, len(hours)) from one awakening towards the next; `hours` since waking, the last at most 24."""
    out = solve_ivp(
        rates,
        (wake_h, wake_h + 24.0 - 1e-9),
        y,
        method="LSODA",
        t_eval=wake_h + np.minimum(hours, 24.0 - 1e-9),
        args=(p, wake_h, drive_factor, set_points),
        rtol=rtol,
        atol=rtol,
        max_step=1.0,
    )
    return out.y


def entrained(p: dict[str, float], wake_h: float = WAKE_H, days: int = 5) -> Array:
    """State at waking after some days with P = A = 1."""
    y = np.ones(5)
    for _ in range(days):
        y = one_day(y, p, wake_h, np.array([0.0, 24.0]))[:, -1]
    return y


def daily_means(p: dict[str, float], wake_h: float = WAKE_H) -> Array:
    """Mean of x1, x2 and x3 over an entrained day."""
    hours = np.linspace(0.0, 24.0, 14401)
    y = one_day(entrained(p, wake_h), p, wake_h, hours)
    return trapezoid(y[:3], hours, axis=1) / 24.0


def car(p: dict[str, float], wake_h: float = WAKE_H) -> Array:
    """Salivary cortisol (nmol/l) at the five samples after waking, with the jump at waking exact."""
    hours = np.append(SAMPLES_MIN / 60.0, 24.0)
    return p["scale_nmol_per_l"] * one_day(entrained(p, wake_h), p, wake_h, hours)[2, :-1]


def car_peak_min(p: dict[str, float], wake_h: float = WAKE_H) -> float:
    """Minutes from waking to the highest cortisol of the first two hours."""
    hours = np.linspace(0.0, 2.0, 1201)
    y = one_day(entrained(p, wake_h), p, wake_h, hours)
    return float(60.0 * hours[y[2].argmax()])


def auc_ground(samples: Array) -> float:
    """Area under the samples, nmol/l * min."""
    return float(trapezoid(samples, SAMPLES_MIN))


def auc_increase(samples: Array) -> float:
    """Area above the first sample, nmol/l * min."""
    return float(trapezoid(samples - samples[0], SAMPLES_MIN))


def car_on_grid(p: dict[str, float], dt_h: float, wake_h: float = WAKE_H, days: int = 4) -> tuple[Array, Array]:
    """The same samples, and the daily means of x1..x3, from fourth-order Runge-Kutta on a fixed grid with P = A = 1.

    The grid must contain the hour of waking, and nothing is done about the jump there.
    """
    steps = round(24.0 / dt_h)
    t_day = dt_h * np.arange(steps)
    y = np.ones(5)
    x = np.empty((steps, 3))
    for day in range(days):
        for i in range(steps):
            t = 24.0 * day + i * dt_h
            x[i] = y[:3]
            k1 = rates(t, y, p, wake_h)
            k2 = rates(t + dt_h / 2, y + dt_h / 2 * k1, p, wake_h)
            k3 = rates(t + dt_h / 2, y + dt_h / 2 * k2, p, wake_h)
            k4 = rates(24.0 * day + (i + 1) * dt_h, y + dt_h * k3, p, wake_h)
            y = y + dt_h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    samples = np.interp(wake_h + SAMPLES_MIN / 60.0, t_day, p["scale_nmol_per_l"] * x[:, 2])
    return samples, x.mean(axis=0)


def stress_run(
    p: dict[str, float],
    drive_factor: float = 1.3,
    stress_days: int = 42,
    after_days: int = 28,
    wake_h: float = WAKE_H,
) -> tuple[float, float, float, float]:
    """P and A after the stress, and P and A `after_days` later; set points are the person's own daily means."""
    x1bar, x2bar, _ = daily_means(p, wake_h)
    ends = np.array([0.0, 24.0])
    y = entrained(p, wake_h)
    for _ in range(stress_days):
        y = one_day(y, p, wake_h, ends, drive_factor, (x1bar, x2bar), rtol=1e-5)[:, -1]
    at_end = y.copy()
    for _ in range(after_days):
        y = one_day(y, p, wake_h, ends, 1.0, (x1bar, x2bar), rtol=1e-5)[:, -1]
    return float(at_end[3]), float(at_end[4]), float(y[3]), float(y[4])


def drive_factor(
    il6_ratio: float = 1.0,
    stress_sd: float = 0.0,
    vagal_tone: float = 1.0,
    scfa_ratio: float = 1.0,
    a_il6: float = 0.01,
    a_stress: float = 0.3,
    a_vagus: float = 0.10,
    scfa_damping: float = 0.2,
) -> float:
    """Factor on u from the other modules: product of the single factors of the couplings table.

    The couplings are printed one by one ("u * (1 + ...)"): they multiply.
    """
    return (
        (1.0 + a_il6 * np.log(il6_ratio))
        * (1.0 + a_stress * stress_sd * (1.0 - scfa_damping * (scfa_ratio - 1.0)))
        * (1.0 - a_vagus * (vagal_tone - 1.0))
    )


# --- what the library adds (README and tables of the submodel; parameters and inputs by the names of its table) ------


def clock_h(t_d: float, cbtmin_h: float, v: Mapping[str, float]) -> float:
    """Clock hour of a person whose temperature minimum is where the fit had it (not wrapped)."""
    return 24.0 * t_d - (cbtmin_h - v["cbtmin_ref_h"])


def stress_gain(v: Mapping[str, float]) -> float:
    """Drive per SD of stress; SCFA damp it."""
    return v["e_stress_hpa"] * (1.0 - v["e_scfa_stress"] * (v["tscfa_mM"] / v["tscfa0_mM"] - 1.0))


def gain(v: Mapping[str, float]) -> float:
    """Factor on the drive: product of what IL-6, stress and vagal tone do, with a floor."""
    product = drive_factor(
        v["il6_pg_ml"] / v["il6_0_pg_ml"],
        v["stress"],
        v["vagal_tone"],
        v["tscfa_mM"] / v["tscfa0_mM"],
        v["e_il6_hpa"],
        v["e_stress_hpa"],
        v["e_vagus_hpa"],
        v["e_scfa_stress"],
    )
    return max(v["hpa_gain_least"], product)


def awakening_gain(v: Mapping[str, float]) -> float:
    """Power of the fold change of Bifidobacterium."""
    fold = (v["bif_fraction"] + v["bif_floor"]) / (v["bif_fraction0"] + v["bif_floor"])
    return fold ** -v["e_bif_awakening"]


def awakening_drive(t_d: float, v: Mapping[str, float]) -> float:
    """Drive of the adrenal after waking; none where the switch takes the pulse out."""
    since_h = 24.0 * (t_d - v["t_wake"])
    pulse = v["awakening_amp"] * np.exp(-since_h / v["awakening_tau_h"])
    return v["awakening_pulse_on"] * awakening_gain(v) * pulse


def library_rates(t_d: float, y: Array, v: Mapping[str, float]) -> Array:
    """Right-hand side per day of [x1, x2, x3, P, A, running daily mean of cortisol]."""
    x1, x2, x3, pituitary, adrenal, day_mean = y
    p = {
        "a1": v["hpa_a1"],
        "acrophase1_h": v["hpa_phase1_h"],
        "a2": v["hpa_a2"],
        "acrophase2_h": v["hpa_phase2_h"],
        "K_GR": v["K_gr"],
        "n_GR": 3.0,
    }
    per_day = np.log(2) * 1440.0
    g1, g2, g3 = (per_day / v[f"{name}_half_min"] for name in ("crh", "acth", "cort"))
    g_p, g_a = (np.log(2) / v[f"gland_{name}_half_d"] * v["glands_move"] for name in ("p", "a"))
    receptor = glucocorticoid_receptor(x3, p)
    u = gain(v) * drive(clock_h(t_d, v["cbtmin_h"], v), p)
    return np.array(
        [
            g1 * (u / x3 * receptor - x1),
            g2 * (x1 * pituitary * receptor - x2),
            g3 * ((x2 + awakening_drive(t_d, v)) * adrenal - x3),
            g_p * pituitary * (x1 / v["x1_bar"] - 1.0),
            g_a * adrenal * (x2 / v["x2_bar"] - 1.0),
            (x3 / v["x3_bar"] - day_mean) / v["tau_cort_day_d"],
        ]
    )
