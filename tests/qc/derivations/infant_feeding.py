"""Milk of an infant, what of it reaches the colon, and exposure to a product's oligosaccharides.

Equations: README and tables of the submodel `infant_feeding`; human milk by age from Rios-Leyvraz and Yao 2023
(abstract: ml/day = 51 - 1.4 days + 180 ln days); oligosaccharides of human milk by month from the review in Nutrients
2021;13:2272; formula from means of six age bands in Japan (Milk Science 63:63, abstract).
Not printed, assumed here: that the product's concentration is a first-order lag (one day) of what arrives in the colon
over the day's milk, that `hmo_seen` climbs with first order (seven days) to `hmo_fed` and never falls, and that the own
appetite (`intake_scale` of the colon) scales neither milk nor exposure here.

Time in days, milk in l/day, oligosaccharides in g.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

DAYS_PER_MONTH = 365.25 / 12
JAPAN_BANDS_MONTHS = ((0.5, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6))
JAPAN_ML_PER_D = (819, 834, 869, 864, 869, 928)
ON_THE_WAY = ("oral_FL", "oral_LN", "oral_LT", "oral_SL")


def human_milk(age_d: float, p: Mapping[str, float]) -> float:
    return p["human_milk_a"] - p["human_milk_b"] * age_d + p["human_milk_c"] * np.log(age_d / p["one_d"])


def formula(age_d: float, p: Mapping[str, float]) -> float:
    return p["formula_start"] + p["formula_slope"] * min(age_d, p["formula_until_d"])


def formula_line(at_months: np.ndarray) -> tuple[float, float]:
    """Least squares line through the published means: ml/day at birth, ml/day per day."""
    slope, start = np.polyfit(at_months * DAYS_PER_MONTH, JAPAN_ML_PER_D, 1)
    return float(start), float(slope)


def human_milk_oligosaccharides(age_d: float, p: Mapping[str, float]) -> float:
    falling = p["hmo_early_g_l"] * np.exp(-p["k_hmo_lactation"] * (age_d - p["hmo_early_age_d"]))
    return max(falling, p["hmo_late_g_l"])


def assigned(t: float, y: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    age = p["age0_d"] + t
    mother, bottle, share = human_milk(age, p), formula(age, p), p["human_milk_share"]
    milk = share * mother + (1 - share) * bottle
    in_human_milk = human_milk_oligosaccharides(age, p)
    from_mother = share * mother * in_human_milk
    return {
        "age_d": age,
        "human_milk_l_d": mother,
        "formula_l_d": bottle,
        "milk_l_d": milk,
        "hmo_human_milk_g_l": in_human_milk,
        "hmo_mother_g_d": from_mother,
        "inflow_OS": from_mother + p["lactose_unabsorbed"] * p["lactose_g_l"] * milk,
        "inflow_MP": p["mucin_protein_g_l"] * milk,
        "product_arriving_g_d": p["k_orocaecal"] * sum(y[name] for name in ON_THE_WAY),
        "hmo_fed": min(y["hmo_product_g_l"] / p["hmo_tried_g_l"], 1.0),
    }


def rates(t: float, y: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Right-hand side per day."""
    a = assigned(t, y, p)
    return {
        "hmo_product_g_l": (a["product_arriving_g_d"] / a["milk_l_d"] - y["hmo_product_g_l"]) / p["tau_feeds_d"],
        "hmo_seen": max(a["hmo_fed"] - y["hmo_seen"], 0.0) / p["tau_seen_d"],
    }
