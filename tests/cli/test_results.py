"""What a run prints and writes: one JSON object, the published words as stored, the same bytes for the same seed."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_trial import SMALL, vagus_in

from vagus import resources
from vagus.api import PEOPLE_PER_DRAW
from vagus.design import prediction

TIME = re.compile(rb"\d+\.\d s on \d+ threads?, audit \d+\.\d s")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, without the time that the report tells."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    for name in ("report.html", "report.json"):
        found[name], times = TIME.subn(b"", found[name])
        assert times == 1
    return found


@pytest.fixture(scope="module")
def efficad(tmp_path_factory) -> dict:
    """The published trial with two people an arm."""
    folder = tmp_path_factory.mktemp("efficad")
    result = vagus_in(folder, "run", "efficad", "--set", "population.n=8", "--draws", "0", "--seed", "1", "--json")
    assert result.code == 0, result.err
    assert result.err == ""
    return json.loads(result.out)


def stored_rows() -> list[dict[str, str]]:
    """Rows of the study in the shipped table, read here without the package's own reader."""
    lines = resources.text("evidence", "data", "outcomes.csv").splitlines()
    return [row for row in csv.DictReader(lines) if row["study_id"] == "jackson2023_efficad"]


def words(row: dict[str, str]) -> dict[str, str]:
    return {"direction": row["value"], "contrast": row["contrast_vs"] or "not stated", "as_worded": row["note"]}


OURS = {"bifidobacterium_faecal": "bifidobacterium_rel_abundance_pct", "car_salivary": "car_auc_i_nmol_min_l"}


def test_every_published_effect_stands_beside_its_estimate_as_stored(efficad):
    effects = {
        (row["arm"], OURS.get(row["outcome"], row["outcome"])): words(row)
        for row in stored_rows()
        if row["arm"] != "all" and row["contrast_vs"] in ("", "placebo")
    }
    assert len(effects) == 3 * 7  # Bifidobacterium, BDI, both STAI, both PANAS, cortisol response; three arms
    shown = {(row["arm"], row["outcome"]): row for row in efficad["estimates"]}
    for key, published in effects.items():
        estimate = shown[key]
        assert estimate["published"] == published
        assert estimate["contrast"] == "placebo"
        assert estimate["ci_low"] <= estimate["estimate"] <= estimate["ci_high"]
    assert {key for key, row in shown.items() if row["published"]} == set(effects)
    assert {row["published"]["contrast"] for row in shown.values() if row["published"]} == {"not stated", "placebo"}


def test_what_is_no_effect_of_an_arm_is_listed_apart(efficad):
    rest = [row for row in stored_rows() if row["arm"] == "all" or row["contrast_vs"] not in ("", "placebo")]
    assert len(rest) == 4
    assert efficad["published_apart"] == [
        {"arm": row["arm"], "outcome": row["outcome"], "week": row["week"], **words(row)} for row in rest
    ]


def test_every_planned_contrast_is_there_with_all_its_fields(efficad):
    assert set(efficad) == {"verdict", "estimates", "rests_on", "status", "notes", "published_apart", "numerics"}
    assert {row["arm"] for row in efficad["estimates"]} == {"OF", "OF+2FL", "2FL"}
    assert len(efficad["estimates"]) == 3 * 10
    fields = {"estimand", "outcome", "arm", "contrast", "visit", "statistic", "estimate", "se", "ci_low", "ci_high"}
    fields |= {"df", "p_value", "n", "published"}
    assert all(fields <= set(row) for row in efficad["estimates"])


def test_json_holds_no_time_path_or_run_id(finished):
    folder, result = finished
    assert isinstance(json.loads(result.out), dict)
    assert result.err == ""
    for word in (str(folder), "runs/", "small.yaml", "report.html", folder.name):
        assert word not in result.out
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d", result.out)


def test_the_same_seed_gives_the_same_bytes_whatever_the_jobs(finished, tmp_path):
    """Standard output and every file of the run."""
    folder, first = finished
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    arguments = ("run", "small.yaml", "--draws", "2", "--seed", "3", "--json")
    for number, jobs in enumerate(("1", "2")):
        again = vagus_in(tmp_path, *arguments, "--jobs", jobs, "--out", f"again-{number}")
        assert again.code == 0, again.err
        assert again.out == first.out
        assert contents(tmp_path / f"again-{number}") == contents(folder / "runs" / "small")


def test_the_same_bytes_from_a_process_of_its_own(finished, process, protocol):
    again = process("run", protocol(), "--draws", "2", "--seed", "3", "--jobs", "2", "--json")
    assert (again.code, again.err) == (0, "")
    assert again.out == finished[1].out


def test_the_precision_and_the_work_of_the_engine_are_stated(finished):
    folder = finished[0] / "runs" / "small"
    numerics = json.loads(finished[1].out)["numerics"]
    assert (numerics["simulations"], numerics["handed_over"], numerics["audited"]) == (2 * (8 + 2 * 6), 0, 8)
    assert numerics["bits"] in (32, 64)
    assert numerics["p99_error"] < 1e-3
    assert numerics["p99_error"] <= numerics["worst_error"]
    assert not {"seconds", "audit_seconds", "threads"} & set(numerics)
    line = json.loads((folder / "run.json").read_text())["provenance"]["numerics"]
    assert line.startswith(f"{numerics['bits']}-bit numbers; 8 audited simulations within ")
    stiff = f"{numerics['stiff']} of them partly stiff, " if numerics["stiff"] else ""
    assert line.endswith(f"40 simulations, {stiff}all in lanes")
    for name in ("report.html", "report.json"):
        assert line in (folder / name).read_text(encoding="utf-8")
    store = json.loads((folder / "trajectories.zarr" / "zarr.json").read_text())
    assert store["attributes"]["numerics"] == line
    assert store["attributes"]["max_relative_error"] < 6.2e-5


def test_another_seed_gives_another_trial(finished, vagus, protocol):
    other = vagus("simulate", protocol(), "--seed", "4", "--json")
    assert other.code == 0, other.err
    analyzed = vagus("analyze", "small.yaml", "--json")
    first = json.loads(finished[1].out)["estimates"][0]["details"]["simulated_trial"]["estimate"]
    assert json.loads(analyzed.out)["estimates"][0]["estimate"] != first


def test_the_run_folder_says_how_to_make_it_again(finished, tmp_path):
    folder = finished[0] / "runs" / "small"
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "complete"
    assert (record["simulations"], record["failed_simulations"]) == (2 * (8 + 2 * PEOPLE_PER_DRAW), 0)
    assert record["provenance"]["command"] == "vagus run protocol.yaml --seed 3 --draws 2"
    assert {"numpy", "llvmlite", "statsmodels"} <= set(record["packages"])
    (tmp_path / "protocol.yaml").write_bytes((folder / "protocol.yaml").read_bytes())
    again = vagus_in(tmp_path, *record["provenance"]["command"].split()[1:], "--json")
    assert again.code == 0, again.err
    assert again.out == finished[1].out


def test_the_words_name_the_report_and_progress_goes_to_stderr(vagus, protocol):
    result = vagus("run", protocol(), "--draws", "0", COLUMNS="60")
    assert result.code == 0
    assert result.out.startswith("Small trial\n")
    assert result.out.endswith("\nReport: runs/small/report.html\n")
    assert max(map(len, result.out.splitlines())) <= 60
    assert result.err.splitlines()[:3] == ["people ...", "body clocks ...", "simulation ..."]


def test_failed_simulations_are_counted_and_the_exit_code_says_partial(vagus, protocol, monkeypatch, tmp_path):
    whole = prediction.simulate_arms

    def one_fails(*arguments, **options):
        courses = whole(*arguments, **options)
        course = courses["hmo"]
        values = course.values.copy()
        values[0] = np.nan
        courses["hmo"] = replace(
            course, values=values, status=("the step size fell below its limit", *course.status[1:])
        )
        return courses

    monkeypatch.setattr(prediction, "simulate_arms", one_fails)
    result = vagus("run", protocol(), "--draws", "0", "--json")
    assert result.code == 3, result.err
    assert json.loads(result.out)["status"] == "partial: 1 of 16 simulations failed"
    assert result.err == "Partial: 1 of 16 simulations failed; the results rest on the others.\n"
    record = json.loads((tmp_path / "runs" / "small" / "run.json").read_text())
    assert (record["simulations"], record["failed_simulations"]) == (16, 1)
