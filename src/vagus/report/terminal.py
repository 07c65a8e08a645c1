"""The same report in the terminal: readable at 60 columns, plain when it is piped."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from vagus.report import tables
from vagus.report.content import ReportContent
from vagus.report.glyphs import interval_text
from vagus.report.wording import DASH, FOOTER

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDE = 90
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
        kind = "Simulated trial" if content.kind == "simulated" else "Real trial"
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
        from rich.padding import Padding

        glyph_room = 24 if self.wide else 14
        glyph = interval_text(line.interval, group.scale, glyph_room, ascii_only=self.ascii_only)
        arm = f"{line.arm} vs {line.contrast}" if self.wide else line.arm
        cells = [(arm, 28 if self.wide else 18, ""), (line.estimate, 21, "bold"), (glyph, glyph_room, "cyan")]
        if self.wide and data.has_p:
            cells.append(("" if line.p_value == DASH else f"p {line.p_value}", 8, ""))
        self.console.print(Padding(self.row(cells), (0, 0, 0, 2), expand=False))
        beside = []
        if not self.wide and data.has_p and line.p_value != DASH:
            beside.append(f"p {line.p_value}")
        if line.p_adjusted != DASH:
            beside.append(f"adjusted p {line.p_adjusted}")
        if data.has_simulated and line.simulated_trial != DASH:
            beside.append(f"one simulated trial {line.simulated_trial}")
        if data.has_published:
            beside.append(f"published: {_published(line)}")
        if beside:
            self.say("; ".join(beside), "dim", 4)

    def row(self, cells: list[tuple[str, int, str]]) -> Table:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1, 0, 0))
        for _, room, _ in cells:
            grid.add_column(width=room, overflow="fold")
        grid.add_row(*(Text(self.encode(words), style=style) for words, _, style in cells))
        return grid

    def say(self, words: str, style: str = "", indent: int = 0) -> None:
        from rich.padding import Padding
        from rich.text import Text

        self.console.print(Padding(Text(self.encode(words), style=style), (0, 0, 0, indent), expand=False))

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
