"""How strong a number is: the grade follows from the kind of its source."""

from __future__ import annotations

from functools import cache

from vagus import resources
from vagus.errors import VagusError

#: Kind of a source -> grade of every number that is taken from it. A meta-analysis counts as the trials in it; what
#: comes from memory, from a prior or from a review that was not read is assumed, whatever it names.
GRADE_OF_KIND = {
    "adult trial": "A",
    "adult experiment": "A",
    "human observational": "B",
    "infant trial": "B",
    "animal": "C",
    "in vitro": "C",
    "ex vivo": "C",
    "assumed": "D",
    "review": "D",
    "none": "-",
}


@cache
def grades() -> dict[str, str]:
    """Return every source id -> grade (A to D, or ``-`` for what is no biology).

    Raises
    ------
    VagusError
        A source of a kind that is not known.

    Examples
    --------
    >>> grades()["windoloski2024"], grades()["assumed"], grades()["numerical"]
    ('A', 'D', '-')
    """
    found = {}
    for name in ("sources.csv", "studies.csv"):
        for row in resources.rows("evidence", "data", name):
            if row["kind"] not in GRADE_OF_KIND:
                kinds = ", ".join(GRADE_OF_KIND)
                raise VagusError(f'Kind of source "{row["study_id"]}" must be one of {kinds}; got "{row["kind"]}".')
            found[row["study_id"]] = GRADE_OF_KIND[row["kind"]]
    return found
