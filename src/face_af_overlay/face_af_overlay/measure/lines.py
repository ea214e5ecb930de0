"""Where the four lines of a rectangle are, to a fraction of a pixel, and how thick."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiled import compiled
from .pixels import F32, I64, U8, Rect, colour_at, median, ycc
from .work import ARM, ROWS, Work

_OFF = 3
"""Pixels by which a proposed line may be off."""


@compiled
def find_lines(bgr: U8, rect: Rect, colour: F32, start: Any, scale: Any, work: Work) -> tuple[int, Any]:
    """Places the four lines; returns how many stand out and their usual thickness."""
    work.colour[0], work.colour[1], work.colour[2] = ycc(colour[0], colour[1], colour[2])
    _profiles(bgr, rect, start, scale, work.profiles)
    _middles(work.profiles, work.colour, work.values, work.middles)
    for ch in range(3):
        for side in range(4):
            for p in range(2 * ARM):
                work.values[side * 2 * ARM + p] = work.profiles[side, work.middles[side], ch, p]
        work.colour[ch] = median(work.values, 8 * ARM)
    _thickness(work.profiles, work.colour, work.values, work.middles, work.centres, work.thick)
    lines = 0
    for side in range(4):
        if work.thick[side] > 0:
            work.values[lines] = work.thick[side]
            lines += 1
    if lines == 0:
        return lines, np.float32(0.0)
    median(work.values, lines)
    return lines, (work.values[(lines - 1) // 2] + work.values[lines // 2]) / 2


@compiled
def _profiles(bgr: U8, rect: Rect, begin: Any, scale: Any, profiles: F32) -> None:
    """The pixels across the arms: 4 sides x (2 x rows + 1) x 3 x (2 x arm) places."""
    for side in range(4):
        first, last = (rect[0], rect[2]) if side < 2 else (rect[1], rect[3])
        start = max(np.float32(4.0 * scale), begin)
        span = max(0.18 * (last - first) - start, 2.5 * scale)
        if begin > 0:
            span = max(span, 0.04 * (last - first))
        for j in range(ARM):
            step = int(start + span * j / (ARM - 1))
            for end in range(2):
                along = last - step if end else first + step
                for k in range(2 * ROWS + 1):
                    y, cr, cb = colour_at(bgr, side, rect, along, k - ROWS)
                    profiles[side, k, 0, 2 * j + end] = y
                    profiles[side, k, 1, 2 * j + end] = cr
                    profiles[side, k, 2, 2 * j + end] = cb


@compiled
def _middles(profiles: F32, colour: F32, score: F32, middles: I64) -> None:
    """The row of each side's line, where the arms are thinnest and most like ``colour``."""
    for side in range(4):
        for i in range(2 * _OFF + 3):
            k = ROWS - _OFF - 1 + i
            total = np.float32(0.0)
            for p in range(2 * ARM):
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
        middles[side] = ROWS - _OFF - 1 + at


@compiled
def _thickness(profiles: F32, colour: F32, share: F32, middles: I64, centres: F32, thick: F32) -> None:
    """Where each line is, to a fraction of a pixel, and its width at half height; 0 where none stands out.

    A pixel's share of the line is fitted to all places on the side's arms at once.
    """
    for side in range(4):
        middle = middles[side]
        bright, whole = np.float32(0.0), np.float32(0.0)
        for ch in range(3):
            for p in range(2 * ARM):
                gap = colour[ch] - (profiles[side, middle - 6, ch, p] + profiles[side, middle + 6, ch, p]) / 2
                whole += gap * gap
                if ch == 0:
                    bright += gap * gap
        # brightness is sharper than colour
        channels = 1 if bright > 2 * ARM * 15.0 * 15.0 else 3
        total = bright if channels == 1 else whole
        centres[side], thick[side] = middle - ROWS, 0.0
        if total < 2 * ARM * 6.0 * 6.0:
            continue
        for i in range(13):
            k, part = middle - 6 + i, np.float32(i / 12.0)
            value = np.float32(0.0)
            for ch in range(channels):
                for p in range(2 * ARM):
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
def _crossing(values: F32, start: int, step: int, level: Any) -> Any:
    """Steps from ``start`` to where the values fall to ``level``."""
    i = start
    while 0 <= i + step < 13 and values[i + step] > level:
        i += step
    if not 0 <= i + step < 13:
        return np.float32(abs(i - start) + 1)
    return np.float32(abs(i - start)) + (values[i] - level) / max(values[i] - values[i + step], np.float32(1e-6))
