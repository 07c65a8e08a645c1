"""What a submodel, a variable, a constant or a switch is, as plain data: what ``vagus model show`` prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vagus import resources
from vagus.errors import InputError
from vagus.model.checks import end_owners, known_references, reads_between
from vagus.model.composition import read_submodel
from vagus.model.couplings import Coupling, couplings
from vagus.model.distributions import DISTRIBUTIONS, read_distribution
from vagus.model.formulas import Equation, read_equations
from vagus.model.infants import infant_library
from vagus.model.libraries import Library, Submodel, near, shipped
from vagus.model.parameters import parameter_table
from vagus.model.switches import switches
from vagus.model.variables import variable_table

Facts = dict[str, Any]

#: Words of a README's paragraphs that say what to know and what is not in the model.
LIMITS = re.compile(
    r"\*\*(Know|What to know|Limits|Not modelled|Not modeled|Contested[^*]*)[.:]*\*\*\s*", re.IGNORECASE
)
#: Share of draws that an interval holds.
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Entry:
    """A row of the list of submodels.

    Attributes
    ----------
    submodel, title : str
        Name and words.
    axis : str
        ``adult``, ``infant`` or ``both``.
    form : str
        Published model that it follows, or ``own``.
    status : str
        ``checked`` once a re-derivation by another pair of eyes agrees, else ``provisional``.
    rederivation : str
        Its file; empty where there is none.
    description : str
        What it is, in a sentence.
    """

    submodel: str
    title: str
    axis: str
    form: str
    status: str
    rederivation: str
    description: str


@cache
def entries() -> dict[str, Entry]:
    """Return the list of submodels by name."""
    rows = resources.rows("model", "library", "submodels.csv")
    return {row["submodel"]: Entry(**row) for row in rows}


def entry(part: Submodel) -> Entry:
    """Return what the list says of a submodel; a user's own is provisional."""
    known = entries().get(part.name)
    if known is None:
        known = Entry(part.name, part.name, "adult", "own", "provisional", "", "")
    if part.folder:
        return Entry(known.submodel, known.title, known.axis, known.form, "provisional", "", f"From {part.folder}.")
    return known


@cache
def _equations(part: Submodel) -> tuple[Equation, ...]:
    """Return a submodel's equations in the order of its table of variables."""
    found = read_equations(read_submodel(part))
    order = {name: place for place, name in enumerate(variable_table(part.name, Library((part,)))["variable"])}

    def place(equation: Equation) -> tuple[int, int]:
        targets = [name for name, _ in equation.sets] or [equation.name]
        return equation.kind == "event", min(order.get(name, len(order)) for name in targets)

    return tuple(sorted(found, key=place))


@cache
def _reading(part: Submodel) -> tuple[tuple[Equation, frozenset[str]], ...]:
    return tuple((equation, frozenset(equation.names())) for equation in _equations(part))


def list_submodels(library: Library | None = None) -> list[Facts]:
    """Return every submodel with its states, constants by grade and status; the infant axis behind the adult one."""
    rows = []
    seen = set()
    for source in (library or shipped(), infant_library()):
        for part in source.submodels:
            known = entry(part)
            if part.name in seen:
                continue
            seen.add(part.name)
            table = parameter_table(part.name, source)
            counted = table[~table["distribution"].isin(("input", "derived"))]["grade"].value_counts()
            rows.append(
                {
                    "submodel": part.name,
                    "title": known.title,
                    "axis": known.axis,
                    "form": known.form,
                    "status": known.status,
                    "rederivation": known.rederivation,
                    "description": known.description,
                    "origin": part.folder or "vagus",
                    "states": sum(equation.kind == "rate" for equation in _equations(part)),
                    "variables": len(variable_table(part.name, source)),
                    "parameters": {grade: int(counted[grade]) for grade in sorted(counted.index) if grade != "-"},
                }
            )
    return rows


def to_json(facts: Any) -> Any:
    """Return facts without what only a printer needs: keys that begin with an underscore."""
    if isinstance(facts, dict):
        return {key: to_json(value) for key, value in facts.items() if not key.startswith("_")}
    return [to_json(item) for item in facts] if isinstance(facts, list) else facts


def describe(name: str, library: Library | None = None) -> Facts:
    """Return what a name stands for: a submodel, else a variable, a constant or a switch.

    ``barrier.barrier`` is the variable of a submodel that has its name.

    Raises
    ------
    InputError
        An unknown name; the nearest is named.
    """
    known: list[str] = []
    home, _, name = name.rpartition(".")
    for source in (library or shipped(), infant_library()):
        if name in source.names and not home:
            return describe_submodel(source.submodel(name), source)
        parts = [part for part in source.submodels if home in ("", part.name)]
        for part in parts:
            variables = list(variable_table(part.name, source)["variable"])
            if name in variables or name in {equation.name for equation in _equations(part)}:
                return describe_variable(name, part, source)
            known += variables
        for part in parts:
            table = parameter_table(part.name, source)
            own = table[table["distribution"] != "input"]["parameter"]
            if name in set(own) or name in set(table[table["study_id"].isin(("product", "protocol"))]["parameter"]):
                return describe_parameter(name, part, source)
            known += list(own)
        if name in switches(source):
            return describe_switch(name, source)
        known += [*source.names, *switches(source)]
    raise InputError(f'"{name}" is no submodel, variable, constant or switch; {near(name, sorted(set(known)))}')


def describe_submodel(part: Submodel, library: Library) -> Facts:
    """Return everything about a submodel."""
    known = entry(part)
    table = parameter_table(part.name, library)
    rows = table.to_dict("records")
    units = _units(library)
    constants = [_constant(row) for row in rows if row["distribution"] not in ("input", "derived")]
    ties = reads_between(library)
    return {
        "kind": "submodel",
        "name": part.name,
        "title": known.title,
        "axis": known.axis,
        "form": known.form,
        "status": known.status,
        "rederivation": known.rederivation,
        "description": known.description,
        "origin": part.folder or "vagus",
        "about": _about(part.readme),
        "states": sum(equation.kind == "rate" for equation in _equations(part)),
        "equations": [_equation(equation, part, library, units) for equation in _equations(part)],
        "parameters": constants,
        "baseline": [_constant(row) for row in rows if row["distribution"] == "derived"],
        "inputs": [
            {"name": row["parameter"], "unit": row["unit"], "from": row["study_id"], "description": row["description"]}
            for row in rows
            if row["distribution"] == "input"
        ],
        "gives": [
            {"to": reader, "names": list(names)} for (giver, reader), names in ties.items() if giver == part.name
        ],
        "couplings": [_coupling(link) for link in _couplings_of(part, library)],
        "switches": [
            describe_switch(item.switch, library)
            for item in switches(library).values()
            if item.parameter in set(table["parameter"])
        ],
        "sources": _sources((row["study_id"] for row in constants), library),
        "limits": limits(part.readme),
    }


def describe_variable(name: str, part: Submodel, library: Library) -> Facts:
    """Return a variable's equation, what it reads with values, who reads it."""
    rows = {row["variable"]: row for row in variable_table(part.name, library).to_dict("records")}
    row: Mapping[Any, Any] = rows.get(name, {})
    units = _units(library)
    mine = [item for item in _equations(part) if name == item.name or name in dict(item.sets)]
    reads = list(dict.fromkeys(read for item in mine for read in item.names() if read not in ("t", name)))
    readers = {
        other.name: [item.name for item, names in _reading(other) if name in names and item not in mine]
        for other in library.submodels
    }
    constants = {str(item["parameter"]): item for item in parameter_table(part.name, library).to_dict("records")}
    used = [
        _constant(constants[read]) for read in reads if read in constants and constants[read]["distribution"] != "input"
    ]
    return {
        "kind": "variable",
        "name": name,
        "submodel": part.name,
        "unit": row.get("unit", ""),
        "identifier": row.get("identifier", ""),
        "description": row.get("description", ""),
        "equations": [_equation(item, part, library, units) for item in mine],
        "reads": [
            {"name": read, "unit": units.get(read, ""), "description": _words(library).get(read, "")}
            for read in reads
            if read not in constants or constants[read]["distribution"] == "input"
        ],
        "parameters": used,
        "read_by": {other: names for other, names in readers.items() if names},
        "sources": _sources((str(item["study_id"]) for item in used), library),
    }


def describe_parameter(name: str, part: Submodel, library: Library) -> Facts:
    """Return a constant's row in words, where it is used, which links and switches rest on it."""
    table = parameter_table(part.name, library)
    row = table[table["parameter"] == name].iloc[0].to_dict()
    used = {other.name: [item.name for item, names in _reading(other) if name in names] for other in library.submodels}
    return {
        "kind": "parameter",
        "submodel": part.name,
        **_constant(row),
        "used_by": {other: names for other, names in used.items() if names},
        "couplings": [_coupling(link) for link in couplings(library) if link.parameter == name],
        "switches": [item.switch for item in switches(library).values() if item.parameter == name],
        "sources": _sources([str(row["study_id"])], library),
    }


def describe_switch(name: str, library: Library) -> Facts:
    """Return what a switch stands for and what it sets."""
    item = switches(library)[name]
    return {
        "kind": "switch",
        "name": item.switch,
        "parameter": item.parameter,
        "default": item.default,
        "on": float(item.on),
        "off": float(item.off),
        "description": item.description,
        "sources": _sources([item.study_id], library),
    }


def _equation(equation: Equation, part: Submodel, library: Library, units: Mapping[str, str]) -> Facts:
    targets = [name for name, _ in equation.sets] or [equation.name]
    words = _words(library)
    return {
        "name": equation.name,
        "kind": equation.kind,
        "sets": targets,
        "unit": units.get(targets[0], "") if equation.kind != "event" else "",
        "text": str(equation),
        "_equation": equation,
        "description": words.get(equation.name, "") if equation.kind != "event" else "",
    }


def _constant(row: Mapping[Any, Any]) -> Facts:
    low, high = interval(row)
    return {
        "name": str(row["parameter"]),
        "value": float(row["value"]),
        "unit": str(row["unit"]),
        "distribution": str(row["distribution"]),
        "low": low,
        "high": high,
        "varies_between": str(row["varies_between"]),
        "calibrated": row["calibrated"] == "yes",
        "grade": str(row["grade"]),
        "study_id": str(row["study_id"]),
        "baseline_of": str(row["spread"]) if row["distribution"] == "derived" else "",
        "description": str(row["description"]),
    }


def interval(row: Mapping[Any, Any]) -> tuple[float | None, float | None]:
    """Return what 95 % of the draws of a row lie between; none for a row that is not drawn.

    Examples
    --------
    >>> row = {"parameter": "x", "value": 1.0, "distribution": "uniform", "spread": "0|2"}
    >>> [round(end, 3) for end in interval(row)]
    [0.05, 1.95]
    """
    import numpy as np

    if row["distribution"] not in DISTRIBUTIONS:
        return None, None
    quantile, value, spread = read_distribution(row)
    low, high = quantile(np.array(TAILS), value, spread)
    return float(low), float(high)


def _coupling(link: Coupling) -> Facts:
    return {
        "source": link.source,
        "target": link.target,
        "form": link.form,
        "sign": link.sign,
        "grade": link.grade,
        "evidence": link.evidence,
        "status": link.status,
        "parameter": link.parameter,
        "study_id": link.study_id,
        "description": link.description,
    }


def _couplings_of(part: Submodel, library: Library) -> list[Coupling]:
    """Return the links that a constant of the submodel carries, and those that end in it."""
    mine, ends = set(parameter_table(part.name, library)["parameter"]), end_owners(library)
    return [link for link in couplings(library) if link.parameter in mine or ends.get(link.target) == part.name]


@cache
def _units(library: Library) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in library.submodels:
        table = variable_table(part.name, library)
        found |= dict(zip(table["variable"], table["unit"], strict=True))
    return found


@cache
def _words(library: Library) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in library.submodels:
        table = variable_table(part.name, library)
        found |= dict(zip(table["variable"], table["description"], strict=True))
    return found


def _sources(names: Iterable[str], library: Library) -> list[Facts]:
    known = known_references(library)
    internal = {*library.names, "numerical", "baseline", "product", "protocol"}
    return [
        {"study_id": name, "citation": known[name][0], "doi": known[name][1]}
        for name in sorted(set(names))
        if name in known and name not in internal
    ]


def _paragraphs(readme: str) -> list[str]:
    """Return the prose of a README: no headings, no tables, no code."""
    blocks = re.split(r"\n\s*\n", readme.strip())
    return [
        " ".join(block.split())
        for block in blocks
        if block.strip() and not block.lstrip().startswith(("#", "|", "    ", "```"))
    ]


def _about(readme: str) -> str:
    found = [block for block in _paragraphs(readme) if not block.startswith("**")]
    return _unmarked(found[0]) if found else ""


def limits(readme: str) -> list[str]:
    r"""Return what a README says is to know, contested or not modelled, one text each.

    Examples
    --------
    >>> limits("# x\n\nText.\n\n**Not modelled.** Pain, `odor`.")
    ['Not modelled: Pain, odor.']
    """
    found = []
    for block in _paragraphs(readme):
        label = LIMITS.match(block)
        if label:
            found.append(_unmarked(f"{label[1]}: {block[label.end() :]}"))
    return found


def _unmarked(text: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.replace("**", "").replace("`", ""))


def contested(library: Library | None = None) -> list[Facts]:
    """Return every switch with what it stands for."""
    source = library or shipped()
    return [describe_switch(name, source) for name in switches(source)]
