"""The same report in the terminal: readable at 60 columns, plain when it is piped."""

from __future__ import annotations

import unicodedata
from textwrap import wrap
from typing import TYPE_CHECKING

from vagus.report import tables
from vagus.report.content import ReportContent
from vagus.report.glyphs import interval_text
from vagus.report.wording import DASH, FOOTER

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 90
NARROW = 58
PLAIN = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "·": "-",
        "′": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "≥": ">=",
        "≤": "<=",
        "→": "->",
    }
)


def terminal(content: ReportContent, console: Console) -> None:
    """Print verdict, what it rests on, endpoints beside what was published, and provenance.

    Parameters
    ----------
    content : ReportContent
        What the report says.
    console : rich.console.Console
        Where to print. Its width is respected; where its encoding is not UTF-8, only ASCII is printed.
    """
    _Printer(content, console).print_all()


class _Printer:
    """One printing: the content, the console, and whether signs beyond ASCII may be used."""

    def __init__(self, content: ReportContent, console: Console) -> None:
        self.content = content
        self.console = console
        self.ascii_only = not console.encoding.lower().startswith("utf")
        self.wide = console.width >= WIDE

    def print_all(self) -> None:
        content = self.content
        kind = "Simulated trial" if content.kind == "simulated" else "Trial data"
        self.say(content.title, "bold")
        self.say(f"{kind}. {content.subtitle}", "dim")
        self.skip()
        self.say(content.verdict.sentence, "bold")
        for fact in tables.verdict_facts(content):
            self.say(fact, "dim", 2)
        self.skip()
        self.say(f"What this rests on. {content.rests_on.sentence}")
        for fact in tables.evidence_facts(content):
            self.say(fact, "dim", 2)
        if content.endpoints:
            self.print_endpoints()
        if content.published_apart:
            self.skip()
            self.say("Published, but no effect of an arm", "bold")
            head, body = tables.apart_table(content.published_apart)
            for row in body:
                self.say("; ".join(f"{name}: {cell}" for name, cell in zip(head, row)), "", 2)
        self.skip()
        if content.provenance:
            self.say(" · ".join(f"{key} {value}" for key, value in content.provenance.items()), "dim")
        self.say(FOOTER, "dim")

    def print_endpoints(self) -> None:
        data = tables.endpoint_table(self.content.endpoints)
        thin, thick, dot, bar = "-=o|" if self.ascii_only else "─━○│"
        word = "Predicted effect" if self.content.kind == "simulated" else "Estimated effect"
        self.skip()
        self.say(f"{word} [95 %]   {dot} estimate, {thick} 50 %, {thin} 95 %, {bar} no difference", "dim")
        for group in data.groups:
            self.skip()
            self.say(group.outcome, "bold")
            self.say(group.facts, "dim", 2)
            for line in group.lines:
                self.print_line(line, group, data)
        if data.notes:
            self.skip()
            self.say("Published, as worded in the evidence base", "bold")
            for letter, words in data.notes:
                self.say(f"({letter}) {words}", "", 2)

    def print_line(self, line: tables.EndpointLine, group: tables.EndpointGroup, data: tables.EndpointTable) -> None:
        glyph_room = 24 if self.wide else 14
        glyph = interval_text(line.interval, group.scale, glyph_room, ascii_only=self.ascii_only)
        arm = line.arm if group.shared_contrast else f"{line.arm} against {line.contrast}"
        cells = [(arm, 32 if self.wide else 18, ""), (line.estimate, 21, "bold")]
        if self.console.width >= NARROW:
            cells.append((glyph, glyph_room, "cyan"))
        if self.wide and line.p_value != DASH:
            cells.append((f"p {line.p_value}", 8, ""))
        self.print_row(cells)
        beside = []
        if line.p_value != DASH and not self.wide:
            beside.append(f"p {line.p_value}")
        if line.p_adjusted != DASH:
            beside.append(f"adjusted p {line.p_adjusted}")
        if beside:
            self.say(", ".join(beside), "dim", 4)
        if data.has_published:
            self.say(f"published: {_published(line)}", "dim", 4)
        if line.simulated_trial != DASH:
            p_value = f", p {line.simulated_p}" if line.simulated_p else ""
            self.say(f"one simulated trial: {line.simulated_trial}{p_value}", "dim", 4)
        if line.paths:
            self.say(f"of it: {line.paths}", "dim", 4)

    def print_row(self, cells: list[tuple[str, int, str]]) -> None:
        """Print cells side by side, the first one wrapped within its column."""
        first, *others = ((self.encode(words), room, style) for words, room, style in cells)
        lines = wrap(first[0], first[1]) or [""]
        parts = [("  " + lines[0].ljust(first[1]), first[2])]
        parts += [(" " + words.ljust(room), style) for words, room, style in others]
        self.print_parts(parts)
        for line in lines[1:]:
            self.print_parts([("  " + line, first[2])])

    def print_parts(self, parts: list[tuple[str, str]]) -> None:
        from rich.text import Text

        text = Text.assemble(*parts)
        text.rstrip()
        self.console.print(text, no_wrap=True, overflow="ignore", crop=False)

    def say(self, words: str, style: str = "", indent: int = 0) -> None:
        """Print words within the width of the console, without blanks at the end of a line."""
        room = max(self.console.width - indent, 20)
        for line in wrap(self.encode(words), room, break_on_hyphens=False) or [""]:
            self.print_parts([(" " * indent + line, style)])

    def skip(self) -> None:
        self.console.print()

    def encode(self, words: str) -> str:
        words = words.replace("\u00a0", " ")
        if not self.ascii_only:
            return words
        words = unicodedata.normalize("NFKD", words.translate(PLAIN))
        return words.encode("ascii", "ignore").decode("ascii")


def _published(line: tables.EndpointLine) -> str:
    words = line.direction
    if line.published_contrast:
        words += f" (contrast: {line.published_contrast})"
    return f"{words} ({line.note})" if line.note else words
