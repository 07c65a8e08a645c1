"""Equations as readable maths: an expression tree that is written on one line, or broken where it is too long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: How tightly an expression holds together; a looser one inside a tighter one stands in brackets.
CASES, OR, AND, COMPARED, SUM, PRODUCT, SIGNED, POWER, CLOSED = range(9)

#: What is written where a stream cannot show a sign.
PLAIN = {
    "·": "*",
    "−": "-",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "←": ":=",
    "√": "sqrt",
    "π": "pi",
    "⌊": "floor(",
    "⌋": ")",
    "⌈": "ceil(",
    "⌉": ")",
    "₁₀": "10",
    "₂": "2",
    "→": "->",
    "±": "+-",
    "…": "...",
    **{chr(code): f"^{digit}" for code, digit in zip(b"\xb2\xb3\xb9", "231", strict=True)},
}


@dataclass(frozen=True)
class Expression:
    """One node of a formula.

    Attributes
    ----------
    kind : str
        ``name``, ``number``, ``sum``, ``product``, ``power``, ``call``, ``compared``, ``and``, ``or``, ``not``,
        ``cases``.
    word : str
        Name, number, function, sign of comparison; of a sum or product one character a part: its sign.
    parts : tuple of Expression
        Arguments in the order written.
    """

    kind: str
    word: str = ""
    parts: tuple[Expression, ...] = ()

    def names(self) -> Iterator[str]:
        """Give every name in the formula, in order, repeated ones again."""
        if self.kind == "name":
            yield self.word
        for part in self.parts:
            yield from part.names()

    def products(self) -> Iterator[Expression]:
        """Give every product in the formula."""
        if self.kind == "product":
            yield self
        for part in self.parts:
            yield from part.products()

    @property
    def hold(self) -> int:
        """How tightly it holds together."""
        if self.kind == "call" and self.word == "√":
            return POWER
        if self.kind == "sum" and len(self.parts) == 1:
            return SIGNED
        if self.kind == "number" and "·" in self.word:
            return PRODUCT
        kinds = {"cases": CASES, "or": OR, "and": AND, "compared": COMPARED, "sum": SUM, "product": PRODUCT}
        return {**kinds, "power": POWER, "not": SIGNED}.get(self.kind, CLOSED)

    def __str__(self) -> str:
        return _flat(self)


@dataclass(frozen=True)
class Equation:
    """One equation of a submodel.

    Attributes
    ----------
    name : str
        What it sets: a state, a computed name; of an event its id.
    kind : str
        ``rate``, ``value`` or ``event``.
    formula : Expression
        Right side; of an event its condition.
    sets : tuple of (str, Expression)
        What an event sets, and to what.
    starts_true : bool
        Of an event: whether the condition counts as true before the start, so that it cannot happen at once.
    """

    name: str
    kind: str
    formula: Expression
    sets: tuple[tuple[str, Expression], ...] = ()
    starts_true: bool = True

    def names(self) -> tuple[str, ...]:
        """Return every name that the equation reads, each once, in order."""
        found = [*self.formula.names()]
        for _, formula in self.sets:
            found += formula.names()
        return tuple(dict.fromkeys(found))

    def lines(self, width: int = 10_000) -> list[str]:
        """Return the equation as lines of at most `width` characters, where its names allow."""
        if self.kind == "event":
            lines = _after("when ", self.formula, width)
            for name, formula in self.sets:
                lines += ["  " + line for line in _after(f"{name} ← ", formula, width - 2)]
            return lines
        left = f"d {self.name} / dt" if self.kind == "rate" else self.name
        return _after(f"{left} = ", self.formula, width)

    def __str__(self) -> str:
        return "; ".join(line.strip() for line in self.lines())


def read_equations(document: Any) -> tuple[Equation, ...]:
    """Return the equations of an SBML document, rules first, then events, each in the order of the text.

    Parameters
    ----------
    document : libsbml.SBMLDocument
        Of one submodel or of the whole axis.
    """
    model = document.getModel()
    found = []
    for rule in model.getListOfRules():
        found.append(Equation(rule.getVariable(), "rate" if rule.isRate() else "value", read_formula(rule.getMath())))
    for event in model.getListOfEvents():
        sets = tuple((item.getVariable(), read_formula(item.getMath())) for item in event.getListOfEventAssignments())
        trigger = event.getTrigger()
        found.append(Equation(event.getId(), "event", read_formula(trigger.getMath()), sets, trigger.getInitialValue()))
    return tuple(found)


def read_formula(node: Any) -> Expression:
    """Return the expression of a libSBML syntax tree."""
    import libsbml

    kind = node.getType()
    parts = tuple(read_formula(node.getChild(place)) for place in range(node.getNumChildren()))
    if node.isNumber():
        return Expression("number", write_number(node.getValue()))
    if kind in (libsbml.AST_PLUS, libsbml.AST_MINUS):
        return _sum("+" if kind == libsbml.AST_PLUS else "−", parts)
    if kind in (libsbml.AST_TIMES, libsbml.AST_DIVIDE):
        return _product("·" if kind == libsbml.AST_TIMES else "/", parts)
    if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
        return Expression("power", "", parts)
    if kind == libsbml.AST_NAME_TIME:
        return Expression("name", "t")
    if kind == libsbml.AST_NAME:
        return Expression("name", node.getName())
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        return Expression("cases", "", parts)
    if kind in (libsbml.AST_LOGICAL_AND, libsbml.AST_LOGICAL_OR):
        return Expression("and" if kind == libsbml.AST_LOGICAL_AND else "or", "", parts)
    if kind == libsbml.AST_LOGICAL_NOT:
        return Expression("not", "not", parts)
    signs = {
        libsbml.AST_RELATIONAL_GEQ: "≥",
        libsbml.AST_RELATIONAL_LEQ: "≤",
        libsbml.AST_RELATIONAL_GT: ">",
        libsbml.AST_RELATIONAL_LT: "<",
        libsbml.AST_RELATIONAL_EQ: "=",
        libsbml.AST_RELATIONAL_NEQ: "≠",
    }
    if kind in signs:
        return Expression("compared", signs[kind], parts)
    words = {libsbml.AST_CONSTANT_PI: "π", libsbml.AST_CONSTANT_E: "e"}
    words |= {libsbml.AST_CONSTANT_TRUE: "true", libsbml.AST_CONSTANT_FALSE: "false"}
    if kind in words:
        return Expression("number", words[kind])
    if kind == libsbml.AST_FUNCTION_ROOT:
        return Expression("call", "√", parts[-1:])
    if kind == libsbml.AST_FUNCTION_LOG and len(parts) == 2:
        base = {"10": "log₁₀", "2": "log₂"}.get(parts[0].word)
        return Expression("call", base, parts[1:]) if base else Expression("call", "log", parts)
    return Expression("call", node.getName() or "?", parts)


def write_number(value: float) -> str:
    """Write a number as a reader would.

    Examples
    --------
    >>> write_number(0.25), write_number(1440.0), write_number(2e-9), write_number(-3)
    ('0.25', '1440', '2·10⁻⁹', '−3')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    text = f"{value:.12g}"
    mantissa, power, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "−")
    if not power:
        return mantissa
    ten = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return ten if mantissa == "1" else f"{mantissa}·{ten}"


def plain_text(text: str) -> str:
    """Return a text with every mathematical sign as plain characters.

    Examples
    --------
    >>> plain_text("x² · (a − b) ≥ 10⁻⁹")
    'x^2 * (a - b) >= 10^-9'
    """
    out = []
    raised = {chr(code): digit for code, digit in zip(map(ord, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"), "-0123456789", strict=True)}
    before = ""
    for sign in text.replace("₁₀", "10"):
        if sign in raised:
            out.append(raised[sign] if before in raised else f"^{raised[sign]}")
        else:
            out.append(PLAIN.get(sign, sign))
        before = sign
    return "".join(out)


def _sum(sign: str, parts: tuple[Expression, ...]) -> Expression:
    """Join the terms of a sum and of the sums inside it, each with its sign, in order."""
    signs = [sign] if len(parts) == 1 else ["+", *[sign] * (len(parts) - 1)]
    terms: list[tuple[str, Expression]] = []
    for place, part in zip(signs, parts, strict=True):
        # A sum behind a minus keeps its brackets: the author grouped it.
        if part.kind == "sum" and (place == "+" or len(part.parts) == 1):
            flip = {"+": "−", "−": "+"} if place == "−" else {}
            terms += [(flip.get(own, own), term) for own, term in zip(part.word, part.parts, strict=True)]
        elif part.kind == "product" and part.parts[0].kind == "sum" and len(part.parts[0].parts) == 1:
            # −k · x is minus a product, not a product with a negative number.
            inner = part.parts[0]
            rest = Expression("product", part.word, (*inner.parts, *part.parts[1:]))
            own = {"++": "+", "−−": "+"}.get(place + inner.word, "−")
            terms.append((own, rest))
        else:
            terms.append((place, part))
    if len(terms) == 1 and terms[0][0] == "+":
        return terms[0][1]
    return Expression("sum", "".join(own for own, _ in terms), tuple(term for _, term in terms))


def _product(sign: str, parts: tuple[Expression, ...]) -> Expression:
    """Join the factors of a product and of the products on its left, each with its sign."""
    factors: list[tuple[str, Expression]] = []
    for place, part in enumerate(parts):
        own = "·" if place == 0 else sign
        if part.kind == "product" and own == "·":
            factors += zip(part.word, part.parts, strict=True)
        else:
            factors.append((own, part))
    first = factors[0][1]
    if first.kind == "sum" and len(first.parts) == 1 and first.word == "−":
        inner = Expression(
            "product", "".join(own for own, _ in factors), (first.parts[0], *(f for _, f in factors[1:]))
        )
        return Expression("sum", "−", (inner,))
    return Expression("product", "".join(own for own, _ in factors), tuple(factor for _, factor in factors))


# ---------------------------------------------------------------------- on one line


def _flat(node: Expression) -> str:
    if node.kind in ("name", "number"):
        return node.word
    if node.kind == "sum":
        return "".join(_term(node, place) for place in range(len(node.parts)))
    if node.kind == "product":
        return "".join(_factor(node, place) for place in range(len(node.parts)))
    if node.kind == "power":
        return _flat_power(node)
    if node.kind == "compared":
        return f" {node.word} ".join(_inside(part, SUM) for part in node.parts)
    if node.kind in ("and", "or"):
        return f" {node.kind} ".join(_inside(part, OR if node.kind == "or" else AND, tight=True) for part in node.parts)
    if node.kind == "not":
        return f"not {_inside(node.parts[0], CLOSED)}"
    if node.kind == "cases":
        return "; ".join(words for _, words in _case_texts(node))
    around = {"abs": ("|", "|"), "floor": ("⌊", "⌋"), "ceil": ("⌈", "⌉"), "ceiling": ("⌈", "⌉")}
    if node.word in around:
        left, right = around[node.word]
        return f"{left}{_flat(node.parts[0])}{right}"
    if node.word == "√":
        return f"√{_inside(node.parts[0], CLOSED)}"
    return f"{node.word}({', '.join(_flat(part) for part in node.parts)})"


def _inside(part: Expression, hold: int, *, tight: bool = False) -> str:
    loose = part.hold <= hold if tight else part.hold < hold
    return f"({_flat(part)})" if loose else _flat(part)


def _term(node: Expression, place: int) -> str:
    sign, part = node.word[place], node.parts[place]
    text = _inside(part, SUM, tight=True)
    if place == 0:
        return text if sign == "+" else f"−{text}"
    return f" {sign} {text}"


def _factor(node: Expression, place: int) -> str:
    part = node.parts[place]
    text = _inside(part, PRODUCT, tight=place > 0)
    if place == 0:
        return text
    if part.hold == SIGNED:
        text = f"({text})"
    return f" {node.word[place]} {text}"


def _flat_power(node: Expression) -> str:
    base, exponent = node.parts
    text = _inside(base, POWER, tight=True)
    whole = exponent.word if exponent.kind == "number" else ""
    if whole.isdecimal() and len(whole) <= 2:
        return text + whole.translate(SUPERSCRIPTS)
    return f"{text}^{_inside(exponent, CLOSED)}"


def _case_texts(node: Expression) -> list[tuple[Expression, str]]:
    """Return each value of a case distinction with its words."""
    found = []
    for place in range(0, len(node.parts) - 1, 2):
        value, condition = node.parts[place], node.parts[place + 1]
        found.append((value, f"{_inside(value, CASES, tight=True)} if {_flat(condition)}"))
    if len(node.parts) % 2:
        last = node.parts[-1]
        found.append((last, f"else {_inside(last, CASES, tight=True)}"))
    return found


# ---------------------------------------------------------------------- broken where too long


def _after(start: str, node: Expression, width: int) -> list[str]:
    """Return ``start`` and a formula on one line, or the formula indented below it."""
    flat = _flat(node)
    if len(start) + len(flat) <= width:
        return [start + flat]
    return [start.rstrip(), *("    " + line for line in _broken(node, width - 4))]


def _broken(node: Expression, width: int) -> list[str]:
    flat = _flat(node)
    if len(flat) <= width:
        return [flat]
    if node.kind == "sum":
        pieces = [
            _piece("−" if place == 0 and sign == "−" else "" if place == 0 else f"{sign} ", part, SUM, width)
            for place, (sign, part) in enumerate(zip(node.word, node.parts, strict=True))
        ]
        return _fill(pieces, width)
    if node.kind == "product":
        pieces = [
            _piece("" if place == 0 else f"{sign} ", part, PRODUCT if place else PRODUCT - 1, width)
            for place, (sign, part) in enumerate(zip(node.word, node.parts, strict=True))
        ]
        return _fill(pieces, width)
    if node.kind in ("and", "or"):
        hold = OR if node.kind == "or" else AND
        pieces = [
            _piece("" if place == 0 else f"{node.kind} ", part, hold, width) for place, part in enumerate(node.parts)
        ]
        return _fill(pieces, width)
    if node.kind == "compared":
        pieces = [
            _piece("" if place == 0 else f"{node.word} ", part, COMPARED, width)
            for place, part in enumerate(node.parts)
        ]
        return _fill(pieces, width)
    if node.kind == "cases":
        return _broken_cases(node, width)
    if node.kind == "power":
        tail = _flat_power(Expression("power", "", (Expression("name", ""), node.parts[1])))
        return _bracketed("(", node.parts[0], f"){tail}", width)
    if node.kind == "call" and node.parts:
        return _broken_call(node, width)
    return [flat]


def _broken_call(node: Expression, width: int) -> list[str]:
    """Write arguments that fit behind each other; each longer one begins a line of its own."""
    lines, fresh = [f"{node.word}("], True
    for place, part in enumerate(node.parts):
        end = "," if place < len(node.parts) - 1 else ")"
        text, gap = _flat(part) + end, "" if fresh else " "
        if len(lines[-1]) + len(gap) + len(text) <= width:
            lines[-1] += gap + text
        else:
            inner = ["  " + line for line in _broken(part, width - 2 - len(end))]
            inner[-1] += end
            lines += inner
        fresh = False
    return lines


def _piece(start: str, part: Expression, hold: int, width: int) -> list[str]:
    """Return one part of a sum or product with its sign, in brackets where it holds together more loosely."""
    loose = part.hold <= hold or (bool(start) and part.hold == SIGNED)
    text = f"({_flat(part)})" if loose else _flat(part)
    if len(start) + len(text) <= width:
        return [start + text]
    inner = _bracketed("(", part, ")", width - len(start)) if loose else _broken(part, width - len(start))
    return [start + inner[0], *(" " * len(start) + line for line in inner[1:])]


def _bracketed(left: str, node: Expression, right: str, width: int) -> list[str]:
    inner = _broken(node, width - len(left) - len(right))
    lines = [left + inner[0], *(" " * len(left) + line for line in inner[1:])]
    lines[-1] += right
    return lines


def _broken_cases(node: Expression, width: int) -> list[str]:
    lines: list[str] = []
    for value, words in _case_texts(node):
        if len(words) <= width:
            lines.append(words)
            continue
        place = node.parts.index(value)
        if place + 1 < len(node.parts):
            lines += _broken(value, width)
            lines += ["  " + line for line in _piece("if ", node.parts[place + 1], CASES, width - 2)]
        else:
            lines += _piece("else ", value, CASES, width)
    return lines


def _fill(pieces: Sequence[list[str]], width: int) -> list[str]:
    """Put pieces of one line beside each other while they fit; a longer piece stands by itself."""
    lines: list[str] = []
    room = False
    for piece in pieces:
        if room and len(piece) == 1 and len(lines[-1]) + 1 + len(piece[0]) <= width:
            lines[-1] += " " + piece[0]
        else:
            lines += piece
        room = len(piece) == 1
    return lines
