"""``vagus report``: the report of a finished run again."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("report", epilog="Example: vagus report runs/efficad --out efficad.html")
@click.argument("run")
@click.option("--out", type=click.Path(), default=None, help="File to write; report.html in the run by default.")
@options.json_option
def command(run: str, out: str | None, as_json: bool) -> int:
    """Write the report of the finished RUN (a folder) again and show it."""
    from pathlib import Path

    from vagus.cli.finish import print_content
    from vagus.cli.output import say
    from vagus.errors import InputError, Problem
    from vagus.io.folders import read_run_text, write_text
    from vagus.report import render_html
    from vagus.report.record import dump_content, load_content

    content = load_content(read_run_text(run, "report.json"), str(Path(run) / "report.json"))
    target = Path(out) if out else Path(run) / "report.html"
    page = render_html(content)
    try:
        write_text(target, page)
    except OSError as error:
        text = (
            f"The report must be a file in a writable folder, got: {error.strerror or error}; name another with --out."
        )
        raise InputError(Problem(str(target), 0, text)) from None
    if as_json:
        click.echo(dump_content(content), nl=False)
    else:
        print_content(content)
        say()
        click.echo(f"Report: {target}")
    return 0
