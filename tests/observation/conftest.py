"""A small world with the simulation's interface: constant model variables, a shift per arm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from vagus.population import GUILDS, Cohort, draw_cohort
from vagus.protocol import Protocol, parse

Array = NDArray[np.float64]

TEXT = """
vagus: 1
trial: {id: small, title: "a small trial", design: parallel}
population: {from: healthy-adults, n: N, baseline_microbiome: {from: healthy-adults}}
arms:
  placebo: {maltodextrin: 5 g/day}
  active: {2FL: 5 g/day}
schedule: {run_in: 2 wk, treat: 4 wk, follow: 2 wk, visits: [0, 2, 4, 6] wk}
events: {}
measures:
  BDI: visits
  STAI: visits
  PANAS: visits
  PSQI: visits
  ISI: visits
  IBS_SSS: visits
  sleep_diary: daily
  actigraphy: [0, 4] wk
  stool_16S: visits
  stool_scfa: visits
  saliva_CAR: [0, 4] wk
  blood_inflammation: [0, 4] wk
estimands:
  primary: {variable: BDI change at 4 wk, contrast: active - placebo}
analysis: {primary: ancova}
"""

PARAMETERS = pd.DataFrame(
    [("transit_d", "1.25", "trunclognormal", "0.385|0.4|4")],
    columns=["parameter", "value", "distribution", "spread"],
)

MODEL = {
    "acetate_mM": 41.0,
    "propionate_mM": 19.3,
    "butyrate_mM": 13.3,
    "il6_pg_ml": 1.47,
    "tnf_assay_pg_ml": 2.89,
    "crp_rel": 1.0,
    "tst_h": 7.4,
    "awakening_rate": 2.0,
    "sleep_latency_felt_min": 13.3,
    "waso_min": 60.0,
    "mood_shift": 0.0,
    "sleep_shift": 0.0,
    "ibs_shift": 0.0,
    "placebo_mood": 0.0,
    "placebo_sleep": 0.0,
    "placebo_ibs": 0.0,
}
CURVE = (7.52, 10.98, 13.29, 12.88, 11.07)


@dataclass(frozen=True, eq=False)
class FakeTrajectories:
    """Everything stays as it is, except what `after` sets from the start of treatment on."""

    subject_ids: tuple[str, ...]
    grams: Array
    run_in: float
    last: float
    after: Mapping[str, float] = field(default_factory=dict)
    status: tuple[str, ...] = ()
    scale: Array | None = None

    @property
    def days(self) -> Array:
        return np.arange(np.ceil(self.last)) + 0.5

    def daily(self, name: str) -> Array:
        n = len(self.subject_ids)
        if name.startswith("X_"):
            out = np.tile(self.grams[:, [GUILDS.index(name[2:])]], (1, len(self.days)))
        else:
            out = np.full((n, len(self.days)), MODEL[name])
        if name in self.after:
            out = np.where(self.days >= self.run_in, self.after[name] if name in MODEL else self.after[name] * out, out)
        return np.where(np.array(self.status)[:, None] == "ok", out, np.nan)

    def at_visit(self, name: str, visit_day: float) -> Array:
        return self.daily(name)[:, max(int(np.ceil(self.run_in + visit_day)) - 1, 0)]

    def car_at_visit(self, visit_day: float) -> Array:
        curve = np.tile(np.array(CURVE), (len(self.subject_ids), 1))
        return np.where(np.array(self.status)[:, None] == "ok", curve, np.nan)


@dataclass(frozen=True, eq=False)
class World:
    """A protocol, its people, and what happens to them under both arms."""

    protocol: Protocol
    cohort: Cohort
    assignment: dict[str, str]
    trajectories: dict[str, FakeTrajectories]

    def take(self, rows: list[int]) -> World:
        """Keep some subjects, in the order given."""
        cohort, index = self.cohort, np.array(rows)
        few = replace(
            cohort,
            subject_ids=tuple(cohort.subject_ids[row] for row in rows),
            candidate_ids=tuple(cohort.candidate_ids[row] for row in rows),
            covariates=cohort.covariates.iloc[rows],
            parameters=cohort.parameters.iloc[rows],
            genus_fractions=cohort.genus_fractions[index],
            guild_fractions=cohort.guild_fractions[index],
            slow=cohort.slow[index],
            fast=cohort.fast[index],
        )
        arms = {name: self.assignment[name] for name in few.subject_ids}
        paths = {
            arm: replace(
                path,
                subject_ids=few.subject_ids,
                grams=path.grams[index],
                status=tuple(path.status[row] for row in rows),
            )
            for arm, path in self.trajectories.items()
        }
        return World(self.protocol, few, arms, paths)


def build(
    n: int, after: Mapping[str, float] | None = None, seed: int = 1, failed: tuple[int, ...] = (), text: str = TEXT
) -> World:
    """Build a world whose active arm differs by `after`."""
    protocol = parse(text.replace("n: N", f"n: {n}"), "small.yaml")
    cohort = draw_cohort(protocol, PARAMETERS, seed)
    ids = cohort.subject_ids
    plan = protocol.schedule
    status = tuple("the integrator gave up on day 3" if row in failed else "ok" for row in range(n))

    def path(change: Mapping[str, float]) -> FakeTrajectories:
        return FakeTrajectories(
            ids, 20.0 * cohort.guild_fractions, plan.run_in_days, protocol.total_days, change, status
        )

    arms = {name: ("placebo", "active")[row % 2] for row, name in enumerate(ids)}
    return World(protocol, cohort, arms, {"placebo": path({}), "active": path(after or {})})


@pytest.fixture(scope="session")
def build_world() -> Callable[..., World]:
    return build


@pytest.fixture(scope="session")
def protocol_text() -> str:
    return TEXT


@pytest.fixture(scope="session")
def still() -> World:
    """300 people; nothing happens under either arm."""
    return build(300)
