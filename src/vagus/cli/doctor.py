"""``vagus doctor``: is this installation in order."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("doctor", epilog="Example: vagus doctor")
@options.json_option
def command(as_json: bool) -> int:
    """Check Python, packages, the model library, the engine against a closed form, figures, and the cache folder.

    Exits with 2 where something is wrong.
    """
    from vagus.cli.checks import installation_checks
    from vagus.cli.output import print_json, say

    checks = []
    for check in installation_checks():
        checks.append(check)
        if not as_json:
            within = "" if check["tolerance"] is None else f" within {check['tolerance']:g}"
            found, wanted = _short(check["value"]), _short(check["expected"])
            mark = "ok " if check["ok"] else "BAD"
            say(f"{mark}  {check['name']}: {found} (expected {wanted}{within})", hanging=5)
    ok = all(check["ok"] for check in checks)
    if as_json:
        print_json({"ok": ok, "checks": checks})
    else:
        say("This installation works." if ok else "Something is wrong: see the lines marked BAD.")
    return 0 if ok else 2


def _short(value: object) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)
