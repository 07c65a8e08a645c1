"""A YAML text as plain values that remember their lines; nothing in it is ever executed.

Reads parser events only (no constructors): tags, aliases and anchors are refused, as are texts that are too large or
too deep, so a hostile file costs no more than a short read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from vagus.errors import InputError, Problem
from vagus.units import shown

#: A protocol is two or three thousand bytes; a hundred times that is no protocol.
MOST_BYTES = 262_144
MOST_DEPTH = 16
MOST_VALUES = 5_000

#: Keys and list positions (as text) from the top.
Path = tuple[str, ...]

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
#: ``[0, 4, 8] wk`` where a value begins: after ``key:`` (no quotes, brackets or comments inside).
_UNIT_LIST = re.compile(r"\[[^\[\]{}\"'#]*\][ \t]+[A-Za-z]+")


@dataclass(frozen=True)
class Place:
    """File (or ``--set`` text) and line of a value; line 0 where there is none."""

    file: str
    line: int


@dataclass(frozen=True)
class Document:
    """Values of a YAML mapping and the place of each.

    Attributes
    ----------
    file : str
        As the user named it.
    data : dict
        Plain values: mappings, lists, texts, numbers, booleans, None.
    places : dict
        Path to the place of its key or list item.
    """

    file: str
    data: dict[str, Any]
    places: dict[Path, Place]

    def place(self, path: Path) -> Place:
        """Return where `path` stands, or its nearest parent that stands somewhere."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(self.file, 1)

    def problem(self, path: Path, message: str) -> Problem:
        """Return the problem `message` at `path`."""
        where = self.place(path)
        return Problem(where.file, where.line, message)


def read(text: str | bytes, file: str) -> Document:
    """Read a YAML mapping.

    Parameters
    ----------
    text : str or bytes
        The whole file.
    file : str
        Its name, for messages.

    Returns
    -------
    Document
        Values with their lines.

    Raises
    ------
    InputError
        Too large, not UTF-8, not YAML, empty, not a mapping, a tag, an alias, a key twice; with the line.
    """
    document, repeated = inspect(text, file)
    if repeated:
        raise InputError(repeated)
    return document


def inspect(text: str | bytes, file: str) -> tuple[Document, tuple[Problem, ...]]:
    """Read like `read`, but hand back repeated keys as problems, so that the rest can be checked in one go."""
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise InputError(Problem(file, 0, too_large(size)))
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            message = "A protocol must be UTF-8 text, got other bytes; save the file as UTF-8."
            raise InputError(Problem(file, line, message)) from None
    text = text.removeprefix("\ufeff")
    builder = _Builder(file)
    try:
        builder.build(quote_unit_lists(text))
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        message = "A protocol must be plain text, got a control character; save the file as UTF-8 text."
        raise InputError(Problem(file, line, message)) from None
    except MarkedYAMLError as error:
        raise InputError(Problem(file, *_syntax(error))) from None
    except YAMLError as error:
        raise InputError(Problem(file, 0, f"The file must be YAML, got an error: {error}.")) from None
    if builder.problems:
        raise InputError(sorted(builder.problems + builder.repeated))
    if builder.root is None:
        message = 'A protocol must not be empty; start with "vagus: 1" or copy one of "vagus protocols".'
        raise InputError(Problem(file, 0, message))
    if not isinstance(builder.root, dict):
        kind = "a list" if isinstance(builder.root, list) else "a text or number"
        message = f'A protocol must be YAML made of "key: value" lines, got {kind}; start with "vagus: 1".'
        raise InputError(Problem(file, builder.root_line, message))
    return Document(file, builder.root, builder.places), tuple(builder.repeated)


def too_large(size: int) -> str:
    """Say that a file of `size` bytes is no protocol."""
    return (
        f"A protocol must be at most {MOST_BYTES // 1024} kB, got {size / 1e6:.1f} MB; "
        "this is another file, or data that belong beside the protocol."
    )


def _syntax(error: MarkedYAMLError) -> tuple[int, str]:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 0
    reason = " ".join(str(error.problem or error.context or "it cannot be read").split())
    start = error.context_mark
    since = f" (the part that starts in line {start.line + 1})" if start is not None and start.line + 1 != line else ""
    return line, f"The file must be YAML, got a syntax error: {reason}{since}; check brackets, colons and indents."


class _Builder:
    """Turns parser events into plain values, remembering lines and collecting what is refused."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self.repeated: list[Problem] = []
        self.root: Any = None
        self.root_line = 1
        self.values = 0

    def refuse(self, line: int, message: str) -> None:
        problem = Problem(self.file, line, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def build(self, text: str) -> None:
        parser = YAML(typ="safe", pure=True)
        stack: list[_Open] = []
        documents = 0
        for event in parser.parse(text):
            line = event.start_mark.line + 1
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse(line, "A file must hold one protocol, got a second one; remove it from this line on.")
                    return
            elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
                stack.pop()
            elif isinstance(event, AliasEvent):
                self.refuse(line, f'Aliases are not read, got "*{shown(event.anchor)}"; write the value out.')
                self._take(stack, None, line)
            elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
                self.values += 1
                self._node(stack, event, line)
            if self.values > MOST_VALUES:
                self.refuse(line, f"A protocol must hold at most {MOST_VALUES} values, got more.")
                return
            if len(stack) > MOST_DEPTH:
                self.refuse(line, f"A protocol must be nested at most {MOST_DEPTH} levels deep, got more.")
                return

    def _node(self, stack: list[_Open], event: Any, line: int) -> None:
        if event.anchor is not None:
            self.refuse(
                line, f'Anchors are not read, got "&{shown(event.anchor)}"; write the value out where it is needed.'
            )
        tag = event.tag
        if tag is not None and str(tag) != "!":
            name = shown(str(tag).replace("tag:yaml.org,2002:", "!!"))
            self.refuse(line, f'Tags are not read, got "{name}"; write the plain value.')
        if isinstance(event, ScalarEvent):
            if any("\ud800" <= char <= "\udfff" for char in event.value):
                self.refuse(line, 'A text must be made of whole characters, got half of one; write it without "\\u".')
            self._take(stack, _plain(event.value) if event.style in (None, "") else str(event.value), line, event)
            return
        value: Any = {} if isinstance(event, MappingStartEvent) else []
        path = self._take(stack, value, line)
        stack.append(_Open(value, path))

    def _take(self, stack: list[_Open], value: Any, line: int, scalar: Any = None) -> Path:
        """Put one finished or opened value where it belongs and return its path."""
        if not stack:
            self.root, self.root_line = value, line
            return ()
        top = stack[-1]
        if isinstance(top.value, list):
            path: Path = (*top.path, str(len(top.value)))
            top.value.append(value)
            self.places[path] = Place(self.file, line)
            return path
        if not top.has_key:
            if scalar is None:
                self.refuse(line, "A key must be a plain word, got a list, a mapping or an alias.")
            top.key, top.has_key = ("" if scalar is None else str(scalar.value)), True
            if top.key in top.value:
                first = self.places[*top.path, top.key].line
                message = f'A key must stand once, got "{shown(top.key)}" again (first in line {first}); remove one.'
                self.repeated.append(Problem(self.file, line, message))
            else:
                self.places[*top.path, top.key] = Place(self.file, line)
            return (*top.path, top.key)
        path = (*top.path, top.key)
        top.value[top.key] = value
        top.has_key = False
        return path


@dataclass
class _Open:
    """A mapping or list that is still being read."""

    value: Any
    path: Path
    key: str = ""
    has_key: bool = False


def _plain(text: str) -> Any:
    """Resolve an unquoted scalar as YAML 1.2 does: null, booleans, numbers; everything else is text."""
    if text.lower() in _WORDS and text in {text.lower(), text.capitalize(), text.upper()}:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text) and len(text) < 20:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def quote_unit_lists(text: str) -> str:
    """Put quotes around ``[0, 4, 8] wk``, which a reader of YAML would refuse.

    The documented grammar writes one unit behind a list. Only a list that begins a value (after ``key:``) and is
    followed by a word is touched, never inside quotes, comments or block texts; no line is added or removed.

    Examples
    --------
    >>> quote_unit_lists("{visits: [0, 4] wk, x: [1, 2]}  # was: [0, 2] wk")
    '{visits: "[0, 4] wk", x: [1, 2]}  # was: [0, 2] wk'
    """
    out: list[str] = []
    at, size = 0, len(text)
    line_start = True
    before = ""  # last character that is not a blank: tells where a quote can open
    while at < size:
        char = text[at]
        if char == "\n":
            out.append(char)
            at += 1
            line_start = True
            continue
        if char in " \t":
            out.append(char)
            at += 1
            continue
        if char == "#" and (at == 0 or text[at - 1] in " \t\n"):
            end = text.find("\n", at)
            end = size if end < 0 else end
        elif char in "\"'" and (line_start or before in ":,[{-?"):
            end = _quoted_end(text, at)
        elif char in "|>" and before in ":-" and re.match(r"[|>][-+0-9]*[ \t]*(#[^\n]*)?(\n|$)", text[at:]):
            end = _block_end(text, at)
        elif char == "[" and before == ":" and text[at - 1] in " \t\n":
            found = _UNIT_LIST.match(text, at)
            end = found.end() if found else at + 1
            if found:
                out.append(f'"{found[0]}"')
                before, line_start, at = '"', False, end
                continue
        else:
            end = at + 1
        out.append(text[at:end])
        before, line_start = text[end - 1], False
        at = end
    return "".join(out)


def _quoted_end(text: str, at: int) -> int:
    quote = text[at]
    end = at + 1
    while end < len(text):
        if quote == '"' and text[end] == "\\":
            end += 2
        elif text[end] == quote:
            if quote == "'" and text[end : end + 2] == "''":
                end += 2
            else:
                return end + 1
        else:
            end += 1
    return len(text)


def _block_end(text: str, at: int) -> int:
    """Return where a block text (``|`` or ``>``) that opens at `at` ends: at the next line not indented deeper."""
    start = text.rfind("\n", 0, at) + 1
    indent = len(text[start:at]) - len(text[start:at].lstrip(" "))
    end = text.find("\n", at)
    while end >= 0:
        stop = text.find("\n", end + 1)
        line = text[end + 1 : stop if stop >= 0 else len(text)]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            return end
        end = stop
    return len(text)


def override(document: Document, settings: Mapping[str, str]) -> Document:
    """Return `document` with ``a.b=c`` settings applied; each changed value names its ``--set`` as its place.

    Parameters
    ----------
    document : Document
        As read from the file.
    settings : mapping of str to str
        Dotted path to a value in YAML, for example ``{"population.n": "40"}``.

    Returns
    -------
    Document
        A copy with the values replaced or added.

    Raises
    ------
    InputError
        A path that goes through a plain value, or a value that is not YAML.
    """
    data = _copy(document.data)
    places = dict(document.places)
    problems: list[Problem] = []
    for name, written in settings.items():
        label = f"--set {name}={written}"
        try:
            _override(data, places, name, written, label)
        except InputError as error:
            problems += [Problem(label, 0, problem.message) for problem in error.problems]
    if problems:
        raise InputError(problems)
    return Document(document.file, data, places)


def _override(data: dict[str, Any], places: dict[Path, Place], name: str, written: str, label: str) -> None:
    keys = name.split(".")
    if not all(keys):
        raise InputError(f'A setting must be a path of keys, got "{name}"; write "population.n=40".')
    node: Any = data
    path: Path = ()
    for depth, key in enumerate(keys):
        here = ".".join(keys[:depth])
        step: str | int = key
        if isinstance(node, list):
            if not key.isdecimal() or int(key) >= len(node):
                raise InputError(f'"{here}" is a list of {len(node)}, got "{key}"; write a position from 0.')
            step = int(key)
        elif not isinstance(node, dict):
            raise InputError(f'"{here}" is a plain value, so "{name}" cannot be set; write "--set {here}=...".')
        path = (*path, key)
        if depth < len(keys) - 1:
            if isinstance(node, dict) and node.get(key) is None:
                node[key] = {}
                places[path] = Place(label, 0)
            node = node[step]
    value = _value(written, label)
    for old in [known for known in places if known[: len(path)] == path]:
        del places[old]
    places[path] = Place(label, 0)
    node[step] = value


def _value(written: str, label: str) -> Any:
    """Read one value as YAML; a text that is no YAML by itself (``5 g/day: x``) is refused."""
    if "\n" in written:
        raise InputError("A setting must stand on one line.")
    return read(f"value: {written}\n", label).data.get("value")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
