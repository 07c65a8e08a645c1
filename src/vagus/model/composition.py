"""Join submodels into one SBML model.

Names are global in the library: a submodel's input is bound to whichever submodel defines that name. The rule is

- a name is *defined* where an assignment rule, a rate rule or an event sets it; two definitions are refused;
- everywhere else the name is an input and takes the definition;
- a name that nobody defines is a constant and takes its value from the parameter tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

import pandas as pd

from vagus.errors import InputError, ModelError, Problem
from vagus.model.libraries import PARAMETERS, TEXT, VARIABLES, Library, Submodel, near, shipped
from vagus.model.parameters import conflicting_rows, parameter_rows, parameter_tables, shared_rows
from vagus.model.units import read_unit, set_units
from vagus.model.variables import variable_rows, variable_tables

#: What a row says of a value that was set for a run.
SET = {"distribution": "setting", "spread": "", "varies_between": "none", "study_id": "protocol", "grade": "-"}


@dataclass(frozen=True)
class ComposedModel:
    """One model text and its parameters.

    Attributes
    ----------
    sbml : str
        SBML Level 3; time in days.
    parameters : pandas.DataFrame
        One row a constant of the model (columns of the parameter tables, and `submodel`).
    owner : dict
        Every defined name -> the submodel that defines it.
    states : tuple of str
        Names with a rate rule.
    submodels : tuple of str
        What was joined.
    library : Library
        Where the submodels come from.
    values : dict
        Constants that were set for this model -> value.
    """

    sbml: str
    parameters: pd.DataFrame
    owner: dict[str, str]
    states: tuple[str, ...]
    submodels: tuple[str, ...]
    library: Library
    values: dict[str, float] = field(default_factory=dict)

    @property
    def model_hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the SBML text and the parameter table."""
        text = self.sbml + self.parameters.to_csv(index=False, lineterminator="\n")
        return sha256(text.encode()).hexdigest()[:16]


def antimony_to_sbml(text: str, name: str) -> str:
    """Translate one Antimony text.

    Raises
    ------
    ModelError
        With Antimony's own message, which names the line.
    """
    import antimony

    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise ModelError(f"Antimony text of {name} cannot be read: {antimony.getLastError().strip()}")
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def antimony_reason(error: ModelError) -> tuple[int, str]:
    """Return the line that Antimony names in an error (0 for none), and what it says."""
    found = re.search(r"line (\d+):?\s*(.*)", str(error), re.DOTALL)
    return (int(found[1]), found[2]) if found else (0, str(error))


@cache
def read_submodel(submodel: Submodel) -> Any:
    """Return the SBML document of one submodel; it is shared, so it must not be changed.

    Raises
    ------
    InputError
        The text is no Antimony, names another file, or uses more than rules and events; with its line.
    """
    import libsbml

    file = submodel.file(TEXT)
    for number, line in enumerate(submodel.text.splitlines(), 1):
        if re.match(r'\s*import\s*"', line):
            raise InputError(Problem(file, number, "A submodel must stand alone, got an import; write its lines here."))
    try:
        sbml = antimony_to_sbml(submodel.text, submodel.name)
    except ModelError as error:
        place, reason = antimony_reason(error)
        message = f"The text must be Antimony, got an error: {' '.join(reason.split()).rstrip('.')}."
        raise InputError(Problem(file, place, message)) from None
    document = libsbml.readSBMLFromString(sbml)
    if document.getNumErrors(libsbml.LIBSBML_SEV_ERROR):
        reason = " ".join(document.getErrorLog().toString().split())
        raise InputError(Problem(file, 0, f"The text must be a model, got: {reason}"))
    for kind in ("Species", "Reactions", "FunctionDefinitions", "Compartments"):
        items = getattr(document.getModel(), f"getListOf{kind}")()
        if len(items):
            message = (
                f"A submodel is written as rules and events, got {kind[0].lower()}{kind[1:]}; write rates instead."
            )
            raise InputError(Problem(file, submodel.line_of(items.get(0).getId()), message))
    return document


def compose(
    submodels: tuple[str, ...] | None = None,
    extra: tuple[tuple[str, str], ...] = (),
    library: Library | None = None,
    values: tuple[tuple[str, float], ...] = (),
) -> ComposedModel:
    """Join submodels of a library, and texts of one's own, into one model.

    Parameters
    ----------
    submodels : tuple of str, optional
        Names in the library; all by default.
    extra : tuple of (name, Antimony text)
        Further submodels without a table; their constants keep the values of the text.
    library : Library, optional
        The shipped one by default.
    values : tuple of (name, float)
        Constants to set in place of the value of their row; such a row is no longer uncertain.

    Returns
    -------
    ComposedModel

    Raises
    ------
    InputError
        Two submodels define one name, a constant has no row, a row has no constant, an input has no owner, one
        quantity has two rows; all at once, with file and line.
    ModelError
        An unknown submodel or constant, or libSBML finds the result inconsistent.
    """
    source = library or shipped()
    return _compose(source.names if submodels is None else submodels, extra, source, values)


@cache
def _compose(
    names: tuple[str, ...], extra: tuple[tuple[str, str], ...], source: Library, values: tuple[tuple[str, float], ...]
) -> ComposedModel:
    import libsbml

    parts = [source.submodel(name) for name in names]
    every = [*parts, *(Submodel(name, text, "", "") for name, text in extra)]
    documents = {part: read_submodel(part) for part in every}
    owner = _owners(documents)
    tables = parameter_tables(names, source)
    problems = [*_conflicts(tables, parts), *_bad_units(parts), *_missing_owners(parts, owner)]
    if problems:
        raise InputError(problems)

    table = _with_values(shared_rows(tables), dict(values), owner)
    numbers = dict(zip(table["parameter"], table["value"], strict=True))
    first = documents[every[0]]
    joined = libsbml.SBMLDocument(first.getLevel(), first.getVersion())
    model = joined.createModel()
    model.setId("axis")
    constants: dict[str, Submodel] = {}
    for part, document in documents.items():
        own = {item for item, who in owner.items() if who == part.name}
        _add(model, document.getModel(), own, owner, constants, part)
    known = [*table["parameter"], *owner]
    for parameter in list(model.getListOfParameters()):
        if parameter.getConstant():
            key = parameter.getId()
            if key in numbers:
                parameter.setValue(numbers[key])
            elif constants[key] in parts:
                part = constants[key]
                message = f'Constant "{key}" of {part.name} has no row in its {PARAMETERS}; {near(key, known)}'
                problems.append(Problem(part.file(TEXT), part.line_of(key), message))
    problems += [
        Problem(
            part.file(PARAMETERS), row.line, f'A row must be a constant of the equations, got "{row["parameter"]}".'
        )
        for part in parts
        for row in parameter_rows(part)
        if row["parameter"] not in owner and model.getParameter(row["parameter"]) is None
    ]
    if problems:
        raise InputError(problems)
    computed = variable_tables(names, source)
    units = dict(zip(computed["variable"], computed["unit"], strict=True))
    set_units(joined, dict(zip(table["parameter"], table["unit"], strict=True)) | units)
    _check(joined)
    table = table[[name not in owner for name in table["parameter"]]].reset_index(drop=True)
    states = tuple(
        model.getRule(index).getVariable() for index in range(model.getNumRules()) if model.getRule(index).isRate()
    )
    text = libsbml.writeSBMLToString(joined)
    return ComposedModel(text, table, owner, states, tuple(part.name for part in every), source, dict(values))


def defined_names(submodel: Submodel) -> tuple[str, ...]:
    """Return what a submodel computes: states, assigned names, names that events set."""
    return tuple(_defined(read_submodel(submodel).getModel()))


def read_names(submodel: Submodel) -> tuple[str, ...]:
    """Return what a submodel reads from elsewhere: every name in its text that it does not define."""
    model = read_submodel(submodel).getModel()
    own = set(_defined(model))
    return tuple(item.getId() for item in model.getListOfParameters() if item.getId() not in own)


def _owners(documents: dict[Submodel, Any]) -> dict[str, str]:
    owner: dict[str, Submodel] = {}
    problems = []
    for part, document in documents.items():
        for target in _defined(document.getModel()):
            if target in owner:
                message = f'"{target}" is defined by both {owner[target].name} and {part.name}; a name has one owner.'
                problems.append(Problem(part.file(TEXT), part.line_of(target), message))
            owner[target] = part
    if problems:
        raise InputError(problems)
    return {name: part.name for name, part in owner.items()}


def _conflicts(tables: pd.DataFrame, parts: Iterable[Submodel]) -> list[Problem]:
    """Say which constants have different rows; the line is that of a user's own table where there is one."""
    problems = []
    for name, owners in conflicting_rows(tables).items():
        where = sorted((part for part in parts if part.name in owners), key=lambda part: not part.folder)[0]
        line = next(row.line for row in parameter_rows(where) if row["parameter"] == name)
        message = f'Parameter "{name}" has different rows in {", ".join(owners)}; one quantity must have one value.'
        problems.append(Problem(where.file(PARAMETERS), line, message))
    return problems


def _bad_units(parts: Iterable[Submodel]) -> list[Problem]:
    problems = []
    for part in parts:
        rows = [(PARAMETERS, row) for row in parameter_rows(part)] + [(VARIABLES, row) for row in variable_rows(part)]
        for file, row in rows:
            try:
                read_unit(row["unit"])
            except ModelError as error:
                name = row["parameter" if file == PARAMETERS else "variable"]
                problems.append(Problem(part.file(file), row.line, f"Unit of {name}: {error}"))
    return problems


def _missing_owners(parts: Iterable[Submodel], owner: dict[str, str]) -> list[Problem]:
    """Say which inputs come from a submodel that is here and does not define them."""
    here = {part.name: part for part in parts}
    problems = []
    for part in here.values():
        for row in parameter_rows(part):
            giver = here.get(row["study_id"])
            if row["distribution"] == "input" and giver is not None and row["parameter"] not in owner:
                text = f'Submodel {giver.name} must define "{row["parameter"]}", which {part.name} reads; it does not.'
                where = (part.file(PARAMETERS), row.line) if part.folder else (giver.file(TEXT), 0)
                problems.append(Problem(*where, text))
    return problems


def _with_values(table: pd.DataFrame, values: dict[str, float], owner: dict[str, str]) -> pd.DataFrame:
    table = table.copy()
    rows = {name: place for place, name in enumerate(table["parameter"])}
    for name, value in values.items():
        if name in owner or name not in rows:
            raise ModelError(f'No constant "{name}" in the model; {near(name, rows)}')
        table.loc[rows[name], "value"] = value
        for column, cell in SET.items():
            table.loc[rows[name], column] = cell
    return table


def _defined(model: Any) -> list[str]:
    targets = [model.getRule(index).getVariable() for index in range(model.getNumRules())]
    assigned = {
        event.getEventAssignment(index).getVariable()
        for event in model.getListOfEvents()
        for index in range(event.getNumEventAssignments())
    }
    return [*targets, *sorted(assigned - set(targets))]


def _add(
    model: Any,
    part: Any,
    own: set[str],
    owner: dict[str, str],
    constants: dict[str, Submodel],
    submodel: Submodel,
) -> None:
    import libsbml

    for parameter in part.getListOfParameters():
        key = parameter.getId()
        if key in own:
            copy = parameter.clone()
            copy.setConstant(False)
            model.addParameter(copy)
        elif key not in owner and model.getParameter(key) is None:
            copy = parameter.clone()
            copy.setConstant(True)
            constants[key] = submodel
            model.addParameter(copy)
    for kind in ("Rule", "InitialAssignment", "Event", "Constraint"):
        for item in getattr(part, f"getListOf{kind}s")():
            code = getattr(model, f"add{kind}")(item)
            if code != 0:
                reason = libsbml.OperationReturnValue_toString(code)
                raise ModelError(f'Submodel {submodel.name}: {kind} "{item.getId()}" cannot be joined: {reason}')


def _check(document: Any) -> None:
    import libsbml

    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    log = document.getErrorLog()
    errors = [
        log.getError(index).getMessage().strip()
        for index in range(document.getNumErrors())
        if log.getError(index).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    if errors:
        raise ModelError("The joined model is inconsistent: " + "; ".join(errors))
