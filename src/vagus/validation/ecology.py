"""The colon against people it was not fitted to: predictive checks whose failures are shown.

A check draws many virtual trials. Each has its own parameter draw, people and noise of stools, and gives
the statistic that the real trial gave; the prediction is the median over the trials, its interval their middle 95 %.
A check is met if the prediction lies in the 95 % interval of what was observed (`data/ecology_observed.csv`, made by
``scripts/derive_ecology_figures.py``). A trial that printed only a verdict is met if at least 5 % of the virtual trials
come out the same way.

People are healthy adults with a colon and nothing else. Few trials are drawn here, many in ``validation/ecology.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vagus import resources
from vagus.protocol import bundled_text, parse, product
from vagus.simulation import draw_taken
from vagus.validation.ecology_runs import SEED, Daily, Floats, Lab, Stools, begin, ferment, open_lab, treat
from vagus.validation.ecology_statistics import (
    adjusted_log_ratios,
    log_share,
    moderation,
    rank_correlation,
    slope,
    slope_p,
    spread_changes,
    spread_within_and_between,
    two_sample_p,
)
from vagus.validation.registry import Predicted, measures

#: What one virtual trial gives: benchmark -> value; a verdict is 0 or 1.
Trial = Callable[[Lab, int], dict[str, float]]

SIGNIFICANT = 0.05
#: People that quick virtual trials are drawn from.
POOL = 400
#: Stools that are averaged before and at the end of treatment in Baxter 2019: median 3 a period; when is assumed.
BEFORE_DAYS, DURING_DAYS = (-5.0, -3.0, -1.0), (10.0, 12.0, 14.0)


def predict(trial: Trial, lab: Lab, trials: int) -> dict[str, Predicted]:
    """Run virtual trials 1 to `trials` and sum them up.

    Parameters
    ----------
    trial : callable
        One of the functions below.
    lab : Lab
    trials : int
        Each has its own parameter draw and people.
    """
    found = [trial(lab, replicate) for replicate in range(1, trials + 1)]
    return {name: _sum_up(np.array([values[name] for values in found])) for name in found[0]}


def _sum_up(values: Floats) -> Predicted:
    if np.isin(values, (0.0, 1.0)).all():
        share = float(values.mean())
        error = 1.96 * np.sqrt((share * (1 - share) + 1 / len(values)) / len(values))
        return Predicted(share, max(share - error, 0.0), min(share + error, 1.0))
    low, middle, high = (float(value) for value in np.quantile(values, (0.025, 0.5, 0.975)))
    return Predicted(middle, low, high)


def fructan_doses(lab: Lab, replicate: int) -> dict[str, float]:
    """Bouhnik 2006 and 2004: a week of scFOS (0 to 10 g/d), GOS or long-chain inulin (10 g/d), 8 people each.

    The products oligofructose and inulin stand in for scFOS and long-chain inulin; the model knows no chain length.
    """
    doses = (0.0, 2.5, 5.0, 7.5, 10.0)
    arms: list[Daily] = [{"oligofructose": dose} if dose else {} for dose in doses]
    arms += [{"GOS": 10.0}, {"inulin": 10.0}]
    arm = np.repeat(np.arange(len(arms)), 8)
    start = begin(lab, len(arm), replicate, "fructan doses")
    course = treat(start, [arms[place] for place in arm], 7, 7)
    counts = Stools(start, course, _seed(replicate)).log10_counts((0, 7))
    change = counts[:, 1] - counts[:, 0]
    of = [change[arm == place] for place in range(len(arms))]
    given = (arm > 0) & (arm < len(doses))
    dose = np.asarray(doses)[arm[given]]
    found = {f"Bouhnik 2006: change on {doses[place]:g} g scFOS": float(of[place].mean()) for place in (1, 2, 3, 4)}
    found["Bouhnik 2006: slope of the change on the dose"] = slope(dose, change[given])
    found["Bouhnik 2004: no dose effect 2.5-10 g scFOS"] = float(slope_p(dose, change[given]) >= SIGNIFICANT)
    found["Bouhnik 2004: higher on 10 g scFOS"] = _higher(of[4], of[0])
    found["Bouhnik 2004: higher on 10 g GOS"] = _higher(of[5], of[0])
    found["Bouhnik 2004: no difference on 10 g long-chain inulin"] = _no_difference(of[6], of[0])
    return found


def inulin_doses(lab: Lab, replicate: int) -> dict[str, float]:
    """Kolida 2007: 30 people, each two weeks on 0, 5 and 8 g/d inulin; periods start from the own baseline here."""
    n = 30
    start = begin(lab, n, replicate, "inulin doses")
    doses = np.repeat([0.0, 5.0, 8.0], n)
    everybody = start.take(np.tile(np.arange(n), 3))
    course = treat(everybody, [{"inulin": dose} if dose else {} for dose in doses], 14, 14)
    counts = Stools(everybody, course, _seed(replicate)).log10_counts((14,))[:, 0]
    mean = {dose: float(counts[doses == dose].mean()) for dose in (0.0, 5.0, 8.0)}
    return {
        "Kolida 2007: 5 g inulin over placebo": mean[5.0] - mean[0.0],
        "Kolida 2007: 8 g inulin over placebo": mean[8.0] - mean[0.0],
        "Kolida 2007: 8 g over 5 g inulin": mean[8.0] - mean[5.0],
    }


def wash_out(lab: Lab, replicate: int) -> dict[str, float]:
    """Iribarren 2020: 2'-FL and LNnT 4:1, 0, 5 or 10 g/d for 4 weeks, then 4 weeks without."""
    doses = np.repeat([0.0, 5.0, 10.0], (20, 20, 21))
    start = begin(lab, len(doses), replicate, "wash-out")
    course = treat(start, [{"2FL": 0.8 * dose, "LNnT": 0.2 * dose} if dose else {} for dose in doses], 28, 56)
    seen = log_share(Stools(start, course, _seed(replicate)).bifidobacterium_pct((0, 28, 56)))
    week4, week8 = seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0]
    return {
        "Iribarren 2020: 10 g higher at week 4": _higher(week4[doses == 10], week4[doses == 0]),
        "Iribarren 2020: 5 g no difference at week 4": _no_difference(week4[doses == 5], week4[doses == 0]),
        "Iribarren 2020: 10 g no difference 4 weeks after the end": _no_difference(
            week8[doses == 10], week8[doses == 0]
        ),
    }


def fucosyllactose_spread(lab: Lab, replicate: int) -> dict[str, float]:
    """adult2fl: 5 g/d 2'-FL or placebo for 6 weeks; its mean change set affinities, its spreads did not."""
    treated = np.repeat([True, False], (27, 30))
    start = begin(lab, len(treated), replicate, "adult2fl")
    course = treat(start, [{"2FL": 5.0} if given else {} for given in treated], 42, 42)
    percent = Stools(start, course, _seed(replicate)).bifidobacterium_pct((0, 21, 42))
    found = {}
    for week, column in ((3, 1), (6, 2)):
        changes = spread_changes(
            percent[treated, 0], percent[treated, column], percent[~treated, 0], percent[~treated, column]
        )
        for scale, value in zip(("additive", "log"), changes, strict=True):
            found[f"adult2fl: moderation by baseline, {scale} scale, week {week}"] = value
    return found


def students(lab: Lab, replicate: int, hours: tuple[float, ...] = (8.0,)) -> dict[str, float]:
    """Baxter 2019: two weeks of inulin, resistant potato or maize starch, or digestible starch (bundled protocol)."""
    protocol = parse(bundled_text("baxter2019"), "baxter2019")
    arm = np.repeat(list(protocol.arm_sizes()), list(protocol.arm_sizes().values()))
    daily: dict[str, Daily] = {
        name: {dose.product: dose.grams_per_day for dose in one.doses} for name, one in protocol.arms.items()
    }
    days = round(protocol.schedule.treat_days)
    start = begin(lab, len(arm), replicate, "students")
    taken = draw_taken(protocol, tuple(f"P{place}" for place in range(len(arm))), _seed(replicate))
    course = treat(start, [daily[name] for name in arm], days, days, taken, hours)
    stools = Stools(start, course, _seed(replicate))
    percent = stools.bifidobacterium_pct((*BEFORE_DAYS, *DURING_DAYS))
    acid = stools.acid_mmol_kg("butyrate", (*BEFORE_DAYS, *DURING_DAYS))
    several = len(BEFORE_DAYS)
    bif0, bif1 = percent[:, :several].mean(axis=1), percent[:, several:].mean(axis=1)
    but0, but1 = acid[:, :several].mean(axis=1), acid[:, several:].mean(axis=1)
    change, butyrate = log_share(bif1) - log_share(bif0), np.log(but1 / but0)
    control = protocol.control
    found = {}
    for name, ratio in adjusted_log_ratios(but0, but1, arm, control).items():
        found[f"Baxter 2019: butyrate of {name} over accessible starch"] = ratio
    for name in protocol.arms:
        mine = arm == name
        found[f"Baxter 2019: Bifidobacterium fold on {name}"] = float(change[mine].mean())
        found[f"Baxter 2019: correlation of changes in Bifidobacterium and butyrate, {name}"] = rank_correlation(
            change[mine], butyrate[mine]
        )
    for name in ("inulin", "potato"):
        both = (arm == name) | (arm == control)
        for scale in ("additive", "log"):
            found[f"Baxter 2019: moderation by baseline, {scale} scale, {name}"] = moderation(
                bif0[both], bif1[both], arm[both] == name, log=scale == "log"
            )
    return found


def fucosyllactose_batch(lab: Lab, replicate: int) -> dict[str, float]:
    """Renwick 2024: seven communities and 2'-FL in a vessel; breakdown is first order here, whatever the cells."""
    start = begin(lab, 7, replicate, "batch")
    hours = np.linspace(0.0, 24.0, 241)
    left = ferment(start, {"2FL": 1.0}, _setting("renwick_g_per_l"), hours.tolist(), 1.0)["S_FL"]
    share = (left / left[:, :1]).mean(axis=0)
    logs = np.log(np.maximum(share, 1e-12))  # the last traces are below the error of the integration
    gone = float(np.interp(np.log(_setting("gone_share")), logs[::-1], hours[::-1]))
    return {"Renwick 2024: time until 2'-FL is gone in batch": gone}


def untreated_days(lab: Lab, replicate: int) -> dict[str, float]:
    """Johnson 2019 and Poyet 2019: stools of untreated people, 34 on 14 days and 47 on two."""
    found = {}
    for label, n, days, technology in (
        ("Johnson 2019", 34, tuple(range(14)), "shotgun"),
        ("Poyet 2019", 47, (0, 7), "V4"),
    ):
        start = begin(lab, n, replicate, label)
        course = treat(start, [{}] * n, 0, 1)
        seen = log_share(
            Stools(start, course, _seed(replicate), technology).bifidobacterium_pct([day - 14 for day in days])
        )
        within, reliability = spread_within_and_between(list(seen))
        found[f"{label}: Bifidobacterium, SD within a person"] = within
        found[f"{label}: Bifidobacterium, reliability of one stool"] = reliability
    return found


def mouse_time(lab: Lab, replicate: int) -> dict[str, float]:
    """Liu 2022: course of butyrate on inulin, on the clock of turnovers; diet and dose of mice are another matter."""
    n = 18
    start = begin(lab, n, replicate, "mice")
    days = np.array([0, 1, 3, 5, 8, 13, 19, 25, 31]) * _setting("mouse_turnovers_per_day") * _setting("adult_transit_d")
    last = int(np.ceil(days[-1]))
    course = treat(start, [{"inulin": _setting("mouse_dose_g_per_day")}] * n, last, last, hours=(2.0, 8.0, 14.0, 20.0))
    butyrate = Stools(start, course, _seed(replicate)).acid_mmol_kg("butyrate", days.tolist())
    over = np.log(butyrate / butyrate[:, :1]).mean(axis=0)
    early, late = float(over[2:6].mean()), float(over[6:].mean())
    return {
        "Liu 2022 (mice): share of the butyrate rise reached after one mouse day": float(over[1]) / early,
        "Liu 2022 (mice): butyrate on inulin, late over early": late - early,
    }


def wheat_starch(lab: Lab, replicate: int) -> dict[str, float]:
    """Hughes 2021: a week of bread rich in resistant starch or of usual bread, 30 people, each both."""
    n = 30
    start = begin(lab, n, replicate, "wheat")
    both = start.take(np.tile(np.arange(n), 2))
    rich = np.repeat([True, False], n)
    per_gram = sum(product("maize_starch_rs2").added(1.0).values())
    grams = {True: _setting("wheat_rich_g_per_day") / per_gram, False: _setting("wheat_usual_g_per_day") / per_gram}
    course = treat(both, [{"maize_starch_rs2": grams[bool(one)]} for one in rich], 8, 8)
    seen = log_share(Stools(both, course, _seed(replicate), "V3").bifidobacterium_pct((8,))[:, 0])
    acidity, hydrogen = course.at_visit("colon_pH", 8), np.log(course.at_visit("h2_mmol_d", 8))
    return {
        "Hughes 2021: Bifidobacterium, starch-rich over usual wheat": float((seen[rich] - seen[~rich]).mean()),
        "Hughes 2021: pH of stool, starch-rich less usual wheat": float((acidity[rich] - acidity[~rich]).mean()),
        "Hughes 2021: breath hydrogen, starch-rich over usual wheat": float((hydrogen[rich] - hydrogen[~rich]).mean()),
    }


def ex_vivo(lab: Lab, replicate: int) -> dict[str, float]:
    """Quinn-Bohmann 2024, study B: stool of ten donors with FOS, starch (half potato, half maize) or nothing, a day."""
    start = begin(lab, 10, replicate, "ex vivo")
    acids: dict[str, Mapping[str, Floats]] = {
        name: ferment(start, added, grams, (0.0, _setting("ex_vivo_h")), _setting("ex_vivo_dilution"))
        for name, added, grams in (
            ("blank", {"oligofructose": 1.0}, 0.0),
            ("FOS", {"oligofructose": 1.0}, _setting("ex_vivo_g_per_l")),
            ("starch", {"potato_starch": 1.0, "maize_starch_rs2": 1.0}, _setting("ex_vivo_g_per_l")),
        )
    }
    butyrate = {name: one["butyrate_mM"][:, -1] for name, one in acids.items()}
    higher = (butyrate["FOS"] > butyrate["blank"]) & (butyrate["starch"] > butyrate["blank"])
    found = {
        "ex vivo: donors whose butyrate rises above the blank with FOS and with starch": float(higher.mean()),
        "ex vivo: butyrate from starch over butyrate from FOS": float(
            np.log(butyrate["starch"] / butyrate["FOS"]).mean()
        ),
    }
    for name in ("FOS", "starch"):
        whole = sum(acids[name][f"{acid}_mM"][:, -1] for acid in ("acetate", "propionate", "butyrate"))
        found[f"ex vivo: share of butyrate in the acids from {name}"] = float((butyrate[name] / whole).mean())
    return found


#: Every kind of virtual trial, and how many of it a quick run draws.
TRIALS: dict[Trial, int] = {
    fructan_doses: 32,
    inulin_doses: 24,
    wash_out: 20,
    fucosyllactose_spread: 20,
    students: 24,
    fucosyllactose_batch: 40,
    untreated_days: 16,
    mouse_time: 8,
    wheat_starch: 20,
    ex_vivo: 20,
}


def observed() -> list[dict[str, str]]:
    """Return what was observed: benchmark, trial (a function here), figure with interval, how it was found."""
    return resources.rows("validation", "data", "ecology_observed.csv")


def _register() -> None:
    for trial, trials in TRIALS.items():
        names = [row["benchmark"] for row in observed() if row["trial"] == trial.__name__]

        def quick(trial: Trial = trial, trials: int = trials) -> dict[str, Predicted]:
            return predict(trial, open_lab(POOL), trials)

        quick.__name__ = trial.__name__
        measures(*names)(quick)


def _setting(name: str) -> float:
    return resources.numbers("validation", "data", "ecology_settings.csv")[name]


def _seed(replicate: int) -> int:
    return 1000 * SEED + replicate


def _higher(treated: Floats, control: Floats) -> float:
    return float(two_sample_p(treated, control) < SIGNIFICANT and treated.mean() > control.mean())


def _no_difference(treated: Floats, control: Floats) -> float:
    return float(two_sample_p(treated, control) >= SIGNIFICANT)


_register()
