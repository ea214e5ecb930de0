"""The way of the results from the picture to the planner: a graph that drops frames and answers late."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from face_af_common.types import AfBox, Face

from .numbers import Ranges
from .world import spells

Seen = tuple[float, list[Face], list[AfBox]]
"""One frame's results: stamp, faces, boxes."""


@dataclass(frozen=True)
class StreamNumbers:
    """How a graph on a busy machine looks at frames: one after the other, each as soon as there is time."""

    period_s: tuple[float, float] = (0.0, 0.0)
    """From the look at one frame to the next, at least; uniform. 0 = every frame."""
    latency_s: tuple[float, float] = (0.0, 0.0)
    """From the stamp to the result, uniform."""
    drop: float = 0.0
    """Share of the frames whose results never come."""
    stall_every_s: float = 1e9
    stall_s: tuple[float, float] = (0.1, 0.3)
    """Now and then nothing is looked at, and nothing arrives, for so long."""


AT_ONCE = StreamNumbers()


def draw_stream(ranges: Ranges) -> StreamNumbers:
    """A computer that is slow for its models: 8 to 15 frames a second, results 0.1 to 0.3 s after the frame."""
    period, latency = 1 / ranges.span(8.0, 15.0, 4.0, 30.0), ranges.span(0.1, 0.25, 0.0, 0.6)
    return StreamNumbers((0.8 * period, 1.25 * period), (0.8 * latency, 1.2 * latency), stall_every_s=20.0)


def draw_few_frames(ranges: Ranges) -> StreamNumbers:
    """Any computer, from one that keeps up to one that shows three frames a second.

    Results come 0.8 to 1.8 periods after the frame, as face and boxes are found side by side or one after the other.
    Some are too old for the driver by then.
    """
    period = 1 / ranges.span(3.0, 30.0, 2.0, 30.0)
    latency = 0.03 + period * ranges.span(0.8, 1.8)
    return StreamNumbers((0.8 * period, 1.25 * period), (0.8 * latency, 1.2 * latency), stall_every_s=20.0)


class Stream:
    """Takes what vision sees in each frame and gives it on when the planner would get it, in order."""

    def __init__(self, numbers: StreamNumbers, seconds: float, seed: int) -> None:
        self._numbers = numbers
        self._rng = rng = random.Random(seed + 4)
        self._stalls = deque(spells(rng, seconds, numbers.stall_every_s, *numbers.stall_s))
        self._next = 0.0
        self._due = 0.0
        self._under_way: deque[tuple[float, Seen]] = deque()

    def step(self, now: float, faces: list[Face], boxes: list[AfBox]) -> list[Seen]:
        """The frame of ``now`` goes in; out comes what arrives by now."""
        numbers, rng = self._numbers, self._rng
        while self._stalls and self._stalls[0][0] <= now:
            end = self._stalls.popleft()[1]
            self._next = max(self._next, end)
            self._under_way = deque((max(due, end), seen) for due, seen in self._under_way)
        if now >= self._next - 1e-6:
            self._next = max(self._next + rng.uniform(*numbers.period_s), now)
            if rng.random() >= numbers.drop:
                self._due = max(self._due, now + rng.uniform(*numbers.latency_s))
                self._under_way.append((self._due, (now, faces, boxes)))
        arrived = []
        while self._under_way and self._under_way[0][0] <= now + 1e-6:
            arrived.append(self._under_way.popleft()[1])
        return arrived
