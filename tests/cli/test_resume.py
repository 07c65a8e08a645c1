"""``vagus simulate --courses``: streamed, stopped, killed, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_trial import SMALL, vagus_in

COURSES = (
    *("simulate", "small.yaml", "--courses", "--json"),
    *("--arm", "hmo", "--chunk", "3", "--seed", "3", "--jobs", "2"),
)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, dict]:
    """Courses of the small protocol, and what was printed of them."""
    folder = tmp_path_factory.mktemp("courses")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    result = vagus_in(folder, *COURSES)
    assert (result.code, result.err) == (0, "")
    return folder / "runs" / "small", json.loads(result.out)


def test_the_folder_and_the_facts(whole):
    folder, facts = whole
    assert (facts["subjects"], facts["arms"], facts["days"], facts["failed_simulations"]) == (8, ["hmo"], 7, 0)
    assert (facts["simulations"], facts["handed_over"], facts["precision"]["audited"]) == (8, 0, 8)
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "complete"
    assert record["command"] == "vagus simulate protocol.yaml --courses --seed 3 --arm hmo"
    assert record["precision"] == facts["precision"]
    assert (folder / "protocol.yaml").exists()
    assert len(list((folder / "chunks").iterdir())) == 3
    import zarr

    store = zarr.open_group(folder / "trajectories.zarr", mode="r")
    assert store["il6_pg_ml"].shape == (1, 8, 7)
    assert store.attrs["numerics"] == facts["precision"]
    assert {"vagus", "seed", "model_sha256", "protocol_sha256", "max_relative_error"} <= set(store.attrs)


def test_other_jobs_the_same_bytes_and_the_facts_in_words(whole, vagus, protocol, tmp_path):
    protocol()
    other = [word for word in COURSES if word != "--json"]
    other[other.index("--jobs") + 1] = "1"
    result = vagus(*other, "--out", "again")
    assert result.code == 0, result.err
    assert result.out.startswith("8 subjects, 1 arm, 7 days, 79 variables\n")
    assert "-bit numbers; 8 audited simulations within " in result.out
    assert result.out.endswith("again\n")
    assert result.err.splitlines() == ["people ...", "precision ...", "simulation ..."]
    assert contents(tmp_path / "again") == contents(whole[0])


def start(folder: Path, *more: str) -> subprocess.Popen:
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    command = [sys.executable, "-m", "vagus", *(word for word in COURSES if word != "--json"), *more]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_a_chunk(child: subprocess.Popen, folder: Path, chunks: int = 1) -> None:
    end = time.monotonic() + 100
    while len(list(folder.glob("chunks/*.json"))) < chunks and child.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


@pytest.mark.skipif(os.name != "posix", reason="needs signals as POSIX has them")
def test_killed_then_stopped_then_resumed_to_the_same_bytes(whole, tmp_path):
    """kill -9 after the first chunk, Ctrl-C when it goes on, and then to the end."""
    run = tmp_path / "runs" / "small"
    with start(tmp_path) as child:
        wait_for_a_chunk(child, run)
        child.kill()
    left = contents(run)
    assert 0 < sum(name.startswith("chunks/") for name in left) <= 3

    refused = vagus_in(tmp_path, *COURSES)
    assert refused.code == 1
    assert "this one holds trajectories; go on with them by --resume" in refused.err
    other = vagus_in(tmp_path, *COURSES, "--seed", "4", "--resume")
    assert other.code == 1
    assert "A run is gone on with under the same settings; seed was 3 and is 4." in other.err
    assert contents(run) == left

    with start(tmp_path, "--resume") as child:
        assert child.stderr is not None
        assert child.stderr.readline() == "people ...\n"
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert time.monotonic() - begun < 10
    assert err.splitlines()[-1] == (
        "Stopped. runs/small is marked partial; the same command with --resume goes on with it."
    )
    assert json.loads((run / "run.json").read_text())["status"] == "partial"

    result = vagus_in(tmp_path, *COURSES, "--resume")
    assert result.code == 0, result.err
    assert json.loads(result.out) == whole[1]
    assert contents(run) == contents(whole[0])


def test_what_does_not_go_together_is_refused(vagus, protocol, refused):
    protocol()
    refused(vagus("simulate", "small.yaml", "--resume"), "belong to --courses")
    refused(vagus("simulate", "small.yaml", "--courses", "--force"), "--force does not go with it")
    refused(vagus("simulate", "small.yaml", "--courses", "--arm", "hmi"), 'got "hmi"; did you mean "hmo"?')
    refused(vagus("simulate", "small.yaml", "--courses", "--variable", "crp"), 'got "crp"; did you mean "crp_rel"?')
    refused(vagus("simulate", "small.yaml", "--courses", "--chunk", "0"), "--chunk must be")


def test_people_who_cannot_be_found_leave_nothing(vagus, protocol, few_candidates, refused):
    name = protocol(("  n: 8", "  n: 8\n  entry: {bdi: [62, 63]}"))
    refused(vagus("simulate", name, "--courses", "--json"), "Entry criteria must be met")
