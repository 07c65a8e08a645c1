"""``vagus protocols``: the bundled protocols."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("protocols")
@click.option("--show", metavar="ID", default=None, help="Print one protocol file, to start one's own from.")
@options.json_option
def command(show: str | None, as_json: bool) -> int:
    """List the bundled protocols, or print one.

    Example: vagus protocols --show efficad > mine.yaml
    """
    import json

    from vagus import api
    from vagus.errors import InputError, nearest
    from vagus.protocol import bundled, bundled_text

    if show is not None:
        if show not in bundled():
            raise InputError(f'No bundled protocol "{show}"; {nearest(show, bundled())}')
        click.echo(bundled_text(show), nl=False)
        return 0
    found = [api.read_protocol(name) for name in bundled()]
    rows = [
        {"id": item.id, "title": item.title, "n": item.population.n, "arms": list(item.arms), "published": item.published}
        for item in found
    ]
    if as_json:
        click.echo(json.dumps({"protocols": rows}, indent=2, ensure_ascii=False))
        return 0
    for row in rows:
        click.echo(f"{row['id']}: {row['title']}\n  {row['n']} people, arms {', '.join(map(str, row['arms']))}")
    return 0
