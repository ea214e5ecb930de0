"""What differs between camera bodies and between photographers: drawn anew for every scenario, from wide ranges."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

OWN_MOVES = ("largest", "nearest", "neighbour", "central", "any")
"""Where a body's selection goes by itself: the largest face; the one nearest to the selected one; one of its two
neighbours in the row; the one nearest to the middle of the frame; anybody."""


class Ranges:
    """Draws from ranges; ``width`` 2.0 makes each of them twice as wide as those of tuning."""

    def __init__(self, rng: random.Random, width: float = 1.0) -> None:
        self.rng = rng
        self.width = width

    def span(self, low: float, high: float, least: float = 0.0, most: float = math.inf) -> float:
        """Log-uniform: a time or a ratio; widened around the geometric middle."""
        middle, half = math.log(low * high) / 2, math.log(high / low) / 2 * self.width
        return min(max(math.exp(self.rng.uniform(middle - half, middle + half)), least), most)

    def share(self, low: float, high: float) -> float:
        """Uniform: a probability; widened around the middle, within 0 and 0.9."""
        middle, half = (low + high) / 2, (high - low) / 2 * self.width
        return min(max(self.rng.uniform(middle - half, middle + half), 0.0), 0.9)

    def pick(self, usual: Sequence[T], unusual: Sequence[T] = ()) -> T:
        """One of ``usual``; with wide ranges one of ``unusual`` as often."""
        options = unusual if unusual and self.width > 1 and self.rng.random() < 0.5 else usual
        return self.rng.choice(options)


@dataclass(frozen=True)
class OwnMoves:
    """One habit of a body: now and then its selection goes elsewhere, for no reason that the picture shows."""

    to: str
    """One of :data:`OWN_MOVES`."""
    every_s: float
    regular: bool = False
    """Gaps of 0.6 to 1.4 times ``every_s``, rather than by pure chance."""


@dataclass(frozen=True)
class CameraNumbers:
    """What a real body would not tell."""

    lag_frames: int
    response_s: float
    jitter: float
    """Response times vary by this share: uniform, with a longer tail now and then."""
    loss: float
    busy_ignores: bool
    """A press that comes before the last one took effect is ignored."""
    settle_s: float
    """For so long after an effect presses are ignored."""
    wrap: bool
    stack: str
    """What FN1 does: ``vertical`` (the face above or below), ``next`` (the next in the row), ``nothing``."""
    side_skips_stack: bool
    """LEFT and RIGHT leave out faces that stand above or below."""
    own_moves: tuple[OwnMoves, ...]
    lose_after_s: float
    after_loss: str
    """``largest``, ``nobody`` (until a press), ``nearest`` or ``any``."""
    dropout_every_s: float
    """A face is not detected for 0.1 to 0.8 s, so often."""
    misread: float
    """Probability that one box is read with a wrong state in one frame."""
    missing_every_s: float
    false_boxes: float
    box_style: str
    """``face``, ``eye`` or ``head``."""
    name_miss: float
    swap_tracks: bool


def draw_numbers(ranges: Ranges) -> CameraNumbers:
    rng = ranges.rng
    return CameraNumbers(
        lag_frames=ranges.pick([2, 2, 2, 3, 3, 4], [1, 5, 6]),
        response_s=ranges.span(0.08, 0.35, 0.03, 0.7),
        jitter=ranges.share(0.05, 0.35),
        loss=ranges.pick([0.0, 0.03, 0.05, 0.1, 0.2], [0.25, 0.3]),
        busy_ignores=rng.random() < (0.8 if ranges.width == 1 else 0.6),
        settle_s=ranges.span(0.02, 0.066),
        wrap=rng.random() < 0.25 * ranges.width,
        stack=ranges.pick(["vertical", "vertical", "next", "nothing"]),
        side_skips_stack=rng.random() < 0.4,
        own_moves=draw_own_moves(ranges, 15.0, 90.0, never=0.35),
        lose_after_s=ranges.span(0.05, 0.5),
        after_loss=ranges.pick(["largest", "largest", "nearest", "any"], ["nobody"]),
        dropout_every_s=ranges.span(60.0, 240.0),
        misread=ranges.pick([0.0, 0.002, 0.005, 0.01, 0.02], [0.03, 0.04]),
        missing_every_s=ranges.span(3.0, 20.0),
        false_boxes=ranges.pick([0.0, 0.0, 0.005], [0.01]),
        box_style=ranges.pick(["face", "face", "eye", "head"]),
        name_miss=ranges.pick([0.0, 0.0, 0.02, 0.06], [0.12]),
        swap_tracks=rng.random() < 0.5,
    )


def draw_own_moves(
    ranges: Ranges, low_s: float, high_s: float, never: float = 0.0, to: str | None = None
) -> tuple[OwnMoves, ...]:
    """A body's habits: none with probability ``never``, else one or two; ``to``: only this one."""
    rng = ranges.rng
    if rng.random() < never:
        return ()
    every = ranges.span(low_s, high_s)
    habits = [to] if to else rng.sample(OWN_MOVES, rng.choice([1, 1, 2]))
    return tuple(OwnMoves(habit, every * len(habits), rng.random() < 0.5) for habit in habits)


@dataclass(frozen=True)
class PhotographerNumbers:
    """A photographer who now and then wants another face than the target, and steps there."""

    wish_every_s: float
    """From the end of one wish to the beginning of the next, on average."""
    wish_s: tuple[float, float]
    """How long a wish lasts: uniform."""
    step_s: tuple[float, float]
    """From one press to the next: uniform."""
    reaction_s: tuple[float, float]
    """From a change in the viewfinder to the press that answers it, at least: uniform."""
    far: float
    """Share of the wishes for anybody in the row; the others are for a neighbour of the selected face."""
    gives_in_after: int
    """A wish that was undone so often is given up."""
    steps_back: float
    """Share of the wishes after which the photographer steps back to the target."""
    direct: bool
    """The hand's presses take effect at once and never get lost; else as those of the remote grip do."""


def draw_photographer(ranges: Ranges, gives_in: bool = False) -> PhotographerNumbers:
    rng = ranges.rng
    shortest = ranges.span(2.0, 6.0, 1.0)
    step = ranges.span(0.42, 0.6, 0.3)
    reaction = ranges.span(0.15, 0.35, 0.1)
    return PhotographerNumbers(
        wish_every_s=ranges.span(10.0, 40.0),
        wish_s=(shortest, shortest * ranges.span(1.2, 2.5, 1.05)),
        step_s=(step, step * ranges.span(1.2, 1.8, 1.0)),
        reaction_s=(reaction, reaction * 1.6),
        far=rng.random(),
        gives_in_after=rng.choice([1, 2]) if gives_in else 1_000_000,
        steps_back=ranges.pick([0.0, 0.0, 0.3], [1.0]),
        direct=rng.random() < 0.5,
    )
