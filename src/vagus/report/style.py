"""Colors, type and text measures, the same in every figure.

Figures are written in the light colors; the page's style sheet maps each of them to its dark twin (`DARK`) by
attribute, so a figure taken out of the page stays a valid picture.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache

from vagus import resources
from vagus.report.content import ArmBand

FONT = '"Vagus Sans", "Source Sans 3", "Helvetica Neue", Arial, sans-serif'
PAPER, INK, MUTED, HAIR, ACCENT = "#fcfbf8", "#16202a", "#4d5863", "#d3d6d6", "#1f5f8b"
CONTROL = "#66707a"
ARMS = ("#0b5fa5", "#c2410c", "#0f9d76", "#6a3f39", "#af7eca")
RISES, FALLS, NEUTRAL = "#2166ac", "#b35806", "#8b949d"
# Components of uncertainty: fill and the ink that is readable on it, in both modes.
COMPONENTS = (
    ("#1f5f8c", "#ffffff"),
    ("#d9a441", "#16202b"),
    ("#8fb4cf", "#16202b"),
    ("#66707b", "#ffffff"),
    ("#dccfb4", "#16202b"),
    ("#7a4b2a", "#ffffff"),
)

DARK = {
    PAPER: "#12181e",
    INK: "#e8ebee",
    MUTED: "#a9b3bd",
    HAIR: "#39434d",
    ACCENT: "#7cb8e4",
    CONTROL: "#a3adb7",
    ARMS[0]: "#63a8ea",
    ARMS[1]: "#f0885a",
    ARMS[2]: "#3fc49c",
    ARMS[3]: "#c9968e",
    ARMS[4]: "#cda6e4",
    RISES: "#4c94dc",
    FALLS: "#d88a3f",
    NEUTRAL: "#7d8791",
}


def font_faces() -> str:
    """Return the style rules that hold the font itself, a line each weight."""
    faces = []
    for weight in (400, 600):
        font = b64encode(resources.data("report", "fonts", f"vagus-sans-{weight}.woff2")).decode("ascii")
        faces.append(
            f'@font-face {{ font-family: "Vagus Sans"; font-weight: {weight}; font-style: normal; '
            f'src: url(data:font/woff2;base64,{font}) format("woff2"); }}'
        )
    return "\n".join(faces)


@cache
def _widths() -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = json.loads(resources.text("report", "fonts", "widths.json"))
    return table


def text_width(text: str, size: float, weight: int = 400) -> float:
    """Return the width of a text in the report's font.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Font size in px.
    weight : int
        400 or 600.

    Returns
    -------
    float
        Width in px; a character outside the font counts as 0.6 em.
    """
    table = _widths()[str(weight)]
    return sum(table.get(char, 600) for char in text) * size / 1000


def wrap(text: str, room: float, size: float, weight: int = 400, lines: int = 2) -> list[str]:
    """Break a text into at most `lines` lines of `room` px.

    It breaks at spaces, and inside a word (with a hyphen) that is wider than a line; what does not fit ends in an
    ellipsis.

    Parameters
    ----------
    text : str
        Text of a label.
    room : float
        Width of a line in px.
    size, weight : float, int
        Font size and weight.
    lines : int
        Greatest number of lines.

    Returns
    -------
    list of str
        One or more lines.
    """
    found: list[str] = []
    line = ""
    for word in [part for whole in text.split() for part in _parts(whole, room, size, weight)]:
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size, weight) > room:
            found.append(line)
            line = word
        else:
            line = longer
    found.append(line)
    if len(found) > lines:
        found = [*found[: lines - 1], " ".join(found[lines - 1 :])]
    return [_shorten(part, room, size, weight) for part in found]


def _parts(word: str, room: float, size: float, weight: int) -> list[str]:
    parts = []
    while text_width(word, size, weight) > room:
        fits = [n for n in range(2, len(word) - 2) if text_width(word[:n] + "-", size, weight) <= room]
        if not fits:
            break
        # At least four letters go to the next line: a short tail reads badly.
        cut = min(fits[-1], max(len(word) - 4, 2))
        parts.append(word[:cut] + "-")
        word = word[cut:]
    return [*parts, word]


def _shorten(text: str, room: float, size: float, weight: int) -> str:
    if text_width(text, size, weight) <= room:
        return text
    while text and text_width(text + "…", size, weight) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def arm_colors(arms: Sequence[ArmBand]) -> dict[str, str]:
    """Return the color of each arm: grey for the control, then the arm colors in the order of the arms."""
    colors: dict[str, str] = {}
    for arm in arms:
        if arm.arm in colors:
            continue
        taken = sum(color != CONTROL for color in colors.values())
        colors[arm.arm] = CONTROL if arm.is_control else ARMS[taken % len(ARMS)]
    return colors
