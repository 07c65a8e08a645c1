"""The axis of an infant stands on its own tables, and its parts give what their sources say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import libsbml
import numpy as np
import pytest

from vagus import engine, resources
from vagus.errors import InputError
from vagus.evidence.grades import grades
from vagus.model import compose
from vagus.model.balance import carbon_balance
from vagus.model.checks import row_problems, static_checks
from vagus.model.composition import read_names
from vagus.model.infants import PARTS, compose_infant, infant_library
from vagus.model.libraries import Library, Submodel
from vagus.model.parameters import parameter_rows, parameter_tables
from vagus.model.units import unit_problems
from vagus.simulation.infants import AT_MEAN

WITHOUT_COLON = ("infant_feeding", "adhesion", "infection", "infant_sleep")
YEAR = 365.25


def infant_with(colon: Submodel) -> Library:
    return Library(tuple(colon if part.name == "colon" else part for part in infant_library().submodels))


def without_row(part: Submodel, name: str) -> Submodel:
    lines = [line for line in part.parameters.splitlines() if not line.startswith(f"{name},")]
    assert len(lines) == len(part.parameters.splitlines()) - 1
    return replace(part, parameters="\n".join(lines) + "\n")


def run(values: Mapping[str, float], outputs: tuple[str, ...], times: list[float], **start: float) -> dict[str, Any]:
    """Run the parts that do without the colon in the mean infant; `values` take the place of the tables' constants."""
    axis = compose(WITHOUT_COLON, library=infant_library(), values=tuple((AT_MEAN | dict(values)).items()))
    model = engine.load(axis.sbml, (), outputs)
    initial = model.initial_values([[]])
    for name, value in start.items():
        initial[0, model.states.index(name)] = value
    done = engine.simulate(model, [[]], initial, output_times=times, rtol=1e-8)
    return {name: done.output(name)[0] for name in outputs}


def row(name: str) -> Mapping[str, Any]:
    table = parameter_tables(library=infant_library())
    return table[table["parameter"] == name].iloc[0].to_dict()


# ---------------------------------------------------------------------- own tables


def test_the_infant_axis_is_one_model_of_its_own_parts() -> None:
    axis = compose_infant()
    assert axis.submodels == PARTS
    assert {"X_bifhmo", "ari_expected", "hmo_seen"} <= set(axis.states)
    assert not {"il6_pg_ml", "x3_cort", "sleep_pressure", "mood_shift"} & set(axis.owner)
    assert set(axis.parameters.query("distribution == 'input'")["study_id"]) <= {"product", "protocol"}


def test_every_constant_of_the_colon_has_a_row_for_infants_and_one_less_is_an_error() -> None:
    colon = infant_library().submodel("colon")
    table = {item["parameter"] for item in parameter_rows(colon)}
    assert set(read_names(colon)) == table
    for name in ("k_hyd_FL", "y_RS", "transit_d", "pH_slope", "a_bifhmo_OS"):
        with pytest.raises(InputError, match=f'"{name}" of colon has no row'):
            compose(library=infant_with(without_row(colon, name)))


def test_the_table_of_adults_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = resources.text

    def watched(*parts: str) -> str:
        assert parts[-2:] != ("colon", "parameters.csv"), "the adults' table was read"
        return read(*parts)

    def refused() -> Library:
        raise AssertionError("the adults' library was used")

    monkeypatch.setattr(resources, "text", watched)
    for module in ("composition", "parameters", "variables"):
        monkeypatch.setattr(f"vagus.model.{module}.shipped", refused)
    library = infant_library.__wrapped__()
    assert library.submodel("colon").parameters == read("model", "library", "colon", "infant.csv")
    anew = replace(library.submodel("colon"), readme="anew")
    compose(library=infant_with(anew))


def test_rows_are_graded_by_their_source_and_what_is_borrowed_says_so() -> None:
    assert [str(problem) for problem in row_problems(infant_library().submodels, infant_library())] == []
    rows = parameter_rows(infant_library().submodel("colon"))
    borrowed = [item for item in rows if item["description"].startswith("borrowed from adults")]
    assert len(borrowed) > 20
    assert {(item["study_id"], item["grade"], item["calibrated"]) for item in borrowed} == {("assumed", "D", "no")}
    adult = {item["study_id"] for item in rows} & {name for name, grade in grades().items() if grade == "A"}
    assert adult == set()
    own = {"vol_l", "transit_d", "k_hyd_FL", "k_orocaecal", "intake_scale", "inflow_RS", "a_bifadult_LN", "tph1_rel"}
    assert not own & {item["parameter"] for item in borrowed}


@pytest.mark.parametrize("parts", [PARTS, WITHOUT_COLON])
def test_units_of_every_equation_agree(parts: tuple[str, ...]) -> None:
    axis = compose(parts, library=infant_library())
    assert unit_problems(libsbml.readSBMLFromString(axis.sbml)) == []


def test_whoever_reads_another_part_has_a_link() -> None:
    found = {check.name: check.problems for check in static_checks(infant_library())}
    assert found["ties between submodels"] == found["variables"] == found["inputs"] == ()


def test_what_is_no_infant_is_refused() -> None:
    with pytest.raises(InputError, match=r'Feeding must be breast or formula, got "bottle"'):
        compose_infant("bottle")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="7 to 365 days at the start, got 12000; adults have their own axis"):
        compose_infant(age_d=12000)


# ---------------------------------------------------------------------- milk


def test_milk_is_what_was_measured_by_age() -> None:
    for days, liters in ((30, 0.624), (90, 0.735), (180, 0.729), (365, 0.593)):
        found = run({"age0_d": days, "human_milk_share": 1}, ("milk_l_d",), [0.0])["milk_l_d"][0]
        assert found == pytest.approx(liters, rel=0.02), days
    for months, liters in ((0.75, 0.819), (2.5, 0.869), (5.5, 0.928)):
        found = run({"age0_d": months * YEAR / 12, "human_milk_share": 0}, ("milk_l_d",), [0.0])["milk_l_d"][0]
        assert found == pytest.approx(liters, rel=0.03), months


def test_oligosaccharides_come_with_human_milk_only() -> None:
    outputs = ("hmo_mother_g_d", "inflow_OS", "hmo_human_milk_g_l", "milk_l_d")
    mother = run({"human_milk_share": 1, "age0_d": 15}, outputs, [0.0, 300.0])
    formula = run({"human_milk_share": 0, "age0_d": 15}, outputs, [0.0, 300.0])
    assert mother["hmo_human_milk_g_l"] == pytest.approx([10.5, 5.0])
    assert mother["hmo_mother_g_d"] == pytest.approx(mother["hmo_human_milk_g_l"] * mother["milk_l_d"])
    assert (formula["hmo_mother_g_d"] == 0).all()
    assert (formula["inflow_OS"] > 0).all()


# ---------------------------------------------------------------------- decoys and infections


def test_decoys_take_off_what_was_measured_at_that_concentration() -> None:
    wet = {"contact_share": 1.0, "human_milk_share": 0.0}
    outputs = ("adhesion_airway",)
    assert run(wet, outputs, [0.0], hmo_product_g_l=10.0)["adhesion_airway"][0] == pytest.approx(1 - 0.24, abs=1e-3)
    assert run(wet, outputs, [0.0])["adhesion_airway"][0] == 1.0
    tried = run({"human_milk_share": 0.0}, outputs, [0.0], hmo_product_g_l=1.5)["adhesion_airway"][0]
    assert 0.99 < tried < 1.0


def test_infections_by_age_solve_the_two_figures_of_the_cohort() -> None:
    course = run({"age0_d": 1e-9}, ("ari_expected",), [0.0, 91.0, 730.5])["ari_expected"]
    assert course[1] == pytest.approx(np.log(2), rel=0.01)
    assert course[2] == pytest.approx(13.7, rel=0.01)
    ill = run({}, ("lrti_share",), [0.0, YEAR])["lrti_share"]
    assert ill[1] == pytest.approx(0.3288, abs=1e-3)


def test_the_unexplained_part_is_apart_and_can_be_set_to_none() -> None:
    outputs = ("decoy", "unexplained_lrti", "lrti_rate", "ari_rate", "unexplained_wakings", "hmo_fed")
    plain = run({}, outputs, [0.0])
    fed = {"hmo_product_g_l": 1.5, "hmo_seen": 1.0}
    with_product = run({}, outputs, [0.0], **fed)
    mechanism = run({"ln_rr_lrti": 0.0, "ln_rr_wakings": 0.0}, outputs, [0.0], **fed)
    assert plain["decoy"][0] == plain["unexplained_lrti"][0] == plain["unexplained_wakings"][0] == 1.0
    assert mechanism["unexplained_lrti"][0] == mechanism["unexplained_wakings"][0] == 1.0
    assert mechanism["decoy"] == with_product["decoy"]
    ratio = with_product["lrti_rate"] / plain["lrti_rate"]
    assert ratio == pytest.approx(with_product["decoy"] * np.exp(row("ln_rr_lrti")["value"]))
    assert with_product["ari_rate"] / plain["ari_rate"] == pytest.approx(with_product["decoy"])


def test_own_proneness_is_one_on_average_and_acts_on_respiratory_infections_alone() -> None:
    for name in AT_MEAN:
        item = row(name)
        assert item["value"] * np.exp(float(item["spread"]) ** 2 / 2) == pytest.approx(1, abs=1e-3), name
    outputs = ("ari_rate", "lrti_rate", "antibiotic_rate", "antipyretic_rate")
    usual, prone = run({}, outputs, [0.0]), run({"ari_own": 1.5}, outputs, [0.0])
    assert [prone[name][0] / usual[name][0] for name in outputs] == pytest.approx([1.5, 1.5, 1.0, 1.0])


def test_exposure_lasts_once_the_product_stops_and_ends_at_the_tried_dose() -> None:
    course = run({}, ("hmo_fed", "hmo_seen"), [0.0, 20.0, 60.0], hmo_product_g_l=6.0)
    assert course["hmo_fed"][0] == 1.0
    assert course["hmo_fed"][2] < 1e-6
    assert 0 < course["hmo_seen"][1] <= 1.0
    assert course["hmo_seen"][2] == pytest.approx(course["hmo_seen"][1], abs=1e-3)


# ---------------------------------------------------------------------- sleep


def test_sleep_and_wakings_are_the_norms_of_their_age() -> None:
    outputs = ("infant_sleep_h", "wakings_per_night")
    for age_d, wakings in ((15.0, 1.7), (30.4, 1.7), (1.5 * YEAR, 1.25)):
        found = run({"age0_d": age_d}, outputs, [0.0])
        assert found["wakings_per_night"][0] == pytest.approx(wakings, abs=0.01)
        expected = 10.49 - 5.56 * (np.sqrt(age_d / 3652.5) - 0.71)
        assert found["infant_sleep_h"][0] == pytest.approx(expected)


def test_the_ratio_of_wakings_has_a_prior_around_one() -> None:
    item = row("ln_rr_wakings")
    low, high = (np.exp(item["value"] + z * float(item["spread"])) for z in (-1.96, 1.96))
    assert low < np.exp(item["value"]) < 1 < high
    fed = run({}, ("wakings_per_night", "wakings_norm"), [0.0], hmo_product_g_l=1.5)
    assert fed["wakings_per_night"] / fed["wakings_norm"] == pytest.approx(np.exp(item["value"]))


def test_carbon_closes_with_the_infants_own_numbers() -> None:
    flows = carbon_balance(compose_infant())
    assert len(flows) > 30
    assert [flow for flow in flows if not flow.closed] == []
