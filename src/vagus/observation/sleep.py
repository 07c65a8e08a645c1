"""Sleep diary and wrist actigraphy: the seven nights before a visit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, pdtr, pdtrik

from vagus.observation.latents import Latents
from vagus.observation.noise import FloatArray, factor, noise


class Nights:
    """What both instruments see: the same real nights.

    Sleep time of the model is the time from falling asleep to waking up; real nights differ from it by more than the
    model knows (`night.tst_sd_h`). Diary and actigraphy share this part and add their own errors.
    """

    def __init__(self, latents: Latents) -> None:
        self.latents = latents
        self.people = latents.people
        self._real = noise("night.tst_sd_h") * self.people.nightly("real", 1)[..., 0]

    def at(self, day: float) -> slice:
        """Return where the nights of a visit stand among the draws of all nights."""
        first = int(self.people.nights(day)[0]) + int(noise("week.nights"))
        return slice(first, first + int(noise("week.nights")))

    def period(self, day: float) -> FloatArray:
        """Return the model's sleep time of each night, shape (n, 7), h."""
        return self.people.week("tst_h", day)

    def awakenings(self, day: float) -> FloatArray:
        """Return the model's remembered awakenings of each night, shape (n, 7)."""
        return self.people.week("awakening_rate", day)

    def latency(self, day: float) -> FloatArray:
        """Return the model's time to fall asleep of each night, shape (n, 7), min."""
        return self.people.week("sleep_latency_felt_min", day)

    def awake(self, day: float) -> FloatArray:
        """Return the model's time awake after sleep onset of each night as a device sees it, shape (n, 7), min."""
        return np.maximum(self.people.week("waso_min", day), noise("actigraphy.waso_lowest_min"))

    def complaint(self, day: float) -> FloatArray:
        """Return the latent of the PSQI at a visit: who complains also remembers worse nights, shape (n,)."""
        return self.latents.theta("psqi", day)

    def real(self, day: float) -> FloatArray:
        """Return how much longer each night really was, shape (n, 7), h."""
        return np.asarray(self._real[:, self.at(day)])


class SleepDiary:
    """Morning diary: remembered awakenings, sleep time, time to fall asleep; a visit holds means of a week."""

    def __init__(self, nights: Nights) -> None:
        self._nights = nights
        own = nights.people.own("sleep_diary", 2)
        self._tst_own = noise("diary.tst_person_sd_h") * own[:, 0]
        self._latency_own = noise("diary.latency_person_sd") * own[:, 1]
        self._draws = nights.people.nightly("sleep_diary", 5)

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return expected weekly means."""
        return {
            "night_awakenings_n": self._awakenings(day).mean(axis=1),
            "tst_diary_h": self._sleep(day).mean(axis=1),
            "sleep_latency_diary_min": self._latency(day).mean(axis=1),
        }

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return weekly means of the mornings on which the diary was kept."""
        z = self._draws[:, self._nights.at(day)]
        tst = self._sleep(day) + self._nights.real(day) + noise("diary.tst_error_sd_h") * z[..., 0]
        latency = self._latency(day) * factor(z[..., 1], noise("diary.latency_night_sd"))
        shape = noise("diary.awakening_shape")
        rate = self._awakenings(day) * gammaincinv(shape, ndtr(z[..., 2])) / shape
        kept = ndtr(z[..., 4]) >= noise("diary.missed_fraction")
        return {
            "night_awakenings_n": weekly_mean(poisson_quantile(ndtr(z[..., 3]), rate), kept),
            "tst_diary_h": weekly_mean(np.clip(tst, 0.0, 24.0), kept),
            "sleep_latency_diary_min": weekly_mean(latency, kept),
        }

    def _awakenings(self, day: float) -> FloatArray:
        told = factor(self._nights.complaint(day), noise("diary.awakening_per_psqi_sd"))
        return np.asarray(self._nights.awakenings(day) * told[:, None])

    def _sleep(self, day: float) -> FloatArray:
        awake = self._awakenings(day) * noise("diary.bout_min") / 60.0
        told = noise("diary.tst_per_psqi_sd_h") * self._nights.complaint(day)
        return np.asarray(self._nights.period(day) - awake + (told + self._tst_own)[:, None])

    def _latency(self, day: float) -> FloatArray:
        told = noise("diary.latency_per_psqi_sd") * self._nights.complaint(day)
        return np.asarray(self._nights.latency(day) * np.exp(told + self._latency_own)[:, None])


class Actigraphy:
    """Wrist actigraphy: sleep time and time awake after sleep onset; a visit holds means of a week."""

    def __init__(self, nights: Nights) -> None:
        self._nights = nights
        self._tst_own = noise("actigraphy.tst_person_sd_h") * nights.people.own("actigraphy", 1)[:, 0]
        self._draws = nights.people.nightly("actigraphy", 3)

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return expected weekly means."""
        return {
            "tst_actigraphy_h": self._sleep(day).mean(axis=1),
            "waso_actigraphy_min": self._nights.awake(day).mean(axis=1),
        }

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return weekly means of the nights on which the device was worn."""
        z = self._draws[:, self._nights.at(day)]
        tst = self._sleep(day) + self._nights.real(day) + noise("actigraphy.tst_error_sd_h") * z[..., 0]
        waso = self._nights.awake(day) * factor(z[..., 1], noise("actigraphy.waso_night_sd"))
        worn = ndtr(z[..., 2]) >= noise("actigraphy.missed_fraction")
        return {
            "tst_actigraphy_h": weekly_mean(np.clip(tst, 0.0, 24.0), worn),
            "waso_actigraphy_min": weekly_mean(waso, worn),
        }

    def _sleep(self, day: float) -> FloatArray:
        return np.asarray(self._nights.period(day) - self._nights.awake(day) / 60.0 + self._tst_own[:, None])


def weekly_mean(values: FloatArray, kept: NDArray[np.bool_]) -> FloatArray:
    """Average the recorded nights; missing where fewer than `week.fewest_nights` were recorded.

    Examples
    --------
    >>> kept = np.array([[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0]], dtype=bool)
    >>> weekly_mean(np.tile(np.arange(7.0), (2, 1)), kept).tolist()
    [1.5, nan]
    """
    count = kept.sum(axis=1)
    total = np.where(kept, values, 0.0).sum(axis=1)
    return np.where(count >= noise("week.fewest_nights"), total / np.maximum(count, 1), np.nan)


def poisson_quantile(u: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the smallest count whose distribution function reaches `u`; NaN where the mean is.

    Examples
    --------
    >>> poisson_quantile(np.array([0.1, 0.5, 0.99]), np.array([2.0, 2.0, 2.0])).tolist()
    [0.0, 2.0, 6.0]
    """
    fine = np.isfinite(mean) & (mean > 0)
    m = np.where(fine, mean, 1.0)
    count = np.ceil(np.maximum(pdtrik(u, m), 0.0))
    # The inverse is continuous and rounded up; step back where one count fewer is enough.
    fewer = np.maximum(count - 1.0, 0.0)
    count = np.where(pdtr(fewer, m) >= u, fewer, count)
    return np.where(fine, count, np.where(mean == 0, 0.0, np.nan))
