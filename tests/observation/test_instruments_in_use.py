"""Each instrument by itself: traits over time, nights, assays, reads, and the sources of the noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from vagus import resources
from vagus.evidence.citations import references
from vagus.observation import expected, observe, technologies
from vagus.observation.latents import fast_shares, wander
from vagus.observation.noise import factor, noise
from vagus.observation.people import People
from vagus.observation.sleep import poisson_quantile
from vagus.observation.stool import regroup
from vagus.population import GUILDS, SCALES, trait_correlation
from vagus.trial import TrialData

World = Any
Build = Callable[..., Any]
DIARY_SIGNS = {"tst_diary_h": -1, "night_awakenings_n": 1, "sleep_latency_diary_min": 1}


def people(world: World, seed: int = 1, arm: str = "placebo") -> People:
    rows = np.arange(world.cohort.n)
    plan = world.protocol.schedule
    return People(world.cohort, rows, rows, world.trajectories[arm], plan.run_in_days, world.protocol.end_day, seed)


@pytest.fixture(scope="module")
def data(still: World) -> TrialData:
    return observe(still.protocol, still.cohort, still.assignment, still.trajectories, 9)


def values(data: TrialData, outcome: str) -> pd.DataFrame:
    table = data.outcomes[data.outcomes["outcome"] == outcome]
    return table.pivot(index="subject_id", columns="visit", values="value")


# Traits


def test_traits_keep_their_spread_and_forget_at_the_stated_rate(still: World) -> None:
    paths = wander(people(still), [0.0, 1.0, 7.0, 400.0])
    begin = still.cohort.slow + still.cohort.fast
    n = still.cohort.n
    centered = paths - paths.mean(axis=0)
    np.testing.assert_allclose(centered.std(axis=0), 1.0, atol=0.17)

    share = np.array([fast_shares().get(scale, 0.05) for scale in SCALES])
    for column, gap in ((0, 21.0), (1, 22.0), (2, 28.0), (3, 421.0)):  # screening one week before a two-week run-in
        want = (1 - share) * np.exp(-gap / 400) + share * np.exp(-gap / 3)
        found = [np.corrcoef(begin[:, k], paths[:, column, k])[0, 1] for k in range(len(SCALES))]
        np.testing.assert_allclose(found, want, atol=0.17)
        lasting = share == 0.05
        error = 3 * (1 - want[lasting][0] ** 2) / np.sqrt(n) + 0.01
        assert np.mean(np.array(found)[lasting]) == pytest.approx(want[lasting][0], abs=error)


def test_traits_stand_together_at_any_time(still: World) -> None:
    paths = wander(people(still), [0.0, 400.0])
    for column in (0, 1):
        np.testing.assert_allclose(np.corrcoef(paths[:, column].T), trait_correlation().to_numpy(), atol=0.19)


def test_a_state_lasts_less_than_a_trait(data: TrialData) -> None:
    """Two sums weeks apart: STAI state and PANAS lose half of their standing, BDI and STAI trait a fifth."""
    for scale, low, high in (
        ("stai_state", 0.3, 0.56),
        ("panas_positive", 0.34, 0.6),
        ("panas_negative", 0.3, 0.6),
        ("stai_trait", 0.72, 0.88),
        ("bdi", 0.72, 0.9),
    ):
        found = values(data, scale)
        assert low < found["baseline"].corr(found["week 2"]) < high, scale


def test_a_further_visit_changes_no_draw_but_the_path_stays_the_persons(still: World) -> None:
    world = still.take([0, 1, 2])
    once, twice = wander(people(world), [0.0]), wander(people(world), [0.0, 28.0])
    np.testing.assert_array_equal(once[:, 0], twice[:, 0])
    np.testing.assert_array_equal(twice, wander(people(world, arm="active"), [0.0, 28.0]))
    with pytest.raises(ValueError, match="days must increase"):
        wander(people(world), [7.0, 0.0])


# Nights


@given(u=st.floats(1e-6, 1 - 1e-6), mean=st.floats(0.01, 30))
@settings(max_examples=200, deadline=None)
def test_poisson_quantile(u: float, mean: float) -> None:
    assert poisson_quantile(np.array([u]), np.array([mean]))[0] == poisson.ppf(u, mean)


def test_poisson_quantile_of_nothing_and_of_missing() -> None:
    np.testing.assert_array_equal(poisson_quantile(np.array([0.9, 0.5]), np.array([0.0, np.nan])), [0.0, np.nan])


def test_diary_counts_are_overdispersed_around_the_rate(data: TrialData) -> None:
    found = values(data, "night_awakenings_n").to_numpy().ravel()
    found = found[np.isfinite(found)]
    # 7 nights less 12 %: variance of a negative binomial 2 + 4/4 = 3 over about 6.2 recorded nights, and what people
    # of different complaint remember of the same nights
    told = 2.0**2 * (np.exp(noise("diary.awakening_per_psqi_sd") ** 2) - 1)
    assert found.mean() == pytest.approx(2.0, abs=0.12)
    assert found.var() == pytest.approx(3 / 6.2 + told, rel=0.2)


def test_a_complaint_goes_with_the_diary_and_not_with_the_device(data: TrialData) -> None:
    """The same nights for everybody: what differs is what people say of them."""
    complaint = values(data, "psqi")["week 4"]
    diary = {name: values(data, name)["week 4"].corr(complaint) for name in DIARY_SIGNS}
    assert all(sign * diary[name] > 0.15 for name, sign in DIARY_SIGNS.items()), diary
    for name in ("tst_actigraphy_h", "waso_actigraphy_min"):
        assert abs(values(data, name)["week 4"].corr(complaint)) < 0.18, name


def test_latency_and_time_awake_are_those_of_the_model(build_world: Build) -> None:
    world = build_world(6, {"sleep_latency_felt_min": 26.6, "waso_min": 90.0})
    table = expected(world.protocol, world.cohort, world.trajectories, 1)
    wide = table.pivot(index=["subject_id", "visit", "outcome"], columns="arm", values="value").xs("week 4", level=1)
    latency = wide.xs("sleep_latency_diary_min", level="outcome")
    np.testing.assert_allclose(latency["active"], 2.0 * latency["placebo"])
    assert wide.xs("waso_actigraphy_min", level="outcome")["active"].tolist() == [90.0] * 6
    sleep = wide.xs("tst_actigraphy_h", level="outcome")
    np.testing.assert_allclose(sleep["placebo"] - sleep["active"], 0.5)


def test_diary_and_actigraph_see_the_same_nights(data: TrialData) -> None:
    diary, watch = values(data, "tst_diary_h")["week 4"], values(data, "tst_actigraphy_h")["week 4"]
    first = values(data, "tst_diary_h")["baseline"]
    assert diary.corr(watch) > 0.3
    assert (diary - first).corr(watch - values(data, "tst_actigraphy_h")["baseline"]) > 0.5


def test_weeks_that_overlap_share_their_nights(build_world: Build, protocol_text: str) -> None:
    text = protocol_text.replace("visits: [0, 2, 4, 6] wk", "visits: [0, 3, 28] d").replace("[0, 4] wk", "[0, 28] d")
    world = build_world(60, text=text)
    found = values(observe(world.protocol, world.cohort, world.assignment, world.trajectories, 1), "tst_diary_h")
    near = (found["day 3"] - found["baseline"]).std()
    far = (found["week 4"] - found["baseline"]).std()
    assert near < 0.85 * far


def test_without_a_run_in_the_first_day_stands_for_the_week_before(build_world: Build, protocol_text: str) -> None:
    world = build_world(5, {"tst_h": 9.0}, text=protocol_text.replace("run_in: 2 wk, ", ""))
    who = people(world, arm="active")
    assert who.nights(0.0).tolist() == [-7, -6, -5, -4, -3, -2, -1]
    assert who.week("awakening_rate", 0.0).tolist() == [[2.0] * 7] * 5
    out = observe(world.protocol, world.cohort, world.assignment, world.trajectories, 1)
    assert out.outcomes.loc[out.outcomes["outcome"] == "tst_diary_h", "value"].notna().any()


def test_a_week_is_the_seven_nights_before_the_visit(build_world: Build) -> None:
    world = build_world(4, {"tst_h": 8.4})
    who = people(world, arm="active")
    assert who.week("tst_h", 0.0).tolist() == [[7.4] * 7] * 4
    assert who.week("tst_h", 3.0)[0].tolist() == [7.4] * 4 + [8.4] * 3
    assert who.week("tst_h", 7.0)[0].tolist() == [8.4] * 7
    with pytest.raises(ValueError, match="no daily values"):
        who.week("tst_h", 60.0)


# Assays


def test_assays_scatter_as_stated(data: TrialData) -> None:
    for outcome, sd in (
        ("faecal_butyrate_mmol_kg", "scfa.butyrate_within_sd"),
        ("plasma_il6_pg_ml", "blood.il6_within_sd"),
        ("plasma_tnf_pg_ml", "blood.tnf_within_sd"),
    ):
        found = np.log(values(data, outcome))
        assert found.std().mean() == pytest.approx(noise(sd), rel=0.1), outcome
    butyrate, acetate = (np.log(values(data, f"faecal_{acid}_mmol_kg")["week 2"]) for acid in ("butyrate", "acetate"))
    assert butyrate.corr(acetate) == pytest.approx(noise("scfa.within_correlation"), abs=0.15)


def test_crp_has_the_median_and_quartiles_of_adults(data: TrialData) -> None:
    """CoLaus: median 1.3 (0.6 to 2.7) mg/l; here IL-6 is the same in all, which narrows it."""
    found = values(data, "crp_mg_l")["baseline"]
    assert 0.7 < found.median() < 1.6
    assert 1.2 < found.quantile(0.75) < 3.0


def test_mornings_vary_as_in_healthy_adults(still: World, data: TrialData) -> None:
    """Day-to-day SD of waking value, areas and peak increase, from SD and retest correlation (CARWatch)."""
    published = {
        "cortisol_awakening_nmol_l": 3.75 * np.sqrt(1 - 0.17),
        "car_auc_i_nmol_min_l": 271.27 * np.sqrt(1 - 0.45),
        "car_auc_g_nmol_min_l": 274.76 * np.sqrt(1 - 0.39),
        "car_peak_increase_nmol_l": 6.52 * np.sqrt(1 - 0.51),
    }
    for outcome, sd in published.items():
        found = values(data, outcome)
        within = (found["week 4"] - found["baseline"]).std() / np.sqrt(2)
        assert within == pytest.approx(sd, rel=0.15), outcome


def test_factors_have_mean_one() -> None:
    z = np.random.default_rng(0).standard_normal(200_000)
    assert factor(z, 0.6).mean() == pytest.approx(1.0, abs=0.006)


# Reads


def test_reads_sum_to_the_depth_and_give_the_percentage(still: World, data: TrialData) -> None:
    assert data.feature_kind == "counts"
    assert data.features.index.tolist() == data.samples["sample_id"].tolist()
    assert data.features.index.is_unique
    assert (data.features.sum(axis=1).to_numpy() == data.samples["depth"].to_numpy()).all()
    assert (data.features.to_numpy() >= 0).all()
    assert tuple(data.features.columns) == still.cohort.genera
    share = 100 * data.features["Bifidobacterium"] / data.features.sum(axis=1)
    table = data.outcomes[data.outcomes["outcome"] == "bifidobacterium_rel_abundance_pct"]
    stored = table.set_index(["subject_id", "visit"])["value"]
    by_sample = stored.loc[list(zip(data.samples["subject_id"], data.samples["visit"], strict=True))]
    np.testing.assert_allclose(by_sample.to_numpy(), share.to_numpy())
    assert np.log(data.samples["depth"]).median() == pytest.approx(np.log(20_000), abs=0.05)


@given(
    base=st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6).filter(lambda x: sum(x) > 0.01),
    grams=st.lists(st.floats(0.001, 30.0), min_size=len(GUILDS), max_size=len(GUILDS)),
)
@settings(max_examples=100, deadline=None)
def test_guild_masses_are_spread_over_genera(base: list[float], grams: list[float]) -> None:
    guild = ("bifadult", "bact", "bact", "butyr", "none", "starch")
    fractions = np.array([base]) / sum(base)
    found = regroup(fractions, guild, np.array([grams]))
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0).all()
    if fractions[0, 1] > 1e-6 and fractions[0, 2] > 1e-6:
        assert found[0, 1] / found[0, 2] == pytest.approx(fractions[0, 1] / fractions[0, 2])


def test_an_unmoved_colon_shows_the_baseline_microbiome(still: World) -> None:
    """Guild shares of the population layer, turned into grams and back, are the genera that were drawn."""
    cohort = still.cohort
    found = regroup(cohort.genus_fractions, cohort.genus_guild, 17.0 * cohort.guild_fractions)
    np.testing.assert_allclose(found, cohort.genus_fractions, atol=2e-3)
    bif = [genus == "Bifidobacterium" for genus in cohort.genera]
    np.testing.assert_allclose(found[:, bif], cohort.genus_fractions[:, bif], rtol=1e-6)


def test_more_of_a_guild_is_more_of_its_genera(build_world: Build) -> None:
    world = build_world(30, {"X_bifhmo": 4.0, "X_bifadult": 4.0})
    table = expected(world.protocol, world.cohort, world.trajectories, 1)
    wide = table[table["outcome"] == "bifidobacterium_rel_abundance_pct"].pivot(
        index=["subject_id", "visit"], columns="arm", values="value"
    )
    week = wide.xs("week 4", level="visit") / 100
    np.testing.assert_allclose(week["active"], 4 * week["placebo"] / (1 + 3 * week["placebo"]), rtol=1e-9)


def test_technologies_see_bifidobacterium_differently(still: World) -> None:
    world = still.take(list(range(40)))
    shown = {}
    for name in technologies():
        found = expected(world.protocol, world.cohort, world.trajectories, 1, technology=name)
        keep = found["outcome"] == "bifidobacterium_rel_abundance_pct"
        shown[name] = found.loc[keep, "value"].median()
    assert shown["V4-mailed"] < shown["V3"] < shown["V4"] < shown["shotgun"]


def test_stools_fluctuate_as_stated_and_near_days_agree(build_world: Build, protocol_text: str) -> None:
    text = protocol_text.replace("visits: [0, 2, 4, 6] wk", "visits: [0, 1, 28] d").replace("[0, 4] wk", "[0, 28] d")
    world = build_world(250, text=text)
    out = observe(world.protocol, world.cohort, world.assignment, world.trajectories, 1)
    true = expected(world.protocol, world.cohort, world.trajectories, 1)
    keys = ["subject_id", "arm", "visit", "outcome"]
    both = out.outcomes.merge(true, on=keys, suffixes=("", "_true"))
    both = both[
        (both["outcome"] == "bifidobacterium_rel_abundance_pct") & (both["value_true"] > 1) & (both["value"] > 0)
    ]
    both = both.assign(error=np.log(both["value"] / both["value_true"]))
    error = both.pivot(index="subject_id", columns="visit", values="error")
    figures = resources.table("population", "data", "microbiome_healthy_adults.csv").set_index("genus")
    assert error["baseline"].std() == pytest.approx(float(figures.loc["Bifidobacterium", "within_sd_ln"]), rel=0.2)
    assert error["baseline"].corr(error["day 1"]) == pytest.approx(noise("stool.day_correlation"), abs=0.2)
    assert abs(error["baseline"].corr(error["week 4"])) < 0.2


# Numbers


def test_every_number_names_a_source_and_a_grade() -> None:
    for name in ("noise.csv", "loadings.csv", "technology.csv"):
        table = resources.table("observation", name)
        assert (table["source"] != "").all(), name
        assert (table["description"] != "").all(), name
        assert set(table["grade"]) <= set("ABCD"), name
    known = references()
    for name in ("associations.csv", "stability.csv"):
        table = resources.table("observation", name)
        assert {study for cell in table["study_id"] for study in cell.split()} <= set(known), name
        assert set(table["grade"]) == {"B"}, name
    assert resources.table("observation", "noise.csv")["parameter"].is_unique
    assert set(resources.table("observation", "loadings.csv")["scale"]) == set(SCALES)
    assert len(GUILDS) == 9


def within(table: pd.DataFrame, person: str, column: str) -> float:
    """Within-person SD of ln, one-way analysis of variance."""
    found = pd.DataFrame({"who": table[person], "x": np.log(table[column].where(table[column] > 0))}).dropna()
    groups = found.groupby("who")["x"]
    return float(np.sqrt(((found["x"] - groups.transform("mean")) ** 2).sum() / (len(found) - groups.ngroups)))


def test_noise_of_stool_acids_is_that_of_the_real_tables(shared: Path) -> None:
    baxter = pd.read_csv(shared / "data/baxter2019_prebiotic_trial/samples.tsv", sep="\t")
    baxter = baxter[baxter["period_before_after"] == "before"]
    thriene = pd.read_csv(shared / "data/thriene2025_yogurt_oats_crossover/stool_scfa_ug_per_g.tsv", sep="\t")
    gram = {"acetate": ("Acetic_acid", 60.05, 41.0), "propionate": ("Propionic_acid", 74.08, 19.3)}
    gram["butyrate"] = ("Butyric_acid", 88.11, 13.3)
    for acid, (column, molar_mass, model_mM) in gram.items():
        sd = np.hypot(within(baxter, "subject", acid), within(thriene, "participant", column)) / np.sqrt(2)
        assert noise(f"scfa.{acid}_within_sd") == pytest.approx(sd, abs=0.006)
        level = np.log(thriene[column] / molar_mass).groupby(thriene["participant"]).mean().mean()
        scale = np.exp(level + sd**2 / 2) / model_mM
        assert noise(f"scfa.{acid}_kg_per_l") == pytest.approx(scale, rel=0.01)


def test_noise_of_blood_markers_is_that_of_the_real_table(shared: Path) -> None:
    blood = pd.read_csv(shared / "data/thriene2025_yogurt_oats_crossover/blood_markers.tsv", sep="\t")
    assert noise("blood.il6_within_sd") == pytest.approx(within(blood, "participant", "il6_pg_ml"), abs=0.001)
    assert noise("blood.crp_within_sd") == pytest.approx(within(blood, "participant", "crp"), abs=0.001)
    logs = np.log(blood[["il6_pg_ml", "crp", "tnfr2_pg_ml"]])
    residuals = (logs - logs.groupby(blood["participant"]).transform("mean")).corr().to_numpy()
    assert noise("blood.within_correlation") == pytest.approx(residuals[np.triu_indices(3, 1)].mean(), abs=0.006)


def test_fluctuation_of_other_genera_is_that_of_the_daily_series(shared: Path) -> None:
    folder = shared / "data" / "johnson2019_daily_diet_microbiome"
    counts = pd.read_csv(folder / "genus_counts.tsv.gz", sep="\t", index_col=0)
    samples = pd.read_csv(folder / "samples.tsv", sep="\t").set_index("sample").loc[counts.index]
    share = (counts + 0.5).div((counts + 0.5).sum(axis=1), axis=0).assign(who=samples["participant"])
    common = [
        genus
        for genus in counts.columns
        if isinstance(genus, str) and genus != "NA" and (counts[genus] / counts.sum(axis=1)).mean() > 2e-3
    ]
    found = np.median([within(share, "who", genus) for genus in common])
    assert len(common) == 21
    assert noise("stool.within_sd_default") == pytest.approx(found, abs=0.01)


def test_nights_vary_as_the_wearable_says(shared: Path) -> None:
    nights = pd.read_csv(shared / "data" / "fitbit_fitabase_2016" / "sleep_day.tsv", sep="\t")
    hours = nights["TotalMinutesAsleep"] / 60
    groups = hours.groupby(nights["Id"])
    sd = np.sqrt(((hours - groups.transform("mean")) ** 2).sum() / (len(hours) - groups.ngroups))
    assert np.hypot(noise("night.tst_sd_h"), noise("actigraphy.tst_error_sd_h")) == pytest.approx(sd, abs=0.02)
