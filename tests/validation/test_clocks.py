"""Body clocks, sleep and melatonin against the package circadian, BioModels and the printed values."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from vagus import engine, resources
from vagus.errors import ModelError
from vagus.model import antimony_to_sbml
from vagus.validation import check_submodels
from vagus.validation.clocks import CLOCKS, circadian_model
from vagus.validation.runs import run_published

HERE = {*CLOCKS, "skeldon2023", "sleep", "brown1997"}
RNG = np.random.default_rng(7)


def test_every_benchmark_is_met() -> None:
    checks = list(check_submodels(HERE))
    assert len(checks) > 40
    missed = [check.benchmark.name for check in checks if check.failed and not check.error.startswith("not run")]
    assert missed == []


def test_what_needs_the_package_says_that_it_was_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    checks = [check for check in check_submodels({"forger1999"}) if "package" in check.benchmark.name]
    assert checks
    for check in checks:
        assert check.error.startswith("not run: circadian is not installed")
        assert not check.ok
        assert not check.accepted


def test_another_version_of_the_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("circadian", reason="circadian is not installed")
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.0")
    with pytest.raises(ModelError, match=r"must be 1\.0\.3, got 2\.0"):
        circadian_model("Forger99")


def published(name: str, constants: tuple[str, ...]) -> engine.Model:
    return engine.load(antimony_to_sbml(resources.text("model", "published", name, "model.ant"), name), constants)


@pytest.mark.parametrize(
    ("name", "package", "states"),
    [
        ("forger1999", "Forger99", ("x", "xc", "n")),
        ("jewett1999", "Jewett99", ("x", "xc", "n")),
        ("hannay2019", "Hannay19", ("R", "psi", "n")),
        ("hannay2019_two", "Hannay19TP", ("Rv", "Rd", "psiv", "psid", "n")),
        ("skeldon2023", "Skeldon23", ("x", "xc", "n", "H")),
    ],
)
def test_rates_are_those_of_the_package(name: str, package: str, states: tuple[str, ...]) -> None:
    pytest.importorskip("circadian", reason="circadian is not installed")
    theirs = circadian_model(package)
    light = "lux_day" if name == "skeldon2023" else "lux"
    ours = published(name, (light,))
    for _ in range(20):
        state = np.array([RNG.uniform(11, 15) if s == "H" else RNG.uniform(0.1, 1) for s in states])
        lux = float(RNG.uniform(0, 2000))
        initial = ours.initial_values(np.array([[lux]]))
        for place, state_name in enumerate(states):
            initial[0, ours.state_index(state_name)] = state[place]
        rates = engine.evaluate(ours, np.array([[lux]]), initial, 12.0).rates[0]  # noon: the lights are on
        found = [rates[ours.state_index(state_name)] for state_name in states]
        assert np.allclose(found, theirs.derv(12.0, state, lux), rtol=1e-10, atol=1e-12)


def test_melatonin_is_that_of_the_biomodels_file(shared: Path) -> None:
    file = shared / "model" / "sources" / "sbml" / "BIOMD0000000672.xml"
    theirs = engine.load(file.read_text())
    minutes = np.arange(0.0, 2881.0, 5.0)
    course = engine.simulate(theirs, [[]], output_times=minutes, rtol=1e-9)
    ours = run_published("brown1997", minutes, ["H2"], rtol=1e-9)["H2"]
    assert np.allclose(ours, course.output("H2")[0], rtol=1e-5, atol=1e-6)


def test_light_moves_a_clock_and_no_light_lets_it_run_free() -> None:
    dark = run_published("forger1999", 24.0 * np.arange(20, 60), ["cbtmin"], {"lux": 0.0})["cbtmin"]
    drift = np.diff(np.unwrap(dark, period=24.0)).mean()
    assert drift == pytest.approx(0.2, abs=0.02)  # intrinsic period 24.2 h
    light = run_published("forger1999", 24.0 * np.arange(40, 60), ["cbtmin"])["cbtmin"]
    assert np.ptp(light) < 1e-3


def test_the_chosen_values_sleep_an_hour_less_than_those_of_30_years() -> None:
    at = [24.0 * 60 + 14.0]
    typical = run_published("skeldon2023", at, ["slept"])["slept"][0]
    young = run_published("skeldon2023", at, ["slept"], {"mu": 18.67, "ca": 2.72})["slept"][0]
    assert young - typical == pytest.approx(0.9, abs=0.05)
