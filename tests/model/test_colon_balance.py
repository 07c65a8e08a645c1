"""Carbon in is carbon out, for every guild and substrate and for the whole colon; a planted leak is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vagus import engine
from vagus.model import compose
from vagus.model.balance import COUNTED, MADE, CarbonFlow, carbon_balance
from vagus.model.libraries import Library, shipped

COLON = compose(("colon",))
CONSTANTS = dict(zip(COLON.parameters["parameter"], COLON.parameters["value"], strict=True))
SUBSTRATES = tuple(name.removeprefix("S_") for name in COLON.states if name.startswith("S_"))
GUILDS = tuple(name.removeprefix("X_") for name in COLON.states if name.startswith("X_"))


@pytest.mark.parametrize("flow", carbon_balance(), ids=lambda flow: f"{flow.guild}-{flow.substrate}")
def test_every_pair_closes(flow: CarbonFlow) -> None:
    assert flow.carbon_in > 0
    assert flow.closed, flow


def test_every_affinity_is_a_pair() -> None:
    pairs = {(flow.guild, flow.substrate) for flow in carbon_balance()}
    affinities = {tuple(name.split("_")[1:]) for name in CONSTANTS if name.startswith("a_")}
    assert pairs == affinities | {("lacuse", "lactate"), ("lacuse", "1,2-propanediol")}


def with_colon(**changed: str) -> Library:
    """Return the shipped library with another text or table of the colon."""
    library = shipped()
    return library.with_parts([replace(library.submodel("colon"), folder="mine", **changed)], "mine")


def open_pairs(library: Library) -> set[tuple[str, str]]:
    return {(flow.guild, flow.substrate) for flow in carbon_balance(compose(library=library)) if not flow.closed}


def test_a_changed_coefficient_in_the_table_is_seen() -> None:
    table = shipped().submodel("colon").parameters
    leak = table.replace("\nst_bact_ac,5.551,", "\nst_bact_ac,5.65,")
    assert leak != table
    found = open_pairs(with_colon(parameters=leak))
    assert found == {("bact", name) for name in SUBSTRATES}


@pytest.mark.parametrize(
    ("written", "instead", "seen"),
    [
        ("+ bu_per_lactate * lactate_fermented", "+ 0.9 * bu_per_lactate * lactate_fermented", ("lacuse", "lactate")),
        ("+ pr_per_pd * pd_fermented;", ";", ("lacuse", "1,2-propanediol")),
        ("oral_FL - F_FL -", "oral_FL - 1.1 * F_FL -", ("bact", "FL")),
        ("units_SL := (1 - y_SL)", "units_SL := 0.9 * (1 - y_SL)", ("bifhmo", "SL")),
        ("X_butyr' = built_butyr", "X_butyr' = 1.05 * built_butyr", ("butyr", "RS")),
    ],
)
def test_a_changed_equation_is_seen(written: str, instead: str, seen: tuple[str, str]) -> None:
    text = shipped().submodel("colon").text
    assert written in text
    assert seen in open_pairs(with_colon(text=text.replace(written, instead)))


def test_the_whole_colon_closes_at_any_state() -> None:
    """Change of all carbon held = arrived - washed out - absorbed - what leaves as other products."""
    names = ("lacuse_growth", "settling_people", "probif_uses_hmo", "methane_share")
    model = engine.load(COLON.sbml, names, [*COUNTED, "dilution"])
    rng = np.random.default_rng(1)
    n = 50
    parameters = np.column_stack([rng.uniform(0.3, 1, n), np.ones(n), np.ones(n), rng.uniform(0, 0.5, n)])
    states = np.exp(rng.normal(0, 1, (n, len(model.states))))
    states[:, model.states.index("M_ac")] = 30
    found = engine.evaluate(model, parameters, states)
    rate, held = (dict(zip(model.states, values.T, strict=True)) for values in (found.rates, states))
    made = dict(zip((*COUNTED, "dilution"), found.outputs.T, strict=True))
    carbon = {f"X_{name}": CONSTANTS["carbon_cells"] for name in GUILDS} | MADE
    carbon |= {f"S_{name}": CONSTANTS[f"carbon_{name}"] for name in SUBSTRATES}
    change = sum(carbon[name] * rate[name] for name in carbon)
    arrived = sum(
        carbon[f"S_{name}"] * CONSTANTS["k_orocaecal"] * held[f"oral_{name}"] for name in SUBSTRATES if name != "MP"
    )
    arrived = arrived + sum(carbon[f"S_{name}"] * CONSTANTS[f"inflow_{name}"] for name in ("RS", "NSP", "OS", "MP"))
    residents = len(GUILDS) - 2
    cells = CONSTANTS["immigration_g_d"] * residents + sum(
        CONSTANTS[f"{name}_survival"] * CONSTANTS["k_orocaecal"] * held[f"oral_{name}"] for name in ("probif", "prolac")
    )
    washed = made["dilution"] * sum(carbon[name] * held[name] for name in carbon)
    absorbed = sum(
        atoms * held[name] * CONSTANTS["k_absorb_la_pd" if name in ("M_la", "M_pd") else "k_absorb_scfa"]
        for name, atoms in MADE.items()
    )
    left = sum(atoms * made[name] for name, atoms in COUNTED.items())
    expected = arrived + CONSTANTS["carbon_cells"] * cells - washed - absorbed - left
    turnover = arrived + washed + absorbed
    assert np.abs((change - expected) / turnover).max() < 1e-3


#: Electrons of a product (as many as its oxidation to CO2 gives).
ELECTRONS = {"ac": 8, "pr": 14, "bu": 20, "la": 12, "su": 14, "fo": 2, "et": 12, "h2": 2, "co2": 0}


@pytest.mark.parametrize("row", ["bact", "starch", "bif", "shunt", "butyr", "lacuse", "entero", "prolac"])
def test_electrons_of_each_fermentation_close(row: str) -> None:
    """A gram of hexose (180.16 g/mol) holds 24 electrons a mole; so hydrogen is right, too."""
    made = {name: CONSTANTS.get(f"st_{row}_{name}", 0.0) for name in ELECTRONS}
    assert sum(ELECTRONS[name] * mmol for name, mmol in made.items()) == pytest.approx(24_000 / 180.16, rel=2e-3)
