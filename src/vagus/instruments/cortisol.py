"""Indices of the cortisol awakening response from timed saliva samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vagus.instruments.banks import FloatArray

#: Minutes after waking of the five samples.
MINUTES = (0.0, 15.0, 30.0, 45.0, 60.0)


def car_indices(samples: ArrayLike, minutes: ArrayLike = MINUTES) -> dict[str, FloatArray]:
    """Return the four indices of the awakening response.

    Areas are trapezoids (Pruessner 2003): with respect to ground, and with respect to increase, which is the area
    above the waking sample and may be negative. The peak increase is the highest later sample minus the first.

    Parameters
    ----------
    samples : array_like
        Shape (n, k), nmol/l; a missing sample (NaN) makes that person's indices missing, except the waking value.
    minutes : array_like
        Shape (k,), increasing; minutes after waking.

    Returns
    -------
    dict of str to numpy.ndarray
        Outcome name to shape (n,).

    Examples
    --------
    >>> found = car_indices([[5.0, 9.0, 11.0, 9.0, 7.0]])
    >>> {name: float(value[0]) for name, value in found.items()}  # doctest: +NORMALIZE_WHITESPACE
    {'cortisol_awakening_nmol_l': 5.0, 'car_auc_i_nmol_min_l': 225.0, 'car_auc_g_nmol_min_l': 525.0,
     'car_peak_increase_nmol_l': 6.0}
    """
    values = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    at = np.asarray(minutes, dtype=np.float64)
    if values.shape[1] != at.size:
        raise ValueError(f"as many samples as minutes are needed, got {values.shape[1]} and {at.size}")
    ground = ((values[:, 1:] + values[:, :-1]) / 2 * np.diff(at)).sum(axis=1)
    waking = values[:, 0]
    return {
        "cortisol_awakening_nmol_l": waking,
        "car_auc_i_nmol_min_l": ground - waking * (at[-1] - at[0]),
        "car_auc_g_nmol_min_l": ground,
        "car_peak_increase_nmol_l": values[:, 1:].max(axis=1) - waking,
    }
