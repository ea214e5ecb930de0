"""Whether lines reach into sharp corners, or go round in arcs, and of which radius."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiled import compiled
from .pixels import U8, Rect, colour_between, line_here, mean, median, mixed, of_way, sample
from .work import Sides, Work

_RADII, _ROUNDEST = 10, 0.32
"""How many radii are tried, and the largest as a share of the shorter side."""


@compiled
def in_corners(bgr: U8, rect: Rect, sides: Sides, work: Work) -> Any:
    """Whether the lines' colour reaches right into sharp corners: their mean; sorts ``work.corner_lines``."""
    usual = np.float32(0.0)
    for corner in range(4):
        work.corner_lines[corner] = 0.0
    reach = max(sides.line / 2 - np.float32(0.75), np.float32(0.0))
    blocks = int(2 * reach) + 1
    for side in range(4):
        way, s = side // 2, side % 2
        low, high = (sides.left, sides.right) if way == 0 else (sides.top, sides.bottom)
        slope, level = of_way(work.slopes, way), of_way(work.levels, way)
        for end in range(2):
            ratio = np.float32(0.0)
            for j in range(blocks):
                place = np.float32(j) - (blocks - 1) / 2
                along = math.floor((high + place if end else low + place) + 0.5)
                on, outside, _ = sample(bgr, rect, side, along, work.centres[side], sides.half, sides.aside)
                ratio += line_here(on, outside, outside, mixed(slope, level, outside))
            work.corner_lines[2 * s + end if way == 0 else 2 * end + s] += ratio / (2 * blocks)
            usual += ratio / (8 * blocks)
    median(work.corner_lines, 4)
    return usual


@compiled
def find_radius(bgr: U8, sides: Sides, offset: Any, scale: Any, work: Work) -> tuple[Any, Any]:
    """The radius at which arcs of the lines' colour are seen best in the corners, and how well.

    Lines seem straight up to ``offset``, where an arc has left them by about their thickness.
    """
    most = np.float32(_ROUNDEST) * min(sides.right - sides.left, sides.bottom - sides.top)
    low = np.float32(max(offset, 2.0 * scale))
    high = np.float32(offset + 5 + 2.8 * math.sqrt(offset)) if offset > 0 else np.float32(11.0 * scale)
    high = max(min(high, most), low)
    best, radius = np.float32(-1e9), low
    for i in range(_RADII):
        tried = low * (high / low) ** (np.float32(i) / np.float32(_RADII - 1))
        seen = on_arcs(bgr, sides, tried, work)
        if seen > best:
            best, radius = seen, tried
    return radius, best


@compiled
def on_arcs(bgr: U8, sides: Sides, radius: Any, work: Work) -> Any:
    """Whether arcs of the lines' colour join the sides: their mean; sorts ``work.corner_lines``."""
    usual = np.float32(0.0)
    slope = mean(of_way(work.slopes, 0), of_way(work.slopes, 1))
    level = mean(of_way(work.levels, 0), of_way(work.levels, 1))
    spread = sides.half / 2
    for corner in range(4):
        x = sides.right - radius if corner & 1 else sides.left + radius
        y = sides.bottom - radius if corner & 2 else sides.top + radius
        total = np.float32(0.0)
        for i in range(3):
            angle = math.pi / 8 * (i + 1)
            ux, uy = math.cos(angle), math.sin(angle)
            ux, uy = ux if corner & 1 else -ux, uy if corner & 2 else -uy
            on = mean(
                colour_between(bgr, x + ux * (radius - spread), y + uy * (radius - spread)),
                colour_between(bgr, x + ux * (radius + spread), y + uy * (radius + spread)),
            )
            far = radius + sides.aside + np.float32(0.5)
            outside = colour_between(bgr, x + ux * far, y + uy * far)
            near = radius - sides.aside - np.float32(0.5)
            inside = colour_between(bgr, x + ux * near, y + uy * near)
            total += line_here(on, outside, inside, mixed(slope, level, mean(outside, inside)))
        work.corner_lines[corner] = total / 3
        usual += total / 12
    median(work.corner_lines, 4)
    return usual
