"""The axis diagram."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import example
import pytest

from vagus.report import AxisDiagram, AxisEdge, AxisNode, axis_svg
from vagus.report.axis import axis_scale, node_tint, node_value
from vagus.report.style import FALLS, RISES, text_width, wrap

SVG = "{http://www.w3.org/2000/svg}"


def _node(name: str, column: str, median: float = 0.3, p: float = 0.9, **facts) -> AxisNode:
    values = {"grade": "B", "human": True, "label": name} | facts
    return AxisNode(
        id=name,
        column=column,
        median=median,
        lo50=median - 0.1,
        hi50=median + 0.1,
        lo95=median - 0.3,
        hi95=median + 0.3,
        unit="SD",
        p_positive=p,
        **values,
    )


def _crowded(seed: int) -> AxisDiagram:
    draw = random.Random(seed)
    columns = [f"Column {index}" for index in range(draw.randint(2, 7))]
    nodes = [
        _node(f"{column}-{row}", column, draw.gauss(0, 0.6), draw.random(), human=draw.random() > 0.3)
        for column in columns
        for row in range(draw.randint(1, 5))
    ]
    names = [node.id for node in nodes]
    edges = []
    for _ in range(3 * len(nodes)):
        source, target = draw.choice(names), draw.choice(names)
        if source != target:
            edges.append(
                AxisEdge(source, target, draw.choice(["+", "-", "+/-"]), draw.choice("ABCD"), draw.random() > 0.5)
            )
    return AxisDiagram("Crowded", columns, nodes, edges)


def _boxes(root: ElementTree.Element, colors: tuple[str, ...]) -> list[tuple[float, float, float, float]]:
    found = []
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("rx") == "4" and rect.get("fill") in colors and rect.get("fill-opacity"):
            x, y, width, height = (float(rect.get(key, "nan")) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def _points(path: str) -> list[tuple[float, float]]:
    """Sample a path of M, C and H commands."""
    points: list[tuple[float, float]] = []
    x = y = 0.0
    for command, body in re.findall(r"([MCH])([^MCH]*)", path):
        numbers = [float(part) for part in re.findall(r"-?[\d.]+", body)]
        if command == "M":
            x, y = numbers
            points.append((x, y))
        elif command == "H":
            points += [(x + (numbers[0] - x) * step / 20, y) for step in range(21)]
            x = numbers[0]
        else:
            x1, y1, x2, y2, x3, y3 = numbers
            for step in range(21):
                t = step / 20
                a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3
                points.append((a * x + b * x1 + c * x2 + d * x3, a * y + b * y1 + c * y2 + d * y3))
            x, y = x3, y3
    return points


@pytest.mark.parametrize("seed", range(12))
def test_no_arrow_crosses_a_box_and_nothing_leaves_the_picture(seed):
    root = ElementTree.fromstring(axis_svg(_crowded(seed)))
    boxes = _boxes(root, (RISES, FALLS))
    arrows = [path for path in root.iter(f"{SVG}path") if path.get("stroke-opacity")]
    assert boxes
    assert arrows
    _, _, width, height = (float(part) for part in root.get("viewBox", "").split())
    for arrow in arrows:
        for x, y in _points(arrow.get("d", "")):
            assert 0 <= x <= width
            assert 0 <= y <= height
            inside = [box for box in boxes if box[0] + 0.2 < x < box[2] - 0.2 and box[1] + 0.2 < y < box[3] - 0.2]
            assert not inside, (arrow.get("d"), inside)


def test_boxes_of_a_column_do_not_overlap():
    boxes = sorted(_boxes(ElementTree.fromstring(axis_svg(example.axis())), (RISES, FALLS)))
    assert len(boxes) == len(example.NODES)
    for one, other in pairwise(boxes):
        assert one[0] != other[0] or one[3] < other[1]


def test_labels_stay_inside_their_boxes():
    diagram = AxisDiagram("x", ["A", "B", "C", "D", "E", "F", "G"], [_node("Enterobacteriaceae of the colon", "A")])
    root = ElementTree.fromstring(axis_svg(diagram))
    (left, _, right, _) = _boxes(root, (RISES,))[0]
    bold = [text for text in root.iter(f"{SVG}text") if text.get("font-size") == "12"]
    assert "".join(text.text or "" for text in bold).replace("-", "").startswith("Enterobacteriaceae")
    for text in bold:
        assert left < float(text.get("x", 0)) + text_width(text.text or "", 12, 600) < right


def test_color_says_the_sign_and_pales_with_its_uncertainty():
    assert node_tint(_node("a", "A", p=0.99))[0] == RISES
    assert node_tint(_node("a", "A", p=0.01))[0] == FALLS
    strength = [node_tint(_node("a", "A", p=p))[1] for p in (0.5, 0.6, 0.8, 0.99)]
    assert strength == sorted(strength)
    assert strength[0] < 0.1 < 0.4 < strength[-1]


def test_dashed_frame_means_no_human_evidence():
    diagram = example.axis()
    root = ElementTree.fromstring(axis_svg(replace(diagram, edges=())))
    dashed = [r for r in root.iter(f"{SVG}rect") if r.get("stroke-dasharray") and r.get("rx") == "4"]
    assert len(dashed) == sum(not node.human for node in diagram.nodes) == 3


def test_signs_have_shapes_besides_colors():
    def drawn(sign):
        nodes = [_node("a", "A"), _node("b", "B")]
        return axis_svg(AxisDiagram("x", ["A", "B"], nodes, [AxisEdge("a", "b", sign, "A", True)]))

    pictures = [re.sub(r"#[0-9a-f]{6}", "", drawn(sign)) for sign in ("+", "-", "+/-")]
    assert len(set(pictures)) == 3


def test_one_large_change_does_not_flatten_the_others():
    scale = axis_scale(AxisDiagram("x", ["A"], [_node("a", "A", 9.0), _node("b", "A", 0.2)]))
    assert (scale.low, scale.high) == (-1.5, 1.5)
    svg = axis_svg(AxisDiagram("x", ["A"], [_node("a", "A", 9.0)]))
    assert "from −1.5 to 1.5 SD" in svg


def test_numbers_that_are_missing_are_not_drawn():
    node = replace(_node("a", "A"), median=float("nan"), lo50=float("nan"), hi50=float("nan"), lo95=float("nan"),
                   hi95=float("nan"), p_positive=float("nan"))  # fmt: skip
    svg = axis_svg(AxisDiagram("x", ["A"], [node]))
    assert "nan" not in svg
    assert node_value(node) == "– SD"


def test_labels_are_escaped():
    svg = axis_svg(AxisDiagram('"><script>', ["<b>"], [_node("<script>alert(1)</script>", "<b>")]))
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<b>" not in svg


def test_strangers_are_refused():
    with pytest.raises(ValueError, match="unknown ends of edges: \\['z'\\]"):
        axis_svg(AxisDiagram("x", ["A"], [_node("a", "A")], [AxisEdge("a", "z", "+", "A", True)]))
    with pytest.raises(ValueError, match="nodes without a column: \\['a'\\]"):
        axis_svg(AxisDiagram("x", ["A"], [_node("a", "B")]))


def test_an_empty_axis_is_a_picture_too():
    ElementTree.fromstring(axis_svg(AxisDiagram("x", [], [])))


def test_wrapped_text_fits_and_keeps_its_letters():
    for room in (60.0, 90.0, 200.0):
        lines = wrap("Bifidobacterium of the adult colon", room, 12, 600, lines=9)
        assert all(text_width(line, 12, 600) <= room for line in lines)
        assert "".join(lines).replace("-", "").replace(" ", "") == "Bifidobacteriumoftheadultcolon"
    assert wrap("one two three four", 30, 12, 400, lines=2)[-1].endswith("…")


def test_a_drawing_of_its_own_holds_its_font_and_explains_its_signs() -> None:
    nodes = [_node("a", "A"), _node("b", "B")]
    depends = AxisDiagram("x", ["A", "B"], nodes, [AxisEdge("a", "b", "?", "B", True)])
    raises = replace(depends, edges=[AxisEdge("a", "b", "+", "B", True)])
    assert "@font-face" in axis_svg(depends, results=False, alone=True)
    assert "@font-face" not in axis_svg(depends, results=False)
    assert "it depends" in axis_svg(depends, results=False)
    assert "it depends" not in axis_svg(raises, results=False)
    assert "best link into it" in axis_svg(raises, results=False)
    assert "best link into it" not in axis_svg(raises)
