"""Each person's own baseline microbiome as the exact steady state of the colon.

Given the target shares of the guilds, the drives at which every guild grows exactly as fast as it is washed out are
the minimum of a convex function; Newton steps find it for many people at once, with the metabolites and pH solved
along. The weights `w` follow from the drives. No differential equation is solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.population import GUILDS

Array = NDArray[np.float64]

SUBSTRATES = ("RS", "NSP", "OS", "FL", "LN", "MP")
METABOLITES = ("ac", "pr", "bu", "la", "pd")
MAX_SWEEPS = 400
MAX_NEWTON = 60
LONGEST_STEP = 2.0
#: Largest share of the lactate users' growth that cross-feeding may make up; the rest must come from substrates.
MOST_CROSS_FED = 0.9
#: Log drives beyond this mean that a guild cannot reach its share with the substrates that it takes.
FARTHEST = 100.0
TOLERANCE = 1e-10


@dataclass(frozen=True)
class ColonSteadyState:
    """Steady states of n people.

    Attributes
    ----------
    weights : dict
        ``w_<guild>`` and ``lacuse_growth`` -> (n,).
    states : dict
        ``X_<guild>`` (g), ``S_<substrate>`` (g), ``M_<metabolite>`` (mmol) -> (n,).
    residual : numpy.ndarray
        Shape (n,); largest relative error of a guild's growth or a metabolite's balance at the end.
    """

    weights: dict[str, Array]
    states: dict[str, Array]
    residual: Array


def solve_colon(shares: Array, values: Mapping[str, Array | float]) -> ColonSteadyState:
    """Solve weights and steady state for n people.

    Parameters
    ----------
    shares : numpy.ndarray
        Shape (n, 8), target shares of the guilds in the order of `GUILDS`; a share of 0 means the guild is absent.
    values : mapping
        Parameters of the submodel colon, each a number or an array of shape (n,).

    Returns
    -------
    ColonSteadyState
        `residual` above 1e-8 means that no steady state with this composition was found.

    Notes
    -----
    Equations: README of the submodel colon. Serotonin is at rest (``tph1_rel = 1``), so wash-out is 1/transit.
    """
    n = len(shares)
    get = {name: np.broadcast_to(np.asarray(value, dtype=float), (n,)) for name, value in values.items()}
    present = shares > 0
    wash = 1.0 / get["transit_d"]
    inflow = np.column_stack(
        [
            get["intake_scale"] * get["inflow_RS"],
            get["intake_scale"] * get["inflow_NSP"],
            get["intake_scale"] * get["inflow_OS"],
            np.zeros(n),
            np.zeros(n),
            get["inflow_MP"],
        ]
    )
    breakdown = np.column_stack([get[f"k_hyd_{name}"] for name in SUBSTRATES])
    substrate = inflow / (breakdown + wash[:, None])
    flux = breakdown * substrate
    yields = np.column_stack([get[f"y_{name}"] for name in SUBSTRATES])
    affinity = _affinities(get, n)
    made_per_g = _stoichiometry(get, n) * (1 - yields)[:, None, :, None]

    lactate_index = GUILDS.index("lacuse")
    immigration = np.where(present, get["immigration_g_d"][:, None], 0.0)
    immigration[:, GUILDS.index("probio")] = get["probiotic_g_d"]
    supply = yields * flux
    log_drive = np.where(present, np.log(np.maximum(shares, 1e-12)), -np.inf)
    metabolites = np.tile([21.0, 7.5, 7.5, 0.2, 0.1], (n, 1))
    lactate_use, pd_use = np.zeros(n), np.zeros(n)
    kept = np.ones(n)
    residual = np.full(n, np.inf)
    biomass = np.zeros((n, len(GUILDS)))
    for _ in range(MAX_SWEEPS):
        cross_fed = get["y_lactate"] * lactate_use + get["y_pd"] * pd_use
        extra = immigration.copy()
        extra[:, lactate_index] += kept * cross_fed
        total = (supply.sum(axis=1) + extra.sum(axis=1)) / wash
        biomass = shares * total[:, None]
        room = MOST_CROSS_FED * wash * biomass[:, lactate_index] - immigration[:, lactate_index]
        kept = np.clip(room / np.maximum(cross_fed, 1e-300), 0.0, 1.0)
        extra[:, lactate_index] = immigration[:, lactate_index] + kept * cross_fed
        needed = np.where(present, np.maximum(wash[:, None] * biomass - extra, 1e-300), 0.0)
        log_drive, growth = _match_growth(log_drive, needed, supply, affinity, present)
        pull = affinity * np.exp(log_drive)[:, :, None]
        capture = flux[:, None, :] * pull / np.maximum(pull.sum(axis=1), 1e-300)[:, None, :]
        produced = np.einsum("ngs,ngsm->nm", capture, made_per_g)
        new, lactate_use, pd_use = _metabolites(produced, metabolites, biomass[:, lactate_index], get, wash)
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.where(present, np.abs(growth / needed - 1), 0.0).max(axis=1)
        moved = (np.abs(new - metabolites) / (np.abs(metabolites) + 1e-3)).max(axis=1)
        residual = np.maximum(off, moved)
        metabolites = new
        if residual.max() < TOLERANCE:
            break
    drive = np.exp(log_drive)
    limits = _ph_limits(metabolites, get)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(present, drive / (biomass ** get["capture_exponent"][:, None] * limits), 0.0)
    weights /= weights[:, :1]
    states = {f"X_{name}": biomass[:, index] for index, name in enumerate(GUILDS)}
    states |= {f"S_{name}": substrate[:, index] for index, name in enumerate(SUBSTRATES)}
    states |= {f"M_{name}": metabolites[:, index] for index, name in enumerate(METABOLITES)}
    solved = {f"w_{name}": weights[:, index] for index, name in enumerate(GUILDS)} | {"lacuse_growth": kept}
    return ColonSteadyState(solved, states, residual)


def _match_growth(
    log_drive: Array, needed: Array, supply: Array, affinity: Array, present: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Find drives at which every guild grows as fast as needed: Newton steps on a convex potential.

    With u the log drives, the growth of guild i is the derivative of sum_s supply_s ln(sum_k affinity_ks exp(u_k)),
    so the drives minimize that sum minus needed . u. One guild's drive is free (only ratios count) and stays fixed.
    """
    live = present.astype(float)
    for _ in range(MAX_NEWTON):
        pull = affinity * np.exp(log_drive)[:, :, None]
        part = pull / np.maximum(pull.sum(axis=1), 1e-300)[:, None, :]
        growth = np.einsum("ngs,ns->ng", part, supply)
        gap = np.where(present, needed - growth, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            if np.where(present, np.abs(gap / needed), 0.0).max() < TOLERANCE:
                break
        curve = -np.einsum("ngs,nhs,ns->ngh", part, part, supply)
        diagonal = np.arange(len(GUILDS))
        curve[:, diagonal, diagonal] += growth
        curve[:, diagonal, diagonal] += np.where(present, 1e-12 * np.maximum(growth, 1e-12), 1.0)
        curve[:, 0, :] = 0.0
        curve[:, 0, 0] = 1.0
        gap[:, 0] = 0.0
        step = np.linalg.solve(curve, gap[:, :, None])[:, :, 0] * live
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        log_drive = np.where(present, np.clip(log_drive + step, -FARTHEST, FARTHEST), -np.inf)
    return log_drive, growth


def _affinities(get: Mapping[str, Array], n: int) -> Array:
    table = np.zeros((n, len(GUILDS), len(SUBSTRATES)))
    for row, guild in enumerate(GUILDS):
        for column, name in enumerate(SUBSTRATES):
            if f"a_{guild}_{name}" in get:
                table[:, row, column] = get[f"a_{guild}_{name}"]
    table[:, GUILDS.index("bifhmo"), SUBSTRATES.index("FL")] *= get["fl_competence"]
    return table


def _stoichiometry(get: Mapping[str, Array], n: int) -> Array:
    """Return mmol of each metabolite per g not turned into biomass, shape (n, guilds, substrates, metabolites)."""
    table = np.zeros((n, len(GUILDS), len(SUBSTRATES), len(METABOLITES)))
    for row, guild in enumerate(GUILDS):
        for column, name in enumerate(SUBSTRATES):
            special = any(f"st_{guild}_{name}_{made}" in get for made in METABOLITES)
            stem = f"st_{guild}_{name}" if special else f"st_{guild}"
            for index, made in enumerate(METABOLITES):
                if f"{stem}_{made}" in get:
                    table[:, row, column, index] = get[f"{stem}_{made}"]
            if guild == "bact" and not special:
                pr = METABOLITES.index("pr")
                table[:, row, column, pr] += get["succinate_to_propionate"] * get["st_bact_su"]
    table[:, :, SUBSTRATES.index("MP"), :] *= get["mp_fermented"][:, None, None]
    return table


def _ph_limits(metabolites: Array, get: Mapping[str, Array]) -> Array:
    scfa = metabolites[:, :3].sum(axis=1) / get["vol_l"]
    acidity = np.clip(get["pH_intercept"] - get["pH_slope"] * scfa, 5, 8)
    limits = [
        np.clip(
            np.minimum(
                (acidity - get[f"pH1_{name}"]) / (get[f"pH2_{name}"] - get[f"pH1_{name}"]),
                (get[f"pH4_{name}"] - acidity) / (get[f"pH4_{name}"] - get[f"pH3_{name}"]),
            ),
            0,
            1,
        )
        for name in GUILDS
    ]
    return np.column_stack(limits)


def _metabolites(
    produced: Array, before: Array, users: Array, get: Mapping[str, Array], wash: Array
) -> tuple[Array, Array, Array]:
    """Return the balance of the metabolites (mmol) and the use of lactate and propanediol (mmol/day)."""
    limit = _ph_limits(before, get)[:, GUILDS.index("lacuse")]
    highest = get["k_lactate_use"] * users / (users + get["K_lacuse_g"]) * limit
    # lactate: production = loss * c + highest * c / (K + c), a quadratic in the concentration c
    loss, half = (wash + get["k_absorb_la_pd"]) * get["vol_l"], get["K_lactate_mM"]
    made = np.maximum(produced[:, 3], 0.0)
    b = loss * half + highest - made
    lactate = (-b + np.sqrt(b * b + 4 * loss * made * half)) / (2 * loss)
    lactate_use = highest * lactate / (half + lactate)
    rate = get["k_pd_use"] * users / (users + get["K_pduse_g"])
    propanediol = np.maximum(produced[:, 4], 0.0) / (wash + get["k_absorb_la_pd"] + rate)
    pd_use = rate * propanediol
    out = get["k_absorb_scfa"] + wash
    new = np.column_stack(
        [
            (produced[:, 0] - 0.5 * lactate_use) / out,
            (produced[:, 1] + get["pr_per_pd"] * pd_use) / out,
            (produced[:, 2] + 0.75 * lactate_use) / out,
            lactate * get["vol_l"],
            propanediol,
        ]
    )
    return new, lactate_use, pd_use
