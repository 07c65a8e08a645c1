"""What differs between two libraries: equations, start values, constants, links."""

from __future__ import annotations

from typing import Any

from vagus.model.composition import read_submodel
from vagus.model.couplings import Coupling, couplings
from vagus.model.formulas import Equation, read_equations, write_number
from vagus.model.libraries import Library, Submodel, shipped
from vagus.model.parameters import COLUMNS, parameter_table
from vagus.model.variables import variable_table

Facts = dict[str, Any]


def compare(new: Library, old: Library | None = None) -> Facts:
    """Compare a library with another, the shipped one by default.

    Returns
    -------
    dict
        ``replaced, added, removed`` (submodels); ``equations, starts, variables, parameters, couplings``: lists of
        mappings with ``change`` (added, removed, changed) and what stood and stands there.
    """
    before = old or shipped()
    names = list(dict.fromkeys((*before.names, *new.names)))
    found: dict[str, list[Facts]] = {kind: [] for kind in ("equations", "starts", "variables", "parameters")}
    for name in names:
        first = before.submodel(name) if name in before.names else None
        second = new.submodel(name) if name in new.names else None
        if first == second:
            continue
        found["equations"] += _equations(name, (first, before), (second, new))
        found["starts"] += _starts(name, first, second)
        found["variables"] += _rows(name, "variable", _variables(first, before), _variables(second, new))
        found["parameters"] += _rows(name, "parameter", _parameters(first, before), _parameters(second, new))
    return {
        "replaced": [name for name in new.own if name in before.names],
        "added": [name for name in new.names if name not in before.names],
        "removed": [name for name in before.names if name not in new.names],
        **found,
        "couplings": _couplings(couplings(before), couplings(new)),
    }


def is_same(facts: Facts) -> bool:
    """Whether nothing differs but comments and blanks."""
    return not any(facts[kind] for kind in ("equations", "starts", "variables", "parameters", "couplings"))


def _change(first: object, second: object) -> str:
    if first is None:
        return "added"
    return "removed" if second is None else "changed"


def _equations(name: str, *sides: tuple[Submodel | None, Library]) -> list[Facts]:
    found: list[dict[str, Equation]] = []
    units: list[dict[str, str]] = []
    for part, library in sides:
        found.append({item.name: item for item in read_equations(read_submodel(part))} if part else {})
        table = variable_table(name, library) if part else None
        units.append({} if table is None else dict(zip(table["variable"], table["unit"], strict=True)))
    rows = []
    for key in dict.fromkeys((*found[0], *found[1])):
        first, second = found[0].get(key), found[1].get(key)
        if first == second:
            continue
        rows.append(
            {
                "submodel": name,
                "name": key,
                "change": _change(first, second),
                "before": str(first) if first else "",
                "after": str(second) if second else "",
                "unit": units[1].get(key, units[0].get(key, "")),
                "_before": first,
                "_after": second,
            }
        )
    return rows


def _starts(name: str, first: Submodel | None, second: Submodel | None) -> list[Facts]:
    """Compare the values that what is computed starts with."""
    before, after = _start_values(first), _start_values(second)
    return [
        {"submodel": name, "name": key, "change": _change(*ends), "before": ends[0] or "", "after": ends[1] or ""}
        for key in dict.fromkeys((*before, *after))
        if (ends := (before.get(key), after.get(key)))[0] != ends[1]
    ]


def _start_values(part: Submodel | None) -> dict[str, str]:
    if part is None:
        return {}
    model = read_submodel(part).getModel()
    found = {
        item.getId(): write_number(item.getValue())
        for item in model.getListOfParameters()
        if not item.getConstant() and item.isSetValue() and model.getAssignmentRuleByVariable(item.getId()) is None
    }
    import libsbml

    for item in model.getListOfInitialAssignments():
        found[item.getSymbol()] = str(libsbml.formulaToL3String(item.getMath()))
    return found


def _variables(part: Submodel | None, library: Library) -> dict[str, dict[str, str]]:
    if part is None:
        return {}
    rows = variable_table(part.name, library).to_dict("records")
    return {row["variable"]: {key: row[key] for key in ("unit", "identifier", "description")} for row in rows}


def _parameters(part: Submodel | None, library: Library) -> dict[str, dict[str, str]]:
    if part is None:
        return {}
    rows = parameter_table(part.name, library).to_dict("records")
    return {
        row["parameter"]: {key: f"{row[key]:.12g}" if key == "value" else str(row[key]) for key in COLUMNS[1:]}
        for row in rows
    }


def _rows(name: str, kind: str, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[Facts]:
    """Compare rows of a table, column by column."""
    found = []
    for key in dict.fromkeys((*before, *after)):
        first, second = before.get(key), after.get(key)
        if first == second:
            continue
        columns = {
            column: [(first or {}).get(column, ""), (second or {}).get(column, "")]
            for column in (first or second or {})
            if (first or {}).get(column, "") != (second or {}).get(column, "")
        }
        found.append(
            {"submodel": name, "name": key, "kind": kind, "change": _change(first, second), "columns": columns}
        )
    return found


def _couplings(before: tuple[Coupling, ...], after: tuple[Coupling, ...]) -> list[Facts]:
    def by_ends(links: tuple[Coupling, ...]) -> dict[tuple[str, str, str], Coupling]:
        return {(link.source, link.target, link.parameter): link for link in links}

    first, second = by_ends(before), by_ends(after)
    rows = []
    for key in dict.fromkeys((*first, *second)):
        old, new = first.get(key), second.get(key)
        if old == new:
            continue
        columns = {
            column: [getattr(old, column, ""), getattr(new, column, "")]
            for column in ("form", "sign", "grade", "evidence", "status", "study_id", "description")
            if getattr(old, column, "") != getattr(new, column, "")
        }
        ends = {"source": key[0], "target": key[1], "parameter": key[2]}
        rows.append({**ends, "change": _change(old, new), "columns": columns})
    return rows
