"""One peer on one workload: the loosest tolerance that is exact enough, and how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workloads import Workload, errors

from peers import Entry, Failed, Floats, Peer

ALLOWED = 1e-4
LADDER = tuple(digit * 10.0**power for power in range(-3, -9, -1) for digit in (5, 2, 1))
BUDGET = 6.0  # seconds that one run of a slow peer may take
REPEATS = 5
TIGHT = 1e-10
QUICK_DAYS = 7


@dataclass(frozen=True)
class Try:
    """A run at one tolerance.

    Attributes
    ----------
    rtol : float
    p99, p999 : float
        Errors; infinite where the peer gave up.
    seconds, processor_s : float
        What the run took by the clock and of the processor.
    """

    rtol: float
    p99: float
    p999: float
    seconds: float
    processor_s: float

    @property
    def exact_enough(self) -> bool:
        """Whether the 99th percentile of the error is allowed."""
        return self.p99 <= ALLOWED


def loosest(attempt: Callable[[float], Try], first: float, ladder: tuple[float, ...] = LADDER) -> Try:
    """Return the try with the loosest tolerance that is exact enough, else the most exact one.

    Parameters
    ----------
    attempt : callable
        Runs at a tolerance.
    first : float
        Where to enter the ladder; from there looser as long as it is exact enough, or tighter until it is.
    ladder : tuple of float
        Tolerances, descending.
    """
    place = ladder.index(first)
    best = attempt(ladder[place])
    step = -1 if best.exact_enough else 1
    while 0 <= (place := place + step) < len(ladder):
        found = attempt(ladder[place])
        if step < 0 and not found.exact_enough:
            break
        if found.exact_enough or found.p99 < best.p99:
            best = found
        if step > 0 and found.exact_enough:
            break
    return best


def attempt(peer: Peer, exact: Floats, people: int, days: int, rtol: float) -> Try:
    """Run once and compare."""
    begin, processor = time.perf_counter(), time.process_time()
    try:
        values = peer.run(people, days, rtol)
    except (Failed, RuntimeError):
        return Try(rtol, float("inf"), float("inf"), float("inf"), float("inf"))
    seconds, processor_s = time.perf_counter() - begin, time.process_time() - processor
    return Try(rtol, *errors(values, exact), seconds, processor_s)


def size(peer: Peer, least: int, people: int, days: int, rtol: float, budget: float) -> tuple[int, int]:
    """Return how many people and days fit into a budget of the processor's seconds: first fewer people, then days."""
    peer.run(least, 1, rtol)  # what only a first run costs
    begin = time.process_time()
    peer.run(least, 1, rtol)
    a_day = (time.process_time() - begin) / least
    people = min(people, max(least, int(budget / (a_day * days))))
    return people, min(days, max(2, int(budget / (a_day * people))))


def measure(entry: Entry, load: Workload, exact: Floats, task: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table.

    Parameters
    ----------
    entry : Entry
    load : Workload
    exact : array, shape (k, m, outputs)
        Reference of the first people.
    task : dict
        ``people``: at most so many; ``quick``: take the first tolerance, two runs and few days; ``processor``: count
        the processor's time, not the clock's; ``agreement``: also run at a tight tolerance.
    """
    people, rtol, quick = min(task["people"], entry.people), entry.first_rtol(load.name), task["quick"]
    least = min(entry.least, people)
    peer = entry.make(load, people)
    days = min(QUICK_DAYS, len(load.times)) if quick else len(load.times)
    people, days = size(peer, least, people, days, rtol, BUDGET)
    if quick:
        best = attempt(peer, exact, people, days, rtol)
    else:
        best = loosest(lambda rtol: attempt(peer, exact, people, days, rtol), rtol)
    if best.p99 == float("inf"):
        raise Failed("It gave up at every tolerance.")
    runs = [best]
    repeats = 2 if quick else REPEATS  # a first run may compile what only some people need
    while len(runs) < repeats and (len(runs) + 1) * best.processor_s < 2 * BUDGET:
        runs.append(attempt(peer, exact, people, days, best.rtol))
    by_clock, by_processor = (min(getattr(run, name) for run in runs) for name in ("seconds", "processor_s"))
    row = {
        "version": peer.version,
        "detail": peer.detail,
        "tolerance": best.rtol,
        "participants_per_s_per_core": load.participants(people, days)
        / (by_processor if task["processor"] else by_clock),
        "p99_error": best.p99,
        "p999_error": best.p999,
        "exact_enough": best.exact_enough,
        "compile_s": peer.compile_s,
        "people": people,
        "days": days,
        "runs": len(runs),
        "seconds": by_clock,
        "processor_s": by_processor,
    }
    return {**row, "agreement": agreement(peer, load, exact)} if task["agreement"] else row


def agreement(peer: Peer, load: Workload, exact: Floats) -> dict[str, Any]:
    """Return how far a peer at a tight tolerance is from the reference, for two people."""
    people, days = size(peer, 2, 2, len(load.times), TIGHT, BUDGET)
    p99, p999 = errors(peer.run(people, days, TIGHT), exact)
    return {"tolerance": TIGHT, "people": people, "days": days, "p99": p99, "p999": p999}
