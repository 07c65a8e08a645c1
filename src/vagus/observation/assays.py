"""Assays of stool, blood and saliva. Errors multiply with mean 1, so that averages are true."""

from __future__ import annotations

import numpy as np

from vagus.instruments import car_indices
from vagus.instruments.cortisol import MINUTES
from vagus.observation.noise import FloatArray, factor, noise
from vagus.observation.people import People


class StoolAcids:
    """Short-chain fatty acids in stool: what the colon holds, scaled by what is absorbed on the way."""

    ACIDS = ("acetate", "propionate", "butyrate")

    def __init__(self, people: People) -> None:
        self._people = people

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return expected concentrations, mmol/kg wet stool."""
        return {
            f"faecal_{acid}_mmol_kg": noise(f"scfa.{acid}_kg_per_l") * self._people.at_visit(f"{acid}_mM", day)
            for acid in self.ACIDS
        }

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return assayed concentrations; one wet or dry stool moves all three."""
        z = shared(self._people.draws("stool_scfa", visit, 4), noise("scfa.within_correlation"))
        true = self.expect(day)
        return {
            name: value * factor(z[:, k], noise(f"scfa.{acid}_within_sd"))
            for k, (acid, (name, value)) in enumerate(zip(self.ACIDS, true.items(), strict=True))
        }


class Blood:
    """IL-6, TNF and C-reactive protein in venous blood."""

    SD = ("blood.il6_within_sd", "blood.tnf_within_sd", "blood.crp_within_sd")

    def __init__(self, people: People) -> None:
        self._people = people
        usual = people.before_treatment("il6_pg_ml") * noise("blood.il6_scale")
        typical = noise("blood.il6_typical_pg_ml")
        own = noise("blood.crp_person_sd") * people.own("crp", 1)[:, 0]
        self._crp = noise("blood.crp_mg_l") * np.exp(noise("blood.crp_per_ln_il6") * np.log(usual / typical) + own)

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return expected concentrations on the scale of the usual assays."""
        return {
            "plasma_il6_pg_ml": noise("blood.il6_scale") * self._people.at_visit("il6_pg_ml", day),
            "plasma_tnf_pg_ml": self._people.at_visit("tnf_assay_pg_ml", day),
            "crp_mg_l": self._crp * self._people.at_visit("crp_rel", day),
        }

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return assayed concentrations; a cold moves all three."""
        z = shared(self._people.draws("blood_inflammation", visit, 4), noise("blood.within_correlation"))
        return {
            name: value * factor(z[:, k], noise(self.SD[k])) for k, (name, value) in enumerate(self.expect(day).items())
        }


class Saliva:
    """Cortisol awakening response from five saliva samples of one morning.

    The waking sample differs from day to day by a factor that fades over the hour, the size of the rise by a normal
    part that follows the mean curve of healthy adults, and each sample by its assay.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        mean = np.array([noise(f"car.mean_{int(minute)}_nmol_l") for minute in MINUTES])
        self._rise = (mean - mean[0]) / (mean - mean[0]).max()
        self._fade = np.exp(-np.array(MINUTES) / noise("car.waking_day_decay_min"))

    def expect(self, day: float) -> dict[str, FloatArray]:
        """Return the indices of the true curve."""
        return car_indices(self._people.car(day))

    def observe(self, visit: str, day: float) -> dict[str, FloatArray]:
        """Return the indices of the assayed samples."""
        return car_indices(self.samples(visit, day))

    def samples(self, visit: str, day: float) -> FloatArray:
        """Return the assayed samples, shape (n, 5), nmol/l."""
        true = self._people.car(day)
        z = self._people.draws("saliva_CAR", visit, 2 + len(MINUTES))
        log_sd = np.sqrt(np.log1p(noise("car.waking_day_cv") ** 2))
        waking = true[:, :1] * (factor(z[:, :1], log_sd) - 1.0) * self._fade
        rise = noise("car.increase_day_rel") * true.mean(axis=1, keepdims=True) * z[:, 1:2] * self._rise
        assay = factor(z[:, 2:], np.sqrt(np.log1p(noise("car.assay_cv") ** 2)))
        return np.asarray(np.maximum((true + waking + rise) * assay, noise("car.detection_limit_nmol_l")))


def shared(z: FloatArray, correlation: float) -> FloatArray:
    """Turn k+1 independent normal columns into k columns that correlate equally (the first one is shared).

    Examples
    --------
    >>> shared(np.array([[1.0, 0.0, 0.0]]), 0.25).tolist()
    [[0.5, 0.5]]
    """
    return np.asarray(np.sqrt(correlation) * z[:, :1] + np.sqrt(1.0 - correlation) * z[:, 1:])
