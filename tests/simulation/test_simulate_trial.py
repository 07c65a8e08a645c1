"""Regimens, randomization, and the same bits whatever the number of threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from vagus import engine, simulation
from vagus.model import draw_uncertain
from vagus.population import Cohort
from vagus.protocol import Protocol
from vagus.simulation.trial import assign_arms, model_days


def test_doses_arrive_on_every_treatment_day(protocol: Protocol) -> None:
    plan = simulation.plan_doses(protocol, "fl5")
    assert np.allclose(plan.times, 7 + np.arange(42) + 8 / 24)
    assert plan.amounts["oral_FL"] == pytest.approx(np.full(42, 5 * 0.94), rel=0.01)
    assert simulation.plan_doses(protocol, "placebo").amounts == {}


def test_dose_time_is_honored(protocol: Protocol) -> None:
    evening = protocol.with_settings({"arms.fl5": "{2FL: 5 g/day at 20:00}"})
    assert simulation.plan_doses(evening, "fl5").times[0] == pytest.approx(7 + 20 / 24)


def test_adherence_is_the_persons_own_and_the_same_in_every_arm(protocol: Protocol) -> None:
    some = protocol.with_settings({"events.adherence": "{mean: 0.8, sd: 0.1}"})
    ids = tuple(f"S{index:03d}" for index in range(300))
    taken = simulation.draw_taken(some, ids, seed=3)
    assert taken.mean() == pytest.approx(0.8, abs=0.03)
    assert np.array_equal(taken[5], simulation.draw_taken(some, ids[5:6], seed=3)[0])
    assert simulation.draw_taken(protocol, ids, seed=3).all()


def test_randomization_gives_the_planned_numbers(protocol: Protocol) -> None:
    ids = [f"S{index}" for index in range(4)]
    arms = assign_arms(protocol, ids, seed=1)
    assert arms.value_counts().to_dict() == {"placebo": 2, "fl5": 2}
    assert list(arms) != list(assign_arms(protocol, ids, seed=4)) or list(arms) != list(
        assign_arms(protocol, ids, seed=5)
    )


def test_days_hold_run_in_treatment_and_follow_up(protocol: Protocol) -> None:
    assert model_days(protocol) == 63


def test_threads_do_not_change_a_bit(
    cohort_of: Callable[[int], Cohort], axis_model: engine.Model, protocol: Protocol
) -> None:
    short = protocol.with_settings(
        {"schedule": "{run_in: 1 d, treat: 4 d, visits: [0, 4] d}", "estimands.primary.variable": "BDI change at 4 d"}
    )
    everybody = simulation.settle(cohort_of(4), threads=2)
    drawn = draw_uncertain(everybody.axis.parameters, 1, 0)
    one = simulation.simulate_arms(everybody, axis_model, short, drawn, seed=1, threads=1)
    two = simulation.simulate_arms(everybody, axis_model, short, drawn, seed=1, threads=2)
    for arm in one:
        assert np.array_equal(one[arm].values, two[arm].values)


def test_a_person_without_a_steady_state_keeps_a_status(
    cohort_of: Callable[[int], Cohort], axis_model: engine.Model, protocol: Protocol
) -> None:
    cohort = cohort_of(2)
    shares = cohort.guild_fractions.copy()
    shares[1] = (0.01, 0.01, 1e-4, 1e-4, 0.005, 0.0048, 0.97, 0.0, 0.0)
    everybody = simulation.settle(replace(cohort, guild_fractions=shares))
    drawn = draw_uncertain(everybody.axis.parameters, 1, 0)
    course = simulation.simulate_arms(everybody, axis_model, protocol, drawn, seed=1, arms=["placebo"])["placebo"]
    assert course.status[0] == "ok"
    assert "steady state" in course.status[1]
    assert np.isnan(course.values[1]).all()
    assert np.isfinite(course.values[0]).all()


def test_a_visit_after_the_end_is_refused(courses: dict[str, simulation.Trajectories]) -> None:
    with pytest.raises(ValueError, match="after the end"):
        courses["placebo"].at_visit("il6_pg_ml", 70)
