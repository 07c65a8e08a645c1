"""Products: what a gram of each brings into the colon, how much people take, how it is tolerated.

One file a product in ``products/``. A composition is given in grams per gram of powder as weighed; every number carries
a source and a grade (A adult human experiment, B human observational, C measured outside the body: product
specifications and chemical analyses, D memory or assumed).
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from vagus import resources
from vagus.errors import InputError, nearest
from vagus.protocol.document import read
from vagus.protocol.types import Frozen, FrozenDict

#: Substrates of the model; `digestible` is absorbed before the colon and has no effect there.
SUBSTRATES = ("RS", "NSP", "OS", "FL", "LN", "MP", "digestible")
#: The rest of a powder, stated so that the shares can be added up.
INERT = ("water", "other")

Grade = Literal["A", "B", "C", "D"]


class Source(Frozen):
    """Where a number was seen; `address` is a DOI or a page, empty where it is from memory."""

    key: str
    citation: str
    address: str


class Share(Frozen):
    """Part of a product: `value` g/g with the grade, the source (key) and what it means."""

    part: str
    value: float
    grade: Grade
    source: str
    note: str

    @model_validator(mode="after")
    def _known(self) -> Share:
        if self.part not in SUBSTRATES + INERT:
            raise ValueError(f"unknown part {self.part}; {nearest(self.part, SUBSTRATES + INERT)}")
        if not 0 < self.value <= 1:
            raise ValueError(f"share of {self.part} must be above 0 and at most 1")
        return self


class DoseRange(Frozen):
    """Usual daily dose of adults (g/day)."""

    low: float
    high: float
    grade: Grade
    source: str
    note: str


class Tolerance(Frozen):
    """What is known of how adults tolerate the product."""

    text: str
    grade: Grade
    source: str


class Product(Frozen):
    """One product.

    Attributes
    ----------
    id, name : str
        Id in protocols and name for readers.
    aliases : tuple of str
        Other names that a protocol may use.
    comparator : bool
        True: serves as control (nothing, or next to nothing, reaches the colon).
    composition : dict of str to float
        Substrate of the model (and ``digestible``) to g per g of powder; with water and other parts it adds up to 1.
    shares : tuple of Share
        The same with grades and sources, water and other parts included.
    usual_dose : DoseRange
        What adults usually take.
    tolerance : Tolerance
        How it is tolerated.
    description : str
        What it is, and what had to be assumed.
    sources : tuple of Source
        Every source that a share, the dose or the tolerance names.
    grade : str
        The weakest grade among the shares that reach the colon (among all where none does).
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    comparator: bool
    description: str
    composition: Annotated[dict[str, float], AfterValidator(FrozenDict)]
    shares: tuple[Share, ...]
    usual_dose: DoseRange
    tolerance: Tolerance
    sources: tuple[Source, ...]
    grade: Grade

    @model_validator(mode="after")
    def _adds_up(self) -> Product:
        total = sum(share.value for share in self.shares)
        if abs(total - 1) > 0.005:
            raise ValueError(f"shares of {self.id} add up to {total:.3f}, not 1")
        known = {source.key for source in self.sources}
        named = [share.source for share in self.shares]
        for source in (*named, self.usual_dose.source, self.tolerance.source):
            if source not in known:
                raise ValueError(f"{self.id}: source {source} is not listed")
        return self

    def substrates(self, grams: float) -> dict[str, float]:
        """Return the grams of each substrate that reach the colon with `grams` of product."""
        return {part: grams * share for part, share in self.composition.items() if part != "digestible"}


@cache
def _products() -> FrozenDict:
    found: dict[str, Product] = {}
    for name in resources.names("protocol", "products", suffix=".yaml"):
        product = _product(read(resources.text("protocol", "products", f"{name}.yaml"), f"{name}.yaml").data)
        found[product.id] = product
    return FrozenDict(dict(sorted(found.items(), key=lambda item: (item[1].comparator, item[0].lower()))))


def _product(data: dict[str, Any]) -> Product:
    shares = tuple(Share(part=part, **facts) for part, facts in data.pop("composition").items())
    fermented = [share for share in shares if share.part in SUBSTRATES and share.part != "digestible"]
    return Product(
        composition={share.part: share.value for share in shares if share.part in SUBSTRATES},
        shares=shares,
        sources=tuple(Source(key=key, **facts) for key, facts in data.pop("sources").items()),
        grade=max(share.grade for share in fermented or shares),
        **data,
    )


def products() -> dict[str, Product]:
    """Return every product by id: active ones first, then comparators.

    Examples
    --------
    >>> products()["2FL"].composition["FL"]
    0.94
    """
    return _products()


def product(name: str) -> Product:
    """Return the product with this id or alias.

    Raises
    ------
    InputError
        Unknown name; the nearest is named.

    Examples
    --------
    >>> product("2'-FL").id
    '2FL'
    """
    names = _names()
    if name not in names:
        raise InputError(f'A product must be one of the list, got "{name}"; {nearest(name, names)}')
    return products()[names[name]]


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for item in products().values():
        for name in (item.id, *item.aliases):
            if names.setdefault(name, item.id) != item.id:
                raise ValueError(f"two products share the name {name}")
    return names
