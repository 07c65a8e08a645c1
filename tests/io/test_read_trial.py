"""Reading real trials: mapping files, tidy tables, feature tables, run folders; and every kind of bad input."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vagus.errors import InputError
from vagus.io import read_protocol, read_trial, write_trial
from vagus.io.tables import read_table
from vagus.trial import TrialData
from vagus.trial.checks import check_trial

Writer = Callable[..., Path]

LONG = """\
subject_id,arm,visit,outcome,value
S1,placebo,baseline,isi,14
S1,placebo,week 8,isi,12
S2,hmo,baseline,isi,16
S2,hmo,week 8,isi,9
"""

MAPPING = """\
vagus: 1
visits: {pre: baseline, post: {label: week 8, day: 57}}
arms: {P: placebo, H: hmo}
tables:
  - file: scores.csv
    subject: id
    arm: group
    visit: when
    outcomes: {ISI_total: isi, TST: {outcome: tst_diary_h, unit: min}}
    covariates: [age]
    missing: [-99]
"""

SCORES = """\
id,group,when,ISI_total,TST,age,comment
a,P,pre,14,420,30,fine
a,P,post,12,450,30,
b,H,pre,16,-99,41,"two
lines"
b,H,post,9,480,41,
c,H,pre,,,29,never came back
"""


@pytest.fixture
def write(tmp_path) -> Writer:
    """Write files into a folder and return it; bytes are written as they are."""

    def write_files(**files: str | bytes) -> Path:
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            path = folder / name.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write_files


def problems(folder: Path, **options) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_trial(folder, **options)
    return [str(problem).replace(str(folder) + os.sep, "") for problem in caught.value.problems]


def one(folder: Path, **options) -> str:
    found = problems(folder, **options)
    assert len(found) == 1, found
    return found[0]


# --- what is read


def test_tidy_long_table_needs_no_mapping(write):
    data = read_trial(write(outcomes__csv=LONG))
    assert data.subjects[["subject_id", "arm", "status"]].values.tolist() == [
        ["S1", "placebo", "ok"],
        ["S2", "hmo", "ok"],
    ]
    row = data.outcomes.set_index(["subject_id", "visit"]).loc[("S2", "week 8")]
    assert (row["outcome"], row["day"], row["value"], row["baseline"], row["change"]) == ("isi", 56, 9, 16, -7)
    assert check_trial(data) == []


def test_single_file_and_other_delimiters(write):
    folder = write(a__csv=LONG.replace(",", ";"), b__tsv=LONG.replace(",", "\t"), c__txt=LONG.replace(",", "\t"))
    whole = [read_trial(folder / name).outcomes for name in ("a.csv", "b.tsv", "c.txt")]
    for other in whole[1:]:
        pd.testing.assert_frame_equal(whole[0], other)


def test_wide_table_understands_aliases_and_gzip(write):
    text = "subject_id,arm,visit,ISI,butyrate,note\nS1,a,baseline,14,9.5,x\nS1,a,week 4,12,8.5,y\n"
    data = read_trial(write(study__csv__gz=gzip.compress(text.encode())))
    assert sorted(set(data.outcomes["outcome"])) == ["faecal_butyrate_mmol_kg", "isi"]
    assert "study.csv.gz: columns not read: note" in data.notes


def test_byte_order_mark_and_windows_lines(write):
    data = read_trial(write(outcomes__csv=b"\xef\xbb\xbf" + LONG.replace("\n", "\r\n").encode()))
    assert len(data.outcomes) == 4


def test_mapping_translates_words_units_and_missing_marks(write):
    data = read_trial(write(mapping__yaml=MAPPING, scores__csv=SCORES))
    assert data.subjects.values.tolist() == [
        ["a", "placebo", "ok", 30.0],
        ["b", "hmo", "ok", 41.0],
        ["c", "hmo", "no value was found", 29.0],
    ]
    assert list(data.subjects.columns) == ["subject_id", "arm", "status", "age"]
    table = data.outcomes.set_index(["subject_id", "visit", "outcome"])
    assert table.loc[("a", "week 8", "tst_diary_h"), "change"] == pytest.approx(0.5)
    assert table.loc[("b", "week 8", "isi"), "day"] == 57
    assert np.isnan(table.loc[("b", "week 8", "tst_diary_h"), "baseline"])
    notes = "\n".join(data.notes)
    assert "mapping: mapping.yaml" in notes
    assert '"TST" converted from min to tst_diary_h' in notes
    assert "isi: 1 of 5 cells are empty" in notes
    assert "tst_diary_h: 2 of 5 cells are empty" in notes
    assert "columns not read: comment" in notes


def test_left_out_visits_take_rows_but_no_subject(write):
    text = SCORES + "d,P,screening,20,400,50,\n"
    data = read_trial(write(mapping__yaml=MAPPING.replace("{pre:", "{screening: null, pre:"), scores__csv=text))
    assert data.subjects.set_index("subject_id").loc["d", "status"] == "no value was found"
    assert any("1 rows of visits that the mapping leaves out (screening)" in note for note in data.notes)


def test_repeats_are_averaged_only_when_asked(write):
    text = SCORES + "a,P,pre,16,430,30,second form\n"
    folder = write(mapping__yaml=MAPPING, scores__csv=text)
    # The quoted cell spans two lines, so the last row stands in line 8.
    assert one(folder) == (
        'Rows must be unique, subject_id "a", visit "baseline" stands already in line 2; keep one, or write '
        '"repeats: mean" in the mapping to average them. (scores.csv, line 8)'
    )
    write(mapping__yaml=MAPPING.replace("    visit: when", "    visit: when\n    repeats: mean"))
    data = read_trial(folder)
    value = data.outcomes.set_index(["subject_id", "visit", "outcome"]).loc[("a", "baseline", "isi"), "value"]
    assert value == 15
    assert any("several rows of one subject and visit averaged (9 values to 7)" in note for note in data.notes)


def test_baseline_column_fills_in_and_must_agree(write):
    text = "subject_id,arm,visit,outcome,value,baseline\nS1,a,week 8,isi,10,14\nS2,a,week 8,isi,9,15\n"
    data = read_trial(write(outcomes__csv=text))
    assert data.outcomes["change"].tolist() == [-4, -6]
    assert any("2 baselines taken from the column" in note for note in data.notes)
    assert 'Column "baseline" must agree with the baseline visit, got 14 and 13' in one(
        write(outcomes__csv=text + "S1,a,baseline,isi,13,13\n")
    )


def test_unknown_outcome_is_set_aside_and_said(write):
    data = read_trial(write(outcomes__csv=LONG + "S1,placebo,week 8,isii,3\nS1,placebo,week 8,Insomnia Severity,3\n"))
    assert len(data.outcomes) == 4
    assert any('outcome "isii" set aside (1 rows; did you mean "isi"?)' in note for note in data.notes)


# --- feature tables

SAMPLES = "sample_id,subject_id,visit\nx1,S1,baseline\nx2,S1,week 8\nx3,S2,baseline\nx4,S2,week 8\n"
COUNTS = """\
sample_id,Bacteria;Firmicutes,Bifidobacterium-longum,d__B;p__A;g__Bifidobacterium,Blautia_A
x1,10,30,10,50
x2,0,60,0,40
x3,0,0,0,100
x4,0,0,0,0
"""


def test_bifidobacterium_is_the_sum_of_its_columns(write):
    data = read_trial(write(outcomes__csv=LONG, samples__csv=SAMPLES, features__csv=COUNTS))
    assert data.feature_kind == "counts"
    assert data.features.dtypes.map(lambda kind: kind.kind).tolist() == ["i"] * 4
    share = data.outcomes[data.outcomes["outcome"] == "bifidobacterium_rel_abundance_pct"]
    found = share.set_index(["subject_id", "visit"])["value"].to_dict()
    # A sample without reads has no share; it is no zero.
    assert found == {("S1", "baseline"): 40.0, ("S1", "week 8"): 60.0, ("S2", "baseline"): 0.0}
    notes = "\n".join(data.notes)
    assert "features.csv: read as counts (by its numbers)" in notes
    assert "1 of 4 taxa name no genus that can be read" in notes
    assert "1 samples have no reads at all" in notes
    assert "sum of 2 columns of the genus" in notes


def test_features_by_column_and_as_percent(write):
    turned = "taxon\tx1\tx2\tx3\tx4\nBifidobacterium\t5\t10\t0\t2.5\nBlautia\t95\t90\t100\t97.5\n"
    mapping = """\
tables:
  - {file: outcomes.csv, subject: subject_id, arm: arm, visit: visit, outcome: outcome, value: value}
  - {file: samples.csv, subject: subject_id, visit: visit, sample: sample_id}
features: {file: taxa.tsv, kind: percent, orientation: taxa x samples}
"""
    data = read_trial(write(mapping__yaml=mapping, outcomes__csv=LONG, samples__csv=SAMPLES, taxa__tsv=turned))
    share = data.outcomes[data.outcomes["outcome"] == "bifidobacterium_rel_abundance_pct"]
    assert share["value"].tolist() == [5, 10, 0, 2.5]
    assert data.feature_kind == "fractions"
    assert "taxa.tsv: percentages divided by 100" in data.notes


def test_no_column_of_the_genus_is_no_zero(write):
    features = "sample_id,Blautia\nx1,5\nx2,6\nx3,7\nx4,8\n"
    data = read_trial(write(outcomes__csv=LONG, samples__csv=SAMPLES, features__csv=features))
    assert set(data.outcomes["outcome"]) == {"isi"}
    assert any("no column of the feature table is of the genus Bifidobacterium" in note for note in data.notes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "x2,0,60,0,40",
            "x2,0,-60,0,40",
            'whole numbers, 0 or more, got -60 for "Bifidobacterium-longum"; give the raw reads, or write kind: '
            "fractions in the mapping. (features.csv, line 3)",
        ),
        (
            "x3,0,0,0,100",
            "x3,0,0.5,0,100",
            "fractions between 0 and 1, got 10 for ",  # not whole numbers: taken for fractions
        ),
        ("x3,0,0,0,100", "x3,0,many,0,100", '"Bifidobacterium-longum" must hold numbers, got "many"'),
        ("x3,0,0,0,100", "x3,0,,0,100", 'got no value for "Bifidobacterium-longum"'),
        ("x4,", "x1,", 'A row name must stand once, got "x1" again (first in line 2)'),
        ("x3,0,0,0,100", "x3,0,0,0", "A row must have 5 cells as the header has, got 4"),
    ],
)
def test_bad_features(write, old, new, message):
    found = problems(write(outcomes__csv=LONG, samples__csv=SAMPLES, features__csv=COUNTS.replace(old, new)))
    assert message in found[0]


def test_fractional_counts_are_refused_when_counts_are_said(write):
    mapping = """\
tables:
  - {file: outcomes.csv, subject: subject_id, arm: arm, visit: visit, outcome: outcome, value: value}
  - {file: samples.csv, subject: subject_id, visit: visit, sample: sample_id}
features: {file: taxa.csv, kind: counts}
"""
    features = COUNTS.replace("x3,0,0,0,100", "x3,0,0.5,0,100")
    folder = write(mapping__yaml=mapping, outcomes__csv=LONG, samples__csv=SAMPLES, taxa__csv=features)
    assert 'must hold whole numbers, 0 or more, got 0.5 for "Bifidobacterium-longum"' in one(folder)
    assert "(taxa.csv, line 4)" in one(folder)


def test_two_ranks_in_one_table_are_refused(write):
    features = "sample_id,Bifidobacterium,Bifidobacterium_longum,Blautia\nx1,0.5,0.5,0.5\nx2,0.1,0.1,0.9\n"
    folder = write(outcomes__csv=LONG, samples__csv=SAMPLES, features__csv=features)
    assert "Fractions of a sample must sum to at most 1, got 1.5 (2 samples)" in one(folder)


def test_samples_of_nobody(write):
    features = COUNTS + "x9,1,1,1,1\n"
    data = read_trial(write(outcomes__csv=LONG, samples__csv=SAMPLES, features__csv=features))
    assert "features.csv: 1 samples of nobody in the sample table set aside" in data.notes
    found = one(write(outcomes__csv=LONG, samples__csv=SAMPLES.replace("\nx", "\ny"), features__csv=COUNTS))
    assert "Samples of the feature table must be those of the sample table" in found


# --- bad input: one message each, with file and line


def test_missing_column_names_the_nearest(write):
    assert one(write(outcomes__csv=LONG.replace(",value", ",valeu"))) == (
        'The table must have a column "value"; did you mean "valeu"? (outcomes.csv, line 1)'
    )
    folder = write(mapping__yaml=MAPPING.replace("ISI_total", "ISI_totl"), scores__csv=SCORES)
    assert one(folder) == ('The table must have a column "ISI_totl"; did you mean "ISI_total"? (scores.csv, line 1)')


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("nine", 'must hold numbers, got "nine"; write a number'),
        ("9,5", 'got "9,5" (decimal comma); write 9.5.'),
        ("1,200", 'got "1,200" (a comma marks neither decimals nor thousands); write 1200 or 1.200.'),
        ("inf", "which is not finite"),
        ("<2", "for example half the detection limit"),
        ("1_0", 'got "1_0"'),
        ("29", "ISI must be between 0 and 28 points, got 29"),
        ("-1", "ISI must be between 0 and 28 points, got -1"),
    ],
)
def test_text_where_a_number_belongs(write, cell, message):
    quoted = f'"{cell}"' if "," in cell else cell
    found = one(write(outcomes__csv=LONG.replace("S2,hmo,week 8,isi,9", f"S2,hmo,week 8,isi,{quoted}")))
    assert message in found
    assert found.endswith("(outcomes.csv, line 5)")


def test_subject_in_two_arms(write):
    assert one(write(outcomes__csv=LONG.replace("S1,placebo,week 8", "S1,hmo,week 8"))) == (
        'Subject "S1" must be in one arm, got "hmo" here and "placebo" in line 2; correct one. (outcomes.csv, line 3)'
    )
    found = problems(write(outcomes__csv=LONG, subjects__csv="subject_id,arm\nS1,hmo\nS2,hmo\n"))
    assert 'Subject "S1" must be in one arm, got "placebo" here and "hmo" in' in found[0]


def test_duplicate_rows(write):
    found = one(write(outcomes__csv=LONG + "S2,hmo,week 8,isi,9\n"))
    assert 'subject_id "S2", visit "week 8", outcome "isi" stands already in line 5' in found
    assert found.endswith("(outcomes.csv, line 6)")


def test_subject_without_arm(write):
    assert (
        'Subject "S2" must have an arm, the cell is empty' in problems(write(outcomes__csv=LONG.replace("hmo", "")))[0]
    )
    text = LONG.replace(",arm", "").replace(",placebo", "").replace(",hmo", "")
    found = one(write(outcomes__csv=text, subjects__csv="subject_id,arm\nS1,placebo\n"))
    assert found == 'Subject "S2" must have an arm in one of the tables, found none. (outcomes.csv, line 4)'
    (write() / "subjects.csv").unlink()
    assert "One table must have the arm of each subject" in one(write(outcomes__csv=text))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "A table must have a header and rows, the file is empty."),
        (b" \n\n", "the file is empty"),
        (b"subject_id,arm,visit,outcome,value\n", "A table must have rows below its header, got none."),
        (b"PK\x03\x04rest", "got a workbook or archive; save the sheet as CSV (UTF-8)."),
        (b"\xff\xfes\0u\0b\0", "must be UTF-8 text, got UTF-16"),
        (
            LONG.replace("S2", "S\u00e9").encode("latin-1"),
            "got the byte 0xE9; save it as CSV (UTF-8). (outcomes.csv, line 4)",
        ),
        (b"subject_id,arm\nS1\0,a\n", "got a binary file. (outcomes.csv, line 2)"),
        (b"\x1f\x8bnot really", "A gzipped file must be whole"),
        (b'subject_id,arm\n"S1,a\nS2,b\n', "check the quotes around this line. (outcomes.csv, line 2)"),
        (LONG.replace(",value", ",value,value").encode(), 'A column name must stand once, got "value" 2 times'),
        (LONG.replace("S2,hmo,week", "S2,week").encode(), "A row must have 5 cells as the header has, got 4"),
    ],
)
def test_files_that_are_no_tables(write, content, message):
    assert message in problems(write(outcomes__csv=content))[0]


def test_too_large_files_are_not_read(write, monkeypatch):
    monkeypatch.setattr("vagus.io.tables.MOST_BYTES", 50)
    assert "A table must be at most" in one(write(outcomes__csv=LONG))
    assert "A table must be at most" in one(write(outcomes__csv=gzip.compress(b"subject_id\n" * 1000)))


def test_folders_that_are_none(tmp_path, write):
    write(outcomes__csv=LONG)
    assert 'found none; did you mean "data"?' in one(tmp_path / "dat")
    assert "there is no folder" in one(tmp_path / "nowhere" / "data")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "A folder of data must hold CSV or TSV tables, found none" in one(empty)
    (empty / "notes.csv").write_text("a,b\n1,2\n")
    (empty / "more.csv").write_text("a,b\n1,2\n")
    assert 'write a "mapping.yaml" beside the tables' in one(empty)
    (empty / "more.csv").unlink()
    assert 'The table must have a column "subject_id"' in one(empty)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind no superuser")
def test_unreadable_file(write):
    folder = write(outcomes__csv=LONG)
    (folder / "outcomes.csv").chmod(0)
    assert "The file must be readable" in one(folder)


def test_unreadable_file_whoever_asks(write, monkeypatch):
    folder = write(outcomes__csv=LONG)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "The file must be readable, got: Permission denied" in one(folder)
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "The folder must be readable, got: Permission denied" in one(folder)


def test_arms_and_visits_are_compared_with_the_protocol(write):
    protocol = read_protocol("hmo-sleep")
    assert read_trial(write(outcomes__csv=LONG), protocol=protocol).outcomes.shape[0] == 4
    folder = write(outcomes__csv=LONG.replace("hmo", "HMO"))
    found = one(folder, protocol=protocol)
    assert 'Arm of the data must be a known one, got "HMO" (2 rows); did you mean "hmo"? Rename it under arms:' in found
    assert found.endswith("(outcomes.csv, line 4)")
    folder = write(outcomes__csv=LONG.replace("week 8", "W8").replace("baseline", "W0"))
    assert "Visits of the data must be those of the protocol (baseline, week 4, week 8" in one(
        folder, protocol=protocol
    )


def test_all_problems_of_all_tables_come_at_once(write):
    folder = write(
        subjects__csv="subject_id,arm,arm\nS1,a,a\n",
        outcomes__csv=LONG.replace(",14", ",x").replace(",16", ",y"),
        samples__csv="sample,subject\n",
    )
    found = problems(folder)
    assert len(found) == 2  # the two tables without the wanted header; cells wait for that
    found = problems(write(subjects__csv="subject_id,arm\nS1,placebo\nS2,a\n", samples__csv=SAMPLES))
    assert [text.split("(")[-1] for text in found] == [
        "outcomes.csv, line 2)",
        "outcomes.csv, line 4)",
        "outcomes.csv, line 4)",
        "outcomes.csv, line 5)",
    ]


def test_many_problems_of_one_kind_are_counted(write):
    rows = "".join(f"T{n},placebo,baseline,isi,bad\n" for n in range(40))
    found = problems(write(outcomes__csv=LONG + rows))
    assert len(found) == 6
    assert found[-1].startswith("And 35 more like these.")


# --- mapping files


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tables:", "table:", 'A key must be a known one, got "table"; did you mean "tables"? (mapping.yaml, line 4)'),
        ("subject: id", "subjct: id", 'got "subjct"; did you mean "subject"? (mapping.yaml, line 6)'),
        (": isi,", ": isii,", 'must be one of the vocabulary, got "isii"; did you mean "isi"? (mapping.yaml, line 9)'),
        (": isi,", ": ISI,", 'An outcome must be written with its id, got "ISI"; write isi.'),
        (": isi,", ": STAI,", "write stai_state or stai_trait."),
        ("unit: min", "unit: mg", 'Unit of tst_diary_h must be "h", got "mg"; add "factor:"'),
        ("unit: min", "factor: -1", 'A factor must be a number above zero, got "-1"'),
        ("vagus: 1", "vagus: 2", 'Version of a mapping must be 1, got "2"'),
        ("day: 57", "day: late", 'must be a number from the start of treatment, got "late"'),
        ("    visit: when\n", "", 'A table with outcomes needs "visit:"'),
        ("    visit: when", "    visit: when\n    value: v", 'A long table needs both "outcome:" and "value:"'),
        ("    visit: when", "    visit: when\n    repeats: max", '"repeats" must be error or mean, got "max"'),
        ("file: scores.csv", "file: ../scores.csv", 'A file must be inside the folder, got "../scores.csv".'),
        ("file: scores.csv", "file: score.csv", 'The file must exist, found none; did you mean "scores.csv"?'),
        ("tables:", "features: {file: t.csv, kind: counts}\ntables:", 'A feature table needs a table with "sample:"'),
        (
            "tables:",
            "control: nobody\ntables:",
            'Control must be an arm of the data, got "nobody"; known: hmo, placebo',
        ),
        (
            "{pre: baseline, ",
            "{prae: baseline, ",
            'Visit of the data must be a known one, got "pre" (3 rows); did you mean',
        ),
        ("{P: placebo, ", "{Q: placebo, ", 'Arm of the data must be a known one, got "P" (2 rows)'),
        ("[age]", "[ISI_total]", 'Covariate "ISI_total" must be one value a subject, got "12" and "14" for "a".'),
        ("vagus: 1", "vagus: [1", "The file must be YAML"),
        ("vagus: 1", "vagus: !!python/object:os.system x", "Tags are not read"),
    ],
)
def test_bad_mappings(write, old, new, message):
    assert old in MAPPING
    found = problems(write(mapping__yaml=MAPPING.replace(old, new), scores__csv=SCORES))
    assert any(message in text for text in found), found


def test_empty_mapping_speaks_of_a_mapping(write):
    assert "A mapping must not be empty" in one(write(mapping__yaml="", scores__csv=SCORES))


def test_mapping_can_be_given(write, tmp_path):
    folder = write(scores__csv=SCORES)
    own = tmp_path / "mine.yaml"
    own.write_text(MAPPING)
    assert len(read_trial(folder, own).subjects) == 3
    assert 'A mapping must be a file or the id of a protocol that ships one (baxter2019), got "nope"' in one(
        folder, mapping="nope"
    )


def test_control_of_mapping_and_protocol_must_be_one(write):
    protocol = read_protocol("hmo-sleep")
    folder = write(mapping__yaml="control: hmo\n" + MAPPING, scores__csv=SCORES)
    assert 'Control of the mapping must be the one of the protocol ("placebo"), got "hmo"' in one(
        folder, protocol=protocol
    )


# --- writing and reading back


@pytest.fixture
def whole(write) -> TrialData:
    events = "subject_id,day,event\nS2,60.5,dropout\n"
    data = read_trial(write(outcomes__csv=LONG, samples__csv=SAMPLES, features__csv=COUNTS, events__csv=events))
    return replace(data, truth=data.outcomes[["subject_id", "arm", "visit", "outcome", "value"]])


def same(one_table: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one_table, other, check_dtype=False, check_index_type=False, check_column_type=False)


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_a_written_trial_reads_back_bit_for_bit(whole, tmp_path, file_format):
    paths = write_trial(tmp_path / "runs" / "one", whole, file_format=file_format)
    assert all(path.exists() for path in paths)
    assert not list((tmp_path / "runs" / "one").glob("*.part"))
    back = read_trial(tmp_path / "runs" / "one")
    for part in ("subjects", "visits", "outcomes", "samples", "features", "events", "truth"):
        same(getattr(back, part), getattr(whole, part))
    assert back.feature_kind == "counts"
    assert back.notes[: len(whole.notes)] == whole.notes


def test_overwriting_must_be_allowed(whole, tmp_path):
    write_trial(tmp_path / "run", whole)
    with pytest.raises(InputError, match="must not overwrite another"):
        write_trial(tmp_path / "run", whole)
    write_trial(tmp_path / "run", whole, overwrite=True)
    with pytest.raises(InputError, match='must be parquet or csv, got "xml"'):
        write_trial(tmp_path / "other", whole, file_format="xml")


def test_folder_that_cannot_be_written(whole, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="The folder must be writable"):
        write_trial(tmp_path / "file" / "run", whole)


def test_broken_runs(whole, tmp_path):
    folder = tmp_path / "run"
    write_trial(folder, whole)
    (folder / "outcomes.parquet").write_bytes(b"PAR1 no")
    assert "The file must be a whole Parquet table" in one(folder)
    write_trial(folder, whole, overwrite=True)
    whole.outcomes.drop(columns="value").to_parquet(folder / "outcomes.parquet")
    assert 'Table outcomes must have a column "value"' in one(folder)
    write_trial(folder, whole, overwrite=True)
    (folder / "trial.json").write_text("{")
    assert "The file must be JSON" in one(folder)
    write_trial(folder, whole, overwrite=True)
    found = problems(folder, protocol=read_protocol("efficad"))
    assert 'got "hmo" (1 subjects)' in found[0]


def test_runs_that_were_stopped(whole, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text('{"status": "running"}')
    assert "it was stopped too early; run it again" in one(folder)
    write_trial(folder, whole)
    assert 'this run is marked "running", not complete: what it holds may be a part' in read_trial(folder).notes
    (folder / "run.json").write_text('{"status": "complete"}')
    assert read_trial(folder).notes == whole.notes


def test_half_a_trial_is_not_written(whole, tmp_path):
    twice = replace(whole, subjects=pd.concat([whole.subjects, whole.subjects]))
    with pytest.raises(InputError, match="Table subjects must hold each subject_id once"):
        write_trial(tmp_path / "run", twice)
    assert not (tmp_path / "run").exists()


def test_lines_count_from_the_file(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('# Constructed from biom file\n\nid\tv\n1\t"a\nb"\n\n2\tc\n')
    table = read_table(path)
    assert (table.header_line, table.frame.index.tolist()) == (3, [4, 7])
