"""Thin lines, and the places where a level one and an upright one make a corner.

A line is thin where a pixel is brighter, or darker, than both pixels a few steps across, in green, in red, or
in red less blue, which tells gray from skin of the same brightness. A corner is where one thin line goes off level
and another upright, both are even and of like brightness, and neither runs on. Nothing here depends on what colour
a box should have.

Lines are at least two pixels thick in tall pictures, so there every second row and column is enough. A
plane "parted" for that has its even columns in its left half and its odd ones in the right half: neighbours two
pixels apart lie side by side, as vector instructions want them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .byte_arithmetic import larger, less, smaller
from .compiled import compiled, inlined
from .corner_peaks import corners

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = range(4)
"""Kinds of corners: bit 0 says right, bit 1 bottom."""


@dataclass(frozen=True)
class Reach:
    """Distances in pixels for pictures of one height."""

    ground: int
    """From the middle of a line to its background."""
    arm: int
    """From a corner to the first of the three pixels looked at on either arm."""
    beyond: tuple[int, int]
    """From a corner to where its lines must not run on."""
    step: int
    """Corners are looked for in every row and column (1), or in every second (2)."""

    @classmethod
    def at(cls, scale: float) -> Reach:
        """``scale``: height of the picture over 1080."""
        step = 2 if scale >= _COARSE else 1
        ground = max(round(_GROUND * scale / step) * step, 3)
        return cls(ground, max(round(_ARM * scale), 2), (round(_BEYOND[0] * scale), round(_BEYOND[1] * scale)), step)


@dataclass(frozen=True)
class ThinLines:
    """By how much the pixels of a frame stand out as parts of thin lines."""

    green: U8
    """H x W: the green plane, parted."""
    level: U8
    """H/step x W, parted."""
    upright: U8
    """H x W/step."""


class LineFinder:
    """Keeps its planes between frames of one size, because fresh memory costs more than the arithmetic."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._key: tuple[int, int, int] = (0, 0, 0)
        self._parted = [np.zeros((0, 0), np.uint8)]
        self._level = self._upright = self._parted[0]

    @property
    def lines(self) -> ThinLines:
        """Of the frame that was looked at last; overwritten by the next one."""
        return ThinLines(self._parted[0], self._level, self._upright)

    def find(self, bgr: U8, reach: Reach, least: int) -> I32:
        """Corners in ``bgr`` (H x W x 3 uint8): N x 4 (column, row, kind, strength), give or take two pixels.

        ``least``: least difference between a line and what is beside it, levels.
        """
        height, width = bgr.shape[:2]
        step = reach.step
        if min(height, width) < 8 * reach.ground:
            self._forget()
            return np.zeros((0, 4), np.int32)
        if (height, width, step) != self._key:
            self._key = height, width, step
            self._planes = [np.zeros((height, width), np.uint8) for _ in range(3)]
            even = width // step * step
            self._parted = [np.zeros((height, even), np.uint8) for _ in range(3)]
            self._level = np.zeros((height // step, even), np.uint8)
            self._upright = np.zeros((height, even // step), np.uint8)
            self._row = np.zeros(even, np.uint8)
            self._rows = np.zeros((4, even), np.uint8)
            self._ring = np.zeros((5, 8, (even // step + 15) // 8 * 8), np.uint8)
            self._found = np.zeros((_MOST, 4), np.int32)
        cv2.split(bgr, self._planes)
        blue, green, red = self._planes
        g, r, warm = self._parted
        _lines(blue, green, red, step, reach.ground, g, r, warm, self._row, self._level, self._upright)
        count = corners(
            self._parted[0],
            self._level,
            self._upright,
            step,
            reach.arm,
            *reach.beyond,
            least,
            self._ring,
            self._rows,
            self._found,
        )
        return self._found[:count]


@inlined
def _stands_out(before: Any, middle: Any, after: Any) -> Any:
    """By how much the middle is brighter than the brighter, or darker than the darker of its two neighbours."""
    return larger(less(middle, larger(before, after)), less(smaller(before, after), middle))


@compiled
def _part(even: U8, odd: U8, row: U8) -> None:
    for x in range(even.shape[0]):
        even[x] = row[2 * x]
        odd[x] = row[2 * x + 1]


@compiled
def _warmth(out: U8, red: U8, blue: U8) -> None:
    for x in range(out.shape[0]):
        out[x] = np.uint8(np.uint8(red[x] >> 1) + np.uint8(128) - np.uint8(blue[x] >> 1))


@compiled
def _thin(out: U8, g0: U8, g1: U8, g2: U8, r0: U8, r1: U8, r2: U8, w0: U8, w1: U8, w2: U8) -> None:
    for x in range(out.shape[0]):
        most = larger(_stands_out(g0[x], g1[x], g2[x]), _stands_out(r0[x], r1[x], r2[x]))
        out[x] = larger(most, _stands_out(w0[x], w1[x], w2[x]))


@compiled
def _lines(
    blue: U8, green: U8, red: U8, step: int, ground: int, g: U8, r: U8, warm: U8, scratch: U8, level: U8, upright: U8
) -> None:
    """Parts the planes into ``g``, ``r`` and ``warm`` (red less blue), and says how much each pixel stands out.

    ``level`` has every ``step``-th row, ``upright`` every ``step``-th column.
    """
    height, half = g.shape[0], g.shape[1] // step
    side = ground // step
    inner = half - 2 * side
    for y in range(height):
        if step == 2:
            _part(g[y, :half], g[y, half:], green[y])
            _part(r[y, :half], r[y, half:], red[y])
            _part(scratch[:half], scratch[half:], blue[y])
            _warmth(warm[y], r[y], scratch)
        else:
            g[y] = green[y]
            r[y] = red[y]
            _warmth(warm[y], red[y], blue[y])
        gy, ry, wy = g[y], r[y], warm[y]
        _thin(
            upright[y, side : side + inner],
            gy, gy[side:], gy[2 * side :],
            ry, ry[side:], ry[2 * side :],
            wy, wy[side:], wy[2 * side :],
        )  # fmt: skip
        m = y - ground
        t = m - ground
        if t >= 0 and m % step == 0:
            _thin(level[m // step], g[t], g[m], g[y], r[t], r[m], r[y], warm[t], warm[m], warm[y])


_COARSE = 0.9
"""Heights over 1080 from which on every second row and column is enough."""
_GROUND, _ARM, _BEYOND = 6.0, 3.0, (5.0, 7.0)
"""Distances in a picture 1080 high."""
_MOST = 30000
"""Corners in one frame, at most."""
