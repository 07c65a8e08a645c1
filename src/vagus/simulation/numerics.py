"""How exactly the engine integrated a run, and what that took: a precision chosen once, and a count of the work."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine import Solution
from vagus.engine.solution import LaneReport

#: Share of the simulations of a run that are solved again, and the fewest and most of them.
AUDITED_SHARE, LEAST_AUDITED, MOST_AUDITED = 0.01, 8, 128


@dataclass(frozen=True)
class Precision:
    """The precision of a run, chosen by an audit of simulations that are spread evenly over all of it.

    Attributes
    ----------
    bits : int
        Of the numbers in the engine's lanes, 32 or 64.
    rtol : float
        Relative tolerance of a step.
    audited : int
        Simulations that were solved again in 64 bits with a much smaller tolerance.
    p99_error : float
        99th percentile of the audited numbers' relative error (`vagus.engine.solution.LaneReport`).
    worst_output : str
        Output with the largest such percentile of its own; empty where nothing could be judged.
    worst_error : float
        That percentile.
    ill_conditioned : int
        Audited simulations that no solver can tell the course of: more than one in a hundred of their own numbers is
        off by more than a hundredth in 64 bits too.
    p99_error_32_bits : float
        The error in 32 bits, where that was too large; NaN where it was not.
    """

    bits: int
    rtol: float
    audited: int
    p99_error: float
    worst_output: str
    worst_error: float
    ill_conditioned: int
    p99_error_32_bits: float

    @classmethod
    def of(cls, report: LaneReport, rtol: float) -> Precision:
        """Read what an audit found."""
        judged = {name: error for name, error in report.errors.items() if not math.isnan(error)}
        worst = max(judged, key=lambda name: judged[name], default="")
        return cls(
            bits=report.bits,
            rtol=rtol,
            audited=report.audited,
            p99_error=report.error,
            worst_output=worst,
            worst_error=judged.get(worst, math.nan),
            ill_conditioned=report.ill_conditioned,
            p99_error_32_bits=report.single_error,
        )

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Precision:
        """Read what `to_json` gave."""
        return cls(**{item.name: facts.get(item.name, math.nan) for item in fields(cls)})

    @property
    def lanes(self) -> str:
        """Name of the engine's lanes of this precision."""
        return "single" if self.bits == 32 else "double"

    def to_json(self) -> dict[str, object]:
        """Return the facts as plain data."""
        return {name: value for name, value in vars(self).items() if value == value}

    @property
    def sentence(self) -> str:
        """What a reader should know of it."""
        if not self.audited:
            return f"{self.bits}-bit numbers; nobody could be audited"
        said = f"{self.bits}-bit numbers; {self.audited} audited simulations within {self.p99_error:.1g} of the exact "
        said += f"ones (99 % of all numbers; {self.worst_output} within {self.worst_error:.1g})"
        if self.ill_conditioned:
            said += f", {self.ill_conditioned} ill-conditioned"
        if not math.isnan(self.p99_error_32_bits):
            said += f", 32 bits only within {self.p99_error_32_bits:.1g}"
        return said


@dataclass
class Work:
    """What the engine did in a run; it grows as the run goes on.

    Attributes
    ----------
    simulations, steps : int
        One person under one arm, and steps tried.
    stiff, handed_over : int
        Simulations that needed the stiff method, and those that left the lanes for the scalar integrator.
    seconds, audit_seconds : float
        Time spent in the engine, and in the audit; no result depends on them.
    threads : int
        Threads that shared it.
    """

    simulations: int = 0
    steps: int = 0
    stiff: int = 0
    handed_over: int = 0
    seconds: float = field(default=0.0, compare=False)
    audit_seconds: float = field(default=0.0, compare=False)
    threads: int = field(default=1, compare=False)

    def add(self, solution: Solution, seconds: float) -> None:
        """Count a call of the engine."""
        self.simulations += len(solution.status)
        self.steps += int(solution.steps.sum())
        self.stiff += sum(method != "explicit" for method in solution.method)
        self.handed_over += solution.lanes.handed_over if solution.lanes else len(solution.status)
        self.seconds += seconds

    def to_json(self) -> dict[str, int]:
        """Return the counts, without the time."""
        return {name: getattr(self, name) for name in ("simulations", "steps", "stiff", "handed_over")}

    @property
    def sentence(self) -> str:
        """The counts in words."""
        left = f"{self.handed_over} by the scalar integrator" if self.handed_over else "all in lanes"
        return f"{self.simulations} simulations, {f'{self.stiff} of them partly stiff, ' if self.stiff else ''}{left}"

    @property
    def time(self) -> str:
        """The time in words."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.seconds:.1f} s on {threads}, audit {self.audit_seconds:.1f} s"


def audited_places(count: int) -> NDArray[np.int64]:
    """Return which of a run's simulations are audited: a fixed choice, spread evenly over all.

    Examples
    --------
    >>> audited_places(20).tolist()
    [0, 3, 5, 8, 11, 14, 16, 19]
    """
    wanted = min(count, MOST_AUDITED, max(LEAST_AUDITED, math.ceil(AUDITED_SHARE * count)))
    return np.unique(np.linspace(0, count - 1, wanted).round().astype(np.int64))
