"""The library's submodels against independent re-derivations of the same published equations.

`derivations/` was written from the equations alone, without sight of the library. Here both are given the same
parameter values and compared rate by rate at random states, and the library is held to the published
benchmarks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from derivations import (
    barrier,
    colon,
    crp,
    expectancy,
    gut_symptoms,
    hpa,
    ibs,
    lactoferrin,
    magnesium,
    melatonin,
    mood,
    serotonin,
    sleep,
    sleep_quality,
    stress,
    vagus_tone,
    vitamin_d,
    windoloski,
)

from vagus import engine
from vagus.model import ComposedModel, compose

RNG = np.random.default_rng(20)


class Library:
    """One submodel of the library, with every constant free."""

    def __init__(self, *submodels: str) -> None:
        self.axis: ComposedModel = compose(submodels)
        self.names = tuple(self.axis.parameters["parameter"])
        self.model = engine.load(self.axis.sbml, self.names, list(self.axis.owner))
        self.values = dict(zip(self.names, self.axis.parameters["value"], strict=True))

    def parameters(self, **values: float) -> np.ndarray:
        given = self.values | values
        assert set(values) <= set(self.names), set(values) - set(self.names)
        return np.array([[given[name] for name in self.names]])

    def rates(self, states: Mapping[str, float], t: float = 0.0, **values: float) -> dict[str, float]:
        parameters = self.parameters(**values)
        initial = self.model.initial_values(parameters)
        for name, value in states.items():
            initial[0, self.model.states.index(name)] = value
        found = engine.evaluate(self.model, parameters, initial, t)
        return dict(zip(self.model.states, found.rates[0], strict=True))


def agree(ours: list[float], theirs: np.ndarray) -> None:
    assert np.allclose(ours, theirs, rtol=1e-10, atol=1e-12), (ours, theirs)


IMMUNE = ("lps_ng_kg", "mono_rest", "mono_active", "tnf_pg_ml", "il6_pg_ml", "il8_pg_ml", "il10_pg_ml")


def test_immune_rates() -> None:
    library = Library("immune")
    for _ in range(20):
        state = np.exp(RNG.normal(np.log([0.5, 2e4, 500, 80, 100, 90, 12]), 0.8))
        flux = float(RNG.uniform(0, 0.5))
        ours = library.rates(
            dict(zip(IMMUNE, state, strict=True)), lps_flux=flux, il6_background=windoloski.BOLUS["w6"], e_treg=0.0
        )
        agree([ours[name] / 24 for name in IMMUNE], windoloski.rates(0.0, state, windoloski.BOLUS, flux))


def test_immune_reproduces_the_published_bolus() -> None:
    # Windoloski 2024, bolus 2 ng/kg: TNF 365.7 @ 1.70, IL-6 749.0 @ 2.05, IL-8 747.0 @ 2.13, IL-10 42.20 @ 2.57 h.
    library = Library("immune")
    parameters = library.parameters(lps_flux=0.0, il6_background=windoloski.BOLUS["w6"])
    initial = np.zeros((1, len(library.model.states)))
    start = dict(zip(IMMUNE, windoloski.initial(windoloski.BOLUS, 2.0), strict=True))
    for name, value in start.items():
        initial[0, library.model.states.index(name)] = value
    hours = np.arange(0, 12, 0.01)
    course = engine.simulate(library.model, parameters, initial, 0.0, hours / 24, rtol=1e-8)
    for name, peak, at in (
        ("tnf_pg_ml", 365.7, 1.70),
        ("il6_pg_ml", 749.0, 2.05),
        ("il8_pg_ml", 747.0, 2.13),
        ("il10_pg_ml", 42.20, 2.57),
    ):
        values = course.output(name)[0]
        assert values.max() == pytest.approx(peak, rel=2e-4), name
        assert hours[values.argmax()] == pytest.approx(at, abs=0.011), name


def colon_case(i: int, library: Library) -> tuple[dict[str, float], dict[str, float]]:
    """Parameters and all 35 states at random; every third case with few cells of the dosed strains."""
    v = drawn(library, **{name: value for name, value in library.values.items() if name.startswith("pH")})
    v |= {"probif_uses_hmo": float(i % 2), "settling_people": float(i % 3 == 0), "methane_share": RNG.uniform()}
    v |= {"fl_competence": RNG.uniform(), "lacuse_growth": RNG.uniform(0.3, 1), "tph1_rel": RNG.uniform(0.6, 1.5)}
    y = {name: float(np.exp(RNG.normal(0, 0.7))) for name in colon.STATES}
    y |= {name: 10 * y[name] for name in ("M_ac", "M_pr", "M_bu", "X_bact", "X_starch", "X_butyr")}
    if i % 3 == 2:
        y |= {"X_probif": 1e-10, "X_prolac": 1e-8}
    return v, y


def test_colon() -> None:
    library = Library("colon")
    assert set(library.model.states) == set(colon.STATES)
    for i in range(30):
        v, y = colon_case(i, library)
        assigned = colon.variables(y, v)
        assert set(assigned) == set(library.model.outputs) - set(colon.STATES)
        same(library, colon.rates(y, v) | assigned, y, 0.0, v)


def test_colon_closes_in_carbon() -> None:
    """Every guild on every substrate by the table's rows; then whole states, where cross-feeding takes part."""
    library = Library("colon")
    for guild in colon.GUILDS:
        for substrate in colon.SUBSTRATES:
            assert abs(colon.pair_gap(guild, substrate, library.values)) < 1e-3, (guild, substrate)
    for i in range(10):
        v, y = colon_case(i, library)
        free = ("methane_share", "fl_competence", "probif_uses_hmo", "settling_people", "lacuse_growth", "w_", "a_")
        p = library.values | {name: value for name, value in v.items() if name.startswith(free)}
        taken = colon.variables(y, p)["carbon_taken_mmol_d"]
        assert abs(colon.carbon_gap(y, p)) < 1e-3 * taken


def test_colon_stoichiometry_is_that_of_the_source() -> None:
    v = Library("colon").values
    for name in colon.PUBLISHED_ROWS:
        published = colon.published_row(name)
        assert colon.row(name, v) == pytest.approx([published[m] for m in colon.PRODUCTS], rel=1e-3), name
    per_hexose = 24 * 1000 / colon.HEXOSE_G_PER_MOL
    for name in (*colon.PUBLISHED_ROWS, "entero"):
        electrons = colon.row(name, v) @ [colon.ELECTRONS[m] for m in colon.PRODUCTS]
        assert electrons == pytest.approx(per_hexose, rel=1e-3), name
    # fucose holds 26, an acetyl group 8, sialic acid beside its hexose 18 electrons; mol per g of the whole
    for name, held, mass in (("FL", 26, 488.4), ("LN", 8, 707.6), ("SL", 18, 633.6)):
        electrons = colon.unit_products(name, v) @ [colon.ELECTRONS[m] for m in colon.PRODUCTS]
        assert electrons == pytest.approx(1000 * held / mass, rel=1e-3), name
    for name, hexoses, mass in (("FL", 2, 488.4), ("LN", 4, 707.6), ("LT", 4, 707.6), ("SL", 3, 633.6)):
        assert colon.hexose(name, v) == pytest.approx(hexoses * colon.HEXOSE_G_PER_MOL / mass, rel=1e-3), name
    assert v["hex_MP"] == pytest.approx(2 * colon.HEXOSE_G_PER_MOL / (6 * 111), rel=1e-3)
    assert v["y_lactate"] == pytest.approx(0.111 * 90.08 / 1000, rel=1e-3)


def test_typical_adult_is_at_rest() -> None:
    """The stored start and the stored weights are the steady state that is solved here."""
    library = Library("colon")
    v = library.values
    w, y = colon.at_rest(colon.TYPICAL, v)
    assert max(map(abs, colon.rates(y, v | w).values())) < 1e-9
    for name, weight in w.items():
        assert v[name] == pytest.approx(weight, rel=1e-4), name
    start = dict(zip(library.model.states, library.model.initial_values(library.parameters())[0], strict=True))
    for name, value in y.items():
        assert start[name] == pytest.approx(value, rel=5e-4, abs=1e-12), name
    # a dosed strain: its weight gives growth equal to the flow at settled_share of the cells if it took nothing away
    here = colon.variables(y, v | w)
    for strain in colon.DOSED:
        uptake = v["y_OS"] * v[f"a_{strain}_OS"] * here["free_OS"] * here["L_lactic"]
        weight = here["dilution"] * here["biomass_g"] ** (1 - v["capture_exponent"]) / uptake
        assert v[f"w_{strain}"] == pytest.approx(weight, rel=1e-4)


def test_hpa_rates() -> None:
    library = Library("hpa")
    v = library.values
    p = hpa.PARAMETERS | {
        "a1": v["hpa_a1"],
        "acrophase1_h": v["hpa_phase1_h"],
        "a2": v["hpa_a2"],
        "acrophase2_h": v["hpa_phase2_h"],
        "Aw": v["awakening_amp"],
        "tau_w_h": v["awakening_tau_h"],
    }
    names = ("x1_crh", "x2_acth", "x3_cort", "gland_p", "gland_a")
    for _ in range(20):
        state = np.exp(RNG.normal(0, 0.5, 5))
        hour = float(RNG.uniform(7.0, 30.9))
        ours = library.rates(
            dict(zip(names, state, strict=True)),
            hour / 24,
            t_wake=7 / 24,
            cbtmin_h=v["cbtmin_ref_h"],
            x1_bar=1.151,
            x2_bar=1.065,
        )
        theirs = hpa.rates(hour, state, p, 7.0, set_points=(1.151, 1.065))
        agree([ours[name] / 24 for name in names], theirs)


def test_hpa_reproduces_the_awakening_response() -> None:
    # Exact solution of the fitted drive (derivations/hpa.py): 7.29, 11.40, 12.61, 12.39, 11.55 nmol/l; the notes print
    # values of a coarser step (7.44, 11.51, 12.69, 12.44, 11.58). Data: 7.52, 10.98, 13.29, 12.88, 11.07.
    library = Library("hpa")
    parameters = library.parameters(cbtmin_h=library.values["cbtmin_ref_h"], glands_move=0.0, t_wake=-99.0)
    days = 6
    inputs = engine.Inputs([d + 7 / 24 for d in range(days)], ["t_wake"], [[[d + 7 / 24] for d in range(days)]])
    minutes = np.array([0.001, 15.67, 30.99, 46.22, 61.44])
    times = days - 1 + 7 / 24 + minutes / 1440
    course = engine.simulate(library.model, parameters, None, 0.0, times, inputs=inputs, rtol=1e-8)
    expected = hpa.car(hpa.PARAMETERS)
    assert np.allclose(course.output("cortisol_nmol_l")[0], expected, rtol=2e-3)
    assert np.allclose(expected, (7.44, 11.51, 12.69, 12.44, 11.58), atol=0.2)


def test_sleep_rates() -> None:
    library = Library("sleep")
    names = ("circ_x", "circ_xc", "circ_n", "sleep_pressure")
    p = sleep.PARAMETERS | {"tau_c_h": library.values["circ_tau_h"]}
    for awake in (0.0, 1.0):
        for _ in range(10):
            state = np.array([*RNG.uniform(-1, 1, 2), RNG.uniform(0, 1), RNG.uniform(11, 15)])
            hour = float(RNG.uniform(0, 24))
            lux = float(RNG.uniform(1, 1000))
            ours = library.rates(
                dict(zip(names, state, strict=True)) | {"awake": awake}, hour / 24, lux_day=lux, lux_evening=lux
            )
            agree([ours[name] / 24 for name in names], sleep.rates(hour, state, p, lux, bool(awake)))


def test_sleep_meets_the_light_schedule_benchmark() -> None:
    # 700 lux 06-20, 40 lux 17-24: 7.40 h, 0:28-7:52, DLMO 20.9 as printed; entrained by the re-derivation 7.38 h,
    # 0:16-7:39, DLMO 20.80. The library's light has soft edges and no dark after midnight, so the phase may differ a
    # little.
    library = Library("sleep")
    parameters = library.parameters(
        circ_tau_h=24.2, lux_day=740, lux_evening=40, dawn_h=6.0, dusk_h=20.0, light_edge_h=0.05, alarm_h=12.0
    )
    course = engine.simulate(library.model, parameters, None, 0.0, np.arange(80, 90) + 0.6, rtol=1e-7)
    stable = sleep.benchmark_stable()
    onset = 24 * (course.output("t_onset")[0] % 1)
    assert course.output("tst_h")[0].mean() == pytest.approx(7.40, abs=0.1)
    assert course.output("dlmo_h")[0].mean() == pytest.approx(20.9, abs=0.35)
    assert np.mean((onset + 12) % 24 - 12) == pytest.approx(0.4, abs=0.4)
    assert stable["sleep_h"] == pytest.approx(7.38, abs=0.02)


def test_melatonin_meets_the_published_peak() -> None:
    # Brown 1997 (BIOMD0000000672): 222.3 pmol/l at the end of synthesis, 43 pmol/l crossed 31 min after its start.
    library = Library("sleep")
    start, stop = 1316 / 1440, 1794 / 1440
    length = 24 * (stop - start)
    parameters = library.parameters(lux_day=1e-9, lux_evening=1e-9)
    initial = library.model.initial_values(parameters)
    for name, value in (("mel_pineal", 0.05), ("melatonin_pmol_l", 1.0), ("melatonin_on", 1.0), ("t_cbtmin", start)):
        initial[0, library.model.states.index(name)] = value
    times = start + np.linspace(0, length / 24, 400)
    frozen = library.parameters(lux_day=1e-9, lux_evening=1e-9, mel_lag_h=1e6)
    course = engine.simulate(library.model, frozen, initial, start, times, rtol=1e-8)
    values = course.output("melatonin_pmol_l")[0]
    theirs = melatonin.plasma(times * 1440)
    peak, _ = melatonin.peak()
    assert peak == pytest.approx(222.3, abs=0.1)
    # the library approaches the plateau without the source's normalization at the end of synthesis: 1 part in a million
    assert np.abs(values[40:] - theirs[40:]).max() < 0.5
    assert values[-1] == pytest.approx(222.3, abs=0.5)


# --- submodels whose constants are all drawn: parameters, inputs and states at random -------------------------------

OF_TIME = ("h_per_d", "min_per_d", "day_h", "minute", "year_d", "circ_kappa_h")


def drawn(library: Library, **given: float) -> dict[str, float]:
    """Every constant within 10 % of its value; switches and the day's length as they are; what is 0 around 0."""
    values = {}
    for name, value in library.values.items():
        if name in OF_TIME or name.endswith("_on") or "reaches" in name:
            values[name] = value
        else:
            values[name] = RNG.normal(0, 0.3) if value == 0 else value * np.exp(RNG.normal(0, 0.1))
    return values | given


def same(
    library: Library, expected: Mapping[str, float], y: Mapping[str, float], t: float, v: dict[str, float]
) -> None:
    """Rates (by the name of their state) and assigned variables against those of the library."""
    parameters = library.parameters(**v)
    initial = library.model.initial_values(parameters)
    for name, value in y.items():
        initial[0, library.model.states.index(name)] = value
    found = engine.evaluate(library.model, parameters, initial, t)
    theirs = dict(zip(library.model.outputs, found.outputs[0], strict=True))
    theirs |= dict(zip(library.model.states, found.rates[0], strict=True))
    for name, value in expected.items():
        assert value == pytest.approx(theirs[name], rel=1e-10, abs=1e-12), name


def named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values, strict=True))


def test_vitamin_d() -> None:
    library, names = Library("vitamin_d"), ("oral_vitamin_d", "vitamin_d_rise_nmol_l")
    for i in range(30):
        v = drawn(
            library, overweight=float(i % 3 == 1), obese=float(i % 3 == 2), vitamin_d_reaches_sleep=float(i % 4 > 0)
        )
        v["vitamin_d0_nmol_l"] = RNG.uniform(10, 90)  # the lowest with overweight and winter meet the floor
        t, y = RNG.uniform(-400, 400), RNG.uniform(0, (100, 40))
        same(library, named(names, vitamin_d.rates(t, y, v)) | vitamin_d.assigned(t, y, v), named(names, y), t, v)
    v = library.values
    assert vitamin_d.target(25, v) == pytest.approx(12.0, abs=0.05)
    assert (vitamin_d.target(500, v) - vitamin_d.target(375, v)) / 5 == pytest.approx(1.1, abs=0.05)


def test_magnesium() -> None:
    library, names = Library("magnesium"), ("oral_magnesium", "magnesium_rise_mmol_l")
    for i in range(30):
        v = drawn(library, magnesium_reaches_sleep=float(i % 4 > 0))
        y = RNG.uniform(0, (800, 0.08))
        same(library, named(names, magnesium.rates(y, v)) | magnesium.assigned(y, v), named(names, y), 0.0, v)
    v = library.values | {"magnesium_meal_mg_d": 0.0}
    assert magnesium.absorbed(36, v) / 36 == pytest.approx(0.65, abs=0.005)
    assert magnesium.absorbed(973, v) / 973 == pytest.approx(0.11, abs=0.005)


def test_stress() -> None:
    library = Library("stress")
    for t in (4.9, 5.0, 12.0, 20.0, 25.0):
        v = drawn(library, stress_size=1.5, stress_from_d=5.0, stress_to_d=20.0)
        y = RNG.normal()
        same(library, {"stress": stress.rate(t, y, v), "stress_load": stress.load(t, v)}, {"stress": y}, t, v)


def test_gut_symptoms() -> None:
    library, names = Library("gut_symptoms"), ("gas_rel", "breath_h2_rel", "lactate_change_mM")
    for _ in range(30):
        v = drawn(library, stool_form_own=RNG.normal(0, 2), stools_own=RNG.normal())  # some at an end of the scale
        v["dilution"] *= np.exp(RNG.normal(0, 0.4))
        y = np.array([*RNG.uniform(0.5, 2, 2), RNG.normal()])
        same(library, named(names, gut_symptoms.rates(y, v)) | gut_symptoms.assigned(y, v), named(names, y), 0.0, v)


def test_ibs() -> None:
    library, names = Library("ibs"), ("ibs_shift_mech", "ibs_shift_direct")
    for _ in range(30):
        v = drawn(library, stool_form=RNG.uniform(1, 7), stool_form_usual=RNG.uniform(1, 7))
        y = RNG.normal(0, 0.3, 2)
        same(library, named(names, ibs.rates(y, v)) | ibs.assigned(y, v), named(names, y), 0.0, v)


def test_sleep_quality() -> None:
    library, names = Library("sleep_quality"), ("sleep_shift_mech", "sleep_shift_direct")
    for _ in range(30):
        v = drawn(library)
        y = RNG.normal(0, 0.3, 2)
        v["magnesium_latency_effect"] = RNG.uniform(-80, 0)  # the largest meet the floor
        expected = named(names, sleep_quality.rates(y, v)) | sleep_quality.assigned(y, v)
        same(library, expected, named(names, y), 0.0, v)


def test_mood() -> None:
    library, names = Library("mood"), ("mood_shift_mech", "mood_shift_direct")
    for i in range(30):
        v = drawn(library, direct_mood_on=float(i % 2))
        y = RNG.normal(0, 0.3, 2)
        same(library, named(names, mood.shift_rates(y, v)) | mood.shift_assigned(y, v), named(names, y), 0.0, v)


def test_expectancy() -> None:
    library, names = Library("expectancy"), ("placebo_mood", "placebo_sleep", "placebo_ibs")
    for t in (0.0, 13.9, 14.0, 40.0):
        v = drawn(library, t_treat_start=14.0)
        y = RNG.normal(0, 0.3, 3)
        expected = named(names, expectancy.rates(t, y, v)) | {"in_trial": expectancy.in_trial(t, v)}
        same(library, expected, named(names, y), t, v)
    course = engine.simulate(library.model, library.parameters(**v), None, 0.0, np.array([14.0, 28.0, 42.0]), rtol=1e-9)
    for i, t in enumerate((14.0, 28.0, 42.0)):
        found = [course.output(name)[0, i] for name in names]
        assert np.allclose(found, expectancy.course(t, v), rtol=1e-6, atol=1e-9)
    assert expectancy.course(28.0, library.values | {"t_treat_start": 14.0})[0] == pytest.approx(0.76 * 0.25, abs=1e-4)


def test_night_of_sleep() -> None:
    library = Library("sleep")
    for i in range(30):
        v = drawn(library, age_decades=RNG.uniform(-2, 4), mood_shift=RNG.normal(0, 0.5))
        tst, t, awake = RNG.uniform(5, 9), RNG.uniform(3, 4), float(i % 2)
        hour = 24 * (t % 1)
        expected = {
            "own_awakenings_per_h": sleep.own_awakenings_per_h(v),
            "awakening_rate": sleep.awakening_rate(tst, v),
            "awakening_log_rel": sleep.awakening_log_rel(tst, v),
            "waso_min": sleep.waso_min(tst, v),
            "sleep_latency_min": sleep.sleep_latency_min(v),
            "daylight": sleep.daylight(hour, v),
            "light_lux": sleep.light_lux(hour, awake, v),
        }
        same(library, expected, {"tst_h": tst, "awake": awake}, t, v)


def melatonin_case(awake: float) -> None:
    library, names = Library("sleep"), ("mel_nat", "mel_pineal", "melatonin_pmol_l")
    for i in range(20):
        v = drawn(library)
        t, y, made = RNG.uniform(3, 4), RNG.uniform(0, (8, 30, 250)), i % 2
        expected = named(names, sleep.melatonin_rates(24 * (t % 1), awake, bool(made), y, v))
        same(library, expected, named(names, y) | {"melatonin_on": float(made), "awake": awake}, t, v)


def test_melatonin_in_the_dark() -> None:
    melatonin_case(0.0)


def test_melatonin_in_light() -> None:
    melatonin_case(1.0)


HPA = ("x1_crh", "x2_acth", "x3_cort", "gland_p", "gland_a", "cort_day_rel")


def hpa_case(*moved: str) -> None:
    """Random states; of what raises the drive only the inputs in `moved` are off their baseline."""
    library = Library("hpa")
    for i in range(20):
        v = drawn(library, awakening_pulse_on=float(i % 3 > 0), glands_move=float(i % 2), t_wake=10.3)
        v["cbtmin_h"] = RNG.uniform(2, 6)
        still = {"il6_pg_ml": v["il6_0_pg_ml"], "stress": 0.0, "vagal_tone": 1.0}
        v |= {name: value for name, value in still.items() if name not in moved}
        t, y = RNG.uniform(10.31, 11.2), np.exp(RNG.normal(0, 0.4, 6))
        expected = named(HPA, hpa.library_rates(t, y, v)) | {
            "clock_h": hpa.clock_h(t, v["cbtmin_h"], v),
            "stress_gain": hpa.stress_gain(v),
            "hpa_gain": hpa.gain(v),
            "awakening_gain": hpa.awakening_gain(v),
            "awakening_drive": hpa.awakening_drive(t, v),
            "cortisol_nmol_l": v["cortisol_scale"] * y[2],
        }
        same(library, expected, named(HPA, y), t, v)


@pytest.mark.parametrize("moved", ["il6_pg_ml", "stress", "vagal_tone"])
def test_hpa_with_one_cause(moved: str) -> None:
    hpa_case(moved)


def test_hpa_with_all_causes() -> None:
    hpa_case("il6_pg_ml", "stress", "vagal_tone")


def test_hpa_drive_has_a_floor() -> None:
    library = Library("hpa")
    v = library.values | {"stress": -9.0}
    assert hpa.gain(v) == v["hpa_gain_least"]
    same(library, {"hpa_gain": hpa.gain(v)}, {}, 0.0, v)


def test_hpa_without_the_awakening_pulse() -> None:
    # The README prints +1.6 nmol/l in the hour before waking, +1.1 in the hour after, 7.6 to 8.4 at 15 to 60 min.
    p = hpa.PARAMETERS | {"Aw": 0.0}
    hours = np.array([0, 15.67 / 60, 1.0, 61.44 / 60, 23.0, 23.9999])
    cortisol = p["scale_nmol_per_l"] * hpa.one_day(hpa.entrained(p), p, 7.0, hours)[2]
    assert cortisol[2] - cortisol[0] == pytest.approx(1.1, abs=0.05)
    assert cortisol[5] - cortisol[4] == pytest.approx(1.6, abs=0.05)
    assert cortisol[1] == pytest.approx(7.6, abs=0.05)
    assert cortisol[3] == pytest.approx(8.4, abs=0.05)


def test_immune_additions() -> None:
    library = Library("immune")
    for i in range(20):
        v = drawn(library, sleep_reaches_il6=float(i % 2), low_grade_lps=float(i % 3 > 0))
        v |= {"tst_h": RNG.uniform(5, 9), "vagal_tone": RNG.uniform(0.5, 1.5), "lps_flux": RNG.uniform(0, 0.5)}
        y = np.exp(RNG.normal(np.log([0.5, 2e4, 500, 80, 100, 90, 12]), 0.5))
        p = windoloski.library_parameters(v)
        expected = named(IMMUNE, 24 * windoloski.rates(0.0, y, p, windoloski.lps_flux(v))) | {
            "il6_source": windoloski.il6_source(v),
            "il10_source": windoloski.il10_source(v),
            "vagal_damping": windoloski.vagal_damping(v),
        }
        same(library, expected, named(IMMUNE, y), 0.0, v)


def test_tryptophan_and_brain_serotonin() -> None:
    library, names = Library("serotonin"), ("trp_rel", "gut_5ht_rel")
    for i in range(20):
        v = drawn(library, gut_5ht_reaches_brain=float(i % 2))
        tph, kt, trp, gut = RNG.uniform(0.5, 1.5, 4)
        brain = serotonin.brain_serotonin(trp, gut, v)
        expected = named(names, serotonin.later_rates(tph, kt, trp, gut, v)) | {
            "brain_5ht_rel": brain,
            "melatonin_amp_rel": serotonin.melatonin_amplitude(brain, v),
        }
        same(library, expected, {"tph1_rel": tph, "ktr_rel": kt, "trp_rel": trp, "gut_5ht_rel": gut}, 0.0, v)


def test_vagal_tone_with_saturating_gaba() -> None:
    library = Library("vagus")
    for _ in range(20):
        v = drawn(library, stress=RNG.normal(), bif_fraction=0.05 * np.exp(RNG.normal(0, 1.5)))
        p = vagus_tone.PARAMETERS | {
            "e_SCFA": v["e_scfa_vagus"],
            "e_GABA": v["e_gaba_vagus"],
            "e_IL6": -v["e_il6_vagus"],
            "e_stress": -v["e_stress_vagus"],
            "tau_V_d": v["tau_vagus_d"],
        }
        gaba = 1 + vagus_tone.gaba(v["bif_fraction"] / v["bif_fraction0"], v["gaba_saturation"])
        inputs = (v["tscfa_mM"] / v["tscfa0_mM"], gaba, v["il6_pg_ml"] / v["il6_0_pg_ml"], v["stress"])
        tone = RNG.uniform(0.5, 2)
        expected = {
            "vagal_target": vagus_tone.target(*inputs, p),
            "vagal_tone": vagus_tone.rates(0.0, tone, p, *inputs),
            "rmssd_ms": np.exp(vagus_tone.ln_rmssd(np.log(v["rmssd0_ms"]), v["b_rmssd"], tone)),
        }
        same(library, expected, {"vagal_tone": tone}, 0.0, v)


def test_barrier() -> None:
    library = Library("barrier")
    for i in range(30):
        v = drawn(library, butyrate_turns=float(i % 2))
        v["butyrate_mM"] *= np.exp(RNG.normal(0, 1.5))
        b = RNG.uniform(0.5, 1.5)
        same(library, barrier.variables(b, v) | {"barrier": barrier.rate(b, v)}, {"barrier": b}, 0.0, v)


def test_crp() -> None:
    library = Library("crp")
    for _ in range(10):
        v = drawn(library, il6_pg_ml=RNG.uniform(0.5, 5))
        y = RNG.uniform(0.3, 3)
        same(library, {"crp_rel": crp.rate(y, v)}, {"crp_rel": y}, 0.0, v)


def test_lactoferrin() -> None:
    library = Library("lactoferrin")
    for _ in range(30):
        v = drawn(library, Kd_lactoferrin_nM=np.exp(RNG.normal(0, 4)))
        y = named(("oral_lactoferrin", "intestine_lactoferrin_g", "lactoferrin_g"), np.exp(RNG.normal(0, 3, 3)))
        same(library, lactoferrin.rates(y, v) | lactoferrin.variables(y, v), y, 0.0, v)


def test_serotonin_and_vagus_rates() -> None:
    brain = Library("serotonin")
    for _ in range(10):
        tph, kt = RNG.uniform(0.5, 1.5, 2)
        ac, bu, il6 = RNG.uniform(20, 80), RNG.uniform(5, 40), RNG.uniform(0.5, 3)
        ours = brain.rates(
            {"tph1_rel": tph, "ktr_rel": kt},
            acetate_mM=ac,
            acetate0_mM=41.0,
            butyrate_mM=bu,
            butyrate0_mM=19.0,
            il6_pg_ml=1.5 * il6,
            il6_0_pg_ml=1.5,
        )
        p = serotonin.PARAMETERS | {"a_IDO": brain.values["a_ido"]}
        theirs = serotonin.rates(0.0, np.array([tph, kt]), p, ac, 41.0, bu, 19.0, il6)
        agree([ours["tph1_rel"], ours["ktr_rel"]], theirs)
    nerve = Library("vagus")
    for _ in range(10):
        tone, scfa, gaba, il6 = RNG.uniform(0.5, 2, 4)
        ours = nerve.rates(
            {"vagal_tone": tone},
            tscfa_mM=70 * scfa,
            tscfa0_mM=70.0,
            bif_fraction=0.05 * gaba,
            bif_fraction0=0.05,
            il6_pg_ml=1.5 * il6,
            il6_0_pg_ml=1.5,
            stress=0.5,
            gaba_saturation=1e12,  # the library's own guard against exploding ratios, off for the comparison
        )
        agree(
            [ours["vagal_tone"]], np.array([vagus_tone.rates(0.0, tone, vagus_tone.PARAMETERS, scfa, gaba, il6, 0.5)])
        )
