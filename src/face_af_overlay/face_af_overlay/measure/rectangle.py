"""All that is measured of proposed rectangles, in one call for a frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiled import compiled
from .columns import (
    ACROSS,
    BOTTOM,
    CLOSED,
    COLOURS,
    COLUMNS,
    EXTENDED,
    FEATURES,
    FILLED,
    GROUND,
    LEFT,
    LEVELS,
    LINE,
    LINES,
    RADIUS,
    RIGHT,
    SLOPES,
    TOP,
)
from .corner_lines import find_radius, in_corners, on_arcs
from .lines import find_lines
from .mixture import fit_mixtures
from .pixels import F32, I32, U8, Rect
from .sides import along_sides, beyond_corners, compare, is_closed
from .work import Work, behind_corner, memory, placed

_FEATURES = len(FEATURES)
_BLUNT, _ROUNDER = 1.0, 0.4
"""Corners may be rounded where less is seen in them than this, and are where arcs are seen better by so much."""


@compiled
def measure(bgr: U8, rects: I32, colours: F32, offsets: I32, scale: float) -> tuple[F32, F32]:
    """Features and geometry (N x :data:`FEATURES`, N x :data:`COLUMNS`, float32) of rectangles.

    ``bgr``: H x W x 3 uint8; ``rects``: N x 4 int32, left, top, right, bottom on the lines, a few pixels off at
    most; ``colours``: N x 3 float32, the lines' supposed colours, BGR; ``offsets``: N int32, how far from the corners
    the straight lines begin, pixels, 0 for sharp corners; ``scale``: the frame's height over 1080.
    """
    n = len(rects)
    features = np.zeros((n, _FEATURES), np.float32)
    geometry = np.zeros((n, COLUMNS), np.float32)
    most: Any = min(np.float32(scale), np.float32(1.0))
    work = memory()
    for index in range(n):
        rect = (rects[index, 0], rects[index, 1], rects[index, 2], rects[index, 3])
        _measure_one(bgr, rect, colours[index], offsets[index], most, work, features[index], geometry[index])
    return features, geometry


@compiled
def _measure_one(
    bgr: U8, rect: Rect, colour: F32, offset: Any, scale: Any, work: Work, features: F32, shape: F32
) -> None:
    start = np.float32(0.0) if offset == 0 else np.float32(offset + 2)
    lines, line = find_lines(bgr, rect, colour, start, scale, work)
    shape[LINES] = lines
    if lines < 3:
        return
    sides = placed(rect, work.centres, line)
    uneven, contrast, ground = fit_mixtures(sides, work)
    corner_line = in_corners(bgr, rect, sides, work)
    radius = np.float32(0.0)
    if offset > 0 or (corner_line < _BLUNT and lines == 4):
        radius, arc = find_radius(bgr, sides, offset, scale, work)
        if arc < corner_line + _ROUNDER:
            radius = np.float32(0.0)
            corner_line = in_corners(bgr, rect, sides, work)
        else:
            if offset == 0:
                lines, line = find_lines(bgr, rect, colour, radius * np.float32(0.9), scale, work)
                shape[LINES] = lines
                if lines < 3:
                    return
                sides = placed(rect, work.centres, line)
                uneven, contrast, ground = fit_mixtures(sides, work)
            corner_line = on_arcs(bgr, sides, radius, work)
    behind = behind_corner(line, radius)
    filled = along_sides(bgr, rect, sides, behind, work)
    extended, run_on, run_on_most = beyond_corners(bgr, rect, sides, work)
    closed = is_closed(work)
    compare(closed, work, features)
    features[6], features[7] = corner_line, work.corner_lines[0]
    features[8], features[9] = run_on, run_on_most
    features[10] = uneven / (contrast + 10)
    features[11] = contrast
    width, height = sides.right - sides.left + line, sides.bottom - sides.top + line
    features[12] = line / min(width, height)
    counts, arms = work.counts, work.arms
    features[13] = 0.0 if closed else abs(arms[0] / counts[0] - arms[1] / counts[1])
    shape[LEFT], shape[TOP], shape[RIGHT], shape[BOTTOM] = sides.left, sides.top, sides.right, sides.bottom
    shape[LINE], shape[GROUND] = line, ground
    shape[EXTENDED], shape[FILLED], shape[CLOSED], shape[RADIUS] = extended, filled, closed, radius
    for way in range(2):
        length = sides.right - sides.left if way == 0 else sides.bottom - sides.top
        shape[ACROSS + way] = behind + (length / 2 - behind) * arms[way] / counts[way]
        for ch in range(3):
            shape[COLOURS + 3 * way + ch] = work.usual[way, ch]
            shape[SLOPES + 3 * way + ch], shape[LEVELS + 3 * way + ch] = work.slopes[way, ch], work.levels[way, ch]
