"""The folder of a large run: written chunk by chunk, each whole or not at all, and gone on with after any end.

``run.json`` names the settings, the precision and the status; ``chunks/<number>.json`` is written last of a chunk and
holds a hash of each of its files. A chunk without a sound record, or with a file that is not as its record says, is
made again. A finished folder holds the same bytes whatever happened on the way.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from vagus.errors import Cancelled, InputError, Problem
from vagus.io import trajectories
from vagus.io.folders import COMPLETE, PART, PARTIAL, RECORD, RUNNING, write_below
from vagus.io.trajectories import STORE, Floats, Layout, Strings

CHUNKS = "chunks"
KIND = "trajectories"
FAILURES = "failures.csv"


class StreamFolder:
    """The folder of a large run while it is made.

    Attributes
    ----------
    shown : str
        The folder as the user named it.
    record : dict
        What ``run.json`` says, beside the status.
    done : dict of int to dict
        Records of the chunks that are there and sound.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, object], resume: bool) -> None:
        self.shown, self.path = str(folder), Path(os.path.abspath(folder))
        self.record: dict[str, Any] = {"vagus": settings["vagus"], "made_by": KIND, "settings": dict(settings)}
        self.done: dict[int, dict[str, Any]] = {}
        self.layout: Layout | None = None
        self._lock = -1
        self._made: list[Path] = []
        with self.writing():
            before = self._before(resume)
            self._made = [place for place in (self.path, *self.path.parents) if not place.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            self._hold()
            if before is not None:
                self.record = before
            self.mark(RUNNING)

    def _before(self, resume: bool) -> dict[str, Any] | None:
        """Return the record of the run that is gone on with; None where there is none."""
        if self.path.exists() and not self.path.is_dir():
            self._refuse("The output must be a folder, got a file; name another with --out.")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return None
        try:
            before: dict[str, Any] = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
            ours = before["made_by"] == KIND and before["status"] in (RUNNING, PARTIAL, COMPLETE)
            settings: dict[str, Any] = dict(before["settings"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            ours, settings = False, {}
        if not ours:
            self._refuse("The output folder must be new or hold stopped trajectories, this one holds something else.")
        if not resume:
            text = "The output folder must be new, this one holds trajectories; go on with them by --resume, or name"
            self._refuse(f"{text} another with --out.")
        asked = json.loads(json.dumps(self.record["settings"]))
        other = [name for name in {**settings, **asked} if settings.get(name) != asked.get(name)]
        if other:
            text = f"A run is gone on with under the same settings; {_differences(other, settings, asked)}."
            self._refuse(f"{text} Repeat the first command, or name another folder with --out.")
        return {name: value for name, value in before.items() if name != "status"}

    def _hold(self) -> None:
        """Keep a second run out of the folder; the system lets go of it however this one ends."""
        try:
            import fcntl
        except ImportError:  # nothing of the kind on this system
            return
        self._lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._refuse("Another run is writing into this folder; wait for it, or name another with --out.")
        except OSError:  # a file system without locks
            return

    def discard(self) -> None:
        """Remove what was written before the first chunk, and the folders that were made for it."""
        with suppress(OSError):
            for entry in self.path.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            for folder in self._made:
                folder.rmdir()

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _refuse(self, text: str) -> NoReturn:
        raise InputError(Problem(self.shown, 0, text))

    def mark(self, status: str) -> None:
        """Write ``run.json``."""
        content = json.dumps({**self.record, "status": status}, indent=1, ensure_ascii=False) + "\n"
        write_below(self.path, RECORD, content.encode(), lasting=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the disk refuses into one clear message.

        Raises
        ------
        InputError
            The folder is not writable, or the disk is full.
        """
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"The folder must be writable, got: {reason}; make room and go on by --resume, or name another"
            raise InputError(Problem(self.shown, 0, f"{text} with --out.")) from None

    def put(self, name: str, text: str) -> None:
        """Write a text that is known before the run."""
        with self.writing():
            write_below(self.path, name, text.encode(), lasting=True)

    def begin(self, layout: Layout) -> None:
        """Write what is known before the first chunk, and look at the chunks that are there."""
        self.layout = layout
        with self.writing():
            for left in self.path.rglob(f"*{PART}"):
                left.unlink()
            self.mark(RUNNING)
            for name, content in trajectories.metadata(layout).items():
                if _read(self.path / STORE / name) != content:
                    write_below(self.path / STORE, name, content, lasting=True)
            for part in range(len(layout.parts)):
                found = self._sound(part)
                if found is not None:
                    self.done[part] = found

    def _sound(self, part: int) -> dict[str, Any] | None:
        """Return the record of a chunk whose files are all as it says."""
        assert self.layout is not None
        content = _read(self.path / CHUNKS / f"{part:06}.json")
        try:
            record: dict[str, Any] = json.loads(content or b"")
            files, own = record["files"], record.pop("sha256")
        except (ValueError, KeyError, TypeError):
            return None
        if own != _hash(_json(record)) or list(files) != self.layout.names(part):
            return None
        for name, digest in files.items():
            stored = _read(self.path / STORE / name)
            if stored is None or _hash(stored) != digest:
                return None
        return record

    def write(
        self,
        part: int,
        values: Floats,
        sentences: Strings,
        people: Mapping[str, Floats],
        counts: Mapping[str, int],
    ) -> None:
        """Write a chunk; several threads may, each its own.

        Parameters
        ----------
        part : int
            Number of the chunk.
        values : numpy.ndarray
            Shape (a, n, t, k).
        sentences : numpy.ndarray of str
            Shape (a, n), ``ok`` or what went wrong.
        people : mapping
            Numbers of each person, each (n,).
        counts : mapping
            What the engine did for this chunk.
        """
        layout = self.layout
        assert layout is not None
        first = layout.parts[part][0]
        failed = sentences != "ok"
        files = {}
        with self.writing():
            for name, content in trajectories.encode(layout, part, values, failed, people):
                write_below(self.path / STORE, name, content, lasting=True)
                files[name] = _hash(content)
            said = [
                [layout.subjects[first + row], layout.arms[arm], str(sentences[arm, row])]
                for row, arm in zip(*np.nonzero(failed.T), strict=True)
            ]
            record = {"counts": dict(counts), "failures": said, "files": files}
            whole = {**record, "sha256": _hash(_json(record))}
            write_below(self.path / CHUNKS, f"{part:06}.json", _json(whole), lasting=True)
        self.done[part] = record

    def finish(self) -> None:
        """Sum up the chunks, list the failures, and mark the run as complete."""
        records = [self.done[part] for part in sorted(self.done)]
        counts: dict[str, int] = {}
        for record in records:
            for name, count in record["counts"].items():
                counts[name] = counts.get(name, 0) + count
        failures = [failure for record in records for failure in record["failures"]]
        lines = [f"{subject},{_cell(arm)},{_cell(said)}" for subject, arm, said in failures]
        with self.writing():
            write_below(self.path, FAILURES, "\n".join(["subject_id,arm,status", *lines, ""]).encode(), lasting=True)
            self.record["counts"] = {**counts, "failed_simulations": len(failures)}
            self.mark(COMPLETE)


@contextmanager
def open_stream(folder: str | Path, settings: Mapping[str, object], resume: bool) -> Iterator[StreamFolder]:
    """Open the folder of a large run; finished chunks stay, however the run ends.

    Parameters
    ----------
    folder : str or pathlib.Path
        New or empty, or, to `resume`, that of a run with the same settings.
    settings : mapping
        All that the bytes of the run depend on, ``vagus`` (its version) among it; plain data.
    resume : bool
        Go on with what is there, if anything is.

    Raises
    ------
    InputError
        The folder holds something else, or trajectories of other settings; it cannot be written; another run holds it.
    Cancelled
        The user stopped the work inside.
    """
    stream = StreamFolder(folder, settings, resume)
    try:
        yield stream
        stream.finish()
    except (KeyboardInterrupt, Cancelled):
        with suppress(OSError):
            stream.mark(PARTIAL)
        text = f"Stopped. {stream.shown} is marked partial; the same command with --resume goes on with it."
        raise Cancelled(text) from None
    except BaseException:
        if (stream.path / CHUNKS).exists():
            with suppress(OSError):
                stream.mark(PARTIAL)
        else:
            stream.discard()
        raise
    finally:
        stream.close()


def _differences(names: list[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    said = []
    for name in names:
        old, new = (str(values.get(name, "absent")) for values in (before, now))
        short = len(old) + len(new) < 60
        said.append(f"{name} was {old} and is {new}" if short else f"{name} is another")
    return "; ".join(said)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=0, ensure_ascii=False) + "\n").encode()


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _cell(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if any(sign in text for sign in ',"\n') else text
