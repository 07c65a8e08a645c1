"""An invented report, large enough to look at; no number in it comes from a trial or a model."""

from __future__ import annotations

import math

from vagus.analysis import Verdict
from vagus.report import (
    ArmBand,
    AxisDiagram,
    AxisEdge,
    AxisNode,
    Citation,
    EndpointRow,
    Link,
    Panel,
    ReportContent,
    RestsOn,
    Section,
    Share,
)

ARMS = [
    ("of_2fl", "Oligofructose 8 g + 2′-FL 2 g", 1.0),
    ("of", "Oligofructose 8 g", 0.8),
    ("fl", "2′-FL 2 g", 0.35),
    ("placebo", "Placebo", 0.0),
]
WORDED = "improvement reported, magnitude not seen (invented wording)"

PATHS = {
    "known mechanisms": {"mean": -0.021, "low": -0.083, "high": 0.034},
    "direct, unexplained path": {"mean": -0.107, "low": -0.312, "high": 0.052},
}
# id, label, column, median, sd, grade, human
NODES = [
    ("bif", "Bifidobacterium", "Gut lumen", 1.42, 0.31, "A", True),
    ("scfa", "SCFA (acetate, propionate, butyrate)", "Gut lumen", 0.41, 0.22, "B", True),
    ("ph", "Colon pH", "Gut lumen", -0.33, 0.20, "B", True),
    ("lps", "Luminal LPS", "Gut lumen", -0.22, 0.20, "C", True),
    ("gaba", "GABA (gut)", "Gut lumen", 0.15, 0.30, "D", False),
    ("barrier", "Barrier (ZO-1, L:M)", "Barrier & immune", 0.34, 0.24, "B", True),
    ("il6", "IL-6", "Barrier & immune", -0.19, 0.14, "B", True),
    ("tnf", "TNF-α", "Barrier & immune", -0.16, 0.15, "B", True),
    ("ht", "5-HT → melatonin", "Tryptophan & nerve", 0.18, 0.19, "C", True),
    ("kyn", "Kyn : Trp", "Tryptophan & nerve", -0.17, 0.15, "C", True),
    ("vagal", "Vagal afferent tone", "Tryptophan & nerve", 0.02, 0.22, "D", False),
    ("car", "Cortisol awakening", "HPA", -0.28, 0.17, "B", True),
    ("sleep", "Sleep latency", "Outcome", -0.16, 0.14, "C", True),
    ("wake", "Awakenings", "Outcome", -0.12, 0.13, "C", False),
    ("mood", "Mood (BDI)", "Outcome", -0.33, 0.15, "B", True),
]
EDGES = [
    ("bif", "scfa", "+", "A", True),
    ("scfa", "ph", "-", "A", True),
    ("bif", "gaba", "+", "C", False),
    ("ph", "lps", "+", "C", False),
    ("scfa", "barrier", "+", "B", True),
    ("lps", "barrier", "-", "C", False),
    ("lps", "il6", "+", "A", True),
    ("lps", "tnf", "+", "A", True),
    ("barrier", "tnf", "-", "C", False),
    ("scfa", "vagal", "+", "C", False),
    ("gaba", "vagal", "+", "D", False),
    ("il6", "kyn", "+", "B", True),
    ("il6", "car", "+", "B", True),
    ("kyn", "mood", "+", "B", True),
    ("ht", "sleep", "-", "C", False),
    ("vagal", "car", "-", "D", False),
    ("car", "mood", "+", "B", True),
    ("car", "sleep", "+", "B", True),
    ("sleep", "wake", "+/-", "B", True),
    ("wake", "mood", "+", "B", True),
    ("mood", "car", "+", "C", True),
    ("bif", "mood", "-", "C", True),
]


def axis() -> AxisDiagram:
    nodes = [
        AxisNode(
            name,
            label,
            column,
            median,
            median - 0.674 * sd,
            median + 0.674 * sd,
            median - 1.96 * sd,
            median + 1.96 * sd,
            "SD",
            grade,
            human,
            0.5 * (1 + math.erf(median / sd / math.sqrt(2))),
        )
        for name, label, column, median, sd, grade, human in NODES
    ]
    return AxisDiagram(
        "Change against placebo in the arm oligofructose 8 g + 2′-FL 2 g at week 4, in standard deviations of the "
        "baseline between people.",
        ["Gut lumen", "Barrier & immune", "Tryptophan & nerve", "HPA", "Outcome"],
        nodes,
        [AxisEdge(*edge) for edge in EDGES],
    )


def panel(
    title: str, unit: str, start: float, change: float, spread: float, drift: float = 0.0, step: int = 1
) -> Panel:
    days = [float(day) for day in range(0, 36, step)]
    arms = []
    for name, label, share in ARMS:
        rise = [1 - math.exp(-max(day - 7, 0) / 9) for day in days]
        median = [start + (change * share + drift) * part for part in rise]
        width = [spread * (0.25 + part) for part in rise]
        arms.append(
            ArmBand(
                name,
                label,
                name == "placebo",
                days,
                median,
                [m - 0.674 * w for m, w in zip(median, width)],
                [m + 0.674 * w for m, w in zip(median, width)],
                [m - 1.96 * w for m, w in zip(median, width)],
                [m + 1.96 * w for m, w in zip(median, width)],
            )
        )
    return Panel(title, unit, "day from the start of the run-in", 7.0, 35.0, arms, "of means")


def visit_panel() -> Panel:
    """A real trial: three visits, bars instead of bands, no 50 % limits."""
    days = [0.0, 14.0, 28.0]
    arms = [
        ArmBand(name, label, name == "placebo", days, m, [], [], [v - 1.4 for v in m], [v + 1.4 for v in m])
        for name, label, share in ARMS
        for m in [[14.2, 13.1 - share, 12.4 - 2 * share]]
    ]
    return Panel("BDI-II", "points", "day from the start of treatment", 0.0, 28.0, arms, "of means", "mean")


def endpoints() -> list[EndpointRow]:
    rows = []
    outcomes = [
        ("Depression (BDI-II)", "points", "difference", -1.6, 0.9, "lower", "lower"),
        ("State anxiety (STAI Y1)", "points", "difference", -1.1, 1.6, "lower", "lower"),
        ("Positive affect (PANAS)", "points", "difference", 0.7, 1.0, "higher", "higher"),
        ("Sleep quality (PSQI)", "points", "difference", -0.21, 0.32, "lower", None),
        ("Bifidobacterium", "% of reads", "ratio", 2.9, 0.24, "none", "higher"),
    ]
    for outcome, unit, statistic, effect, se, benefit, direction in outcomes:
        for name, label, share in ARMS[:-1]:
            if statistic == "ratio":
                middle = math.log(effect) * share
                values = [math.exp(middle + z * se) for z in (0, -1.96, 1.96, -0.674, 0.674)]
            else:
                values = [effect * share + z * se for z in (0, -1.96, 1.96, -0.674, 0.674)]
            published = None
            if direction is not None:
                stated = "placebo" if statistic == "ratio" else None
                published = {"direction": direction, "contrast": stated, "as_worded": WORDED}
                if name == "fl" and statistic == "ratio":
                    published = {
                        "direction": "not reported as increased",
                        "contrast": "",
                        "as_worded": "further study needed (invented wording)",
                    }
            trial = {
                "estimate": values[0] * 1.2,
                "ci_low": values[1] * (0.8 if statistic == "ratio" else 1) - (0 if statistic == "ratio" else 1.3 * se),
                "ci_high": values[2] * (1.3 if statistic == "ratio" else 1) + (0 if statistic == "ratio" else 1.3 * se),
                "p_value": 0.0004 if statistic == "ratio" else 0.0489 if name == "of" else 0.31,
                "n": 46,
            }
            rows.append(
                EndpointRow(
                    outcome,
                    unit,
                    label,
                    "placebo",
                    "week 4",
                    statistic,
                    *values,
                    None,
                    46,
                    published,
                    trial,
                    benefit=benefit,
                    paths=PATHS if outcome.startswith("Depression") else None,
                )
            )
    return rows


def simulated() -> ReportContent:
    return ReportContent(
        title="2′-FL and oligofructose on mood and sleep, 4 weeks",
        subtitle="4 arms of 23, 1 week run-in, 4 weeks of treatment. INVENTED NUMBERS, an example for looking at.",
        kind="simulated",
        verdict=Verdict(
            "cannot tell from this",
            "Cannot tell from this: the combination lowers BDI-II by 1.6 points against placebo [−0.2, 3.4]; "
            "the smallest difference that matters is 3 points.",
            0.963,
            0.06,
            3.0,
            "invented source, grade D",
        ),
        rests_on=RestsOn(
            "No trial calibrated the mood arm of the model and none measured sleep in the laboratory. Vagal tone and "
            "gut GABA carry no human evidence (dashed below).",
            [
                Link("2′-FL dose", "Bifidobacterium", "A", True, "+", "Invented 2001, 10.0000/example.1", False),
                Link("Butyrate", "barrier integrity", "C", False, "+", "Invented 2002", "partly"),
                Link("IL-6", "HPA drive", "B", True, 1, "Invented 2003", False),
                Link("Vagal tone", "HPA drive", "D", False, "-", "", True),
                Link("Temperature", "growth of each guild", "C", False, "+/-", "Invented 2004", False),
            ],
            ["Invented trial 2001", "Invented trial 2005"],
        ),
        axis=axis(),
        trajectories=[
            panel("Depression (BDI-II)", "points", 16.2, -1.6, 0.6, -2.1),
            panel("Sleep quality (PSQI)", "points", 6.1, -0.21, 0.3, -0.4),
            panel("Bifidobacterium", "% of reads", 6.4, 9.2, 2.1),
            panel("Cortisol at waking", "nmol/l", 7.6, -0.35, 0.2),
        ],
        endpoints=endpoints(),
        published_apart=[
            {
                "arm": "all",
                "outcome": "Sleep quality (PSQI)",
                "direction": "measured",
                "contrast": None,
                "as_worded": "secondary outcome, not listed among the improved ones (invented wording)",
            },
            {
                "arm": "all",
                "outcome": "Bifidobacterium with mood",
                "direction": "negative",
                "contrast": "",
                "as_worded": "higher Bifidobacterium, lower scores (invented wording)",
            },
        ],
        uncertainty=[
            Share(outcome, component, share)
            for outcome, shares in (
                ("Depression (BDI-II)", (0.41, 0.2, 0.14, 0.05, 0.2)),
                ("Sleep quality (PSQI)", (0.22, 0.31, 0.24, 0.2, 0.03)),
                ("Bifidobacterium", (0.52, 0.3, 0.004, 0.126, 0.05)),
            )
            for component, share in zip(
                ("parameters", "person", "day to day", "measurement", "between studies"), shares
            )
        ],
        flow=[(label, 23, 23 - index, 22 - index) for index, (_, label, _) in enumerate(ARMS)],
        methods=[
            Section("Model", ["Invented paragraph. " * 14, "A second one, with ≥, ≤, ′ and β."]),
            Section("Analysis", ["ANCOVA of the change on arm and baseline; Holm within families (invented)."]),
        ],
        limits=["All numbers here are invented.", "No adult trial has measured sleep in the laboratory (invented)."],
        provenance={
            "vagus": "0.1.0",
            "protocol": "sha256 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "model": "axis 0.1 (sha256 9f8e7d)",
            "seed": "1",
            "command": "vagus run example --seed 1",
        },
        citations=[
            Citation(
                "invented2001",
                "Nobody A, Noone B. An invented trial. J Inv 1:1–2 (2001)",
                "dose response",
                "10.0000/example.1",
            ),
            Citation("invented2002", "Nobody C. Invented cells. (2002)", "barrier", ""),
        ],
    )


def real() -> ReportContent:
    rows = [
        EndpointRow("Bifidobacterium", "% of reads", "Potato starch", "baseline", "during", "fold_change",
                    3.1, 2.05, 4.69, None, None, 0.00004, 43),
        EndpointRow("Bifidobacterium", "% of reads", "Corn starch", "baseline", "during", "fold_change",
                    1.02, 0.71, 1.46, None, None, 0.92, 39),
        EndpointRow("Fecal butyrate", "mmol/kg", "Potato starch", "control", "during", "ratio",
                    1.18, 0.97, 1.43, None, None, 0.0489, 175, p_adjusted=0.15, benefit="higher"),
        EndpointRow("Fecal butyrate", "mmol/kg", "Corn starch", "control", "during", "ratio",
                    float("nan"), float("nan"), float("nan"), None, None, None, 0),
    ]  # fmt: skip
    return ReportContent(
        title="Resistant starch and Fecal butyrate",
        subtitle="A real trial's files. INVENTED NUMBERS.",
        kind="real",
        verdict=Verdict("cannot tell from this", "Cannot tell: 18 % more butyrate [−3 %, 43 %].", 0.95, None, None, ""),
        rests_on=RestsOn("175 people in four arms; open label."),
        trajectories=[visit_panel()],
        endpoints=rows,
        provenance={"vagus": "0.1.0", "data": "sha256 1234"},
    )  # fmt: skip


def smallest() -> ReportContent:
    verdict = Verdict("cannot tell from this", "No primary estimand could be computed.", None, None, None, "")
    return ReportContent("Empty", "Nothing measured", "real", verdict, RestsOn("Nothing."))
