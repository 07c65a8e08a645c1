"""Commands in a folder of their own, files to run them on, and what a refusal must look like."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_trial import MAPPING, SAMPLES, SCORES, SMALL, TAXA, Result, process_in, vagus_in

from vagus.population import draw

NOBODY = 65534

Command = Callable[..., Result]


@pytest.fixture
def vagus(tmp_path) -> Command:
    """Run a command in this process; its working folder is `tmp_path`."""
    return lambda *arguments, **environment: vagus_in(tmp_path, *arguments, **environment)


@pytest.fixture
def process(tmp_path) -> Command:
    """Run a command in a process of its own; its working folder is `tmp_path`."""
    return lambda *arguments, **environment: process_in(tmp_path, *arguments, **environment)


@pytest.fixture
def protocol(tmp_path) -> Callable[..., str]:
    """Write the small protocol with some texts replaced, and return its name."""

    def write(*changes: tuple[str, str], name: str = "small.yaml") -> str:
        text = SMALL
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def data(tmp_path, protocol) -> Callable[..., str]:
    """Write the protocol and a folder of data with some texts replaced, and return the folder's name."""

    def write(**changes: tuple[str, str]) -> str:
        protocol()
        folder = tmp_path / "data"
        folder.mkdir()
        texts = {"scores": SCORES, "samples": SAMPLES, "taxa": TAXA, "mapping": MAPPING}
        for name, (old, new) in changes.items():
            assert old in texts[name]
            texts[name] = texts[name].replace(old, new)
        for name, text in texts.items():
            (folder / f"{name}.{'yaml' if name == 'mapping' else 'csv'}").write_text(text, encoding="utf-8")
        return "data"

    return write


@pytest.fixture
def refused(tmp_path) -> Callable[..., None]:
    """Check that a command was refused: exit code 1, one message on stderr, nothing on stdout, nothing left behind."""

    def check(result: Result, *words: str, line: str = "", problems: int = 1) -> None:
        assert result.code == 1, result
        assert result.out == ""
        assert "Traceback" not in result.err
        assert "error of vagus" not in result.err
        lines = result.err.splitlines()
        assert len(lines) == (1 if problems == 1 else problems + 1), result.err
        for word in words:
            assert word in result.err
        if line:
            assert lines[-1].rstrip().endswith(f"({line})"), result.err
        assert not (tmp_path / "runs").exists()
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

    return check


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, Result]:
    """Folder in which the small protocol was run with ``--json`` (into ``runs/small``), and what that printed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    result = vagus_in(folder, "run", "small.yaml", "--draws", "2", "--jobs", "2", "--seed", "3", "--json")
    assert result.code == 0, result.err
    return folder, result


@pytest.fixture
def few_candidates(monkeypatch) -> None:
    """Screen some hundred candidates instead of 20 000 before criteria are called unreachable."""
    monkeypatch.setattr(draw, "CANDIDATES_LEAST", 300)
    monkeypatch.setattr(draw, "CANDIDATES_PER_SUBJECT", 1)


@pytest.fixture
def plain_folder() -> Iterator[Path]:
    """Give a folder that everybody can reach (those of pytest are private)."""
    folder = Path(tempfile.mkdtemp(prefix="vagus-test-"))
    folder.chmod(0o777)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


@pytest.fixture
def vagus_as_nobody(plain_folder) -> Command:
    """Run a command in this process without root's right to read and write everything."""

    def run_it(*arguments: str) -> Result:
        if not hasattr(os, "geteuid"):
            pytest.skip("needs the permissions of a POSIX system")
        if os.geteuid() != 0:
            return vagus_in(plain_folder, *arguments)
        vagus_in(plain_folder, *arguments[:1], "--help")  # loads what nobody may not be able to read
        try:
            os.seteuid(NOBODY)
        except PermissionError:
            pytest.skip("this root cannot become somebody else")
        try:
            return vagus_in(plain_folder, *arguments)
        finally:
            os.seteuid(0)

    return run_it
