"""The axis as text: read the library's submodels, join them, check that every number has a source."""

from vagus.model.composition import ComposedModel, antimony_to_sbml, compose
from vagus.model.parameters import (
    draw_uncertain,
    parameter_table,
    parameter_tables,
    people_rows,
    shared_rows,
    submodel_names,
    uncertain_rows,
)

__all__ = [
    "ComposedModel",
    "antimony_to_sbml",
    "compose",
    "draw_uncertain",
    "parameter_table",
    "parameter_tables",
    "people_rows",
    "shared_rows",
    "submodel_names",
    "uncertain_rows",
]
