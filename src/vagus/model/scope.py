"""What of the articles is modelled, and what is deliberately not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from vagus import resources
from vagus.model.couplings import Coupling, couplings

TREATMENTS = ("modelled", "switch", "evidence only", "not modelled")


@dataclass(frozen=True)
class Mechanism:
    """Something that the articles name.

    Attributes
    ----------
    mechanism : str
        In our words.
    treatment : str
        One of `TREATMENTS`; ``switch`` means off by default.
    submodel : str
        Where it is, or empty.
    reason : str
        Why so.
    study_id : str
        Source of the reason.
    """

    mechanism: str
    treatment: str
    submodel: str
    reason: str
    study_id: str


@dataclass(frozen=True)
class ClaimLink:
    """One claim of the articles and the part of the model that carries it.

    Attributes
    ----------
    claim_id : str
        Id in the evidence base.
    claim, verdict : str
        What is claimed, and what the evidence says of it.
    treatment : str
        One of `TREATMENTS`.
    submodel : str
        Where it is, or empty.
    couplings : tuple of Coupling
        The links that carry it.
    what : str
        What the model makes of it.
    """

    claim_id: str
    claim: str
    verdict: str
    treatment: str
    submodel: str
    couplings: tuple[Coupling, ...]
    what: str


@cache
def mechanisms() -> tuple[Mechanism, ...]:
    """Return everything the articles name, in the order of the table."""
    return tuple(Mechanism(**row) for row in resources.rows("model", "library", "scope.csv"))


@cache
def claim_links() -> tuple[ClaimLink, ...]:
    """Return every claim with the part of the model that carries it, in the order of the evidence base.

    Raises
    ------
    KeyError
        A claim without a row, or a link that is not in the table of couplings.
    """
    links = {f"{link.source}>{link.target}": link for link in couplings()}
    rows = {row["claim_id"]: row for row in resources.rows("model", "library", "claims.csv")}
    found = []
    for claim in resources.rows("evidence", "data", "claims.csv"):
        row = rows[claim["claim_id"]]
        carried = tuple(links[name] for name in row["couplings"].split(";") if name)
        treatment, submodel = row["treatment"], row["submodel"]
        found.append(
            ClaimLink(claim["claim_id"], claim["claim"], claim["verdict"], treatment, submodel, carried, row["what"])
        )
    return tuple(found)
