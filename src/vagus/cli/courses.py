"""``vagus simulate --courses``: the courses of any number of people, streamed and resumable."""

from __future__ import annotations

import time
from typing import Any

import click

from vagus import api
from vagus.cli.finish import repeat
from vagus.cli.names import check_names, with_line
from vagus.cli.output import complain, print_json, say
from vagus.cli.progress import show_progress, stop_on_interrupt
from vagus.errors import InputError
from vagus.model.libraries import Library
from vagus.protocol import Protocol


def make_courses(
    protocol: Protocol,
    seed: int,
    jobs: int,
    folder: str,
    as_json: bool,
    *,
    library: Library | None = None,
    arms: tuple[str, ...] = (),
    variables: tuple[str, ...] = (),
    chunk: int | None = None,
    resume: bool = False,
) -> int:
    """Simulate, say what was made, and return the exit code: 3 where simulations failed.

    Parameters are those of `vagus.api.simulate_courses`.
    """
    begun = time.perf_counter()
    check_names(protocol, library=library)
    more = ["--courses", "--seed", str(seed)]
    more += [word for arm in arms for word in ("--arm", arm)]
    more += [word for name in variables for word in ("--variable", name)]
    with stop_on_interrupt() as cancel, show_progress(as_json) as progress:
        try:
            facts = api.simulate_courses(
                protocol,
                folder,
                library=library,
                arms=arms,
                variables=variables,
                seed=seed,
                jobs=jobs,
                chunk=chunk,
                resume=resume,
                command=repeat(protocol, library, "simulate", *more),
                on_progress=progress,
                cancel=cancel,
            )
        except InputError as error:
            raise with_line(protocol, error) from None
    if as_json:
        print_json(facts)
    else:
        _say(facts, time.perf_counter() - begun, jobs)
        click.echo(folder)
    failed = facts["failed_simulations"]
    if failed:
        complain(f"Partial: {failed} of {facts['simulations']} simulations failed; failures.csv lists them.")
    return 3 if failed else 0


def _say(facts: dict[str, Any], seconds: float, jobs: int) -> None:
    from vagus.simulation.numerics import Precision

    arms = len(facts["arms"])
    say(
        f"{facts['subjects']} subjects, {arms} arm{'s' if arms > 1 else ''}, {facts['days']} days, "
        f"{facts['variables']} variables"
    )
    say(
        f"{Precision.from_json(facts['precision']).sentence}; {seconds:.0f} s on {jobs} thread{'s' if jobs > 1 else ''}"
    )
