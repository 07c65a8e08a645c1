"""``vagus analyze``: the planned analysis on real data or on a run."""

from __future__ import annotations

from pathlib import Path

import click

from vagus.cli import options


@click.command("analyze", epilog="Example: vagus analyze baxter2019 my-data/ --out runs/my-analysis")
@click.argument("trial")
@click.argument("data", required=False)
@click.option("--mapping", type=click.Path(), default=None, help="Mapping file: which column is what.")
@options.set_option
@click.option("--out", type=click.Path(), default=None, help="Folder for a report; none is written without it.")
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
    """Carry out TRIAL's planned analysis on DATA.

    TRIAL is a protocol file or the id of a bundled protocol. DATA is a folder of tables, one table, or the folder of a
    run (runs/TRIAL by default).
    """
    from contextlib import nullcontext

    from vagus import __version__, api
    from vagus.cli.finish import print_content, versions, write_report
    from vagus.cli.names import check_names
    from vagus.cli.output import print_json, say
    from vagus.cli.progress import show_progress
    from vagus.errors import InputError, Problem
    from vagus.io.folders import check_finished, open_run
    from vagus.report.assemble import real_content

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    check_names(protocol, people=False)
    source = data or f"runs/{protocol.id}"
    check_finished(source)
    if out is not None and _overlap(Path(source), Path(out)):
        raise InputError(Problem(out, 0, f"The output must not be the folder of the data ({source}); name another."))
    record = {"vagus": __version__, "made_by": "analyze", "protocol": protocol.id}
    folder = nullcontext() if out is None else open_run(out, force, record)
    with folder as place, show_progress(quiet=True) as progress:
        progress("analysis", 0, 1)
        answer = api.analyze(protocol, source, mapping)
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
        progress("analysis", 1, 1)
        if place is not None:
            progress("report", 0, 1)
            with place.writing() as path:
                write_report(path, answer, content)
            place.record.update(**versions(), provenance=origin)
    if as_json:
        print_json(answer.to_json())
    else:
        print_content(content)
        if answer.notes:
            say()
            say("Notes on the data")
            for note in answer.notes:
                say(f"- {note}", 2, 2)
        if out is not None:
            click.echo(f"\nReport: {Path(out) / 'report.html'}")
    return 0


def _overlap(data: Path, out: Path) -> bool:
    """Say whether writing to `out` would replace the data."""
    return data.resolve().is_relative_to(out.resolve())
