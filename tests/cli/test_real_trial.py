"""The real trial that ships its mapping with the package, through the command, to the printed digits."""

from __future__ import annotations

import json

import pytest
from small_trial import vagus_in

#: Arm -> fold change of Bifidobacterium [95 %], subjects; butyrate against the control arm, p.
FOLD = {
    "inulin": ("2.29 [1.77, 2.96]", 50),
    "potato": ("4.38 [2.77, 6.94]", 43),
    "himaize": ("0.85 [0.62, 1.18]", 43),
    "accessible": ("1.11 [0.85, 1.44]", 39),
}
BUTYRATE = {"potato": ("1.22", "0.04"), "inulin": ("0.97", "0.73"), "himaize": ("0.79", "0.01")}


@pytest.fixture(scope="module")
def folder(shared) -> str:
    place = shared / "data" / "baxter2019_prebiotic_trial"
    if not place.is_dir():
        pytest.skip("needs the files of the trial in ../shared")
    return str(place)


@pytest.fixture(scope="module")
def estimates(folder, tmp_path_factory) -> list[dict]:
    here = tmp_path_factory.mktemp("baxter")
    result = vagus_in(here, "analyze", "baxter2019", folder, "--json")
    assert (result.code, result.err) == (0, "")
    assert list(here.iterdir()) == []
    return json.loads(result.out)["estimates"]


def test_fold_changes_of_bifidobacterium(estimates):
    found = {
        row["arm"]: (f"{row['estimate']:.2f} [{row['ci_low']:.2f}, {row['ci_high']:.2f}]", row["n"])
        for row in estimates
        if row["statistic"] == "fold_change"
    }
    assert found == FOLD


def test_butyrate_against_the_control_arm(estimates):
    rows = [row for row in estimates if row["outcome"] == "faecal_butyrate_mmol_kg"]
    assert {row["arm"]: (f"{row['estimate']:.2f}", f"{row['p_value']:.2f}") for row in rows} == BUTYRATE
    assert {(row["contrast"], row["n"]) for row in rows} == {("accessible", 175)}


def test_a_report_in_a_folder_of_its_own(folder, tmp_path):
    result = vagus_in(tmp_path, "analyze", "baxter2019", folder, "--out", "analysis")
    assert result.code == 0, result.err
    assert {path.name for path in (tmp_path / "analysis").iterdir()} >= {"report.html", "estimates.csv", "run.json"}
    assert json.loads((tmp_path / "analysis" / "run.json").read_text())["status"] == "complete"
    assert [path.name for path in tmp_path.iterdir()] == ["analysis"]
