"""The axis for other programs: SBML with names, units and identifiers, a SED-ML experiment, both in an OMEX archive."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from vagus.errors import InputError, ModelError
from vagus.model.checks import known_references
from vagus.model.composition import ComposedModel
from vagus.model.variables import variable_tables

MODEL_FILE, EXPERIMENT_FILE, TABLE_FILE, MANIFEST_FILE = "axis.xml", "axis.sedml", "parameters.csv", "manifest.xml"
SEDML = "http://sed-ml.org/sed-ml/level1/version4"
SBML = "http://www.sbml.org/sbml/level3/version2/core"
OMEX = "http://identifiers.org/combine.specifications/omex-manifest"
FORMATS = {
    ".": "http://identifiers.org/combine.specifications/omex",
    MANIFEST_FILE: OMEX,
    MODEL_FILE: "http://identifiers.org/combine.specifications/sbml.level-3.version-2",
    EXPERIMENT_FILE: "http://identifiers.org/combine.specifications/sed-ml.level-1.version-4",
    TABLE_FILE: "http://purl.org/NET/mediatypes/text/csv",
}
#: Steps a day that the experiment keeps: every half hour, noon among them.
STEPS_PER_DAY = 48
#: KiSAO: CVODE, its relative and absolute tolerance, its longest step (days): events must not be stepped over.
CVODE = "KISAO:0000019"
CVODE_SETTINGS = {"KISAO:0000209": "1e-9", "KISAO:0000211": "1e-12", "KISAO:0000467": "0.01"}
#: A zip archive has to hold a time; this is its earliest.
NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class DailyDose:
    """Grams of something that is added to a state every day.

    Attributes
    ----------
    state : str
        State that it is added to, such as ``oral_FL``.
    grams : float
        Amount of one dose.
    hour : float
        Clock hour.
    """

    state: str
    grams: float
    hour: float


def export_sbml(
    axis: ComposedModel,
    constants: Mapping[str, float],
    states: Mapping[str, float],
    doses: Sequence[DailyDose] = (),
) -> str:
    """Write a composed axis as SBML Level 3 Version 2 that runs by itself.

    Parameters
    ----------
    axis : ComposedModel
        What to write.
    constants : mapping of str to float
        Values that replace those of the tables: of one person.
    states : mapping of str to float
        Value of every state at the start (midnight of day 0).
    doses : sequence of DailyDose
        Written as events.

    Returns
    -------
    str
        SBML text, without a date.

    Raises
    ------
    ModelError
        libSBML finds an error, or a quantity or an equation whose units do not fit.
    """
    import libsbml

    document = libsbml.readSBMLFromString(axis.sbml)
    document.setLevelAndVersion(3, 2, False)
    model = document.getModel()
    model.setId("axis")
    model.setMetaId("axis")
    model.setName("Microbiota-gut-brain axis of a typical adult (vagus)")
    model.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml"><p>{_note(axis)}</p></body>')
    for name, value in {**constants, **states}.items():
        parameter = model.getParameter(name)
        if parameter is None:
            raise ModelError(f'The axis has no quantity "{name}".')
        model.removeInitialAssignment(name)
        parameter.setValue(float(value))
    _describe(model, axis)
    for place, dose in enumerate(doses, 1):
        _add_dose(model, dose, place)
    _refuse_errors(document)
    return str(libsbml.writeSBMLToString(document))


def _note(axis: ComposedModel) -> str:
    words = f"Made by vagus from the submodels {', '.join(axis.submodels)}; model {axis.model_hash}. Time in days, "
    words += "midnight is a whole number. Every constant and its source: parameters.csv in the archive. Planning and "
    words += "learning; not medical advice."
    own = axis.library.describe()
    return words + (f" Not as shipped: {own}." if own else "")


def _describe(model: Any, axis: ComposedModel) -> None:
    """Give every quantity a name, and identifiers where its row has them."""
    import libsbml

    computed = variable_tables(axis.submodels, axis.library)
    rows = {row["variable"]: row for row in computed.to_dict("records")}
    rows |= {row["parameter"]: row for row in axis.parameters.to_dict("records")}
    cited = known_references(axis.library)
    for parameter in model.getListOfParameters():
        name = parameter.getId()
        row = rows.get(name)
        if row is None:
            continue
        parameter.setMetaId(name)
        parameter.setName(str(row["description"]))
        for identifier in filter(None, str(row.get("identifier", "")).split("|")):
            part_of_kind = identifier.startswith("taxonomy:") or "|" in str(row["identifier"])
            kind = libsbml.BQB_IS_VERSION_OF if part_of_kind else libsbml.BQB_IS
            _annotate(parameter, kind, identifier)
        doi = cited.get(str(row.get("study_id", "")), ("", ""))[1]
        if doi:
            _annotate(parameter, libsbml.BQB_IS_DESCRIBED_BY, f"doi:{doi}")


def _annotate(element: Any, kind: int, identifier: str) -> None:
    import libsbml

    term = libsbml.CVTerm(libsbml.BIOLOGICAL_QUALIFIER)
    term.setBiologicalQualifierType(kind)
    term.addResource(f"https://identifiers.org/{identifier}")
    element.addCVTerm(term)


def _add_dose(model: Any, dose: DailyDose, place: int) -> None:
    """Add an event that happens once a day at the hour of the dose."""
    import libsbml

    target = model.getParameter(dose.state)
    if target is None:
        raise InputError(f'The model has no state "{dose.state}" that a dose could be added to.')
    days, grams = model.getTimeUnits(), target.getUnits()
    for name, value, unit, words in (
        (f"dose_{place}_time", dose.hour / 24, days, "time of day at which the dose is taken"),
        (f"dose_{place}_amount", dose.grams, grams, f"dose that is added to {dose.state}"),
    ):
        parameter = model.createParameter()
        parameter.setId(name)
        parameter.setValue(value)
        parameter.setUnits(unit)
        parameter.setConstant(True)
        parameter.setName(words)
    event = model.createEvent()
    event.setId(f"dose_{place}")
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(True)
    trigger.setPersistent(True)
    trigger.setMath(libsbml.parseL3Formula(f"time - floor(time) >= dose_{place}_time"))
    assignment = event.createEventAssignment()
    assignment.setVariable(dose.state)
    assignment.setMath(libsbml.parseL3Formula(f"{dose.state} + dose_{place}_amount"))


def _refuse_errors(document: Any) -> None:
    """Refuse a document in which libSBML finds an error, or units that do not fit."""
    import libsbml

    document.getErrorLog().clearLog()
    for category in range(libsbml.LIBSBML_CAT_SBML, libsbml.LIBSBML_CAT_MODELING_PRACTICE + 1):
        document.setConsistencyChecks(category, category != libsbml.LIBSBML_CAT_MODELING_PRACTICE)
    document.checkConsistency()
    log = document.getErrorLog()
    found = [" ".join(log.getError(index).getMessage().split()) for index in range(log.getNumErrors())]
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ModelError(f"The axis cannot be exported, libSBML says: {found[0]}{more}. See vagus model check.")


def export_sedml(states: Iterable[str], days: int) -> str:
    """Write the experiment: a uniform time course of all states, as SED-ML Level 1 Version 4.

    Parameters
    ----------
    states : iterable of str
        What is kept.
    days : int
        Length of the course.
    """
    root = ElementTree.Element("sedML", {"xmlns": SEDML, "xmlns:sbml": SBML, "level": "1", "version": "4"})
    source = {"id": "axis", "language": "urn:sedml:language:sbml.level-3.version-2", "source": MODEL_FILE}
    ElementTree.SubElement(_list(root, "Models"), "model", source)
    course = {"id": "course", "initialTime": "0", "outputStartTime": "0", "outputEndTime": str(days)}
    steps = {"numberOfSteps": str(days * STEPS_PER_DAY)}
    simulation = ElementTree.SubElement(_list(root, "Simulations"), "uniformTimeCourse", course | steps)
    algorithm = ElementTree.SubElement(simulation, "algorithm", {"kisaoID": CVODE})
    settings = _list(algorithm, "AlgorithmParameters")
    for kisao, value in CVODE_SETTINGS.items():
        ElementTree.SubElement(settings, "algorithmParameter", {"kisaoID": kisao, "value": value})
    task = {"id": "task", "modelReference": "axis", "simulationReference": "course"}
    ElementTree.SubElement(_list(root, "Tasks"), "task", task)
    generators = _list(root, "DataGenerators")
    report = ElementTree.Element("report", {"id": "states", "name": "All states"})
    sets = _list(report, "DataSets")
    for name in ("time", *states):
        where = {"symbol": "urn:sedml:symbol:time"}
        if name != "time":
            where = {"target": f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{name}']"}
        generator = ElementTree.SubElement(generators, "dataGenerator", {"id": f"data_{name}", "name": name})
        variable = {"id": f"value_{name}", "name": name, "taskReference": "task", **where}
        ElementTree.SubElement(_list(generator, "Variables"), "variable", variable)
        math = ElementTree.SubElement(generator, "math", {"xmlns": "http://www.w3.org/1998/Math/MathML"})
        ElementTree.SubElement(math, "ci").text = f" value_{name} "
        sets.append(
            ElementTree.Element("dataSet", {"id": f"set_{name}", "label": name, "dataReference": f"data_{name}"})
        )
    _list(root, "Outputs").append(report)
    return _xml(root)


def _list(parent: ElementTree.Element, kind: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"listOf{kind}")


def _xml(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def parameter_csv(axis: ComposedModel, constants: Mapping[str, float]) -> str:
    """Return every constant of the export with unit, grade and full source, as CSV."""
    cited = known_references(axis.library)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("parameter", "value", "unit", "grade", "submodel", "description", "source", "doi"))
    for row in axis.parameters.to_dict("records"):
        text, doi = cited.get(str(row["study_id"]), (str(row["study_id"]), ""))
        value = constants.get(str(row["parameter"]), row["value"])
        fixed = (row["unit"], row["grade"], row["submodel"], row["description"])
        writer.writerow((row["parameter"], repr(float(value)), *fixed, text, doi))
    return file.getvalue()


def pack(files: Mapping[str, str], master: str = EXPERIMENT_FILE) -> bytes:
    """Pack files and their manifest into an OMEX archive; the same files give the same bytes.

    Parameters
    ----------
    files : mapping of str to str
        Name to text; names are those of `FORMATS`.
    master : str
        The file that a reader opens first.
    """
    root = ElementTree.Element("omexManifest", {"xmlns": OMEX})
    for name in (".", MANIFEST_FILE, *files):
        place = {"location": name if name == "." else f"./{name}", "format": FORMATS[name]}
        ElementTree.SubElement(root, "content", place | ({"master": "true"} if name == master else {}))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in {MANIFEST_FILE: _xml(root), **files}.items():
            entry = zipfile.ZipInfo(name, NO_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.encode())
    return packed.getvalue()
