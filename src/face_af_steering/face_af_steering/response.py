"""How long the camera takes from a press to its effect in the picture: learned, with its spread."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

_PRIOR_S = 0.38
"""Before anything was seen: a camera that answers in 0.2 s, seen 0.1 to 0.2 s later."""
_PRIOR_SPREAD_S = 0.1
_PRIOR_WEIGHT = 0.5
"""In presses: a guess, which one press that is seen outweighs."""
_MEASURED_WEIGHT = 4.0
"""In presses: a time measured with this camera counts for more than a guess, and still gives way to what is seen."""
FRAME_S = 0.035
"""About a frame at 30 frames a second: so exactly can a time be known at best."""
_LONGEST_S = 1.5
"""No camera takes longer to answer a press; what comes later has another cause."""
_UNKNOWN_S = 0.8
"""Patience with a camera that has not answered yet."""
_DOUBTING_S = 1.2
"""... and with one that was believed to be quicker than it is."""
_DOUBTED_LOSS = 0.55
"""Links that lose so many presses are of no use: rather the camera is slower than believed, and each effect was taken
for that of a later press."""
_PATIENCE_RANGE = (2.4, 3.6)
"""In spreads; it grows where presses that were taken for lost took effect after all."""
_IMPATIENT, _PATIENT = 0.97, 1.2
"""Factors for each effect in time, and for one that came late: balanced where one in seven is late."""
_DUE = 2.5
"""Spreads around the middle."""
_EARLY = 3.0
"""Spreads before the middle: hardly any effect comes sooner."""
_CLEARLY = 10.0
"""So many times likelier than any other press: it is this one."""
_SOONEST_S = 0.05
"""No camera shows the effect of a press sooner."""
_LOSS = 0.1
"""Share of lost presses before any was seen: between a cable (none) and a radio link (one in five)."""
_LOSS_RATE = 0.08
"""Share of the newest press in it: the last dozen count."""
_FEW = 4
"""Presses from which on their spread says something."""
_MANY = 10
"""Presses from which on the slowest but one tells how long the slow ones take."""


class ResponseModel:
    """Middle and spread of the response time over the newest presses whose effect was seen.

    Median and median deviation: now and then a move of the camera's own is taken for an effect.
    """

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=24)
        self.loss = _LOSS
        """Estimated share of the presses that get lost."""
        self._guess()
        self._unknown_s = _UNKNOWN_S
        self._patience = _PATIENCE_RANGE[0]

    def _guess(self) -> None:
        """Begins anew: nothing is known of this camera."""
        self._samples.clear()
        self._prior_s, self._prior_spread_s, self._prior_weight = _PRIOR_S, _PRIOR_SPREAD_S, _PRIOR_WEIGHT
        self.middle_s, self.spread_s = _PRIOR_S, _PRIOR_SPREAD_S

    def expect(self, middle_s: float, spread_s: float, loss: float | None = None) -> None:
        """What was measured with this camera before, in seconds and as a share: a prior, better than a guess."""
        self._prior_s = min(max(middle_s, _SOONEST_S), _LONGEST_S)
        self._prior_spread_s = max(spread_s, 0.015)
        self._prior_weight = _MEASURED_WEIGHT
        if not self._samples:
            self.middle_s, self.spread_s = self._prior_s, self._prior_spread_s
            self.loss = self.loss if loss is None else min(max(loss, 0.0), 0.5)

    def lost(self) -> None:
        """One press showed nothing in time."""
        self.loss += _LOSS_RATE * (1 - self.loss)
        if self._believed and self.loss > _DOUBTED_LOSS:
            self._guess()
            self._unknown_s, self.loss = _DOUBTING_S, _LOSS

    def late(self) -> None:
        """A press that was taken for lost took effect."""
        self._patience = min(self._patience * _PATIENT, _PATIENCE_RANGE[1])

    @property
    def _believed(self) -> bool:
        """Whether the time is more than a guess: it was seen, or measured before."""
        return bool(self._samples) or self._prior_weight != _PRIOR_WEIGHT

    def answer_s(self, picture_lag_s: float) -> float:
        """How long the camera itself takes, at most: its picture lags by ``picture_lag_s`` or more."""
        return max(self.middle_s - picture_lag_s, 0.0)

    @property
    def known(self) -> bool:
        """Enough presses were seen to say what is unlikely."""
        return len(self._samples) >= 2

    def can_use(self, seconds: float, sure: bool) -> bool:
        """Whether to learn from an effect: where it may belong to a later press (not ``sure``), it may only shorten
        what is believed, and only while little is known; else one wrong guess would lead to the next."""
        return sure or (len(self._samples) < _FEW and seconds <= self.middle_s)

    def learn(self, seconds: float) -> None:
        """One press took effect after ``seconds``, as seen in the picture."""
        self.loss *= 1 - _LOSS_RATE
        self._patience = max(self._patience * _IMPATIENT, _PATIENCE_RANGE[0])
        samples = self._samples
        samples.append(min(max(seconds, 0.0), _LONGEST_S))
        n = len(samples)
        middle = _median(samples)
        weight = self._prior_weight / n
        self.middle_s = (n * middle + weight * self._prior_s) / (n + weight)
        spread = 1.3 * sum(sorted(abs(s - middle) for s in samples)[: n - n // 8]) / max(n - n // 8, 1)
        self.spread_s = max(
            0.015,
            math.sqrt((n * spread**2 + self._prior_weight * self._prior_spread_s**2 / n) / (n + self._prior_weight)),
        )

    def timeout_s(self, repeats: int = 0) -> float:
        """A press that has shown nothing for so long is lost; longer after some repeats, in case we are wrong.

        The more presses get lost here, the less a press is waited for that may only be slow.
        """
        patience = self._patience - 2.0 * min(self.loss, 0.3)
        timeout = self.middle_s + patience * self.spread_s + FRAME_S
        if not self._believed:
            timeout = max(timeout, self._unknown_s)
        if len(self._samples) >= _MANY:
            slow = sorted(self._samples)[-2]
            timeout = min(timeout, self.middle_s + 1.25 * (slow - self.middle_s) + 1.3 * FRAME_S)
        return min(timeout * 1.3 ** max(0, repeats - 2), _LONGEST_S)

    @property
    def earliest_s(self) -> float:
        """A press can hardly take effect sooner."""
        if len(self._samples) < _FEW:
            return _SOONEST_S
        return max(_SOONEST_S, self.middle_s - _EARLY * self.spread_s - 2 * FRAME_S)

    @property
    def latest_s(self) -> float:
        """A press can hardly take effect later."""
        return min(self.timeout_s() + 0.4, _LONGEST_S) if self.known else _LONGEST_S

    def is_due(self, age: float) -> bool:
        """Whether a press of this age takes effect just about now."""
        early, late = self.middle_s - _DUE * self.spread_s, self.middle_s + _DUE * self.spread_s
        return early - FRAME_S <= age <= max(late, self.timeout_s()) + 2 * FRAME_S

    def taking_effect(self, ages: Sequence[float]) -> tuple[int, bool]:
        """Which of several presses under way, given their ages, oldest first, takes effect now; and whether surely."""
        best, best_score, second, open_share = 0, -1.0, 0.0, 1.0
        for i, age in enumerate(ages):
            score = open_share * self.likelihood(age)
            if score > best_score:
                best, best_score, second = i, score, max(best_score, 0.0)
            else:
                second = max(second, score)
            z = (age - self.middle_s) / (self.spread_s + FRAME_S)
            open_share *= self.loss + (1 - self.loss) / (1 + math.exp(min(1.7 * z, 50.0)))
        return best, best_score >= _CLEARLY * second

    def likelihood(self, seconds: float) -> float:
        """How well an age of ``seconds`` fits a press that takes effect now (relative)."""
        z = (seconds - self.middle_s) / (self.spread_s + FRAME_S)
        return 1.0 / (1.0 + z * z)

    def density(self, seconds: float) -> float:
        """Density, a second, of a press of this age taking effect now (Cauchy, as :meth:`likelihood`)."""
        return self.likelihood(seconds) / (math.pi * (self.spread_s + FRAME_S))


def _median(values: deque[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
