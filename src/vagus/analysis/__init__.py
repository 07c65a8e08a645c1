"""Pre-specified statistics on trial data; never sees a latent state and never imports the simulator."""

from vagus.analysis.estimate import EffectEstimate, Verdict
from vagus.analysis.multiplicity import holm
from vagus.analysis.planned import AnalysisResult, analyze
from vagus.analysis.verdicts import verdict

__all__ = ["AnalysisResult", "EffectEstimate", "Verdict", "analyze", "holm", "verdict"]
