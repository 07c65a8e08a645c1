"""What the model predicts for Baxter 2019, beside what that trial's files give. Nothing was fitted to them.

Run by hand, with the data beside the checkout: .venv/bin/python validation/baxter2019.py > validation/baxter2019.md
"""

from __future__ import annotations

from pathlib import Path

from vagus import api

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "baxter2019_prebiotic_trial"


def main() -> None:
    protocol = api.read_protocol("baxter2019")
    predicted = api.predict(api.simulate(protocol, seed=1, jobs=2))
    real = api.analyze(protocol, DATA)
    found = {(item.outcome, item.arm, item.contrast): item for item in real.estimates}
    print("# Baxter 2019: predicted and observed\n")
    print(__doc__.split("\n\n")[0])
    print("\nPredicted: expected effect with the 95 % interval of one such trial. Observed: the planned analysis.\n")
    print("| outcome | arm | against | statistic | predicted | observed | intervals meet |")
    print("|---|---|---|---|---|---|---|")
    meet = 0
    for item in predicted.estimates:
        seen = found[item.outcome, item.arm, item.contrast]
        both = item.ci_low <= seen.ci_high and seen.ci_low <= item.ci_high
        meet += both
        ranges = [f"{one.estimate:.2f} [{one.ci_low:.2f}, {one.ci_high:.2f}]" for one in (item, seen)]
        cells = (item.outcome, item.arm, item.contrast, item.statistic, *ranges, "yes" if both else "**no**")
        print("| " + " | ".join(cells) + " |")
    print(f"\n{meet} of {len(predicted.estimates)} pairs of intervals meet.")


if __name__ == "__main__":
    main()
