"""Where output goes: new folders only, --force for runs only, nothing lost and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from small_trial import SMALL, vagus_in

from vagus import api


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def no_work(monkeypatch):
    """Fail where a simulation begins."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("work began before the checks were done")

    monkeypatch.setattr(api, "simulate", never)


@pytest.fixture
def old_run(tmp_path, finished) -> Path:
    """A finished run in ``runs/small`` of the working folder."""
    shutil.copytree(finished[0] / "runs" / "small", tmp_path / "runs" / "small")
    return tmp_path / "runs" / "small"


@pytest.mark.parametrize("command", ["run", "simulate"])
def test_an_existing_run_is_refused_before_any_work(vagus, protocol, old_run, no_work, command):
    before = contents(old_run)
    result = vagus(command, protocol())
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "The output folder must be new, this one holds files; add --force to replace a run, or name another with "
        "--out. (runs/small)\n"
    )
    assert contents(old_run) == before


def test_analyze_refuses_an_existing_folder_before_any_work(vagus, protocol, old_run, monkeypatch):
    monkeypatch.setattr(api, "analyze", lambda *_: pytest.fail("work began before the checks were done"))
    result = vagus("analyze", protocol(), "runs", "--out", "runs/small")
    assert (result.code, result.out) == (1, "")
    assert "must be new" in result.err


def test_force_refuses_a_folder_that_is_no_run(vagus, protocol, tmp_path, no_work):
    name = protocol()
    mine = tmp_path / "mine"
    mine.mkdir()
    for others in ({"thesis.txt": "years of work"}, {"run.json": '{"status": "fine"}'}, {"run.json": "[1]"}):
        for file, text in others.items():
            (mine / file).write_text(text)
        before = contents(mine)
        result = vagus("run", name, "--out", "mine", "--force")
        assert (result.code, result.out) == (1, "")
        assert "--force replaces only the folder of a run" in result.err
        assert result.err.endswith("(mine)\n")
        assert contents(mine) == before


def test_force_does_not_pull_the_folder_from_under_the_user(protocol, old_run, no_work, tmp_path):
    protocol()
    before = contents(old_run)
    for here, out in ((old_run, "."), (old_run / "figures", "..")):
        result = vagus_in(here, "run", str(tmp_path / "small.yaml"), "--out", out, "--force")
        assert (result.code, result.out) == (1, "")
        assert "cannot be replaced from inside its folder" in result.err
    assert contents(old_run) == before


def test_force_keeps_the_old_run_when_the_new_input_is_wrong(vagus, protocol, old_run):
    before = contents(old_run)
    for changes in ([("n: 8", "n: 3")], [("from: adults-mild", "from: nobody-mild")]):
        assert vagus("run", protocol(*changes), "--force").code == 1
        assert contents(old_run) == before


def test_force_keeps_the_old_run_when_the_new_one_fails(vagus, protocol, old_run, few_candidates):
    """Nobody meets these criteria, which only the simulation finds out."""
    before = contents(old_run)
    result = vagus("run", protocol(("  n: 8", "  n: 8\n  entry: {bdi: [62, 63]}")), "--force")
    assert result.code == 1
    assert contents(old_run) == before
    assert [path.name for path in old_run.parent.iterdir()] == ["small"]


def test_force_replaces_a_run(vagus, protocol, old_run):
    (old_run / "stale.txt").write_text("of the old run")
    result = vagus("simulate", protocol(), "--force", "--seed", "9", "--json")
    assert result.code == 0, result.err
    record = json.loads((old_run / "run.json").read_text())
    assert (record["status"], record["made_by"], record["seed"]) == ("complete", "simulate", 9)
    assert not (old_run / "stale.txt").exists()
    assert not (old_run / "report.html").exists()
    assert [path.name for path in old_run.parent.iterdir()] == ["small"]


def test_an_output_that_is_a_file(vagus, protocol, tmp_path, no_work):
    name = protocol()
    (tmp_path / "taken").write_text("x")
    for force in ([], ["--force"]):
        result = vagus("run", name, "--out", "taken", *force)
        assert (result.code, result.out) == (1, "")
        assert result.err == "The output must be a folder, got a file; name another with --out. (taken)\n"
    result = vagus("run", name, "--out", "taken/below/it")
    assert result.code == 1
    assert result.err == (
        "The folder must be writable, got: Not a directory; name another with --out. (taken/below/it)\n"
    )
    assert (tmp_path / "taken").read_text() == "x"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a place where nobody can write")
def test_an_output_where_nobody_can_write(vagus, protocol, refused, no_work):
    refused(vagus("run", protocol(), "--out", "/proc/vagus"), "must be writable", line="/proc/vagus")


def test_no_write_permission(vagus_as_nobody, plain_folder, no_work):
    (plain_folder / "small.yaml").write_text(SMALL)
    plain_folder.chmod(0o555)
    for more in ([], ["--out", "elsewhere/small"]):
        result = vagus_as_nobody("run", "small.yaml", *more)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("The folder must be writable, got: Permission denied; name another with --out. (")
    assert [path.name for path in plain_folder.iterdir()] == ["small.yaml"]


def test_a_folder_that_cannot_be_looked_into_is_left_alone(vagus_as_nobody, plain_folder, no_work):
    (plain_folder / "small.yaml").write_text(SMALL)
    closed = plain_folder / "closed"
    closed.mkdir(mode=0o755)
    (closed / "diary.txt").write_text("x")
    closed.chmod(0)
    result = vagus_as_nobody("run", "small.yaml", "--out", "closed", "--force")
    assert result.code == 1
    assert "Permission denied" in result.err
    closed.chmod(0o755)
    assert [path.name for path in closed.iterdir()] == ["diary.txt"]


@pytest.fixture
def small_disk():
    """Refuse to write files of more than 60 kB, as a full disk would."""
    resource = pytest.importorskip("resource", reason="needs limits as POSIX has them")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits as POSIX has them")
def test_a_disk_that_fills_up_leaves_nothing(vagus, protocol, small_disk, tmp_path):
    name = protocol()
    result = vagus("run", name, "--draws", "0", "--out", "runs/small", "--json")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "The run could not be written, got: File too large; nothing is kept. Make room, or name another with --out. "
        "(runs/small)\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits as POSIX has them")
def test_a_disk_that_fills_up_keeps_the_old_run(vagus, protocol, old_run, small_disk, tmp_path):
    before = contents(old_run)
    result = vagus("run", protocol(), "--draws", "0", "--force", "--json")
    assert result.code == 1
    assert result.err.endswith("(runs/small)\n")
    assert contents(old_run) == before
    assert [path.name for path in old_run.parent.iterdir()] == ["small"]


def test_an_empty_folder_of_the_user_is_used_and_stays(vagus, protocol, few_candidates, tmp_path):
    (tmp_path / "here").mkdir()
    name = protocol(("  n: 8", "  n: 8\n  entry: {bdi: [62, 63]}"))
    assert vagus("run", name, "--out", "here").code == 1
    assert list((tmp_path / "here").iterdir()) == []
    assert vagus("simulate", protocol(), "--out", "here", "--json").code == 0
    assert json.loads((tmp_path / "here" / "run.json").read_text())["status"] == "complete"


def test_a_link_to_a_run_is_replaced_where_it_leads(vagus, protocol, old_run, tmp_path):
    os.symlink(old_run, tmp_path / "link")
    assert vagus("simulate", protocol(), "--out", "link", "--force", "--json").code == 0
    assert (tmp_path / "link").is_symlink()
    assert json.loads((old_run / "run.json").read_text())["made_by"] == "simulate"


# --- reports of runs


def test_the_report_is_written_again_to_the_byte(vagus, old_run, tmp_path):
    page = (old_run / "report.html").read_bytes()
    (old_run / "report.html").unlink()
    before = contents(old_run)
    result = vagus("report", "runs/small")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Small trial\n")
    assert contents(old_run) == {**before, "report.html": page}
    assert vagus("report", "runs/small", "--out", "again.html").code == 0
    assert (tmp_path / "again.html").read_bytes() == page


def test_the_report_in_json_is_one_object(vagus, old_run):
    result = vagus("report", "runs/small", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out == (old_run / "report.json").read_text(encoding="utf-8")
    assert json.loads(result.out)["title"] == "Small trial"


def test_reports_that_cannot_be_made(vagus, old_run, tmp_path):
    def refusal(*arguments: str) -> str:
        result = vagus("report", *arguments)
        assert (result.code, result.out) == (1, "")
        assert len(result.err.splitlines()) == 1
        return result.err

    assert "there is none of this name. (runs/smal)" in refusal("runs/smal")
    assert "must have a run.json of vagus, this folder has none. (runs)" in refusal("runs")
    assert "writable folder, got: No such file or directory" in refusal("runs/small", "--out", "no/where.html")
    assert "writable folder, got: Is a directory" in refusal("runs/small", "--out", "runs")
    (old_run / "report.json").write_text('{"vagus_report": 1}')
    assert "must be the report record of a run" in refusal("runs/small")
    (old_run / "report.json").unlink()
    assert "must have a report.json, this one has none; repeat it with --force. (runs/small)" in refusal("runs/small")
    record = json.loads((old_run / "run.json").read_text())
    (old_run / "run.json").write_text(json.dumps(record | {"made_by": "simulate"}))
    assert "vagus simulate makes none, vagus run does. (runs/small)" in refusal("runs/small")
    for status, words in (("partial", "was stopped"), ("running", "still running or was killed")):
        (old_run / "run.json").write_text(json.dumps(record | {"status": status}))
        assert words in refusal("runs/small")
    assert not (tmp_path / "no").exists()


# --- analysis of a run


def test_simulated_data_go_through_the_same_analysis(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    made = vagus_in(tmp_path, "simulate", "small.yaml", "--seed", "5", "--json")
    assert made.code == 0, made.err
    facts = json.loads(made.out)
    assert (facts["subjects"], facts["status"]) == (8, "complete")
    in_words = vagus_in(tmp_path, "simulate", "small.yaml", "--seed", "5", "--out", "words")
    assert (in_words.code, in_words.out) == (0, "8 subjects, 32 values (0 missing), 16 stool samples\nwords\n")
    analyzed = vagus_in(tmp_path, "analyze", "small.yaml", "--json")
    assert (analyzed.code, analyzed.err) == (0, "")
    estimates = json.loads(analyzed.out)["estimates"]
    lines = (tmp_path / "runs" / "small" / "estimates_of_simulated_trial.csv").read_text().splitlines()
    head = lines[0].split(",")
    written = [dict(zip(head, line.split(","), strict=False)) for line in lines[1:]]
    assert [float(row["estimate"]) for row in written] == [row["estimate"] for row in estimates]
    in_words = vagus_in(tmp_path, "analyze", "small.yaml", "runs/small", "--out", "analysis")
    assert in_words.code == 0, in_words.err
    assert in_words.out.endswith("Report: analysis/report.html\n")
    again = vagus_in(tmp_path, "report", "analysis")
    assert again.code == 0, again.err


def test_analyze_refuses_a_run_that_was_stopped(vagus, protocol, old_run):
    record = json.loads((old_run / "run.json").read_text())
    (old_run / "run.json").write_text(json.dumps(record | {"status": "partial"}))
    result = vagus("analyze", protocol(), "runs/small")
    assert (result.code, result.out) == (1, "")
    assert (
        result.err == 'A run must be complete, this one was stopped ("partial"); repeat it with --force. (runs/small)\n'
    )
