"""The engine beside others: the SBML semantic test suite, libRoadRunner, published models, a workload of 70 states."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vagus.engine import Doses, load, simulate

Convert = Callable[[str], str]
NOBODY = np.zeros((1, 0))

# ---------------------------------------------------------------------- the SBML semantic test suite

EVERY = 9  # every ninth case, and beside them the rare constructs:
RARE = (
    *("00173", "00269", "00957", "00961"),  # factorial, inverse functions, avogadro
    *("00191", "00201", "00279", "01113", "01115"),  # piecewise and logic
    *("00851", "00869", "00975", "00977"),  # time, conversion factors
    *("00049", "00239", "00489", "00951"),  # a compartment without size, NaN and infinity
)


def worst_difference(folder: Path, case: str) -> float:
    """Return the largest difference from the expected table, in units of what the case allows."""
    import libsbml

    lines = (folder / f"{case}-settings.txt").read_text().splitlines()
    settings = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    with (folder / f"{case}-results.csv").open(newline="") as file:
        head, *rows = [row for row in csv.reader(file) if row]
    expected = np.array(rows, dtype=float)
    text = (folder / f"{case}.xml").read_text(encoding="utf-8")
    names = [name.strip() for name in settings["variables"].split(",")]
    amounts = {name.strip() for name in settings["amount"].split(",")}
    document = libsbml.readSBMLFromString(text)
    species = {name: document.getModel().getSpecies(name) for name in names}
    volumes = {name: item.getCompartment() for name, item in species.items() if item is not None}
    model = load(text, outputs=[*names, *dict.fromkeys(volumes.values())])
    found = simulate(model, NOBODY, output_times=expected[:, 0], rtol=1e-9, atol=1e-14)
    assert found.messages == ("ok",)
    worst = 0.0
    for name in names:
        values, table = found.output(name)[0], expected[:, [item.strip() for item in head].index(name)]
        if name in volumes:
            size = found.output(volumes[name])[0]
            if species[name].getHasOnlySubstanceUnits() and name not in amounts:
                values = values / size
            elif not species[name].getHasOnlySubstanceUnits() and name in amounts:
                values = values * size
        allowed = float(settings["absolute"]) + float(settings["relative"]) * np.abs(table)
        same = (values == table) | (np.isnan(values) & np.isnan(table))
        with np.errstate(invalid="ignore"):
            away = np.where(same, 0.0, np.abs(values - table) / allowed)
        worst = max(worst, float(np.nan_to_num(away, nan=np.inf).max()))
    return worst


def test_semantic_test_suite(shared: Path) -> None:
    folder = shared / "sbml_test_suite"
    cases = sorted(path.stem for path in folder.glob("*.xml"))
    chosen = sorted({*cases[::EVERY], *RARE})
    assert len(chosen) >= 40
    assert {case: worst for case in chosen if (worst := worst_difference(folder, case)) > 1} == {}


# ---------------------------------------------------------------------- libRoadRunner


def by_roadrunner(text: str, end: float, points: int, names: tuple[str, ...], amounts: frozenset[str]) -> Any:
    """Integrate with CVODE at tight tolerances."""
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner comes with the dev extra")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    peer = roadrunner.RoadRunner(text)
    peer.integrator.relative_tolerance = 1e-10
    peer.integrator.absolute_tolerance = 1e-13
    peer.integrator.maximum_num_steps = 1_000_000
    species = {*peer.model.getFloatingSpeciesIds(), *peer.model.getBoundarySpeciesIds()}
    columns = [f"[{name}]" if name in species and name not in amounts else name for name in names]
    return np.array(peer.simulate(0, end, points, ["time", *columns]))[:, 1:]


def compare(text: str, end: float, points: int = 51, **settings: Any) -> float:
    """Return the largest relative difference between the two (a thousandth of a state's largest value as floor)."""
    model = load(text)
    t = np.linspace(0, end, points)
    found = simulate(model, NOBODY, output_times=t, **{"rtol": 1e-9, "atol": 1e-13, **settings})
    assert found.messages == ("ok",)
    peer = by_roadrunner(text, end, points, model.states, model.amounts)
    scale = np.abs(peer) + 1e-3 * np.abs(peer).max(axis=0) + 1e-12
    return float((np.abs(found.values[0] - peer) / scale).max())


PUBLISHED = {
    "BIOMD0000000672.xml": 48.0,  # melatonin, with piecewise in time
    "BIOMD0000000714.xml": 200.0,  # acute inflammation
    "BIOMD0000001072.xml": 100.0,  # events, and jumps of time
    "MODEL0912835813.xml": 100.0,  # stiff, with jumps of time
    "MODEL0911270004.xml": 100.0,  # the stress axis
}


@pytest.mark.parametrize("file", PUBLISHED)
def test_published_models(shared: Path, file: str) -> None:
    text = (shared / "model" / "sources" / "sbml" / file).read_text(encoding="utf-8")
    assert compare(text, PUBLISHED[file]) < 1e-6


MODELS = {
    "decay chain": ("k = 0.5; a = 2; b = 0; c = 0; a' = -k*a; b' = k*a - 0.2*b; c' = 0.2*b", 20.0),
    "reactions in two volumes": (
        "compartment u = 2, w = 0.5; species A in u, B in w, C in w; A = 5; B = 1; C = 0;"
        "R1: A -> B; 0.3*A*u; R2: 2 B -> C; 0.2*B^2*w; R3: C -> ; 0.1*C",
        30.0,
    ),
    "Robertson": (
        "A = 1; B = 0; C = 0; A' = -0.04*A + 1e4*B*C; B' = 0.04*A - 1e4*B*C - 3e7*B^2; C' = 3e7*B^2",
        100.0,
    ),
    "piecewise input": ("x = 0; u := piecewise(3, time < 2.5, 1, sin(time) > 0, 0); x' = u - 0.7*x", 15.0),
    "threshold events": (
        "x = 1; n = 0; x' = 0.4*x; at (x > 3): x = 0.5*x, n = n + 1; y = 0; y' = n - y",
        12.0,
    ),
    "bouncing ball": ("h = 5; v = 0; h' = v; v' = -9.81; at (h < 0 && v < 0): v = -0.9*v", 4.0),
    "events of time": ("s = 0; s' = -2*s; at (time > 1.25): s = s + 3; at (time > 2.75): s = s + 1", 5.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_small_models(sbml: Convert, name: str) -> None:
    body, end = MODELS[name]
    assert compare(sbml(body), end, points=38) < 2e-6


# ---------------------------------------------------------------------- a workload of 70 states

GUILDS = ("BIFA", "BIFB", "LACB", "BACT", "PREV", "FAEC", "ROSE", "AKKE", "ENTE", "VEIL")
SPREAD = {"ktP": 0.25, "ktD": 0.25, "dose": 0.1, "kBar": 0.3, "gLPS": 0.5, "gIL6": 0.4, "tauH": 0.08, "moodk": 0.3}


def test_accuracy_on_the_workload(shared: Path) -> None:
    """Gut to mood, 70 states, a dose a day: 99 of 100 values within 1e-4 at the default tolerance."""
    import antimony

    source = (shared / "engine" / "gutbrain.ant").read_text()
    source = re.sub(r"(?m)^\s*(tnext = 1|E1:.*)$", "", source)  # doses are given by the engine instead
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(source) >= 0
    parameters = [f"mu_{guild}" for guild in GUILDS] + list(SPREAD)
    model = load(antimony.getSBMLString("gutbrain"), parameters)
    assert len(model.states) == 70
    count, days = 6, 7
    random = np.random.default_rng(1)
    spread = np.array([0.15] * len(GUILDS) + list(SPREAD.values()))
    p = model.parameter_values * np.exp(spread * random.standard_normal((count, len(parameters))))
    start = model.initial_values(p) * np.exp(0.5 * random.standard_normal((count, len(model.states))) * 0.5)
    doses = Doses(
        person=np.repeat(np.arange(count), days),
        time=np.tile(np.arange(days), count),
        state=["STO"] * (count * days),
        amount=np.repeat(p[:, parameters.index("dose")], days),
    )
    t = np.arange(0.5, days + 0.5, 0.5)
    found = simulate(model, p, start, output_times=t, doses=doses)
    exact = simulate(model, p, start, output_times=t, doses=doses, rtol=1e-10)
    assert found.messages == ("ok",) * count
    away = np.abs(found.values - exact.values) / (
        np.abs(exact.values) + 1e-3 * np.abs(exact.values).max(axis=(0, 1)) + 1e-30
    )
    assert np.quantile(away, 0.99) <= 1e-4
    assert found.steps.mean() < 500 * days
