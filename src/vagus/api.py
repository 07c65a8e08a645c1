"""The verbs of the package: read a protocol, simulate it, analyze data, run the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vagus import __version__
from vagus.analysis import AnalysisResult, EffectEstimate, Verdict
from vagus.analysis import analyze as analyze_data
from vagus.analysis import verdict as judge
from vagus.errors import InputError
from vagus.io import read_protocol as read_protocol_file
from vagus.io import read_trial
from vagus.protocol import PlannedAnalysis, Protocol
from vagus.trial import TrialData, outcome

if TYPE_CHECKING:
    import xarray

    from vagus.design import Prediction
    from vagus.evidence import PublishedRow
    from vagus.model import ComposedModel
    from vagus.model.libraries import Library
    from vagus.population import Cohort
    from vagus.simulation.large import Part

#: Parameter draws of a run, and the people simulated in each; with them a run of 92 people takes under a minute.
DRAWS = 24
PEOPLE_PER_DRAW = 6

RESTS_ON_DATA = "This rests on the trial's own data alone; the model plays no part in it."
RESTS_ON_SIMULATED_DATA = "These data were simulated: whatever they show comes from the model."

#: Called with what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Run:
    """A simulated trial.

    Attributes
    ----------
    protocol : Protocol
        What was simulated.
    seed : int
        Seed of all streams.
    cohort : Cohort
        The virtual people.
    data : TrialData
        What the trial observed, with `truth`.
    prediction : Prediction
        Trajectories under every arm, true effects over parameter draws.
    axis : ComposedModel
        The model that it was simulated with.
    """

    protocol: Protocol
    seed: int
    cohort: Cohort
    data: TrialData
    prediction: Prediction
    axis: ComposedModel

    @property
    def model_hash(self) -> str:
        """Hash of the composed model."""
        return self.axis.model_hash

    @property
    def outcomes(self) -> pd.DataFrame:
        """Observed outcomes, one row a subject, visit and outcome."""
        return self.data.outcomes

    @property
    def trajectories(self) -> xarray.Dataset:
        """Daily values at noon: one variable each, dims ``arm, subject, time``."""
        import xarray

        courses = self.prediction.trajectories
        first = next(iter(courses.values()))
        stacked = np.stack([course.values for course in courses.values()])
        coordinates = {
            "arm": list(courses),
            "subject": list(first.subject_ids),
            "time": first.days - first.run_in_days,
        }
        variables = {name: (("arm", "subject", "time"), stacked[..., place]) for place, name in enumerate(first.names)}
        return xarray.Dataset(variables, coordinates, {"time": "days from the start of treatment, noon"})


@dataclass(frozen=True)
class Answer:
    """What a run or an analysis says.

    Attributes
    ----------
    protocol : Protocol
        The trial.
    kind : str
        ``simulated`` or ``real``.
    verdict : Verdict
        On the first contrast of the primary estimand.
    estimates : tuple of EffectEstimate
        Every planned contrast.
    published_apart : tuple of PublishedRow
        What the named study reported that is no effect of an arm against the control.
    rests_on : str
        What the answer rests on, in one or two sentences.
    status : str
        ``complete``, ``complete-case`` or ``partial: ...``.
    notes : tuple of str
        Who was missing, what was converted.
    data : TrialData
        What was analyzed.
    run : Run or None
        The simulation behind it.
    """

    protocol: Protocol
    kind: str
    verdict: Verdict
    estimates: tuple[EffectEstimate, ...]
    published_apart: tuple[PublishedRow, ...]
    rests_on: str
    status: str
    notes: tuple[str, ...]
    data: TrialData
    run: Run | None = None
    analysis: AnalysisResult | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return what ``--json`` prints: no time, no path, no run id."""
        result: dict[str, object] = {
            "verdict": self.verdict.to_json(),
            "estimates": [estimate.to_json() for estimate in self.estimates],
            "rests_on": self.rests_on,
            "status": self.status,
            "notes": list(self.notes),
        }
        if self.protocol.published:
            result["published_apart"] = [row.apart() for row in self.published_apart]
        if self.kind == "simulated" and self.run is not None and self.run.prediction.precision is not None:
            result["numerics"] = {**self.run.prediction.precision.to_json(), **self.run.prediction.work.to_json()}
        return result


def read_protocol(path_or_id: str | Path, settings: Mapping[str, str] | None = None) -> Protocol:
    """Read a protocol from a YAML file, or a bundled one by its id.

    Parameters
    ----------
    path_or_id : str or pathlib.Path
        File, or an id such as ``efficad``.
    settings : mapping of str to str, optional
        Values to replace, as in ``{"population.n": "40"}``.

    Returns
    -------
    Protocol
        Checked and immutable.

    Raises
    ------
    InputError
        Every problem of the file at once, with lines.
    """
    return read_protocol_file(str(path_or_id), settings or {})


def simulate(
    protocol: Protocol,
    *,
    library: Library | None = None,
    draws: int = DRAWS,
    people_per_draw: int = PEOPLE_PER_DRAW,
    seed: int = 1,
    jobs: int = 1,
    on_progress: Progress | None = None,
    cancel: Event | None = None,
) -> Run:
    """Simulate a trial: everybody under every arm, observed under the own arm.

    Parameters
    ----------
    protocol : Protocol
        The trial.
    library : Library, optional
        Submodels to simulate with (`vagus.io.read_library`); the shipped ones by default.
    draws : int
        Parameter draws beside the central one, for the uncertainty of the true effect.
    people_per_draw : int
        People simulated in each of those draws.
    seed : int
        The same seed gives the same bits, whatever `jobs` is.
    jobs : int
        Threads.
    on_progress : callable, optional
        Called with a stage, what is done and what there is.
    cancel : threading.Event, optional
        Stops the simulation with `vagus.errors.Cancelled`.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        The people that the protocol asks for cannot be found, or the model has nothing of a name that it sets.
    """
    from vagus import design, observation, population, simulation
    from vagus.model import people_rows

    if seed < 0:
        raise InputError(f"Seed must be 0 or more, got {seed}.")
    tell = on_progress or (lambda *_: None)
    tell("people", 0, 1)
    axis = model_of(protocol, library)
    cohort = population.draw_cohort(protocol, people_rows(axis.parameters), seed)
    tell("people", 1, 1)
    people = simulation.settle(
        cohort, threads=jobs, on_progress=lambda done, of: tell("body clocks", done, of), cancel=cancel, axis=axis
    )
    prediction = design.predict(
        people,
        simulation.load_axis(axis),
        protocol,
        seed=seed,
        draws=draws,
        people_per_draw=people_per_draw,
        threads=jobs,
        on_progress=lambda done, of: tell("simulation", done, of),
        cancel=cancel,
    )
    tell("observation", 0, 1)
    assignment = simulation.assign_arms(protocol, cohort.subject_ids, seed)
    data = observation.observe(protocol, cohort, assignment, prediction.trajectories, seed)
    tell("observation", 1, 1)
    return Run(protocol, seed, cohort, replace(data, truth=prediction.truth), prediction, axis)


def simulate_courses(
    protocol: Protocol,
    folder: str | Path,
    *,
    library: Library | None = None,
    arms: Sequence[str] | None = None,
    variables: Sequence[str] | None = None,
    seed: int = 1,
    jobs: int = 1,
    chunk: int | None = None,
    resume: bool = False,
    command: str = "",
    on_progress: Progress | None = None,
    cancel: Event | None = None,
) -> dict[str, Any]:
    """Simulate everybody under every arm, however many they are, and stream the courses to a folder.

    What `simulate` holds in memory stands in ``trajectories.zarr`` here; nothing is observed or analyzed. Memory is
    that of the chunks that are worked on. The folder holds the same bytes for any number of `jobs`, and after any
    number of ends and resumptions.

    Parameters
    ----------
    protocol : Protocol
        The trial.
    folder : str or pathlib.Path
        New or empty, or, to `resume`, that of a run with the same settings.
    library : Library, optional
        Submodels to simulate with; the shipped ones by default.
    arms, variables : sequence of str, optional
        Which arms, and which variables are kept; all by default.
    seed : int
        Of the run.
    jobs : int
        Threads.
    chunk : int, optional
        People that are worked on and stored together; no value depends on it.
    resume : bool
        Go on with what is there: chunks that are whole are kept, all others are made.
    command : str
        Command to repeat the run, for the record.
    on_progress : callable, optional
        Called with a stage, what is done and what there is.
    cancel : threading.Event, optional
        Stops the run with `vagus.errors.Cancelled`.

    Returns
    -------
    dict
        ``subjects, arms, days, variables, simulations, failed_simulations``, what the engine did, and its precision.

    Raises
    ------
    InputError
        An arm or a variable that does not exist, people that cannot be found, a folder that cannot be used.
    """
    from vagus.io.streams import open_stream
    from vagus.io.trajectories import Layout, chunk_size
    from vagus.simulation.large import VirtualPeople, stream
    from vagus.simulation.numerics import Precision, Work

    if seed < 0 or jobs < 1 or (chunk is not None and chunk < 1):
        raise InputError(f"Seed must be 0 or more, jobs and chunk 1 or more, got {seed}, {jobs} and {chunk}.")
    tell = on_progress or (lambda *_: None)
    axis = model_of(protocol, library)
    people = VirtualPeople(protocol, axis, seed, arms, variables)
    if chunk is None:
        chunk = chunk_size(len(people.arms), len(people.days), len(people.model.outputs))
    settings = {
        "vagus": __version__,
        **{name: version(name) for name in ("numpy", "llvmlite", "zarr", "numcodecs")},
        "protocol": protocol.id,
        "protocol_sha256": protocol.protocol_hash,
        "model_sha256": axis.model_hash,
        "seed": seed,
        "people": people.count,
        "arms": list(people.arms),
        "variables": list(people.variables),
        "chunk": chunk,
    }
    with open_stream(folder, settings, resume) as place:
        place.put("protocol.yaml", protocol.to_yaml())
        tell("people", 0, 1)
        numbers = people.person_numbers
        tell("people", 1, 1)
        tell("precision", 0, 1)
        known = place.record.get("precision")
        precision = Precision.from_json(known) if known else people.choose(Work(threads=jobs), cancel)
        tell("precision", 1, 1)
        place.record |= {"precision": precision.to_json(), "command": command}
        layout = Layout(
            arms=people.arms,
            subjects=tuple(f"S{row + 1:03d}" for row in range(people.count)),
            variables=people.variables,
            days=people.days,
            people=numbers,
            chunk=chunk,
            attributes={
                **{name: value for name, value in settings.items() if name not in ("arms", "variables", "people")},
                "numerics": precision.to_json(),
                "time": "days from the start of treatment, noon",
            },
        )
        place.begin(layout)
        size, in_all = len(people.arms), len(people.arms) * people.count
        before = size * sum(last - first for first, last in (layout.parts[part] for part in place.done))

        def write(part: int, found: Part) -> None:
            place.write(part, found.values, found.sentences, found.people, found.work.to_json())

        stream(
            people,
            precision,
            {part: ends for part, ends in enumerate(layout.parts) if part not in place.done},
            write,
            jobs=jobs,
            on_progress=lambda done: tell("simulation", before + done, in_all),
            cancel=cancel,
        )
    return {
        "subjects": people.count,
        "arms": list(people.arms),
        "days": len(people.days),
        "variables": len(people.variables),
        **place.record["counts"],
        "precision": precision.to_json(),
    }


def model_of(protocol: Protocol, library: Library | None = None) -> ComposedModel:
    """Return the axis that a protocol is simulated with, its settings applied.

    Parameters
    ----------
    protocol : Protocol
        Its ``model`` section names switches and constants.
    library : Library, optional
        The shipped one by default.

    Raises
    ------
    InputError
        The model has nothing of such a name; with the line.
    """
    from vagus.model import compose
    from vagus.model.switches import read_values

    values = read_values(protocol.model, library, lambda name, text: protocol.problem(f"model.{name}", text))
    return compose(library=library, values=tuple(values.items()))


def analyze(protocol: Protocol, source: Run | TrialData | str | Path, mapping: str | Path | None = None) -> Answer:
    """Carry out the planned analysis on a simulated run, on trial data, or on a folder of files.

    Parameters
    ----------
    protocol : Protocol
        Its plan is followed.
    source : Run, TrialData, str or pathlib.Path
        A run, data in memory, or a folder (tidy tables with a mapping, or a run folder).
    mapping : str or pathlib.Path, optional
        Mapping file, where it is not in the folder and does not ship with the protocol.

    Returns
    -------
    Answer
        The same analysis whatever the source; a real trial and the observed data of a run are treated alike.

    Raises
    ------
    InputError
        Every problem of the data at once.
    """
    if isinstance(source, Run):
        data = source.data
    elif isinstance(source, TrialData):
        data = source
    else:
        data = read_trial(source, mapping=mapping, protocol=protocol)
    result = analyze_data(protocol, data)
    published, apart = _published(protocol)
    estimates = tuple(_beside(estimate, published) for estimate in result.estimates)
    answer = judge(result.primary[0], outcome(result.primary[0].outcome), protocol.verdict)
    return Answer(
        protocol=protocol,
        kind="real",
        verdict=answer,
        estimates=estimates,
        published_apart=apart,
        rests_on=RESTS_ON_DATA if data.truth is None else RESTS_ON_SIMULATED_DATA,
        status=result.status,
        notes=(*data.notes, *result.notes),
        data=data,
        run=source if isinstance(source, Run) else None,
        analysis=result,
    )


def predict(run: Run) -> Answer:
    """Say what a simulated trial is expected to show, beside what was published.

    Parameters
    ----------
    run : Run
        From `simulate`.

    Returns
    -------
    Answer
        Expected effects over parameter draws with the interval of one such trial's estimate; the simulated trial's own
        analysis is in each estimate's details.
    """
    from vagus import design
    from vagus.model.couplings import couplings_of
    from vagus.report.grounds import links_in_play, rests_on_sentence

    result = analyze_data(run.protocol, run.data)
    published, apart = _published(run.protocol)
    estimates = design.predicted_estimates(run.protocol, run.prediction, result.estimates, run.data.outcomes, published)
    first = run.prediction.effects[0]
    measured = outcome(first.planned.outcome)

    def judge_effect(widen: float) -> Verdict:
        spread = first.mean + widen * (first.all_draws - first.mean)
        draws = np.exp(spread) if first.log else spread
        return judge(
            draws if len(draws) > 1 else (estimates[0].estimate, estimates[0].se, None),
            measured,
            run.protocol.verdict,
            arm=first.arm,
            contrast=first.reference,
            visit=first.planned.visit,
            statistic=estimates[0].statistic,
            reference_mean=_reference_mean(run, first.planned, first.reference),
        )

    answer, wider = judge_effect(1.0), judge_effect(2.0)
    rests_on = rests_on_sentence(
        first.planned.outcome, measured.label, links_in_play(run.protocol, couplings_of(run.axis))
    )
    if len(first.draws) > 1:
        same = f'still be "{wider.shape}"' if wider.shape == answer.shape else f'be "{wider.shape}"'
        rests_on += f" Were all parameters twice as uncertain, the verdict would {same}."
    failed = run.prediction.failed
    status = f"partial: {failed} of {run.prediction.simulated} simulations failed" if failed else "complete"
    return Answer(
        protocol=run.protocol,
        kind="simulated",
        verdict=answer,
        estimates=estimates,
        published_apart=apart,
        rests_on=rests_on,
        status=status,
        notes=result.notes,
        data=run.data,
        run=run,
        analysis=result,
    )


def _reference_mean(run: Run, planned: PlannedAnalysis, reference: str) -> float | None:
    """Return the expected mean of the reference arm, which turns a difference that matters into a ratio."""
    truth = run.prediction.truth
    rows = truth[(truth["outcome"] == planned.outcome) & (truth["visit"] == planned.visit)]
    rows = rows[rows["arm"] == reference]
    mean = float(rows["value"].mean())
    return mean if np.isfinite(mean) else None


def _published(
    protocol: Protocol,
) -> tuple[dict[tuple[str, str], PublishedRow], tuple[PublishedRow, ...]]:
    from vagus.evidence import published_effects

    if not protocol.published:
        return {}, ()
    return published_effects(protocol.published, {arm: arm for arm in protocol.arms}, (protocol.control,))


def _beside(estimate: EffectEstimate, published: Mapping[tuple[str, str], PublishedRow]) -> EffectEstimate:
    row = published.get((estimate.arm, estimate.outcome))
    return estimate if row is None else replace(estimate, published=row.beside())
