"""Proposed rectangles, placed to the pixel and kept where lines of one colour are seen on their arms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .line_evidence import TELLABLE, Colour, Frame, at_place, log_odds, unlike

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

PLACES = 5
"""Places looked at on each arm."""
_ARM = 0.17
"""How far along a side they reach, as a share of it: brackets have arms of 0.2 and more."""
_PROMISING = (-16, 16, 48, 80)
"""Least evidence of the four places of one, two, three and four corners, 64 each, for placing to the pixel."""
_RUN_ON = 0.1
"""What a line that runs on beyond its corner costs."""
_LEAST, _SURE = 0.35, 0.7
"""Scores worth a close look, and of rectangles that explain their corners."""
_SAME, _SAME_COLOUR = 4, 30
"""Pixels and levels within which two rectangles are one."""


class Found(NamedTuple):
    """The rectangles of a frame so far, and memory for placing one more."""

    rects: I32
    """N x 8: left, top, right, bottom, blue, green, red, and how far from the corners straight lines begin."""
    scores: F64
    work: I64
    """3 x 2 PLACES."""


@compiled
def add(frame: Frame, rect: I64, one: int, other: int, colour: Colour, offset: int, found: Found, count: int) -> int:
    """Adds a rectangle to ``found``, which has ``count``, if it is new and good enough; how many there are then.

    ``one``, ``other``: the corners that proposed it; ``colour``: theirs.
    """
    height, width = frame.bgr.shape[0], frame.bgr.shape[1]
    ground, arm = frame.ground, frame.arm + offset
    rects, scores = found.rects, found.scores
    if rect[0] < ground or rect[1] < ground or rect[2] >= width - ground or rect[3] >= height - ground:
        return count
    if count >= rects.shape[0] or not _is_promising(frame, rect, one, other, arm, colour):
        return count
    if _is_known(rects, count, rect, 1):
        return count
    out = rects[count]
    out[7] = offset
    score = _place(frame, rect, colour, arm, offset, out, found.work)
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
def explains(found: Found, count: int, one: I32, other: I32) -> bool:
    """Whether two corners belong to a rectangle that has been found."""
    for i in range(count):
        if found.scores[i] < _SURE:
            continue
        known = found.rects[i]
        if (
            min(abs(known[0] - one[0]), abs(known[2] - one[0])) <= _SAME
            and min(abs(known[1] - one[1]), abs(known[3] - one[1])) <= _SAME
            and min(abs(known[0] - other[0]), abs(known[2] - other[0])) <= _SAME
            and min(abs(known[1] - other[1]), abs(known[3] - other[1])) <= _SAME
        ):
            return True
    return False


@compiled
def _is_promising(frame: Frame, rect: I64, one: int, other: int, arm: int, colour: Colour) -> bool:
    """Whether lines are seen on a few places of the arms, give or take a pixel; ``one``, ``other``: corners known."""
    bgr, ground = frame.bgr, frame.ground
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
            gap, stands = at_place(bgr, y, x, level, ground, colour)
            if gap > stands // 2:
                dx, dy = (0, 1) if level else (1, 0)
                gap = min(gap, unlike(bgr, y - dy, x - dx, colour), unlike(bgr, y + dy, x + dx, colour))
            total += log_odds(gap, stands)
        # only a little against the first of the unknown corners, something for both, more for all
        if total < _PROMISING[seen]:
            return False
        seen += 1
    return True


@compiled
def _is_known(rects: I32, count: int, rect: I64, slack: int) -> bool:
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
def _place(frame: Frame, rect: I64, colour: Colour, arm: int, offset: int, out: I32, work: I64) -> float:
    """Places the sides of ``rect`` to the pixel and writes them and their colour into ``out``.

    Returns the share of the arms on which a line of one colour is seen, less where none is: -1 to 1; below, there
    is no rectangle.
    """
    for axis in range(2):
        first, last = rect[axis], rect[2 + axis]
        far = max(arm + 2.0, _ARM * (last - first))
        for i in range(PLACES):
            place = int(arm + i * (far - arm) / (PLACES - 1))
            work[axis, i], work[axis, PLACES + i] = first + place, last - place
    out[0] = _edge(frame, rect[0], False, work[1], colour, work[2])
    out[1] = _edge(frame, rect[1], True, work[0], colour, work[2])
    out[2] = _edge(frame, rect[2], False, work[1], colour, work[2])
    out[3] = _edge(frame, rect[3], True, work[0], colour, work[2])
    if out[2] - out[0] < 2 * arm or out[3] - out[1] < 2 * arm:
        return -2.0
    usual, count = _usual_colour(frame, out, colour, work)
    if count < 4:
        return -2.0
    out[4], out[5], out[6] = usual
    good = 0
    run_on = 0
    for side in range(4):
        level = side < 2
        at = _line(out, side)
        for i in range(2 * PLACES):
            x, y = (work[0, i], at) if level else (at, work[1, i])
            gap, stands = at_place(frame.bgr, y, x, level, frame.ground, usual)
            good += log_odds(gap, stands)
        for end in range(2):
            run_on += _runs_on(frame, rect, level, at, end, arm - offset, usual)
    return good / (16 * 8 * PLACES) - _RUN_ON * run_on


@compiled
def _line(rect: I32, side: int) -> int:
    """Row or column of a side: top, bottom, left, right."""
    return rect[1] if side == 0 else rect[3] if side == 1 else rect[0] if side == 2 else rect[2]


@compiled
def _edge(frame: Frame, at: int, level: bool, places: I64, colour: Colour, strengths: I64) -> int:
    """The middle of the line of that colour through ``places``, at most two pixels from row or column ``at``."""
    size = frame.bgr.shape[0] if level else frame.bgr.shape[1]
    first, last = max(at - 2, frame.ground), min(at + 2, size - 1 - frame.ground)
    best, peak = -1, at
    for place in range(first, last + 1):
        total = 0
        for i in range(places.shape[0]):
            y, x = (place, places[i]) if level else (places[i], place)
            gap, stands = at_place(frame.bgr, y, x, level, frame.ground, colour)
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
def _usual_colour(frame: Frame, rect: I32, colour: Colour, work: I64) -> tuple[Colour, int]:
    """The mean of what is like ``colour`` on the lines, and on how many places that is."""
    sb = sg = sr = count = 0
    for side in range(4):
        level = side < 2
        at = _line(rect, side)
        for i in range(2 * PLACES):
            x, y = (work[0, i], at) if level else (at, work[1, i])
            gap, stands = at_place(frame.bgr, y, x, level, frame.ground, colour)
            if stands > TELLABLE and gap < stands * 5 // 8 + TELLABLE:
                sb += frame.bgr[y, x, 0]
                sg += frame.bgr[y, x, 1]
                sr += frame.bgr[y, x, 2]
                count += 1
    most = max(count, 1)
    return Colour(sb // most, sg // most, sr // most), count


@compiled
def _runs_on(frame: Frame, rect: I64, level: bool, at: int, end: int, arm: int, colour: Colour) -> bool:
    """Whether the line in row or column ``at`` goes on beyond its first or last corner."""
    height, width = frame.bgr.shape[0], frame.bgr.shape[1]
    on = 0
    for i in range(2):
        beyond = arm + 2 + 2 * i
        beyond = -beyond if end == 0 else beyond
        x, y = (rect[2 * end] + beyond, at) if level else (at, rect[2 * end + 1] + beyond)
        if frame.ground <= x < width - frame.ground and frame.ground <= y < height - frame.ground:
            gap, stands = at_place(frame.bgr, y, x, level, frame.ground, colour)
            on += stands > TELLABLE and gap * 5 < stands * 2
    return on == 2
