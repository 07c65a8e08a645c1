"""The numbers of a report as rows of text; the page and the terminal read the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vagus.report.content import ArmBand, AxisDiagram, EndpointRow, Link, Panel, ReportContent, Share
from vagus.report.glyphs import Interval, Scale, scale_for
from vagus.report.wording import (
    DASH,
    NBSP,
    NOT_STATED,
    STATISTICS,
    decimals_for,
    is_number,
    is_ratio,
    write_cell,
    write_interval,
    write_number,
    write_p,
    write_plain,
    write_probability,
    write_sign,
    write_stored,
)

Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class EndpointLine:
    """One contrast, written."""

    arm: str
    contrast: str
    estimate: str
    p_value: str
    p_adjusted: str
    n: str
    simulated_trial: str
    simulated_p: str
    direction: str
    published_contrast: str
    note: str
    interval: Interval
    paths: str


@dataclass(frozen=True)
class EndpointGroup:
    """All contrasts of one outcome at one visit on one small axis."""

    outcome: str
    facts: str
    scale: Scale
    lines: list[EndpointLine]
    shared_contrast: bool


@dataclass(frozen=True)
class EndpointTable:
    """The endpoint table: groups, notes with the published wording, and which columns have anything to show."""

    groups: list[EndpointGroup]
    notes: list[tuple[str, str]]
    has_p: bool
    has_adjusted: bool
    has_simulated: bool
    has_published: bool


def endpoint_table(rows: Sequence[EndpointRow]) -> EndpointTable:
    """Group endpoint rows by outcome, unit, visit and statistic, in the order of first appearance.

    Parameters
    ----------
    rows : sequence of EndpointRow
        Estimates.

    Returns
    -------
    EndpointTable
        Published wording that several rows share appears once, as a lettered note.
    """
    grouped: dict[tuple[str, str, str, str], list[EndpointRow]] = {}
    notes: dict[str, str] = {}
    for row in rows:
        grouped.setdefault((row.outcome_label, row.unit, row.visit, row.statistic), []).append(row)
        wording = row.published.get("as_worded") if row.published else None
        if wording is not None and write_stored(wording) != NOT_STATED:
            notes.setdefault(write_stored(wording), _letter(len(notes)))
    groups = []
    for (outcome, unit, visit, statistic), members in grouped.items():
        reference = 1.0 if is_ratio(statistic) else 0.0
        intervals = [_interval(row) for row in members]
        scale = scale_for(intervals, reference, logarithmic=is_ratio(statistic))
        better = {"higher": "higher is better", "lower": "lower is better"}.get(members[0].benefit, "")
        shown_unit = "" if is_ratio(statistic) else unit
        kind = STATISTICS.get(statistic, statistic.replace("_", " "))
        contrasts = {row.contrast for row in members}
        against = f"against {members[0].contrast}" if len(contrasts) == 1 and members[0].contrast else ""
        measure = f"{kind} in {shown_unit}" if shown_unit else kind
        facts = ", ".join(part for part in (visit, measure, against, better) if part)
        # One precision within a group, that of its narrowest interval, so that rows can be compared.
        places = max(decimals_for(row.ci_low, row.ci_high) for row in members)
        lines = [_endpoint_line(row, item, notes, places) for row, item in zip(members, intervals)]
        groups.append(EndpointGroup(outcome, facts, scale, lines, len(contrasts) == 1))
    return EndpointTable(
        groups,
        [(letter, words) for words, letter in notes.items()],
        any(row.p_value is not None for row in rows),
        any(row.p_adjusted is not None for row in rows),
        any(row.simulated_trial for row in rows),
        any(row.published for row in rows),
    )


def _interval(row: EndpointRow) -> Interval:
    return Interval(row.estimate, row.lo50, row.hi50, row.ci_low, row.ci_high)


def _letter(index: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[index] if index < 26 else _letter(index // 26 - 1) + letters[index % 26]


def _endpoint_line(row: EndpointRow, item: Interval, notes: Mapping[str, str], places: int) -> EndpointLine:
    direction, against, note = "nothing reported", "", ""
    if row.published is not None:
        direction = write_stored(row.published.get("direction"))
        against = write_stored(row.published.get("contrast"))
        note = notes.get(write_stored(row.published.get("as_worded")), "")
    trial = row.simulated_trial or {}
    return EndpointLine(
        row.arm_label,
        row.contrast,
        write_interval(row.estimate, row.ci_low, row.ci_high, places),
        write_p(row.p_value),
        write_p(row.p_adjusted),
        write_number(row.n, 0),
        write_interval(trial.get("estimate"), trial.get("ci_low"), trial.get("ci_high"), places) if trial else DASH,
        "" if trial.get("p_value") is None else write_p(trial["p_value"]),
        direction,
        against,
        note,
        item,
        _write_paths(row.paths),
    )


def _write_paths(paths: Mapping[str, Mapping[str, float]] | None) -> str:
    """Write what each path brings of an effect on a questionnaire."""
    if not paths:
        return ""
    parts = [f"{name} {write_interval(part['mean'], part['low'], part['high'], 2)}" for name, part in paths.items()]
    return f"{'; '.join(parts)} SD"


def axis_table(diagram: AxisDiagram) -> Table:
    """Write the numbers under the axis diagram."""
    head = [
        "Quantity",
        f"Change{NBSP}[95{NBSP}%]",
        f"50{NBSP}% interval",
        "P(rises)",
        "Evidence",
    ]
    body = []
    for node in diagram.nodes:
        places = max(1, min(2, decimals_for(node.lo95, node.hi95)))
        low, high, low95, high95, middle = (
            write_number(value, places, signed=True)
            for value in (node.lo50, node.hi50, node.lo95, node.hi95, node.median)
        )
        grade = node.grade if node.human else f"{node.grade}, not human"
        body.append(
            [
                node.label,
                f"{middle} [{low95}, {high95}] {node.unit}".rstrip(),
                f"{low} to {high}",
                write_probability(node.p_positive),
                grade,
            ]
        )
    return head, body


def panel_table(panel: Panel) -> Table:
    """Write the numbers under a trajectory: each arm at the first treatment day and at the last one."""
    days = sorted({float(day) for arm in panel.arms for day in arm.days})
    if not days:
        return ["Arm"], [[arm.label] for arm in panel.arms]
    start = days[0] if panel.treatment_start is None else float(panel.treatment_start)
    end = days[-1] if panel.treatment_end is None else float(panel.treatment_end)
    first = max((day for day in days if day <= start), default=days[0])
    last = max((day for day in days if day <= end), default=days[-1])
    picked = [first] if first == last else [first, last]
    values = [value for arm in panel.arms for value in (*arm.lo95, *arm.hi95) if is_number(value)]
    places = decimals_for(*values) if values else None
    body = [[arm.label, *(_at_day(arm, day, places) for day in picked)] for arm in panel.arms]
    return ["Arm", *(f"Day {write_plain(day)}" for day in picked)], body


def _at_day(arm: ArmBand, day: float, places: int | None) -> str:
    for index, own in enumerate(arm.days):
        if float(own) == day and is_number(arm.median[index]):
            middle, low, high = (write_number(series[index], places) for series in (arm.median, arm.lo95, arm.hi95))
            return f"{middle} [{low}, {high}]"
    return DASH


def uncertainty_table(shares: Sequence[Share]) -> Table:
    """Write the shares of uncertainty, one row an outcome."""
    components = list(dict.fromkeys(item.component for item in shares))
    outcomes = list(dict.fromkeys(item.outcome_label for item in shares))
    cells = {(item.outcome_label, item.component): item.share for item in shares}
    body = []
    for outcome in outcomes:
        row = [outcome]
        for component in components:
            share = cells.get((outcome, component))
            row.append(DASH if share is None or not is_number(share) else _percent(share))
        body.append(row)
    return ["Outcome", *components], body


def _percent(share: float) -> str:
    return f"<1{NBSP}%" if 0 < share < 0.005 else f"{share * 100:.0f}{NBSP}%"


def link_table(links: Sequence[Link]) -> Table:
    """Write the links and their evidence."""
    body = []
    for link in links:
        prior = link.prior_only if isinstance(link.prior_only, str) else ("yes" if link.prior_only else "no")
        body.append(
            [
                f"{link.source} {write_sign(link.sign)} {link.target}"
                if write_sign(link.sign) != "depends"
                else f"{link.source} acts on {link.target} (sign depends)",
                link.grade,
                "yes" if link.human else "no",
                prior,
                write_stored(link.citation),
            ]
        )
    return ["Link", "Grade", "Human evidence", "Prior only", "Source"], body


def left_out_table(rows: Sequence[tuple[str, str, str]]) -> Table:
    """Write what the articles name and the model leaves out."""
    return ["What the articles name", "In the model", "Why"], [list(row) for row in rows]


def flow_table(flow: Sequence[tuple[str, int, int, int]]) -> Table:
    """Write the participants."""
    return (
        ["Arm", "Randomized", "Completed", "Analyzed"],
        [[arm, *(write_number(number, 0) for number in counts)] for arm, *counts in flow],
    )


def apart_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Write published rows that are no arm effect: every key a column, values as stored."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    body = [
        [write_stored(row.get(key)) if key in ("contrast", "direction") else write_cell(row.get(key)) for key in keys]
        for row in rows
    ]
    return [key.replace("_", " ").capitalize() for key in keys], body


def verdict_facts(content: ReportContent) -> list[str]:
    """Write the probabilities behind the verdict."""
    verdict = content.verdict
    facts = []
    if verdict.p_benefit is not None:
        facts.append(f"P(any benefit) {write_probability(verdict.p_benefit)}")
    if verdict.p_mcid is not None:
        least = "the smallest difference that matters"
        size = least if verdict.mcid is None else f"{write_plain(verdict.mcid)}, {least}"
        facts.append(f"P(benefit ≥ {size}) {write_probability(verdict.p_mcid)}")
    if verdict.mcid_source:
        facts.append(f"Smallest difference that matters: {verdict.mcid_source}")
    return facts


def evidence_facts(content: ReportContent) -> list[str]:
    """Count what the answer rests on."""
    links = content.rests_on.links
    facts = []
    if links:
        human = sum(link.human for link in links)
        grades = ", ".join(
            f"{sum(link.grade == grade for link in links)} grade {grade}"
            for grade in sorted({link.grade for link in links})
        )
        facts.append(f"Links with human evidence: {human} of {len(links)} ({grades}).")
    if content.rests_on.calibrated_on:
        facts.append(f"Calibrated on: {', '.join(content.rests_on.calibrated_on)}.")
    elif content.kind == "simulated":
        facts.append("Calibrated on: no trial.")
    return facts
