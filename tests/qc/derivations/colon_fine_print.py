"""Fine print of the colon: dosed strains, substrate balances, cross-fed carbon, hexose and propionate.

Equations: README of the submodel, "Fine print of the equations" and the sections before it; where a symbol is not
defined there, its entry in the tables of parameters and variables. The transit is taken as the person's own, without
the effect of gut serotonin. Time in days.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

RESIDENTS = ("bact", "starch", "bifhmo", "bifadult", "butyr", "lacuse", "entero")
DOSED = ("probif", "prolac")
GUILDS = RESIDENTS + DOSED
BIFIDOBACTERIA = ("bifhmo", "bifadult", "probif")
DIET = ("RS", "NSP", "OS", "MP")
MILK = ("FL", "LN", "LT", "SL")
SUBSTRATES = (*DIET, "PS", "MS", *MILK)
SCALED_INFLOWS = ("RS", "NSP", "OS")
PH_WINDOW = {"bifhmo": "lactic", "bifadult": "lactic", "probif": "lactic", "prolac": "lactic"}
HEXOSE = {"MP": "hex_MP", "FL": "hex_FL", "LN": "hex_LN", "LT": "hex_LN", "SL": "hex_SL"}
CARBONS = 3  # of lactate, of propanediol, of propanol


def ph_limits(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Trapezoid of each guild between its four corners."""
    total = (x["M_ac"] + x["M_pr"] + x["M_bu"]) / p["vol_l"]
    ph = min(max(p["pH_intercept"] - p["pH_slope"] * total, p["pH_lowest"]), p["pH_highest"])
    limits = {}
    for guild in GUILDS:
        corners = [p[f"pH{i}_{PH_WINDOW.get(guild, guild)}"] for i in range(1, 5)]
        if any(b <= a for a, b in pairwise(corners)):
            raise ValueError(f"corners of {guild} out of order: {corners}")
        limits[guild] = float(np.interp(ph, corners, (0, 1, 1, 0)))
    return limits


def drives(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Drive of each guild, the dosed strains with a share they may hold and a floor for single cells."""
    e = p["capture_exponent"]
    limits = ph_limits(x, p)
    drive = {g: p[f"w_{g}"] * limits[g] * x[f"X_{g}"] ** e for g in RESIDENTS}
    for g in DOSED:
        cells = x[f"X_{g}"]
        crowd = max(cells, p["few_cells_g"])
        drive[g] = p[f"w_{g}"] * p["settled_share"] ** (1 - e) * limits[g] * cells * crowd ** (e - 1)
    return drive


def probif_niche(p: Mapping[str, float]) -> float:
    """Room for the dosed Bifidobacterium: full in people whose rank is below the share in whom it settles."""
    return 1.0 if p["settling_rank"] < p["settling_people"] else p["transient_niche"]


def affinities(p: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Affinity of each guild for each substrate; what the table leaves out is not used."""
    a = {(g, s): p.get(f"a_{g}_{s}", 0.0) for g in GUILDS for s in SUBSTRATES}
    a["bifhmo", "FL"] *= p["fl_competence"]
    a["probif", "OS"] *= probif_niche(p)
    a["prolac", "OS"] *= p["transient_niche"]
    for s in MILK:
        a["probif", s] *= p["probif_uses_hmo"]
    return a


def taken(x: Mapping[str, float], p: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Substrate that each guild takes, g/d: its share a v / sum(a v) of what is broken down."""
    v = drives(x, p)
    a = affinities(p)
    out = {}
    for s in SUBSTRATES:
        pull = sum(a[g, s] * v[g] for g in GUILDS)
        for g in GUILDS:
            out[g, s] = p[f"k_hyd_{s}"] * x[f"S_{s}"] * a[g, s] * v[g] / (pull + p["eps_capture"])
    return out


def hexose(x: Mapping[str, float], p: Mapping[str, float], guild: str, substrates: tuple[str, ...]) -> float:
    """Hexose of these substrates that a guild ferments, g/d: what does not become cells."""
    t = taken(x, p)
    return sum((1 - p[f"y_{s}"]) * (p[HEXOSE[s]] if s in HEXOSE else 1.0) * t[guild, s] for s in substrates)


def capture(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Drives, pulls and what becomes of the dosed strains' catch."""
    v = drives(x, p)
    a = affinities(p)
    t = taken(x, p)
    out = {f"v_{g}": v[g] for g in GUILDS}
    out["probif_niche"] = probif_niche(p)
    for s in SUBSTRATES:
        out[f"pull_{s}"] = sum(a[g, s] * v[g] for g in GUILDS)
        out[f"F_{s}"] = sum(t[g, s] for g in GUILDS)
    for g in GUILDS:
        out[f"built_{g}"] = sum(p[f"y_{s}"] * t[g, s] for s in SUBSTRATES)
    return out


def hexose_fermented(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Hexose fermented by each guild; of bifidobacteria, that of milk oligosaccharides by itself.

    That `q_bifhmo`, `q_bifadult` and `q_probif` leave out the hexose of milk oligosaccharides (`shunt_*`) is said by
    the table of variables, which said it of `q_bif` alone when this was first derived.
    """
    out = {f"q_{g}": hexose(x, p, g, SUBSTRATES) for g in GUILDS}
    for g in BIFIDOBACTERIA:
        out[f"shunt_{g}"] = hexose(x, p, g, MILK)
        out[f"q_{g}"] -= out[f"shunt_{g}"]
    out["q_shunt"] = sum(out[f"shunt_{g}"] for g in BIFIDOBACTERIA)
    out["q_bif"] = sum(hexose(x, p, g, SUBSTRATES) for g in BIFIDOBACTERIA) - out["q_shunt"]
    return out


def dilution(p: Mapping[str, float]) -> float:
    """Share of the contents that leaves per day."""
    return 1 / p["transit_d"]


def substrate_rates(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Balance of each substrate: diet, products, what is taken, what leaves."""
    t = taken(x, p)
    rates = {}
    for s in SUBSTRATES:
        inflow = p.get(f"inflow_{s}", 0.0) * (p["intake_scale"] if s in SCALED_INFLOWS else 1.0)
        product = p["k_orocaecal"] * x.get(f"oral_{s}", 0.0)
        rates[s] = inflow + product - sum(t[g, s] for g in GUILDS) - dilution(p) * x[f"S_{s}"]
    return rates


def dosed_rates(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Growth of the dosed strains: what arrives alive, what is built, what leaves."""
    grown = capture(x, p)
    return {
        g: p["k_orocaecal"] * p[f"{g}_survival"] * x[f"oral_{g}"] + grown[f"built_{g}"] - dilution(p) * x[f"X_{g}"]
        for g in DOSED
    }


def crossfeeding(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Lactate and propanediol used; cells take their carbon from them, the rest is fermented."""
    lactate = x["M_la"] / p["vol_l"]
    users = x["X_lacuse"]
    lactate_use = (
        p["k_lactate_use"]
        * ph_limits(x, p)["lacuse"]
        * lactate
        / (p["K_lactate_mM"] + lactate)
        * users
        / (p["K_lacuse_g"] + users)
    )
    pd_use = p["k_pd_use"] * x["M_pd"] * users / (p["K_pduse_g"] + users)
    return {
        "lactate_use": lactate_use,
        "pd_use": pd_use,
        "lactate_fermented": lactate_use * (1 - p["y_lactate"] * p["carbon_cells"] / CARBONS),
        "pd_fermented": pd_use * (1 - p["y_pd"] * p["carbon_cells"] / CARBONS),
        "built_crossfed": p["y_lactate"] * lactate_use + p["y_pd"] * pd_use,
    }


def lacuse_rate(x: Mapping[str, float], p: Mapping[str, float]) -> float:
    """Rate of the lactate users: their share of the cross-fed cells, with what they build themselves."""
    own = capture(x, p)["built_lacuse"] + p["lacuse_growth"] * crossfeeding(x, p)["built_crossfed"]
    return own + p["immigration_g_d"] - dilution(p) * x["X_lacuse"]


def other_c(x: Mapping[str, float], p: Mapping[str, float]) -> float:
    """Carbon in products without a name: rest of each substrate, propanol, cells that others build."""
    t = taken(x, p)
    rest = sum(p[f"rest_{s}"] * t[g, s] for g in GUILDS for s in SUBSTRATES)
    cross = crossfeeding(x, p)
    propanol = CARBONS * (1 - p["pr_per_pd"]) * cross["pd_fermented"]
    return rest + propanol + (1 - p["lacuse_growth"]) * p["carbon_cells"] * cross["built_crossfed"]


def propionate(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Propionate from substrates, with that of succinate, and the balance with that of propanediol."""
    succinate = p["st_bact_su"] * hexose(x, p, "bact", SUBSTRATES)
    made = p["st_bact_pr"] * hexose(x, p, "bact", SUBSTRATES) + p["st_entero_pr"] * hexose(x, p, "entero", SUBSTRATES)
    prod_pr = made + p["succinate_to_propionate"] * succinate
    rate = prod_pr + p["pr_per_pd"] * crossfeeding(x, p)["pd_fermented"]
    return {"prod_pr": prod_pr, "M_pr": rate - (p["k_absorb_scfa"] + dilution(p)) * x["M_pr"]}
