"""``vagus validate``: does the model give what it must give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from vagus.cli import options

if TYPE_CHECKING:
    from vagus.validation import Check

Line = tuple[str, str]  # words and style

KIND_HEADS = {
    "data": "against data",
    "published model": "against the published model",
    "own reference run": "against own reference runs (regression)",
}
MARK, NUMBER, WITHIN = 5, 9, 8
NARROWEST, WIDEST = 50, 100


@click.group("validate", invoke_without_command=True, epilog="Example: vagus validate submodels --only immune")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Hold the model against data and published models.

    Exits with 2 where a value misses and no reason is stated.
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError(f"Say what to validate: {' or '.join(command.list_commands(ctx))}.", ctx)


@command.command(
    "submodels",
    short_help="Submodels and published models against their benchmarks.",
    epilog="Example: vagus validate submodels --only immune --only somvanshi2020",
)
@click.option("--only", multiple=True, metavar="NAME", help="Only this submodel or published model; can be repeated.")
@click.option("--slow", is_flag=True, help="Run the slow benchmarks too.")
@options.json_option
def submodels(only: tuple[str, ...], slow: bool, as_json: bool) -> int:
    """Compare every submodel, and the published models behind them, with their benchmarks.

    Only data and published models validate; own reference runs find a change and are counted apart. Exits with 2 where
    a value misses and no reason is stated.
    """
    from vagus.cli.output import print_json
    from vagus.cli.progress import show_progress
    from vagus.validation import benchmarks, check_submodels, summary

    chosen = [item for item in benchmarks() if not only or item.submodel in only]
    checks: list[Check] = []
    with show_progress(quiet=True) as progress:
        for check in check_submodels(only, slow=slow):
            checks.append(check)
            progress("benchmarks", len(checks), len(chosen))
    places = {item.name: place for place, item in enumerate(chosen)}
    checks.sort(key=lambda check: places[check.benchmark.name])
    counts = summary(checks)
    ok = counts["failed"] == 0
    if as_json:
        not_run = [{"name": check.benchmark.name, "reason": check.not_run} for check in checks if check.not_run]
        records = [check.record() for check in checks if not check.not_run]
        print_json({"ok": ok, "counts": counts, "not_run": not_run, "checks": records})
    else:
        _print(checks)
    return 0 if ok else 2


def _print(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    unicode = console.encoding.lower().startswith("utf")
    for words, style in [*table_lines(checks, console.width), *closing_lines(checks, console.width)]:
        text = Text(words if unicode else words.replace("±", "+-").encode("ascii", "replace").decode(), style)
        console.print(text, no_wrap=True, overflow="ignore", crop=False)


def table_lines(checks: Iterable[Check], width: int) -> Iterator[Line]:
    """Give the table submodel by submodel, kind by kind, within a width.

    Parameters
    ----------
    checks : iterable of Check
    width : int
        Columns of the terminal; at least 50 and at most 100 are used.
    """
    width = max(NARROWEST, min(width, WIDEST))
    room = width - MARK - 2 * (NUMBER + 1) - WITHIN - 1
    groups: dict[str, dict[str, list[Check]]] = {}
    for check in checks:
        if check.not_run:
            continue
        kinds = groups.setdefault(check.benchmark.submodel, {})
        kinds.setdefault(check.benchmark.kind, []).append(check)
    for submodel, kinds in groups.items():
        yield submodel, "bold"
        for kind, head in KIND_HEADS.items():
            if kind not in kinds:
                continue
            heads = f" {'expected':>{NUMBER}} {'ours':>{NUMBER}} {'within':>{WITHIN}}"
            first, *rest = wrap(head, room + MARK - 2)
            yield f"  {first}".ljust(MARK + room) + heads, "dim"
            yield from ((f"  {line}", "dim") for line in rest)
            for check in kinds[kind]:
                yield from _rows(check, room, width)
        yield "", ""


def _rows(check: Check, room: int, width: int) -> Iterator[Line]:
    from vagus.validation.registry import Predicted

    item = check.benchmark
    unit = "" if item.unit == "1" else f" [{item.unit}]"
    first, *rest = wrap(f"{item.name}{unit}", room, subsequent_indent="  ", break_on_hyphens=False)
    value = "none" if check.error else f"{check.value:.4g}"
    mark, style = ("ok", "") if check.ok else ("acc", "yellow") if check.accepted else ("BAD", "bold red")
    numbers = f" {item.expected:>{NUMBER}.4g} {value:>{NUMBER}} {_within(check):>{WITHIN}}"
    yield f"{mark:<{MARK}}{first:<{room}}{numbers}", style
    yield from ((" " * MARK + line, style) for line in rest)
    if isinstance(check.value, Predicted):
        yield " " * (MARK + 2) + f"predicted, 95 %: {check.value.low:.4g} to {check.value.high:.4g}", "dim"
    reason = check.error or (f"accepted: {item.accepted_miss}" if check.accepted else "")
    if reason:
        yield from ((" " * (MARK + 2) + line, "dim") for line in wrap(reason, width - MARK - 2))


def _within(check: Check) -> str:
    item = check.benchmark
    return f"± {100 * item.tolerance:.3g} %" if item.tolerance_kind == "relative" else f"± {item.tolerance:.3g}"


def closing_lines(checks: list[Check], width: int) -> Iterator[Line]:
    """Give the counts, with what validates apart from what only finds a change, and what did not run."""
    from vagus.validation import summary

    counts = summary(checks)
    width = max(NARROWEST, min(width, WIDEST))
    sentences = [
        f"Validation (data and published models): {counts['validation_met']} of {counts['validation']} met.",
        f"Regression (own reference runs): {counts['regression_met']} of {counts['regression']} met.",
    ]
    if counts["accepted_misses"]:
        sentences.append(f"Misses for a stated reason (acc): {counts['accepted_misses']}.")
    for reason in dict.fromkeys(check.not_run for check in checks if check.not_run):
        names = ", ".join(check.benchmark.name for check in checks if check.not_run == reason)
        sentences.append(f"Not run ({reason}): {names}.")
    needless = [check.benchmark.name for check in checks if check.ok and check.benchmark.accepted_miss]
    if needless:
        sentences.append(f"Met, so that the reason for a miss can go: {', '.join(needless)}.")
    bad = counts["failed"]
    sentences.append(f"{bad} missed without a reason: see the lines marked BAD." if bad else "Nothing else missed.")
    for sentence in sentences:
        yield from ((line, "bold red" if bad and sentence is sentences[-1] else "") for line in wrap(sentence, width))
