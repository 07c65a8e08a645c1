"""The small protocol, and a trial with every outcome of its plan."""

from __future__ import annotations

import numpy as np
import pytest
from made_trial import ARMS, TEXT, make_trial

from vagus.protocol import Protocol, parse
from vagus.trial import TrialData


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return parse(TEXT, "small.yaml")


@pytest.fixture(scope="session")
def full() -> TrialData:
    """Every outcome of the plan for 60 people."""
    rng = np.random.default_rng(11)
    arms = [ARMS[place % 3] for place in range(60)]
    shift = np.array([ARMS.index(arm) for arm in arms], dtype=float)
    before = rng.integers(10, 25, 60)
    after = np.clip(before - 2 * shift - rng.integers(0, 5, 60), 0, 28)
    acid = np.exp(rng.normal(2.5, 0.5, 60))
    acid_after = acid * np.exp(0.2 * shift + rng.normal(0, 0.3, 60))
    genus = np.exp(rng.normal(1, 1, 60))
    woke = rng.poisson(2, 60)
    return make_trial(
        {
            "isi": [(a, float(x), float(y)) for a, x, y in zip(arms, before, after)],
            "psqi": [(a, float(x // 2 + 6), float(y // 2 + 3)) for a, x, y in zip(arms, before, after)],
            "faecal_butyrate_mmol_kg": list(zip(arms, acid.tolist(), acid_after.tolist())),
            "bifidobacterium_rel_abundance_pct": [(a, float(x), float(x * 2)) for a, x in zip(arms, genus)],
            "night_awakenings_n": [(a, float(x), float(y)) for a, x, y in zip(arms, woke, rng.poisson(2, 60))],
        }
    )
