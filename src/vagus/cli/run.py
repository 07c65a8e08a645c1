"""``vagus run``: simulate, analyze, compare with what was published, report."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("run", epilog="Example: vagus run efficad --seed 1")
@click.argument("trial")
@options.set_option
@options.model_option
@options.seed_option
@options.jobs_option
@options.draws_option
@options.out_option
@options.force_option
@options.json_option
def command(
    trial: str,
    settings: tuple[str, ...],
    folder: str | None,
    seed: int,
    jobs: int | None,
    draws: int | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Simulate TRIAL, analyze it, set published results beside, and write a report.

    TRIAL is a protocol file or the id of a bundled protocol.
    """
    from vagus import api
    from vagus.cli.finish import finish_run, make_run
    from vagus.cli.names import read_own_library

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    library = read_own_library(folder)
    chosen = api.DRAWS if draws is None else draws
    threads, place = options.thread_count(jobs), out or f"runs/{protocol.id}"
    finished = make_run(protocol, seed, threads, chosen, place, force, quiet=as_json, library=library)
    return finish_run(finished, as_json)
