"""The benchmarks, computed and judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vagus.errors import InputError, VagusError, nearest
from vagus.validation.benchmarks import Benchmark, benchmarks
from vagus.validation.registry import Measurement, NotRun, Predicted, match, measurements


@dataclass(frozen=True)
class Check:
    """One benchmark and the value that the model gives.

    Attributes
    ----------
    benchmark : Benchmark
    value : float
        NaN where there is none; a `Predicted` keeps its interval.
    error : str
        Why there is no value; empty where there is one.
    not_run : str
        Why it was not tried; empty where it was.
    """

    benchmark: Benchmark
    value: float
    error: str = ""
    not_run: str = ""

    @property
    def ok(self) -> bool:
        """Whether the value is within the tolerance."""
        return self.benchmark.met_by(self.value)

    @property
    def accepted(self) -> bool:
        """Whether it misses for the stated reason; a value that could not be computed never does."""
        return bool(self.benchmark.accepted_miss) and not self.ok and math.isfinite(self.value)

    @property
    def failed(self) -> bool:
        """Whether it misses and nobody said why."""
        return not (self.ok or self.accepted or self.not_run)

    def record(self) -> dict[str, Any]:
        """Return the check as the JSON of the command shows it; `tolerance` is in the value's own unit."""
        item = self.benchmark
        found = {
            "name": item.name,
            "submodel": item.submodel,
            "kind": item.kind,
            "value": self.value,
            "expected": item.expected,
            "tolerance": item.allowed,
            "tolerance_relative": item.tolerance if item.tolerance_kind == "relative" else None,
            "unit": item.unit,
            "source": item.source,
            "ok": self.ok,
        }
        if self.accepted:
            found["accepted_miss"] = item.accepted_miss
        if isinstance(self.value, Predicted):
            found["predicted_low"], found["predicted_high"] = self.value.low, self.value.high
        if self.error:
            found["error"] = self.error
        return found


def check_submodels(only: Iterable[str] = (), *, slow: bool = False) -> Iterator[Check]:
    """Give each benchmark as soon as its value is there, in the order of the table's functions; also what did not run.

    Parameters
    ----------
    only : iterable of str
        Submodels; all where empty.
    slow : bool
        Whether to run the slow ones too.

    Raises
    ------
    InputError
        A submodel that has no benchmark.
    ModelError
        Table and functions do not match.
    """
    table = {item.name: item for item in benchmarks()}
    functions = measurements()
    match(functions, table)
    known = list(dict.fromkeys(item.submodel for item in table.values()))
    chosen = set(only)
    for name in sorted(chosen - set(known)):
        raise InputError(f'--only must be a model with benchmarks, got "{name}"; {nearest(name, known)}')
    order = {name: place for place, name in enumerate(table)}
    for item in sorted(functions, key=lambda item: min(order[name] for name in item.names)):
        names = [name for name in item.names if not chosen or table[name].submodel in chosen]
        if names:
            names.sort(key=order.__getitem__)
            yield from _run(item, names, table, skip=item.slow and not slow)


def _run(item: Measurement, names: list[str], table: dict[str, Benchmark], skip: bool) -> Iterator[Check]:
    if skip:
        for name in names:
            yield Check(table[name], math.nan, not_run="slow: run it with --slow")
        return
    try:
        values = item.values()
    except NotRun as reason:
        for name in names:
            yield Check(table[name], math.nan, not_run=str(reason))
        return
    except VagusError as error:  # one model that cannot run must not hide the others
        for name in names:
            yield Check(table[name], math.nan, str(error))
        return
    for name in names:
        value = values[name]
        yield Check(table[name], value if isinstance(value, Predicted) else float(value))


def summary(checks: Iterable[Check]) -> dict[str, int]:
    """Count the checks: what validates apart from what only finds a change.

    Parameters
    ----------
    checks : iterable of Check

    Returns
    -------
    dict
        ``validation`` and ``validation_met``, ``regression`` and ``regression_met``, ``accepted_misses``, ``failed``,
        ``not_run``; the others count what ran.
    """
    every = list(checks)
    checks = [check for check in every if not check.not_run]
    validation = [check for check in checks if check.benchmark.validates]
    regression = [check for check in checks if not check.benchmark.validates]
    return {
        "validation": len(validation),
        "validation_met": sum(check.ok for check in validation),
        "regression": len(regression),
        "regression_met": sum(check.ok for check in regression),
        "accepted_misses": sum(check.accepted for check in checks),
        "failed": sum(check.failed for check in checks),
        "not_run": len(every) - len(checks),
    }
