"""Errors that a user can meet, and the exit code that each leads to.

    VagusError               exit 1
    ├── InputError           what the user wrote or gave is wrong: a list of problems, all at once
    ├── ModelError           a model text cannot be read, composed or integrated as written
    └── Cancelled            stopped by the user; what was finished is marked partial (exit 130)

A message says what must hold, what was got, and the usual fix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to fix: where it stands and what is wrong.

    Attributes
    ----------
    file : str
        File as the user named it; empty where there is none.
    line : int
        Line in the file, counted from 1; 0 where there is none.
    message : str
        What must hold, what was got, the usual fix.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file, f"line {self.line}" if self.line else "") if part)
        return f"{self.message} ({where})" if where else self.message


class VagusError(Exception):
    """Base of all errors that end in a message instead of a traceback."""

    exit_code = 1


class InputError(VagusError):
    """The user's input is wrong; carries every problem found.

    Parameters
    ----------
    problems : str or Problem or iterable of Problem
        One message or all problems of one reading.

    Examples
    --------
    >>> str(InputError(Problem("p.yaml", 7, 'Dose must be a mass per day, got "5 mL"; write "5 g/day".')))
    'Dose must be a mass per day, got "5 mL"; write "5 g/day". (p.yaml, line 7)'
    """

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem("", 0, problems)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ModelError(VagusError):
    """A model text is refused: unsupported element, missing parameter, two owners of one name."""


class Cancelled(VagusError):
    """The user stopped the run (Ctrl-C)."""

    exit_code = 130


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, or list what there is.

    Parameters
    ----------
    name : str
        The unknown name.
    known : iterable of str
        All names that would have been accepted.

    Returns
    -------
    str
        A half sentence for the end of an error message.

    Examples
    --------
    >>> nearest("maltodextrine", ["inulin", "maltodextrin"])
    'did you mean "maltodextrin"?'
    >>> nearest("zzz", ["b", "a"])
    'known: a, b'
    """
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if not close:
        lowered = {item.lower(): item for item in known}
        close = [lowered[hit] for hit in get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)]
    return f'did you mean "{close[0]}"?' if close else f"known: {', '.join(known)}"
