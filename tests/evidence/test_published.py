"""What is printed beside a prediction is what is stored, and nothing else."""

from __future__ import annotations

import pytest

from vagus import resources
from vagus.errors import InputError, VagusError
from vagus.evidence import cite, published_effects, published_rows, studies
from vagus.evidence.citations import references
from vagus.trial import outcomes

ARMS = {"OF": "OF", "OF+2FL": "OF+2FL", "2FL": "2FL"}


def test_efficad_has_directions_only() -> None:
    assert {row.statistic for row in published_rows("jackson2023_efficad")} == {"direction"}


def test_arm_effects_and_the_rest_are_told_apart() -> None:
    effects, apart = published_effects("jackson2023_efficad", ARMS, ("placebo",))
    assert effects["OF", "bifidobacterium_rel_abundance_pct"].beside() == {
        "direction": "higher",
        "contrast": "placebo",
        "as_worded": "also Bacteroides, Roseburia, F. prausnitzii",
    }
    assert effects["2FL", "bdi"].contrast == "not stated"
    assert {(row.arm, row.outcome) for row in apart} == {
        ("OF", "bdi"),
        ("OF+2FL", "bdi"),
        ("all", "psqi"),
        ("all", "bifidobacterium_mood_correlation"),
    }
    stored = resources.table("evidence", "data", "outcomes.csv").query("study_id == 'jackson2023_efficad'")
    assert len(effects) + len(apart) == len(stored)


def test_unknown_study_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match='did you mean "jackson2023_efficad"'):
        published_rows("jackson2023_eficad")


def test_every_row_of_outcomes_belongs_to_a_study() -> None:
    stored = resources.table("evidence", "data", "outcomes.csv")
    assert set(stored["study_id"]) <= set(studies()["study_id"])


def test_mapped_outcomes_are_in_the_vocabulary() -> None:
    mapped = resources.table("evidence", "data", "outcome_map.csv")
    assert set(mapped["outcome"]) <= set(outcomes())
    stored = set(resources.table("evidence", "data", "outcomes.csv")["outcome"])
    assert len(set(mapped["published_outcome"]) & stored) >= 12


def test_citing_leaves_out_what_is_no_publication_and_refuses_the_unknown() -> None:
    cited = cite({"karin2020": ("glands",), "assumed": ("a prior",)})
    assert [item.key for item in cited] == ["karin2020"]
    assert cited[0].reasons == ("glands",)
    with pytest.raises(VagusError, match="has no row in the evidence base"):
        cite({"nobody1999": ("x",)})
    assert references()["windoloski2024"][1] == "10.1113/EP091552"
