"""Rounded corners: looked for from the ends of level lines.

There must be an upright line as far from where the two would meet, and a line of the same colour on the arc between
them. What is said to be a corner's place is where the two straight lines would meet.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .compiled import compiled, inlined
from .corners import I32, OFF_MIDDLE, U8, Corners, line_middle, strongest
from .thin_lines import Reach, ThinLines


def measure_rounded(bgr: U8, lines: ThinLines, reach: Reach, least: int, largest: int, limit: int) -> Corners:
    """Rounded corners in ``bgr``, of each kind the best ``limit``.

    ``least``: least difference between a line and what is beside it, levels; ``largest``: largest offset, pixels.
    """
    values = np.zeros((4, _MOST, 7), np.int32)
    counts = np.zeros(4, np.int64)
    least = max(least, _least_of_busy(lines.level))
    _round(bgr, lines.green, lines.level, lines.upright, reach.step, reach.ground, least, largest, values, counts)
    return strongest(values, counts, limit)


def _least_of_busy(level: U8) -> int:
    """The strength that no more than a set share of all places has: in busy frames faint lines are there by chance."""
    counts = np.bincount(level[::_SAMPLED].ravel(), minlength=256)
    above = np.cumsum(counts[::-1])[::-1]
    return int(np.argmax(above <= _BUSY * above[0]))


@compiled
def _round(
    bgr: U8, g: U8, level: U8, upright: U8, step: int, ground: int, least: int, largest: int, values: I32, counts: Any
) -> None:
    """Looks for rounded corners from both ends of all level lines; see :mod:`thin_lines` for the planes."""
    height = bgr.shape[0]
    columns = g.shape[1] // step // 8 * 8
    profile = np.zeros(2 * OFF_MIDDLE + 1, np.int64)
    for j in range(ground // step + 1, (height - ground) // step - 1):
        strengths = level[j, :columns]
        words = strengths.view(np.uint64)
        green = g[j * step]
        k, start = 0, -1
        while k < columns:
            if start < 0 and k & 7 == 0 and words[k >> 3] & np.uint64(_EIGHT_OR_MORE) == 0:
                k += 8
                continue
            strength = strengths[k]
            on = strength >= least and (start < 0 or _near(green[k], green[k - 1], strength))
            if on and start < 0:
                start = k
            if start >= 0 and (not on or k == columns - 1):
                if (k - start) * step >= _STRAIGHT:
                    far = min(largest, 2 * (k - start) * step + 8)
                    for end in range(4):
                        at = start if end & 1 == 0 else k - 1
                        if not _bends(level, upright, columns, at, j, step, end, least):
                            continue
                        x = at * step
                        unlike = _UNLIKE + (np.int64(strengths[(start + k - 1) >> 1]) >> 2)
                        _arc(
                            bgr, upright, x, j * step, end, step, ground, least, unlike, far,
                            profile, values[end], counts,
                        )  # fmt: skip
                start = k if not on and strength >= least else -1
            k += 1


@inlined
def _near(one: Any, other: Any, strength: Any) -> Any:
    """Whether two neighbours on a line differ less than the line from its ground."""
    gap = np.int64(one) - np.int64(other)
    return abs(gap) * 2 <= np.int64(strength) + 8


@inlined
def _bends(level: U8, upright: U8, columns: int, k: int, j: int, step: int, kind: int, least: int) -> Any:
    """Whether the line that ends at place k of row j goes on in the next row towards the corner: arcs do.

    The smallest ones are upright there already.
    """
    right, row = 1 - 2 * (kind & 1), j + 1 - (kind & 2)
    first, last = max(min(k - _BEND * right, k + right), 0), min(max(k - _BEND * right, k + right), columns - 1)
    most: Any = 0
    for at in range(first, last + 1):
        most = max(most, np.int64(level[row, at]), np.int64(upright[row * step, at]))
    return most >= least


@compiled
def _arc(
    bgr: U8, upright: U8, x: int, y: int, kind: int, step: int, ground: int, least: int, unlike: Any, far: int,
    profile: Any, values: I32, counts: Any,
) -> None:  # fmt: skip
    """Adds the best corner of that kind of which the level line begins at x, y, if there is one.

    ``unlike``: levels of green by which the two lines may differ: 4:2:2 spreads the colour of upright ones.
    """
    height, width = bgr.shape[0], bgr.shape[1]
    right, down = 1 - 2 * (kind & 1), 1 - (kind & 2)
    margin = ground + 4
    if counts[kind] >= values.shape[0] or not (margin + 8 <= x < width - margin - 8):
        return
    b: Any = np.int64(0)
    g: Any = np.int64(0)
    r: Any = np.int64(0)
    for i in range(3):
        at = bgr[y, x + right * (1 + 3 * i // 2)]
        b, g, r = b + at[0], g + at[1], r + at[2]
    b, g, r = b // 3, g // 3, r // 3
    best: Any = 0
    offset, corner_x = 0, 0
    for d in range(_SHARP, far + 1, step):
        # one of the two lines may seem to begin a little earlier than the other
        cx, begin = x - right * d, d + d // 4
        last = y + down * (begin + 7)
        if not (margin <= cx < width - margin and margin <= last < height - margin):
            break
        column, most = cx // step, max(best, least - 1)
        # the middle of the three first, and no further where it is nothing
        strength: Any = np.int64(upright[y + down * (begin + 2), column])
        if strength <= most:
            continue
        strength = min(
            strength,
            np.int64(upright[y + down * (begin + 1), column]),
            np.int64(upright[y + down * (begin + 4), column]),
        )
        if strength <= most:
            continue
        for i in range(3):
            row = y + down * (begin + 1 + 3 * i // 2)
            # a line between two columns shows its own colour in one of them at best
            gap = min(abs(np.int64(bgr[row, cx - 1, 1]) - g), abs(np.int64(bgr[row, cx, 1]) - g))
            strength -= max(min(gap, abs(np.int64(bgr[row, cx + 1, 1]) - g)) - unlike, 0)
        if strength <= most:
            continue
        strength = min(strength, _on_arc(bgr, cx, y, right, down, d, ground, b, g, r))
        if strength > most:
            best, offset, corner_x = strength, d, cx
    if best == 0:
        return
    row = line_middle(bgr, corner_x, y, right, ground, offset + 2, False, profile)
    column = line_middle(bgr, corner_x, y, down, ground, offset + 2, True, profile)
    if row < 0 or column < 0:
        return
    if not _is_known(values, counts[kind], column >> 1, row >> 1, b, g, r, best, offset):
        out = values[counts[kind]]
        out[0], out[1], out[2], out[3], out[4], out[5], out[6] = column >> 1, row >> 1, b, g, r, best, offset
        counts[kind] += 1


@compiled
def _is_known(values: I32, count: int, x: int, y: int, b: int, g: int, r: int, quality: int, offset: int) -> bool:
    """Whether that corner is among those before, which then gets what was seen better of it."""
    for i in range(count - 1, -1, -1):
        known = values[i]
        if known[1] < y - 2 * OFF_MIDDLE:
            return False
        if abs(known[0] - x) <= 1 and abs(known[1] - y) <= 1 and abs(known[6] - offset) <= 3 + offset // 4:
            if offset > known[6] + 3 and quality * 2 > known[5]:
                # the arc's own start looked like a line: the straight one is farther out
                known[0], known[1] = x, y
                known[2], known[3], known[4], known[5], known[6] = b, g, r, quality, offset
            elif quality > known[5]:
                known[2], known[3], known[4], known[5], known[6] = b, g, r, quality, offset
            return True
    return False


@compiled
def _on_arc(bgr: U8, x: int, y: int, right: int, down: int, d: int, ground: int, b: int, g: int, r: int) -> int:
    """By how much a line of that colour stands out from both sides half-way round a corner at x, y, at best.

    Lines seem straight up to ``d`` pixels from the corner, where an arc of radius r has left them by their thickness:
    ``r - sqrt(4 r) <= d``. Half-way round, it is ``1 - sqrt(1/2)`` of its radius from both.
    """
    first, last = d * 73 // 256, int(0.293 * (d + 4 + 2.5 * math.sqrt(d))) + 1
    aside = (ground * 3 + 2) // 4
    best: Any = np.int64(0)
    for t in range(first, last + 1):
        px, py = x + right * t, y + down * t
        gap = max(
            abs(np.int64(bgr[py, px, 1]) - g),
            max(abs(np.int64(bgr[py, px, 0]) - b), abs(np.int64(bgr[py, px, 2]) - r)) * 5 // 8,
        )
        stands: Any = np.int64(255)
        for way in (-aside, aside):
            at = bgr[py + down * way, px + right * way]
            most = max(abs(np.int64(at[0]) - b), abs(np.int64(at[1]) - g), abs(np.int64(at[2]) - r))
            stands = min(stands, most)
        best = max(best, stands - 2 * gap + 8)
    return best


_MOST = 4000
"""Rounded corners of each kind in one frame, at most."""

_SAMPLED, _BUSY = 16, 0.06
"""One row in so many tells how busy a frame is; the share of places that may be on lines."""

_STRAIGHT = 6
"""Pixels of a level line, at least, from the ends of which rounded corners are looked for."""

_BEND = 3
"""Places of a plane beyond the end of a level line in which an arc has reached the next row."""

_UNLIKE = 8
"""Levels by which the lines of a corner may differ, and a quarter of what the level one stands out by."""

_SHARP = 2
"""Pixels from a corner to its straight lines below which it is found as a sharp one."""

_EIGHT_OR_MORE = 0xF8F8F8F8F8F8F8F8
"""Tells whether any of eight bytes is 8 or more."""
