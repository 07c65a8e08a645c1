"""What the commands that simulate share: a run folder from start to end, and its words on the terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from vagus import api
from vagus.cli.progress import show_progress, stop_on_interrupt
from vagus.errors import Cancelled
from vagus.io import write_trial
from vagus.io.folders import PARTIAL, close_run, open_run, write_bytes, write_text
from vagus.protocol import Protocol
from vagus.report.content import ReportContent


@dataclass(frozen=True)
class Finished:
    """A finished run: its folder, what it says, and the content of its report."""

    folder: Path
    answer: api.Answer
    content: ReportContent | None


def provenance(run: api.Run, draws: int) -> dict[str, str]:
    """Return what is needed to repeat a run; the same on every machine, without time or path."""
    from vagus import __version__

    settings = " ".join(f"--set {name}={value}" for name, value in sorted(run.protocol.settings.items()))
    again = f"vagus run {run.protocol.id} --seed {run.seed} --draws {draws} {settings}".strip()
    return {
        "vagus": __version__,
        "protocol": f"{run.protocol.id}, sha256 {run.protocol.protocol_hash[:16]}",
        "model": f"axis, sha256 {run.model_hash}",
        "posterior": "none (priors)",
        "seed": str(run.seed),
        "parameter draws": str(draws),
        "command": again,
    }


def make_run(
    protocol: Protocol,
    seed: int,
    jobs: int,
    draws: int,
    folder: str,
    force: bool,
    *,
    quiet: bool,
    report: bool = True,
) -> Finished:
    """Simulate, analyze and write the folder of a run; a run that is stopped is marked partial.

    Raises
    ------
    Cancelled
        Ctrl-C.
    """
    path = open_run(folder, force)
    record: dict[str, object] = {"protocol": protocol.id, "seed": seed, "parameter_draws": draws}
    try:
        with stop_on_interrupt() as cancel, show_progress(quiet) as progress:
            write_text(path / "protocol.yaml", protocol.to_yaml())
            run = api.simulate(protocol, draws=draws, seed=seed, jobs=jobs, on_progress=progress, cancel=cancel)
            progress("analysis", 0, 1)
            answer = api.predict(run)
            progress("analysis", 1, 1)
            origin = provenance(run, draws)
            progress("files", 0, 1)
            write_trial(path, run.data, overwrite=True)
            _write_trajectories(path, run)
            if answer.analysis is not None:
                name = "estimates_of_simulated_trial.csv"
                write_text(path / name, answer.analysis.to_frame().to_csv(index=False, lineterminator="\n"))
            content = _write_report(path, answer, origin, progress) if report else None
            progress("files", 1, 1)
    except (KeyboardInterrupt, Cancelled):
        close_run(path, record, PARTIAL)
        raise Cancelled(f"Stopped. {folder} is marked partial; repeat with --force.") from None
    except BaseException:
        close_run(path, record, PARTIAL)
        raise
    close_run(path, {**record, **versions(), "provenance": origin})
    return Finished(path, answer, content)


def versions() -> dict[str, object]:
    """Return the versions of Python and of the packages whose numbers enter a run."""
    from importlib.metadata import version

    packages = ("numpy", "scipy", "pandas", "numba", "llvmlite", "python-libsbml", "antimony", "statsmodels")
    return {"python": sys.version.split()[0], "packages": {name: version(name) for name in packages}}


def finish_run(finished: Finished, as_json: bool) -> int:
    """Print a run and return its exit code."""
    if as_json:
        click.echo(json.dumps(finished.answer.to_json(), indent=2, ensure_ascii=False))
    elif finished.content is not None:
        print_content(finished.content)
        click.echo(f"\nReport: {finished.folder / 'report.html'}")
    return 3 if finished.answer.status.startswith("partial") else 0


def print_content(content: ReportContent) -> None:
    """Show a report's content on the terminal."""
    from rich.console import Console

    from vagus.report import terminal

    terminal(content, Console())


def _write_report(path: Path, answer: api.Answer, origin: dict[str, str], progress: api.Progress) -> ReportContent:
    from vagus.report.assemble import simulated_content

    assert answer.run is not None
    content = simulated_content(
        answer.protocol,
        answer.verdict,
        answer.estimates,
        answer.published_apart,
        answer.rests_on,
        answer.notes,
        answer.data,
        answer.run.prediction,
        origin,
    )
    progress("report", 0, 1)
    write_report(path, answer, content)
    progress("report", 1, 1)
    return content


def write_report(path: Path, answer: api.Answer | None, content: ReportContent) -> None:
    """Write report.html, its record, the figures and the table of estimates."""
    from vagus.report import axis_svg, figure_specs, render_html
    from vagus.report.record import dump_content

    figures = path / "figures"
    figures.mkdir(exist_ok=True)
    for name, spec in figure_specs(content).items():
        write_text(figures / f"{name}.vl.json", json.dumps(spec, indent=1, ensure_ascii=False) + "\n")
    if content.axis is not None:
        write_text(figures / "axis.svg", axis_svg(content.axis))
    if answer is not None:
        import pandas as pd

        rows = [{k: v for k, v in item.to_json().items() if k != "details"} for item in answer.estimates]
        for row in rows:
            row["published"] = json.dumps(row["published"], ensure_ascii=False) if row["published"] else ""
        write_bytes(path / "estimates.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n").encode())
    write_text(path / "report.json", dump_content(content))
    write_text(path / "report.html", render_html(content))


def _write_trajectories(path: Path, run: api.Run) -> None:
    import warnings

    with warnings.catch_warnings():
        # zarr announces that its own consolidated metadata are not yet in the specification; nothing here relies on it
        warnings.simplefilter("ignore")
        run.trajectories.astype("float32").to_zarr(path / "trajectories.zarr", mode="w", consolidated=False)
