"""The report as one HTML file: figures, tables, style and font inside, no script, no request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vagus import resources
from vagus.report import tables
from vagus.report.axis import axis_scale, axis_svg, node_interval, node_tint, node_value
from vagus.report.content import AxisDiagram, Citation, Panel, ReportContent
from vagus.report.figures import is_sparse, panel_name, render_svgs
from vagus.report.glyphs import Interval, Scale, interval_svg
from vagus.report.style import DARK, font_faces
from vagus.report.wording import FOOTER, list_words, write_number

if TYPE_CHECKING:
    from markupsafe import Markup


def render_html(content: ReportContent) -> str:
    """Write a report as one self-contained HTML file.

    Parameters
    ----------
    content : ReportContent
        What the report says.

    Returns
    -------
    str
        The page. Equal content gives equal text on one machine. Everything a person wrote is escaped.

    Raises
    ------
    ValueError
        The axis diagram names a node or column that it does not have.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(resources.text("report", "templates", "report.html"))
    svgs = render_svgs(content)
    endpoints = tables.endpoint_table(content.endpoints)
    simulated = content.kind == "simulated"
    view: dict[str, Any] = {
        "content": content,
        "css": Markup(_style_sheet()),
        "kind": "Simulated trial" if simulated else "Trial data",
        "simulated": simulated,
        "verdict_facts": tables.verdict_facts(content),
        "evidence_facts": tables.evidence_facts(content),
        "sections": _sections(content),
        "panels": _panels(content, svgs),
        "band_words": _band_words(content.trajectories),
        "endpoints": endpoints,
        "endpoint_words": _endpoint_words(
            simulated, endpoints.has_simulated, any(row.lo50 is not None for row in content.endpoints)
        ),
        "endpoint_groups": _endpoint_groups(endpoints.groups),
        "endpoint_columns": 4
        + sum((endpoints.has_p, endpoints.has_adjusted, endpoints.has_simulated, endpoints.has_published)),
        "apart_table": tables.apart_table(content.published_apart) if content.published_apart else None,
        "uncertainty_svg": Markup(svgs.get("uncertainty", "")),
        "uncertainty_table": tables.uncertainty_table(content.uncertainty),
        "left_out_table": tables.left_out_table(content.left_out) if content.left_out else None,
        "flow_table": tables.flow_table(content.flow),
        "link_table": tables.link_table(content.rests_on.links),
        "citations": [_citation(item) for item in content.citations],
        "footer": FOOTER,
    }
    if content.axis is not None:
        view |= _axis_view(content.axis)
    return template.render(view)


def _sections(content: ReportContent) -> list[dict[str, str]]:
    parts = [
        ("axis", "Along the axis", content.axis is not None),
        ("trajectories", "Over time, by arm", bool(content.trajectories)),
        ("endpoints", "Endpoints", bool(content.endpoints or content.published_apart)),
        ("uncertainty", "Where the uncertainty comes from", bool(content.uncertainty)),
        ("participants", "Participants", bool(content.flow)),
        ("methods", "Methods", bool(content.methods)),
        ("limits", "Limits", bool(content.limits)),
        ("evidence", "Evidence behind each link", bool(content.rests_on.links)),
        ("sources", "Sources", bool(content.citations)),
        ("provenance", "Provenance", bool(content.provenance)),
    ]
    return [{"id": name, "title": title} for name, title, present in parts if present]


def _style_sheet() -> str:
    # Figures carry light colors as attributes; on a dark screen each is replaced by its twin.
    dark = [
        ":root { --paper: #12181e; --ink: #e8ebee; --muted: #a9b3bd; --hair: #39434d; --accent: #7cb8e4; "
        "--frame: #c9a24a; }"
    ]
    for light, twin in DARK.items():
        dark.append(f'svg [fill="{light}"] {{ fill: {twin}; }}')
        dark.append(f'svg [stroke="{light}"] {{ stroke: {twin}; }}')
    rules = "\n".join(f"  {rule}" for rule in dark)
    return "\n".join(
        [
            font_faces(),
            resources.text("report", "templates", "report.css"),
            f"@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}",
        ]
    )


def _axis_view(diagram: AxisDiagram) -> dict[str, Any]:
    from markupsafe import Markup

    scale = axis_scale(diagram)
    columns = []
    for title in diagram.columns:
        nodes = []
        for node in diagram.nodes:
            if node.column != title:
                continue
            tint, opacity = node_tint(node)
            nodes.append(
                {
                    "label": node.label,
                    "grade": node.grade,
                    "human": node.human,
                    "value": node_value(node),
                    "glyph": _glyph(node_interval(node), scale, 104.0, 18.0),
                    "tint": Markup(
                        '<svg aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 1 1">'
                        f'<rect width="1" height="1" fill="{tint}" fill-opacity="{opacity:g}"/></svg>'
                    ),
                }
            )
        if nodes:
            columns.append({"title": title, "nodes": nodes})
    return {
        "axis_svg": Markup(axis_svg(diagram)),
        "axis_list": columns,
        "axis_end": write_number(scale.high, 1),
        "axis_unit": next((node.unit for node in diagram.nodes), ""),
        "axis_table": tables.axis_table(diagram),
    }


def _glyph(item: Interval, scale: Scale, width: float = 140.0, height: float = 14.0) -> Markup:
    from markupsafe import Markup

    # Room beyond both ends, so that a dot at the edge is drawn whole.
    drawing = interval_svg(item, scale, width - 20, height, 10, 0)
    return Markup(f'<svg aria-hidden="true" class="interval" viewBox="0 0 {width:g} {height:g}">{drawing}</svg>')


def _panels(content: ReportContent, svgs: dict[str, str]) -> list[dict[str, Any]]:
    from markupsafe import Markup

    return [
        {
            "title": panel.title,
            "unit": panel.unit,
            "svg": Markup(svgs.get(panel_name(index, panel), "")),
            "table": tables.panel_table(panel),
            "caption": f"{panel.center.capitalize()} [95\u00a0%] {panel.band}",
        }
        for index, panel in enumerate(content.trajectories, start=1)
    ]


def _band_words(panels: Sequence[Panel]) -> str:
    if not panels:
        return ""
    meanings = {
        "of means": "intervals of means: how uncertain the mean of an arm is, not how people differ",
        "of people": "intervals of people: how persons differ, not how uncertain the mean is",
    }
    centers = list_words(list(dict.fromkeys(f"{panel.center}s" for panel in panels)))
    halves = any(len(arm.lo50) for panel in panels for arm in panel.arms)
    thick = "thick bars hold 50\u00a0%, thin bars 95\u00a0%" if halves else "bars hold 95\u00a0%"
    drawn = (
        f"Hollow dots are {centers} at visits; {thick}."
        if all(is_sparse(panel) for panel in panels)
        else f"Lines are {centers}; the darker band holds 50\u00a0%, the paler 95\u00a0%. Bands are drawn for control "
        "and one arm only; the table gives every arm."
    )
    kinds = list(dict.fromkeys(panel.band for panel in panels))
    if len(kinds) == 1:
        return f"{drawn} These are {meanings[kinds[0]]}."
    named = [
        f"{list_words([panel.title for panel in panels if panel.band == kind])}: {meanings[kind]}" for kind in kinds
    ]
    return f"{drawn} {'. '.join(named)}."


def _endpoint_words(simulated: bool, one_trial: bool, halves: bool) -> str:
    bars = (
        "thick and thin bar: estimate, 50\u00a0% and 95\u00a0% interval"
        if halves
        else "bar: estimate, 95\u00a0% interval"
    )
    shared = f"Hollow dot, {bars}, on one scale within an outcome; the upright line marks no difference."
    if not simulated:
        return shared
    trial = " “One simulated trial” is what a single trial of the planned size found." if one_trial else ""
    return f"{shared}{trial} Published results stand beside the prediction exactly as stored, without correction."


def _endpoint_groups(groups: Sequence[tables.EndpointGroup]) -> list[dict[str, Any]]:
    return [
        {
            "outcome": group.outcome,
            "facts": group.facts,
            "shared_contrast": group.shared_contrast,
            "lines": [vars(line) | {"glyph": _glyph(line.interval, group.scale)} for line in group.lines],
        }
        for group in groups
    ]


def _citation(item: Citation) -> dict[str, str]:
    doi = item.doi.strip().removeprefix("https://doi.org/").removeprefix("doi:")
    return {
        "key": item.key,
        "text": item.text,
        "reason": item.reason,
        "doi": doi,
        "href": f"https://doi.org/{quote(doi, safe='/()')}" if doi else "",
    }
