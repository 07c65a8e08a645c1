"""Error of a simulated cohort at the step tolerance that runs use, against a run at 1e-9, and its speed.

Run by hand: .venv/bin/python validation/tolerance.py > validation/tolerance.md
"""

from __future__ import annotations

import time

import numpy as np

from vagus import engine
from vagus.api import read_protocol
from vagus.model import compose, draw_uncertain, people_rows
from vagus.population import draw_cohort
from vagus.simulation import OUTPUTS, load_axis, settle
from vagus.simulation.people import begin
from vagus.simulation.trial import RTOL, dose_table

PEOPLE = 40


def main() -> None:
    protocol = read_protocol("efficad", {"population.n": str(PEOPLE)})
    people = settle(draw_cohort(protocol, people_rows(compose().parameters), 1))
    model = load_axis(people.axis)
    drawn = draw_uncertain(people.axis.parameters, 1, 0)
    start = begin(people, model, drawn, protocol.schedule.run_in_days, np.arange(PEOPLE))
    days = np.arange(35) + 0.5
    taken = np.ones((PEOPLE, 28), dtype=bool)
    doses = dose_table(protocol, ["OF+2FL"], taken)

    def run(rtol: float) -> tuple[np.ndarray, float, float]:
        began = time.perf_counter()
        solved = engine.simulate(model, start.parameters, start.initial, 0.0, days, doses=doses, rtol=rtol)
        return solved.values, time.perf_counter() - began, float(solved.steps.mean())

    run(1e-4)
    reference, _, _ = run(1e-9)
    scale = np.abs(reference).max(axis=(0, 1))
    print("# Step tolerance\n")
    print(__doc__.split("\n\n")[0])
    print(f"\n{PEOPLE} people of `efficad`, arm OF+2FL, 35 days, {len(OUTPUTS)} outputs, one thread.")
    print("Error: |y - reference| / (|reference| + 1e-3 max|reference|).\n")
    print("| tolerance | p99 error | p99.9 error | largest | of | steps a day | people/s |")
    print("|---|---|---|---|---|---|---|")
    for rtol in (1e-6, RTOL, 1e-4, 1e-3):
        values, seconds, steps = run(rtol)
        error = np.abs(values - reference) / (np.abs(reference) + 1e-3 * scale + 1e-300)
        worst = OUTPUTS[int(np.argmax(error.max(axis=(0, 1))))]
        p99, p999 = np.percentile(error, [99, 99.9])
        print(
            f"| {rtol:g} | {p99:.1e} | {p999:.1e} | {error.max():.1e} | {worst} | {steps / 35:.0f} "
            f"| {PEOPLE / seconds:.1f} |"
        )


if __name__ == "__main__":
    main()
