"""The outcome vocabulary: one name, unit, scale and direction of benefit for every quantity a trial may report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from vagus import resources
from vagus.errors import InputError, nearest


@dataclass(frozen=True)
class Threshold:
    """A difference that matters, with its source.

    Attributes
    ----------
    kind : str
        ``between-arms`` (difference of two means), ``within-person`` (change of one person) or
        ``within-person-percent`` (change of one person in percent of the own baseline).
    value : float
        Size of the difference, always positive; unit of the outcome, or percent.
    source, grade, note : str
        Where it comes from, how good that is (A to D) and what it means exactly.
    """

    kind: str
    value: float
    source: str
    grade: str
    note: str


@dataclass(frozen=True)
class Outcome:
    """One outcome of the vocabulary.

    Attributes
    ----------
    id : str
        Name in every table.
    unit : str
        Unit of its values.
    scale : str
        ``bounded`` (questionnaire sums), ``real``, ``positive`` (compared by ratios of geometric means), ``count`` or
        ``proportion`` (percent of a whole).
    benefit : str
        Which direction is good: ``higher``, ``lower`` or ``none`` where it depends on the context.
    domain, label, description : str
        Group, name for readers, and what it is.
    minimum, maximum : float or None
        Range that the instrument or nature allows.
    mcid : float or None
        Smallest difference between arms that matters, in outcome units; None where none is known. Where only a
        within-person change has a source, that is used and `mcid_kind` says so (it is the stricter of the two).
    mcid_kind, mcid_source, mcid_grade : str
        What `mcid` is, where it comes from and its grade; empty where `mcid` is None.
    responder : Threshold or None
        Change from which one person counts as a responder.
    aliases : tuple of str
        Other names that `resolve_outcome` accepts; one alias may name several outcomes.
    """

    id: str
    unit: str
    scale: str
    benefit: str
    domain: str
    label: str
    minimum: float | None
    maximum: float | None
    mcid: float | None
    mcid_source: str
    mcid_grade: str
    description: str
    mcid_kind: str = ""
    responder: Threshold | None = None
    aliases: tuple[str, ...] = ()


@cache
def _outcomes() -> dict[str, Outcome]:
    thresholds: dict[str, dict[str, Threshold]] = {}
    for row in resources.table("trial", "important_differences.csv").to_dict("records"):
        found = Threshold(row["kind"], float(row["value"]), row["source"], row["grade"], row["note"])
        thresholds.setdefault(row["outcome"], {}).update(dict.fromkeys(row["use"].split(), found))
    table = {}
    for row in resources.table("trial", "vocabulary.csv").to_dict("records"):
        own = thresholds.get(row["outcome"], {})
        mcid = own.get("mcid")
        table[row["outcome"]] = Outcome(
            id=row["outcome"],
            unit=row["unit"],
            scale=row["scale"],
            benefit=row["benefit"],
            domain=row["domain"],
            label=row["label"],
            minimum=_number(row["minimum"]),
            maximum=_number(row["maximum"]),
            mcid=mcid.value if mcid else None,
            mcid_source=mcid.source if mcid else "",
            mcid_grade=mcid.grade if mcid else "",
            description=row["description"],
            mcid_kind=mcid.kind if mcid else "",
            responder=own.get("responder"),
            aliases=tuple(part.strip() for part in row["aliases"].split(";") if part.strip()),
        )
    return table


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def outcomes() -> dict[str, Outcome]:
    """Return the whole vocabulary, in its order.

    Returns
    -------
    dict of str to Outcome
        A new dict at every call.

    Examples
    --------
    >>> len(outcomes()), next(iter(outcomes()))
    (24, 'bdi')
    """
    return dict(_outcomes())


def outcome(name: str) -> Outcome:
    """Return one outcome by its id.

    Parameters
    ----------
    name : str
        Id of the vocabulary (`resolve_outcome` takes other names).

    Raises
    ------
    InputError
        No outcome has this id; the nearest is named.

    Examples
    --------
    >>> isi = outcome("isi")
    >>> isi.label, isi.benefit, isi.mcid, isi.maximum
    ('ISI', 'lower', 4.0, 28.0)
    """
    table = _outcomes()
    if name not in table:
        raise InputError(f'An outcome must be one of the vocabulary, got "{name}"; {nearest(name, table)}')
    return table[name]


def resolve_outcome(name: str) -> tuple[str, ...]:
    """Return the ids that a name stands for.

    Case, blanks, hyphens and underscores do not matter.

    Parameters
    ----------
    name : str
        An id, a label or an alias (``STAI`` names both of its scales).

    Returns
    -------
    tuple of str
        One or more ids, in vocabulary order.

    Raises
    ------
    InputError
        Nothing has this name; the nearest is named.

    Examples
    --------
    >>> resolve_outcome("ISI"), resolve_outcome("STAI"), resolve_outcome("butyrate")
    (('isi',), ('stai_state', 'stai_trait'), ('faecal_butyrate_mmol_kg',))
    """
    found = _names().get(_key(name))
    if not found:
        known = [alias for item in _outcomes().values() for alias in (item.id, *item.aliases)]
        raise InputError(f'An outcome must be one of the vocabulary, got "{name}"; {nearest(name, known)}')
    return found


@cache
def _names() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for item in _outcomes().values():
        for key in dict.fromkeys(_key(alias) for alias in (item.id, item.label, *item.aliases)):
            names[key] = (*names.get(key, ()), item.id)
    # An id always means itself, whatever aliases exist beside it.
    names.update({_key(item.id): (item.id,) for item in _outcomes().values()})
    return names


def _key(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).casefold()
