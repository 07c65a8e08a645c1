"""``vagus model conformance``: the SBML semantic test suite through the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vagus.cli import options
from vagus.errors import InputError, Problem

if TYPE_CHECKING:
    from vagus.engine.conformance import Miss, Outcome

SOURCE = "SBML semantic test suite"


@click.command(
    "conformance", short_help="SBML semantic test cases.", epilog="Example: vagus model conformance sbml_test_suite"
)
@click.argument("folder", metavar="DIR", type=click.Path())
@options.jobs_option
@options.json_option
def conformance_command(folder: str, jobs: int | None, as_json: bool) -> int:
    """Run the cases of the SBML semantic test suite in DIR (00001.xml, 00001-settings.txt, 00001-results.csv, or a
    folder a case) and compare every value within the tolerances of the case. What the engine refuses by name counts
    as unsupported. Exits with 2 where a value is wrong.
    """
    from vagus.cli.output import print_json
    from vagus.cli.processes import ProcessLost, each_apart
    from vagus.cli.progress import show_progress
    from vagus.engine.conformance import run_case
    from vagus.io.cases import read_cases

    cases = read_cases(folder)
    outcomes: list[Outcome] = []
    try:
        with show_progress(quiet=True) as progress:
            for outcome in each_apart(run_case, cases, options.thread_count(jobs)):
                outcomes.append(outcome)
                progress("cases", len(outcomes), len(cases))
    except ProcessLost as lost:
        name = cases[lost.place].name
        message = f"Every case must come to an end, but the process of case {name} broke off (exit code {lost.code})"
        raise InputError(Problem(folder, 0, f"{message}; try its model with vagus model import.")) from None
    ok = not any(outcome.failed for outcome in outcomes)
    if as_json:
        print_json(_record(outcomes, ok))
    else:
        _print(outcomes, ok)
    return 0 if ok else 2


def _record(outcomes: list[Outcome], ok: bool) -> dict[str, Any]:
    passed = sum(outcome.passed for outcome in outcomes)
    unsupported = [{"case": item.case, "reason": item.unsupported} for item in outcomes if item.unsupported]
    checks = [_check("cases that pass or are refused by name", passed + len(unsupported), len(outcomes), None, ok)]
    for item in outcomes:
        if item.failure:
            checks.append(_check(f"case {item.case}", item.failure, "a time course", None, ok=False))
        for miss in item.misses:
            name = f"case {item.case}: {miss.variable} at {miss.time:g}"
            checks.append(_check(name, miss.ours, miss.theirs, miss.allowed, ok=False))
    return {
        "ok": ok,
        "cases": len(outcomes),
        "passed": passed,
        "failed": [item.case for item in outcomes if item.failed],
        "unsupported": unsupported,
        "checks": checks,
    }


def _check(name: str, value: object, expected: object, tolerance: float | None, ok: bool) -> dict[str, object]:
    return {"name": name, "value": value, "expected": expected, "tolerance": tolerance, "source": SOURCE, "ok": ok}


def _print(outcomes: list[Outcome], ok: bool) -> None:
    from vagus.cli.output import say

    for item in outcomes:
        if item.failure:
            say(f"BAD {item.case}: {item.failure}", hanging=4)
        for miss in item.misses:
            say(f"BAD {item.case}: {_words(miss)}", hanging=4)
        if item.unsupported:
            say(f"not supported {item.case}: {item.unsupported}", hanging=4)
    passed, failed = sum(item.passed for item in outcomes), sum(item.failed for item in outcomes)
    unsupported = len(outcomes) - passed - failed
    say(f"{len(outcomes)} cases: {passed} passed, {failed} failed, {unsupported} not supported.")
    say("Nothing is wrong." if ok else "Something is wrong: see the lines marked BAD.")


def _words(miss: Miss) -> str:
    return (
        f"{miss.variable} at time {miss.time:g} is {miss.ours:.10g}, must be {miss.theirs:.10g} within "
        f"{miss.allowed:.2g}"
    )
