"""Checks of an installation, each with what was found and what was expected."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Callable, Iterator
from typing import Any

from vagus.cli.packages import required_packages

Check = dict[str, Any]

DECAY = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="decay">
<listOfParameters><parameter id="x" value="1" constant="false"/><parameter id="k" value="0.5" constant="true"/>
</listOfParameters>
<listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><apply><minus/><ci>k</ci></apply><ci>x</ci></apply></math></rateRule></listOfRules></model></sbml>
"""


def installation_checks() -> Iterator[Check]:
    """Give each check as it is done; one that cannot run is a check that fails, never an exception."""
    parts: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("Python", _python),
        ("packages", _packages),
        ("model library", _model),
        ("engine", _engine),
        ("figures", _figures),
        ("cache folder", _cache),
    )
    for name, part in parts:
        try:
            check = part()
        except Exception as error:  # a broken installation may fail in any way; the check reports it
            check = _check(name, f"{type(error).__name__}: {error}", "to work", ok=False)
        yield check


def _check(name: str, value: object, expected: object, *, tolerance: float | None = None, ok: bool) -> Check:
    return {"name": name, "value": value, "expected": expected, "tolerance": tolerance, "source": "", "ok": ok}


def _python() -> Check:
    version = platform.python_version()
    return _check("Python", version, "3.11 or newer", ok=sys.version_info >= (3, 11))


def _packages() -> Check:
    wanted = required_packages()
    missing = [name for name, version in wanted.items() if not version]
    value = f"missing: {', '.join(missing)}" if missing else f"{len(wanted)} found"
    return _check("packages", value, f"{len(wanted)} found", ok=not missing)


def _model() -> Check:
    from vagus.evidence.citations import references
    from vagus.model import compose

    axis = compose()
    unknown = sorted(set(axis.parameters["study_id"]) - set(references()))
    value = f"{len(axis.states)} states, {len(axis.parameters)} parameters, {len(unknown)} without a source"
    return _check("model library", value, "every parameter with a source", ok=not unknown)


def _engine() -> Check:
    from vagus import engine

    solution = engine.simulate(engine.load(DECAY, ["k"], ["x"]), [[0.5]], output_times=[2.0], rtol=1e-8)
    value = float(solution.values[0, 0, 0])
    return _check("engine", value, math.exp(-1), tolerance=1e-6, ok=abs(value - math.exp(-1)) < 1e-6)


def _figures() -> Check:
    import vl_convert

    spec = {"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}}
    drawn = "<svg" in vl_convert.vegalite_to_svg(spec)
    return _check("figures", "drawn" if drawn else "not drawn", "drawn", ok=drawn)


def _cache() -> Check:
    from vagus.store import writable_folder

    folder = writable_folder()
    return _check("cache folder", "writable" if folder else "not writable", "writable", ok=folder is not None)
