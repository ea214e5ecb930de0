"""How many frames a viewer gets, and how large: never more than one on its way, quality and size follow the line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: most columns of the image, and its JPEG quality (1 to 100)."""

    width: int
    quality: int


LADDER = (Rung(1280, 80), Rung(960, 70), Rung(800, 60), Rung(640, 50), Rung(480, 45), Rung(320, 40))
"""Best first."""
START = 1

SLOW_S = 0.20
"""A frame that is on its way for longer than this is too large for the line."""
QUICK_S = 0.06
"""A line that delivers quicker than this may have room for more."""
_SLOW_FRAMES = 3
_QUICK_FOR_S = 4.0
_RETREAT_S = 30.0
"""After a step up that was too much, the next one is tried after this time."""
_SMOOTHING = 0.3


class Pacer:
    """One viewer's line. Times are seconds of a clock that never goes back.

    ``wanted_width``: columns that the viewer can show; no larger image is sent.
    """

    def __init__(self) -> None:
        self.wanted_width = LADDER[START].width
        self._step = START
        self._number = 0
        self._sent_at: float | None = None
        self._slow = 0
        self._quick_since: float | None = None
        self._stepped_up_at = -1e9
        self._no_step_before = -1e9
        self.delivery_s = 0.0
        """How long frames are on their way, smoothed: from sending one until the viewer has drawn it."""

    @property
    def ready(self) -> bool:
        """Whether no frame is on its way."""
        return self._sent_at is None

    @property
    def rung(self) -> Rung:
        rung = LADDER[self._step]
        # widths of a few steps only, so that viewers share what is encoded
        fitting = next((r.width for r in reversed(LADDER) if r.width >= self.wanted_width), rung.width)
        return Rung(min(rung.width, fitting), rung.quality)

    def sent(self, now: float) -> int:
        """A frame goes out; returns its number."""
        self._number += 1
        self._sent_at = now
        return self._number

    def drawn(self, number: int, now: float) -> float | None:
        """The viewer has drawn frame ``number``: seconds that it took; None where it is not the one on its way."""
        if self._sent_at is None or number != self._number:
            return None
        took, self._sent_at = now - self._sent_at, None
        self.delivery_s += (_SMOOTHING if self.delivery_s else 1.0) * (took - self.delivery_s)
        self._adapt(took, now)
        return took

    def _adapt(self, took: float, now: float) -> None:
        self._slow = self._slow + 1 if took > SLOW_S else 0
        if took > QUICK_S:
            self._quick_since = None
        elif self._quick_since is None:
            self._quick_since = now
        if self._slow >= _SLOW_FRAMES or took > 5 * SLOW_S:
            if now - self._stepped_up_at < _QUICK_FOR_S:
                self._no_step_before = now + _RETREAT_S
            self._change(+1)
        elif self._quick_since is not None and now - max(self._quick_since, self._no_step_before) > _QUICK_FOR_S:
            self._stepped_up_at = now
            self._change(-1)

    def _change(self, by: int) -> None:
        self._step = min(max(self._step + by, 0), len(LADDER) - 1)
        self._slow, self._quick_since = 0, None
