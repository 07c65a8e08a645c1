"""How many people a second a core integrates, beside other people's solvers, in one run on one machine.

    python benchmarks/engine_vs_peers.py [--workload gutbrain|stiff|axis ...] [--people 256] [--quick] [--json]

Everybody gets the same model text, people, doses and daily outputs, one thread on one core and a process of its own,
and uses the loosest tolerance of a ladder at which the 99th percentile of the error is 1e-4 at most. The error is
``|y - ref| / (|ref| + 1e-3 max|ref|)``; the reference is our scalar integrator at 1e-10, compared with libRoadRunner
at 1e-10. A participant is 84 days. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from peers import DIFFRAX_32, DIFFRAX_64, ENTRIES, LANES, LSODA, RUNNER_BDF
from workloads import TEXT, WORKLOADS, Workload

HERE = Path(__file__).resolve().parent
PATIENCE = 240  # seconds for one peer
#: People of the reference: exact courses of the stiff model take eight seconds each.
JUDGED = {"gutbrain": 16, "stiff": 4, "axis": 16}
ALONE = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
#: What is asked for: workload, solvers of whom the fastest counts (none: people a second), least.
ASKED: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("gutbrain", (), 240.0),
    ("gutbrain", (RUNNER_BDF,), 100.0),
    ("gutbrain", (LSODA,), 15.0),
    ("gutbrain", (DIFFRAX_64, DIFFRAX_32), 40.0),
    ("stiff", (RUNNER_BDF,), 35.0),
    ("axis", (), 200.0),
)
ASKED_SECONDS = {"new": 3.0, "cached": 0.3}
DECAY = "model decay()\n  x = 1; k = 1;\n  x' = -k*x;\nend\n"

Row = dict[str, Any]


# ---------------------------------------------------------------------- running


class Bench:
    """Runs peers in processes of their own, with a cache of compiled code that is empty at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, **ALONE, "VAGUS_CACHE": str(folder / "cache")}

    def load(self, load: Workload, judged: int) -> None:
        """Lay out a workload and its reference."""
        (self.folder / "workload.pickle").write_bytes(pickle.dumps(load))
        np.save(self.folder / "exact.npy", load.some(judged).exact())

    def ask(self, **task: Any) -> Row:
        """Let a process do a task; what went wrong with it stands in the answer's note."""
        (self.folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        answer = self.folder / "answer.json"
        answer.unlink(missing_ok=True)
        try:
            done = self._python("-m", "peers", str(self.folder))
        except subprocess.TimeoutExpired:
            return {"note": f"gave up after {PATIENCE} s"}
        if not answer.exists():
            last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            return {"note": f"its process ended: {last[0][:200]}"}
        found: Row = json.loads(answer.read_text(encoding="utf-8"))
        return found

    def start(self, text: Path) -> Row:
        """Time a model from its text to its first result, in a process of its own."""
        done = self._python("-m", "peers.startup", str(text))
        done.check_returncode()
        found: Row = json.loads(done.stdout)
        return found

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # output goes to pipes: some peers write thousands of warnings
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=HERE,
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )


def startup(bench: Bench) -> Iterator[Row]:
    """Measure the first run after installing, the first one of a new model, and the next one of it."""
    decay = bench.folder / "decay.ant"
    decay.write_text(DECAY, encoding="utf-8")
    for what, text in (("first of all", decay), ("new", TEXT), ("cached", TEXT)):
        yield {"what": what, "model": text.stem, **bench.start(text)}


def checks(rows: Sequence[Row], starts: Sequence[Row], workloads: Sequence[str]) -> list[Row]:
    """Return what is asked for beside what was found; ``ok`` is null where a solver has no row.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the table.
    starts : sequence of dict
        From `startup`.
    workloads : sequence of str
        What was run.
    """
    speed = {(row["workload"], row["solver"]): row.get("participants_per_s_per_core") for row in rows}
    exact = {(row["workload"], row["solver"]): row.get("exact_enough") for row in rows}
    found = []
    for workload, solvers, least in ASKED:
        if workload not in workloads:
            continue
        ours = speed.get((workload, LANES))
        peers = [value for solver in solvers if (value := speed.get((workload, solver))) is not None]
        value = None if ours is None or (solvers and not peers) else ours / max(peers) if solvers else ours
        what = f"{workload}: " + (f"times {solvers[0]}" if solvers else "people/s/core")
        ok = None if value is None else value >= least and bool(exact[workload, LANES])
        found.append({"what": what, "at_least": least, "found": value, "ok": ok})
    for start in starts:
        if (most := ASKED_SECONDS.get(start["what"])) is not None:
            seconds = start["text_to_kernel_s"]
            what = f"text to kernel, {start['what']} model, s"
            found.append({"what": what, "at_most": most, "found": seconds, "ok": seconds <= most})
    return found


# ---------------------------------------------------------------------- printing


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Give the table's lines, of 80 columns at most.

    Parameters
    ----------
    rows : sequence of dict
        Of one workload.
    """
    ours = next((row.get("participants_per_s_per_core") for row in rows if row["solver"] == LANES), None)
    yield f"{'solver':<20}{'rtol':>7}{'people/s':>10}{'ours is':>9}{'p99':>9}{'p99.9':>9}{'compile':>9}{'n x d':>7}"
    for row in rows:
        if "participants_per_s_per_core" not in row:
            yield from textwrap.wrap(f"{row['solver']:<20}  {row['note']}", 80, subsequent_indent=22 * " ")
            continue
        speed, size = row["participants_per_s_per_core"], f"{row['people']}x{row['days']}"
        times = f"{ours / speed:.{int(ours < 10 * speed)}f}x" if ours else ""
        mark = " " if row["exact_enough"] else "!"
        yield (
            f"{row['solver']:<20}{row['tolerance']:>7.0e}{speed:>10.3g}{times:>9}{row['p99_error']:>8.1e}{mark}"
            f"{row['p999_error']:>9.1e}{row['compile_s']:>7.2g} s{size:>7}"
        )


def human(found: dict[str, Any]) -> Iterator[str]:
    """Give the lines for a reader."""
    machine = found["machine"]
    yield f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
    for workload in found["workloads"]:
        yield ""
        rows = [row for row in found["rows"] if row["workload"] == workload]
        agreed = next((row["agreement"] for row in rows if "agreement" in row), None)
        said = f"   (reference and libRoadRunner at 1e-10: p99 of the difference {agreed['p99']:.1e})" if agreed else ""
        yield workload + said
        yield from (f"vagus lanes: {row['detail']}" for row in rows if row["solver"] == LANES and row.get("detail"))
        yield from table(rows)
    yield ""
    versions = {f"{row['solver'].split()[0]} {row['version']}": None for row in found["rows"] if "version" in row}
    yield from textwrap.wrap("versions: " + "; ".join(versions), 80)
    if any(not row.get("exact_enough", True) for row in found["rows"]):
        yield "! its least error is above 1e-4"
    yield ""
    for start in found["startup"]:
        name = f"{start['what']} ({start['model']})"
        yield f"text to kernel, {name:<24} {start['text_to_kernel_s']:.2f} s"
    yield ""
    for check in found["checks"]:
        sign, bound = (">=", check["at_least"]) if "at_least" in check else ("<=", check["at_most"])
        value = "not run" if check["found"] is None else f"{check['found']:.3g}"
        verdict = {True: "ok", False: "NOT MET", None: "?"}[check["ok"]]
        yield f"{check['what']:<44}{value:>9} {sign} {bound:<6g} {verdict}"
    if found["clock"] == "processor":
        yield "people/s: a second of the processor"
    yield f"took {machine['seconds']:.0f} s"
    if found["quick"]:
        yield "quick: one tolerance and few days; nothing to judge by"


def machine(began: float) -> Row:
    """Return what the numbers rest on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    from llvmlite import binding

    return {
        "cpu": name,
        "llvm_cpu": binding.get_host_cpu_name(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "seconds": time.perf_counter() - began,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--solver", nargs="+", choices=list(ENTRIES), help="all, where not given")
    parser.add_argument("--people", type=int, default=256, help="at most so many; slow solvers take fewer")
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall", help="processor: on a busy machine")
    parser.add_argument("--quick", action="store_true", help="one tolerance, two runs, few days")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.people < max(JUDGED.values()):
        parser.error(f"--people must be at least {max(JUDGED.values())}, got {options.people}")
    began = time.perf_counter()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        starts = list(startup(bench))
        for workload in options.workload:
            sys.stderr.write(f"{workload}: people and reference\n")
            bench.load(WORKLOADS[workload](options.people), JUDGED[workload])
            for solver in options.solver or ENTRIES:
                entry = ENTRIES[solver]
                if workload == "stiff" and not (entry.for_stiff or options.solver):
                    rows.append({"workload": workload, "solver": solver, "note": "not for stiff models: not run"})
                    continue
                sys.stderr.write(f"{workload}: {solver}\n")
                answer = bench.ask(
                    solver=solver,
                    people=options.people,
                    quick=options.quick,
                    processor=options.clock == "processor",
                    agreement=solver == RUNNER_BDF and not options.quick,
                )
                rows.append({"workload": workload, "solver": solver, **answer})
    found = {
        "rows": rows,
        "startup": starts,
        "machine": machine(began),
        "checks": checks(rows, starts, options.workload),
        "workloads": options.workload,
        "quick": options.quick,
        "clock": options.clock,
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if options.json else "\n".join(human(found)) + "\n")


if __name__ == "__main__":
    main()
