"""The lines' colour as a mixture with the ground beside them, fitted to the arms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiled import compiled
from .pixels import CHROMA, F32, median
from .work import ARM, ROWS, Sides, Work


@compiled
def fit_mixtures(sides: Sides, work: Work) -> tuple[Any, Any, Any]:
    """Fits the mixture of either way, as colour is spread sideways more than up and down.

    Returns how uneven the lines are, by how much they stand out, and how bright the ground is.
    """
    uneven, contrast, ground = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    profiles, beside = work.profiles, sides.aside
    for way in range(2):
        for s in range(2):
            side = 2 * way + s
            middle = work.centres[side] + ROWS
            first, last = math.ceil(middle - sides.half), math.floor(middle + sides.half)
            near = math.floor(middle + 0.5)
            for p in range(2 * ARM):
                i = s * 2 * ARM + p
                stands, other = np.float32(0.0), np.float32(0.0)
                for ch in range(3):
                    value = np.float32(0.0)
                    for k in range(first, last + 1):
                        value += profiles[side, k, ch, p]
                    value /= last + 1 - first
                    low = (profiles[side, near - beside, ch, p] + profiles[side, near - beside - 1, ch, p]) / 2
                    high = (profiles[side, near + beside, ch, p] + profiles[side, near + beside + 1, ch, p]) / 2
                    work.on[ch, i], work.beside[ch, i] = value, (low + high) / 2
                    weight = np.float32(1.0) if ch == 0 else np.float32(CHROMA)
                    stands += weight * (value - low) ** 2
                    other += weight * (value - high) ** 2
                contrast += math.sqrt(min(stands, other))
                ground += work.beside[0, i]
        for ch in range(3):
            fitted = _mixture(work.on[ch], work.beside[ch], work.values)
            work.slopes[way, ch], work.levels[way, ch], work.usual[way, ch] = fitted[0], fitted[1], fitted[2]
            uneven += fitted[3] * (np.float32(1.0) if ch == 0 else np.float32(0.5))
    return uneven, contrast / (8 * ARM), ground / (8 * ARM)


@compiled
def _mixture(on: F32, ground: F32, work: F32) -> tuple[Any, Any, Any, Any]:
    """``v = slope b + level`` for one channel: slope, level, the usual ``v`` and the usual misfit."""
    n = 4 * ARM
    for i in range(n):
        work[i] = on[i]
    usual = median(work, n)
    for i in range(n):
        work[i] = ground[i]
    centre = median(work, n)
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
    level = median(work, n)
    for i in range(n):
        work[i] = abs(on[i] - slope * ground[i] - level)
    return slope, level, usual, median(work, n)
