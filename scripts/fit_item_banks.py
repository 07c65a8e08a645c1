"""Fit the item banks that ship in src/vagus/instruments (items.csv, fits.csv).

    python scripts/fit_item_banks.py [FOLDER_WITH_THE_SHARED_DATA]

Three kinds of bank:

- STAI state and trait: graded response models fitted by marginal maximum likelihood to the item answers of US students
  (R package psychTools, sets sai and tai).
- PANAS: discriminations and relative item positions from the mood adjectives of the same students (msqR, answers 0-3),
  then location, spacing and strength refitted so that the 10-50 sums have the published mean, SD and alpha.
- BDI-II, PSQI, ISI, IBS-SSS: no item parameters are published; items spread evenly around a common position, and the
  common discrimination, position and spacing fitted to published (or assumed) mean, SD and alpha (targets.csv).

Every fit integrates over the person-by-item leaning, so that what is fitted is what a population would show.
All moments are computed by quadrature: there is no random number in this script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares, minimize
from scipy.special import expit, ndtr, ndtri

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src" / "vagus" / "instruments"
HIGHEST_A = 8.0  # two adjectives that mean the same (afraid, scared) would otherwise run to infinity
SLOW_SHARE, SLOW_TAU, FAST_TAU = 0.95, 400.0, 3.0

THETA = np.linspace(-5.0, 5.0, 61)
WEIGHT = np.exp(-0.5 * THETA**2)
WEIGHT /= WEIGHT.sum()
U, U_WEIGHT = np.polynomial.hermite_e.hermegauss(9)
U_WEIGHT = U_WEIGHT / U_WEIGHT.sum()

STATE_REVERSE = (1, 2, 5, 8, 10, 11, 15, 16, 19, 20)
FORM_X_TRAIT_REVERSE = (1, 6, 7, 10, 13, 16, 19)
FORM_Y_TRAIT_REVERSE = (1, 3, 6, 7, 10, 13, 14, 16, 19)
POSITIVE = (
    "active", "alert", "attentive", "determined", "enthusiastic",
    "excited", "inspired", "interested", "proud", "strong",
)  # fmt: skip
NEGATIVE = (
    "afraid", "ashamed", "distressed", "guilty", "hostile",
    "irritable", "jittery", "nervous", "scared", "upset",
)  # fmt: skip
LABELS = {
    "bdi": [f"item {k}" for k in range(1, 22)],
    "psqi": [
        "subjective quality", "latency", "duration", "efficiency", "disturbances", "medication", "daytime dysfunction",
    ],
    "isi": [
        "falling asleep", "staying asleep", "early waking", "satisfaction",
        "noticed by others", "worry", "interference",
    ],
    "ibs_sss": ["pain severity", "pain days", "distension", "bowel satisfaction", "interference"],
}  # fmt: skip


def reached(a: np.ndarray, b: np.ndarray, offset_sd: float) -> np.ndarray:
    """P(category >= k) given theta, averaged over the leaning; shape (theta, items, thresholds)."""
    latent = THETA[:, None, None, None] + offset_sd * U
    return expit(a[:, None, None] * (latent - b[:, :, None])) @ U_WEIGHT


def graded_moments(a: np.ndarray, b: np.ndarray, offset_sd: float) -> tuple[float, float, float]:
    """Mean (above the minimum), SD and alpha of the sum."""
    p = reached(a, b, offset_sd)
    mean = p.sum(axis=2)
    square = (p * (2 * np.arange(1, b.shape[1] + 1) - 1)).sum(axis=2)
    return combine(mean, square)


def combine(mean: np.ndarray, square: np.ndarray) -> tuple[float, float, float]:
    """Mean, SD and alpha of a sum of items that are independent given theta (mean, square: theta x items)."""
    items = mean.shape[1]
    total = mean.sum(axis=1)
    within = (square - mean**2).sum(axis=1)
    grand = WEIGHT @ total
    variance = WEIGHT @ (total - grand) ** 2 + WEIGHT @ within
    each = (WEIGHT @ square - (WEIGHT @ mean) ** 2).sum()
    return float(grand), float(np.sqrt(variance)), float(items / (items - 1) * (1 - each / variance))


def graded_retest(a: np.ndarray, b: np.ndarray, offset_sd: float, days: float) -> float:
    """Correlation of two sums `days` apart: latent at two times, leanings shared."""
    rho = SLOW_SHARE * np.exp(-days / SLOW_TAU) + (1 - SLOW_SHARE) * np.exp(-days / FAST_TAU)
    latent = THETA[:, None, None, None] + offset_sd * U
    given = expit(a[:, None, None] * (latent - b[:, :, None])).sum(axis=2)  # theta, items, u
    marginal = given @ U_WEIGHT
    joint = np.exp(-(THETA[:, None] ** 2 - 2 * rho * THETA[:, None] * THETA + THETA**2) / (2 * (1 - rho**2)))
    joint /= joint.sum()
    total = marginal.sum(axis=1)
    mean, sd, _ = graded_moments(a, b, offset_sd)
    shared = np.einsum("tju,sju,u,ts->", given, given, U_WEIGHT, joint) - np.einsum(
        "tj,sj,ts->", marginal, marginal, joint
    )
    return float((total @ joint @ total - mean**2 + shared) / sd**2)


def fit_items(
    answers: np.ndarray, categories: int, offset_sd: float, rounds: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """Marginal maximum likelihood of a graded response model by EM; answers 0-based and complete."""
    people, items = answers.shape
    share = np.array([[(answers[:, j] >= k).mean() for k in range(1, categories)] for j in range(items)])
    a = np.full(items, 1.5)
    b = -np.log(np.clip(share, 1e-3, 1 - 1e-3) / (1 - np.clip(share, 1e-3, 1 - 1e-3)))
    for _ in range(rounds):
        p = reached(a, b, offset_sd)
        cell = np.diff(np.concatenate([np.ones_like(p[..., :1]), p, np.zeros_like(p[..., :1])], axis=2), axis=2)
        cell = -cell
        log = np.log(np.clip(cell, 1e-12, None))
        likelihood = sum(log[:, j, answers[:, j]] for j in range(items)) + np.log(WEIGHT)[:, None]
        posterior = np.exp(likelihood - likelihood.max(axis=0))
        posterior /= posterior.sum(axis=0)
        moved = 0.0
        for j in range(items):
            counts = np.stack([posterior[:, answers[:, j] == k].sum(axis=1) for k in range(categories)], axis=1)

            def loss(x: np.ndarray, counts: np.ndarray = counts) -> float:
                aj, bj = unpack(x)
                p = expit(aj * (THETA[:, None, None] + offset_sd * U - bj[:, None])) @ U_WEIGHT
                edges = np.concatenate([np.ones((len(THETA), 1)), p, np.zeros((len(THETA), 1))], axis=1)
                return float(-(counts * np.log(np.clip(-np.diff(edges, axis=1), 1e-12, None))).sum() / people)

            start = np.concatenate([[np.log(a[j]), b[j, 0]], np.log(np.diff(b[j]))])
            best = minimize(loss, start, method="BFGS", options={"maxiter": 6})
            aj, bj = unpack(best.x)
            moved = max(moved, abs(aj - a[j]), float(np.abs(bj - b[j]).max()))
            a[j], b[j] = aj, bj
        if moved < 2e-4:
            break
    return a, b


def unpack(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(min(np.exp(x[0]), HIGHEST_A)), x[1] + np.concatenate([[0.0], np.cumsum(np.exp(x[2:]))])


def spread(items: int) -> tuple[np.ndarray, np.ndarray]:
    """Even item positions (SD 0.6) and strengths (log SD 0.25), paired in a fixed shuffled order."""
    z = ndtri((np.arange(items) + 0.5) / items)
    step = next(k for k in range(max(2, round(items * 0.382)), items + 1) if np.gcd(k, items) == 1)
    return 0.6 * z, np.exp(0.25 * z[(np.arange(items) * step) % items])


def misses(found: tuple[float, float, float], low: int, target: dict[str, float]) -> list[float]:
    """Distance of mean (above the lowest sum), SD and alpha from what was published."""
    mean, sd, alpha = found
    return [(mean + low - target["mean"]) / target["sd"], sd / target["sd"] - 1, 4 * (alpha - target["alpha"])]


def fit_synthetic(items: int, categories: int, low: int, target: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Common strength, position and spacing of evenly spread items from mean, SD and alpha of the sum."""
    position, strength = spread(items)

    def build(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        b = x[1] + position[:, None] + np.exp(x[2]) * (np.arange(categories - 1) - (categories - 2) / 2)
        return np.exp(x[0]) * strength, b

    def miss(x: np.ndarray) -> list[float]:
        return misses(graded_moments(*build(x), target["offset_sd"]), items * low, target)

    return build(least_squares(miss, [np.log(1.6), 1.5, 0.0]).x)


def fit_panas(raw: np.ndarray, target: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Strengths and relative positions from four-category answers; level, spacing and strength from the norms."""
    a, b = fit_items(raw, 4, target["offset_sd"])
    center = b.mean(axis=1)

    def build(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.minimum(np.exp(x[0]) * a, HIGHEST_A), x[1] + (center - center.mean())[:, None] + np.exp(x[2]) * (
            np.arange(4) - 1.5
        )

    def miss(x: np.ndarray) -> list[float]:
        return misses(graded_moments(*build(x), target["offset_sd"]), 10, target)

    return build(least_squares(miss, [0.0, 0.0, 0.0]).x)


def vas_moments(location: np.ndarray, slope: np.ndarray, noise: float, offset_sd: float) -> tuple[float, float, float]:
    """Mean, SD and alpha of a sum of lines 0-100."""
    mean = location + slope * THETA[:, None]
    sd = np.sqrt((slope * offset_sd) ** 2 + noise**2) * np.ones_like(mean)
    first, second = clipped(mean, sd)
    return combine(first, second)


def clipped(mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second moment of a normal variable cut at 0 and 100."""
    lo, hi = -mean / sd, (100 - mean) / sd
    inside, d_lo, d_hi = ndtr(hi) - ndtr(lo), density(lo), density(hi)
    above = 1 - ndtr(hi)
    first = mean * inside - sd * (d_hi - d_lo) + 100 * above
    second = (mean**2 + sd**2) * inside - sd * ((mean + 100) * d_hi - mean * d_lo) + 1e4 * above
    return first, second


def density(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def fit_vas(target: dict[str, float]) -> tuple[np.ndarray, np.ndarray, float]:
    z = ndtri((np.arange(5) + 0.5) / 5)

    def build(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        return x[0] + 8 * z, np.full(5, np.exp(x[1])), float(np.exp(x[2]))

    def miss(x: np.ndarray) -> list[float]:
        return misses(vas_moments(*build(x), target["offset_sd"]), 0, target)

    return build(least_squares(miss, [0.0, np.log(20), np.log(15)]).x)


def main(data: Path) -> None:
    table = pd.read_csv(FOLDER / "targets.csv")
    target = {scale: dict(zip(rows["statistic"], rows["value"])) for scale, rows in table.groupby("scale")}
    source = {scale: "fit to " + "; ".join(dict.fromkeys(rows["source"])) for scale, rows in table.groupby("scale")}
    items: list[dict[str, object]] = []
    fits: list[dict[str, object]] = []

    def keep(scale, a, b, labels, reverse, low, method, origin, grade, people):
        offset_sd = target[scale]["offset_sd"]
        mean, sd, alpha = graded_moments(a, b, offset_sd)
        row = {"scale": scale, "method": method, "people": people, "offset_sd": offset_sd}
        row |= {"mean": round(mean + low * len(a), 3), "sd": round(sd, 3), "alpha": round(alpha, 4)}
        row |= {
            "retest_7d": round(graded_retest(a, b, offset_sd, 7), 4),
            "retest_35d": round(graded_retest(a, b, offset_sd, 35), 4),
        }
        fits.append(row | {"source": origin, "grade": grade})
        print(scale, {k: row[k] for k in ("mean", "sd", "alpha", "retest_7d", "retest_35d")})
        for j in range(len(a)):
            entry = {"scale": scale, "item": j + 1, "label": labels[j], "reverse": int(j + 1 in reverse)}
            entry |= {"a": f"{a[j]:.4f}", **{f"b{k + 1}": f"{b[j, k]:.4f}" for k in range(b.shape[1])}}
            items.append(entry | {"source": method, "grade": grade})

    for scale, n, categories in (("bdi", 21, 4), ("psqi", 7, 4), ("isi", 7, 5)):
        a, b = fit_synthetic(n, categories, 0, target[scale])
        keep(scale, a, b, LABELS[scale], (), 0, "synthetic bank fitted to mean, SD and alpha", source[scale], "D", "")

    folder = data / "psych_state_trait_items"
    origin = "psychTools 2.5.3 (Revelle & Anderson), set {}: US students; own fit"
    for scale, name, keys, form_y in (
        ("stai_state", "stai_state_items.tsv.gz", STATE_REVERSE, STATE_REVERSE),
        ("stai_trait", "stai_trait_items.tsv", FORM_X_TRAIT_REVERSE, FORM_Y_TRAIT_REVERSE),
    ):
        raw = pd.read_csv(folder / name, sep="\t")
        first = raw.loc[raw["time"] == 1].iloc[:, 3:23].dropna()
        answers = first.to_numpy(int) - 1
        for column in keys:
            answers[:, column - 1] = 3 - answers[:, column - 1]
        a, b = fit_items(answers, 4, target[scale]["offset_sd"])
        total = answers.sum(axis=1) + 20
        alpha = 20 / 19 * (1 - answers.var(axis=0).sum() / total.var())
        print(scale, f"data: n {len(total)} mean {total.mean():.2f} SD {total.std():.2f} alpha {alpha:.3f}")
        method = "marginal maximum likelihood on real item answers"
        labels = [f"item {k}" for k in range(1, 21)]
        where = origin.format("sai" if scale == "stai_state" else "tai") + "; form X items by position"
        keep(scale, a, b, labels, form_y, 1, method, where, "B", len(total))

    mood = pd.read_csv(folder / "panas_items_msqR.tsv.gz", sep="\t")
    mood = mood.loc[mood["time"] == 1]
    for scale, words in (("panas_positive", POSITIVE), ("panas_negative", NEGATIVE)):
        raw = mood[list(words)].dropna().to_numpy(int)
        a, b = fit_panas(raw, target[scale])
        method = "real adjectives (four categories) for strengths and positions; level and spacing from the norms"
        keep(scale, a, b, words, (), 1, method, origin.format("msqR") + "; " + source[scale], "D", len(raw))

    location, slope, noise = fit_vas(target["ibs_sss"])
    mean, sd, alpha = vas_moments(location, slope, noise, target["ibs_sss"]["offset_sd"])
    print("ibs_sss", mean, sd, alpha)
    method = "synthetic lines fitted to mean, SD and alpha"
    row = {
        "scale": "ibs_sss",
        "method": method,
        "people": "",
        "offset_sd": target["ibs_sss"]["offset_sd"],
        "mean": round(mean, 3),
    }
    fits.append(row | {"sd": round(sd, 3), "alpha": round(alpha, 4), "source": source["ibs_sss"], "grade": "D"})
    for j in range(5):
        entry = {"scale": "ibs_sss", "item": j + 1, "label": LABELS["ibs_sss"][j], "reverse": 0}
        entry |= {"a": f"{slope[j]:.3f}", "b1": f"{location[j]:.3f}", "noise": f"{noise:.3f}"}
        items.append(entry | {"source": method, "grade": "D"})

    columns = ["scale", "item", "label", "reverse", "a", "b1", "b2", "b3", "b4", "noise", "source", "grade"]
    pd.DataFrame(items).reindex(columns=columns).to_csv(FOLDER / "items.csv", index=False)
    pd.DataFrame(fits).to_csv(FOLDER / "fits.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data")
