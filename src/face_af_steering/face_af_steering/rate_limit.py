"""A limit of presses that cannot be exceeded."""

from __future__ import annotations

from collections import deque


class RateLimit:
    """At most ``most`` events in any window of ``window_s``, and never two within ``interval_s``."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def allows(self, now: float, interval_s: float, most: int, window_s: float) -> bool:
        times = self._times
        while times and times[0] <= now - window_s:
            times.popleft()
        return not times or (now - times[-1] >= interval_s and len(times) < most)

    def count(self, now: float) -> None:
        self._times.append(now)

    def restart(self, now: float) -> None:
        """The clock was set: what was counted is taken to have happened just now."""
        self._times = deque(now for _ in self._times)
