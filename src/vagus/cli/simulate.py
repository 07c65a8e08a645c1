"""``vagus simulate``: a trial's data, without the report."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("simulate", epilog="Example: vagus simulate hmo-sleep --seed 2 --out runs/sleep-2")
@click.argument("trial")
@options.set_option
@options.model_option
@options.seed_option
@options.jobs_option
@options.out_option
@options.force_option
@options.json_option
def command(
    trial: str,
    settings: tuple[str, ...],
    folder: str | None,
    seed: int,
    jobs: int | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Simulate TRIAL with the central parameters and keep its data.

    TRIAL is a protocol file or the id of a bundled protocol; vagus analyze TRIAL FOLDER reads the data.
    """
    from vagus import api
    from vagus.cli.finish import exit_code, make_run
    from vagus.cli.names import read_own_library
    from vagus.cli.output import print_json, say

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    library = read_own_library(folder)
    threads, place = options.thread_count(jobs), out or f"runs/{protocol.id}"
    finished = make_run(protocol, seed, threads, 0, place, force, quiet=as_json, made_by="simulate", library=library)
    data = finished.answer.data
    missing = int(data.outcomes["value"].isna().sum())
    facts = {
        "subjects": len(data.subjects),
        "outcomes": len(data.outcomes),
        "missing_values": missing,
        "samples": len(data.samples),
        "status": finished.answer.status,
    }
    if as_json:
        print_json(facts)
    else:
        values = f"{len(data.outcomes)} values ({missing} missing)"
        say(f"{len(data.subjects)} subjects, {values}, {len(data.samples)} stool samples")
        click.echo(place)
    return exit_code(finished.answer)
