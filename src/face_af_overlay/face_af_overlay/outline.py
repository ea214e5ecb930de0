"""Whether a proposed rectangle is an AF box: its four sides looked at closely.

Each side is cut out as a strip along the proposed line. Across the strip the picture is explained
as background mixed with the line's colour; how much of the line is in each pixel gives the exact
place and thickness of the line, and for each place along it whether a line is seen there, is missing,
or cannot be told because the background has the same colour. A box is closed all round, or has arms of
one length at its four corners and nothing between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from .params import ShapeParams

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


class Flaw(Enum):
    """Why a rectangle is no AF box."""

    ASPECT = "aspect"
    EDGE_MARGIN = "edge margin"
    FILLED = "filled"
    THICK = "thick line"
    BROKEN = "broken side"
    FAINT = "faint"
    EXTENDED = "lines run on"
    GRID = "grid"
    COLOUR = "colour"
    WEAK = "low confidence"


@dataclass(frozen=True)
class Outline:
    """A verified outline. ``colour``: what was drawn, as Y, Cr, Cb; ``agreement`` and ``visible``: 0 to 1."""

    box: Box
    line: float
    colour: tuple[float, float, float]
    agreement: float
    visible: float
    closed: bool


@dataclass(frozen=True)
class Rejection:
    """A rectangle that was looked at and found not to be a box."""

    box: Box
    flaw: Flaw
    detail: str = ""


REACH = 12
"""Pixels looked at on either side of a line."""


def examine(
    bgr: U8, rect: tuple[int, int, int, int], colour: F32, shape: ShapeParams, scale: float
) -> Outline | Rejection:
    """Looks at the rectangle ``rect`` (left, top, right, bottom inside the lines, pixels of ``bgr``).

    ``colour``: the lines' supposed colour, BGR; ``scale``: height of the picture over 1080.
    """
    left, top, right, bottom = rect
    rough = Box(left - 1, top - 1, right - left + 3, bottom - top + 3)
    height, width = bgr.shape[:2]
    m = REACH
    if left < m or top < m or right >= width - m or bottom >= height - m:
        return Rejection(rough, Flaw.EDGE_MARGIN)
    ycc = _to_ycc(colour)
    window = bgr[top - m : bottom + m + 1, left - m : right + m + 1]
    tall, wide = window.shape[:2]
    n = 2 * m + 1
    sides = [
        _strip(window[:n]),
        _strip(window[tall - n :]),
        _strip(window[:, :n].transpose(1, 0, 2)),
        _strip(window[:, wide - n :].transpose(1, 0, 2)),
    ]
    looks = [_look(strip, ycc, flipped) for strip, flipped in zip(sides, (False, True, False, True))]
    seen = [look for look in looks if look is not None]
    if len(seen) < 2:
        return Rejection(rough, Flaw.FAINT)
    thickness = float(np.median([look.thickness for look in seen]))
    if thickness > shape.max_line * scale + 0.7:
        return Rejection(rough, Flaw.THICK, f"{thickness:.1f} px")
    # outer edges in the picture; a side that cannot be placed lies where its corners say
    outer = [(look.outer if look is not None else m - (thickness - 1) / 2) for look in looks]
    y0, x0 = top - m + outer[0], left - m + outer[2]
    y1, x1 = bottom + m + 1 - outer[1], right + m + 1 - outer[3]
    box = Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))
    states = []
    for number, look in enumerate(looks):
        if look is None:
            states.append(np.zeros(sides[number].shape[1], np.int8))
        else:
            states.append(look.state)
    # along each strip: what lies between the outer edges, and what lies beyond
    spans = []
    extended = 0
    for number, state in enumerate(states):
        near, far = (outer[2], outer[3]) if number < 2 else (outer[0], outer[1])
        i0, i1 = int(round(near)), int(round(len(state) - far))
        spans.append(state[i0:i1])
        for beyond in (state[max(0, i0 - 8) : i0 - 2], state[i1 + 2 : i1 + 8]):
            extended += bool(np.count_nonzero(beyond > 0) >= 4)
    if extended > shape.max_extended:
        return Rejection(box, Flaw.EXTENDED, f"{extended} of 8")
    across = _arms(spans[0], spans[1])
    down = _arms(spans[2], spans[3])
    agreement = min(across.agreement, down.agreement)
    visible = min(across.visible, down.visible)
    if across.closed != down.closed:
        # a short gap may be taken for none: judge both as closed, both as brackets, and keep the better
        a = min(_closed(spans[0], spans[1]).agreement, _closed(spans[2], spans[3]).agreement)
        agreement = max(a, 0.0)
        closed = True
    else:
        closed = across.closed
    if agreement < shape.min_agreement:
        return Rejection(box, Flaw.BROKEN, f"agreement {agreement:.2f}")
    if visible < shape.min_visible:
        return Rejection(box, Flaw.FAINT, f"visible {visible:.2f}")
    weights = np.array([look.weight for look in seen])
    colours = np.array([look.colour for look in seen])
    drawn = (colours * weights[:, None]).sum(axis=0) / weights.sum()
    return Outline(box, thickness, tuple(float(v) for v in drawn), agreement, visible, closed)


@dataclass(frozen=True)
class _Look:
    outer: float
    """Outer edge of the line, pixels from the strip's outer border."""
    thickness: float
    state: NDArray[np.int8]
    """Along the strip: 1 a line is seen, -1 none is there, 0 cannot be told."""
    colour: F32
    weight: float


def _strip(pixels: U8) -> F32:
    """Rows across the line, columns along it; Y, Cr, Cb with the colour differences centred on 0."""
    ycc = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2YCrCb).astype(np.float32)
    ycc[..., 1:] -= 128
    return ycc


def _to_ycc(bgr: F32) -> F32:
    b, g, r = (float(v) for v in bgr)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return np.array([y, (r - y) * 0.713, (b - y) * 0.564], np.float32)


def _look(strip: F32, colour: F32, flipped: bool) -> _Look | None:
    """Finds the line in one side's strip; None when it does not stand out anywhere."""
    if flipped:
        strip = strip[::-1]
    m = REACH
    outer = strip[m - 7 : m - 4].mean(axis=0)
    inner = strip[m + 5 : m + 8].mean(axis=0)
    # share of the line's colour in each pixel, against the background interpolated across
    ramp = ((np.arange(m - 6, m + 7) - (m - 6)) / 12.0).astype(np.float32)[:, None, None]
    back = outer + (inner - outer) * ramp
    band = strip[m - 6 : m + 7]
    towards = colour - back
    strength = (towards * towards).sum(axis=2)
    share = ((band - back) * towards).sum(axis=2)
    ends = slice(m, strip.shape[1] - m)
    usable = strength.min(axis=0) > _TELLABLE**2
    inside = usable.copy()
    inside[: ends.start] = False
    inside[ends.stop :] = False
    if np.count_nonzero(inside) < 4:
        return None
    lit = share / np.maximum(strength, _TELLABLE**2)
    profile = np.minimum(lit[:, inside], 1.5)
    # the middle half of what is there, so that gaps between brackets do not count
    peaks = profile[4:9].max(axis=0)
    good = peaks > 0.5
    if np.count_nonzero(good) < 4:
        return None
    mean = np.median(profile[:, good], axis=1)
    centre = 3 + int(np.argmax(mean[3:10]))
    top = float(mean[centre])
    if top < 0.45:
        return None
    low = _crossing(mean[: centre + 1][::-1], top / 2)
    high = _crossing(mean[centre:], top / 2)
    thickness = low + high
    place = m - 6 + centre - low + 0.5
    # rows that belong to the line
    first, last = max(0, int(round(centre - low + 0.5))), min(12, int(round(centre + high - 0.5)))
    rows = slice(first, max(last, first) + 1)
    on = lit[rows].mean(axis=0) / max(top, 0.6)
    value = band[rows].mean(axis=0)
    mixed = back[rows].mean(axis=0) + np.clip(on, 0, 1.1)[:, None] * max(top, 0.6) * towards[rows].mean(axis=0)
    off = np.abs(value - mixed)
    near = (off[:, 0] < 26) & (off[:, 1:].max(axis=1) < 30)
    state = np.where((on > 0.55) & near, 1, -1).astype(np.int8)
    same = np.abs(value - colour)
    untold = ~usable & (same[:, 0] < 30) & (same[:, 1:].max(axis=1) < 24)
    state[~usable] = -1
    state[untold] = 0
    told = (state > 0) & inside
    if np.count_nonzero(told) < 3:
        return None
    drawn = np.median(value[told], axis=0)
    return _Look(place, thickness, state, drawn.astype(np.float32), float(np.count_nonzero(told)))


def _crossing(values: F32, level: float) -> float:
    """Distance from the first value to where the values fall below ``level``, in steps."""
    below = np.flatnonzero(values < level)
    if not len(below):
        return float(len(values))
    i = int(below[0])
    a, b = float(values[i - 1]), float(values[i])
    return i - 1 + (a - level) / max(a - b, 1e-6)


@dataclass(frozen=True)
class _Fit:
    agreement: float
    visible: float
    closed: bool
    arm: int


def _halves(one: NDArray[np.int8], other: NDArray[np.int8]) -> NDArray[np.int8]:
    half = len(one) // 2
    return np.stack([one[:half], one[::-1][:half], other[:half], other[::-1][:half]])


def _closed(one: NDArray[np.int8], other: NDArray[np.int8]) -> _Fit:
    arms = _halves(one, other)
    told = np.count_nonzero(arms)
    seen = np.count_nonzero(arms > 0)
    return _Fit(seen / max(told, 1), seen / max(arms.size, 1), True, arms.shape[1])


def _arms(one: NDArray[np.int8], other: NDArray[np.int8]) -> _Fit:
    """How well two opposite sides fit arms of one length at their four ends, and that length."""
    arms = _halves(one, other)
    half = arms.shape[1]
    if half < 5:
        return _Fit(0.0, 0.0, False, 0)
    total = arms.sum(axis=0, dtype=np.int32)
    gained = np.concatenate([[0], np.cumsum(total)])
    worth = gained - (gained[-1] - gained)
    arm = int(np.argmax(worth[4:])) + 4
    if arm >= 0.94 * half - 1:
        return _closed(one, other)
    on, off = arms[:, :arm], arms[:, arm:]
    told_on, told_off = np.count_nonzero(on), np.count_nonzero(off)
    good_on = np.count_nonzero(on > 0) / max(told_on, 1)
    good_off = np.count_nonzero(off < 0) / max(told_off, 1)
    return _Fit(min(good_on, good_off), np.count_nonzero(on > 0) / on.size, False, arm)


_TELLABLE = 11.0
"""Colour distance between line and background from which one can tell them apart, levels."""
