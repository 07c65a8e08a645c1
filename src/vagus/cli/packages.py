"""The packages that vagus asks for, and which versions of them are here."""

from __future__ import annotations


def required_packages() -> dict[str, str]:
    """Return name -> version of every package that vagus needs; the version is empty where it is missing."""
    from importlib.metadata import PackageNotFoundError, requires, version
    from re import match

    found: dict[str, str] = {}
    for line in requires("vagus") or ():
        name = match(r"[\w.-]+", line)
        if name is None or "extra ==" in line:
            continue
        try:
            found[name[0]] = version(name[0])
        except PackageNotFoundError:
            found[name[0]] = ""
    return dict(sorted(found.items()))
