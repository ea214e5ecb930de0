"""What every source of frames has in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from face_af_common.encodings import BGR


class SourceError(Exception):
    """The source is not there, or gives no frames any more; the text says which and why. Worth another attempt."""


class BadFrame(Exception):
    """One frame of a live source cannot be decoded, as those of MJPEG sticks now and then; the next one may be fine."""


class EndOfSource(Exception):
    """A file or folder has been played to its end; the text says so."""


@dataclass(frozen=True)
class Frame:
    """``image``: H x W x 3 uint8; ``acquired``: when it was taken (``time.monotonic()``, seconds)."""

    image: BGR
    acquired: float


class Source(Protocol):
    """An opened source, read from one thread."""

    @property
    def name(self) -> str:
        """What is being captured, with its size and rate."""

    @property
    def mismatches(self) -> Sequence[str]:
        """Where the source does not give what was asked for."""

    @property
    def notes(self) -> Sequence[str]:
        """One line for each thing that is wrong with the source without it being lost; grows."""

    @property
    def period(self) -> float:
        """Seconds that a read may wait on purpose; 0 for a live source."""

    def read(self, buffer: BGR | None) -> Frame:
        """Waits for the next frame; written into ``buffer`` where its size fits, else into a new array.

        Raises SourceError, EndOfSource or BadFrame.
        """

    def interrupt(self) -> None:
        """From another thread: makes a :meth:`read` that hangs come back, where that is possible."""

    def close(self) -> None:
        """Lets go of the device or file."""


class Pace:
    """Makes a file as slow as it was recorded. A reader that is late is not hurried afterwards."""

    def __init__(self, rate: float, stop: Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.period = 1 / rate
        """Seconds between the newest frame and the one before."""
        self._stop, self._clock = stop, clock
        self._shown: float | None = None

    def wait(self, pause: float | None = None) -> float:
        """Sleeps until the next frame is due (or :attr:`stop` is set); returns the time.

        ``pause``: seconds after the frame before, which was due at its own time; None: as :attr:`rate` says.
        """
        self.period = 1 / self.rate if pause is None else pause
        now = self._clock()
        due = now if self._shown is None else self._shown + self.period
        if now < due:
            self._stop.wait(due - now)
            now = self._clock()
        self._shown = due if now <= due + self.period else now
        return now


DEFAULT_RATE = 30.0


def sane_rate(rate: float) -> float:
    """``rate`` if it can be that of a video, else :data:`DEFAULT_RATE` (files lie: 0, NaN, 90000)."""
    return rate if 0.5 <= rate <= 240.0 else DEFAULT_RATE
