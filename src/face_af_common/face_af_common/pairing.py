"""Joins of messages that were derived from the same frame: by equal stamp, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any


class StampPairer:
    """Collects one message of each named stream for each stamp.

    At most ``depth`` incomplete stamps are kept; the oldest are dropped. A stamp at or before the
    last completed one is late and dropped too: results come out in order of time, except that a
    clock that jumps back by more than ``reset_after`` seconds starts anew (a replay that loops).
    """

    def __init__(self, streams: tuple[str, ...], depth: int = 10, reset_after: float = 1.0) -> None:
        self._streams = streams
        self._depth = depth
        self._reset_after_ns = int(reset_after * 1e9)
        self.waiting: OrderedDict[int, dict[str, Any]] = OrderedDict()
        """Incomplete sets by stamp, the oldest first."""
        self.newest = -1
        """Stamp of the newest complete set; -1 = none yet."""
        self.dropped = 0
        """Stamps that were given up because a stream had nothing for them."""

    def add(self, stream: str, stamp_ns: int, message: Any) -> dict[str, Any] | None:
        """Adds a message; returns ``{stream: message}`` when its stamp is complete, else None."""
        if stream not in self._streams:
            raise KeyError(stream)
        if stamp_ns <= self.newest:
            if self.newest - stamp_ns < self._reset_after_ns:
                return None
            self.waiting.clear()
            self.newest = -1
        entry = self.waiting.setdefault(stamp_ns, {})
        entry[stream] = message
        if len(entry) == len(self._streams):
            for stamp in [s for s in self.waiting if s <= stamp_ns]:
                if self.waiting.pop(stamp) is not entry:
                    self.dropped += 1
            self.newest = stamp_ns
            return entry
        while len(self.waiting) > self._depth:
            self.waiting.popitem(last=False)
            self.dropped += 1
        return None
