"""The figures of the infant axis are what the kept script makes of its sources, and the tables use them."""

from __future__ import annotations

import importlib.util
from io import StringIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from vagus import resources
from vagus.model.infants import infant_library
from vagus.model.parameters import parameter_tables
from vagus.population import GUILDS
from vagus.rng import stream

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "derive_infant_figures.py"
ROWS = parameter_tables(library=infant_library()).set_index("parameter")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("derive_infant_figures", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped(place: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(resources.text("model", "library", *place.split("/"))))


def value(name: str) -> float:
    return float(ROWS.loc[name, "value"])


def spread(name: str) -> float:
    return float(str(ROWS.loc[name, "spread"]))


def test_the_script_gives_the_shipped_tables(script: ModuleType, shared: Path) -> None:
    tables = script.derive(shared)
    assert len(tables) == 8
    for place, table in tables.items():
        again = pd.read_csv(StringIO(table.to_csv(index=False, float_format="%.4g")))
        pd.testing.assert_frame_equal(again, shipped(place), rtol=2e-3, obj=place)


def test_rows_hold_the_derived_figures() -> None:
    breakdown = shipped("infant_feeding/breakdown.csv").set_index("sugar")
    assert value("k_hyd_FL") == pytest.approx(breakdown.loc["2'FL", "median_per_d"], rel=0.01)
    for name, sugar in (("k_hyd_LN", "LNnT"), ("k_hyd_LT", "LNT"), ("k_hyd_SL", "3'SL")):
        assert value(name) == pytest.approx(breakdown.loc[sugar, "median_per_d"], rel=0.01), name
    use = shipped("infant_feeding/hmo_use.csv").query("mix == 'typical'").set_index("bifidobacteria")
    for guild, label in (("bifhmo", "2'-FL users"), ("bifadult", "all others")):
        assert value(f"a_{guild}_LN") == pytest.approx(use.loc[label, "uses_lnnt"], abs=0.01)
        assert value(f"a_{guild}_LT") == pytest.approx(use.loc[label, "uses_lnt"], abs=0.01)
    sites = shipped("adhesion/inhibition.csv").groupby("site")["ki_g_l"].apply(lambda k: np.exp(np.log(k).mean()))
    assert value("ki_airway_g_l") == pytest.approx(sites["airway"], rel=0.01)
    assert value("ki_gut_g_l") == pytest.approx(sites["gut"], rel=0.01)
    rates = shipped("infection/rates.csv").set_index("figure")["value"]
    assert value("ari_highest") == pytest.approx(rates["ari_highest_per_d"], rel=0.01)
    assert value("tau_ari_d") == pytest.approx(rates["tau_ari_d"], rel=0.01)
    ratios = shipped("infection/ratios.csv").set_index("outcome")
    for name, outcome in (
        ("ln_rr_lrti", "lrti_pct"),
        ("ln_rr_antibiotic", "antibiotic_use_pct"),
        ("ln_rr_antipyretic", "antipyretic_use_pct"),
    ):
        assert value(name) == pytest.approx(ratios.loc[outcome, "ln_ratio_weighed"], abs=1e-3)
        assert spread(name) == pytest.approx(ratios.loc[outcome, "sd_weighed"], abs=1e-3)
    wakings = shipped("infant_sleep/ratios.csv").set_index("what").loc["weighed, one of three visits"]
    assert value("ln_rr_wakings") == pytest.approx(wakings["ln_ratio"], abs=1e-3)
    assert spread("ln_rr_wakings") == pytest.approx(wakings["sd"], abs=1e-3)


def test_baselines_are_compositions_and_breast_fed_infants_carry_more_bifidobacterium() -> None:
    table = shipped("infant_feeding/guilds.csv")
    assert table[list(GUILDS)].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(table)), abs=1e-3)
    assert (table["without_guild"] < 0.1).all()
    shares = shipped("infant_feeding/bifidobacterium.csv").set_index(["feeding", "from_month"])["mean"]
    assert (shares["breast"] > shares["formula"]).all()


def test_the_prior_overstates_as_published(script: ModuleType) -> None:
    """A just significant result overstates 1.7 times, and the median power is 13 % (van Zwet 2021)."""
    mean, _ = script.weigh(np.exp(-0.5 * (script.CRITICAL - script.GRID) ** 2))
    assert script.CRITICAL / mean == pytest.approx(1.7, rel=1e-3)
    effects = stream(3, "prior").choice(script.GRID, size=20_000, p=script.prior() / script.prior().sum())
    power = pd.Series(effects).abs().median()
    shown = stream(4, "prior").standard_normal(200_000) + power
    assert float((np.abs(shown) > script.CRITICAL).mean()) == pytest.approx(0.13, abs=0.01)


def test_weighing_agrees_with_simulated_trials(script: ModuleType) -> None:
    """Simulate true effects and results, keep the trials that would be told as this one was, look at their truth."""
    rng = stream(5, "trials")
    weight = script.prior()
    effect = rng.choice(script.GRID, size=4_000_000, p=weight / weight.sum())

    result = effect + rng.standard_normal(len(effect))
    told = np.abs(result) > script.CRITICAL
    near = told & (np.abs(np.abs(result) - 2.23) < 0.05)
    truth = np.sign(result[near]) * effect[near]
    # all told results with this z, weighed by one over the chance to be told: what the likelihood divides by
    chance = script.told_because_significant(0.0) ** -1 * np.exp(-0.5 * script.GRID**2) / np.sqrt(2 * np.pi)
    weights = 1 / np.interp(effect[near], script.GRID, chance)
    mean, _ = script.weigh(script.told_because_significant(2.23))
    assert float(np.average(truth, weights=weights)) == pytest.approx(mean, abs=0.03)

    common = np.sqrt(script.BETWEEN_VISITS) * rng.standard_normal((len(effect), 1))
    own = np.sqrt(1 - script.BETWEEN_VISITS) * rng.standard_normal((len(effect), script.VISITS))
    visits = effect[:, None] + common + own
    quiet = (np.abs(visits[:, 1:]) < script.CRITICAL).all(axis=1)
    near = quiet & (np.abs(visits[:, 0] - 2.097) < 0.05)
    mean, sd = script.weigh(script.one_of_several_visits(2.097))
    assert float(effect[near].mean()) == pytest.approx(mean, abs=0.03)
    assert float(effect[near].std()) == pytest.approx(sd, abs=0.03)
