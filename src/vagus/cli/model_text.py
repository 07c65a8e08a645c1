"""What ``vagus model`` prints, within the width of the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from vagus.model.formulas import plain_text, write_number

if TYPE_CHECKING:
    from vagus.model.checks import Check, Counts
    from vagus.model.couplings import Coupling
    from vagus.model.scope import Mechanism
    from vagus.report.content import AxisDiagram
    from vagus.simulation.cross_check import CrossCheck

Facts = dict[str, Any]

NARROWEST, WIDEST = 40, 100
#: States and problems that are listed without asking for more.
MOST_STATES, MOST_PROBLEMS = 10, 20
GRADES = {
    "A": "adult trial or experiment",
    "B": "human observation or infant trial",
    "C": "animal or cells",
    "D": "assumed",
}
SIGNS = {"+": "raises", "-": "lowers", "0": "off", "?": "acts on"}


def _width() -> int:
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)


def _put(line: str = "") -> None:
    """Print one line; signs that the stream cannot show are written plainly."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        line.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        line = plain_text(line)
    click.echo(line)


def _say(words: str, indent: int = 0, hanging: int = 0) -> None:
    """Print a paragraph."""
    lines = wrap(
        words,
        _width(),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        _put(line)


def _head(words: str) -> None:
    _put()
    _put(words)


def _grades(counted: dict[str, int]) -> str:
    return ", ".join(f"{grade} {number}" for grade, number in counted.items()) or "none"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _amount(value: float, unit: str) -> str:
    return write_number(value) + ("" if unit == "1" else f" {unit}")


# ---------------------------------------------------------------------- list and show


def print_list(found: Facts) -> None:
    """Print the list of submodels and switches."""
    for row in found["submodels"]:
        whose = "" if row["origin"] == "vagus" else f", {row['origin']}"
        infant = "" if row["axis"] == "adult" else f", {row['axis']}"
        _say(f"{row['submodel']}: {row['title']} [{row['status']}{infant}{whose}]", hanging=2)
        counts = f"{_count(row['states'], 'state')}, {_count(row['variables'], 'variable')}"
        _say(f"{counts}; constants: {_grades(row['parameters'])}", 2, 2)
        _say(f"Form: {row['form']}", 2, 2)
    if found["switches"]:
        _head("Switches (--set model.NAME=on or off)")
        for row in found["switches"]:
            _say(f"{row['name']} [{row['default']}]: {row['description']}", 2, 2)
    provisional = sum(row["status"] != "checked" for row in found["submodels"])
    _put()
    _say(
        f"{len(found['submodels'])} submodels, {provisional} of them provisional: no re-derivation by a second pair of "
        f"eyes agrees yet. Grades: {'; '.join(f'{grade} {words}' for grade, words in GRADES.items())}."
    )


def print_scope(rows: Sequence[Mechanism]) -> None:
    """Print what is modelled and what is not, and why."""
    for treatment in dict.fromkeys(row.treatment for row in rows):
        _head(treatment.capitalize())
        for row in rows:
            if row.treatment == treatment:
                where = f" ({row.submodel})" if row.submodel else ""
                _say(f"{row.mechanism}{where}: {row.reason} [{row.study_id}]", 2, 2)


def print_facts(facts: Facts) -> None:
    """Print what a name stands for."""
    {"submodel": _submodel, "variable": _variable, "parameter": _parameter, "switch": _switch}[facts["kind"]](facts)


def _submodel(facts: Facts) -> None:
    status = facts["status"] + ("" if facts["axis"] == "adult" else f", {facts['axis']}")
    _say(f"{facts['name']}: {facts['title']} [{status}]", hanging=2)
    if facts["origin"] != "vagus":
        _say(f"From {facts['origin']}.", 2, 2)
    if facts["about"]:
        _say(facts["about"], 2)
    _say(f"Form: {facts['form']}", 2, 2)
    if facts["rederivation"]:
        _say(f"Re-derived in {facts['rederivation']}", 2, 2)
    for kind, title in (("rate", "States"), ("value", "Computed"), ("event", "Events")):
        rows = [row for row in facts["equations"] if row["kind"] == kind]
        if rows:
            _head(title)
            for row in rows:
                _equation(row)
    _inputs(facts["inputs"])
    _constants("Constants", facts["parameters"])
    if facts["baseline"]:
        _head("Solved from each person's own baseline")
        for row in facts["baseline"]:
            what = f"{row['baseline_of']} at baseline" if row["baseline_of"] else row["description"]
            _say(f"{row['name']} [{row['unit']}]: {what}", 2, 2)
    _links(facts["couplings"])
    if facts["gives"]:
        _head("Read by")
        for row in facts["gives"]:
            _say(f"{row['to']}: {', '.join(row['names'])}", 2, 2)
    if facts["switches"]:
        _head("Switches")
        for row in facts["switches"]:
            _say(f"{row['name']} [{row['default']}]: {row['description']}", 2, 2)
    _sources(facts["sources"])
    if facts["limits"]:
        _head("What to know, and what is not modelled")
        for text in facts["limits"]:
            _say(text, 2)


def _variable(facts: Facts) -> None:
    unit = "" if facts["unit"] in ("", "1") else f" [{facts['unit']}]"
    _say(f"{facts['name']}{unit}: {facts['description'] or 'an event'} (submodel {facts['submodel']})", hanging=2)
    if facts["identifier"]:
        _say(f"Identifier: {facts['identifier'].replace('|', ', ')}", 2, 2)
    _head("Equation" if len(facts["equations"]) == 1 else "Equations")
    for row in facts["equations"]:
        _equation(row, described=False)
    if facts["reads"]:
        _head("Reads")
        for row in facts["reads"]:
            unit = "" if row["unit"] in ("", "1") else f" [{row['unit']}]"
            _say(f"{row['name']}{unit}: {row['description']}", 2, 2)
    _constants("Constants", facts["parameters"])
    if facts["read_by"]:
        _head("Read by")
        for name, readers in facts["read_by"].items():
            _say(f"{name}: {', '.join(readers)}", 2, 2)
    _sources(facts["sources"])


def _parameter(facts: Facts) -> None:
    _put(f"Constant of the submodel {facts['submodel']}")
    _constant(facts)
    if facts["used_by"]:
        _head("Used in")
        for name, equations in facts["used_by"].items():
            _say(f"{name}: {', '.join(equations)}", 2, 2)
    _links(facts["couplings"])
    if facts["switches"]:
        _head("Switched by")
        for name in facts["switches"]:
            _say(name, 2)
    _sources(facts["sources"])


def _switch(facts: Facts) -> None:
    _say(f"{facts['name']} [{facts['default']} by default]: {facts['description']}", hanging=2)
    values = f"on {write_number(facts['on'])}, off {write_number(facts['off'])}"
    _say(f"Sets {facts['parameter']}: {values}. In a protocol: --set model.{facts['name']}=on or off.", 2, 2)
    _sources(facts["sources"])


def _equation(row: Facts, *, described: bool = True) -> None:
    unit = row["unit"]
    if row["kind"] == "rate":
        unit = "1/d" if unit in ("1", "") else f"{unit}/d"
    shown = f"  [{unit}]" if unit not in ("1", "") else ""
    lines = row["_equation"].lines(_width() - 2)
    if len(lines) == 1 and len(lines[0]) + len(shown) + 2 <= _width():
        _put(f"  {lines[0]}{shown}")
    else:
        first, *rest = lines
        _put(f"  {first}{shown}" if rest else f"  {first}")
        for line in rest:
            _put(f"  {line}")
    if described and row["description"]:
        _say(row["description"], 6)


def _constants(title: str, rows: Iterable[Facts]) -> None:
    rows = list(rows)
    if rows:
        _head(title)
        for row in rows:
            _constant(row)


def _constant(row: Facts) -> None:
    ends = ""
    if row["low"] is not None:
        who = "people differ" if row["varies_between"] == "people" else "uncertain"
        ends = f" ({write_number(_rounded(row['low']))} to {write_number(_rounded(row['high']))} in 95 %, {who})"
    fitted = ", calibrated" if row["calibrated"] else ""
    grade = "" if row["grade"] == "-" else f", grade {row['grade']}"
    _say(f"{row['name']} = {_amount(row['value'], row['unit'])}{ends}{fitted}{grade}, {row['study_id']}", 2, 4)
    _say(row["description"], 6)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _inputs(rows: Sequence[Facts]) -> None:
    if rows:
        _head("Reads from elsewhere")
        for row in rows:
            unit = "" if row["unit"] == "1" else f" [{row['unit']}]"
            _say(f"{row['name']}{unit} of {row['from']}", 2, 2)


def _links(rows: Sequence[Facts]) -> None:
    if rows:
        _head("Links")
        for row in rows:
            _say(f"{_link(row)}: {row['description']}", 2, 2)


def _link(row: Facts) -> str:
    parts = [f"grade {row['grade']}", row["evidence"], row["status"]]
    return f"{row['source']} {SIGNS[row['sign']]} {row['target']} [{', '.join(parts)}; {row['form']}]"


def _sources(rows: Sequence[Facts]) -> None:
    if rows:
        _head("Sources")
        for row in rows:
            doi = f" doi:{row['doi']}" if row["doi"] else ""
            _say(f"{row['study_id']}: {row['citation']}.{doi}".replace("..", "."), 2, 4)


# ---------------------------------------------------------------------- check


def print_check(check: Check) -> None:
    """Print one check and what does not hold."""
    mark = "ok  " if check.ok else "FAIL"
    value = f"{check.value:.2g} (allowed {check.tolerance:g})" if check.tolerance is not None else check.value
    _say(f"{mark} {check.name}: {value}", hanging=7)
    for problem in check.problems[:MOST_PROBLEMS]:
        _say(str(problem), 5, 2)
    if len(check.problems) > MOST_PROBLEMS:
        _say(f"and {len(check.problems) - MOST_PROBLEMS} more", 5)


def print_counts(counts: Counts, ok: bool) -> None:
    """Print how much there is, and the outcome."""
    _put()
    _say(f"{counts.submodels} submodels, {counts.states} states, {counts.variables} variables", hanging=2)
    constants = sum(counts.parameters.values())
    _say(f"{constants} constants: {_grades(counts.parameters)} (- no biology)", hanging=2)
    _say(f"{sum(counts.couplings.values())} links: {_grades(counts.couplings)}", hanging=2)
    _say("Everything holds." if ok else "Not everything holds.")


# ---------------------------------------------------------------------- diff


def print_difference(facts: Facts) -> None:
    """Print what one library changes against another."""
    for kind, words in (("replaced", "Replaced"), ("added", "Added"), ("removed", "Removed")):
        if facts[kind]:
            _say(f"{words}: {', '.join(facts[kind])}", hanging=2)
    _changes("Equations", facts["equations"], _changed_equation)
    _changes("Start values", facts["starts"], _changed_text)
    _changes("Variables", facts["variables"], _changed_row)
    _changes("Constants", facts["parameters"], _changed_row)
    _changes("Links", facts["couplings"], _changed_link)
    if not any(facts[kind] for kind in ("equations", "starts", "variables", "parameters", "couplings")):
        _say("Nothing that the model reads differs.")


def _changes(title: str, rows: Sequence[Facts], write: Any) -> None:
    if rows:
        _head(title)
        for row in rows:
            write(row)


def _changed_equation(row: Facts) -> None:
    unit = "" if row["unit"] in ("", "1") else f" [{row['unit']}]"
    _say(f"{row['name']}{unit} ({row['submodel']}), {row['change']}", 2, 2)
    for sign, equation in (("-", row["_before"]), ("+", row["_after"])):
        for place, line in enumerate(equation.lines(_width() - 4) if equation else ()):
            _put(f"  {sign if not place else ' '} {line}")


def _changed_text(row: Facts) -> None:
    _say(f"{row['name']} ({row['submodel']}): {row['before'] or 'none'} -> {row['after'] or 'none'}", 2, 4)


def _changed_row(row: Facts) -> None:
    if row["change"] != "changed":
        shown = {column: ends[row["change"] == "added"] for column, ends in row["columns"].items()}
        unit = "" if shown.get("unit", "1") == "1" else f" {shown['unit']}"
        value = f" = {shown['value']}{unit}" if "value" in shown else ""
        grade = f", grade {shown['grade']}" if "grade" in shown else ""
        text = f"{row['name']}{value}{grade} ({row['submodel']}), {row['change']}: {shown.get('description', '')}"
        _say(text, 2, 4)
        return
    parts = [f"{column} {before or 'none'} -> {after or 'none'}" for column, (before, after) in row["columns"].items()]
    _say(f"{row['name']} ({row['submodel']}): {'; '.join(parts)}", 2, 4)


def _changed_link(row: Facts) -> None:
    parts = [f"{column} {before or 'none'} -> {after or 'none'}" for column, (before, after) in row["columns"].items()]
    _say(f"{row['source']} -> {row['target']}, {row['change']}: {'; '.join(parts)}", 2, 4)


def print_responses(rows: Sequence[Facts], dose: str, weeks: int) -> None:
    """Print the typical adult under both models side by side."""
    _head(f"Typical adult, {dose}, week {weeks}")
    wide = max(len(row["quantity"]) for row in rows)
    _put(f"  {'':<{wide}}  {'without':^17}  {'change, SD':^15}")
    _put(f"  {'':<{wide}} {'shipped':>8} {'own':>8}  {'shipped':>7} {'own':>7}")
    for row in rows:
        first, second = row["shipped"], row["own"]
        levels = f"{_level(first['without']):>8} {_level(second['without']):>8}"
        _put(f"  {row['quantity']:<{wide}} {levels}  {first['change_sd']:>+7.3f} {second['change_sd']:>+7.3f}")


def _level(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"


# ---------------------------------------------------------------------- map and cross-check


def print_map(diagram: AxisDiagram, links: Sequence[Coupling]) -> None:
    """Print all links by what they act on, in the order of the diagram."""
    labels = {node.id: node.label for node in diagram.nodes}
    for column in diagram.columns:
        nodes = [node for node in diagram.nodes if node.column == column]
        _head(column)
        for node in nodes:
            into = [link for link in links if link.target == node.id]
            _say(node.label, 2, 2)
            for link in into:
                words = f"{SIGNS[link.sign]} it" if link.sign != "0" else "does not act on it (off)"
                kind = f"{link.grade}, {link.evidence}, {link.status}"
                _say(f"<- {labels.get(link.source, link.source)} {words} [{kind}]", 4, 3)
    counted = {grade: sum(link.grade == grade for link in links) for grade in GRADES}
    _put()
    _say(f"{len(links)} links: {_grades(counted)}. {'; '.join(f'{grade} {words}' for grade, words in GRADES.items())}.")


def print_cross_check(found: CrossCheck) -> None:
    """Print how far the two integrators are apart."""
    from vagus.simulation.cross_check import ALLOWED

    words = "within" if found.ok else "NOT within"
    _say(
        f"Largest difference from libRoadRunner {found.peer}: {found.worst:.2e}, {words} {ALLOWED:g} "
        f"({len(found.states)} states, {len(found.days)} noons)."
    )
    rows = found.by_state()[:MOST_STATES]
    wide = max(len(name) for name, _, _ in rows)
    for name, size, day in rows:
        _put(f"  {name:<{wide}} {size:.2e}  day {day:g}")
