"""The checks of ``vagus model check``, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vagus.errors import Problem
from vagus.model import compose
from vagus.model.balance import CLOSED_WITHIN, carbon_balance, leak_problems
from vagus.model.checks import Check, static_checks
from vagus.model.infants import infant_library
from vagus.model.libraries import TEXT, Library, shipped


def all_checks(library: Library | None = None) -> Iterator[Check]:
    """Give each check as it is done; the infant axis is checked with the shipped library.

    Raises
    ------
    InputError
        A user's own submodels cannot be composed.
    """
    source = library or shipped()
    yield from static_checks(source)
    yield _balance(source)
    yield _positivity(source)
    if library is None:
        for check in (*static_checks(infant_library(), tables=False), _balance(infant_library())):
            yield replace(check, name=f"infants: {check.name}")


def _balance(library: Library) -> Check:
    flows = carbon_balance(compose(library=library))
    problems = leak_problems(flows, library.submodel("colon"))
    worst = max((abs(flow.share) for flow in flows), default=0.0)
    name = f"carbon balance of {len(flows)} uptakes"
    return Check(name, round(worst, 6), 0.0, tuple(problems), CLOSED_WITHIN, "largest share of carbon lost")


def _positivity(library: Library) -> Check:
    from vagus.simulation.positivity import DRAWS, PEOPLE, ROUNDING, lowest_values

    axis = compose(library=library)
    lowest, failed = lowest_values(axis)
    problems = [Problem("", 0, f"A simulation failed: {text}.") for text in failed]
    for item in lowest:
        if item.negative:
            text = f'"{item.state}" must not be negative, it falls to {item.value:.3g}.'
            part = library.submodel(axis.owner[item.state])
            problems.append(Problem(part.file(TEXT), part.line_of(item.state), text))
    name = f"no sign below zero in {len(lowest)} states"
    source = f"typical adult and {PEOPLE} drawn people, {1 + DRAWS} sets of constants"
    return Check(name, lowest[0].share if lowest else 0.0, 0.0, tuple(problems), ROUNDING, source)
