"""Trajectories against closed forms, against SciPy, and against the methods' own order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vagus.engine import Doses, Inputs, Model, integrate, load, simulate, simulate_reference
from vagus.errors import InputError, ModelError

Convert = Callable[[str], str]
NOBODY = np.zeros((1, 0))  # one person without parameters

ROBERTSON = """
A = 1; B = 0; C = 0
A' = -0.04*A + 1e4*B*C; B' = 0.04*A - 1e4*B*C - 3e7*B^2; C' = 3e7*B^2
"""
OSCILLATOR = "x = 1; v = 0; x' = v; v' = -x"
VAN_DER_POL = "mu = 1; x = 2; v = 0; x' = v; v' = mu*(1 - x^2)*v - x"


@pytest.fixture(scope="module")
def decay(sbml: Convert) -> Model:
    return load(sbml("k = 0.5; a = 2; b = 0; a' = -k*a; b' = k*a - 0.1*b"), ["k"])


@pytest.fixture(scope="module")
def oscillator(sbml: Convert) -> Model:
    return load(sbml(OSCILLATOR))


@pytest.fixture(scope="module")
def robertson(sbml: Convert) -> Model:
    return load(sbml(ROBERTSON))


@pytest.mark.parametrize("method", ["automatic", "explicit", "stiff"])
def test_decay_chain_against_the_closed_form(decay: Model, method: str) -> None:
    k = np.array([0.2, 0.5, 3.0])
    t = np.linspace(0.0, 20.0, 41)
    found = simulate(decay, k[:, None], output_times=t, method=method, rtol=1e-9, atol=1e-13)
    a = 2 * np.exp(-k[:, None] * t)
    b = 2 * k[:, None] / (0.1 - k[:, None]) * (np.exp(-k[:, None] * t) - np.exp(-0.1 * t))
    assert found.messages == ("ok",) * 3
    assert found.output("a") == pytest.approx(a, rel=1e-6, abs=1e-10)
    assert found.output("b") == pytest.approx(b, rel=1e-6, abs=1e-10)
    assert found.final_state == pytest.approx(found.values[:, -1], rel=1e-12)
    assert set(found.method) == {"stiff" if method == "stiff" else "explicit"}


@pytest.mark.parametrize(("method", "order"), [("explicit", 5), ("stiff", 4)])
def test_order_of_the_methods(sbml: Convert, method: str, order: int) -> None:
    """Fixed steps (a tolerance that never binds, a longest step): halving the step divides the error by 2**order."""
    model = load(sbml("y = 1; y' = -y + sin(time) + y^2/10"))
    exact = simulate(model, NOBODY, output_times=[2.0], rtol=1e-13, atol=1e-15).values[0, 0, 0]
    errors = []
    for steps in (10, 20, 40):
        settings = {"rtol": 0.1, "atol": 1e3, "max_step": 2.0 / steps}
        found = simulate(model, NOBODY, output_times=[2.0], method=method, **settings)  # type: ignore[arg-type]
        errors.append(abs(found.values[0, 0, 0] - exact))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > order - 0.4


@pytest.mark.parametrize(("method", "order"), [("explicit", 4), ("stiff", 3)])
def test_order_of_the_interpolants(sbml: Convert, method: str, order: int) -> None:
    model = load(sbml("y = 1; y' = -y + sin(time) + y^2/10"))
    t = np.linspace(0.003, 1.999, 600)
    exact = simulate(model, NOBODY, output_times=t, rtol=1e-13, atol=1e-15, max_step=0.01).values[0, :, 0]
    errors = []
    for steps in (5, 10, 20):
        settings = {"rtol": 0.1, "atol": 1e3, "max_step": 2.0 / steps}
        found = simulate(model, NOBODY, output_times=t, method=method, **settings)  # type: ignore[arg-type]
        errors.append(np.abs(found.values[0, :, 0] - exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > order + 0.4  # the error of an interpolant of order p falls as step**(p + 1)


def test_a_stable_oscillation_for_long(oscillator: Model) -> None:
    t = np.linspace(0.0, 200.0, 401)
    found = simulate(oscillator, NOBODY, output_times=t, rtol=1e-10, atol=1e-12)
    assert found.output("x")[0] == pytest.approx(np.cos(t), abs=2e-8)
    assert found.method == ("explicit",)


def test_error_follows_the_tolerance(oscillator: Model) -> None:
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8):
        found = simulate(oscillator, NOBODY, output_times=[20.0], rtol=rtol)
        errors.append(abs(found.values[0, 0, 0] - np.cos(20.0)))
    assert errors[0] > 20 * errors[1] > 400 * errors[2]
    assert errors[0] < 5e-3


def test_robertson_against_scipy_with_automatic_switching(robertson: Model) -> None:
    t = np.array([0.4, 4.0, 40.0, 400.0, 4e3, 4e4])
    found = simulate(robertson, NOBODY, output_times=t, rtol=1e-8, atol=1e-14)
    slow = simulate_reference(robertson, NOBODY, output_times=t, rtol=1e-9, atol=1e-15, solver="BDF")
    assert found.values == pytest.approx(slow.values, rel=1e-6)
    assert found.method == ("explicit and stiff",)
    assert found.steps[0] < 2000
    assert found.values.sum(axis=2) == pytest.approx(1.0, abs=1e-9)


def test_switching_back_where_the_problem_is_not_stiff_any_more(sbml: Convert) -> None:
    """A fast rate for the first ten units of time only: afterwards the cheap method must take over again."""
    model = load(sbml("x = 0; k := piecewise(1e5, time < 10, 1); x' = -k*(x - cos(time))"))
    found = simulate(model, NOBODY, output_times=[10.0, 300.0], rtol=1e-6)
    alone = simulate(model, NOBODY, output_times=[10.0, 300.0], rtol=1e-6, method="stiff")
    assert found.method == ("explicit and stiff",)
    assert found.values == pytest.approx(alone.values, abs=1e-5)
    forced = simulate(model, NOBODY, output_times=[10.0], method="explicit", max_steps=10_000_000)
    assert found.steps[0] < forced.steps[0] / 20


@pytest.mark.parametrize("mu", [1.0, 1000.0])
def test_van_der_pol_against_scipy(sbml: Convert, mu: float) -> None:
    model = load(sbml(VAN_DER_POL), ["mu"])
    t = np.linspace(0.0, max(mu, 10.0), 6)
    found = simulate(model, [[mu]], output_times=t, rtol=1e-9, atol=1e-12)
    slow = simulate_reference(model, [[mu]], output_times=t, rtol=1e-9, atol=1e-12, solver="LSODA")
    assert found.output("x") == pytest.approx(slow.output("x"), rel=1e-5, abs=1e-6)


def test_the_stiff_method_handles_explicit_time(sbml: Convert) -> None:
    model = load(sbml("y = 0; y' = -1e4*(y - sin(time)) + cos(time)"))
    t = np.linspace(0.1, 5.0, 23)
    found = simulate(model, NOBODY, output_times=t, method="stiff", rtol=1e-8)
    assert found.output("y")[0] == pytest.approx(np.sin(t), abs=1e-6)


def test_steps_end_at_jumps_of_time(sbml: Convert) -> None:
    """A square wave: between exact stops it is a straight line, so that only rounding is left."""
    model = load(sbml("y = 0; y' = piecewise(1, time - floor(time) < 0.25, -0.5)"))
    t = np.array([0.25, 1.0, 7.125, 8.0])
    found = simulate(model, NOBODY, output_times=t, rtol=1e-3)
    phase = t - np.floor(t)
    exact = np.floor(t) * -0.125 + np.minimum(phase, 0.25) - 0.5 * np.maximum(phase - 0.25, 0)
    assert found.output("y")[0] == pytest.approx(exact, abs=1e-13)
    assert found.steps[0] < 150


def test_a_pulse_shorter_than_the_step_is_seen(sbml: Convert) -> None:
    model = load(sbml("y = 0; y' = piecewise(1000, time > 5 && time < 5.01, 0)"))
    found = simulate(model, NOBODY, output_times=[10.0], max_step=0.03)
    assert found.values[0, 0, 0] == pytest.approx(10.0, rel=1e-10)


def test_a_model_without_states(sbml: Convert) -> None:
    model = load(sbml("k = 2; b := k*time"), ["k"], ["b"])
    found = simulate(model, [[2.0], [3.0]], output_times=[0.0, 1.5])
    assert found.values[:, :, 0].tolist() == [[0.0, 3.0], [0.0, 4.5]]


# ---------------------------------------------------------------------- doses and inputs


def test_doses_are_exact(decay: Model) -> None:
    """A linear model: the answer is a sum of exponentials, one a dose."""
    t = np.linspace(0.0, 12.0, 49)
    doses = Doses(
        person=[0, 1, 0, 1], time=[1.0, 2.5, 7.3, 0.0], state=["a", "a", "a", "a"], amount=[3.0, 1.0, -1.0, 5.0]
    )
    k = np.array([0.5, 0.7])
    found = simulate(decay, k[:, None], output_times=t, doses=doses, rtol=1e-9, atol=1e-13).output("a")
    given = {0: [(1.0, 3.0), (7.3, -1.0)], 1: [(2.5, 1.0), (0.0, 5.0)]}
    for person in (0, 1):
        exact = 2 * np.exp(-k[person] * t)
        for time, amount in given[person]:
            exact += np.where(t > time, amount * np.exp(-k[person] * (t - time)), 0.0)
        assert found[person] == pytest.approx(exact, rel=1e-7)


def test_an_output_at_a_dose_shows_the_state_before_it(sbml: Convert) -> None:
    model = load(sbml("a = 1; a' = 0"))
    doses = Doses([0, 0, 0, 0], [0.0, 2.0, 2.0, 4.0], ["a"] * 4, [10.0, 100.0, 1000.0, 1e4])
    found = simulate(model, NOBODY, output_times=[0.0, 1.0, 2.0, 3.0, 4.0], doses=doses)
    assert found.values[0, :, 0].tolist() == [1.0, 11.0, 11.0, 1111.0, 1111.0]
    later = simulate(model, NOBODY, found.final_state, 4.0, [5.0], doses)
    assert later.values[0, 0, 0] == 11111.0


def test_inputs_change_parameters_exactly(sbml: Convert) -> None:
    model = load(sbml("k = 1; c = 5; y = 0; y' = k + 0*c"), ["c", "k"])
    inputs = Inputs(starts=[1.0, 2.0, 4.0], parameters=["k"], values=[[[10.0], [100.0], [0.0]], [[0.0], [-1.0], [7.0]]])
    found = simulate(model, [[5.0, 1.0], [5.0, 2.0]], output_times=[1.0, 1.5, 2.0, 3.0, 6.0], inputs=inputs)
    assert found.output("y")[0] == pytest.approx([1.0, 6.0, 11.0, 111.0, 211.0], rel=1e-13)
    assert found.output("y")[1] == pytest.approx([2.0, 2.0, 2.0, 1.0, 14.0], rel=1e-13)


def test_inputs_reach_what_depends_on_parameters_alone(sbml: Convert) -> None:
    """``exp(k)`` is computed once a person; a new interval must compute it again."""
    model = load(sbml("k = 0; y = 0; y' = exp(k)*cos(k)"), ["k"])
    inputs = Inputs([1.0], ["k"], [[[0.5]]])
    found = simulate(model, [[0.0]], output_times=[2.0], inputs=inputs)
    assert found.values[0, 0, 0] == pytest.approx(1.0 + np.exp(0.5) * np.cos(0.5), rel=1e-13)


def test_inputs_that_began_before_the_start(sbml: Convert) -> None:
    model = load(sbml("k = 0; y = 0; y' = k"), ["k"])
    inputs = Inputs([0.0, 10.0], ["k"], [[[3.0], [4.0]]])
    found = simulate(model, [[1.0]], t_start=9.0, output_times=[11.0], inputs=inputs)
    assert found.values[0, 0, 0] == pytest.approx(7.0, rel=1e-13)


def test_doses_and_inputs_against_the_reference(sbml: Convert) -> None:
    model = load(sbml("k = 1; g = 0; k2 = 2; a = 0; b = 1; a' = g - k*a; b' = k*a - k2*b/(1 + b)"), ["k", "g"])
    doses = Doses([0, 0, 1], [0.5, 3.0, 1.0], ["a", "b", "a"], [2.0, 1.0, 4.0])
    inputs = Inputs([1.0, 2.0], ["g"], [[[1.0], [0.2]], [[0.0], [3.0]]])
    people = [[1.0, 0.5], [2.0, 0.1]]
    t = np.linspace(0, 5, 26)
    found = simulate(model, people, output_times=t, doses=doses, inputs=inputs, rtol=1e-9)
    slow = simulate_reference(model, people, output_times=t, doses=doses, inputs=inputs)
    assert slow.messages == ("ok", "ok")
    assert found.values == pytest.approx(slow.values, rel=1e-7, abs=1e-9)


def test_going_on_from_a_final_state(decay: Model) -> None:
    whole = simulate(decay, [[0.5]], output_times=[2.0, 4.0], rtol=1e-10)
    first = simulate(decay, [[0.5]], output_times=[2.0], rtol=1e-10)
    second = simulate(decay, [[0.5]], first.final_state, 2.0, [4.0], rtol=1e-10)
    assert second.values[0, 0] == pytest.approx(whole.values[0, 1], rel=1e-8)


# ---------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"parameters": [[1.0, 2.0]]}, "shape"),
        ({"initial": [[1.0]]}, "shape"),
        ({"output_times": []}, "at least one"),
        ({"output_times": [1.0, 0.5]}, "ascend"),
        ({"output_times": [np.nan]}, "finite"),
        ({"t_start": 2.0}, "before the start"),
        ({"rtol": 0.0}, "relative tolerance"),
        ({"atol": 0.0}, "absolute tolerance"),
        ({"atol": [1e-9]}, "absolute tolerance"),
        ({"method": "magic"}, "method"),
        ({"max_step": 0.0}, "longest step"),
        ({"doses": Doses([5], [0.1], ["a"], [1.0])}, "person"),
        ({"doses": Doses([0, 0], [0.1], ["a"], [1.0])}, "one length"),
        ({"doses": Doses([0], [np.nan], ["a"], [1.0])}, "finite"),
        ({"doses": Doses([0], [0.1], [7], [1.0])}, "between 0 and 1"),
        ({"inputs": Inputs([1.0, 1.0], ["k"], np.zeros((1, 2, 1)))}, "ascend"),
        ({"inputs": Inputs([1.0], ["k"], np.zeros((1, 2, 1)))}, "shape"),
    ],
)
def test_arguments_that_do_not_fit(decay: Model, change: dict[str, object], part: str) -> None:
    arguments: dict[str, object] = {"parameters": [[0.5]], "output_times": [1.0], **change}
    with pytest.raises(InputError, match=part):
        simulate(decay, **arguments)  # type: ignore[arg-type]


def test_names_that_do_not_exist(decay: Model) -> None:
    with pytest.raises(ModelError, match="no state"):
        simulate(decay, [[0.5]], output_times=[1.0], doses=Doses([0], [0.1], ["nowhere"], [1.0]))
    with pytest.raises(ModelError, match="no person parameter"):
        simulate(decay, [[0.5]], output_times=[1.0], inputs=Inputs([0.0], ["a"], [[[1.0]]]))


def test_the_methods_coefficients_meet_their_order_conditions() -> None:
    """Exact sums up to order four: a mistyped digit shows here first."""
    c = np.array(integrate.TSIT_C)
    a = np.zeros((7, 7))
    for s, row in enumerate(integrate.TSIT_A):
        a[s, : len(row)] = row
    b = a[6]
    assert a.sum(axis=1) == pytest.approx(c, abs=1e-14)
    for power in range(5):
        assert b @ c**power == pytest.approx(1 / (power + 1), abs=1e-14)
    assert b @ a @ c == pytest.approx(1 / 6, abs=1e-14)
    assert b @ a @ c**2 == pytest.approx(1 / 12, abs=1e-14)
    assert b @ a @ a @ c == pytest.approx(1 / 24, abs=1e-14)
    assert np.sum(integrate.TSIT_E) == pytest.approx(0.0, abs=1e-14)
