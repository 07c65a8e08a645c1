"""The stiff method in lanes: published problems, the choice of method in the middle of a course, and its own bits."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vagus.engine import Doses, Inputs, Model, Solution, lanestiff, load, simulate
from vagus.engine.kernel import kernel_of
from vagus.engine.lanekernel import Shape, aligned, lane_kernel
from vagus.engine.lanesolver import LaneJob, LaneResult
from vagus.engine.lanestiff import arrange, slopes_of, stiff_kernel
from vagus.engine.solution import read_doses, read_inputs

Convert = Callable[[str], str]
Floats = NDArray[np.float64]
NOBODY = np.zeros((1, 0))
DOUBLE = Shape(4, single=False)

# published problems and their solutions (Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.10)
ROBER = "a = 1; b = 0; c = 0; a' = -0.04*a + 1e4*b*c; b' = 0.04*a - 1e4*b*c - 3e7*b^2; c' = 3e7*b^2"
HIRES = """
y1 = 1; y2 = 0; y3 = 0; y4 = 0; y5 = 0; y6 = 0; y7 = 0; y8 = 0.0057
y1' = -1.71*y1 + 0.43*y2 + 8.32*y3 + 0.0007; y2' = 1.71*y1 - 8.75*y2; y3' = -10.03*y3 + 0.43*y4 + 0.035*y5
y4' = 8.32*y2 + 1.71*y3 - 1.12*y4; y5' = -1.745*y5 + 0.43*y6 + 0.43*y7
y6' = -280*y6*y8 + 0.69*y4 + 1.71*y5 - 0.43*y6 + 0.69*y7; y7' = 280*y6*y8 - 1.81*y7; y8' = -280*y6*y8 + 1.81*y7
"""
OREGO = """
y1 = 1; y2 = 2; y3 = 3
y1' = 77.27*(y2 + y1*(1 - 8.375e-6*y1 - y2)); y2' = (y3 - (1 + y1)*y2)/77.27; y3' = 0.161*(y1 - y3)
"""
HIRES_END = (
    *(0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2),
    *(0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2),
)
OREGO_END = (0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3)

# a fast state that follows a slow one closely, and on some days of a person very closely
DAYS = """
k = 1; first = 2.5; last = 4.25; x = 1; y = 0; n = 0; slow = 0
target := cos(6.283185307179586*time) + slow
x' = -piecewise(k*100, time >= first && time < last, 20)*(x - target)
y' = x - y; slow' = 0.1*(n - slow)
at (y > 0.15): n = n + 1
"""
PEOPLE = 19
TIMES = np.arange(0.25, 7.1, 0.25)


@pytest.fixture(scope="module")
def days(sbml: Convert) -> Model:
    return load(sbml(DAYS), ["k", "first", "last"])


def people(count: int = PEOPLE) -> Floats:
    """Some are never stiff, some for the three days in the middle."""
    spread = np.linspace(0.0, 1.0, count)
    stiffness = np.where(np.arange(count) % 3 == 0, 0.3, 300.0 + 3000.0 * spread)
    return np.stack([stiffness, 1.2 + spread, 4.3 + spread], axis=1)


def run(model: Model, lanes: str = "double", rows: NDArray[np.int64] | None = None, **settings: object) -> Solution:
    who = np.arange(PEOPLE) if rows is None else rows
    doses = Doses(np.arange(len(who)), [3.3] * len(who), ["y"] * len(who), np.full(len(who), -0.2))
    given = {"output_times": TIMES, "doses": doses, "rtol": 1e-6, **settings}
    return simulate(model, people()[who], lanes=lanes, **given)  # type: ignore[arg-type]


def bits(found: Solution) -> bytes:
    assert found.messages == ("ok",) * len(found.messages)
    return found.values.tobytes() + found.final_state.tobytes() + found.steps.tobytes()


# ---------------------------------------------------------------------- what it needs of a model


class Kernel:
    """The stiff functions of a model, called alone."""

    def __init__(self, model: Model, shape: Shape = DOUBLE) -> None:
        self.shape, self.slopes, self.base = shape, slopes_of(model), lane_kernel(model, shape)
        kernel = stiff_kernel(model, shape)
        assert kernel is not None
        self.kernel, own = kernel, self.slopes.model
        self.n, self.p = own.moving, aligned(own.still + own.parameters + self.base.prepared + kernel.prepared, shape)

    def call(self, name: str, *arrays: NDArray[np.floating]) -> None:
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * len(arrays))
        kind(self.kernel.library.addresses[name])(*(array.ctypes.data for array in arrays))

    def rows(self, count: int) -> NDArray[np.floating]:
        return aligned(count, self.shape)

    def dense(self, numbers: NDArray[np.floating], lane: int) -> Floats:
        matrix = np.zeros((self.n, self.n))
        for place, (row, column, _) in enumerate(self.slopes.entries):
            matrix[row, column] = numbers[place, lane]
        return matrix


ALL_KINDS = """
k = 1.5; q = 0.7; still = 2
a = 0.4; b = 1.2; c = 2; d = 0
a' = -k*a/(0.3 + a) + b^q*still - max(a, b)*c + exp(-b)*tanh(c)
b' = piecewise(a*b, time - floor(time) < 0.5, sqrt(a)) - log(c)/(1 + a*b) + abs(b - c)
c' = cos(6.283185307179586*time)*a + sin(b*time) - c*(k + q)^2/(b*b)
at (time > 100): still = 3
"""


def test_slopes_are_those_of_the_scalar_kernel(sbml: Convert) -> None:
    model = load(sbml(ALL_KINDS), ["k", "q"])
    found, scalar, t = Kernel(model), kernel_of(model), 1.3
    order, n, size = found.slopes.model.order, found.n, len(model.states)
    assert n == 3
    time, y, out = found.rows(2), found.rows(n), found.rows(2 * n + found.kernel.entries)
    states = model.initial_values(np.array([[1.5, 0.7]]))[0]
    time[0], time[1], y[:] = 1.0, t - 1.0, states[order[:n], None]
    found.p[: size - n], found.p[size - n : size - n + 2] = states[order[n:], None], [[1.5], [0.7]]
    found.base.call("prepare", time, y, found.p, found.p)
    found.call("prepare", time, y, found.p, found.p)
    found.call("slopes", time, y, found.p, out)
    p = np.zeros(2 + scalar.prepared)
    p[:2] = 1.5, 0.7
    scalar.call("prepare", t, states, p, p[2:])
    jacobian, rates = np.zeros(size * size + size), np.zeros(size)
    scalar.call("jacobian", t, states, p, jacobian)
    scalar.call("rhs", t, states, p, rates)
    moving = order[:n]
    assert out[:n, 1] == pytest.approx(rates[moving], rel=1e-12)
    assert out[n : 2 * n, 1] == pytest.approx(jacobian[size * size :][moving], rel=1e-12)
    assert found.dense(out[2 * n :], 1) == pytest.approx(jacobian[: size * size].reshape(size, size)[moving][:, moving])


def test_a_slope_that_is_not_finite_counts_as_zero(sbml: Convert) -> None:
    model = load(sbml("q = 0.5; x = 0; y = 1; x' = y - x^q; y' = -y - sqrt(x)"), ["q"])
    found = Kernel(model)
    out = found.rows(2 * found.n + found.kernel.entries)
    y = found.rows(2)
    y[1], found.p[0] = 1.0, 0.5
    found.base.call("prepare", found.rows(2), y, found.p, found.p)
    found.call("prepare", found.rows(2), y, found.p, found.p)
    found.call("slopes", found.rows(2), y, found.p, out)
    assert found.dense(out[2 * found.n :], 0).tolist() == [[0.0, 1.0], [0.0, -1.0]]


@pytest.mark.parametrize(("shape", "close"), [(DOUBLE, 1e-10), (Shape(8, single=True), 1e-3)])
def test_the_sparse_solver_solves(sbml: Convert, shape: Shape, close: float) -> None:
    rng, n = np.random.default_rng(7), 24
    terms = [" + ".join(f"{rng.normal():.3f}*x{j}" for j in rng.choice(n, 4, replace=False)) for _ in range(n)]
    found = Kernel(
        load(sbml("".join(f"x{i} = 1; x{i}' = -{i + 5}*x{i} + {term}\n" for i, term in enumerate(terms)))), shape
    )
    assert found.kernel.factors <= n * n // 2  # it stays sparse
    jacobian, g, factors = found.rows(found.kernel.entries), found.rows(1), found.rows(found.kernel.factors)
    jacobian[:] = rng.normal(size=jacobian.shape)
    g[:] = 30.0
    x, right = found.rows(n), rng.normal(size=(n, shape.width))
    x[:] = right
    found.call("factor", jacobian, g, factors)
    found.call("solve", factors, x)
    product, out = found.rows(n), found.rows(n)
    product[:] = right
    found.call("product", jacobian, product, out)
    for lane in range(shape.width):
        matrix = found.dense(jacobian, lane)
        assert x[:, lane] == pytest.approx(
            np.linalg.solve(30.0 * np.eye(n) - matrix, right[:, lane]), rel=close, abs=close
        )
        assert out[:, lane] == pytest.approx(matrix @ right[:, lane], rel=close, abs=close)
    assert (factors[-1] == 1.0).all()


def test_a_matrix_without_pivot_is_reported_in_its_lane(sbml: Convert) -> None:
    found = Kernel(load(sbml("x = 1; y = 1; x' = x + 2*y; y' = 3*x + y")))
    jacobian, g, factors = found.rows(4), found.rows(1), found.rows(found.kernel.factors)
    jacobian[:] = np.array([[1.0], [2.0], [3.0], [1.0]])
    jacobian[:, 2] = np.nan
    g[:] = 5.0
    g[0, 1] = 1.0  # zero on the diagonal
    found.call("factor", jacobian, g, factors)
    assert factors[-1].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_an_arrow_is_eliminated_from_its_tip() -> None:
    n = 30
    places = arrange(n, [(0, j) for j in range(n)] + [(i, 0) for i in range(n)])
    assert places.order[-2:] in ([0, n - 1], [n - 1, 0])
    assert places.size == 3 * n - 2


# ---------------------------------------------------------------------- accuracy


@pytest.mark.parametrize(("body", "end", "known"), [(HIRES, 321.8122, HIRES_END), (OREGO, 360.0, OREGO_END)])
def test_published_problems(sbml: Convert, body: str, end: float, known: tuple[float, ...]) -> None:
    model = load(sbml(body))
    found = simulate(model, np.zeros((3, 0)), output_times=[end], rtol=1e-8, lanes="double", method="stiff")
    assert found.method == ("stiff",) * 3
    assert found.values[2, 0] == pytest.approx(known, rel=1e-5)


@pytest.mark.parametrize(("body", "end"), [(ROBER, 4000.0), (HIRES, 321.8122), (OREGO, 360.0)])
def test_published_problems_beside_the_scalar_integrator(sbml: Convert, body: str, end: float) -> None:
    model = load(sbml(body))
    t = end * np.linspace(0.0, 1.0, 41)[1:]
    exact = simulate(model, NOBODY, output_times=t, rtol=1e-10)
    found = simulate(model, np.zeros((2, 0)), output_times=t, rtol=1e-7, lanes="double")
    assert set(found.method) == {"explicit and stiff"}
    assert found.values[1] == pytest.approx(exact.values[0], rel=1e-4, abs=1e-10)
    scalar = simulate(model, NOBODY, output_times=t, rtol=1e-7, method="stiff")
    assert found.steps[0] < 2 * scalar.steps[0]


def test_single_precision_carries_the_stiff_method(sbml: Convert) -> None:
    model = load(sbml(HIRES))
    found = simulate(model, np.zeros((8, 0)), output_times=[321.8122], rtol=1e-5, lanes="automatic")
    assert found.lanes is not None
    assert found.lanes.bits == 32
    assert found.lanes.error < 1e-4
    assert found.values[5, 0] == pytest.approx(HIRES_END, rel=1e-3)


def test_order_of_the_method_and_of_its_interpolant(sbml: Convert) -> None:
    model = load(sbml("x = 1; y = 0.5; x' = y*cos(time) - x; y' = sin(x) - y*x"))
    t = np.array([0.7, 1.9, 3.0])
    exact = simulate(model, NOBODY, output_times=t, rtol=1e-12).values[0]
    errors = []
    for step in (0.2, 0.1):
        given = {"max_step": step, "rtol": 0.1, "atol": 1e3, "method": "stiff"}
        found = simulate(model, NOBODY, output_times=t, lanes="double", **given).values[0]  # type: ignore[arg-type]
        errors.append(np.abs(found - exact).max(axis=1))
    order = np.log2(errors[0] / errors[1])
    assert (order[:2] > 2.7).all()  # within a step
    assert order[2] > 3.7  # at its end


def test_doses_inputs_and_events_meet_the_stiff_method(sbml: Convert) -> None:
    model = load(
        sbml("k = 1; f = 1e5; x = 1; y = 0; n = 0; x' = f*(k - x) + y; y' = x - y; at (y > 0.9): n = n + 1"), ["k"]
    )
    doses = Doses([0, 0, 1, 2, 2], [0.0, 1.0, 1.25, 1.0, 9.0], ["y", "x", "n", "x", "x"], [0.2, 2.0, 1.0, 5.0, 2.0])
    inputs = Inputs([0.5, 1.0], ["k"], np.array([[[0.2], [3.0]], [[0.0], [1.0]], [[2.0], [0.5]]]))
    given = {"output_times": np.linspace(0.1, 2.0, 20), "doses": doses, "inputs": inputs, "rtol": 1e-8}
    found = simulate(model, [[1.0], [2.0], [3.0]], lanes="double", **given)  # type: ignore[arg-type]
    slow = simulate(model, [[1.0], [2.0], [3.0]], **given)  # type: ignore[arg-type]
    assert found.messages == slow.messages == ("ok",) * 3
    assert set(found.method) == {"explicit and stiff"}
    assert found.values == pytest.approx(slow.values, rel=1e-6, abs=1e-7)


def test_the_stiff_workload(shared: Path, sbml: Convert) -> None:
    text = (shared / "engine" / "gutbrain.ant").read_text(encoding="utf-8")
    faster = {"R153": "250*", "R124": "150*", "R125": "70*", "R128": "45*", "R129": "40*"}
    lines = []
    for line in text.splitlines()[1:-1]:
        factor = faster.get(line.split(":")[0].strip())
        lines.append(line if factor is None else line.replace(factor, f"{factor[:-1]}00*"))
    model = load(sbml("\n".join(lines)), ["gLPS", "tauH"], ["LPS", "TNF", "W", "HS", "BUT_D", "DEP"])
    given = np.stack([np.linspace(0.7, 1.4, 9), np.linspace(0.7, 0.8, 9)], axis=1)
    t = np.array([0.25, 0.75, 1.0])
    exact = simulate(model, given[::4], output_times=t, rtol=1e-8, method="stiff")
    for lanes, close in (("double", 3e-4), ("single", 1e-3)):
        found = simulate(model, given, output_times=t, rtol=1e-5, lanes=lanes)
        assert set(found.method) == {"explicit and stiff"}
        assert found.values[::4] == pytest.approx(exact.values, rel=close, abs=close)
        assert found.lanes is not None
        assert found.lanes.handed_over == 0
        assert (found.steps < 1500).all()  # the explicit method alone would take about 4,000


# ---------------------------------------------------------------------- there and back


def test_switching_there_and_back_in_one_course(days: Model) -> None:
    found, slow = run(days), run(days, "none", rtol=1e-10)
    stiff = np.arange(PEOPLE) % 3 != 0
    expected = np.where(stiff, "explicit and stiff", "explicit")
    assert found.method == tuple(expected)
    assert found.lanes is not None
    assert found.values == pytest.approx(slow.values, rel=1e-4, abs=1e-5)
    # explicit before and behind the days on which the explicit method alone would take very many steps
    explicit, before = found.steps - found.lanes.stiff_steps, run(days, output_times=TIMES[TIMES <= 1.0])
    assert set(before.method) == {"explicit"}
    assert (explicit[stiff] > 2 * before.steps[stiff]).all()
    assert (found.steps[stiff] < run(days, method="explicit").steps[stiff] / 5).all()


def test_a_person_who_is_not_stiff_takes_the_same_course_beside_stiff_ones(days: Model) -> None:
    found, forced = run(days), run(days, method="explicit")
    calm = np.arange(PEOPLE) % 3 == 0
    assert found.values[calm].tobytes() == forced.values[calm].tobytes()


def test_a_trial_that_does_not_pay_is_rare(sbml: Convert) -> None:
    # stability holds the step down, but six states cost next to nothing: explicit steps are the cheaper ones
    model = load(sbml("k = 3; x = 1; x' = -k*(x - sin(3*time))"), ["k"])
    found = simulate(model, [[30.0], [40.0]], output_times=[200.0], rtol=1e-4, lanes="double")
    assert found.lanes is not None
    assert (found.lanes.stiff_steps <= 0.2 * found.steps).all()


# ---------------------------------------------------------------------- the same bits


@pytest.mark.parametrize("lanes", ["double", "single"])
def test_the_same_bits_for_any_threads_and_chunks(days: Model, lanes: str) -> None:
    one = bits(run(days, lanes))
    for threads, chunk in ((2, 1), (4, 7), (1, 500)):
        assert bits(run(days, lanes, threads=threads, chunk=chunk)) == one


@pytest.mark.parametrize("lanes", ["double", "single"])
def test_the_same_bits_whoever_the_neighbors_are(days: Model, lanes: str) -> None:
    together = run(days, lanes)
    order = np.random.default_rng(3).permutation(PEOPLE)
    mixed = run(days, lanes, order)
    assert mixed.values.tobytes() == together.values[order].tobytes()
    assert mixed.steps.tobytes() == together.steps[order].tobytes()
    for row in (0, 8, 13):
        alone = run(days, lanes, np.array([row]))
        assert alone.values.tobytes() == together.values[row : row + 1].tobytes()


def work(model: Model, shape: Shape, method: int = 0) -> LaneResult:
    given = people()
    tables = {**vars(read_doses(model, None, PEOPLE)), **vars(read_inputs(model, None, PEOPLE))}
    start = model.initial_values(given)
    arrays = {"parameters": given, "initial": start, "output_times": TIMES, "atol": np.zeros(start.shape[1]), **tables}
    numbers = {"t_start": 0.0, "t_end": TIMES[-1], "rtol": 1e-5, "max_step": np.inf, "max_steps": 1e6}
    job = LaneJob(model, arrays, {**numbers, "by_itself": 1, "method": method}, shape, np.arange(PEOPLE))
    job.work()
    return job.result()


def test_lanes_of_any_width_give_the_same_bits(days: Model) -> None:
    found = [work(days, Shape(width, single=True)) for width in (2, 4, 8)]
    assert all(result.done.all() for result in found)
    assert found[0].stiff_steps.any()
    for result in found[1:]:
        assert result.values.tobytes() == found[0].values.tobytes()
        assert result.stiff_steps.tolist() == found[0].stiff_steps.tolist()


@pytest.mark.parametrize("rounds", [1, 7])
def test_when_the_groups_change_is_nobodys_business(days: Model, rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = work(days, DOUBLE)
    monkeypatch.setattr("vagus.engine.lanesolver.ROUNDS", rounds)
    found = work(days, DOUBLE)
    assert found.values.tobytes() == expected.values.tobytes()
    assert found.evaluations.tolist() == expected.evaluations.tolist()


@pytest.mark.parametrize("lanes", ["double", "single"])
def test_planted_failures_leave_the_others_alone(days: Model, lanes: str) -> None:
    sound = simulate(days, people(), output_times=TIMES, lanes=lanes)
    given, start = people(), days.initial_values(people())
    given[4, 0] = np.nan
    start[5, days.state_index("x")] = np.inf
    doses = Doses([7, 8], [3.25, 3.5], ["x", "x"], [np.inf, 1e29])
    found = simulate(days, given, start, output_times=TIMES, doses=doses, lanes=lanes)
    assert found.messages[4] == "parameter k was not a finite number"
    assert found.messages[5] == "the initial value of state x was not a finite number"
    assert found.messages[7] == "a dose made state x not a finite number near time 3.25"
    good = [row for row in range(PEOPLE) if row not in (4, 5, 7, 8)]
    assert found.values[good].tobytes() == sound.values[good].tobytes()


# ---------------------------------------------------------------------- who is left to the scalar integrator


def test_who_explodes_while_stiff_gets_the_scalar_integrators_sentence(sbml: Convert) -> None:
    body = "k = 1; x = 1; z = 1; f = 0; x' = k*x^2; f' = 1e6*(x - f); z' = -z"
    model = load(sbml(body), ["k"])
    given = [[0.1], [1.0], [0.2]]
    found = simulate(model, given, output_times=[0.5, 2.0], lanes="double")
    slow = simulate(model, given[1:2], output_times=[0.5, 2.0])
    assert found.messages == ("ok", slow.messages[0], "ok")
    assert found.values[1].tobytes() == slow.values[0].tobytes()
    assert found.lanes is not None
    assert found.lanes.handed_over == 1
    assert "stiff" in found.method[0]


def test_too_many_steps_end_with_the_scalar_integrators_sentence(days: Model) -> None:
    found, slow = run(days, max_steps=300), run(days, "none", max_steps=300)
    late = [message for message in found.messages if message != "ok"]
    assert late
    assert set(late) <= set(slow.messages)


@pytest.mark.parametrize("method", ["automatic", "stiff"])
def test_a_model_that_is_too_large_is_left_to_the_scalar_integrator(
    sbml: Convert, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(sbml(DAYS), ["k", "first", "last"])
    monkeypatch.setattr(lanestiff, "LARGEST", 10)
    found = run(model, method=method)
    slow = run(model, "none", method=method)
    left = np.array([name != "explicit" for name in found.method])
    assert found.messages == ("ok",) * PEOPLE
    assert found.lanes is not None
    assert found.lanes.handed_over == left.sum() == (PEOPLE if method == "stiff" else 12)
    assert found.values[left].tobytes() == slow.values[left].tobytes()


def test_nothing_is_compiled_before_somebody_is_stiff(sbml: Convert) -> None:
    model = load(sbml(DAYS), ["k", "first", "last"])
    simulate(model, people()[::3], output_times=TIMES, lanes="double")
    assert not any(key.startswith("stiff") for key in model.compiled)
    simulate(model, people(), output_times=TIMES, lanes="double")
    assert any(key.startswith("stiff") for key in model.compiled)


def test_a_stiff_kernel_comes_from_the_cache_the_second_time(sbml: Convert) -> None:
    one, other = (load(sbml(HIRES)) for _ in range(2))
    first, again = stiff_kernel(one, DOUBLE), stiff_kernel(other, DOUBLE)
    assert first is not None
    assert again is not None
    assert again.library.from_cache
    assert again.prepared == first.prepared


def test_the_report_names_the_stiff(days: Model) -> None:
    found = run(days)
    assert found.lanes is not None
    assert "12 people partly stiff, 0 by the scalar integrator" in found.lanes.sentence
    explicit = found.steps - found.lanes.stiff_steps
    assert (found.lanes.evaluations >= 6 * found.lanes.stiff_steps + explicit).all()
