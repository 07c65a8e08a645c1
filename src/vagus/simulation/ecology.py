"""Each person's own baseline microbiome as the exact steady state of the colon.

Given the target shares of the resident guilds, the drives at which every guild grows exactly as fast as it is washed
out are the minimum of a convex function; Newton steps find it for many people at once, with the metabolites and pH
solved along. The weights `w` follow from the drives. No differential equation is solved. Before the trial the diet is
the only inflow, so that only its substrates count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.population import DOSED, GUILDS

Array = NDArray[np.float64]

#: Guilds of the own baseline; dosed strains come with a product.
RESIDENTS = tuple(name for name in GUILDS if name not in DOSED)
#: Substrates of the diet, in the order of every substrate array; what products bring comes later.
DIET = ("RS", "NSP", "OS", "MP")
METABOLITES = ("ac", "pr", "bu", "la", "pd")
#: Names of the stoichiometry and the pH window of guilds that share one with others.
FERMENTS_AS = {"bifhmo": "bif", "bifadult": "bif"}
LIVES_AS = {"bifhmo": "lactic", "bifadult": "lactic", "probif": "lactic", "prolac": "lactic"}
WINDOWS = tuple(dict.fromkeys(LIVES_AS.get(name, name) for name in GUILDS))
LACUSE = RESIDENTS.index("lacuse")
#: Carbon atoms of lactate and of propanediol.
CARBONS = 3
MAX_SWEEPS = 400
MAX_NEWTON = 60
LONGEST_STEP = 2.0
#: Largest share of the lactate users' growth that cross-feeding may make up; the rest must come from substrates.
MOST_CROSS_FED = 0.9
#: Log drives beyond this mean that a guild cannot reach its share with the substrates that it takes.
FARTHEST = 100.0
TOLERANCE = 1e-12
ENOUGH = 1e-10


@dataclass(frozen=True)
class ColonSteadyState:
    """Steady states of n people.

    Attributes
    ----------
    weights : dict
        ``w_<guild>`` and ``lacuse_growth`` -> (n,).
    states : dict
        ``X_<guild>`` (g), ``S_<substrate>`` (g), ``M_<metabolite>`` (mmol) -> (n,); what is not in it is zero.
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
        Shape (n, guilds), target shares in the order of `GUILDS`; a share of 0 means the guild is absent, and dosed
        strains must be.
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
    dosed = shares[:, [GUILDS.index(name) for name in DOSED]].any(axis=1)
    shares = shares[:, [GUILDS.index(name) for name in RESIDENTS]]
    present = shares > 0
    wash = 1.0 / get["transit_d"]
    diet = [get[f"inflow_{name}"] * (1.0 if name == "MP" else get["intake_scale"]) for name in DIET]
    breakdown = np.column_stack([get[f"k_hyd_{name}"] for name in DIET])
    substrate = np.column_stack(diet) / (breakdown + wash[:, None])
    flux = breakdown * substrate
    yields = np.column_stack([get[f"y_{name}"] for name in DIET])

    colon = _Colon(
        get=get,
        shares=shares,
        present=present,
        wash=wash,
        flux=flux,
        supply=yields * flux,
        affinity=_affinities(get, RESIDENTS, n),
        made_per_g=_made_per_g(get, yields),
        immigration=np.where(present, get["immigration_g_d"][:, None], 0.0),
    )
    state = _State(
        log_drive=np.where(present, np.log(np.maximum(shares, 1e-12)), -np.inf),
        metabolites=np.tile([21.0, 7.5, 7.5, 0.2, 0.1], (n, 1)),
        lactate_use=np.zeros(n),
        pd_use=np.zeros(n),
        kept=np.ones(n),
        biomass=np.zeros((n, len(RESIDENTS))),
        residual=np.full(n, np.inf),
    )
    # A person is done by the own residual, so that nobody's last digits depend on who else is solved with them.
    left, part = np.arange(n), colon
    for _ in range(MAX_SWEEPS):
        before = state.residual[left]
        found = _sweep(part, state.take(left))
        state.put(left, found)
        moving = found.residual >= TOLERANCE
        # Beyond the first goal, go on only while rounding lets it get better.
        moving &= ~((found.residual < ENOUGH) & (found.residual >= 0.5 * before))
        if not moving.any():
            break
        if not moving.all():
            left, part = left[moving], part.take(moving)
    metabolites, biomass, kept, log_drive = state.metabolites, state.biomass, state.kept, state.log_drive
    pull = colon.affinity * np.exp(log_drive)[:, :, None]
    limits = _ph_limits(metabolites, get)
    exponent = get["capture_exponent"]
    own = np.column_stack([limits[LIVES_AS.get(name, name)] for name in RESIDENTS])
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(present, np.exp(log_drive) / (biomass ** exponent[:, None] * own), 0.0)
    solved = {f"w_{name}": weights[:, index] / weights[:, 0] for index, name in enumerate(RESIDENTS)}
    room_g = biomass.sum(axis=1) ** (1.0 - exponent)
    free = yields * flux / np.maximum(pull.sum(axis=1), 1e-300)
    for name, taken in zip(DOSED, np.moveaxis(_affinities(get, DOSED, n), 1, 0), strict=True):
        # A strain that settles grows as fast as it is washed out when it holds its share of the cells.
        solved[f"w_{name}"] = wash * room_g / ((free * taken).sum(axis=1) * limits[LIVES_AS[name]]) / weights[:, 0]
    states = {f"X_{name}": biomass[:, index] for index, name in enumerate(RESIDENTS)}
    states |= {f"X_{name}": np.zeros(n) for name in DOSED}
    states |= {f"S_{name}": substrate[:, index] for index, name in enumerate(DIET)}
    states |= {f"M_{name}": metabolites[:, index] for index, name in enumerate(METABOLITES)}
    return ColonSteadyState(solved | {"lacuse_growth": kept}, states, np.where(dosed, np.inf, state.residual))


@dataclass(frozen=True)
class _Colon:
    """What stays the same from sweep to sweep, one row a person."""

    get: Mapping[str, Array]
    shares: Array
    present: NDArray[np.bool_]
    wash: Array
    flux: Array
    supply: Array
    affinity: Array
    made_per_g: Array
    immigration: Array

    def take(self, rows: NDArray[Any]) -> _Colon:
        own = {name: array[rows] for name, array in vars(self).items() if name != "get"}
        return _Colon(get={name: array[rows] for name, array in self.get.items()}, **own)


@dataclass(frozen=True)
class _State:
    """What a sweep moves, one row a person."""

    log_drive: Array
    metabolites: Array
    lactate_use: Array
    pd_use: Array
    kept: Array
    biomass: Array
    residual: Array

    def take(self, rows: NDArray[Any]) -> _State:
        return _State(**{name: array[rows] for name, array in vars(self).items()})

    def put(self, rows: NDArray[Any], found: _State) -> None:
        for name, array in vars(self).items():
            array[rows] = getattr(found, name)


def _sweep(colon: _Colon, state: _State) -> _State:
    """Move everybody's drives and metabolites once toward the steady state."""
    get, present, wash = colon.get, colon.present, colon.wash
    cross_fed = get["y_lactate"] * state.lactate_use + get["y_pd"] * state.pd_use
    extra = colon.immigration.copy()
    extra[:, LACUSE] += state.kept * cross_fed
    total = (colon.supply.sum(axis=1) + extra.sum(axis=1)) / wash
    biomass = colon.shares * total[:, None]
    room = MOST_CROSS_FED * wash * biomass[:, LACUSE] - colon.immigration[:, LACUSE]
    kept = np.clip(room / np.maximum(cross_fed, 1e-300), 0.0, 1.0)
    extra[:, LACUSE] = colon.immigration[:, LACUSE] + kept * cross_fed
    needed = np.where(present, np.maximum(wash[:, None] * biomass - extra, 1e-300), 0.0)
    log_drive, growth = _match_growth(state.log_drive, needed, colon.supply, colon.affinity, present)
    pull = colon.affinity * np.exp(log_drive)[:, :, None]
    capture = colon.flux[:, None, :] * pull / np.maximum(pull.sum(axis=1), 1e-300)[:, None, :]
    produced = np.einsum("ngs,ngsm->nm", capture, colon.made_per_g)
    new, lactate_use, pd_use = _metabolites(produced, state.metabolites, biomass[:, LACUSE], get, wash)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(present, np.abs(growth / needed - 1), 0.0).max(axis=1)
    moved = (np.abs(new - state.metabolites) / (np.abs(state.metabolites) + 1e-3)).max(axis=1)
    return _State(log_drive, new, lactate_use, pd_use, kept, biomass, np.maximum(off, moved))


def _match_growth(
    log_drive: Array, needed: Array, supply: Array, affinity: Array, present: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Find drives at which every guild grows as fast as needed: Newton steps on a convex potential.

    With u the log drives, the growth of guild i is the derivative of sum_s supply_s ln(sum_k affinity_ks exp(u_k)),
    so the drives minimize that sum minus needed . u. One guild's drive is free (only ratios count) and stays fixed.
    """
    live = present.astype(float)
    diagonal = np.arange(needed.shape[1])
    worst = np.full(len(needed), np.inf)
    for _ in range(MAX_NEWTON):
        pull = affinity * np.exp(log_drive)[:, :, None]
        part = pull / np.maximum(pull.sum(axis=1), 1e-300)[:, None, :]
        growth = np.einsum("ngs,ns->ng", part, supply)
        gap = np.where(present, needed - growth, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            last, worst = worst, np.where(present, np.abs(gap / needed), 0.0).max(axis=1)
        moving = (worst >= TOLERANCE) & ~((worst < ENOUGH) & (worst >= 0.5 * last))
        if not moving.any():
            break
        curve = -np.einsum("ngs,nhs,ns->ngh", part, part, supply)
        curve[:, diagonal, diagonal] += growth
        curve[:, diagonal, diagonal] += np.where(present, 1e-12 * np.maximum(growth, 1e-12), 1.0)
        curve[:, 0, :] = 0.0
        curve[:, 0, 0] = 1.0
        gap[:, 0] = 0.0
        step = np.linalg.solve(curve, gap[:, :, None])[:, :, 0] * live
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        moved = np.where(present, np.clip(log_drive + step, -FARTHEST, FARTHEST), -np.inf)
        log_drive = np.where(moving[:, None], moved, log_drive)
    return log_drive, growth


def _affinities(get: Mapping[str, Array], guilds: tuple[str, ...], n: int) -> Array:
    """Return affinities for the diet, shape (n, guilds, substrates)."""
    table = np.zeros((n, len(guilds), len(DIET)))
    for row, guild in enumerate(guilds):
        for column, name in enumerate(DIET):
            if f"a_{guild}_{name}" in get:
                table[:, row, column] = get[f"a_{guild}_{name}"]
    return table


def _made_per_g(get: Mapping[str, Array], yields: Array) -> Array:
    """Return mmol of each metabolite per g of substrate taken, shape (n, guilds, substrates, metabolites)."""
    n = len(yields)
    per_hexose = np.zeros((n, len(RESIDENTS), len(METABOLITES)))
    for row, guild in enumerate(RESIDENTS):
        for index, made in enumerate(METABOLITES):
            name = f"st_{FERMENTS_AS.get(guild, guild)}_{made}"
            if name in get:
                per_hexose[:, row, index] = get[name]
    turned = get["succinate_to_propionate"] * get["st_bact_su"]
    per_hexose[:, RESIDENTS.index("bact"), METABOLITES.index("pr")] += turned
    hexose = 1.0 - yields
    hexose[:, DIET.index("MP")] *= get["hex_MP"]
    return per_hexose[:, :, None, :] * hexose[:, None, :, None]


def _ph_limits(metabolites: Array, get: Mapping[str, Array]) -> dict[str, Array]:
    """Return how far the pH lets each window's guilds live, 0 to 1."""
    scfa = metabolites[:, :3].sum(axis=1) / get["vol_l"]
    acidity = np.clip(get["pH_intercept"] - get["pH_slope"] * scfa, get["pH_lowest"], get["pH_highest"])
    limits = {}
    for name in WINDOWS:
        corner = [get[f"pH{k}_{name}"] for k in (1, 2, 3, 4)]
        rise = (acidity - corner[0]) / (corner[1] - corner[0])
        limits[name] = np.clip(np.minimum(rise, (corner[3] - acidity) / (corner[3] - corner[2])), 0, 1)
    return limits


def _metabolites(
    produced: Array, before: Array, users: Array, get: Mapping[str, Array], wash: Array
) -> tuple[Array, Array, Array]:
    """Return the balance of the metabolites (mmol) and the use of lactate and propanediol (mmol/day)."""
    limit = _ph_limits(before, get)["lacuse"]
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
    lactate_fermented = lactate_use * (1 - get["y_lactate"] * get["carbon_cells"] / CARBONS)
    pd_fermented = pd_use * (1 - get["y_pd"] * get["carbon_cells"] / CARBONS)
    out = get["k_absorb_scfa"] + wash
    new = np.column_stack(
        [
            (produced[:, 0] - get["ac_per_lactate"] * lactate_fermented) / out,
            (produced[:, 1] + get["pr_per_pd"] * pd_fermented) / out,
            (produced[:, 2] + get["bu_per_lactate"] * lactate_fermented) / out,
            lactate * get["vol_l"],
            propanediol,
        ]
    )
    return new, lactate_use, pd_use
