"""From trajectories to what a trial would have on file, and to the truth behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol as Interface

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.instruments import measures, scales
from vagus.observation.assays import Blood, Saliva, StoolAcids
from vagus.observation.events import event_days
from vagus.observation.latents import Latents, Questionnaire
from vagus.observation.noise import FloatArray
from vagus.observation.people import OK, People, Trajectory
from vagus.observation.sleep import Actigraphy, Nights, SleepDiary
from vagus.observation.stool import StoolSequencing, feature_table
from vagus.population import Cohort
from vagus.protocol import Protocol, Visit
from vagus.simulation.regimen import draw_taken
from vagus.trial import TrialData, make_outcomes

#: Technology of stool sequencing where the caller names none.
TECHNOLOGY = "V4"


class Measure(Interface):
    """One instrument on some subjects."""

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return outcome to expected values at a visit, shape (n,)."""

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return outcome to observed values at a visit, shape (n,)."""


def observe(
    protocol: Protocol,
    cohort: Cohort,
    assignment: Mapping[str, str] | pd.Series[str],
    trajectories: Mapping[str, Trajectory],
    seed: int,
    technology: str = TECHNOLOGY,
) -> TrialData:
    """Observe every subject under the own arm.

    Parameters
    ----------
    protocol : Protocol
        Visits, measures, events.
    cohort : Cohort
        All subjects.
    assignment : mapping or pandas.Series
        Subject to arm, for every subject.
    trajectories : mapping
        Arm to its trajectories, which hold at least the subjects assigned to it.
    seed : int
        Seed of the run, the same as for the simulation. What stays with a person (leanings on items, own diary style)
        starts from ``cohort.seed`` instead.
    technology : str
        How stools are sequenced; see `vagus.observation.technologies`.

    Returns
    -------
    TrialData
        One row for every subject, scheduled visit and outcome; the value is missing where the visit did not take
        place (dropout), too little was recorded, or the simulation failed. Subjects carry ``doses_taken``, the share of
        doses that were taken. `truth` is left out; see `expected`.

    Raises
    ------
    InputError
        The technology is unknown.
    ValueError
        A subject without an arm or without a trajectory.
    """
    arms = _arms(cohort, assignment, trajectories)
    left = event_days("dropout", protocol.events.dropout, cohort, seed)
    left = np.where(left < protocol.end_day, left, np.inf)
    values: list[pd.DataFrame] = []
    samples: list[pd.DataFrame] = []
    features: list[pd.DataFrame] = []
    status = np.full(cohort.n, OK, dtype=object)
    for arm in dict.fromkeys(arms):
        rows = np.flatnonzero(arms == arm)
        people = _people(protocol, cohort, rows, trajectories[arm], arm, seed)
        status[rows] = people.status
        for name, measure in _measures(protocol, people, technology).items():
            present: dict[str, NDArray[np.bool_]] = {}
            visits = _in_order(protocol.visits_of(name))
            for visit in visits:
                present[visit.label] = people.ok & (left[rows] >= visit.day)
                for outcome, found in measure.observe(visit.label, visit.day).items():
                    kept = np.where(present[visit.label], found, np.nan)
                    values.append(_column(people.subject_ids, visit, outcome, kept))
            if isinstance(measure, StoolSequencing):
                days = [(visit.label, visit.day) for visit in visits]
                sample, feature = feature_table(measure, days, present)
                samples.append(sample)
                features.append(feature)
    taken = draw_taken(protocol, cohort.subject_ids, seed).mean(axis=1)
    subjects = _subjects(cohort, arms, status, left, taken)
    labels = [visit.label for visit in _in_order(protocol.schedule.visits)]
    sample_table, feature_rows = _samples(samples, features, cohort, labels)
    return TrialData(
        subjects=subjects,
        visits=_visits(protocol, cohort),
        outcomes=make_outcomes(pd.concat(values, ignore_index=True), subjects, baseline_visit(protocol)),
        samples=sample_table,
        features=feature_rows,
        events=_events(protocol, cohort, left, seed),
        feature_kind="counts" if features else "",
    )


def expected(
    protocol: Protocol,
    cohort: Cohort,
    trajectories_by_arm: Mapping[str, Trajectory],
    seed: int,
    technology: str = TECHNOLOGY,
) -> pd.DataFrame:
    """Return what every subject would show under every arm if nothing were missed and no instrument had noise.

    A questionnaire's value is the expected sum given the person's trait of that day and own leanings on items; the
    traits wander in the same way under every arm, so that the difference of two arms is the effect in that person.

    Parameters
    ----------
    protocol, cohort, seed, technology
        As in `observe`.
    trajectories_by_arm : mapping
        Arm to trajectories; each arm is evaluated for the subjects that it holds.

    Returns
    -------
    pandas.DataFrame
        ``subject_id, arm, visit, outcome, value``; NaN for a failed subject.
    """
    ids: list[str] = []
    labels: list[tuple[str, str, str]] = []
    values: list[FloatArray] = []
    for arm, trajectory in trajectories_by_arm.items():
        held = set(trajectory.subject_ids)
        rows = np.array([row for row, name in enumerate(cohort.subject_ids) if name in held], dtype=np.int64)
        people = _people(protocol, cohort, rows, trajectory, arm, seed)
        for name, measure in _measures(protocol, people, technology).items():
            for visit in _in_order(protocol.visits_of(name)):
                for outcome, found in measure.expect(visit.day).items():
                    ids += people.subject_ids
                    labels += [(arm, visit.label, outcome)] * len(rows)
                    values.append(np.where(people.ok, found, np.nan))
    arms, visits, outcomes = zip(*labels, strict=True)
    return pd.DataFrame(
        {
            "subject_id": ids,
            "arm": list(arms),
            "visit": list(visits),
            "outcome": list(outcomes),
            "value": np.concatenate(values),
        }
    )


def baseline_visit(protocol: Protocol) -> str:
    """Return the label of the last visit that is not after the start of treatment (the first where all are after)."""
    visits = _in_order(protocol.schedule.visits)
    before = [visit.label for visit in visits if visit.day <= 0]
    return before[-1] if before else visits[0].label


def _measures(protocol: Protocol, people: People, technology: str) -> dict[str, Measure]:
    """Build the instruments that a protocol names."""
    days = sorted({visit.day for visit in protocol.schedule.visits})
    days = sorted({*days, *(visit.day for name in protocol.measures for visit in protocol.visits_of(name))})
    latents = Latents(people, days)
    nights = Nights(latents) if {"sleep_diary", "actigraphy"} & set(protocol.measures) else None
    with_latent = set(scales())
    out: dict[str, Measure] = {}
    for name in protocol.measures:
        if set(measures()[name]) <= with_latent:
            out[name] = Questionnaire(name, latents)
        elif name == "stool_16S":
            out[name] = StoolSequencing(people, technology)
        elif name == "stool_scfa":
            out[name] = StoolAcids(people)
        elif name == "blood_inflammation":
            out[name] = Blood(people)
        elif name == "saliva_CAR":
            out[name] = Saliva(people)
        elif name == "sleep_diary" and nights is not None:
            out[name] = SleepDiary(nights)
        elif name == "actigraphy" and nights is not None:
            out[name] = Actigraphy(nights)
        else:
            raise ValueError(f'no observation is written for the measure "{name}"')
    return out


def _arms(
    cohort: Cohort, assignment: Mapping[str, str] | pd.Series[str], trajectories: Mapping[str, Trajectory]
) -> NDArray[np.str_]:
    """Return the arm of every subject; all problems at once."""
    given = {str(name): str(arm) for name, arm in assignment.items()}
    without = [name for name in cohort.subject_ids if given.get(name) not in trajectories]
    if without:
        raise ValueError(f"every subject needs an arm that was simulated; without: {', '.join(without[:5])}")
    return np.array([given[name] for name in cohort.subject_ids])


def _people(
    protocol: Protocol, cohort: Cohort, rows: NDArray[np.intp], trajectory: Trajectory, arm: str, seed: int
) -> People:
    place = {name: column for column, name in enumerate(trajectory.subject_ids)}
    missing = [cohort.subject_ids[row] for row in rows if cohort.subject_ids[row] not in place]
    if missing:
        raise ValueError(f'arm "{arm}" was not simulated for {", ".join(missing[:5])}')
    columns = np.array([place[cohort.subject_ids[row]] for row in rows], dtype=np.int64)
    return People(
        cohort=cohort,
        rows=rows.astype(np.int64),
        columns=columns,
        trajectory=trajectory,
        run_in_days=protocol.schedule.run_in_days,
        last_day=protocol.end_day,
        seed=seed,
    )


def _in_order(visits: tuple[Visit, ...]) -> tuple[Visit, ...]:
    return tuple(sorted(visits, key=lambda visit: visit.day))


def _column(subject_ids: tuple[str, ...], visit: Visit, outcome: str, values: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject_id": list(subject_ids),
            "visit": visit.label,
            "day": visit.day,
            "outcome": outcome,
            "value": np.asarray(values, dtype=np.float64),
        }
    )


def _subjects(
    cohort: Cohort, arms: NDArray[np.str_], status: NDArray[np.object_], left: FloatArray, taken: FloatArray
) -> pd.DataFrame:
    words = status.tolist()
    for row, day in enumerate(left):
        if words[row] == OK and np.isfinite(day):
            words[row] = f"left the study on day {day:.0f}; later visits are missing"
    table = pd.DataFrame({"subject_id": list(cohort.subject_ids), "arm": arms.tolist(), "status": words})
    facts = cohort.covariates.reset_index(drop=True)
    return pd.concat([table, facts.assign(doses_taken=taken)], axis=1)


def _visits(protocol: Protocol, cohort: Cohort) -> pd.DataFrame:
    visits = _in_order(protocol.schedule.visits)
    return pd.DataFrame(
        {
            "subject_id": np.repeat(np.array(cohort.subject_ids, dtype=object), len(visits)),
            "visit": [visit.label for visit in visits] * cohort.n,
            "day": [visit.day for visit in visits] * cohort.n,
        }
    )


def _samples(
    samples: list[pd.DataFrame], features: list[pd.DataFrame], cohort: Cohort, labels: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the arms, in the order of the cohort and of time."""
    if not samples:
        empty = TrialData(subjects=pd.DataFrame())
        return empty.samples, empty.features
    # A dosed Lactobacillus is a column only where it is given.
    table, counts = pd.concat(samples, ignore_index=True), pd.concat(features).fillna(0).astype(np.int64)
    subject = {name: row for row, name in enumerate(cohort.subject_ids)}
    table = table.sort_values(
        ["subject_id", "day"], key=lambda column: column.map(subject) if column.name == "subject_id" else column
    ).reset_index(drop=True)
    return table, counts.loc[table["sample_id"]]


def _events(protocol: Protocol, cohort: Cohort, left: FloatArray, seed: int) -> pd.DataFrame:
    end = np.minimum(left, protocol.end_day)
    antibiotics = event_days("antibiotics", protocol.events.antibiotics, cohort, seed)
    rows: list[tuple[str, float, str]] = []
    for row, name in enumerate(cohort.subject_ids):
        if antibiotics[row] < end[row]:
            rows.append((name, float(antibiotics[row]), "antibiotics"))
        if np.isfinite(left[row]):
            rows.append((name, float(left[row]), "dropout"))
    return pd.DataFrame(rows, columns=["subject_id", "day", "event"]).astype({"day": float})
