"""Names in a protocol that stand for files of the package: they must exist before any work begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vagus.errors import InputError, Problem, nearest
from vagus.protocol import Protocol

if TYPE_CHECKING:
    from vagus.model.libraries import Library


def check_names(protocol: Protocol, *, people: bool = True, library: Library | None = None) -> None:
    """Refuse names that the package does not have, with their lines, all at once.

    Parameters
    ----------
    protocol : Protocol
        As read.
    people : bool
        Also look for the population, the baseline microbiome, the scales of the entry criteria and what is set in the
        model; only a simulation needs them.
    library : Library, optional
        Submodels that the trial is simulated with; the shipped ones by default.

    Raises
    ------
    InputError
        Unknown study, population or microbiome, an entry criterion that nobody can be screened by, or a setting of the
        model that it does not have.
    """
    problems = _study(protocol)
    if people:
        problems += [*_people(protocol), *_model(protocol, library)]
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


def _model(protocol: Protocol, library: Library | None) -> list[Problem]:
    if not protocol.model:
        return []
    from vagus.model.switches import read_values

    try:
        read_values(protocol.model, library, lambda name, text: protocol.problem(f"model.{name}", text))
    except InputError as error:
        return list(error.problems)
    return []


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


def read_own_library(folder: str | None) -> Library | None:
    """Return the library with a user's own submodels; None without a folder, refused where something is wrong.

    Raises
    ------
    InputError
        Every problem of the folder, with files and lines.
    """
    if folder is None:
        return None
    from vagus.io import read_library
    from vagus.model.checks import strict_problems

    library = read_library(folder)
    if problems := strict_problems(library):
        raise InputError(problems)
    return library
