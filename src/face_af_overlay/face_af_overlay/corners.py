"""Corners looked at one by one: where their lines' middles are, what colour they have, and how even they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .thin_lines import Reach

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

X, Y, BLUE, GREEN, RED, QUALITY = range(6)
"""Columns of :attr:`Corners.values`."""


@dataclass(frozen=True)
class Corners:
    """Corners of all four kinds."""

    values: I32
    """4 x most x 6: column and row of the lines' middles, colour, and by how much they stand out more than they
    vary. Each kind from top to bottom, give or take four rows."""
    counts: NDArray[np.int64]
    """How many there are of each kind."""


def measure(bgr: U8, found: I32, reach: Reach, limit: int) -> Corners:
    """The corners worth pairing among those ``found`` (N x 4: column, row, kind, strength); of each kind the best.

    ``limit``: how many of each kind.
    """
    values = np.empty((4, len(found) + 1, 6), np.int32)
    counts = np.zeros(4, np.int64)
    _measure(bgr, found, reach.ground, reach.arm, values, counts)
    for kind in range(4):
        if counts[kind] > limit:
            rows = values[kind, : counts[kind]]
            best = np.sort(np.argpartition(-rows[:, QUALITY], limit)[:limit])
            values[kind, :limit] = rows[best]
            counts[kind] = limit
    return Corners(values, counts)


@compiled
def _middle(bgr: U8, x: int, y: int, along: int, ground: int, arm: int, upright: bool, profile: Any) -> int:
    """Twice the column (``upright``) or row of the middle of the line on the arm that leads from x, y; -1: none.

    ``along``: 1 or -1, the way that the arm goes.
    """
    height, width = bgr.shape[0], bgr.shape[1]
    at = x if upright else y
    size = width if upright else height
    first, last = max(at - _OFF, ground), min(at + _OFF, size - 1 - ground)
    best, peak = 0, -1
    for place in range(first, last + 1):
        total = 0
        for i in (arm, arm + 2):
            row, column = (y + along * i, place) if upright else (place, x + along * i)
            down, right = (0, ground) if upright else (ground, 0)
            most = 0
            for c in range(3):
                middle = np.int64(bgr[row, column, c])
                one, other = np.int64(bgr[row - down, column - right, c]), np.int64(bgr[row + down, column + right, c])
                most = max(most, middle - max(one, other), min(one, other) - middle)
            total += min(most, 80)
        profile[place - first] = total
        if total > best and abs(place - at) < _OFF:
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
def _measure(bgr: U8, found: I32, ground: int, arm: int, values: I32, counts: Any) -> None:
    height, width = bgr.shape[0], bgr.shape[1]
    profile = np.zeros(2 * _OFF + 1, np.int64)
    xs, ys = np.zeros(7, np.int64), np.zeros(7, np.int64)
    mean = np.zeros(3, np.int64)
    for n in range(found.shape[0]):
        kind = found[n, 2]
        right, down = 1 - 2 * (kind & 1), 1 - 2 * (kind >> 1)
        row = _middle(bgr, found[n, 0], found[n, 1], right, ground, arm, False, profile)
        column = _middle(bgr, found[n, 0], found[n, 1], down, ground, arm, True, profile)
        if row < 0 or column < 0:
            continue
        x, y = column >> 1, row >> 1
        if not (arm + 2 <= x < width - arm - 2 and arm + 2 <= y < height - arm - 2):
            continue
        # several peaks on thick lines are one corner
        known = False
        for i in range(counts[kind] - 1, -1, -1):
            other = values[kind, i]
            if other[1] < y - 2 * _OFF:
                break
            if abs(other[0] - x) <= 1 and abs(other[1] - y) <= 1:
                known = True
                break
        if known:
            continue
        # three pixels on either arm, and the corner itself
        for i in range(3):
            xs[i], ys[i] = x + right * (arm + i), y
            xs[3 + i], ys[3 + i] = x, y + down * (arm + i)
        xs[6], ys[6] = x, y
        for c in range(3):
            total = 0
            for i in range(6):
                total += bgr[ys[i], xs[i], c]
            mean[c] = (total + 3) // 6
        uneven = 0
        for i in range(7):
            for c in range(3):
                gap = abs(np.int64(bgr[ys[i], xs[i], c]) - mean[c])
                # colour is smeared and brightness is not, so red and blue may differ more
                uneven = max(uneven, gap if c == 1 else gap * 5 // 8)
        stands = 255
        for side in (-ground, ground):
            level = upright = 0
            for i in range(3):
                one = other_ = 0
                for c in range(3):
                    one = max(one, abs(np.int64(bgr[y + side, xs[i], c]) - mean[c]))
                    other_ = max(other_, abs(np.int64(bgr[ys[3 + i], x + side, c]) - mean[c]))
                level += one
                upright += other_
            stands = min(stands, level // 3, upright // 3)
        if 2 * uneven > stands:
            continue
        out = values[kind, counts[kind]]
        out[0], out[1] = x, y
        for c in range(3):
            out[2 + c] = mean[c]
        out[5] = stands - 2 * uneven
        counts[kind] += 1


_OFF = 3
"""Pixels by which a corner found may be off its lines' middles."""
