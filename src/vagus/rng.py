"""One random stream per purpose and person.

A stream is named by the run's seed and a path of names (`"population", "mood", subject_id`). Its bits depend on
nothing else, so results are the same whatever the number of chunks, cores or workers, and drawing one more number
for one purpose never shifts another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np

SEPARATOR = "\x1f"


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to `seed` and this path of names.

    Parameters
    ----------
    seed : int
        The run's seed (0 or more).
    *names : str or int
        Path of the purpose, for example ``"observation", "bdi", "S001", 28``.

    Returns
    -------
    numpy.random.Generator
        A Philox counter generator; equal arguments give equal bits.

    Examples
    --------
    >>> a = stream(1, "mood", "S001").normal()
    >>> a == stream(1, "mood", "S001").normal(), a == stream(1, "mood", "S002").normal()
    (True, False)
    """
    key = int.from_bytes(blake2b(_path(seed, *names).encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def streams(seed: int, *names: str | int, last: Iterable[str | int]) -> Iterator[np.random.Generator]:
    """Yield the generators of many people for one purpose: ``stream(seed, *names, person)`` for each of `last`.

    One generator is set anew for each person, which is several times faster than to make one; so each must be used
    before the next one is asked for.

    Parameters
    ----------
    seed : int
        The run's seed (0 or more).
    *names : str or int
        Path of the purpose.
    last : iterable of str or int
        Last names of the paths.

    Examples
    --------
    >>> [rng.normal() for rng in streams(1, "mood", last=["S001"])] == [stream(1, "mood", "S001").normal()]
    True
    """
    bits = np.random.Philox(key=0)
    generator, fresh = np.random.Generator(bits), bits.state
    common = blake2b(f"{_path(seed, *names)}{SEPARATOR}".encode(), digest_size=16)
    for name in last:
        own = common.copy()
        own.update(_path(name).encode())
        fresh["state"]["key"] = np.frombuffer(own.digest(), dtype="<u8")
        bits.state = fresh
        yield generator


def _path(*names: str | int) -> str:
    return SEPARATOR.join(f"{type(name).__name__}:{name}" for name in names)
