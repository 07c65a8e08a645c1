"""Units of the equations: unit texts of the tables set on the SBML, and libSBML's check of every equation.

In the joined model every literal counts as dimensionless, so that a conversion needs a constant with a unit
(``h_per_d`` = 24 h/d) and two quantities can only be added or compared in the same unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from vagus.errors import ModelError
from vagus.model.consistency import unit_findings

if TYPE_CHECKING:
    import pint

#: Unit of the tables -> SBML base kind and multiplier. Traits in standard deviations and shares have no dimension.
_KINDS = {
    "day": ("second", 86400.0),
    "hour": ("second", 3600.0),
    "minute": ("second", 60.0),
    "second": ("second", 1.0),
    "gram": ("gram", 1.0),
    "mole": ("mole", 1.0),
    "liter": ("litre", 1.0),
    "lux": ("lux", 1.0),
    "item": ("item", 1.0),
}
_DEFINITIONS = (
    "pico- = 1e-12 = p-",
    "nano- = 1e-9 = n-",
    "micro- = 1e-6 = u-",
    "milli- = 1e-3 = m-",
    "kilo- = 1e3 = k-",
    "deci- = 1e-1 = d-",
    "gram = [mass] = g",
    "mole = [substance] = mol",
    "liter = [volume] = l",
    "second = [time] = s",
    "minute = [minutes] = min",
    "hour = [hours] = h",
    "day = [days] = d",
    "lux = [light]",
    "item = [number] = cells = CFU = IU",
    "SD = []",
)
#: Prime factor of a unit -> SBML unit that stands for it while equations are checked.
_MARKS = {2: "ampere", 3: "kelvin", 5: "candela"}
_PREFIXES = {"pico": 1e-12, "nano": 1e-9, "micro": 1e-6, "milli": 1e-3, "deci": 1e-1, "kilo": 1e3}


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, cache_folder=None)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


@cache
def read_unit(text: str) -> tuple[tuple[str, float, float], ...]:
    """Return a unit as ``(SBML kind, exponent, multiplier)``; none for a dimensionless one.

    Raises
    ------
    ModelError
        The text is no unit.

    Examples
    --------
    >>> read_unit("ng/kg/h")
    (('gram', -1.0, 1000.0), ('gram', 1.0, 1e-09), ('second', -1.0, 3600.0))
    >>> read_unit("1")
    ()
    """
    import pint

    written = text.replace("mM", "(mmol/l)").replace("nM", "(nmol/l)").replace("uM", "(umol/l)")
    try:
        quantity = _registry().parse_expression(written)
    except (pint.errors.PintError, ValueError, TypeError, SyntaxError, AssertionError, AttributeError) as error:
        raise ModelError(f'"{text}" is no unit; write it as g/d, 1/h, pg/ml, mmol/g, or 1 for none.') from error
    if isinstance(quantity, int | float):
        parts: list[tuple[str, float]] = []
        factor = float(quantity)
    else:
        factor = float(quantity.magnitude)
        parts = [(name, float(str(power))) for name, power in quantity.unit_items()]
    if factor != 1 or not text:
        raise ModelError(f'"{text}" is no unit: a number is in it.')
    return tuple(sorted(_part(name, power) for name, power in parts if name != "SD"))


def _part(name: str, power: float) -> tuple[str, float, float]:
    multiplier = 1.0
    for prefix, factor in _PREFIXES.items():
        if name.startswith(prefix):
            name, multiplier = name.removeprefix(prefix), factor
            break
    kind, own = _KINDS[name]
    return kind, power, multiplier * own


def set_units(document: Any, units: Mapping[str, str]) -> None:
    """Set the units of named quantities, of time (days) and of all literals (none) on an SBML document.

    Parameters
    ----------
    document : libsbml.SBMLDocument
        Changed in place.
    units : mapping of str to str
        Name of a parameter of the model -> unit text. Names without an entry stay without a unit.
    """
    model = document.getModel()
    known: dict[tuple[tuple[str, float, float], ...], str] = {}
    model.setTimeUnits(_definition(model, read_unit("d"), known))
    for parameter in model.getListOfParameters():
        text = units.get(parameter.getId())
        if text is not None:
            parameter.setUnits(_definition(model, read_unit(text), known))
    for holder in _formulas(model):
        formula = holder.getMath().deepCopy()
        _mark_literals(formula)
        holder.setMath(formula)


def unit_problems(document: Any) -> list[str]:
    """Return what libSBML's unit checker says of an SBML document with units, and every quantity without one."""
    document = document.clone()
    _spell_out_factors(document.getModel())
    without = [item.getId() for item in document.getModel().getListOfParameters() if not item.isSetUnits()]
    return [f'"{name}" has no unit; give it a row in variables.csv or parameters.csv.' for name in without] + [
        " ".join(finding.message.split()) for finding in unit_findings(document)
    ]


def _spell_out_factors(model: Any) -> None:
    """Turn the factor of every unit into powers of units that nothing else has.

    libSBML compares dimensions and leaves factors aside: an hour would pass for a day. All factors here are products
    of 2, 3 and 5, so their powers as ampere, kelvin and candela make the comparison exact.
    """
    import libsbml

    for definition in model.getListOfUnitDefinitions():
        powers = dict.fromkeys(_MARKS, 0.0)
        for unit in definition.getListOfUnits():
            per_day = 86400.0 if unit.getKind() == libsbml.UNIT_KIND_SECOND else 1.0  # the unit of time stays plain
            for prime, count in _factored(unit.getMultiplier(), per_day).items():
                powers[prime] += count * unit.getExponentAsDouble()
            unit.setMultiplier(1.0)
        for prime, power in powers.items():
            if power:
                mark = definition.createUnit()
                mark.setKind(libsbml.UnitKind_forName(_MARKS[prime]))
                mark.setExponent(power)
                mark.setScale(0)
                mark.setMultiplier(1.0)


def _factored(multiplier: float, unit: float) -> dict[int, int]:
    """Return the powers of 2, 3 and 5 in a factor such as 3600 or 1e-12, counted in a unit."""
    ratio = Fraction(multiplier).limit_denominator(10**15) / Fraction(unit)
    powers = {}
    for prime in _MARKS:
        count = 0
        while ratio.numerator % prime == 0:
            ratio, count = ratio / prime, count + 1
        while ratio.denominator % prime == 0:
            ratio, count = ratio * prime, count - 1
        powers[prime] = count
    if ratio != 1:
        raise ModelError(f"A unit's factor must be a product of 2, 3 and 5, got {multiplier:g}.")
    return powers


def _definition(model: Any, unit: tuple[tuple[str, float, float], ...], known: dict[Any, str]) -> str:
    import libsbml

    if not unit:
        return "dimensionless"
    if unit not in known:
        name = f"unit_{len(known) + 1}"
        definition = model.createUnitDefinition()
        definition.setId(name)
        for kind, exponent, multiplier in unit:
            part = definition.createUnit()
            part.setKind(libsbml.UnitKind_forName(kind))
            part.setExponent(exponent)
            part.setScale(0)
            part.setMultiplier(multiplier)
        known[unit] = name
    return known[unit]


def _formulas(model: Any) -> list[Any]:
    holders = [*model.getListOfRules(), *model.getListOfInitialAssignments()]
    for event in model.getListOfEvents():
        holders += [event.getTrigger(), event.getDelay(), event.getPriority(), *event.getListOfEventAssignments()]
    return [holder for holder in holders if holder is not None and holder.isSetMath()]


def _mark_literals(node: Any) -> None:
    if node.isNumber():
        node.setUnits("dimensionless")
    for index in range(node.getNumChildren()):
        _mark_literals(node.getChild(index))
