"""What a similarity is worth: calibrated likeness, by which several models are added up, and the scale for people.

A model's similarity s becomes ``slope * s + offset``, the logarithm of the odds that two faces are one person's
(Platt's scaling). What independent models say of one pair then simply adds up. Likeness by several models is a
similarity again: with each model's embeddings scaled by the square root of its weight and put side by side, the sum is
``1 - d^2 / 2`` of the whole rows. So everything that compares embeddings works for one model and for several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

USUAL_THRESHOLD = 0.42
"""Where the threshold lies on the scale that is published, whatever the models."""

SECOND = 0.5
"""How far below the threshold the second best person of a gallery is taken to be at least, where the lead over them
counts; in units of the threshold above strangers. Else the lead alone would give a name in a gallery of one person."""

_USUAL_SLOPE = 10.0
_USUAL_EVEN = 0.8
"""Log-odds between strangers and a model's threshold, and the share of the way at which odds are even, where nobody
has fitted them: about what the fitted models have."""
_ROUNDS = 50
_RIDGE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """``slope * similarity + offset``: log-odds that two faces are one person's, both cases equally likely before."""

    slope: float
    offset: float

    def log_odds(self, similarity: ArrayLike) -> NDArray[np.float64]:
        """Log-odds of similarities."""
        return self.slope * np.asarray(similarity, np.float64) + self.offset

    @classmethod
    def usual(cls, threshold: float, strangers: float) -> Calibration:
        """For a model that nobody has measured, from its ``threshold`` and the mean similarity of ``strangers``."""
        slope = _USUAL_SLOPE / max(threshold - strangers, 1e-3)
        return cls(slope, -slope * (strangers + _USUAL_EVEN * (threshold - strangers)))

    def weighed(self, share: float) -> Calibration:
        """The same with a ``share`` of the log-odds."""
        return Calibration(share * self.slope, share * self.offset)


def fit(genuine: ArrayLike, impostor: ArrayLike) -> Calibration:
    """Logistic regression on similarities of pairs of one person and of two, both kinds weighing the same.

    Newton's method with a little ridge, so that kinds that part completely stay finite. Raises ``ValueError`` where
    either kind is missing.
    """
    same, different = np.asarray(genuine, np.float64).ravel(), np.asarray(impostor, np.float64).ravel()
    if not len(same) or not len(different):
        raise ValueError("pairs of one person and of different people are needed")
    x = np.concatenate([same, different])
    y = np.repeat([1.0, 0.0], [len(same), len(different)])
    weight = np.repeat([0.5 / len(same), 0.5 / len(different)], [len(same), len(different)])
    middle, spread = float(x.mean()), float(x.std()) or 1.0
    design = np.stack([(x - middle) / spread, np.ones_like(x)], 1)
    penalty = np.diag([_RIDGE, 0.0])
    beta = np.zeros(2)
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (weight * (p - y)) + penalty @ beta
        curvature = (design * (weight * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-9))
        beta -= step
        if np.abs(step).max() < 1e-8:
            break
    slope = float(beta[0] / spread)
    return Calibration(slope, float(beta[1] - slope * middle))


def weights(
    calibrations: Sequence[Calibration], strangers: Sequence[float], threshold: float, lead: float = 0.0
) -> NDArray[np.float64]:
    """What each model's ``1 - similarity`` takes off the common likeness.

    Equal embeddings have the likeness 1. Log-odds of ``threshold``, with the share ``lead`` of the lead over the second
    best person added, become :data:`USUAL_THRESHOLD` once :class:`~.matching.Lead` has been added to the likeness.
    ``strangers``: each model's mean similarity of unrelated people. Raises ``ValueError`` for an impossible threshold.
    """
    most = sum(c.slope + c.offset for c in calibrations)
    apart = most - sum(float(c.log_odds(s)) for c, s in zip(calibrations, strangers, strict=True))
    # with likeness = 1 - unit * (most - log-odds), solved for the unit at which the threshold becomes 0.42 (t):
    # 1 - unit * (most - threshold) = t * (1 + lead * (1 - least)), where least = t - SECOND * (t - strangers)
    counted = USUAL_THRESHOLD * lead
    span = most - threshold + counted * SECOND * apart
    if span <= 0:
        raise ValueError(f"the threshold {threshold} is above what any two faces can reach ({most:.1f})")
    unit = (1 - USUAL_THRESHOLD) * (1 - counted * (1 - SECOND)) / span
    return np.array([c.slope for c in calibrations]) * unit


@dataclass(frozen=True)
class PublishedScale:
    """One monotonic map to the scale that people see: strangers 0, the threshold 0.42, equal embeddings 1.

    Straight between the three, and on below strangers; ``strangers`` and ``threshold`` are on the model's own scale.
    """

    strangers: float
    threshold: float

    def published(self, likeness: float) -> float:
        """A model's own similarity as it is published, -1 to 1."""
        low, high = self.strangers, self.threshold
        if likeness < high:
            return max(-1.0, USUAL_THRESHOLD * (likeness - low) / (high - low))
        return min(1.0, USUAL_THRESHOLD + (1 - USUAL_THRESHOLD) * (likeness - high) / (1 - high))

    def internal(self, published: float) -> float:
        """The reverse: a threshold that a user has set, on the model's own scale."""
        low, high = self.strangers, self.threshold
        if published < USUAL_THRESHOLD:
            return low + published / USUAL_THRESHOLD * (high - low)
        return high + (published - USUAL_THRESHOLD) / (1 - USUAL_THRESHOLD) * (1 - high)
