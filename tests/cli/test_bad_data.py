"""Every way in which the files of a trial can be wrong, as `vagus analyze` says it."""

from __future__ import annotations

import json

import pytest
from small_trial import SCORES, SMALL


def analyze(vagus, folder, *more):
    return vagus("analyze", "small.yaml", folder, *more)


def test_sound_data_are_analyzed(vagus, data):
    result = analyze(vagus, data(), "--json")
    assert result.code == 0, result.err
    assert result.err == ""
    answer = json.loads(result.out)
    assert [(row["outcome"], row["arm"], row["n"]) for row in answer["estimates"]] == [
        ("bdi", "hmo", 6),
        ("bifidobacterium_rel_abundance_pct", "hmo", 6),
    ]
    assert answer["estimates"][1]["estimate"] > 2  # the counts of Bifidobacterium were made to rise sixfold


#: What is wrong -> changes of a file, words of the message, where.
WRONG = {
    "missing column": (
        {"scores": ("arm,visit,outcome,value", "arm,visit,outcome,valeu")},
        ['must have a column "value"', 'did you mean "valeu"?'],
        "data/scores.csv, line 1",
    ),
    "text where a number belongs": (
        {"scores": ("B,placebo,week 1,bdi,16", "B,placebo,week 1,bdi,sixteen")},
        ['"value" must hold numbers', '"sixteen"'],
        "data/scores.csv, line 5",
    ),
    "decimal comma": (
        {"scores": ("B,placebo,week 1,bdi,16", 'B,placebo,week 1,bdi,"16,5"')},
        ["must hold numbers", "16.5"],
        "data/scores.csv, line 5",
    ),
    "a subject in two arms": (
        {"scores": ("B,placebo,week 1", "B,hmo,week 1")},
        ['"B" must be in one arm', '"hmo" here', '"placebo" in line 4'],
        "data/scores.csv, line 5",
    ),
    "a subject in two arms of two tables": (
        {"samples": ("b0,B,placebo,baseline\nb1,B,placebo", "b0,B,hmo,baseline\nb1,B,hmo")},
        ['"B" must be in one arm'],
        "",
    ),
    "duplicate rows": (
        {"scores": ("B,placebo,week 1,bdi,16\n", "B,placebo,week 1,bdi,16\nB,placebo,week 1,bdi,17\n")},
        ["Rows must be unique", "stands already in line 5"],
        "data/scores.csv, line 6",
    ),
    "negative count": (
        {"taxa": ("a1,140,", "a1,-140,")},
        ["whole numbers, 0 or more", "got -140", "g__Bifidobacterium"],
        "data/taxa.csv, line 3",
    ),
    "fractional count": (
        {"taxa": ("a1,140,", "a1,140.5,")},
        ["whole numbers, 0 or more", "got 140.5", "kind: fractions"],
        "data/taxa.csv, line 3",
    ),
    "text in the feature table": (
        {"taxa": ("a1,140,", "a1,many,")},
        ['"g__Bifidobacterium" must hold numbers', '"many"'],
        "data/taxa.csv, line 3",
    ),
    "empty file": ({"scores": (None, "")}, ["the file is empty"], "data/scores.csv"),
    "header alone": ({"scores": (None, "subject_id,arm,visit,outcome,value\n")}, ["must have rows"], "data/scores.csv"),
    "impossible score": (
        {"scores": ("bdi,16", "bdi,160")},
        ["between 0 and 63", "got 160"],
        "data/scores.csv, line 5",
    ),
    "an arm that the protocol does not have": (
        {"scores": ("F,hmo,week 1", "F,hmmo,week 1")},
        ['"hmmo"', 'did you mean "hmo"?'],
        "",
    ),
    "unknown key of the mapping": (
        {"mapping": ("kind: counts", "kinds: counts, kind: counts")},
        ['"kinds"', 'did you mean "kind"?'],
        "data/mapping.yaml, line 6",
    ),
    "a file that the mapping names and that is not there": (
        {"mapping": ("file: taxa.csv", "file: taxas.csv")},
        ["must exist", 'did you mean "taxa.csv"?'],
        "data/taxas.csv",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_refused_with_file_and_line(vagus, data, refused, what, tmp_path):
    changes, words, place = WRONG[what]
    empty = {name: text for name, (old, text) in changes.items() if old is None}
    folder = data(**{name: change for name, change in changes.items() if name not in empty})
    for name, text in empty.items():
        (tmp_path / folder / f"{name}.csv").write_text(text)
    result = analyze(vagus, folder, "--out", "runs/analysis")
    several = len(result.err.splitlines()) - 1 or 1
    refused(result, *words, place, problems=several)


def test_unknown_taxa_are_counted_and_reported(vagus, data):
    """Not fatal: they count in the total of a sample, and the notes say so."""
    folder = data(taxa=("g__Faecalibacterium", "OTU_0017"))
    result = analyze(vagus, folder, "--json")
    assert result.code == 0, result.err
    found = [note for note in json.loads(result.out)["notes"] if note.startswith("taxa.csv: 1 of 3 taxa ")]
    assert len(found) == 1
    assert "OTU_0017" in found[0]
    in_words = analyze(vagus, folder)
    assert in_words.code == 0, in_words.err
    assert found[0] in " ".join(in_words.out.split())


def test_a_folder_that_does_not_exist(vagus, data, refused):
    data()
    refused(analyze(vagus, "dta"), "existing folder", 'did you mean "data"?', line="dta")
    refused(analyze(vagus, "no/where"), 'there is no folder "no" either', line="no/where")
    refused(vagus("analyze", "small.yaml"), "existing folder", line="runs/small")


def test_an_empty_folder(vagus, data, refused, tmp_path):
    data()
    (tmp_path / "empty").mkdir()
    refused(analyze(vagus, "empty"), "empty", line="empty")


def test_a_mapping_that_does_not_exist(vagus, data, refused):
    folder = data()
    refused(analyze(vagus, folder, "--mapping", "other.yaml"), 'got "other.yaml"', line="other.yaml")


def test_data_without_permission(vagus_as_nobody, plain_folder):
    (plain_folder / "small.yaml").write_text(SMALL)
    (plain_folder / "scores.csv").write_text(SCORES)
    (plain_folder / "scores.csv").chmod(0)
    result = vagus_as_nobody("analyze", "small.yaml", "scores.csv")
    assert (result.code, result.out) == (1, "")
    assert result.err.rstrip().endswith("got: Permission denied; check its permissions. (scores.csv)")


def test_an_unknown_study_is_refused_before_the_data_are_read(vagus, data, refused):
    result = analyze(vagus, data(), "--set", "published=jackson2023_eficad")
    refused(result, "jackson2023_efficad", line="--set published=jackson2023_eficad")


def test_the_report_never_replaces_the_data(vagus, data, refused, tmp_path):
    folder = data()
    (tmp_path / folder / "run.json").write_text('{"vagus": "0.1.0", "status": "complete"}')
    before = sorted(path.name for path in (tmp_path / folder).iterdir())
    refused(analyze(vagus, folder, "--out", folder, "--force"), "must not be the folder of the data", line=folder)
    assert sorted(path.name for path in (tmp_path / folder).iterdir()) == before


def test_exit_code_and_streams_of_a_process(process, data, refused):
    folder = data(scores=("B,placebo,week 1,bdi,16", "B,placebo,week 1,bdi,sixteen"))
    refused(analyze(process, folder, "--json"), '"sixteen"', line="data/scores.csv, line 5")
