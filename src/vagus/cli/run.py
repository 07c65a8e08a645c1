"""``vagus run``: simulate, analyze, compare with what was published, report."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("run", epilog="Example: vagus run efficad --seed 1")
@click.argument("trial")
@options.set_option
@options.seed_option
@options.jobs_option
@options.draws_option
@options.out_option
@options.force_option
@options.json_option
def command(
    trial: str,
    settings: tuple[str, ...],
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

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    chosen = api.DRAWS if draws is None else draws
    folder = out or f"runs/{protocol.id}"
    finished = make_run(protocol, seed, options.thread_count(jobs), chosen, folder, force, quiet=as_json)
    return finish_run(finished, as_json)
