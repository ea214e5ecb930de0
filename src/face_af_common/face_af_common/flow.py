"""How many pictures may be on their way: a source that outruns its readers makes each of them skip different ones.

Perception and overlay each take the newest picture. When both are slower than the camera, they take different ones,
and steering, which joins by equal stamp, gets little. So the source holds a picture back until both have answered.
"""

from __future__ import annotations

import threading
import time
from collections import deque

PATIENCE_S = 0.5
"""A reader that has not answered for this long (killed, loading, not started) is not waited for."""

IN_FLIGHT = 2
IN_FLIGHT_TEXT = "Pictures that perception and overlay may have before them until the next one follows; 0: do not wait"


class FlowControl:
    """Counts the pictures that are out; safe to use from several threads.

    ``limit``: pictures that may be unanswered by a reader, 0 = any number.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._sent: deque[int] = deque(maxlen=64)
        self._answered: dict[str, tuple[int, float]] = {}
        self._changed = threading.Condition()

    def sent(self, stamp_ns: int) -> None:
        """A picture is out."""
        with self._changed:
            self._sent.append(stamp_ns)

    def answered(self, reader: str, stamp_ns: int) -> None:
        """``reader`` has published what it made of the picture with that stamp."""
        with self._changed:
            self._answered[reader] = (stamp_ns, time.monotonic())
            self._changed.notify_all()

    @property
    def heard(self) -> set[str]:
        """Readers that have answered at least once."""
        with self._changed:
            return set(self._answered)

    @property
    def free(self) -> bool:
        """Whether the next picture may go out now."""
        if not self.limit:
            return True
        alive = time.monotonic() - PATIENCE_S
        return all(
            sum(stamp > newest for stamp in self._sent) < self.limit
            for newest, at in self._answered.values()
            if at > alive
        )

    def wait(self, timeout: float) -> bool:
        """Waits until the next picture may go out; False after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.free, timeout)
