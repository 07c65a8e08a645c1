"""The outcome vocabulary agrees with itself, with the instruments and with the evidence base."""

from __future__ import annotations

import csv
import re

import pytest

from vagus import resources
from vagus.errors import InputError
from vagus.instruments import bank, measures, scales
from vagus.trial import outcome, outcomes
from vagus.trial.vocabulary import resolve_outcome

SCALES = {"bounded", "real", "positive", "count", "proportion"}


def test_every_outcome_of_a_measure_is_in_it_and_no_other():
    assert set(outcomes()) == {name for names in measures().values() for name in names}


@pytest.mark.parametrize("item", outcomes().values(), ids=lambda item: item.id)
def test_rows_are_whole(item):
    assert item.scale in SCALES
    assert item.benefit in {"higher", "lower", "none"}
    assert item.unit
    assert item.label
    assert item.description
    if item.minimum is not None and item.maximum is not None:
        assert item.minimum < item.maximum
    # Logarithms, counts and shares need a floor.
    assert item.scale in {"real", "bounded"} or item.minimum == 0
    assert (item.mcid is None) == (item.mcid_source == "") == (item.mcid_grade == "")


@pytest.mark.parametrize("name", scales())
def test_ranges_are_those_of_the_instruments(name):
    scheme, item = bank(name), outcome(name)
    assert item.scale == "bounded"
    assert (item.minimum, item.maximum) == (
        scheme.n_items * scheme.item_min,
        scheme.n_items * scheme.item_max,
    )


def test_every_difference_that_matters_has_source_and_grade():
    rows = resources.table("trial", "important_differences.csv").to_dict("records")
    keys = [(row["outcome"], use) for row in rows for use in row["use"].split()]
    assert len(keys) == len(set(keys))
    for row in rows:
        item = outcome(row["outcome"])
        assert float(row["value"]) > 0
        assert row["grade"] in {"A", "B", "C", "D"}
        assert row["source"]
        assert row["note"]
        assert row["seen"] in {"abstract", "table", "full text", "memory"}
        # What was not looked at stays grade D, and what was has its address.
        assert (row["seen"] == "memory") == (row["url"] == "")
        assert row["seen"] != "memory" or row["grade"] == "D"
        assert row["kind"] in {"between-arms", "within-person", "within-person-percent"}
        assert row["unit"] == ("% of baseline" if row["kind"] == "within-person-percent" else item.unit)
        # One person's bar is no bar for a mean; where it stands in, `mcid_kind` says so.
        assert "mcid" not in row["use"].split() or row["kind"] != "within-person-percent"
        if item.maximum is not None and row["kind"] != "within-person-percent":
            assert float(row["value"]) < item.maximum - (item.minimum or 0)


def test_mcid_is_none_where_none_is_known():
    assert outcome("isi").mcid == 4
    assert (outcome("ibs_sss").mcid, outcome("ibs_sss").mcid_kind) == (50, "within-person")
    without = {item.id for item in outcomes().values() if item.mcid is None}
    assert {"stai_state", "stai_trait", "panas_positive", "faecal_butyrate_mmol_kg", "crp_mg_l"} <= without
    # Measurement error is no importance: the reliable change of the STAI makes a responder, not an MCID.
    responder = outcome("stai_trait").responder
    assert responder is not None
    assert responder.value == 8


def test_units_and_benefits_are_those_of_the_evidence_base(shared):
    with (shared / "evidence" / "outcomes_vocab.csv").open(encoding="utf-8") as file:
        evidence = {row["outcome"]: row for row in csv.DictReader(file)}
    compared = 0
    for item in outcomes().values():
        row = evidence.get(item.id)
        if row is None:
            continue
        compared += 1
        direction = row["benefit_direction"]
        assert item.benefit == ("none" if direction.startswith("n/a") else direction)
        assert row["domain"] == item.domain
        bounds = re.fullmatch(r"points (\d+)-(\d+)", row["unit"])
        if bounds:
            assert (item.minimum, item.maximum) == (float(bounds[1]), float(bounds[2]))
        else:
            assert row["unit"].split()[0] == item.unit.split()[0]
    assert compared >= 15


def test_an_id_always_means_itself():
    for name in outcomes():
        assert resolve_outcome(name) == (name,)
        assert resolve_outcome(name.upper().replace("_", "-")) == (name,)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("ISI", ("isi",)),
        ("BDI-II", ("bdi",)),
        ("STAI", ("stai_state", "stai_trait")),
        ("stai y2", ("stai_trait",)),
        ("PANAS", ("panas_positive", "panas_negative")),
        ("IBS_SSS", ("ibs_sss",)),
        ("Bifidobacterium", ("bifidobacterium_rel_abundance_pct",)),
        ("butyrate", ("faecal_butyrate_mmol_kg",)),
        ("awakenings", ("night_awakenings_n",)),
        ("total sleep time", ("tst_diary_h", "tst_actigraphy_h")),
        ("IL-6", ("plasma_il6_pg_ml",)),
    ],
)
def test_names_that_people_write(name, ids):
    assert resolve_outcome(name) == ids


def test_measures_resolve_to_outcomes_of_theirs():
    for measure in ("BDI", "STAI", "PANAS", "PSQI", "ISI", "IBS_SSS"):
        assert resolve_outcome(measure) == measures()[measure]


def test_unknown_names_get_the_nearest():
    with pytest.raises(InputError, match='got "ISII"; did you mean "ISI"'):
        resolve_outcome("ISII")
    with pytest.raises(InputError, match='got "psqii"; did you mean "psqi"'):
        outcome("psqii")


def test_the_vocabulary_cannot_be_changed_by_its_readers():
    outcomes().clear()
    assert len(outcomes()) == 24
