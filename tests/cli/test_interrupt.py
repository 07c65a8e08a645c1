"""Ctrl-C in the middle of a run: exit code 130 within seconds, and a folder that says what it is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_trial import SMALL, vagus_in

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals as POSIX has them")

#: Enough work for a minute or more.
LONG = ("--set", "population.n=40", "--draws", "2000")


def stop_during(folder: Path, stage: str, *more: str, presses: int = 1) -> tuple[int, str, str, float]:
    """Start a long run, press Ctrl-C when a stage begins, and return exit code, streams and seconds it took to end."""
    command = [sys.executable, "-m", "vagus", "run", "small.yaml", *LONG, *more]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stderr is not None
        seen = ""
        for line in child.stderr:
            seen += line
            if line.startswith(stage):
                break
        time.sleep(0.3)
        start = time.perf_counter()
        for _ in range(presses):
            child.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, err = child.communicate(timeout=60)
        return child.returncode, out, seen + err, time.perf_counter() - start


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def test_a_stopped_run_is_marked_partial_and_can_be_made_anew(folder):
    code, out, err, seconds = stop_during(folder, "simulation")
    assert code == 130
    assert seconds < 10
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1] == (
        "Stopped. runs/small is marked partial; the same command with --force makes the run anew."
    )
    run = folder / "runs" / "small"
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], record["protocol"]) == ("partial", "small")
    assert not list(run.rglob("*.part"))

    refused = vagus_in(folder, "report", "runs/small")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        'A run must be complete, this one was stopped ("partial"); repeat it with --force. (runs/small)\n'
    )
    assert vagus_in(folder, "run", "small.yaml").code == 1
    again = vagus_in(folder, "run", "small.yaml", "--draws", "0", "--force", "--json")
    assert again.code == 0, again.err
    assert json.loads((run / "run.json").read_text())["status"] == "complete"


def test_stopping_a_replacement_keeps_the_run_that_was_there(folder, finished):
    run = folder / "runs" / "small"
    shutil.copytree(finished[0] / "runs" / "small", run)
    before = (run / "run.json").read_bytes()
    code, _, err, seconds = stop_during(folder, "body clocks", "--force", presses=3)
    assert code == 130
    assert seconds < 10
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "Stopped. The run that was in runs/small is as it was."
    assert (run / "run.json").read_bytes() == before
    assert [path.name for path in run.parent.iterdir()] == ["small"]


def test_ctrl_c_while_starting_leaves_nothing(folder):
    command = [sys.executable, "-m", "vagus", "run", "small.yaml", *LONG]
    for wait in (0.5, 1.0):
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as child:
            time.sleep(wait)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=30)
        assert (child.returncode, out) == (130, "")
        assert "Traceback" not in err
        assert "Stopped." in err
        record = folder / "runs" / "small" / "run.json"
        if record.exists():  # a quick machine has begun by then
            assert json.loads(record.read_text())["status"] == "partial"
            break
