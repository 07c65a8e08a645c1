"""The protocol as an immutable object: what every other part of the package reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vagus.errors import Problem
from vagus.instruments import measures
from vagus.units import Risk


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed after it is made (a plain dict to everybody who reads it)."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a protocol cannot be changed; use Protocol.with_settings")

    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[Any, Any]]]:
        return FrozenDict, (dict(self),)


def _freeze(value: Mapping[Any, Any]) -> FrozenDict:
    return FrozenDict(value)


class Frozen(BaseModel):
    """Base of all parts: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Dose(Frozen):
    """One product of one arm.

    Attributes
    ----------
    product : str
        Id of the product.
    grams_per_day : float
        Grams of product a day (of the vitamin itself, of live cells).
    at_hour : float or None
        Clock hour of intake; None where the protocol does not say.
    text : str
        As written.
    """

    product: str
    grams_per_day: float
    at_hour: float | None
    text: str


class Arm(Frozen):
    """One arm: its id, a label for readers and its daily doses (none: no product)."""

    id: str
    label: str
    doses: tuple[Dose, ...]


class Visit(Frozen):
    """A planned visit; `day` counts from the start of treatment, `label` is ``baseline``, ``week 4`` or ``day 3``."""

    label: str
    day: float


class Population(Frozen):
    """Who takes part.

    Attributes
    ----------
    source : str
        Id of the population file (``from`` in the protocol).
    n : int
        People in all arms together.
    baseline_microbiome : str
        Id of the set of baseline microbiomes.
    entry : dict of str to (float, float)
        Outcome to the lowest and highest screening score that is let in, both included.
    """

    source: str
    n: int
    baseline_microbiome: str
    entry: Annotated[dict[str, tuple[float, float]], AfterValidator(_freeze)]


class Schedule(Frozen):
    """Days of run-in, treatment and follow-up; visits in the order of time."""

    run_in_days: float
    treat_days: float
    follow_days: float
    visits: tuple[Visit, ...]


class Adherence(Frozen):
    """Share of doses taken: mean and standard deviation between people."""

    mean: float
    sd: float


class Events(Frozen):
    """What happens to people in the trial.

    Attributes
    ----------
    dropout, antibiotics : Risk or None
        Share of people per period; None: it does not happen.
    adherence : Adherence
        Mean 1 and SD 0 (every dose taken) where the protocol does not say.
    """

    dropout: Risk | None
    adherence: Adherence
    antibiotics: Risk | None


class Stress(Frozen):
    """A period of more stress than is usual for the people, in all arms.

    Attributes
    ----------
    size : float
        Standard deviations of perceived stress between people (above 0: more than their usual).
    from_day, to_day : float
        Days from the start of treatment.
    """

    size: float
    from_day: float
    to_day: float


class Conditions(Frozen):
    """What befalls everybody during the trial, whatever the arm; None: as usual."""

    stress: Stress | None = None


class Contrast(Frozen):
    """`arm` against `reference`: an arm, or ``baseline`` for a change within the arm."""

    arm: str
    reference: str


Strategy = Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment", "principal-stratum"]


class Estimand(Frozen):
    """What is to be estimated (ICH E9(R1)).

    Attributes
    ----------
    id : str
        Name in the protocol; ``primary`` is the one that the verdict is about.
    outcome : str
        Outcome of the vocabulary.
    visit : str
        Label of the visit.
    contrast : Contrast
        The first contrast written: the one that the verdict is about.
    contrasts : tuple of Contrast
        All contrasts written.
    strategies : dict of str to str
        Intercurrent event (``dropout``, ``antibiotics``, ``adherence``) to strategy.
    text : str
        The variable as written.
    """

    id: str
    outcome: str
    visit: str
    contrast: Contrast
    contrasts: tuple[Contrast, ...]
    strategies: Annotated[dict[str, Strategy], AfterValidator(_freeze)]
    text: str


Method = Literal["ancova", "log_ancova", "fold_change", "negative_binomial", "responders"]


class AnalysisPlan(Frozen):
    """Method of the primary analysis and the multiplicity procedure of each family."""

    primary: Method
    multiplicity: Annotated[dict[str, Literal["holm", "none"]], AfterValidator(_freeze)]


class PlannedAnalysis(Frozen):
    """One analysis of the plan.

    Attributes
    ----------
    estimand : str
        ``primary`` or ``secondary``.
    outcome, visit : str
        Outcome of the vocabulary and visit label.
    method : str
        ``ancova``, ``log_ancova``, ``fold_change``, ``negative_binomial`` or ``responders``.
    arms : tuple of str
        Arms that are compared with the reference.
    reference : str
        Arm, or ``baseline`` (fold change within each arm).
    family : str
        Family of the multiplicity procedure.
    """

    estimand: Literal["primary", "secondary"]
    outcome: str
    visit: str
    method: Method
    arms: tuple[str, ...]
    reference: str
    family: str


class VerdictRule(Frozen):
    """Probabilities that the verdict asks for (see "Words of the results" in the design)."""

    p_benefit: float = 0.95
    p_mcid: float = 0.5
    p_no_useful: float = 0.95


class Protocol(Frozen):
    """A trial as planned: data only, checked, immutable.

    Attributes
    ----------
    id, title, design : str
        Short name (also the name of the run folder), title, ``parallel`` or ``single-arm``.
    published : str or None
        Study of the evidence base whose results stand beside the predictions.
    population : Population
        Who takes part.
    arms : dict of str to Arm
        Arms in the order written.
    control : str
        Arm that the others are compared with; empty in a single-arm trial.
    allocation : dict of str to float
        Weight of each arm (1 each where the protocol does not say); see `arm_sizes`.
    schedule : Schedule
        Periods and visits.
    events : Events
        Dropout, adherence, antibiotics.
    conditions : Conditions
        Stress.
    measures : dict of str to (tuple of Visit or "daily")
        What is measured when.
    estimands : dict of str to Estimand
        ``primary`` and others.
    analysis : AnalysisPlan
        Primary method and multiplicity.
    plan : tuple of PlannedAnalysis
        Every analysis, derived from estimands and analysis.
    verdict : VerdictRule
        Thresholds of the verdict.
    model : dict of str to float or str
        Switches (``on``, ``off``) and constants of the model that the protocol sets, as written; whether they exist is
        for the model to say (`vagus.model.switches.read_values`).
    source_file, source_text : str
        File as the user named it and its text, before any settings.
    settings : dict of str to str
        ``--set`` values that were applied.
    """

    id: str
    title: str
    design: Literal["parallel", "single-arm"]
    published: str | None
    population: Population
    arms: Annotated[dict[str, Arm], AfterValidator(_freeze)]
    control: str
    allocation: Annotated[dict[str, float], AfterValidator(_freeze)]
    schedule: Schedule
    events: Events
    conditions: Conditions = Field(default_factory=Conditions)
    measures: Annotated[dict[str, tuple[Visit, ...] | Literal["daily"]], AfterValidator(_freeze)]
    estimands: Annotated[dict[str, Estimand], AfterValidator(_freeze)]
    analysis: AnalysisPlan
    plan: tuple[PlannedAnalysis, ...]
    verdict: VerdictRule
    model: Annotated[dict[str, float | str], AfterValidator(_freeze)] = Field(default_factory=FrozenDict)
    source_file: str = Field(repr=False)
    source_text: str = Field(repr=False)
    settings: Annotated[dict[str, str], AfterValidator(_freeze)] = Field(repr=False)

    @property
    def active_arms(self) -> tuple[str, ...]:
        """Arms other than the control, in the order written."""
        return tuple(arm for arm in self.arms if arm != self.control)

    @property
    def visit_labels(self) -> tuple[str, ...]:
        """Labels of the visits in the order of time."""
        return tuple(visit.label for visit in self.schedule.visits)

    @property
    def end_day(self) -> float:
        """Last day of follow-up, counted from the start of treatment."""
        return self.schedule.treat_days + self.schedule.follow_days

    @property
    def total_days(self) -> float:
        """Days from the start of the run-in to the end of follow-up."""
        return self.schedule.run_in_days + self.end_day

    def visit(self, label: str) -> Visit:
        """Return the visit with this label.

        Raises
        ------
        KeyError
            No such visit.
        """
        for visit in self.schedule.visits:
            if visit.label == label:
                return visit
        raise KeyError(label)

    def visits_of(self, measure: str) -> tuple[Visit, ...]:
        """Return the visits at which a measure gives values (a daily measure: every visit)."""
        when = self.measures[measure]
        return self.schedule.visits if when == "daily" else when

    def outcomes(self) -> dict[str, tuple[Visit, ...]]:
        """Return every outcome that the protocol measures and the visits at which it does."""
        known = measures()
        return {outcome: self.visits_of(measure) for measure in self.measures for outcome in known[measure]}

    def arm_sizes(self) -> dict[str, int]:
        """Return the people of each arm: `n` shared by weight, leftover people to the largest remainders."""
        return share_people(self.population.n, self.allocation)

    def with_settings(self, settings: Mapping[str, str]) -> Protocol:
        """Return the protocol with ``a.b=c`` values replaced, under the same checks.

        Parameters
        ----------
        settings : mapping of str to str
            Dotted path to a value in YAML, as in ``{"population.n": "40", "schedule.treat": "6 wk"}``.

        Returns
        -------
        Protocol
            A new protocol.

        Raises
        ------
        InputError
            Every problem; those of a setting name its ``--set``.
        """
        from vagus.protocol.parsing import parse

        return parse(self.source_text, self.source_file, {**self.settings, **settings})

    def to_yaml(self) -> str:
        """Return the protocol as canonical YAML, settings included; it reads back to the same protocol."""
        from vagus.protocol.parsing import to_yaml

        return to_yaml(self.source_text, self.source_file, self.settings)

    def problem(self, path: str, message: str) -> Problem:
        """Return a problem that stands at a dotted path of the protocol, for checks that need other parts.

        Parameters
        ----------
        path : str
            For example ``population.from``.
        message : str
            What must hold, what was got, the usual fix.

        Returns
        -------
        Problem
            With the file and line, or the ``--set``, that the value comes from.
        """
        from vagus.protocol.parsing import open_document

        document = open_document(self.source_text, self.source_file, self.settings)
        return document.problem(tuple(path.split(".")), message)

    @property
    def protocol_hash(self) -> str:
        """SHA-256 of the meaning of the protocol (not of its comments, spelling of units or file name)."""
        content = self.model_dump(mode="json", exclude={"source_file", "source_text", "settings"})
        for arm in content["arms"].values():
            for dose in arm["doses"]:
                del dose["text"]
        if not content["model"]:
            del content["model"]
        if self.conditions.stress is None:
            del content["conditions"]
        for estimand in content["estimands"].values():
            del estimand["text"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def share_people(n: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Share `n` people among arms by weight, leftover people to the largest remainders (ties: order of arms).

    Examples
    --------
    >>> share_people(10, {"a": 1, "b": 1, "c": 1})
    {'a': 4, 'b': 3, 'c': 3}
    """
    total = sum(weights.values())
    exact = {arm: n * weight / total for arm, weight in weights.items()}
    sizes = {arm: int(share + 1e-9) for arm, share in exact.items()}
    order = sorted(exact, key=lambda arm: sizes[arm] - exact[arm])
    for arm in order[: n - sum(sizes.values())]:
        sizes[arm] += 1
    return sizes
