"""What is measured and how answers become scores; the same scoring serves real and virtual people."""

from vagus.instruments.answers import answer_items, answer_sum, expected_sum
from vagus.instruments.banks import Bank, bank, scales
from vagus.instruments.cortisol import car_indices
from vagus.instruments.measures import measure_of, measures
from vagus.instruments.scoring import score

__all__ = [
    "Bank",
    "answer_items",
    "answer_sum",
    "bank",
    "car_indices",
    "expected_sum",
    "measure_of",
    "measures",
    "scales",
    "score",
]
