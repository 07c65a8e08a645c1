"""What a run or an analysis says: the content as data, figures, one HTML page, and the terminal."""

from vagus.report.axis import axis_svg
from vagus.report.content import (
    ArmBand,
    AxisDiagram,
    AxisEdge,
    AxisNode,
    Citation,
    EndpointRow,
    Link,
    Panel,
    ReportContent,
    RestsOn,
    Section,
    Share,
)
from vagus.report.figures import figure_specs, render_svgs
from vagus.report.html import render_html
from vagus.report.terminal import terminal

__all__ = [
    "ArmBand",
    "AxisDiagram",
    "AxisEdge",
    "AxisNode",
    "Citation",
    "EndpointRow",
    "Link",
    "Panel",
    "ReportContent",
    "RestsOn",
    "Section",
    "Share",
    "axis_svg",
    "figure_specs",
    "render_html",
    "render_svgs",
    "terminal",
]
