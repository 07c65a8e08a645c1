"""Derive the figures that the checks of the ecology hold the model against.

    python scripts/derive_ecology_figures.py [FOLDER_WITH_THE_SHARED_MATERIAL]

Writes src/vagus/validation/data/ecology_observed.csv: one row a benchmark, with the function of
vagus.validation.ecology that predicts it (`trial`), its 95 % interval, and how both were found. Only figures are
written, never a row of a person. Intervals are symmetrical on the scale of the figure: estimate +- 1.96 SE, where the
SE comes from the planned analysis, from printed SDs and p values, or from 1,000 resamplings of people.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from vagus import api
from vagus.rng import stream
from vagus.validation.ecology_statistics import (
    log_share,
    moderation,
    rank_correlation,
    slope,
    spread_changes_from_figures,
    spread_within_and_between,
)

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "vagus" / "validation" / "data" / "ecology_observed.csv"
COLUMNS = ["benchmark", "trial", "observed", "low", "high", "unit", "n", "source", "how"]
FIGURE = [name for name in COLUMNS if name != "trial"]
Z = 1.959964
RESAMPLINGS = 1000
SEED = 7
#: Share of simulated trials that must at least have come out as the real one did.
LEAST_SHARE = 0.05

Row = dict[str, object]


def derive(shared: Path) -> pd.DataFrame:
    """Return all figures.

    Parameters
    ----------
    shared : pathlib.Path
        Folder that holds ``data`` and ``evidence``.
    """
    outcomes = pd.read_csv(shared / "evidence" / "outcomes.csv", dtype=str, keep_default_na=False)
    data = shared / "data"
    by_trial = [
        ("fructan_doses", [*bouhnik(outcomes), *verdicts("bouhnik2004_ndchs")]),
        ("inulin_doses", kolida(outcomes)),
        ("wash_out", verdicts("iribarren2020")),
        ("fucosyllactose_spread", adult2fl(outcomes, data)),
        ("students", baxter(data)),
        ("fucosyllactose_batch", renwick(data)),
        ("untreated_days", daily(data)),
        ("mouse_time", mouse(data)),
        ("wheat_starch", hughes(data)),
        ("ex_vivo", ex_vivo(data)),
    ]
    return pd.DataFrame([{**one, "trial": trial} for trial, rows in by_trial for one in rows])[COLUMNS]


def row(benchmark: str, observed: float, se: float, unit: str, n: int | str, source: str, how: str) -> Row:
    """Return one figure with its interval."""
    low, high = observed - Z * se, observed + Z * se
    return dict(
        zip(FIGURE, (benchmark, f"{observed:.4g}", f"{low:.4g}", f"{high:.4g}", unit, n, source, how), strict=True)
    )


def resampled(statistic: Callable[[np.ndarray], float], n: int, name: str, groups: np.ndarray | None = None) -> float:
    """Return the SD of a statistic over resamplings of n people, within their groups where these are given."""
    rng = stream(SEED, "ecology", name)
    parts = [np.arange(n)] if groups is None else [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = [statistic(np.concatenate([rng.choice(part, len(part)) for part in parts])) for _ in range(RESAMPLINGS)]
    return float(np.nanstd(draws, ddof=1))


def figure(outcomes: pd.DataFrame, study: str, arm: str, week: str, statistic: str) -> float:
    """Return one number of the evidence base."""
    chosen = outcomes[
        (outcomes["study_id"] == study)
        & (outcomes["arm"] == arm)
        & (outcomes["week"] == week)
        & (outcomes["statistic"] == statistic)
    ]
    (value,) = chosen["value"]
    return float(value)


def bouhnik(outcomes: pd.DataFrame) -> list[Row]:
    """Dose response of scFOS: changes, and their slope on the dose."""
    source, unit = "bouhnik2006_scfos", "log10 CFU/g"
    doses = np.array([2.5, 5.0, 7.5, 10.0])
    how = (
        "week 1 less week 0; SE from the printed p against placebo (t test, 14 degrees of freedom, change of the"
        " placebo taken as 0), as no SD of the changes is printed"
    )
    rows, changes, errors = [], [], []
    for dose in doses:
        arm = f"scFOS_{dose:g}g"
        means = [figure(outcomes, source, arm, week, "mean") for week in ("0", "1")]
        chosen = outcomes[(outcomes["study_id"] == source) & (outcomes["arm"] == arm) & (outcomes["p"] != "")]
        changes.append(means[1] - means[0])
        errors.append(changes[-1] / float(stats.t.isf(float(chosen["p"].iloc[0]) / 2, 14)))
        rows.append(row(f"Bouhnik 2006: change on {dose:g} g scFOS", changes[-1], errors[-1], unit, 8, source, how))
    weights = (doses - doses.mean()) / ((doses - doses.mean()) ** 2).sum()
    rows.append(
        row(
            "Bouhnik 2006: slope of the change on the dose",
            slope(doses, np.array(changes)),
            float(np.sqrt((weights**2 * np.square(errors)).sum())),
            "log10 CFU/g per g/d",
            "4 x 8",
            source,
            "least squares over four doses; SE from those of the changes, taken as independent",
        )
    )
    return rows


def kolida(outcomes: pd.DataFrame) -> list[Row]:
    """Two doses of inulin in the same people."""
    source, unit, n = "kolida2007_inulin", "log10 cells/g", 30
    mean = {arm: figure(outcomes, source, arm, "2", "mean") for arm in ("placebo", "inulin_5g", "inulin_8g")}
    sd = {arm: figure(outcomes, source, arm, "2", "sd") for arm in mean}
    # The printed p = 0.05 of 8 g against placebo gives the SE of that difference, and so the periods' correlation.
    known = (mean["inulin_8g"] - mean["placebo"]) / float(stats.t.isf(0.025, n - 1))
    both = sd["inulin_8g"], sd["placebo"]
    correlation = (both[0] ** 2 + both[1] ** 2 - n * known**2) / (2 * both[0] * both[1])
    rows = []
    for name, high, low in (
        ("5 g inulin over placebo", "inulin_5g", "placebo"),
        ("8 g inulin over placebo", "inulin_8g", "placebo"),
        ("8 g over 5 g inulin", "inulin_8g", "inulin_5g"),
    ):
        variance = sd[high] ** 2 + sd[low] ** 2 - 2 * correlation * sd[high] * sd[low]
        how = (
            f"difference of printed means after 2 weeks; SE from printed SDs with correlation {correlation:.2f} of two"
            " periods, which follows from the printed p = 0.05 of 8 g"
        )
        rows.append(
            row(f"Kolida 2007: {name}", mean[high] - mean[low], float(np.sqrt(variance / n)), unit, n, source, how)
        )
    return rows


def verdicts(study: str) -> list[Row]:
    """Trials that print a verdict and no size: the share of simulated trials that come out as the real one did."""
    how = f"verdict at p < 0.05; met if at least {LEAST_SHARE:.0%} of simulated trials of that size come out so"
    names = {
        "Bouhnik 2004: no dose effect 2.5-10 g scFOS": ("4 x 8", "bouhnik2004_ndchs"),
        "Bouhnik 2004: higher on 10 g scFOS": ("2 x 8", "bouhnik2004_ndchs"),
        "Bouhnik 2004: higher on 10 g GOS": ("2 x 8", "bouhnik2004_ndchs"),
        "Bouhnik 2004: no difference on 10 g long-chain inulin": ("2 x 8", "bouhnik2004_ndchs"),
        "Iribarren 2020: 10 g higher at week 4": ("61 in 3 arms", "iribarren2020"),
        "Iribarren 2020: 5 g no difference at week 4": ("61 in 3 arms", "iribarren2020"),
        "Iribarren 2020: 10 g no difference 4 weeks after the end": ("61 in 3 arms", "iribarren2020"),
    }
    return [
        dict(zip(FIGURE, (name, "1", f"{LEAST_SHARE:g}", f"{2 - LEAST_SHARE:g}", "share", n, source, how), strict=True))
        for name, (n, source) in names.items()
        if source == study
    ]


def adult2fl(outcomes: pd.DataFrame, data: Path) -> list[Row]:
    """Moderation by baseline from published spreads, additive and log scale."""
    source, unit = "adult2fl", "ln ratio"
    people = _baxter_people(data)
    control = people[people["arm"] == "accessible"]
    correlation = float(np.corrcoef(log_share(control["bif0"]), log_share(control["bif1"]))[0, 1])
    rng = stream(SEED, "ecology", source)
    rows = []
    for week in ("3", "6"):
        cells = [("2FL_5g", "0"), ("2FL_5g", week), ("placebo", "0"), ("placebo", week)]
        means = [figure(outcomes, source, arm, when, "mean") for arm, when in cells]
        sds = [figure(outcomes, source, arm, when, "sd") for arm, when in cells]
        found = spread_changes_from_figures(sds, means)
        draws = np.array([_drawn_spreads(rng, means, sds, correlation) for _ in range(RESAMPLINGS)])
        how = (
            f"{{}}, week {week} over week 0, 5 g 2'-FL over placebo; SE from drawn trials of 27 and 30 people with"
            " lognormal values of these means and SDs and the correlation of the control arm of Baxter 2019"
            f" ({correlation:.2f})"
        )
        for place, (scale, what) in enumerate(
            (("additive", "ln ratio of SDs"), ("log", "ln ratio of coefficients of variation"))
        ):
            rows.append(
                row(
                    f"adult2fl: moderation by baseline, {scale} scale, week {week}",
                    found[place],
                    float(draws[:, place].std(ddof=1)),
                    unit,
                    57,
                    source,
                    how.format(what),
                )
            )
    return rows


def _drawn_spreads(
    rng: np.random.Generator, means: list[float], sds: list[float], correlation: float
) -> tuple[float, float]:
    log_sd = np.sqrt(np.log1p(np.square(np.divide(sds, means))))
    values = []
    for n, places in ((27, (0, 1)), (30, (2, 3))):
        z = rng.standard_normal((2, n))
        z[1] = correlation * z[0] + np.sqrt(1 - correlation**2) * z[1]
        values += [
            np.exp(np.log(means[place]) - log_sd[place] ** 2 / 2 + log_sd[place] * z[part])
            for part, place in enumerate(places)
        ]
    return spread_changes_from_figures(
        [float(value.std(ddof=1)) for value in values], [float(value.mean()) for value in values]
    )


def _baxter_people(data: Path) -> pd.DataFrame:
    """One row a person: mean share of Bifidobacterium (%) and mean butyrate before and during."""
    folder = data / "baxter2019_prebiotic_trial"
    samples = pd.read_csv(folder / "samples.tsv", sep="\t")
    taxa = pd.read_csv(folder / "taxa_relative_abundance.tsv.gz", sep="\t", usecols=["sample", "Bifidobacterium"])
    both = samples.merge(taxa, on="sample")
    both["bif"] = 100 * both["Bifidobacterium"]
    wide = both.pivot_table(index=["subject", "arm"], columns="period_before_after", values=["bif", "butyrate"])
    table = pd.DataFrame(
        {
            "bif0": wide["bif", "before"],
            "bif1": wide["bif", "during"],
            "but0": wide["butyrate", "before"],
            "but1": wide["butyrate", "during"],
        }
    )
    return table.reset_index("arm")


def baxter(data: Path) -> list[Row]:
    """Fold changes and ratios of the planned analysis; correlation of changes; moderation by baseline."""
    source = "baxter2019"
    answer = api.analyze(api.read_protocol("baxter2019"), data / "baxter2019_prebiotic_trial")
    rows = []
    for item in answer.estimates:
        if item.outcome == "bifidobacterium_rel_abundance_pct":
            name, how = (
                f"Bifidobacterium fold on {item.arm}",
                "planned analysis of the bundled protocol, ln fold change",
            )
        elif item.outcome == "faecal_butyrate_mmol_kg":
            name = f"butyrate of {item.arm} over accessible starch"
            how = "planned analysis of the bundled protocol, ANCOVA of logarithms"
        else:
            continue
        se = (np.log(item.ci_high) - np.log(item.ci_low)) / (2 * Z)
        rows.append(row(f"Baxter 2019: {name}", np.log(item.estimate), se, "ln ratio", item.n, source, how))
    people = _baxter_people(data)
    before, after = people["bif0"].to_numpy(), people["bif1"].to_numpy()
    arm = people["arm"].to_numpy(str)
    change = log_share(after) - log_share(before)
    butyrate = np.log(people["but1"].to_numpy() / people["but0"].to_numpy())
    for name in ("inulin", "potato", "himaize", "accessible"):
        x, y = change[arm == name], butyrate[arm == name]

        def correlation(pick: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> float:
            return rank_correlation(x[pick], y[pick])

        rows.append(
            row(
                f"Baxter 2019: correlation of changes in Bifidobacterium and butyrate, {name}",
                rank_correlation(x, y),
                resampled(correlation, len(x), f"correlation {name}"),
                "1",
                len(x),
                source,
                "Spearman, ln changes of person means; SE from resampled people",
            )
        )
    for name in ("inulin", "potato"):
        for log in (False, True):
            both = (arm == name) | (arm == "accessible")
            b, a, treated = before[both], after[both], arm[both] == name

            def interaction(
                pick: np.ndarray, b: np.ndarray = b, a: np.ndarray = a, t: np.ndarray = treated, log: bool = log
            ) -> float:
                return moderation(b[pick], a[pick], t[pick], log=log)

            scale = "log" if log else "additive"
            rows.append(
                row(
                    f"Baxter 2019: moderation by baseline, {scale} scale, {name}",
                    moderation(b, a, treated, log=log),
                    resampled(interaction, len(b), f"moderation {scale} {name}", treated),
                    "1",
                    len(b),
                    source,
                    "slope of change on baseline share of Bifidobacterium, less that of the accessible-starch arm; SE"
                    " from resampled people",
                )
            )
    return rows


def renwick(data: Path) -> list[Row]:
    """How fast seven communities of children use up 2'-FL."""
    table = pd.read_csv(data / "renwick2024_hmo_exvivo" / "community_hmo_remaining.tsv", sep="\t")
    wide = table[table["Treatment"] == "2FL"].pivot_table(index="Community", columns="Time", values="2'FL")
    left = wide[3] / wide[0]
    half_lives = 3.0 * np.log(2.0) / np.log(1 / left)
    each = ", ".join(f"{share:.2%} ({hours:.2f} h)" for share, hours in zip(left, half_lives, strict=True))
    most = float(left.max())
    return [
        {
            "benchmark": "Renwick 2024: time until 2'-FL is gone in batch",
            "observed": "1.5",
            "low": "0",
            "high": "3",
            "unit": "h",
            "n": len(left),
            "source": "renwick2024",
            "how": f"gone: {most:.2%} left, the highest of seven communities at their first sample, after 3 h; left in"
            f" each, and its half-life at most: {each}. Only the upper end is known",
        }
    ]


def daily(data: Path) -> list[Row]:
    """Fluctuation of Bifidobacterium in untreated people."""
    rows = []
    for folder, person, source, label, extra in (
        ("johnson2019_daily_diet_microbiome", "participant", "johnson2019", "Johnson 2019", "daily, shotgun"),
        ("poyet2019_healthy_longitudinal", "subject", "poyet2019", "Poyet 2019", "about two stools a donor, 16S"),
    ):
        meta = pd.read_csv(
            data / folder / ("samples.tsv" if source == "johnson2019" else "metadata.tsv"), sep="\t", dtype=str
        )
        counts = pd.read_csv(data / folder / "genus_counts.tsv.gz", sep="\t").set_index("sample")
        share = 100 * counts["Bifidobacterium"] / counts.sum(axis=1)
        joined = meta.set_index("sample").join(share.rename("bif"), how="inner")
        groups = [log_share(part.to_numpy()) for _, part in joined.groupby(person)["bif"]]
        groups = [group for group in groups if len(group) > 1]
        found = spread_within_and_between(groups)
        for place, (what, unit) in enumerate((("SD within a person", "ln"), ("reliability of one stool", "1"))):

            def again(pick: np.ndarray, groups: list[np.ndarray] = groups, place: int = place) -> float:
                return spread_within_and_between([groups[one] for one in pick])[place]

            rows.append(
                row(
                    f"{label}: Bifidobacterium, {what}",
                    found[place],
                    resampled(again, len(groups), f"{source} {what}"),
                    unit,
                    len(groups),
                    source,
                    f"ln share, one-way analysis of variance ({extra}); SE from resampled people",
                )
            )
    return rows


def mouse(data: Path) -> list[Row]:
    """Course of butyrate on inulin in mice."""
    table = pd.read_csv(data / "liu2022_mouse_fiber_timeseries" / "samples.tsv", sep="\t")
    table = table[~table["Day"].isin([2, 10])]  # five mice of another batch only
    table["ln"] = np.log(table["Butyrate"])
    wide = table.pivot_table(index=["MiceID", "Diet"], columns="Day", values="ln").reset_index("Diet")
    diet = wide.pop("Diet").to_numpy(str)
    chosen = (diet == "Inulin") | (diet == "Control")
    changes, inulin = wide[chosen].sub(wide.loc[chosen, 0], axis=0), diet[chosen] == "Inulin"

    def shape(pick: np.ndarray) -> tuple[float, float]:
        part, treated = changes.iloc[pick], inulin[pick]
        over = part[treated].mean() - part[~treated].mean()
        early, late = over[[3, 5, 8, 13]].mean(), over[[19, 25, 31]].mean()
        return float(over[1] / early), float(late - early)

    everybody = shape(np.arange(len(changes)))
    se = [
        resampled(lambda pick, place=place: shape(pick)[place], len(changes), f"mouse {place}", inulin)
        for place in range(2)
    ]
    source, n = "liu2022_mouse", f"{inulin.sum()} and {(~inulin).sum()} mice"
    return [
        row(
            "Liu 2022 (mice): share of the butyrate rise reached after one mouse day",
            everybody[0],
            se[0],
            "1",
            n,
            source,
            "mean ln butyrate over day 0, less that of control mice: day 1 against the mean of days 3-13; SE from"
            " resampled mice",
        ),
        row(
            "Liu 2022 (mice): butyrate on inulin, late over early",
            everybody[1],
            se[1],
            "ln ratio",
            n,
            source,
            "mean ln butyrate over day 0, less that of control mice: days 19-31 less days 3-13; SE from resampled mice",
        ),
    ]


def hughes(data: Path) -> list[Row]:
    """Wheat rich in resistant starch, one week, crossover."""
    folder, source = data / "hughes2021_rs2_crossover", "hughes2021"
    people = pd.read_csv(folder / "participants_visits.tsv", sep="\t")
    counts = pd.read_csv(folder / "genus_counts.tsv", sep="\t").set_index("sample")
    people["bif"] = people["sample"].map(100 * counts["Bifidobacterium"] / counts.sum(axis=1))
    people["bif"] = log_share(people["bif"])
    people["H2"] = np.log(people["H2AUC"])
    rows = []
    for column, name, unit in (
        ("bif", "Bifidobacterium, starch-rich over usual wheat", "ln ratio"),
        ("stoolPH", "pH of stool, starch-rich less usual wheat", "pH"),
        ("H2", "breath hydrogen, starch-rich over usual wheat", "ln ratio"),
    ):
        wide = people.pivot_table(index="SubID", columns="Trt3", values=column)
        difference = (wide["RS"] - wide["C"]).dropna()
        rows.append(
            row(
                f"Hughes 2021: {name}",
                float(difference.mean()),
                float(difference.std(ddof=1) / np.sqrt(len(difference))),
                unit,
                len(difference),
                source,
                "paired difference at the end of each week",
            )
        )
    return rows


def ex_vivo(data: Path) -> list[Row]:
    """Stool of ten donors with oligofructose, resistant starch or nothing."""
    source = "quinnbohmann2024"
    table = pd.read_csv(data / "scfa_exvivo_fiber" / "scfa_long.tsv", sep="\t")
    table = table[table["study"] == "B"]
    mean = table.pivot_table(index="donor", columns=["treatment", "analyte"], values="value")
    butyrate = {name: mean[name, "Butyric acid"] for name in ("Blank", "FOS", "RS")}
    higher = (butyrate["FOS"] > butyrate["Blank"]) & (butyrate["RS"] > butyrate["Blank"])
    n = len(mean)
    rows: list[Row] = [
        {
            "benchmark": "ex vivo: donors whose butyrate rises above the blank with FOS and with starch",
            "observed": f"{float(higher.mean()):g}",
            "low": "0.69",
            "high": "1.31",
            "unit": "share",
            "n": n,
            "source": source,
            "how": "10 of 10 donors; exact 95 % interval from 0.69",
        }
    ]
    ratio = np.log(butyrate["RS"] / butyrate["FOS"])
    figures = {"butyrate from starch over butyrate from FOS": (ratio, "ln ratio")}
    for name in ("FOS", "RS"):
        share = mean[name, "Butyric acid"] / mean[name].sum(axis=1)
        figures[f"share of butyrate in the acids from {'starch' if name == 'RS' else name}"] = share, "1"
    for what, (values, unit) in figures.items():
        how = "mean over donors (three replicates each), three acids; SE over donors"
        rows.append(
            row(
                f"ex vivo: {what}",
                float(values.mean()),
                float(values.std(ddof=1) / np.sqrt(n)),
                unit,
                n,
                source,
                how,
            )
        )
    return rows


def main() -> None:
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared"
    OUT.parent.mkdir(exist_ok=True)
    derive(shared).to_csv(OUT, index=False, lineterminator="\n")
    print(f"wrote {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
