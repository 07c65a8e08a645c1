"""How exact the lanes are: the explicit pair, functions computed in loops, the audit's scales, differences of arms."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from vagus.engine import Model, load, pair, simulate
from vagus.engine import lanekernel as kernel_module
from vagus.engine.lanekernel import LaneKernel, Shape, aligned, lane_kernel
from vagus.errors import InputError

Convert = Callable[[str], str]
Floats = NDArray[np.float64]

SIZE = pair.STAGES + 1
A = np.array([[*row, *[0.0] * (SIZE - len(row))] for row in pair.A])
C = np.array(pair.C)
E = np.array(pair.E)
SOLUTION = A[-1]


def share_weights(share: float) -> Floats:
    weights: Floats = np.array(pair.SHARES) @ share ** np.arange(1, 5)
    return weights


def trees() -> list[tuple[int, Floats, float]]:
    """Return the rooted trees up to order five: order, vector of the stages, density (Butcher)."""
    first, second, third = A @ C, A @ C**2, A @ C**3
    return [
        *((order, C ** (order - 1), order) for order in range(1, 6)),
        *((3, first, 6), (4, C * first, 8), (4, second, 12), (4, A @ first, 24)),
        *((5, C**2 * first, 10), (5, first**2, 20), (5, C * second, 15), (5, third, 20)),
        *((5, C * (A @ first), 30), (5, A @ (C * first), 40), (5, A @ second, 60), (5, A @ A @ first, 120)),
    ]


# ---------------------------------------------------------------------- the pair


def test_the_pair_has_the_orders_it_claims() -> None:
    assert A.sum(axis=1) == pytest.approx(C, abs=1e-14)
    for order, vector, density in trees():
        assert SOLUTION @ vector == pytest.approx(1.0 / density, abs=2e-15)
        if order < 5:
            assert E @ vector == pytest.approx(0.0, abs=1e-15)
    assert abs(E @ C**4) > 1e-4  # the embedded solution is of another order


def test_the_interpolant_is_of_order_four_and_smooth() -> None:
    for share in np.linspace(0.0, 1.0, 21):
        for order, vector, density in trees():
            if order < 5:
                assert share_weights(share) @ vector == pytest.approx(share**order / density, abs=5e-15)
    assert share_weights(1.0) == pytest.approx(SOLUTION, abs=1e-13)
    slopes = np.array(pair.SHARES) * np.arange(1, 5)
    assert slopes[:, 0] == pytest.approx(np.eye(SIZE)[0], abs=1e-13)
    assert slopes.sum(axis=1) == pytest.approx(np.eye(SIZE)[-1], abs=1e-13)


def test_the_stability_region_is_as_long_as_stated() -> None:
    def growth(z: float) -> float:
        stages = np.linalg.solve(np.eye(SIZE) + z * A, np.ones(SIZE))
        return float(1.0 - z * SOLUTION @ stages)

    assert max(abs(growth(z)) for z in np.linspace(1.5, pair.STABILITY - 0.1, 500)) < 0.9
    assert abs(growth(pair.STABILITY + 0.1)) > 1.0
    assert C[-2] == C[-1] == 1.0  # two stages at the end of a step say how fast the fastest change is


def test_the_error_falls_with_the_fifth_order_of_the_step(sbml: Convert) -> None:
    model = load(sbml("x = 1; y = 0; x' = -x*y + cos(time); y' = x - 0.5*y*y"))
    given = {"output_times": [0.37, 2.0, 3.1], "method": "explicit"}
    exact = simulate(model, np.zeros((1, 0)), rtol=1e-13, **given).values  # type: ignore[arg-type]
    errors = []
    for step in (0.1, 0.05):
        found = simulate(model, np.zeros((1, 0)), rtol=1e-4, max_step=step, lanes="double", **given)  # type: ignore[arg-type]
        errors.append(np.abs(found.values - exact).max(axis=(0, 2)))
    order = np.log2(errors[0] / errors[1])
    assert order[1:].min() > 4.5
    assert order[0] > 3.7  # within a step


def test_a_fast_state_costs_three_quarters_of_the_scalar_pairs_evaluations(sbml: Convert) -> None:
    decay, days = 400.0, 10.0
    model = load(sbml(f"x = 1; y = 1; x' = {decay}*(y - x); y' = -0.05*y"))
    given = {"output_times": [days], "rtol": 1e-4, "method": "explicit"}
    found = simulate(model, np.zeros((1, 0)), lanes="double", **given)  # type: ignore[arg-type]
    slow = simulate(model, np.zeros((1, 0)), **given)  # type: ignore[arg-type]
    assert found.messages == ("ok",)
    assert found.steps[0] < 1.25 * decay * days / pair.STABILITY
    assert found.steps[0] * pair.STAGES < 0.75 * slow.steps[0] * 6
    assert found.lanes is not None
    assert found.lanes.rejected[0] < 0.15 * found.steps[0]


# ---------------------------------------------------------------------- functions in loops

FUNCTIONS = "a{0}' = -a{0}^h + exp(-a{0}) + log(1 + a{0}) + sin(a{0} + {0}); a{0} = 0.{1}"
MANY = "; ".join(FUNCTIONS.format(k, k + 1) for k in range(9))


@pytest.mark.parametrize("single", [False, True])
def test_functions_in_loops_give_the_same_bits(sbml: Convert, monkeypatch: pytest.MonkeyPatch, single: bool) -> None:
    shape = Shape(8 if single else 4, single)

    def rates() -> Floats:
        model = load(sbml(f"h = 0.7; {MANY}"), ["h"])
        compiled: LaneKernel = lane_kernel(model, shape)
        y, p, out = (aligned(rows, shape) for rows in (9, 1 + compiled.prepared, 9))
        time = aligned(2, shape)
        y[:] = np.random.default_rng(1).uniform(0.0, 3.0, y.shape)
        y[0, 0] = 0.0
        p[0] = np.linspace(0.3, 1.7, shape.width)
        compiled.call("prepare", time, y, p, p)
        compiled.call("rhs", time, y, p, out)
        return out.astype(np.float64)

    monkeypatch.setattr(kernel_module, "LEAST_BATCHED", 3)
    looped = rates()
    monkeypatch.setattr(kernel_module, "LEAST_BATCHED", 10**6)
    assert rates().tobytes() == looped.tobytes()
    assert np.isfinite(looped).all()


# ---------------------------------------------------------------------- the audit's scales


@pytest.fixture
def difference(sbml: Convert) -> Model:
    return load(sbml("k = 1; x = 1; y = 1; d := x - y; x' = -k*x; y' = -k*y + 1e-6"), ["k"], ["x", "d"])


def test_an_output_near_zero_is_judged_on_its_scale(difference: Model) -> None:
    people = np.linspace(0.5, 1.5, 12)[:, None]
    given = {"output_times": [1.0, 2.0], "rtol": 1e-6, "lanes": "automatic"}
    plain = simulate(difference, people, **given).lanes  # type: ignore[arg-type]
    scaled = simulate(difference, people, scales={"d": 0.2}, **given).lanes  # type: ignore[arg-type]
    assert plain is not None
    assert scaled is not None
    assert (plain.bits, scaled.bits) == (64, 32)
    assert plain.single_error > 1e-4
    assert scaled.errors["d"] < 1e-5
    tight = simulate(difference, people, scales={"d": 1e-9}, **given).lanes  # type: ignore[arg-type]
    assert tight is not None
    assert tight.bits == 64


@pytest.mark.parametrize("scales", [{"nothing": 1.0}, {"d": 0.0}, {"d": float("nan")}])
def test_a_scale_must_be_a_positive_number_of_an_output(difference: Model, scales: dict[str, float]) -> None:
    with pytest.raises(InputError, match="A scale must be a positive number of an output"):
        simulate(difference, [[1.0]], output_times=[1.0], lanes="double", scales=scales)


# ---------------------------------------------------------------------- differences of arms


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "engine_lanes.py"
    spec = importlib.util.spec_from_file_location("engine_lanes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "engine_lanes", module)
    spec.loader.exec_module(module)
    return module


def test_single_precision_does_not_move_the_effects_of_a_trial(benchmark: ModuleType) -> None:
    rows = list(benchmark.contrasts(benchmark.axis(24), 2e-4))
    judged = [row for row in rows if "difference_that_matters" in row]
    assert {"mood_shift", "sleep_shift", "ibs_shift", "bloating_shift"} <= {row["output"] for row in judged}
    for row in judged:
        assert row["error_of_the_mean"] < 1e-5 * row["difference_that_matters"]
        assert row["error_sd"] < 1e-4 * row["difference_that_matters"]
