"""Join submodels into one SBML model.

Names are global in the library: a submodel's input is bound to whichever submodel defines that name. The rule is

- a name is *defined* where an assignment rule, a rate rule or an event sets it; two definitions are refused;
- everywhere else the name is an input and takes the definition;
- a name that nobody defines is a constant and takes its value from the parameter tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import pandas as pd

from vagus import resources
from vagus.errors import ModelError
from vagus.model.parameters import parameter_tables, shared_rows, submodel_names
from vagus.model.units import set_units
from vagus.model.variables import variable_tables


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
    """

    sbml: str
    parameters: pd.DataFrame
    owner: dict[str, str]
    states: tuple[str, ...]
    submodels: tuple[str, ...]

    @property
    def model_hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the SBML text."""
        return sha256(self.sbml.encode()).hexdigest()[:16]


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


@cache
def compose(submodels: tuple[str, ...] | None = None, extra: tuple[tuple[str, str], ...] = ()) -> ComposedModel:
    """Join submodels of the library, and texts of one's own, into one model.

    Parameters
    ----------
    submodels : tuple of str, optional
        Names in the library; all by default.
    extra : tuple of (name, Antimony text)
        Further submodels without a table; their constants keep the values of the text.

    Returns
    -------
    ComposedModel

    Raises
    ------
    ModelError
        Two submodels define one name, a constant has no row, a row has no constant, or libSBML finds the result
        inconsistent.
    """
    import libsbml

    chosen = submodel_names() if submodels is None else submodels
    texts = [(name, resources.text("model", "library", name, "model.ant")) for name in chosen]
    parts = [(name, _read(antimony_to_sbml(text, name), name)) for name, text in (*texts, *extra)]
    owner: dict[str, str] = {}
    for name, document in parts:
        for target in _defined(document.getModel()):
            if target in owner:
                raise ModelError(f'"{target}" is defined by both {owner[target]} and {name}; a name has one owner.')
            owner[target] = name

    table = shared_rows(parameter_tables(chosen))
    values = dict(zip(table["parameter"], table["value"], strict=True))
    joined = libsbml.SBMLDocument(parts[0][1].getLevel(), parts[0][1].getVersion())
    model = joined.createModel()
    model.setId("axis")
    constants: dict[str, str] = {}
    for name, document in parts:
        own = {item for item, who in owner.items() if who == name}
        _add(model, document.getModel(), own, owner, constants, name)
    extras = {name for name, _ in extra}
    for parameter in list(model.getListOfParameters()):
        if parameter.getConstant():
            key = parameter.getId()
            if key in values:
                parameter.setValue(values[key])
            elif constants[key] not in extras:
                raise ModelError(f'Constant "{key}" of {constants[key]} has no row in its parameters.csv.')
    unused = [name for name in table["parameter"] if name not in owner and model.getParameter(name) is None]
    if unused:
        raise ModelError(f"Rows without a constant in the equations: {', '.join(unused)}.")
    computed = variable_tables(chosen)
    units = dict(zip(computed["variable"], computed["unit"], strict=True))
    set_units(joined, dict(zip(table["parameter"], table["unit"], strict=True)) | units)
    _check(joined)
    table = table[[name not in owner for name in table["parameter"]]].reset_index(drop=True)
    states = tuple(
        model.getRule(index).getVariable() for index in range(model.getNumRules()) if model.getRule(index).isRate()
    )
    return ComposedModel(libsbml.writeSBMLToString(joined), table, owner, states, tuple(name for name, _ in parts))


def _read(sbml: str, name: str) -> Any:
    import libsbml

    document = libsbml.readSBMLFromString(sbml)
    if document.getNumErrors(libsbml.LIBSBML_SEV_ERROR):
        raise ModelError(f"SBML of {name} cannot be read: {document.getErrorLog().toString().strip()}")
    return document


def _defined(model: Any) -> list[str]:
    targets = [model.getRule(index).getVariable() for index in range(model.getNumRules())]
    assigned = {
        event.getEventAssignment(index).getVariable()
        for event in model.getListOfEvents()
        for index in range(event.getNumEventAssignments())
    }
    return [*targets, *sorted(assigned - set(targets))]


def _add(model: Any, part: Any, own: set[str], owner: dict[str, str], constants: dict[str, str], name: str) -> None:
    import libsbml

    for kind in ("Species", "Reactions", "FunctionDefinitions"):
        if len(getattr(part, f"getListOf{kind}")()):
            raise ModelError(f"Submodel {name} uses {kind}; library submodels are written as rules and events.")
    for parameter in part.getListOfParameters():
        key = parameter.getId()
        if key in own:
            copy = parameter.clone()
            copy.setConstant(False)
            model.addParameter(copy)
        elif key not in owner and model.getParameter(key) is None:
            copy = parameter.clone()
            copy.setConstant(True)
            constants[key] = name
            model.addParameter(copy)
    for kind in ("Rule", "InitialAssignment", "Event", "Constraint"):
        for item in getattr(part, f"getListOf{kind}s")():
            code = getattr(model, f"add{kind}")(item)
            if code != 0:
                reason = libsbml.OperationReturnValue_toString(code)
                raise ModelError(f'Submodel {name}: {kind} "{item.getId()}" cannot be joined: {reason}')


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
