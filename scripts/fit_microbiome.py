"""Fit the figures of virtual people that ship in src/vagus/population/data.

    python scripts/fit_microbiome.py [FOLDER_WITH_THE_SHARED_MATERIAL]

Writes

- microbiome_healthy_adults.csv, ..._loadings.csv: baseline microbiomes of 110 healthy adults (Thriene 2025, shotgun);
- bifidobacterium.csv: what different cohorts and technologies say about Bifidobacterium, and what is used of it;
- hmo_users.csv: which species use milk oligosaccharides and open resistant starch, and what it makes of the two guilds;
- bacteroidota.csv: the share of Bacteroidota by cohort and technology, for comparison only;
- covariates.csv: age, sex and body mass index of four groups of adults (NHANES 2009-2012, weighted);
- trait_correlations.csv: correlation of latent traits between people;
- microbiome_check.csv: quantiles of the real table beside those of drawn people.

Only figures are written, never a row of a person. There is no random number in the fit; the permutations that choose
the number of factors and the drawn people of the check come from named streams.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtri

from vagus.population.constants import constant
from vagus.population.microbiome import (
    BIFIDOBACTERIUM,
    OUTERMOST,
    PROBABILITIES,
    MicrobiomeFigures,
    abundances,
    close,
    interpolate,
)
from vagus.population.traits import SCALES
from vagus.rng import stream

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "vagus" / "population" / "data"
SEED = 2025

# A genus is kept when at least this share of people carries it and it makes up this much on average.
LEAST_PREVALENCE, LEAST_MEAN = 0.25, 5e-4
BINS = {
    "Lachnospiraceae": "Lachnospiraceae_unclassified",
    "Ruminococcaceae": "Ruminococcaceae_unclassified",
    "Clostridia": "Clostridia_unclassified",
    "Clostridiales": "Clostridia_unclassified",
    "Clostridiaceae": "Clostridia_unclassified",
}
# Names that are no genus: bins above the genus, and numbered genera without a name (GGB...).
NO_GENUS = ("other", "Firmicutes", "Proteobacteria", "Actinobacteria", "Bacilli", "Coriobacteriia", "Lentisphaeria")
NO_GENUS_ENDS = ("ceae", "ales", "idia")

THRIENE = (
    "Thriene 2025 (github.com/vstanislas/IPE_yogurt_rolledOat_microbiome), visits before treatment; own computation"
)
ADULT2FL = "baseline of a 2'-FL trial in healthy older adults (adult2fl in the evidence tables), 16S; own computation"
ADULT2FL_FACTS = {"mean": 4.84, "sd": 6.44, "median": 2.60, "p25": 0.20, "p75": 6.84, "undetected": 24.0}
GLYCOBIF = "Arzamasov 2025 (doi:10.1038/s41564-025-02056-x), share of genomes of each species"
#: Phenotypes of the genome table -> column of the shipped table.
PHENOTYPES = {
    "2'FL": "uses_2fl",
    "3FL": "uses_3fl",
    "LNnT": "uses_lnnt",
    "LNT": "uses_lnt",
    "SHMO": "uses_sialylated",
    "RST": "opens_resistant_starch",
}


# ------------------------------------------------------------------------------------------------- microbiome
def read_species(shared: Path) -> pd.DataFrame:
    """Return species shares of the two visits before a diet period, index (participant, timepoint)."""
    folder = shared / "data" / "thriene2025_yogurt_oats_crossover"
    table = pd.read_csv(folder / "species_relative_abundance_pct.tsv.gz", sep="\t")
    table = table.set_index(["participant", "timepoint"]).select_dtypes("number") / 100
    table = table[table.index.get_level_values(1).isin(["T1", "T3"])].sort_index()
    return table.div(table.sum(axis=1), axis=0)


def genus_name(species: str) -> str:
    words = species.split("_")
    genus = "_".join(words[:2]) if words[0] == "Candidatus" else words[0]
    if genus in BINS:
        return BINS[genus]
    if genus.startswith("GGB") or genus in NO_GENUS or genus.endswith(NO_GENUS_ENDS):
        return "Other"
    return genus


def genus_visits(species: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return genus shares at the first and the second visit before treatment, kept genera and Other."""
    genus = species.T.groupby(genus_name).sum().T
    first, second = genus.xs("T1", level=1), genus.xs("T3", level=1)
    person = (first + second) / 2
    keep = ((person > 0).mean() >= LEAST_PREVALENCE) & (person.mean() >= LEAST_MEAN)
    keep["Other"] = False
    kept = list(person.loc[:, keep].mean().sort_values(ascending=False).index)

    def reduce(table: pd.DataFrame) -> pd.DataFrame:
        return table[kept].assign(Other=1.0 - table[kept].sum(axis=1))

    return reduce(first), reduce(second)


def fit_margins(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Fit prevalence and abundance of every genus at the level of the person.

    What is fitted is the share that a person has on average. The mean of two visits still holds half of the
    visit-to-visit variance; the quantiles are drawn together by what that explains and moved so that the mean over
    people stays. Day-to-day noise (ln normal with SD `within_sd_ln` and mean 1) can then be added without counting it
    twice.
    """
    rows = []
    for genus in first:
        person = (first[genus] + second[genus]) / 2
        log = np.log(person[person > 0])
        both = (first[genus] > 0) & (second[genus] > 0)
        step = np.log(first[genus][both] / second[genus][both])
        within = float(step.std() / np.sqrt(2))
        keep = float(np.sqrt(max(1 - within**2 / 2 / log.var(), 0.3)))
        drawn_together = log.median() + keep * (log - log.median())
        move = np.log(np.exp(log).mean() / np.exp(drawn_together).mean())
        quantiles = np.quantile(drawn_together + move, PROBABILITIES)
        rows.append(
            {
                "genus": genus,
                "n": len(person),
                "prevalence": (person > 0).mean(),
                "mean_share": person.mean(),
                "mean_ln": (drawn_together + move).mean(),
                "sd_ln": drawn_together.std(),
                "within_sd_ln": within,
                **{f"ln_p{round(100 * p):02d}": q for p, q in zip(PROBABILITIES, quantiles, strict=True)},
            }
        )
    return pd.DataFrame(rows)


def fit_bifidobacterium(margins: pd.DataFrame) -> tuple[pd.DataFrame, float, float]:
    """Move and stretch the shotgun margin of Bifidobacterium until one visit has the target's median and mean.

    Shape, prevalence and visit-to-visit noise (mean 1) are those of the shotgun table; only level and spread change.
    """
    names = [name for name in margins if name.startswith("ln_p")]
    row = margins.index[margins["genus"] == BIFIDOBACTERIUM][0]
    log = margins.loc[row, names].to_numpy(float)
    middle = log[PROBABILITIES.index(0.5)]
    within, prevalence = float(margins.loc[row, "within_sd_ln"]), float(margins.loc[row, "prevalence"])
    score = ndtri((np.arange(4000) + 0.5) / 4000)
    shape = interpolate(
        np.clip(score, ndtri(OUTERMOST), -ndtri(OUTERMOST)), ndtri(np.array(PROBABILITIES)), log - middle
    )
    noise = within * ndtri((np.arange(200) + 0.5) / 200) - within**2 / 2

    def visits(stretch: float) -> tuple[float, float]:
        """Return the level at which the median of a visit is right, and the mean of a person there."""
        carriers = (stretch * shape[:, None] + noise[None, :]).ravel()
        level = np.log(ADULT2FL_FACTS["median"] / 100) - float(np.quantile(carriers, 1 - 0.5 / prevalence))
        person = np.minimum(np.exp(level + stretch * shape), constant("highest_bifidobacterium"))
        return level, prevalence * float(person.mean())

    stretch = float(brentq(lambda s: visits(s)[1] - ADULT2FL_FACTS["mean"] / 100, 0.2, 3.0, xtol=1e-9))
    level, mean = visits(stretch)
    out = margins.copy()
    out.loc[row, names] = level + stretch * (log - middle)
    out.loc[row, "sd_ln"] = stretch * margins.loc[row, "sd_ln"]
    out.loc[row, "mean_ln"] = level + stretch * (margins.loc[row, "mean_ln"] - middle)
    out.loc[row, "mean_share"] = mean
    return out, float(level - middle), stretch


def normal_scores(person: pd.DataFrame) -> np.ndarray:
    """Return normal scores; people without a genus share the mean score of the part below its threshold."""
    n = len(person)
    out = np.empty(person.shape)
    for j, genus in enumerate(person):
        values = person[genus].to_numpy()
        scores = ndtri(stats.rankdata(values) / (n + 1))
        absent = values == 0
        if absent.any():
            share = absent.mean()
            scores[absent] = -stats.norm.pdf(ndtri(share)) / share if share < 1 else 0.0
        out[:, j] = (scores - scores.mean()) / scores.std()
    return out


def count_factors(scores: np.ndarray, rounds: int = 60) -> int:
    """Count eigenvalues that pass the 95th percentile of tables whose columns were shuffled (parallel analysis)."""
    real = np.sort(np.linalg.eigvalsh(np.corrcoef(scores.T)))[::-1]
    rng = stream(SEED, "fit", "permutation")
    null = []
    for _ in range(rounds):
        shuffled = np.column_stack([rng.permutation(column) for column in scores.T])
        null.append(np.sort(np.linalg.eigvalsh(np.corrcoef(shuffled.T)))[::-1])
    above = real > np.quantile(null, 0.95, axis=0)
    return int(np.argmin(above)) if not above.all() else len(above)


def fit_loadings(scores: np.ndarray, factors: int, rounds: int = 200) -> np.ndarray:
    """Fit a common-factor model by iterated principal factors; at least 10 % of every variance stays its own."""
    r = np.corrcoef(scores.T)
    common = np.full(len(r), 0.5)
    loadings = np.zeros((len(r), factors))
    for _ in range(rounds):
        reduced = r.copy()
        np.fill_diagonal(reduced, common)
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, ::-1][:, :factors] * np.sqrt(np.maximum(values[::-1][:factors], 0))
        updated = np.minimum((loadings**2).sum(axis=1), 0.9)
        done = np.abs(updated - common).max() < 1e-10
        common = updated
        if done:
            break
    size = (loadings**2).sum(axis=1)
    loadings *= np.sqrt(np.minimum(1.0, 0.9 / size))[:, None]
    # The sign of a factor is arbitrary: its largest loading is positive.
    return loadings * np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(factors)])


def fit_microbiome(shared: Path) -> dict[str, pd.DataFrame]:
    species = read_species(shared)
    first, second = genus_visits(species)
    raw = fit_margins(first, second)
    margins, shift, stretch = fit_bifidobacterium(raw)
    scores = normal_scores((first + second) / 2)
    loadings = fit_loadings(scores, count_factors(scores))
    names = [f"factor_{j + 1}" for j in range(loadings.shape[1])]
    table = pd.DataFrame(loadings, columns=names)
    table.insert(0, "genus", margins["genus"])
    margins = margins.round(5).assign(source=THRIENE, grade="B")
    level = f"{THRIENE}; level and spread moved to {ADULT2FL}"
    margins.loc[margins["genus"] == BIFIDOBACTERIUM, "source"] = level
    part = species[[name for name in species if name.startswith(BIFIDOBACTERIUM)]]
    users, share = hmo_users(shared, part)
    facts = bifidobacterium_facts(shared, part, raw, shift, stretch, share)
    return {
        "microbiome_healthy_adults.csv": margins,
        "microbiome_healthy_adults_loadings.csv": table.round(4),
        "bifidobacterium.csv": facts,
        "hmo_users.csv": users,
        "bacteroidota.csv": bacteroidota_facts(shared),
    }


def bifidobacterium_facts(
    shared: Path, part: pd.DataFrame, raw: pd.DataFrame, shift: float, stretch: float, share: pd.Series
) -> pd.DataFrame:
    """Collect what is known of the level of Bifidobacterium and of its HMO users; `used` says what a draw rests on."""
    rows: list[tuple[object, ...]] = []
    group = "healthy older adults, mean age 67"
    for statistic, value in ADULT2FL_FACTS.items():
        used = "level and spread" if statistic in ("mean", "median") else "no"
        if statistic == "undetected":
            used = "no: what is not detected is a matter of the observation"
        rows.append((group, "16S", "", statistic, value, "%", used, ADULT2FL, "B"))
    first = 100 * part.xs("T1", level=1).sum(axis=1)
    group = "healthy German adults, 20-65 years, first visit"
    figures = {
        "mean": first.mean(),
        "sd": first.std(),
        "median": first.median(),
        "undetected": 100 * (first == 0).mean(),
    }
    figures |= {f"p{q}": first.quantile(q / 100) for q in (5, 10, 25, 75, 90, 95)}
    for statistic, value in figures.items():
        rows.append((group, "shotgun", len(first), statistic, value, "%", "shape, prevalence", THRIENE, "B"))
    within = float(raw.loc[raw["genus"] == BIFIDOBACTERIUM, "within_sd_ln"].iloc[0])
    rows.append((group, "shotgun", len(first), "within_sd_ln", within, "1", "with the observation", THRIENE, "B"))
    own = "own computation from the two sources above"
    rows.append(("virtual adults", "model", "", "shift_ln", shift, "1", "yes", own, "B"))
    rows.append(("virtual adults", "model", "", "stretch_ln", stretch, "1", "yes", own, "B"))
    other = pd.read_csv(shared / "data" / "derived_tables" / "bifidobacterium_by_technology.tsv", sep="\t")
    for row in other.itertuples():
        who = f"{row.population} ({row.dataset})"
        cite = f"{row.dataset}; own computation"
        for statistic in ("mean_pct", "median_pct"):
            value = getattr(row, statistic)
            rows.append((who, row.technology, row.n, statistic[:-4], value, "%", "no", cite, "B"))
    rows.extend(hmo_share_facts(share))
    names = ["population", "technology", "n", "statistic", "value", "unit", "used", "source", "grade"]
    table = pd.DataFrame(rows, columns=names)
    table["value"] = table["value"].astype(float).round(4)
    return table


def hmo_users(shared: Path, part: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return which bifidobacteria use what by genome, and each person's share of users of 2'-FL.

    A species that the stool table does not split (B. longum) takes the genomes without a subspecies.
    """
    path = shared / "data" / "functional_modules" / "bifidobacterium_glycan_phenotypes_by_genome.tsv"
    genomes = pd.read_csv(path, sep="\t").rename(columns={"species_from_taxid_unverified": "species"})
    genomes = genomes.dropna(subset=["species"])
    genomes["stool"] = genomes["species"].str.replace(" (subsp. unspecified)", "").str.replace(" ", "_")
    person = part.groupby(level=0).mean()
    person = person[person.sum(axis=1) > 0]
    person = person.div(person.sum(axis=1), axis=0)
    weight = person.mean()
    rows: list[dict[str, object]] = []
    for species, mine in genomes.groupby("species"):
        share = float(weight.get(mine["stool"].iloc[0], 0.0))
        use = {column: float(mine[name].mean()) for name, column in PHENOTYPES.items()}
        rows.append({"species": species, "genomes": len(mine), "share": share, **use, "source": GLYCOBIF})
    each = genomes["stool"].map(weight).fillna(0.0) / genomes.groupby("stool")["stool"].transform("size")
    users = genomes["2'FL"] == 1
    for label, inside in (("users of 2'-FL (bifhmo)", users), ("all others (bifadult)", ~users)):
        share = float(each[inside].sum())
        use = {
            column: float((each[inside] * genomes.loc[inside, name]).sum() / share)
            for name, column in PHENOTYPES.items()
        }
        source = f"{THRIENE}; {GLYCOBIF}"
        rows.append({"species": label, "genomes": int(inside.sum()), "share": share, **use, "source": source})
    by_species = genomes.groupby("stool")["2'FL"].mean()
    share_of_users = (person * by_species.reindex(person.columns).fillna(0.0)).sum(axis=1)
    numbers = ["share", *PHENOTYPES.values()]
    table = pd.DataFrame(rows).rename(columns={"species": "bifidobacteria"})
    return table.round(dict.fromkeys(numbers, 3)).assign(grade="C"), share_of_users


def hmo_share_facts(share: pd.Series) -> list[tuple[object, ...]]:
    """Return the share of 2'-FL users among the bifidobacteria of real people, and the Beta that is drawn from."""
    who = "share of 2'-FL users among bifidobacteria, healthy German adults"
    source = f"{THRIENE}; {GLYCOBIF}"
    figures = {"mean": share.mean(), "sd": share.std()}
    figures |= {f"p{q}": share.quantile(q / 100) for q in (10, 50, 90)}
    rows: list[tuple[object, ...]] = [
        (who, "shotgun and genomes", len(share), f"hmo_share_{statistic}", value, "1", "shape", source, "B")
        for statistic, value in figures.items()
    ]
    mean, variance = float(share.mean()), float(share.var())
    size = mean * (1 - mean) / variance - 1
    own = "own computation: Beta with that mean and SD"
    for name, value in (("hmo_share_alpha", mean * size), ("hmo_share_beta", (1 - mean) * size)):
        rows.append(("virtual adults", "model", "", name, value, "1", "yes", own, "B"))
    return rows


BACTEROIDOTA = (
    "Bacteroides", "Phocaeicola", "Prevotella", "Parabacteroides", "Alistipes", "Paraprevotella", "Barnesiella",
    "Odoribacter", "Butyricimonas", "Coprobacter",
)  # fmt: skip


def bacteroidota_facts(shared: Path) -> pd.DataFrame:
    """Return how much of a healthy adult's stool is Bacteroidota by cohort: the part that technologies disagree on."""
    data = shared / "data"
    tables: list[tuple[str, str, pd.DataFrame]] = []
    genus = read_species(shared).xs("T1", level=1)
    tables.append(("German healthy adults (Thriene 2025)", "shotgun MetaPhlAn4", genus))
    cells = pd.read_csv(data / "qmp_absolute" / "tito2024_species_cells_per_g.tsv.gz", sep="\t", index_col=0)
    about = pd.read_csv(data / "qmp_absolute" / "tito2024_metadata.tsv", sep="\t").set_index("sample")
    controls = cells.loc[about.index[about["diagnosis"] == "CTL"]]
    tables.append(("Belgian colonoscopy controls (Tito 2024)", "16S V4 with cell counts", controls))
    about = pd.read_csv(data / "baxter2019_prebiotic_trial" / "samples.tsv", sep="\t").set_index("sample")
    shares = pd.read_csv(data / "baxter2019_prebiotic_trial" / "taxa_relative_abundance.tsv.gz", sep="\t", index_col=0)
    before = about[(about["period_before_after"] == "before") & about.index.isin(shares.index)]
    mean = shares.loc[before.index].groupby(before["subject"]).mean()
    tables.append(("US students before treatment (Baxter 2019)", "16S V4", mean))
    counts = pd.read_csv(data / "poyet2019_healthy_longitudinal" / "genus_counts.tsv.gz", sep="\t", index_col=0)
    tables.append(("US healthy donors, all samples (Poyet 2019)", "16S V4", counts.select_dtypes("number")))
    about = pd.read_csv(data / "agp_rounds1to14" / "metadata.tsv", sep="\t").set_index("sample")
    counts = pd.read_csv(data / "agp_rounds1to14" / "genus_counts_even10k.tsv.gz", sep="\t", index_col=0)
    healthy = counts.loc[about.index[about["healthy_adult_baseline"]]]
    tables.append(("US healthy adults (American Gut, rounds 1-14)", "16S V4, 100 nt, mailed", healthy))
    rows = []
    for who, technology, table in tables:
        mine = [name for name in table if name.lstrip("[").startswith(BACTEROIDOTA)]
        share = 100 * table[mine].sum(axis=1) / table.sum(axis=1)
        for statistic, value in (
            ("p10", share.quantile(0.1)),
            ("median", share.median()),
            ("p90", share.quantile(0.9)),
        ):
            rows.append((who, technology, len(share), statistic, round(float(value), 2), "%", "own computation", "B"))
    return pd.DataFrame(
        rows, columns=["population", "technology", "n", "statistic", "value", "unit", "source", "grade"]
    )


# -------------------------------------------------------------------------------------------------- covariates
NHANES = "NHANES 2009-2012 (R package NHANES), examination weights; own computation"
BMI_RANGE = (18.5, 30.0)


def weighted_quantile(values: np.ndarray, weights: np.ndarray, p: np.ndarray) -> np.ndarray:
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    return np.interp(p, (cumulated - weights[order] / 2) / cumulated[-1], values[order])


def read_nhanes(shared: Path) -> pd.DataFrame:
    path = shared / "data" / "nhanes_sleep_mood_2009_2012" / "adults.tsv.gz"
    # "None" is an answer of this survey and no missing value.
    table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=["", "NA"])
    return table[table["WTMEC2YR"] > 0]


def fit_covariates(shared: Path) -> pd.DataFrame:
    """Fit age, sex and body mass index of four groups with a body mass index that trials usually admit."""
    table = read_nhanes(shared)
    table = table[table["BMI"].between(*BMI_RANGE)]
    well = table["HealthGen"].isin(["Excellent", "Vgood", "Good"]) & (table["Diabetes"] == "No")
    sets = {
        "adults-18-65-healthy": (
            18,
            65,
            well & (table["Depressed"] == "None"),
            "good health, not depressed, no diabetes",
        ),
        "adults-18-50-low-mood": (18, 50, table["Depressed"] == "Several", "depressed on several of the last 14 days"),
        "adults-18-65-sleep-trouble": (18, 65, table["SleepTrouble"] == "Yes", "told a doctor of sleep trouble"),
        "students-18-29": (18, 29, table["Education"].isin(["Some College", "College Grad"]), "some college"),
    }
    p = np.arange(0, 101, 10) / 100
    labels = [f"p{round(100 * q):03d}" for q in p]
    rows: list[tuple[object, ...]] = []
    for name, (low, high, who, _) in sets.items():
        # The survey asks education from the age of 20.
        part = table[who & table["Age"].between(low, high)]
        weight = part["WTMEC2YR"].to_numpy(float)
        # A completed year of age stands for the year that follows; the ends are what the group admits.
        age = np.clip(weighted_quantile(part["Age"].to_numpy(float) + 0.5, weight, p), low, high + 1)
        age[[0, -1]] = part["Age"].min(), high + 1
        rows += [(name, "age_years", "all", label, value, "a") for label, value in zip(labels, age, strict=True)]
        for sex in ("female", "male"):
            inside = (part["Gender"] == sex).to_numpy()
            bmi = weighted_quantile(part["BMI"].to_numpy(float)[inside], weight[inside], p)
            rows += [(name, "bmi_kg_m2", sex, label, v, "kg/m2") for label, v in zip(labels, bmi, strict=True)]
        women = weight[(part["Gender"] == "female").to_numpy()].sum() / weight.sum()
        rank = stats.spearmanr(part["Age"], part["BMI"]).statistic
        rows.append((name, "female", "all", "share", women, "1"))
        rows.append((name, "age_bmi", "all", "correlation", 2 * np.sin(np.pi * rank / 6), "1"))
        rows.append((name, "people", "all", "n", len(part), "1"))
        rows.append((name, "design_effect", "all", "effective_n", weight.sum() ** 2 / (weight**2).sum(), "1"))
    out = pd.DataFrame(rows, columns=["set", "quantity", "group", "statistic", "value", "unit"])
    out["value"] = out["value"].astype(float).round(3)
    described = {name: words for name, (*_, words) in sets.items()}
    return out.assign(source=NHANES, grade="B", description=[described[str(name)] for name in out["set"]])


# ------------------------------------------------------------------------------------------------------ traits
SETS = "psychTools 2.5.3 (Revelle), US students"
# Internal consistencies that take the error of the sums out of the observed correlations.
ALPHA = {"bdi": 0.92, "stai_state": 0.906, "stai_trait": 0.894, "panas_positive": 0.92, "panas_negative": 0.84}


def polychoric(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Return the correlation of two normal variables behind two ordered answers, by maximum likelihood."""
    table = np.zeros((x.max() + 1, y.max() + 1))
    np.add.at(table, (x, y), weights * len(x) / weights.sum())
    cut_x = np.r_[-8, ndtri(np.cumsum(table.sum(axis=1))[:-1] / len(x)), 8]
    cut_y = np.r_[-8, ndtri(np.cumsum(table.sum(axis=0))[:-1] / len(x)), 8]

    def loss(r: float) -> float:
        normal = stats.multivariate_normal(cov=[[1, r], [r, 1]])
        grid = np.array([[normal.cdf([a, b]) for b in cut_y] for a in cut_x])
        cells = np.diff(np.diff(grid, axis=0), axis=1)
        return float(-(table * np.log(np.maximum(cells, 1e-12))).sum())

    return float(minimize_scalar(loss, bounds=(-0.9, 0.9), method="bounded", options={"xatol": 1e-6}).x)


def mood_correlations(shared: Path) -> dict[tuple[str, str], tuple[float, int, str, str]]:
    """Return pairs -> (observed correlation, people, source, grade) of the two student sets, weighted by people."""
    folder = shared / "data" / "psych_state_trait_items"
    epi = pd.read_csv(folder / "epi_bfi_bdi_stai_scores.tsv", sep="\t")
    film = pd.read_csv(folder / "affect_movie_study.tsv", sep="\t")
    columns = (
        (epi, {"bdi": "bdi", "stai_state": "stateanx", "stai_trait": "traitanx"}),
        (film, {"bdi": "BDI", "stai_state": "state1", "stai_trait": "traitanx", "panas_positive": "PA1",
                "panas_negative": "NA1"}),
    )  # fmt: skip
    mood = SCALES[:5]
    found: dict[tuple[str, str], tuple[float, int, str, str]] = {}
    for i, a in enumerate(mood):
        for b in mood[i + 1 :]:
            values, people = [], []
            for table, names in columns:
                if a in names and b in names:
                    pair = table[[names[a], names[b]]].dropna()
                    values.append(pair.corr().iloc[0, 1])
                    people.append(len(pair))
            r = float(np.average(values, weights=people))
            found[a, b] = (r, sum(people), f"{SETS}; own computation, error taken out", "B")
    return found


def fit_traits(shared: Path) -> pd.DataFrame:
    """Fit the correlation of the latent traits; what no data set holds is assumed and says so."""
    observed = mood_correlations(shared)
    latent = {pair: r / np.sqrt(ALPHA[pair[0]] * ALPHA[pair[1]]) for pair, (r, *_) in observed.items()}
    nhanes = read_nhanes(shared).dropna(subset=["Depressed", "SleepTrouble"])
    low_mood = nhanes["Depressed"].map({"None": 0, "Several": 1, "Most": 2}).to_numpy()
    sleep = (nhanes["SleepTrouble"] == "Yes").astype(int).to_numpy()
    adults = polychoric(sleep, low_mood, nhanes["WTMEC2YR"].to_numpy(float))
    items = pd.read_csv(shared / "data" / "phq_gad_pss_items_ukm" / "responses.tsv", sep="\t")
    items = items.dropna(subset=["D3", "phq9", "gad7"])
    students = float(items["D3"].corr(items["phq9"] - items["D3"]) / np.sqrt(0.90))
    worry = float(items["D3"].corr(items["gad7"]) / np.sqrt(0.94))
    sleep_mood, sleep_worry = (adults + students) / 2, (adults + students) / 2 * worry / students
    source = (
        f"midway between NHANES 2009-2012 (n {len(nhanes)}, sleep trouble and depressed mood, polychoric {adults:.2f}) "
        f"and one PHQ-9 sleep item of {len(items)} students ({students:.2f} with mood, {worry:.2f} with worry); "
        "own computation"
    )
    memory = "size from memory, not verified"
    rows: dict[tuple[str, str], tuple[float, float, int, str, str]] = {}
    for (a, b), (r, n, where, grade) in observed.items():
        rows[a, b] = (float(latent[a, b]), r, n, where, grade)
    for sleep_scale in ("psqi", "isi"):
        rows["bdi", sleep_scale] = (sleep_mood, adults, len(nhanes), source, "B" if sleep_scale == "psqi" else "D")
        for mood in ("stai_state", "stai_trait"):
            rows[mood, sleep_scale] = (sleep_worry, worry, len(items), source, "B" if sleep_scale == "psqi" else "D")
        rows["panas_positive", sleep_scale] = (-0.25, np.nan, 0, f"assumed; {memory}", "D")
        rows["panas_negative", sleep_scale] = (0.40, np.nan, 0, f"assumed; {memory}", "D")
        rows[sleep_scale, "ibs_sss"] = (0.25, np.nan, 0, f"assumed; {memory}", "D")
    rows["psqi", "isi"] = (0.80, np.nan, 0, f"assumed; {memory}", "D")
    for mood in ("bdi", "stai_state", "stai_trait", "panas_negative"):
        rows[mood, "ibs_sss"] = (0.30, np.nan, 0, f"assumed; {memory}", "D")
    rows["panas_positive", "ibs_sss"] = (-0.15, np.nan, 0, f"assumed; {memory}", "D")
    matrix = np.eye(len(SCALES))
    for (a, b), (r, *_) in rows.items():
        i, j = SCALES.index(a), SCALES.index(b)
        matrix[i, j] = matrix[j, i] = r
    fixed = positive_definite(matrix)
    out = []
    for i, a in enumerate(SCALES):
        for j, b in enumerate(SCALES[i + 1 :], start=i + 1):
            first, raw, n, where, grade = rows[a, b]
            out.append(
                (a, b, round(fixed[i, j], 4), round(first, 4), "" if np.isnan(raw) else round(raw, 4), n, where, grade)
            )
    names = ["scale_a", "scale_b", "correlation", "before_repair", "observed", "n", "source", "grade"]
    return pd.DataFrame(out, columns=names)


def positive_definite(matrix: np.ndarray, lowest: float = 0.05) -> np.ndarray:
    """Return the matrix with eigenvalues of at least about `lowest` and a unit diagonal."""
    for _ in range(50):
        values, vectors = np.linalg.eigh(matrix)
        if values[0] >= lowest - 1e-6:
            break
        matrix = (vectors * np.maximum(values, lowest)) @ vectors.T
        scale = np.sqrt(np.diag(matrix))
        matrix = matrix / np.outer(scale, scale)
    return matrix


# ------------------------------------------------------------------------------------------------------- check
def check(shared: Path, fitted: dict[str, pd.DataFrame], people: int = 4000) -> pd.DataFrame:
    """Set the real first visit beside drawn people, with the fitted day-to-day noise added to a visit."""
    margins, table = fitted["microbiome_healthy_adults.csv"], fitted["microbiome_healthy_adults_loadings.csv"]
    quantiles = [f"ln_p{round(100 * p):02d}" for p in PROBABILITIES]
    found = MicrobiomeFigures(
        genera=tuple(margins["genus"]),
        guild=(),
        prevalence=margins["prevalence"].to_numpy(float),
        log_quantiles=margins[quantiles].to_numpy(float),
        within_sd=margins["within_sd_ln"].to_numpy(float),
        loadings=table.drop(columns="genus").to_numpy(float),
    )
    rng = stream(SEED, "fit", "check")
    g, k = found.loadings.shape
    scores = rng.standard_normal((people, k)) @ found.loadings.T + rng.standard_normal((people, g)) * np.sqrt(
        found.uniqueness
    )
    person = close(found, abundances(found, scores))
    visit = person * np.exp(found.within_sd * rng.standard_normal((people, g)) - found.within_sd**2 / 2)
    visit /= visit.sum(axis=1, keepdims=True)
    first, second = genus_visits(read_species(shared))
    rows = []
    for j, genus in enumerate(found.genera):
        both = (first[genus] + second[genus]) / 2
        row: dict[str, object] = {"genus": genus}
        for name, real, drawn in (
            ("person", both.to_numpy(), person[:, j]),
            ("visit", first[genus].to_numpy(), visit[:, j]),
        ):
            for label, q in (("p10", 0.1), ("median", 0.5), ("p90", 0.9)):
                row[f"real_{name}_{label}_pct"] = 100 * np.quantile(real, q)
                row[f"drawn_{name}_{label}_pct"] = 100 * np.quantile(drawn, q)
            row[f"real_{name}_mean_pct"], row[f"drawn_{name}_mean_pct"] = 100 * real.mean(), 100 * drawn.mean()
        row["real_absent_pct"] = 100 * (both == 0).mean()
        row["drawn_absent_pct"] = (
            100 * (person[:, j] <= 2.0001e-5 if genus == BIFIDOBACTERIUM else person[:, j] == 0).mean()
        )
        rows.append(row)
    return pd.DataFrame(rows).round(4)


def fit(shared: Path) -> dict[str, pd.DataFrame]:
    """Return every shipped table by its file name."""
    return {
        **fit_microbiome(shared),
        "covariates.csv": fit_covariates(shared),
        "trait_correlations.csv": fit_traits(shared),
    }


def main() -> None:
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared"
    tables = fit(shared)
    tables["microbiome_check.csv"] = check(shared, tables)
    for name, table in tables.items():
        table.to_csv(OUT / name, index=False, lineterminator="\n")
        print(f"{name}: {len(table)} rows")


if __name__ == "__main__":
    main()
