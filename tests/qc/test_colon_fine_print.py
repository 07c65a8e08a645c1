"""The fine print of the colon against an independent re-derivation.

`derivations/colon_fine_print.py` was written from the README and the tables alone, without sight of the equations.
Both are given the same random parameters and states.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from derivations import colon_fine_print as fine

from vagus import engine
from vagus.model import compose

DRAWS = 16
OUTPUTS = (
    *(f"v_{g}" for g in fine.GUILDS),
    *(f"pull_{s}" for s in fine.SUBSTRATES),
    *(f"F_{s}" for s in fine.SUBSTRATES),
    *(f"built_{g}" for g in fine.GUILDS),
    *(f"q_{g}" for g in fine.GUILDS),
    *(f"shunt_{g}" for g in fine.BIFIDOBACTERIA),
    *("probif_niche", "q_bif", "q_shunt", "prod_pr", "other_c_mmol_d"),
    *("lactate_use", "pd_use", "lactate_fermented", "pd_fermented", "built_crossfed"),
)
# a unit and the effect of another submodel, neither of which is under test
FIXED = ("one_g", "tph1_rel", "e_motility")
SHARES = (
    *("lacuse_growth", "fl_competence", "succinate_to_propionate", "pr_per_pd", "transient_niche"),
    *("settled_share", "probif_survival", "prolac_survival", "settling_people", "settling_rank"),
)
PH = ("bact", "starch", "lactic", "butyr", "lacuse", "entero")


@cache
def colon() -> tuple[engine.Model, tuple[str, ...], tuple[float, ...]]:
    table = compose(submodels=("colon",)).parameters
    names = tuple(table["parameter"])
    model = engine.load(compose(submodels=("colon",)).sbml, names, OUTPUTS)
    return model, names, tuple(float(v) for v in table["value"])


def library(x: Mapping[str, float], p: Mapping[str, float]) -> dict[str, float]:
    """Outputs by name and rates as `d_<state>`."""
    model, names, _ = colon()
    found = engine.evaluate(model, [[p[n] for n in names]], [[x[n] for n in model.states]], 0.0)
    rates = {f"d_{n}": float(v) for n, v in zip(model.states, np.ravel(found.rates))}
    return rates | {n: float(v) for n, v in zip(model.outputs, np.ravel(found.outputs))}


def draw(seed: int, **given: float) -> tuple[dict[str, float], dict[str, float]]:
    """A random state and random parameters; windows of pH and the guard against 0/0 are met."""
    rng = np.random.default_rng(seed)
    model, names, values = colon()
    p = {n: v if n in FIXED else v * rng.lognormal(0, 0.25) for n, v in zip(names, values)}
    p |= {n: rng.uniform(0.05, 0.95) for n in SHARES}
    p["capture_exponent"] = rng.uniform(0.6, 0.9)
    p["eps_capture"] = rng.uniform(0, 0.2)
    p["probif_uses_hmo"] = float(rng.integers(2))
    p |= {"pH_intercept": 8.02, "pH_slope": 0.0174, "pH_lowest": 5.0, "pH_highest": 8.0}
    typical = dict(zip(names, values))
    for g in PH:
        shift = rng.uniform(-0.6, 0.6)
        p |= {f"pH{i}_{g}": typical[f"pH{i}_{g}"] + shift for i in range(1, 5)}
    x = {n: rng.lognormal(0, 1) for n in model.states}
    total = rng.uniform(10, 170) * p["vol_l"]
    share = rng.dirichlet((5, 2, 2))
    x |= dict(zip(("M_ac", "M_pr", "M_bu"), (float(total * v) for v in share)))
    return x, p | given


def agree(mine: Mapping[str, float], theirs: Mapping[str, float], **names: str) -> None:
    for name, value in mine.items():
        other = theirs[names["rate"].format(name)] if "rate" in names else theirs[name]
        assert other == pytest.approx(value, rel=1e-9, abs=0), name


CASES = [pytest.param(seed, id=f"draw{seed}") for seed in range(DRAWS)]


@pytest.mark.parametrize("seed", CASES)
def test_drives_pulls_and_catch(seed: int) -> None:
    x, p = draw(seed)
    agree(fine.capture(x, p), library(x, p))
    agree(fine.dosed_rates(x, p), library(x, p), rate="d_X_{}")


@pytest.mark.parametrize("cells", [0.0, 1e-13, 1e-9, 1e-6, 0.3])
def test_dosed_drive_at_few_cells(cells: float) -> None:
    x, p = draw(101, few_cells_g=1e-9)
    x |= {"X_probif": cells, "X_prolac": cells}
    agree({n: v for n, v in fine.capture(x, p).items() if n in ("v_probif", "v_prolac")}, library(x, p))
    agree(fine.dosed_rates(x, p), library(x, p), rate="d_X_{}")


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("uses", [0.0, 1.0])
def test_niche_and_milk(settles: bool, uses: float) -> None:
    given = {"settling_people": 0.3, "settling_rank": 0.2 if settles else 0.4, "probif_uses_hmo": uses}
    x, p = draw(102, **given)
    agree(fine.capture(x, p), library(x, p))
    agree(fine.dosed_rates(x, p), library(x, p), rate="d_X_{}")


def test_the_niche_reaches_oligosaccharides_alone() -> None:
    """Pull on every other substrate is the same at any niche, that on OS is not."""
    x, p = draw(103, settling_people=0.0, probif_uses_hmo=1.0)
    narrow, wide = (library(x, p | {"transient_niche": v}) for v in (0.02, 0.9))
    changed = [s for s in fine.SUBSTRATES if narrow[f"pull_{s}"] != pytest.approx(wide[f"pull_{s}"], rel=1e-12)]
    assert changed == ["OS"]


@pytest.mark.parametrize("seed", CASES)
def test_substrate_balances(seed: int) -> None:
    x, p = draw(seed)
    agree(fine.substrate_rates(x, p), library(x, p), rate="d_S_{}")


def test_nothing_is_taken_where_no_guild_lives() -> None:
    x, p = draw(106)
    x |= {f"X_{g}": 0.0 for g in fine.GUILDS}
    theirs = library(x, p)
    assert all(theirs[f"F_{s}"] == 0 for s in fine.SUBSTRATES)
    agree(fine.substrate_rates(x, p), theirs, rate="d_S_{}")


def test_intake_scales_three_inflows() -> None:
    x, p = draw(104)
    one, more = (library(x, p | {"intake_scale": v}) for v in (1.0, 1.4))
    gained = {s: more[f"d_S_{s}"] - one[f"d_S_{s}"] for s in fine.SUBSTRATES}
    for s, value in gained.items():
        expected = 0.4 * p[f"inflow_{s}"] if s in fine.SCALED_INFLOWS else 0.0
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-9), s


@pytest.mark.parametrize("seed", CASES)
def test_crossfed_carbon(seed: int) -> None:
    x, p = draw(seed)
    theirs = library(x, p)
    agree(fine.crossfeeding(x, p), theirs)
    agree({"X_lacuse": fine.lacuse_rate(x, p)}, theirs, rate="d_{}")
    agree({"other_c_mmol_d": fine.other_c(x, p)}, theirs)


@pytest.mark.parametrize("growth", [0.0, 0.4, 1.0])
def test_carbon_of_cells_that_others_build(growth: float) -> None:
    x, p = draw(105)
    full, less = (library(x, p | {"lacuse_growth": v}) for v in (1.0, growth))
    sent = less["other_c_mmol_d"] - full["other_c_mmol_d"]
    lost = p["carbon_cells"] * (full["d_X_lacuse"] - less["d_X_lacuse"])
    expected = (1 - growth) * p["carbon_cells"] * fine.crossfeeding(x, p)["built_crossfed"]
    assert sent == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert sent == pytest.approx(lost, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", CASES)
def test_hexose_fermented(seed: int) -> None:
    x, p = draw(seed)
    agree(fine.hexose_fermented(x, p), library(x, p))


@pytest.mark.parametrize("seed", CASES)
def test_propionate(seed: int) -> None:
    x, p = draw(seed)
    theirs = library(x, p)
    mine = fine.propionate(x, p)
    agree({"prod_pr": mine["prod_pr"]}, theirs)
    agree({"M_pr": mine["M_pr"]}, theirs, rate="d_{}")
