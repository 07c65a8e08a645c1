"""The page: complete, safe, the same bytes each time."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import example
import pytest

from vagus.report import Citation, RestsOn, render_html
from vagus.report.wording import FOOTER

VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture(scope="module")
def page() -> str:
    return render_html(example.simulated())


@pytest.fixture(scope="module")
def real_page() -> str:
    return render_html(example.real())


class _Reader(HTMLParser):
    """Check that tags are balanced; collect text, ids and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for key, value in attrs if key == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for key, value in attrs if key == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "title"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_one_complete_file_without_script_or_request(page):
    reader = _Reader(page)
    assert page.startswith("<!doctype html>")
    assert not {"script", "link", "iframe", "img", "object"} & set(reader.tags)
    assert "default-src 'none'" in page
    assert not re.search(r"\bsrc\s*=|@import|\son[a-z]+\s*=", page)
    assert all(target.startswith("data:") for target in re.findall(r"url\((?!#)([^)]*)\)", page))
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert {address for address in addresses if not address.startswith("http://www.w3.org/")} == {
        "https://doi.org/10.0000/example.1"
    }
    assert len(page) < 400_000


def test_ids_are_unique(page):
    ids = _Reader(page).ids
    assert len(ids) == len(set(ids))


def test_equal_content_gives_equal_bytes(page):
    assert render_html(example.simulated()) == page


def test_the_verdict_comes_first_and_what_it_rests_on_next(page):
    text = _Reader(page).text
    content = example.simulated()
    places = [
        text.index(words)
        for words in (
            content.verdict.sentence,
            "P(any benefit) 0.96",
            "What this rests on.",
            content.rests_on.sentence,
            "Links with human evidence: 2 of 5",
            "Calibrated on: Invented trial 2001",
            "1 Along the axis",
            "2 Over time, by arm",
            "3 Endpoints",
            "4 Where the uncertainty comes from",
            "Provenance",
            FOOTER,
        )
    ]
    assert places == sorted(places)


def test_published_stands_exactly_as_stored(page):
    text = _Reader(page).text
    assert text.count(example.WORDED) == 1, "shared wording appears once, as a note"
    assert "not reported as increased" in text
    assert text.count("contrast: not stated") == 10
    assert text.count("contrast: placebo") == 2
    assert text.count("nothing reported") == 3
    assert "secondary outcome, not listed among the improved ones" in text
    paths = "known mechanisms −0.02 [−0.08, 0.03]; direct, unexplained path −0.11 [−0.31, 0.05] SD"
    assert text.count(f"of it: {paths}") == 3
    assert "None" not in text


def test_numbers_are_written_once_for_all_rows_of_an_outcome(page):
    text = _Reader(page).text
    for words in ("−1.6 [−3.4, 0.2]", "2.90 [1.81, 4.64]", "1.45 [0.91, 2.32]", "p <0.001", "p 0.049"):
        assert words in text.replace("\u00a0", " ")


def test_a_numbers_table_stands_under_every_figure(page):
    figures = re.findall(r"<figure.*?</figure>", page, flags=re.S)
    assert len(figures) == 6
    assert all("<table" in figure and "<svg" in figure for figure in figures)
    assert all(node[1].replace("&", "&amp;") in figures[0].split("<table")[1] for node in example.NODES)


def test_pictures_are_named_or_hidden_from_readers(page):
    for tag in re.findall(r"<svg[^>]*>", page):
        assert 'aria-hidden="true"' in tag or ('role="img"' in tag and 'aria-label="' in tag)


def test_everything_written_by_a_person_is_escaped():
    bad = "<script>alert('x')</script>"
    content = example.simulated()
    hostile = replace(
        content,
        title=bad,
        subtitle=bad,
        verdict=replace(content.verdict, sentence=bad, mcid_source=bad),
        rests_on=RestsOn(bad, [replace(content.rests_on.links[0], source=bad, citation=bad)], [bad]),
        axis=replace(content.axis, caption=bad),
        trajectories=[replace(content.trajectories[0], title=bad, unit=bad, day_axis=bad)],
        endpoints=[replace(content.endpoints[0], arm_label=bad, published={"direction": bad, "as_worded": bad})],
        published_apart=[{bad: bad}],
        uncertainty=[replace(content.uncertainty[0], component=bad, outcome_label=bad)],
        flow=[(bad, 1, 1, 1)],
        limits=[bad],
        left_out=[(bad, bad, bad)],
        provenance={bad: bad},
        citations=[Citation(bad, bad, bad, '10.1/"><script>alert(1)</script>')],
    )
    page = render_html(hostile)
    reader = _Reader(page)
    assert "script" not in reader.tags
    assert reader.text.count(bad) >= 20
    assert 'href="https://doi.org/10.1/%22%3E%3Cscript%3Ealert(1)%3C/script%3E"' in page


def test_a_real_trial_has_no_predictions(real_page):
    text = _Reader(real_page).text.replace("\u00a0", " ")
    assert "Trial data" in text
    assert "Predicted" not in text
    assert "One simulated trial" not in text
    assert "Along the axis" not in text
    assert "Published" not in text
    assert "not estimable" in text
    assert "3.10 [2.05, 4.69]" in text
    assert "adjusted p" in text
    assert "Mean [95 %] of means" in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_parts_without_content_are_left_out():
    text = _Reader(render_html(example.smallest())).text
    assert "No primary estimand could be computed." in text
    assert FOOTER in text
    assert "Endpoints" not in text


def test_the_font_is_inside_and_small(page):
    fonts = re.findall(r"base64,([A-Za-z0-9+/=]+)\)", page)
    assert len(fonts) == 2
    for font in fonts:
        data = base64.b64decode(font)
        assert data[:4] == b"wOF2"
        assert len(data) < 60_000


def test_dark_screens_paper_and_phones_are_thought_of(page):
    assert "@media screen and (prefers-color-scheme: dark)" in page
    assert "@media print" in page
    assert "@media (max-width: 639.9px)" in page
    assert '<div class="axis-list">' in page


def test_the_package_loads_no_plotting_stack():
    code = "import sys, vagus.report; print([m for m in ('vl_convert', 'jinja2', 'rich') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
