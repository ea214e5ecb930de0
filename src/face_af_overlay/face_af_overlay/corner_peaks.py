"""Places where a level thin line and an upright one make a corner, the strongest of each neighbourhood.

A corner is where one line goes off level and another upright, both are even and of like brightness, and neither runs
on. See :mod:`thin_lines` for the planes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .byte_arithmetic import difference, larger, less, smaller
from .compiled import compiled

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]


@compiled
def corners(
    g: U8,
    level: U8,
    upright: U8,
    step: int,
    arm: int,
    on: int,
    further: int,
    least: int,
    ring: U8,
    rows: U8,
    found: I32,
) -> int:
    """Writes the strongest corners of each neighbourhood into ``found`` and returns how many.

    ``ring`` keeps the strengths (4 kinds, and the strongest of them) of the last eight rows.
    """
    height = g.shape[0] // step
    margin = (max(arm + 2, further) + step - 1) // step
    near = 2 // step
    ring[:] = 0
    count = 0
    for j in range(margin, height - margin + near):
        if j < height - margin:
            _strengths(g, level, upright, step, (arm, on, further), least - 1, margin, j, ring, rows)
        else:
            ring[:, j & 7] = 0
        if j - near >= margin:
            count = _peaks(ring, j - near, near, margin, step, least - 1, found, count)
    return count


@compiled
def _strengths(
    g: U8,
    level: U8,
    upright: U8,
    step: int,
    reach: tuple[int, int, int],
    cut: int,
    m: int,
    j: int,
    ring: U8,
    rows: U8,
) -> None:
    """Writes the strengths above ``cut`` of the corners in row ``j`` into ``ring``; ``m``: columns left out."""
    arm, on, further = reach
    mid, last = arm + 1, arm + 2
    inner = g.shape[1] // step - 2 * m
    right, left, down, up = rows[0, :inner], rows[1, :inner], rows[2, :inner], rows[3, :inner]
    slot, y = j & 7, j * step
    lev, gy = level[j], g[y]
    _arms(
        right,
        _from(lev, m, arm, step), _from(lev, m, mid, step), _from(lev, m, last, step),
        _from(gy, m, arm, step), _from(gy, m, last, step),
        _from(lev, m, -on, step), _from(lev, m, -further, step),
    )  # fmt: skip
    _arms(
        left,
        _from(lev, m, -arm, step), _from(lev, m, -mid, step), _from(lev, m, -last, step),
        _from(gy, m, -arm, step), _from(gy, m, -last, step),
        _from(lev, m, on, step), _from(lev, m, further, step),
    )  # fmt: skip
    _arms(
        down,
        upright[y + arm, m:], upright[y + mid, m:], upright[y + last, m:],
        g[y + arm, m:], g[y + last, m:],
        upright[y - on, m:], upright[y - further, m:],
    )  # fmt: skip
    _arms(
        up,
        upright[y - arm, m:], upright[y - mid, m:], upright[y - last, m:],
        g[y - arm, m:], g[y - last, m:],
        upright[y + on, m:], upright[y + further, m:],
    )  # fmt: skip
    to_right, to_left, below, above = (
        _from(gy, m, mid, step), _from(gy, m, -mid, step), g[y + mid, m:], g[y - mid, m:]
    )  # fmt: skip
    _meet(ring[0, slot, 2:], right, down, to_right, below, cut)
    _meet(ring[1, slot, 2:], left, down, to_left, below, cut)
    _meet(ring[2, slot, 2:], right, up, to_right, above, cut)
    _meet(ring[3, slot, 2:], left, up, to_left, above, cut)
    _strongest(ring[4, slot], ring[0, slot], ring[1, slot], ring[2, slot], ring[3, slot])


@compiled
def _peaks(ring: U8, row: int, near: int, m: int, step: int, cut: int, found: I32, count: int) -> int:
    """Adds the peaks of one row to ``found``, which has ``count``; how many there are then."""
    strongest = ring[4, row & 7]
    words = strongest.view(np.uint64)
    for i in range(words.shape[0]):
        if words[i] == 0:
            continue
        for x in range(i * 8, i * 8 + 8):
            if strongest[x] == 0:
                continue
            for kind in range(4):
                strength = ring[kind, row & 7, x]
                if strength and count < found.shape[0] and _is_peak(ring, kind, row, x, near):
                    found[count, 0] = (x - 2 + m) * step
                    found[count, 1] = row * step
                    found[count, 2] = kind
                    found[count, 3] = strength + cut
                    count += 1
    return count


@compiled
def _is_peak(ring: U8, kind: int, row: int, x: int, near: int) -> bool:
    """Whether no corner of that kind around is stronger; of several equal ones the first is the peak."""
    strength = ring[kind, row & 7, x]
    for dy in range(-near, near + 1):
        other = ring[kind, (row + dy) & 7]
        for xx in range(x - near, x + near + 1):
            if other[xx] > strength or (other[xx] == strength and (dy < 0 or (dy == 0 and xx < x))):
                return False
    return True


@compiled
def _arms(out: U8, one: U8, two: U8, three: U8, first: U8, last: U8, on: U8, further: U8) -> None:
    """Strength of a line on three places, less its unevenness in brightness and less what runs on beyond the corner."""
    for x in range(out.shape[0]):
        strength = smaller(smaller(one[x], two[x]), three[x])
        strength = less(strength, less(difference(first[x], last[x]), strength))
        out[x] = less(strength, smaller(on[x], further[x]))


@compiled
def _meet(out: U8, level: U8, upright: U8, one: U8, other: U8, cut: int) -> None:
    """Strength of corners above ``cut``: the weaker arm, less the difference in brightness between the two."""
    floor = np.uint8(cut)
    for x in range(level.shape[0]):
        strength = smaller(level[x], upright[x])
        out[x] = less(less(strength, less(difference(one[x], other[x]), strength)), floor)


@compiled
def _strongest(out: U8, a: U8, b: U8, c: U8, d: U8) -> None:
    for x in range(out.shape[0]):
        out[x] = larger(larger(a[x], b[x]), larger(c[x], d[x]))


@compiled
def _from(row: U8, start: int, offset: int, step: int) -> U8:
    """A parted row from column ``start * step + offset`` on, every ``step``-th."""
    if step == 1:
        return row[start + offset :]
    if offset & 1:
        return row[row.shape[0] // 2 + start + (offset - 1) // 2 :]
    return row[start + offset // 2 :]
