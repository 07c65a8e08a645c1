"""``vagus model import``: what a model from outside holds, and every way in which it would not run."""

from __future__ import annotations

import json
import operator
import time
from collections.abc import Callable, Iterator, Sequence
from os import _exit
from typing import Any

import pytest

from vagus.cli import model_import, processes
from vagus.cli.processes import ProcessLost, each_apart

MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
CORE = "http://www.sbml.org/sbml/level3/version2/core"
SYMBOL = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/{0}">{0}</csymbol>'
MOST_BYTES = 20_000_000


def document(inside: str, head: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="{CORE}" level="3" version="2"{head}>\n'
        f'<model id="m">\n{inside}\n</model></sbml>'
    )


def rules(x: str = "<ci>k</ci>", more: str = "", k: str = "0", units: tuple[str, str] = ("", "")) -> str:
    """A state x at line 5, a constant k at line 6, the rate of x at line 9, and more at line 10."""
    return document(
        f'<listOfParameters>\n<parameter id="x" value="1" constant="false"{units[0]}/>\n'
        f'<parameter id="k" value="{k}" constant="true"{units[1]}/>\n</listOfParameters>\n<listOfRules>\n'
        f'<rateRule variable="x"><math {MATHML}>{x}</math></rateRule>\n{more}</listOfRules>'
    )


def apply(*parts: str) -> str:
    return f"<apply>{''.join(parts)}</apply>"


def package(name: str) -> str:
    return f' xmlns:{name}="http://www.sbml.org/sbml/level3/version1/{name}/version1" {name}:required="true"'


ALGEBRAIC = f"<algebraicRule><math {MATHML}><ci>k</ci></math></algebraicRule>\n"
CIRCLE = "".join(
    f'<assignmentRule variable="{name}"><math {MATHML}><ci>{other}</ci></math></assignmentRule>\n'
    for name, other in (("y", "z"), ("z", "y"))
)
FREE = '<parameter id="y" constant="false"/><parameter id="z" constant="false"/>\n</listOfParameters>'
FAST = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">\n'
    '<listOfReactions>\n<reaction id="R" reversible="false" fast="true"/></listOfReactions></model></sbml>'
)
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE m [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True))
    + f']>\n<sbml xmlns="{CORE}" level="3" version="2"><model id="m" name="&j;"/></sbml>'
)
CLASH = (' units="second"', ' units="gram"')

#: What is wrong -> (ending, content, words of the message, line; 0 for none).
BAD: dict[str, tuple[str, str | bytes, list[str], int]] = {
    "delay": ("xml", rules(apply(SYMBOL.format("delay"), "<ci>x</ci><cn>1</cn>")), ["rule of 'x'", "delay()"], 9),
    "rateOf": ("xml", rules(apply(SYMBOL.format("rateOf"), "<ci>k</ci>")), ["rateOf() is not supported"], 9),
    "algebraic rule": ("xml", rules(more=ALGEBRAIC), ["Algebraic rules are not supported"], 10),
    "fast reaction": ("xml", FAST, ["'R' is fast", "not supported"], 4),
    "composed model": ("xml", document("", package("comp")), ["package 'comp'", "not supported"], 2),
    "random numbers": ("xml", document("", package("distrib")), ["package 'distrib'", "not supported"], 2),
    "a package libSBML does not know": ("xml", document("", package("arrays")), ["package 'arrays'"], 2),
    "undefined symbol": ("xml", rules("<ci>nowhere</ci>"), ["symbol 'nowhere' is not defined"], 9),
    "undefined function": ("xml", rules(apply("<ci>f</ci><ci>x</ci>")), ["function 'f' is not defined"], 9),
    "circle": (
        "xml",
        rules(more=CIRCLE).replace("</listOfParameters>", FREE),
        ["in a circle", "y", "z"],
        11,
    ),
    "units": (
        "xml",
        rules(apply("<plus/><ci>x</ci><ci>k</ci>"), units=CLASH),
        ["Units must agree", "'x + k'", "same units", "--ignore-units"],
        9,
    ),
    "division by zero": (
        "xml",
        rules(apply("<divide/><ci>x</ci><ci>k</ci>")),
        ['The rate of "x" must be finite at the start, got inf; it reads k = 0, x = 1.'],
        9,
    ),
    "NaN": ("xml", rules(apply("<ln/><apply><minus/><ci>x</ci></apply>")), ['rate of "x"', "got NaN", "x = 1"], 9),
    "a constant that is infinite": ("xml", rules(k="INF"), ['"k" must be a finite number, got inf'], 6),
    "a constant that is NaN": ("xml", rules(k="NaN"), ['"k" must be a finite number, got NaN'], 6),
    "a rule for a constant": (
        "xml",
        rules().replace('constant="false"', 'constant="true"'),
        ["sound SBML", "'x' should have a constant value of 'false'"],
        9,
    ),
    "an empty model": ("xml", document(""), ["must hold something", "empty"], 0),
    "an empty file": ("xml", "\n", ["the file is empty"], 0),
    "entities": ("xml", BOMB, ["DOCTYPE"], 2),
    "a file named by an entity": (
        "xml",
        '<?xml version="1.0"?>\n<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<sbml>&a;</sbml>',
        ["DOCTYPE"],
        2,
    ),
    "too deep": ("xml", rules("<apply><minus/>" * 50_000 + "<ci>k</ci>" + "</apply>" * 50_000), ["1,000 levels"], 9),
    "binary": ("xml", b"\x89PNG\r\n\x1a\n\0\0", ["UTF-8 text, got other bytes"], 1),
    "zeros": ("ant", b"x = 1\n\0\0", ["must be text, got a binary file"], 2),
    "UTF-16": ("xml", document("").encode("utf-16"), ["UTF-8"], 1),
    "Latin-1": ("ant", "x = 1\n// café".encode("latin-1"), ["UTF-8"], 2),
    "not XML": ("xml", "hello", ["not readable SBML", "syntax error"], 1),
    "not SBML": ("xml", "<html><body/></html>", ["not readable SBML"], 2),
    "cut off": ("xml", rules()[:-20], ["not readable SBML"], 10),
    "another ending": ("txt", "x = 1", ['got "bad.txt"', "rename it"], 0),
    "an archive": ("omex", b"PK\x03\x04", ["unpack it"], 0),
    "syntax": ("ant", "x = 1\n\nx' = 3 *** x\n", ["must be Antimony", "unexpected '*'"], 3),
    "syntax, unexpected end": ("ant", "model a()\n x = 1\n", ["must be Antimony", "unexpected end of file"], 2),
    "a name without a value": ("ant", "x = 1\n\nx' = -kk*x\n", ["'kk' has no value"], 3),
    "a function that is not there": ("ant", "x = 1\n\nx' = foo(x)\n\ny = 2\n", ["'foo' which is not a function"], 3),
    "a random number": ("ant", "x = 1\n\nx' = normal(x, 1)\n\ny = 2\n", ["'normal'"], 3),
    "a circle of names": ("ant", "a := b\nb := c\nc := a\nx = 1; x' = a\n", ["Loop detected", "c's definition"], 3),
    "a delay": ("ant", "x = 1 # delay\ny = x\n\nx' = delay(x, 2)\n", ["rule of 'x'", "delay()"], 4),
    "a rule with rateOf": ("ant", "x = 0; x' = 1\ny := rateOf(x)\n", ["Rule of 'y'", "rateOf()"], 2),
    "an unnamed event with a delay": ("ant", "x = 1; x' = -x\n\nat 2 after (x < 0.5): x = 1\n", ["has a delay"], 3),
    "an algebraic rule": ("ant", "a = 1; b = 1\n\n0 = a + b - 2\n", ["Algebraic rules"], 3),
    "a rate without an end": (
        "ant",
        "a = 2; b = 0\nx = 1\n/* two\nlines */ \nx' = a/b - x\n",
        ['The rate of "x"', "got inf; it reads b = 0, a = 2, x = 1"],
        5,
    ),
    "the origin, not what follows": (
        "ant",
        "b = 0; x = 1\nx' = -3*s\ns := r + 1\nr := 1/b\n",
        ['"r" must be finite at the start, got inf; it reads b = 0.'],
        4,
    ),
    "a reaction": ("ant", "S1 = 1; S2 = 0; k = 0\n\nR1: S1 -> S2; S1/k\n", ['rate of reaction "R1"', "k = 0"], 3),
    "an unnamed reaction": ("ant", "S1 = 1; S2 = 0; k = 0\nS2 -> ; S2\n\nS1 -> S2; S1/k\n", ['"_J1"', "k = 0"], 4),
    "an infinite constant": ("ant", "x = 1; x' = -k*x\nk = inf\n", ['"k" must be a finite number, got inf'], 2),
    "a start that is NaN": ("ant", "x = nan\nx' = 1\n", ['"x" must be a finite number, got NaN'], 1),
    "units of Antimony": (
        "ant",
        "unit ml = 1e-3 litre\nx = 3 ml\ny = 2 second\nx' = -x\nz := x + y\n",
        ["Units must agree", "'x + y'"],
        5,
    ),
    "an import": ("ant", 'x = 1\nimport "/etc/passwd"\n', ["must stand alone, got an import"], 2),
    "an import behind a statement": ("ant", 'x = 1 // "\n/* */ y = 2; import "other.ant"\n', ["got an import"], 2),
    "another alphabet": ("ant", "// µ here, \nx = 1\nµ = 3\n", ['got "µ"'], 3),
    "nothing but comments": ("ant", "// nothing\n", ["must hold something"], 0),
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command inspect in this process, which saves its start; the tests below with `vagus` alone do not."""

    def each_here(function: Callable[[Any], Any], items: Sequence[Any], *_: object) -> Iterator[Any]:
        return map(function, items)

    monkeypatch.setattr(processes, "each_apart", each_here)


def write(folder, name: str, content: str | bytes) -> str:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


@pytest.mark.parametrize("what", BAD)
def test_bad_models(vagus, refused, tmp_path, here, what):
    ending, content, words, line = BAD[what]
    name = write(tmp_path, f"bad.{ending}", content)
    refused(vagus("model", "import", name), *words, line=f"{name}, line {line}" if line else name)


def test_all_that_is_wrong_is_said_at_once(vagus, refused, tmp_path):
    """In the process that it is done in; also as JSON there is nothing on stdout."""
    text = (
        "x = 1; x' = -x\nat 2 after (x < 0.5): x = 1\nE2: at (x < 0.1), priority = 3: x = 1\ny' = delay(x, 1); y = 1\n"
    )
    result = vagus("model", "import", write(tmp_path, "bad.ant", text), "--json")
    refused(result, "'_E0' has a delay", "(bad.ant, line 2)", "'E2' has a priority", "line 3", problems=2)


def test_no_such_file(vagus, refused, tmp_path):
    write(tmp_path, "model.xml", "")
    refused(vagus("model", "import", "modl.xml"), "must exist", 'did you mean "model.xml"?', line="modl.xml")
    refused(vagus("model", "import", "."), "got a folder", line=".")
    (tmp_path / "folder.xml").mkdir()
    refused(vagus("model", "import", "folder.xml"), "got a folder")
    refused(vagus("model", "import"), "FILE")


def test_a_file_that_is_too_large(vagus, refused, tmp_path):
    """100 MB that need no place on the disk."""
    with (tmp_path / "large.xml").open("wb") as file:
        file.truncate(100_000_000)
    refused(vagus("model", "import", "large.xml"), f"at most {MOST_BYTES:,} bytes, got 100,000,000", line="large.xml")


def test_a_text_that_crashes_or_never_ends(vagus, refused, tmp_path, monkeypatch):
    """Antimony breaks off or takes for ever on it, depending on the stack; the command does neither."""
    monkeypatch.setattr(model_import, "PATIENCE", 4.0)
    text = f"x = 1; x' = {'-x' * 30_000}\n"
    refused(
        vagus("model", "import", write(tmp_path, "long.ant", text)),
        "must be readable, but its reading",
        line="long.ant",
    )


def test_processes_that_end_or_take_too_long():
    assert list(each_apart(operator.neg, range(7), 3)) == [0, -1, -2, -3, -4, -5, -6]
    with pytest.raises(ProcessLost) as lost:
        list(each_apart(_exit, [3, 4], 1))
    assert (lost.value.place, lost.value.code) == (0, 3)
    with pytest.raises(ProcessLost) as lost:
        list(each_apart(time.sleep, [0.0, 60.0], 2, seconds=3.0))
    assert (lost.value.place, lost.value.code) == (1, None)
    with pytest.raises(ZeroDivisionError):
        list(each_apart((1).__truediv__, [1, 0], 1))


# ---------------------------------------------------------------------- models that run

GOOD = """model gut()
  compartment c = 2; species A in c, B in c; const k
  unit d = 86400 second
  A = 3; B = 0; k = 0.5
  R1: A -> B; k*A*c
  at (A < 1): B = B + 1
  y = 1; y' = -0.1*y
  total := A + B
end
"""


def test_what_a_model_holds(vagus, tmp_path):
    name = write(tmp_path, "gut.ant", GOOD)
    result = vagus("model", "import", name, "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert (found["ok"], found["model"], found["kind"]) == (True, "gut", "Antimony")
    several = {"states": 3, "species": 2, "parameters": 3}
    one = ("compartments", "reactions", "rate_rules", "assignment_rules", "events")
    assert {part: number for part, number in found["holds"].items() if number} == several | dict.fromkeys(one, 1)
    rates = {state["state"]: (state["value"], state["rate"]) for state in found["states"]}
    assert rates == {"A": (3.0, -1.5), "B": (0.0, 1.5), "y": (1.0, -0.1)}
    assert found["notes"] == []
    assert all(check["ok"] for check in found["checks"])
    shown = vagus("model", "import", name)
    assert shown.code == 0
    assert 'gut.ant: model "gut", Antimony' in shown.out
    assert "Holds 1 compartment, 2 species, 3 parameters, 1 reaction" in " ".join(shown.out.split())
    assert "A = 3, rate -1.5" in shown.out
    assert shown.out.splitlines()[-1] == "It would run."


def notes_of(vagus, tmp_path, text: str, ending: str = "ant", *options: str) -> list[str]:
    result = vagus("model", "import", write(tmp_path, f"good.{ending}", text), "--json", *options)
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)["notes"]


def test_what_to_know_of_a_model(vagus, tmp_path, here):
    (note,) = notes_of(vagus, tmp_path, "a = 1; b := 2*a\n")
    assert note.startswith("There are no states")
    (note,) = notes_of(vagus, tmp_path, "x = 0; x' = 1\nr := 1/x\n")
    assert note == "Not finite at the start, which no rate reads: r."
    (note,) = notes_of(vagus, tmp_path, "model a()\n x = 1; x' = -x\nend\nmodel b()\n y = 1; y' = -y\nend\n")
    assert note == 'Only model "b" is read; a only as far as it is used there.'
    (note,) = notes_of(vagus, tmp_path, "S1 = 1; S2 = 2; R1: S1 -> S2; ; x = 1; x' = -x\n")
    assert note == "Without a rate law, and so without an effect: R1."
    unset = rules().replace("</listOfParameters>", '<parameter id="y" constant="true"/></listOfParameters>')
    (note,) = notes_of(vagus, tmp_path, unset, "xml")
    assert note == "Without a value, and read by nothing: y."


def test_units_can_be_left_aside(vagus, tmp_path, here):
    text = rules(apply("<plus/><ci>x</ci><ci>k</ci>"), units=CLASH)
    (note,) = notes_of(vagus, tmp_path, text, "xml", "--ignore-units")
    assert note.startswith("Units must agree")
    assert note.endswith("(good.xml, line 9)")
    checks = json.loads(vagus("model", "import", "good.xml", "--json", "--ignore-units").out)["checks"]
    assert [check.get("accepted_miss") for check in checks] == [None, "asked for by --ignore-units", None]


def test_published_models_run(vagus, shared, here):
    """All published models beside the checkout but two whose units clash, which run without units."""
    clashing = []
    for path in sorted((shared / "model" / "sources" / "sbml").glob("*.xml")):
        result = vagus("model", "import", path)
        if result.code:
            assert "Units must agree" in result.err
            clashing.append(path.stem)
            assert vagus("model", "import", path, "--ignore-units").code == 0
        else:
            assert "It would run." in result.out
    assert clashing == ["BIOMD0000001072", "MODEL0478740924"]
