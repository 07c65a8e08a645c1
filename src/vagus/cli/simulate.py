"""``vagus simulate``: a trial's data, without the report."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("simulate")
@click.argument("trial")
@options.set_option
@options.seed_option
@options.jobs_option
@options.out_option
@options.force_option
@options.json_option
def command(
    trial: str,
    settings: tuple[str, ...],
    seed: int,
    jobs: int | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Simulate TRIAL with the central parameters and keep its data; `vagus analyze TRIAL FOLDER` reads them.

    Example: vagus simulate hmo-sleep --seed 2 --out runs/sleep-2
    """
    import json

    from vagus import api
    from vagus.cli.finish import make_run

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    folder = out or f"runs/{protocol.id}"
    finished = make_run(protocol, seed, options.thread_count(jobs), 0, folder, force, quiet=as_json, report=False)
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
        click.echo(json.dumps(facts, indent=2))
    else:
        words = f"{facts['subjects']} subjects, {facts['outcomes']} values ({missing} missing), {facts['samples']} stool samples"
        click.echo(f"{words}\n{finished.folder}")
    return 3 if finished.answer.status.startswith("partial") else 0
