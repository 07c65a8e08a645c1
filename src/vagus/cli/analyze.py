"""``vagus analyze``: the planned analysis on real data or on a run."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("analyze")
@click.argument("trial")
@click.argument("data", required=False)
@click.option("--mapping", type=click.Path(), default=None, help="Mapping file: which column is what.")
@options.set_option
@options.out_option
@options.force_option
@options.json_option
def command(
    trial: str,
    data: str | None,
    mapping: str | None,
    settings: tuple[str, ...],
    out: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Carry out TRIAL's planned analysis on DATA: a folder of tables, or the folder of a run (runs/TRIAL by default).

    Example: vagus analyze baxter2019 my-data/ --out runs/my-analysis
    """
    import json
    from pathlib import Path

    from vagus import __version__, api
    from vagus.cli.finish import print_content, versions, write_report
    from vagus.io.folders import close_run, open_run
    from vagus.report.assemble import real_content

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    answer = api.analyze(protocol, data or Path("runs") / protocol.id, mapping)
    origin = {"vagus": __version__, "protocol": f"{protocol.id}, sha256 {protocol.protocol_hash[:16]}"}
    content = real_content(
        protocol,
        answer.verdict,
        answer.estimates,
        answer.published_apart,
        answer.rests_on,
        answer.notes,
        answer.data,
        origin,
    )
    if out is not None:
        path = open_run(out, force)
        write_report(path, answer, content)
        close_run(path, {"protocol": protocol.id, "analysis_of": "data", **versions(), "provenance": origin})
    if as_json:
        click.echo(json.dumps(answer.to_json(), indent=2, ensure_ascii=False))
    else:
        print_content(content)
        if out is not None:
            click.echo(f"\nReport: {Path(out) / 'report.html'}")
    return 0
