"""The only module that reads files shipped inside the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO

import pandas as pd


def entry(*parts: str) -> Traversable:
    """Return a file or folder of the package, for example ``entry("protocol", "products")``."""
    node = files("vagus")
    for part in parts:
        node = node / part
    return node


def text(*parts: str) -> str:
    """Return the text of a shipped file (UTF-8)."""
    return entry(*parts).read_text(encoding="utf-8")


def data(*parts: str) -> bytes:
    """Return the bytes of a shipped file."""
    return entry(*parts).read_bytes()


def names(*parts: str, suffix: str) -> list[str]:
    """Return the sorted names, without `suffix`, of the shipped files in a folder that end with it."""
    found = (node.name for node in entry(*parts).iterdir() if node.name.endswith(suffix))
    return sorted(name[: -len(suffix)] for name in found)


def rows(*parts: str) -> list[dict[str, str]]:
    """Return a shipped CSV table as one dict a row, every cell as text."""
    return [{str(key): str(value) for key, value in row.items()} for row in table(*parts).to_dict("records")]


@cache
def numbers(*parts: str) -> dict[str, float]:
    """Return the numbers of a shipped CSV table: its first column -> `value`."""
    return {next(iter(row.values())): float(row["value"]) for row in rows(*parts)}


def table(*parts: str) -> pd.DataFrame:
    """Return a shipped CSV table with every cell as text; empty cells are empty strings."""
    return pd.read_csv(StringIO(text(*parts)), dtype=str, keep_default_na=False)
