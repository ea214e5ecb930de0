"""What every source of pictures has in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BGR = NDArray[np.uint8]
"""A picture: height x width x 3, uint8, blue-green-red."""


class SourceError(Exception):
    """The source is not there, or gives no pictures any more; the text says which and why. Worth another attempt."""


class EndOfSource(Exception):
    """A file or folder has been played to its end; the text says so."""


@dataclass(frozen=True)
class Frame:
    """A picture, and when it was acquired (``time.monotonic()``, seconds)."""

    picture: BGR
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
        """Waits for the next picture; written into ``buffer`` where its size fits, else into a new array.

        Raises SourceError or EndOfSource.
        """

    def interrupt(self) -> None:
        """From another thread: makes a :meth:`read` that hangs come back, where that is possible."""

    def close(self) -> None:
        """Lets go of the device or file."""


class Pace:
    """Makes a file as slow as it was recorded. A reader that is late is not hurried afterwards."""

    def __init__(self, rate: float, stop: Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._stop, self._clock = stop, clock
        self._due = clock()

    @property
    def period(self) -> float:
        return 1 / self.rate

    def wait(self) -> float:
        """Sleeps until the next picture is due (or :attr:`stop` is set); returns the time."""
        now = self._clock()
        if now < self._due:
            self._stop.wait(self._due - now)
            now = self._clock()
        self._due = max(self._due + self.period, now)
        return now


DEFAULT_RATE = 30.0


def sane_rate(rate: float) -> float:
    """``rate`` if it can be that of a video, else :data:`DEFAULT_RATE` (files lie: 0, NaN, 90000)."""
    return rate if 0.5 <= rate <= 240.0 else DEFAULT_RATE
