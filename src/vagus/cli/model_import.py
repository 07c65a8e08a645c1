"""``vagus model import``: what a model from outside holds, and whether it would run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from vagus.cli import options
from vagus.errors import InputError, Problem

if TYPE_CHECKING:
    from vagus.engine.inspection import Inspection
    from vagus.model.outside import OutsideModel

#: Seconds after which the reading of a file is given up; a model of 100 kB takes two.
PATIENCE = 120.0
#: States that are listed.
MOST_STATES = 10
HOLDS = {
    "compartments": ("compartment", "compartments"),
    "species": ("species", "species"),
    "parameters": ("parameter", "parameters"),
    "reactions": ("reaction", "reactions"),
    "rate_rules": ("rate rule", "rate rules"),
    "assignment_rules": ("assignment rule", "assignment rules"),
    "initial_assignments": ("initial assignment", "initial assignments"),
    "functions": ("function", "functions"),
    "events": ("event", "events"),
}


@click.command(
    "import", short_help="Check a model from outside.", epilog="Example: vagus model import BIOMD0000000672.xml"
)
@click.argument("file", metavar="FILE.xml|.ant", type=click.Path())
@click.option("--ignore-units", is_flag=True, help="Tell of units that clash, and go on.")
@options.json_option
def import_command(file: str, ignore_units: bool, as_json: bool) -> int:
    """Check an outside model, SBML (.xml, .sbml) or Antimony (.ant): say what it holds, whether it has units, and
    whether every rate at the start is finite. Nothing is written. Exits with 1 where it would not run: what is
    unsupported, undefined or not finite is named, with its line.
    """
    from vagus.cli.output import print_json
    from vagus.io.outside import read_outside_model

    found = _inspect_apart(read_outside_model(file), ignore_units)
    if as_json:
        print_json(_record(file, found))
    else:
        _print(file, found)
    return 0


def _inspect_apart(model: OutsideModel, ignore_units: bool) -> Inspection:
    """Inspect in another process: a strange file may crash the parsers below Python, or keep them busy for ever.

    Raises
    ------
    InputError
        The model would not run, or its reading did not come to an end.
    """
    from vagus.cli.processes import ProcessLost, each_apart

    try:
        (result,) = each_apart(partial(_inspect, ignore_units=ignore_units), [model], 1, PATIENCE)
    except ProcessLost as lost:
        ended = f"took more than {PATIENCE:g} seconds" if lost.code is None else f"broke off (exit code {lost.code})"
        fix = "split long formulas and long chains of rules, or give it as SBML."
        raise InputError(Problem(model.file, 0, f"A model must be readable, but its reading {ended}; {fix}")) from None
    if isinstance(result, tuple):
        raise InputError(result)
    return result


def _inspect(model: OutsideModel, ignore_units: bool) -> Inspection | tuple[Problem, ...]:
    from vagus.engine.inspection import inspect

    try:
        return inspect(model, ignore_units=ignore_units)
    except InputError as error:
        return error.problems


def _record(file: str, found: Inspection) -> dict[str, Any]:
    states = len(found.states)
    checks = [
        _check("constructs that are not supported", 0, 0),
        _check("units that clash", found.clashes, 0),
        _check("rates that are finite at the start", states, states),
    ]
    return {
        "ok": True,
        "file": file,
        "model": found.name,
        "kind": found.kind,
        "holds": {"states": states, **found.holds},
        "states": [vars(state) for state in found.states],
        "units": {"quantities": found.quantities, "without": found.without_unit, "time": found.time_unit},
        "notes": list(found.notes),
        "checks": checks,
    }


def _check(name: str, value: int, expected: int) -> dict[str, object]:
    ok = value == expected
    check = {"name": name, "value": value, "expected": expected, "tolerance": None, "source": "", "ok": ok}
    return check if ok else {**check, "accepted_miss": "asked for by --ignore-units"}


def _print(file: str, found: Inspection) -> None:
    from vagus.cli.output import say

    say(f'{file}: model "{found.name}", {found.kind}', hanging=2)
    holds = [f"{number} {HOLDS[part][number != 1]}" for part, number in found.holds.items() if number]
    say(f"Holds {', '.join(holds)}.", 2, 2)
    say(f"Units: {_units(found)}; time in {found.time_unit or 'no unit'}.", 2, 2)
    for note in found.notes:
        say(note, 2, 2)
    if found.states:
        say(f"{len(found.states)} {'state' if len(found.states) == 1 else 'states'}, at the start:", 2, 2)
    for state in found.states[:MOST_STATES]:
        say(f"{state.state} = {state.value:.6g}, rate {state.rate:.4g}", 4, 2)
    if len(found.states) > MOST_STATES:
        say(f"and {len(found.states) - MOST_STATES} more", 4)
    say("It would run." if found.states else "It can be evaluated; it has no states to integrate.")


def _units(found: Inspection) -> str:
    if not found.without_unit:
        return "every quantity has one"
    if found.without_unit == found.quantities:
        return "none"
    return f"{found.quantities - found.without_unit} of {found.quantities} quantities have one"
