"""What libSBML's own checks say of a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that libSBML finds.

    Attributes
    ----------
    number : int
        Number of the rule that is broken.
    line : int
        Line of the document; 0 where there is none.
    message : str
        As libSBML says it; see `reason`.
    is_error : bool
        Whether the document is unsound (else a warning).
    """

    number: int
    line: int
    message: str
    is_error: bool


def unit_findings(document: Any) -> Iterator[Finding]:
    """Give what the check of units finds in an SBML document; it compares dimensions, not factors."""
    import libsbml

    return _findings(document, {libsbml.LIBSBML_CAT_UNITS_CONSISTENCY})


def findings(document: Any) -> Iterator[Finding]:
    """Give what all other checks find, those of style and of ontology terms aside."""
    import libsbml

    aside = {
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
    }
    return _findings(document, set(_categories()) - aside)


def reason(message: str) -> str:
    r"""Return the sentence of a libSBML message that is about the document at hand, without the rule before it.

    Examples
    --------
    >>> reason("The id must be known.\nReference: L3V2 Section 4\n The rule uses 'x'.\n")
    "The rule uses 'x'."
    """
    lines = [line for line in message.splitlines() if not line.startswith("Reference:")]
    own = [line for line in lines if line.startswith(" ")]
    return " ".join(" ".join(own or lines).split())


def _categories() -> range:
    import libsbml

    return range(libsbml.LIBSBML_CAT_SBML, libsbml.LIBSBML_CAT_MODELING_PRACTICE + 1)


def _findings(document: Any, wanted: set[int]) -> Iterator[Finding]:
    import libsbml

    log = document.getErrorLog()
    log.clearLog()
    for category in _categories():
        document.setConsistencyChecks(category, category in wanted)
    document.checkConsistency()
    for index in range(log.getNumErrors()):
        error = log.getError(index)
        is_error = error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
        yield Finding(error.getErrorId(), error.getLine(), error.getMessage(), is_error)
