"""Corners looked at one by one: where their lines' middles are, what colour they have, and how even they are.

Those measured here come from :mod:`thin_lines` and are sharp; :mod:`rounded_corners` finds the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .thin_lines import Reach

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

X, Y, BLUE, GREEN, RED, QUALITY, OFFSET = range(7)
"""Columns of :attr:`Corners.values`."""


@dataclass(frozen=True)
class Corners:
    """Corners of all four kinds."""

    values: I32
    """4 x most x 7: column and row of the lines' middles, colour, by how much they stand out more than they
    vary, and how far from there the straight lines begin, pixels; 0: sharp. Each kind from top to bottom, give or
    take four rows."""
    counts: NDArray[np.int64]
    """How many there are of each kind."""


def measure(bgr: U8, found: I32, reach: Reach, limit: int) -> Corners:
    """The corners worth pairing among those ``found`` (N x 4: column, row, kind, strength); of each kind the best.

    ``limit``: how many of each kind.
    """
    values = np.zeros((4, len(found) + 1, 7), np.int32)
    counts = np.zeros(4, np.int64)
    _measure(bgr, found, reach.ground, reach.arm, values, counts)
    return strongest(values, counts, limit)


def strongest(values: I32, counts: NDArray[np.int64], limit: int) -> Corners:
    """Of each kind the best ``limit``, in their order; changes ``values`` and ``counts``."""
    for kind in range(4):
        if counts[kind] > limit:
            rows = values[kind, : counts[kind]]
            best = np.sort(np.argpartition(-rows[:, QUALITY], limit)[:limit])
            values[kind, :limit] = rows[best]
            counts[kind] = limit
    return Corners(values, counts)


@compiled
def line_middle(bgr: U8, x: int, y: int, along: int, ground: int, arm: int, upright: bool, profile: Any) -> int:
    """Twice the column (``upright``) or row of the middle of the line on the arm that leads from x, y; -1: none.

    ``along``: 1 or -1, the way that the arm goes.
    """
    height, width = bgr.shape[0], bgr.shape[1]
    at = x if upright else y
    size = width if upright else height
    first, last = max(at - OFF_MIDDLE, ground), min(at + OFF_MIDDLE, size - 1 - ground)
    best, peak = 0, -1
    for place in range(first, last + 1):
        total = 0
        for i in (arm, arm + 2):
            row, column = (y + along * i, place) if upright else (place, x + along * i)
            down, right = (0, ground) if upright else (ground, 0)
            most: Any = 0
            for c in range(3):
                middle = np.int64(bgr[row, column, c])
                one, other = np.int64(bgr[row - down, column - right, c]), np.int64(bgr[row + down, column + right, c])
                most = max(most, middle - max(one, other), min(one, other) - middle)
            total += min(most, 80)
        profile[place - first] = total
        if total > best and abs(place - at) < OFF_MIDDLE:
            best, peak = total, place
    if peak < 0:
        return -1
    half = (best + 1) // 2
    low = high = peak
    while low > first and profile[low - 1 - first] >= half:
        low -= 1
    while high < last and profile[high + 1 - first] >= half:
        high += 1
    return low + high


@compiled
def _evenness(bgr: U8, x: int, y: int, kind: int, ground: int, arm: int, mean: Any) -> int:
    """By how much the corner at x, y stands out more than twice its unevenness; writes its colour into ``mean``."""
    right, down = 1 - 2 * (kind & 1), 1 - (kind & 2)
    # three pixels on either arm, and the corner itself
    x0, x1, x2 = x + right * arm, x + right * (arm + 1), x + right * (arm + 2)
    y0, y1, y2 = y + down * arm, y + down * (arm + 1), y + down * (arm + 2)
    uneven: Any = 0
    for c in range(3):
        p0, p1, p2 = np.int64(bgr[y, x0, c]), np.int64(bgr[y, x1, c]), np.int64(bgr[y, x2, c])
        q0, q1, q2 = np.int64(bgr[y0, x, c]), np.int64(bgr[y1, x, c]), np.int64(bgr[y2, x, c])
        corner = np.int64(bgr[y, x, c])
        middle = (p0 + p1 + p2 + q0 + q1 + q2 + 3) // 6
        mean[c] = middle
        gap = max(max(p0, p1, p2, q0, q1, q2, corner) - middle, middle - min(p0, p1, p2, q0, q1, q2, corner))
        # colour is smeared and brightness is not, so red and blue may differ more
        uneven = max(uneven, gap if c == 1 else gap * 3 // 8)
    if 2 * uneven > _UNEVEN:
        return -2 * uneven
    b, g, r = mean[0], mean[1], mean[2]
    stands = 255
    for side in (-ground, ground):
        level = upright = 0
        for i in range(3):
            xi, yi = x0 + right * i, y0 + down * i
            at, to = bgr[y + side, xi], bgr[yi, x + side]
            level += max(abs(np.int64(at[0]) - b), abs(np.int64(at[1]) - g), abs(np.int64(at[2]) - r))
            upright += max(abs(np.int64(to[0]) - b), abs(np.int64(to[1]) - g), abs(np.int64(to[2]) - r))
        stands = min(stands, level // 3, upright // 3)
    return stands - 2 * uneven


@compiled
def _is_known(values: I32, count: int, x: int, y: int) -> bool:
    """Whether that corner is among those before: several peaks on thick lines are one."""
    for i in range(count - 1, -1, -1):
        if values[i, 1] < y - 2 * OFF_MIDDLE:
            return False
        if abs(values[i, 0] - x) <= 1 and abs(values[i, 1] - y) <= 1:
            return True
    return False


@compiled
def _measure(bgr: U8, found: I32, ground: int, arm: int, values: I32, counts: Any) -> None:
    height, width = bgr.shape[0], bgr.shape[1]
    margin = max(ground, arm + 2)
    profile = np.zeros(2 * OFF_MIDDLE + 1, np.int64)
    mean = np.zeros(3, np.int64)
    for n in range(found.shape[0]):
        x, y, kind = found[n, 0], found[n, 1], found[n, 2]
        if not (margin <= x < width - margin and margin <= y < height - margin):
            continue
        if _evenness(bgr, x, y, kind, ground, arm, mean) < _ROUGHLY:
            continue
        row = line_middle(bgr, x, y, 1 - 2 * (kind & 1), ground, arm, False, profile)
        column = line_middle(bgr, x, y, 1 - (kind & 2), ground, arm, True, profile)
        if row < 0 or column < 0:
            continue
        x, y = column >> 1, row >> 1
        if not (arm + 2 <= x < width - arm - 2 and arm + 2 <= y < height - arm - 2):
            continue
        if _is_known(values[kind], counts[kind], x, y):
            continue
        quality = _evenness(bgr, x, y, kind, ground, arm, mean)
        if quality < 0:
            continue
        out = values[kind, counts[kind]]
        out[0], out[1] = x, y
        for c in range(3):
            out[2 + c] = mean[c]
        out[5] = quality
        counts[kind] += 1


OFF_MIDDLE = 3
"""Pixels by which a corner found may be off its lines' middles."""
_UNEVEN = 160
"""Twice the unevenness at which no contrast can make up for it."""
_ROUGHLY = -8
"""Evenness below which a corner is given up before its middle has been found."""
