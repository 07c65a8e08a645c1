"""``vagus check``: whether a protocol is right, and what it plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vagus.cli import options

if TYPE_CHECKING:
    from vagus.model.libraries import Library
    from vagus.protocol import Protocol


@click.command("check", epilog="Example: vagus check hmo-sleep --set population.n=80")
@click.argument("trial")
@options.set_option
@options.model_option
@options.json_option
def command(trial: str, settings: tuple[str, ...], folder: str | None, as_json: bool) -> int:
    """Check TRIAL and say what it plans: people, arms, visits, analyses, and what its answer would rest on.

    TRIAL is a protocol file or the id of a bundled protocol.
    """
    from vagus import api
    from vagus.cli.names import check_names, read_own_library
    from vagus.cli.output import print_json, say
    from vagus.model.couplings import couplings_of
    from vagus.report.grounds import links_in_play, rests_on_sentence
    from vagus.trial import outcome

    protocol = api.read_protocol(trial, options.parse_settings(settings))
    library = read_own_library(folder)
    check_names(protocol, library=library)
    primary = protocol.plan[0].outcome
    # Joining the model takes a second; its links are those of the table unless something is set or replaced.
    changed = library is not None or protocol.model
    links = couplings_of(api.model_of(protocol, library)) if changed else None
    rests_on = rests_on_sentence(primary, outcome(primary).label, links_in_play(protocol, links))
    if as_json:
        print_json({"ok": True, "checks": _checks(protocol, library), "plan": _plan(protocol), "rests_on": rests_on})
        return 0
    say(f"{protocol.id}: {protocol.title}", hanging=2)
    for line in (*_people(protocol), *_model(protocol, library), *(f"Analysis: {line}" for line in _plan(protocol))):
        say(line, hanging=2)
    say(rests_on)
    say("The protocol is in order.")
    return 0


def _checks(protocol: Protocol, library: Library | None) -> list[dict[str, object]]:
    found: dict[str, tuple[object, str]] = {
        "protocol": (protocol.id, "readable, without a problem"),
        "population": (protocol.population.source, "ships with vagus"),
        "baseline microbiome": (protocol.population.baseline_microbiome, "ships with vagus"),
    }
    if protocol.published is not None:
        found["published study"] = (protocol.published, "in the evidence base")
    for line in _model(protocol, library):
        name, _, value = line.partition(": ")
        found[name.lower()] = (value, "of the model, and consistent")
    # One that is not so ends the command with its line; these say what was looked at.
    return [
        {"name": name, "value": value, "expected": expected, "tolerance": None, "source": "", "ok": True}
        for name, (value, expected) in found.items()
    ]


def _model(protocol: Protocol, library: Library | None) -> list[str]:
    from vagus.model.switches import describe_values

    lines = [f"Submodels: {library.describe()}"] if library is not None else []
    if protocol.model:
        lines.append(f"Set in the model: {'; '.join(describe_values(protocol.model, library))}")
    return lines


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
    stress = protocol.conditions.stress
    if stress is not None:
        lines.append(
            f"Stress: {stress.size:g} SD from day {stress.from_day:g} to day {stress.to_day:g} of treatment, all arms"
        )
    if protocol.published is not None:
        lines.append(f"Published study: {protocol.published}")
    return [*lines, *_above_upper_levels(protocol)]


def _above_upper_levels(protocol: Protocol) -> list[str]:
    from vagus.protocol import products

    lines = []
    for arm in protocol.arms.values():
        for dose in arm.doses:
            item = products()[dose.product]
            level = item.upper_level
            if level is not None and item.above_upper_level(dose.grams_per_day):
                lines.append(
                    f"Note: {dose.text} of {item.name} in arm {arm.id} is above the tolerable upper level, "
                    f"{level.value:g} {level.unit} a day."
                )
    return lines


def _plan(protocol: Protocol) -> list[str]:
    from vagus.trial import outcome

    return [
        f"{item.estimand}: {outcome(item.outcome).label} at {item.visit}, {', '.join(item.arms)} against "
        f"{item.reference}: {item.method} (family {item.family})"
        for item in protocol.plan
    ]
