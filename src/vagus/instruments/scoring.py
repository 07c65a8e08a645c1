"""Scoring of raw answers, the same for real and virtual people."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vagus.errors import InputError, Problem
from vagus.instruments.banks import FloatArray, bank

_SHOWN = 20


def score(scale: str, items: ArrayLike) -> FloatArray:
    """Turn raw answers into sum scores.

    Reverse-keyed items are flipped. A blank item is NaN: up to `max_missing` blanks (``scales.csv``) are filled with
    the mean of the person's answered, keyed items and the sum is rounded to the nearest whole number (half up); with
    more blanks the sum is missing.

    Parameters
    ----------
    scale : str
        Scale with an item bank.
    items : array_like
        Shape (n, items) or (items,); answers as on the form, NaN where blank.

    Returns
    -------
    numpy.ndarray
        Shape (n,), or (1,) for one form; whole numbers or NaN.

    Raises
    ------
    InputError
        Wrong number of items, or answers outside the range; every bad answer is named.

    Examples
    --------
    >>> score("isi", [[4, 3, 3, 2, 1, 0, 2]]).tolist()
    [15.0]
    >>> score("stai_state", np.full((1, 20), 1)).tolist()  # ten items count backward
    [50.0]
    """
    scheme = bank(scale)
    answers = np.atleast_2d(np.asarray(items, dtype=np.float64))
    if answers.ndim != 2 or answers.shape[1] != scheme.n_items:
        found = answers.shape[-1]
        raise InputError(f"{scheme.title} must have {scheme.n_items} items, got {found}; give one column an item.")
    blank = np.isnan(answers)
    wrong = ~blank & ((answers < scheme.item_min) | (answers > scheme.item_max))
    if scheme.response == "graded":
        wrong |= ~blank & (answers != np.rint(answers))
    if wrong.any():
        kind = "a whole number" if scheme.response == "graded" else "a number"
        where = list(zip(*np.nonzero(wrong)))
        problems = [
            Problem(
                "",
                0,
                f"{scheme.title} answer must be {kind} from {scheme.item_min} to {scheme.item_max}, "
                f"got {answers[row, column]:g} (form {row + 1}, item {column + 1}); correct it or leave it blank.",
            )
            for row, column in where[:_SHOWN]
        ]
        if len(where) > _SHOWN:
            problems.append(Problem("", 0, f"{len(where) - _SHOWN} more answers of {scheme.title} are out of range."))
        raise InputError(problems)
    keyed = np.where(scheme.reverse, scheme.item_min + scheme.item_max - answers, answers)
    answered = scheme.n_items - blank.sum(axis=1)
    total = np.where(blank, 0.0, keyed).sum(axis=1)
    prorated = np.floor(total * scheme.n_items / np.maximum(answered, 1) + 0.5)
    total = np.where(answered == scheme.n_items, total, prorated)
    return np.where(scheme.n_items - answered > scheme.max_missing, np.nan, total)
