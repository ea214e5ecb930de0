"""How soon the next of several presses may follow: before the picture shows the effect of the last one."""

from __future__ import annotations

import math

from .response import FRAME_S, ResponseModel

_SHARE_RANGE = (0.25, 0.8)
"""Bounds of the share: sooner, the driver would still be sending; later, nothing is gained."""
_FASTER, _SLOWER = 0.9, 1.3
"""Factors of the share after a press that worked, and after a lost one: balanced where two in seven are lost."""
_WORTH_A_TRY = 3
"""Steps to the target from which it is tried whether a camera takes presses while it answers."""
_SURE = 3
"""So many more of one kind than of the other change the belief no further: a camera may be set otherwise."""
_MARGIN_RANGE = (0.3, 2.5)
"""Bounds of the margin, in spreads: 0.3 is right for six in ten presses, 2.5 for nearly all."""
_FIRST_MARGIN = 1.5
"""Nine in ten presses have been answered by then."""
_LESS_MARGIN, _MORE_MARGIN = 0.05, 0.4
"""In spreads, after a press that worked, and after a lost one: balanced where one in nine is lost."""


class PressPipelining:
    """Learns whether the camera queues presses while it answers, and how soon it listens again where it does not."""

    def __init__(self) -> None:
        self._queues = 0
        """Over zero: it takes presses while it answers; under: it ignores them; zero: not known."""
        self._share = _SHARE_RANGE[0]
        """Where it takes them: share of the response time after which the next of several presses may follow."""
        self._margin = _FIRST_MARGIN
        """Where it ignores them: after the response time, in spreads."""

    def follow_s(self, steps: int, response: ResponseModel, picture_lag_s: float) -> float:
        """How long after a press the next of ``steps`` may follow before its effect is seen; inf: not at all."""
        answer = response.answer_s(picture_lag_s)
        if self._queues > 0 or (self._queues == 0 and steps >= _WORTH_A_TRY):
            return self._share * answer
        follow = answer + self._margin * response.spread_s
        # within a frame of the effect nothing is gained any more
        return follow if follow < response.middle_s - FRAME_S else math.inf

    def ended(self, early: bool, worked: bool) -> None:
        """A press that followed another took effect or was lost. ``early``: it went out while the camera answered."""
        if not early:
            low, high = _MARGIN_RANGE
            self._margin = min(max(self._margin + (-_LESS_MARGIN if worked else _MORE_MARGIN), low), high)
            return
        low, high = _SHARE_RANGE
        self._share = min(max(self._share * (_FASTER if worked else _SLOWER), low), high)
        self._queues = min(self._queues + (1 if worked else -1), _SURE)
