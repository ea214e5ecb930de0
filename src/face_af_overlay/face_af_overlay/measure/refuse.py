"""Shapes that are no AF boxes although their lines are: parts of grids, and letters such as O."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiled import compiled
from .columns import ACROSS, BOTTOM, COLOURS, LEFT, LINE, RADIUS, RIGHT, TOP
from .pixels import F32, U8, Colour, Rect, colour_at, colour_between, mean, square
from .work import nearest_pixels

_GAPS, _BULGE = 7, 8
"""Places looked at in a gap between brackets, and pixels from it up to which a line is looked for."""
_ALONG, _FARTHEST = 6, 3000.0
"""Places on a quarter of an outline, and the squared distance from a line's colour above which all colours are equally
unlike it."""
_SURELY, _BOTH_FIT = 0.85, 1.0
"""The share of an arc's squared distance that an ellipse's must stay below, by a distance that tells nothing."""
_PROBES = 9
"""Places between two sides where a line that divides the rectangle must be seen, all but one."""


@compiled
def divided(bgr: U8, shape: F32) -> bool:
    """Whether a line like the sides runs from one side to the other and ends at one of them, as in a grid.

    ``shape``: a row of :func:`measure`'s second result.
    """
    rect = nearest_pixels(shape)
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
def _stands(bgr: U8, side: int, rect: Rect, along: Any, across: Any, beside: int, colour: Colour) -> tuple[Any, Any]:
    """Squared distances of a pixel from the colour, and from those on both sides of it along the side."""
    on = colour_at(bgr, side, rect, along, across)
    before, after = (
        colour_at(bgr, side, rect, along - beside, across),
        colour_at(bgr, side, rect, along + beside, across),
    )
    return square(on, colour), min(square(on, before), square(on, after))


@compiled
def bulging(bgr: U8, shape: F32) -> bool:
    """Whether lines go on beside the gaps between rounded brackets, as in an O: on two sides or more.

    ``shape``: a row of :func:`measure`'s second result.
    """
    rect = nearest_pixels(shape)
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
                    on = colour_at(bgr, side, rect, along, across)
                    own = square(on, colour)
                    before = square(on, colour_at(bgr, side, rect, along, across - beside))
                    after = square(on, colour_at(bgr, side, rect, along, across + beside))
                    found = found or (own < 1600.0 and min(before, after) > max(np.float32(400.0), 2 * own))
                if found:
                    seen += 1
                    break
        sides += seen >= _GAPS - 2
    return sides >= 2


@compiled
def circular(bgr: U8, shape: F32) -> bool:
    """Whether a closed line with rounded corners is an ellipse, as an O is, rather than straight between them.

    ``shape``: a row of :func:`measure`'s second result.
    """
    half_width, half_height = (shape[RIGHT] - shape[LEFT]) / 2, (shape[BOTTOM] - shape[TOP]) / 2
    roundest = min(half_width, half_height) / 2
    ellipse, arcs = np.float32(_FARTHEST), np.float32(_FARTHEST)
    for step in range(3):
        # what seems to be a side of an O is a little inside of it
        outside = step * shape[LINE] / 8
        ellipse = min(ellipse, _unlike(bgr, shape, half_width, half_height, outside))
        arcs = min(arcs, _unlike(bgr, shape, shape[RADIUS], shape[RADIUS], outside))
        arcs = min(arcs, _unlike(bgr, shape, roundest, roundest, outside))
    return bool(ellipse + _BOTH_FIT < _SURELY * arcs)


@compiled
def _unlike(bgr: U8, shape: F32, across: Any, down: Any, outside: Any) -> Any:
    """How unlike the lines' colour the picture is along an outline, a mean square.

    ``across``, ``down``: radii of its corners; ``outside``: by how much it is larger on all sides than ``shape``.
    """
    colour = mean(
        (shape[COLOURS], shape[COLOURS + 1], shape[COLOURS + 2]),
        (shape[COLOURS + 3], shape[COLOURS + 4], shape[COLOURS + 5]),
    )
    middle_x, middle_y = (shape[LEFT] + shape[RIGHT]) / 2, (shape[TOP] + shape[BOTTOM]) / 2
    # of a quarter of the outline: half of the upright side, the arc, half of the level one
    upright, level = (shape[BOTTOM] - shape[TOP]) / 2 - down, (shape[RIGHT] - shape[LEFT]) / 2 - across
    across, down = across + outside, down + outside
    arc = (across + down) * math.pi / 4
    total = np.float32(0.0)
    for i in range(_ALONG):
        along = (upright + arc + level) * (i + 0.5) / _ALONG
        angle = min(max(along - upright, 0.0) / arc, 1.0) * math.pi / 2
        x = level + across * math.cos(angle) - max(along - upright - arc, 0.0)
        y = min(along, upright) + down * math.sin(angle)
        for corner in range(4):
            on = colour_between(bgr, middle_x + (x if corner & 1 else -x), middle_y + (y if corner & 2 else -y))
            total += min(square(on, colour), np.float32(_FARTHEST))
    return total / (4 * _ALONG)
