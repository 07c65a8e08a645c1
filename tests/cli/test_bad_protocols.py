"""Every way in which a protocol can be wrong: exit code 1, one message with the line, nothing half-written."""

from __future__ import annotations

import os
import time

import pytest

#: What is wrong -> changes of the small protocol, words of the message, line.
WRONG = {
    "unknown key": ([("schedule: {treat", "schedule: {treet: 2 wk, treat")], ['"treet"', 'did you mean "treat"?'], 10),
    "unknown key at the top": ([("measures:", "mesures: {ISI: visits}\nmeasures:")], ['"mesures"', '"measures"'], 11),
    "unknown product": ([("maltodextrin:", "maltodextrn:")], ['"maltodextrn"', 'mean "maltodextrin"?'], 8),
    "dose without a unit": ([("{2FL: 5 g/day}", "{2FL: 5}")], ["Dose of arm 'hmo'", 'got "5"', '"5 g/day"'], 9),
    "dose with a wrong unit": ([("2FL: 5 g/day", "2FL: 5 mL")], ["mass per day", 'got "5 mL"', '"5 g/day"'], 9),
    "negative dose": ([("2FL: 5 g/day", "2FL: -5 g/day")], ["Dose of arm 'hmo'", '"-5 g/day"'], 9),
    "visit after the end": ([("[0, 1] wk", "[0, 1, 3] wk")], ["week 3", "end of follow-up (day 7"], 10),
    "no control": ([("maltodextrin: 5", "inulin: 5")], ["must have a control arm"], 7),
    "fewer than two an arm": ([("n: 8", "n: 3")], ["at least 2 people", "got 1 in arm"], 5),
    "unclosed bracket": ([("{id: small", "{id: {small")], ["YAML"], None),
    "tabulator": ([("  n: 8", "\tn: 8")], ["YAML"], 5),
    "not a mapping": ([(None, "just a sentence\n")], ['"key: value" lines', "got a text"], 1),
    "empty file": ([(None, "")], ["must not be empty"], 0),
    "blank file": ([(None, "\n\n# nothing\n")], ["must not be empty"], 0),
    "binary": ([(None, "\x89PNG\r\n\x1a\n\0\0\0")], ["UTF-8 text"], 1),
    "control characters": ([("Small trial", "Small\0trial")], ["plain text"], 2),
    "unknown population": (
        [("adults-mild-anxiety-depression", "adult-mild-anxiety")],
        ["Population must be", "did"],
        4,
    ),
    "unknown microbiome": ([("{from: healthy-adults}", "{from: helthy-adults}")], ['"healthy-adults"'], 6),
    "unknown study": ([("arms:", "published: jackson2023_eficad\narms:")], ["jackson2023_efficad"], 7),
    "entry by a blood value": ([("  n: 8", "  n: 8\n  entry: {crp: [0, 3]}")], ["questionnaire", "bdi, stai"], 6),
}


def wrong_protocol(protocol, tmp_path, changes) -> str:
    if changes[0][0] is None:
        (tmp_path / "small.yaml").write_text(changes[0][1], encoding="latin-1", newline="")
        return "small.yaml"
    return protocol(*changes)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("command", ["run", "check", "simulate"])
def test_refused_with_file_and_line(vagus, protocol, refused, tmp_path, what, command):
    changes, words, line = WRONG[what]
    name = wrong_protocol(protocol, tmp_path, changes)
    place = {None: "", 0: name}.get(line, f"{name}, line {line}")
    refused(vagus(command, name), *words, name, line=place)


def test_every_problem_is_said_at_once(vagus, protocol, refused):
    name = protocol(("n: 8", "n: 3"), ("2FL: 5 g/day", "2FL: 5 mL"), ("stool_16S: visits", "stol_16S: visits"))
    result = vagus("run", name)
    refused(result, "4 things to fix:", "at least 2 people", '"5 mL"', '"stol_16S"', "must be measured", problems=4)
    places = [line[line.rindex("(") :] for line in result.err.splitlines()[1:]]
    assert places == ["(small.yaml, line 5)", "(small.yaml, line 9)", "(small.yaml, line 11)", "(small.yaml, line 17)"]


def test_unknown_names_are_said_at_once(vagus, protocol, refused):
    name = protocol(("from: adults-mild-anxiety-depression", "from: nobody"), ("arms:", "published: nowhere\narms:"))
    refused(vagus("run", name), "line 4", "line 7", "the evidence base has", problems=2)


def test_fifty_megabytes_are_not_read(vagus, protocol, refused, tmp_path):
    with (tmp_path / "big.yaml").open("wb") as file:
        for _ in range(50):
            file.write(b"# nothing to see here, move along please\n" * 25_000)
    assert (tmp_path / "big.yaml").stat().st_size > 50_000_000
    start = time.perf_counter()
    result = vagus("run", "big.yaml")
    assert time.perf_counter() - start < 2
    refused(result, "at most", "MB", line="big.yaml")


def test_a_protocol_that_is_not_there(vagus, refused, tmp_path):
    refused(vagus("run", "eficad"), 'got "eficad", which is neither', 'did you mean "efficad"?')
    refused(vagus("check", "there/is/none.yaml"), 'got "there/is/none.yaml", which is neither')
    (tmp_path / "folder").mkdir()
    refused(vagus("run", "folder"), "must be a file, got a folder", line="folder")


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file that exists and cannot be read")
def test_a_protocol_that_cannot_be_read(vagus, refused):
    refused(vagus("run", "/proc/self/mem"), "cannot be read", line="/proc/self/mem")


SETTINGS = {
    "unknown key": ("population.m=8", ['Unknown key "m" in "population"']),
    "unknown key at the top": ("popolation.n=8", ['"popolation"', 'did you mean "population"?']),
    "wrong unit": ("arms.hmo.2FL=5 mL", ["Dose of arm 'hmo'", 'got "5 mL"']),
    "too few people": ("population.n=3", ["at least 2 people"]),
    "text for a number": ("population.n=many", ["Number of people", '"many"']),
    "unknown population": ("population.from=martians", ["Population must be", '"martians"']),
    "unknown study": ("published=jackson2023_eficad", ["jackson2023_efficad"]),
    "not YAML": ("population.n=[1", ["YAML"]),
    "an id that leads elsewhere": ("trial.id=../../etc", ["Trial id must be", '"etc"']),
    "a path through a number": ("population.n.m=3", ["plain value"]),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_wrong_setting_is_named(vagus, protocol, refused, what):
    setting, words = SETTINGS[what]
    refused(vagus("run", protocol(), "--set", setting), *words, line=f"--set {setting}")


def test_settings_need_a_name_and_a_value(vagus, protocol, refused):
    name = protocol()
    refused(vagus("run", name, "--set", "population.n"), 'must be name=value, got "population.n"')
    refused(vagus("run", name, "--set", "=8"), 'must be name=value, got "=8"')
    refused(vagus("run", name, "--set", "population.n=8", "--set", "population.n=9"), "population.n twice")


def test_people_that_cannot_be_found(vagus, protocol, few_candidates, tmp_path):
    """Only the simulation finds out, after the folder was reserved: nothing of it may stay."""
    name = protocol(("  n: 8", "  n: 8\n  entry: {bdi: [62, 63]}"))
    result = vagus("run", name, "--out", "runs/deep/small")
    assert (result.code, result.out) == (1, "")
    message = result.err.splitlines()[-1]
    assert message.startswith("Entry criteria must be met by enough candidates")
    assert message.endswith("(small.yaml, line 6)")
    assert "Traceback" not in result.err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_exit_code_and_streams_of_a_process(process, protocol, refused):
    refused(process("run", protocol(("n: 8", "n: 3"))), "at least 2 people", line="small.yaml, line 5")
