"""The shipped correlations and shares are what the kept script makes of the reference material."""

from __future__ import annotations

import importlib.util
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from vagus import resources

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fit_answers.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_answers", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_answers"] = module
    spec.loader.exec_module(module)
    return module


def shipped(name: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(resources.text("observation", name)))


def test_refit_gives_the_shipped_tables(script: ModuleType, shared: Path) -> None:
    for name, table in (("associations.csv", script.associations(shared)), ("stability.csv", script.stability(shared))):
        again = pd.read_csv(StringIO(table.to_csv(index=False)))
        pd.testing.assert_frame_equal(again, shipped(name), check_exact=False, rtol=2e-3, atol=2e-3)


def test_polychoric_and_biserial_find_what_was_put_in(script: ModuleType) -> None:
    z = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 60_000)
    steps = np.digitize(z[:, 0], [0.2, 1.1])
    yes = (z[:, 1] > 0.7).astype(int)
    ones = np.ones(len(z))
    assert script.polychoric(steps, yes, ones) == pytest.approx(0.4, abs=0.02)
    assert script.biserial(z[:, 0], yes.astype(bool), ones) == pytest.approx(0.4, abs=0.02)


def test_what_was_not_printed_counts_less_than_a_printed_zero(script: ModuleType) -> None:
    assert script.smallest_significant(187) == pytest.approx(0.1435, abs=5e-4)
    assert script.unprinted_se(187) > 1 / np.sqrt(184)
    none, zero = (script.from_r("a", "s", 187, r, "nhanes", "") for r in (None, 0.0))
    other = script.from_r("a", "t", 187, 0.1, "nhanes", "")
    assert script.pool([none, other], "a", "").z > script.pool([zero, other], "a", "").z


def test_two_values_that_disagree_count_alike_and_widen_the_interval(script: ModuleType) -> None:
    values = [script.from_r("a", "s", 5000, r, "nhanes", "") for r in (0.0, 0.5)]
    found = script.pool(values, "a", "")
    assert found.z == pytest.approx(np.arctanh(0.5) / 2, abs=1e-3)
    assert found.se > 10 * values[0].se


def test_shares_give_the_retest_they_were_solved_for(script: ModuleType) -> None:
    for row in shipped("stability.csv").itertuples():
        assert script.retest(row.scale, row.fast_share, script.LAG_D) == pytest.approx(row.retest, abs=1e-3)
