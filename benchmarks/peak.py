"""How near the lanes come to what the processor can do: flops of the kernel against the measured peak.

    python benchmarks/peak.py [--workload gutbrain|axis] [--people 256] [--json]

The peak is that of multiply-adds in registers, in a loop that LLVM compiles here (no C compiler), in single and double
precision. A flop is an addition, subtraction, multiplication, division or square root of one lane. Those of the model
are counted on its expression graph, a function such as ``exp`` as the flops of its own code; those of the solver on
its formulas. Both times what the lanes counted: evaluations and steps. What is computed for a lane that waits, for
outputs, doses and events is not counted. The explicit method is used throughout. Times are the processor's, the best
of several runs.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from llvmlite import binding
from workloads import PARTICIPANT_DAYS, WORKLOADS, Workload

from vagus.engine import vectormath
from vagus.engine.assembly import WHOLE, Module
from vagus.engine.lanekernel import VECTOR, Shape, aligned
from vagus.engine.lanemodel import LaneModel, lane_model
from vagus.engine.lanesolver import shape_of
from vagus.engine.native import build

REPEATS = 7
SUMS = 12  # independent multiply-adds: enough for two units of a latency of five
ROUNDS = 2_000_000
ONE = {"add", "sub", "mul", "div", "sqrt", "pow"}  # a power is a product, beside the logarithm and exponential it needs
FUNCTIONS = {**VECTOR, "log10": vectormath.log, "logsize": vectormath.log_of_size}
# of a step and state: the sums of six stages and of the new state, the error's seven terms, its scale and norm
STEP_FLOPS = 2 * (1 + 2 + 3 + 4 + 5 + 6) + 2 * 7 + 12
FLOP = re.compile(r"= (?:fadd|fsub|fmul|fdiv)\b|call .*@\"llvm\.sqrt")
AT_LEAST, AIM = 0.4, 0.5


def peak(shape: Shape) -> float:
    """Return the multiplications and additions a second of one core, in vectors of this shape."""
    module = Module("peak")
    code = module.function("peak", [WHOLE, shape.vector.as_pointer()])
    count, memory = code.arguments
    sums = [code.variable(memory[k], shape.vector) for k in range(SUMS)]
    factor, term = memory[SUMS], memory[SUMS + 1]
    with code.each(count):
        for total in sums:
            total.set(total.get() * factor + term)
    for k, total in enumerate(sums):
        memory[k] = total.get()
    code.give(0)
    text = module.text()
    library = build(lambda: text, ["peak"], text)
    rows = aligned(SUMS + 2, shape)
    rows[SUMS] = 0.999999
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(library.addresses["peak"])
    best = min(_seconds(lambda: call(ROUNDS, rows.ctypes.data)) for _ in range(REPEATS))
    return 2.0 * SUMS * ROUNDS * shape.width / best


def _seconds(run: Any) -> float:
    begin = time.process_time()
    run()
    return time.process_time() - begin


@cache
def function_flops(name: str, shape: Shape) -> int:
    """Return the flops of one lane of a function such as ``exp``: those of the code that computes it."""
    module = Module("function")
    code = module.function("f", [shape.vector.as_pointer()])
    (memory,) = code.arguments
    memory[0] = FUNCTIONS[name](memory[0])
    code.give(0)
    return len(FLOP.findall(module.text()))


def rate_flops(model: LaneModel, shape: Shape) -> int:
    """Return the flops of one evaluation of the rates, of one lane; what is prepared once a person counts nothing."""
    graph = model.graph
    counted = Counter(
        graph.nodes[node].op for node in graph.order(model.rates) if graph.kind(node) in {"time", "state"}
    )
    plain = sum(count for op, count in counted.items() if op in ONE)
    return plain + sum(count * function_flops(op, shape) for op, count in counted.items() if op in FUNCTIONS)


def measure(load: Workload, rtol: float) -> Iterator[dict[str, Any]]:
    """Measure both precisions; one row each."""
    model = lane_model(load.model)
    days = load.participants(len(load.parameters), len(load.times)) * PARTICIPANT_DAYS
    for lanes in ("single", "double"):
        shape = shape_of(lanes == "single")
        how: dict[str, Any] = {"rtol": rtol, "lanes": lanes, "method": "explicit", "audited": 0}
        load.some(shape.width, 1).simulate(**how)  # compiles
        runs = []
        for _ in range(REPEATS):
            begin = time.process_time()
            found = load.simulate(**how)
            runs.append(time.process_time() - begin)
        report = found.lanes
        assert report is not None
        of_model = float(report.evaluations.sum()) * rate_flops(model, shape)
        of_solver = float(found.steps.sum()) * STEP_FLOPS * model.moving
        rate, most = (of_model + of_solver) / min(runs), peak(shape)
        yield {
            "workload": load.name,
            "lanes": f"{shape.width} x {32 if shape.single else 64} bits",
            "rtol": rtol,
            "evaluations_per_day": float(report.evaluations.sum()) / days,
            "flops_per_evaluation": rate_flops(model, shape),
            "flops_per_person_day": (of_model + of_solver) / days,
            "solver_share_of_flops": of_solver / (of_model + of_solver),
            "gflops_per_s": rate / 1e9,
            "peak_gflops_per_s": most / 1e9,
            "share_of_peak": rate / most,
            "handed_over": report.handed_over,
        }


def main() -> None:
    """Print shares of the peak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=["gutbrain", "axis"], default="gutbrain")
    parser.add_argument("--people", type=int, default=256)
    parser.add_argument("--rtol", type=float, default=5e-5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = list(measure(WORKLOADS[options.workload](options.people), options.rtol))
    share = rows[0]["share_of_peak"]
    check = {"what": "share of the peak, single precision", "at_least": AT_LEAST, "aim": AIM, "found": share}
    check["ok"] = share >= AT_LEAST
    if options.json:
        machine = {"llvm_cpu": binding.get_host_cpu_name()}
        sys.stdout.write(json.dumps({"rows": rows, "machine": machine, "checks": [check]}, indent=1) + "\n")
        return
    for row in rows:
        sys.stdout.write(
            f"{row['workload']}, {row['lanes']}: {row['flops_per_person_day']:.3g} flops a person and day "
            f"({row['solver_share_of_flops']:.0%} the solver's)\n  {row['gflops_per_s']:.1f} of "
            f"{row['peak_gflops_per_s']:.1f} GFLOP/s measured: {row['share_of_peak']:.0%} of the peak\n"
        )
    sys.stdout.write(f"{check['what']}: at least {AT_LEAST:.0%}: {'ok' if check['ok'] else 'NOT MET'}\n")


if __name__ == "__main__":
    main()
