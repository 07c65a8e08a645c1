"""Usage errors, help, what is imported when, and what the user sees when vagus itself fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from vagus.cli.main import COMMANDS

#: What `vagus --help` has no use for.
HEAVY = (
    *("llvmlite", "numba", "libsbml", "antimony", "vl_convert", "statsmodels", "scipy", "pandas", "xarray", "zarr"),
    *("pyarrow", "numpy", "pydantic", "ruamel", "pint", "rich", "jinja2"),
)
INSIDE = ("vagus.api", "vagus.engine", "vagus.report", "vagus.simulation", "vagus.io", "vagus.protocol")

WRONG = {
    "unknown command": (["rum", "efficad"], ['got "rum"', 'did you mean "run"?', "Try: vagus --help"]),
    "unknown command, nothing near": (["frobnicate"], ["known: analyze, check, doctor", "simulate"]),
    "unknown option": (["run", "efficad", "--sed", "1"], ["--sed", "--seed", "Try: vagus run --help"]),
    "unknown option of vagus": (["--versoin"], ["--versoin", "--version"]),
    "no trial": (["run"], ["TRIAL", "Try: vagus run --help"]),
    "no run": (["report"], ["RUN"]),
    "one word too many": (["check", "efficad", "hmo-sleep"], ["hmo-sleep"]),
    "negative seed": (["run", "efficad", "--seed", "-1"], ["--seed must be", "0 or more", "got -1"]),
    "seed in words": (["run", "efficad", "--seed", "one"], ["--seed", "'one'"]),
    "no jobs": (["run", "efficad", "--jobs", "0"], ["--jobs must be", "got 0"]),
    "too many jobs": (["simulate", "efficad", "--jobs", "1000000"], ["--jobs must be", "got 1000000"]),
    "negative draws": (["run", "efficad", "--draws", "-1"], ["--draws must be", "got -1"]),
    "option without a value": (["run", "efficad", "--out"], ["--out"]),
    "unknown bundled protocol": (["protocols", "--show", "eficad"], ['got "eficad"', 'did you mean "efficad"?']),
}


@pytest.mark.parametrize("what", WRONG)
def test_usage_errors(vagus, refused, what):
    arguments, words = WRONG[what]
    refused(vagus(*arguments), *words)


def test_no_command_shows_the_help_and_fails(vagus):
    result = vagus()
    assert (result.code, result.out) == (1, "")
    assert "Usage: vagus" in result.err
    assert "Try:" not in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(vagus, command):
    for flag in ("--help", "-h"):
        result = vagus(command, flag)
        assert (result.code, result.err) == (0, "")
        assert f"Usage: vagus {command} " in result.out
        assert f"Example: vagus {command}" in result.out.splitlines()[-1]


def test_help_lists_every_command_in_a_narrow_terminal(vagus):
    result = vagus("--help", COLUMNS="60")
    assert all(f"  {name} " in result.out for name in COMMANDS)
    assert max(map(len, result.out.splitlines())) <= 60


def test_version(vagus):
    from vagus import __version__

    result = vagus("--version")
    assert (result.code, result.err) == (0, "")
    assert __version__ in result.out


def test_help_takes_less_than_half_a_second(tmp_path):
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "vagus", "--help"], cwd=tmp_path, capture_output=True, check=True)
        return time.perf_counter() - start

    once()  # compiles what a fresh checkout has not compiled yet
    assert min(once() for _ in range(3)) < 0.5


def test_help_imports_neither_engine_nor_plotting(tmp_path):
    lines = ["import sys", "from vagus.cli.main import COMMANDS, run", "assert run(['--help']) == 0"]
    lines += ["print('LOADED', *sys.modules)"]
    lines += ["assert all(run([name, '--help']) == 0 for name in COMMANDS)", "print('LOADED', *sys.modules)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    group, commands = (line.split() for line in done.stdout.splitlines() if line.startswith("LOADED"))
    assert "vagus.cli.main" in group
    assert "vagus.cli.run" not in group
    assert "vagus.cli.run" in commands
    for loaded in (group, commands):
        assert [name for name in loaded if name.partition(".")[0] in HEAVY or name.startswith(INSIDE)] == []


def test_a_fault_of_vagus_is_no_traceback(vagus, monkeypatch):
    from vagus import api

    def broken(*_: object) -> None:
        raise KeyError("gut")

    monkeypatch.setattr(api, "read_protocol", broken)
    result = vagus("check", "efficad")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("This is an error of vagus, not of your input: KeyError: 'gut' (vagus.cli.check, line")
    assert "Traceback" not in result.err
    with pytest.raises(KeyError):
        vagus("check", "efficad", VAGUS_TRACEBACK="1")


def test_too_little_memory_is_said(vagus, monkeypatch):
    from vagus import api

    def starve(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(api, "read_protocol", starve)
    result = vagus("check", "efficad")
    assert (result.code, result.out) == (1, "")
    assert "not enough memory" in result.err


@pytest.mark.skipif(os.name != "posix", reason="needs pipes as POSIX has them")
def test_a_reader_that_leaves_is_no_error(tmp_path):
    """`vagus protocols --show efficad | head -1`."""
    command = [sys.executable, "-u", "-m", "vagus", "protocols", "--show", "efficad"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


def test_a_narrow_code_page_is_no_error(process, tmp_path):
    result = process("products", "--json", PYTHONIOENCODING="ascii")
    assert (result.code, result.err) == (0, "")
    result = process("protocols", "--show", "hmo-sleep", PYTHONIOENCODING="cp1252")
    assert (result.code, result.err) == (0, "")
