"""Mass balance of the ecology: carbon that a guild takes up against carbon in all that it makes of it.

The equations themselves are evaluated, in a closed colon that holds one guild and one substrate, so that a changed
coefficient is seen whether it stands in a table or in the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from vagus.errors import InputError, ModelError, Problem
from vagus.model.composition import ComposedModel, compose
from vagus.model.libraries import TEXT, Submodel

COLON = "colon"
#: Largest gap, as a share of the carbon taken up, that counts as closed: coefficients are rounded to four digits.
CLOSED_WITHIN = 0.001
#: Constants that close the colon: no inflow, no outflow.
CLOSED = {
    "intake_scale": 0.0,
    "inflow_MP": 0.0,
    "immigration_g_d": 0.0,
    "k_absorb_scfa": 0.0,
    "k_absorb_la_pd": 0.0,
    "transit_d": math.inf,
}
#: Acetate (mmol) that puts the pH where every guild lives.
ACETATE = 36.0
#: What is made -> carbon atoms; states by their rate, the others as they are computed.
MADE = {"M_ac": 2, "M_pr": 3, "M_bu": 4, "M_la": 3, "M_pd": 3}
COUNTED = {
    "succinate_mmol_d": 4,
    "formate_mmol_d": 1,
    "ethanol_mmol_d": 2,
    "co2_mmol_d": 1,
    "ch4_mmol_d": 1,
    "other_c_mmol_d": 1,
}
#: Metabolites that a guild feeds on: state -> (guild, name, carbon atoms).
CROSS_FED = {"M_la": ("lacuse", "lactate", 3), "M_pd": ("lacuse", "1,2-propanediol", 3)}


class CarbonFlow(NamedTuple):
    """Carbon of one guild on one substrate, in mmol per g taken up (per mmol for a metabolite).

    Attributes
    ----------
    guild, substrate : str
        Who takes what.
    carbon_in, carbon_out : float
        Carbon in what is taken up, and in cells and all products.
    gap : float
        `carbon_in` - `carbon_out`; carbon that is lost.
    """

    guild: str
    substrate: str
    carbon_in: float
    carbon_out: float
    gap: float

    @property
    def closed(self) -> bool:
        """Whether the gap is no more than rounding."""
        return abs(self.gap) <= CLOSED_WITHIN * self.carbon_in

    @property
    def share(self) -> float:
        """The gap as a share of the carbon taken up."""
        return self.gap / self.carbon_in


def carbon_balance(axis: ComposedModel | None = None) -> list[CarbonFlow]:
    """Return the carbon balance of every guild on every substrate that it takes, and of cross-feeding.

    Parameters
    ----------
    axis : ComposedModel, optional
        A model that holds the submodel colon; the shipped one by default.

    Raises
    ------
    InputError
        The colon does not compute what the balance needs.
    ModelError
        Its text holds a function that the balance cannot read.

    Examples
    --------
    >>> all(flow.closed for flow in carbon_balance())
    True
    """
    rates, constants = _colon(axis)
    flows = []
    for name in constants:
        head, guild, substrate = (*name.split("_"), "", "")[:3]
        if head == "a" and f"X_{guild}" in rates and f"S_{substrate}" in rates:
            found = rates({f"X_{guild}": 1.0, f"S_{substrate}": 1.0, "M_ac": ACETATE})
            taken = -found[f"S_{substrate}"]
            if taken > 0:
                carbon = constants[f"carbon_{substrate}"]
                flows.append(_flow(guild, substrate, carbon, _carbon_made(found, constants) / taken))
    for state, (guild, metabolite, atoms) in CROSS_FED.items():
        found = rates({f"X_{guild}": 1.0, state: 1.0, "M_ac": ACETATE})
        used, found[state] = -found[state], 0.0
        flows.append(_flow(guild, metabolite, atoms, _carbon_made(found, constants) / used))
    return flows


def leak_problems(flows: Iterable[CarbonFlow], colon: Submodel) -> list[Problem]:
    """Return one problem for every guild that loses or makes up carbon, at the line of its equation."""
    leaks: dict[str, list[CarbonFlow]] = {}
    for flow in flows:
        if not flow.closed:
            leaks.setdefault(flow.guild, []).append(flow)
    problems = []
    for guild, found in leaks.items():
        worst = max(found, key=lambda flow: abs(flow.share))
        others = f" and from {len(found) - 1} others" if len(found) > 1 else ""
        text = (
            f"Carbon must balance: {guild} {'loses' if worst.gap > 0 else 'makes up'} {abs(worst.share):.1%} of what "
            f"it takes up from {worst.substrate} ({worst.carbon_in:.4g} mmol in, {worst.carbon_out:.4g} out){others}; "
            "look at its rows st_* and at what it makes."
        )
        problems.append(Problem(colon.file(TEXT), colon.line_of(f"X_{guild}"), text))
    return problems


class _Rates:
    """Rates and computed values of the closed colon by name, at a state that is zero where not given."""

    def __init__(self, document: Any, constants: Mapping[str, float]) -> None:
        self._document = document  # libSBML frees the rules with their document
        self._rules = {rule.getVariable(): rule for rule in document.getModel().getListOfRules()}
        self._states = [name for name, rule in self._rules.items() if rule.isRate()]
        self._constants = constants

    def __contains__(self, name: str) -> bool:
        return name in self._rules

    def __call__(self, state: Mapping[str, float]) -> dict[str, float]:
        known = {**self._constants, **dict.fromkeys(self._states, 0.0), **state}

        def look_up(name: str) -> float:
            if name not in known:
                known[name] = _value(self._rules[name].getMath(), look_up)
            return known[name]

        counted = {name: look_up(name) for name in COUNTED}
        return counted | {name: _value(self._rules[name].getMath(), look_up) for name in self._states}


def _colon(axis: ComposedModel | None) -> tuple[_Rates, dict[str, float]]:
    import libsbml

    if axis is None:
        axis = compose((COLON,))
    elif axis.submodels != (COLON,):
        names = set(compose((COLON,), library=axis.library).parameters["parameter"])
        axis = compose(
            (COLON,), library=axis.library, values=tuple((n, v) for n, v in axis.values.items() if n in names)
        )
    constants = {str(n): float(v) for n, v in zip(axis.parameters["parameter"], axis.parameters["value"], strict=True)}
    # A person in whom a dosed strain settles and uses milk oligosaccharides shows every path.
    constants |= CLOSED | {"settling_people": 1.0, "settling_rank": 0.0, "probif_uses_hmo": 1.0}
    rates = _Rates(libsbml.readSBMLFromString(axis.sbml), constants)
    missing = [name for name in (*MADE, *COUNTED) if name not in rates]
    if missing:
        text = f"The colon must compute {', '.join(missing)}, so that carbon can be balanced; it does not."
        raise InputError(Problem(axis.library.submodel(COLON).file(TEXT), 0, text))
    return rates, constants


def _carbon_made(found: Mapping[str, float], constants: Mapping[str, float]) -> float:
    cells = sum(rate for name, rate in found.items() if name.startswith("X_"))
    return constants["carbon_cells"] * cells + sum(atoms * found[name] for name, atoms in (MADE | COUNTED).items())


def _flow(guild: str, substrate: str, carbon_in: float, carbon_out: float) -> CarbonFlow:
    return CarbonFlow(guild, substrate, carbon_in, carbon_out, carbon_in - carbon_out)


def _value(node: Any, look_up: Callable[[str], float]) -> float:
    """Return the value of a formula."""
    import libsbml

    kind = node.getType()
    if node.isNumber():
        return float(node.getValue())
    if kind == libsbml.AST_NAME:
        return look_up(node.getName())
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        parts = [node.getChild(place) for place in range(node.getNumChildren())]
        for value, condition in zip(parts[::2], parts[1::2], strict=False):
            if _value(condition, look_up):
                return _value(value, look_up)
        return _value(parts[-1], look_up)
    values = [_value(node.getChild(place), look_up) for place in range(node.getNumChildren())]
    if kind == libsbml.AST_PLUS:
        return sum(values)
    if kind == libsbml.AST_TIMES:
        return math.prod(values)
    if kind == libsbml.AST_MINUS:
        return -values[0] if len(values) == 1 else values[0] - values[1]
    if kind == libsbml.AST_DIVIDE:
        return values[0] / values[1]
    if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
        return float(values[0] ** values[1])
    if kind == libsbml.AST_RELATIONAL_LT:
        return float(values[0] < values[1])
    if kind == libsbml.AST_FUNCTION_MIN:
        return min(values)
    if kind == libsbml.AST_FUNCTION_MAX:
        return max(values)
    raise ModelError(f'The carbon balance cannot read "{libsbml.formulaToL3String(node)}" in the colon.')
