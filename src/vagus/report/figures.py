"""Figures as data: Vega-Lite specs in plain dicts, and their SVG.

Every place is computed here (ticks, ranges, labels), with `autosize: none`: the picture does not depend on the fonts of
the machine that draws it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from vagus.report.content import ArmBand, Panel, ReportContent, Share
from vagus.report.scales import day_ticks, spread_apart, ticks_between
from vagus.report.style import COMPONENTS, FONT, HAIR, INK, MUTED, PAPER, arm_colors, text_width, wrap
from vagus.report.wording import is_number

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
VEGA_LITE = "6.4"
PANEL_WIDTH, PANEL_HEIGHT = 250.0, 190.0
LABEL_ROOM, LEFT, TOP, BOTTOM = 118.0, 44.0, 22.0, 44.0
LABEL_SIZE, LABEL_LINE = 12.0, 13.0
FEW_DAYS = 8
BAR_WIDTH = 400.0

Spec = dict[str, Any]


def figure_specs(content: ReportContent) -> dict[str, Spec]:
    """Return every Vega-Lite figure of a report.

    Parameters
    ----------
    content : ReportContent
        What the report says.

    Returns
    -------
    dict of str to dict
        ``trajectory-1-<outcome>``, ... and ``uncertainty``, each a complete Vega-Lite 6 spec with its data inline. A
        figure without data is absent.
    """
    specs: dict[str, Spec] = {}
    for index, panel in enumerate(content.trajectories, start=1):
        if any(_drawable(arm) for arm in panel.arms):
            specs[panel_name(index, panel)] = _trajectory_spec(panel, chosen_arm(content, panel))
    if any(is_number(item.share) for item in content.uncertainty):
        specs["uncertainty"] = _uncertainty_spec(content.uncertainty)
    return specs


def panel_name(index: int, panel: Panel) -> str:
    """Return the name of a trajectory figure: lower case, digits and hyphens only."""
    slug = re.sub(r"[^a-z0-9]+", "-", panel.title.lower()).strip("-")
    return f"trajectory-{index}-{slug or 'outcome'}"


def chosen_arm(content: ReportContent, panel: Panel) -> str:
    """Return the id of the arm whose band is drawn beside the control's."""
    active = [arm.arm for arm in panel.arms if not arm.is_control]
    if content.chosen_arm in active:
        return content.chosen_arm
    return active[0] if active else ""


def render_svgs(content: ReportContent) -> dict[str, str]:
    """Draw every figure of `figure_specs` as SVG that can stand beside others on one page.

    Parameters
    ----------
    content : ReportContent
        What the report says.

    Returns
    -------
    dict of str to str
        One ``svg`` element a figure; its ids start with the figure's name, its size follows the page.
    """
    specs = figure_specs(content)
    if not specs:
        return {}
    import vl_convert

    drawn = {}
    for name, spec in specs.items():
        svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
        drawn[name] = _fit_page(svg, name, str(spec["description"]))
    return drawn


def _fit_page(svg: str, name: str, words: str) -> str:
    """Give an SVG of Vega its own ids and a name, and take off what only a scripted chart needs."""

    def clean(tag: re.Match[str]) -> str:
        text = re.sub(r' (?:class|role|aria-[a-z]+)="[^"]*"', "", tag.group())
        text = re.sub(r' id="([^"]+)"', rf' id="{name}-\1"', text)
        text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
        return re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)

    # Only inside tags: words of a label stay as they are.
    svg = re.sub(r"<[^>]*>", clean, svg)
    head, rest = svg.split(">", 1)
    size = re.search(r'viewBox="[^"]+"', head)
    if size is None:
        raise RuntimeError("vl-convert returned an SVG without a viewBox; its version does not fit this program")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size.group()} '
        f'role="img" aria-label="{escape(words)}">{rest}'
    )


def _drawable(arm: ArmBand) -> bool:
    return any(is_number(value) for value in arm.median)


def _round(value: float) -> float:
    return float(f"{float(value):.6g}")


def is_sparse(panel: Panel) -> bool:
    """Tell whether a panel has so few days that intervals are drawn as bars at visits instead of bands."""
    return max((len(arm.days) for arm in panel.arms), default=0) <= FEW_DAYS


def _config() -> Spec:
    return {
        "aria": False,
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": MUTED,
            "labelFontSize": 12,
            "labelFontWeight": "normal",
            "labelOverlap": False,
            "domain": False,
            "ticks": False,
            "gridColor": HAIR,
            "gridWidth": 0.7,
            "titleColor": MUTED,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
    }


# ---------------------------------------------------------------- trajectories


def _trajectory_spec(panel: Panel, chosen: str) -> Spec:
    arms = [arm for arm in panel.arms if _drawable(arm)]
    colors = arm_colors(panel.arms)
    sparse = is_sparse(panel)
    shown = [arm for arm in arms if sparse or arm.is_control or arm.arm == chosen]
    values = [value for arm in arms for value in arm.median if is_number(value)]
    values += [v for arm in shown for v in (*arm.lo95, *arm.hi95, *arm.lo50, *arm.hi50) if is_number(v)]
    y_ticks = ticks_between(min(values), max(values))
    days = [float(day) for arm in arms for day in arm.days]
    room = (max(days) - min(days) or 1.0) * 0.04 if sparse else 0.0
    first, last = min(days) - room, max(days) + room
    if first == last:
        first, last = first - 1, last + 1
    x = {
        "field": "day",
        "type": "quantitative",
        "scale": {"domain": [first, last], "nice": False, "zero": False},
        "axis": {
            "values": day_ticks(min(days), max(days)),
            "grid": False,
            "ticks": True,
            "tickColor": HAIR,
            "domain": True,
            "domainColor": HAIR,
            "title": panel.day_axis,
            "titleAnchor": "start",
            "titleX": 0,
            "titleY": 26,
            "titleAlign": "left",
            "titleBaseline": "top",
            "labelFlush": False,
        },
    }
    y = {
        "type": "quantitative",
        "scale": {"domain": [y_ticks[0], y_ticks[-1]], "nice": False, "zero": False},
        "axis": {"values": y_ticks, "title": None, "labelPadding": 6},
    }
    layers = _treatment_layers(panel, first, last)
    # At visits the arms stand side by side, so that bars do not hide each other.
    step = (last - first) * 0.018 if sparse else 0.0
    shifts = {arm.arm: (index - (len(arms) - 1) / 2) * step for index, arm in enumerate(arms)}
    for arm in sorted(shown, key=lambda item: not item.is_control):
        layers += (_bar_layers if sparse else _band_layers)(arm, colors[arm.arm], shifts[arm.arm])
    for arm in sorted(arms, key=lambda item: (item.arm == chosen, item.is_control)):
        wide = 2.2 if arm.is_control or arm.arm == chosen else 1.4
        layers.append(_line_layer(arm, colors[arm.arm], 1.2 if sparse else wide, shifts[arm.arm]))
    if sparse:
        layers += [_dot_layer(arm, colors[arm.arm], shifts[arm.arm]) for arm in arms]
    layers += _label_layers(arms, colors, shifts, (y_ticks[0], y_ticks[-1]), (first, last))
    unit = f" ({panel.unit})" if panel.unit else ""
    words = f"{panel.title}{unit} over time, by arm: {', '.join(arm.label for arm in arms)}"
    return {
        "$schema": SCHEMA,
        "description": words,
        "width": PANEL_WIDTH,
        "height": PANEL_HEIGHT,
        "autosize": {"type": "none"},
        "padding": {"left": LEFT, "right": LABEL_ROOM, "top": TOP, "bottom": BOTTOM},
        "encoding": {"x": x, "y": y},
        "layer": layers,
        "config": _config(),
    }


def _rows(arm: ArmBand, names: Sequence[str], shift: float = 0.0) -> list[Spec]:
    """Return one row a day that has all of the named series; a series of another length is absent."""
    series = {name: getattr(arm, name) for name in names}
    if any(len(values) != len(arm.days) for values in series.values()):
        return []
    return [
        {"day": _round(day + shift)} | {name: _round(values[index]) for name, values in series.items()}
        for index, day in enumerate(arm.days)
        if all(is_number(values[index]) for values in series.values())
    ]


def _band_layers(arm: ArmBand, color: str, shift: float) -> list[Spec]:
    return _range_layers(arm, shift, {"type": "area", "color": color}, "opacity", (0.15, 0.25))


def _bar_layers(arm: ArmBand, color: str, shift: float) -> list[Spec]:
    return _range_layers(arm, shift, {"type": "rule", "color": color}, "strokeWidth", (1.2, 3.6))


def _range_layers(arm: ArmBand, shift: float, mark: Spec, strength: str, values: tuple[float, float]) -> list[Spec]:
    layers = []
    for (low, high), value in zip((("lo95", "hi95"), ("lo50", "hi50")), values):
        rows = _rows(arm, (low, high), shift)
        if rows:
            layers.append(
                {
                    "data": {"values": rows},
                    "mark": mark | {strength: value},
                    "encoding": {"y": {"field": low}, "y2": {"field": high}},
                }
            )
    return layers


def _line_layer(arm: ArmBand, color: str, wide: float, shift: float) -> Spec:
    return {
        "data": {"values": _rows(arm, ("median",), shift)},
        "mark": {"type": "line", "color": color, "strokeWidth": wide},
        "encoding": {"y": {"field": "median"}},
    }


def _dot_layer(arm: ArmBand, color: str, shift: float) -> Spec:
    dot = {"type": "point", "filled": True, "fill": PAPER, "stroke": color, "strokeWidth": 1.6, "size": 36}
    return {
        "data": {"values": _rows(arm, ("median",), shift)},
        "mark": dot | {"opacity": 1},
        "encoding": {"y": {"field": "median"}},
    }


def _treatment_layers(panel: Panel, first: float, last: float) -> list[Spec]:
    days = [day for day in (panel.treatment_start, panel.treatment_end) if day is not None]
    marks = [float(day) for day in days if first <= day <= last]
    if not marks:
        return []
    layers: list[Spec] = [
        {
            "data": {"values": [{"day": _round(day)} for day in marks]},
            "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3], "strokeWidth": 1},
            "encoding": {"y": {"value": 0}, "y2": {"value": PANEL_HEIGHT}},
        }
    ]
    per_day = PANEL_WIDTH / (last - first)
    words = ["treatment starts" if day == panel.treatment_start else "treatment ends" for day in marks]
    if len(marks) == 2 and text_width(words[0], 11) + 6 > (marks[1] - marks[0]) * per_day:
        words = ["treatment", ""]
    for day, text in zip(marks, words):
        # Right of the line where there is room (the space of the labels included), else up to it.
        room = PANEL_WIDTH + LABEL_ROOM - (day - first) * per_day
        layers.append(
            {
                "data": {"values": [{"day": _round(day), "words": text}]},
                "mark": {
                    "type": "text",
                    "align": "left" if text_width(text, 11) <= room else "right",
                    "baseline": "bottom",
                    "fontSize": 11,
                    "color": MUTED,
                },
                "encoding": {"y": {"value": -6}, "text": {"field": "words", "type": "nominal"}},
            }
        )
    return layers


def _label_layers(
    arms: Sequence[ArmBand],
    colors: dict[str, str],
    shifts: dict[str, float],
    y_range: tuple[float, float],
    x_range: tuple[float, float],
) -> list[Spec]:
    """Name each arm at the end of its line; labels move apart and keep a thin leader."""
    low, high = y_range
    first, last = x_range
    per_px = (high - low) / PANEL_HEIGHT
    ends = []
    for arm in arms:
        day, value = [(d, m) for d, m in zip(arm.days, arm.median) if is_number(m)][-1]
        ends.append((float(day) + shifts[arm.arm], float(value)))
    texts = [wrap(arm.label, LABEL_ROOM - 16, LABEL_SIZE, 600) for arm in arms]
    wanted = [(high - value) / per_px for _, value in ends]
    sizes = [len(lines) * LABEL_LINE + 3 for lines in texts]
    centers = spread_apart(wanted, sizes, -10.0, PANEL_HEIGHT + 10.0)
    layers: list[Spec] = []
    lead = (last - first) * 10 / PANEL_WIDTH
    for arm, (day, value), lines, center in zip(arms, ends, texts, centers):
        at = high - center * per_px
        color = colors[arm.arm]
        layers.append(
            {
                "data": {
                    "values": [
                        {"day": _round(day), "y": _round(value)},
                        {"day": _round(last + lead), "y": _round(at)},
                    ]
                },
                "mark": {"type": "line", "color": color, "strokeWidth": 0.8},
                "encoding": {"y": {"field": "y"}},
            }
        )
        for index, line in enumerate(lines):
            row = at - (index - (len(lines) - 1) / 2) * LABEL_LINE * per_px
            layers.append(
                {
                    "data": {"values": [{"day": _round(last + lead), "y": _round(row), "words": line}]},
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "baseline": "middle",
                        "dx": 4,
                        "fontSize": LABEL_SIZE,
                        "fontWeight": 600,
                        "color": color,
                    },
                    "encoding": {"y": {"field": "y"}, "text": {"field": "words", "type": "nominal"}},
                }
            )
    return layers


# ---------------------------------------------------------------- uncertainty


def component_colors(shares: Sequence[Share]) -> dict[str, tuple[str, str]]:
    """Return fill and ink of each component in the order of first appearance."""
    names = list(dict.fromkeys(item.component for item in shares))
    return {name: COMPONENTS[index % len(COMPONENTS)] for index, name in enumerate(names)}


def _uncertainty_spec(shares: Sequence[Share]) -> Spec:
    colors = component_colors(shares)
    outcomes = list(dict.fromkeys(item.outcome_label for item in shares))
    key_rows = (len(colors) + 2) // 3
    key_height = 20.0 * key_rows + 8
    row_height = 44.0
    height = key_height + row_height * len(outcomes)
    bars: list[Spec] = []
    names: list[Spec] = []
    for row, outcome in enumerate(outcomes):
        top = key_height + row * row_height
        names.append({"x": 0.0, "y": top + 12, "words": outcome})
        start = 0.0
        for item in shares:
            if item.outcome_label != outcome or not is_number(item.share) or item.share <= 0:
                continue
            fill, ink = colors[item.component]
            width = item.share * BAR_WIDTH
            words = f"{item.share * 100:.0f}\u00a0%"
            bars.append(
                {
                    "x": _round(start),
                    "x2": _round(start + width),
                    "y": top + 19,
                    "y2": top + 37,
                    "fill": fill,
                    "ink": ink,
                    "middle": _round(start + width / 2),
                    "middle_y": top + 28,
                    "words": words if text_width(words, 12) + 6 <= width else "",
                }
            )
            start += width
    key = [
        {
            "x": (index % 3) * BAR_WIDTH / 3,
            "y": 8.0 + 20 * (index // 3),
            "words": name,
            "fill": colors[name][0],
        }
        for index, name in enumerate(colors)
    ]
    plain = {"type": "quantitative", "axis": None}
    text = {"field": "words", "type": "nominal"}

    def color(field: str) -> Spec:
        return {"field": field, "type": "nominal", "scale": None, "legend": None}

    return {
        "$schema": SCHEMA,
        "description": f"Share of each source of uncertainty for: {', '.join(outcomes)}",
        "width": BAR_WIDTH,
        "height": height,
        "autosize": {"type": "none"},
        "padding": {"left": 1, "right": 9, "top": 2, "bottom": 2},
        "encoding": {
            "x": plain | {"field": "x", "scale": {"domain": [0, BAR_WIDTH], "nice": False, "zero": False}},
            "y": plain | {"field": "y", "scale": {"domain": [height, 0], "nice": False, "zero": False}},
        },
        "layer": [
            {
                "data": {"values": bars},
                "mark": {"type": "rect", "stroke": PAPER, "strokeWidth": 1},
                "encoding": {"x2": {"field": "x2"}, "y2": {"field": "y2"}, "fill": color("fill")},
            },
            {
                "data": {"values": bars},
                "mark": {"type": "text", "fontSize": 12, "baseline": "middle"},
                "encoding": {
                    "x": {"field": "middle"},
                    "y": {"field": "middle_y"},
                    "text": text,
                    "color": color("ink"),
                },
            },
            {
                "data": {"values": names},
                "mark": {"type": "text", "align": "left", "fontSize": 13, "color": INK},
                "encoding": {"text": text},
            },
            {
                "data": {"values": key},
                "mark": {"type": "point", "shape": "square", "filled": True, "size": 130, "xOffset": 7, "opacity": 1},
                "encoding": {"fill": color("fill")},
            },
            {
                "data": {"values": key},
                "mark": {"type": "text", "align": "left", "dx": 18, "fontSize": 12, "color": MUTED},
                "encoding": {"text": text},
            },
        ],
        "config": _config(),
    }
