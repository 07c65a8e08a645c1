"""microPopGut against the table of its paper: continuous inflow, mean of days 7 to 28, three transit times."""

from __future__ import annotations

import numpy as np

from vagus.validation.registry import measures
from vagus.validation.runs import run_published

PLACES = ("proximal", "transverse", "distal")
ACIDS = ("acetate", "butyrate", "propionate")
TRANSITS = (1, 2, 3)
DAYS = np.arange(0.0, 28.01, 0.25)
WATER_INFLOW = 1100.0  # g/d


def _names(transit: int) -> dict[str, str]:
    """Return the benchmarks of one transit time -> output of the model."""
    end = f"transit {transit} d"
    return {
        **{f"{place} SCFA, {end}": f"{place}_tscfa" for place in PLACES},
        **{f"{place} pH, {end}": f"{place}_pH" for place in PLACES},
        **{f"distal {acid}, {end}": f"distal_{acid}_mM" for acid in ACIDS},
        f"microbes leaving, {end}": "distal_out_microbes",
        f"water leaving, {end}": "distal_out_H2O",
        f"distal succinate, {end}": "distal_succinate_mM",
        **({f"share of lactate producers, {end}": "distal_lactate_producers"} if transit == 1 else {}),
    }


OUTPUTS = tuple(_names(1).values())


@measures(*(name for transit in TRANSITS for name in _names(transit)))
def micropopgut() -> dict[str, float]:
    """Mean values at the three transit times."""
    found: dict[str, float] = {}
    for transit in TRANSITS:
        # a coarser tolerance lets resources slip below zero and ends in a state that the equations do not have
        course = run_published("micropopgut", DAYS, OUTPUTS, {"transit": transit}, rtol=1e-8)
        means = {name: float(course[output][DAYS >= 7].mean()) for name, output in _names(transit).items()}
        means[f"water leaving, transit {transit} d"] /= WATER_INFLOW
        found |= means
    return found
