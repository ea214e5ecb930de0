"""How long the camera takes from a press to its effect in the picture: learned, with its spread."""

from __future__ import annotations

import math
from collections import deque

_PRIOR_MEAN_S = 0.38
_PRIOR_SPREAD_S = 0.13
_PRIOR_WEIGHT = 1.5
_LONGEST_S = 1.5


class ResponseModel:
    """Mean and spread of the response time over the newest presses whose effect was seen."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=32)
        self.mean_s = _PRIOR_MEAN_S
        self.spread_s = _PRIOR_SPREAD_S

    def learn(self, seconds: float) -> None:
        """One press took effect after ``seconds``, as seen in the picture."""
        self._samples.append(min(max(seconds, 0.0), _LONGEST_S))
        n = len(self._samples)
        total = n + _PRIOR_WEIGHT
        self.mean_s = (sum(self._samples) + _PRIOR_WEIGHT * _PRIOR_MEAN_S) / total
        own = sum(self._samples) / n
        squares = sum((s - own) ** 2 for s in self._samples)
        self.spread_s = max(0.02, math.sqrt((squares + _PRIOR_WEIGHT * _PRIOR_SPREAD_S**2) / total))

    @property
    def timeout_s(self) -> float:
        """A press that has shown nothing for so long is lost."""
        timeout = self.mean_s + 3.0 * self.spread_s + 0.04
        if len(self._samples) >= 6:
            timeout = min(timeout, max(self._samples) + self.spread_s + 0.04)
        return min(timeout, _LONGEST_S)

    def likelihood(self, seconds: float) -> float:
        """How well an age of ``seconds`` fits a press that takes effect now (relative)."""
        z = (seconds - self.mean_s) / (self.spread_s + 0.03)
        return math.exp(-0.5 * z * z)
