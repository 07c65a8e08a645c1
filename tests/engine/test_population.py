"""Many people: the same bits however the work is split, a status for everyone, and a way to stop."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vagus import store
from vagus.engine import Doses, Model, load, simulate
from vagus.engine.kernel import kernel_of, write
from vagus.engine.native import build

Convert = Callable[[str], str]

BODY = """
k = 1; base = 0.5; x = 1; on = 0; y = 0; z = 0
drive := base + sin(6.283185307179586*time) + piecewise(1, time - floor(time) < 0.3, 0)
x' = drive - k*x; y' = on - 0.3*y; z' = 2000*(x - z)
at (x > 0.9 && on < 0.5): on = 1
at (x < 0.4 && on > 0.5): on = 0
"""
PEOPLE = 23


@pytest.fixture(scope="module")
def model(sbml: Convert) -> Model:
    return load(sbml(BODY), ["k", "base"])


def people(count: int = PEOPLE) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    spread = np.linspace(0.0, 1.0, count)
    return np.stack([0.3 + 3 * spread, 0.2 + np.cos(9 * spread) ** 2], axis=1)


def run(model: Model, parameters: object = None, **settings: object) -> bytes:
    given = people() if parameters is None else parameters
    doses = Doses(np.arange(PEOPLE), np.linspace(0.1, 3.0, PEOPLE), ["x"] * PEOPLE, np.ones(PEOPLE))
    found = simulate(model, given, output_times=np.arange(0.5, 6.0), doses=doses, rtol=1e-5, **settings)  # type: ignore[arg-type]
    assert found.messages == ("ok",) * PEOPLE
    return found.values.tobytes() + found.final_state.tobytes() + found.steps.tobytes()


@pytest.mark.parametrize(("threads", "chunk"), [(1, 7), (1, 500), (2, 1), (4, 3), (16, 8)])
def test_the_same_bits_for_any_threads_and_chunks(model: Model, threads: int, chunk: int) -> None:
    assert run(model, threads=threads, chunk=chunk) == run(model, threads=1, chunk=1)


def test_a_person_alone_has_the_same_bits(model: Model) -> None:
    t = np.arange(0.5, 6.0)
    together = simulate(model, people(), output_times=t).values
    for place in (0, 11, 22):
        alone = simulate(model, people()[place : place + 1], output_times=t)
        assert alone.values.tobytes() == together[place : place + 1].tobytes()


def test_planted_failures_leave_the_others_alone(model: Model) -> None:
    t = np.arange(0.5, 6.0)
    sound = simulate(model, people(), output_times=t)
    given, start = people(), model.initial_values(people())
    given[3, 1] = np.nan
    start[5, model.state_index("z")] = np.inf
    doses = Doses([7], [2.25], ["x"], [np.inf])
    found = simulate(model, given, start, output_times=t, doses=doses)
    assert found.messages[3] == "parameter base was not a finite number"
    assert found.messages[5] == "the initial value of state z was not a finite number"
    assert found.messages[7] == "a dose made state x not a finite number near time 2.25"
    good = [i for i in range(PEOPLE) if i not in (3, 5, 7)]
    assert all(found.messages[i] == "ok" for i in good)
    assert found.values[good].tobytes() == sound.values[good].tobytes()
    assert np.isnan(found.values[[3, 5]]).all()
    assert found.values[7, :2].tobytes() == sound.values[7, :2].tobytes()
    assert np.isnan(found.values[7, 2:]).all()
    assert np.isnan(found.final_state[[3, 5, 7]]).all()


def test_a_state_that_runs_away_gets_a_sentence(sbml: Convert) -> None:
    model = load(sbml("k = 1; x = 1; q = 5; x' = k*x^2; q' = -q"), ["k"])
    found = simulate(model, [[1.0], [0.1]], output_times=[0.5, 2.0])
    assert found.status[1] == 0
    assert "near time 1" in found.messages[0]
    assert "x" in found.messages[0]
    assert found.values[0, 0] == pytest.approx([2.0, 5 * np.exp(-0.5)], rel=1e-4)
    assert np.isnan(found.values[0, 1]).all()


def test_a_rate_without_a_value_gets_a_sentence(sbml: Convert) -> None:
    model = load(sbml("k = 1; x = 1; x' = -sqrt(x - k)"), ["k"])
    found = simulate(model, [[2.0], [0.5]], output_times=[1.0])
    assert found.messages[0] == "state x or its rate was not a finite number near time 0"


def test_too_many_steps(sbml: Convert) -> None:
    model = load(sbml("x = 1; v = 0; x' = v; v' = -1e4*x"))
    found = simulate(model, np.zeros((1, 0)), output_times=[100.0], max_steps=500)
    assert found.messages[0].startswith("too many steps: 500")
    assert found.steps[0] == 500


def test_endless_jumps_of_time_end(sbml: Convert) -> None:
    model = load(sbml("x = 0; x' = piecewise(1, sin(1e14*time) > 0, 0)"))
    found = simulate(model, np.zeros((1, 0)), output_times=[1.0], max_steps=2000)
    assert found.messages[0].startswith("too many steps")
    assert found.steps[0] <= 2000


def test_progress_counts_everyone(model: Model) -> None:
    seen: list[tuple[int, int]] = []
    simulate(model, people(), output_times=[0.1], threads=2, chunk=5, on_progress=lambda *now: seen.append(now))
    assert seen[-1] == (PEOPLE, PEOPLE)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def endless(sbml: Convert) -> Model:
    """A model that would take hours: a fast oscillation for a very long time."""
    return load(sbml("w = 1; x = 1; v = 0; x' = v; v' = -w*x"), ["w"])


def test_cancelling_stops_a_long_person_soon(sbml: Convert) -> None:
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    begin = time.monotonic()
    w = np.array([[1e-12], [1e12], [1e12], [1e12]])
    found = simulate(
        endless(sbml), w, output_times=[1e4], threads=2, chunk=1, cancel=cancel, max_steps=10**12, method="explicit"
    )
    assert time.monotonic() - begin < 5.0
    assert found.messages == ("ok", "cancelled", "cancelled", "cancelled")
    assert np.isfinite(found.values[0]).all()


def test_an_error_in_the_callers_progress_stops_the_threads(sbml: Convert) -> None:
    """What Ctrl-C does: an exception in the waiting thread ends all others."""

    def stop(done: int, count: int) -> None:
        raise KeyboardInterrupt

    w = np.array([[1e-12], [1e12], [1e12]])
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        simulate(
            endless(sbml),
            w,
            output_times=[1e4],
            threads=2,
            chunk=1,
            on_progress=stop,
            max_steps=10**12,
            method="explicit",
        )
    assert time.monotonic() - begin < 5.0


# ---------------------------------------------------------------------- the cache of machine code


def test_damaged_and_foreign_entries_are_ignored(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAGUS_CACHE", str(tmp_path))
    text = write(model)[0]
    assert not build(lambda: text, ["rhs"], text).from_cache
    assert build(lambda: text, ["rhs"], text).from_cache
    (entry,) = (tmp_path / "kernels").iterdir()
    sound = entry.read_bytes()
    for damage in (b"", sound[:-1], sound[:100], sound.replace(b"vagus", b"other", 1), sound[:-1] + b"\x00"[:1]):
        if damage == sound:
            continue
        entry.write_bytes(damage)
        again = build(lambda: text, ["rhs"], text)
        assert not again.from_cache
        assert again.addresses["rhs"]
        assert entry.read_bytes() == sound  # written anew
    entry.rename(entry.with_name("0" * 64))
    assert store.read_entry("kernels", "0" * 64) is None


def test_it_works_without_a_cache(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made here")
    monkeypatch.setenv("VAGUS_CACHE", str(blocked))
    assert store.writable_folder("kernels") is None
    assert not store.write_entry("kernels", "key", b"content")
    text = write(model)[0]
    assert not build(lambda: text, ["rhs"], text).from_cache


def test_store_round_trip_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAGUS_CACHE", str(tmp_path / "deep" / "er"))
    assert store.write_entry("things", "abc", b"\x00payload\n")
    assert store.read_entry("things", "abc") == b"\x00payload\n"
    assert store.read_entry("things", "abd") is None
    assert [path.name for path in (tmp_path / "deep" / "er" / "things").iterdir()] == ["abc"]
    monkeypatch.delenv("VAGUS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr("sys.platform", "linux")
    assert store.cache_folder("kernels") == tmp_path / "xdg" / "vagus" / "kernels"


def test_nobody_is_a_population_too(model: Model) -> None:
    found = simulate(model, np.zeros((0, 2)), output_times=[1.0])
    assert found.values.shape == (0, 1, len(model.outputs))
    assert found.messages == ()


def test_a_model_can_travel_to_another_process(model: Model) -> None:
    kernel_of(model)
    copy = pickle.loads(pickle.dumps(model))
    assert run(copy) == run(model)


def test_a_kernel_is_made_once_a_model(model: Model) -> None:
    assert kernel_of(model) is kernel_of(model)
