"""Colours of pixels: Y, and Cr and Cb around 0; on a line, beside it, and what they say for a line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
Rect = tuple[int, int, int, int]
"""Left, top, right, bottom on the middles of the lines."""
Colour = tuple[Any, Any, Any]
"""Y, Cr and Cb, float32."""

CHROMA = 0.7
"""What a squared difference in colour counts against one in brightness."""
_MOST = 2.5
"""Greatest logarithm of a likelihood ratio at one place."""


@compiled
def colour_at(bgr: U8, side: int, rect: Rect, along: Any, across: Any) -> Colour:
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
    return ycc(np.float32(bgr[y, x, 0]), np.float32(bgr[y, x, 1]), np.float32(bgr[y, x, 2]))


@compiled
def ycc(b: Any, g: Any, r: Any) -> Colour:
    luma = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b
    return luma, (r - luma) * np.float32(0.713), (b - luma) * np.float32(0.564)


@compiled
def colour_between(bgr: U8, x: Any, y: Any) -> Colour:
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
    return ycc(np.float32(b), np.float32(g), np.float32(r))


@compiled
def square(one: Colour, other: Colour) -> Any:
    """Squared distance between two colours."""
    y, r, c = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return y * y + np.float32(CHROMA) * (r * r + c * c)


@compiled
def mean(one: Colour, other: Colour) -> Colour:
    half = np.float32(0.5)
    return (one[0] + other[0]) * half, (one[1] + other[1]) * half, (one[2] + other[2]) * half


@compiled
def of_way(values: F32, way: int) -> Colour:
    return values[way, 0], values[way, 1], values[way, 2]


@compiled
def median(values: F32, n: int) -> Any:
    """The upper median of the first ``n`` values, which are sorted."""
    for i in range(1, n):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return values[n // 2]


@compiled
def sample(
    bgr: U8, rect: Rect, side: int, along: Any, centre: Any, half: Any, beside: int
) -> tuple[Colour, Colour, Colour]:
    """The colours on the line, outside and inside of it in one place."""
    first, last = math.ceil(centre - half), math.floor(centre + half)
    y, cr, cb = colour_at(bgr, side, rect, along, first)
    for k in range(first + 1, last + 1):
        one = colour_at(bgr, side, rect, along, k)
        y, cr, cb = y + one[0], cr + one[1], cb + one[2]
    size = np.float32(1.0) / (last + 1 - first)
    near = math.floor(centre + 0.5)
    outside = mean(
        colour_at(bgr, side, rect, along, near - beside), colour_at(bgr, side, rect, along, near - beside - 1)
    )
    inside = mean(
        colour_at(bgr, side, rect, along, near + beside), colour_at(bgr, side, rect, along, near + beside + 1)
    )
    return (y * size, cr * size, cb * size), outside, inside


@compiled
def mixed(slope: Colour, level: Colour, ground: Colour) -> Colour:
    return slope[0] * ground[0] + level[0], slope[1] * ground[1] + level[1], slope[2] * ground[2] + level[2]


@compiled
def line_here(on: Colour, outside: Colour, inside: Colour, expected: Colour) -> Any:
    """Logarithm of how much likelier a line of the colour ``expected`` is than bare ground."""
    unlike = square(outside, inside)
    # bare ground is somewhere between what is on the two sides
    share = np.float32(0.0)
    if unlike > 1:
        y = (on[0] - outside[0]) * (inside[0] - outside[0])
        r = (on[1] - outside[1]) * (inside[1] - outside[1]) + (on[2] - outside[2]) * (inside[2] - outside[2])
        share = min(max((y + np.float32(CHROMA) * r) / unlike, np.float32(0.0)), np.float32(1.0))
    ground = (
        outside[0] + share * (inside[0] - outside[0]),
        outside[1] + share * (inside[1] - outside[1]),
        outside[2] + share * (inside[2] - outside[2]),
    )
    bare = square(on, ground) / (np.float32(49.0) + np.float32(0.06) * unlike)
    sharp = np.float32(36.0) + np.float32(0.01) * unlike
    line = square(on, expected) / sharp
    # by chance, ground that changes here is rarely of just the line's colour
    chance = (np.float32(36.0) + np.float32(0.14) * unlike) / sharp
    ratio = np.float32(math.log((1 + bare) / (1 + line)) + 0.5 * math.log(chance))
    return min(max(ratio, -np.float32(_MOST)), np.float32(_MOST))
