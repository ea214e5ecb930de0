"""Rectangles from corners, ranked by what is on their lines.

Two corners across from each other propose a rectangle. Two neighbouring ones propose all those whose far side
has a line at its ends, so a box is found of which only two corners can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .corners import Corners
from .line_evidence import OTHER, TELLABLE, Colour, Frame, at_place, log_odds, unlike
from .placing import PLACES, Found, add, explains
from .thin_lines import BOTTOM_LEFT, BOTTOM_RIGHT, TOP_LEFT, TOP_RIGHT, Reach

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]

_JOINED = 24
"""Least evidence of four places, of 64, at which two corners may be those of one side."""
_SLACK = 2
"""Pixels by which two corners of one side may be off."""
_UNSORTED = 8
"""Rows by which corners may be out of order."""
_ROOM = 300
"""Rectangles in one frame, at most."""


class Limits(NamedTuple):
    """Which rectangles are proposed."""

    low: int
    """Shortest side between the lines' middles, pixels."""
    high: int
    aspect: float
    """Longer side over shorter side, at most."""
    uniform: int
    """Greatest difference between two corners of a box, levels."""


@dataclass(frozen=True)
class Candidates:
    """Rectangles worth a close look, best first."""

    rects: I32
    """N x 4: left, top, right, bottom on the middles of their lines."""
    colours: F32
    """N x 3: blue, green, red of the lines as they show."""
    offsets: I32
    """N: how far from the corners the straight lines begin, pixels; 0: sharp corners."""

    def __len__(self) -> int:
        return len(self.rects)

    def joined(self, other: Candidates) -> Candidates:
        """These, and then the other ones."""
        return Candidates(
            np.concatenate([self.rects, other.rects]),
            np.concatenate([self.colours, other.colours]),
            np.concatenate([self.offsets, other.offsets]),
        )


def propose(bgr: U8, corners: Corners, limits: Limits, reach: Reach, most: int) -> Candidates:
    """At most ``most`` rectangles in ``bgr`` (H x W x 3 uint8)."""
    work = np.empty((3, 2 * PLACES), np.int64)
    found = Found(np.empty((_ROOM, 8), np.int32), np.empty(_ROOM, np.float64), work)
    count = _propose(Frame(bgr, reach.ground, reach.arm), corners.values, corners.counts, limits, found)
    order = np.argsort(-found.scores[:count], kind="stable")[:most]
    rects = found.rects[order]
    return Candidates(rects[:, :4], rects[:, 4:7].astype(np.float32), rects[:, 7])


@compiled
def _propose(frame: Frame, values: I32, counts: I64, limits: Limits, found: Found) -> int:
    rect = np.empty(4, np.int64)
    count = 0
    for falling in range(2):
        count = _across(frame, values, counts, falling == 0, limits, rect, found, count)
    for pair in range(4):
        count = _beside(frame, values, counts, pair, limits, rect, found, count)
    return count


@compiled
def _across(
    frame: Frame, values: I32, counts: I64, falling: bool, limits: Limits, rect: I64, found: Found, count: int
) -> int:
    """Proposes from corners across from each other, the upper one first; ``falling``: from the upper left one."""
    upper, lower = (TOP_LEFT, BOTTOM_RIGHT) if falling else (TOP_RIGHT, BOTTOM_LEFT)
    low, high = limits.low, limits.high
    for i in range(counts[upper]):
        one = values[upper, i]
        for j in range(_first(values[lower], counts[lower], one[1] + low), counts[lower]):
            other = values[lower, j]
            down = other[1] - one[1]
            if down > high + _UNSORTED:
                break
            across = other[0] - one[0] if falling else one[0] - other[0]
            if across < low or across > high or down < low or down > high:
                continue
            if max(across, down) > limits.aspect * min(across, down) + 3 or not _are_alike(one, other, limits.uniform):
                continue
            rect[0], rect[1] = min(one[0], other[0]), one[1]
            rect[2], rect[3] = max(one[0], other[0]), other[1]
            offset = max(one[6], other[6])
            count = add(frame, rect, upper, lower, _colour_of(one, other), offset, found, count)
    return count


@compiled
def _beside(
    frame: Frame, values: I32, counts: I64, pair: int, limits: Limits, rect: I64, found: Found, count: int
) -> int:
    """Proposes from the two corners of one side (``pair``), of which the other two may be hidden."""
    level = pair < 2
    first = TOP_LEFT if pair == 0 or pair == 2 else BOTTOM_LEFT if pair == 1 else TOP_RIGHT
    second = TOP_RIGHT if pair == 0 else BOTTOM_LEFT if pair == 2 else BOTTOM_RIGHT
    for i in range(counts[first]):
        one = values[first, i]
        start = one[1] - _SLACK if level else one[1] + limits.low
        for j in range(_first(values[second], counts[second], start), counts[second]):
            other = values[second, j]
            if other[1] > (one[1] + _SLACK if level else one[1] + limits.high) + _UNSORTED:
                break
            side = other[0] - one[0] if level else other[1] - one[1]
            off = other[1] - one[1] if level else other[0] - one[0]
            if side < limits.low or side > limits.high or abs(off) > _SLACK:
                continue
            if not _are_alike(one, other, limits.uniform):
                continue
            colour, offset = _colour_of(one, other), max(one[6], other[6])
            if not _are_joined(frame, one, other, level, frame.arm + offset, colour):
                continue
            if not explains(found, count, one, other):
                count = _far_sides(frame, one, other, pair, first, second, limits, rect, found, count)
    return count


@compiled
def _far_sides(
    frame: Frame,
    one: I32,
    other: I32,
    pair: int,
    first: int,
    second: int,
    limits: Limits,
    rect: I64,
    found: Found,
    count: int,
) -> int:
    """Proposes a rectangle for each line that may be the side across from the one between two corners."""
    level, way = pair < 2, 1 if pair == 0 or pair == 2 else -1
    colour, offset = _colour_of(one, other), max(one[6], other[6])
    base = (one[1] + other[1]) >> 1 if level else (one[0] + other[0]) >> 1
    start, stop = (one[0], other[0]) if level else (one[1], other[1])
    side = stop - start
    size = frame.bgr.shape[0] if level else frame.bgr.shape[1]
    nearest = max(int(side / limits.aspect), limits.low)
    farthest = min(int(side * limits.aspect), limits.high)
    farthest = min(farthest, size - 1 - frame.ground - base if way > 0 else base - frame.ground)
    since = -1
    for depth in range(nearest, farthest + 2):
        on = depth <= farthest and _ends_in_lines(
            frame, base + way * depth, start, stop, level, frame.arm + offset, colour
        )
        if on and since < 0:
            since = depth
        if on or since < 0:
            continue
        # the middle of the line that was just left
        at = base + way * ((since + depth - 1) >> 1)
        since = -1
        if level:
            rect[0], rect[1], rect[2], rect[3] = start, min(base, at), stop, max(base, at)
        else:
            rect[0], rect[1], rect[2], rect[3] = min(base, at), start, max(base, at), stop
        count = add(frame, rect, first, second, colour, offset, found, count)
    return count


@compiled
def _colour_of(one: I32, other: I32) -> Colour:
    return Colour((one[2] + other[2]) >> 1, (one[3] + other[3]) >> 1, (one[4] + other[4]) >> 1)


@compiled
def _are_alike(one: I32, other: I32, uniform: int) -> bool:
    return (
        abs(one[3] - other[3]) <= uniform
        and abs(one[2] - other[2]) * 5 // 8 <= uniform
        and abs(one[4] - other[4]) * 5 // 8 <= uniform
        and abs(one[6] - other[6]) <= 3 + max(one[6], other[6]) // 2
    )


@compiled
def _first(values: I32, count: int, row: int) -> int:
    """The first corner that may lie on that row or below."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if values[middle, 1] < row:
            low = middle + 1
        else:
            high = middle
    while low > 0 and values[low - 1, 1] >= row - _UNSORTED:
        low -= 1
    return low


@compiled
def _are_joined(frame: Frame, one: I32, other: I32, level: bool, arm: int, colour: Colour) -> bool:
    """Whether lines are seen a little further on along the side between two corners."""
    total = 0
    for end in range(2):
        corner = one if end == 0 else other
        side = other[0] - one[0] if level else other[1] - one[1]
        for i in range(2):
            along = max(arm + 2, side * (3 + 2 * i) // 32) * (1 - 2 * end)
            x, y = (corner[0] + along, corner[1]) if level else (corner[0], corner[1] + along)
            gap, stands = at_place(frame.bgr, y, x, level, frame.ground, colour)
            total += log_odds(gap, stands)
    return total >= _JOINED


@compiled
def _ends_in_lines(frame: Frame, at: int, start: int, stop: int, level: bool, arm: int, colour: Colour) -> bool:
    """Whether row or column ``at`` has a line at both ends, on three of four places."""
    misses = 0
    for k in range(4):
        along = start + arm + (k & 2) if k & 1 == 0 else stop - arm - (k & 2)
        x, y = (along, at) if level else (at, along)
        if unlike(frame.bgr, y, x, colour) > OTHER:
            misses += 1
        else:
            gap, stands = at_place(frame.bgr, y, x, level, frame.ground, colour)
            misses += gap >= max(stands // 2, 4) or stands <= TELLABLE
        if misses > 1:
            return False
    return True
