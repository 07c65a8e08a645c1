"""What must hold for a library of submodels: units, sources and grades, links, names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from vagus.errors import InputError, Problem
from vagus.evidence.citations import references
from vagus.evidence.grades import GRADE_OF_KIND, grades
from vagus.model.balance import COLON, carbon_balance, leak_problems
from vagus.model.composition import ComposedModel, compose, defined_names, read_names
from vagus.model.couplings import Coupling, couplings, nodes, own_line, quantities
from vagus.model.distributions import DISTRIBUTIONS, read_distribution
from vagus.model.infants import infant_library
from vagus.model.libraries import (
    COUPLINGS,
    PARAMETERS,
    SOURCES,
    SWITCHES,
    TEXT,
    VARIABLES,
    Library,
    Row,
    Submodel,
    near,
    read_rows,
    shipped,
)
from vagus.model.parameters import NOT_DRAWN, parameter_rows, parameter_tables
from vagus.model.switches import switch_lines, switches
from vagus.model.units import read_unit, unit_problems
from vagus.model.variables import variable_rows, variable_tables

SOURCE_COLUMNS = ("study_id", "citation", "doi", "licence", "note", "kind")
#: What a person's dose or the protocol brings; no submodel computes it.
OUTSIDE = ("product", "protocol")
#: Prefix of a MIRIAM id -> what must follow.
IDENTIFIERS = {
    "CHEBI": r"\d+",
    "taxonomy": r"\d+",
    "uniprot": r"[A-Z0-9]{6,10}",
    "cl": r"\d{7}",
    "GO": r"\d{7}",
}
#: What libSBML says again and again where some quantity has no unit.
UNCHECKED = re.compile(r"cannot be fully checked|'units' attribute|indeterminable")


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes
    ----------
    name : str
        What was looked at.
    value, expected : object
        What was found, and what must be.
    problems : tuple of Problem
        Where it does not hold.
    tolerance : float or None
        Of a number.
    source : str
        Rule or reference behind it.
    """

    name: str
    value: object
    expected: object
    problems: tuple[Problem, ...] = ()
    tolerance: float | None = None
    source: str = ""

    @property
    def ok(self) -> bool:
        """Whether it holds everywhere."""
        return not self.problems

    def to_json(self) -> dict[str, object]:
        """Return what ``--json`` prints."""
        return {
            "name": self.name,
            "value": self.value,
            "expected": self.expected,
            "tolerance": self.tolerance,
            "source": self.source,
            "ok": self.ok,
            "problems": [str(problem) for problem in self.problems],
        }


@dataclass(frozen=True)
class Counts:
    """How much there is: submodels, states, constants and links by grade."""

    submodels: int
    states: int
    variables: int
    parameters: dict[str, int] = field(default_factory=dict)
    couplings: dict[str, int] = field(default_factory=dict)


def count(library: Library | None = None) -> Counts:
    """Count what a library holds; a constant that several submodels share counts once."""
    source = library or shipped()
    axis = compose(library=source)
    return Counts(
        submodels=len(axis.submodels),
        states=len(axis.states),
        variables=len(axis.owner),
        parameters=_by_grade(axis.parameters["grade"]),
        couplings=_by_grade(link.grade for link in couplings(source)),
    )


def static_checks(library: Library | None = None, *, tables: bool = True) -> list[Check]:
    """Check a library without simulating it, and the tables of links and switches beside it unless `tables` is false.

    Raises
    ------
    InputError
        It cannot be composed at all.
    """
    source = library or shipped()
    axis = compose(library=source)
    rows = sum(len(parameter_rows(part)) for part in source.submodels)
    count, rules = len(axis.owner), axis.sbml.count("Rule variable=") + axis.sbml.count("<event ")
    ties, sources = len(reads_between(source)), "unit, source, and the grade of the source"
    checks = [
        _check("units", f"{rules} equations", "the same in every term", equation_problems(axis), "libSBML"),
        _check("constants", f"{rows} rows", sources, row_problems(source.submodels, source)),
        _check("variables", f"{count} names", "each defined once and explained", _variable_problems(source)),
        _check("inputs", f"{_inputs(source)} rows", "unit and owner as where they come from", _input_problems(source)),
        _check("ties between submodels", f"{ties} pairs", "a link each", _unlinked(source)),
        _check(
            "identifiers", f"{_identified(source)} of {count} variables", "well-formed", _identifier_problems(source)
        ),
    ]
    if tables:
        links, rivals = couplings(source), switches(source)
        known = "ends, constant, source and grade known"
        checks += [
            _check("links", f"{len(links)} rows", known, _link_problems(source, axis)),
            _check("switches", f"{len(rivals)} rows", "a constant at its default", _switch_problems(source, axis)),
        ]
    return checks


def strict_problems(library: Library) -> list[Problem]:
    """Return what is wrong with a user's own submodels before anything is simulated with them.

    Beside the rows and equations of the submodels, these are the rows of the tables beside them, and the carbon balance
    of an own colon.

    Raises
    ------
    InputError
        They cannot be composed at all.
    """
    own = [part for part in library.submodels if part.folder]
    axis = compose(library=library)
    tables = [*_link_problems(library, axis), *_switch_problems(library, axis)]
    beside = (library.file(COUPLINGS), library.file(SWITCHES))
    return [
        *row_problems(own, library),
        *_source_problems(library),
        *(problem for problem in tables if problem.file in beside),
        *equation_problems(axis),
        *(leak_problems(carbon_balance(axis), library.submodel(COLON)) if COLON in library.own else ()),
    ]


def _check(name: str, value: object, expected: object, problems: Iterable[Problem], source: str = "") -> Check:
    return Check(name, value, expected, tuple(problems), None, source)


def _by_grade(found: Iterable[Any]) -> dict[str, int]:
    counted = Counter(str(grade) for grade in found)
    return {grade: counted[grade] for grade in sorted(counted, key=lambda grade: (grade == "-", grade))}


# ---------------------------------------------------------------------- sources


def known_grades(library: Library) -> dict[str, str]:
    """Return every source -> grade, those of the user's own table included."""
    return {**grades(), **{row["study_id"]: GRADE_OF_KIND.get(row["kind"], "") for row in _source_rows(library)}}


def known_references(library: Library) -> dict[str, tuple[str, str]]:
    """Return every source -> (reference, doi), those of the user's own table included."""
    return {**references(), **{row["study_id"]: (row["citation"], row["doi"]) for row in _source_rows(library)}}


def _source_rows(library: Library) -> list[Row]:
    if not library.sources:
        return []
    return read_rows(library.sources, SOURCE_COLUMNS, library.file(SOURCES))


def _source_problems(library: Library) -> list[Problem]:
    file, problems = library.file(SOURCES), []
    for row in _source_rows(library):
        if row["study_id"] in references():
            text = f'A source must be new, got "{row["study_id"]}", which vagus has; give it another id.'
            problems.append(Problem(file, row.line, text))
        if row["kind"] not in GRADE_OF_KIND:
            text = f'Kind of a source must be one of {", ".join(GRADE_OF_KIND)}; got "{row["kind"]}".'
            problems.append(Problem(file, row.line, text))
        if not row["citation"]:
            problems.append(Problem(file, row.line, "A source must say what is cited; write author, title and year."))
    return problems


# ---------------------------------------------------------------------- rows of the parameter tables


def row_problems(parts: Iterable[Submodel], library: Library) -> list[Problem]:
    """Return what is wrong with the rows of parameter tables, with file and line."""
    given, here = known_grades(library), set(library.names)
    return [
        Problem(part.file(PARAMETERS), row.line, f'Parameter "{row["parameter"]}" {text}')
        for part in parts
        for row in parameter_rows(part)
        for text in _row_texts(row, given, here)
    ]


def _row_texts(row: Row, given: dict[str, str], here: set[str]) -> list[str]:
    texts = []
    kind, source, grade = row["distribution"], row["study_id"], row["grade"]
    if not row["unit"]:
        texts.append('needs a unit, got none; write "1" for none.')
    if not row["description"]:
        texts.append("needs a description, got none; say what it is.")
    if kind not in (*NOT_DRAWN, *DISTRIBUTIONS):
        texts.append(f'has the distribution "{kind}"; {near(kind, [*DISTRIBUTIONS, *NOT_DRAWN[1:]])}')
    elif kind in DISTRIBUTIONS:
        try:
            read_distribution(row.cells)
        except InputError as error:
            texts.append(f"cannot be drawn: {error}")
    elif row["spread"] and kind != "derived":
        texts.append(f'has the spread "{row["spread"]}" but no distribution that uses it; name one or leave it out.')
    if row["varies_between"] not in ("people", "studies", "none"):
        texts.append(f'must vary between people, studies or none, got "{row["varies_between"]}".')
    if row["calibrated"] not in ("yes", "no"):
        texts.append(f'must be calibrated yes or no, got "{row["calibrated"]}".')
    if not source:
        texts.append('needs a source, got none; name one of sources.csv, or "assumed" (grade D).')
    elif kind == "input":
        if source not in (*here, *OUTSIDE):
            texts.append(f'is an input and must name who gives it, got "{source}"; {near(source, [*here, *OUTSIDE])}')
        elif grade != "-":
            texts.append(f'is an input and must have the grade "-", got "{grade}".')
    elif source not in given:
        texts.append(f'has an unknown source "{source}"; {near(source, given)}')
    elif grade != given[source]:
        texts.append(f'must have the grade {given[source]} of its source "{source}", got "{grade}".')
    return texts


# ---------------------------------------------------------------------- equations


def equation_problems(axis: ComposedModel) -> list[Problem]:
    """Return what libSBML's unit checker says of the axis, in plain words, with the file and line of each equation."""
    import libsbml

    document = libsbml.readSBMLFromString(axis.sbml)
    owners = {part.name: part for part in axis.library.submodels}
    units = _unit_texts(axis)
    formulas = _formula_texts(document.getModel())
    silent = any(not item.isSetUnits() for item in document.getModel().getListOfParameters())
    found: dict[str, list[Problem]] = {}
    for message in unit_problems(document):
        name = _equation_of(message, formulas)
        part = owners.get(axis.owner.get(formulas.get(name, ("", name))[1], ""))
        if "has no unit" in message:
            name = message.split('"')[1]
            part = owners.get(axis.owner.get(name, ""))
            found.setdefault(name, []).append(Problem(part.file(VARIABLES) if part else "", 0, message))
        elif not (silent and UNCHECKED.search(message)):
            text = f"Units must agree in the equation of {name}: {_reason(message, name, units)}"
            where = (part.file(TEXT), part.line_of(name)) if part else ("", 0)
            found.setdefault(name, []).append(Problem(*where, text))
    # Of one equation the first message is the cause; the others follow from it.
    return [problems[0] for problems in found.values()]


def _unit_texts(axis: ComposedModel) -> dict[str, str]:
    table = variable_tables(tuple(name for name in axis.submodels if name in axis.library.names), axis.library)
    return dict(zip(table["variable"], table["unit"], strict=True))


def _formula_texts(model: Any) -> dict[str, tuple[str, str]]:
    """Return every rule's variable and event's id -> (its formulas as libSBML words them, a name that it sets)."""
    import libsbml

    found = {
        rule.getVariable(): (str(libsbml.formulaToString(rule.getMath())), str(rule.getVariable()))
        for rule in model.getListOfRules()
    }
    for event in model.getListOfEvents():
        sets = event.getListOfEventAssignments()
        texts = [libsbml.formulaToString(item.getMath()) for item in (event.getTrigger(), *sets)]
        found[event.getId()] = ("; ".join(texts), str(sets.get(0).getVariable()))
    return found


def _equation_of(message: str, formulas: dict[str, tuple[str, str]]) -> str:
    """Return the variable or event that a message of libSBML is about."""
    if named := re.search(r"<(\w+)> with (?:variable|id) '(\w+)'", message):
        if named[1] == "eventAssignment":
            events = [name for name, (_, target) in formulas.items() if target == named[2] and name != target]
            return events[0] if events else named[2]
        return named[2]
    if formula := re.search(r"formula '(.+?)' in the math", message):
        for name, (text, _) in formulas.items():
            if formula[1] in text:
                return name
    return "?"


def _reason(message: str, name: str, units: dict[str, str]) -> str:
    formula = re.search(r"formula '(.+?)' in the math", message)
    if formula and "only act on dimensionless" in message:
        return f"{formula[1]} needs a number without a unit."
    if formula and "power" in message:
        return f"the exponent of {formula[1]} must be a number without a unit, and a whole one where the base has one."
    if formula:
        return f"the parts of {formula[1]} have different units."
    if "Expected units are" in message:
        unit = units.get(name, "its unit")
        return f"the right side must be in {unit}{' per day' if '<rateRule>' in message else ''}; it is not."
    return re.split(r"Reference: L\dV\d Section [\d.]+ ", message)[-1]


def _variable_problems(library: Library) -> list[Problem]:
    problems = []
    for part in library.submodels:
        defined, rows = defined_names(part), variable_rows(part)
        listed = {row["variable"] for row in rows}
        for name in defined:
            if name not in listed:
                text = f'Variable "{name}" needs a row with unit and description, got none.'
                problems.append(Problem(part.file(VARIABLES), 0, text))
        for row in rows:
            if row["variable"] not in defined:
                text = f'Variable "{row["variable"]}" must be defined in {TEXT}; {near(row["variable"], defined)}'
                problems.append(Problem(part.file(VARIABLES), row.line, text))
            for column in ("unit", "description"):
                if not row[column]:
                    text = f'Variable "{row["variable"]}" needs a {column}, got none.'
                    problems.append(Problem(part.file(VARIABLES), row.line, text))
    return problems


def _inputs(library: Library) -> int:
    return int((parameter_tables(library=library)["distribution"] == "input").sum())


def _input_problems(library: Library) -> list[Problem]:
    """Say which inputs have another unit than their owner, or another owner than they name."""
    table = variable_tables(library=library)
    unit = dict(zip(table["variable"], table["unit"], strict=True))
    owner = {name: part.name for part in library.submodels for name in defined_names(part)}
    problems = []
    for part in library.submodels:
        for row in parameter_rows(part):
            name = row["parameter"]
            texts = []
            if row["distribution"] == "derived" and row["spread"] and row["spread"] not in owner:
                texts.append(
                    f'is the baseline of "{row["spread"]}", which nothing defines; {near(row["spread"], owner)}'
                )
            if row["distribution"] == "input" and row["study_id"] in library.names:
                if owner.get(name) != row["study_id"]:
                    texts.append(f"is given by {owner.get(name, 'nobody')}, not by {row['study_id']}.")
                elif name in unit and read_unit(unit[name]) != read_unit(row["unit"]):
                    texts.append(f'must have the unit of its owner {owner[name]}, {unit[name]}; got "{row["unit"]}".')
            elif row["distribution"] == "input" and name in owner:
                texts.append(f"is given by {owner[name]}, not by the {row['study_id']}.")
            problems += [Problem(part.file(PARAMETERS), row.line, f'Input "{name}" {text}') for text in texts]
        known = {row["parameter"] for row in parameter_rows(part)}
        for name in read_names(part):
            if name not in known:
                giver = owner.get(name, "nobody")
                text = f'"{name}" of {giver} is read without a row in {PARAMETERS}; add it as an input.'
                problems.append(Problem(part.file(TEXT), part.line_of(name), text))
    return problems


# ---------------------------------------------------------------------- links


def end_owners(library: Library) -> dict[str, str]:
    """Return every end that a link may have -> the submodel that computes it (``product`` and ``protocol`` beside)."""
    owner = {name: part.name for part in library.submodels for name in defined_names(part)}
    ends = {name: name for name in OUTSIDE}
    ends |= {part: part for part in library.names}
    ends |= owner
    ends |= {item.quantity: owner[item.variable] for item in quantities() if item.variable in owner}
    ends |= {item.node: owner[item.variable] for item in nodes() if item.variable in owner}
    return ends


def reads_between(library: Library) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (giver, reader) -> the names that the reader takes from the giver."""
    owner = {name: part.name for part in library.submodels for name in defined_names(part)}
    ties: dict[tuple[str, str], list[str]] = {}
    for part in library.submodels:
        for name in read_names(part):
            if name in owner:
                ties.setdefault((owner[name], part.name), []).append(name)
    return {tie: tuple(names) for tie, names in ties.items()}


def _link_problems(library: Library, axis: ComposedModel) -> list[Problem]:
    """Say which rows name something that neither the adult nor the infant axis has."""
    infants = infant_library()
    ends, given = end_owners(infants) | end_owners(library), known_grades(library)
    constants = [*axis.parameters["parameter"], *axis.owner, *parameter_tables(library=infants)["parameter"]]
    problems = []
    for link in couplings(library):
        line = own_line(library, link)
        file = library.file(COUPLINGS) if line else f"library/{COUPLINGS}"
        texts = [f'end "{end}" is unknown; {near(end, ends)}' for end in (link.source, link.target) if end not in ends]
        if link.parameter and link.parameter not in constants:
            texts.append(f'parameter "{link.parameter}" is unknown; {near(link.parameter, constants)}')
        if link.study_id not in given:
            texts.append(f'source "{link.study_id}" is unknown; {near(link.study_id, given)}')
        texts += link.misfits()
        problems += [Problem(file, line, f"Link {_name(link)}: {text}") for text in texts]
    return problems


def _unlinked(library: Library) -> list[Problem]:
    """Say where a submodel reads another's variable and no row of the links says so."""
    ends = end_owners(library)
    tied = {(ends.get(link.source), ends.get(link.target)) for link in couplings(library)}
    problems = []
    for (giver, reader), names in reads_between(library).items():
        if (giver, reader) not in tied:
            part = library.submodel(reader)
            text = (
                f"{reader} reads {', '.join(names)} of {giver}, and no link from {giver} to {reader} is in {COUPLINGS}."
            )
            problems.append(Problem(part.file(TEXT), part.line_of(names[0]), text))
    return problems


def _name(link: Coupling) -> str:
    return f"{link.source} -> {link.target}"


# ---------------------------------------------------------------------- switches and identifiers


def _switch_problems(library: Library, axis: ComposedModel) -> list[Problem]:
    table = axis.parameters.set_index("parameter")
    lines = switch_lines(library)
    problems = []
    for item in switches(library).values():
        line = lines.get(item.switch, 0)
        file = library.file(SWITCHES) if line else f"library/{SWITCHES}"
        if item.parameter not in table.index:
            text = f'Switch "{item.switch}" sets "{item.parameter}"; {near(item.parameter, list(table.index))}'
        elif table.loc[item.parameter, "value"] != item.value(item.default):
            text = f'Switch "{item.switch}" is {item.default} by default, and {item.parameter} is not.'
        elif item.study_id not in known_grades(library):
            text = f'Switch "{item.switch}" has an unknown source "{item.study_id}".'
        else:
            continue
        problems.append(Problem(file, line, text))
    return problems


def _identified(library: Library) -> int:
    return sum(bool(row["identifier"]) for part in library.submodels for row in variable_rows(part))


def _identifier_problems(library: Library) -> list[Problem]:
    problems = []
    for part in library.submodels:
        for row in variable_rows(part):
            for written in filter(None, row["identifier"].split("|")):
                prefix, _, code = written.partition(":")
                if prefix not in IDENTIFIERS or not re.fullmatch(IDENTIFIERS[prefix], code):
                    text = f'Identifier of "{row["variable"]}" must be like CHEBI:17968, got "{written}"'
                    known = f"{text}; known: {', '.join(IDENTIFIERS)}."
                    problems.append(Problem(part.file(VARIABLES), row.line, known))
    return problems
