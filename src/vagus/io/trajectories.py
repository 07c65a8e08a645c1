"""Trajectories as a zarr store (format 3): ``<variable>[arm, subject, time]``, one variable of some people a chunk.

Numbers are kept in 32 bits, rounded to 13 bits of mantissa; what is left compresses to about one byte a number. zarr
itself makes every byte, but in memory: each file then reaches the disk whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.io.folders import write_below

STORE = "trajectories.zarr"
#: Bits of mantissa that are kept, of 23.
MANTISSA_BITS = 13
#: Half a step of the last bit that is kept, and of the last bit of 32-bit numbers, to which they are rounded first.
LARGEST_ERROR = 2.0 ** -(MANTISSA_BITS + 1) + 2.0**-24
VALUES = (
    f"32-bit numbers rounded to {MANTISSA_BITS} bits of mantissa (half to even); NaN after a simulation failed. "
    "max_relative_error is what this rounding can change; the numerical error of the integration is stated apart."
)
PEOPLE, STATUS = "people", "status"
#: Bytes of a chunk of all variables, before compression, and most people in it.
CHUNK_BYTES, MOST_PEOPLE = 2**25, 4096
LEVEL = 3

Floats = NDArray[np.floating[Any]]
Strings = NDArray[np.object_]


@dataclass(frozen=True)
class Layout:
    """What a store holds, and in which chunks.

    Attributes
    ----------
    arms, subjects, variables : tuple of str
        Lengths a, n and k.
    days : numpy.ndarray
        Shape (t,), time of every value.
    people : tuple of str
        Numbers that belong to a person and not to a time (covariates, own parameters).
    chunk : int
        People in a chunk.
    attributes : mapping
        Provenance, as plain data.
    """

    arms: tuple[str, ...]
    subjects: tuple[str, ...]
    variables: tuple[str, ...]
    days: NDArray[np.float64]
    people: tuple[str, ...]
    chunk: int
    attributes: Mapping[str, Any]

    @property
    def parts(self) -> list[tuple[int, int]]:
        """First and last row (excluded) of every chunk."""
        count = len(self.subjects)
        return [(first, min(first + self.chunk, count)) for first in range(0, count, self.chunk)]

    def names(self, part: int) -> list[str]:
        """Return the files of a chunk of people, relative to the store."""
        arms = range(len(self.arms))
        return [
            *(f"{name}/c/{arm}/{part}/0" for name in self.variables for arm in arms),
            *(f"{STATUS}/c/{arm}/{part}" for arm in arms),
            *(f"{PEOPLE}/{name}/c/{part}" for name in self.people),
        ]


def chunk_size(arms: int, days: int, variables: int) -> int:
    """Return how many people are worked on and stored together: a power of two that memory is bounded by.

    Examples
    --------
    >>> chunk_size(1, 84, 30), chunk_size(4, 35, 79)
    (2048, 512)
    """
    fits = max(1, CHUNK_BYTES // (4 * arms * days * variables))
    return int(min(MOST_PEOPLE, 2 ** (fits.bit_length() - 1)))


def round_values(values: Floats) -> NDArray[np.float32]:
    """Return 32-bit numbers with 13 bits of mantissa; what is not finite stays as it is.

    Examples
    --------
    >>> found = round_values(np.array([1.0, 3.14159265, -2e-7, np.nan]))
    >>> bool(np.nanmax(np.abs(found / np.array([1.0, 3.14159265, -2e-7, np.nan]) - 1)) <= LARGEST_ERROR)
    True
    """
    dropped = 23 - MANTISSA_BITS
    with np.errstate(over="ignore"):
        near = np.ascontiguousarray(values, dtype=np.float32)
    bits = near.view(np.uint32)
    half = np.uint32(2 ** (dropped - 1) - 1) + ((bits >> np.uint32(dropped)) & np.uint32(1))
    with np.errstate(over="ignore"):
        rounded = ((bits + half) & np.uint32(2**32 - 2**dropped)).view(np.float32)
    return np.where(np.isfinite(near) & np.isfinite(rounded), rounded, near)


def metadata(layout: Layout) -> dict[str, bytes]:
    """Return every file of a store that is not a chunk of people, by its name: metadata and coordinates."""
    import zarr
    from zarr.storage import MemoryStore

    stated = {"values": VALUES, "max_relative_error": LARGEST_ERROR, **layout.attributes}
    files: dict[str, Any] = {}
    group = zarr.create_group(MemoryStore(files), zarr_format=3, attributes=stated)
    arms, count = len(layout.arms), len(layout.subjects)
    coordinates = {"arm": np.array(layout.arms, dtype=object), "subject": np.array(layout.subjects, dtype=object)}
    for name, texts in coordinates.items():
        made = group.create_array(name, shape=texts.shape, chunks=texts.shape, dtype=str, dimension_names=[name])
        made[:] = texts
    days = layout.days
    time = group.create_array(
        "time", shape=days.shape, chunks=days.shape, dtype="float64", dimension_names=["time"], fill_value=np.nan
    )
    time[:] = days
    shape, whole = (arms, count, len(days)), (1, layout.chunk, len(days))
    for name in layout.variables:
        _create(group, name, shape, whole, "float32", ("arm", "subject", "time"))
    _create(group, STATUS, shape[:2], whole[:2], "int8", ("arm", "subject"))
    if layout.people:
        own = group.create_group(PEOPLE)
        for name in layout.people:
            _create(own, name, shape[1:2], whole[1:2], "float32", ("subject",))
    return {name: content.to_bytes() for name, content in sorted(files.items())}


def encode(
    layout: Layout, part: int, values: Floats, failed: NDArray[np.bool_], people: Mapping[str, Floats]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a chunk of people, in the order of `Layout.names`.

    Parameters
    ----------
    layout : Layout
        Of the store.
    part : int
        Number of the chunk.
    values : numpy.ndarray
        Shape (a, n, t, k) of the people of this chunk.
    failed : numpy.ndarray of bool
        Shape (a, n).
    people : mapping
        Numbers of each person, each (n,).
    """
    days = len(layout.days)
    course, status = _Encoder((1, layout.chunk, days), "float32"), _Encoder((1, layout.chunk), "int8")
    for place, name in enumerate(layout.variables):
        for arm in range(len(layout.arms)):
            yield f"{name}/c/{arm}/{part}/0", course.bytes(round_values(values[arm : arm + 1, :, :, place]))
    for arm in range(len(layout.arms)):
        yield f"{STATUS}/c/{arm}/{part}", status.bytes(failed[arm : arm + 1].astype(np.int8))
    number = _Encoder((layout.chunk,), "float32")
    for name in layout.people:
        yield f"{PEOPLE}/{name}/c/{part}", number.bytes(np.asarray(people[name], dtype=np.float32))


def write_store(
    folder: Path, layout: Layout, values: Floats, failed: NDArray[np.bool_], people: Mapping[str, Floats]
) -> None:
    """Write a whole store below a folder; `values`, `failed` and `people` are those of everybody (see `encode`)."""
    for name, content in metadata(layout).items():
        write_below(folder / STORE, name, content)
    for part, (first, last) in enumerate(layout.parts):
        some = {name: numbers[first:last] for name, numbers in people.items()}
        for name, content in encode(layout, part, values[:, first:last], failed[:, first:last], some):
            write_below(folder / STORE, name, content)


class _Encoder:
    """Turns the values of one chunk into the bytes that zarr would store."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        import zarr
        from zarr.storage import MemoryStore

        self.files: dict[str, Any] = {}
        self.array = _create(zarr.create_group(MemoryStore(self.files)), "x", shape, shape, dtype, None)
        self.key = "/".join(["x", "c", *("0" for _ in shape)])

    def bytes(self, values: NDArray[Any]) -> bytes:
        """Return the bytes of a chunk; rows that are missing at the end hold the fill value."""
        whole = np.full(self.array.shape, self.array.fill_value, dtype=self.array.dtype)
        whole[tuple(slice(size) for size in values.shape)] = values
        self.array[...] = whole
        content: bytes = self.files[self.key].to_bytes()
        return content


def _create(
    group: Any, name: str, shape: Sequence[int], chunks: Sequence[int], dtype: str, dimensions: Sequence[str] | None
) -> Any:
    from zarr.codecs import BloscCodec

    return group.create_array(
        name,
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=dtype,
        fill_value=np.nan if dtype == "float32" else -1,
        compressors=BloscCodec(cname="zstd", clevel=LEVEL, shuffle="shuffle", typesize=np.dtype(dtype).itemsize),
        dimension_names=dimensions,
        config={"write_empty_chunks": True},
    )
