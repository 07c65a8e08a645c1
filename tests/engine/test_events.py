"""Events: located in time, executed together, and chains of them ended."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vagus.engine import load, simulate, simulate_reference

Convert = Callable[[str], str]
NOBODY = np.zeros((1, 0))


def test_bouncing_ball_against_the_closed_form(sbml: Convert) -> None:
    model = load(sbml("h = 10; v = 0; n = 0; h' = v; v' = -9.81; at (h < 0): v = -0.8*v, n = n + 1"))
    first = np.sqrt(2 * 10 / 9.81)
    t = np.linspace(0, 6, 61)
    found = simulate(model, NOBODY, output_times=t, rtol=1e-9)
    bounces = first + np.concatenate([[0], np.cumsum(2 * first * 0.8 ** np.arange(1, 8))])
    exact = np.empty_like(t)
    for i, now in enumerate(t):
        k = int(np.searchsorted(bounces, now)) - 1
        speed = np.sqrt(2 * 9.81 * 10) * 0.8 ** (k + 1)
        exact[i] = 10 - 9.81 * now**2 / 2 if k < 0 else speed * (now - bounces[k]) - 9.81 * (now - bounces[k]) ** 2 / 2
    assert found.output("h")[0] == pytest.approx(exact, abs=1e-6)
    assert found.output("n")[0, -1] == np.searchsorted(bounces, 6.0)


def test_a_threshold_is_located_to_a_billionth(sbml: Convert) -> None:
    """After the switch y grows by one per unit of time: its value tells when the switch was."""
    model = load(sbml("k = 1; x = 1; x' = -k*x; on = 0; y = 0; y' = on; at (x < 0.3): on = 1"), ["k"])
    k = np.array([0.7, 1.0, 3.3])
    found = simulate(model, k[:, None], output_times=[5.0], rtol=1e-10, atol=1e-13)
    assert found.output("y")[:, 0] == pytest.approx(5.0 - np.log(1 / 0.3) / k, abs=2e-9)


def test_a_relay_fires_every_time(sbml: Convert) -> None:
    """A thermostat: two thresholds, the switch is a state; against the exact period."""
    body = """
    T = 20; heat = 1; count = 0
    T' = 3*heat - 0.1*(T - 10)
    at (T >= 22 && heat > 0.5): heat = 0, count = count + 1
    at (T <= 18 && heat < 0.5): heat = 1
    """
    model = load(sbml(body))
    warm, cool = 10 * np.log((40 - 18) / (40 - 22)), 10 * np.log((22 - 10) / (18 - 10))
    start = 10 * np.log((40 - 20) / (40 - 22))
    found = simulate(model, NOBODY, output_times=[100.0], rtol=1e-9)
    assert found.output("count")[0, 0] == 1 + np.floor((100.0 - start) / (warm + cool))
    assert found.values == pytest.approx(simulate_reference(model, NOBODY, output_times=[100.0]).values, rel=1e-7)


def test_events_of_time_repeat_exactly(sbml: Convert) -> None:
    """A daily dose written as an event with its own clock: 84 doses, none missed, none twice."""
    model = load(
        sbml("s = 0; total = 0; next = 1; s' = -5*s; at (time >= next): s = s + 2, total = total + 2, next = next + 1")
    )
    found = simulate(model, NOBODY, output_times=[84.5])
    assert found.output("total")[0, 0] == 168.0
    assert found.output("s")[0, 0] == pytest.approx(2 * np.exp(-2.5) / (1 - np.exp(-5)), rel=1e-5)


def test_a_condition_that_holds_at_the_start(sbml: Convert) -> None:
    body = """
    x = 5; n = 0; late = 0; x' = -1
    E: at (x > 3): n = n + 1
    F: at (x > 3), t0 = false: late = late + 1
    """
    model = load(sbml(body))
    assert [event.initial_value for event in model.events] == [True, False]
    found = simulate(model, NOBODY, output_times=[0.0, 4.0])
    assert found.output("n")[0].tolist() == [0.0, 0.0]
    assert found.output("late")[0].tolist() == [1.0, 1.0]


def test_assignments_of_an_event_are_simultaneous(sbml: Convert) -> None:
    model = load(sbml("a = 1; b = 2; c = 0; c' = 1; at (c > 1): a = b, b = a"))
    assert simulate(model, NOBODY, output_times=[2.0]).final_state[0] == pytest.approx([2.0, 1.0, 2.0])


def test_events_of_one_moment_see_the_state_before_all(sbml: Convert) -> None:
    body = "a = 1; b = 2; c = 0; c' = 1; at (c > 1): a = b; at (c > 1): b = a"
    model = load(sbml(body))
    found = simulate(model, NOBODY, output_times=[2.0])
    assert dict(zip(model.states, found.final_state[0], strict=True)) == pytest.approx({"a": 2.0, "b": 1.0, "c": 2.0})


def test_an_event_can_cause_another(sbml: Convert) -> None:
    model = load(sbml("a = 0; b = 0; c = 0; c' = 1; at (c > 1): a = 1; at (a > 0.5): b = c; at (b > 0.5): a = a + 10"))
    found = simulate(model, NOBODY, output_times=[2.0])
    assert dict(zip(model.states, found.final_state[0], strict=True)) == pytest.approx(
        {"a": 11.0, "b": 1.0, "c": 2.0}, rel=1e-9
    )


def test_an_event_that_is_not_persistent_can_be_undone(sbml: Convert) -> None:
    body = "a = 0; n = 0; c = 0; c' = 1; at (c > 1): a = 1; at (c > 1 && a < 0.5), persistent = false: n = 1"
    model = load(sbml(body))
    found = simulate(model, NOBODY, output_times=[2.0])
    assert dict(zip(model.states, found.final_state[0], strict=True)) == pytest.approx({"a": 1.0, "n": 0.0, "c": 2.0})


def test_an_endless_chain_gets_a_status(sbml: Convert) -> None:
    model = load(sbml("a = 0; c = 0; c' = 1; at (c > 1 && a < 0.5): a = 1; at (a > 0.5): a = 0"))
    found = simulate(model, NOBODY, output_times=[0.5, 2.0])
    assert found.messages == ("events caused each other without end near time 1",)
    assert found.output("c")[0, 0] == pytest.approx(0.5)
    assert np.isnan(found.output("c")[0, 1])
    assert np.isnan(found.final_state).all()


def test_a_dose_can_fire_an_event(sbml: Convert) -> None:
    from vagus.engine import Doses

    model = load(sbml("a = 0; n = 0; a' = -a; at (a > 1): n = n + 1"))
    found = simulate(model, NOBODY, output_times=[10.0], doses=Doses([0, 0], [1.0, 5.0], ["a", "a"], [3.0, 3.0]))
    assert found.output("n")[0, 0] == 2.0


@pytest.mark.parametrize("method", ["explicit", "stiff"])
def test_events_against_the_reference(sbml: Convert, method: str) -> None:
    """An oscillator that is kicked, with conditions joined by and, or, not."""
    body = """
    x = 1; v = 0; k = 1; n = 0
    x' = v; v' = -k*x - 0.05*v + 0.2*sin(0.7*time)
    at (x > 0.5 && !(v < 0.2)): v = v + 0.3, n = n + 1
    at (x < -0.6 || time > 11): k = k*1.1
    """
    model = load(sbml(body))
    t = np.linspace(0, 20, 41)
    found = simulate(model, NOBODY, output_times=t, rtol=1e-10, atol=1e-12, method=method)
    slow = simulate_reference(model, NOBODY, output_times=t)
    assert found.output("n")[0, -1] > 2
    assert found.values == pytest.approx(slow.values, rel=1e-6, abs=1e-7)
