"""The axis without results: every link with its grade, as a diagram."""

from __future__ import annotations

from math import nan

from vagus.model.checks import end_owners
from vagus.model.couplings import Coupling, couplings, nodes, quantities
from vagus.model.libraries import Library, shipped
from vagus.report.content import AxisDiagram, AxisEdge, AxisNode

#: First column of the map; what no table puts into a column stands in the last.
GIVEN, OTHER = "Product", "Other"


def axis_map(library: Library | None = None) -> tuple[AxisDiagram, tuple[Coupling, ...]]:
    """Return the map of a library's links, and the links themselves; those of another axis are left out.

    Parameters
    ----------
    library : Library, optional
        The shipped one (adults) by default.
    """
    source = library or shipped()
    ends = end_owners(source)
    links = tuple(link for link in couplings(source) if link.source in ends and link.target in ends)
    used = dict.fromkeys(end for link in links for end in (link.source, link.target))
    places = {item.quantity: (item.label, item.column) for item in quantities()}
    places |= {item.node: (item.label, item.column) for item in nodes()}
    columns = [GIVEN, *dict.fromkeys(item.column for item in nodes()), OTHER]
    order = {name: place for place, name in enumerate((*places, *used))}
    found = []
    for name in sorted(used, key=lambda name: order[name]):
        label, column = places.get(name, (name, OTHER))
        grade, human = _evidence([link for link in links if link.target == name and link.sign != "0"])
        found.append(AxisNode(name, label, column or OTHER, nan, nan, nan, nan, nan, "", grade, human, nan))
    edges = [
        AxisEdge(link.source, link.target, link.sign, link.grade, link.human) for link in links if link.sign != "0"
    ]
    shown = [title for title in columns if any(node.column == title for node in found)]
    caption = "All links of the model with the grade of their evidence, A adult trial or experiment to D assumed."
    return AxisDiagram(caption, shown, found, edges), links


def _evidence(into: list[Coupling]) -> tuple[str, bool]:
    """Return the best grade of the links into a quantity and whether one has human evidence; none where none leads."""
    return min((link.grade for link in into), default=""), not into or any(link.human for link in into)
