"""Pre-specified statistics on trial data; never sees a latent state and never imports the simulator."""

from vagus.analysis.estimate import EffectEstimate, Verdict

__all__ = ["EffectEstimate", "Verdict"]
