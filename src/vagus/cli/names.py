"""Names in a protocol that stand for files of the package: they must exist before any work begins."""

from __future__ import annotations

from collections.abc import Callable

from vagus.errors import InputError, Problem, nearest
from vagus.protocol import Protocol


def check_names(protocol: Protocol, *, people: bool = True) -> None:
    """Refuse names that the package does not have, with their lines, all at once.

    Parameters
    ----------
    protocol : Protocol
        As read.
    people : bool
        Also look for the population, the baseline microbiome and the scales of the entry criteria; only a simulation
        needs them.

    Raises
    ------
    InputError
        Unknown study, population or microbiome, or an entry criterion that nobody can be screened by.
    """
    problems = _study(protocol)
    if people:
        problems += _people(protocol)
    if problems:
        raise InputError(sorted(problems, key=lambda problem: (problem.file != protocol.source_file, problem.line)))


def with_line(protocol: Protocol, error: InputError) -> InputError:
    """Return what a simulation said of the protocol's people with the line that they are asked for in."""
    return InputError(
        protocol.problem("population.entry", problem.message)
        if problem.file == protocol.source_file and not problem.line
        else problem
        for problem in error.problems
    )


def _study(protocol: Protocol) -> list[Problem]:
    from vagus.evidence import studies

    known = [str(name) for name in studies()["study_id"]]
    if protocol.published is None or protocol.published in known:
        return []
    hint = nearest(protocol.published, known)
    if hint.startswith("known:"):
        hint = f"the evidence base has {len(known)} studies; leave the line out where none is meant."
    text = f'Published study must be one of the evidence base, got "{protocol.published}"; {hint}'
    return [protocol.problem("published", text)]


def _people(protocol: Protocol) -> list[Problem]:
    from vagus.population import SCALES, figures, source

    wanted = protocol.population
    lookups: tuple[tuple[str, str, Callable[[str], object]], ...] = (
        ("population.from", wanted.source, source),
        ("population.baseline_microbiome.from", wanted.baseline_microbiome, figures),
    )
    problems = []
    for path, name, look_up in lookups:
        try:
            look_up(name)
        except InputError as error:
            problems += [protocol.problem(path, problem.message) for problem in error.problems]
    for outcome in wanted.entry:
        if outcome not in SCALES:
            text = f'Entry must be about a questionnaire ({", ".join(SCALES)}), got "{outcome}"; people are screened by'
            problems.append(protocol.problem(f"population.entry.{outcome}", f"{text} those only."))
    return problems
