"""Trial data: one type for a simulated trial and a real one, the outcome vocabulary, and the checks."""

from vagus.trial.data import TrialData, make_outcomes
from vagus.trial.vocabulary import Outcome, outcome, outcomes

__all__ = ["Outcome", "TrialData", "make_outcomes", "outcome", "outcomes"]
