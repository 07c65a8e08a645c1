"""Products: what a gram of each brings, how its dose is written, how much people take, how it is tolerated.

One file a product in ``products/``. A composition is given in grams per gram of product as weighed; every number
carries a source and a grade (A adult human experiment, B human observational, C measured outside the body: product
specifications and chemical analyses, D memory or assumed).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from vagus import resources
from vagus.errors import InputError, nearest
from vagus.protocol.document import read
from vagus.protocol.types import Frozen, FrozenDict
from vagus.units import COUNTED, MOST_GRAMS_PER_DAY, DoseRate, DoseUnits, is_counted, parse_dose, plain


@dataclass(frozen=True)
class Part:
    """What a product can bring.

    Attributes
    ----------
    state : str
        State of the model that a dose is added to; empty for what acts on nothing.
    unit : str
        Unit of that state.
    per_gram : float
        How many of that unit a gram is.
    words : str
        What it is called in a sentence.
    """

    state: str
    unit: str
    per_gram: float
    words: str


#: Everything that a product can be made of and that the model knows; `digestible` is absorbed before the colon.
PARTS = {
    "RS": Part("oral_RS", "g", 1.0, "resistant starch"),
    "NSP": Part("oral_NSP", "g", 1.0, "non-starch polysaccharides"),
    "OS": Part("oral_OS", "g", 1.0, "oligosaccharides"),
    "PS": Part("oral_PS", "g", 1.0, "raw potato starch"),
    "MS": Part("oral_MS", "g", 1.0, "high-amylose maize starch"),
    "FL": Part("oral_FL", "g", 1.0, "2'-fucosyllactose"),
    "LN": Part("oral_LN", "g", 1.0, "lacto-N-neotetraose"),
    "LT": Part("oral_LT", "g", 1.0, "lacto-N-tetraose"),
    "SL": Part("oral_SL", "g", 1.0, "sialyllactoses"),
    "MP": Part("oral_MP", "g", 1.0, "mucin and protein"),
    "digestible": Part("", "g", 1.0, "digestible in the small intestine"),
    "lactoferrin": Part("oral_lactoferrin", "g", 1.0, "lactoferrin"),
    "vitamin_d": Part("oral_vitamin_d", "ug", 1e6, "vitamin D"),
    "magnesium": Part("oral_magnesium", "mg", 1e3, "dissolved magnesium"),
    "bifidobacteria": Part("oral_probif", "g", 1.0, "live bifidobacteria"),
    "lactobacilli": Part("oral_prolac", "g", 1.0, "live lactobacilli"),
}
#: Parts that matter in the colon as food of bacteria.
SUBSTRATES = ("RS", "NSP", "OS", "PS", "MS", "FL", "LN", "LT", "SL", "MP", "digestible")
#: The rest of a powder, stated so that the shares can be added up.
INERT = ("water", "other")
_ANY = DoseUnits(per_gram=dict.fromkeys(COUNTED, math.inf), examples={"IU": "1000 IU/day", "CFU": "1e9 CFU/day"})
#: Grams in one unit of mass that a product file may use.
GRAMS = {"g": 1.0, "mg": 1e-3, "ug": 1e-6}

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
        if self.part not in (*PARTS, *INERT):
            raise ValueError(f"unknown part {self.part}; {nearest(self.part, (*PARTS, *INERT))}")
        if not 0 < self.value <= 1:
            raise ValueError(f"share of {self.part} must be above 0 and at most 1")
        return self


class CountedUnit(Frozen):
    """A unit that counts (``IU``, ``CFU``) and how many of it a gram of product is."""

    unit: Literal["IU", "CFU"]
    per_gram: float
    grade: Grade
    source: str
    note: str


class DoseRange(Frozen):
    """Usual daily dose of adults, in `unit` a day."""

    low: float
    high: float
    unit: str = "g"
    grade: Grade
    source: str
    note: str


class Limit(Frozen):
    """A daily amount that is not to be passed, in `unit` a day."""

    value: float
    unit: str
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
        True: serves as control (nothing, or next to nothing, acts on the model).
    composition : dict of str to float
        Part that the model knows (see `PARTS`) to g per g of product; with water and other parts it adds up to 1.
    shares : tuple of Share
        The same with grades and sources, water and other parts included.
    by_mass : bool
        Whether a dose may be written as a mass.
    counted : tuple of CountedUnit
        Counted units that a dose may be written in.
    usual_dose : DoseRange
        What adults usually take.
    upper_level : Limit or None
        Tolerable upper intake level of adults, where an authority set one.
    most : Limit or None
        Largest dose that is accepted: above it the dose is a slip of the unit, or the model is beyond its data.
    tolerance : Tolerance
        How it is tolerated.
    description : str
        What it is, and what had to be assumed.
    sources : tuple of Source
        Every source that a share, a dose or the tolerance names.
    grade : str
        The weakest grade among the shares that act (among all where none does).
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    comparator: bool
    description: str
    composition: Annotated[dict[str, float], AfterValidator(FrozenDict)]
    shares: tuple[Share, ...]
    by_mass: bool = True
    counted: tuple[CountedUnit, ...] = Field(default=())
    usual_dose: DoseRange
    upper_level: Limit | None = None
    most: Limit | None = None
    tolerance: Tolerance
    sources: tuple[Source, ...]
    grade: Grade

    @model_validator(mode="after")
    def _adds_up(self) -> Product:
        total = sum(share.value for share in self.shares)
        if abs(total - 1) > 0.005:
            raise ValueError(f"shares of {self.id} add up to {total:.3f}, not 1")
        known = {source.key for source in self.sources}
        for fact in self.facts:
            if fact.source not in known:
                raise ValueError(f"{self.id}: source {fact.source} is not listed")
        if not self.by_mass and not self.counted:
            raise ValueError(f"{self.id}: a dose must be written in some unit")
        for amount in (self.usual_dose, self.upper_level, self.most):
            if amount is not None and amount.unit not in (*GRAMS, *(item.unit for item in self.counted)):
                raise ValueError(f"{self.id}: unknown unit {amount.unit}")
        return self

    @property
    def facts(self) -> tuple[Share | CountedUnit | DoseRange | Limit | Tolerance, ...]:
        """Everything that names a source."""
        limits = tuple(limit for limit in (self.upper_level, self.most) if limit is not None)
        return (*self.shares, *self.counted, self.usual_dose, *limits, self.tolerance)

    @property
    def dose_units(self) -> DoseUnits:
        """What a dose of this product may be written in."""
        usual = self.usual_dose
        # A plain powder keeps one example for all, so that messages read alike.
        weighed = "5 g/day" if usual.unit == "g" else f"{plain(usual.low)} {usual.unit}/day"
        examples = {"mass": weighed} if self.by_mass else {}
        for item in self.counted:
            size = usual.low * self._grams(usual.unit) * item.per_gram
            examples[item.unit] = f"{plain(size)} {item.unit}/day"
        most = self.most
        return DoseUnits(
            mass=self.by_mass,
            per_gram={item.unit: item.per_gram for item in self.counted},
            most_grams_per_day=most.value * self._grams(most.unit) if most else MOST_GRAMS_PER_DAY,
            most=f"{plain(most.value)} {most.unit}/day" if most else f"{MOST_GRAMS_PER_DAY:g} g/day",
            examples=examples,
        )

    def _grams(self, unit: str) -> float:
        counted: dict[str, float] = {item.unit: 1 / item.per_gram for item in self.counted}
        return counted[unit] if unit in counted else GRAMS[unit]

    def added(self, grams: float) -> dict[str, float]:
        """Return what `grams` of product add to which state of the model, in the state's unit.

        Examples
        --------
        >>> product("vitamin_d3").added(25e-6)
        {'oral_vitamin_d': 25.0}
        """
        return {
            PARTS[part].state: grams * share * PARTS[part].per_gram
            for part, share in self.composition.items()
            if PARTS[part].state
        }

    def above_upper_level(self, grams: float) -> bool:
        """Return whether what acts in `grams` of product a day passes the tolerable upper level.

        Examples
        --------
        >>> product("vitamin_d3").above_upper_level(101e-6), product("2FL").above_upper_level(100)
        (True, False)
        """
        if self.upper_level is None:
            return False
        acting = sum(share for part, share in self.composition.items() if PARTS[part].state)
        return grams * acting > self.upper_level.value * self._grams(self.upper_level.unit) * (1 + 1e-9)


@cache
def _products() -> FrozenDict:
    found: dict[str, Product] = {}
    for name in resources.names("protocol", "products", suffix=".yaml"):
        product = _product(read(resources.text("protocol", "products", f"{name}.yaml"), f"{name}.yaml").data)
        found[product.id] = product
    return FrozenDict(dict(sorted(found.items(), key=lambda item: (item[1].comparator, item[0].lower()))))


def _product(data: dict[str, Any]) -> Product:
    shares = tuple(Share(part=part, **facts) for part, facts in data.pop("composition").items())
    acting = [share for share in shares if share.part in PARTS and PARTS[share.part].state]
    return Product(
        composition={share.part: share.value for share in shares if share.part in PARTS},
        shares=shares,
        counted=tuple(CountedUnit(unit=unit, **facts) for unit, facts in data.pop("counted", {}).items()),
        sources=tuple(Source(key=key, **facts) for key, facts in data.pop("sources").items()),
        grade=max(share.grade for share in acting or shares),
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
        Unknown name; the nearest is named, or why there is no such product.

    Examples
    --------
    >>> product("2'-FL").id
    '2FL'
    """
    names = _names()
    if name not in names:
        reason = why_not_modelled(name)
        message = f"not modelled: {reason}" if reason else nearest(name, names)
        raise InputError(f'A product must be one of the list, got "{name}"; {message}')
    return products()[names[name]]


def why_not_modelled(name: str) -> str:
    """Return why there is no such product although it is known; empty where nothing is known of it.

    Examples
    --------
    >>> why_not_modelled("heat-killed L. gasseri CP2305")
    'dead cells do not grow in the colon, and no effect of dead cells is in the model.'
    """
    written = name.lower()
    for row in resources.rows("protocol", "products", "not_modelled.csv"):
        if any(word in written for word in row["words"].split("|")):
            return row["reason"]
    return ""


def read_dose(name: str, text: object, of: str = "Dose") -> DoseRate:
    """Read the dose of a product in the units that it takes.

    Parameters
    ----------
    name : str
        Id or alias; the dose of an unknown product may be counted too (its name is another rule's matter).
    text : object
        As written.
    of : str
        Subject of the error sentence.

    Raises
    ------
    UnitError
        See `vagus.units.parse_dose`.

    Examples
    --------
    >>> read_dose("vitamin_d3", "1000 IU/day").grams_per_day
    2.5e-05
    >>> read_dose("live_bifidobacterium", "5 g/day")
    Traceback (most recent call last):
    ...
    vagus.units.UnitError: Dose must be in CFU per day, got "5 g/day"; write "1e9 CFU/day".
    """
    try:
        units = product(name).dose_units
    except InputError:
        units = _ANY if is_counted(text) else DoseUnits()
    return parse_dose(text, of, units)


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for item in products().values():
        for name in (item.id, *item.aliases):
            if names.setdefault(name, item.id) != item.id:
                raise ValueError(f"two products share the name {name}")
    return names
