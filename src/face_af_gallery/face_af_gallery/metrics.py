"""How well scores tell same from different: ROC, equal error rate, thresholds. A score is a similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Roc:
    """At each ``threshold`` (falling) the share of impostors and of genuine ones at or above it."""

    threshold: Scores
    false_accept: Scores
    true_accept: Scores

    def equal_error(self) -> tuple[float, float]:
        """The error rate where as many impostors are accepted as genuine ones refused, and its threshold."""
        refused = 1 - self.true_accept
        at = int(np.argmin(np.abs(self.false_accept - refused)))
        return float((self.false_accept[at] + refused[at]) / 2), float(self.threshold[at])


def roc(genuine: Scores, impostor: Scores) -> Roc:
    """The curve over every threshold that makes a difference."""
    values = np.unique(np.concatenate([genuine, impostor, [np.inf]]))[::-1]
    return Roc(values, _share(impostor, values), _share(genuine, values))


def _share(scores: Scores, thresholds: Scores) -> Scores:
    if not len(scores):
        return np.zeros(len(thresholds))
    return np.asarray(1 - np.searchsorted(np.sort(scores), thresholds, "left") / len(scores), np.float64)


def limit_at(impostor: Scores, rate: float) -> float:
    """The lowest threshold that at most ``rate`` (0 to 1) of the impostors reach: just above the best one refused."""
    ordered = np.sort(impostor)[::-1]
    allowed = int(np.floor(rate * len(ordered)))
    return float(np.nextafter(ordered[allowed], np.inf)) if allowed < len(ordered) else -1.0


def threshold_at(impostor: Scores, rate: float, genuine: Scores) -> float:
    """A threshold to use for that rate: midway between :func:`limit_at` and the next genuine score above it.

    So it depends on no single photo alone.
    """
    limit = limit_at(impostor, rate)
    above = genuine[genuine > limit]
    return (limit + float(above.min())) / 2 if len(above) else limit


def best_accuracy(genuine: Scores, impostor: Scores) -> tuple[float, float]:
    """The highest accuracy of any threshold, and the middle of the thresholds that reach it."""
    curve = roc(genuine, impostor)
    total = len(genuine) + len(impostor)
    right = curve.true_accept * len(genuine) + (1 - curve.false_accept) * len(impostor)
    best = int(np.argmax(right))
    low = max((s for s in (*genuine, *impostor) if s < curve.threshold[best]), default=float(curve.threshold[best]))
    return float(right[best] / total), float((curve.threshold[best] + low) / 2)
