"""What the steps of measuring one rectangle hand to one another."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..compiled import compiled
from .columns import BOTTOM, LEFT, RIGHT, TOP
from .pixels import F32, I64, Rect

ARM = 6
"""Places on each of the eight arms to which the mixture is fitted."""
ALONG = 22
"""Places on each half of a side, from behind the corner to its middle, at most."""
ROWS = 11
"""Pixels looked at on either side of a proposed line."""
_TANGENT = 0.85
"""Share of its radius at which an arc is within a sixteenth of a pixel's tenth of the straight line."""


class Work(NamedTuple):
    """Memory for one rectangle at a time."""

    profiles: F32
    """4 sides x pixels across x 3 x places: the colours across the arms."""
    middles: I64
    """4: the row of each side's line within its profile."""
    centres: F32
    """4: where each line is, pixels from the proposed one, inwards."""
    thick: F32
    """4: width of each line; 0: none stands out."""
    colour: F32
    values: F32
    on: F32
    """3 x places of two sides: what is seen on the lines of one way,"""
    beside: F32
    """and the ground beside them."""
    slopes: F32
    """2 ways x 3: the mixture."""
    levels: F32
    usual: F32
    ratios: F32
    """4 sides x 2 halves x places: logarithms of likelihood ratios."""
    corners: F32
    corner_lines: F32
    counts: I64
    """2 ways: places looked at on each half of a side."""
    arms: I64
    """2 ways: how many of them belong to the outline."""


@compiled
def memory() -> Work:
    return Work(
        np.zeros((4, 2 * ROWS + 1, 3, 2 * ARM), np.float32),
        np.zeros(4, np.int64),
        np.zeros(4, np.float32),
        np.zeros(4, np.float32),
        np.zeros(3, np.float32),
        np.zeros(8 * ARM, np.float32),
        np.zeros((3, 4 * ARM), np.float32),
        np.zeros((3, 4 * ARM), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((4, 2, ALONG), np.float32),
        np.zeros(4, np.float32),
        np.zeros(4, np.float32),
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
    )


class Sides(NamedTuple):
    """Where the lines of a rectangle are, pixels."""

    left: Any
    top: Any
    right: Any
    bottom: Any
    line: Any
    """Thickness."""
    half: Any
    """From a line's middle to where it is seen without its ground."""
    aside: Any
    """From a line's middle to its ground."""


@compiled
def placed(rect: Rect, centres: F32, line: Any) -> Sides:
    return Sides(
        rect[0] + centres[2],
        rect[1] + centres[0],
        rect[2] - centres[3],
        rect[3] - centres[1],
        line,
        half_seen(line),
        to_ground(line),
    )


@compiled
def half_seen(line: Any) -> Any:
    """From a line's middle to where it is seen without its ground; ``line``: its thickness."""
    return max(np.float32(0.5), line / 2 - np.float32(0.75))


@compiled
def to_ground(line: Any) -> Any:
    """From a line's middle to its ground."""
    return min(max(int(line / 2 + 3.2), 4), 6)


@compiled
def behind_corner(line: Any, radius: Any) -> int:
    """Pixels from a corner to where its sides are straight and their ground is free of the other line."""
    return max(math.ceil(line / 2 + 1.5), math.ceil(radius * np.float32(_TANGENT)))


@compiled
def nearest_pixels(shape: F32) -> Rect:
    """The pixels nearest to the lines; ``shape``: a row of :func:`.measure`'s second result."""
    return (
        math.floor(shape[LEFT] + 0.5),
        math.floor(shape[TOP] + 0.5),
        math.floor(shape[RIGHT] + 0.5),
        math.floor(shape[BOTTOM] + 0.5),
    )
