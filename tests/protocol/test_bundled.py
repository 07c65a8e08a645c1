"""The protocols that ship with the package, and reading by path or id."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from vagus.errors import InputError
from vagus.io.protocols import read_protocol
from vagus.protocol import bundled, bundled_text, parse


def doses(protocol_id: str) -> dict[str, dict[str, float]]:
    arms = read_protocol(protocol_id).arms
    return {name: {dose.product: dose.grams_per_day for dose in arm.doses} for name, arm in arms.items()}


def test_the_list() -> None:
    assert set(bundled()) >= {"efficad", "hmo-sleep", "baxter2019"}
    assert not any("mapping" in name for name in bundled())


@pytest.mark.parametrize("protocol_id", bundled())
def test_each_reads_and_goes_to_yaml_and_back(protocol_id: str) -> None:
    protocol = read_protocol(protocol_id)
    assert protocol.id == protocol_id
    assert protocol.source_file == f"{protocol_id} (bundled)"
    assert protocol.plan[0].estimand == "primary"
    assert parse(protocol.to_yaml(), "again").protocol_hash == protocol.protocol_hash


def test_efficad_as_published() -> None:
    protocol = read_protocol("efficad")
    assert protocol.published == "jackson2023_efficad"
    assert doses("efficad") == {
        "placebo": {"maltodextrin": 10.0},
        "OF": {"oligofructose": 8.0, "maltodextrin": 2.0},
        "OF+2FL": {"oligofructose": 8.0, "2FL": 2.0},
        "2FL": {"2FL": 2.0, "maltodextrin": 8.0},
    }
    assert protocol.arm_sizes() == {"placebo": 23, "OF": 23, "OF+2FL": 23, "2FL": 23}
    assert (protocol.schedule.run_in_days, protocol.schedule.treat_days) == (7.0, 28.0)
    assert protocol.population.entry == {"bdi": (14.0, 28.0)}
    assert protocol.visit_labels == ("baseline", "week 4")
    assert {item.outcome for item in protocol.plan} == {
        "bdi",
        "bifidobacterium_rel_abundance_pct",
        "stai_state",
        "stai_trait",
        "panas_positive",
        "panas_negative",
        "psqi",
        "car_auc_i_nmol_min_l",
        "car_peak_increase_nmol_l",
        "cortisol_awakening_nmol_l",
    }
    for item in protocol.plan:
        assert set(item.arms) == {"OF", "OF+2FL", "2FL"}
        assert item.reference == "placebo"
    mood = {item.outcome for item in protocol.plan if item.family == "mood"}
    assert mood == {"stai_state", "stai_trait", "panas_positive", "panas_negative"}
    assert protocol.analysis.multiplicity["mood"] == "holm"


def test_efficad_arms_are_those_of_the_evidence_base(shared: Path) -> None:
    rows = pd.read_csv(shared / "evidence" / "outcomes.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["study_id"] == "jackson2023_efficad"]
    protocol = read_protocol("efficad")
    assert set(rows["arm"]) - {"all"} <= set(protocol.arms)
    assert set(rows["contrast_vs"]) - {""} <= set(protocol.arms)


def test_hmo_sleep_is_the_missing_trial() -> None:
    protocol = read_protocol("hmo-sleep")
    assert doses("hmo-sleep") == {"placebo": {"maltodextrin": 5.0}, "hmo": {"2FL": 4.0, "LNnT": 1.0}}
    schedule = protocol.schedule
    assert (schedule.run_in_days, schedule.treat_days, schedule.follow_days) == (14.0, 56.0, 14.0)
    assert (protocol.plan[0].outcome, protocol.plan[0].method) == ("isi", "ancova")
    assert protocol.population.n == 120
    assert set(protocol.measures) == {"ISI", "PSQI", "sleep_diary", "actigraphy", "stool_16S", "saliva_CAR"}


def test_baxter_as_in_its_files(shared: Path) -> None:
    table = pd.read_csv(shared / "data" / "baxter2019_prebiotic_trial" / "samples.tsv", sep="\t")
    during = table[table["period_before_after"] == "during"]
    labels = during.groupby("arm")["dose_g_day"].first().to_dict()
    assert {arm: sum(products.values()) for arm, products in doses("baxter2019").items()} == labels
    protocol = read_protocol("baxter2019")
    assert protocol.arm_sizes() == table.groupby("arm")["subject"].nunique().to_dict()
    assert protocol.population.n == table["subject"].nunique()


def test_baxter_plan() -> None:
    protocol = read_protocol("baxter2019")
    assert protocol.control == "accessible"
    assert protocol.visit_labels == ("baseline", "week 2")
    butyrate, bifidobacterium = protocol.plan[:2]
    assert (butyrate.outcome, butyrate.method, butyrate.reference) == (
        "faecal_butyrate_mmol_kg",
        "log_ancova",
        "accessible",
    )
    assert (bifidobacterium.method, bifidobacterium.reference) == ("fold_change", "baseline")
    assert bifidobacterium.arms == ("accessible", "himaize", "potato", "inulin")


def test_a_file_is_read_with_settings_and_named_as_the_user_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(bundled_text("hmo-sleep"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    protocol = read_protocol("mine.yaml", {"population.n": "40"})
    assert (protocol.source_file, protocol.population.n) == ("mine.yaml", 40)


def message(path: str) -> str:
    with pytest.raises(InputError) as caught:
        read_protocol(path)
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert message("eficad") == (
        'A protocol must be a file or a bundled id, got "eficad", which is neither; did you mean "efficad"?'
    )
    assert "got a folder; name the YAML file inside it" in message(str(tmp_path))
    assert "which is neither" in message(str(tmp_path / "no" / "such.yaml"))
    assert "which is neither" in message("a\x00b")
    empty = tmp_path / "empty.yaml"
    empty.touch()
    assert message(str(empty)).startswith("A protocol must not be empty")


def test_fifty_megabytes_are_refused_unread(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    with big.open("wb") as file:
        file.truncate(50_000_000)
    assert message(str(big)).startswith("A protocol must be at most 256 kB, got 50.0 MB")
