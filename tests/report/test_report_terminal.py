"""The terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import example
import pytest
from rich.cells import cell_len
from rich.console import Console

from vagus.report import Link, RestsOn, terminal
from vagus.report.glyphs import Interval, Scale, interval_text, scale_for
from vagus.report.wording import FOOTER


def _print(content, width, encoding="utf-8", **options) -> str:
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    terminal(content, Console(file=buffer, width=width, **options))
    buffer.flush()
    raw = buffer.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal_nor_ends_in_blanks(width):
    for content in (example.simulated(), example.real(), example.smallest()):
        for line in _print(content, width).splitlines():
            assert cell_len(line) <= width
            assert line == line.rstrip()


def test_it_says_what_the_page_says_in_its_order():
    text = " ".join(_print(example.simulated(), 60).split())
    content = example.simulated()
    places = [
        text.index(words)
        for words in (
            content.title,
            content.verdict.sentence,
            "P(any benefit) 0.96",
            content.rests_on.sentence,
            "Calibrated on: Invented trial 2001, Invented trial 2005.",
            "Depression (BDI-II)",
            "−1.6 [−3.4, 0.2]",
            "published: lower (contrast: not stated) (a)",
            "one simulated trial: −1.9 [−4.5, 1.3], p 0.31",
            "of it: known mechanisms −0.02 [−0.08, 0.03]; direct, unexplained path −0.11 [−0.31, 0.05] SD",
            "published: nothing reported",
            "published: higher (contrast: placebo) (a)",
            f"(a) {example.WORDED}",
            "Published, but no effect of an arm",
            "vagus 0.1.0",
            "seed 1",
            FOOTER,
        )
    ]
    assert places == sorted(places)


def test_piped_output_is_plain_and_a_terminal_gets_style():
    assert "\x1b" not in _print(example.simulated(), 60)
    assert "\x1b[" in _print(example.simulated(), 60, force_terminal=True, color_system="standard")


def test_words_in_brackets_are_not_read_as_markup():
    content = replace(example.smallest(), title="[bold]x[/bold] [link=http://a]", rests_on=RestsOn("[red]"))
    text = _print(content, 60)
    assert "[bold]x[/bold] [link=http://a]" in text
    assert "[red]" in text


def test_a_terminal_without_unicode_gets_ascii():
    text = _print(example.simulated(), 60, encoding="ascii")
    assert "-1.6 [-3.4, 0.2]" in text
    assert "2'-FL 2 g" in text
    assert "P(benefit >= 3" in text


def test_a_real_trial_shows_p_and_what_could_not_be_estimated():
    text = _print(example.real(), 100)
    assert "p <0.001" in text
    assert "adjusted p 0.15" in text
    assert "not estimable" in text
    assert "Estimated effect" in text
    assert "published:" not in text


def test_evidence_is_counted():
    links = [Link("a", "b", "A", True, "+", "x"), Link("b", "c", "D", False, "-", "y", True)]
    content = replace(example.smallest(), kind="simulated", rests_on=RestsOn("s.", links))
    text = _print(content, 80)
    assert "Links with human evidence: 1 of 2 (1 grade A, 1 grade D)." in text
    assert "Calibrated on: no trial." in text


def test_a_glyph_keeps_its_width_and_shows_beyond_the_ends():
    scale = Scale(-1, 1, 0)
    text = interval_text(Interval(5, 4, 6, -9, 9), scale, 11)
    assert len(text) == 11
    assert text[-1] == "○"
    assert text[0] == "─"


def test_ratios_are_placed_on_a_log_scale():
    scale = scale_for([Interval(1.0, None, None, 0.25, 4.0)], 1.0, logarithmic=True)
    assert scale.place(1.0) == pytest.approx(0.5)
    assert scale.place(2.0) - scale.place(1.0) == pytest.approx(scale.place(1.0) - scale.place(0.5))
    assert scale.place(0.0) < 0
    empty = scale_for([Interval(None, None, None, None, None)], 1.0, logarithmic=True)
    assert empty.low < 1 < empty.high
