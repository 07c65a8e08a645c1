"""``vagus protocols``: the bundled protocols."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("protocols", epilog="Example: vagus protocols --show efficad > mine.yaml")
@click.option("--show", metavar="ID", default=None, help="Print one protocol file, to start one's own from.")
@options.json_option
def command(show: str | None, as_json: bool) -> int:
    """List the bundled protocols, or print one."""
    from vagus import api
    from vagus.cli.output import print_json, say
    from vagus.errors import InputError, nearest
    from vagus.protocol import bundled, bundled_text

    if show is not None:
        if show not in bundled():
            raise InputError(f'--show must be the id of a bundled protocol, got "{show}"; {nearest(show, bundled())}')
        if as_json:
            print_json({"id": show, "text": bundled_text(show)})
        else:
            click.echo(bundled_text(show), nl=False)
        return 0
    found = [api.read_protocol(name) for name in bundled()]
    if as_json:
        rows = [
            {
                "id": item.id,
                "title": item.title,
                "n": item.population.n,
                "arms": list(item.arms),
                "published": item.published,
            }
            for item in found
        ]
        print_json({"protocols": rows})
        return 0
    for item in found:
        say(f"{item.id}: {item.title}", hanging=2)
        say(f"{item.population.n} people, arms {', '.join(item.arms)}", 2, 2)
    return 0
