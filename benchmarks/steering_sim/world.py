"""People on a stage: where each face is in every frame, and who can be seen."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

WIDTH, HEIGHT = 1920, 1080


@dataclass
class Person:
    """One face's way: a base point, a swing around it, a drift, and times out of sight."""

    x: float
    y: float
    size: float
    swing_x: float = 0.0
    swing_y: float = 0.0
    rate: float = 0.1
    phase: float = 0.0
    drift: float = 0.0
    away: list[tuple[float, float]] = field(default_factory=list)
    """Times (from, to) with the face turned away or off the stage."""
    looks_like_target: bool = False

    def at(self, t: float) -> tuple[float, float, float, float]:
        """Centre x, y, width, height of the face at ``t``."""
        angle = 2 * math.pi * self.rate * t + self.phase
        x = self.x + self.swing_x * math.sin(angle) + self.drift * t
        y = self.y + self.swing_y * math.sin(1.3 * angle)
        return x, y, self.size, 1.25 * self.size


@dataclass
class Stage:
    """The whole performance, frame by frame. Person 0 is the target."""

    faces: list[list[tuple[float, float, float, float]]]
    """``[frame][person]``: centre x, y, width, height."""
    visible: list[list[bool]]
    """``[frame][person]``: neither hidden, nor turned away, nor outside."""
    fps: float = 30.0

    @property
    def frames(self) -> int:
        return len(self.faces)


def play(people: list[Person], seconds: float, fps: float = 30.0) -> Stage:
    """Lets the people move; a larger face hides a smaller one behind it."""
    faces, visible = [], []
    for frame in range(int(seconds * fps)):
        t = frame / fps
        now = [p.at(t) for p in people]
        seen = []
        for i, person in enumerate(people):
            x, y, w, h = now[i]
            inside = 0.3 * w < x < WIDTH - 0.3 * w and 0.3 * h < y < HEIGHT - 0.3 * h
            there = inside and not any(a <= t < b for a, b in person.away)
            seen.append(there and not _hidden(i, now, people, t))
        faces.append(now)
        visible.append(seen)
    return Stage(faces, visible, fps)


def _hidden(i: int, now: list[tuple[float, float, float, float]], people: list[Person], t: float) -> bool:
    x, y, w, h = now[i]
    for j, (ox, oy, ow, oh) in enumerate(now):
        if j == i or ow <= w or any(a <= t < b for a, b in people[j].away):
            continue
        shared_x = min(x + w / 2, ox + ow / 2) - max(x - w / 2, ox - ow / 2)
        shared_y = min(y + h / 2, oy + oh / 2) - max(y - h / 2, oy - oh / 2)
        if shared_x > 0 and shared_y > 0 and shared_x * shared_y > 0.4 * w * h:
            return True
    return False


def spells(
    rng: random.Random, seconds: float, every: float, shortest: float, longest: float
) -> list[tuple[float, float]]:
    """Random times (from, to): on average one in ``every`` seconds."""
    result, t = [], rng.expovariate(1 / every)
    while t < seconds:
        length = rng.uniform(shortest, longest)
        result.append((t, t + length))
        t += length + rng.expovariate(1 / every)
    return result
