"""Who takes what: affinities that follow from genomes, and live strains that come and go."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from vagus import engine, resources
from vagus.model import compose, parameter_table

TABLE = parameter_table("colon").set_index("parameter")
SETTINGS = ("settling_people", "probif_uses_hmo")
#: A gram of dry cells behind this many colony-forming units (products/live_bifidobacterium.yaml).
CFU_PER_G = 1e12


@pytest.mark.parametrize(
    ("substrate", "column"),
    [
        ("LN", "uses_lnnt"),
        ("LT", "uses_lnt"),
        ("SL", "uses_sialylated"),
        ("PS", "opens_resistant_starch"),
        ("MS", "opens_resistant_starch"),
    ],
)
def test_affinities_of_bifidobacteria_are_the_shares_of_genomes(substrate: str, column: str) -> None:
    users = resources.table("population", "data", "hmo_users.csv").set_index("bifidobacteria")[column].astype(float)
    for guild, label in (("bifhmo", "users of 2'-FL (bifhmo)"), ("bifadult", "all others (bifadult)")):
        name = f"a_{guild}_{substrate}"
        value = float(TABLE.loc[name, "value"]) if name in TABLE.index else 0.0
        assert value == pytest.approx(users[label], abs=0.006), name


def test_only_two_affinities_were_set_to_a_trial() -> None:
    set_to_trial = TABLE[TABLE["study_id"] == "adult2fl"]
    assert list(set_to_trial.index) == ["a_bact_FL", "a_butyr_FL"]
    assert set(set_to_trial["calibrated"]) == {"yes"}


@cache
def colon() -> engine.Model:
    return engine.load(compose(("colon",)).sbml, SETTINGS, ["X_probif", "X_prolac", "biomass_g", "bif_fraction"])


def shares(state: str, cfu: float, *, days: int = 28, after: int = 30, **given: float) -> dict[str, np.ndarray]:
    """Dose the typical adult every morning from day 1; return the share of each dosed guild at each noon."""
    settings = [[given.pop(name, 0.0) for name in SETTINGS]]
    times = 1 + np.arange(days) + 8 / 24
    doses = {state: cfu / CFU_PER_G} | given
    table = engine.Doses(
        np.zeros(days * len(doses), dtype=int),
        np.tile(times, len(doses)),
        [name for name in doses for _ in range(days)],
        np.repeat(list(doses.values()), days),
    )
    done = engine.simulate(colon(), settings, output_times=np.arange(1 + days + after) + 0.5, doses=table, rtol=1e-6)
    assert not done.status.any()
    whole = done.output("biomass_g")[0]
    return {name: done.output(name)[0] / whole for name in ("X_probif", "X_prolac")} | {
        "bif_fraction": done.output("bif_fraction")[0]
    }


#: 10^5 cells a gram of stool, about what strain-specific methods find, among 10^11.
DETECTED = 1e-6


@pytest.mark.parametrize("guild", ["probif", "prolac"])
def test_strains_are_washed_out_within_eight_days(guild: str) -> None:
    # Bouhnik 1992, Frese 2012: not found 8 days after the end.
    found = shares(f"oral_{guild}", 1e10)[f"X_{guild}"]
    assert found[28] > 5 * DETECTED
    assert found[28 + 8] < DETECTED


def test_level_of_a_dosed_bifidobacterium() -> None:
    # Bouhnik 1992: 10^8.8 CFU a gram of stool; 10^12.1 came out in 8 days, 29.7 % of what was taken: 5.3x10^11 a day.
    found = shares("oral_probif", 10**12.1 / 0.297 / 8)["X_probif"]
    assert np.log10(found[28] * 1e11) == pytest.approx(8.8, abs=0.5)


def test_fall_of_a_lactobacillus_in_the_week_after() -> None:
    # Tuohy 2007: 10^7.1 at the end, 10^5.0 a week later.
    found = shares("oral_prolac", 5.2e10)["X_prolac"]
    assert np.log10(found[28] / found[28 + 7]) == pytest.approx(2.1, abs=0.4)


def test_a_strain_settles_only_where_the_product_says_so() -> None:
    settled = shares("oral_probif", 1e10, after=180, settling_people=1.0)["X_probif"]
    gone = shares("oral_probif", 1e10, after=180)["X_probif"]
    assert settled[-1] == pytest.approx(float(TABLE.loc["settled_share", "value"]), rel=0.2)
    assert gone[-1] < 1e-9
    rows = TABLE.loc[["settling_people", "probif_uses_hmo"]]
    assert (rows["value"] == 0).all()
    assert set(rows["distribution"]) == {"setting"}


def test_milk_oligosaccharides_hold_a_strain_that_uses_them_while_given() -> None:
    together = shares("oral_probif", 1e10, probif_uses_hmo=1.0, oral_FL=9.4)
    # Up to 25 % in adults, while dosed (B. infantis with milk oligosaccharides; Cell Host Microbe 2022).
    assert 0.01 < together["X_probif"][28] < 0.25
    assert together["X_probif"][-1] < DETECTED
    alone = shares("oral_probif", 1e10, probif_uses_hmo=1.0)["X_probif"]
    assert together["X_probif"][28] > 100 * alone[28]


def test_a_bifidobacterium_counts_as_such_and_a_lactobacillus_does_not() -> None:
    bifidobacterium, lactobacillus = shares("oral_probif", 1e12), shares("oral_prolac", 1e13)
    gained = bifidobacterium["bif_fraction"][28] - bifidobacterium["bif_fraction"][0]
    assert gained == pytest.approx(bifidobacterium["X_probif"][28], rel=0.1)
    assert lactobacillus["X_prolac"][28] > 0.01
    assert lactobacillus["bif_fraction"][28] < lactobacillus["bif_fraction"][0]
