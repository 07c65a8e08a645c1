"""From what happens in virtual people to what a trial would have on file."""

from vagus.observation.latents import loadings
from vagus.observation.stool import technologies
from vagus.observation.trial import baseline_visit, expected, observe

__all__ = ["baseline_visit", "expected", "loadings", "observe", "technologies"]
