"""Virtual subjects: covariates, baseline microbiomes, variability between people, screening."""

from vagus.population.cohort import DOSED, GUILDS, Cohort
from vagus.population.constants import constant
from vagus.population.draw import Chosen, choose_people, draw_cohort, draw_people
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
    "Chosen",
    "Cohort",
    "Covariates",
    "MicrobiomeFigures",
    "Microbiomes",
    "Source",
    "choose_people",
    "constant",
    "draw_cohort",
    "draw_microbiomes",
    "draw_parameters",
    "draw_people",
    "draw_traits",
    "figures",
    "guild_fractions",
    "healthy_microbiome",
    "microbiomes",
    "source",
    "sources",
    "trait_correlation",
]
