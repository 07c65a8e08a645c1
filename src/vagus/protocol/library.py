"""Protocols that ship with the package."""

from __future__ import annotations

from vagus import resources
from vagus.errors import InputError, nearest

_MAPPING = ".mapping"


def bundled() -> tuple[str, ...]:
    """Return the ids of the bundled protocols.

    Examples
    --------
    >>> "efficad" in bundled()
    True
    """
    names = resources.names("protocol", "bundled", suffix=".yaml")
    return tuple(name for name in names if not name.endswith(_MAPPING))


def bundled_text(protocol_id: str) -> str:
    """Return the YAML text of a bundled protocol.

    Raises
    ------
    InputError
        No bundled protocol has this id; the nearest is named.
    """
    if protocol_id not in bundled():
        raise InputError(
            f'A bundled protocol must be one of the list, got "{protocol_id}"; {nearest(protocol_id, bundled())}'
        )
    return resources.text("protocol", "bundled", f"{protocol_id}.yaml")
