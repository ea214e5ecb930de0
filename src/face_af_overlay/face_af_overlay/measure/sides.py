"""What is seen along the sides and beyond their corners, and whether they are closed or brackets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiled import compiled
from .pixels import F32, U8, Rect, line_here, mean, median, mixed, of_way, sample, square
from .work import ALONG, Sides, Work

_BEYOND = 5
"""Pixels beyond a corner that are looked at."""


@compiled
def along_sides(bgr: U8, rect: Rect, sides: Sides, behind: int, work: Work) -> Any:
    """Likelihood ratios along the sides; returns the share of the ground inside that is of the lines' colour."""
    filled, places = 0, 0
    for side in range(4):
        way = side // 2
        low, high = (sides.left, sides.right) if way == 0 else (sides.top, sides.bottom)
        slope, level = of_way(work.slopes, way), of_way(work.levels, way)
        reach = (high - low) / 2 - behind
        count = min(max(int(reach), 2), ALONG)
        work.counts[way] = count
        for end in range(2):
            for j in range(count):
                step = behind + (reach * (j + 0.5)) / count
                along = math.floor((high - step if end else low + step) + 0.5)
                on, outside, inside = sample(bgr, rect, side, along, work.centres[side], sides.half, sides.aside)
                expected = mixed(slope, level, mean(outside, inside))
                work.ratios[side, end, j] = line_here(on, outside, inside, expected)
                filled += square(inside, expected) < 144.0
                places += 1
    return filled / places


@compiled
def beyond_corners(bgr: U8, rect: Rect, sides: Sides, work: Work) -> tuple[int, Any, Any]:
    """How many of eight lines run on beyond their corners; by how much all, and the most one does."""
    extended, run_on, run_on_most = 0, np.float32(0.0), np.float32(0.0)
    for side in range(4):
        way = side // 2
        low, high = (sides.left, sides.right) if way == 0 else (sides.top, sides.bottom)
        slope, level = of_way(work.slopes, way), of_way(work.levels, way)
        for end in range(2):
            total = np.float32(0.0)
            for j in range(_BEYOND):
                step = sides.line / 2 + 2 + j
                along = math.floor((high + step if end else low - step) + 0.5)
                on, outside, inside = sample(bgr, rect, side, along, work.centres[side], sides.half, sides.aside)
                expected = mixed(slope, level, mean(outside, inside))
                total += line_here(on, outside, inside, expected)
            total /= _BEYOND
            extended += 1 if total > 0.8 else 0
            total = max(total - np.float32(0.2), np.float32(0.0))
            run_on += total
            run_on_most = max(run_on_most, total)
    return extended, run_on, run_on_most


@compiled
def is_closed(work: Work) -> Any:
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
def compare(closed: Any, work: Work, features: F32) -> None:
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
    median(corners, 4)
    features[0] = signed / (absolute + 4)
    features[1], features[2] = corners[0], corners[1]
    features[3] = strength / drawn
    features[4] = seen / drawn
    features[5] = bare / gaps if gaps else 0.0
