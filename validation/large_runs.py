"""Large runs: time, memory and bytes of a streamed population; a planted fault; a run that is killed ten times.

Run by hand, each writes its lines of validation/large_runs.md:

    python validation/large_runs.py speed --people 100000 --jobs 2     # the workload benchmarks/gutbrain.ant
    python validation/large_runs.py axis --people 10000 --jobs 2       # our own model, 84 days, 30 variables
    python validation/large_runs.py planted --people 10000 --jobs 2
    python validation/large_runs.py kills --people 20000 --jobs 2
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import workloads

from vagus import __version__, api, engine
from vagus.io.streams import open_stream
from vagus.io.trajectories import Layout, chunk_size
from vagus.rng import streams
from vagus.simulation.large import Part, stream
from vagus.simulation.numerics import Precision, Work, audited_places

RTOL = 4e-5
FEW = 128  # people a chunk of the run that is killed, so that some are whole each time
SPREAD = np.array([workloads.GUILD_SPREAD] * len(workloads.GUILDS) + list(workloads.SPREAD.values()))
#: 30 variables of the axis.
VARIABLES = (
    *("X_bact", "X_starch", "X_bifhmo", "X_bifadult", "X_butyr", "X_lacuse", "X_entero"),
    *("acetate_mM", "propionate_mM", "butyrate_mM", "colon_pH", "bif_fraction", "lps_potency", "barrier"),
    *("lps_flux", "tnf_pg_ml", "il6_pg_ml", "il10_pg_ml", "crp_rel", "trp_rel", "vagal_tone"),
    *("cort_day_rel", "car_30", "tst_h", "dlmo_h", "awakening_rate", "mood_shift", "sleep_shift"),
    *("sleep_latency_min", "stools_d"),
)


class Gutbrain:
    """People of the workload without end; every second one takes nothing, and one may have a number that is none."""

    arms = ("all",)

    def __init__(self, count: int, planted: int = -1) -> None:
        self.count, self.planted = count, planted
        self.load = workloads.gutbrain(1)
        self.model, self.times = self.load.model, self.load.times

    def _solve(self, rows: np.ndarray, **settings: object) -> engine.Solution:
        own = len(SPREAD)
        draw = np.array(
            [rng.standard_normal(own + len(workloads.GUILDS)) for rng in streams(1, "gutbrain", last=rows.tolist())]
        )
        parameters = self.model.parameter_values * np.exp(SPREAD * draw[:, :own])
        dose = self.model.parameters.index("dose")
        parameters[rows % 2 == 0, dose] = 0.0
        initial = self.model.initial_values(parameters)
        for k, guild in enumerate(workloads.GUILDS):
            for place in "PD":
                initial[:, self.model.state_index(f"{guild}_{place}")] *= np.exp(draw[:, own + k])
        parameters[rows == self.planted, 3] = np.nan
        days = np.arange(float(workloads.PARTICIPANT_DAYS))
        who, when = np.repeat(np.arange(len(rows)), len(days)), np.tile(days, len(rows))
        state = np.full(len(who), self.model.state_index(workloads.DOSED))
        doses = engine.Doses(who, when, state, np.nan_to_num(parameters[who, dose]))
        return engine.simulate(self.model, parameters, initial, 0.0, self.times, doses, rtol=RTOL, **settings)

    def choose(self, work: Work, cancel: threading.Event | None = None) -> Precision:
        rows = audited_places(self.count)
        found = self._solve(rows, lanes="automatic", audited=len(rows), threads=work.threads, cancel=cancel)
        return Precision.of(found.lanes, RTOL)

    def simulate(self, rows, precision, threads, on_progress, cancel) -> Part:
        work = Work(threads=threads)
        lanes = {"lanes": precision.lanes, "audited": 0, "threads": threads}
        found = self._solve(rows, **lanes, on_progress=on_progress, cancel=cancel)
        work.add(found, 0.0)
        return Part(found.values[None], np.array([found.messages], dtype=object), {}, work)


def make(folder: str, count: int, jobs: int, planted: int = -1, chunk: int = 0) -> dict[str, object]:
    """Stream a population of the workload, or go on with it."""
    people = Gutbrain(count, planted)
    chunk = chunk or chunk_size(1, len(people.times), len(people.model.outputs))
    with open_stream(folder, {"vagus": __version__, "people": count, "planted": planted}, True) as place:
        known = place.record.get("precision")
        precision = Precision.from_json(known) if known else people.choose(Work(threads=jobs))
        place.record["precision"] = precision.to_json()
        subjects = tuple(f"S{row + 1}" for row in range(count))
        place.begin(Layout(people.arms, subjects, people.model.outputs, people.times, (), chunk, {}))
        parts = {part: ends for part, ends in enumerate(place.layout.parts) if part not in place.done}

        def write(part: int, found: Part) -> None:
            place.write(part, found.values, found.sentences, found.people, found.work.to_json())

        stream(people, precision, parts, write, jobs=jobs)
    return place.record


def measure(work: Callable[[str], dict[str, object]]) -> None:
    """Print what a run took: seconds, memory, disk."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        facts = work(f"{folder}/run")
        seconds, cpu = time.perf_counter() - begun, sum(os.times()[:2])
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.0f} s, {cpu:.0f} s of the processor, {peak:.0f} MB at most, {size / 1e6:.0f} MB on disk")
    print(json.dumps({name: facts[name] for name in ("counts", "precision") if name in facts}))


def tree(folder: str) -> dict[str, str]:
    """Hash of every file below a folder."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def planted(count: int, jobs: int) -> None:
    """One person's number is none: a status for this one, the bits of all others as they were."""
    who = count // 3
    with tempfile.TemporaryDirectory() as folder:
        make(f"{folder}/sound", count, jobs)
        make(f"{folder}/planted", count, jobs, who)
        print((Path(folder) / "planted" / "failures.csv").read_text().strip().splitlines())
        import zarr

        groups = [zarr.open_group(f"{folder}/{name}/trajectories.zarr", mode="r") for name in ("sound", "planted")]
        others = np.arange(count) != who
        same = changed = 0
        for name in groups[0].array_keys():
            before, after = (group[name][...] for group in groups)
            if before.ndim == 3:
                same += before[:, others].tobytes() == after[:, others].tobytes()
                changed += bool(np.isnan(after[:, who]).all())
        print(f"{same} variables of the others are the same bits; the planted one has no value in {changed}")


def written(folder: Path) -> int:
    """How many files of chunks there are."""
    return sum(1 for _ in folder.glob("trajectories.zarr/*/c/*/*/*"))


def kills(count: int, jobs: int) -> None:
    """Kill a run at ten random moments, each after it has begun to write, then let it go to its end."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        make(f"{folder}/whole", count, jobs, chunk=FEW)
        whole = time.perf_counter() - begun
        dice, cut = random.Random(1), Path(folder, "cut")
        words = [sys.executable, __file__, "make", "--people", str(count), "--jobs", str(jobs), "--folder", str(cut)]
        for _ in range(10):
            before = written(cut)
            with subprocess.Popen(words, stderr=subprocess.DEVNULL) as child:
                while child.poll() is None and written(cut) == before:
                    time.sleep(0.002)
                time.sleep(dice.uniform(0, 0.05 * whole))
                child.kill()
            chunks, parts = len(list(cut.glob("chunks/*.json"))), len(list(cut.rglob("*.part")))
            print(f"killed with {chunks} chunks whole, {written(cut)} files written and {parts} half written")
        subprocess.run(words, check=True)
        found, sound = tree(str(cut)), tree(f"{folder}/whole")
        print("the same bytes:", found == sound, len(sound), "files")


def main() -> None:
    """Run one of the checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "axis", "planted", "kills", "make"])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", default="")
    chosen = parser.parse_args()
    count, jobs = chosen.people, chosen.jobs
    if chosen.what == "speed":
        measure(lambda folder: make(folder, count, jobs))
    elif chosen.what == "axis":
        settings = {
            "population.n": str(count),
            "schedule": "{run_in: 2 wk, treat: 8 wk, follow: 2 wk, visits: [0, 8] wk}",
        }
        protocol = api.read_protocol("hmo-sleep", settings)
        measure(lambda folder: api.simulate_courses(protocol, folder, arms=["hmo"], variables=VARIABLES, jobs=jobs))
    elif chosen.what == "planted":
        planted(count, jobs)
    elif chosen.what == "kills":
        kills(count, jobs)
    else:
        make(chosen.folder, count, jobs, chunk=FEW)


if __name__ == "__main__":
    main()
