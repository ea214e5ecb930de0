"""Rectangles from corners: two corners across from each other propose one, its other arms support it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .thin_lines import BOTTOM_LEFT, BOTTOM_RIGHT, TOP_LEFT, TOP_RIGHT, Lines

I32 = NDArray[np.int32]
F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Limits:
    """Which rectangles are proposed; lengths in pixels of the reduced picture."""

    low: float
    high: float
    aspect: float
    uniform: float
    """Difference in green between the two corners, levels."""
    line: int
    """Least difference between a line and its background, levels."""


def propose(lines: Lines, limits: Limits, most: int) -> I32:
    """At most ``most`` rectangles (N x 4: left, top, right, bottom on their lines), best supported first."""
    pairs = [
        _across(lines, TOP_LEFT, BOTTOM_RIGHT, limits),
        _across(lines, BOTTOM_LEFT, TOP_RIGHT, limits),
    ]
    rects = np.concatenate([pair[0] for pair in pairs])
    green = np.concatenate([pair[1] for pair in pairs])
    if not len(rects):
        return rects
    _, first = np.unique(_code(rects), return_index=True)
    rects, green = rects[first], green[first]
    if len(rects) > _CROWD:
        score = _score(lines, rects, green, _FEW_PLACES, limits.line)
        chosen = np.argpartition(-score, _CROWD)[:_CROWD]
        rects, green = rects[chosen], green[chosen]
    score = _score(lines, rects, green, _PLACES_ALONG, limits.line)
    order = np.argsort(-score, kind="stable")[:most]
    return rects[order[score[order] >= _SUPPORT]]


def _across(lines: Lines, one: int, other: int, limits: Limits) -> tuple[I32, NDArray[np.int16]]:
    """Rectangles, and their brightness, between all fitting pairs of corners; the first is on the left."""
    x0, y0, x1, y1 = lines.x[one], lines.y[one], lines.x[other], lines.y[other]
    across = (x1.astype(np.int16)[None] - x0.astype(np.int16)[:, None]).reshape(-1)
    low, high = round(limits.low), round(limits.high)
    # unsigned arithmetic tests both bounds at once
    near = np.flatnonzero((across - low).view(np.uint16) <= high - low)
    i, j = np.divmod(near, max(len(x1), 1))
    width = across[near].astype(np.int32)
    height = (y1[j] - y0[i]) if one == TOP_LEFT else (y0[i] - y1[j])
    alike = np.abs(lines.green[one][i] - lines.green[other][j])
    fits = (
        (height >= low)
        & (height <= high)
        & (np.maximum(width, height) <= limits.aspect * np.minimum(width, height) + 3)
        & (alike <= limits.uniform)
    )
    i, j = i[fits], j[fits]
    left, right = x0[i], x1[j]
    top, bottom = np.minimum(y0[i], y1[j]), np.maximum(y0[i], y1[j])
    # the other two corners: of their four arms two are enough
    first, second = (bottom, top) if one == TOP_LEFT else (top, bottom)
    down = _SHORT if one == BOTTOM_LEFT else -_SHORT
    row = lines.level.shape[1]
    level, upright = lines.level.reshape(-1), lines.upright.reshape(-1)
    arms = (level[first * row + left + _SHORT] >= limits.line).astype(np.int8)
    arms += level[second * row + right - _SHORT] >= limits.line
    arms += upright[(first + down) * row + left] >= limits.line
    arms += upright[(second - down) * row + right] >= limits.line
    likely = np.flatnonzero(arms >= 2)
    rects = np.stack([left, top, right, bottom], axis=1)[likely].astype(np.int32)
    return rects, ((lines.green[one][i] + lines.green[other][j]) // 2)[likely]


def _code(rects: I32) -> NDArray[np.int64]:
    """The same number for the same rectangle, give or take a pixel."""
    keys = (rects.astype(np.int64) + 1) >> 1
    return ((keys[:, 0] * 4096 + keys[:, 1]) * 4096 + keys[:, 2]) * 4096 + keys[:, 3]


def _score(lines: Lines, rects: I32, green: NDArray[np.int16], places: dict[int, float], line: int) -> F32:
    """How many of the pixels looked at on the eight arms belong to a thin line of that brightness.

    ``places``: what a line counts so many pixels from the corner, below 0 beyond it; those ahead are stretched.
    """
    along, weights = np.array(list(places), np.float32), np.array(list(places.values()), np.float32)
    width = lines.level.shape[1]
    left, top, right, bottom = (rects[:, i, None] for i in range(4))
    x, y = (
        np.where(along > 0, np.maximum(along * (np.maximum(side * _REACH, _SHORT) / along[-1]), 2), along).astype(
            np.int32
        )
        for side in (right - left, bottom - top)
    )
    xs, ys = (left + x, right - x), (top + y, bottom - y)
    level = np.stack([edge * width + place for edge in (top, bottom) for place in xs], axis=1)
    upright = np.stack([place * width + edge for edge in (left, right) for place in ys], axis=1)
    plane, level_plane, upright_plane = (p.reshape(-1) for p in (lines.plane, lines.level, lines.upright))
    stands = np.concatenate([level_plane.take(level, mode="clip"), upright_plane.take(upright, mode="clip")], axis=1)
    wanted = green[:, None, None]
    gap = [
        np.minimum(
            np.minimum(
                np.abs(plane.take(at - step, mode="clip") - wanted), np.abs(plane.take(at, mode="clip") - wanted)
            ),
            np.abs(plane.take(at + step, mode="clip") - wanted),
        )
        for at, step in ((level, width), (upright, 1))
    ]
    seen = stands >= line
    # in the corner itself the two lines hide each other
    seen[..., along == 0] = True
    # a thin line that falls on two rows of the reduced picture keeps half of its strength in either
    seen &= np.concatenate(gap, axis=1) < np.maximum(stands // 4 * 3, _ALIKE_GREEN)
    return np.asarray(seen.reshape(len(seen), -1).astype(np.float32) @ np.tile(weights, 8), np.float32)


@dataclass(frozen=True)
class Candidates:
    """Rectangles worth a close look, best first: N x 4 on their lines, and N x 3 colours (BGR), full resolution."""

    rects: I32
    colours: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rects)


def refine(bgr: U8, rects: I32, across: int, most: int) -> Candidates:
    """Places the sides to the pixel, and keeps the at most ``most`` whose arms are of one colour that stands out.

    ``rects``: N x 4 in pixels of ``bgr``, a few pixels off at most; ``across``: steps from a line to its ground.
    """
    if not len(rects):
        return Candidates(rects, np.zeros((0, 3), np.float32))
    strips = _strips(bgr, rects, across)
    n, mid = len(rects), strips.shape[3] // 2
    places = np.arange(mid - _OFF, mid + _OFF + 1)
    # the arms alone say where the line is
    arms = strips[:, :, _CORNER:]
    mids, low, high = (arms[:, :, :, places + step] for step in (0, -across, across))
    thin = np.maximum(cv2.subtract(mids, np.maximum(low, high)), cv2.subtract(np.minimum(low, high), mids)).reshape(
        mids.shape
    )
    thin = np.minimum(np.maximum(np.maximum(thin[..., 0], thin[..., 1]), thin[..., 2]), 60)
    strength = thin.sum(axis=2, dtype=np.int32)
    # the middle of a thick line
    strength[:, :, 1:-1] = 2 * strength[:, :, 1:-1] + strength[:, :, 2:] + strength[:, :, :-2]
    strength[:, :, [0, -1]] *= 3
    shift = strength.argmax(axis=2)
    chosen = (np.arange(n)[:, None], np.arange(4)[None], slice(None), shift)
    clear = thin[chosen].reshape(n, -1)
    on, before, after = (
        strips[(*chosen[:3], mid - _OFF + shift + step)].astype(np.int16) for step in (0, -across, across)
    )
    colour = _colour(on[:, :, _CORNER:].reshape(n, -1, 3), clear)
    wanted = colour[:, None, None]
    gap = np.abs(on - wanted)
    # colour is smeared and brightness is not, so red and blue may differ more
    gap = np.maximum(gap[..., 1], np.maximum(gap[..., 0], gap[..., 2]) * 5 // 8)
    before, after = np.abs(before - wanted), np.abs(after - wanted)
    stands = np.minimum(*(np.maximum(np.maximum(d[..., 0], d[..., 1]), d[..., 2]) for d in (before, after)))
    worth = np.clip(stands - 0.7 * gap, -10, 40)
    extended = np.count_nonzero(((gap < 0.4 * stands) & (stands > 10))[:, :, :4].reshape(n, 8, 2).all(axis=2), axis=1)
    cornered = np.count_nonzero(gap[:, :, 4:_CORNER] < _SHARP, axis=(1, 2))
    count = gap.shape[2] * 4 - _CORNER * 4
    like = np.count_nonzero((gap < np.maximum(0.5 * stands, _LIKE))[:, :, _CORNER:], axis=(1, 2))
    worth = worth[:, :, _CORNER:].sum(axis=(1, 2))
    good = (like >= _ALIKE * count) & (worth > _WORTH * count) & (extended <= _RUN_ON) & (cornered >= _CORNERED)
    moved = rects + (shift - _OFF)[:, [2, 0, 3, 1]]
    order = np.argsort(-worth, kind="stable")
    order = order[good[order]]
    # of several on the same lines, the best speaks for all
    ordered, tones = moved[order], colour[order, 1]
    same = (np.abs(ordered[:, None] - ordered[None]).max(axis=2) < _SAME) & (
        np.abs(tones[:, None] - tones[None]) < _SAME_COLOUR
    )
    gone = np.zeros(len(order), bool)
    kept: list[int] = []
    for i in range(len(order)):
        if not gone[i]:
            kept.append(int(order[i]))
            gone |= same[i]
            if len(kept) == most:
                break
    whole = np.array(kept, np.intp)
    whole = whole[_outlined(bgr, moved[whole], colour[whole], across)]
    return Candidates(moved[whole].astype(np.int32), colour[whole].astype(np.float32))


def _outlined(bgr: U8, rects: NDArray[np.int64], colour: NDArray[np.int16], across: int) -> NDArray[np.bool_]:
    """Which rectangles have, on a few pixels of each side, lines all along or at both ends."""
    if not len(rects):
        return np.zeros(0, np.bool_)
    width = bgr.shape[1]
    left, top, right, bottom = (rects[:, i, None] for i in range(4))
    share = (np.arange(_HALF) + 0.5) / _HALF
    ends = []
    for first, last in ((left, right), (top, bottom)):
        place = (_FIRST + share * ((last - first) / 2 - _FIRST - 2)).astype(np.int64)
        ends.append(np.concatenate([first + place, last - place], axis=1))
    xs, ys = ends
    place = np.concatenate([top * width + xs, bottom * width + xs, ys * width + left, ys * width + right], axis=1)
    step = np.repeat(np.array([width, 1]), 4 * _HALF)[None]
    pixels = bgr.reshape(-1, 3)

    def unlike(by: int) -> NDArray[np.int16]:
        return np.abs(pixels.take(place + by * step, axis=0, mode="clip") - colour[:, None])

    near = np.minimum(np.minimum(unlike(-1), unlike(1)), unlike(0))
    gap = np.maximum(near[..., 1], np.maximum(near[..., 0], near[..., 2]) * 5 // 8)
    stands = np.minimum(
        *(np.maximum(d[..., 1], np.maximum(d[..., 0], d[..., 2])) for d in (unlike(-across), unlike(across)))
    )
    tell = np.clip((stands - 6) / 16.0, 0.0, 1.0)
    state = np.where(gap < np.maximum(0.6 * stands, 10), tell, -tell).reshape(len(rects), 8, _HALF)
    total = np.abs(state).sum(axis=(1, 2)) + 1e-6
    # lines as far as the n-th of the places from the corner, and none from there on; all along is one case
    ahead = np.cumsum(np.concatenate([np.zeros((len(rects), 1)), state.sum(axis=1)], axis=1), axis=1)
    fit = ((2 * ahead - ahead[:, -1:])[:, 1:]).max(axis=1) / total
    return np.asarray(fit > _OUTLINED)


def _strips(bgr: U8, rects: I32, across: int) -> U8:
    """What is across the eight arms of each rectangle: N x 4 sides x places x pixels across x 3.

    Places are two beyond either corner, two in either, and the arms behind them.

    Sides are top, bottom, left, right.
    """
    height, width = bgr.shape[:2]
    left, top, right, bottom = (rects[:, i, None] for i in range(4))
    share = np.linspace(0, 1, _PLACES, dtype=np.float32)
    ends = []
    for first, last in ((left, right), (top, bottom)):
        side = last - first
        place = (_FIRST + share * np.maximum(_REACH * side - _FIRST, _FEW)).astype(np.int32)
        far = np.broadcast_to(np.array(_BEYOND, np.int32), (len(rects), 2))
        near = np.broadcast_to(np.array(_AT_CORNER, np.int32), (len(rects), 2))
        ends.append(
            np.concatenate([first - far, last + far, first + near, last - near, first + place, last - place], axis=1)
        )
    xs, ys = ends
    steps = np.arange(-_OFF - across, _OFF + across + 1, dtype=np.int32)
    level = np.stack([top, bottom], axis=1)[..., None] + steps
    upright = np.stack([left, right], axis=1)[..., None] + steps
    level = np.clip(level, 0, height - 1) * width + np.clip(xs, 0, width - 1)[:, None, :, None]
    upright = np.clip(upright, 0, width - 1) + np.clip(ys, 0, height - 1)[:, None, :, None] * width
    places = np.concatenate([level, upright], axis=1)
    return bgr.reshape(-1, 3).take(places, axis=0)


def _colour(on: NDArray[np.int16], clear: NDArray[np.int16]) -> NDArray[np.int16]:
    """The middle colour of the half of the pixels that stand out most."""
    half = on.shape[1] // 2
    best = np.argpartition(-clear, half, axis=1)[:, :half]
    chosen = np.take_along_axis(on, best[..., None], axis=1)
    return np.sort(chosen, axis=1)[:, half // 2]


_SHORT = 3
"""How far, in pixels of the reduced picture, the shortest arm reaches."""
_PLACES_ALONG = {-5: -1.5, -3: -1.5, 0: 1.0, 2: 1.0, 3: 1.0, 4: 1.0, 5: 1.0}
"""What a line counts in these places: beyond the corner none may be."""
_FEW_PLACES = {-4: -1.0, 4: 1.0}
_CROWD = 700
"""Rectangles of which more than a few places are looked at."""
_ALIKE_GREEN = 30
"""Levels by which an arm may differ from the corners' mean, at reduced resolution."""
_REACH = 0.18
"""How far along a side an arm reaches at least, as a share of it."""
_SUPPORT = 16
"""Least score on the arms."""
_OFF = 2
"""Pixels by which a side may be off."""
_PLACES = 4
_FIRST, _FEW = 4, 1.5
_BEYOND, _AT_CORNER = (7, 9), (0, 1)
"""Pixels beyond a corner and behind it that are looked at, too."""
_CORNER = 8
"""How many places of a side are no arms."""
_SHARP = 44
_CORNERED = 11
_RUN_ON = 1
"""Places in the corners, of 16, that must be like the arms, and lines that may run on before the close look."""
_LIKE = 40
"""Levels by which an arm may differ from the outline's colour."""
_ALIKE = 0.6
_WORTH = 6.0
"""Least mean of contrasts that is worth a close look."""
_SAME = 5
"""Pixels within which all four sides of two rectangles are the same lines."""
_SAME_COLOUR = 30
_HALF = 12
"""Places looked at on each half of a side."""
_OUTLINED = 0.6
"""Least fit, -1 to 1, that is worth a close look."""
