"""``vagus model``: read the model, check it, change it, take it elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from vagus.cli import options
from vagus.cli.model_conformance import conformance_command
from vagus.cli.model_import import import_command
from vagus.errors import InputError, nearest

if TYPE_CHECKING:
    from vagus.model import ComposedModel
    from vagus.model.archive import DailyDose
    from vagus.model.libraries import Library

#: Length of a course and the product where none is named: the dose that the ecology was set to.
DAYS = 84
DOSE = "2FL 5 g/day"
WEEKS = 6


class ModelGroup(click.Group):
    """A group that keeps the order of the user's way and names the nearest of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order written."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            message = f'Command must be one of vagus model, got "{args[0]}"; {nearest(args[0], known)}'
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)


@click.group("model", cls=ModelGroup, invoke_without_command=True, epilog="Example: vagus model show barrier")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read, check, compare and export the model.

    A submodel is a small Antimony text with a table of its constants and one of its variables. DIR holds one's own:
    one folder a submodel, which takes the place of a shipped one of the same name or is added.
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError(f"Say what to do: {', '.join(command.list_commands(ctx))}.", ctx)


def _library(folder: str | None) -> Library | None:
    from vagus.io import read_library

    return None if folder is None else read_library(folder)


@command.command("list", short_help="Submodels, constants by grade, switches.", epilog="Example: vagus model list")
@options.model_option
@options.json_option
def list_command(folder: str | None, as_json: bool) -> int:
    """List the submodels with their states, their constants by grade, and whether they were checked by a second pair of
    eyes; and the switches between rival forms.
    """
    from vagus.cli.model_text import print_list
    from vagus.cli.output import print_json
    from vagus.model.description import contested, list_submodels

    library = _library(folder)
    found = {"submodels": list_submodels(library), "switches": contested(library)}
    if as_json:
        print_json(found)
    else:
        print_list(found)
    return 0


@command.command(
    "show", short_help="Equations, constants, sources of one name.", epilog="Example: vagus model show barrier"
)
@click.argument("name")
@options.model_option
@options.json_option
def show_command(name: str, folder: str | None, as_json: bool) -> int:
    """Show what NAME stands for: a submodel, a variable, a constant or a switch; "scope" says what is modelled and what
    on purpose is not.
    """
    from vagus.cli.model_text import print_facts, print_scope
    from vagus.cli.output import print_json
    from vagus.model.description import describe, to_json
    from vagus.model.scope import mechanisms

    if name == "scope":
        found = {"kind": "scope", "mechanisms": [vars(item) for item in mechanisms()]}
        if as_json:
            print_json(found)
        else:
            print_scope(mechanisms())
        return 0
    facts = describe(name, _library(folder))
    if as_json:
        print_json(to_json(facts))
    else:
        print_facts(facts)
    return 0


@command.command("check", short_help="Units, sources, links, balance, signs.", epilog="Example: vagus model check")
@options.model_option
@options.json_option
def check_command(folder: str | None, as_json: bool) -> int:
    """Check units of every equation, unit, source and grade of every constant, links, carbon balance, and that nothing
    goes negative that must not. Exits with 2 where something does not hold.
    """
    from vagus.cli.model_checks import all_checks
    from vagus.cli.model_text import print_check, print_counts
    from vagus.cli.output import print_json
    from vagus.model.checks import count

    library = _library(folder)
    checks = []
    for check in all_checks(library):
        checks.append(check)
        if not as_json:
            print_check(check)
    counts = count(library)
    ok = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": ok, "checks": [check.to_json() for check in checks], "counts": vars(counts)})
    else:
        print_counts(counts, ok)
    return 0 if ok else 2


@command.command(
    "copy", short_help="Write a submodel to start one's own from.", epilog="Example: vagus model copy barrier my-axis"
)
@click.argument("name")
@click.argument("folder", type=click.Path())
def copy_command(name: str, folder: str) -> int:
    """Write the shipped submodel NAME into FOLDER, to change it there and use it with --model FOLDER."""
    from vagus.io.models import write_submodel
    from vagus.model.infants import PARTS
    from vagus.model.libraries import shipped

    known = shipped()
    if name in PARTS and name not in known.names:
        text = f'NAME must be a submodel of the adult axis, got "{name}" of infants; their axis takes no own submodels.'
        raise InputError(text)
    if name not in known.names:
        raise InputError(f'NAME must be a submodel, got "{name}"; {nearest(name, known.names)}')
    for path in write_submodel(known.submodel(name), folder):
        click.echo(path)
    return 0


@command.command(
    "diff", short_help="What one's own submodels change.", epilog="Example: vagus model diff my-axis --results"
)
@click.argument("folder", type=click.Path())
@click.option("--results", is_flag=True, help="Also simulate the typical adult with both.")
@click.option("--dose", default=DOSE, show_default=True, metavar="'PRODUCT AMOUNT'", help="Product for --results.")
@click.option("--weeks", default=WEEKS, show_default=True, type=click.IntRange(1, 52), help="Weeks for --results.")
@options.json_option
def diff_command(folder: str, results: bool, dose: str, weeks: int, as_json: bool) -> int:
    """Show what the submodels in FOLDER change against the shipped ones: equations, start values, constants, links; and
    with --results the typical adult under a product.
    """
    from vagus.cli.model_text import print_difference, print_responses
    from vagus.cli.names import read_own_library
    from vagus.cli.output import print_json
    from vagus.model.comparison import compare, is_same
    from vagus.model.description import to_json

    library = read_own_library(folder) if results else _library(folder)
    assert library is not None
    facts = compare(library)
    responses = _responses(library, dose, weeks) if results else []
    if as_json:
        print_json({"same": is_same(facts), **to_json(facts), **({"results": responses} if results else {})})
        return 0
    print_difference(facts)
    if results:
        print_responses(responses, dose, weeks)
    return 0


def _responses(library: Library, dose: str, weeks: int) -> list[dict[str, Any]]:
    """Return every quantity of the diagram in the typical adult, by the shipped model and by a user's."""
    from vagus.simulation.comparison import typical_response, typical_trial

    trial = typical_trial(*_product(dose), weeks)
    sides = [typical_response(axis, trial) for axis in (_axis(None, ()), _axis(library, ()))]
    return [
        {
            "quantity": first.label,
            "variable": first.variable,
            "shipped": {"without": first.without, "with": first.with_product, "change_sd": first.change},
            "own": {"without": second.without, "with": second.with_product, "change_sd": second.change},
        }
        for first, second in zip(*sides, strict=True)
    ]


@command.command(
    "map", short_help="Draw all links with their grades.", epilog="Example: vagus model map --out axis.svg"
)
@click.option("--out", type=click.Path(), default=None, help="SVG file to write.")
@click.option("--axis", "kind", type=click.Choice(("adult", "infant")), default="adult", show_default=True)
@options.model_option
@options.json_option
def map_command(out: str | None, kind: str, folder: str | None, as_json: bool) -> int:
    """Draw the axis with its links and the grades of their evidence: as text, or with --out as a drawing."""
    from vagus.cli.model_text import print_map
    from vagus.cli.output import print_json
    from vagus.io.models import write_file
    from vagus.model.infants import infant_library
    from vagus.report import axis_svg
    from vagus.report.map import axis_map

    diagram, links = axis_map(infant_library() if kind == "infant" else _library(folder))
    if out is not None:
        write_file(out, (axis_svg(diagram, results=False, alone=True) + "\n").encode())
    if as_json:
        nodes = [{"id": node.id, "label": node.label, "column": node.column} for node in diagram.nodes]
        print_json({"columns": list(diagram.columns), "nodes": nodes, "links": [vars(link) for link in links]})
    elif out is not None:
        click.echo(out)
    else:
        print_map(diagram, links)
    return 0


@command.command(
    "export", short_help="SBML and SED-ML in an OMEX archive.", epilog="Example: vagus model export axis.omex"
)
@click.argument("file", type=click.Path())
@options.days_option(DAYS)
@click.option("--dose", default=None, metavar="'PRODUCT AMOUNT'", help="A daily dose as an event, e.g. '2FL 5 g/day'.")
@options.set_option
@options.model_option
@options.json_option
def export_command(
    file: str, days: int, dose: str | None, settings: tuple[str, ...], folder: str | None, as_json: bool
) -> int:
    """Write the composed axis of the typical adult into FILE: SBML L3V2 with names, units and identifiers, a SED-ML
    time course, the constants with their sources. The same model gives the same bytes.
    """
    from vagus.cli.names import read_own_library
    from vagus.cli.output import print_json, say
    from vagus.io.models import write_file
    from vagus.model.archive import EXPERIMENT_FILE, MODEL_FILE, TABLE_FILE, export_sedml, pack, parameter_csv
    from vagus.simulation.typical import typical_adult

    axis = _axis(read_own_library(folder), settings)
    adult = typical_adult(axis)
    sbml = _export(axis, adult, dose)
    files = {
        MODEL_FILE: sbml,
        EXPERIMENT_FILE: export_sedml(adult.model.states, days),
        TABLE_FILE: parameter_csv(axis, adult.constants),
    }
    write_file(file, pack(files))
    if as_json:
        print_json({"file": file, "model": axis.model_hash, "states": len(adult.model.states), "days": days})
    else:
        say(f"{file}: {len(adult.model.states)} states, {days} days, model {axis.model_hash}")
    return 0


@command.command(
    "cross-check", short_help="Against libRoadRunner.", epilog="Example: vagus model cross-check --dose '2FL 5 g/day'"
)
@options.days_option(DAYS)
@click.option("--dose", default=None, metavar="'PRODUCT AMOUNT'", help="A daily dose, e.g. '2FL 5 g/day'.")
@options.set_option
@options.model_option
@options.json_option
def cross_check_command(
    days: int, dose: str | None, settings: tuple[str, ...], folder: str | None, as_json: bool
) -> int:
    """Simulate the export once more with libRoadRunner and print how far the two are apart: the largest
    |a - b| / (|b| + 1e-3 max|b|) over all states at every noon. Exits with 2 where it is above 1e-4.
    """
    from vagus.cli.model_text import print_cross_check
    from vagus.cli.names import read_own_library
    from vagus.cli.output import print_json
    from vagus.simulation.cross_check import ALLOWED, cross_check, require_peer
    from vagus.simulation.typical import typical_adult

    require_peer()
    axis = _axis(read_own_library(folder), settings)
    found = cross_check(_export(axis, typical_adult(axis), dose), days)
    if as_json:
        check = {
            "name": f"largest difference over {len(found.states)} states and {days} noons",
            "value": found.worst,
            "expected": 0.0,
            "tolerance": ALLOWED,
            "source": f"libRoadRunner {found.peer}",
            "ok": found.ok,
        }
        states = [{"state": name, "difference": size, "day": day} for name, size, day in found.by_state()]
        print_json({"ok": found.ok, "checks": [check], "states": states})
    else:
        print_cross_check(found)
    return 0 if found.ok else 2


command.add_command(import_command)
command.add_command(conformance_command)


def _axis(library: Library | None, settings: tuple[str, ...]) -> ComposedModel:
    """Return the axis of a library with what ``--set`` says."""
    from vagus.model import compose
    from vagus.model.switches import read_settings, read_values

    values = read_values(read_settings(options.parse_settings(settings)), library)
    return compose(library=library, values=tuple(values.items()))


def _product(dose: str) -> tuple[str, str]:
    # A product's name may hold blanks and digits: the amount is the last number that stands alone, and its unit.
    found = re.fullmatch(r"(?P<product>.*?\S)\s+(?P<amount>[-+]?[\d.]\S*(\s+\S+)?)", dose.strip())
    if not found:
        raise InputError(f"--dose must be a product and an amount, got \"{dose}\"; write --dose '{DOSE}'")
    return found["product"], found["amount"]


def _export(axis: ComposedModel, adult: Any, dose: str | None) -> str:
    from vagus.model.archive import export_sbml

    return export_sbml(axis, adult.constants, adult.states, _daily_doses(dose) if dose else ())


def _daily_doses(dose: str) -> list[DailyDose]:
    from vagus.model.archive import DailyDose
    from vagus.simulation.comparison import typical_trial
    from vagus.simulation.regimen import plan_doses

    plan = plan_doses(typical_trial(*_product(dose), 1), "with")
    first = plan.day_of_dose == 0
    return [
        DailyDose(state, float(amount), float(time % 1 * 24))
        for state, amounts in plan.amounts.items()
        for time, amount in zip(plan.times[first], amounts[first], strict=True)
        if amount > 0
    ]
