"""Rectangles from corners, placed to the pixel and ranked by what is on their lines.

Two corners across from each other propose a rectangle. Two neighbouring ones propose all those whose far side
has a line at its ends, so a box is found of which only two corners can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .corners import Corners
from .thin_lines import BOTTOM_LEFT, BOTTOM_RIGHT, TOP_LEFT, TOP_RIGHT, Reach

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Limits:
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
    rects = np.empty((_ROOM, 8), np.int32)
    scores = np.empty(_ROOM, np.float64)
    count = _propose(
        bgr,
        corners.values,
        corners.counts,
        limits.low,
        limits.high,
        limits.aspect,
        limits.uniform,
        reach.ground,
        reach.arm,
        rects,
        scores,
    )
    order = np.argsort(-scores[:count], kind="stable")[:most]
    return Candidates(rects[order, :4], rects[order, 4:7].astype(np.float32), rects[order, 7])


@inlined
def _unlike(bgr: U8, y: int, x: int, b: int, g: int, r: int) -> Any:
    """Difference from a colour; colour is smeared and brightness is not, so red and blue may differ more."""
    return max(
        abs(np.int64(bgr[y, x, 1]) - g), max(abs(np.int64(bgr[y, x, 0]) - b), abs(np.int64(bgr[y, x, 2]) - r)) * 5 // 8
    )


@inlined
def _apart(bgr: U8, y: int, x: int, b: int, g: int, r: int) -> Any:
    return max(abs(np.int64(bgr[y, x, 1]) - g), abs(np.int64(bgr[y, x, 0]) - b), abs(np.int64(bgr[y, x, 2]) - r))


@inlined
def _look(bgr: U8, y: int, x: int, level: bool, ground: int, b: int, g: int, r: int) -> tuple[int, int]:
    """How unlike a line's colour a place on it is, and how unlike what is beside the line is at least."""
    down, right = (ground, 0) if level else (0, ground)
    stands = min(_apart(bgr, y - down, x - right, b, g, r), _apart(bgr, y + down, x + right, b, g, r))
    return _unlike(bgr, y, x, b, g, r), stands


@inlined
def _worth(gap: int, stands: int) -> int:
    """What a place says for a line (above 0) or against one, up to 16; 0: it cannot be told."""
    tell = min(max(stands - 6, 0), 16)
    if gap < max(stands // 2, _NOISE):
        return tell
    return -max(tell, 8) if gap > _OTHER else -tell


@compiled
def _promising(bgr: U8, rect: I64, one: int, other: int, ground: int, arm: int, b: int, g: int, r: int) -> bool:
    """Whether lines are seen on a few places of the arms, give or take a pixel; ``one``, ``other``: corners known."""
    total = seen = 0
    for turn in range(8):
        corner = turn & 3
        # those that are not known first
        if (corner in (one, other)) == (turn < 4):
            continue
        x0, y0 = rect[2 * (corner & 1)], rect[1 + (corner & 2)]
        right, down = 1 - 2 * (corner & 1), 1 - (corner & 2)
        far_x = max(arm + 2, (rect[2] - rect[0]) * 5 // 32)
        far_y = max(arm + 2, (rect[3] - rect[1]) * 5 // 32)
        for i in range(4):
            level = i < 2
            along = arm if i == 0 or i == 2 else far_x if level else far_y
            x, y = (x0 + right * along, y0) if level else (x0, y0 + down * along)
            gap, stands = _look(bgr, y, x, level, ground, b, g, r)
            if gap > stands // 2:
                dx, dy = (0, 1) if level else (1, 0)
                gap = min(gap, _unlike(bgr, y - dy, x - dx, b, g, r), _unlike(bgr, y + dy, x + dx, b, g, r))
            total += _worth(gap, stands)
        # only a little against the first of the unknown corners, something for both, more for all
        if total < _PROMISING[seen]:
            return False
        seen += 1
    return True


@compiled
def _edge(bgr: U8, at: int, level: bool, places: I64, ground: int, b: int, g: int, r: int, strengths: I64) -> int:
    """The middle of the line of that colour through ``places``, at most two pixels from row or column ``at``."""
    size = bgr.shape[0] if level else bgr.shape[1]
    first, last = max(at - 2, ground), min(at + 2, size - 1 - ground)
    best, peak = -1, at
    for place in range(first, last + 1):
        total = 0
        for i in range(places.shape[0]):
            y, x = (place, places[i]) if level else (places[i], place)
            gap, stands = _look(bgr, y, x, level, ground, b, g, r)
            total += max(min(stands, 60) - gap * 3 // 2, 0)
        strengths[place - first] = total
        if total > best or (total == best and abs(place - at) < abs(peak - at)):
            best, peak = total, place
    # the middle of a thick line
    floor = best * 3 // 4
    low = high = peak
    while low > first and strengths[low - 1 - first] >= floor:
        low -= 1
    while high < last and strengths[high + 1 - first] >= floor:
        high += 1
    return (low + high) >> 1


@compiled
def _place(
    bgr: U8, rect: I64, b: int, g: int, r: int, ground: int, arm: int, offset: int, out: I32, work: I64
) -> float:
    """Places the sides of ``rect`` to the pixel and writes them and their colour into ``out``.

    Returns the share of the arms on which a line of one colour is seen, less where none is: -1 to 1; below, there
    is no rectangle. ``work``: 3 x 2 _PLACES.
    """
    height, width = bgr.shape[0], bgr.shape[1]
    for axis in range(2):
        first, last = rect[axis], rect[2 + axis]
        far = max(arm + 2.0, _ARM * (last - first))
        for i in range(_PLACES):
            place = int(arm + i * (far - arm) / (_PLACES - 1))
            work[axis, i], work[axis, _PLACES + i] = first + place, last - place
    top = _edge(bgr, rect[1], True, work[0], ground, b, g, r, work[2])
    bottom = _edge(bgr, rect[3], True, work[0], ground, b, g, r, work[2])
    left = _edge(bgr, rect[0], False, work[1], ground, b, g, r, work[2])
    right = _edge(bgr, rect[2], False, work[1], ground, b, g, r, work[2])
    if right - left < 2 * arm or bottom - top < 2 * arm:
        return -2.0
    out[0], out[1], out[2], out[3] = left, top, right, bottom
    # the mean of what is like the corners' colour
    sb = sg = sr = count = 0
    for side in range(4):
        level = side < 2
        at = top if side == 0 else bottom if side == 1 else left if side == 2 else right
        for i in range(2 * _PLACES):
            x, y = (work[0, i], at) if level else (at, work[1, i])
            gap, stands = _look(bgr, y, x, level, ground, b, g, r)
            if stands > _TELLABLE and gap < stands * 5 // 8 + _TELLABLE:
                sb += bgr[y, x, 0]
                sg += bgr[y, x, 1]
                sr += bgr[y, x, 2]
                count += 1
    if count < 4:
        return -2.0
    b, g, r = sb // count, sg // count, sr // count
    out[4], out[5], out[6] = b, g, r
    good = 0
    run_on = 0
    for side in range(4):
        level = side < 2
        at = top if side == 0 else bottom if side == 1 else left if side == 2 else right
        for i in range(2 * _PLACES):
            x, y = (work[0, i], at) if level else (at, work[1, i])
            gap, stands = _look(bgr, y, x, level, ground, b, g, r)
            good += _worth(gap, stands)
        for end in range(2):
            on = 0
            for i in range(2):
                beyond = arm - offset + 2 + 2 * i
                beyond = -beyond if end == 0 else beyond
                x, y = (rect[2 * end] + beyond, at) if level else (at, rect[2 * end + 1] + beyond)
                if ground <= x < width - ground and ground <= y < height - ground:
                    gap, stands = _look(bgr, y, x, level, ground, b, g, r)
                    on += stands > _TELLABLE and gap * 5 < stands * 2
            run_on += on == 2
    return good / (16 * 8 * _PLACES) - _RUN_ON * run_on


@compiled
def _known(rects: I32, count: int, rect: I64, slack: int) -> bool:
    for i in range(count):
        known = rects[i]
        if (
            abs(known[0] - rect[0]) <= slack
            and abs(known[1] - rect[1]) <= slack
            and abs(known[2] - rect[2]) <= slack
            and abs(known[3] - rect[3]) <= slack
        ):
            return True
    return False


@compiled
def _try(
    bgr: U8,
    rect: I64,
    one: int,
    other: int,
    b: int,
    g: int,
    r: int,
    ground: int,
    arm: int,
    offset: int,
    rects: I32,
    scores: Any,
    count: int,
    work: I64,
) -> int:
    """Adds the rectangle if it is new and good enough; returns how many there are now.

    ``one``, ``other``: the corners that proposed it; b, g, r: their colour.
    """
    height, width = bgr.shape[0], bgr.shape[1]
    arm += offset
    if rect[0] < ground or rect[1] < ground or rect[2] >= width - ground or rect[3] >= height - ground:
        return count
    if count >= rects.shape[0] or not _promising(bgr, rect, one, other, ground, arm, b, g, r):
        return count
    if _known(rects, count, rect, 1):
        return count
    out = rects[count]
    out[7] = offset
    score = _place(bgr, rect, b, g, r, ground, arm, offset, out, work)
    if score < _LEAST:
        return count
    # of several on the same lines, the best speaks for all of one colour
    for i in range(count):
        known = rects[i]
        same = True
        for k in range(4):
            same = same and abs(known[k] - out[k]) <= _SAME and abs(known[4 + k % 3] - out[4 + k % 3]) <= _SAME_COLOUR
        if same:
            if score > scores[i]:
                known[:] = out
                scores[i] = score
            return count
    scores[count] = score
    return count + 1


@compiled
def _like(one: I32, other: I32, uniform: int) -> bool:
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
def _joined(bgr: U8, one: I32, other: I32, level: bool, ground: int, arm: int, b: int, g: int, r: int) -> bool:
    """Whether lines are seen a little further on along the side between two corners."""
    total = 0
    for end in range(2):
        corner = one if end == 0 else other
        side = other[0] - one[0] if level else other[1] - one[1]
        for i in range(2):
            along = max(arm + 2, side * (3 + 2 * i) // 32) * (1 - 2 * end)
            x, y = (corner[0] + along, corner[1]) if level else (corner[0], corner[1] + along)
            gap, stands = _look(bgr, y, x, level, ground, b, g, r)
            total += _worth(gap, stands)
    return total >= _JOINED


@compiled
def _explained(rects: I32, scores: Any, count: int, one: I32, other: I32) -> bool:
    """Whether both corners belong to a rectangle that has been found."""
    for i in range(count):
        if scores[i] < _SURE:
            continue
        known = rects[i]
        if (
            min(abs(known[0] - one[0]), abs(known[2] - one[0])) <= _SAME
            and min(abs(known[1] - one[1]), abs(known[3] - one[1])) <= _SAME
            and min(abs(known[0] - other[0]), abs(known[2] - other[0])) <= _SAME
            and min(abs(known[1] - other[1]), abs(known[3] - other[1])) <= _SAME
        ):
            return True
    return False


@compiled
def _line_ends(
    bgr: U8, at: int, start: int, stop: int, level: bool, ground: int, arm: int, b: int, g: int, r: int
) -> bool:
    """Whether row or column ``at`` has a line at both ends, on three of four places."""
    misses = 0
    for k in range(4):
        along = start + arm + (k & 2) if k & 1 == 0 else stop - arm - (k & 2)
        x, y = (along, at) if level else (at, along)
        if _unlike(bgr, y, x, b, g, r) > _OTHER:
            misses += 1
        else:
            gap, stands = _look(bgr, y, x, level, ground, b, g, r)
            misses += gap >= max(stands // 2, 4) or stands <= _TELLABLE
        if misses > 1:
            return False
    return True


@compiled
def _propose(
    bgr: U8,
    values: I32,
    counts: I64,
    low: int,
    high: int,
    aspect: float,
    uniform: int,
    ground: int,
    arm: int,
    rects: I32,
    scores: Any,
) -> int:
    height, width = bgr.shape[0], bgr.shape[1]
    work = np.empty((3, 2 * _PLACES), np.int64)
    rect = np.empty(4, np.int64)
    count = 0
    # across from each other, the upper one first
    for pair in range(2):
        upper, lower = (TOP_LEFT, BOTTOM_RIGHT) if pair == 0 else (TOP_RIGHT, BOTTOM_LEFT)
        for i in range(counts[upper]):
            one = values[upper, i]
            for j in range(_first(values[lower], counts[lower], one[1] + low), counts[lower]):
                other = values[lower, j]
                down = other[1] - one[1]
                if down > high + _UNSORTED:
                    break
                across = other[0] - one[0] if pair == 0 else one[0] - other[0]
                if across < low or across > high or down < low or down > high:
                    continue
                if max(across, down) > aspect * min(across, down) + 3 or not _like(one, other, uniform):
                    continue
                rect[0], rect[1] = min(one[0], other[0]), one[1]
                rect[2], rect[3] = max(one[0], other[0]), other[1]
                b, g, r = (one[2] + other[2]) >> 1, (one[3] + other[3]) >> 1, (one[4] + other[4]) >> 1
                offset = max(one[6], other[6])
                count = _try(bgr, rect, upper, lower, b, g, r, ground, arm, offset, rects, scores, count, work)
    # neighbours, of which the other two corners may be hidden
    for pair in range(4):
        level = pair < 2
        first = TOP_LEFT if pair == 0 or pair == 2 else BOTTOM_LEFT if pair == 1 else TOP_RIGHT
        second = TOP_RIGHT if pair == 0 else BOTTOM_LEFT if pair == 2 else BOTTOM_RIGHT
        way = 1 if pair == 0 or pair == 2 else -1
        for i in range(counts[first]):
            one = values[first, i]
            start = one[1] - _SLACK if level else one[1] + low
            for j in range(_first(values[second], counts[second], start), counts[second]):
                other = values[second, j]
                if other[1] > (one[1] + _SLACK if level else one[1] + high) + _UNSORTED:
                    break
                side = other[0] - one[0] if level else other[1] - one[1]
                off = other[1] - one[1] if level else other[0] - one[0]
                if side < low or side > high or abs(off) > _SLACK or not _like(one, other, uniform):
                    continue
                b, g, r = (one[2] + other[2]) >> 1, (one[3] + other[3]) >> 1, (one[4] + other[4]) >> 1
                offset = max(one[6], other[6])
                if not _joined(bgr, one, other, level, ground, arm + offset, b, g, r):
                    continue
                if _explained(rects, scores, count, one, other):
                    continue
                base = (one[1] + other[1]) >> 1 if level else (one[0] + other[0]) >> 1
                start, stop = (one[0], other[0]) if level else (one[1], other[1])
                nearest = max(int(side / aspect), low)
                farthest = min(int(side * aspect), high)
                size = height if level else width
                farthest = min(farthest, size - 1 - ground - base if way > 0 else base - ground)
                since = -1
                for depth in range(nearest, farthest + 2):
                    on = depth <= farthest and _line_ends(
                        bgr, base + way * depth, start, stop, level, ground, arm + offset, b, g, r
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
                    count = _try(bgr, rect, first, second, b, g, r, ground, arm, offset, rects, scores, count, work)
    return count


_PLACES = 5
"""Places looked at on each arm."""
_ARM = 0.17
"""How far along a side they reach, as a share of it: brackets have arms of 0.2 and more."""
_TELLABLE = 10
"""Difference between line and background from which one can tell them apart, levels."""
_NOISE, _OTHER = 12, 30
"""Differences from the line's colour: none, and clearly another colour."""
_PROMISING = (-16, 16, 48, 80)
"""Least worth of the four places of one, two, three and four corners, 64 each, for placing to the pixel."""
_JOINED = 24
"""Least worth of four places, of 64, at which two corners may be those of one side."""
_RUN_ON = 0.1
"""What a line that runs on beyond its corner costs."""
_LEAST, _SURE = 0.35, 0.7
"""Scores worth a close look, and of rectangles that explain their corners."""
_SAME, _SAME_COLOUR = 4, 30
"""Pixels and levels within which two rectangles are one."""
_SLACK = 2
"""Pixels by which two corners of one side may be off."""
_UNSORTED = 8
"""Rows by which corners may be out of order."""
_ROOM = 300
"""Rectangles in one frame, at most."""
