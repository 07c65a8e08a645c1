"""The map is true: folders, layers and what a start loads."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "vagus"


def packages() -> set[str]:
    return {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_the_folder_table_holds_every_folder_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.split("| folder | holds |")[1].split("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
    assert named == packages()


def test_the_single_modules_are_named() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for path in SOURCE.glob("*.py"):
        if not path.stem.startswith("__"):
            assert f"`{path.stem}`" in text, path.stem


def test_the_layers_name_every_package() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    named = {name.strip(" ()") for line in contract["layers"] for name in re.split("[:|]", line)}
    assert packages() <= named
    assert contract["exhaustive"] is True


@pytest.mark.parametrize(
    "folder", sorted(path.name for path in (SOURCE / "model" / "library").iterdir() if path.is_dir())
)
def test_each_submodel_has_its_four_files(folder: str) -> None:
    from vagus.model import submodel_names
    from vagus.model.infants import PARTS

    assert folder in (*submodel_names(), *PARTS)
    for name in ("model.ant", "parameters.csv", "variables.csv", "README.md"):
        assert (SOURCE / "model" / "library" / folder / name).stat().st_size > 100


def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys, vagus; print(sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'pandas', 'numba'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_resources_reads_shipped_files_and_nothing_evaluates_text() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])(eval|exec)\(", text), path
        if path.name != "resources.py":
            assert "importlib.resources" not in text, path


def test_random_numbers_come_from_streams_only() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.name == "rng.py":
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"default_rng\(|np\.random\.(rand|normal|seed|uniform)|^import random", text, re.MULTILINE
        ), path
