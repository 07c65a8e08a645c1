"""What the benchmarks integrate: a model, its people, what they take, and how an error is measured.

==========  ====================================================================================================
gutbrain    70 states, 164 reactions, 24 parameters and 10 initial values a person, a dose a day, 84 days, 30
            outputs a day (``gutbrain.ant``; a workload, not science)
stiff       the same with a switch of sleep, LPS and TNF that are a hundred times faster
axis        our own model with the people, arms and doses of the bundled trial ``efficad``
==========  ====================================================================================================

Every second person of `gutbrain` and `stiff` takes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vagus import engine
from vagus.engine.solution import DoseTable, read_doses

Floats = NDArray[np.float64]

PARTICIPANT_DAYS = 84
TEXT = Path(__file__).with_name("gutbrain.ant")
EXACT = 1e-10
FLOOR = 1e-3  # of an output's largest value: what is nearly zero is judged by that

GUILDS = ("BIFA", "BIFB", "LACB", "BACT", "PREV", "FAEC", "ROSE", "AKKE", "ENTE", "VEIL")
GUILD_SPREAD = 0.15
SPREAD = {
    "ktP": 0.25,
    "ktD": 0.25,
    "kAbs": 0.2,
    "dose": 0.1,
    "diet": 0.15,
    "kBar": 0.3,
    "gLPS": 0.5,
    "gIL6": 0.4,
    "gTNF": 0.4,
    "gHPA": 0.2,
    "tauc": 0.006,
    "tauH": 0.08,
    "sens": 0.3,
    "moodk": 0.3,
}
METABOLITES = ("ACE_D", "PPA_D", "BUT_D", "LAC_D", "IND_D")
BODY = ("BARR", "LPS", "IL6", "TNF", "I10", "TRP", "KYN", "SER", "CRT", "VAG", "HS", "TST", "DEP", "ANX", "AFF")
DOSED = "STO"
#: Reactions of `gutbrain` that are a hundred times faster in `stiff`: making and losing LPS and TNF, the switch.
FAST, FASTER = ("R124", "R125", "R128", "R129", "R153"), 100


class Stretch(NamedTuple):
    """A piece of a person's time in which nothing is given.

    Attributes
    ----------
    start, end : float
        Days.
    doses : list of (int, float)
        State and amount, added at the start.
    row : int
        Which output is due at the end; -1 for none.
    """

    start: float
    end: float
    doses: list[tuple[int, float]]
    row: int


@dataclass
class Workload:
    """People and what they take.

    Attributes
    ----------
    name : str
    sbml : str
        The model's text, without doses.
    dosed_sbml : str, optional
        The same with the daily dose as an event; its amount is the parameter ``dose``.
    model : vagus.engine.Model
    parameters, initial : array, shape (n, P) and (n, S)
    times : array, shape (m,)
        Times of the outputs in days: one a day.
    doses : vagus.engine.Doses
    """

    name: str
    sbml: str
    dosed_sbml: str | None
    model: engine.Model
    parameters: Floats
    initial: Floats
    times: Floats
    doses: engine.Doses

    def some(self, people: int, days: int | None = None) -> Workload:
        """Return the first people and days."""
        times = self.times[:days]
        own = (np.asarray(self.doses.person) < people) & (np.asarray(self.doses.time) < times[-1])
        doses = engine.Doses(*(np.asarray(column)[own] for column in vars(self.doses).values()))
        parameters, initial = self.parameters[:people], self.initial[:people]
        return replace(self, parameters=parameters, initial=initial, times=times, doses=doses)

    def read(self) -> Workload:
        """Return the same with the model read from its text anew: nothing of it is compiled."""
        return replace(self, model=engine.load(self.sbml, self.model.parameters, self.model.outputs))

    def simulate(self, **options: Any) -> engine.Solution:
        """Integrate everybody with options of `vagus.engine.simulate`.

        Raises
        ------
        RuntimeError
            Somebody was not integrated to the end.
        """
        found = engine.simulate(self.model, self.parameters, self.initial, 0.0, self.times, self.doses, **options)
        failed = [message for message in found.messages if message != "ok"]
        if failed:
            raise RuntimeError(failed[0])
        return found

    def participants(self, people: int, days: int) -> float:
        """Return how many participants of 84 days so many people and days are."""
        return people * float(self.times[days - 1]) / PARTICIPANT_DAYS

    def exact(self) -> Floats:
        """Return all outputs by the scalar integrator at 1e-10, shape (n, m, number of outputs)."""
        return self.simulate(rtol=EXACT, max_steps=100_000_000).values

    def stretches(self, days: int) -> list[list[Stretch]]:
        """Return everybody's time as pieces between doses and outputs."""
        table = read_doses(self.model, self.doses, len(self.parameters))
        return [list(self._stretches(person, table, days)) for person in range(len(self.parameters))]

    def _stretches(self, person: int, table: DoseTable, days: int) -> Iterator[Stretch]:
        taken: dict[float, list[tuple[int, float]]] = {}
        for k in range(*table.dose_offsets[person : person + 2]):
            dose = int(table.dose_states[k]), float(table.dose_amounts[k])
            taken.setdefault(float(table.dose_times[k]), []).append(dose)
        due = {float(time): row for row, time in enumerate(self.times[:days])}
        start = 0.0
        for stop in sorted({*due, *taken}):
            if 0.0 < stop <= self.times[days - 1]:
                yield Stretch(start, stop, taken.get(start, []), due.get(stop, -1))
                start = stop


def errors(values: Floats, exact: Floats) -> tuple[float, float]:
    """Return the 99th and 99.9th percentile of ``|y - ref| / (|ref| + 1e-3 max|ref|)``.

    Parameters
    ----------
    values : array, shape (n, m, outputs)
        Of the first people and days; further people than those of `exact` are not judged.
    exact : array, shape (k, l, outputs)
        The largest value of each output is taken over all of it. An output that is zero throughout is not judged.
    """
    largest = np.abs(exact).max(axis=(0, 1))
    judged = largest > 0.0
    people, days = min(len(values), len(exact)), values.shape[1]
    found, true = values[:people, :, judged], exact[:people, :days, judged]
    error = np.abs(found - true) / (np.abs(true) + FLOOR * largest[judged])
    error = np.nan_to_num(error, nan=np.inf)
    p99, p999 = np.quantile(error, [0.99, 0.999], method="higher")
    return float(p99), float(p999)


# ---------------------------------------------------------------------- workloads


def gutbrain(people: int) -> Workload:
    """Return the first people of the workload's population."""
    return _gutbrain("gutbrain", TEXT.read_text(encoding="utf-8"), people)


def stiff(people: int) -> Workload:
    """Return the same people with a faster switch, LPS and TNF."""
    text = TEXT.read_text(encoding="utf-8")
    for name in FAST:
        text, count = re.subn(rf"(?m)^(\s*{name}:[^;]*;)\s*([^;]*);", rf"\1 {FASTER}*(\2);", text)
        assert count == 1, name
    return _gutbrain("stiff", text, people)


def _gutbrain(name: str, text: str, people: int) -> Workload:
    undosed = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("tnext", "E1:")))
    sbml = to_sbml(undosed)
    names = [*(f"mu_{guild}" for guild in GUILDS), *SPREAD]
    outputs = [*(f"{guild}_D" for guild in GUILDS), *METABOLITES, *BODY]
    model = engine.load(sbml, names, outputs)
    # a person's numbers do not rest on how many people there are
    draw = np.random.default_rng(1).standard_normal((max(people, 4096), len(names) + len(GUILDS)))[:people]
    spread = np.array([GUILD_SPREAD] * len(GUILDS) + list(SPREAD.values()))
    parameters = model.parameter_values * np.exp(spread * draw[:, : len(names)])
    dose = names.index("dose")
    parameters[::2, dose] = 0.0
    initial = model.initial_values(parameters)
    for k, guild in enumerate(GUILDS):
        for place in "PD":
            initial[:, model.state_index(f"{guild}_{place}")] *= np.exp(draw[:, len(names) + k])
    days = np.arange(float(PARTICIPANT_DAYS))
    who, when = np.repeat(np.arange(people), len(days)), np.tile(days, people)
    doses = engine.Doses(who, when, np.full(len(who), model.state_index(DOSED)), parameters[who, dose])
    return Workload(name, sbml, to_sbml(text), model, parameters, initial, days + 1.0, doses)


def to_sbml(text: str) -> str:
    """Return Antimony as SBML."""
    import antimony

    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def axis(people: int) -> Workload:
    """Return our own model under all arms of a bundled trial."""
    from vagus import api, population, simulation
    from vagus.model import compose, draw_uncertain, people_rows
    from vagus.simulation.people import begin
    from vagus.simulation.regimen import draw_taken
    from vagus.simulation.trial import dose_table, model_days

    protocol = api.read_protocol("efficad")
    composed = compose()
    cohort = population.draw_cohort(protocol, people_rows(composed.parameters), 1)
    settled = simulation.settle(cohort)
    model = simulation.load_axis(composed)
    arms = list(protocol.arms)
    rows = np.arange(min(cohort.n, -(-people // len(arms))))
    drawn = draw_uncertain(composed.parameters, 1, 0)
    start = begin(settled, model, drawn, protocol.schedule.run_in_days, rows)
    taken = draw_taken(protocol, tuple(cohort.subject_ids[row] for row in rows), 1)
    times = np.arange(model_days(protocol), dtype=np.float64) + 0.5
    doses = dose_table(protocol, arms, taken)
    assert doses is not None
    # one person after the other, each in all arms, so that the first ones are of every arm
    parameters, initial = (np.repeat(values, len(arms), axis=0) for values in (start.parameters, start.initial))
    arm, row = np.divmod(np.asarray(doses.person), len(rows))
    state = np.array([model.state_index(str(name)) for name in doses.state], dtype=np.int64)
    doses = engine.Doses(row * len(arms) + arm, doses.time, state, doses.amount)
    whole = Workload("axis", composed.sbml, None, model, parameters, initial, times, doses)
    return whole.some(people)


WORKLOADS: dict[str, Callable[[int], Workload]] = {"gutbrain": gutbrain, "stiff": stiff, "axis": axis}
