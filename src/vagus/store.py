"""The only module that reads and writes vagus's own caches and checkpoints.

An entry is a file with a header that names its key and a checksum of its content. An entry that is damaged, that
belongs to another key, or that cannot be read is treated as absent; a cache that cannot be written is skipped: a
cache may cost time, never a result.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

MAGIC = b"vagus-cache-1\n"
DIGEST = 32


def cache_folder(*parts: str) -> Path:
    """Return the folder for caches (not created).

    The environment variable ``VAGUS_CACHE`` names it; without it, the platform's own cache folder is used.

    Parameters
    ----------
    *parts : str
        Folders below it.
    """
    named = os.environ.get("VAGUS_CACHE")
    if named:
        base = Path(named).expanduser()
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "vagus" / "cache"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches" / "vagus"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vagus"
    return base.joinpath(*parts)


def writable_folder(*parts: str) -> Path | None:
    """Create a cache folder and return it, or None where it cannot be written."""
    try:
        folder = cache_folder(*parts)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None
    return folder


def read_entry(kind: str, key: str) -> bytes | None:
    """Return the content of a cache entry, or None where there is no sound one.

    Parameters
    ----------
    kind : str
        Folder of the cache, for example ``"kernels"``.
    key : str
        Name of the entry (letters and digits).
    """
    try:
        content = (cache_folder(kind) / key).read_bytes()
    except (OSError, RuntimeError):
        return None
    header = MAGIC + key.encode() + b"\n"
    if not content.startswith(header):
        return None
    digest, payload = content[len(header) : len(header) + DIGEST], content[len(header) + DIGEST :]
    return payload if sha256(payload).digest() == digest else None


def write_entry(kind: str, key: str, payload: bytes) -> bool:
    """Write a cache entry in one step (a reader sees the old one, or the whole new one).

    Returns
    -------
    bool
        Whether it could be written.
    """
    folder = writable_folder(kind)
    if folder is None:
        return False
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + key.encode() + b"\n" + sha256(payload).digest() + payload)
            os.replace(name, folder / key)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
    except OSError:
        return False
    return True
