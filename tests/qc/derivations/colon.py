"""Colon ecology: eight guilds, six substrates, five metabolites (19 states).

Equations: section 1.4 of the project's model notes (first-order breakdown, sublinear capture shares).
Parameters: the rows "proposed.ecology ..." of the project's parameter table; stoichiometry and pH corners from the
microPop tables (doi:10.1111/2041-210X.12873), rows "link1.microPop.*"; 2'-fucosyllactose and LNnT from section 1.3.

Time in DAYS. Biomass and substrates in grams, metabolites in mmol, concentrations in mmol/l.

Section 1.4 does not print the stoichiometry, the lactate and propanediol rate constants or the rule for immigration.
What is chosen here, and from which row:

==================  ==================================================================================================
what                choice here (other readings are equally allowed by the text)
==================  ==================================================================================================
mmol per gram       1000 * product moles / (hexose moles * 180.16 g/mol): water taken up or given off is not counted
Bact                Bacteroides path 1: 2 hexose -> 2 Ac + 1 Pr + 1 succinate; 70 % of the succinate becomes Pr
StarchDeg           NoButyStarchDeg: 1 hexose -> 2 Ac (3 Ac if acetogens took all H2)
BifHMO, BifAdult,   LactateProducers: 6 hexose -> 10 Ac + 4 La (formate and ethanol are not states)
Probio
Butyr               mean of ButyrateProducers1 (2 hexose + 2 Ac -> 3 Bu), 2 (6 hexose + 4 Ac -> 7 Bu + 2 La) and
                    3 (10 hexose -> 2 Ac + 9 Bu)
LacUse              ButyrateProducers3 path 1 on carbohydrate, path 2 on lactate
Entero              no row; here 1 hexose -> 1 Ac + 1 La (mixed acid)
MP (all guilds)     Bacteroides path 2 (6 protein of 111 g/mol -> 2 Ac + 1 Pr + 1 succinate): the only protein row
lactate, PD         washed out but not absorbed (the text absorbs "SCFA")
k_lac               78 mmol/d: not printed; puts lactate at 20 g/d 2'-FL near the printed 20 mM
lactate -> biomass  0.111 g/g (ButyrateProducers3 path 2), all of 4 La + 2 Ac still yields 3 Bu
k_PD                20 /d: not printed; no growth on propanediol
pH corners          LactateProducers as overridden in microPopGut; Butyr and LacUse from ButyrateProducers3;
                    Entero has no row, its pH factor is 1
competence          multiplies the affinity of BifHMO for FL only
immigration         the printed 1e-3 g/d goes to every resident guild, not to Probio
==================  ==================================================================================================
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]

GUILDS = ("Bact", "StarchDeg", "BifHMO", "BifAdult", "Butyr", "LacUse", "Entero", "Probio")
SUBSTRATES = ("RS", "NSP", "OS", "FL", "LN", "MP")
METABOLITES = ("Ac", "Pr", "Bu", "La", "PD")
N_G, N_S, N_M = 8, 6, 5
LACUSE = GUILDS.index("LacUse")
BIFIDOBACTERIA = (GUILDS.index("BifHMO"), GUILDS.index("BifAdult"))

HEXOSE_G_PER_MOL = 180.16
PROTEIN_G_PER_MOL = 111.0
FL_G_PER_MOL = 488.4
LNNT_G_PER_MOL = 707.6
LACTATE_G_PER_MOL = 90.08

PARAMETERS = {
    "gamma": 0.75,
    "D_per_d": 0.8,
    "volume_l": 0.42,
    "absorption_per_d": 9.6,
    "k_breakdown_per_d": np.array([12.0, 6.0, 40.0, 30.0, 30.0, 8.0]),
    "yield_g_per_g": np.array([0.333, 0.286, 0.333, 0.2, 0.2, 0.22]),
    "inflow_g_per_d": np.array([30.0, 18.0, 4.0, 0.0, 0.0, 13.0]),
    "succinate_to_propionate": 0.7,
    "immigration_g_per_d": 1e-3,
    "K_lactate_mM": 0.8,
    "K_XL_g": 0.3,
    "k_lactate_mmol_per_d": 78.0,
    "yield_lactate_g_per_g": 0.111,
    "k_PD_per_d": 20.0,
    "propionate_per_PD": 0.55,
    "pH_intercept": 8.02,
    "pH_slope_per_mM": 0.0174,
    "pH_low": 5.0,
    "pH_high": 8.0,
}

# affinity a[guild, substrate], columns RS NSP OS FL LN MP
AFFINITY = np.array(
    [
        [0.50, 1.00, 0.50, 0.40, 0.40, 1.00],  # Bact
        [1.00, 0.60, 0.20, 0.02, 0.02, 0.30],  # StarchDeg
        [0.05, 0.05, 0.35, 1.00, 1.00, 0.05],  # BifHMO
        [0.80, 0.05, 1.00, 0.00, 0.05, 0.05],  # BifAdult
        [0.60, 1.00, 0.60, 0.15, 0.15, 0.10],  # Butyr
        [0.30, 0.50, 0.30, 0.00, 0.00, 0.05],  # LacUse
        [0.10, 0.00, 0.10, 0.00, 0.00, 0.30],  # Entero
        [0.00, 0.00, 0.50, 0.30, 0.30, 0.00],  # Probio
    ]
)

# pH corners per guild; None: no published row
PH_CORNERS = (
    (5.6, 6.35, 7.85, 8.6),  # Bacteroides
    (5.35, 6.1, 7.6, 8.35),  # NoButyStarchDeg
    (4.5, 5.25, 7.2, 7.95),  # LactateProducers (microPopGut override)
    (4.5, 5.25, 7.2, 7.95),
    (4.85, 5.6, 7.1, 7.85),  # ButyrateProducers3
    (4.85, 5.6, 7.1, 7.85),
    None,  # Entero
    (4.5, 5.25, 7.2, 7.95),
)

# share of each guild in the biomass of the typical adult
TYPICAL_FRACTIONS = np.array([0.32, 0.30, 0.01, 0.038, 0.235, 0.085, 0.012, 0.0])
TYPICAL_PERSON = {"competence": 0.5, "probiotic_g_per_d": 0.0}


def _mmol_per_g(hexose: float, ac: float = 0.0, pr: float = 0.0, bu: float = 0.0, la: float = 0.0) -> Array:
    """Millimoles of each metabolite per gram of hexose fermented (not turned into biomass)."""
    return np.array([ac, pr, bu, la, 0.0]) * 1000.0 / (hexose * HEXOSE_G_PER_MOL)


def stoichiometry(succinate_to_propionate: float = 0.7) -> Array:
    """Array (guild, substrate, metabolite) of mmol per gram of substrate not turned into biomass."""
    bacteroides = _mmol_per_g(2, ac=2, pr=1 + succinate_to_propionate)
    starch_degrader = _mmol_per_g(1, ac=2)
    lactate_producer = _mmol_per_g(6, ac=10, la=4)
    butyrate_1 = _mmol_per_g(2, ac=-2, bu=3)
    butyrate_2 = _mmol_per_g(6, ac=-4, bu=7, la=2)
    butyrate_3 = _mmol_per_g(10, ac=2, bu=9)
    mixed_acid = _mmol_per_g(1, ac=1, la=1)

    rows = (
        bacteroides,
        starch_degrader,
        lactate_producer,
        lactate_producer,
        (butyrate_1 + butyrate_2 + butyrate_3) / 3.0,
        butyrate_3,
        mixed_acid,
        lactate_producer,
    )
    table = np.zeros((N_G, N_S, N_M))
    for guild, row in enumerate(rows):
        table[guild, :, :] = row

    # protein and mucin: Bacteroides path 2 for every guild
    table[:, SUBSTRATES.index("MP"), :] = (
        np.array([2.0, 1.0 + succinate_to_propionate, 0.0, 0.0, 0.0]) * 1000.0 / (6 * PROTEIN_G_PER_MOL)
    )

    # human milk oligosaccharides in bifidobacteria: per mol 2'-FL 4 Ac + 2 La + 1 PD, per mol LNnT 7 Ac + 4 La
    for name in ("BifHMO", "BifAdult", "Probio"):
        guild = GUILDS.index(name)
        table[guild, SUBSTRATES.index("FL"), :] = np.array([4.0, 0.0, 0.0, 2.0, 1.0]) * 1000.0 / FL_G_PER_MOL
        table[guild, SUBSTRATES.index("LN"), :] = np.array([7.0, 0.0, 0.0, 4.0, 0.0]) * 1000.0 / LNNT_G_PER_MOL
    return table


STOICHIOMETRY = stoichiometry(0.7)


def affinity(person: dict[str, float]) -> Array:
    """The affinity table of one person: competence scales the use of 2'-FL by the HMO users."""
    a = AFFINITY.copy()
    a[GUILDS.index("BifHMO"), SUBSTRATES.index("FL")] *= person["competence"]
    return a


def luminal_ph(metabolites_mmol: Array, p: dict) -> float:
    """pH falls with the total of acetate, propionate and butyrate."""
    total_mM = metabolites_mmol[:3].sum() / p["volume_l"]
    return float(np.clip(p["pH_intercept"] - p["pH_slope_per_mM"] * total_mM, p["pH_low"], p["pH_high"]))


def trapezoid(ph: float, corners: tuple[float, float, float, float] | None) -> float:
    """0 outside the outer corners, 1 between the inner ones, straight lines between."""
    if corners is None:
        return 1.0
    return float(np.interp(ph, corners, (0.0, 1.0, 1.0, 0.0), left=0.0, right=0.0))


def ph_factors(ph: float) -> Array:
    return np.array([trapezoid(ph, corners) for corners in PH_CORNERS])


def lactate_use_mmol_per_d(x_lacuse: float, lactate_mmol: float, ph: float, p: dict) -> float:
    lactate_mM = max(lactate_mmol, 0.0) / p["volume_l"]
    return (
        p["k_lactate_mmol_per_d"]
        * x_lacuse
        / (x_lacuse + p["K_XL_g"])
        * trapezoid(ph, PH_CORNERS[LACUSE])
        * lactate_mM
        / (p["K_lactate_mM"] + lactate_mM)
    )


def rates(t_d: float, y: Array, p: dict, w: Array, person: dict[str, float], dose_flux: Array, D: float) -> Array:
    """Right-hand side per day; `w` guild weights, `dose_flux` g/d of each substrate, `D` wash-out per day."""
    x = np.maximum(y[:N_G], 0.0)
    s = y[N_G : N_G + N_S]
    m = y[N_G + N_S :]
    ph = luminal_ph(m, p)

    breakdown = p["k_breakdown_per_d"] * s
    v = affinity(person) * (w * ph_factors(ph) * x ** p["gamma"])[:, None]
    captured = breakdown * v / np.maximum(v.sum(axis=0), 1e-300)
    growth = (captured * p["yield_g_per_g"]).sum(axis=1)
    fermented = captured * (1.0 - p["yield_g_per_g"])
    produced = np.einsum("ij,ijm->m", fermented, STOICHIOMETRY)

    lactate_used = lactate_use_mmol_per_d(x[LACUSE], m[3], ph, p)
    pd_used = p["k_PD_per_d"] * max(m[4], 0.0) * x[LACUSE] / (x[LACUSE] + p["K_XL_g"])

    d_x = growth - D * x
    d_x[LACUSE] += p["yield_lactate_g_per_g"] * LACTATE_G_PER_MOL / 1000.0 * lactate_used
    d_x[:-1] += p["immigration_g_per_d"]
    d_x[-1] += person["probiotic_g_per_d"]

    d_s = p["inflow_g_per_d"] + dose_flux - breakdown - D * s

    d_m = produced - D * m
    d_m[:3] -= p["absorption_per_d"] * m[:3]
    d_m[0] -= 2.0 / 4.0 * lactate_used
    d_m[2] += 3.0 / 4.0 * lactate_used
    d_m[3] -= lactate_used
    d_m[1] += p["propionate_per_PD"] * pd_used
    d_m[4] -= pd_used
    return np.concatenate([d_x, d_s, d_m])


def steady_baseline(fractions: Array, p: dict, person: dict[str, float], D: float) -> tuple[Array, Array]:
    """Weights w and state y that make the wanted guild fractions an exact steady state without any product.

    Substrates: S = inflow/(k + D). Guilds: scale v until the growth of each guild equals what it loses, then
    w = v/(X^gamma L). A guild that is absent gets weight 0 and lives on immigration only. Biomass is
    (sum Y F + growth on lactate + immigration)/D, found by repetition, because the lactate used depends on it.
    """
    s = p["inflow_g_per_d"] / (p["k_breakdown_per_d"] + D)
    breakdown = p["k_breakdown_per_d"] * s
    a = affinity(person)
    present = fractions > 0
    immigration = np.full(N_G, p["immigration_g_per_d"])
    immigration[GUILDS.index("Probio")] = 0.0
    lactate_growth_per_mmol = p["yield_lactate_g_per_g"] * LACTATE_G_PER_MOL / 1000.0

    v = np.where(present, 1.0, 0.0)
    lactate_used = 0.0
    m = np.zeros(N_M)
    for _ in range(300):
        total_growth = (p["yield_g_per_g"] * breakdown).sum()
        supply = total_growth + lactate_growth_per_mmol * lactate_used + immigration[present].sum()
        x = np.where(present, fractions * supply, immigration) / D
        needed = D * x - immigration
        needed[LACUSE] -= lactate_growth_per_mmol * lactate_used
        for _ in range(200):
            share = a * v[:, None]
            captured = breakdown * share / np.maximum(share.sum(axis=0), 1e-300)
            growth = (captured * p["yield_g_per_g"]).sum(axis=1)
            v = np.where(present, v * needed / np.maximum(growth, 1e-300), 0.0)
            v = v / v.sum()
        produced = np.einsum("ij,ijm->m", captured * (1.0 - p["yield_g_per_g"]), STOICHIOMETRY)
        ph = luminal_ph(m, p)
        lactate = _steady_lactate(produced[3], x[LACUSE], ph, p, D)
        new_used = lactate_use_mmol_per_d(x[LACUSE], lactate, ph, p)
        pd_uptake = p["k_PD_per_d"] * x[LACUSE] / (x[LACUSE] + p["K_XL_g"])
        pd = produced[4] / (D + pd_uptake)
        out = D + p["absorption_per_d"]
        new_m = np.array(
            [
                (produced[0] - 0.5 * new_used) / out,
                (produced[1] + p["propionate_per_PD"] * pd_uptake * pd) / out,
                (produced[2] + 0.75 * new_used) / out,
                lactate,
                pd,
            ]
        )
        change = abs(new_used - lactate_used) + np.abs(new_m - m).max() + np.abs(needed - growth)[present].max()
        lactate_used, m = new_used, new_m
        if change < 1e-12:
            break
    w = np.where(present, v / np.where(x > 0, x, 1.0) ** p["gamma"] / ph_factors(luminal_ph(m, p)), 0.0)
    return w, np.concatenate([x, s, m])


def _steady_lactate(produced: float, x_lacuse: float, ph: float, p: dict, D: float) -> float:
    """Lactate (mmol) at which production equals use plus wash-out, by bisection."""
    low, high = 0.0, produced / D
    for _ in range(200):
        middle = 0.5 * (low + high)
        if produced - D * middle - lactate_use_mmol_per_d(x_lacuse, middle, ph, p) > 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def run(y0: Array, p: dict, w: Array, person: dict, dose_flux: Array, D: float, days: Array) -> Array:
    """States (19, len(days)) under a constant dose."""
    out = solve_ivp(
        rates,
        (0.0, float(days[-1])),
        y0,
        method="LSODA",
        t_eval=days,
        args=(p, w, person, dose_flux, D),
        rtol=1e-7,
        atol=1e-9,
    )
    return out.y


def bifidobacteria_percent(y: Array) -> Array:
    """Share of bifidobacteria in the biomass, percent."""
    return 100.0 * y[list(BIFIDOBACTERIA)].sum(axis=0) / y[:N_G].sum(axis=0)


def guild_percent(y: Array, guild: str) -> Array:
    return 100.0 * y[GUILDS.index(guild)] / y[:N_G].sum(axis=0)


def total_scfa_mM(y: Array, p: dict) -> Array:
    return y[N_G + N_S : N_G + N_S + 3].sum(axis=0) / p["volume_l"]


def dose(**grams_per_day: float) -> Array:
    """Dose flux from substrate names, e.g. dose(FL=5)."""
    return np.array([grams_per_day.get(name, 0.0) for name in SUBSTRATES])
