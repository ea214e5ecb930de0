"""Rectangles from corners: any three corners of one colour that fit together propose one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .corners import BOTTOM_LEFT, BOTTOM_RIGHT, TOP_LEFT, TOP_RIGHT, Corners

I32 = NDArray[np.int32]


def propose(
    corners: Corners, low: float, high: float, aspect: float, uniform: float
) -> tuple[I32, NDArray[np.float32]]:
    """Rectangles (N x 4 int32: left, top, right, bottom, inside their lines) and their colours (N x 3 float32, BGR).

    ``low`` and ``high``: sides in pixels; ``aspect``: longer over shorter side; ``uniform``: how much
    the corners' colours may differ. Those with four corners come first, then those of like colour.
    """
    top = _edges(corners, TOP_LEFT, TOP_RIGHT, low, high, uniform, across=True)
    bottom = _edges(corners, BOTTOM_LEFT, BOTTOM_RIGHT, low, high, uniform, across=True)
    left = _edges(corners, TOP_LEFT, BOTTOM_LEFT, low, high, uniform, across=False)
    right = _edges(corners, TOP_RIGHT, BOTTOM_RIGHT, low, high, uniform, across=False)
    found: list[NDArray[np.int32]] = []
    for (ha, hb), (va, vb), (kind, h_end, v_end) in (
        (top, left, (TOP_LEFT, 0, 0)),
        (top, right, (TOP_RIGHT, 1, 0)),
        (bottom, left, (BOTTOM_LEFT, 0, 1)),
        (bottom, right, (BOTTOM_RIGHT, 1, 1)),
    ):
        shared_h, other_h = (ha, hb) if h_end == 0 else (hb, ha)
        shared_v, other_v = (va, vb) if v_end == 0 else (vb, va)
        i, j = _join(shared_h, shared_v)
        if not len(i):
            continue
        kind_h, kind_v = kind ^ 1, kind ^ 2
        near = np.stack([corners.x[kind][shared_h[i]], corners.y[kind][shared_h[i]]])
        along = corners.x[kind_h][other_h[i]]
        down = corners.y[kind_v][other_v[j]]
        colours = np.stack(
            [
                corners.bgr[kind][shared_h[i]],
                corners.bgr[kind_h][other_h[i]],
                corners.bgr[kind_v][other_v[j]],
            ]
        )
        spread = (colours.max(axis=0) - colours.min(axis=0))[:, 1]
        x0, x1 = np.minimum(near[0], along), np.maximum(near[0], along)
        y0, y1 = np.minimum(near[1], down), np.maximum(near[1], down)
        width, height = x1 - x0, y1 - y0
        fits = (np.maximum(width, height) <= aspect * np.minimum(width, height) + 6) & (spread <= uniform)
        colour = np.sort(colours, axis=0)[1]
        found.append(np.column_stack([x0, y0, x1, y1, colour, spread])[fits].astype(np.int32))
    if not found:
        return np.zeros((0, 4), np.int32), np.zeros((0, 3), np.float32)
    rows = np.concatenate(found)
    return _merge(rows)


def _edges(
    corners: Corners, one: int, other: int, low: float, high: float, uniform: float, *, across: bool
) -> tuple[I32, I32]:
    """Pairs of corners that could end one side: (indices of kind ``one``, indices of kind ``other``)."""
    position, level = (corners.x, corners.y) if across else (corners.y, corners.x)
    order = np.argsort(level[other], kind="stable")
    sorted_level = level[other][order]
    first = np.searchsorted(sorted_level, level[one] - _SLACK)
    count = np.searchsorted(sorted_level, level[one] + _SLACK, side="right") - first
    i = np.repeat(np.arange(len(level[one])), count)
    j = (
        order[np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(len(i))]
        if len(i)
        else i
    )
    length = position[other][j] - position[one][i]
    keep = (length >= low - _SLACK * 2) & (length <= high)
    i, j = i[keep], j[keep]
    alike = np.abs(corners.bgr[one][i] - corners.bgr[other][j])
    # colour is smeared by the transmission, brightness hardly
    keep = (alike[:, 1] <= uniform) & (alike.max(axis=1, initial=0) <= 2 * uniform)
    return i[keep].astype(np.int32), j[keep].astype(np.int32)


def _join(a: I32, b: I32) -> tuple[I32, I32]:
    """All (i, j) with ``a[i] == b[j]``."""
    order = np.argsort(b, kind="stable")
    ordered = b[order]
    first = np.searchsorted(ordered, a)
    count = np.searchsorted(ordered, a, side="right") - first
    i = np.repeat(np.arange(len(a)), count)
    if not len(i):
        return i.astype(np.int32), i.astype(np.int32)
    j = order[np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(len(i))]
    return i.astype(np.int32), j.astype(np.int32)


def _merge(rows: I32) -> tuple[I32, NDArray[np.float32]]:
    """Proposals that differ by a pixel or two are one; what was proposed most often comes first."""
    keys = (rows[:, :4] + 1) // 3
    code = ((keys[:, 0].astype(np.int64) * 4096 + keys[:, 1]) * 4096 + keys[:, 2]) * 4096 + keys[:, 3]
    _, first, times = np.unique(code, return_index=True, return_counts=True)
    order = np.lexsort((rows[first, 7], -times))
    chosen = rows[first[order]]
    return chosen[:, :4], chosen[:, 4:7].astype(np.float32)


_SLACK = 2
"""Pixels by which the marks of two corners on one line may differ."""


def rank(
    green: NDArray[np.uint8],
    red: NDArray[np.uint8],
    rects: I32,
    colours: NDArray[np.float32],
    across: int,
    most: int,
) -> NDArray[np.intp]:
    """Indices of the at most ``most`` rectangles whose arms behind all four corners stand out best, best first.

    ``green``, ``red``: planes of the picture; ``across``: steps from a line to its background. A cheap
    look before the close one: two pixels on each of the eight arms, and those beside them.
    """
    if not len(rects):
        return np.zeros(0, np.intp)
    height, width = green.shape
    left, top, right, bottom = (rects[:, i, None].astype(np.int32) for i in range(4))
    # two pixels on each arm, and one where the line would run on beyond its corner
    behind, beyond = np.array([4, 5], np.int32), across + 1
    xs = np.concatenate([left + behind, right - behind, left - beyond, right + beyond], axis=1)
    ys = np.concatenate([top + behind, bottom - behind, top - beyond, bottom + beyond], axis=1)
    # the place of each pixel looked at, and the step across its line
    place = np.concatenate([top * width + xs, bottom * width + xs, ys * width + left, ys * width + right], axis=1)
    step = np.repeat(np.array([width, 1], np.int32), 12)[None]
    last = height * width - 1
    g, r = green.reshape(-1), red.reshape(-1)
    wanted = colours[:, 1, None].astype(np.int16), colours[:, 2, None].astype(np.int16)
    at = np.clip(np.stack([place - step, place, place + step]), 0, last)
    # colour is smeared and brightness is not, so red may differ more
    gap = np.maximum(np.abs(g[at] - wanted[0]), np.abs(r[at] - wanted[1]) * 5 // 8).min(axis=0)
    beside = np.clip(np.stack([place - across * step, place + across * step]), 0, last)
    stands = np.maximum(np.abs(g[beside] - wanted[0]), np.abs(r[beside] - wanted[1])).min(axis=0)
    worth = np.clip(stands - 0.7 * gap, -10, 40)
    score = worth[:, _ON].sum(axis=1)
    score[np.count_nonzero(gap[:, _ON] < _ARM, axis=1) < _ALIKE] = -1.0
    score[np.count_nonzero((worth[:, _BEYOND] > 8) & (gap[:, _BEYOND] < 20), axis=1) > _RUN_ON] = -1.0
    order = np.argsort(-score, kind="stable")[: 4 * most]
    order = order[score[order] > _WORTH]
    # of several marks on the same lines, the best speaks for all
    apart = np.abs(rects[order][:, None] - rects[order][None]).max(axis=2) < _SAME
    alike = np.abs(colours[order][:, None, 1] - colours[order][None, :, 1]) < _SAME_COLOUR
    doubled = np.triu(apart & alike, 1)
    chosen: list[int] = []
    gone = np.zeros(len(order), bool)
    for i in range(len(order)):
        if not gone[i]:
            chosen.append(int(order[i]))
            gone |= doubled[i]
            if len(chosen) == most:
                break
    return np.array(chosen, np.intp)


def sketch(
    green: NDArray[np.uint8],
    red: NDArray[np.uint8],
    rects: I32,
    colours: NDArray[np.float32],
    across: int,
) -> NDArray[np.bool_]:
    """Which rectangles have, on a few pixels of each side, lines all along or at both ends: a second cheap look."""
    if not len(rects):
        return np.zeros(0, bool)
    height, width = green.shape
    left, top, right, bottom = (rects[:, i, None].astype(np.int32) for i in range(4))
    share = (np.arange(_HALF) + 0.5) / _HALF

    def halves(first: I32, last: I32) -> I32:
        reach = (last - first) / 2 - 7
        near = first + 5 + share * reach
        return np.concatenate([near, last - (near - first)], axis=1).astype(np.int32)

    xs, ys = halves(left, right), halves(top, bottom)
    place = np.concatenate([top * width + xs, bottom * width + xs, ys * width + left, ys * width + right], axis=1)
    step = np.repeat(np.array([width, 1], np.int32), 4 * _HALF)[None]
    last = height * width - 1
    g, r = green.reshape(-1), red.reshape(-1)
    wanted = colours[:, 1, None].astype(np.int16), colours[:, 2, None].astype(np.int16)
    at = np.clip(np.stack([place - step, place, place + step]), 0, last)
    gap = np.maximum(np.abs(g[at] - wanted[0]), np.abs(r[at] - wanted[1]) * 5 // 8).min(axis=0)
    beside = np.clip(np.stack([place - across * step, place + across * step]), 0, last)
    stands = np.maximum(np.abs(g[beside] - wanted[0]), np.abs(r[beside] - wanted[1])).min(axis=0)
    tell = np.clip((stands - 6) / 16.0, 0.0, 1.0)
    state = np.where(gap < np.maximum(0.6 * stands, 10), tell, -tell).reshape(len(rects), 8, _HALF)
    total = np.abs(state).sum(axis=(1, 2)) + 1e-6
    # lines as far as the n-th of the places from the corner, and none from there on; all along is one case
    ahead = np.cumsum(np.concatenate([np.zeros((len(rects), 1)), state.sum(axis=1)], axis=1), axis=1)
    fit = ((2 * ahead - ahead[:, -1:])[:, 1:]).max(axis=1) / total
    return fit > _SKETCHED


_HALF = 12
"""Places looked at on each half of a side."""
_SKETCHED = 0.52
"""Least fit, -1 to 1, that is worth a close look."""
_BEYOND = np.array([side * 6 + end for side in range(4) for end in (4, 5)])
_ON = np.setdiff1d(np.arange(24), _BEYOND)
_RUN_ON = 3
"""Lines that may run on beyond their corners before the close look."""
_ARM = 36
"""Green levels by which an arm may differ from its corner."""
_ALIKE = 11
"""How many of the 16 pixels looked at must be like the corner."""
_WORTH = 16 * 11.0
"""Least sum of contrasts that is worth a close look."""
_SAME = 5
"""Pixels within which all four sides of two rectangles are the same lines."""
_SAME_COLOUR = 30
