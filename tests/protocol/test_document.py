"""Reading YAML: values with lines, nothing executed, hostile files refused quickly."""

from __future__ import annotations

import json
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import InputError
from vagus.protocol.document import MOST_BYTES, Place, inspect, override, quote_unit_lists, read


def problem(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(text, "p.yaml")
    return str(caught.value)


def test_values_and_lines() -> None:
    document = read("a: 1\nb:\n  c: [x, 2.5, true, null, '3']\n  d: 2001-01-01\n", "p.yaml")
    assert document.data == {"a": 1, "b": {"c": ["x", 2.5, True, None, "3"], "d": "2001-01-01"}}
    assert document.place(("b", "c")) == Place("p.yaml", 3)
    assert document.place(("b", "c", "4")) == Place("p.yaml", 3)
    assert document.place(("b", "d")) == Place("p.yaml", 4)
    assert document.place(("b", "nothing")) == Place("p.yaml", 2)
    assert document.place(("nothing",)) == Place("p.yaml", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'A protocol must not be empty; start with "vagus: 1" or copy one of "vagus protocols". (p.yaml)'),
        ("# no more\n", 'A protocol must not be empty; start with "vagus: 1"'),
        ("just words", 'A protocol must be YAML made of "key: value" lines, got a text or number; start with'),
        ("\n- a\n- b", 'got a list; start with "vagus: 1". (p.yaml, line 2)'),
        ("vagus: 1\na: [1, 2\nb: 3", "The file must be YAML, got a syntax error"),
        (
            "vagus: 1\na: b: c",
            "mapping values are not allowed here; check brackets, colons and indents. (p.yaml, line 2)",
        ),
        ("a: 1\nb: @x", "(p.yaml, line 2)"),
        (
            "a: 1\n---\nb: 2",
            "A file must hold one protocol, got a second one; remove it from this line on. (p.yaml, line 2)",
        ),
        ("a: 1\nb: 2\na: 3", 'A key must stand once, got "a" again (first in line 1); remove one. (p.yaml, line 3)'),
        ("? [a]\n: 2", "A key must be a plain word"),
        ('a: "\\ud800"', "A text must be made of whole characters"),
        ("\x00\x01", "A protocol must be plain text, got a control character"),
        ("a: 1\nb: \x07", "(p.yaml, line 2)"),
        (b"a: 1\nb: \xff", "A protocol must be UTF-8 text, got other bytes; save the file as UTF-8. (p.yaml, line 2)"),
    ],
)
def test_what_is_no_protocol(text: str | bytes, message: str) -> None:
    assert message in problem(text)


def test_tags_anchors_and_aliases_are_refused_and_never_executed(tmp_path: object) -> None:
    text = "a: !!python/object/apply:os.system ['exit 3']\nb: &x [1]\nc: *x\nd: !mine 3\n"
    lines = problem(text).splitlines()
    assert lines == [
        'Tags are not read, got "!!python/object/apply:os.system"; write the plain value. (p.yaml, line 1)',
        'Anchors are not read, got "&x"; write the value out where it is needed. (p.yaml, line 2)',
        'Aliases are not read, got "*x"; write the value out. (p.yaml, line 3)',
        'Tags are not read, got "!mine"; write the plain value. (p.yaml, line 4)',
    ]


def test_large_deep_and_swarming_files_are_refused_quickly() -> None:
    start = time.perf_counter()
    assert "at most 256 kB, got 50.0 MB" in problem(b"a: 1\n" * 10_000_000)
    assert time.perf_counter() - start < 0.5  # before parsing
    assert "at most 16 levels deep" in problem("a: " + "[" * 5_000)
    assert "at most 5000 values" in problem("a: [" + "0," * 5_100 + "0]")
    laughs = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*{'a' if i == 0 else f'b{i - 1}'}, *a]\n" for i in range(30))
    assert "Aliases are not read" in problem(laughs)


def test_the_limit_is_on_bytes() -> None:
    assert read("a: " + "x" * (MOST_BYTES - 3), "p.yaml").data["a"].startswith("xxx")
    assert "at most 256 kB" in problem("a: " + "ä" * (MOST_BYTES // 2))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{visits: [0, 4] wk, n: 2}", {"visits": "[0, 4] wk", "n": 2}),
        ("visits: [0, 4] wk", {"visits": "[0, 4] wk"}),
        ("visits: [0, 4] wk  # comment: [1] wk", {"visits": "[0, 4] wk"}),
        ("visits: '[0, 4] wk'", {"visits": "[0, 4] wk"}),
        ('visits: "[0, 4] wk"', {"visits": "[0, 4] wk"}),
        ("visits: [0, 4]", {"visits": [0, 4]}),
        ("visits: [0 wk, 4 wk]", {"visits": ["0 wk", "4 wk"]}),
        ("visits: [0,\n  4] wk\nb: 1", {"visits": "[0, 4] wk", "b": 1}),
        ("title: seen: [0, 4] wk".replace(": [", " at [0] wk, ["), {"title": "seen at [0] wk, [0, 4] wk"}),
        ('title: "x: [0, 4] wk"', {"title": "x: [0, 4] wk"}),
        ("title: 'it''s: [0, 4] wk'", {"title": "it's: [0, 4] wk"}),
        ("title: 2'-FL and [0, 4] wk", {"title": "2'-FL and [0, 4] wk"}),
        (
            "note: |\n  visits: [0, 4] wk\n\n  more: [1] d\nb: [2] d",
            {"note": "visits: [0, 4] wk\n\nmore: [1] d\n", "b": "[2] d"},
        ),
        ("{2'-FL: 4 g/day, visits: [0] d}", {"2'-FL": "4 g/day", "visits": "[0] d"}),
    ],
)
def test_one_unit_behind_a_list(text: str, value: object) -> None:
    assert read(text, "p.yaml").data == value


def test_quoting_keeps_lines() -> None:
    text = "a: [0,\n 4] wk\nb: &x 1\n"
    assert quote_unit_lists(text).count("\n") == text.count("\n")
    assert "line 3" in problem(text)


dump = partial(json.dumps, ensure_ascii=False)
words = st.text(
    st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\x85\u2028\u2029"), max_size=12
)


@given(st.dictionaries(words, st.one_of(words, st.integers(-9, 9), st.booleans(), st.none()), min_size=1, max_size=4))
def test_quoted_values_are_never_touched(values: dict[str, object]) -> None:
    text = "\n".join(f"{dump(key)}: {dump(value)}" for key, value in values.items())
    assert quote_unit_lists(text) == text
    assert read(text, "p.yaml").data == values


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        document, _ = inspect(text, "p.yaml")
    except InputError:
        return
    assert isinstance(document.data, dict)


def test_settings_replace_add_and_name_themselves() -> None:
    document = read("a: {b: 1, c: [x, y]}\n", "p.yaml")
    changed = override(document, {"a.b": "[0, 4] wk", "a.c.1": "5 g/day", "d.e": "2", "a.f": ""})
    assert changed.data == {"a": {"b": "[0, 4] wk", "c": ["x", "5 g/day"], "f": None}, "d": {"e": 2}}
    assert changed.place(("a", "b")) == Place("--set a.b=[0, 4] wk", 0)
    assert changed.place(("a", "c", "0")) == Place("p.yaml", 1)
    assert document.data == {"a": {"b": 1, "c": ["x", "y"]}}


def test_wrong_settings_all_at_once() -> None:
    document = read("a: {b: 1, c: [x, y]}\n", "p.yaml")
    with pytest.raises(InputError) as caught:
        override(document, {"a.b.d": "1", "a.c.5": "z", "a..b": "1", "a.b": "[1"})
    assert [str(item) for item in caught.value.problems] == [
        '"a.b" is a plain value, so "a.b.d" cannot be set; write "--set a.b=...". (--set a.b.d=1)',
        '"a.c" is a list of 2, got "5"; write a position from 0. (--set a.c.5=z)',
        'A setting must be a path of keys, got "a..b"; write "population.n=40". (--set a..b=1)',
        "The file must be YAML, got a syntax error: expected ',' or ']', but got '<stream end>' "
        "(the part that starts in line 1); check brackets, colons and indents. (--set a.b=[1)",
    ]
