"""Lanes beside the scalar integrator: the same courses, events at the same times, and bits that nothing else moves."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vagus.engine import Doses, Inputs, Model, Solution, load, simulate
from vagus.engine.lanekernel import Shape
from vagus.engine.lanemodel import lane_model
from vagus.engine.lanesolver import LaneJob, shape_of
from vagus.engine.solution import read_doses, read_inputs
from vagus.errors import InputError

Convert = Callable[[str], str]
Floats = NDArray[np.float64]

# a body clock in small: light by the hour, a sleep switch, marks of time, samples after waking, a Michaelis-Menten
# gut, a power of a person's exponent, a jump of time alone at a person's hour
BODY = """
k = 1; alarm = 7.25; exponent = 0.75; gain = 1; trial = 2.5
hour := 24 * (time - floor(time))
light := awake * (1 + cos(2 * pi * (time - 0.5)))
gut = 1; gut' = gain * 0.4 - k * gut / (0.5 + gut) * max(0, min(1, gut)) ^ exponent
mood = 0.1; mood' = 0.3 * (tanh(gut - 1) - mood) + piecewise(0.05, time >= trial, 0)
pressure = 0.6; pressure' = awake * (1 - pressure) / 0.7 - (1 - awake) * pressure / 0.25
fast = 0; fast' = 300 * (light * (1 + mood) - fast)
total = 0; total' = 1 - awake
awake = 1; woken = -0.6; asleep = -1; slept = 8; sample = 0; later = 0; on = 0
rings := piecewise(1, hour >= alarm && hour < alarm + 2, 0)
sleep: at (awake > 0.5 && rings < 0.5 && pressure > 0.68 + 0.05 * sin(2 * pi * time)): awake = 0, asleep = time
wake: at (awake < 0.5 && (pressure < 0.2 || rings > 0.5)): awake = 1, woken = time, slept = 24 * (time - asleep)
first: at (time - woken >= 0.5 / 24): sample = fast
second: at (time - woken >= 2 / 24): later = fast
start: at (time - asleep >= 1 / 24): on = 1
"""
OUTPUTS = ("gut", "mood", "pressure", "fast", "total", "woken", "asleep", "slept", "sample", "later", "on", "hour")
PEOPLE = 21
TIMES = np.concatenate([np.arange(0.5, 9.0), [9.125]])


@pytest.fixture(scope="module")
def model(sbml: Convert) -> Model:
    return load(sbml(BODY), ["k", "alarm", "exponent", "gain", "trial"], OUTPUTS)


def people(count: int = PEOPLE) -> Floats:
    spread = np.linspace(0.0, 1.0, count)
    columns = [0.6 + spread, 6.0 + 1.9 * spread, 0.5 + 0.6 * np.cos(7 * spread) ** 2, 0.8 + spread**2, 1.3 + 3 * spread]
    return np.stack(columns, axis=1)


def run(model: Model, lanes: str = "double", rows: NDArray[np.int64] | None = None, **settings: object) -> Solution:
    who = np.arange(PEOPLE) if rows is None else rows
    days = np.tile(np.arange(1.0, 9.0), len(who)) + 1 / 3
    doses = Doses(np.repeat(np.arange(len(who)), 8), days, ["gut"] * len(days), np.repeat(0.02 * who, 8))
    given = {"output_times": TIMES, "doses": doses, "rtol": 1e-6, **settings}
    return simulate(model, people()[who], lanes=lanes, **given)  # type: ignore[arg-type]


def bits(found: Solution) -> bytes:
    assert found.messages == ("ok",) * len(found.messages)
    return found.values.tobytes() + found.final_state.tobytes() + found.steps.tobytes()


# ---------------------------------------------------------------------- the model for lanes


def test_marks_are_held_from_the_day_and_quiet_events_are_known(model: Model) -> None:
    own = lane_model(model)
    names = [model.states[place] for place in own.order]
    assert {name for name, mark in zip(names, own.marks, strict=True) if mark} == {"woken", "asleep"}
    assert names[: own.moving] == ["gut", "mood", "pressure", "fast", "total"]
    quiet = {event.name: is_quiet for event, is_quiet in zip(model.events, own.quiet, strict=True)}
    assert quiet == {"sleep": False, "wake": False, "first": True, "second": True, "start": True}
    lasting = {event.name: stays for event, stays in zip(model.events, own.lasting, strict=True)}
    assert lasting == {"sleep": False, "wake": False, "first": True, "second": True, "start": True}


def test_time_of_whole_turns_needs_no_day(sbml: Convert) -> None:
    own = lane_model(load(sbml("x = 0; x' = cos(6.283185307179586*time - 1) + time - floor(time)")))
    assert not any(node.op == "day" for node in (own.graph.nodes[i] for i in own.graph.order(own.rates)))


# ---------------------------------------------------------------------- accuracy


@pytest.mark.parametrize(("lanes", "rtol", "close"), [("double", 1e-8, 1e-5), ("single", 1e-5, 1e-3)])
def test_the_same_courses_as_the_scalar_integrator(model: Model, lanes: str, rtol: float, close: float) -> None:
    found, slow = run(model, lanes, rtol=rtol), run(model, "none", rtol=1e-10)
    assert found.messages == ("ok",) * PEOPLE
    scale = np.abs(slow.values) + 0.1 * np.abs(slow.values).max(axis=(0, 1))
    assert (np.abs(found.values - slow.values) / scale).max() < close
    assert found.final_state == pytest.approx(slow.final_state, rel=close, abs=close)
    assert found.steps == pytest.approx(run(model, "none", rtol=rtol).steps, rel=0.2)


def test_events_at_the_same_times_as_the_scalar_integrator(model: Model) -> None:
    found, slow = run(model, rtol=1e-9), run(model, "none", rtol=1e-10)
    for name in ("woken", "asleep"):
        assert found.output(name) == pytest.approx(slow.output(name), abs=1e-7)
    single = run(model, "single", rtol=1e-7)
    assert single.output("woken") == pytest.approx(slow.output("woken"), abs=2e-5)  # two seconds


def test_a_late_day_is_as_exact_in_single_precision_as_the_first(sbml: Convert) -> None:
    body = (
        "x = 0; mark = {0}; on = 0; x' = on; at (time - mark >= 0.3): on = 1, mark = time; at (x > 0.1): on = 0, x = 0"
    )
    late, early = (
        simulate(
            load(sbml(body.format(first))),
            np.zeros((1, 0)),
            t_start=first,
            output_times=first + np.array([0.35, 0.9]),
            lanes="single",
        )
        for first in (5000.0, 0.0)
    )
    assert late.output("x") == pytest.approx(early.output("x"), abs=1e-6)
    assert late.output("mark") - 5000.0 == pytest.approx(early.output("mark"), abs=1e-3)


def test_inputs_and_doses_at_the_start_and_at_one_moment(sbml: Convert) -> None:
    model = load(sbml("k = 1; x = 1; y = 0; n = 0; x' = -k*x; y' = x; at (x > 2.5): n = n + 1"), ["k"])
    doses = Doses([0, 0, 1, 1, 2, 2], [0.0, 1.0, 1.0, 1.0, -3.0, 9.0], ["x", "x", "x", "n", "x", "x"], [2.0] * 6)
    inputs = Inputs([0.5, 1.0], ["k"], np.array([[[0.2], [3.0]], [[0.0], [1.0]], [[2.0], [0.5]]]))
    given = {"output_times": [0.0, 0.5, 1.0, 1.0, 2.0], "doses": doses, "inputs": inputs, "rtol": 1e-9}
    found = simulate(model, [[1.0], [2.0], [3.0]], lanes="double", **given)  # type: ignore[arg-type]
    slow = simulate(model, [[1.0], [2.0], [3.0]], **given)  # type: ignore[arg-type]
    assert found.messages == slow.messages == ("ok",) * 3
    assert found.values == pytest.approx(slow.values, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(
    "body",
    [
        "a = 0; b = 0; c = 0; c' = 1; at (c > 1): a = 1; at (a > 0.5): b = c; at (b > 0.5): a = a + 10",
        "a = 0; n = 0; c = 0; c' = 1; at (c > 1): a = 1; at (c > 1 && a < 0.5), persistent = false: n = 1",
        "x = 5; n = 0; late = 0; x' = -1; E: at (x > 3): n = n + 1; F: at (x > 3), t0 = false: late = late + 1",
        "a = 1; b = 2; c = 0; c' = 1; at (c > 1): a = b; at (c > 1): b = a",
        "T = 20; heat = 1; n = 0; T' = 3*heat - 0.1*(T - 10); at (T >= 20.5 && heat > 0.5): heat = 0, n = n + 1\n"
        "at (T <= 20.1 && heat < 0.5): heat = 1",
        "s = 0; total = 0; next = 1; s' = -5*s; at (time >= next): s = s + 2, total = total + 2, next = next + 1",
        "x = 1; y = 0; x' = piecewise(1, time - floor(time) < 0.3, -x); y' = floor(3*time) - sin(x) + ceil(x)",
        "h = 10; v = 0; n = 0; h' = v; v' = -9.81; at (h < 0): v = -0.8*v, n = n + 1",
    ],
)
def test_rules_of_events_are_those_of_the_scalar_integrator(sbml: Convert, body: str) -> None:
    model = load(sbml(body))
    t = np.linspace(0.01, 6.0, 25)
    found = simulate(model, np.zeros((3, 0)), output_times=t, rtol=1e-9, lanes="double")
    slow = simulate(model, np.zeros((1, 0)), output_times=t, rtol=1e-9)
    assert found.messages == ("ok",) * 3
    assert found.values[2:] == pytest.approx(slow.values, rel=1e-6, abs=1e-6)


# ---------------------------------------------------------------------- the same bits


@pytest.mark.parametrize("lanes", ["double", "single"])
def test_the_same_bits_for_any_threads_and_chunks(model: Model, lanes: str) -> None:
    one = bits(run(model, lanes))
    for threads, chunk in ((2, 1), (1, 7), (2, 500), (5, 3)):
        assert bits(run(model, lanes, threads=threads, chunk=chunk)) == one


@pytest.mark.parametrize("lanes", ["double", "single"])
def test_the_same_bits_whoever_the_neighbors_are(model: Model, lanes: str) -> None:
    together = run(model, lanes)
    order = np.random.default_rng(3).permutation(PEOPLE)
    mixed = run(model, lanes, order)
    assert mixed.values.tobytes() == together.values[order].tobytes()
    assert mixed.final_state.tobytes() == together.final_state[order].tobytes()
    for row in (0, 8, 20):
        alone = run(model, lanes, np.array([row]))
        assert alone.values.tobytes() == together.values[row : row + 1].tobytes()


def test_lanes_of_any_width_give_the_same_bits(model: Model) -> None:
    found = []
    for width in (2, 4, 8):
        given = people()
        tables = {**vars(read_doses(model, None, PEOPLE)), **vars(read_inputs(model, None, PEOPLE))}
        start = model.initial_values(given)
        arrays = {"parameters": given, "initial": start, "output_times": TIMES, "atol": np.zeros(9), **tables}
        numbers = {"t_start": 0.0, "t_end": TIMES[-1], "rtol": 1e-5, "max_step": np.inf, "max_steps": 1e6}
        shape = Shape(width, single=True)
        job = LaneJob(model, arrays, {**numbers, "by_itself": 1, "method": 0}, shape, np.arange(PEOPLE))
        job.work()
        assert job.result().done.all()
        found.append(job.result().values.tobytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("lanes", ["double", "single"])
def test_planted_failures_leave_the_others_alone(model: Model, lanes: str) -> None:
    sound = simulate(model, people(), output_times=TIMES, lanes=lanes)
    given, start = people(), model.initial_values(people())
    given[3, 0] = np.nan
    start[5, model.state_index("gut")] = np.inf
    doses = Doses([7], [2.25], ["gut"], [np.inf])
    found = simulate(model, given, start, output_times=TIMES, doses=doses, lanes=lanes)
    assert found.messages[3] == "parameter k was not a finite number"
    assert found.messages[5] == "the initial value of state gut was not a finite number"
    assert found.messages[7] == "a dose made state gut not a finite number near time 2.25"
    good = [row for row in range(PEOPLE) if row not in (3, 5, 7)]
    assert found.values[good].tobytes() == sound.values[good].tobytes()
    assert found.lanes is not None
    assert found.lanes.handed_over == 3


def test_who_cannot_go_on_gets_the_scalar_integrators_sentence(sbml: Convert) -> None:
    model = load(sbml("k = 1; x = 1; q = 5; x' = k*x^2; q' = -q"), ["k"])
    found = simulate(model, [[0.1], [1.0], [0.2]], output_times=[0.5, 2.0], lanes="double")
    slow = simulate(model, [[1.0]], output_times=[0.5, 2.0])
    assert found.messages == ("ok", slow.messages[0], "ok")
    assert found.values[1].tobytes() == slow.values[0].tobytes()


# ---------------------------------------------------------------------- audit, progress, cancellation


def test_the_audit_chooses_the_precision(sbml: Convert) -> None:
    calm = load(sbml("k = 1; x = 1; x' = -k*x"), ["k"])
    k = np.linspace(0.5, 1.5, 30)[:, None]
    found = simulate(calm, k, output_times=[1.0, 2.0], rtol=1e-6, lanes="automatic")
    assert found.lanes is not None
    assert found.lanes.bits == 32
    assert found.lanes.audited == 8
    assert found.lanes.error < 1e-5
    assert "32 bits" in found.lanes.sentence
    # the difference of two large numbers needs more digits
    fine = load(sbml("k = 1; x = 1000; y = 1000; d := x - y; x' = -k*x; y' = -k*y + 1e-3"), ["k"], ["d"])
    found = simulate(fine, k, output_times=[1.0, 2.0], rtol=1e-8, lanes="automatic")
    assert found.lanes is not None
    assert found.lanes.bits == 64
    assert found.lanes.single_error > 1e-4 > found.lanes.error


def test_progress_and_cancellation(model: Model) -> None:
    seen: list[tuple[int, int]] = []
    run(model, on_progress=lambda *now: seen.append(now), threads=2)
    assert seen[-1] == (PEOPLE, PEOPLE)
    cancel = threading.Event()
    cancel.set()
    found = run(model, cancel=cancel)
    assert set(found.messages) <= {"ok", "cancelled"}
    assert "cancelled" in found.messages


def test_nobody_and_bad_settings(model: Model) -> None:
    found = simulate(model, np.zeros((0, 5)), output_times=[1.0], lanes="automatic")
    assert found.values.shape == (0, 1, len(OUTPUTS))
    with pytest.raises(InputError, match="Lanes must be one of"):
        simulate(model, people(), output_times=[1.0], lanes="triple")
    assert shape_of(True).width == 2 * shape_of(False).width
