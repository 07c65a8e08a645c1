"""A user's own submodels: a folder with one folder a submodel, read into a library or written to start from."""

from __future__ import annotations

import re
from pathlib import Path

from vagus.errors import InputError, Problem, nearest
from vagus.io.texts import read_text
from vagus.model.libraries import (
    COUPLINGS,
    PARAMETERS,
    README,
    SOURCES,
    SWITCHES,
    TEXT,
    VARIABLES,
    Library,
    Submodel,
    shipped,
)

#: A submodel is a few kilobytes.
MOST_BYTES = 1_000_000
#: Tables that may stand beside the submodels.
TABLES = (COUPLINGS, SWITCHES, SOURCES)
_NAME = re.compile(r"[A-Za-z]\w*")


def read_library(folder: str | Path) -> Library:
    """Read a folder of submodels into a library.

    A submodel of a shipped one's name takes its place, another name is added behind the shipped ones. Tables
    ``couplings.csv``, ``switches.csv`` and ``sources.csv`` beside them add rows to those that ship.

    Parameters
    ----------
    folder : str or pathlib.Path
        Holds ``<submodel>/{model.ant, parameters.csv, variables.csv}``, and a ``README.md`` where there is one.

    Returns
    -------
    Library
        As written; whether it fits together is for `vagus.model` to say.

    Raises
    ------
    InputError
        No such folder, no submodel in it, a file that is missing or no text; all at once.
    """
    shown = str(folder).rstrip("/\\") or str(folder)
    path = Path(folder)
    try:
        if not path.exists():
            raise _problem(shown, "A model must be a folder of submodels, got nothing of that name.")
        if not path.is_dir():
            raise _problem(shown, "A model must be a folder of submodels, got a file; name the folder it is in.")
        if (path / TEXT).exists():
            raise _problem(shown, f"A model must hold a folder for each submodel, got a {TEXT}; name the folder above.")
        entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))
    except OSError as error:
        raise _problem(shown, f"The folder cannot be read: {error.strerror or error}.") from None
    problems: list[Problem] = []
    parts: list[Submodel] = []
    tables: dict[str, str] = {}
    for entry in entries:
        try:
            if entry.is_dir():
                parts.append(_read_submodel(entry, f"{shown}/{entry.name}"))
            elif entry.name in TABLES:
                tables[entry.stem] = _text(entry, f"{shown}/{entry.name}")
            elif entry.suffix in (".csv", ".ant"):
                text = f'"{entry.name}" has no meaning here; {nearest(entry.name, TABLES)}'
                problems.append(Problem(shown, 0, text))
        except InputError as error:
            problems += error.problems
    if not parts and not problems:
        fix = f'start with "vagus model copy NAME {shown}"; known: {", ".join(shipped().names)}'
        problems.append(Problem(shown, 0, f"A model must hold a folder for each submodel, found none; {fix}."))
    if problems:
        raise InputError(problems)
    return shipped().with_parts(parts, shown, **tables)


def _read_submodel(path: Path, shown: str) -> Submodel:
    if not _NAME.fullmatch(path.name):
        raise _problem(shown, f'A submodel must be named by letters, digits and "_", got "{path.name}"; rename it.')
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name in (TEXT, PARAMETERS, VARIABLES, README):
        if name == README and not (path / name).exists():
            continue
        try:
            texts[name] = _text(path / name, f"{shown}/{name}")
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Submodel(path.name, texts[TEXT], texts[PARAMETERS], texts[VARIABLES], texts.get(README, ""), shown)


def _text(path: Path, shown: str) -> str:
    if not path.is_file():
        raise _problem(shown, "A submodel needs this file, which is not there.")
    return read_text(path, shown, "A file of a submodel", MOST_BYTES)


def write_submodel(part: Submodel, folder: str | Path) -> tuple[Path, ...]:
    """Write a submodel as a folder of its own, to start one's own from.

    Parameters
    ----------
    part : Submodel
        What to write.
    folder : str or pathlib.Path
        Folder of a model; made if it does not exist. The submodel's folder in it must be new.

    Returns
    -------
    tuple of pathlib.Path
        The files written.

    Raises
    ------
    InputError
        The submodel is there already, or the folder cannot be written.
    """
    target = Path(folder) / part.name
    shown = str(target)
    if target.exists():
        raise _problem(shown, "A copy must not overwrite a submodel, one is there; name another folder.")
    files = {TEXT: part.text, PARAMETERS: part.parameters, VARIABLES: part.variables, README: part.readme}
    try:
        target.mkdir(parents=True)
        for name, text in files.items():
            (target / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _problem(shown, f"The folder must be writable, got: {error.strerror or error}; name another.") from None
    return tuple(target / name for name in files)


def write_file(path: str | Path, content: bytes) -> None:
    """Write one file whole: a drawing, an archive.

    Raises
    ------
    InputError
        It cannot be written.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise _problem(str(path), "The output must be a file, got a folder; name a file in it.")
        waiting = target.with_name(target.name + ".part")
        try:
            waiting.write_bytes(content)
            waiting.replace(target)
        finally:
            waiting.unlink(missing_ok=True)
    except OSError as error:
        raise _problem(str(path), f"The file must be writable, got: {error.strerror or error}; name another.") from None


def _problem(shown: str, text: str) -> InputError:
    return InputError(Problem(shown, 0, text))
