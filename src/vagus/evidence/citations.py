"""Who is cited, and for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from vagus import resources
from vagus.errors import VagusError, nearest


@dataclass(frozen=True)
class Citation:
    """One source and the reasons it is cited in a result.

    Attributes
    ----------
    key, text, doi : str
        Id in the evidence base, reference, digital object identifier (may be empty).
    reasons : tuple of str
        What the result takes from it.
    """

    key: str
    text: str
    doi: str
    reasons: tuple[str, ...]


@cache
def references() -> dict[str, tuple[str, str]]:
    """Return every source id -> (reference, doi): model sources and studies together.

    Raises
    ------
    VagusError
        An id that stands in both tables.
    """
    known: dict[str, tuple[str, str]] = {}
    for name in ("sources.csv", "studies.csv"):
        for row in resources.rows("evidence", "data", name):
            if row["study_id"] in known:
                raise VagusError(f'Source "{row["study_id"]}" stands twice in sources.csv and studies.csv.')
            known[row["study_id"]] = (row["citation"], row["doi"])
    return known


def cite(
    reasons: Mapping[str, tuple[str, ...]], sources: Mapping[str, tuple[str, str]] | None = None
) -> tuple[Citation, ...]:
    """Return the citations of a result, sorted by key, without those that are no publication.

    Parameters
    ----------
    reasons : mapping of str to tuple of str
        Source id -> what is taken from it.
    sources : mapping of str to (reference, doi), optional
        All known sources; those of the evidence base by default.

    Raises
    ------
    VagusError
        An id that has no row: a number without a source.
    """
    known = sources or references()
    unknown = sorted(set(reasons) - set(known))
    if unknown:
        raise VagusError(f'Source "{unknown[0]}" has no row in the evidence base; {nearest(unknown[0], known)}')
    internal = {"assumed", "numerical", "baseline", "product", "protocol"}
    return tuple(
        Citation(key, *known[key], tuple(reasons[key]))
        for key in sorted(reasons)
        if key not in internal and reasons[key]
    )
