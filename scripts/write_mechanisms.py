"""Write docs/mechanisms.md: what the articles claim, what carries it in the model, and what is not modelled."""

from __future__ import annotations

from pathlib import Path

from vagus.model import compose
from vagus.model.couplings import Coupling
from vagus.model.infants import compose_infant
from vagus.model.scope import claim_links, mechanisms

TARGET = Path(__file__).parents[1] / "docs" / "mechanisms.md"

HEAD = """# What the articles name, and what the model makes of it

Written by `python scripts/write_mechanisms.py` from the tables in `src/vagus/model/library`; do not edit by hand.

Three articles on the microbiota-gut-brain axis are where this project started. Every claim they make is one row: the
verdict of the evidence base, then what carries the claim in the model, with the grade of each link (A adult human trial
or experiment, B human observational or infant trial, C animal or outside the body, D assumed) and its size as a prior.
A link of grade D is a question, not a finding.

## Claims
"""
SECOND = """
## Mechanisms, modelled or deliberately not
"""


def size(parameter: str, table: dict[str, dict[str, object]]) -> str:
    """Return a parameter's value and spread as text, for example ``0.15 1 (truncnormal 0.1|0|0.4)``."""
    if parameter not in table:
        return "none"
    row = table[parameter]
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    spread = f" ({row['distribution']} {row['spread']})" if row["distribution"] not in ("", "setting") else ""
    return f"{row['value']:g}{unit}{spread}".replace("|", ", ")


def link_text(link: Coupling, table: dict[str, dict[str, object]]) -> str:
    """Return one link with grade, size and what bears on it."""
    return f"{link.source} → {link.target} ({link.sign}), grade {link.grade}, {size(link.parameter, table)}"


def document() -> str:
    """Return the whole page."""
    axes = (compose_infant(), compose())  # a name of both axes is shown with the adult value
    table = {str(row["parameter"]): row for axis in axes for row in axis.parameters.to_dict("records")}
    lines = [HEAD, "| id | claim | verdict | treatment | submodel | what carries it |", "|---|---|---|---|---|---|"]
    for claim in claim_links():
        carried = "; ".join(link_text(link, table) for link in claim.couplings)
        what = f"{claim.what}. {carried}" if carried else claim.what
        cells = [claim.claim_id, claim.claim, claim.verdict, claim.treatment, claim.submodel or "none", what]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    lines += [SECOND, "| mechanism | treatment | submodel | reason | source |", "|---|---|---|---|---|"]
    for item in mechanisms():
        cells = [item.mechanism, item.treatment, item.submodel or "none", item.reason, item.study_id]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
