"""Virtual subjects: covariates, baseline microbiomes, variability between people, screening."""

from vagus.population.cohort import DOSED, GUILDS, Cohort
from vagus.population.constants import constant
from vagus.population.draw import draw_cohort
from vagus.population.microbiome import (
    MicrobiomeFigures,
    Microbiomes,
    draw_microbiomes,
    figures,
    guild_fractions,
    healthy_microbiome,
    microbiomes,
)
from vagus.population.parameters import draw_parameters
from vagus.population.sources import Covariates, Source, source, sources
from vagus.population.traits import SCALES, draw_traits, trait_correlation

__all__ = [
    "DOSED",
    "GUILDS",
    "SCALES",
    "Cohort",
    "Covariates",
    "MicrobiomeFigures",
    "Microbiomes",
    "Source",
    "constant",
    "draw_cohort",
    "draw_microbiomes",
    "draw_parameters",
    "draw_traits",
    "figures",
    "guild_fractions",
    "healthy_microbiome",
    "microbiomes",
    "source",
    "sources",
    "trait_correlation",
]
