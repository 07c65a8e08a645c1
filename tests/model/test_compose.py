"""One name, one owner; every constant a row; every row a source."""

from __future__ import annotations

import pytest

from vagus.errors import ModelError
from vagus.evidence.citations import references
from vagus.model import antimony_to_sbml, compose, parameter_table, parameter_tables, submodel_names
from vagus.model.couplings import couplings, nodes

GRADES = {"A", "B", "C", "D", "-"}


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
    table = parameter_tables()
    known = references()
    for row in table.itertuples():
        assert row.unit, row.parameter
        assert row.description, row.parameter
        assert row.study_id in known, (row.parameter, row.study_id)
        assert row.grade in GRADES, row.parameter
        assert (row.grade == "-") == (row.study_id in (*submodel_names(), "baseline", "protocol", "product")) or (
            row.study_id == "product"
        ), row.parameter


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
    other = ("other", "model submodel_other()\n  barrier' = 1;\n  barrier = 0;\nend\n")
    with pytest.raises(ModelError, match='"barrier" is defined by both barrier and other'):
        compose(("barrier",), (other,))


def test_a_constant_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import vagus.model.composition as module

    full = parameter_table("vagus")
    monkeypatch.setattr(module, "parameter_tables", lambda chosen: full[full["parameter"] != "tau_vagus_d"])
    with pytest.raises(ModelError, match='"tau_vagus_d" of vagus has no row'):
        module.compose.__wrapped__(("vagus",))


def test_broken_antimony_names_its_line() -> None:
    with pytest.raises(ModelError, match=r"Antimony text of mine cannot be read: .*line 2"):
        antimony_to_sbml("model a()\n  x := 1 + * 2;\nend\n", "mine")


def test_unknown_submodel_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match='did you mean "colon"'):
        parameter_table("colom")


def test_links_name_parameters_sources_and_nodes() -> None:
    axis, known = compose(), references()
    ids = {node.node for node in nodes()} | {"product", "melatonin", "sleep_duration"}
    for link in couplings():
        assert {link.source, link.target} <= ids, link
        assert link.study_id in known, link
        assert link.grade in GRADES, link
        assert link.evidence in {"adult human", "human other", "animal or cells", "none"}, link
        assert link.status in {"measured", "prior only", "contested"}, link
        assert not link.parameter or link.parameter in set(axis.parameters["parameter"]), link
    variables = set(axis.owner)
    assert {node.variable for node in nodes()} <= variables


def test_gut_serotonin_does_not_reach_the_brain_by_default() -> None:
    table = parameter_table("serotonin").set_index("parameter")
    assert table.loc["gut_5ht_reaches_brain", "value"] == 0
