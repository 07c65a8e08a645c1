"""From people and a regimen to trajectories: own baselines, dosing events, a cohort through the engine."""

from vagus.simulation.numerics import Precision, Work
from vagus.simulation.people import OUTPUTS, People, load_axis, settle
from vagus.simulation.regimen import draw_taken, plan_doses
from vagus.simulation.trajectories import CAR_MINUTES, Trajectories
from vagus.simulation.trial import Stack, assign_arms, model_days, simulate_arms

__all__ = [
    "CAR_MINUTES",
    "OUTPUTS",
    "People",
    "Precision",
    "Stack",
    "Trajectories",
    "Work",
    "assign_arms",
    "draw_taken",
    "load_axis",
    "model_days",
    "plan_doses",
    "settle",
    "simulate_arms",
]
