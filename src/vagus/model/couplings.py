"""The links between the parts of the axis, with sign, grade and source; and the quantities that stand for the parts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING

from vagus import resources
from vagus.errors import InputError, Problem
from vagus.model.libraries import COUPLINGS, Library, Row, read_rows, shipped
from vagus.model.parameters import parameter_rows
from vagus.model.variables import variable_rows

if TYPE_CHECKING:
    from vagus.model.composition import ComposedModel

GRADES = ("A", "B", "C", "D")
EVIDENCE = ("adult human", "human other", "animal or cells", "none")
STATUS = ("measured", "prior only", "contested")
#: Raises, lowers, off by design, depends.
SIGNS = ("+", "-", "0", "?")
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Coupling:
    """One link of the axis.

    Attributes
    ----------
    source, target : str
        Node ids.
    form : str
        Shape of the dependence, in words.
    sign : str
        ``+``, ``-``, ``0`` (off by design) or ``?`` (depends).
    grade : str
        A to D.
    evidence : str
        ``adult human``, ``human other``, ``animal or cells`` or ``none``.
    status : str
        ``measured``, ``prior only`` or ``contested``.
    parameter : str
        Parameter that carries the link's strength.
    study_id, description : str
        Source and what it says.
    """

    source: str
    target: str
    form: str
    sign: str
    grade: str
    evidence: str
    status: str
    parameter: str
    study_id: str
    description: str

    @property
    def human(self) -> bool:
        """Whether any human evidence bears on the link."""
        return self.evidence in ("adult human", "human other")

    @property
    def key(self) -> Key:
        """Its ends and its constant: what tells one link from another."""
        return self.source, self.target, self.parameter

    def misfits(self) -> list[str]:
        """Return what is none of the words that a column may hold, one text each."""
        columns = (("grade", GRADES), ("sign", SIGNS), ("evidence", EVIDENCE), ("status", STATUS))
        return [
            f'{column} must be one of {", ".join(words)}; got "{getattr(self, column)}".'
            for column, words in columns
            if getattr(self, column) not in words
        ]


@dataclass(frozen=True)
class Node:
    """One quantity of the axis and the spread between people that its changes are measured in.

    Attributes
    ----------
    node, label, column : str
        Id, label and column of the diagram.
    variable, transform : str
        Variable of the model, ``linear`` or ``log``.
    sd : float
        Spread between people on that scale.
    unit, study_id, grade, description : str
        Of the spread.
    """

    node: str
    label: str
    column: str
    variable: str
    transform: str
    sd: float
    unit: str
    study_id: str
    grade: str
    description: str


@dataclass(frozen=True)
class Quantity:
    """An end of a link that is no box of a report's diagram.

    Attributes
    ----------
    quantity, label : str
        Id and words.
    variable : str
        Variable of the model.
    column : str
        Column of the map of all links.
    """

    quantity: str
    label: str
    variable: str
    column: str


@cache
def couplings(library: Library | None = None) -> tuple[Coupling, ...]:
    """Return all links in the order of the table, those of a user's own submodels behind the shipped ones.

    A row of the user with the ends and the parameter of a shipped one takes its place. A shipped link goes where the
    user's submodel no longer has the constant that carries it.

    Raises
    ------
    InputError
        A user's table without its columns, a row with too many or too few cells, a link twice, a word that is no
        grade, sign, evidence or status; with lines.
    """
    links = {link.key: link for link in (Coupling(**row) for row in resources.rows("model", "library", COUPLINGS))}
    if library is None:
        return tuple(links.values())
    gone = _gone(library)
    known = {key: link for key, link in links.items() if link.parameter not in gone}
    own = {key: Coupling(**row.cells) for key, row in _own_rows(library).items()}
    file = library.file(COUPLINGS)
    problems = [
        Problem(file, own_line(library, link), f"Link {link.source} -> {link.target}: {text}")
        for link in own.values()
        for text in link.misfits()
    ]
    if problems:
        raise InputError(problems)
    return tuple((known | own).values())


def own_line(library: Library, link: Coupling) -> int:
    """Return the line of a link in the user's table; 0 where it is none of the user's."""
    row = _own_rows(library).get(link.key)
    return row.line if row else 0


@cache
def _own_rows(library: Library) -> dict[Key, Row]:
    if not library.couplings:
        return {}
    file = library.file(COUPLINGS)
    found: dict[Key, Row] = {}
    problems = []
    for row in read_rows(library.couplings, [item.name for item in fields(Coupling)], file):
        first = found.setdefault((row["source"], row["target"], row["parameter"]), row)
        if first is not row:
            text = f"A link must have one row, got {row['source']} -> {row['target']} again"
            problems.append(Problem(file, row.line, f"{text} (first in line {first.line}); remove one."))
    if problems:
        raise InputError(problems)
    return found


def _gone(library: Library) -> set[str]:
    """Return the constants that shipped submodels have and those that a user put in their place have not."""
    had = {row["parameter"] for name in library.own if name in shipped().names for row in _constants(shipped(), name)}
    kept = {row["parameter"] for name in library.names for row in _constants(library, name)}
    computed = {row["variable"] for part in library.submodels for row in variable_rows(part)}
    return had - kept - computed


def _constants(library: Library, name: str) -> list[Row]:
    return [row for row in parameter_rows(library.submodel(name)) if row["distribution"] != "input"]


def couplings_of(axis: ComposedModel) -> tuple[Coupling, ...]:
    """Return the links of an axis as it is set: those switched off have the sign ``0``.

    A link is off where its constant, or a constant that its own is multiplied by, was set to 0. A link that is off by
    design and was switched on has the sign ``?``: which way it acts is in its description.
    """
    links = couplings(axis.library)
    if not axis.values:
        return links
    off = _silenced(axis)
    on = {name for name, value in axis.values.items() if value}
    return tuple(
        replace(link, sign="0")
        if link.parameter in off
        else replace(link, sign="?")
        if link.sign == "0" and link.parameter in on
        else link
        for link in links
    )


def _silenced(axis: ComposedModel) -> set[str]:
    """Return the constants that act on nothing because one was set to 0: it, and what it is multiplied with."""
    import libsbml

    from vagus.model.formulas import read_equations

    zero = {name for name, value in axis.values.items() if not value}
    found = set(zero)
    for equation in read_equations(libsbml.readSBMLFromString(axis.sbml)):
        for formula in (equation.formula, *(formula for _, formula in equation.sets)):
            for product in formula.products():
                factors = {part.word for part in product.parts if part.kind == "name"}
                if factors & zero:
                    found |= factors
    return found & set(axis.parameters["parameter"])


@cache
def quantities() -> tuple[Quantity, ...]:
    """Return the ends of links that are no boxes of the diagram."""
    return tuple(Quantity(**row) for row in resources.rows("model", "library", "quantities.csv"))


@cache
def nodes() -> tuple[Node, ...]:
    """Return all quantities, in the order of the diagram."""
    fields = ("node", "label", "column", "variable", "transform", "unit", "study_id", "grade", "description")
    return tuple(
        Node(sd=float(row["sd"]), **{name: row[name] for name in fields})
        for row in resources.rows("model", "library", "nodes.csv")
    )
