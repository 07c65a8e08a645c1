"""Elementary functions of whole vectors: polynomials after a reduction of the argument, for f32 and f64.

Coefficients are those of Cephes (S. Moshier, Methods and Programs for Mathematical Functions, 1989) where a comment
does not say otherwise. Each function is good to a few units in the last place over its whole range; infinities, NaN
and zeros come out as in IEEE arithmetic, but that a zero may lose its sign. Numbers below the smallest normal one
count as zero, and the exponential is infinite from half a binary order below the largest number on.

A vector of one precision costs about 20 operations an exponential, whatever the number of lanes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from vagus.engine.assembly import REAL, SINGLE, Code, Value, element_of, like

INFINITY = math.inf


class Precision(NamedTuple):
    """What differs between the two precisions."""

    mantissa: int
    bias: int
    round: float  # adding it rounds to a whole number, which then stands in the lowest bits
    ln2: tuple[float, float]
    smallest: float  # normal number
    half_pi: tuple[float, ...]


PRECISIONS = {
    SINGLE: Precision(
        *(23, 127, 12582912.0, (0.693359375, -2.12194440e-4), 2.0**-126),
        (1.5703125, 4.837512969970703125e-4, 7.54978995489188216e-8),
    ),
    REAL: Precision(
        *(52, 1023, 6755399441055744.0),
        *((6.93145751953125e-1, 1.42860682030941723212e-6), 2.0**-1022),
        (1.57079625129699707031, 7.54978941586159635336e-8, 5.39030285815811905290e-15),
    ),
}

EXP_SINGLE = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
EXP_REAL = tuple(1.0 / math.factorial(n) for n in range(13, 1, -1))  # Taylor: the rest is below 1e-17
LOG_SINGLE = (
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
LOG_REAL = tuple(2.0 / n for n in range(23, 1, -2))  # of the inverse hyperbolic tangent
SIN_SINGLE = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COS_SINGLE = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
SIN_REAL = (
    *(1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6),
    *(-1.98412698295895385996e-4, 8.33333333332211858878e-3, -1.66666666666666307295e-1),
)
COS_REAL = (
    *(-1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7),
    *(2.48015872888517045348e-5, -1.38888888888730564116e-3, 4.16666666666665929218e-2),
)
TANH_SINGLE = (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
TANH_TOP = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
TANH_BOTTOM = (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3)


def _polynomial(x: Value, coefficients: Sequence[float]) -> Value:
    """Return the polynomial with the highest power's coefficient first; its halves are computed side by side."""
    terms: list[Any] = list(coefficients)
    power = x
    while len(terms) > 1:
        odd = len(terms) % 2
        terms = terms[:odd] + [power * terms[k] + terms[k + 1] for k in range(odd, len(terms), 2)]
        power = power * power
    return Value(x.code, terms[0].value)


def _precision(x: Value) -> Precision:
    return PRECISIONS[element_of(x.value.type)]


def _whole_kind(x: Value) -> Any:
    kind = x.value.type
    return like(kind, ir.IntType(32 if element_of(kind) == SINGLE else 64))


def _as_bits(x: Value) -> Value:
    return Value(x.code, x.code.builder.bitcast(x.value, _whole_kind(x)))


def _as_number(bits: Value, kind: Any) -> Value:
    return Value(bits.code, bits.code.builder.bitcast(bits.value, kind))


def _shift_left(bits: Value, count: int) -> Value:
    code = bits.code
    return Value(code, code.builder.shl(bits.value, code.constant(count, bits.value.type)))


def _masked(bits: Value, mask: int) -> Value:
    return bits & Value(bits.code, bits.code.constant(mask, bits.value.type))


def _rounded(x: Value, factor: float) -> tuple[Value, Value]:
    """Return ``x * factor`` rounded to a whole number, as a real number and as bits that end with it."""
    shift = _precision(x).round
    shifted = x * factor + shift
    return shifted - shift, _as_bits(shifted)


def exp(x: Value) -> Value:
    """Return the exponential."""
    code, kind, its = x.code, x.value.type, _precision(x)
    # there the power of two becomes zero and infinite by itself
    lowest, highest = -its.bias * math.log(2.0), (its.bias + 1) * math.log(2.0)
    clipped = code.choose(x > highest, highest, x)
    clipped = code.choose(clipped < lowest, lowest, clipped)
    k, bits = _rounded(clipped, 1.0 / math.log(2.0))
    r = clipped - k * its.ln2[0] - k * its.ln2[1]
    series = _polynomial(r, EXP_SINGLE if element_of(kind) == SINGLE else EXP_REAL)
    series = series * (r * r) + r + 1.0
    return series * _as_number(_shift_left(bits, its.mantissa) + (its.bias << its.mantissa), kind)


def log(x: Value) -> Value:
    """Return the natural logarithm."""
    return x.code.choose(x < 0.0, math.nan, log_of_size(x))


def log_of_size(x: Value) -> Value:
    """Return the natural logarithm of a number that is not negative."""
    code, kind, its = x.code, x.value.type, _precision(x)
    builder, whole = code.builder, _whole_kind(x)
    # the mantissa between the roots of a half and of two
    offset = _as_bits(Value(code, code.constant(math.sqrt(0.5), kind)))
    distance = _as_bits(x) - offset
    exponent = Value(code, builder.ashr(distance.value, code.constant(its.mantissa, whole)))
    m = _as_number(_as_bits(x) - _shift_left(exponent, its.mantissa), kind)
    e = Value(code, builder.sitofp(exponent.value, kind))
    f = m - 1.0
    if element_of(kind) == SINGLE:
        square = f * f
        rest = _polynomial(f, LOG_SINGLE) * f * square + e * its.ln2[1] - 0.5 * square
    else:
        s = f / (m + 1.0)
        square = s * s
        # log(m) = 2 atanh(s); 2 s = f - s f leaves the largest part exact
        rest = s * (_polynomial(square, LOG_REAL) * square - f) + e * its.ln2[1]
    result = f + rest + e * its.ln2[0]
    result = code.choose(x < INFINITY, result, x)  # infinity and NaN as they are
    return code.choose(x < its.smallest, -INFINITY, result)


def power(size: Value, base: Value, exponent: Value, sign: Value) -> Value:
    """Return a power.

    Parameters
    ----------
    size : Value
        ``exp(exponent * log_of_size(abs(base)))``. Its relative error grows with the size of that product.
    base, exponent : Value
    sign : Value
        What a negative base multiplies it by: -1 for an odd exponent, 1 for an even one, else NaN.
    """
    code = base.code
    return code.choose(exponent.equals(0.0), 1.0, code.choose(base < 0.0, sign * size, size))


def _sine(x: Value, quarters: int) -> Value:
    """Return the sine of x and so many right angles."""
    code, its = x.code, _precision(x)
    single = element_of(x.value.type) == SINGLE
    k, bits = _rounded(x, 2.0 / math.pi)
    r = x
    for part in its.half_pi:
        r = r - k * part
    square = r * r
    sine = _polynomial(square, SIN_SINGLE if single else SIN_REAL) * square * r + r
    cosine = _polynomial(square, COS_SINGLE if single else COS_REAL) * square * square - 0.5 * square + 1.0
    quadrant = bits + quarters
    odd, lower = (_masked(quadrant, mask).differs(0) for mask in (1, 2))
    value = code.choose(odd, cosine, sine)
    return code.choose(lower, -value, value)


def sin(x: Value) -> Value:
    """Return the sine; its argument should not be far above a thousand turns."""
    return _sine(x, 0)


def cos(x: Value) -> Value:
    """Return the cosine; its argument should not be far above a thousand turns."""
    return _sine(x, 1)


def tan(x: Value) -> Value:
    """Return the tangent."""
    return sin(x) / cos(x)


def tanh(x: Value) -> Value:
    """Return the hyperbolic tangent."""
    code = x.code
    size = code.size(x)
    square = x * x
    if element_of(x.value.type) == SINGLE:
        near = x + x * square * _polynomial(square, TANH_SINGLE)
    else:
        near = x + x * square * (_polynomial(square, TANH_TOP) / _polynomial(square, TANH_BOTTOM))
    far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0)
    far = code.choose(x < 0.0, -far, far)
    return code.choose(size < 0.625, near, far)


def by_library(code: Code, name: str, x: Value) -> Value:
    """Return a function of the C library, lane by lane: for what a model rarely has."""
    kind, builder = x.value.type, code.builder
    function = code.module.external(name, 1)
    result = x.value
    for lane in range(kind.count):
        place = ir.Constant(ir.IntType(32), lane)
        one = code.as_real(Value(code, builder.extract_element(x.value, place)))
        value = Value(code, builder.call(function, [one.value]))
        result = builder.insert_element(result, code.as_real(value, kind.element).value, place)
    return Value(code, result)
