"""Who is where on the stage at which time: deterministic from a seed, for as long as one asks."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LANES: tuple[float, ...] = (110.0, 135.0, 165.0)
"""Height of a face in each lane, far to near, pixels at 1080 lines."""

WIDTH, HEIGHT = 1920.0, 1080.0
"""The stage as it is planned; the renderer scales it to the picture's size."""

_MARGIN = 200.0
_OUT = 420.0
"""So far beside the picture nobody is seen any more, shoulders included."""

TURN_S = 0.3
"""Time to turn the back to the camera, or the face."""


@dataclass(frozen=True)
class Placement:
    """One person at one time. ``x``, ``y``: middle of the face, stage pixels (``x`` outside 0 to 1920 = leaving).

    ``facing``: 1 = to the camera, 0 = from the side, -1 = the back of the head.
    """

    name: str
    lane: int
    x: float
    y: float
    face_height: float
    facing: float


@dataclass(frozen=True)
class _Segment:
    start: float
    end: float
    lane: int
    x0: float
    x1: float
    away: bool
    """Shows the back of the head."""

    def x(self, now: float) -> float:
        if self.end <= self.start:
            return self.x1
        part = min(1.0, max(0.0, (now - self.start) / (self.end - self.start)))
        # people start and stop gently
        return self.x0 + (self.x1 - self.x0) * part * part * (3 - 2 * part)


class _Part:
    """One person's way over the stage, made up as far as it is asked for."""

    def __init__(self, name: str, index: int, people: int, seed: int, leading: bool) -> None:
        self.name = name
        self._rng = np.random.default_rng([seed, index])
        self._leading = leading
        self.tall = float(self._rng.uniform(-1.0, 1.0))
        self.phase = float(self._rng.uniform(0, 2 * math.pi))
        self._calm = max(1.0, people / 6)
        rng = self._rng
        lane = int(rng.integers(1, len(LANES))) if leading else int(rng.integers(0, len(LANES)))
        if leading or rng.random() < 0.75 / self._calm:
            x = float(rng.uniform(0.25, 0.75) * WIDTH if leading else rng.uniform(_MARGIN, WIDTH - _MARGIN))
        else:
            x = self._outside()
        first = float(rng.uniform(2.0, 4.0))
        self.segments = [_Segment(0.0, first, lane, x, x, False)]
        """The latest 200 to 400."""
        self._starts = [0.0]

    def segment(self, now: float) -> tuple[_Segment, _Segment | None]:
        """The segment that ``now`` is in, and the one before it."""
        while self.segments[-1].end <= now:
            self._extend()
        at = max(0, bisect_right(self._starts, now) - 1)
        return self.segments[at], self.segments[at - 1] if at else None

    def _outside(self) -> float:
        return -_OUT if self._rng.random() < 0.5 else WIDTH + _OUT

    def _extend(self) -> None:
        rng, last = self._rng, self.segments[-1]
        x, lane = last.x1, last.lane
        if not 0 <= x <= WIDTH:
            # off stage: come back by either side, in any lane
            wait = float(rng.uniform(1.0, 3.0) if self._leading else rng.uniform(2.0, 7.0) * self._calm)
            side = self._outside()
            lane = int(rng.integers(0, len(LANES)))
            self._add(_Segment(last.end, last.end + wait, lane, side, side, False))
            self._walk(lane, side, float(rng.uniform(_MARGIN, WIDTH - _MARGIN)))
            return
        move = rng.random()
        if move < 0.36:
            self._stay(lane, x, float(rng.uniform(1.0, 3.5)))
        elif move < (0.80 if self._leading else 0.74):
            self._walk(lane, x, float(rng.uniform(_MARGIN, WIDTH - _MARGIN)))
        elif move < (0.92 if self._leading else 0.86):
            start = last.end
            self._add(_Segment(start, start + float(rng.uniform(1.0, 2.2)), lane, x, x, True))
        else:
            self._walk(lane, x, self._outside())

    def _stay(self, lane: int, x: float, seconds: float) -> None:
        start = self.segments[-1].end
        self._add(_Segment(start, start + seconds, lane, x, x, False))

    def _walk(self, lane: int, x0: float, x1: float) -> None:
        start = self.segments[-1].end
        speed = float(self._rng.uniform(160.0, 330.0)) * LANES[lane] / LANES[1]
        self._add(_Segment(start, start + max(0.5, abs(x1 - x0) / speed), lane, x0, x1, False))

    def _add(self, segment: _Segment) -> None:
        self.segments.append(segment)
        self._starts.append(segment.start)
        if len(self.segments) > 400:
            # hours of running must not pile up what nobody will ask for again
            del self.segments[:200], self._starts[:200]


class Choreography:
    """The whole company. Asking for times out of order is fine within the last few minutes."""

    def __init__(self, names: Sequence[str], leading: str, seed: int) -> None:
        self.parts = [_Part(name, i, len(names), seed, name == leading) for i, name in enumerate(names)]

    def at(self, now: float) -> list[Placement]:
        """Everybody on stage or just beside it, the farthest first (so in order of painting)."""
        placed = [self._place(part, now) for part in self.parts]
        seen = [p for p in placed if -_OUT < p.x < WIDTH + _OUT]
        return sorted(seen, key=lambda p: (p.lane, p.name))

    def _place(self, part: _Part, now: float) -> Placement:
        segment, before = part.segment(now)
        height = LANES[segment.lane]
        x = segment.x(now)
        walking = abs(segment.x1 - segment.x0) > 1.0
        sway = math.sin(now * 1.3 + part.phase) * 0.035 * height
        step = -abs(math.sin(now * 5.2 + part.phase)) * 0.05 * height if walking else 0.0
        y = 0.33 * HEIGHT + 0.45 * part.tall * height + step + 0.02 * height * math.sin(now * 0.9 + part.phase)
        return Placement(part.name, segment.lane, x + sway, y, height, _facing(segment, before, now))


def _facing(segment: _Segment, before: _Segment | None, now: float) -> float:
    goal = -1.0 if segment.away else 1.0
    start = goal if before is None else (-1.0 if before.away else 1.0)
    part = min(1.0, (now - segment.start) / TURN_S)
    return start + (goal - start) * part
