"""The axis diagram: boxes in columns, arrows routed around them, one interval a box."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from vagus.report.content import AxisDiagram, AxisEdge, AxisNode
from vagus.report.glyphs import Interval, Scale, interval_svg
from vagus.report.style import FALLS, FONT, INK, MUTED, NEUTRAL, PAPER, RISES, font_faces, text_width, wrap
from vagus.report.wording import decimals_for, is_number, sign_of, write_number

WIDTH = 840.0
HEAD = 26.0
GAP_Y = 20.0
LEGEND = 46.0
#: Height of a box beside its label, with results and without.
ROOM, ROOM_WITHOUT = 42.0, 26.0
LINE_WIDTH = {"A": 2.2, "B": 1.7, "C": 1.2, "D": 0.9}
WIDEST_SCALE = 1.5
NARROWEST_SCALE = 0.5


@dataclass(frozen=True)
class _Box:
    node: AxisNode
    column: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        return self.x + self.width


@dataclass(frozen=True)
class _Grid:
    boxes: dict[str, _Box]
    columns: list[list[_Box]]
    lefts: list[float]
    width: float
    gap: float
    height: float


def axis_scale(diagram: AxisDiagram) -> Scale:
    """Return the one small axis that all boxes share.

    It is symmetric and holds every interval, yet never wider than ±1.5: one large change must not flatten the small
    ones; what lies beyond ends in an arrow head.

    Parameters
    ----------
    diagram : AxisDiagram
        The axis.

    Returns
    -------
    Scale
        From minus to plus the same value.
    """
    ends = [abs(value) for node in diagram.nodes for value in (node.lo95, node.hi95) if is_number(value)]
    largest = max(ends, default=0.0)
    end = min(max(largest * 1.04, NARROWEST_SCALE), WIDEST_SCALE)
    return Scale(-end, end, 0.0)


def node_interval(node: AxisNode) -> Interval:
    """Return the interval of a node for the glyph."""
    return Interval(node.median, node.lo50, node.hi50, node.lo95, node.hi95)


def node_value(node: AxisNode) -> str:
    """Write a node's change, for example ``+0.82 SD``."""
    places = max(1, min(2, decimals_for(node.lo95, node.hi95)))
    return f"{write_number(node.median, places, signed=True)} {node.unit}".rstrip()


def node_tint(node: AxisNode) -> tuple[str, float]:
    """Return the color of a node and its opacity, which falls as the sign becomes uncertain."""
    if not is_number(node.p_positive):
        return NEUTRAL, 0.06
    certainty = abs(2 * node.p_positive - 1)
    return (RISES if node.p_positive >= 0.5 else FALLS), round(0.06 + 0.40 * certainty, 3)


def axis_svg(diagram: AxisDiagram, *, results: bool = True, alone: bool = False) -> str:
    """Draw the axis diagram.

    Parameters
    ----------
    diagram : AxisDiagram
        Columns, nodes and edges; an edge to an unknown node is an error.
    results : bool
        Without them the boxes hold names and evidence alone.
    alone : bool
        For a file of its own, which then holds the font: labels fill their boxes.

    Returns
    -------
    str
        One ``svg`` element of 840 px width without ids, scripts or references; light colors as attributes.

    Raises
    ------
    ValueError
        A node stands in no column, or an edge names an unknown node.
    """
    grid = _lay_out(diagram, ROOM if results else ROOM_WITHOUT)
    scale = axis_scale(diagram)
    height = grid.height + LEGEND
    words = f"Axis diagram: {diagram.caption}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(words)}" font-family="{escape(FONT)}">'
    ]
    if alone:
        parts.append(f"<style>{font_faces()}</style>")
    for title, left in zip(diagram.columns, grid.lefts):
        for index, line in enumerate(wrap(title, grid.width + grid.gap * 0.6, 11.5, 600)):
            parts.append(_text(left + 1, 10 + 12 * index, line, 11.5, MUTED, weight=600))
    parts += _draw_edges(diagram.edges, grid)
    for node in diagram.nodes:
        parts += _draw_box(grid.boxes[node.id], scale if results else None)
    parts += _draw_legend(grid.height + 10, scale if results else None, diagram)
    parts.append("</svg>")
    return "".join(parts)


def _lay_out(diagram: AxisDiagram, room: float) -> _Grid:
    strangers = [node.id for node in diagram.nodes if node.column not in diagram.columns]
    ids = {node.id for node in diagram.nodes}
    loose = [name for edge in diagram.edges for name in (edge.source, edge.target) if name not in ids]
    if strangers or loose:
        raise ValueError(
            "Every node of the axis must stand in one of the columns and every edge must name two nodes; "
            f"got nodes without a column: {strangers}, unknown ends of edges: {sorted(set(loose))}"
        )
    many = max(len(diagram.columns), 1)
    gap = 46.0 if many <= 5 else 38.0 if many == 6 else 30.0
    by_column = [[node for node in diagram.nodes if node.column == title] for title in diagram.columns]
    column_of = {node.id: node.column for node in diagram.nodes}
    # Arrows inside the last column bulge to its right.
    bulge = any(column_of[e.source] == column_of[e.target] == diagram.columns[-1] for e in diagram.edges)
    span = WIDTH - 2 - (26 if bulge else 0)
    width = min((span - gap * (many - 1)) / many, 170.0)
    gap = (span - width * many) / (many - 1) if many > 1 else gap
    heights = {node.id: room + 14 * len(wrap(node.label, width - 16, 12, 600, lines=3)) for node in diagram.nodes}
    tall = [sum(heights[n.id] for n in nodes) + max(len(nodes) - 1, 0) * GAP_Y for nodes in by_column]
    head = HEAD + (12 if any(len(wrap(t, width + gap * 0.6, 11.5, 600)) > 1 for t in diagram.columns) else 0)
    total = max(tall, default=0.0)
    boxes: dict[str, _Box] = {}
    columns: list[list[_Box]] = []
    lefts = [1 + index * (width + gap) for index in range(many)]
    for index, nodes in enumerate(by_column):
        top = head + (total - tall[index]) / 2
        column = []
        for node in nodes:
            column.append(_Box(node, index, lefts[index], top, width, heights[node.id]))
            top += heights[node.id] + GAP_Y
        columns.append(column)
        boxes |= {box.node.id: box for box in column}
    # Room above and below for arrows that pass a full column.
    return _Grid(boxes, columns, lefts, width, gap, head + total + 14)


def _draw_box(box: _Box, scale: Scale | None) -> list[str]:
    node = box.node
    tint, opacity = node_tint(node)
    dashes = "" if node.human else ' stroke-dasharray="4 3"'
    shape = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="4"'
    parts = [
        f'<rect {shape} fill="{PAPER}"/>',
        f'<rect {shape} fill="{tint}" fill-opacity="{opacity:g}" stroke="{MUTED if dashes else NEUTRAL}" '
        f'stroke-width="{1.2 if dashes else 0.7}"{dashes}/>',
    ]
    lines = wrap(node.label, box.width - 16, 12, 600, lines=3)
    for index, line in enumerate(lines):
        parts.append(_text(box.x + 8, box.y + 16 + 14 * index, line, 12, INK, weight=600))
    base = box.y + 17 + 14 * len(lines)
    if scale is None:
        return [*parts, _text(box.x + 8, base, f"evidence {node.grade}", 10.5, INK)] if node.grade else parts
    value = node_value(node)
    parts.append(_text(box.x + 8, base, value, 11.5, INK))
    evidence = f"evidence {node.grade}"
    if text_width(value, 11.5) + text_width(evidence, 10.5) > box.width - 22:
        evidence = node.grade
    parts.append(_text(box.right - 8, base, evidence, 10.5, INK, anchor="end"))
    parts.append(interval_svg(node_interval(node), scale, box.width - 30, 13, box.x + 15, base + 5))
    return parts


def _draw_edges(edges: Sequence[AxisEdge], grid: _Grid) -> list[str]:
    ports = _ports(edges, grid)
    lanes: dict[int, list[float]] = defaultdict(list)
    arcs: dict[int, int] = defaultdict(int)
    order = sorted(range(len(edges)), key=lambda i: (_reach(edges[i], grid), ports[i][0] + ports[i][1], i))
    drawn: dict[int, str] = {}
    for index in order:
        edge = edges[index]
        source, target = grid.boxes[edge.source], grid.boxes[edge.target]
        start_y, end_y = ports[index]
        if source.column == target.column:
            arcs[source.column] += 1
            drawn[index] = _draw_arc(edge, source, start_y, end_y, grid.gap, arcs[source.column])
            continue
        step = 1 if target.column > source.column else -1
        start_x, end_x = (source.right, target.x) if step > 0 else (source.x, target.right)
        path, x, y = f"M{start_x:.1f},{start_y:.1f}", start_x, start_y
        for column in range(source.column + step, target.column, step):
            far_left = grid.lefts[column]
            near, far = (far_left, far_left + grid.width) if step > 0 else (far_left + grid.width, far_left)
            straight = start_y + (end_y - start_y) * ((near + far) / 2 - start_x) / (end_x - start_x)
            lane = _free_lane(straight, grid.columns[column], lanes[column], grid.height)
            lanes[column].append(lane)
            path += _curve(x, y, near, lane) + f"H{far:.1f}"
            x, y = far, lane
        tip = end_x - 1.5 * step
        path += _curve(x, y, tip - 4 * step, end_y) + f"H{tip:.1f}"
        drawn[index] = _stroke(path, edge) + _head(tip, end_y, step, edge)
    return [drawn[index] for index in order]


def _reach(edge: AxisEdge, grid: _Grid) -> int:
    return abs(grid.boxes[edge.source].column - grid.boxes[edge.target].column)


def _ports(edges: Sequence[AxisEdge], grid: _Grid) -> list[tuple[float, float]]:
    """Spread the ends of edges along the side of a box in the order of where they go."""
    sides: dict[tuple[str, int], list[tuple[float, int, int]]] = defaultdict(list)
    for index, edge in enumerate(edges):
        source, target = grid.boxes[edge.source], grid.boxes[edge.target]
        forward = target.column >= source.column
        out, into = (1, -1) if forward else (-1, 1)
        if source.column == target.column:
            into = 1
        sides[edge.source, out].append((target.middle, index, 0))
        sides[edge.target, into].append((source.middle, index, 1))
    found = [[0.0, 0.0] for _ in edges]
    for (name, _), ends in sides.items():
        box = grid.boxes[name]
        step = min(8.0, (box.height - 20) / max(len(ends) - 1, 1))
        for rank, (_, index, end) in enumerate(sorted(ends)):
            found[index][end] = box.middle + (rank - (len(ends) - 1) / 2) * step
    return [(start, end) for start, end in found]


def _free_lane(wanted: float, column: Sequence[_Box], taken: Sequence[float], height: float) -> float:
    """Return the height nearest to `wanted` at which an arrow passes a column without touching a box."""
    candidates = [wanted]
    candidates += [box.y - 6 - 4 * lane for box in column for lane in range(3)]
    candidates += [box.y + box.height + 6 + 4 * lane for box in column for lane in range(3)]
    candidates += [wanted + 4 * lane for lane in range(-12, 13)]
    candidates.sort(key=lambda value: (abs(value - wanted), value))
    for value in candidates:
        clear = all(not box.y - 5 < value < box.y + box.height + 5 for box in column)
        alone = all(abs(value - other) >= 3.5 for other in taken)
        if clear and alone and HEAD - 6 < value < height:
            return value
    # All lanes are taken: share the nearest clear one.
    return min(
        (value for value in candidates if all(not box.y < value < box.y + box.height for box in column)),
        key=lambda value: abs(value - wanted),
    )


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (to_x - x) / 2
    return f"C{x + half:.1f},{y:.1f} {to_x - half:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"


def _draw_arc(edge: AxisEdge, box: _Box, start_y: float, end_y: float, gap: float, rank: int) -> str:
    out = box.right + min(12.0 + 5 * (rank - 1) % 20, gap - 10)
    start, tip = box.right, box.right + 1.5
    path = (
        f"M{start:.1f},{start_y:.1f}C{out + 4:.1f},{start_y:.1f} {out + 4:.1f},{end_y:.1f} {tip + 4:.1f},{end_y:.1f}"
        f"H{tip:.1f}"
    )
    return _stroke(path, edge) + _head(tip, end_y, -1, edge)


def _edge_color(edge: AxisEdge) -> str:
    return {1: RISES, -1: FALLS, 0: NEUTRAL}[sign_of(edge.sign)]


def _stroke(path: str, edge: AxisEdge) -> str:
    dashes = "" if edge.human else ' stroke-dasharray="4 3"'
    width = LINE_WIDTH.get(edge.grade.strip()[:1].upper(), 0.9)
    return (
        f'<path d="{path}" fill="none" stroke="{_edge_color(edge)}" stroke-opacity="0.65" '
        f'stroke-width="{width}"{dashes}/>'
    )


def _head(x: float, y: float, step: int, edge: AxisEdge) -> str:
    """Draw the end of an arrow: a head where it raises, a bar where it lowers, a dot where it depends."""
    color = _edge_color(edge)
    sign = sign_of(edge.sign)
    if sign > 0:
        return (
            f'<path d="M{x:.1f},{y:.1f}L{x - 6 * step:.1f},{y - 3.2:.1f}L{x - 6 * step:.1f},{y + 3.2:.1f}Z" '
            f'fill="{color}"/>'
        )
    if sign < 0:
        return f'<path d="M{x:.1f},{y - 4:.1f}V{y + 4:.1f}" stroke="{color}" stroke-width="2.2" fill="none"/>'
    return f'<circle cx="{x - 2 * step:.1f}" cy="{y:.1f}" r="2.4" fill="{color}"/>'


def _draw_legend(y: float, scale: Scale | None, diagram: AxisDiagram) -> list[str]:
    """Draw the key in one or two rows under the diagram."""
    parts: list[str] = []
    x, middle = 1.0, y + 10

    def say(words: str) -> None:
        nonlocal x
        parts.append(_text(x, middle + 4, words, 11, MUTED))
        x += text_width(words, 11) + 16

    def swatch(color: str, opacity: float, dashes: str = "") -> None:
        nonlocal x
        parts.append(
            f'<rect x="{x:.1f}" y="{middle - 6:.1f}" width="18" height="12" rx="2" fill="{color}" '
            f'fill-opacity="{opacity:g}" stroke="{MUTED if dashes else NEUTRAL}" stroke-width="0.8"{dashes}/>'
        )
        x += 23

    if scale is not None:
        swatch(RISES, 0.46)
        say("rises")
        swatch(FALLS, 0.46)
        say("falls")
        swatch(RISES, 0.08)
        say("pale: sign uncertain")
    swatch(PAPER, 1, ' stroke-dasharray="4 3"')
    say("dashed: no human evidence")
    if scale is not None:
        end = write_number(scale.high, 1)
        unit = next((node.unit for node in diagram.nodes), "SD")
        sample = Interval(0.2, -0.1, 0.5, -0.7, 0.9)
        parts.append(interval_svg(sample, Scale(-1, 1, 0), 52, 13, x, middle - 6.5))
        x += 60
        say(f"median, 50 % and 95 %, from −{end} to {end} {unit}".replace(" %", "\u00a0%"))
    x, middle = 1.0, y + 28
    signs = [(1, "raises"), (-1, "lowers")]
    if any(sign_of(edge.sign) == 0 for edge in diagram.edges):
        signs.append((0, "acts on (it depends)"))
    for sign, words in signs:
        edge = AxisEdge("", "", sign, "B", True)
        parts.append(_stroke(f"M{x:.1f},{middle:.1f}H{x + 22:.1f}", edge) + _head(x + 24, middle, 1, edge))
        x += 31
        say(words)
    say("Arrows: the thicker the better the evidence (A to D).")
    if scale is None:
        say("In a box: the best link into it.")
    return parts


def _text(x: float, y: float, words: str, size: float, color: str, *, weight: int = 400, anchor: str = "start") -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    end = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{color}"{bold}{end}>'
        f"{escape(words, quote=False)}</text>"
    )
