"""The links between the parts of the axis, with sign, grade and source; and the quantities that stand for the parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from vagus import resources


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
        ``+``, ``-`` or ``0`` (off by design).
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


@cache
def couplings() -> tuple[Coupling, ...]:
    """Return all links, in the order of the table."""
    return tuple(Coupling(**row) for row in resources.rows("model", "library", "couplings.csv"))


@cache
def nodes() -> tuple[Node, ...]:
    """Return all quantities, in the order of the diagram."""
    fields = ("node", "label", "column", "variable", "transform", "unit", "study_id", "grade", "description")
    return tuple(
        Node(sd=float(row["sd"]), **{name: row[name] for name in fields})
        for row in resources.rows("model", "library", "nodes.csv")
    )
