"""The shutter: one image, or a short burst, taken between steering's commands."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .remote import Refused, Remote

MOST, SHORTEST_GAP_S, LONGEST_GAP_S = 10, 0.1, 10.0
"""Of a burst: images, and seconds from one to the next."""


@dataclass
class Burst:
    """``count`` images, ``gap`` seconds apart. ``outcome``: None while it lasts, else empty or why not."""

    count: int = 1
    gap: float = 0.5
    taken: int = 0
    outcome: str | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def problem(self) -> str:
        """Why there can be no such burst; empty where there can."""
        if not 1 <= self.count <= MOST:
            return f"count: 1 to {MOST} images, got {self.count}"
        if not SHORTEST_GAP_S <= self.gap <= LONGEST_GAP_S:
            return f"gap: {SHORTEST_GAP_S:g} to {LONGEST_GAP_S:g} s, got {self.gap:g}"
        return ""

    def finish(self, outcome: str) -> None:
        self.outcome = outcome
        self.done.set()


class Shutter:
    """The burst that is under way. :meth:`begin` is for any thread, under the link's lock; the rest is the link's own.

    A burst is done in small steps, each one transaction at most, so that a command never waits for a key that is held.
    """

    def __init__(self, on_image: Callable[[], None]) -> None:
        self._on_image = on_image
        self._burst: Burst | None = None
        self._keys: Iterator[float] | None = None
        self._next_image = 0.0
        self.due = math.inf
        """When :meth:`step` is to be called, ``time.monotonic()``."""

    def begin(self, burst: Burst) -> None:
        """Refuses a second burst while one lasts."""
        if problem := burst.problem():
            burst.finish(problem)
        elif self._burst is not None:
            burst.finish(f"a burst is under way: {self._burst.taken} of {self._burst.count} images taken")
        else:
            self._burst, self._keys = burst, None
            self._next_image = self.due = time.monotonic()

    def step(self, remote: Remote) -> str:
        """Does what is due; why the burst has failed, or empty. ``TransportError`` passes."""
        burst = self._burst
        if burst is None:
            return ""
        try:
            if self._keys is None:
                self._next_image += burst.gap
                self._keys = remote.shutter()
            self.due = time.monotonic() + next(self._keys)
        except StopIteration:
            self._keys = None
            burst.taken += 1
            self._on_image()
            self.due = max(self._next_image, time.monotonic())
            if burst.taken >= burst.count:
                self.end("")
        except Refused as refusal:
            self._keys = None
            problem = f"shutter: {refusal} ({burst.taken} of {burst.count} images taken)"
            self.end(problem)
            return problem
        return ""

    def end(self, outcome: str) -> None:
        """Ends the burst, if there is one, with the key up."""
        keys, burst = self._keys, self._burst
        self._keys, self._burst, self.due = None, None, math.inf
        if keys is not None and hasattr(keys, "close"):
            keys.close()
        if burst is not None:
            burst.finish(outcome)
