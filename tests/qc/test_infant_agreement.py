"""The infant axis against independent re-derivations of its equations and of the figures that it rests on.

`derivations/` was written from the descriptions and tables alone, without sight of the library. Both are given the same
parameter values and random states and compared rate by rate; ratios and rates are worked out again from the published
numbers.
"""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np
import pytest
from derivations import adhesion, infant_feeding, infant_sleep, infection

from vagus import engine
from vagus.model.infants import compose_infant

OWN = ("infant_feeding", "adhesion", "infection", "infant_sleep")
FIXED = ("one_d", "formula_until_d", "age0_d", "human_milk_share")


class Infant:
    """The composed infant axis with every constant free."""

    def __init__(self, feeding: str) -> None:
        axis = compose_infant(feeding=feeding, age_d=30)
        self.table = axis.parameters
        self.names = tuple(self.table["parameter"])
        self.model = engine.load(axis.sbml, self.names, list(axis.owner))
        self.values = dict(zip(self.names, self.table["value"], strict=True))
        self.own = tuple(self.table["parameter"][self.table["submodel"].isin(OWN)])

    def at(
        self, t: float, state: dict[str, float], values: dict[str, float]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Rates and outputs at one moment."""
        parameters = np.array([[values[name] for name in self.names]])
        initial = np.array([[state[name] for name in self.model.states]])
        found = engine.evaluate(self.model, parameters, initial, t)
        return (
            dict(zip(self.model.states, found.rates[0], strict=True)),
            dict(zip(self.model.outputs, found.outputs[0], strict=True)),
        )

    def draw(self, rng: np.random.Generator) -> tuple[float, dict[str, float], dict[str, float]]:
        values = dict(self.values)
        for name in (*self.own, "vol_l", "intake_scale"):
            if name not in FIXED:
                values[name] = values[name] * np.exp(rng.normal(0, 0.3)) if values[name] else rng.normal(0, 1)
        values |= {
            "age0_d": np.exp(rng.uniform(*np.log([7, 330]))),
            "human_milk_share": rng.uniform(0, 1),
        }
        state = {name: float(np.exp(rng.normal(-1, 1))) for name in self.model.states}
        return float(np.exp(rng.uniform(*np.log([1, 200])))), state, values


@pytest.fixture(scope="module", params=["breast", "formula"])
def infant(request: pytest.FixtureRequest) -> Infant:
    return Infant(request.param)


def derived(t: float, state: dict[str, float], values: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    feeding = infant_feeding.assigned(t, state, values)
    decoys = adhesion.assigned(feeding, state, values)
    infections = infection.assigned(feeding["age_d"], decoys["adhesion_airway"], state, values)
    nights = infant_sleep.assigned(feeding["age_d"], feeding["hmo_fed"], values)
    slopes = infant_feeding.rates(t, state, values) | infection.rates(infections)
    return slopes, feeding | decoys | infections | nights


def test_rates_and_assigned_variables(infant: Infant) -> None:
    rng = np.random.default_rng(20)
    doses_at_most_tried = 0
    for _ in range(40):
        t, state, values = infant.draw(rng)
        slopes, assigned = derived(t, state, values)
        found, outputs = infant.at(t, state, values)
        for name, value in slopes.items():
            assert found[name] == pytest.approx(value, rel=1e-10, abs=1e-12), name
        for name, value in assigned.items():
            assert outputs[name] == pytest.approx(value, rel=1e-10, abs=1e-12), name
        doses_at_most_tried += assigned["hmo_fed"] < 1
    assert 0 < doses_at_most_tried < 40


def rows(name: str) -> list[dict[str, str]]:
    with (files("vagus") / "model" / "library" / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_trial_shares_are_those_of_the_evidence_table() -> None:
    with (files("vagus") / "evidence" / "data" / "outcomes.csv").open(encoding="utf-8") as lines:
        told = {
            (row["outcome"], int(row["week"]), row["arm"]): (float(row["value"]) / 100, int(row["n"]))
            for row in csv.DictReader(lines)
            if row["study_id"] == "puccio2017" and row["statistic"] == "pct"
        }
    for outcome, (week, control, test) in infection.TRIAL.items():
        assert told[outcome, week, "control"] == (pytest.approx(control), infection.ARMS[0])
        assert told[outcome, week, "test"] == (pytest.approx(test), infection.ARMS[1])


def test_weighed_ratios_of_the_trial() -> None:
    given = {row["outcome"]: row for row in rows("infection/ratios.csv")}
    assert set(given) == set(infection.TRIAL)
    for outcome, (_, control, test) in infection.TRIAL.items():
        ln_ratio, se = infection.hazard_ratio(control, test)
        mean, sd = infection.weighed(ln_ratio, se)
        expected = {
            "ln_ratio": ln_ratio,
            "se": se,
            "z": ln_ratio / se,
            "ln_ratio_shrunk": ln_ratio / infection.EXAGGERATION,
            "ln_ratio_weighed": mean,
            "sd_weighed": sd,
        }
        for column, value in expected.items():
            assert float(given[outcome][column]) == pytest.approx(value, rel=1e-3), (outcome, column)
    # the width of the prior gives the median power that the same source reports
    assert infection.median_power(infection.prior_width()) == pytest.approx(0.13, abs=0.005)


def test_infection_rates_by_age() -> None:
    highest, tau = infection.rate_by_age()
    given = {row["figure"]: float(row["value"]) for row in rows("infection/rates.csv")}
    assert given["ari_highest_per_d"] == pytest.approx(highest, rel=1e-3)
    assert given["tau_ari_d"] == pytest.approx(tau, rel=1e-3)
    # not used to solve: quartiles of the age at the first infection 57 and 128 days, 6.3 episodes in another first year
    ages = np.arange(1, 400)
    share = 1 - np.exp([-infection.episodes(age, highest, tau) for age in ages])
    assert np.interp([0.25, 0.75], share, ages) == pytest.approx([57, 128], rel=0.1)
    assert infection.episodes(365, highest, tau) == pytest.approx(6.3, rel=0.1)


def test_constant_hazards(infant: Infant) -> None:
    expected = {
        "lrti_usual": infection.constant_hazard(0.3288, 365.25),
        "antibiotic_usual": infection.constant_hazard(0.494, 26 * 7),
        "antipyretic_usual": infection.constant_hazard(0.299, 17 * 7),
    }
    for name, value in expected.items():
        assert infant.values[name] == pytest.approx(value, rel=3e-3), name
    # SD 5.2 of 13.7 episodes against chance alone
    spread = np.sqrt(np.log(1 + (5.2**2 - 13.7) / 13.7**2))
    row = infant.table[infant.table["parameter"] == "ari_own"].iloc[0]
    assert float(row["spread"]) == pytest.approx(spread, abs=0.005)
    assert float(row["value"]) == pytest.approx(np.exp(-(spread**2) / 2), abs=0.002)  # so that the mean is 1


def first_year_lrti(infant: Infant, concentration_g_l: float) -> float:
    """Share with an illness in the 50 weeks from day 14, fed for the first 24; small steps by Euler."""
    values = infant.values | {"age0_d": 14.0, "human_milk_share": 0.0, "ari_own": 1.0}
    state = dict.fromkeys(infant.model.states, 0.0)
    step = 0.25
    for t in np.arange(0, 350, step):
        milk = infant_feeding.assigned(t, state, values)["milk_l_d"]
        fed = t < 24 * 7
        state["oral_FL"] = concentration_g_l * milk / values["k_orocaecal"] if fed else 0.0
        slopes, _ = derived(t, state, values)
        for name in ("hmo_product_g_l", "hmo_seen", "lrti_hazard"):
            state[name] += step * slopes[name]
    return 1 - np.exp(-state["lrti_hazard"])


def test_first_year_with_the_tried_formula(infant: Infant) -> None:
    assert first_year_lrti(infant, 0.0) == pytest.approx(0.317, abs=0.001)
    assert first_year_lrti(infant, 1.5) == pytest.approx(0.263, abs=0.001)


def test_sleep_curve(infant: Infant) -> None:
    state = dict.fromkeys(infant.model.states, 1.0)
    for years in (0.05, 0.25, 0.5, 1.0):
        values = infant.values | {"age0_d": 365.25 * years}
        assert infant.at(0.0, state, values)[1]["infant_sleep_h"] == pytest.approx(infant_sleep.sleep_hours(years))
    # the curve's mean over the first two years is the review's mean of infants, 12.8 h
    mean = np.mean([infant_sleep.sleep_hours(years) for years in np.linspace(0, 2, 2001)])
    assert mean == pytest.approx(12.8, abs=0.05)
    row = infant.table[infant.table["parameter"] == "sleep_own_h"].iloc[0]
    assert float(row["spread"]) == pytest.approx(infant_sleep.sd_of(infant_sleep.SLEEP_RANGE_H), abs=0.005)


def test_night_wakings(infant: Infant) -> None:
    given = {row["what"]: (float(row["ln_ratio"]), float(row["sd"])) for row in rows("infant_sleep/ratios.csv")}
    expected = {
        "as told": infant_sleep.told_ratio(),
        "weighed, this visit alone": infant_sleep.one_visit(),
        "weighed, one of three visits": infant_sleep.three_visits(),
        "prior": (0.0, infection.prior_width() * infant_sleep.told_ratio()[1]),
    }
    assert set(given) == set(expected)
    for name, pair in expected.items():
        assert given[name] == pytest.approx(pair, rel=1e-3), name
    assert infant.values["k_wakings"] == pytest.approx(infant_sleep.waking_fall(), rel=2e-3)
    relative = infant_sleep.sd_of(infant_sleep.WAKINGS_EARLY) / 1.7
    row = infant.table[infant.table["parameter"] == "wakings_own"].iloc[0]
    assert float(row["spread"]) == pytest.approx(np.sqrt(np.log(1 + relative**2)), abs=0.005)
    assert float(row["value"]) == pytest.approx(1 / np.sqrt(1 + relative**2), abs=0.002)  # so that the mean is 1


def test_milk_by_age(infant: Infant) -> None:
    v = infant.values
    middles = np.array([(low + high) / 2 for low, high in infant_feeding.JAPAN_BANDS_MONTHS])
    start, slope = infant_feeding.formula_line(middles)
    assert 1000 * v["formula_start"] == pytest.approx(start, rel=1e-3)
    assert 1000 * v["formula_slope"] == pytest.approx(slope, rel=1e-3)
    # Printed for infants fed on it alone at 1, 3, 6 and 12 months, from a narrower set of studies than the regression.
    for months, ml in ((1, 624), (3, 735), (6, 729), (12, 593)):
        assert 1000 * infant_feeding.human_milk(months * infant_feeding.DAYS_PER_MONTH, v) == pytest.approx(
            ml, rel=0.02
        )
    assert infant_feeding.human_milk_oligosaccharides(183, v) == pytest.approx(v["hmo_late_g_l"], rel=1e-3)


def test_inhibition_constants(infant: Infant) -> None:
    mean, spread = adhesion.gut_constant()
    assert infant.values["ki_airway_g_l"] == pytest.approx(
        adhesion.inhibition_constant(adhesion.AIRWAY_INHIBITED), rel=2e-3
    )
    assert infant.values["ki_gut_g_l"] == pytest.approx(mean, rel=2e-3)
    row = infant.table[infant.table["parameter"] == "ki_gut_g_l"].iloc[0]
    assert float(row["spread"]) == pytest.approx(spread, abs=0.02)
