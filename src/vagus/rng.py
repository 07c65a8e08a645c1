"""One random stream per purpose and person.

A stream is named by the run's seed and a path of names (`"population", "mood", subject_id`). Its bits depend on
nothing else, so results are the same whatever the number of chunks, cores or workers, and drawing one more number
for one purpose never shifts another.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np


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
    path = "\x1f".join(f"{type(name).__name__}:{name}" for name in (seed, *names))
    key = int.from_bytes(blake2b(path.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))
