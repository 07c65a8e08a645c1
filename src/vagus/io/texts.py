"""A user's text files: whole, UTF-8, of a sensible size."""

from __future__ import annotations

from pathlib import Path

from vagus.errors import InputError, Problem
from vagus.io.tables import read_bytes


def read_text(path: Path, shown: str, what: str, most: int) -> str:
    """Return a text file with plain line ends.

    Parameters
    ----------
    path : pathlib.Path
    shown : str
        What it is called in messages.
    what : str
        What it must be, for messages, e.g. ``"A model"``.
    most : int
        Most bytes.

    Raises
    ------
    InputError
        There is no such file, it is too large, cannot be read, or is no UTF-8 text (with the line).
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError(Problem(shown, 0, f"{what} must be a file, got a folder or a device."))
        size = path.stat().st_size if path.exists() else 0
    except OSError:
        size = 0  # the reading says why
    content = read_bytes(path) if size <= most else b""
    size = max(size, len(content))
    if size > most:
        raise InputError(Problem(shown, 0, f"{what} may have at most {most:,} bytes, got {size:,}."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = "The file must be UTF-8 text, got other bytes; save it as UTF-8."
        raise InputError(Problem(shown, line, message)) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(Problem(shown, line, f"{what} must be text, got a binary file."))
    return text.replace("\r\n", "\n")
