"""What can go wrong with a camera, to be injected into the virtual one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """Both transports, unless said otherwise. ``value`` as noted."""

    BUSY = "busy"
    """The operation is not carried out; the answer is 0x2019."""
    ERROR = "error"
    """The operation is not carried out; ``value`` is the response code."""
    LOST_PRESS = "lost_press"
    """A button goes down, the camera answers OK, and nothing happens."""
    SILENCE = "silence"
    """The operation is carried out and never answered."""
    SESSION_OPEN = "session_open"
    """OpenSession is answered with "session already open"."""
    STALE_REPLY = "stale_reply"
    """The answer to an earlier transaction comes first."""
    FOREIGN_REPLY = "foreign_reply"
    """The answer carries a transaction id that was never used."""
    GARBAGE = "garbage"
    """``value`` bytes of nonsense come instead of the answer."""
    FRAGMENT = "fragment"
    """The answer comes in pieces of ``value`` bytes."""
    DISCONNECT = "disconnect"
    """The connection breaks after ``value`` further bytes, counted in both directions."""
    COALESCE = "coalesce"
    """USB: data and response come in one transfer."""
    ZERO_PACKET = "zero_packet"
    """USB: a left-over zero-length packet comes before the answer."""
    EMPTY_DATA = "empty_data"
    """USB: an operation that fails sends an empty data container before its response."""
    STALL_OUT = "stall_out"
    """USB: the bulk-OUT endpoint stalls; the command is not taken."""
    STALL_IN = "stall_in"
    """USB: the bulk-IN endpoint stalls once before the answer."""
    CANCEL = "cancel"
    """USB: the device gives the transaction up, stalls both endpoints and is busy for a moment."""


@dataclass
class Fault:
    """One fault, for the next ``count`` times that it can happen, and only in ``operation`` where that is given."""

    kind: FaultKind
    count: int = 1
    operation: int | None = None
    value: int = 0


class Faults:
    """The faults that wait to happen. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._bytes_left: int | None = None
        self.happened = 0

    def inject(self, kind: FaultKind, count: int = 1, operation: int | None = None, value: int = 0) -> None:
        with self._lock:
            if kind is FaultKind.DISCONNECT:
                self._bytes_left = value
            else:
                self._waiting.append(Fault(kind, count, operation, value))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._bytes_left = None

    @property
    def pending(self) -> bool:
        with self._lock:
            return bool(self._waiting) or self._bytes_left is not None

    def take(self, kind: FaultKind, operation: int | None = None) -> Fault | None:
        """The fault, where one of this kind waits for this operation; it then counts as happened."""
        with self._lock:
            for fault in self._waiting:
                if fault.kind is kind and (fault.operation is None or fault.operation == operation):
                    fault.count -= 1
                    self.happened += 1
                    if fault.count <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def spend(self, count: int) -> int | None:
        """How many of ``count`` bytes still pass before the connection breaks; None: all of them, and it holds."""
        with self._lock:
            if self._bytes_left is None:
                return None
            if count < self._bytes_left:
                self._bytes_left -= count
                return None
            passed, self._bytes_left = self._bytes_left, None
            self.happened += 1
            return passed
