"""Figures as data. Run this file as a script to write the snapshot anew, then look at the figures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import example
import pytest

from vagus.report import ArmBand, ReportContent, Share, figure_specs, render_svgs
from vagus.report.figures import LABEL_LINE, PANEL_HEIGHT, _fit_page, panel_name
from vagus.report.scales import day_ticks, spread_apart, ticks_between
from vagus.report.style import COMPONENTS, CONTROL, DARK

SNAPSHOT = Path(__file__).with_name("figure_specs.json")


def small() -> ReportContent:
    full = example.simulated()
    few = example.panel("Depression (BDI-II)", "points", 16.2, -1.6, 0.6, -2.1, step=4)
    return replace(full, trajectories=[few, example.visit_panel()], uncertainty=full.uncertainty[:5])


def _marks(spec, kind):
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == kind]


def test_specs_are_as_they_were():
    assert json.loads(json.dumps(figure_specs(small()))) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_panel_and_the_uncertainty_have_a_figure():
    content = example.simulated()
    names = [panel_name(index, panel) for index, panel in enumerate(content.trajectories, start=1)]
    assert list(figure_specs(content)) == [*names, "uncertainty"]
    assert names[0] == "trajectory-1-depression-bdi-ii"
    assert figure_specs(example.smallest()) == {}


def test_bands_only_for_control_and_the_chosen_arm():
    content = example.simulated()
    for chosen, color in (("", "#0b5fa5"), ("fl", "#0f9d76"), ("unknown", "#0b5fa5")):
        spec = figure_specs(replace(content, chosen_arm=chosen))["trajectory-1-depression-bdi-ii"]
        assert {layer["mark"]["color"] for layer in _marks(spec, "area")} == {CONTROL, color}
        lines = {layer["mark"]["color"] for layer in _marks(spec, "line")}
        assert len(lines) == 4


def test_few_visits_become_bars_for_every_arm():
    spec = figure_specs(example.real())["trajectory-1-bdi-ii"]
    assert not _marks(spec, "area")
    bars = [layer for layer in _marks(spec, "rule") if "lo95" in layer["data"]["values"][0]]
    assert len(bars) == len(_marks(spec, "point")) == 4
    days = [layer["data"]["values"][0]["day"] for layer in bars]
    assert len(set(days)) == 4, "arms stand side by side"


def test_the_data_lie_inside_the_axes():
    for name, spec in figure_specs(example.simulated()).items():
        if name == "uncertainty":
            continue
        low, high = spec["encoding"]["y"]["scale"]["domain"]
        first, last = spec["encoding"]["x"]["scale"]["domain"]
        for layer in _marks(spec, "area"):
            for row in layer["data"]["values"]:
                values = [value for key, value in row.items() if key != "day"]
                assert low <= min(values) <= max(values) <= high
                assert first <= row["day"] <= last


def test_labels_of_arms_do_not_overlap():
    for name, spec in figure_specs(example.simulated()).items():
        if name == "uncertainty":
            continue
        low, high = spec["encoding"]["y"]["scale"]["domain"]
        rows = [
            (high - row["y"]) / (high - low) * PANEL_HEIGHT
            for layer in _marks(spec, "text")
            for row in layer["data"]["values"]
            if "y" in row
        ]
        assert len(rows) == 5, "four arms, one of them on two lines"
        rows.sort()
        assert all(below - above >= LABEL_LINE - 0.01 for above, below in pairwise(rows))
        assert rows[0] > -15
        assert rows[-1] < PANEL_HEIGHT + 15


def test_missing_values_leave_gaps_not_zeros():
    nan = float("nan")
    arm = ArmBand("a", "A", False, [0, 1, 2], [1.0, nan, 3.0], [], [], [0.5, nan, 2.5], [1.5, nan, 3.5])
    gone = replace(arm, arm="b", label="B", median=[nan, nan, nan])
    panel = replace(example.visit_panel(), arms=[arm, gone])
    spec = figure_specs(replace(example.real(), trajectories=[panel]))["trajectory-1-bdi-ii"]
    assert "NaN" not in json.dumps(spec)
    line = _marks(spec, "line")[0]
    assert [row["day"] for row in line["data"]["values"]] == [0, 2]
    assert figure_specs(replace(example.real(), trajectories=[replace(panel, arms=[gone])])) == {}


def test_one_day_and_flat_values_can_be_drawn():
    arm = ArmBand("a", "A", True, [28.0], [5.0], [], [], [5.0], [5.0])
    panel = replace(example.visit_panel(), arms=[arm], treatment_start=None)
    svgs = render_svgs(replace(example.real(), trajectories=[panel]))
    assert "NaN" not in svgs["trajectory-1-bdi-ii"]


def test_shares_fill_the_bar_in_order():
    spec = figure_specs(example.simulated())["uncertainty"]
    bars = [row for row in spec["layer"][0]["data"]["values"] if row["y"] == spec["layer"][0]["data"]["values"][0]["y"]]
    assert bars[0]["x"] == 0
    assert bars[-1]["x2"] == pytest.approx(400)
    assert all(one["x2"] == other["x"] for one, other in pairwise(bars))
    odd = figure_specs(replace(example.smallest(), uncertainty=[Share("a", "b", float("nan"))]))
    assert odd == {}


def test_svgs_are_well_formed_with_ids_of_their_own_and_known_colors():
    svgs = render_svgs(example.simulated())
    ids = [name for svg in svgs.values() for name in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    known = {*DARK, *(color for pair in COMPONENTS for color in pair), "none", "transparent"}
    for svg in svgs.values():
        ElementTree.fromstring(svg)
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
        assert used <= known, "each color needs its dark twin"


def test_ids_and_what_refers_to_them_get_the_name_of_the_figure():
    svg = (
        '<svg viewBox="0 0 9 9"><clipPath id="clip0"></clipPath><g clip-path="url(#clip0)" class="a" role="b">'
        '<use xlink:href="#clip0"></use><text>id="clip0" role="kept"</text></g></svg>'
    )
    one, other = (_fit_page(svg, name, "words") for name in ("one", "other"))
    assert 'id="one-clip0"' in one
    assert "url(#one-clip0)" in one
    assert 'href="#one-clip0"' in one
    assert '<text>id="clip0" role="kept"</text>' in one, "words stay as they are"
    assert "one-" not in other
    with pytest.raises(RuntimeError, match="viewBox"):
        _fit_page("<svg></svg>", "x", "words")


def test_hostile_labels_cannot_leave_a_figure():
    panel = example.visit_panel()
    arms = [replace(arm, label='</text><script>alert("1")</script> id="x"') for arm in panel.arms]
    svg = next(iter(render_svgs(replace(example.real(), trajectories=[replace(panel, arms=arms)])).values()))
    ElementTree.fromstring(svg)
    assert "<script" not in svg


def test_ticks_are_round_and_enclose():
    for low, high in ((0.013, 0.09), (-3.0, 4.0), (5.0, 5.0), (0.0, 0.0), (1e5, 3e5)):
        ticks = ticks_between(low, high)
        assert ticks[0] <= low <= high <= ticks[-1]
        assert 3 <= len(ticks) <= 8
    assert day_ticks(0, 7) == [0, 2, 4, 6]
    assert len(day_ticks(0, 3000)) <= 6


def test_labels_move_apart_within_their_room():
    found = spread_apart([50, 50, 50, 51], [14, 14, 27, 14], 0, 100)
    tops = sorted(zip(found, [14, 14, 27, 14]))
    assert all(a + sa / 2 <= b - sb / 2 + 1e-6 for (a, sa), (b, sb) in pairwise(tops))
    assert tops[0][0] - tops[0][1] / 2 >= 0
    assert tops[-1][0] + tops[-1][1] / 2 <= 100


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(figure_specs(small()), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
