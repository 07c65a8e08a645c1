"""What a report says, as plain data: no frame, no array, no file.

Whoever assembles a report fills these types; the renderers (`render_html`, `terminal`, `figure_specs`) only read them.
Sequences may be lists or tuples. A number that could not be computed is NaN or None and is shown as a dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vagus.analysis import Verdict

Kind = Literal["simulated", "real"]
Band = Literal["of means", "of people"]


@dataclass(frozen=True)
class Link:
    """One link of the axis and the evidence that carries it.

    Attributes
    ----------
    source, target : str
        What acts on what, in words.
    grade : str
        A (adult human trial), B (human observation or infant trial), C (animal, ex vivo), D (assumed).
    human : bool
        Whether any human evidence stands behind the link.
    sign : str or int
        ``+`` / 1 raises, ``-`` / -1 lowers, anything else: depends.
    citation : str
        Where it was read.
    prior_only : bool or str
        True where no data constrain the strength; words such as ``contested`` are shown as they are.
    """

    source: str
    target: str
    grade: str
    human: bool
    sign: str | int
    citation: str
    prior_only: bool | str = False


@dataclass(frozen=True)
class RestsOn:
    """What the answer rests on.

    Attributes
    ----------
    sentence : str
        One or two sentences in plain words.
    links : sequence of Link
        Links that the answer runs through.
    calibrated_on : sequence of str
        Trials whose results tuned the model; empty where none did.
    """

    sentence: str
    links: Sequence[Link] = ()
    calibrated_on: Sequence[str] = ()


@dataclass(frozen=True)
class AxisNode:
    """One quantity of the axis diagram: its change against control.

    Attributes
    ----------
    id, label, column : str
        Key for the edges, words on the page, column heading (one of `AxisDiagram.columns`).
    median, lo50, hi50, lo95, hi95 : float
        Change in units of `unit`, with 50 % and 95 % interval.
    unit : str
        ``SD``: standard deviations of the baseline between people.
    grade : str
        Evidence grade of what leads to this quantity.
    human : bool
        False draws a dashed frame.
    p_positive : float
        Probability that the change is above zero; near 0.5 the color pales.
    """

    id: str
    label: str
    column: str
    median: float
    lo50: float
    hi50: float
    lo95: float
    hi95: float
    unit: str
    grade: str
    human: bool
    p_positive: float


@dataclass(frozen=True)
class AxisEdge:
    """One arrow of the axis diagram; `source` and `target` are node ids."""

    source: str
    target: str
    sign: str | int
    grade: str
    human: bool


@dataclass(frozen=True)
class AxisDiagram:
    """The axis with the predicted change of every quantity.

    Attributes
    ----------
    caption : str
        Which arm against which, at which visit, and what the intervals are intervals of.
    columns : sequence of str
        Column headings from left to right.
    nodes, edges : sequence
        Quantities and arrows; nodes stand in their column in the order given.
    """

    caption: str
    columns: Sequence[str]
    nodes: Sequence[AxisNode]
    edges: Sequence[AxisEdge] = ()


@dataclass(frozen=True)
class ArmBand:
    """One arm of a trajectory panel.

    Attributes
    ----------
    arm, label : str
        Id and words of the arm.
    is_control : bool
        The control arm is grey and always has its band.
    days : sequence of float
        Days on the axis of the panel, rising.
    median, lo50, hi50, lo95, hi95 : sequence of float
        One value a day in the unit of the panel; the 50 % limits may be empty.
    """

    arm: str
    label: str
    is_control: bool
    days: Sequence[float]
    median: Sequence[float]
    lo50: Sequence[float]
    hi50: Sequence[float]
    lo95: Sequence[float]
    hi95: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """One outcome over time, all arms.

    Attributes
    ----------
    title, unit : str
        Outcome and its unit (empty unit: none is shown).
    day_axis : str
        Words under the time axis, for example ``day from the start of the run-in``.
    treatment_start, treatment_end : float or None
        Days on the same axis.
    arms : sequence of ArmBand
        All arms; at most eight days are drawn as bars at visits, more as bands.
    band : str
        Whether the intervals are ``of means`` (uncertainty of the arm mean) or ``of people`` (spread between persons).
    center : str
        What the middle line is, in words: ``median``, ``mean``, ``geometric mean``.
    """

    title: str
    unit: str
    day_axis: str
    treatment_start: float | None
    treatment_end: float | None
    arms: Sequence[ArmBand]
    band: Band
    center: str = "median"


@dataclass(frozen=True)
class EndpointRow:
    """One contrast of one outcome at one visit.

    Attributes
    ----------
    outcome_label, unit, arm_label, contrast, visit : str
        What, in which unit, which arm against what, when.
    statistic : str
        ``difference``, ``ratio``, ``rate_ratio``, ``fold_change`` or ``odds_ratio``; ratios are drawn on a log scale
        around 1.
    estimate, ci_low, ci_high : float
        With the 95 % interval.
    lo50, hi50, p_value : float or None
        50 % interval and two-sided p where there are any.
    n : int
        Subjects that entered, both arms.
    published : mapping or None
        ``direction``, ``contrast``, ``as_worded``, exactly as stored; None where the study reported nothing.
    simulated_trial : mapping or None
        One simulated trial of the planned size: ``estimate, ci_low, ci_high, p_value, n``, each optional.
    p_adjusted : float or None
        After the family's multiplicity procedure.
    benefit : str
        ``higher``, ``lower`` or ``none``: which direction is better.
    paths : mapping or None
        Path -> ``mean, low, high``: what it brings of a predicted effect on a questionnaire, in SD of its trait.
    """

    outcome_label: str
    unit: str
    arm_label: str
    contrast: str
    visit: str
    statistic: str
    estimate: float
    ci_low: float
    ci_high: float
    lo50: float | None
    hi50: float | None
    p_value: float | None
    n: int
    published: Mapping[str, Any] | None = None
    simulated_trial: Mapping[str, Any] | None = None
    p_adjusted: float | None = None
    benefit: str = "none"
    paths: Mapping[str, Mapping[str, float]] | None = None


@dataclass(frozen=True)
class Share:
    """Share (0 to 1) of one source of uncertainty in the variance of one outcome's effect."""

    outcome_label: str
    component: str
    share: float


@dataclass(frozen=True)
class Section:
    """A titled piece of text."""

    title: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Citation:
    """A source and what it was used for; `doi` may be empty."""

    key: str
    text: str
    reason: str
    doi: str = ""


@dataclass(frozen=True)
class ReportContent:
    """Everything that one report says.

    Attributes
    ----------
    title, subtitle : str
        What was asked, and the trial in one line.
    kind : str
        ``simulated`` or ``real``.
    verdict : vagus.analysis.Verdict
        The answer; its sentence comes first.
    rests_on : RestsOn
        What the answer rests on.
    axis : AxisDiagram or None
        None for a real trial.
    trajectories : sequence of Panel
        Outcomes over time.
    endpoints : sequence of EndpointRow
        Estimates, published beside them.
    published_apart : sequence of mapping
        Published rows that are no effect of an arm; any keys, shown as they are.
    uncertainty : sequence of Share
        Where the uncertainty comes from.
    flow : sequence of (arm, randomized, completed, analyzed)
        Participants.
    methods : sequence of Section
        How it was done.
    limits : sequence of str
        What it cannot say.
    left_out : sequence of (mechanism, what became of it, reason)
        What the articles name and the model leaves out.
    provenance : mapping
        Version, hashes, seed, command.
    citations : sequence of Citation
        Sources.
    chosen_arm : str
        Id of the arm whose band is drawn beside the control's; empty: the first arm that is no control.
    """

    title: str
    subtitle: str
    kind: Kind
    verdict: Verdict
    rests_on: RestsOn
    axis: AxisDiagram | None = None
    trajectories: Sequence[Panel] = ()
    endpoints: Sequence[EndpointRow] = ()
    published_apart: Sequence[Mapping[str, Any]] = ()
    uncertainty: Sequence[Share] = ()
    flow: Sequence[tuple[str, int, int, int]] = ()
    methods: Sequence[Section] = ()
    limits: Sequence[str] = ()
    left_out: Sequence[tuple[str, str, str]] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    citations: Sequence[Citation] = ()
    chosen_arm: str = ""
