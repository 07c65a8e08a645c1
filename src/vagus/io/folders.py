"""The folder of a run: made, marked, filled, and marked complete."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from vagus.errors import InputError, Problem

RECORD = "run.json"
RUNNING, COMPLETE, PARTIAL = "running", "complete", "partial"


def open_run(folder: str | Path, force: bool) -> Path:
    """Make the folder of a run and mark it as running.

    Raises
    ------
    InputError
        The folder exists and `force` is off, it is something else than a run, or it cannot be written.
    """
    path = Path(folder)
    shown = str(folder)
    try:
        if path.exists() and not path.is_dir():
            raise InputError(Problem(shown, 0, "The output must be a folder, got a file; name another with --out."))
        if path.exists() and any(path.iterdir()):
            if not force:
                text = "The folder of a run must be new, this one exists; add --force to replace it or name another with --out."
                raise InputError(Problem(shown, 0, text))
            if not (path / RECORD).exists():
                text = f"--force replaces only the folder of a run (one with {RECORD}); this holds something else."
                raise InputError(Problem(shown, 0, text))
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
        write_text(path / RECORD, json.dumps({"status": RUNNING}) + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Problem(shown, 0, f"The folder must be writable, got: {reason}; name another with --out.")
        ) from None
    return path


def close_run(path: Path, record: Mapping[str, object], status: str = COMPLETE) -> None:
    """Write the record of a run with its final status."""
    write_text(path / RECORD, json.dumps({**record, "status": status}, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    waiting = path.with_name(path.name + ".part")
    try:
        waiting.write_bytes(content)
        os.replace(waiting, path)
    finally:
        waiting.unlink(missing_ok=True)


def read_run_text(folder: str | Path, name: str) -> str:
    """Return a file of a finished run.

    Raises
    ------
    InputError
        No such folder, not a run, or a run that was not finished.
    """
    path, shown = Path(folder), str(folder)
    if not path.is_dir():
        raise InputError(Problem(shown, 0, "A run must be a folder that vagus wrote, there is none of this name."))
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        status = record.get("status")
    except (OSError, ValueError, AttributeError):
        raise InputError(Problem(shown, 0, f"A run must have a readable {RECORD}; this folder has none.")) from None
    if status != COMPLETE:
        text = f'A run must be complete, this one is "{status}"; repeat it with --force.'
        raise InputError(Problem(shown, 0, text))
    try:
        return (path / name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise InputError(Problem(shown, 0, f"The run has no readable {name}; repeat it with --force.")) from None
