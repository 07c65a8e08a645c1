"""Colon: nine guilds, ten substrates, five metabolites, gas and a closed account of carbon (35 states).

Written from the submodel's README, its two tables (`parameters.csv`, `variables.csv`), section 1.4 of the project's
model notes and the published rows of microPop (doi:10.1111/2041-210X.12873). Names are those of the tables, so that
one mapping of values serves both sides. Time in days; cells and substrates in g, metabolites in mmol.

=====================  ===============================================================================================
equation               source
=====================  ===============================================================================================
breakdown, capture     README: F = k S; share a v / sum(a v), v = w L(pH) X^0.75 (notes 1.4)
growth, fermentation   README: y of what is taken is cells, 1 - y is fermented as hexose (`hex_*`) by the row of the
                       guild; bifidobacteria take the bifid shunt for milk oligosaccharides
other units of milk    README and table: fucose (FL), acetyl group (LN, LT), sialic acid (SL), whoever ferments them
oligosaccharides
lactate, propanediol   notes 1.4: k X/(X + K) L c/(c + K), and k X/(X + K) M; README: cells take their carbon from them
succinate              README: 70 % to propionate and CO2
pH                     README: linear in total SCFA, between two limits; trapezoid between four corners
wash-out               notes 1.4: (1/T)(1 + e (TPH - 1))
products               README: `oral_*` empties at first order; a share of dosed cells arrives alive
carbon, gas            README and table: `rest_*` per g taken, propanol unnamed, methane 4 H2 + CO2
=====================  ===============================================================================================

Where the texts leave the form open, what was assumed here agreed with the library in: propanediol use does not see pH;
a substrate loses what is taken, not what could be broken down; a strain settles where `settling_rank` is below
`settling_people`; the share 1 - `lacuse_growth` of the cross-fed cells leaves the account of guilds; all methane is
passed as gas, and methanogens take their hydrogen before the rest is shared.

It did not agree in the following, which no text fixes. What stands below was found by evaluating the library, so the
agreement of these six says nothing:

* drive of a dosed strain: settled_share^(1 - gamma) is a factor of the drive, not part of its weight (assumed: the
  weight alone);
* below `few_cells_g` the power is replaced by its chord from nil: X max(X, few)^(gamma - 1) (assumed: a smooth form);
* `transient_niche` multiplies the affinity for oligosaccharides only, milk oligosaccharides are taken with full room
  (assumed: it multiplies the drive);
* `intake_scale` multiplies RS, NSP and OS, not mucin and protein (assumed: all four);
* cross-fed cells that others build (1 - `lacuse_growth`) are counted in `other_c_mmol_d` (assumed: as cells);
* `q_<bifidobacteria>` leaves the hexose of milk oligosaccharides to `shunt_*`; `prod_pr` holds the propionate from
  succinate (names only).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import root

Values = Mapping[str, float]

RESIDENTS = ("bact", "starch", "bifhmo", "bifadult", "butyr", "lacuse", "entero")
DOSED = ("probif", "prolac")
GUILDS = RESIDENTS + DOSED
BIFIDOBACTERIA = ("bifhmo", "bifadult", "probif")
DIET = ("RS", "NSP", "OS", "MP")
MILK = ("FL", "LN", "LT", "SL")
SUBSTRATES = (*DIET, "PS", "MS", *MILK)
SWALLOWED = tuple(s for s in SUBSTRATES if s != "MP")
FOLLOWED = ("ac", "pr", "bu", "la", "pd")
PRODUCTS = ("ac", "su", "pr", "bu", "la", "pd", "fo", "et", "h2", "co2")
CARBONS = {"ac": 2, "su": 4, "pr": 3, "bu": 4, "la": 3, "pd": 3, "fo": 1, "et": 2, "h2": 0, "co2": 1}
ELECTRONS = {"ac": 8, "su": 14, "pr": 14, "bu": 20, "la": 12, "pd": 16, "fo": 2, "et": 12, "h2": 2, "co2": 0}
HEXOSE_G_PER_MOL = 180.16

ROW_OF = {guild: "bif" if guild in BIFIDOBACTERIA else guild for guild in GUILDS}
WINDOW_OF = {guild: "lactic" if guild in (*BIFIDOBACTERIA, "prolac") else guild for guild in GUILDS}
STATES = (
    tuple(f"X_{g}" for g in GUILDS)
    + tuple(f"oral_{s}" for s in (*SWALLOWED, *DOSED))
    + tuple(f"S_{s}" for s in SUBSTRATES)
    + tuple(f"M_{m}" for m in FOLLOWED)
)

# shares of the guilds in the typical adult (population/data/README.md); 9.2 % of bifidobacteria use 2'-FL by genome
TYPICAL = {
    "bact": 0.32,
    "starch": 0.30,
    "bifhmo": 0.048 * 0.092,
    "bifadult": 0.048 * 0.908,
    "butyr": 0.235,
    "lacuse": 0.085,
    "entero": 0.012,
}

# microPop: hexose in, moles out; acetate below zero is taken up. ButyrateProducers 1, 2, 3 share one guild.
BUTYRATE_PRODUCERS = (
    (2, {"ac": -2, "bu": 3, "h2": 2, "co2": 4}),
    (6, {"ac": -4, "bu": 7, "la": 2, "fo": 6, "co2": 4}),
    (10, {"ac": 2, "bu": 9, "fo": 12, "h2": 10, "co2": 8}),
)
PUBLISHED_ROWS = {
    "bact": ((2, {"ac": 2, "pr": 1, "su": 1, "h2": 2, "co2": 1}),),
    "starch": ((1, {"ac": 2, "h2": 4, "co2": 2}),),
    "bif": ((6, {"ac": 10, "la": 4, "fo": 2, "et": 1}),),
    "butyr": BUTYRATE_PRODUCERS,
    "lacuse": BUTYRATE_PRODUCERS[2:],
    "shunt": ((2, {"ac": 3, "la": 2}),),
    "prolac": ((1, {"la": 2}),),
}


def published_row(name: str) -> dict[str, float]:
    """Millimoles of each product for a gram of hexose, the mean over the published groups."""
    groups = PUBLISHED_ROWS[name]
    return {
        m: sum(moles.get(m, 0) * 1000 / (hexose * HEXOSE_G_PER_MOL) for hexose, moles in groups) / len(groups)
        for m in PRODUCTS
    }


def row(name: str, p: Values) -> np.ndarray:
    """Row `st_<name>_*` of the table in the order of `PRODUCTS`."""
    return np.array([p.get(f"st_{name}_{m}", 0.0) for m in PRODUCTS])


def unit_products(substrate: str, p: Values) -> np.ndarray:
    """Products of what a gram of a milk oligosaccharide holds beside hexose."""
    named = "LN" if substrate == "LT" else substrate
    return np.array([p.get(f"{m}_{named}", 0.0) if substrate in MILK else 0.0 for m in PRODUCTS])


def hexose(substrate: str, p: Values) -> float:
    """Hexose, in g, that a fermented gram stands for."""
    named = "LN" if substrate == "LT" else substrate
    return p.get(f"hex_{named}", 1.0)


def affinity(guild: str, substrate: str, p: Values) -> float:
    """Affinity, scaled by what the person or the product brings."""
    a = p.get(f"a_{guild}_{substrate}", 0.0)
    if guild == "bifhmo" and substrate == "FL":
        a *= p["fl_competence"]
    if guild == "probif":
        a *= p["probif_uses_hmo"] if substrate in MILK else niche(p)
    if guild == "prolac":
        a *= p["transient_niche"]
    return a


def trapezoid(ph: float, corners: Sequence[float]) -> float:
    """Return 0 outside the outer corners, 1 between the inner ones, straight lines between."""
    return float(np.interp(ph, corners, (0.0, 1.0, 1.0, 0.0)))


def inflow(substrate: str, p: Values) -> float:
    """Return what the diet and the gut itself bring, g/d."""
    return p.get(f"inflow_{substrate}", 0.0) * (1.0 if substrate == "MP" else p["intake_scale"])


def niche(p: Values) -> float:
    return 1.0 if p["settling_rank"] < p["settling_people"] else p["transient_niche"]


def drive(guild: str, cells: float, limit: float, p: Values) -> float:
    """Drive of a guild: weight x pH limit x cells to a power below one."""
    gamma = p["capture_exponent"]
    x = cells / p["one_g"]
    weighted = p[f"w_{guild}"] * limit
    if guild in RESIDENTS:
        return weighted * x**gamma
    return weighted * p["settled_share"] ** (1 - gamma) * x * max(x, p["few_cells_g"] / p["one_g"]) ** (gamma - 1)


def variables(y: Values, p: Values) -> dict[str, float]:
    """Every assigned variable of the table, by name."""
    v: dict[str, float] = {}
    concentration = {m: y[f"M_{m}"] / p["vol_l"] for m in FOLLOWED}
    v["acetate_mM"], v["propionate_mM"], v["butyrate_mM"], v["lactate_mM"] = (
        concentration[m] for m in ("ac", "pr", "bu", "la")
    )
    v["tscfa_mM"] = concentration["ac"] + concentration["pr"] + concentration["bu"]
    v["colon_pH"] = min(max(p["pH_intercept"] - p["pH_slope"] * v["tscfa_mM"], p["pH_lowest"]), p["pH_highest"])
    for window in sorted(set(WINDOW_OF.values())):
        v[f"L_{window}"] = trapezoid(v["colon_pH"], [p[f"pH{k}_{window}"] for k in (1, 2, 3, 4)])
    v["probif_niche"] = niche(p)
    v["dilution"] = (1 + p["e_motility"] * (p["tph1_rel"] - 1)) / p["transit_d"]

    for g in GUILDS:
        v[f"v_{g}"] = drive(g, y[f"X_{g}"], v[f"L_{WINDOW_OF[g]}"], p)
    taken = np.zeros((len(GUILDS), len(SUBSTRATES)))
    for j, s in enumerate(SUBSTRATES):
        pulls = np.array([affinity(g, s, p) * v[f"v_{g}"] for g in GUILDS])
        v[f"pull_{s}"] = pulls.sum()
        v[f"free_{s}"] = p[f"k_hyd_{s}"] * y[f"S_{s}"] / (v[f"pull_{s}"] + p["eps_capture"])
        taken[:, j] = v[f"free_{s}"] * pulls
        v[f"F_{s}"] = taken[:, j].sum()
        v[f"cells_{s}"] = p[f"y_{s}"] * v[f"free_{s}"]
        v[f"sugar_{s}"] = (1 - p[f"y_{s}"]) * hexose(s, p) * v[f"free_{s}"]

    yields = np.array([p[f"y_{s}"] for s in SUBSTRATES])
    sugar = taken * (1 - yields) * np.array([hexose(s, p) for s in SUBSTRATES])
    milk = np.isin(SUBSTRATES, MILK)
    made = np.zeros(len(PRODUCTS))
    v["q_bif"] = v["q_shunt"] = 0.0
    for i, g in enumerate(GUILDS):
        v[f"built_{g}"] = taken[i] @ yields
        v[f"q_{g}"] = sugar[i].sum()
        if g in BIFIDOBACTERIA:
            v[f"shunt_{g}"] = sugar[i, milk].sum()
            v[f"q_{g}"] -= v[f"shunt_{g}"]
            v["q_shunt"] += v[f"shunt_{g}"]
            v["q_bif"] += v[f"q_{g}"]
            made += row("shunt", p) * v[f"shunt_{g}"]
        made += row(ROW_OF[g], p) * v[f"q_{g}"]
    fermented = {s: (1 - p[f"y_{s}"]) * v[f"F_{s}"] for s in MILK}
    v["units_FL"], v["units_LN"], v["units_SL"] = (
        fermented["FL"],
        fermented["LN"] + fermented["LT"],
        fermented["SL"],
    )
    for s in MILK:
        made += unit_products(s, p) * fermented[s]
    product = dict(zip(PRODUCTS, made, strict=True))
    for m in ("ac", "su", "pr", "bu", "la", "pd"):
        v[f"prod_{m}"] = product[m]

    users = y["X_lacuse"]
    v["lactate_use"] = (
        p["k_lactate_use"]
        * users
        / (users + p["K_lacuse_g"])
        * v["L_lacuse"]
        * v["lactate_mM"]
        / (v["lactate_mM"] + p["K_lactate_mM"])
    )
    v["pd_use"] = p["k_pd_use"] * users / (users + p["K_pduse_g"]) * y["M_pd"]
    v["lactate_fermented"] = v["lactate_use"] * (1 - p["y_lactate"] * p["carbon_cells"] / CARBONS["la"])
    v["pd_fermented"] = v["pd_use"] * (1 - p["y_pd"] * p["carbon_cells"] / CARBONS["pd"])
    v["built_crossfed"] = p["y_lactate"] * v["lactate_use"] + p["y_pd"] * v["pd_use"]

    turned = p["succinate_to_propionate"] * product["su"]
    v["prod_pr"] += turned
    v["succinate_mmol_d"] = product["su"] - turned
    v["formate_mmol_d"] = product["fo"]
    v["ethanol_mmol_d"] = product["et"]
    v["h2_mmol_d"] = product["h2"] + p["h2_per_lactate"] * v["lactate_fermented"]
    v["ch4_mmol_d"] = p["methane_share"] * v["h2_mmol_d"] / p["h2_per_ch4"]
    v["co2_mmol_d"] = product["co2"] + turned + p["co2_per_lactate"] * v["lactate_fermented"] - v["ch4_mmol_d"]
    v["gas_ml_d"] = p["gas_ml_per_mmol"] * (
        p["h2_passed"] * (v["h2_mmol_d"] - p["h2_per_ch4"] * v["ch4_mmol_d"])
        + p["co2_passed"] * v["co2_mmol_d"]
        + v["ch4_mmol_d"]
    )
    propanol = (1 - p["pr_per_pd"]) * v["pd_fermented"]
    others = (1 - p["lacuse_growth"]) * v["built_crossfed"]
    v["other_c_mmol_d"] = sum(p[f"rest_{s}"] * v[f"F_{s}"] for s in SUBSTRATES)
    v["other_c_mmol_d"] += 3 * propanol + p["carbon_cells"] * others
    v["carbon_taken_mmol_d"] = sum(p[f"carbon_{s}"] * v[f"F_{s}"] for s in SUBSTRATES)

    v["biomass_g"] = sum(y[f"X_{g}"] for g in GUILDS)
    v["bif_fraction"] = sum(y[f"X_{g}"] for g in BIFIDOBACTERIA) / v["biomass_g"]
    v["lps_potency"] = y["X_entero"] + p["lps_bact_potency"] * y["X_bact"]
    v["microbes_g_d"] = v["dilution"] * v["biomass_g"]
    return v


def sources(v: Values, p: Values) -> dict[str, float]:
    """What is made of each followed metabolite, cross-feeding counted, mmol/d."""
    return {
        "ac": v["prod_ac"] - p["ac_per_lactate"] * v["lactate_fermented"],
        "pr": v["prod_pr"] + p["pr_per_pd"] * v["pd_fermented"],
        "bu": v["prod_bu"] + p["bu_per_lactate"] * v["lactate_fermented"],
        "la": v["prod_la"] - v["lactate_use"],
        "pd": v["prod_pd"] - v["pd_use"],
    }


def rates(y: Values, p: Values) -> dict[str, float]:
    """Rate of every state per day."""
    v = variables(y, p)
    flow = v["dilution"]
    arriving = {name: p["k_orocaecal"] * y[f"oral_{name}"] for name in (*SWALLOWED, *DOSED)}
    out = {f"oral_{name}": -arriving[name] for name in arriving}
    for g in RESIDENTS:
        out[f"X_{g}"] = v[f"built_{g}"] + p["immigration_g_d"] - flow * y[f"X_{g}"]
    out["X_lacuse"] += p["lacuse_growth"] * v["built_crossfed"]
    for g in DOSED:
        out[f"X_{g}"] = v[f"built_{g}"] + p[f"{g}_survival"] * arriving[g] - flow * y[f"X_{g}"]
    for s in SUBSTRATES:
        diet = inflow(s, p)
        out[f"S_{s}"] = diet + arriving.get(s, 0.0) - v[f"F_{s}"] - flow * y[f"S_{s}"]
    for m, made in sources(v, p).items():
        absorbed = p["k_absorb_scfa"] if m in ("ac", "pr", "bu") else p["k_absorb_la_pd"]
        out[f"M_{m}"] = made - (flow + absorbed) * y[f"M_{m}"]
    return out


def carbon_gap(y: Values, p: Values) -> float:
    """Carbon taken less carbon found again in cells, products and rest, mmol/d."""
    v = variables(y, p)
    built = sum(v[f"built_{g}"] for g in GUILDS) + p["lacuse_growth"] * v["built_crossfed"]
    found = p["carbon_cells"] * built + sum(CARBONS[m] * amount for m, amount in sources(v, p).items())
    found += 4 * v["succinate_mmol_d"] + v["formate_mmol_d"] + 2 * v["ethanol_mmol_d"]
    found += v["co2_mmol_d"] + v["ch4_mmol_d"] + v["other_c_mmol_d"]
    return v["carbon_taken_mmol_d"] - found


def pair_gap(guild: str, substrate: str, p: Values) -> float:
    """Share of the carbon of a gram that `guild` takes which cells, products and rest do not account for."""
    fermented = (1 - p[f"y_{substrate}"]) * np.array([1.0, hexose(substrate, p)])
    name = "shunt" if guild in BIFIDOBACTERIA and substrate in MILK else ROW_OF[guild]
    made = fermented[0] * unit_products(substrate, p) + fermented[1] * row(name, p)
    found = p["carbon_cells"] * p[f"y_{substrate}"] + made @ [CARBONS[m] for m in PRODUCTS] + p[f"rest_{substrate}"]
    return 1 - found / p[f"carbon_{substrate}"]


def at_rest(fractions: Values, p: Values) -> tuple[dict[str, float], dict[str, float]]:
    """Weights (that of bact is 1) and state at which the wanted shares of residents are stationary without products.

    Substrates: S = inflow / (k + D). The weights, the total of cells and four metabolites (propanediol comes from milk
    oligosaccharides only) are solved together, in logarithms, for rates of nil.
    """
    flow = (1 + p["e_motility"] * (p["tph1_rel"] - 1)) / p["transit_d"]
    empty = dict.fromkeys(STATES, 0.0) | {f"S_{s}": inflow(s, p) / (p[f"k_hyd_{s}"] + flow) for s in DIET}
    cells = [f"X_{g}" for g in RESIDENTS]
    metabolites = [f"M_{m}" for m in FOLLOWED if m != "pd"]

    def build(z: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
        w = {f"w_{g}": float(weight) for g, weight in zip(RESIDENTS, np.exp(z[:7]), strict=True)}
        y = empty | {f"X_{g}": float(fractions[g] * np.exp(z[7])) for g in RESIDENTS}
        return w, y | {name: float(amount) for name, amount in zip(metabolites, np.exp(z[8:]), strict=True)}

    def miss(z: np.ndarray) -> list[float]:
        w, y = build(z)
        found = rates(y, {**p, **w})
        return [*(found[name] / y[name] for name in cells + metabolites), z[0]]

    solved = root(miss, np.log([1, 1, 1, 1, 1, 1, 1, 20, 15, 5, 8, 0.3]), tol=1e-13)
    assert solved.success, solved.message
    return build(solved.x)


def run(y0: Values, p: Values, days: Sequence[float], dose: Values | None = None) -> list[dict[str, float]]:
    """States at `days`; `dose` is g/day swallowed at an even rate, by the name of `oral_*`."""
    given = {f"oral_{name}": grams for name, grams in (dose or {}).items()}

    def slope(_t: float, z: np.ndarray) -> list[float]:
        found = rates(dict(zip(STATES, np.maximum(z, 0.0), strict=True)), p)
        return [found[name] + given.get(name, 0.0) for name in STATES]

    start = [y0.get(name, 0.0) for name in STATES]
    out = solve_ivp(slope, (0.0, days[-1]), start, method="BDF", t_eval=days, rtol=1e-5, atol=1e-13)
    assert out.success, out.message
    return [dict(zip(STATES, column, strict=True)) for column in out.y.T]
