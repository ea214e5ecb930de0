"""What a session needs of a transport, and how transports fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..ptp import Event

WAIT_SLICE = 0.1
"""Seconds: the longest single wait inside a transport, so that :meth:`Transport.interrupt` ends it soon."""

MAX_EVENTS = 1_000
"""Events that are taken over at once; a camera that sends more must not keep the driver from its presses."""
EVENTS_S = 0.02
"""Time for them, seconds."""

MAX_STALE = 4
"""Answers of earlier transactions that are skipped before the link is given up."""


class TransportError(Exception):
    """The link does not work any more; only a new connection helps. The text is for a person."""


class DeviceGone(TransportError):
    """The camera is not there: unplugged, switched off, connection closed."""


class Interrupted(TransportError):
    """Raised by a wait that :meth:`Transport.interrupt` has ended."""


@dataclass(frozen=True)
class Reply:
    """A response code with its parameters (u32) and the bytes of the data phase, empty without one."""

    code: int
    params: tuple[int, ...] = ()
    data: bytes = b""


class Transport(Protocol):
    """One connection to one camera. Only one thread may use it; :meth:`interrupt` is for the others.

    Every call returns or raises :class:`TransportError` within the time it is given.
    """

    name: str
    written_at: float
    """``time.monotonic()`` when the last byte of the newest operation had been written."""

    def connect(self) -> None:
        """Makes the connection, ready for the first operation."""

    def transact(
        self,
        code: int,
        transaction_id: int,
        params: Sequence[int] = (),
        data_out: bytes | None = None,
        timeout: float = 3.0,
    ) -> Reply:
        """One operation: command, data in one direction or none, response."""

    def events(self) -> list[Event]:
        """The events that have come in since the last call; does not wait.

        At most about :data:`MAX_EVENTS`, and for :data:`EVENTS_S`; the rest comes with the next call.
        """

    def reset(self) -> bool:
        """Puts the camera's PTP side into its first state; False where the transport has no such thing."""

    def interrupt(self) -> None:
        """From another thread: ends a call that waits, and every later one, with :class:`Interrupted`."""

    def close(self) -> None:
        """Gives everything back; may be called at any time and more than once."""


class Deadline:
    """A bound on a wait, cut into slices between which an interruption is noticed."""

    def __init__(self, seconds: float, interrupted: threading.Event, what: str) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._interrupted = interrupted
        self._what = what

    def slice(self) -> float:
        """Seconds for the next wait, above 0; raises when interrupted or when time is up."""
        if self._interrupted.is_set():
            raise Interrupted("the connection is being closed")
        left = self._end - time.monotonic()
        if left <= 0:
            raise TransportError(f"{self._what} did not come within {self._seconds:.1f} s")
        return min(left, WAIT_SLICE)
