"""Thin lines and the corners that they make, on a plane of 540 to 720 lines.

A line is thin where a pixel is brighter, or darker, than both pixels a few steps across, in green or
in red: gray lines on skin, whose brightness is the same, still differ in red. A corner is where one thin
line goes off level and another upright, of like brightness. Nothing here depends on what colour a box should have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = range(4)


@dataclass(frozen=True)
class Lines:
    """Planes of thin lines and the corners in them; lengths are pixels of the reduced picture."""

    plane: U8
    """Green, as brightness."""
    level: U8
    """How much a pixel stands out from those above and below it, spread by one pixel up and down."""
    upright: U8
    """The same for pixels left and right."""
    x: tuple[NDArray[np.int32], ...]
    """Columns of the corners of each kind, strongest first."""
    y: tuple[NDArray[np.int32], ...]
    green: tuple[NDArray[np.int16], ...]
    """The corners' brightness, from their arms."""


class LineFinder:
    """Keeps its planes between frames of one size, because fresh memory costs more than the arithmetic."""

    def __init__(self) -> None:
        self._shape = (0, 0)

    def find(self, bgr: U8, across: int, least: int, limit: int) -> Lines | None:
        """Lines and corners in ``bgr`` (H x W x 3 uint8, reduced); None where the picture is too small for any.

        ``across``: steps to the pixels beside a line; ``least``: least difference; ``limit``: corners of each kind.
        """
        height, width = bgr.shape[:2]
        if min(height, width) < 6 * across:
            return None
        if (height, width) != self._shape:
            self._shape = height, width
            self._planes = [np.zeros((height, width), np.uint8) for _ in range(3)]
            self._warmth = np.zeros((height, width), np.uint8)
            self._level, self._upright = (np.zeros((height, width), np.uint8) for _ in range(2))
            self._scratch = [np.zeros((height, width), np.uint8) for _ in range(4)]
            self._flags = np.zeros((height, (width + 7) // 8 * 8), np.uint8)
        cv2.split(bgr, self._planes)
        # red less blue tells gray from skin of the same brightness
        cv2.addWeighted(self._planes[2], 0.6, self._planes[0], -0.6, 128, dst=self._warmth)
        self._thin(self._level, across, upright=False)
        self._thin(self._upright, across, upright=True)
        x, y, green = self._corners(least, limit)
        spread_level = cv2.dilate(self._level, _THREE_DOWN)
        spread_upright = cv2.dilate(self._upright, _THREE_ACROSS)
        return Lines(
            self._planes[1], np.asarray(spread_level, np.uint8), np.asarray(spread_upright, np.uint8), x, y, green
        )

    def _thin(self, out: U8, d: int, *, upright: bool) -> None:
        height, width = self._shape
        middle: Any
        before: Any
        after: Any
        if upright:
            middle, before, after = np.s_[:, d:-d], np.s_[:, : width - 2 * d], np.s_[:, 2 * d :]
        else:
            middle, before, after = np.s_[d:-d], np.s_[: height - 2 * d], np.s_[2 * d :]
        core = out[middle]
        one, other = self._scratch[0][middle], self._scratch[1][middle]
        for plane in (*self._planes[1:], self._warmth):
            mid, low, high = plane[middle], plane[before], plane[after]
            # brighter than the brighter neighbour, or darker than the darker one
            cv2.max(low, high, dst=one)
            cv2.subtract(mid, one, dst=one)
            cv2.min(low, high, dst=other)
            cv2.subtract(other, mid, dst=other)
            if plane is self._planes[1]:
                cv2.max(one, other, dst=core)
            else:
                cv2.max(core, one, dst=core)
                cv2.max(core, other, dst=core)

    def _corners(
        self, least: int, limit: int
    ) -> tuple[tuple[NDArray[np.int32], ...], tuple[NDArray[np.int32], ...], tuple[NDArray[np.int16], ...]]:
        height, width = self._shape
        m = _MARGIN
        core = np.s_[m : height - m, m : width - m]
        # arms: two pixels in a row, beside the corner or one further on
        one, two, three = ([_at(self._level, s * i, 0) for s in (1, -1)] for i in (1, 2, 3))
        arm_level = [cv2.min(b, cv2.max(a, c)) for a, b, c in zip(one, two, three, strict=True)]
        one, two, three = ([_at(self._upright, 0, s * i) for s in (1, -1)] for i in (1, 2, 3))
        arm_upright = [cv2.min(b, cv2.max(a, c)) for a, b, c in zip(one, two, three, strict=True)]
        green = self._planes[1]
        side = [_at(green, s * 3, 0) for s in (1, -1)]
        end = [_at(green, 0, s * 3) for s in (1, -1)]
        flags = self._flags[core[0], m : width - m]
        strengths = []
        for kind in range(4):
            right, down = kind & 1, kind >> 1
            strength = cv2.min(arm_level[right], arm_upright[down])
            unlike = cv2.absdiff(side[right], end[down])
            # a thin line that falls on two pixels keeps half of its strength in either
            cv2.subtract(unlike, strength, dst=unlike)
            cv2.subtract(strength, unlike, dst=strength)
            peak = cv2.dilate(strength, _NEAR)
            cv2.max(peak, least, dst=peak)  # type: ignore[call-overload]
            peak = cv2.compare(strength, peak, cv2.CMP_GE)
            cv2.bitwise_and(peak, 1 << kind, dst=peak)  # type: ignore[call-overload]
            strengths.append(strength)
            if kind == 0:
                flags[:] = peak
            else:
                cv2.bitwise_or(flags, peak, dst=flags)
        words = np.flatnonzero(self._flags.reshape(-1).view(np.uint64))
        row, column = np.nonzero(self._flags.reshape(-1, 8)[words])
        places = words[row] * 8 + column
        ys, xs = np.divmod(places, self._flags.shape[1])
        values = self._flags.reshape(-1)[places]
        found_x, found_y, found_green = [], [], []
        for kind in range(4):
            chosen = np.flatnonzero(values & (1 << kind))
            x, y = xs[chosen], ys[chosen]
            right, down = 1 - 2 * (kind & 1), 1 - 2 * (kind >> 1)
            level = green[y, x + _ALONG[:, None] * right].astype(np.int16)
            upright = green[y + _ALONG[:, None] * down, x].astype(np.int16)
            # a drawn line is even along its length, what chance makes is not
            uneven = sum(np.abs(arm[1] - arm[0]) * 2 + np.abs(arm[2] - arm[1]) for arm in (level, upright))
            strength = strengths[kind][y - m, x - m].astype(np.int16)
            order = np.argsort(uneven // 2 - np.minimum(strength, _STRONG), kind="stable")[:limit]
            x, y = x[order], y[order]
            brightness = (level[1] + upright[1])[order] // 2
            found_x.append(x.astype(np.int32))
            found_y.append(y.astype(np.int32))
            found_green.append(brightness)
        return tuple(found_x), tuple(found_y), tuple(found_green)


def _at(plane: U8, x: int, y: int) -> U8:
    """The plane without its margin, moved by ``x`` and ``y``."""
    m = _MARGIN
    height, width = plane.shape
    return plane[m + y : height - m + y, m + x : width - m + x]


_MARGIN = 4
_THREE_ACROSS = np.ones((1, 3), np.uint8)
_THREE_DOWN = np.ones((3, 1), np.uint8)
_NEAR = np.ones((5, 5), np.uint8)
_ALONG = np.array([2, 3, 4])
"""Where an arm's evenness is measured."""
_STRONG = 40
"""Strength above which more does not make a corner a better one."""
