"""A report's content as JSON and back, so that a finished run can be reported again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any

from vagus.analysis import Verdict
from vagus.analysis.estimate import plain
from vagus.errors import InputError
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

VERSION = 1


def dump_content(content: ReportContent) -> str:
    """Return the content as JSON text; numbers that are not finite become null."""
    return json.dumps({"vagus_report": VERSION, **plain(asdict(content))}, indent=1, ensure_ascii=False) + "\n"


def load_content(text: str, file: str) -> ReportContent:
    """Read a content back.

    Raises
    ------
    InputError
        Not the JSON of a report.
    """
    try:
        raw = json.loads(text)
        version = raw.pop("vagus_report")
        if version != VERSION:
            raise ValueError(f"written in format {version}")
        return _content(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} must be the report record of a run, got {error}; repeat the run.") from None


def _content(raw: dict[str, Any]) -> ReportContent:
    rests_on = raw.pop("rests_on")
    axis = raw.pop("axis")
    return ReportContent(
        verdict=Verdict(**raw.pop("verdict")),
        rests_on=RestsOn(**(rests_on | {"links": [Link(**link) for link in rests_on["links"]]})),
        axis=None if axis is None else _axis(axis),
        trajectories=[_panel(panel) for panel in raw.pop("trajectories")],
        endpoints=[EndpointRow(**_numbers(EndpointRow, row)) for row in raw.pop("endpoints")],
        uncertainty=[Share(**share) for share in raw.pop("uncertainty")],
        flow=[tuple(row) for row in raw.pop("flow")],
        left_out=[tuple(row) for row in raw.pop("left_out", ())],
        methods=[Section(**section) for section in raw.pop("methods")],
        citations=[Citation(**citation) for citation in raw.pop("citations")],
        **raw,
    )


def _axis(raw: dict[str, Any]) -> AxisDiagram:
    nodes = [AxisNode(**_numbers(AxisNode, node)) for node in raw["nodes"]]
    edges = [AxisEdge(**edge) for edge in raw["edges"]]
    return AxisDiagram(caption=raw["caption"], columns=raw["columns"], nodes=nodes, edges=edges)


def _panel(raw: dict[str, Any]) -> Panel:
    arms = []
    for arm in raw["arms"]:
        series = {key: [_number(value) for value in item] for key, item in arm.items() if isinstance(item, list)}
        arms.append(ArmBand(**(arm | series)))
    return Panel(**(raw | {"arms": arms}))


def _numbers(kind: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Put NaN back where a field that must be a number was not finite."""
    plain = {item.name for item in fields(kind) if item.type == "float"}
    return {key: _number(value) if key in plain else value for key, value in raw.items()}


def _number(value: float | None) -> float:
    return math.nan if value is None else value
