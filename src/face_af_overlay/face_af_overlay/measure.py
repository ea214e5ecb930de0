"""What is measured of a proposed rectangle: compiled, all rectangles of a frame in one call.

The picture across a side is explained as ``v = s b + (1 - s) c``: what is seen on the line (``v``) is the line's
colour ``c`` mixed with the ground ``b`` beside it, because lines are blended, blurred and thinner than the resolution
of colour. ``s`` and ``c`` are fitted to the arms behind the corners, which closed outlines and brackets have alike.
Place by place, the logarithm of a likelihood ratio then says whether a line or bare ground explains the picture
better; it is 0 where line and ground are alike.

All of it is one file because the cache of compiled code looks at the file of the outermost function only
(:mod:`compiled`).

Sides are top, bottom, left, right; each has two halves, from its first or last corner to the middle. Colours are Y,
and Cr and Cb around 0.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

FEATURES = (
    "agreement",
    "worst_corner",
    "second_corner",
    "strength",
    "visible",
    "between",
    "corner_line",
    "worst_corner_line",
    "run_on",
    "run_on_most",
    "uneven",
    "contrast",
    "thin",
    "arms_differ",
)
"""What the decision is made of, in the order of the first result of :func:`measure`; explained there."""
AGREEMENT, VISIBLE, CORNER_LINE, CONTRAST = (
    FEATURES.index(name) for name in ("agreement", "visible", "corner_line", "contrast")
)
LEFT, TOP, RIGHT, BOTTOM, LINE, LINES, EXTENDED, FILLED, CLOSED, ACROSS, DOWN = range(11)
"""Columns of the second result: the middles of the four lines and their thickness in pixels, how many sides have a line
at all, how many of eight lines run on, the share of the inside that is of the lines' colour, whether the outline is
closed, and how far from its corners it is drawn along level and upright sides, pixels."""
COLOURS, SLOPES, LEVELS, RADIUS, GROUND, COLUMNS = 11, 17, 23, 29, 30, 31
"""The first of six each: what is usually seen on level lines, then on upright ones; their mixtures' ``s``, and
``(1 - s) c``. The corners' radius in pixels, 0 where they are sharp; the
brightness of the ground beside the lines; and how many columns there are."""

_FEATURES = len(FEATURES)
_ARM = 6
"""Places on each of the eight arms to which the mixture is fitted."""
_ALONG = 22
"""Places on each half of a side, from behind the corner to its middle, at most."""
_BEYOND = 5
"""Pixels beyond a corner that are looked at."""
_ROWS = 11
"""Pixels looked at on either side of a proposed line."""
_OFF = 3
"""Pixels by which a proposed line may be off."""
_CHROMA = 0.7
"""What a squared difference in colour counts against one in brightness."""
_MOST = 2.5
"""Greatest logarithm of a likelihood ratio at one place."""

_BLUNT, _ROUNDER = 1.0, 0.4
"""Corners may be rounded where less is seen in them than this, and are where arcs are seen better by so much."""
_RADII, _ROUNDEST = 10, 0.32
"""How many radii are tried, and the largest as a share of the shorter side."""
_TANGENT = 0.85
"""Share of its radius at which an arc is within a sixteenth of a pixel's tenth of the straight line."""

_GAPS, _BULGE = 7, 8
"""Places looked at in a gap between brackets, and pixels from it up to which a line is looked for."""
_PROBES = 9
"""Places between two sides where a line that divides the rectangle must be seen, all but one."""


@compiled
def _look(bgr, side, rect, along, across):  # type: ignore[no-untyped-def]
    """Y, Cr, Cb of the pixel in column or row ``along``, ``across`` from a side: below 0 outside, above inside."""
    if side == 0:
        x, y = along, rect[1] + across
    elif side == 1:
        x, y = along, rect[3] - across
    elif side == 2:
        x, y = rect[0] + across, along
    else:
        x, y = rect[2] - across, along
    x = min(max(x, 0), bgr.shape[1] - 1)
    y = min(max(y, 0), bgr.shape[0] - 1)
    return _ycc(np.float32(bgr[y, x, 0]), np.float32(bgr[y, x, 1]), np.float32(bgr[y, x, 2]))


@compiled
def _ycc(b, g, r):  # type: ignore[no-untyped-def]
    luma = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b
    return luma, (r - luma) * np.float32(0.713), (b - luma) * np.float32(0.564)


@compiled
def _between(bgr, x, y):  # type: ignore[no-untyped-def]
    """Y, Cr, Cb at a place between pixels."""
    x = min(max(np.float32(x), np.float32(0.0)), np.float32(bgr.shape[1] - 1.001))
    y = min(max(np.float32(y), np.float32(0.0)), np.float32(bgr.shape[0] - 1.001))
    column, row = int(x), int(y)
    across, down = x - column, y - row
    one, other = np.float32(1.0) - across, np.float32(1.0) - down
    b = other * (one * bgr[row, column, 0] + across * bgr[row, column + 1, 0])
    g = other * (one * bgr[row, column, 1] + across * bgr[row, column + 1, 1])
    r = other * (one * bgr[row, column, 2] + across * bgr[row, column + 1, 2])
    b += down * (one * bgr[row + 1, column, 0] + across * bgr[row + 1, column + 1, 0])
    g += down * (one * bgr[row + 1, column, 1] + across * bgr[row + 1, column + 1, 1])
    r += down * (one * bgr[row + 1, column, 2] + across * bgr[row + 1, column + 1, 2])
    return _ycc(np.float32(b), np.float32(g), np.float32(r))


@compiled
def _square(one, other):  # type: ignore[no-untyped-def]
    """Squared distance between two colours."""
    y, r, c = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return y * y + np.float32(_CHROMA) * (r * r + c * c)


@compiled
def _mean(one, other):  # type: ignore[no-untyped-def]
    half = np.float32(0.5)
    return (one[0] + other[0]) * half, (one[1] + other[1]) * half, (one[2] + other[2]) * half


@compiled
def _profiles(bgr, rect, begin, scale, profiles):  # type: ignore[no-untyped-def]
    """The pixels across the arms: 4 sides x (2 x rows + 1) x 3 x (2 x arm) places."""
    for side in range(4):
        first, last = (rect[0], rect[2]) if side < 2 else (rect[1], rect[3])
        start = max(np.float32(4.0 * scale), begin)
        span = max(0.18 * (last - first) - start, 2.5 * scale)
        if begin > 0:
            span = max(span, 0.04 * (last - first))
        for j in range(_ARM):
            step = int(start + span * j / (_ARM - 1))
            for end in range(2):
                along = last - step if end else first + step
                for k in range(2 * _ROWS + 1):
                    y, cr, cb = _look(bgr, side, rect, along, k - _ROWS)
                    profiles[side, k, 0, 2 * j + end] = y
                    profiles[side, k, 1, 2 * j + end] = cr
                    profiles[side, k, 2, 2 * j + end] = cb


@compiled
def _middles(profiles, colour, score, middles):  # type: ignore[no-untyped-def]
    """The row of each side's line, where the arms are thinnest and most like ``colour``."""
    for side in range(4):
        for i in range(2 * _OFF + 3):
            k = _ROWS - _OFF - 1 + i
            total = np.float32(0.0)
            for p in range(2 * _ARM):
                thin, unlike = np.float32(0.0), np.float32(0.0)
                for ch in range(3):
                    on = profiles[side, k, ch, p]
                    low, high = profiles[side, k - 6, ch, p], profiles[side, k + 6, ch, p]
                    thin = max(thin, on - max(low, high), min(low, high) - on)
                    unlike = max(unlike, abs(on - colour[ch]))
                total += np.float32(0.7) * min(thin, np.float32(60.0)) - min(unlike, np.float32(80.0))
            score[i] = total
        best, at = np.float32(-1e9), 0
        for i in range(1, 2 * _OFF + 2):
            value = score[i - 1] + 2 * score[i] + score[i + 1]
            if value > best:
                best, at = value, i
        middles[side] = _ROWS - _OFF - 1 + at


@compiled
def _thickness(profiles, colour, share, middles, centres, thick):  # type: ignore[no-untyped-def]
    """Where each line is, to a fraction of a pixel, and its width at half height; 0 where none stands out.

    A pixel's share of the line is fitted to all places on the side's arms at once.
    """
    for side in range(4):
        middle = middles[side]
        bright, whole = np.float32(0.0), np.float32(0.0)
        for ch in range(3):
            for p in range(2 * _ARM):
                gap = colour[ch] - (profiles[side, middle - 6, ch, p] + profiles[side, middle + 6, ch, p]) / 2
                whole += gap * gap
                if ch == 0:
                    bright += gap * gap
        # brightness is sharper than colour
        channels = 1 if bright > 2 * _ARM * 15.0 * 15.0 else 3
        total = bright if channels == 1 else whole
        centres[side], thick[side] = middle - _ROWS, 0.0
        if total < 2 * _ARM * 6.0 * 6.0:
            continue
        for i in range(13):
            k, part = middle - 6 + i, np.float32(i / 12.0)
            value = np.float32(0.0)
            for ch in range(channels):
                for p in range(2 * _ARM):
                    low, high = profiles[side, middle - 6, ch, p], profiles[side, middle + 6, ch, p]
                    ground = low + (high - low) * part
                    value += (profiles[side, k, ch, p] - ground) * (colour[ch] - (low + high) / 2)
            share[i] = value / total
        top = 5
        for i in range(6, 8):
            if share[i] > share[top]:
                top = i
        peak = share[top]
        if peak < 0.35:
            continue
        up, on = _crossing(share, top, -1, peak / 2), _crossing(share, top, 1, peak / 2)
        thick[side] = up + on
        centre = centres[side] + top - 6 + (on - up) / 2
        centres[side] = min(max(centre, np.float32(-_OFF - 0.4)), np.float32(_OFF + 0.4))


@compiled
def _crossing(values, start, step, level):  # type: ignore[no-untyped-def]
    """Steps from ``start`` to where the values fall to ``level``."""
    i = start
    while 0 <= i + step < 13 and values[i + step] > level:
        i += step
    if not 0 <= i + step < 13:
        return np.float32(abs(i - start) + 1)
    return np.float32(abs(i - start)) + (values[i] - level) / max(values[i] - values[i + step], np.float32(1e-6))


@compiled
def _median(values, n):  # type: ignore[no-untyped-def]
    """The upper median of the first ``n`` values, which are sorted."""
    for i in range(1, n):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return values[n // 2]


@compiled
def _mixture(on, ground, work):  # type: ignore[no-untyped-def]
    """``v = slope b + level`` for one channel: slope, level, the usual ``v`` and the usual misfit."""
    n = 4 * _ARM
    for i in range(n):
        work[i] = on[i]
    usual = _median(work, n)
    for i in range(n):
        work[i] = ground[i]
    centre = _median(work, n)
    slope, bound = np.float32(0.0), np.float32(1e9)
    for _ in range(2):
        # the constant draws the slope to nothing where the ground is too even to tell
        top, below, misfit = np.float32(0.0), np.float32(n * 60.0), np.float32(0.0)
        for i in range(n):
            dv, db = on[i] - usual, ground[i] - centre
            if abs(dv - slope * db) < bound:
                top += dv * db
                below += db * db
        slope = min(max(top / below, np.float32(0.0)), np.float32(0.7))
        for i in range(n):
            misfit += abs(on[i] - usual - slope * (ground[i] - centre))
        bound = np.float32(2.0) * misfit / n + 4
    for i in range(n):
        work[i] = on[i] - slope * ground[i]
    level = _median(work, n)
    for i in range(n):
        work[i] = abs(on[i] - slope * ground[i] - level)
    return slope, level, usual, _median(work, n)


@compiled
def _sample(bgr, rect, side, along, centre, half, beside):  # type: ignore[no-untyped-def]
    """The colours on the line, outside and inside of it in one place."""
    first, last = math.ceil(centre - half), math.floor(centre + half)
    y, cr, cb = _look(bgr, side, rect, along, first)
    for k in range(first + 1, last + 1):
        one = _look(bgr, side, rect, along, k)
        y, cr, cb = y + one[0], cr + one[1], cb + one[2]
    size = np.float32(1.0) / (last + 1 - first)
    near = math.floor(centre + 0.5)
    outside = _mean(_look(bgr, side, rect, along, near - beside), _look(bgr, side, rect, along, near - beside - 1))
    inside = _mean(_look(bgr, side, rect, along, near + beside), _look(bgr, side, rect, along, near + beside + 1))
    return (y * size, cr * size, cb * size), outside, inside


@compiled
def _mixed(slope, level, ground):  # type: ignore[no-untyped-def]
    return slope[0] * ground[0] + level[0], slope[1] * ground[1] + level[1], slope[2] * ground[2] + level[2]


@compiled
def _line_here(on, outside, inside, expected):  # type: ignore[no-untyped-def]
    """Logarithm of how much likelier a line of the colour ``expected`` is than bare ground."""
    unlike = _square(outside, inside)
    # bare ground is somewhere between what is on the two sides
    share = np.float32(0.0)
    if unlike > 1:
        y = (on[0] - outside[0]) * (inside[0] - outside[0])
        r = (on[1] - outside[1]) * (inside[1] - outside[1]) + (on[2] - outside[2]) * (inside[2] - outside[2])
        share = min(max((y + np.float32(_CHROMA) * r) / unlike, np.float32(0.0)), np.float32(1.0))
    ground = (
        outside[0] + share * (inside[0] - outside[0]),
        outside[1] + share * (inside[1] - outside[1]),
        outside[2] + share * (inside[2] - outside[2]),
    )
    bare = _square(on, ground) / (np.float32(49.0) + np.float32(0.06) * unlike)
    sharp = np.float32(36.0) + np.float32(0.01) * unlike
    line = _square(on, expected) / sharp
    # by chance, ground that changes here is rarely of just the line's colour
    chance = (np.float32(36.0) + np.float32(0.14) * unlike) / sharp
    ratio = np.float32(math.log((1 + bare) / (1 + line)) + 0.5 * math.log(chance))
    return min(max(ratio, -np.float32(_MOST)), np.float32(_MOST))


class _Work(NamedTuple):
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
def _memory():  # type: ignore[no-untyped-def]
    return _Work(
        np.zeros((4, 2 * _ROWS + 1, 3, 2 * _ARM), np.float32),
        np.zeros(4, np.int64),
        np.zeros(4, np.float32),
        np.zeros(4, np.float32),
        np.zeros(3, np.float32),
        np.zeros(8 * _ARM, np.float32),
        np.zeros((3, 4 * _ARM), np.float32),
        np.zeros((3, 4 * _ARM), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((4, 2, _ALONG), np.float32),
        np.zeros(4, np.float32),
        np.zeros(4, np.float32),
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
    )


class _Frame(NamedTuple):
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
def measure(bgr, rects, colours, offsets, scale):  # type: ignore[no-untyped-def]
    """Features and geometry (N x :data:`FEATURES`, N x :data:`COLUMNS`, float32) of rectangles.

    ``bgr``: H x W x 3 uint8; ``rects``: N x 4 int32, left, top, right, bottom on the lines, a few pixels off at
    most; ``colours``: N x 3 float32, the lines' supposed colours, BGR; ``offsets``: N int32, how far from the corners
    the straight lines begin, pixels, 0 for sharp corners; ``scale``: the frame's height over 1080.
    """
    n = len(rects)
    features = np.zeros((n, _FEATURES), np.float32)
    geometry = np.zeros((n, COLUMNS), np.float32)
    scale = min(np.float32(scale), np.float32(1.0))
    work = _memory()
    for index in range(n):
        rect = (rects[index, 0], rects[index, 1], rects[index, 2], rects[index, 3])
        _measure_one(bgr, rect, colours[index], offsets[index], scale, work, features[index], geometry[index])
    return features, geometry


@compiled
def _measure_one(bgr, rect, colour, offset, scale, work, features, shape):  # type: ignore[no-untyped-def]
    start = np.float32(0.0) if offset == 0 else np.float32(offset + 2)
    lines, line = _find_lines(bgr, rect, colour, start, scale, work)
    shape[LINES] = lines
    if lines < 3:
        return
    frame = _placed(rect, work.centres, line)
    uneven, contrast, ground = _mixtures(frame, work)
    corner_line = _in_corners(bgr, rect, frame, work)
    radius = np.float32(0.0)
    if offset > 0 or (corner_line < _BLUNT and lines == 4):
        radius, arc = _find_radius(bgr, frame, offset, scale, work)
        if arc < corner_line + _ROUNDER:
            radius = np.float32(0.0)
            corner_line = _in_corners(bgr, rect, frame, work)
        else:
            if offset == 0:
                lines, line = _find_lines(bgr, rect, colour, radius * np.float32(0.9), scale, work)
                shape[LINES] = lines
                if lines < 3:
                    return
                frame = _placed(rect, work.centres, line)
                uneven, contrast, ground = _mixtures(frame, work)
            corner_line = _on_arcs(bgr, frame, radius, work)
    behind = _behind(line, radius)
    filled = _along(bgr, rect, frame, behind, work)
    extended, run_on, run_on_most = _beyond(bgr, rect, frame, work)
    closed = _closed(work)
    _compare(closed, work, features)
    features[6], features[7] = corner_line, work.corner_lines[0]
    features[8], features[9] = run_on, run_on_most
    features[10] = uneven / (contrast + 10)
    features[11] = contrast
    width, height = frame.right - frame.left + line, frame.bottom - frame.top + line
    features[12] = line / min(width, height)
    counts, arms = work.counts, work.arms
    features[13] = 0.0 if closed else abs(arms[0] / counts[0] - arms[1] / counts[1])
    shape[LEFT], shape[TOP], shape[RIGHT], shape[BOTTOM] = frame.left, frame.top, frame.right, frame.bottom
    shape[LINE], shape[GROUND] = line, ground
    shape[EXTENDED], shape[FILLED], shape[CLOSED], shape[RADIUS] = extended, filled, closed, radius
    for way in range(2):
        length = frame.right - frame.left if way == 0 else frame.bottom - frame.top
        shape[ACROSS + way] = behind + (length / 2 - behind) * arms[way] / counts[way]
        for ch in range(3):
            shape[COLOURS + 3 * way + ch] = work.usual[way, ch]
            shape[SLOPES + 3 * way + ch], shape[LEVELS + 3 * way + ch] = work.slopes[way, ch], work.levels[way, ch]


@compiled
def _find_lines(bgr, rect, colour, start, scale, work):  # type: ignore[no-untyped-def]
    """Places the four lines; returns how many stand out and their usual thickness."""
    work.colour[0], work.colour[1], work.colour[2] = _ycc(colour[0], colour[1], colour[2])
    _profiles(bgr, rect, start, scale, work.profiles)
    _middles(work.profiles, work.colour, work.values, work.middles)
    for ch in range(3):
        for side in range(4):
            for p in range(2 * _ARM):
                work.values[side * 2 * _ARM + p] = work.profiles[side, work.middles[side], ch, p]
        work.colour[ch] = _median(work.values, 8 * _ARM)
    _thickness(work.profiles, work.colour, work.values, work.middles, work.centres, work.thick)
    lines = 0
    for side in range(4):
        if work.thick[side] > 0:
            work.values[lines] = work.thick[side]
            lines += 1
    if lines == 0:
        return lines, np.float32(0.0)
    _median(work.values, lines)
    return lines, (work.values[(lines - 1) // 2] + work.values[lines // 2]) / 2


@compiled
def _placed(rect, centres, line):  # type: ignore[no-untyped-def]
    return _Frame(
        rect[0] + centres[2],
        rect[1] + centres[0],
        rect[2] - centres[3],
        rect[3] - centres[1],
        line,
        max(np.float32(0.5), line / 2 - np.float32(0.75)),
        min(max(int(line / 2 + 3.2), 4), 6),
    )


@compiled
def _behind(line, radius):  # type: ignore[no-untyped-def]
    """Pixels from a corner to where its sides are straight and their ground is free of the other line."""
    return max(math.ceil(line / 2 + 1.5), math.ceil(radius * np.float32(_TANGENT)))


@compiled
def _mixtures(frame, work):  # type: ignore[no-untyped-def]
    """Fits the mixture of either way, as colour is spread sideways more than up and down.

    Returns how uneven the lines are, by how much they stand out, and how bright the ground is.
    """
    uneven, contrast, ground = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    profiles, beside = work.profiles, frame.aside
    for way in range(2):
        for s in range(2):
            side = 2 * way + s
            middle = work.centres[side] + _ROWS
            first, last = math.ceil(middle - frame.half), math.floor(middle + frame.half)
            near = math.floor(middle + 0.5)
            for p in range(2 * _ARM):
                i = s * 2 * _ARM + p
                stands, other = np.float32(0.0), np.float32(0.0)
                for ch in range(3):
                    value = np.float32(0.0)
                    for k in range(first, last + 1):
                        value += profiles[side, k, ch, p]
                    value /= last + 1 - first
                    low = (profiles[side, near - beside, ch, p] + profiles[side, near - beside - 1, ch, p]) / 2
                    high = (profiles[side, near + beside, ch, p] + profiles[side, near + beside + 1, ch, p]) / 2
                    work.on[ch, i], work.beside[ch, i] = value, (low + high) / 2
                    weight = np.float32(1.0) if ch == 0 else np.float32(_CHROMA)
                    stands += weight * (value - low) ** 2
                    other += weight * (value - high) ** 2
                contrast += math.sqrt(min(stands, other))
                ground += work.beside[0, i]
        for ch in range(3):
            fitted = _mixture(work.on[ch], work.beside[ch], work.values)
            work.slopes[way, ch], work.levels[way, ch], work.usual[way, ch] = fitted[0], fitted[1], fitted[2]
            uneven += fitted[3] * (np.float32(1.0) if ch == 0 else np.float32(0.5))
    return uneven, contrast / (8 * _ARM), ground / (8 * _ARM)


@compiled
def _of_way(values, way):  # type: ignore[no-untyped-def]
    return values[way, 0], values[way, 1], values[way, 2]


@compiled
def _along(bgr, rect, frame, behind, work):  # type: ignore[no-untyped-def]
    """Likelihood ratios along the sides; returns the share of the ground inside that is of the lines' colour."""
    filled, places = 0, 0
    for side in range(4):
        way = side // 2
        low, high = (frame.left, frame.right) if way == 0 else (frame.top, frame.bottom)
        slope, level = _of_way(work.slopes, way), _of_way(work.levels, way)
        reach = (high - low) / 2 - behind
        count = min(max(int(reach), 2), _ALONG)
        work.counts[way] = count
        for end in range(2):
            for j in range(count):
                step = behind + (reach * (j + 0.5)) / count
                along = math.floor((high - step if end else low + step) + 0.5)
                on, outside, inside = _sample(bgr, rect, side, along, work.centres[side], frame.half, frame.aside)
                expected = _mixed(slope, level, _mean(outside, inside))
                work.ratios[side, end, j] = _line_here(on, outside, inside, expected)
                filled += _square(inside, expected) < 144.0
                places += 1
    return filled / places


@compiled
def _beyond(bgr, rect, frame, work):  # type: ignore[no-untyped-def]
    """How many of eight lines run on beyond their corners; by how much all, and the most one does."""
    extended, run_on, run_on_most = 0, np.float32(0.0), np.float32(0.0)
    for side in range(4):
        way = side // 2
        low, high = (frame.left, frame.right) if way == 0 else (frame.top, frame.bottom)
        slope, level = _of_way(work.slopes, way), _of_way(work.levels, way)
        for end in range(2):
            total = np.float32(0.0)
            for j in range(_BEYOND):
                step = frame.line / 2 + 2 + j
                along = math.floor((high + step if end else low - step) + 0.5)
                on, outside, inside = _sample(bgr, rect, side, along, work.centres[side], frame.half, frame.aside)
                expected = _mixed(slope, level, _mean(outside, inside))
                total += _line_here(on, outside, inside, expected)
            total /= _BEYOND
            extended += 1 if total > 0.8 else 0
            total = max(total - np.float32(0.2), np.float32(0.0))
            run_on += total
            run_on_most = max(run_on_most, total)
    return extended, run_on, run_on_most


@compiled
def _in_corners(bgr, rect, frame, work):  # type: ignore[no-untyped-def]
    """Whether the lines' colour reaches right into sharp corners: their mean; sorts ``work.corner_lines``."""
    mean = np.float32(0.0)
    for corner in range(4):
        work.corner_lines[corner] = 0.0
    reach = max(frame.line / 2 - np.float32(0.75), np.float32(0.0))
    blocks = int(2 * reach) + 1
    for side in range(4):
        way, s = side // 2, side % 2
        low, high = (frame.left, frame.right) if way == 0 else (frame.top, frame.bottom)
        slope, level = _of_way(work.slopes, way), _of_way(work.levels, way)
        for end in range(2):
            ratio = np.float32(0.0)
            for j in range(blocks):
                place = np.float32(j) - (blocks - 1) / 2
                along = math.floor((high + place if end else low + place) + 0.5)
                on, outside, _ = _sample(bgr, rect, side, along, work.centres[side], frame.half, frame.aside)
                ratio += _line_here(on, outside, outside, _mixed(slope, level, outside))
            work.corner_lines[2 * s + end if way == 0 else 2 * end + s] += ratio / (2 * blocks)
            mean += ratio / (8 * blocks)
    _median(work.corner_lines, 4)
    return mean


@compiled
def _find_radius(bgr, frame, offset, scale, work):  # type: ignore[no-untyped-def]
    """The radius at which arcs of the lines' colour are seen best in the corners, and how well.

    Lines seem straight up to ``offset``, where an arc has left them by about their thickness.
    """
    most = np.float32(_ROUNDEST) * min(frame.right - frame.left, frame.bottom - frame.top)
    low = np.float32(max(offset, 2.0 * scale))
    high = np.float32(offset + 5 + 2.8 * math.sqrt(offset)) if offset > 0 else np.float32(11.0 * scale)
    high = max(min(high, most), low)
    best, radius = np.float32(-1e9), low
    for i in range(_RADII):
        tried = low * (high / low) ** (np.float32(i) / np.float32(_RADII - 1))
        seen = _on_arcs(bgr, frame, tried, work)
        if seen > best:
            best, radius = seen, tried
    return radius, best


@compiled
def _on_arcs(bgr, frame, radius, work):  # type: ignore[no-untyped-def]
    """Whether arcs of the lines' colour join the sides: their mean; sorts ``work.corner_lines``."""
    mean = np.float32(0.0)
    slope = _mean(_of_way(work.slopes, 0), _of_way(work.slopes, 1))
    level = _mean(_of_way(work.levels, 0), _of_way(work.levels, 1))
    spread = frame.half / 2
    for corner in range(4):
        x = frame.right - radius if corner & 1 else frame.left + radius
        y = frame.bottom - radius if corner & 2 else frame.top + radius
        total = np.float32(0.0)
        for i in range(3):
            angle = math.pi / 8 * (i + 1)
            ux, uy = math.cos(angle), math.sin(angle)
            ux, uy = ux if corner & 1 else -ux, uy if corner & 2 else -uy
            on = _mean(
                _between(bgr, x + ux * (radius - spread), y + uy * (radius - spread)),
                _between(bgr, x + ux * (radius + spread), y + uy * (radius + spread)),
            )
            far = radius + frame.aside + np.float32(0.5)
            outside = _between(bgr, x + ux * far, y + uy * far)
            near = radius - frame.aside - np.float32(0.5)
            inside = _between(bgr, x + ux * near, y + uy * near)
            total += _line_here(on, outside, inside, _mixed(slope, level, _mean(outside, inside)))
        work.corner_lines[corner] = total / 3
        mean += total / 12
    _median(work.corner_lines, 4)
    return mean


@compiled
def _closed(work):  # type: ignore[no-untyped-def]
    """Whether the outline is closed all round, or arms at the corners with nothing between them; sets ``work.arms``."""
    counts, ratios = work.counts, work.ratios
    closed_odds, bracket_odds = np.float32(0.0), np.float32(0.0)
    for way in range(2):
        count = counts[way]
        total = np.float32(0.0)
        for j in range(count):
            for s in range(2):
                total += ratios[2 * way + s, 0, j] + ratios[2 * way + s, 1, j]
        closed_odds += total
        gained, best, at = np.float32(0.0), np.float32(-1e9), count
        for j in range(count):
            for s in range(2):
                gained += ratios[2 * way + s, 0, j] + ratios[2 * way + s, 1, j]
            if j >= 1 and 2 * gained - total > best:
                best, at = 2 * gained - total, j + 1
        bracket_odds += best
        work.arms[way] = at
    closed = closed_odds >= bracket_odds - 2.0
    if closed:
        work.arms[0], work.arms[1] = counts[0], counts[1]
    return closed


@compiled
def _compare(closed, work, features):  # type: ignore[no-untyped-def]
    """What is seen along the sides, compared with an outline that is closed or has ``work.arms``: six features."""
    signed, absolute, seen, drawn, strength = np.float32(0.0), np.float32(0.0), 0, 0, np.float32(0.0)
    bare, gaps = np.float32(0.0), 0
    corners, arms = work.corners, work.arms
    for corner in range(4):
        corners[corner] = 0.0
    for side in range(4):
        way, s = side // 2, side % 2
        own = np.float32(0.0)
        for end in range(2):
            total = np.float32(0.0)
            for j in range(work.counts[way]):
                ratio = work.ratios[side, end, j]
                absolute += abs(ratio)
                if j < arms[way]:
                    own += ratio
                    strength += ratio
                    drawn += 1
                    seen += ratio > 0.5
                    total += ratio
                else:
                    own -= ratio
                    bare -= ratio
                    gaps += 1
            corners[2 * s + end if way == 0 else 2 * end + s] += total / (2 * arms[way])
        signed += own
    _median(corners, 4)
    features[0] = signed / (absolute + 4)
    features[1], features[2] = corners[0], corners[1]
    features[3] = strength / drawn
    features[4] = seen / drawn
    features[5] = bare / gaps if gaps else 0.0


@compiled
def divided(bgr, shape):  # type: ignore[no-untyped-def]
    """Whether a line like the sides runs from one side to the other and ends at one of them, as in a grid.

    ``shape``: a row of :func:`measure`'s second result.
    """
    rect = (
        math.floor(shape[LEFT] + 0.5),
        math.floor(shape[TOP] + 0.5),
        math.floor(shape[RIGHT] + 0.5),
        math.floor(shape[BOTTOM] + 0.5),
    )
    line = shape[LINE]
    margin = int(line / 2 + 3.0)
    beside = int(line / 2 + 2.5)
    for way in range(2):
        # lines across the sides of this way are seen from its first side
        low, high = (rect[0], rect[2]) if way == 0 else (rect[1], rect[3])
        depth = rect[3] - rect[1] if way == 0 else rect[2] - rect[0]
        other = 1 - way
        colour = (
            shape[COLOURS + 3 * other],
            shape[COLOURS + 3 * other + 1],
            shape[COLOURS + 3 * other + 2],
        )
        for along in range(low + margin + beside + 2, high - margin - beside - 1):
            seen = 0
            for i in range(_PROBES):
                # from the ends inwards, where a line that is no part of a grid is missing
                place = i // 2 if i % 2 == 0 else _PROBES - 1 - i // 2
                across = int(margin + (depth - 2 * margin) * place / (_PROBES - 1))
                own, stands = _stands(bgr, 2 * way, rect, along, across, beside, colour)
                if stands < 64.0:
                    # perhaps on a line that crosses here
                    across += margin if i % 2 == 0 else -margin
                    own, stands = _stands(bgr, 2 * way, rect, along, across, beside, colour)
                seen += own < 1600.0 and stands > max(np.float32(64.0), 2 * own)
                if seen < (i + 1 if i < 2 else i):
                    break
            if seen < _PROBES - 1:
                continue
            for across in (-margin - 1, depth + margin + 1):
                if _stands(bgr, 2 * way, rect, along, across, beside, colour)[1] < 36.0:
                    return True
    return False


@compiled
def _stands(bgr, side, rect, along, across, beside, colour):  # type: ignore[no-untyped-def]
    """Squared distances of a pixel from the colour, and from those on both sides of it along the side."""
    on = _look(bgr, side, rect, along, across)
    before, after = _look(bgr, side, rect, along - beside, across), _look(bgr, side, rect, along + beside, across)
    return _square(on, colour), min(_square(on, before), _square(on, after))


@compiled
def bulging(bgr, shape):  # type: ignore[no-untyped-def]
    """Whether lines go on beside the gaps between rounded brackets, as in an O: on two sides or more.

    ``shape``: a row of :func:`measure`'s second result.
    """
    rect = (
        math.floor(shape[LEFT] + 0.5),
        math.floor(shape[TOP] + 0.5),
        math.floor(shape[RIGHT] + 0.5),
        math.floor(shape[BOTTOM] + 0.5),
    )
    beside = int(shape[LINE] / 2 + 2.5)
    sides = 0
    for side in range(4):
        way = side // 2
        low, high = (rect[0], rect[2]) if way == 0 else (rect[1], rect[3])
        colour = (shape[COLOURS + 3 * way], shape[COLOURS + 3 * way + 1], shape[COLOURS + 3 * way + 2])
        reach = shape[ACROSS + way]
        step = (high - low - 2 * reach) / (_GAPS + 1)
        seen = 0
        for i in range(_GAPS):
            along = math.floor(low + reach + step * (i + 1) + 0.5)
            for off in range(2, _BULGE + 1):
                found = False
                for across in (-off, off):
                    on = _look(bgr, side, rect, along, across)
                    own = _square(on, colour)
                    before = _square(on, _look(bgr, side, rect, along, across - beside))
                    after = _square(on, _look(bgr, side, rect, along, across + beside))
                    found = found or (own < 1600.0 and min(before, after) > max(np.float32(400.0), 2 * own))
                if found:
                    seen += 1
                    break
        sides += seen >= _GAPS - 2
    return sides >= 2


STROKES = 11, 7, 2
"""How many widths, blurs and dark edges of lines are tried."""
_BESIDE = 4
"""Pixels on either side of a line's middle over which its profile is fitted."""


@compiled
def strokes(scale):  # type: ignore[no-untyped-def]
    """How much of each pixel across is a line's and how much is the ground's, for lines of other widths and blurs,
    without and with dark edges, and their places within the pixel.

    :data:`STROKES` x 9 places (-1/2 to 1/2) x pixels across x 2; and the widths.
    """
    shares = np.zeros((*STROKES, 9, 2 * _BESIDE + 1, 2), np.float32)
    widths = np.zeros(STROKES[0], np.float32)
    for i in range(STROKES[0]):
        width = (2.0 + 0.5 * i) * scale
        widths[i] = width
        for j in range(STROKES[1]):
            blur = 0.1 + 0.15 * j
            for edge in range(STROKES[2]):
                for place in range(9):
                    for k in range(2 * _BESIDE + 1):
                        at = k - _BESIDE - (place / 8.0 - 0.5)
                        line = _covered(at, width / 2, blur)
                        shares[i, j, edge, place, k, 0] = line
                        shares[i, j, edge, place, k, 1] = (1 - line) * (
                            1 - 0.5 * edge * _covered(at, width / 2 + 1, blur)
                        )
    return shares, widths


@compiled
def _covered(at, reach, blur):  # type: ignore[no-untyped-def]
    """How much of the pixel ``at`` is covered by what goes to ``reach`` on either side of 0."""
    return (
        _ramp(at + 0.5 + reach, blur)
        - _ramp(at - 0.5 + reach, blur)
        - _ramp(at + 0.5 - reach, blur)
        + _ramp(at - 0.5 - reach, blur)
    )


@compiled
def _ramp(x, blur):  # type: ignore[no-untyped-def]
    """The integral of a step blurred by a Gaussian."""
    return x / 2 * (1 + math.erf(x / blur / math.sqrt(2.0))) + blur * math.exp(-((x / blur) ** 2) / 2) / math.sqrt(
        2 * math.pi
    )


@compiled
def fit_strokes(bgr, shapes, shares):  # type: ignore[no-untyped-def]
    """What was drawn, for each stroke: brightness and misfit (N x :data:`STROKES` each), and the sum of colour (N x 4).

    ``v = rest b + share c`` for all pixels across all places where a line is seen gives ``c`` for a stroke; the
    misfit is the mean squared one. The sums across the line, of Cr and of Cb less the ground's, are the line's width
    times its colour's distance from the ground however colour is smeared; the ground's mean Cr and Cb follow them.
    """
    n = len(shapes)
    bright = np.zeros((n, *STROKES), np.float32)
    misfit = np.zeros((n, *STROKES), np.float32)
    sums = np.zeros((n, 4), np.float32)
    rows = 2 * _BESIDE + 1
    moments = np.zeros((4, rows, 6), np.float64)
    steps = np.zeros(4, np.int64)
    for index in range(n):
        shape = shapes[index]
        left, top, right, bottom, line = shape[LEFT], shape[TOP], shape[RIGHT], shape[BOTTOM], shape[LINE]
        rect = (
            math.floor(left + 0.5),
            math.floor(top + 0.5),
            math.floor(right + 0.5),
            math.floor(bottom + 0.5),
        )
        offsets = (top - rect[1], rect[3] - bottom, left - rect[0], rect[2] - right)
        half = max(np.float32(0.5), line / 2 - np.float32(0.75))
        beside = min(max(int(line / 2 + 3.2), 4), 6)
        behind = _behind(line, shape[RADIUS])
        moments[:] = 0.0
        places = 0
        for side in range(4):
            way = side // 2
            low, high = (left, right) if way == 0 else (top, bottom)
            a, b = SLOPES + 3 * way, LEVELS + 3 * way
            slope, level = (shape[a], shape[a + 1], shape[a + 2]), (shape[b], shape[b + 1], shape[b + 2])
            reach = shape[ACROSS + way] - behind
            count = min(max(int(reach), 2), _ALONG)
            for end in range(2):
                for j in range(count):
                    step = behind + reach * (j + 0.5) / count
                    along = math.floor((high - step if end else low + step) + 0.5)
                    on, outside, inside = _sample(bgr, rect, side, along, offsets[side], half, beside)
                    ground = _mean(outside, inside)
                    if _line_here(on, outside, inside, _mixed(slope, level, ground)) < 0.5:
                        continue
                    places += 1
                    sums[index, 2] += ground[1]
                    sums[index, 3] += ground[2]
                    for k in range(rows):
                        v = _look(bgr, side, rect, along, k - _BESIDE)
                        m = moments[side, k]
                        m[0] += 1
                        m[1] += v[0]
                        m[2] += v[0] * v[0]
                        m[3] += ground[0]
                        m[4] += ground[0] * ground[0]
                        m[5] += v[0] * ground[0]
                        sums[index, 0] += v[1] - ground[1]
                        sums[index, 1] += v[2] - ground[2]
        for ch in range(4):
            sums[index, ch] /= max(places, 1)
        for side in range(4):
            steps[side] = min(max(round((offsets[side] + 0.5) * 8), 0), 8)
        for i in range(STROKES[0]):
            for j in range(STROKES[1]):
                for edge in range(STROKES[2]):
                    square, mixed, weight = 0.0, 0.0, 1e-6
                    for side in range(4):
                        for k in range(rows):
                            share = shares[i, j, edge, steps[side], k, 0]
                            rest = shares[i, j, edge, steps[side], k, 1]
                            m = moments[side, k]
                            square += m[2] - 2 * rest * m[5] + rest * rest * m[4]
                            mixed += share * (m[1] - rest * m[3])
                            weight += share * share * m[0]
                    c = min(max(mixed / weight, 0.0), 255.0)
                    bright[index, i, j, edge] = c
                    misfit[index, i, j, edge] = (square - 2 * c * mixed + c * c * weight) / max(places * rows, 1)
    return bright, misfit, sums
