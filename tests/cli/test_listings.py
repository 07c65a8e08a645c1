"""products, protocols, check and doctor: in words, as JSON, and in a narrow terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from vagus.protocol import bundled, products


def in_json(result) -> dict:
    assert result.code == 0, result.err
    assert result.err == ""
    value = json.loads(result.out)
    assert isinstance(value, dict)
    return value


def test_products(vagus):
    listed = in_json(vagus("products", "--json"))["products"]
    assert [item["id"] for item in listed] == list(products())
    milk = next(item for item in listed if item["id"] == "2FL")
    assert milk["composition"]["FL"] == products()["2FL"].composition["FL"]
    assert milk["sources"]
    words = vagus("products", COLUMNS="200")
    assert words.code == 0
    for name, item in products().items():
        assert f"{name}: {item.name}" in words.out
    assert "maltodextrin: maltodextrin (digestible) [comparator]" in words.out


def test_protocols(vagus):
    listed = in_json(vagus("protocols", "--json"))["protocols"]
    assert [item["id"] for item in listed] == list(bundled())
    efficad = next(item for item in listed if item["id"] == "efficad")
    assert efficad["n"] == 92
    assert efficad["arms"] == ["placebo", "OF", "OF+2FL", "2FL"]
    assert efficad["published"] == "jackson2023_efficad"
    words = vagus("protocols")
    assert words.code == 0
    assert all(f"{name}: " in words.out for name in bundled())


def test_a_shown_protocol_reads_back(vagus, tmp_path):
    shown = vagus("protocols", "--show", "efficad")
    assert (shown.code, shown.err) == (0, "")
    (tmp_path / "mine.yaml").write_text(shown.out, encoding="utf-8")
    assert in_json(vagus("check", "mine.yaml", "--json")) == in_json(vagus("check", "efficad", "--json"))
    assert in_json(vagus("protocols", "--show", "efficad", "--json")) == {"id": "efficad", "text": shown.out}


def test_check(vagus):
    found = in_json(vagus("check", "efficad", "--json"))
    assert set(found) == {"ok", "checks", "plan", "rests_on"}
    assert found["ok"] is True
    assert {check["name"]: check["value"] for check in found["checks"]} == {
        "protocol": "efficad",
        "population": "adults-mild-anxiety-depression",
        "baseline microbiome": "healthy-adults",
        "published study": "jackson2023_efficad",
    }
    assert set(found["checks"][0]) == {"name", "value", "expected", "tolerance", "source", "ok"}
    assert found["plan"][0].startswith("primary: BDI-II at week 4, OF+2FL, OF, 2FL against placebo: ancova")
    words = vagus("check", "efficad", COLUMNS="200").out
    assert "BDI-II 14 to 28" in words
    assert "Arm placebo (23 people): maltodextrin (digestible) 10 g/day [control]" in words
    assert words.rstrip().endswith("The protocol is in order.")


def test_check_shows_what_a_setting_changes(vagus):
    assert "People: 40 of" in vagus("check", "efficad", "--set", "population.n=40").out


def test_check_writes_nothing(vagus, tmp_path):
    assert vagus("check", "hmo-sleep").code == 0
    assert list(tmp_path.iterdir()) == []


def test_doctor(vagus):
    found = in_json(vagus("doctor", "--json"))
    assert found["ok"] is True
    assert {check["name"] for check in found["checks"]} >= {"Python", "packages", "model library", "engine", "figures"}
    assert all(set(check) == {"name", "value", "expected", "tolerance", "source", "ok"} for check in found["checks"])


def test_doctor_finds_what_is_broken(vagus, monkeypatch):
    from vagus.cli import checks

    def broken() -> None:
        raise OSError("no such library")

    monkeypatch.setattr(checks, "_engine", broken)
    result = vagus("doctor", "--json")
    assert (result.code, result.err) == (2, "")
    found = json.loads(result.out)
    assert found["ok"] is False
    assert [check["name"] for check in found["checks"] if not check["ok"]] == ["engine"]
    words = vagus("doctor")
    assert words.code == 2
    assert "BAD  engine: OSError: no such library" in words.out
    assert "Something is wrong" in words.out


LISTINGS = (["products"], ["protocols"], ["check", "efficad"], ["check", "hmo-sleep"])


@pytest.mark.parametrize("arguments", LISTINGS, ids=" ".join)
def test_sixty_columns_break_no_word(vagus, arguments):
    narrow, wide = (vagus(*arguments, COLUMNS=columns) for columns in ("60", "100"))
    assert narrow.out.split() == wide.out.split()
    assert "…" not in narrow.out
    too_long = [line for line in narrow.out.splitlines() if len(line) > 60]
    assert all(len(line.split()) == 1 for line in too_long), too_long


def test_output_in_a_pipe_is_plain(process):
    for arguments in (["check", "efficad"], ["products"]):
        result = process(*arguments, TERM="xterm-256color", COLORTERM="truecolor")
        assert result.code == 0
        assert "\x1b" not in result.out + result.err


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_message_is_wrapped_between_words_on_a_terminal(tmp_path, protocol):
    name = protocol(("2FL: 5 g/day", "2FL: 5 mL"), ("n: 8", "n: 3"))
    ours, theirs = os.openpty()
    environment = {**os.environ, "COLUMNS": "60"}
    command = [sys.executable, "-m", "vagus", "check", name]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=theirs) as child:
        os.close(theirs)
        child.wait(60)
    seen = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    assert child.returncode == 1
    assert "\x1b" not in seen
    lines = seen.splitlines()
    assert lines[0] == "2 things to fix:"
    assert len(lines) > 4
    assert max(map(len, lines)) <= 60
    assert 'Dose of arm \'hmo\' must be a mass per day, got "5 mL"; write "5 g/day".' in " ".join(seen.split())


def test_a_submodel_of_infants_is_not_copied(vagus) -> None:
    result = vagus("model", "copy", "infection", "mine")
    assert result.code == 1
    assert 'of the adult axis, got "infection" of infants' in result.err


@pytest.mark.parametrize(
    ("dose", "said"),
    [
        ("2FL 5 gd", 'Dose must be a mass per day, got "5 gd"; write "5 g/day". (--dose)'),
        ("B. breve CCFM1025 5 g/day", 'Dose must be in CFU per day, got "5 g/day"'),
        ("nonsense 5 g/day", 'Unknown product "nonsense"; known: '),
        ("2FL", "--dose must be a product and an amount, got \"2FL\"; write --dose '2FL 5 g/day'"),
    ],
)
def test_a_bad_dose_speaks_of_the_option_alone(vagus, dose, said) -> None:
    assert vagus("model", "copy", "mood", "mine").code == 0
    result = vagus("model", "diff", "mine", "--results", "--dose", dose)
    assert result.code == 1
    assert said in result.err
    assert "arm" not in result.err
