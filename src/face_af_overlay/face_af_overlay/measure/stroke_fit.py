"""What was drawn: the width, blur, dark edge and colour of a box's lines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiled import compiled
from .columns import ACROSS, BOTTOM, LEFT, LEVELS, LINE, RADIUS, RIGHT, SLOPES, TOP
from .pixels import F32, I64, U8, colour_at, line_here, mean, mixed, sample
from .work import ALONG, behind_corner, half_seen, nearest_pixels, to_ground

STROKES = 11, 7, 2
"""How many widths, blurs and dark edges of lines are tried."""
_BESIDE = 4
"""Pixels on either side of a line's middle over which its profile is fitted."""


@compiled
def strokes(scale: float) -> tuple[F32, F32]:
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
def _covered(at: Any, reach: Any, blur: Any) -> Any:
    """How much of the pixel ``at`` is covered by what goes to ``reach`` on either side of 0."""
    return (
        _ramp(at + 0.5 + reach, blur)
        - _ramp(at - 0.5 + reach, blur)
        - _ramp(at + 0.5 - reach, blur)
        + _ramp(at - 0.5 - reach, blur)
    )


@compiled
def _ramp(x: Any, blur: Any) -> Any:
    """The integral of a step blurred by a Gaussian."""
    return x / 2 * (1 + math.erf(x / blur / math.sqrt(2.0))) + blur * math.exp(-((x / blur) ** 2) / 2) / math.sqrt(
        2 * math.pi
    )


@compiled
def fit_strokes(bgr: U8, shapes: F32, shares: F32) -> tuple[F32, F32, F32]:
    """What was drawn, for each stroke: brightness and misfit (N x :data:`STROKES` each), and the sum of colour (N x 4).

    ``v = rest b + share c`` for all pixels across all places where a line is seen gives ``c`` for a stroke; the
    misfit is the mean squared one. The sums across the line, of Cr and of Cb less the ground's, are the line's width
    times its colour's distance from the ground however colour is smeared; the ground's mean Cr and Cb follow them.
    """
    n = len(shapes)
    bright = np.zeros((n, *STROKES), np.float32)
    misfit = np.zeros((n, *STROKES), np.float32)
    sums = np.zeros((n, 4), np.float32)
    moments = np.zeros((4, 2 * _BESIDE + 1, 6), np.float64)
    steps = np.zeros(4, np.int64)
    for index in range(n):
        moments[:] = 0.0
        places = _collect(bgr, shapes[index], moments, steps, sums[index])
        for i in range(STROKES[0]):
            for j in range(STROKES[1]):
                for edge in range(STROKES[2]):
                    fitted = _fit(moments, steps, shares[i, j, edge], places)
                    bright[index, i, j, edge], misfit[index, i, j, edge] = fitted
    return bright, misfit, sums


@compiled
def _collect(bgr: U8, shape: F32, moments: Any, steps: I64, sums: F32) -> int:
    """Sums over the places where a line is seen: their number.

    ``moments``: for each side and pixel across the number, v, v squared, b, b squared and v b; ``steps``: where in its
    pixel each side's line lies, eighths; ``sums``: see :func:`fit_strokes`.
    """
    left, top, right, bottom, line = shape[LEFT], shape[TOP], shape[RIGHT], shape[BOTTOM], shape[LINE]
    rect = nearest_pixels(shape)
    offsets = (top - rect[1], rect[3] - bottom, left - rect[0], rect[2] - right)
    half, beside, behind = half_seen(line), to_ground(line), behind_corner(line, shape[RADIUS])
    places = 0
    for side in range(4):
        steps[side] = min(max(round((offsets[side] + 0.5) * 8), 0), 8)
        way = side // 2
        low, high = (left, right) if way == 0 else (top, bottom)
        a, b = SLOPES + 3 * way, LEVELS + 3 * way
        slope, level = (shape[a], shape[a + 1], shape[a + 2]), (shape[b], shape[b + 1], shape[b + 2])
        reach = shape[ACROSS + way] - behind
        count = min(max(int(reach), 2), ALONG)
        for end in range(2):
            for j in range(count):
                step = behind + reach * (j + 0.5) / count
                along = math.floor((high - step if end else low + step) + 0.5)
                on, outside, inside = sample(bgr, rect, side, along, offsets[side], half, beside)
                ground = mean(outside, inside)
                if line_here(on, outside, inside, mixed(slope, level, ground)) < 0.5:
                    continue
                places += 1
                sums[2] += ground[1]
                sums[3] += ground[2]
                for k in range(2 * _BESIDE + 1):
                    v = colour_at(bgr, side, rect, along, k - _BESIDE)
                    m = moments[side, k]
                    m[0] += 1
                    m[1] += v[0]
                    m[2] += v[0] * v[0]
                    m[3] += ground[0]
                    m[4] += ground[0] * ground[0]
                    m[5] += v[0] * ground[0]
                    sums[0] += v[1] - ground[1]
                    sums[1] += v[2] - ground[2]
    for ch in range(4):
        sums[ch] /= max(places, 1)
    return places


@compiled
def _fit(moments: Any, steps: I64, shares: F32, places: int) -> tuple[Any, Any]:
    """The brightness of one stroke that fits best, and the misfit; ``shares``: 9 places x pixels across x 2."""
    square, product, weight = 0.0, 0.0, 1e-6
    rows = 2 * _BESIDE + 1
    for side in range(4):
        for k in range(rows):
            share, rest = shares[steps[side], k, 0], shares[steps[side], k, 1]
            m = moments[side, k]
            square += m[2] - 2 * rest * m[5] + rest * rest * m[4]
            product += share * (m[1] - rest * m[3])
            weight += share * share * m[0]
    c = min(max(product / weight, 0.0), 255.0)
    return c, (square - 2 * c * product + c * c * weight) / max(places * rows, 1)
