"""Values that a protocol sets in the model: switches between rival forms, and constants by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache

from vagus import resources
from vagus.errors import InputError, Problem
from vagus.model.composition import compose
from vagus.model.libraries import SWITCHES, Library, Row, near, read_rows, shipped


@dataclass(frozen=True)
class Switch:
    """A contested or rival form that can be switched.

    Attributes
    ----------
    switch : str
        Its name.
    parameter : str
        Constant that it sets.
    default : str
        ``on`` or ``off``.
    on, off : str
        Values of the constant.
    description, study_id : str
        What it stands for, and the source of the default.
    """

    switch: str
    parameter: str
    default: str
    on: str
    off: str
    description: str
    study_id: str

    def value(self, word: str) -> float:
        """Return the value of the constant for ``on`` or ``off``."""
        return float(self.on if word == "on" else self.off)


@cache
def switches(library: Library | None = None) -> dict[str, Switch]:
    """Return every switch by its name, those of a user's own submodels included.

    Raises
    ------
    InputError
        A user's table without its columns, or a row that is no switch.
    """
    known = [Switch(**row) for row in resources.rows("model", "library", SWITCHES)]
    if library is not None and library.switches:
        problems = []
        for row in _own_rows(library):
            found = Switch(**row.cells)
            if found.default not in ("on", "off") or not all(map(_is_number, (found.on, found.off))):
                text = f'Switch "{found.switch}" must be on or off by default, with a number for each.'
                problems.append(Problem(library.file(SWITCHES), row.line, text))
            known.append(found)
        if problems:
            raise InputError(problems)
    return {item.switch: item for item in known}


def switch_lines(library: Library) -> dict[str, int]:
    """Return every switch of the user's table and the line that it stands in."""
    return {row["switch"]: row.line for row in _own_rows(library)}


def _own_rows(library: Library) -> list[Row]:
    if not library.switches:
        return []
    return read_rows(library.switches, [item.name for item in fields(Switch)], library.file(SWITCHES))


def read_settings(settings: Mapping[str, str]) -> dict[str, float | str]:
    """Return ``--set model.NAME=VALUE`` texts as what a protocol's ``model`` section holds.

    Raises
    ------
    InputError
        A setting of something else.

    Examples
    --------
    >>> read_settings({"model.e_direct_mood": "0", "model.awakening_pulse": "off"})
    {'e_direct_mood': 0.0, 'awakening_pulse': 'off'}
    """
    found: dict[str, float | str] = {}
    for name, text in settings.items():
        head, _, rest = name.partition(".")
        if head != "model" or not rest:
            raise InputError(f'--set must be about the model here, got "{name}"; write --set model.NAME=VALUE')
        found[rest] = float(text) if _is_number(text) else {"true": "on", "false": "off"}.get(text, text)
    return found


def _problem(name: str, message: str) -> Problem:
    return Problem(f"model.{name}", 0, message)


def read_values(
    written: Mapping[str, float | str],
    library: Library | None = None,
    problem: Callable[[str, str], Problem] = _problem,
) -> dict[str, float]:
    """Return the constants that a protocol sets, by name.

    Parameters
    ----------
    written : mapping of str to float or str
        Name of a switch to ``on`` or ``off``, or name of a constant to a number in the unit of its row.
    library : Library, optional
        The shipped one by default.
    problem : callable, optional
        Called with a name and a message; returns the problem with its place in the user's file.

    Returns
    -------
    dict of str to float

    Raises
    ------
    InputError
        An unknown name, a value that does not fit, a constant that cannot be set; all at once.

    Examples
    --------
    >>> read_values({"gut_serotonin_to_melatonin": "on"})
    {'gut_5ht_reaches_brain': 1.0}
    """
    if not written:
        return {}
    source = library or shipped()
    known, axis = switches(source), compose(library=source)
    kinds = dict(zip(axis.parameters["parameter"], axis.parameters["distribution"], strict=True))
    by_switch = {item.parameter for item in known.values()}
    values: dict[str, float] = {}
    set_by: dict[str, str] = {}
    problems = []
    for name, value in written.items():
        target, number, message = name, math.nan, ""
        if name in known:
            target = known[name].parameter
            if value in ("on", "off"):
                number = known[name].value(str(value))
            else:
                message = f'Switch "{name}" must be on or off, got "{value}"; {target} takes a number.'
        elif name in axis.owner:
            message = (
                f'"{name}" is computed by the submodel {axis.owner[name]} and cannot be set; set a constant of it.'
            )
        elif name not in kinds:
            message = f'"{name}" must be a switch or a constant of the model; {near(name, [*known, *kinds])}'
        elif kinds[name] == "derived":
            message = f'"{name}" is solved from each person\'s own baseline and cannot be set.'
        elif kinds[name] == "setting" and name not in by_switch:
            message = f'"{name}" is set by the simulation itself and cannot be set.'
        elif isinstance(value, str) or not math.isfinite(value):
            message = f'"{name}" must be a number, got "{value}".'
        else:
            number = float(value)
        if not message and target in set_by:
            message = f'"{name}" sets {target}, which {set_by[target]} sets already; keep one.'
        if message:
            problems.append(problem(name, message))
        else:
            values[target], set_by[target] = number, name
    if problems:
        raise InputError(problems)
    return values


def describe_values(written: Mapping[str, float | str], library: Library | None = None) -> list[str]:
    """Say what a protocol set in the model, one line a setting, with what it is otherwise.

    Examples
    --------
    >>> describe_values({"gut_serotonin_to_melatonin": "on"})
    ['gut_serotonin_to_melatonin is on (off by default)']
    """
    source = library or shipped()
    known = switches(source)
    table = compose(library=source).parameters.set_index("parameter")
    lines = []
    for name, value in written.items():
        if name in known:
            lines.append(f"{name} is {value} ({known[name].default} by default)")
        else:
            row = table.loc[name]
            unit = "" if row["unit"] == "1" else f" {row['unit']}"
            number = value if isinstance(value, str) else f"{value:g}"
            lines.append(f"{name} is {number}{unit} ({row['value']:g}{unit} by default)")
    return lines


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
