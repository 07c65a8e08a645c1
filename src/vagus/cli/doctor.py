"""``vagus doctor``: does this installation work?"""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("doctor")
@options.json_option
def command(as_json: bool) -> int:
    """Check Python, packages, the model library, the engine against a closed form, and the cache folder.

    Example: vagus doctor
    """
    import json

    from vagus.cli.checks import installation_checks

    checks = installation_checks()
    ok = all(check["ok"] for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": checks}, indent=2, ensure_ascii=False))
    else:
        for check in checks:
            mark = "ok " if check["ok"] else "BAD"
            click.echo(f"{mark}  {check['name']}: {check['value']} (expected {check['expected']})")
        click.echo("This installation works." if ok else "Something is wrong: see the lines marked BAD.")
    return 0 if ok else 2
