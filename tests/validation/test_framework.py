"""Table, functions and command: what misses is seen, what is excused is counted apart."""

from __future__ import annotations

import json
import math

import pytest
from small_trial import vagus_in

import vagus.validation
from vagus.cli.validate import closing_lines, table_lines
from vagus.errors import ModelError
from vagus.validation import Check, benchmarks, check_submodels, checks, summary
from vagus.validation.benchmarks import COLUMNS, DATA, OWN, PUBLISHED, read_benchmarks
from vagus.validation.registry import Measurement, NotRun, match, measurements


def row(name: str, expected: float, *, kind: str = PUBLISHED, tolerance: float = 0.01, miss: str = "", **other: str):
    cells = {
        "submodel": "immune",
        "benchmark": name,
        "kind": kind,
        "expected": str(expected),
        "tolerance": str(tolerance),
        "tolerance_kind": "relative",
        "unit": "pg/ml",
        "source": "windoloski2024",
        "accepted_miss": miss,
        "description": "planted",
    }
    return cells | other


@pytest.fixture
def planted(monkeypatch, tmp_path):
    """Run the command on planted rows: name -> (row, value or error)."""

    def run(rows: dict[str, tuple[dict[str, str], float | Exception]], *arguments: str, slow: tuple[str, ...] = ()):
        table = read_benchmarks(cells for cells, _ in rows.values())

        def function(name: str, value: float | Exception) -> Measurement:
            def compute() -> dict[str, float]:
                if isinstance(value, Exception):
                    raise value
                return {name: value}

            return Measurement((name,), compute, name in slow)

        functions = tuple(function(name, value) for name, (_, value) in rows.items())
        monkeypatch.setattr(vagus.validation, "benchmarks", lambda: table)
        monkeypatch.setattr(checks, "benchmarks", lambda: table)
        monkeypatch.setattr(checks, "measurements", lambda: functions)
        return vagus_in(tmp_path, "validate", "submodels", *arguments)

    return run


def test_a_planted_miss_exits_with_2(planted):
    rows = {"a": (row("a", 100), 100.9), "b": (row("b", 100), 101.1)}
    result = planted(rows, "--json")
    assert result.code == 2
    answer = json.loads(result.out)
    assert answer["ok"] is False
    assert [item["ok"] for item in answer["checks"]] == [True, False]
    assert planted({"a": rows["a"]}, "--json").code == 0


def test_an_accepted_miss_does_not(planted):
    rows = {"a": (row("a", 100), 100.0), "b": (row("b", 100, miss="the paper rounds"), 150.0)}
    result = planted(rows, "--json")
    assert result.code == 0
    answer = json.loads(result.out)
    assert answer["ok"] is True
    met, missed = answer["checks"]
    assert met["ok"] is True
    assert "accepted_miss" not in met
    assert missed["ok"] is False
    assert missed["accepted_miss"] == "the paper rounds"
    assert answer["counts"]["accepted_misses"] == 1
    assert answer["counts"]["validation_met"] == 1
    assert "Misses for a stated reason (acc): 1." in planted(rows).out


@pytest.mark.parametrize("value", [math.nan, math.inf, ModelError("the step size became too small")])
def test_no_value_is_never_an_accepted_miss(planted, value):
    rows = {"a": (row("a", 100, miss="the paper rounds"), value), "b": (row("b", 1), 1.0)}
    result = planted(rows, "--json")
    assert result.code == 2
    missed, met = json.loads(result.out)["checks"]
    assert missed["value"] is None
    assert missed["ok"] is False
    assert "accepted_miss" not in missed
    assert met["ok"] is True  # one model that cannot run does not hide the others
    if isinstance(value, ModelError):
        assert missed["error"] == str(value)


def test_regression_is_counted_apart(planted):
    rows = {
        "a": (row("a", 1, kind=DATA), 1.0),
        "b": (row("b", 1, kind=PUBLISHED), 1.0),
        "c": (row("c", 1, kind=OWN), 1.0),
        "d": (row("d", 1, kind=OWN), 2.0),
    }
    result = planted(rows, "--json")
    assert result.code == 2  # a change that nobody stated is a failure, though no failed validation
    counts = json.loads(result.out)["counts"]
    assert (counts["validation"], counts["validation_met"]) == (2, 2)
    assert (counts["regression"], counts["regression_met"]) == (2, 1)


def test_what_the_json_says_of_a_check(planted):
    result = planted({"a": (row("a", 200, kind=DATA), 199.0)}, "--json")
    (check,) = json.loads(result.out)["checks"]
    assert check == {
        "name": "a",
        "submodel": "immune",
        "kind": "data",
        "value": 199.0,
        "expected": 200.0,
        "tolerance": 2.0,
        "tolerance_relative": 0.01,
        "unit": "pg/ml",
        "source": "windoloski2024",
        "ok": True,
    }
    assert abs(check["value"] - check["expected"]) <= check["tolerance"]
    assert result.err == ""


def test_slow_ones_are_named_and_run_when_asked_for(planted):
    rows = {"a": (row("a", 1), 1.0), "b": (row("b", 1), 5.0)}
    quick = planted(rows, "--json", slow=("b",))
    assert quick.code == 0
    assert json.loads(quick.out)["not_run"] == [{"name": "b", "reason": "slow: run it with --slow"}]
    assert [item["name"] for item in json.loads(quick.out)["checks"]] == ["a"]
    assert "Not run (slow: run it with --slow): b." in planted(rows, slow=("b",)).out
    assert planted(rows, "--json", "--slow", slow=("b",)).code == 2


def test_what_cannot_run_here_neither_passes_nor_fails(planted):
    rows = {"a": (row("a", 1), 1.0), "b": (row("b", 1), NotRun("the package x is not installed"))}
    result = planted(rows, "--json")
    assert result.code == 0
    answer = json.loads(result.out)
    assert answer["not_run"] == [{"name": "b", "reason": "the package x is not installed"}]
    assert answer["counts"]["validation"] == answer["counts"]["validation_met"] == answer["counts"]["not_run"] == 1
    words = planted(rows).out
    assert "Not run (the package x is not installed): b." in words
    assert "BAD" not in words


def test_only_one_submodel(planted):
    rows = {"a": (row("a", 1), 1.0), "b": (row("b", 1, submodel="colon"), 5.0)}
    result = planted(rows, "--json", "--only", "immune")
    assert result.code == 0
    assert [item["name"] for item in json.loads(result.out)["checks"]] == ["a"]
    refused = planted(rows, "--only", "imune")
    assert refused.code == 1
    assert refused.out == ""
    assert 'did you mean "immune"' in refused.err


def test_the_table_reads_well_in_narrow_terminals():
    real = [Check(item, item.expected * 1.0001, "") for item in benchmarks()]
    odd = next(item for item in benchmarks() if item.accepted_miss)
    real += [Check(odd, odd.expected + 3 * odd.allowed), Check(odd, math.nan, "the step size became too small " * 5)]
    for width in (60, 80):
        lines = [words for words, _ in (*table_lines(real, width), *closing_lines(real, width))]
        assert max(map(len, lines)) <= width
        text = "\n".join(lines)
        for item in benchmarks():
            assert f"{item.expected:.4g}" in text
            assert item.name.split()[0] in text
        words = " ".join(text.split())
        assert f"accepted: {odd.accepted_miss}" in words
        assert "against own reference runs (regression)" in words or width == 60
        assert "BAD" in text


def test_what_to_validate_must_be_said(tmp_path):
    result = vagus_in(tmp_path, "validate")
    assert result.code == 1
    assert result.err == "Say what to validate: submodels. Try: vagus validate --help\n"


def test_the_table_is_plain_where_the_encoding_is(tmp_path, planted):
    result = planted({"a": (row("a", 100), 100.0)})
    assert "± 1 %" in result.out
    assert "\x1b" not in result.out


def test_every_row_has_its_function_and_every_function_its_row():
    match(measurements(), [item.name for item in benchmarks()])


def test_what_does_not_match_is_refused():
    def none() -> dict[str, float]:
        return {}

    one, two = Measurement(("a",), none, False), Measurement(("a", "b"), none, False)
    with pytest.raises(ModelError, match='benchmark "c" has no function'):
        match([one], ["a", "c"])
    with pytest.raises(ModelError, match='function for "b" has no row'):
        match([two], ["a"])
    with pytest.raises(ModelError, match='benchmark "a" has two functions'):
        match([one, two], ["a", "b"])
    with pytest.raises(ModelError, match="none must give exactly the benchmarks that it names; see a, b"):
        two.values()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "paper"}, "must have a kind of data, published model, own reference run"),
        ({"tolerance_kind": "percent"}, "must have a tolerance_kind of relative, absolute"),
        ({"source": "nobody1900"}, 'names the source "nobody1900"'),
        ({"expected": "much"}, "must have a number that is expected"),
        ({"tolerance": "0"}, "a positive tolerance"),
        ({"expected": "0"}, "expects 0, which no relative tolerance fits"),
        ({"unit": ""}, "has no unit"),
        ({"description": ""}, "has no description"),
    ],
)
def test_an_unclear_row_is_refused(change, said):
    with pytest.raises(ModelError, match=said):
        read_benchmarks([row("a", 1) | change])


def test_all_problems_of_the_table_are_said_at_once():
    with pytest.raises(ModelError) as caught:
        read_benchmarks([row("a", 1, unit=""), row("a", 1, kind="paper")])
    for said in ("has no unit", "must have a kind", '"a" stands 2 times'):
        assert said in str(caught.value)
    extra = row("b", 1)
    del extra["unit"]
    with pytest.raises(ModelError, match=f"must have the columns {', '.join(COLUMNS)}"):
        read_benchmarks([extra])


def test_summary_of_nothing():
    assert set(summary([]).values()) == {0}
    assert list(check_submodels(["reynolds2006"]))
