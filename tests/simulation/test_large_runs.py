"""Populations in chunks: the same bits for any chunk and thread, and a broken person alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from vagus import population
from vagus.errors import Cancelled, InputError
from vagus.model import compose
from vagus.protocol import Protocol, bundled_text, parse
from vagus.simulation.large import Part, VirtualPeople, stream
from vagus.simulation.numerics import MOST_AUDITED, Precision, Work, audited_places

COUNT = 9
SETTINGS = {
    "population.n": str(COUNT),
    "schedule": "{run_in: 1 d, treat: 3 d, visits: [0, 3] d}",
    "estimands.primary.variable": "BDI change at 3 d",
}


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return parse(bundled_text("efficad"), "efficad.yaml", SETTINGS)


@pytest.fixture(scope="module")
def people(protocol: Protocol) -> VirtualPeople:
    return VirtualPeople(
        protocol, compose(), 1, arms=["placebo", "OF"], variables=["il6_pg_ml", "X_bact", "mood_shift"]
    )


@pytest.fixture(scope="module")
def precision(people: VirtualPeople) -> Precision:
    return people.choose(Work())


@pytest.fixture(scope="module")
def whole(people: VirtualPeople, precision: Precision) -> Part:
    return people.simulate(np.arange(COUNT), precision)


def gather(people: VirtualPeople, precision: Precision, chunk: int, jobs: int) -> list[Part]:
    """Stream everybody and return the parts in their order."""
    found: dict[int, Part] = {}
    parts = {k: (first, min(first + chunk, COUNT)) for k, first in enumerate(range(0, COUNT, chunk))}
    stream(people, precision, parts, found.__setitem__, jobs=jobs)
    return [found[k] for k in sorted(found)]


@pytest.mark.parametrize(("chunk", "jobs"), [(1, 2), (4, 1), (4, 4), (500, 2)])
def test_no_bit_depends_on_chunks_or_threads(
    people: VirtualPeople, precision: Precision, whole: Part, chunk: int, jobs: int
) -> None:
    parts = gather(people, precision, chunk, jobs)
    assert np.concatenate([part.values for part in parts], axis=1).tobytes() == whole.values.tobytes()
    for name, numbers in whole.people.items():
        assert np.concatenate([part.people[name] for part in parts]).tobytes() == numbers.tobytes()
    assert sum(part.work.simulations for part in parts) == 2 * COUNT
    assert sum(part.work.steps for part in parts) == whole.work.steps


def test_the_values_are_those_of_the_people(people: VirtualPeople, whole: Part) -> None:
    assert whole.values.shape == (2, COUNT, 4, 3)
    assert np.isfinite(whole.values).all()
    assert people.variables == ("X_bact", "il6_pg_ml", "mood_shift")
    assert set(people.person_numbers) == set(whole.people)
    assert set(np.unique(whole.people["female"])) <= {0.0, 1.0}
    # before the first dose the arms are one
    assert np.array_equal(whole.values[0, :, 0], whole.values[1, :, 0])
    assert not np.array_equal(whole.values[0], whole.values[1])


def test_subjects_are_drawn_alike_alone_and_together(people: VirtualPeople, protocol: Protocol) -> None:
    together = population.draw_cohort(protocol, people.rows, 1)
    alone = population.draw_people(people.chosen, people.rows, 1, np.array([COUNT - 1]))
    assert alone.subject_ids == together.subject_ids[-1:]
    assert alone.parameters.equals(together.parameters.iloc[-1:])
    assert alone.screening.equals(together.screening.iloc[-1:])
    assert np.array_equal(alone.guild_fractions, together.guild_fractions[-1:])


@pytest.mark.parametrize("name", ["transit_d", "circ_tau_h"])
def test_a_planted_number_that_is_not_finite_touches_nobody_else(
    people: VirtualPeople, precision: Precision, whole: Part, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drawn = population.draw_people

    def planted(*arguments: object) -> population.Cohort:
        cohort = drawn(*arguments)  # type: ignore[arg-type]
        parameters = cohort.parameters.copy()
        parameters.loc["S004", name] = np.nan
        return replace(cohort, parameters=parameters)

    monkeypatch.setattr(population, "draw_people", planted)
    found = people.simulate(np.arange(COUNT), precision)
    others = np.arange(COUNT) != 3
    assert set(found.sentences[:, 3]) == {f"parameter {name} was not a finite number"}
    assert np.isnan(found.values[:, 3]).all()
    assert set(found.sentences[:, others].ravel()) == {"ok"}
    assert found.values[:, others].tobytes() == whole.values[:, others].tobytes()


def test_the_audit_takes_the_same_people_whatever_the_chunks() -> None:
    assert audited_places(3).tolist() == [0, 1, 2]
    assert len(audited_places(10**6)) == MOST_AUDITED
    places = audited_places(5000)
    assert (len(places), places[0], places[-1]) == (50, 0, 4999)
    assert np.ptp(np.diff(places)) <= 1


def test_unknown_names_are_refused_together(protocol: Protocol) -> None:
    with pytest.raises(InputError, match=r'An arm must be one of .* got "OG"'):
        VirtualPeople(protocol, compose(), 1, arms=["OG"])
    with pytest.raises(InputError) as refused:
        VirtualPeople(protocol, compose(), 1, variables=["il6_pg_m", "barier"])
    assert [problem.message.split("; ")[1] for problem in refused.value.problems] == [
        'did you mean "il6_pg_ml"?',
        'did you mean "barrier"?',
    ]


class Counted:
    """People who are made by a function."""

    def __init__(self, make: Callable[[np.ndarray, threading.Event], None]) -> None:
        self.make, self.count, self.arms = make, 20, ("a",)

    def choose(self, work: Work, cancel: threading.Event | None = None) -> Precision:
        raise AssertionError

    def simulate(self, rows, precision, threads, on_progress, cancel) -> Part:
        self.make(rows, cancel)
        return Part(np.zeros((1, len(rows), 1, 1)), np.full((1, len(rows)), "ok", dtype=object), {}, Work())


PARTS = {k: (2 * k, 2 * k + 2) for k in range(10)}


def test_an_error_in_a_thread_ends_the_others(precision: Precision) -> None:
    made = []

    def make(rows: np.ndarray, cancel: threading.Event) -> None:
        made.append(int(rows[0]))
        if rows[0] == 4:
            raise InputError("the disk is full")
        cancel.wait(10)

    with pytest.raises(InputError, match="the disk is full"):
        stream(Counted(make), precision, {2: (4, 6), **PARTS}, lambda *_: None, jobs=2)
    assert len(made) <= 3


def test_cancellation_ends_all_threads(precision: Precision) -> None:
    cancel, begun = threading.Event(), threading.Event()

    def make(rows: np.ndarray, stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(10)
        raise Cancelled("Stopped.")

    threading.Thread(target=lambda: begun.wait(10) and cancel.set()).start()
    with pytest.raises(Cancelled):
        stream(Counted(make), precision, PARTS, lambda *_: None, jobs=2, cancel=cancel)


def test_progress_goes_from_none_to_all(precision: Precision) -> None:
    told: list[int] = []
    stream(Counted(lambda *_: None), precision, PARTS, lambda *_: None, jobs=2, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 20
