"""``vagus check``: is the protocol right, and what does it plan?"""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("check")
@click.argument("trial")
@options.set_option
@options.json_option
def command(trial: str, settings: tuple[str, ...], as_json: bool) -> int:
    """Check TRIAL and say what it plans: people, arms, visits, analyses, and what each answer would rest on.

    Example: vagus check hmo-sleep
    """
    import json

    from vagus import api
    from vagus.evidence import studies
    from vagus.errors import InputError, nearest
    from vagus.population import source
    from vagus.protocol import products
    from vagus.report.grounds import rests_on_sentence
    from vagus.trial import outcome

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    try:
        source(protocol.population.source)
    except InputError as error:
        raise InputError(protocol.problem("population.from", error.problems[0].message)) from None
    known = list(studies()["study_id"])
    if protocol.published and protocol.published not in known:
        text = f'Study must be one of the evidence base, got "{protocol.published}"; {nearest(protocol.published, known)}'
        raise InputError(protocol.problem("published", text))
    plan = [
        f"{item.estimand}: {outcome(item.outcome).label} at {item.visit}, {', '.join(item.arms)} against {item.reference}: "
        f"{item.method} (family {item.family})"
        for item in protocol.plan
    ]
    primary = protocol.plan[0].outcome
    rests_on = rests_on_sentence(primary, outcome(primary).label)
    if as_json:
        checks = [{"name": "protocol", "value": protocol.id, "expected": "readable", "tolerance": None, "source": "", "ok": True}]
        click.echo(json.dumps({"ok": True, "checks": checks, "plan": plan, "rests_on": rests_on}, indent=2, ensure_ascii=False))
        return 0
    click.echo(f"{protocol.id}: {protocol.title}")
    click.echo(f"People: {protocol.population.n} from {protocol.population.source}, entry {dict(protocol.population.entry)}")
    for arm, size in protocol.arm_sizes().items():
        doses = ", ".join(f"{products()[dose.product].name} {dose.text}" for dose in protocol.arms[arm].doses)
        click.echo(f"Arm {arm} ({size}): {doses or 'nothing'}{'  [control]' if arm == protocol.control else ''}")
    visits = ", ".join(visit.label for visit in protocol.schedule.visits)
    click.echo(
        f"Days: run-in {protocol.schedule.run_in_days:g}, treatment {protocol.schedule.treat_days:g}, follow-up "
        f"{protocol.schedule.follow_days:g}; visits {visits}"
    )
    for line in plan:
        click.echo(f"Analysis {line}")
    click.echo(rests_on)
    click.echo("The protocol is in order.")
    return 0
