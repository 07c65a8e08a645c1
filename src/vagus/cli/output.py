"""What the commands print: wrapped words, one JSON object, and errors."""

from __future__ import annotations

import json
import math
import shutil
import sys
from textwrap import wrap
from typing import Any, TextIO

import click

from vagus.errors import InputError, VagusError

#: Prose gets no wider than this, however wide the terminal is.
WIDEST = 100
#: Problems that are shown of one reading.
MOST_PROBLEMS = 30


def say(words: str = "", indent: int = 0, hanging: int = 0) -> None:
    """Print words on stdout within the width of the terminal; a long word stays whole.

    Parameters
    ----------
    words : str
        One paragraph.
    indent : int
        Blanks before every line.
    hanging : int
        Further blanks before all lines but the first.
    """
    width = min(shutil.get_terminal_size().columns, WIDEST)
    click.echo(_wrap(words, width, indent, hanging))


def print_json(value: Any) -> None:
    """Print one JSON object on stdout; numbers that are not finite become null."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    click.echo(json.dumps(finite(value), indent=2, ensure_ascii=not unicode, allow_nan=False))


def finite(value: Any) -> Any:
    """Return `value` with None for numbers that JSON cannot say.

    Examples
    --------
    >>> finite({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def complain(error: VagusError | str) -> None:
    """Print an error on stderr: one sentence, or every problem of one reading as a list."""
    messages = [str(problem) for problem in error.problems] if isinstance(error, InputError) else [str(error)]
    if len(messages) == 1:
        click.echo(_fit(messages[0], sys.stderr), err=True)
        return
    click.echo(f"{len(messages)} things to fix:", err=True)
    for message in messages[:MOST_PROBLEMS]:
        click.echo(_fit(message, sys.stderr, bullet="- "), err=True)
    if len(messages) > MOST_PROBLEMS:
        click.echo(f"- and {len(messages) - MOST_PROBLEMS} more", err=True)


def _fit(message: str, stream: TextIO, bullet: str = "") -> str:
    """Wrap a message for a terminal; in a file or a pipe it stays one line, which is easier to search."""
    if not stream.isatty():
        return bullet + message
    return _wrap(bullet + message, shutil.get_terminal_size().columns, 0, len(bullet))


def _wrap(words: str, width: int, indent: int, hanging: int) -> str:
    lines = wrap(
        words,
        max(width, 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)
