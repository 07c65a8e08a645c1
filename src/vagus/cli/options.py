"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from vagus.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])

#: More threads than any machine of today has cores; a slip of the finger must not start a million.
MOST_JOBS = 1024
MOST_DRAWS = 10_000
MOST_CHUNK = 100_000


def _whole_number(
    name: str, least: int, most: int | None
) -> Callable[[click.Context, click.Parameter, int | None], int | None]:
    reach = f"{least} or more" if most is None else f"between {least} and {most}"

    def check(ctx: click.Context, parameter: click.Parameter, value: int | None) -> int | None:
        if value is not None and (value < least or (most is not None and value > most)):
            raise click.UsageError(f"{name} must be a whole number, {reach}, got {value}.", ctx)
        return value

    return check


set_option = click.option(
    "--set", "settings", multiple=True, metavar="A.B=C", help="Replace a value of the protocol, e.g. population.n=40."
)
seed_option = click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    callback=_whole_number("--seed", 0, None),
    help="Same seed, same bits.",
)
jobs_option = click.option(
    "--jobs",
    type=int,
    default=None,
    callback=_whole_number("--jobs", 1, MOST_JOBS),
    help="Threads; all cores by default. Results do not depend on it.",
)
draws_option = click.option(
    "--draws",
    type=int,
    default=None,
    callback=_whole_number("--draws", 0, MOST_DRAWS),
    help="Parameter draws beside the central one.",
)
out_option = click.option("--out", type=click.Path(), default=None, help="Folder to write; runs/<trial id> by default.")
force_option = click.option("--force", is_flag=True, help="Replace the run that is there, once the new one is made.")
chunk_option = click.option(
    "--chunk",
    type=int,
    default=None,
    callback=_whole_number("--chunk", 1, MOST_CHUNK),
    help="With --courses: people worked on and stored together; bounds memory, changes no value.",
)
model_option = click.option(
    "--model",
    "folder",
    type=click.Path(),
    default=None,
    metavar="DIR",
    help="Folder of one's own submodels; vagus model copy starts one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def days_option(days: int) -> Callable[[Function], Function]:
    """Return the option for the length of a course."""
    return click.option(
        "--days",
        type=int,
        default=days,
        show_default=True,
        callback=_whole_number("--days", 1, 3650),
        help="Length of the course.",
    )


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """Return ``a.b=c`` texts as a mapping.

    Raises
    ------
    InputError
        A text without a name or an equals sign, or one name twice.
    """
    found: dict[str, str] = {}
    for item in settings:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise InputError(f'--set must be name=value, got "{item}"; write --set population.n=40')
        if name.strip() in found:
            raise InputError(f"--set must name a value once, got {name.strip()} twice; keep one.")
        found[name.strip()] = value.strip()
    return found


def thread_count(jobs: int | None) -> int:
    """Return the threads asked for, or one a core that this process may use."""
    if jobs is not None:
        return jobs
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
