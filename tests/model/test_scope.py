"""Every claim of the articles has a row, and every row stands on something that exists."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

from vagus import resources
from vagus.evidence.citations import references
from vagus.model.couplings import couplings
from vagus.model.scope import TREATMENTS, claim_links, mechanisms

ROOT = Path(__file__).parents[2]
NAMED = (
    "IL-1 beta",
    "dopamine",
    "iron absorption by lactoferrin",
    "microbial help with vitamin D and magnesium",
    "diversity of the microbiome",
    "Coprococcus and Dialister",
    "sleep changes the microbiome",
    "decoys against pathogens in adults",
    "composition of the commercial milk oligosaccharide blend",
    "behavior of stressed rats under lactoferrin",
    "antibodies against lactoferrin",
    "fecal transplants from depressed people",
    "sleep stages, deep sleep",
)


def test_no_claim_of_the_articles_is_missing(shared: Path) -> None:
    with (shared / "evidence" / "claims.csv").open(encoding="utf-8") as file:
        ids = [row["claim_id"] for row in csv.DictReader(file)]
    assert [link.claim_id for link in claim_links()] == ids


def test_no_row_is_about_nothing() -> None:
    claims = {row["claim_id"] for row in resources.rows("evidence", "data", "claims.csv")}
    rows = resources.rows("model", "library", "claims.csv")
    assert {row["claim_id"] for row in rows} == claims
    assert len(rows) == len(claims)
    submodels = {path.name for path in (ROOT / "src/vagus/model/library").iterdir() if path.is_dir()}
    for link in claim_links():
        assert link.treatment in TREATMENTS, link
        assert bool(link.submodel) == (link.treatment in ("modelled", "switch")), link
        assert bool(link.couplings) == bool(link.submodel), link
        assert not link.submodel or link.submodel in submodels, link
        assert link.what, link


def test_what_is_named_is_modelled_or_said_not_to_be() -> None:
    known = references()
    submodels = {path.name for path in (ROOT / "src/vagus/model/library").iterdir() if path.is_dir()}
    for item in mechanisms():
        assert item.treatment in TREATMENTS, item
        assert item.reason, item
        assert item.study_id in known, item
        assert not item.submodel or item.submodel in submodels, item
        assert item.submodel or item.treatment in ("not modelled", "evidence only"), item
    assert set(NAMED) <= {item.mechanism for item in mechanisms()}


def test_a_switched_off_link_is_off_in_the_table() -> None:
    off = {row["parameter"] for row in resources.rows("model", "library", "switches.csv") if row["default"] == "off"}
    assert off
    assert all(link.sign == "0" for link in couplings() if link.parameter in off)


def test_the_page_is_what_the_tables_say() -> None:
    spec = importlib.util.spec_from_file_location("write_mechanisms", ROOT / "scripts" / "write_mechanisms.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "mechanisms.md").read_text(encoding="utf-8") == module.document()
