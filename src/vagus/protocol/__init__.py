"""Trial protocols: arms, products, schedule, measures, estimands and the analysis plan, read from YAML.

The way of a text: `document` (values with lines) -> `schema` (keys and units) -> `rules` (what must hold) and `plan` ->
`types.Protocol` (immutable).
"""

from vagus.protocol.library import bundled, bundled_text
from vagus.protocol.parsing import parse
from vagus.protocol.product import INERT, SUBSTRATES, Product, product, products
from vagus.protocol.types import (
    Adherence,
    AnalysisPlan,
    Arm,
    Contrast,
    Dose,
    Estimand,
    Events,
    PlannedAnalysis,
    Population,
    Protocol,
    Schedule,
    VerdictRule,
    Visit,
    share_people,
)

__all__ = [
    "INERT",
    "SUBSTRATES",
    "Adherence",
    "AnalysisPlan",
    "Arm",
    "Contrast",
    "Dose",
    "Estimand",
    "Events",
    "PlannedAnalysis",
    "Population",
    "Product",
    "Protocol",
    "Schedule",
    "VerdictRule",
    "Visit",
    "bundled",
    "bundled_text",
    "parse",
    "product",
    "products",
    "share_people",
]
