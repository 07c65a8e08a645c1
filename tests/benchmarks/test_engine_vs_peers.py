"""The logic of the comparison: errors, tolerances, pieces of time, verdicts, lines. Seconds are not tested."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import engine_vs_peers
import numpy as np
import peak
import peers
import pytest
from peers.__main__ import answer
from peers.measure import Try, agreement, loosest, measure
from workloads import Workload, errors, to_sbml

from vagus import engine
from vagus.engine.lanemodel import lane_model
from vagus.engine.lanesolver import shape_of

DECAY = "model decay()\n  species x = 1;\n  k = 1;\n  J: x -> ; k*x;\nend\n"
TASK = {"people": 2, "quick": True, "processor": True, "agreement": False}


@pytest.fixture(scope="module")
def decay() -> Workload:
    """Two people, three days, a dose at the start and one at noon of day 1."""
    sbml = to_sbml(DECAY)
    model = engine.load(sbml, ["k"], ["x"])
    doses = engine.Doses([0, 1, 1], [0.0, 1.0, 1.5], np.zeros(3, dtype=np.int64), [2.0, 1.0, 4.0])
    rates = np.array([[1.0], [2.0]])
    return Workload("decay", sbml, None, model, rates, model.initial_values(rates), np.array([1.0, 2.0, 3.0]), doses)


# ---------------------------------------------------------------------- errors and tolerances


def test_an_error_is_relative_with_a_floor() -> None:
    exact = np.ones((2, 100, 2))
    exact[..., 1] = 0.0  # an output that is zero throughout is not judged
    exact[0, 0, 0] = 0.0
    found = exact.copy()
    found[0, 0, 0] = 1e-6
    assert errors(found, exact) == pytest.approx((0.0, 1e-3))
    found[1, 99, 0] = np.nan
    assert errors(found, exact)[1] == math.inf


def test_fewer_people_and_days_are_judged_by_the_same_scale() -> None:
    exact = np.full((4, 10, 1), 1e-3)
    exact[3, 9, 0] = 1.0
    found = exact[:1, :5] + 1e-3
    assert errors(found, exact)[0] == pytest.approx(1e-3 / 2e-3)


@pytest.mark.parametrize(
    ("factor", "chosen", "tried"),
    [
        (0.5, 2e-4, [5e-5, 1e-4, 2e-4, 5e-4]),
        (3.0, 2e-5, [5e-5, 2e-5]),
        (1e9, 1e-8, None),  # never exact enough: the least error
    ],
)
def test_the_loosest_tolerance_is_found(factor: float, chosen: float, tried: list[float] | None) -> None:
    seen = []

    def attempt(rtol: float) -> Try:
        seen.append(rtol)
        return Try(rtol, factor * rtol, factor * rtol, 1.0, 1.0)

    assert loosest(attempt, 5e-5).rtol == pytest.approx(chosen)
    if tried:
        assert seen == pytest.approx(tried)


def test_a_tolerance_at_which_the_solver_gives_up_is_passed() -> None:
    def attempt(rtol: float) -> Try:
        error = math.inf if rtol > 1e-6 else 1e-9
        return Try(rtol, error, error, 1.0, 1.0)

    assert loosest(attempt, 1e-4).rtol == pytest.approx(1e-6)


# ---------------------------------------------------------------------- time


def test_pieces_of_time_give_what_the_integrator_gives(decay: Workload) -> None:
    exact = decay.exact()
    for person, pieces in enumerate(decay.stretches(3)):
        x, rate = decay.initial[person, 0], decay.parameters[person, 0]
        assert pieces[0].start == 0.0
        for piece in pieces:
            x += sum(amount for _, amount in piece.doses)
            x *= math.exp(-rate * (piece.end - piece.start))
            if piece.row >= 0:
                assert x == pytest.approx(exact[person, piece.row, 0], rel=1e-8)
        assert [piece.row for piece in pieces if piece.row >= 0] == [0, 1, 2]


def test_the_stiff_workload_is_faster_only_where_it_says() -> None:
    from workloads import FASTER, gutbrain, stiff

    slow, fast = gutbrain(2), stiff(2)
    at = [engine.evaluate(load.model, slow.parameters, slow.initial, 0.3).rates for load in (slow, fast)]
    names = [name for k, name in enumerate(slow.model.states) if not np.allclose(at[0][:, k], at[1][:, k], rtol=1e-9)]
    assert sorted(names) == ["LPS", "TNF", "W"]
    places = [slow.model.state_index(name) for name in names]
    np.testing.assert_allclose(at[1][:, places], FASTER * at[0][:, places], rtol=1e-9)


# ---------------------------------------------------------------------- peers


@pytest.mark.parametrize("name", [peers.SCALAR, peers.LANES])
def test_our_own_rows(decay: Workload, name: str) -> None:
    row = measure(peers.ENTRIES[name], decay, decay.exact(), TASK)
    assert row["exact_enough"] is True
    assert (row["people"], row["days"]) == (2, 3)
    assert row["participants_per_s_per_core"] > 0.0


def test_libroadrunner_agrees(decay: Workload) -> None:
    pytest.importorskip("roadrunner", reason="libroadrunner comes with the dev extra")
    peer = peers.ENTRIES[peers.RUNNER_BDF].make(decay, 2)
    assert agreement(peer, decay, decay.exact())["p999"] < 1e-7


def ask(folder: Path, decay: Workload, monkeypatch: pytest.MonkeyPatch, place: str) -> Any:
    entry = peers.Entry("other", place, {}, 2, 2, 1e-5, "other-solver")
    monkeypatch.setitem(peers.ENTRIES, "other", entry)
    (folder / "task.json").write_text(json.dumps({**TASK, "solver": "other"}))
    (folder / "workload.pickle").write_bytes(pickle.dumps(decay))
    np.save(folder / "exact.npy", decay.exact())
    return answer(folder)["note"]


def test_a_peer_that_is_not_installed_is_a_line(
    tmp_path: Path, decay: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pip install other-solver" in ask(tmp_path, decay, monkeypatch, "nowhere:Solver")


# ---------------------------------------------------------------------- verdicts and lines


def row(solver: str, speed: float, exact: bool = True, workload: str = "gutbrain") -> dict[str, Any]:
    """Return a row of the table."""
    return {
        "workload": workload,
        "solver": solver,
        "tolerance": 5e-5,
        "participants_per_s_per_core": speed,
        "p99_error": 9e-5,
        "p999_error": 2e-4,
        "exact_enough": exact,
        "compile_s": 12.3,
        "version": "1.2.3",
        "detail": "8 lanes of 32 bits",
        "people": 256,
        "days": 84,
    }


def test_verdicts() -> None:
    rows = [row(peers.LANES, 250.0), row(peers.RUNNER_BDF, 2.0), row(peers.LSODA, 20.0), row(peers.DIFFRAX_32, 6.0)]
    rows.append(row(peers.DIFFRAX_64, 7.0))
    starts = [{"what": "new", "text_to_kernel_s": 2.0}, {"what": "cached", "text_to_kernel_s": 0.5}]
    found = engine_vs_peers.checks(rows, starts, ["gutbrain"])
    assert [check["ok"] for check in found] == [True, True, False, False, True, False]
    assert found[3]["found"] == pytest.approx(250.0 / 7.0)  # beside the faster of the two
    missing = engine_vs_peers.checks(rows[:1], [], ["gutbrain"])
    assert [check["ok"] for check in missing] == [True, None, None, None]
    inexact = engine_vs_peers.checks([row(peers.LANES, 250.0, exact=False), *rows[1:]], [], ["gutbrain"])
    assert [check["ok"] for check in inexact] == [False] * 4


def test_lines_are_readable_in_80_columns() -> None:
    rows = [
        row(peers.LANES, 250.0),
        row(peers.RUNNER_ADAMS, 0.00789),
        row(peers.DIFFRAX_64, 3.21, exact=False),
        {"workload": "gutbrain", "solver": peers.COPASI, "note": "not installed: pip install python-copasi " * 3},
    ]
    machine = {"cpu": "x", "cores": 2, "system": "y", "python": "3", "seconds": 100.0}
    starts = [{"what": "new", "model": "gutbrain", "text_to_kernel_s": 2.0}]
    found = {
        "rows": rows,
        "machine": machine,
        "workloads": ["gutbrain"],
        "startup": starts,
        "quick": True,
        "clock": "wall",
        "checks": engine_vs_peers.checks(rows, starts, ["gutbrain"]),
    }
    lines = list(engine_vs_peers.human(found))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "31686x" in text
    assert "NOT MET" not in text
    assert "pip install python-copasi" in text
    assert "! its least error" in text


# ---------------------------------------------------------------------- flops


def test_flops_of_a_model() -> None:
    shape = shape_of(True)
    plain, curved = (
        lane_model(engine.load(to_sbml(f"model m()\n x = 1; k = 2; x' = {rate};\nend\n"), ["k"]))
        for rate in ("k*x + x/(1 + x)", "k*x + exp(x)/(1 + x)")
    )
    assert peak.rate_flops(plain, shape) == 4
    assert peak.rate_flops(curved, shape) == 4 + peak.function_flops("exp", shape)
    assert peak.function_flops("exp", shape) < peak.function_flops("exp", shape_of(False))
