"""The folder of a run: reserved, filled, and then complete, partial (stopped), or gone as if it had never been."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import ENOTDIR
from pathlib import Path
from typing import Any

from vagus.errors import Cancelled, InputError, Problem

RECORD = "run.json"
#: End of the name of a file that is being written.
PART = ".part"
RUNNING, COMPLETE, PARTIAL = "running", "complete", "partial"


class RunFolder:
    """The folder of a run while it is made.

    A new run is written into its folder, which is marked as running. A run that replaces another is written beside it
    and takes its place when it is complete, so that no failure costs the run that was there.

    Attributes
    ----------
    path : pathlib.Path
        Where the files go.
    shown : str
        The folder as the user named it.
    record : dict
        What `run.json` will say, beside the status.
    """

    def __init__(self, folder: str | Path, force: bool, record: Mapping[str, object]) -> None:
        self.shown = str(folder)
        self.record = dict(record)
        self._made: list[Path] = []
        self._reserved = False
        try:
            self._target = Path(os.path.abspath(folder))
            self._replaces = self._must_replace(force)
            if self._replaces:
                self._target = self._target.resolve()
                self.path = self._beside("new")
            else:
                self.path = self._target
            self._make(self.path)
            self._reserved = True
            self._mark(RUNNING)
        except OSError as error:
            self.discard()
            reason = error.strerror or str(error)
            text = f"The folder must be writable, got: {reason}; name another with --out."
            raise InputError(Problem(self.shown, 0, text)) from None

    def _must_replace(self, force: bool) -> bool:
        if not self._target.exists():
            return False
        if not self._target.is_dir():
            raise InputError(
                Problem(self.shown, 0, "The output must be a folder, got a file; name another with --out.")
            )
        if not any(self._target.iterdir()):
            return False
        if not force:
            text = "The output folder must be new, this one holds files; add --force to replace a run, or name another"
            raise InputError(Problem(self.shown, 0, f"{text} with --out."))
        if _record(self._target) is None:
            text = f"--force replaces only the folder of a run (one with a {RECORD} of vagus), this is something else"
            raise InputError(Problem(self.shown, 0, f"{text}; name another with --out."))
        if Path.cwd().is_relative_to(self._target.resolve()):
            text = "A run cannot be replaced from inside its folder; go one folder up, or name another with --out."
            raise InputError(Problem(self.shown, 0, text))
        return True

    def _beside(self, word: str) -> Path:
        return self._target.with_name(f".{self._target.name}.{word}-{os.getpid()}")

    def _make(self, path: Path) -> None:
        if path.is_dir():
            return
        if path.exists():
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
        self._make(path.parent)
        path.mkdir(exist_ok=True)
        self._made.append(path)

    def _mark(self, status: str) -> None:
        content = json.dumps({**self.record, "status": status}, indent=1, ensure_ascii=False) + "\n"
        write_text(self.path / RECORD, content)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Give the folder to write into; what the disk refuses becomes one clear message.

        Raises
        ------
        InputError
            The disk is full, or no longer writable.
        """
        try:
            yield self.path
        except OSError as error:
            if error.filename is not None and not Path(str(error.filename)).is_relative_to(self.path):
                raise  # not the run's own file
            reason = error.strerror or str(error)
            text = (
                f"The run could not be written, got: {reason}; nothing is kept. Make room, or name another with --out."
            )
            raise InputError(Problem(self.shown, 0, text)) from None
        except InputError as error:
            # Writers below name the folder that they were given; the user knows it by another name.
            inside = str(self.path)
            renamed = [Problem(p.file.replace(inside, self.shown), p.line, p.message) for p in error.problems]
            raise InputError(renamed) from None

    def finish(self) -> None:
        """Mark the run as complete and put it in its place."""
        with self.writing():
            self._mark(COMPLETE)
            if self._replaces:
                old = self._beside("old")
                self._target.rename(old)
                try:
                    self.path.rename(self._target)
                except OSError:
                    old.rename(self._target)
                    raise
                self.path = self._target
                shutil.rmtree(old, ignore_errors=True)

    def stop(self) -> str:
        """Mark a run that the user stopped as partial, and say what is left of it."""
        if self._replaces:
            self.discard()
            return f"Stopped. The run that was in {self.shown} is as it was."
        with suppress(OSError):
            self._mark(PARTIAL)
        return f"Stopped. {self.shown} is marked partial; the same command with --force makes the run anew."

    def discard(self) -> None:
        """Remove all that was made for this run, folders included."""
        with suppress(OSError):
            # An empty folder of the user stays, empty; a folder that was not empty was never reserved.
            for entry in self.path.iterdir() if self._reserved else ():
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def open_run(folder: str | Path, force: bool, record: Mapping[str, object]) -> Iterator[RunFolder]:
    """Reserve the folder of a run, and settle it at the end: complete, partial where it was stopped, gone on errors.

    Parameters
    ----------
    folder : str or pathlib.Path
        Must not exist or be empty.
    force : bool
        A folder that holds a run is replaced, once the new one is complete.
    record : mapping
        First facts of `run.json`; more can be put into `record` of what is given.

    Raises
    ------
    InputError
        The folder exists and `force` is off, it is something else than a run, or it cannot be written.
    Cancelled
        The user stopped the work inside.
    """
    run = RunFolder(folder, force, record)
    try:
        yield run
        run.finish()
    except (KeyboardInterrupt, Cancelled):
        raise Cancelled(run.stop()) from None
    except BaseException:
        run.discard()
        raise


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_below(folder: Path, name: str, content: bytes, *, lasting: bool = False) -> None:
    """Write a file whole or not at all into a folder, its own folders made; `name` may hold slashes."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content, lasting=lasting)


def write_bytes(path: Path, content: bytes, *, lasting: bool = False) -> None:
    """Write a file whole or not at all; a `lasting` one is on the disk before it gets its name."""
    waiting = path.with_name(path.name + PART)
    try:
        with waiting.open("wb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.replace(waiting, path)
    finally:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)


def _record(path: Path) -> dict[str, Any] | None:
    """Return the record of a run, or None where the folder is not one."""
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(record, dict) and record.get("status") in (RUNNING, COMPLETE, PARTIAL)
    return record if known and ("vagus" in record or "protocol" in record) else None


def check_finished(folder: str | Path) -> None:
    """Refuse the folder of a run that was not finished; whatever else the folder is, others judge.

    Raises
    ------
    InputError
        The run is partial, or still running.
    """
    record = _record(Path(folder))
    if record is not None and record["status"] != COMPLETE:
        raise InputError(Problem(str(folder), 0, _unfinished(record["status"])))


def _unfinished(status: str) -> str:
    if status == RUNNING:
        return "A run must be complete, this one is still running or was killed; wait, or repeat it with --force."
    return f'A run must be complete, this one was stopped ("{status}"); repeat it with --force.'


def read_run_text(folder: str | Path, name: str) -> str:
    """Return a file of a finished run.

    Raises
    ------
    InputError
        No such folder, not a run, a run that was not finished, or one without that file.
    """
    path, shown = Path(folder), str(folder)
    if not path.is_dir():
        raise InputError(Problem(shown, 0, "A run must be a folder that vagus wrote, there is none of this name."))
    record = _record(path)
    if record is None:
        raise InputError(Problem(shown, 0, f"A run must have a {RECORD} of vagus, this folder has none."))
    if record["status"] != COMPLETE:
        raise InputError(Problem(shown, 0, _unfinished(record["status"])))
    try:
        return (path / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        simulated = record.get("made_by") == "simulate"
        fix = "vagus simulate makes none, vagus run does" if simulated else "repeat it with --force"
        raise InputError(Problem(shown, 0, f"The run must have a {name}, this one has none; {fix}.")) from None
    except (OSError, ValueError) as error:
        text = f"The file must be readable text, got: {getattr(error, 'strerror', None) or error}; repeat the run."
        raise InputError(Problem(str(path / name), 0, text)) from None
