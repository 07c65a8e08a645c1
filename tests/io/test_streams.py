"""The store of trajectories and the folder of a large run: whole or not at all, and gone on with to the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vagus.errors import Cancelled, InputError
from vagus.io import folders
from vagus.io.streams import StreamFolder, open_stream
from vagus.io.trajectories import LARGEST_ERROR, STORE, Layout, chunk_size, metadata, round_values, write_store

SETTINGS = {"vagus": "1", "seed": 3}
COUNT, CHUNK = 7, 2

#: Goes on with a run in process after process, each of which kills itself after so many bytes of files.
WRITER = """
import os, signal, sys
from pathlib import Path
folder, here, *limits = sys.argv[1:]
sys.path.insert(0, here)
import zarr
from test_streams import make

class Dying:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *_): self.file.close()
    def __getattr__(self, name): return getattr(self.file, name)
    def write(self, content):
        global left
        self.file.write(content[:left])
        left -= len(content)
        if left < 0:
            self.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)

opened = Path.open
Path.open = lambda path, mode="r", **more: Dying(opened(path, mode)) if mode == "wb" else opened(path, mode, **more)
for limit in limits:
    child, left = os.fork(), int(limit)
    if not child:
        make(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), sum(path.is_file() for path in Path(folder).rglob("*")))
"""


def layout(count: int = COUNT, chunk: int = CHUNK) -> Layout:
    subjects = tuple(f"S{row + 1:03d}" for row in range(count))
    return Layout(("a", "b+c"), subjects, ("x", "y"), np.arange(3) - 0.5, ("age",), chunk, {"seed": 3})


def values_of(rows: range) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Values, sentences and numbers of some people; the fifth person failed under the second arm."""
    values = np.stack([np.random.default_rng(row).normal(size=(2, 3, 2)) for row in rows], axis=1)
    sentences = np.full((2, len(rows)), "ok", dtype=object)
    if 4 in rows:
        values[1, 4 - rows.start], sentences[1, 4 - rows.start] = np.nan, 'state x, "gone"'
    return values, sentences, {"age": np.array(rows, dtype=float)}


def make(folder: str | Path, resume: bool = True, settings: dict[str, object] | None = None) -> list[int]:
    """Make or go on with a run; return the chunks that were made."""
    made = []
    with open_stream(folder, settings or SETTINGS, resume) as stream:
        stream.begin(layout())
        for part, (first, last) in enumerate(stream.layout.parts):
            if part not in stream.done:
                stream.write(part, *values_of(range(first, last)), {"simulations": 2 * (last - first)})
                made.append(part)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def whole(tmp_path) -> dict[str, bytes]:
    assert make(tmp_path / "whole") == [0, 1, 2, 3]
    return contents(tmp_path / "whole")


# ------------------------------------------------------------------ values


def test_rounding_keeps_what_it_promises():
    values = np.random.default_rng(1).normal(size=20_000) * 10.0 ** np.random.default_rng(2).uniform(-30, 30, 20_000)
    rounded = round_values(values)
    assert rounded.dtype == np.float32
    error = np.abs(rounded.astype(float) / values - 1)
    assert 5.9e-5 < error.max() <= LARGEST_ERROR < 6.2e-5
    assert np.all(rounded.view(np.uint32) % 2**10 == 0)
    assert np.array_equal(round_values(rounded), rounded)


def test_rounding_leaves_special_numbers():
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 3.4028234e38, 1e300])
    with np.errstate(over="ignore"):
        expected = special.astype(np.float32)
    assert round_values(special).tobytes() == expected.tobytes()


def test_a_chunk_holds_what_fits_into_its_memory():
    assert chunk_size(1, 84, 30) == 2048
    assert chunk_size(1, 1, 1) == 4096
    assert chunk_size(100, 3650, 1000) == 1


# ------------------------------------------------------------------ the store


def test_other_tools_read_the_store(tmp_path):
    import xarray
    import zarr

    values, sentences, people = values_of(range(COUNT))
    write_store(tmp_path, layout(), values, sentences != "ok", people)
    found = xarray.open_zarr(tmp_path / STORE, consolidated=False)
    assert found["x"].dims == ("arm", "subject", "time")
    near = found["y"].sel(arm="b+c", subject="S002").values
    assert np.abs(near / values[1, 1, :, 1] - 1).max() < LARGEST_ERROR
    assert np.isnan(found["x"].sel(arm="b+c", subject="S005").values).all()
    assert found["time"].values.tolist() == [-0.5, 0.5, 1.5]
    assert int(found["status"].sum()) == 1
    assert found.attrs["seed"] == 3
    assert found.attrs["max_relative_error"] == LARGEST_ERROR
    group = zarr.open_group(tmp_path / STORE, mode="r")
    assert group.metadata.zarr_format == 3
    assert group["people/age"][...].tolist() == list(range(COUNT))
    assert group["x"].chunks == (1, CHUNK, 3)


def test_the_files_are_those_that_the_layout_names(tmp_path):
    values, sentences, people = values_of(range(COUNT))
    write_store(tmp_path, layout(), values, sentences != "ok", people)
    parts = {name for part in range(4) for name in layout().names(part)}
    assert set(contents(tmp_path / STORE)) == parts | set(metadata(layout()))


# ------------------------------------------------------------------ the folder


def test_a_finished_folder_says_what_it_is(whole):
    record = json.loads(whole["run.json"])
    assert (record["status"], record["made_by"], record["settings"]) == ("complete", "trajectories", SETTINGS)
    assert record["counts"] == {"simulations": 14, "failed_simulations": 1}
    assert whole["failures.csv"].decode() == 'subject_id,arm,status\nS005,b+c,"state x, ""gone"""\n'


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes as POSIX has them")
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, whole):
    """Ten times the writer dies in the middle of a file, each time at another byte of what it still has to write."""
    limits = np.random.default_rng(5).integers(1, sum(map(len, whole.values())) // 8, 10)
    arguments = [sys.executable, "-c", WRITER, tmp_path / "cut", Path(__file__).parent, *map(str, limits)]
    ran = subprocess.run(arguments, capture_output=True, check=False, timeout=120, text=True)
    assert ran.returncode == 0, ran.stderr
    ends = [tuple(map(int, line.split())) for line in ran.stdout.splitlines()]
    assert {code for code, _ in ends} <= {0, -9}
    assert [code for code, _ in ends].count(-9) >= 5
    assert len({files for _, files in ends}) >= 3
    make(tmp_path / "cut")
    assert contents(tmp_path / "cut") == whole


@pytest.mark.parametrize("name", ["x/c/1/2/0", "status/c/0/2", "people/age/c/2"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_chunk_is_made_again(tmp_path, whole, name, harm):
    file = tmp_path / "whole" / STORE / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes(content if harm == "flip" else content[:-1])
    assert make(tmp_path / "whole") == [2]
    assert contents(tmp_path / "whole") == whole


def test_a_damaged_record_or_head_is_made_again(tmp_path, whole):
    folder = tmp_path / "whole"
    record = json.loads((folder / "chunks" / "000001.json").read_text())
    record["counts"]["simulations"] += 1
    (folder / "chunks" / "000001.json").write_text(json.dumps(record, indent=0) + "\n")
    (folder / "chunks" / "000003.json").write_text("{")
    (folder / STORE / "zarr.json").write_text("{}")
    (folder / STORE / "x" / f"zarr.json{folders.PART}").write_text("left over")
    assert make(folder) == [1, 3]
    assert contents(folder) == whole


def test_a_finished_run_needs_nothing(tmp_path, whole):
    assert make(tmp_path / "whole") == []
    assert contents(tmp_path / "whole") == whole


def refusal(folder: Path, resume: bool = True, settings: dict[str, object] | None = None) -> str:
    before = contents(folder) if folder.is_dir() else {}
    with pytest.raises(InputError) as refused:
        make(folder, resume, settings)
    assert (contents(folder) if folder.is_dir() else {}) == before
    return str(refused.value)


def test_other_settings_and_other_folders_are_refused(tmp_path, whole):
    folder = tmp_path / "whole"
    assert "must be new, this one holds trajectories; go on with them by --resume" in refusal(folder, resume=False)
    other = refusal(folder, settings={**SETTINGS, "seed": 4, "people": 9})
    assert "under the same settings; seed was 3 and is 4; people was absent and is 9." in other
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert "holds something else" in refusal(tmp_path / "mine")
    (tmp_path / "mine" / "run.json").write_text('{"status": "complete", "made_by": "run"}')
    assert "holds something else" in refusal(tmp_path / "mine")
    assert "got a file" in refusal(tmp_path / "mine" / "thesis.txt")


def test_two_runs_cannot_write_one_folder(tmp_path):
    pytest.importorskip("fcntl")
    first = StreamFolder(tmp_path / "run", SETTINGS, False)
    assert "Another run is writing" in refusal(tmp_path / "run")
    first.close()
    assert make(tmp_path / "run") == [0, 1, 2, 3]


def stop_after_one(folder: Path) -> None:
    """Make one chunk, and press Ctrl-C."""
    with open_stream(folder, SETTINGS, False) as stream:
        stream.begin(layout())
        stream.write(0, *values_of(range(2)), {"simulations": 4})
        raise KeyboardInterrupt


def test_a_stopped_run_is_marked_and_says_how_to_go_on(tmp_path, whole):
    with pytest.raises(Cancelled, match="marked partial; the same command with --resume goes on with it"):
        stop_after_one(tmp_path / "cut")
    assert json.loads((tmp_path / "cut" / "run.json").read_text())["status"] == "partial"
    assert make(tmp_path / "cut") == [1, 2, 3]
    assert contents(tmp_path / "cut") == whole


def test_a_full_disk_keeps_what_is_done(tmp_path, whole, monkeypatch):
    write, count = folders.write_bytes, 0

    def full(path: Path, content: bytes, *, lasting: bool = False) -> None:
        nonlocal count
        count += "/y/c/" in path.as_posix()
        if count > 4:
            raise OSError(28, "No space left on device")
        write(path, content, lasting=lasting)

    monkeypatch.setattr(folders, "write_bytes", full)
    with pytest.raises(InputError, match="got: No space left on device; make room and go on by --resume"):
        make(tmp_path / "cut")
    monkeypatch.undo()
    assert make(tmp_path / "cut") == [2, 3]
    assert contents(tmp_path / "cut") == whole


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the folders of a POSIX system")
def test_a_folder_that_cannot_be_made(tmp_path):
    assert "must be writable" in refusal(Path("/proc/vagus"))
