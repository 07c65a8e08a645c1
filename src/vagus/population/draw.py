"""Draw the people of a trial and screen them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from vagus.errors import InputError, Problem, nearest
from vagus.instruments import answer_sum
from vagus.population.cohort import Cohort
from vagus.population.microbiome import draw_microbiomes, figures
from vagus.population.parameters import draw_parameters
from vagus.population.sources import Source, source
from vagus.population.traits import SCALES, draw_traits
from vagus.rng import streams

FloatArray = NDArray[np.float64]
Entry = Mapping[str, tuple[float, float]]

#: Candidates who are screened for one subject before the criteria are called unreachable, and the least of them.
CANDIDATES_PER_SUBJECT = 200
CANDIDATES_LEAST = 20_000
#: Candidates who answer at a time, which bounds the memory of a screening.
CANDIDATES_AT_ONCE = 20_000
OCCASION = "screening"


class Wanted(Protocol):
    """What a protocol says about its people."""

    @property
    def source(self) -> str:
        """Id of the population."""

    @property
    def n(self) -> int:
        """Subjects of the whole trial."""

    @property
    def baseline_microbiome(self) -> str | None:
        """Id of the set of baseline microbiomes; None for the population's own."""

    @property
    def entry(self) -> Mapping[str, tuple[float, float]]:
        """Scale -> lowest and highest screening score; empty for the population's own criteria."""


class Trial(Protocol):
    """The part of a protocol that this layer reads."""

    @property
    def population(self) -> Wanted:
        """Who takes part."""


@dataclass(frozen=True)
class Chosen:
    """Who of the candidates takes part: what must be known of everybody before anybody can be drawn.

    Attributes
    ----------
    source : Source
        The population.
    microbiome : str
        Id of the set of baseline microbiomes.
    numbers : numpy.ndarray
        Shape (n,), running numbers of the subjects among the candidates, from 0.
    screened : int
        Candidates who were screened to find them.
    scores : dict of str to numpy.ndarray
        Scale of the entry criteria -> screening scores of the subjects, shape (n,).
    """

    source: Source
    microbiome: str
    numbers: NDArray[np.int64]
    screened: int
    scores: dict[str, NDArray[np.int64]]


def draw_cohort(protocol: Trial, people_parameters: pd.DataFrame, seed: int) -> Cohort:
    """Draw candidates, screen them, and keep the first `n` who meet the entry criteria.

    A candidate answers the questionnaires of the criteria as everybody does, with error and with the state of that
    day, so that the subjects who are kept regress to their own mean by themselves. Every candidate has own streams,
    named by the running number among the candidates: subject ``S007`` is the same person whatever `n` is.

    Parameters
    ----------
    protocol : Protocol
        Names the population, n, the baseline microbiome and the entry criteria.
    people_parameters : pandas.DataFrame
        The model's parameter rows; see `vagus.population.draw_parameters`.
    seed : int
        Seed of the run.

    Returns
    -------
    Cohort
        The n subjects.

    Raises
    ------
    InputError
        The population or microbiome is unknown, a criterion is not one of a scale with a latent trait, a parameter
        row cannot be read, or too few candidates meet the criteria.
    """
    chosen = choose_people(protocol, seed)
    return draw_people(chosen, people_parameters, seed, np.arange(len(chosen.numbers)))


def choose_people(protocol: Trial, seed: int) -> Chosen:
    """Screen candidates until there are enough; `draw_people` then draws any of them, in any order.

    Parameters, errors : as in `draw_cohort`.
    """
    wanted = protocol.population
    file = str(getattr(protocol, "source_file", "") or "")
    origin, microbiome, entry = _check(wanted, file)
    numbers, screened, scores = _screen(origin, entry, wanted.n, seed, file)
    return Chosen(origin, microbiome, numbers, screened, scores)


def draw_people(chosen: Chosen, people_parameters: pd.DataFrame, seed: int, rows: NDArray[np.int64]) -> Cohort:
    """Draw some of the subjects; each is the same person whoever else is drawn.

    Parameters
    ----------
    chosen : Chosen
        From `choose_people`.
    people_parameters : pandas.DataFrame
        The model's parameter rows.
    seed : int
        Seed of the run.
    rows : numpy.ndarray
        Which subjects, counted from 0: ``S001`` is 0.

    Raises
    ------
    InputError
        A parameter row cannot be read.
    """
    people = [f"C{number + 1}" for number in chosen.numbers[rows]]
    slow, fast = draw_traits(chosen.source, people, seed)
    biome = draw_microbiomes(chosen.microbiome, people, seed)
    ids = [f"S{row + 1:03d}" for row in rows]
    index = pd.Index(ids, name="subject_id")
    return Cohort(
        source=chosen.source.id,
        seed=seed,
        subject_ids=tuple(ids),
        covariates=_draw_covariates(chosen.source, people, seed).set_index(index),
        parameters=draw_parameters(people_parameters, people, seed).set_index(index),
        genera=biome.genera,
        genus_guild=biome.genus_guild,
        genus_fractions=biome.genus_fractions,
        guild_fractions=biome.guild_fractions,
        scales=SCALES,
        slow=slow,
        fast=fast,
        screened=chosen.screened,
        screening=pd.DataFrame({scale: scores[rows] for scale, scores in chosen.scores.items()}, index=index),
        screening_day=-chosen.source.screening_days,
        candidate_ids=tuple(people),
    )


def _check(wanted: Wanted, file: str) -> tuple[Source, str, Entry]:
    """Look up all names; all problems at once."""
    problems: list[Problem] = []
    origin: Source | None = None
    if wanted.n < 1:
        problems.append(Problem(file, 0, f"A population needs n of 1 or more, got {wanted.n}."))
    try:
        origin = source(wanted.source, file)
    except InputError as error:
        problems.extend(error.problems)
    try:
        if wanted.baseline_microbiome:
            figures(wanted.baseline_microbiome, file)
    except InputError as error:
        problems.extend(error.problems)
    for scale, (low, high) in wanted.entry.items():
        if scale not in SCALES:
            message = f'Entry criteria can be set for scales with a latent trait, got "{scale}"; '
            problems.append(Problem(file, 0, message + nearest(scale, SCALES)))
        if not low <= high:
            message = f"Entry criterion {scale} must go from a lower to a higher score, got {low:g} to {high:g}."
            problems.append(Problem(file, 0, message))
    if problems or origin is None:
        raise InputError(problems)
    return origin, wanted.baseline_microbiome or origin.microbiome, wanted.entry or origin.entry


def _screen(
    origin: Source, entry: Entry, n: int, seed: int, file: str
) -> tuple[NDArray[np.int64], int, dict[str, NDArray[np.int64]]]:
    """Return the first n candidates in range, how many were seen until then, and their scores."""
    if not entry:
        return np.arange(n), n, {}
    most = max(CANDIDATES_LEAST, CANDIDATES_PER_SUBJECT * n)
    kept: list[NDArray[np.int64]] = []
    scores: dict[str, list[NDArray[np.int64]]] = {scale: [] for scale in entry}
    seen = found = 0
    while found < n and seen < most:
        # The batches only set the pace: who is kept depends on nothing but the order of the candidates.
        size = min(max(100, 2 * n, seen), most - seen, CANDIDATES_AT_ONCE)
        numbers = np.arange(seen, seen + size)
        seen += size
        answers = _answers(origin, entry, numbers, seed)
        inside = np.ones(size, dtype=np.bool_)
        for scale, (low, high) in entry.items():
            inside &= (answers[scale] >= low) & (answers[scale] <= high)
        kept.append(numbers[inside])
        found += len(kept[-1])
        for scale, values in answers.items():
            scores[scale].append(values[inside])
    if found < n:
        raise InputError(Problem(file, 0, _unreachable(origin, entry, n, found, seen)))
    people = np.concatenate(kept)[:n]
    return people, int(people[-1]) + 1, {scale: np.concatenate(values)[:n] for scale, values in scores.items()}


def _answers(origin: Source, entry: Entry, numbers: NDArray[np.int64], seed: int) -> dict[str, NDArray[np.int64]]:
    """Let candidates answer the questionnaires of the criteria."""
    people = [f"C{number + 1}" for number in numbers]
    slow, fast = draw_traits(origin, people, seed)
    theta = slow + fast
    return {scale: answer_sum(scale, theta[:, SCALES.index(scale)], people, OCCASION, seed) for scale in entry}


def _unreachable(origin: Source, entry: Entry, n: int, kept: int, seen: int) -> str:
    ranges = ", ".join(f"{scale} {low:g} to {high:g}" for scale, (low, high) in entry.items())
    return (
        f'Entry criteria must be met by enough candidates of "{origin.id}": {ranges} let in {kept} of {seen} '
        f"({100 * kept / seen:.2f} %), {n} are needed; widen the criteria or take another population."
    )


def _draw_covariates(origin: Source, people: Sequence[str], seed: int) -> pd.DataFrame:
    """Draw age, sex and body mass index."""
    fitted = origin.covariates
    draws = [rng.standard_normal(3) for rng in streams(seed, "population", "covariates", last=people)]
    z = np.array(draws, dtype=np.float64).reshape(len(people), 3)
    female = ndtr(z[:, 0]) < fitted.female
    rank_age = ndtr(z[:, 1])
    rank_bmi = ndtr(fitted.age_bmi * z[:, 1] + np.sqrt(1.0 - fitted.age_bmi**2) * z[:, 2])
    bmi = {sex: np.interp(rank_bmi, fitted.probabilities, values) for sex, values in fitted.bmi_kg_m2.items()}
    return pd.DataFrame(
        {
            "age_years": np.interp(rank_age, fitted.probabilities, fitted.age_years),
            "sex": np.where(female, "female", "male"),
            "bmi_kg_m2": np.where(female, bmi["female"], bmi["male"]),
        }
    )
