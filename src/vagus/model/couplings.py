"""The links between the parts of the axis, with sign, grade and source; and the quantities that stand for the parts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING

from vagus import resources
from vagus.model.libraries import COUPLINGS, Library, read_rows

if TYPE_CHECKING:
    from vagus.model.composition import ComposedModel


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

    A row of the user with the ends and the parameter of a shipped one takes its place.

    Raises
    ------
    InputError
        A user's table without its columns, or a row with too many or too few cells.
    """
    known = [Coupling(**row) for row in resources.rows("model", "library", COUPLINGS)]
    if library is None or not library.couplings:
        return tuple(known)
    columns = [item.name for item in fields(Coupling)]
    rows = read_rows(library.couplings, columns, library.file(COUPLINGS))
    places = {(link.source, link.target, link.parameter): place for place, link in enumerate(known)}
    for row in rows:
        link = Coupling(**row.cells)
        place = places.get((link.source, link.target, link.parameter))
        if place is None:
            known.append(link)
        else:
            known[place] = link
    return tuple(known)


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
