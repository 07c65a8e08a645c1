"""Every statistic against R; `README.md` beside this file says how the numbers were made."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vagus.analysis import EffectEstimate, analyze, holm
from vagus.analysis.ancova import ancova, log_ancova
from vagus.analysis.cases import collect_cases
from vagus.analysis.counts import negative_binomial
from vagus.analysis.fold_change import fold_change
from vagus.analysis.request import Request
from vagus.analysis.responders import responders
from vagus.io import read_protocol, read_trial
from vagus.trial import TrialData, make_outcomes, outcome

HERE = Path(__file__).parent
ARMS = ("placebo", "low", "high")
EXACT = 1e-9


def expected(method: str) -> dict[str, float]:
    with (HERE / method / "expected.csv").open(encoding="utf-8") as file:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return pd.read_csv(HERE / "data" / "trial.csv")


def trial(raw: pd.DataFrame, column: str, outcome_id: str) -> TrialData:
    subjects = raw[["subject", "arm"]].rename(columns={"subject": "subject_id"}).assign(status="ok")
    parts = [
        pd.DataFrame(
            {
                "subject_id": raw["subject"],
                "visit": label,
                "day": day,
                "outcome": outcome_id,
                "value": raw[f"{column}_{week}"].astype(float),
            }
        )
        for label, day, week in (("baseline", 0.0, 0), ("week 8", 56.0, 8))
    ]
    values = pd.concat(parts, ignore_index=True)
    return TrialData(subjects=subjects, outcomes=make_outcomes(values, subjects, "baseline"))


def estimate(raw, column, outcome_id, method, reference="placebo", arms=("low", "high")) -> dict[str, EffectEstimate]:
    request = Request("primary", outcome(outcome_id), "week 8", arms, reference)
    cases = collect_cases(trial(raw, column, outcome_id), outcome_id, "week 8", ARMS)
    return {found.arm: found for found in method(request, cases, ARMS)}


def check_contrast(found: EffectEstimate, numbers: dict[str, float], prefix: str, ratio: bool) -> None:
    scale = math.log if ratio else float
    for name in ("estimate", "ci_low", "ci_high"):
        assert scale(getattr(found, name)) == pytest.approx(numbers[prefix + name], rel=EXACT, abs=EXACT)
    assert found.se == pytest.approx(numbers[prefix + "se"], rel=EXACT)
    assert found.p_value == pytest.approx(numbers[prefix + "p_value"], rel=1e-8)


def test_ancova_is_lm(raw):
    numbers = expected("ancova")
    found = estimate(raw, "isi", "isi", ancova)
    for arm, effect in found.items():
        check_contrast(effect, numbers, f"{arm}.", ratio=False)
        assert (effect.df, effect.n) == (numbers["df"], 48)
        assert effect.details["reference_mean"] == pytest.approx(numbers["reference_mean"], rel=EXACT)
        assert effect.details["residual_sd"] == pytest.approx(numbers["residual_sd"], rel=EXACT)
        # Regressing the change takes one from the slope of the value and leaves the contrasts alone.
        assert effect.details["baseline_slope"] == pytest.approx(numbers["slope"], rel=EXACT)


@pytest.mark.parametrize(
    ("column", "outcome_id", "prefix"),
    [
        ("butyrate", "faecal_butyrate_mmol_kg", "butyrate."),
        ("bifidobacterium_pct", "bifidobacterium_rel_abundance_pct", "bifidobacterium."),
    ],
)
def test_log_ancova_is_lm_of_logarithms(raw, column, outcome_id, prefix):
    numbers = expected("log_ancova")
    found = estimate(raw, column, outcome_id, log_ancova)
    for arm, effect in found.items():
        check_contrast(effect, numbers, f"{prefix}{arm}.", ratio=True)
        assert effect.df == numbers[f"{prefix}df"]
    if prefix == "butyrate.":
        mean = found["low"].details["reference_mean"]
        assert mean == pytest.approx(numbers["butyrate.reference_mean"], rel=EXACT)


def test_fold_change_is_the_mean_log_ratio_with_both_intervals(raw):
    numbers = expected("fold_change")
    column, outcome_id = "bifidobacterium_pct", "bifidobacterium_rel_abundance_pct"
    for arm, effect in estimate(raw, column, outcome_id, fold_change, "baseline", ARMS).items():
        for name in ("n", "estimate", "se", "ci_low", "ci_high", "p_value"):
            assert getattr(effect, name) == pytest.approx(numbers[f"{arm}.{name}"], rel=EXACT)
        for name in ("t_ci_low", "t_ci_high", "t_p_value"):
            assert effect.details[name] == pytest.approx(numbers[f"{arm}.{name}"], rel=EXACT)


def test_negative_binomial_is_glm_nb(raw):
    numbers = expected("negative_binomial")
    for arm, effect in estimate(raw, "awakenings", "night_awakenings_n", negative_binomial).items():
        assert effect.details["model"] == "negative binomial"
        assert effect.details["dispersion"] == pytest.approx(numbers["dispersion"], rel=1e-8)
        assert effect.details["theta"] == pytest.approx(numbers["theta"], rel=1e-6)
        assert effect.details["reference_mean"] == pytest.approx(numbers["reference_mean"], rel=1e-7)
        for name in ("estimate", "ci_low", "ci_high"):
            assert math.log(getattr(effect, name)) == pytest.approx(numbers[f"{arm}.{name}"], rel=1e-6)
        assert effect.se == pytest.approx(numbers[f"{arm}.se"], rel=1e-6)
        assert effect.p_value == pytest.approx(numbers[f"{arm}.p_value"], rel=1e-6)


def test_weekly_means_of_counts_are_poisson_with_a_sandwich(raw):
    numbers = expected("negative_binomial")
    for arm, effect in estimate(raw, "weekly_awakenings", "night_awakenings_n", negative_binomial).items():
        assert effect.details["model"] == "Poisson with robust errors (means over nights)"
        assert math.log(effect.estimate) == pytest.approx(numbers[f"weekly.{arm}.estimate"], rel=1e-8)
        assert effect.se == pytest.approx(numbers[f"weekly.{arm}.se"], rel=1e-8)
        assert effect.p_value == pytest.approx(numbers[f"weekly.{arm}.p_value"], rel=1e-8)


def test_holm_is_p_adjust():
    numbers = expected("holm")
    found = holm([0.011, 0.04, 0.04, 0.0005, 0.73, 0.02])
    assert found == pytest.approx([numbers[f"six.{place}"] for place in range(1, 7)], rel=1e-14)
    assert holm([0.03, math.nan, 0.01]) == (pytest.approx(numbers["gap.1"]), None, pytest.approx(numbers["gap.3"]))


def test_responders_are_newcombe_and_fisher(raw):
    numbers = expected("responders")
    for arm, effect in estimate(raw, "isi", "isi", responders).items():
        for name in ("estimate", "ci_low", "ci_high", "p_value"):
            assert getattr(effect, name) == pytest.approx(numbers[f"{arm}.{name}"], rel=EXACT, abs=EXACT)
        for name in ("responders_arm", "responders_reference", "odds_ratio"):
            assert effect.details[name] == pytest.approx(numbers[f"{arm}.{name}"], rel=1e-7)
        for name in ("odds_ratio_ci_low", "odds_ratio_ci_high"):
            assert effect.details[name] == pytest.approx(numbers[f"{arm}.{name}"], rel=1e-6)


@pytest.fixture(scope="module")
def baxter(shared):
    protocol = read_protocol("baxter2019")
    data = read_trial(shared / "data" / "baxter2019_prebiotic_trial", protocol=protocol)
    return data, analyze(protocol, data)


def test_baxter_reproduces_the_printed_digits(baxter):
    _, result = baxter
    fold = {e.arm: e for e in result.estimates if e.statistic == "fold_change"}
    printed = {
        "inulin": (2.29, 1.77, 2.96, 50),
        "potato": (4.38, 2.77, 6.94, 43),
        "himaize": (0.85, 0.62, 1.18, 43),
        "accessible": (1.11, 0.85, 1.44, 39),
    }
    for arm, (middle, low, high, n) in printed.items():
        effect = fold[arm]
        assert (round(effect.estimate, 2), round(effect.ci_low, 2), round(effect.ci_high, 2)) == (middle, low, high)
        assert effect.n == n
    butyrate = {e.arm: e for e in result.estimates if e.outcome == "faecal_butyrate_mmol_kg"}
    for arm, (ratio, p) in {"potato": (1.22, 0.04), "inulin": (0.97, 0.73), "himaize": (0.79, 0.01)}.items():
        assert (round(butyrate[arm].estimate, 2), round(butyrate[arm].p_value or 1.0, 2)) == (ratio, p)
        assert butyrate[arm].n == 175


def test_baxter_equals_r_to_nine_digits(baxter):
    _, result = baxter
    numbers = expected("baxter2019")
    acids = {f"faecal_{acid}_mmol_kg": f"{acid}." for acid in ("butyrate", "acetate", "propionate")}
    compared = 0
    for effect in result.estimates:
        if effect.outcome in acids:
            prefix = acids[effect.outcome]
            check_contrast(effect, numbers, f"{prefix}{effect.arm}.", ratio=True)
            assert (effect.df, effect.n) == (numbers[f"{prefix}df"], numbers[f"{prefix}n"])
            compared += 1
        elif effect.statistic == "fold_change":
            prefix = f"bifidobacterium.{effect.arm}."
            for name in ("n", "estimate", "ci_low", "ci_high"):
                assert getattr(effect, name) == pytest.approx(numbers[prefix + name], rel=EXACT)
            for name in ("t_ci_low", "t_ci_high"):
                assert effect.details[name] == pytest.approx(numbers[prefix + name], rel=EXACT)
            compared += 1
    assert compared >= 7


def test_baxter_keeps_every_subject_and_says_what_was_done(baxter):
    data, _ = baxter
    assert len(data.subjects) == 175
    assert data.subjects["arm"].value_counts().to_dict() == {
        "inulin": 50,
        "potato": 43,
        "himaize": 43,
        "accessible": 39,
    }
    assert set(data.visits["visit"]) == {"baseline", "week 2"}
    assert np.isclose(data.features.to_numpy().sum(axis=1), 1, atol=1e-4).all()
    notes = "\n".join(data.notes)
    assert "faecal_butyrate_mmol_kg: 34 of 1205 cells are empty" in notes
    assert "averaged over the samples of a subject and visit (1205 to 350)" in notes
    assert "79 of 242 taxa name no genus that can be read" in notes
