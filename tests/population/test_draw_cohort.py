"""People of a trial: same person whatever the company, screening, regression to the mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from vagus import resources
from vagus.errors import InputError
from vagus.instruments import answer_sum, bank
from vagus.population import GUILDS, SCALES, Cohort, constant, draw_cohort, source, sources, trait_correlation

PARAMETERS = pd.DataFrame(
    [
        ("transit_d", "1.25", "trunclognormal", "0.385|0.4|4"),
        ("fl_competence", "0.5", "beta", "2|2"),
        ("placebo_mood_amp", "0.25", "normal", "0.3"),
    ],
    columns=["parameter", "value", "distribution", "spread"],
)


@dataclass(frozen=True)
class People:
    source: str = "healthy-adults"
    n: int = 20
    baseline_microbiome: str | None = None
    entry: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    population: People
    source_file: str = "trial.yaml"


def draw(seed: int = 1, **people: object) -> Cohort:
    return draw_cohort(Trial(People(**people)), PARAMETERS, seed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def screened() -> Cohort:
    return draw(source="adults-mild-anxiety-depression", n=400)


@pytest.fixture(scope="module")
def everybody() -> Cohort:
    return draw(n=1000)


def assert_same_people(few: Cohort, many: Cohort) -> None:
    n = few.n
    assert few.subject_ids == many.subject_ids[:n]
    assert few.candidate_ids == many.candidate_ids[:n]
    pd.testing.assert_frame_equal(few.covariates, many.covariates[:n])
    pd.testing.assert_frame_equal(few.parameters, many.parameters[:n])
    pd.testing.assert_frame_equal(few.screening, many.screening[:n])
    for name in ("genus_fractions", "guild_fractions", "slow", "fast"):
        # Matrix products of another height may differ in the last bit.
        np.testing.assert_allclose(getattr(few, name), getattr(many, name)[:n], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("population", ["healthy-adults", "adults-mild-anxiety-depression"])
def test_a_person_does_not_depend_on_n(population: str) -> None:
    assert_same_people(draw(source=population, n=7), draw(source=population, n=150))


def test_another_seed_gives_other_people() -> None:
    a, b = draw(seed=1), draw(seed=2)
    assert not np.isclose(a.slow, b.slow).any()
    assert not np.isclose(a.parameters, b.parameters).any()


def test_one_more_parameter_leaves_the_others_as_they_were() -> None:
    trial = Trial(People(n=5))
    all_of_them = draw_cohort(trial, PARAMETERS, 1).parameters
    fewer = draw_cohort(trial, PARAMETERS[1:], 1).parameters
    pd.testing.assert_frame_equal(all_of_them[list(fewer)], fewer)


@pytest.mark.parametrize("population", sources())
def test_every_population_can_be_drawn(population: str) -> None:
    cohort = draw(source=population, n=12)
    assert cohort.n == 12
    assert cohort.source == population
    assert cohort.screening_day < 0
    assert list(cohort.screening) == list(source(population).entry)
    assert cohort.scales == SCALES
    assert cohort.slow.shape == cohort.fast.shape == (12, len(SCALES))
    assert cohort.guild_fractions.shape == (12, len(GUILDS))
    assert len(cohort.genera) == len(cohort.genus_guild) == cohort.genus_fractions.shape[1]
    assert set(cohort.covariates["sex"]) <= {"female", "male"}
    for table in (cohort.covariates, cohort.parameters, cohort.screening):
        assert list(table.index) == list(cohort.subject_ids)
        assert not table.isna().to_numpy().any()


@pytest.mark.parametrize("population", [name for name in sources() if source(name).entry])
def test_screening_scores_are_whole_numbers_in_range(population: str) -> None:
    cohort = draw(source=population, n=100)
    for scale, (low, high) in source(population).entry.items():
        scores = cohort.screening[scale]
        assert scores.dtype.kind == "i"
        assert scores.between(low, high).all()
        assert low >= bank(scale).score_min


def test_subjects_are_the_first_candidates_in_range() -> None:
    cohort = draw(source="adults-poor-sleep", n=30)
    origin = source("adults-poor-sleep")
    numbers = [int(name[1:]) for name in cohort.candidate_ids]
    assert numbers == sorted(numbers)
    assert cohort.screened == numbers[-1]
    everybody = draw(source="students", n=cohort.screened)  # no criteria: candidate i is subject i
    scale = SCALES.index("psqi")
    np.testing.assert_allclose(everybody.slow[np.array(numbers) - 1][:, scale], cohort.slow[:, scale], rtol=1e-12)
    theta = (everybody.slow + everybody.fast)[:, scale]
    scores = answer_sum("psqi", theta, everybody.candidate_ids, "screening", 1)
    low, high = origin.entry["psqi"]
    assert [i + 1 for i in range(cohort.screened) if low <= scores[i] <= high] == numbers


def test_the_protocol_overrules_the_entry_criteria() -> None:
    cohort = draw(source="adults-mild-anxiety-depression", n=40, entry={"psqi": (8, 12), "bdi": (10, 63)})
    assert set(cohort.screening) == {"psqi", "bdi"}
    assert cohort.screening["psqi"].between(8, 12).all()
    assert cohort.screening["bdi"].min() >= 10


def test_those_let_in_regress_to_the_mean(screened: Cohort) -> None:
    """The selected were also unlucky in their answers and in their day: both pass, the slow part stays."""
    bdi = SCALES.index("bdi")
    n = screened.n
    assert screened.slow[:, bdi].mean() > 0.7
    # Selection on the sum lifts the fast part as well, by its share of the variance: about 0.05 of the lift.
    lift = screened.fast[:, bdi].mean()
    assert lift > 0
    assert lift < 0.15 * screened.slow[:, bdi].mean()
    later = answer_sum("bdi", screened.slow[:, bdi], screened.person_ids, "baseline", 1)
    fall = screened.screening["bdi"].to_numpy() - later
    assert fall.mean() > 4 * fall.std() / np.sqrt(n)
    # The reference simulation of this selection found 2.2 points at five weeks, part of it from the slow part.
    assert fall.mean() < 3.0


def test_without_criteria_nothing_regresses(everybody: Cohort) -> None:
    bdi = SCALES.index("bdi")
    theta = everybody.slow[:, bdi] + everybody.fast[:, bdi]
    first = answer_sum("bdi", theta, everybody.person_ids, "screening", 1)
    second = answer_sum("bdi", theta, everybody.person_ids, "baseline", 1)
    difference = first - second
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(everybody.n)


def test_traits_have_the_figures_of_their_population(everybody: Cohort) -> None:
    n = everybody.n
    origin = source("healthy-adults")
    theta = everybody.slow + everybody.fast
    mean = np.array([origin.latent_mean[scale] for scale in SCALES])
    sd = np.array([origin.latent_sd[scale] for scale in SCALES])
    assert np.abs(theta.mean(axis=0) - mean).max() < 4 * sd.max() / np.sqrt(n)
    assert np.abs(theta.std(axis=0) / sd - 1).max() < 4 / np.sqrt(2 * n)
    share = everybody.fast.var(axis=0) / theta.var(axis=0)
    assert np.abs(share / constant("fast_share") - 1).max() < 4 * np.sqrt(2 / n) * 1.5
    drawn = np.corrcoef(theta.T)
    # Standard error of a correlation is at most 1/sqrt(n); 28 of them, hence 4 of it.
    assert np.abs(drawn - trait_correlation().to_numpy()).max() < 4 / np.sqrt(n)


def test_correlation_of_traits_is_positive_definite() -> None:
    r = trait_correlation().to_numpy()
    np.testing.assert_array_equal(r, r.T)
    np.testing.assert_array_equal(np.diag(r), 1)
    assert np.linalg.eigvalsh(r)[0] > 0.01
    assert len(np.unique(r)) > 10  # no pair is left at its default


def test_covariates_follow_the_fitted_figures(everybody: Cohort) -> None:
    n = everybody.n
    fitted = source("healthy-adults").covariates
    table = everybody.covariates
    assert table["age_years"].between(18, 66).all()
    assert table["bmi_kg_m2"].between(18.5, 30).all()
    share = (table["sex"] == "female").mean()
    assert abs(share - fitted.female) < 4 * np.sqrt(0.25 / n)
    inner = slice(1, -1)
    for values, quantiles in [
        (table["age_years"], fitted.age_years),
        (table.loc[table["sex"] == "female", "bmi_kg_m2"], fitted.bmi_kg_m2["female"]),
        (table.loc[table["sex"] == "male", "bmi_kg_m2"], fitted.bmi_kg_m2["male"]),
    ]:
        # Share of people below a decile is binomial.
        below = np.array([(values <= q).mean() for q in quantiles[inner]])
        assert np.abs(below - fitted.probabilities[inner]).max() < 4 * np.sqrt(0.25 / len(values))
    assert table["age_years"].corr(table["bmi_kg_m2"]) > 0


def test_unknown_names_are_told_all_at_once_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        draw(source="healthy-adult", n=0, baseline_microbiome="helthy-adults", entry={"bdii": (1, 2), "isi": (9, 3)})
    told = str(caught.value)
    assert len(caught.value.problems) == 5
    assert 'did you mean "healthy-adults"?' in told
    assert 'did you mean "bdi"?' in told
    assert "got 9 to 3" in told
    assert all(problem.file == "trial.yaml" for problem in caught.value.problems)


def test_criteria_that_nobody_meets_end_with_the_rate_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vagus.population.draw.CANDIDATES_LEAST", 300)
    monkeypatch.setattr("vagus.population.draw.CANDIDATES_PER_SUBJECT", 10)
    with pytest.raises(InputError, match=r"bdi 60 to 63 let in 0 of 300 \(0.00 %\), 20 are needed"):
        draw(entry={"bdi": (60, 63)})


@pytest.mark.parametrize("name", sources())
def test_every_number_of_a_population_has_source_and_grade(name: str) -> None:
    rows = resources.table("population", "data", "populations", f"{name}.csv")
    numbers = rows[~rows["quantity"].isin(["title", "covariates", "microbiome"])]
    assert (numbers["source"] != "").all()
    assert numbers["grade"].isin(["A", "B", "C", "D"]).all()
    assert set(source(name).latent_mean) == set(source(name).latent_sd) == set(SCALES)
    assert set(source(name).entry) <= set(SCALES)
