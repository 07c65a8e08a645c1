"""How many people a second a core integrates: lanes beside the scalar integrator, on one machine in one run.

    python benchmarks/engine_lanes.py [gutbrain] [axis] [--people 64] [--rtol 2e-4] [--contrasts] [--json]

``gutbrain`` is the workload of ``../shared/engine`` (70 states, a dose a day, 84 days, 30 daily outputs), ``axis`` our
own model with the people, doses and outputs of the bundled trial ``efficad``. A participant is 84 days. The error is
the 99th percentile of ``|y - ref| / (|ref| + 1e-3 max|ref|)`` against the scalar integrator at 1e-10; an output that is
a difference is judged on the smallest difference that matters (``vagus.simulation.scales``). Steps and evaluations are
the same on every run; seconds are the best of several runs and depend on the machine and its guests.

``--contrasts`` asks instead what single precision does to a trial of our own model: for each output, the difference
between arms at the end in the same people, its error against double precision at 1e-10 (mean and standard deviation
over people, of the arm where it is largest), beside the largest mean difference itself.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import binding
from numpy.typing import NDArray

from vagus import engine
from vagus.engine import pair
from vagus.engine.assembly import WHOLE, Module
from vagus.engine.kernel import kernel_of
from vagus.engine.lanekernel import Shape, aligned, lane_kernel
from vagus.engine.lanemodel import LaneModel, lane_model
from vagus.engine.lanesolver import LaneJob, LaneResult, run_lanes, shape_of
from vagus.engine.native import build
from vagus.engine.solution import read_doses, read_inputs

Floats = NDArray[np.float64]
PARTICIPANT_DAYS = 84
SHARED = Path(__file__).resolve().parents[2] / "shared" / "engine"
REPEATS = 8
# additions and multiplications of the functions of vectors, of single precision
OPERATIONS = {"exp": 18, "logsize": 26, "log": 26, "sin": 24, "cos": 24, "tan": 50, "tanh": 34, "sqrt": 1, "pow": 2}
STAGE_OPERATIONS = pair.STAGES * (pair.STAGES + 1) + 2 * (pair.STAGES + 1) + 12  # a step's sums and error, each state


@dataclass
class Workload:
    """People and what they take."""

    name: str
    model: engine.Model
    parameters: Floats
    initial: Floats
    times: Floats
    doses: engine.Doses
    scales: dict[str, float] = field(default_factory=dict)
    arms: int = 1

    def some(self, count: int) -> Workload:
        """Return the first people."""
        own = np.asarray(self.doses.person) < count
        doses = engine.Doses(*(np.asarray(column)[own] for column in vars(self.doses).values()))
        return replace(self, parameters=self.parameters[:count], initial=self.initial[:count], doses=doses)

    def scalar(self, rtol: float) -> tuple[engine.Solution, float]:
        """Integrate one person after the other; return the solution and the processor's seconds."""
        begin = time.process_time()
        found = engine.simulate(self.model, self.parameters, self.initial, 0.0, self.times, self.doses, rtol=rtol)
        return found, time.process_time() - begin

    def lanes(self, rtol: float, shape: Shape) -> tuple[LaneResult, float]:
        """Integrate in lanes, without an audit; return what was found and the processor's seconds."""
        count = len(self.parameters)
        numbers = {"t_start": 0.0, "t_end": float(self.times[-1]), "rtol": rtol, "max_step": np.inf, "max_steps": 1e6}
        people = {
            "parameters": self.parameters,
            "initial": self.initial,
            "output_times": self.times,
            "atol": np.zeros(len(self.model.states)),
            **vars(read_doses(self.model, self.doses, count)),
            **vars(read_inputs(self.model, None, count)),
        }
        begin = time.process_time()
        job = LaneJob(self.model, people, {**numbers, "by_itself": 1, "method": 0}, shape, np.arange(count))
        found = run_lanes(job, 1, None, None)
        return found, time.process_time() - begin


# ---------------------------------------------------------------------- workloads

GUILDS = ("BIFA", "BIFB", "LACB", "BACT", "PREV", "FAEC", "ROSE", "AKKE", "ENTE", "VEIL")
SPREAD = {
    "ktP": 0.25,
    "ktD": 0.25,
    "kAbs": 0.2,
    "dose": 0.1,
    "diet": 0.15,
    "kBar": 0.3,
    "gLPS": 0.5,
    "gIL6": 0.4,
    "gTNF": 0.4,
    "gHPA": 0.2,
    "tauc": 0.006,
    "tauH": 0.08,
    "sens": 0.3,
    "moodk": 0.3,
}
METABOLITES = ("ACE_D", "PPA_D", "BUT_D", "LAC_D", "IND_D")
BODY = ("BARR", "LPS", "IL6", "TNF", "I10", "TRP", "KYN", "SER", "CRT", "VAG", "HS", "TST", "DEP", "ANX", "AFF")


def gutbrain(people: int) -> Workload:
    """Return the shared workload: the first people of its population, every second one without a dose."""
    import antimony

    text = (SHARED / "gutbrain.ant").read_text(encoding="utf-8")
    # the daily dose is given as a dose
    lines = [line for line in text.splitlines() if not line.strip().startswith(("tnext", "E1:"))]
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString("\n".join(lines)) >= 0, antimony.getLastError()
    names = [*(f"mu_{guild}" for guild in GUILDS), *SPREAD]
    outputs = [*(f"{guild}_D" for guild in GUILDS), *METABOLITES, *BODY]
    model = engine.load(antimony.getSBMLString("gutbrain"), names, outputs)
    draw = np.random.default_rng(1).standard_normal((max(people, 4096), len(names) + len(GUILDS)))[:people]
    spread = np.array([0.15] * len(GUILDS) + list(SPREAD.values()))
    parameters = model.parameter_values * np.exp(spread * draw[:, : len(names)])
    parameters[::2, names.index("dose")] = 0.0
    initial = model.initial_values(parameters)
    for k, guild in enumerate(GUILDS):
        for place in "PD":
            initial[:, model.state_index(f"{guild}_{place}")] *= np.exp(draw[:, len(names) + k])
    days = np.arange(float(PARTICIPANT_DAYS))
    who, when = np.repeat(np.arange(people), len(days)), np.tile(days, people)
    doses = engine.Doses(who, when, ["STO"] * len(who), parameters[who, names.index("dose")])
    return Workload("gutbrain", model, parameters, initial, days + 1.0, doses)


def axis(people: int) -> Workload:
    """Return our own model under all arms of a bundled trial."""
    from vagus import api, population, simulation
    from vagus.model import compose, draw_uncertain, people_rows
    from vagus.simulation.people import begin
    from vagus.simulation.regimen import draw_taken
    from vagus.simulation.scales import audit_scales
    from vagus.simulation.trial import dose_table, model_days

    protocol = api.read_protocol("efficad")
    composed = compose()
    cohort = population.draw_cohort(protocol, people_rows(composed.parameters), 1)
    settled = simulation.settle(cohort)
    model = simulation.load_axis(composed)
    arms = list(protocol.arms)
    rows = np.arange(min(cohort.n, -(-people // len(arms))))
    drawn = draw_uncertain(composed.parameters, 1, 0)
    start = begin(settled, model, drawn, protocol.schedule.run_in_days, rows)
    taken = draw_taken(protocol, tuple(cohort.subject_ids[row] for row in rows), 1)
    times = np.arange(model_days(protocol), dtype=np.float64) + 0.5
    doses = dose_table(protocol, arms, taken)
    assert doses is not None
    # one person after the other, each in all arms, so that the first ones are of every arm
    parameters, initial = (np.repeat(values, len(arms), axis=0) for values in (start.parameters, start.initial))
    arm, row = np.divmod(np.asarray(doses.person), len(rows))
    doses = engine.Doses(row * len(arms) + arm, doses.time, doses.state, doses.amount)
    return Workload("axis", model, parameters, initial, times, doses, audit_scales(model.outputs), len(arms))


# ---------------------------------------------------------------------- measures


def error_of(load: Workload, values: Floats, exact: Floats) -> float:
    """Return the 99th percentile of the relative error of the first people."""
    values = values[: len(exact)]
    judged = np.abs(exact).max(axis=(0, 1)) > 0.0  # what is zero throughout has no scale
    scales = np.array([load.scales.get(name, 0.0) for name in load.model.outputs])[judged]
    values, exact = values[:, :, judged], exact[:, :, judged]
    size = np.maximum(np.abs(exact) + 1e-3 * np.abs(exact).max(axis=(0, 1)), scales)
    return float(np.quantile(np.abs(values - exact) / size, 0.99))


def contrasts(load: Workload, rtol: float) -> Iterator[dict[str, Any]]:
    """Compare the differences between arms in single precision with those in double precision at 1e-10."""
    ends = []
    for tolerance, single in ((rtol, True), (1e-10, False)):
        values = load.lanes(tolerance, shape_of(single))[0].values[:, -1]
        people = values[: len(values) // load.arms * load.arms].reshape(-1, load.arms, values.shape[1])
        ends.append(people[:, 1:] - people[:, :1])
    found, exact = ends
    wrong = found - exact
    for place, name in enumerate(load.model.outputs):
        row = {
            "output": name,
            "largest_mean_difference": float(np.abs(exact[:, :, place].mean(axis=0)).max()),
            "error_of_the_mean": float(np.abs(wrong[:, :, place].mean(axis=0)).max()),
            "error_sd": float(wrong[:, :, place].std(axis=0).max()),
        }
        matters = load.scales.get(name)
        yield row if matters is None else {**row, "difference_that_matters": matters}


def peak(shape: Shape) -> float:
    """Return the processor's multiplications and additions a second, in vectors of this shape."""
    module = Module("peak")
    code = module.function("peak", [WHOLE, shape.vector.as_pointer()])
    count, memory = code.arguments
    sums = [code.variable(memory[k], shape.vector) for k in range(12)]
    factor, term = memory[12], memory[13]
    with code.each(count):
        for total in sums:
            total.set(total.get() * factor + term)
    for k, total in enumerate(sums):
        memory[k] = total.get()
    code.give(0)
    text = module.text()
    library = build(lambda: text, ["peak"], text)
    rows = aligned(14, shape)
    rows[12] = 0.999999
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(library.addresses["peak"])
    best, rounds = np.inf, 2_000_000
    for _ in range(REPEATS):
        begin = time.process_time()
        call(rounds, rows.ctypes.data)
        best = min(best, time.process_time() - begin)
    return 24.0 * rounds * shape.width / best


def operations(model: LaneModel) -> int:
    """Return the additions and multiplications (and divisions) of one evaluation of the rates."""
    graph = model.graph
    counted = Counter(graph.nodes[node].op for node in graph.order(model.rates) if graph.reach[node] & 6)
    plain = sum(counted[name] for name in ("add", "sub", "mul", "div", "min", "max"))
    return plain + sum(count * OPERATIONS.get(op, 0) for op, count in counted.items())


def measure(load: Workload, rtols: list[float]) -> Iterator[dict[str, Any]]:
    """Measure every way; one row a way and tolerance."""
    kernel_of(load.model)
    few = load.some(16)
    exact = few.scalar(1e-10)[0].values
    days = float(load.times[-1])
    count = len(load.parameters)
    share = days / PARTICIPANT_DAYS
    for rtol in rtols:
        solution, seconds = few.scalar(rtol)
        yield {
            "workload": load.name,
            "lanes": "scalar",
            "rtol": rtol,
            "participants_per_s_per_core": len(few.parameters) * share / seconds,
            "p99_error": error_of(load, solution.values, exact),
            "steps_per_day": float(solution.steps.mean()) / days,
        }
    for single in (False, True):
        shape = shape_of(single)
        begin = time.perf_counter()
        lane_kernel(load.model, shape)
        ready = time.perf_counter() - begin
        for rtol in rtols:
            runs = [load.lanes(rtol, shape) for _ in range(REPEATS)]
            found, seconds = runs[0][0], min(cost for _, cost in runs)
            own = operations(lane_model(load.model))
            each = own + len(load.model.states) * STAGE_OPERATIONS / pair.STAGES
            yield {
                "workload": load.name,
                "lanes": f"{shape.width} {'single' if single else 'double'}",
                "rtol": rtol,
                "participants_per_s_per_core": count * share / seconds,
                "p99_error": error_of(load, found.values, exact),
                "steps_per_day": float(found.steps.mean()) / days,
                "rejected_per_day": float(found.rejected.mean()) / days,
                "evaluations_per_day": float(found.evaluations.mean()) / days,
                "operations_per_evaluation": own,
                "share_of_peak": float(found.evaluations.sum()) * each / seconds / peak(shape),
                "handed_over": int(np.sum(~found.done)),
                "kernel_ready_s": ready,
            }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=["gutbrain"], choices=["gutbrain", "axis"])
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rtol", type=float, nargs="+", default=[2e-4, 5e-4])
    parser.add_argument("--contrasts", action="store_true")
    options = parser.parse_args()
    rows = []
    for name in options.workloads:
        load = {"gutbrain": gutbrain, "axis": axis}[name](options.people)
        for row in contrasts(load, options.rtol[0]) if options.contrasts else measure(load, options.rtol):
            rows.append(row)
            if not options.json:
                numbers = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in row.items()}
                sys.stdout.write("  ".join(f"{key} {value}" for key, value in numbers.items()) + "\n")
    if options.json:
        machine = {"cpu": binding.get_host_cpu_name(), "python": platform.python_version()}
        sys.stdout.write(json.dumps({"machine": machine, "rows": rows}) + "\n")


if __name__ == "__main__":
    main()
