"""What a place in a frame says for a line of one colour, or against it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import inlined

U8 = NDArray[np.uint8]


class Frame(NamedTuple):
    """A frame that is looked at, and the distances for one of its height (:class:`.thin_lines.Reach`)."""

    bgr: U8
    """H x W x 3."""
    ground: int
    """From the middle of a line to its background, pixels."""
    arm: int
    """From a corner to where its lines are looked at, pixels."""


class Colour(NamedTuple):
    """Of a line, levels."""

    b: Any
    g: Any
    r: Any


TELLABLE = 10
"""Difference between line and background from which one can tell them apart, levels."""
NOISE, OTHER = 12, 30
"""Differences from the line's colour: none, and clearly another colour."""


@inlined
def unlike(bgr: U8, y: int, x: int, colour: Colour) -> Any:
    """Difference from a colour; colour is smeared and brightness is not, so red and blue may differ more."""
    return max(
        abs(np.int64(bgr[y, x, 1]) - colour.g),
        max(abs(np.int64(bgr[y, x, 0]) - colour.b), abs(np.int64(bgr[y, x, 2]) - colour.r)) * 5 // 8,
    )


@inlined
def apart(bgr: U8, y: int, x: int, colour: Colour) -> Any:
    """Difference from a colour, the greatest of the three channels."""
    return max(
        abs(np.int64(bgr[y, x, 1]) - colour.g),
        abs(np.int64(bgr[y, x, 0]) - colour.b),
        abs(np.int64(bgr[y, x, 2]) - colour.r),
    )


@inlined
def at_place(bgr: U8, y: int, x: int, level: bool, ground: int, colour: Colour) -> tuple[int, int]:
    """How unlike a line's colour a place on it is, and how unlike what is beside the line is at least."""
    down, right = (ground, 0) if level else (0, ground)
    stands = min(apart(bgr, y - down, x - right, colour), apart(bgr, y + down, x + right, colour))
    return unlike(bgr, y, x, colour), stands


@inlined
def log_odds(gap: int, stands: int) -> int:
    """What a place says for a line (above 0) or against one, up to 16; 0: it cannot be told."""
    tell = min(max(stands - 6, 0), 16)
    if gap < max(stands // 2, NOISE):
        return tell
    return -max(tell, 8) if gap > OTHER else -tell
