"""``vagus model conformance``: cases that pass, that miss, that are refused, and folders that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
DECAY = f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="decay">
<listOfCompartments><compartment id="c" size="4" spatialDimensions="3" constant="true"/></listOfCompartments>
<listOfSpecies><species id="S" compartment="c" initialAmount="2" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/></listOfParameters>
<listOfReactions><reaction id="R" reversible="false"><listOfReactants>
<speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants>
<kineticLaw><math {MATHML}><apply><times/><ci>k</ci><ci>S</ci><ci>c</ci></apply></math></kineticLaw>
</reaction></listOfReactions></model></sbml>
"""
DELAY = (
    '<listOfEvents><event id="late" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">'
    f"<math {MATHML}><true/></math></trigger><delay><math {MATHML}><cn>2</cn></math></delay></event></listOfEvents>"
)
SETTINGS = """start: 0
duration: 5
steps: 10
variables: S
absolute: 1e-7
relative: 1e-4
amount: S
concentration:
"""


def table(scale: float) -> str:
    """A decay of half a unit of time, known in closed form."""
    times = np.linspace(0, 5, 11)
    return "time,S\n" + "".join(f"{t:g},{scale * np.exp(-t / 2):.12g}\n" for t in times)


AMOUNTS, CONCENTRATIONS = table(2.0), table(0.5)


def write_case(
    folder: Path, name: str, model: str = DECAY, settings: str = SETTINGS, results: str = AMOUNTS, suffix: str = ""
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}{suffix}.xml").write_text(model, encoding="utf-8")
    (folder / f"{name}-settings.txt").write_text(settings, encoding="utf-8")
    (folder / f"{name}-results.csv").write_text(results, encoding="utf-8")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with a case of amounts and one of concentrations."""
    write_case(tmp_path / "suite", "00001")
    asked = SETTINGS.replace("amount: S\nconcentration:", "amount:\nconcentration: S")
    write_case(tmp_path / "suite", "00002", settings=asked, results=CONCENTRATIONS)
    return tmp_path / "suite"


def test_all_pass(vagus, suite):
    result = vagus("model", "conformance", "suite", "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert list(found) == ["ok", "cases", "passed", "failed", "unsupported", "checks"]
    assert (found["ok"], found["cases"], found["passed"]) == (True, 2, 2)
    assert (found["failed"], found["unsupported"]) == ([], [])
    assert [(check["value"], check["expected"], check["ok"]) for check in found["checks"]] == [(2, 2, True)]


def test_a_wrong_value_and_a_refused_construct(vagus, suite):
    """The same words for any number of processes; a miss is shown with its case, variable, time and both values."""
    wrong = AMOUNTS.replace("\n0.5,", "\n0.5,9")
    write_case(suite, "00003", results=wrong)
    write_case(suite, "00004", DECAY.replace("</model>", f"{DELAY}</model>"))
    write_case(suite, "00005", DECAY.replace("<ci>k</ci>", "<ci>kk</ci>"))
    results = [vagus("model", "conformance", "suite", "--json", "--jobs", jobs) for jobs in (1, 3)]
    assert results[0] == results[1]
    assert (results[0].code, results[0].err) == (2, "")
    found = json.loads(results[0].out)
    assert (found["ok"], found["cases"], found["passed"]) == (False, 5, 2)
    assert found["failed"] == ["00003", "00005"]  # an unsound model is no unsupported one
    reason = "event 'late' has a delay; delayed events are not supported (line 10)"
    assert found["unsupported"] == [{"case": "00004", "reason": reason}]
    miss = found["checks"][1]
    assert miss["name"] == "case 00003: S at 0.5"
    assert miss["value"] == pytest.approx(2 * np.exp(-0.25), rel=1e-7)
    assert miss["expected"] == pytest.approx(91.5576, rel=1e-5)
    assert miss["tolerance"] == pytest.approx(1e-7 + 1e-4 * miss["expected"])
    shown = vagus("model", "conformance", "suite")
    assert shown.code == 2
    words = " ".join(shown.out.split())
    assert "BAD 00003: S at time 0.5 is 1.557601566, must be 91.5576" in words
    assert f"not supported 00004: {reason}" in words
    assert "BAD 00005: rate of reaction 'R': symbol 'kk' is not defined (line 9)" in words
    assert "5 cases: 2 passed, 2 failed, 1 not supported." in words


def test_what_is_refused_by_name_is_not_wrong(vagus, suite):
    write_case(suite, "00003", DECAY.replace("</model>", f"{DELAY}</model>"))
    flux = "start:\nduration:\nsteps:\nvariables: S\nabsolute: 1e-3\nrelative: 1e-3\namount:\nconcentration:\n"
    write_case(suite, "00004", settings=flux, results="S\n1\n")
    result = vagus("model", "conformance", "suite", "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert (found["ok"], found["passed"]) == (True, 2)
    assert [item["case"] for item in found["unsupported"]] == ["00003", "00004"]
    assert found["unsupported"][1]["reason"] == "the case is no time course"


def test_a_folder_a_case_with_several_levels(vagus, tmp_path):
    """As the suite is published; the newest level is read, and what else lies there is not."""
    for name in ("00001", "00002"):
        write_case(tmp_path / "semantic" / name, name, suffix="-sbml-l3v2")
        (tmp_path / "semantic" / name / f"{name}-sbml-l2v4.xml").write_text("old")
        (tmp_path / "semantic" / name / f"{name}-sbml-l3v2-sedml.xml").write_text("an experiment")
    result = vagus("model", "conformance", "semantic")
    assert (result.code, result.out.splitlines()[0]) == (0, "2 cases: 2 passed, 0 failed, 0 not supported.")


def remove(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_bytes(text.replace(old, new).encode("latin-1"))

    return change


FOLDERS = {
    "no settings": (remove("00001-settings.txt"), ["case 00001 has no 00001-settings.txt"], "suite"),
    "no results": (remove("00002-results.csv"), ["case 00002 has no 00002-results.csv"], "suite"),
    "no model": (remove("00001.xml"), ["case 00001 has no 00001.xml"], "suite"),
    "words for numbers": (
        replace("00001-results.csv", "\n0.5,", "\n0.5,about "),
        ["must have 2 numbers", "about"],
        "suite/00001-results.csv, line 3",
    ),
    "a column that is missing": (
        replace("00001-settings.txt", "variables: S", "variables: S, T"),
        ["none for T"],
        "suite/00001-results.csv, line 1",
    ),
    "times that are others": (
        replace("00001-settings.txt", "steps: 10", "steps: 20"),
        ["21 from 0 to 5", "got 11 others"],
        "suite/00001-results.csv",
    ),
    "a tolerance in words": (
        replace("00001-settings.txt", "1e-7", "small"),
        ['"absolute" must be a number', 'got "small"'],
        "suite/00001-settings.txt",
    ),
    "another encoding": (
        replace("00001.xml", '<model id="decay">', '<model id="decay" name="caf\xe9">'),
        ["UTF-8"],
        "suite/00001.xml, line 2",
    ),
    "no case at all": (
        remove(*(f"0000{k}{end}" for k in (1, 2) for end in (".xml", "-settings.txt", "-results.csv"))),
        ["must hold cases", "found none"],
        "suite",
    ),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_folders_that_cannot_be_read(vagus, refused, suite, what):
    change, words, place = FOLDERS[what]
    change(suite)
    refused(vagus("model", "conformance", "suite"), *words, line=place)


def test_all_that_is_wrong_with_a_folder_is_said_at_once(vagus, refused, suite):
    remove("00001-settings.txt", "00002.xml")(suite)
    refused(vagus("model", "conformance", "suite", "--json"), "00001-settings.txt", "00002.xml", problems=2)


def test_no_folder(vagus, refused, tmp_path):
    refused(vagus("model", "conformance", "none"), "nothing of that name", line="none")
    (tmp_path / "file").write_text("x")
    refused(vagus("model", "conformance", "file"), "got a file", line="file")
    refused(vagus("model", "conformance"), "DIR")
