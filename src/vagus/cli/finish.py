"""What the commands that simulate share: a run folder from start to end, and its words on the terminal."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from vagus import __version__, api
from vagus.cli.names import check_names, with_line
from vagus.cli.output import complain, print_json
from vagus.cli.packages import required_packages
from vagus.cli.progress import show_progress, stop_on_interrupt
from vagus.errors import InputError
from vagus.io import write_trial
from vagus.io.folders import open_run, write_bytes, write_text
from vagus.io.trajectories import Layout, chunk_size, write_store
from vagus.model.libraries import Library
from vagus.model.switches import describe_values
from vagus.protocol import Protocol, bundled
from vagus.report.content import ReportContent


@dataclass(frozen=True)
class Finished:
    """A finished run: its folder as the user named it, what it says, and the content of its report."""

    folder: str
    answer: api.Answer
    content: ReportContent | None


def repeat(protocol: Protocol, library: Library | None, verb: str, *more: str) -> str:
    """Return the command that makes a run again, in one form however the run was called.

    The run folder holds the protocol with its settings as ``protocol.yaml``: a protocol of one's own is repeated from
    there, a bundled one by its id.
    """
    words = ["vagus", verb, "protocol.yaml"]
    if protocol.id in bundled() and protocol.source_file == f"{protocol.id} (bundled)":
        words[2:] = [protocol.id]
        words += [part for name, value in sorted(protocol.settings.items()) for part in ("--set", f"{name}={value}")]
    if library is not None and library.folder:
        words += ["--model", library.folder]
    return shlex.join([*words, *more])


def provenance(run: api.Run, draws: int) -> dict[str, str]:
    """Return what is needed to repeat a run; the same on every machine, without time or path."""
    protocol, library = run.protocol, run.axis.library
    own = {"submodels": library.describe()} if library.folder else {}
    values = {"set in the model": "; ".join(describe_values(protocol.model, library))} if protocol.model else {}
    return {
        "vagus": __version__,
        "protocol": f"{protocol.id}, sha256 {protocol.protocol_hash[:16]}",
        "model": f"axis, sha256 {run.model_hash}",
        **own,
        **values,
        "posterior": "none (priors)",
        "seed": str(run.seed),
        "parameter draws": str(draws),
        **numerics(run),
        "command": repeat(protocol, library, "run", "--seed", str(run.seed), "--draws", str(draws)),
    }


def numerics(run: api.Run) -> dict[str, str]:
    """Return how exactly a run was integrated, in words."""
    precision, work = run.prediction.precision, run.prediction.work
    return {"numerics": f"{precision.sentence}; {work.sentence}"} if precision is not None else {}


def make_run(
    protocol: Protocol,
    seed: int,
    jobs: int,
    draws: int,
    folder: str,
    force: bool,
    *,
    quiet: bool,
    made_by: str = "run",
    library: Library | None = None,
) -> Finished:
    """Simulate, analyze and write the folder of a run; a run that is stopped is marked partial.

    Names and the folder are checked before any work; nothing is left of a run that fails.

    Parameters
    ----------
    protocol : Protocol
        The trial.
    seed, jobs, draws : int
        As in `vagus.api.simulate`.
    folder : str
        Folder to write.
    force : bool
        Replace the run that is there.
    quiet : bool
        Show no progress unless stderr is a terminal.
    made_by : str
        ``run`` writes a report, ``simulate`` the data alone.
    library : Library, optional
        Submodels to simulate with; the shipped ones by default.

    Raises
    ------
    InputError
        A name that does not exist, a folder that cannot be used, people that cannot be found, a full disk.
    Cancelled
        Ctrl-C.
    """
    check_names(protocol, library=library)
    record = {"vagus": __version__, "made_by": made_by, "protocol": protocol.id, "seed": seed, "parameter_draws": draws}
    with (
        stop_on_interrupt() as cancel,
        open_run(folder, force, record) as place,
        show_progress(quiet) as progress,
    ):
        with place.writing() as path:
            write_text(path / "protocol.yaml", protocol.to_yaml())
        try:
            run = api.simulate(
                protocol, library=library, draws=draws, seed=seed, jobs=jobs, on_progress=progress, cancel=cancel
            )
        except InputError as error:
            raise with_line(protocol, error) from None
        progress("analysis", 0, 1)
        answer = api.predict(run)
        progress("analysis", 1, 1)
        origin = provenance(run, draws)
        content = simulated_report(answer, origin) if made_by == "run" else None
        progress("files", 0, 1)
        with place.writing() as path:
            write_trial(path, run.data, overwrite=True)
            _write_trajectories(path, run, origin)
            if answer.analysis is not None:
                name = "estimates_of_simulated_trial.csv"
                write_text(path / name, answer.analysis.to_frame().to_csv(index=False, lineterminator="\n"))
            if content is not None:
                write_report(path, answer, content)
        progress("files", 1, 1)
        counted = {"simulations": run.prediction.simulated, "failed_simulations": run.prediction.failed}
        place.record.update(counted, **versions(), provenance=origin)
    return Finished(folder, answer, content)


def versions() -> dict[str, object]:
    """Return the versions of Python and of the packages that a run was made with."""
    return {"python": sys.version.split()[0], "packages": {name: at for name, at in required_packages().items() if at}}


def exit_code(answer: api.Answer) -> int:
    """Return 3, and say so on stderr, where simulations failed; else 0."""
    if not answer.status.startswith("partial"):
        return 0
    complain(f"{answer.status[0].upper()}{answer.status[1:]}; the results rest on the others.")
    return 3


def finish_run(finished: Finished, as_json: bool) -> int:
    """Print a run and return its exit code."""
    if as_json:
        print_json(finished.answer.to_json())
    elif finished.content is not None:
        print_content(finished.content)
        click.echo(f"\nReport: {Path(finished.folder) / 'report.html'}")
    return exit_code(finished.answer)


def print_content(content: ReportContent) -> None:
    """Show a report's content on the terminal."""
    from rich.console import Console

    from vagus.report import terminal

    terminal(content, Console())


def simulated_report(answer: api.Answer, origin: dict[str, str]) -> ReportContent:
    """Return the report of a simulated trial."""
    from vagus.report.assemble import simulated_content

    assert answer.run is not None
    return simulated_content(
        answer.protocol,
        answer.verdict,
        answer.estimates,
        answer.published_apart,
        answer.rests_on,
        answer.notes,
        answer.data,
        answer.run.prediction,
        # Time stands in the report alone: all other files of a run are the same whenever it is repeated.
        origin | {"engine time": answer.run.prediction.work.time},
        answer.run.axis,
    )


def write_report(path: Path, answer: api.Answer, content: ReportContent) -> None:
    """Write report.html, its record, the figures and the table of estimates."""
    import pandas as pd

    from vagus.report import axis_svg, figure_specs, render_html
    from vagus.report.record import dump_content

    figures = path / "figures"
    figures.mkdir(exist_ok=True)
    for name, spec in figure_specs(content).items():
        write_text(figures / f"{name}.vl.json", json.dumps(spec, indent=1, ensure_ascii=False) + "\n")
    if content.axis is not None:
        write_text(figures / "axis.svg", axis_svg(content.axis, alone=True))
    rows = [{key: value for key, value in item.to_json().items() if key != "details"} for item in answer.estimates]
    for row in rows:
        row["published"] = json.dumps(row["published"], ensure_ascii=False) if row["published"] else ""
    write_bytes(path / "estimates.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n").encode())
    write_text(path / "report.json", dump_content(content))
    write_text(path / "report.html", render_html(content))


def _write_trajectories(path: Path, run: api.Run, origin: dict[str, str]) -> None:
    courses = tuple(run.prediction.trajectories.values())
    first = courses[0]
    layout = Layout(
        arms=tuple(course.arm for course in courses),
        subjects=first.subject_ids,
        variables=first.names,
        days=first.days - first.run_in_days,
        people=(),
        chunk=chunk_size(len(courses), len(first.days), len(first.names)),
        attributes={**origin, "time": "days from the start of treatment, noon"},
    )
    values = np.stack([course.values for course in courses])
    failed = np.array([[said != "ok" for said in course.status] for course in courses])
    write_store(path, layout, values, failed, {})
