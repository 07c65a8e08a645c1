"""One name, one owner; every constant a row; every row a source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vagus.errors import InputError, ModelError
from vagus.evidence.citations import references
from vagus.evidence.grades import grades
from vagus.model import antimony_to_sbml, compose, parameter_table, parameter_tables, submodel_names
from vagus.model.couplings import couplings, nodes
from vagus.model.infants import infant_library
from vagus.model.libraries import Library, Submodel, shipped

GRADES = {"A", "B", "C", "D", "-"}
OTHER = Submodel("other", "model submodel_other()\n  barrier' = 1;\n  barrier = 0;\nend\n", "", "")


def changed(name: str, old: str, new: str, what: str = "text") -> Library:
    """Return the shipped library with one text of one submodel changed."""
    part = shipped().submodel(name)
    assert old in getattr(part, what)
    return shipped().with_parts([replace(part, folder="mine", **{what: getattr(part, what).replace(old, new)})], "mine")


def test_the_axis_is_one_model() -> None:
    axis = compose()
    assert axis.submodels == submodel_names()
    assert {"X_bifhmo", "il6_pg_ml", "x3_cort", "sleep_pressure", "melatonin_pmol_l", "mood_shift_mech"} <= set(
        axis.states
    )


def test_every_input_is_given_or_is_the_protocols() -> None:
    left = compose().parameters.query("distribution == 'input'")
    assert set(left["study_id"]) <= {"product", "protocol"}, left["parameter"].tolist()


def test_every_number_has_unit_source_and_grade() -> None:
    given = grades()
    for library in (shipped(), infant_library()):
        for row in parameter_tables(library=library).itertuples():
            assert row.unit, row.parameter
            assert row.description, row.parameter
            if row.distribution == "input":
                assert row.study_id in (*library.names, "product", "protocol"), row.parameter
                assert row.grade == "-", row.parameter
            else:
                assert row.grade == given[row.study_id], row.parameter


def test_memory_is_grade_d() -> None:
    table = parameter_tables()
    memory = table[(table["study_id"] == "assumed")]
    assert set(memory["grade"]) == {"D"}
    assert len(memory) > 40


def test_each_submodel_runs_alone() -> None:
    from vagus import engine

    for name in submodel_names():
        alone = compose((name,))
        model = engine.load(alone.sbml, (), alone.states)
        values = engine.simulate(model, [[]], output_times=[0.25]).values
        assert (values == values).all(), name


def test_two_owners_are_refused() -> None:
    with pytest.raises(InputError, match='"barrier" is defined by both barrier and other'):
        compose(("barrier",), ((OTHER.name, OTHER.text),))


def test_a_constant_without_a_row_is_refused_with_its_line() -> None:
    line = next(row for row in shipped().submodel("vagus").parameters.splitlines() if row.startswith("tau_vagus_d"))
    with pytest.raises(InputError, match=r'"tau_vagus_d" of vagus has no row.*\(mine/model\.ant, line \d+\)'):
        compose(library=changed("vagus", line + "\n", "", "parameters"))


def test_a_row_without_a_constant_is_refused_with_its_line() -> None:
    library = changed("vagus", "tau_vagus_d,", "tau_other_d,1,d,,,none,no,assumed,D,x\ntau_vagus_d,", "parameters")
    with pytest.raises(InputError, match=r'got "tau_other_d"\. \(mine/parameters\.csv, line \d+\)'):
        compose(library=library)


def test_an_input_that_nobody_defines_is_refused() -> None:
    with pytest.raises(InputError, match='vagus must define "vagal_tone", which immune reads'):
        compose(library=changed("vagus", "vagal_tone", "other_tone"))


def test_two_rows_of_one_quantity_are_refused() -> None:
    row = next(row for row in shipped().submodel("hpa").parameters.splitlines() if row.startswith("min_per_d,"))
    assert row in shipped().submodel("sleep").parameters
    with pytest.raises(InputError, match=r'"min_per_d" has different rows in .*\(mine/parameters\.csv, line \d+\)'):
        compose(library=changed("hpa", "min_per_d,1440", "min_per_d,1441", "parameters"))


def test_a_set_value_is_certain_and_in_the_text() -> None:
    axis = compose(values=(("e_direct_mood", 0.25),))
    row = axis.parameters.set_index("parameter").loc["e_direct_mood"]
    assert (row["value"], row["distribution"], row["study_id"], row["grade"]) == (0.25, "setting", "protocol", "-")
    assert 'id="e_direct_mood" value="0.25"' in axis.sbml
    assert axis.model_hash != compose().model_hash
    with pytest.raises(ModelError, match='did you mean "e_direct_mood"'):
        compose(values=(("e_direct_moot", 1.0),))


def test_a_changed_spread_changes_the_hash() -> None:
    row = next(row for row in shipped().submodel("mood").parameters.splitlines() if row.startswith("e_direct_mood,"))
    assert "normal,0.1" in row
    other = compose(library=changed("mood", row, row.replace("normal,0.1", "normal,0.2"), "parameters"))
    assert other.sbml == compose().sbml
    assert other.model_hash != compose().model_hash


def test_broken_antimony_names_its_line() -> None:
    with pytest.raises(ModelError, match=r"Antimony text of mine cannot be read: .*line 2"):
        antimony_to_sbml("model a()\n  x := 1 + * 2;\nend\n", "mine")


def test_unknown_submodel_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match='did you mean "colon"'):
        parameter_table("colom")


def test_links_name_sources_and_carry_grades() -> None:
    known = references()
    for link in couplings():
        assert link.study_id in known, link
        assert link.grade in GRADES - {"-"}, link
    variables = set(compose().owner)
    assert {node.variable for node in nodes()} <= variables


def test_gut_serotonin_does_not_reach_the_brain_by_default() -> None:
    table = parameter_table("serotonin").set_index("parameter")
    assert table.loc["gut_5ht_reaches_brain", "value"] == 0
