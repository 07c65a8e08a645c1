"""Derive the figures that the infant axis rests on.

    python scripts/derive_infant_figures.py [FOLDER_WITH_THE_SHARED_MATERIAL]

Writes, in src/vagus/model/library,

- infant_feeding/bifidobacterium.csv: share of Bifidobacterium by feeding and age, with interval (ECAM);
- infant_feeding/guilds.csv: share of each guild by feeding and age, the baseline of a virtual infant (ECAM);
- infant_feeding/hmo_use.csv: which part of infants' bifidobacteria uses what, by genome (Arzamasov 2025);
- infant_feeding/breakdown.csv: how fast milk oligosaccharides leave a child's community (Renwick 2024);
- adhesion/inhibition.csv: inhibition constants from published single-concentration experiments;
- infection/rates.csv: rate of respiratory infections by age, solved from two published figures of one cohort;
- infection/ratios.csv, infant_sleep/ratios.csv: what one trial says of the ratios between its arms, and what is left
  of it once it is weighed as one of many secondary outcomes.

Only figures are written, never a row of a child.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from vagus import resources
from vagus.population import GUILDS
from vagus.rng import stream

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "vagus" / "model" / "library"
SEED, RESAMPLINGS = 11, 2000
Floats = NDArray[np.float64]

DAYS_PER_MONTH = 365.25 / 12
#: Age windows (months) up to the time of the first solid food.
WINDOWS = ((0.5, 1.5), (1.5, 3.5), (3.5, 6.5))
FEEDING = {"breast": "bd", "formula": "fd"}
#: A stool in which half of what is read is Bifidobacterium counts as dominated by it.
DOMINATED = 0.5

#: Guilds of genera (Greengenes names) that the adult table lacks; fermentation physiology from memory.
INFANT_GENERA = {
    "f_Enterobacteriaceae_unclassified": "entero",
    "Proteus": "entero",
    "Veillonella": "lacuse",
    "Megasphaera": "lacuse",
    "Anaerostipes": "lacuse",
    "f_Rikenellaceae_unclassified": "bact",
    "Dysgonomonas": "bact",
    "f_S24-7_unclassified": "bact",
    "o_Bacteroidales_unclassified": "bact",
    "Lactobacillus": "starch",
    "Enterococcus": "starch",
    "Staphylococcus": "starch",
    "Actinomyces": "starch",
    "Epulopiscium": "starch",
    "f_Clostridiaceae_unclassified": "starch",
    "f_Erysipelotrichaceae_unclassified": "starch",
    "f_Peptostreptococcaceae_unclassified": "starch",
    "Oscillospira": "butyr",
}
#: Bifidobacteria of infants in equal parts (assumed, as 16S knows no species): the three most often found in 90 infants
#: of two months (Tannock 2013, Appl Environ Microbiol), and B. infantis alone where Bifidobacterium dominates.
SPECIES = {
    "typical": ("Bifidobacterium longum subsp. longum", "Bifidobacterium breve", "Bifidobacterium bifidum"),
    "infantis": ("Bifidobacterium longum subsp. infantis",),
}
MIX = {"breast": "typical", "breast_bifidobacterium": "infantis", "formula": "typical"}

#: Treatment, sugar and hours of a rate of breakdown. What ferments at once is read over the first three hours; LNT and
#: sialyllactoses start late and are read over twelve.
BREAKDOWN = (
    ("2FL", "2'FL", 3),
    ("pHMOs", "LNnT", 3),
    ("pHMOs", "LNT", 12),
    ("pHMOs", "3'SL", 12),
    ("pHMOs", "6'SL", 12),
)

#: Inhibition of adhesion at one concentration (g/l): pathogen, cells, share inhibited (Weichert 2013, abstract; the
#: concentration as listed for that paper in Nutrients 2020;12:1789, table 2).
INHIBITOR_G_L = 10.0
INHIBITION = (
    ("Pseudomonas aeruginosa", "A549", "airway", 0.24),
    ("Pseudomonas aeruginosa", "Caco-2", "gut", 0.17),
    ("Campylobacter jejuni", "Caco-2", "gut", 0.26),
    ("Escherichia coli (EPEC)", "Caco-2", "gut", 0.18),
    ("Salmonella fyris", "Caco-2", "gut", 0.12),
)

#: LoewenKIDS (n = 288): episodes in the first two years, and the median age (days) at the first.
EPISODES_TWO_YEARS, MEDIAN_FIRST_D, TWO_YEARS_D = 13.7, 91.0, 730.5

#: A result that is just significant overstates the effect by this factor on average (23,551 results of trials).
EXAGGERATION = 1.7
CRITICAL = stats.norm.ppf(0.975)
#: Grid of a true effect in units of its standard error.
GRID = np.linspace(-6, 6, 4801)
#: Outcome of the trial and the week up to which it was counted.
OUTCOMES = (("lrti_pct", 52), ("bronchitis_pct", 52), ("antibiotic_use_pct", 26), ("antipyretic_use_pct", 17))
#: Visits at which the trial asked for wakings while the product was fed (months 2, 4, 6), and their correlation.
VISITS, BETWEEN_VISITS = 3, 0.5
#: Mean and SD of night wakings between infants of 0-2 months (range 0-3.4 as mean +- 1.96 SD).
WAKINGS_MEAN, WAKINGS_SD = 1.7, 3.4 / 2 / 1.96


def derive(shared: Path) -> dict[str, pd.DataFrame]:
    """Return every table by its place in the library."""
    samples, genera = read_ecam(shared / "data" / "ecam_infants")
    use = hmo_use(shared / "data" / "functional_modules")
    outcomes = pd.read_csv(shared / "evidence" / "outcomes.csv", dtype=str, keep_default_na=False)
    return {
        "infant_feeding/bifidobacterium.csv": bifidobacterium(samples, genera["Bifidobacterium"]),
        "infant_feeding/guilds.csv": guilds(samples, genera, use.loc["2'-FL users"].set_index("mix")["share"]),
        "infant_feeding/hmo_use.csv": use.reset_index(),
        "infant_feeding/breakdown.csv": breakdown(shared / "data" / "renwick2024_hmo_exvivo"),
        "adhesion/inhibition.csv": inhibition(),
        "infection/rates.csv": infection_rates(),
        "infection/ratios.csv": infection_ratios(outcomes),
        "infant_sleep/ratios.csv": waking_ratio(outcomes),
    }


def write(tables: dict[str, pd.DataFrame]) -> None:
    """Write the tables with four digits."""
    for place, table in tables.items():
        table.to_csv(OUT / place, index=False, float_format="%.4g", lineterminator="\n")


# ---------------------------------------------------------------------- microbiome


def read_ecam(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return samples with child, feeding and window, and their genera, in the same order."""
    samples = pd.read_csv(folder / "metadata.tsv", sep="\t").set_index("sample")
    genera = pd.read_csv(folder / "genus_table.tsv.gz", sep="\t").set_index("sample").loc[samples.index]
    edges = [(low * DAYS_PER_MONTH, high * DAYS_PER_MONTH) for low, high in WINDOWS]
    window = pd.Series(-1, index=samples.index)
    for place, (low, high) in enumerate(edges):
        window[(samples["day_of_life"] >= low) & (samples["day_of_life"] < high)] = place
    samples = samples.assign(window=window, feeding=samples["diet"].map({code: name for name, code in FEEDING.items()}))
    kept = samples["window"] >= 0
    return samples[kept], genera[kept]


def bifidobacterium(samples: pd.DataFrame, share: pd.Series) -> pd.DataFrame:
    """Return the share by feeding and window: each child's mean, then figures over children."""
    rows = []
    for feeding in FEEDING:
        for window, (low, high) in enumerate(WINDOWS):
            here = (samples["feeding"] == feeding) & (samples["window"] == window)
            child = share[here].groupby(samples["child"][here]).mean().to_numpy()
            rng = stream(SEED, "infants", feeding, window)
            means = child[rng.integers(len(child), size=(RESAMPLINGS, len(child)))].mean(axis=1)
            quartiles = np.quantile(child, [0.25, 0.5, 0.75])
            rows.append((feeding, low, high, len(child), int(here.sum()), *quartiles, child.mean(),
                         *np.quantile(means, [0.025, 0.975])))  # fmt: skip
    columns = ["feeding", "from_month", "to_month", "children", "samples", "q25", "median", "q75", "mean", "mean_low",
               "mean_high"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def hmo_use(folder: Path) -> pd.DataFrame:
    """Return, for each mix of species, the users of 2'-FL and all others, with what else they use by genome."""
    genomes = pd.read_csv(folder / "bifidobacterium_glycan_phenotypes_by_genome.tsv", sep="\t")
    sugars = {"2'FL": "uses_2fl", "LNnT": "uses_lnnt", "LNT": "uses_lnt", "SHMO": "uses_sialylated"}
    rows = []
    for mix, species in SPECIES.items():
        parts = [genomes[genomes["species_from_taxid_unverified"] == name] for name in species]
        table = pd.concat([part[list(sugars)].assign(weight=1 / len(part) / len(parts)) for part in parts])
        for label, here in (("2'-FL users", table["2'FL"] == 1), ("all others", table["2'FL"] == 0)):
            weight = table.loc[here, "weight"]
            rows.append((label, mix, weight.sum(), *(table.loc[here, list(sugars)].T @ weight / weight.sum())))
    return pd.DataFrame(rows, columns=["bifidobacteria", "mix", "share", *sugars.values()]).set_index("bifidobacteria")


def guilds(samples: pd.DataFrame, genera: pd.DataFrame, users_by_mix: pd.Series) -> pd.DataFrame:
    """Return the mean share of each guild over children; what has no guild is left out and stated."""
    adult = {row["genus"]: row["guild"] for row in resources.rows("population", "data", "genus_guild.csv")}
    guild = {name: INFANT_GENERA.get(name) or adult.get(name, "none") for name in genera.columns}
    shares = genera.T.groupby(pd.Series(guild)).sum().T
    rows = []
    for label, mix in MIX.items():
        for window, (low, high) in enumerate(WINDOWS):
            here = (samples["feeding"] == label.split("_")[0]) & (samples["window"] == window)
            if label.endswith("bifidobacterium"):
                here &= genera["Bifidobacterium"] >= DOMINATED
            child = shares[here].groupby(samples["child"][here]).mean()
            mean = child.mean()
            users = users_by_mix[mix]
            split = {"bifhmo": users * mean["bifidobacteria"], "bifadult": (1 - users) * mean["bifidobacteria"]}
            known = [split.get(name, mean.get(name, 0.0)) for name in GUILDS]
            rows.append((label, low, high, len(child), *(np.array(known) / sum(known)), 1 - sum(known)))
    return pd.DataFrame(rows, columns=["feeding", "from_month", "to_month", "children", *GUILDS, "without_guild"])


def breakdown(folder: Path) -> pd.DataFrame:
    """Return the first-order rate over the first hours in each community.

    Of 2'-FL it is at least that, as little is left. The SD of the logarithm is left out where a sugar did not fall.
    """
    table = pd.read_csv(folder / "community_hmo_remaining.tsv", sep="\t")
    rows = []
    for treatment, sugar, hours in BREAKDOWN:
        wide = table[table["Treatment"] == treatment].pivot(index="Community", columns="Time", values=sugar)
        rates = np.log(wide[0] / wide[hours]) / hours * 24
        low, high = rates.min(), rates.max()
        spread = np.log(rates).std(ddof=1) if low > 0 else np.nan
        rows.append((sugar, treatment, hours, len(rates), rates.median(), low, high, spread))
    columns = ["sugar", "given_as", "hours", "communities", "median_per_d", "lowest", "highest", "sd_of_ln"]
    return pd.DataFrame(rows, columns=columns)


# ---------------------------------------------------------------------- adhesion and infections


def inhibition() -> pd.DataFrame:
    """Return K_i = c (1 - i) / i of each experiment, with one binding site assumed."""
    rows = [(*row, INHIBITOR_G_L, INHIBITOR_G_L * (1 - row[3]) / row[3]) for row in INHIBITION]
    columns = ["pathogen", "cells", "site", "inhibited", "inhibitor_g_l", "ki_g_l"]
    return pd.DataFrame(rows, columns=columns)


def infection_rates() -> pd.DataFrame:
    """Return the highest rate and the time constant of rate = highest (1 - exp(-age / tau)).

    Half of the children have their first episode by the median age (Poisson, all alike), and the episodes of two years
    add up to the mean.
    """

    def integral(tau: float, age: float) -> float:
        return age - tau * -np.expm1(-age / tau)

    def gap(tau: float) -> float:
        highest = EPISODES_TWO_YEARS / integral(tau, TWO_YEARS_D)
        return highest * integral(tau, MEDIAN_FIRST_D) - np.log(2)

    tau = float(brentq(gap, 1.0, 700.0))
    highest = EPISODES_TWO_YEARS / integral(tau, TWO_YEARS_D)
    return pd.DataFrame([("ari_highest_per_d", highest), ("tau_ari_d", tau)], columns=["figure", "value"])


# ---------------------------------------------------------------------- what one trial says


def prior() -> Floats:
    """Return the density of a true effect in units of its standard error.

    Normal around none; its width is the one at which a just significant result overstates the effect by the published
    factor: shrinkage s^2 / (1 + s^2) = 1 / 1.7. The same width gives the published median power of 13 %.
    """
    shrink = 1 / EXAGGERATION
    return stats.norm.pdf(GRID, 0, np.sqrt(shrink / (1 - shrink)))


def weigh(likelihood: Floats) -> tuple[float, float]:
    """Return mean and SD of the posterior, in units of the standard error."""
    weight = prior() * likelihood
    weight /= weight.sum()
    mean = float(weight @ GRID)
    return mean, float(np.sqrt(weight @ (GRID - mean) ** 2))


def told_because_significant(z: float) -> Floats:
    """Return the likelihood of a result that is only told where it is significant.

    The prior is that of primary outcomes. For one picked from a list of secondary outcomes of unknown length this step
    is the careful side: it takes the effect as given and the result as drawn until it could be told.
    """
    told = stats.norm.sf(CRITICAL - GRID) + stats.norm.cdf(-CRITICAL - GRID)
    return np.asarray(stats.norm.pdf(z, GRID) / told)


def one_of_several_visits(z: float) -> Floats:
    """Return the likelihood of one significant visit, the others not, with one effect at all of them.

    The z of another visit, given the first, is normal around effect + correlation x (z - effect).
    """
    shift = np.arange(-8, 8, 0.01)
    spread = np.sqrt(1 - BETWEEN_VISITS)
    # what is common to the visits, given the first one: all others are independent given it
    common_mean = np.sqrt(BETWEEN_VISITS) * (z - GRID)
    common = common_mean[:, None] + np.sqrt(1 - BETWEEN_VISITS) * shift
    mean = GRID[:, None] + np.sqrt(BETWEEN_VISITS) * common
    inside = stats.norm.cdf((CRITICAL - mean) / spread) - stats.norm.cdf((-CRITICAL - mean) / spread)
    weight = stats.norm.pdf(shift)
    others = (inside ** (VISITS - 1) * weight).sum(axis=1) / weight.sum()
    return np.asarray(stats.norm.pdf(z, GRID) * others)


def infection_ratios(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return ratios of cumulative hazards from the shares of infants with at least one event."""
    trial = outcomes[(outcomes["study_id"] == "puccio2017") & (outcomes["statistic"] == "pct")]
    rows = []
    for outcome, week in OUTCOMES:
        at = trial[(trial["outcome"] == outcome) & (trial["week"] == str(week))].set_index("arm")
        share, n = at["value"].astype(float) / 100, at["n"].astype(float)
        hazard = -np.log1p(-share)
        # delta method: the variance of ln(-ln(1 - p)) is p / (n (1 - p) hazard^2)
        variance = share / (n * (1 - share) * hazard**2)
        ln_ratio, se = float(np.log(hazard["test"] / hazard["control"])), float(np.sqrt(variance.sum()))
        z = ln_ratio / se
        plain, (mean, sd) = weigh(stats.norm.pdf(z, GRID))[0], weigh(told_because_significant(z))
        shares = (share["control"], share["test"])
        rows.append((outcome, week, *shares, ln_ratio, se, z, plain * se, mean * se, sd * se))
    columns = ["outcome", "week", "control", "test", "ln_ratio", "se", "z", "ln_ratio_shrunk", "ln_ratio_weighed",
               "sd_weighed"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def waking_ratio(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return what is left of a p value without means: fewer wakings at one visit of several."""
    row = outcomes[(outcomes["study_id"] == "puccio2017") & (outcomes["outcome"] == "night_wakeups_infant")].iloc[0]
    z = -float(stats.norm.isf(float(row["p"]) / 2))
    arms = outcomes[(outcomes["study_id"] == "puccio2017") & (outcomes["outcome"] == "lrti_pct")]["n"].astype(float)
    se = WAKINGS_SD / WAKINGS_MEAN * np.sqrt((1 / arms).sum())
    alone, (mean, sd) = weigh(stats.norm.pdf(z, GRID)), weigh(one_of_several_visits(z))
    rows = [
        ("as told", z * se, se),
        ("weighed, this visit alone", alone[0] * se, alone[1] * se),
        ("weighed, one of three visits", mean * se, sd * se),
        ("prior", 0.0, float(np.sqrt(prior() @ GRID**2 / prior().sum())) * se),
    ]
    return pd.DataFrame(rows, columns=["what", "ln_ratio", "sd"])


if __name__ == "__main__":
    write(derive(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared"))
