"""Stavrum 2013: the liver's tryptophan metabolism comes back to the published steady state from elsewhere."""

from __future__ import annotations

from vagus.validation.registry import measures
from vagus.validation.runs import run_published

CONCENTRATIONS = {
    "tryptophan": "M_trp_DASH_L_c",
    "formylkynurenine": "M_Lfmkynr_c",
    "kynurenine": "M_Lkynr_c",
    "3-hydroxykynurenine": "M_hLkynr_c",
    "5-hydroxytryptophan": "M_5htrp_c",
    "serotonin": "M_srtn_c",
}
FLUXES = {
    "TDO": "R00678_Tdo",
    "IDO": "R00678_Indo",
    "kynureninase": "R00987",
    "KMO": "R01960",
    "KAT1": "R01956_Kat1",
    "TPH1": "R01814_Tph1",
    "TPH2": "R01814_Tph2",
}
#: The file starts in its steady state, where any solver would stay; this start is far from it.
FAR_FROM_REST = 5.0


@measures(*(f"{name}, liver" for name in CONCENTRATIONS), *(f"{name} flux, liver" for name in FLUXES))
def liver() -> dict[str, float]:
    """Concentrations and fluxes after these metabolites began five times too high."""
    start = dict.fromkeys(CONCENTRATIONS.values(), FAR_FROM_REST)
    outputs = [*CONCENTRATIONS.values(), *FLUXES.values()]
    course = run_published("stavrum2013", [0.0, 1e6], outputs, start_factors=start, rtol=1e-8)
    return {
        **{f"{label}, liver": float(course[name][-1]) for label, name in CONCENTRATIONS.items()},
        **{f"{label} flux, liver": float(course[name][-1]) for label, name in FLUXES.items()},
    }
