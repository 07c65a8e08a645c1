"""Reads a protocol: a file of the user or one that ships with the package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from vagus.errors import InputError, Problem, nearest
from vagus.protocol import Protocol, bundled, bundled_text, parse
from vagus.protocol.document import MOST_BYTES, too_large

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def read_protocol(path_or_id: str, settings: Mapping[str, str] = NO_SETTINGS) -> Protocol:
    """Read a protocol from a file, or by the id of a bundled one.

    Parameters
    ----------
    path_or_id : str
        Path of a YAML file, or an id such as ``efficad``. A file of that name in the working folder wins.
    settings : mapping of str to str
        ``--set`` values, for example ``{"population.n": "40"}``.

    Returns
    -------
    Protocol
        Checked and immutable.

    Raises
    ------
    InputError
        No such file or id, not a readable file, too large, or every problem of its content.
    """
    name = str(path_or_id)
    path = Path(name)
    try:
        if path.is_file():
            return parse(_read(path, name), name, settings)
        if name in bundled():
            return parse(bundled_text(name), f"{name} (bundled)", settings)
        if path.is_dir():
            raise InputError(Problem(name, 0, "A protocol must be a file, got a folder; name the YAML file inside it."))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Problem(name, 0, f"The protocol cannot be read: {reason}.")) from None
    hint = nearest(name.removesuffix(".yaml"), bundled())
    raise InputError(f'A protocol must be a file or a bundled id, got "{name}", which is neither; {hint}')


def _read(path: Path, name: str) -> bytes:
    """Read a file that is small enough to be a protocol; a larger one is not opened."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(Problem(name, 0, too_large(size)))
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
