"""How far apart the frames are that reach the planner: a slow computer shows few, and unevenly."""

from __future__ import annotations

from collections import deque

_GAPS = 8
"""Newest gaps between frames that count: about a second at 8 frames a second."""


class FramePace:
    """The longest of the newest gaps between two frames."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_GAPS)
        self._last: float | None = None

    def forget(self) -> None:
        self._gaps.clear()
        self._last = None

    def tick(self, now: float) -> None:
        """A frame has come; ``now`` in seconds."""
        if self._last is not None:
            self._gaps.append(now - self._last)
        self._last = now

    @property
    def longest_s(self) -> float:
        """Seconds; 0 before the second frame."""
        return max(self._gaps, default=0.0)
