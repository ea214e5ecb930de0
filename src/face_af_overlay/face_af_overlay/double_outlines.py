"""Boxes that are drawn as two outlines around one another: which of them is the AF box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from . import measure as m


def around(one: Box, other: Box, scale: float) -> bool:
    """Whether one is drawn around the other, at the same distance on all sides: a box with two outlines."""
    gaps = (other.x - one.x, other.y - one.y, one.right - other.right, one.bottom - other.bottom)
    if gaps[0] < 0:
        gaps = (-gaps[0], -gaps[1], -gaps[2], -gaps[3])
    near, far = _APART[0] * scale, _APART[1] * scale
    return near < min(gaps) and max(gaps) < far and max(gaps) - min(gaps) < near


def outdoes(box: Box, line: float, rival: Box, other: float, scale: float) -> bool:
    """Whether ``box`` is the AF box of two outlines around one another: the inner one, unless it is much thinner.

    ``line``, ``other``: the thickness of their lines, pixels.
    """
    if not around(box, rival, scale):
        return False
    thicker = _THICKER * min(scale, 1.0)
    inside = box.width < rival.width
    return bool(line > other - thicker) if inside else bool(line > other + thicker)


def between_two(boxes: Sequence[Box], shapes: NDArray[np.float32], scale: float) -> NDArray[np.bool_]:
    """Which of the outlines are only the ground between two others of one colour: it looks like a line as well.

    ``shapes``: N x COLUMNS, of ``boxes``; see :mod:`face_af_overlay.measure`.
    """
    found = np.zeros(len(boxes), bool)
    if len(boxes) < 3:
        return found
    outer = np.array([(box.x, box.y, -box.right, -box.bottom) for box in boxes])
    inner = outer + shapes[:, m.LINE, None]
    colours = shapes[:, m.COLOURS : m.COLOURS + 3]
    meets = np.abs(inner[:, None] - outer[None]).max(axis=2) < _MEETS * max(scale, 1.0)
    # thinner ones would meet themselves
    for i in np.flatnonzero(shapes[:, m.LINE] > _APART[0] * scale):
        within, without = np.flatnonzero(meets[i]), np.flatnonzero(meets[:, i])
        apart = np.abs(colours[within][:, None] - colours[without][None]).max(axis=2, initial=0.0)
        found[i] = bool((apart < _ALIKE).any())
    return found


_APART = 3.0, 14.0
"""Pixels between two outlines of one box, at least and at most."""
_THICKER = 0.8
"""Pixels by which the outer one must be thicker than the inner one, to be the box."""
_MEETS = 1.5
"""Pixels by which the edges of two lines that touch may seem apart."""
_ALIKE = 40.0
"""Levels (of Y, Cr and Cb) by which two outlines of one box may differ."""
