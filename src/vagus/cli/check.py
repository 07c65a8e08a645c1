"""``vagus check``: whether a protocol is right, and what it plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vagus.cli import options

if TYPE_CHECKING:
    from vagus.protocol import Protocol


@click.command("check", epilog="Example: vagus check hmo-sleep --set population.n=80")
@click.argument("trial")
@options.set_option
@options.json_option
def command(trial: str, settings: tuple[str, ...], as_json: bool) -> int:
    """Check TRIAL and say what it plans: people, arms, visits, analyses, and what its answer would rest on.

    TRIAL is a protocol file or the id of a bundled protocol.
    """
    from vagus import api
    from vagus.cli.names import check_names
    from vagus.cli.output import print_json, say
    from vagus.report.grounds import rests_on_sentence
    from vagus.trial import outcome

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    check_names(protocol)
    primary = protocol.plan[0].outcome
    rests_on = rests_on_sentence(primary, outcome(primary).label)
    if as_json:
        print_json({"ok": True, "checks": _checks(protocol), "plan": _plan(protocol), "rests_on": rests_on})
        return 0
    say(f"{protocol.id}: {protocol.title}", hanging=2)
    for line in (*_people(protocol), *(f"Analysis: {line}" for line in _plan(protocol))):
        say(line, hanging=2)
    say(rests_on)
    say("The protocol is in order.")
    return 0


def _checks(protocol: Protocol) -> list[dict[str, object]]:
    found = {
        "protocol": (protocol.id, "readable, without a problem"),
        "population": (protocol.population.source, "ships with vagus"),
        "baseline microbiome": (protocol.population.baseline_microbiome, "ships with vagus"),
    }
    if protocol.published is not None:
        found["published study"] = (protocol.published, "in the evidence base")
    # One that is not so ends the command with its line; these say what was looked at.
    return [
        {"name": name, "value": value, "expected": expected, "tolerance": None, "source": "", "ok": True}
        for name, (value, expected) in found.items()
    ]


def _people(protocol: Protocol) -> list[str]:
    from vagus.population import source
    from vagus.protocol import products
    from vagus.trial import outcome

    origin = source(protocol.population.source)
    entry = protocol.population.entry or origin.entry
    criteria = ", ".join(f"{outcome(name).label} {low:g} to {high:g}" for name, (low, high) in entry.items())
    lines = [f"People: {protocol.population.n} of {origin.id} ({origin.title}); entry: {criteria or 'everybody'}"]
    for arm, size in protocol.arm_sizes().items():
        doses = ", ".join(f"{products()[dose.product].name} {dose.text}" for dose in protocol.arms[arm].doses)
        lines.append(
            f"Arm {arm} ({size} people): {doses or 'nothing'}{' [control]' if arm == protocol.control else ''}"
        )
    plan = protocol.schedule
    visits = ", ".join(visit.label for visit in plan.visits)
    lines.append(
        f"Days: run-in {plan.run_in_days:g}, treatment {plan.treat_days:g}, follow-up {plan.follow_days:g}; "
        f"visits: {visits}"
    )
    if protocol.published is not None:
        lines.append(f"Published study: {protocol.published}")
    return lines


def _plan(protocol: Protocol) -> list[str]:
    from vagus.trial import outcome

    return [
        f"{item.estimand}: {outcome(item.outcome).label} at {item.visit}, {', '.join(item.arms)} against "
        f"{item.reference}: {item.method} (family {item.family})"
        for item in protocol.plan
    ]
