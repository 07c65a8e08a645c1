"""The axis for other programs: an archive that reads back, is clean, repeats itself, and runs elsewhere."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import libsbml
import numpy as np
import pytest

from vagus import engine
from vagus.errors import InputError
from vagus.model import compose
from vagus.model.archive import FORMATS, OMEX, SEDML, DailyDose, export_sbml, export_sedml, pack, parameter_csv
from vagus.simulation import cross_check as peers
from vagus.simulation.typical import TypicalAdult, typical_adult, typical_shares

DAYS = 2  # libRoadRunner takes ten seconds a day; the 84 days are a run by hand


@pytest.fixture(scope="module")
def adult() -> TypicalAdult:
    return typical_adult()


@pytest.fixture(scope="module")
def sbml(adult: TypicalAdult) -> str:
    return export_sbml(adult.people.axis, adult.constants, adult.states)


def test_it_starts_at_rest(adult: TypicalAdult) -> None:
    axis = adult.people.axis
    slow = ("X_bact", "X_bifhmo", "M_bu", "barrier", "il6_pg_ml", "tph1_rel", "vagal_tone")
    rates = engine.evaluate(adult.model, adult.start.parameters, adult.start.initial).rates[0]
    for name in slow:
        assert abs(rates[adult.model.states.index(name)]) < 1e-6 * adult.states[name], name
    shares = np.array([adult.states[f"X_{name}"] for name in ("bact", "starch", "bifhmo")])
    assert np.allclose(shares / shares.sum(), typical_shares(axis)[:3] / typical_shares(axis)[:3].sum())


def test_libsbml_finds_nothing_to_say(sbml: str) -> None:
    document = libsbml.readSBMLFromString(sbml)
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    log = document.getErrorLog()
    assert [log.getError(place).getMessage() for place in range(log.getNumErrors())] == []


def test_every_quantity_has_a_name_and_a_unit(sbml: str) -> None:
    model = libsbml.readSBMLFromString(sbml).getModel()
    for parameter in model.getListOfParameters():
        assert parameter.getName(), parameter.getId()
        assert parameter.isSetUnits(), parameter.getId()


def test_identifiers_are_annotations(sbml: str) -> None:
    model = libsbml.readSBMLFromString(sbml).getModel()

    def annotations(name: str) -> dict[int, list[str]]:
        terms = [model.getParameter(name).getCVTerm(place) for place in range(model.getParameter(name).getNumCVTerms())]
        return {term.getBiologicalQualifierType(): [term.getResourceURI(0)] for term in terms}

    assert annotations("il6_pg_ml")[libsbml.BQB_IS] == ["https://identifiers.org/uniprot:P05231"]
    assert annotations("kE")[libsbml.BQB_IS_DESCRIBED_BY] == ["https://identifiers.org/doi:10.1113/EP091552"]
    (taxon,) = annotations("X_bifhmo")[libsbml.BQB_IS_VERSION_OF]
    assert taxon.startswith("https://identifiers.org/taxonomy:")


def test_the_values_are_those_of_the_typical_adult(sbml: str, adult: TypicalAdult) -> None:
    model = libsbml.readSBMLFromString(sbml).getModel()
    for name, value in {**adult.constants, **adult.states}.items():
        assert model.getParameter(name).getValue() == pytest.approx(value, rel=1e-14), name  # 15 digits are written
    assert model.getNumInitialAssignments() == 0
    again = engine.load(sbml)
    started = dict(zip(again.states, again.initial_values(np.zeros((1, 0)))[0].tolist(), strict=True))
    assert started == pytest.approx(adult.states, rel=1e-14)


def test_the_export_runs_as_the_axis_does(sbml: str, adult: TypicalAdult) -> None:
    times = np.arange(DAYS) + 0.5
    exported = engine.load(sbml)
    mine = engine.load(adult.people.axis.sbml, adult.model.parameters, exported.states)
    first = engine.simulate(mine, adult.start.parameters, adult.start.initial, 0.0, times, rtol=1e-9).values[0]
    second = engine.simulate(exported, np.zeros((1, 0)), output_times=times, rtol=1e-9).values[0]
    assert np.allclose(first, second, rtol=1e-6, atol=1e-9)


def test_a_dose_is_an_event_of_every_day(adult: TypicalAdult) -> None:
    dosed = engine.load(
        export_sbml(adult.people.axis, adult.constants, adult.states, [DailyDose("oral_FL", 5.0, 8.0)]), (), ["oral_FL"]
    )
    eight = 8 / 24
    times = [day + offset for day in range(3) for offset in (eight - 1e-3, eight + 1e-6)]
    found = engine.simulate(dosed, np.zeros((1, 0)), output_times=times, rtol=1e-9).output("oral_FL")[0]
    assert found[0] == 0
    assert np.allclose(found[1::2] - found[::2], 5.0, atol=0.02)
    with pytest.raises(InputError, match="no state"):
        export_sbml(adult.people.axis, adult.constants, adult.states, [DailyDose("oral_XX", 5.0, 8.0)])


def test_the_archive_repeats_itself_and_lists_its_files(sbml: str, adult: TypicalAdult) -> None:
    def make() -> bytes:
        axis = adult.people.axis
        table = parameter_csv(axis, adult.constants)
        text = export_sbml(axis, adult.constants, adult.states)
        return pack({"axis.xml": text, "axis.sedml": export_sedml(adult.model.states, 84), "parameters.csv": table})

    assert make() == make()
    with zipfile.ZipFile(io.BytesIO(make())) as archive:
        names = archive.namelist()
        assert archive.read("axis.xml").decode() == sbml
        manifest = ElementTree.fromstring(archive.read("manifest.xml"))
        rows = archive.read("parameters.csv").decode().splitlines()
    contents = {item.get("location"): item for item in manifest.iter(f"{{{OMEX}}}content")}
    assert set(contents) == {".", *(f"./{name}" for name in names)}
    assert {name.removeprefix("./"): item.get("format") for name, item in contents.items()} == FORMATS
    assert [name for name, item in contents.items() if item.get("master") == "true"] == ["./axis.sedml"]
    assert len(rows) == 1 + len(adult.people.axis.parameters)
    assert all(",assumed," not in row for row in rows)


def test_the_experiment_keeps_every_state(adult: TypicalAdult) -> None:
    text = export_sedml(adult.model.states, 84)
    root = ElementTree.fromstring(text)
    course = next(root.iter(f"{{{SEDML}}}uniformTimeCourse"))
    assert (course.get("initialTime"), course.get("outputEndTime")) == ("0", "84")
    assert {item.get("label") for item in root.iter(f"{{{SEDML}}}dataSet")} == {"time", *adult.model.states}


LIBSEDML = """
import sys
try:
    import libsedml
except ImportError:
    sys.exit("missing")
document = libsedml.readSedMLFromString(sys.stdin.read())
task, model = document.getTask(0), document.getModel(0)
print(document.getNumErrors(), document.getNumDataGenerators(), task.getModelReference() == model.getId())
"""


def test_libsedml_reads_the_experiment(adult: TypicalAdult) -> None:
    # In a process of its own: its bindings and those of libSBML disturb each other in one.
    text = export_sedml(adult.model.states, 84)
    run = subprocess.run([sys.executable, "-c", LIBSEDML], input=text, capture_output=True, text=True)
    if run.stderr.strip() == "missing":
        pytest.skip("python-libsedml comes with the dev extra")
    assert run.stdout.split() == ["0", str(1 + len(adult.model.states)), "True"], run.stderr


@pytest.mark.parametrize("doses", [(), (DailyDose("oral_FL", 5.0, 8.0),)], ids=["plain", "with 2'-FL"])
def test_another_integrator_agrees(adult: TypicalAdult, doses: tuple[DailyDose, ...]) -> None:
    pytest.importorskip("roadrunner", reason="libroadrunner comes with the cross-check extra")
    found = peers.cross_check(export_sbml(adult.people.axis, adult.constants, adult.states, doses), DAYS)
    assert found.states == engine.load(compose().sbml).states
    assert found.differences.shape == (DAYS, len(found.states))
    assert found.ok, found.by_state()[:5]
    assert found.worst == found.by_state()[0][1]


def test_a_difference_is_seen(adult: TypicalAdult, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("roadrunner", reason="libroadrunner comes with the cross-check extra")
    simulate = engine.simulate
    faster = 1.01 * adult.people.axis.parameters.set_index("parameter").loc["kE", "value"]
    wrong = engine.load(export_sbml(adult.people.axis, {**adult.constants, "kE": faster}, adult.states))
    monkeypatch.setattr(peers.engine, "simulate", lambda model, *given, **named: simulate(wrong, *given, **named))
    found = peers.cross_check(export_sbml(adult.people.axis, adult.constants, adult.states), DAYS)
    assert not found.ok
    apart = {name: difference for name, difference, _ in found.by_state()}
    # A hundredth more clearance of endotoxin: seen in it and in the cells it activates, in nothing upstream of it.
    assert apart["lps_ng_kg"] == pytest.approx(0.01, rel=0.05)
    assert apart["mono_active"] == pytest.approx(0.01, rel=0.05)
    assert apart["il6_pg_ml"] > peers.ALLOWED
    for upstream in ("X_bifhmo", "M_bu", "S_FL", "circ_n"):
        assert apart[upstream] < 1e-9, upstream


def test_without_the_peer_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "roadrunner", None)
    with pytest.raises(InputError, match=r'pip install "vagus\[cross-check\]"'):
        peers.cross_check("", 1)
