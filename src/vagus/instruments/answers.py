"""Virtual people answer questionnaires."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtr

from vagus.instruments.banks import Bank, FloatArray, bank
from vagus.instruments.scoring import score
from vagus.rng import streams


def offsets(scale: str, subject_ids: Sequence[str], seed: int) -> FloatArray:
    """Return the stable person-by-item leanings.

    Parameters
    ----------
    scale : str
        Scale with an item bank.
    subject_ids : sequence of str
        Length n.
    seed : int
        Seed of the run.

    Returns
    -------
    numpy.ndarray
        Shape (n, items), latent SD; the same for one person at every occasion and under every arm.
    """
    items = bank(scale)
    own = streams(seed, "instrument", "offset", scale, last=subject_ids)
    draws = [rng.standard_normal(items.n_items) for rng in own]
    return items.offset_sd * np.array(draws, dtype=np.float64).reshape(len(subject_ids), items.n_items)


def answer_items(
    scale: str,
    theta: ArrayLike,
    subject_ids: Sequence[str],
    occasion: str,
    seed: int,
    person_seed: int | None = None,
) -> NDArray[np.int64]:
    """Draw raw answers, as they would stand on the form.

    Parameters
    ----------
    scale : str
        Scale with an item bank.
    theta : array_like
        Shape (n,), finite; latent trait, + = more of what the scale counts.
    subject_ids : sequence of str
        Length n.
    occasion : str
        Name of the visit; another name gives other answers of the same person.
    seed : int
        Seed of the run; the answers of one occasion start from it.
    person_seed : int, optional
        Seed of the people, which their stable leanings start from; `seed` where it is left out.

    Returns
    -------
    numpy.ndarray of int
        Shape (n, items); reverse-keyed items are in the form's own direction.

    Examples
    --------
    >>> answer_items("isi", [0.0], ["S1"], "baseline", 1).shape
    (1, 7)
    """
    items = bank(scale)
    person_seed = seed if person_seed is None else person_seed
    latent = _latent(items, theta, subject_ids) + offsets(scale, subject_ids, person_seed)
    own = streams(seed, "instrument", scale, occasion, last=subject_ids)
    if items.response == "vas":
        draws = np.array([rng.standard_normal(items.n_items) for rng in own]).reshape(latent.shape)
        line = items.b[:, 0] + items.a * latent + items.noise * draws
        keyed = np.rint(np.clip(line, items.item_min, items.item_max)).astype(np.int64)
    else:
        draws = np.array([rng.random(items.n_items) for rng in own]).reshape(latent.shape)
        reached = expit(items.a[:, None] * (latent[:, :, None] - items.b))
        keyed = items.item_min + (draws[:, :, None] < reached).sum(axis=2)
    return np.asarray(np.where(items.reverse, items.item_min + items.item_max - keyed, keyed), dtype=np.int64)


def answer_sum(
    scale: str,
    theta: ArrayLike,
    subject_ids: Sequence[str],
    occasion: str,
    seed: int,
    person_seed: int | None = None,
) -> NDArray[np.int64]:
    """Draw answers and score them.

    Parameters are those of `answer_items`.

    Returns
    -------
    numpy.ndarray of int
        Shape (n,); sums within the range of the instrument.

    Examples
    --------
    >>> answer_sum("bdi", [-2.0, 3.0], ["S1", "S2"], "screening", 1).tolist()
    [0, 49]
    """
    return score(scale, answer_items(scale, theta, subject_ids, occasion, seed, person_seed)).astype(np.int64)


def expected_sum(scale: str, theta: ArrayLike, subject_ids: Sequence[str], seed: int) -> FloatArray:
    """Return the expected sum given the latent trait and the person's leanings.

    Parameters are those of `answer_items`, without the occasion.

    Returns
    -------
    numpy.ndarray
        Shape (n,); strictly increasing in `theta`.

    Examples
    --------
    >>> low, high = expected_sum("psqi", [0.0, 1.0], ["S1", "S1"], 1)
    >>> bool(low < high)
    True
    """
    items = bank(scale)
    latent = _latent(items, theta, subject_ids) + offsets(scale, subject_ids, seed)
    if items.response == "vas":
        answers = clipped_mean(items.b[:, 0] + items.a * latent, items.noise, items.item_min, items.item_max)
        return np.asarray(answers.sum(axis=1))
    reached = expit(items.a[:, None] * (latent[:, :, None] - items.b))
    return np.asarray(items.score_min + reached.sum(axis=(1, 2)))


def clipped_mean(mean: ArrayLike, sd: ArrayLike, low: float, high: float) -> FloatArray:
    """Return the mean of a normal variable that is cut at both ends of a line.

    Parameters
    ----------
    mean, sd : array_like
        Mean and SD before the cut; `sd` above 0.
    low, high : float
        Ends of the line.

    Returns
    -------
    numpy.ndarray
        Same shape as `mean`.

    Examples
    --------
    >>> float(clipped_mean(50.0, 10.0, 0.0, 100.0).round(6))
    50.0
    """
    mean, sd = np.asarray(mean, dtype=np.float64), np.asarray(sd, dtype=np.float64)

    def hinge(cut: float) -> FloatArray:
        # E[max(x - cut, 0)] of a normal variable
        z = (mean - cut) / sd
        return np.asarray(sd * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)))

    return low + hinge(low) - hinge(high)


def _latent(items: Bank, theta: ArrayLike, subject_ids: Sequence[str]) -> FloatArray:
    values = np.asarray(theta, dtype=np.float64)
    if values.shape != (len(subject_ids),):
        raise ValueError(f"{items.scale}: theta must have one value a subject, got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{items.scale}: theta must be finite; leave out subjects whose simulation failed")
    return values[:, None]
