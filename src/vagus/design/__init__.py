"""What a planned trial is expected to show: true effects over parameter draws, and one trial's estimate."""

from vagus.design.estimates import predicted_estimates
from vagus.design.prediction import Effect, Prediction, axis_changes, predict

__all__ = ["Effect", "Prediction", "axis_changes", "predict", "predicted_estimates"]
