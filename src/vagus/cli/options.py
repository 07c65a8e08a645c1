"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from vagus.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])

set_option = click.option(
    "--set", "settings", multiple=True, metavar="A.B=C", help="Replace a value of the protocol, e.g. population.n=40."
)
seed_option = click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same bits.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), default=None, help="Threads; all cores by default. Results do not depend on it."
)
out_option = click.option("--out", type=click.Path(), default=None, help="Folder to write; runs/<trial id> by default.")
force_option = click.option("--force", is_flag=True, help="Replace an existing folder.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
draws_option = click.option(
    "--draws", type=click.IntRange(0, 10_000), default=None, help="Parameter draws beside the central one."
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
            raise InputError(f'--set {name.strip()} is given twice; keep one.')
        found[name.strip()] = value.strip()
    return found


def thread_count(jobs: int | None) -> int:
    """Return the threads asked for, or one a core that this process may use."""
    if jobs is not None:
        return jobs
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
