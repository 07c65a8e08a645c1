"""Functions of vectors against NumPy in extended precision, in units in the last place."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vagus.engine import vectormath
from vagus.engine.assembly import WHOLE, Module, Value
from vagus.engine.lanekernel import Shape, aligned
from vagus.engine.native import build

COUNT = 40_000
DRAW = np.random.default_rng(20240607)
SHAPES = [Shape(8, single=True), Shape(4, single=False)]


def apply(name: str, shape: Shape, *given: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the arguments as they are in this precision, and the function's values."""
    module = Module("test")
    code = module.function("apply", [WHOLE, *[shape.vector.as_pointer()] * 3])
    count, x, second, out = code.arguments
    with code.each(count) as i:
        if name == "power":
            size = vectormath.exp(second[i] * vectormath.log_of_size(code.size(x[i])))
            odd = Value(code, code.constant(-1.0, shape.vector))
            out[i] = vectormath.power(size, x[i], second[i], odd)
        else:
            out[i] = getattr(vectormath, name)(x[i])
    code.give(0)
    text = module.text()
    library = build(lambda: text, ["apply"], text)
    rows = -(-len(given[0]) // shape.width)
    arrays = [aligned(rows, shape) for _ in range(3)]
    for array, numbers in zip(arrays, given, strict=False):
        array.reshape(-1)[: len(numbers)] = numbers
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * 3)
    call(library.addresses["apply"])(rows, *(array.ctypes.data for array in arrays))
    return tuple(array.reshape(-1)[: len(given[0])] for array in arrays)


def units(found: NDArray[Any], exact: NDArray[Any]) -> float:
    return float(np.max(np.abs(found - exact) / np.spacing(np.abs(exact).astype(found.dtype))))


@pytest.mark.parametrize("shape", SHAPES, ids=["single", "double"])
@pytest.mark.parametrize(
    ("name", "numbers", "allowed"),
    [
        ("exp", DRAW.uniform(-86, 87, COUNT), 1.5),
        ("log", np.exp(DRAW.uniform(-80, 80, COUNT)), 1.0),
        ("log", DRAW.uniform(0.5, 2.0, COUNT), 1.5),
        ("sin", DRAW.uniform(-20, 20, COUNT), 3.0),
        ("cos", DRAW.uniform(-20, 20, COUNT), 3.0),
        ("tan", DRAW.uniform(-1.5, 1.5, COUNT), 4.0),
        ("tanh", np.concatenate([DRAW.uniform(-10, 10, COUNT // 2), DRAW.normal(0, 0.1, COUNT // 2)]), 2.0),
    ],
)
def test_units_in_the_last_place(name: str, numbers: NDArray[Any], allowed: float, shape: Shape) -> None:
    x, _, found = apply(name, shape, numbers)
    assert units(found, getattr(np, name)(x.astype(np.longdouble))) < allowed


@pytest.mark.parametrize("shape", SHAPES, ids=["single", "double"])
def test_large_angles_keep_their_absolute_accuracy(shape: Shape) -> None:
    x, _, found = apply("sin", shape, DRAW.uniform(-1000, 1000, COUNT))
    assert np.abs(found - np.sin(x.astype(np.longdouble))).max() < 1.5 * np.finfo(shape.dtype).eps


@pytest.mark.parametrize("shape", SHAPES, ids=["single", "double"])
def test_the_error_of_a_power_grows_with_its_logarithm(shape: Shape) -> None:
    x, y, found = apply("power", shape, np.exp(DRAW.uniform(-5, 5, COUNT)), DRAW.uniform(-3, 3, COUNT))
    exact = x.astype(np.longdouble) ** y
    relative = np.abs(found / exact - 1) / np.finfo(shape.dtype).eps
    assert np.all(relative < 2.0 + 1.5 * np.abs(np.log(exact)))


SPECIAL = np.array([0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("shape", SHAPES, ids=["single", "double"])
@pytest.mark.parametrize("name", ["exp", "log", "sin", "tanh"])
def test_special_numbers(name: str, shape: Shape) -> None:
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(SPECIAL)
    assert apply(name, shape, SPECIAL)[2] == pytest.approx(exact, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("shape", SHAPES, ids=["single", "double"])
@pytest.mark.parametrize("exponent", [0.0, 3.0, -1.0])
def test_special_powers(exponent: float, shape: Shape) -> None:
    found = apply("power", shape, SPECIAL, np.full(6, exponent))[2]
    with np.errstate(all="ignore"):
        assert found == pytest.approx(SPECIAL**exponent, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("shape", SHAPES, ids=["single", "double"])
def test_exponentials_beyond_the_range(shape: Shape) -> None:
    assert apply("exp", shape, np.array([1e3, -1e3, 1e30, -1e30]))[2].tolist() == [np.inf, 0.0, np.inf, 0.0]
