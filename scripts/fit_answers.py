"""Fit how answers agree with what can be measured, and how long a scale keeps its standing.

    python scripts/fit_answers.py [FOLDER_WITH_THE_SHARED_MATERIAL]

Writes into src/vagus/observation

- associations.csv: correlations of sleep complaint and of gut symptoms with sleep, affect, gas and transit: own
  computations, published values, and what follows from them together;
- stability.csv: share of each scale's latent that does not last from one week to the next.

Only figures are written, never a row of a person.

A published "no correlation" without its number enters as zero with the standard error of a value anywhere below
significance: the sampling error of zero, and a third of the square of the smallest significant correlation. Values on
one association are averaged on Fisher's scale with weights 1 / (se^2 + tau^2) (DerSimonian and Laird).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, ndtri
from scipy.stats import multivariate_normal

from vagus.instruments.banks import bank
from vagus.population.constants import constant
from vagus.rng import stream

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src" / "vagus" / "observation"
SEED = 2026
ROUNDS = 400
LAG_D = 7.0
Z95 = float(ndtri(0.975))

NHANES = "NHANES 2009-2012, adults"
MMASH = "MMASH, 22 men, one night of wrist actigraphy"
#: What other people published: association, sample, n, correlation (None: "no correlation"), study, description.
PUBLISHED = (
    ("reported ~ measured sleep time", "CARDIA, Chicago", 669, 0.45, "lauderdale2008", "errors in variables removed"),
    ("reported ~ measured sleep time", "Sueno, US Latinos", 2086, 0.43, "cespedes2016", "five nights and more"),
    ("sleep time ~ complaint", "Pittsburgh adults", 187, None, "buysse2008", "PSQI; device and home recording"),
    ("sleep time ~ complaint", "US adults, not clinical", 112, None, "grandner2006", "PSQI, actigraphy of many nights"),
    (
        "device awakenings ~ complaint",
        "Pittsburgh adults",
        187,
        None,
        "buysse2008",
        "PSQI; device and home recording",
    ),
    ("device awakenings ~ complaint", "US adults, not clinical", 112, None, "grandner2006", "PSQI, actigraphy"),
    ("device latency ~ complaint", "Pittsburgh adults", 187, None, "buysse2008", "PSQI; device and home recording"),
    ("device latency ~ complaint", "US adults, not clinical", 112, None, "grandner2006", "PSQI, actigraphy"),
    ("low mood ~ next night", "US employees", 312, None, "midus_sleep_affect", "diaries, within people: sleep quality"),
    ("low mood ~ IBS symptoms", "Dutch students", 1950, 0.239, "ibs_students2019", "Spearman; Birmingham IBS, DASS"),
    ("transit time ~ stool softness", "UK volunteers", 66, -0.54, "lewis1997", "Bristol form; changes -0.65"),
    ("transit time ~ stool frequency", "UK volunteers", 66, -0.35, "lewis1997", "printed without its sign"),
    ("transit time ~ stool frequency", "IBS patients", 359, -0.30, "tornblom2012", "colonic transit by markers"),
    ("transit time ~ IBS symptoms", "IBS patients", 359, None, "tornblom2012", "pain, bloating, flatulence by diary"),
    ("gas ~ bloating", "IBS patients", 68, None, "lee2013_gas", "breath gas; 0.31-0.36 in those with much gas alone"),
)
#: "Low but positive" with P below 0.05 in 133 people: between the smallest significant value and 0.3.
LOW_POSITIVE = ("gas ~ bloating", "IBS, other bowel complaints, healthy", 133, 0.3, "youn2011", "gas on a radiograph")
#: Insomnia items against the same question in a diary, two values for US students; their n is not in the abstract.
DIARY = (0.40, 0.45, "emert2024", "ISI item and the same thing in a diary: 0.40 and 0.45")


@dataclass(frozen=True)
class Value:
    """One estimate of a correlation, on Fisher's scale."""

    association: str
    sample: str
    n: int
    z: float
    se: float
    basis: str
    study_id: str
    description: str


def from_r(association: str, sample: str, n: int, r: float | None, study: str, description: str) -> Value:
    """Return a published correlation; see the head for a value that was not printed."""
    if r is not None:
        return Value(association, sample, n, np.arctanh(r), 1 / np.sqrt(n - 3), "published", study, description)
    return Value(association, sample, n, 0.0, unprinted_se(n), "published as none", study, description)


def unprinted_se(n: int) -> float:
    """Return the standard error of a correlation of which only "not significant" is known."""
    return float(np.sqrt(1 / (n - 3) + np.arctanh(smallest_significant(n)) ** 2 / 3))


def smallest_significant(n: int) -> float:
    """Return the smallest correlation with a two-sided P of 0.05."""
    t = stats.t.ppf(0.975, n - 2)
    return float(t / np.sqrt(n - 2 + t * t))


def low_positive() -> Value:
    association, sample, n, high, study, description = LOW_POSITIVE
    low, top = np.arctanh(smallest_significant(n)), np.arctanh(high)
    se = np.sqrt(1 / (n - 3) + (top - low) ** 2 / 12)
    return Value(association, sample, n, (low + top) / 2, se, "published as low", study, description)


def diary(association: str) -> Value:
    low, high, study, description = DIARY
    z = np.arctanh([low, high])
    return Value(association, "US students", 0, z.mean(), np.ptp(z) / 2, "published", study, description)


def pool(values: list[Value], association: str, description: str) -> Value:
    z, variance = np.array([v.z for v in values]), np.array([v.se**2 for v in values])
    weight = 1 / variance
    q = float((weight * (z - weight @ z / weight.sum()) ** 2).sum())
    tau2 = max(0.0, (q - (len(z) - 1)) / (weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1 / (variance + tau2)
    mean, se = float(weight @ z / weight.sum()), float(weight.sum() ** -0.5)
    studies = " ".join(dict.fromkeys(v.study_id for v in values))
    return Value(association, "all of these", sum(v.n for v in values), mean, se, "together", studies, description)


# ------------------------------------------------------------------------------------------------------- sleep
def nhanes(shared: Path) -> list[Value]:
    """Sleep trouble, hours slept and depressed mood: latent correlations, weighted.

    Standard errors from resampled primary sampling units within strata.
    """
    table = pd.read_csv(
        shared / "data" / "nhanes_sleep_mood_2009_2012" / "adults.tsv.gz", sep="\t", keep_default_na=False
    )
    table = table[table["SleepTrouble"].isin(["Yes", "No"])]
    trouble = (table["SleepTrouble"] == "Yes").to_numpy()
    weight = table["WTINT2YR"].astype(float).to_numpy()
    hours = pd.to_numeric(table["SleepHrsNight"], errors="coerce").to_numpy()
    mood = table["Depressed"].map({"None": 0, "Several": 1, "Most": 2}).to_numpy(dtype=float)
    slept, told = np.isfinite(hours), np.isfinite(mood)

    full = slept & told

    def correlate(w: np.ndarray) -> tuple[float, float, float]:
        with_hours = biserial(hours[slept], trouble[slept], w[slept])
        with_mood = polychoric(mood[told].astype(int), trouble[told].astype(int), w[told])
        return with_hours, with_mood, biserial(hours[full], mood[full] > 0, w[full])

    found = correlate(weight)
    units = table.groupby(["SDMVSTRA", "SDMVPSU"]).ngroup().to_numpy()
    strata = table.groupby("SDMVSTRA").ngroup().to_numpy()
    of = {stratum: np.unique(units[strata == stratum]) for stratum in np.unique(strata)}
    rng = stream(SEED, "scripts", "nhanes")
    drawn = []
    for _ in range(ROUNDS):
        # n-1 of n units a stratum, weights scaled by n/(n-1): the rescaling bootstrap
        times = np.zeros(units.max() + 1)
        for members in of.values():
            kept = rng.choice(members, len(members) - 1)
            np.add.at(times, kept, len(members) / (len(members) - 1))
        drawn.append(correlate(weight * times[units]))
    se = np.arctanh(np.array(drawn)).std(axis=0, ddof=1)
    names = ("reported sleep time ~ complaint", "low mood ~ complaint", "reported sleep time ~ low mood")
    words = (
        "trouble sleeping told to a doctor; biserial",
        "depressed days and trouble sleeping; polychoric",
        "any depressed days in two weeks; biserial",
    )
    return [
        Value(name, NHANES, int(kept.sum()), np.arctanh(r), float(error), "own computation", "nhanes", text)
        for name, kept, r, error, text in zip(names, (slept, told, full), found, se, words, strict=True)
    ]


def biserial(x: np.ndarray, yes: np.ndarray, weight: np.ndarray) -> float:
    """Return the correlation of a measured and a dichotomized normal variable."""
    w = weight / weight.sum()
    share = float(w @ yes)
    mean = float(w @ x)
    sd = float(np.sqrt(w @ (x - mean) ** 2))
    gap = float(w @ (x * yes)) / share - mean
    return float(gap / sd * share / stats.norm.pdf(ndtri(share)))


def polychoric(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> float:
    """Return the correlation of two normal variables that are seen in steps, by maximum likelihood."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), weight)
    table /= table.sum()
    cuts = [np.concatenate([[-8.0], ndtri(np.cumsum(table.sum(axis=1 - k))[:-1]), [8.0]]) for k in (0, 1)]
    corners = np.stack(np.meshgrid(*cuts, indexing="ij"), axis=-1)

    def loss(r: float) -> float:
        cdf = multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf(corners.reshape(-1, 2)).reshape(corners.shape[:2])
        cell = cdf[1:, 1:] - cdf[:-1, 1:] - cdf[1:, :-1] + cdf[:-1, :-1]
        return float(-(table * np.log(np.clip(cell, 1e-12, None))).sum())

    return float(minimize_scalar(loss, bounds=(-0.95, 0.95), method="bounded").x)


def phq(shared: Path) -> Value:
    """PHQ-9 sleep item against the other items of PHQ-9 and GAD-7, both as normal scores."""
    answers = pd.read_csv(shared / "data" / "phq_gad_pss_items_ukm" / "responses.tsv", sep="\t")
    rest = [f"D{k}" for k in range(1, 10) if k != 3] + [f"A{k}" for k in range(1, 8)]
    answers = answers[["D3", *rest]].dropna()
    total = answers[rest].sum(axis=1)
    steps = np.unique(pd.qcut(total, 6, labels=False, duplicates="drop"), return_inverse=True)[1]
    r = polychoric(answers["D3"].to_numpy(int), steps, np.ones(len(answers)))
    n = len(answers)
    text = "PHQ-9 sleep item and the rest of PHQ-9 and GAD-7; polychoric, students"
    z = float(np.arctanh(r))
    return Value("low mood ~ complaint", "223 students", n, z, 1 / np.sqrt(n - 3), "own computation", "ukm_phq", text)


def mmash(shared: Path) -> list[Value]:
    """PSQI against one night of actigraphy, by ranks; a broken night counts as one."""
    folder = shared / "data" / "mmash_sleep_mood_cortisol"
    sleep = pd.read_csv(folder / "sleep_actigraph_summary.tsv", sep="\t")
    people = pd.read_csv(folder / "participants.tsv", sep="\t").set_index("user")
    night = sleep.groupby("user").agg(
        hours=("total_sleep_time_tst", "sum"),
        bed=("total_minutes_in_bed", "sum"),
        waso=("wake_after_sleep_onset_waso", "sum"),
        awakenings=("number_of_awakenings", "sum"),
        latency=("latency", "first"),
    )
    told = people["Pittsburgh"].reindex(night.index)
    seen = {
        "sleep time ~ complaint": night["hours"],
        "efficiency ~ complaint": night["hours"] / night["bed"],
        "time awake ~ complaint": np.log(night["waso"]),
        "device awakenings ~ complaint": np.log(night["awakenings"]),
        "device latency ~ complaint": night["latency"],
    }
    out = []
    for name, x in seen.items():
        kept = x.notna() & told.notna()
        n = int(kept.sum())
        text = "PSQI, Spearman" + ("; latencies of 0 to 4 minutes by the device" if "latency" in name else "")
        z = float(np.arctanh(x[kept].corr(told[kept], method="spearman")))
        out.append(Value(name, MMASH, n, z, 1 / np.sqrt(n - 3), "own computation", "mmash", text))
    return out


def chained(report: Value, told: Value) -> Value:
    """Return measured sleep time ~ complaint through the reported time, for which measured time stands in."""
    a, b = np.tanh(report.z), np.tanh(told.z)
    r = a * b
    se_r = np.hypot(b * (1 - a * a) * report.se, a * (1 - b * b) * told.se)
    text = "measured ~ reported times reported ~ complaint, if nothing else ties them"
    studies = f"{report.study_id} {told.study_id}"
    z, se, n = float(np.arctanh(r)), float(se_r / (1 - r * r)), min(report.n, told.n)
    return Value("sleep time ~ complaint", "product of the two", n, z, se, "product", studies, text)


def associations(shared: Path) -> pd.DataFrame:
    """Return every estimate and, for each association with more than one, what they say together."""
    values = [*nhanes(shared), phq(shared), *mmash(shared), *(from_r(*row) for row in PUBLISHED), low_positive()]
    report = pool([v for v in values if v.association == "reported ~ measured sleep time"], "", "")
    values.append(chained(report, next(v for v in values if v.association == "reported sleep time ~ complaint")))
    rows: list[Value] = []
    for name in dict.fromkeys(v.association for v in values):
        mine = [v for v in values if v.association == name]
        rows += mine
        if len(mine) > 1:
            rows.append(pool(mine, name, "random effects"))
    # What is simulated is noticed by people (a diary) and real (a device): both count once.
    for what in ("awakenings", "latency"):
        seen = next(v for v in reversed(rows) if v.association == f"device {what} ~ complaint")
        told = diary(f"diary {what} ~ complaint")
        rows += [told, pool([seen, told], f"{what} ~ complaint", "device and diary disagree; each counts once")]
    return pd.DataFrame(
        {
            "association": [v.association for v in rows],
            "sample": [v.sample for v in rows],
            "n": [v.n or "" for v in rows],
            "r": [round(float(np.tanh(v.z)), 3) for v in rows],
            "ci_low": [round(float(np.tanh(v.z - Z95 * v.se)), 3) for v in rows],
            "ci_high": [round(float(np.tanh(v.z + Z95 * v.se)), 3) for v in rows],
            "basis": [v.basis for v in rows],
            "study_id": [v.study_id for v in rows],
            "grade": "B",
            "description": [v.description for v in rows],
        }
    )


# --------------------------------------------------------------------------------------------------- stability
STATE_REVERSE = (1, 2, 5, 8, 10, 11, 15, 16, 19, 20)
POSITIVE = (
    "active", "alert", "attentive", "determined", "enthusiastic",
    "excited", "inspired", "interested", "proud", "strong",
)  # fmt: skip
NEGATIVE = (
    "afraid", "ashamed", "distressed", "guilty", "hostile",
    "irritable", "jittery", "nervous", "scared", "upset",
)  # fmt: skip
#: Studies of psychTools that met the same people on two days; first answers of each day.
TWO_DAYS = ("RIM", "SAM", "ROB", "VALE", "PAT")
#: Daily PANAS of 364 students on five days: about as much variance between as within people.
DAILY_PANAS = 0.5


def day_to_day(shared: Path) -> dict[str, tuple[float, int]]:
    """Return retest correlation and n of STAI state and of the PANAS adjectives "at this moment" on two days.

    Caffeine and the hour of the day differed between some sessions; their means are taken out within study and day.
    """
    folder = shared / "data" / "psych_state_trait_items"
    state = pd.read_csv(folder / "stai_state_items.tsv.gz", sep="\t")
    items = state.iloc[:, 3:23].copy()
    for column in STATE_REVERSE:
        items.iloc[:, column - 1] = 5 - items.iloc[:, column - 1]
    state["stai_state"] = items.sum(axis=1, min_count=20)
    mood = pd.read_csv(folder / "panas_items_msqR.tsv.gz", sep="\t")
    mood["panas_positive"] = mood[list(POSITIVE)].sum(axis=1, min_count=10)
    mood["panas_negative"] = mood[list(NEGATIVE)].sum(axis=1, min_count=10)
    keys = ["study", "id", "time"]
    table = mood[[*keys, "TOD", "drug", "panas_positive", "panas_negative"]].merge(
        state[[*keys, "stai_state"]].drop_duplicates(keys), on=keys, how="outer"
    )
    table = table[table["study"].isin(TWO_DAYS) & table["time"].isin([1, 3])].drop_duplicates(keys)
    session = [table["study"], table["time"], table["drug"].fillna(-1), table["TOD"].fillna(-1)]
    out = {}
    for scale in ("stai_state", "panas_positive", "panas_negative"):
        free = table[scale] - table.groupby(session)[scale].transform("mean")
        wide = table.assign(free=free).pivot(index=["study", "id"], columns="time", values="free").dropna()
        found = [
            from_r(scale, study, len(part), float(part.corr().iloc[0, 1]), "psychtools", "")
            for study, part in wide.groupby("study")
            if len(part) > 10
        ]
        out[scale] = float(np.tanh(pool(found, scale, "").z)), len(wide)
    return out


def retest(scale: str, share: float, days: float) -> float:
    """Return the correlation of two sums of a scale whose latent has this share of short-lived variance."""
    items = bank(scale)
    theta = np.linspace(-5.0, 5.0, 61)
    u, u_weight = np.polynomial.hermite_e.hermegauss(9)
    u_weight = u_weight / u_weight.sum()
    rho = (1 - share) * np.exp(-days / constant("slow_tau_d")) + share * np.exp(-days / constant("fast_tau_d"))
    latent = theta[:, None, None, None] + items.offset_sd * u[:, None]
    reached = expit(items.a[:, None, None] * (latent - items.b[:, None, :]))  # theta, items, leaning, threshold
    given = reached.sum(axis=3)
    square = (reached * (2 * np.arange(1, items.b.shape[1] + 1) - 1)).sum(axis=3)
    weight = np.exp(-0.5 * theta**2)
    weight /= weight.sum()
    marginal = given @ u_weight
    total = marginal.sum(axis=1)
    grand = weight @ total
    variance = weight @ ((square @ u_weight - marginal**2).sum(axis=1) + (total - grand) ** 2)
    joint = np.exp(-(theta[:, None] ** 2 - 2 * rho * theta[:, None] * theta + theta**2) / (2 * (1 - rho**2)))
    joint /= joint.sum()
    leanings = np.einsum("tju,sju,u,ts->", given, given, u_weight, joint) - np.einsum(
        "tj,sj,ts->", marginal, marginal, joint
    )
    return float((total @ joint @ total - grand**2 + leanings) / variance)


def solve_share(scale: str, target: float) -> float:
    """Return the short-lived share with which two sums a week apart correlate as published."""
    return float(brentq(lambda share: retest(scale, share, LAG_D) - target, 0.0, 0.95, xtol=1e-6))


def stability(shared: Path) -> pd.DataFrame:
    """Return the short-lived share of the scales that ask for states."""
    days = day_to_day(shared)
    state, n = days["stai_state"]
    moment = {scale: days[scale] for scale in ("panas_positive", "panas_negative")}
    rows = [
        (
            "stai_state",
            solve_share("stai_state", state),
            round(state, 3),
            n,
            "psychtools",
            '"right now" on two days, means of caffeine and hour taken out; the manual gives 0.16 to 0.62 over an hour '
            "to 104 days (secondary source)",
        )
    ]
    for scale, (r, people) in moment.items():
        rows.append(
            (
                scale,
                solve_share(scale, DAILY_PANAS),
                DAILY_PANAS,
                364,
                "merz2011",
                f'daily PANAS of five days, about half between people; the same words "at this moment" on two days '
                f"{r:.2f} (n {people}, psychTools); forms that ask for longer spans last longer",
            )
        )
    columns = ["scale", "fast_share", "retest", "n", "study_id", "description"]
    table = pd.DataFrame(rows, columns=columns)
    table["fast_share"] = table["fast_share"].round(3)
    table.insert(5, "grade", "B")
    return table


def main(shared: Path) -> None:
    for name, table in (("associations.csv", associations(shared)), ("stability.csv", stability(shared))):
        table.to_csv(OUT / name, index=False)
        print(table.drop(columns="description").to_string())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared")
