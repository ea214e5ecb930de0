"""Which image can be drawn now, and with what: joins by stamp, in bounded memory, never waiting long."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

RESULTS = ("faces", "boxes", "state")
_SILENT_AFTER = 1.0
"""Seconds without a message after which a stream is not waited for any more."""


@dataclass
class Joined:
    """One image and what was said about it; what never came is absent from ``results``."""

    stamp_ns: int
    picture: Any
    arrived: float
    results: dict[str, Any] = field(default_factory=dict)


class DebugJoiner:
    """Holds images back until faces, boxes and state of the same stamp have come, or patience ends.

    Streams that have been silent are not waited for, so the image lives on when a node dies. Times are
    seconds of one monotonic clock. At most ``depth`` images are held; the oldest goes first.
    """

    def __init__(self, depth: int = 8) -> None:
        self._depth = depth
        self._pictures: OrderedDict[int, Joined] = OrderedDict()
        self._early: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._heard: dict[str, float] = {}
        self._finished: deque[float] = deque(maxlen=60)

    def add_picture(self, stamp_ns: int, picture: Any, now: float) -> None:
        if self._pictures and stamp_ns < next(reversed(self._pictures)):
            self._pictures.clear()
        entry = Joined(stamp_ns, picture, now, self._early.pop(stamp_ns, {}))
        self._pictures[stamp_ns] = entry
        while len(self._pictures) > self._depth:
            self._pictures.popitem(last=False)

    def add_result(self, stream: str, stamp_ns: int, value: Any, now: float) -> None:
        """``stream``: one of :data:`RESULTS`. A result may overtake its image."""
        if stream not in RESULTS:
            raise KeyError(stream)
        self._heard[stream] = now
        if stream == "faces":
            self._finished.append(now)
        picture = self._pictures.get(stamp_ns)
        if picture is not None:
            picture.results[stream] = value
            return
        self._early.setdefault(stamp_ns, {})[stream] = value
        while len(self._early) > self._depth:
            self._early.popitem(last=False)

    def take(self, now: float, patience: float) -> Joined | None:
        """The newest image that is complete or has waited ``patience`` seconds; older ones are dropped."""
        wanted = [name for name in RESULTS if now - self._heard.get(name, -1e9) < _SILENT_AFTER]
        for stamp in reversed(self._pictures):
            entry = self._pictures[stamp]
            if all(name in entry.results for name in wanted) or now - entry.arrived >= patience:
                while self._pictures:
                    if self._pictures.popitem(last=False)[0] == stamp:
                        break
                return entry
        return None

    def clear(self) -> None:
        """Forgets images and results (nobody looks any more)."""
        self._pictures.clear()
        self._early.clear()
        self._finished.clear()

    def fps(self, now: float) -> float | None:
        """Frames a second that perception finishes, or None when unknown."""
        recent = [t for t in self._finished if now - t < 2.0]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 2 and recent[-1] > recent[0] else None
