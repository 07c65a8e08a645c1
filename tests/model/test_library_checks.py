"""A user's own submodels: read, refused with file and line, checked, compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vagus.errors import InputError
from vagus.io import read_library
from vagus.io.models import write_file, write_submodel
from vagus.model import compose
from vagus.model.balance import carbon_balance
from vagus.model.checks import count, end_owners, static_checks, strict_problems
from vagus.model.comparison import compare, is_same
from vagus.model.couplings import couplings, couplings_of, quantities
from vagus.model.description import describe, entries, limits, list_submodels
from vagus.model.infants import infant_library
from vagus.model.libraries import Library, shipped
from vagus.model.switches import read_values, switches

ROOT = Path(__file__).resolve().parents[2]
Change = Callable[..., Library]

GADGET = """// Something new that reads IL-6.
model submodel_gadget()
  gadget' = (il6_pg_ml / il6_half - gadget) / tau_gadget_d;
  gadget = 0;
end
"""
ROWS = """parameter,value,unit,distribution,spread,varies_between,calibrated,study_id,grade,description
il6_half,1.5,pg/ml,lognormal,0.3,studies,no,mine2026,A,IL-6 at which it is one
tau_gadget_d,2,d,,,none,no,assumed,D,how fast it follows
il6_pg_ml,1.47,pg/ml,input,,none,no,immune,-,from the submodel immune
"""
VARIABLES = "variable,unit,identifier,description\ngadget,1,,something new\n"
SOURCES = 'study_id,citation,doi,licence,note,kind\nmine2026,"Own trial, 2026",,,,adult trial\n'
LINKS = (
    "source,target,form,sign,grade,evidence,status,parameter,study_id,description\n"
    "il6,gadget,linear,+,A,adult human,measured,il6_half,mine2026,measured in our own trial\n"
)


@pytest.fixture
def own(tmp_path: Path) -> Change:
    """Write a copy of a submodel with one text changed, and read the folder."""

    def change(name: str, file: str, old: str, new: str) -> Library:
        folder = tmp_path / "mine"
        write_submodel(shipped().submodel(name), folder)
        path = folder / name / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return read_library(folder)

    return change


@pytest.fixture
def gadget(tmp_path: Path) -> Path:
    """Write a folder with one new submodel, its source and its link."""
    folder = tmp_path / "mine"
    (folder / "gadget").mkdir(parents=True)
    for name, text in (("model.ant", GADGET), ("parameters.csv", ROWS), ("variables.csv", VARIABLES)):
        (folder / "gadget" / name).write_text(text, encoding="utf-8")
    (folder / "sources.csv").write_text(SOURCES, encoding="utf-8")
    (folder / "couplings.csv").write_text(LINKS, encoding="utf-8")
    return folder


def refusal(change: Callable[[], object]) -> str:
    with pytest.raises(InputError) as error:
        change()
    return str(error.value)


def found(library: Library, name: str) -> list[str]:
    checks = {check.name: check for check in static_checks(library)}
    assert not any(problem for other, check in checks.items() if other != name for problem in check.problems)
    return [str(problem) for problem in checks[name].problems]


# ---------------------------------------------------------------------- the shipped library


def test_everything_holds_in_the_shipped_library() -> None:
    checks = [*static_checks(), *static_checks(infant_library(), tables=False)]
    assert [str(problem) for check in checks for problem in check.problems] == []


def test_counts() -> None:
    counts = count()
    axis = compose()
    assert counts.submodels == len(shipped().names)
    assert counts.states == len(axis.states)
    assert sum(counts.parameters.values()) == len(axis.parameters)
    assert list(counts.parameters) == ["A", "B", "C", "D", "-"]
    assert sum(counts.couplings.values()) == len(couplings())


def test_the_list_names_every_submodel_and_no_other() -> None:
    every = {*shipped().names, *infant_library().names}
    assert set(entries()) == every
    for name, row in entries().items():
        axes = [
            axis for axis, names in (("adult", shipped().names), ("infant", infant_library().names)) if name in names
        ]
        assert row.axis == ("both" if len(axes) == 2 else axes[0]), name
        assert row.status in ("checked", "provisional"), name
        assert row.title, name
        assert row.form, name
        assert row.description, name
        # Checked is what a second pair of eyes derived again.
        assert row.status == "provisional" or row.rederivation, name
        assert not row.rederivation or (ROOT / row.rederivation).is_file(), name
    assert [row["submodel"] for row in list_submodels()][: len(shipped().names)] == list(shipped().names)


def test_every_end_of_a_link_is_a_part_of_one_of_the_axes() -> None:
    ends = end_owners(infant_library()) | end_owners(shipped())
    for link in couplings():
        assert ends[link.source], link
        assert ends[link.target], link
    assert len({item.quantity for item in quantities()}) == len(quantities())


@pytest.mark.parametrize("name", [*shipped().names, *infant_library().names])
def test_every_submodel_can_be_described(name: str) -> None:
    facts = describe(name)
    assert facts["kind"] == "submodel"
    assert len(facts["equations"]) >= max(facts["states"], 1)
    assert facts["about"]
    assert facts["limits"], "the README must say what is not modelled"


def test_every_name_can_be_described() -> None:
    for name in (*list(compose().owner)[::4], *compose().parameters["parameter"][::4], *switches()):
        assert describe(name)["name"].split(".")[-1] == name
    assert describe("barrier.barrier")["kind"] == "variable"
    assert describe("e_bu_barrier")["used_by"] == {"barrier": ["barrier_from_butyrate"]}


def test_what_a_readme_leaves_out() -> None:
    assert limits("# x\n\nText.\n\n**Know.** One `a`\nand two.\n\n| t |\n") == ["Know: One a and two."]


# ---------------------------------------------------------------------- a folder of one's own


def test_a_copy_changes_nothing(own: Change) -> None:
    library = own("immune", "model.ant", "Innate", "Innate")
    assert library.own == ("immune",)
    assert compose(library=library).sbml == compose().sbml
    assert strict_problems(library) == []
    assert is_same(compare(library))


def test_a_new_submodel_is_added(gadget: Path) -> None:
    library = read_library(gadget)
    assert strict_problems(library) == []
    assert [str(problem) for check in static_checks(library) for problem in check.problems] == []
    assert compose(library=library).owner["gadget"] == "gadget"
    assert library.describe() == f"gadget added, rows added to couplings and sources ({gadget})"
    facts = compare(library)
    assert facts["added"] == ["gadget"]
    assert [(row["target"], row["change"]) for row in facts["couplings"]] == [("gadget", "added")]


def test_a_new_submodel_needs_its_link(gadget: Path) -> None:
    (gadget / "couplings.csv").unlink()
    (problem,) = found(read_library(gadget), "ties between submodels")
    assert problem.startswith("gadget reads il6_pg_ml of immune, and no link from immune to gadget")
    assert problem.endswith("gadget/model.ant, line 3)")


def test_a_new_submodel_needs_its_source(gadget: Path) -> None:
    (gadget / "sources.csv").unlink()
    problems = [str(problem) for problem in strict_problems(read_library(gadget))]
    assert len(problems) == 2
    assert 'Parameter "il6_half" has an unknown source "mine2026"' in problems[0]
    assert problems[0].endswith("gadget/parameters.csv, line 2)")
    assert problems[1].endswith("mine/couplings.csv, line 2)")


@pytest.mark.parametrize(
    ("file", "old", "new", "words", "where"),
    [
        ("model.ant", "kE * lps_ng_kg", "* lps_ng_kg", "must be Antimony", "model.ant, line "),
        ("model.ant", "kE * lps_ng_kg", "kEE * lps_ng_kg", 'did you mean "kE"?', "model.ant, line "),
        ("model.ant", "model sub", 'import "x.ant"\nmodel sub', "must stand alone", "model.ant, line "),
        ("model.ant", "lps_hill :=", "species s; lps_hill :=", "rules and events, got species", "model.ant, line "),
        ("parameters.csv", "kE,1.01,1/h,,,", "kE,1.01,1/h,,", "must have 10 cells, got 9", "parameters.csv, line 2"),
        ("parameters.csv", "kE,1.01", "kE,fast", 'plain number, got "fast"', "parameters.csv, line 2"),
        ("parameters.csv", "kE,1.01,1/h", "kE,1.01,1/hh", '"1/hh" is no unit', "parameters.csv, line 2"),
        ("parameters.csv", "kE,1.01", "kX,1,1,,,none,no,assumed,D,x\nkE,1.01", 'got "kX"', "parameters.csv, line 2"),
        ("parameters.csv", "parameter,value", "name,value", "The columns must be", "parameters.csv, line 1"),
        ("variables.csv", "variable,unit", "variable,units", "The columns must be", "variables.csv, line 1"),
    ],
)
def test_what_cannot_be_composed(own: Change, file: str, old: str, new: str, words: str, where: str) -> None:
    message = refusal(lambda: compose(library=own("immune", file, old, new)))
    assert words in message
    assert f"mine/immune/{where}" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kE,1.01,1/h,,,none,no,windoloski2024,A", "kE,1.01,1/h,,,none,no,,A", "needs a source, got none"),
        ("kE,1.01,1/h,,,none,no,windoloski2024,A", "kE,1.01,1/h,,,none,no,windoloski,A", "unknown source"),
        ("kE,1.01,1/h,,,none,no,windoloski2024,A", "kE,1.01,1/h,,,none,no,windoloski2024,B", "must have the grade A"),
        ("kE,1.01,1/h,,,none,no,", "kE,1.01,1/h,lognormle,0.3,none,no,", 'did you mean "lognormal"?'),
        ("kE,1.01,1/h,,,none,no,", "kE,1.01,1/h,uniform,2,none,no,", "needs 2 numbers in its spread"),
        ("kE,1.01,1/h,,,none,no,", "kE,1.01,1/h,,,nobody,no,", "people, studies or none"),
    ],
)
def test_a_row_without_ground_is_caught(own: Change, old: str, new: str, words: str) -> None:
    library = own("immune", "parameters.csv", old, new)
    (problem,) = found(library, "constants")
    assert problem.startswith('Parameter "kE" ')
    assert words in problem
    assert problem.endswith("mine/immune/parameters.csv, line 2)")
    assert [str(item) for item in strict_problems(library)] == [problem]


def test_a_unit_error_is_caught(own: Change) -> None:
    library = own("immune", "model.ant", "k6 * (il6_pg_ml - il6_source)", "(il6_pg_ml - il6_source + k6 / k6)")
    problems = found(library, "units")
    assert problems
    assert "Units must agree in the equation of il6_pg_ml" in problems[0]
    assert "mine/immune/model.ant, line " in problems[0]
    assert strict_problems(library)


def test_an_hour_does_not_pass_for_a_day(own: Change) -> None:
    library = own("immune", "model.ant", "h_per_d * (activation - kMA * mono_active)", "activation - kMA * mono_active")
    (problem,) = found(library, "units")
    assert "mono_active: the right side must be in cells per day; it is not." in problem


def test_a_variable_without_a_row_is_caught(own: Change) -> None:
    row = next(row for row in shipped().submodel("immune").variables.splitlines() if row.startswith("activation,"))
    library = own("immune", "variables.csv", row + "\n", "")
    messages = [str(problem) for check in static_checks(library) for problem in check.problems]
    assert any('"activation" needs a row' in message for message in messages)


def test_an_input_in_another_unit_is_caught(own: Change) -> None:
    row = next(row for row in shipped().submodel("gut_symptoms").parameters.splitlines() if row.startswith("gas_ml_d,"))
    library = own("gut_symptoms", "parameters.csv", row, row.replace(",ml/d,", ",l/d,"))
    (check,) = [check for check in static_checks(library) if check.name == "inputs"]
    (problem,) = [str(problem) for problem in check.problems]
    assert 'must have the unit of its owner colon, ml/d; got "l/d"' in problem


def test_a_mass_leak_is_caught(own: Change) -> None:
    assert all(flow.closed for flow in carbon_balance())
    row = next(row for row in shipped().submodel("colon").parameters.splitlines() if row.startswith("st_butyr_bu,"))
    name, number, rest = row.split(",", 2)
    library = own("colon", "parameters.csv", row, f"{name},{0.9 * float(number):.6g},{rest}")
    leaks = [flow for flow in carbon_balance(compose(library=library)) if not flow.closed]
    assert {flow.guild for flow in leaks} == {"butyr"}
    assert all(flow.gap > 0 for flow in leaks)


def test_a_leak_is_refused_before_a_run(own: Change) -> None:
    library = own("colon", "model.ant", "M_bu' = prod_bu", "M_bu' = 0.9 * prod_bu")
    problems = strict_problems(library)
    assert {problem.message.split()[3] for problem in problems} == {"butyr", "lacuse"}
    for problem in problems:
        assert "loses" in problem.message
        assert problem.file.endswith("mine/colon/model.ant")
        guild = problem.message.split()[3]
        assert library.submodel("colon").text.splitlines()[problem.line - 1].strip().startswith(f"X_{guild}'")


def test_a_colon_that_counts_less_is_refused_with_its_file(own: Change) -> None:
    library = own("colon", "variables.csv", "ethanol_mmol_d,", "ethanol_x,")
    path = Path(library.folder) / "colon" / "model.ant"
    path.write_text(path.read_text(encoding="utf-8").replace("ethanol_mmol_d", "ethanol_x"), encoding="utf-8")
    message = refusal(lambda: strict_problems(read_library(library.folder)))
    assert "must compute ethanol_mmol_d" in message
    assert message.endswith("mine/colon/model.ant)")


# ---------------------------------------------------------------------- tables beside one's own submodels


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",+,A,", ",up,A,", 'sign must be one of +, -, 0, ?; got "up".'),
        (",+,A,", ",+,E,", 'grade must be one of A, B, C, D; got "E".'),
        (
            "adult human",
            "adults",
            'evidence must be one of adult human, human other, animal or cells, none; got "adults".',
        ),
        ("measured,", "sure,", 'status must be one of measured, prior only, contested; got "sure".'),
        (LINKS.splitlines()[1], f"{LINKS.splitlines()[1]}\n{LINKS.splitlines()[1]}", "got il6 -> gadget again"),
    ],
)
def test_a_link_that_says_nothing_known_is_refused(gadget: Path, old: str, new: str, words: str) -> None:
    (gadget / "couplings.csv").write_text(LINKS.replace(old, new, 1), encoding="utf-8")
    library = read_library(gadget)
    message = refusal(lambda: couplings(library))
    assert words in message
    assert message.endswith(f"mine/couplings.csv, line {3 if 'again' in words else 2})")
    assert refusal(lambda: strict_problems(library)) == message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("il6,gadget", "il66,gadget", 'end "il66" is unknown'),
        ("measured,il6_half", "measured,il6_halff", 'parameter "il6_halff" is unknown; did you mean "il6_half"?'),
    ],
)
def test_a_link_to_nothing_is_refused_before_a_run(gadget: Path, old: str, new: str, words: str) -> None:
    (gadget / "couplings.csv").write_text(LINKS.replace(old, new), encoding="utf-8")
    (problem,) = strict_problems(read_library(gadget))
    assert words in problem.message
    assert (Path(problem.file).name, problem.line) == ("couplings.csv", 2)


def test_a_switch_is_refused_with_its_line(gadget: Path) -> None:
    head = "switch,parameter,default,on,off,description,study_id"
    rows = (
        "one,il6_half,on,1.5,2,fits,mine2026",
        "two,il6_half,on,3,2,other,mine2026",
        "three,il6_hal,on,3,2,x,mine2026",
    )
    (gadget / "switches.csv").write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    found = strict_problems(read_library(gadget))
    assert [problem.line for problem in found] == [3, 4]
    assert "is on by default, and il6_half is not" in found[0].message
    assert 'did you mean "il6_half"?' in found[1].message


def test_a_link_goes_with_the_constant_that_carried_it(own: Change) -> None:
    law = "e_tnf_barrier * ln(tnf_pg_ml / tnf0_pg_ml)"
    library = own("barrier", "model.ant", law, "e_open * ln(tnf_pg_ml / tnf0_pg_ml)")
    path = Path(library.folder) / "barrier" / "parameters.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("e_tnf_barrier,", "e_open,"), encoding="utf-8")
    library = read_library(library.folder)
    assert ("tnf", "barrier") not in {(link.source, link.target) for link in couplings(library)}
    assert len(couplings(library)) == len(couplings()) - 1
    assert [(row["source"], row["change"]) for row in compare(library)["couplings"]] == [("tnf", "removed")]
    assert strict_problems(library) == []
    (problem,) = found(library, "ties between submodels")
    assert problem.startswith("barrier reads tnf_pg_ml of immune")


def test_a_submodel_is_described_with_the_links_that_end_in_it() -> None:
    links = {(row["source"], row["target"]) for row in describe("barrier")["couplings"]}
    assert {("oral_lactoferrin", "barrier"), ("scfa", "barrier"), ("barrier", "il6")} <= links
    assert ("il6", "mood") not in links


def test_a_file_is_not_written_over_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".", "..", str(tmp_path), "/"):
        assert "must be a file, got a folder" in refusal(lambda name=name: write_file(name, b"x"))
    write_file("new.svg", b"x")
    assert (tmp_path / "new.svg").read_bytes() == b"x"
    assert [path.name for path in tmp_path.iterdir()] == ["new.svg"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "got nothing of that name"),
        (lambda folder: folder.write_text("x"), "got a file"),
        (lambda folder: folder.mkdir(), "found none"),
        (lambda folder: write_submodel(shipped().submodel("crp"), folder.parent), "must be a folder"),
    ],
)
def test_what_is_no_folder_of_submodels(tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    make(tmp_path / "mine")
    assert words in refusal(lambda: read_library(tmp_path / "mine"))


def test_missing_files_are_named_together(tmp_path: Path) -> None:
    write_submodel(shipped().submodel("crp"), tmp_path)
    (tmp_path / "crp" / "parameters.csv").unlink()
    (tmp_path / "crp" / "variables.csv").unlink()
    (tmp_path / "crp" / "model.ant").write_bytes(b"model submodel_crp()\n// \xe9\nend\n")
    message = refusal(lambda: read_library(tmp_path))
    assert len(message.splitlines()) == 3
    assert "crp/parameters.csv" in message
    assert "crp/variables.csv" in message
    assert "UTF-8" in message
    assert "crp/model.ant, line 2" in message


def test_the_folder_of_a_submodel_is_not_the_folder_of_a_model(tmp_path: Path) -> None:
    write_submodel(shipped().submodel("crp"), tmp_path)
    assert "name the folder above" in refusal(lambda: read_library(tmp_path / "crp"))
    assert "must not overwrite" in refusal(lambda: write_submodel(shipped().submodel("crp"), tmp_path))


# ---------------------------------------------------------------------- differences, switches


def test_what_differs_is_said_by_name(own: Change) -> None:
    library = own("immune", "model.ant", "kMA * mono_active);", "kMA * mono_active * mono_active / Mmax);")
    facts = compare(library)
    (row,) = facts["equations"]
    assert (row["name"], row["change"], row["unit"]) == ("mono_active", "changed", "cells")
    assert row["after"] == "d mono_active / dt = h_per_d · (activation − kMA · mono_active · mono_active / Mmax)"
    assert not facts["parameters"]
    assert not is_same(facts)


def test_changed_rows_and_starts_are_said(own: Change) -> None:
    facts = compare(own("immune", "parameters.csv", "kE,1.01", "kE,1.5"))
    assert [(row["name"], row["columns"]) for row in facts["parameters"]] == [("kE", {"value": ["1.01", "1.5"]})]
    assert not facts["equations"]


def test_changed_start_values_are_said(own: Change) -> None:
    facts = compare(own("immune", "model.ant", "tnf_pg_ml = 9.1", "tnf_pg_ml = 9.5"))
    assert [(row["name"], row["before"], row["after"]) for row in facts["starts"]] == [("tnf_pg_ml", "9.1", "9.5")]


def test_settings_are_read_by_name() -> None:
    assert read_values({"gut_serotonin_to_melatonin": "on", "e_il6_mood": 0.0}) == {
        "gut_5ht_reaches_brain": 1.0,
        "e_il6_mood": 0.0,
    }
    message = refusal(
        lambda: read_values(
            {
                "gut_serotonin_to_melatonine": "on",
                "direct_mood_path": 2.0,
                "mood_shift": 0.0,
                "tnf0_pg_ml": 9.0,
                "t_treat_start": 1.0,
                "e_il6_mood": "on",
                "awakening_pulse": "off",
                "awakening_pulse_on": 1.0,
            }
        )
    )
    for words in (
        'did you mean "gut_serotonin_to_melatonin"?',
        'Switch "direct_mood_path" must be on or off, got "2.0"',
        '"mood_shift" is computed by the submodel mood',
        "solved from each person's own baseline",
        "set by the simulation itself",
        '"e_il6_mood" must be a number, got "on"',
        '"awakening_pulse_on" sets awakening_pulse_on, which awakening_pulse sets already',
    ):
        assert words in message


def test_a_switch_takes_its_links_with_it() -> None:
    def signs(**written: float | str) -> dict[tuple[str, str], str]:
        axis = compose(values=tuple(read_values(written).items()))
        return {(link.source, link.target): link.sign for link in couplings_of(axis)}

    assert signs()["bifidobacterium", "mood"] == "-"
    assert signs(direct_mood_path="off")["bifidobacterium", "mood"] == "0"
    assert signs(e_direct_mood=0.0)["bifidobacterium", "mood"] == "0"
    assert signs(e_direct_mood=0.0)["il6", "mood"] == "+"
    assert signs()["serotonin", "melatonin"] == "0"
    assert signs(gut_serotonin_to_melatonin="on")["serotonin", "melatonin"] == "?"


def test_every_switch_is_a_setting_at_its_default() -> None:
    values = compose().parameters.set_index("parameter")["value"]
    for item in switches().values():
        assert values[item.parameter] == item.value(item.default), item.switch
        assert item.on != item.off, item.switch
