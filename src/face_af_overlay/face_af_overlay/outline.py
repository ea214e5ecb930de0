"""Whether a proposed rectangle is an AF box: its four sides looked at closely.

The picture along a side is explained as ``v = s b + (1 - s) c``: what is seen on the line (``v``) is the
line's colour ``c`` mixed with the background ``b`` on both sides of it, because lines are blended, blurred
and thinner than the colour resolution. ``s`` and ``c`` come from the arms behind the four corners, which
both styles have. A line is seen at a place where this explains the picture better than the background
does; it is missing where it does not; and it cannot be told where ``b`` and ``c`` are alike. A box is closed
all round, or has arms of one length at its four corners and nothing between them; its lines end at its
corners.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from .params import ShapeParams

F32 = NDArray[np.floating[Any]]
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
    ROUND = "no sharp corners"
    SIZE = "size"
    GRID = "grid"
    COLOUR = "colour"
    WEAK = "low confidence"


@dataclass(frozen=True)
class Outline:
    """A verified outline; ``agreement`` and ``visible``: 0 to 1."""

    box: Box
    line: float
    colour: tuple[float, float, float]
    """What was drawn: Y, and Cr and Cb centred on 0."""
    shown: tuple[float, float, float]
    """The same as the picture shows it, mixed with the background."""
    agreement: float
    visible: float
    closed: bool


@dataclass(frozen=True)
class Rejection:
    """A rectangle that was looked at and found not to be a box."""

    box: Box
    flaw: Flaw
    detail: str = ""


_REACH = 12
"""Pixels looked at on either side of a line."""
_ROWS = 2 * _REACH + 1
_BESIDE = 6
"""Distance from a line's middle at which its background is taken."""
_TELLABLE = 8.0
"""Distance between line and background from which one can tell them apart, levels."""


def examine(
    bgr: U8, rect: tuple[int, int, int, int], colour: F32, shape: ShapeParams, scale: float
) -> Outline | Rejection:
    """Looks at the rectangle ``rect`` (left, top, right, bottom inside the lines, pixels of ``bgr``).

    ``colour``: the lines' supposed colour, BGR; ``scale``: height of the picture over 1080.
    """
    left, top, right, bottom = rect
    rough = Box(left - 1, top - 1, right - left + 3, bottom - top + 3)
    window = _window(bgr, left, top, right, bottom)
    # two strips each, outermost row first
    across = np.concatenate([window[:_ROWS], window[: -_ROWS - 1 : -1]])
    down = np.asarray(
        cv2.transpose(np.concatenate([window[:, :_ROWS], window[:, : -_ROWS - 1 : -1]], axis=1)), np.uint8
    )
    supposed = _to_ycc(colour)
    pairs = [_Pair(across, supposed), _Pair(down, supposed)]
    thick = [t for pair in pairs for t in pair.thickness if t > 0]
    if len(thick) < 3:
        return Rejection(rough, Flaw.FAINT, f"{len(thick)} lines")
    thickness = float(_median(np.array(thick)))
    if thickness > min(shape.max_line * scale + 0.7, 0.23 * min(right - left, bottom - top) + 1.6):
        return Rejection(rough, Flaw.THICK, f"{thickness:.1f} px")
    edges = [
        edge if t > 0 else _REACH - (thickness - 1) / 2
        for pair in pairs
        for edge, t in zip(pair.outer, pair.thickness, strict=True)
    ]
    x0, y0 = left - _REACH + edges[2], top - _REACH + edges[0]
    x1, y1 = right + _REACH + 1 - edges[3], bottom + _REACH + 1 - edges[1]
    box = Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))
    for pair in pairs:
        pair.sample(thickness)
    # one mixture for either direction: colour is spread sideways more than up and down
    mixes = [_Mix(pair) for pair in pairs]
    if abs(mixes[0].typical[0] - mixes[1].typical[0]) > _UNLIKE:
        return Rejection(box, Flaw.BROKEN, "sides differ")
    for pair, mix, near, far in zip(pairs, mixes, (edges[2], edges[0]), (edges[3], edges[1]), strict=True):
        pair.compare(mix, thickness, round(near), round(pair.length - far))
    if sum(pair.cornered for pair in pairs) < 5:
        return Rejection(box, Flaw.ROUND, f"{sum(pair.cornered for pair in pairs)} of 8")
    extended = sum(pair.extended for pair in pairs)
    if extended > shape.max_extended:
        return Rejection(box, Flaw.EXTENDED, f"{extended} of 8")
    if pairs[0].divided(window, mixes[0]) or pairs[1].divided(window.transpose(1, 0, 2), mixes[1]):
        return Rejection(box, Flaw.GRID)
    fits = [pair.fit() for pair in pairs]
    if fits[0].closed != fits[1].closed:
        fits = [_closed(pair.halves()) for pair in pairs]
    agreement = min(fit.agreement for fit in fits)
    visible = min(fit.visible for fit in fits)
    if agreement < shape.min_agreement:
        return Rejection(box, Flaw.BROKEN, f"{agreement:.2f}")
    if visible < shape.min_visible:
        flaw = Flaw.FILLED if all(pair.filled for pair in pairs) else Flaw.FAINT
        return Rejection(box, flaw, f"{visible:.2f} visible")
    drawn, shown = _colours(pairs, mixes, thickness)
    return Outline(box, thickness, drawn, shown, agreement, visible, fits[0].closed)


def _window(bgr: U8, left: int, top: int, right: int, bottom: int) -> U8:
    """The rectangle with a margin; beyond the picture's edge its outermost pixels are repeated."""
    m = _REACH
    height, width = bgr.shape[:2]
    x0, y0, x1, y1 = left - m, top - m, right + m + 1, bottom + m + 1
    window = bgr[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        pads = max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0)
        window = np.asarray(cv2.copyMakeBorder(window, *pads, cv2.BORDER_REPLICATE), np.uint8)
    return window


class _Pair:
    """Two opposite sides as strips of equal length, each with its outermost row first."""

    def __init__(self, strips: U8, colour: F32) -> None:
        """``strips``: (2 x rows) x length x 3, BGR; ``colour``: Y, Cr, Cb."""
        self.ycc = cv2.cvtColor(strips, cv2.COLOR_BGR2YCrCb).reshape(2, _ROWS, -1, 3)
        self.length = strips.shape[1]
        # just behind the corners there is a line in either style
        first, last = _REACH + 3, self.length - _REACH - 3
        reach = min(5, max(2, (last - first) // 2))
        self.arms = np.r_[first : first + reach, last - reach : last]
        pixels = self.ycc[:, :, self.arms].astype(np.float32)
        self.middle = [_REACH, _REACH]
        self.thickness = [0.0, 0.0]
        self.outer = [0.0, 0.0]
        low = _REACH - 3
        rough = _largest(np.abs(pixels - colour)).sum(axis=2)
        for side in (0, 1):
            middle = low + int(np.argmin(rough[side, low : _REACH + 4]))
            own = _median(pixels[side, middle])
            profile = _largest(np.abs(pixels[side] - own)).sum(axis=1) / len(self.arms)
            floor = float(profile[middle])
            before = float(profile[middle - _BESIDE] + profile[middle - _BESIDE + 1]) / 2
            after = float(profile[middle + _BESIDE - 1] + profile[middle + _BESIDE]) / 2
            self.middle[side] = middle
            if min(before, after) - floor < _TELLABLE * 0.6:
                continue
            up = _crossing(profile[middle::-1], (floor + before) / 2)
            on = _crossing(profile[middle:], (floor + after) / 2)
            self.thickness[side] = up + on
            self.outer[side] = middle - up + 0.5
            self.middle[side] = min(max(round(middle + (on - up) / 2), low), _REACH + 3)

    def sample(self, thickness: float) -> None:
        """The picture on the lines and on both sides of them (2 x length x 3 each)."""
        half = max(0, round((thickness - 1) / 2 - 0.3))
        beside = _BESIDE if thickness < 5.6 else _BESIDE + 1
        shape = (2, self.length, 3)
        self.on, self.outside, self.inside = (np.empty(shape, np.float32) for _ in range(3))
        for side in (0, 1):
            k, strip = self.middle[side], self.ycc[side]
            np.add.reduce(strip[k - half : k + half + 1], axis=0, dtype=np.float32, out=self.on[side])
            np.add(strip[k - beside], strip[k - beside + 1], out=self.outside[side], dtype=np.float32)
            np.add(strip[k + beside - 1], strip[k + beside], out=self.inside[side], dtype=np.float32)
        self.on /= 2 * half + 1
        self.background = (self.outside + self.inside) / 4
        self.outside /= 2
        self.inside /= 2

    def compare(self, mix: _Mix, thickness: float, start: int, stop: int) -> None:
        """Says for each place along the lines whether one is seen; ``start`` to ``stop`` is between the corners."""
        expected = mix.mixed(self.background)
        sharp = _largest(np.abs(self.on - expected))
        off = cv2.blur(sharp, (3, 1))
        outer = _largest(np.abs(self.outside - expected))
        inner = _largest(np.abs(self.inside - expected))
        least = np.minimum(outer, inner)
        tell = np.clip((least - _TELLABLE) / 16.0, 0.0, 1.0)
        seen = off < np.minimum(0.5 * least, 44)
        # where the background is like the line, something else on it is no line either
        absent = np.where(off > 30, np.maximum(tell, 0.5), tell)
        self.state = np.where(seen, tell, -absent)
        self.seen = seen & (tell > 0.2)
        corner = math.ceil(thickness + 1.3)
        self.start, self.stop = start + corner, stop - corner
        self.extended = 0
        for side in (0, 1):
            for beyond in (slice(max(0, start - 8), start - 2), slice(stop + 2, stop + 8)):
                self.extended += bool(np.count_nonzero(self.seen[side, beyond]) >= 4)
        # the lines' colour reaches right into the corners
        reach = max(1, round(thickness))
        self.cornered = 0
        for side in (0, 1):
            for block in (slice(start, start + reach), slice(stop - reach, stop)):
                if block.stop > block.start:
                    gap = float(sharp[side, block].sum()) / reach
                    self.cornered += gap < 48 and gap < 0.6 * float(outer[side, block].sum()) / reach + 8
        # where a line leaves a side inwards, and where it does so without crossing it
        self._inwards = (inner < 0.45 * np.maximum(least, outer)) & (off < 40)
        self._ends = self._inwards & (outer > 16)
        self.filled = np.count_nonzero(inner[:, start:stop] < 12) > 1.2 * (stop - start)

    def divided(self, window: U8, mix: _Mix) -> bool:
        """Whether a line like the sides runs from one side to the other and ends there, as in a grid.

        ``window``: the rectangle with its margin (BGR), this pair's lines running along its second axis.
        """
        both = self._inwards[0] & self._inwards[1] & (self._ends[0] | self._ends[1])
        tall = window.shape[0]
        for first, last in _short_runs(both, self.start + 2, self.stop - 2):
            rows = np.linspace(_REACH + 8, tall - _REACH - 9, 9).astype(int)
            middle = (first + last) // 2
            columns = np.array([middle - _BESIDE, middle, middle + _BESIDE])
            pixels = cv2.cvtColor(window[rows[:, None], columns], cv2.COLOR_BGR2YCrCb).astype(np.float32)
            gap = np.abs(pixels[:, 1] - mix.typical).max(axis=1)
            stands = np.abs(pixels[:, ::2] - pixels[:, 1:2]).max(axis=2).min(axis=1)
            if np.count_nonzero((gap < 40) & (stands > _TELLABLE)) >= 7:
                return True
        return False

    def halves(self) -> F32:
        """The four arms' halves of the sides, each from its corner to the middle (4 x half the length)."""
        one, other = self.state[:, self.start : self.stop]
        half = len(one) // 2
        return np.stack([one[:half], one[::-1][:half], other[:half], other[::-1][:half]])

    def fit(self) -> _Fit:
        return _fit(self.halves())


class _Mix:
    """``v = s b + (1 - s) c`` for each of Y, Cr and Cb, fitted to the arms behind the corners."""

    def __init__(self, pair: _Pair) -> None:
        v = pair.on[:, pair.arms].reshape(-1, 3)
        b = pair.background[:, pair.arms].reshape(-1, 3)
        centre_v, centre_b = _median(v), _median(b)
        slope = self._slope(v - centre_v, b - centre_b, np.ones_like(v))
        rest = np.abs(v - centre_v - slope * (b - centre_b))
        slope = self._slope(v - centre_v, b - centre_b, (rest < 2.5 * _median(rest) + 4).astype(np.float32))
        self.slope = slope
        self.level = _median(v - slope * b)
        self.typical = centre_v
        """The usual colour on the lines."""

    @staticmethod
    def _slope(v: F32, b: F32, weight: F32) -> F32:
        # the constant draws the slope to nothing where the background is too even to tell
        slope = (weight * v * b).sum(axis=0) / ((weight * b * b).sum(axis=0) + len(v) * 60.0)
        return np.clip(slope, 0.0, _MOST_MIXED)

    def mixed(self, background: F32) -> F32:
        return self.slope * background + self.level


_MOST_MIXED = np.array([0.55, 0.75, 0.75], np.float32)


_Colour = tuple[float, float, float]


def _colours(pairs: list[_Pair], mixes: list[_Mix], thickness: float) -> tuple[_Colour, _Colour]:
    """The colour that was drawn, and the one that shows (Y, Cr, Cb, the differences centred on 0).

    Colour is spread over more pixels than brightness, and both over more than the line: what the
    background does not explain is summed across the line and taken to be the line's, thin as it is.
    """
    drawn, shown = [], []
    for pair in pairs:
        for side in (0, 1):
            along = np.flatnonzero(pair.seen[side, pair.start : pair.stop]) + pair.start
            if not len(along):
                continue
            k = pair.middle[side]
            rows = pair.ycc[side, max(0, k - 4) : k + 5, along].astype(np.float32)
            back = pair.background[side, along]
            excess = (rows - back[:, None]).sum(axis=1) / thickness
            peak = pair.on[side, along] - back
            # what a thin line lost to blur has gone to its neighbours, and made it look thicker than it is
            gain = excess[:, 0] / np.where(np.abs(peak[:, 0]) < 1, 1.0, peak[:, 0])
            spread = float(_median(gain))
            if 1.0 < spread < 1.3 and thickness < 3.6:
                gain *= thickness / max(thickness - 3.0 * (spread - 1.0), 1.5)
            excess[:, 0] = peak[:, 0] * np.where((gain > 1.0) & (gain < 1.6), gain, 1.0)
            drawn.append(back + excess)
            shown.append(back + peak)
    y, cr, cb = _median(np.concatenate(drawn))
    sy, scr, scb = _median(np.concatenate(shown))
    for mix in mixes:
        unmixed = mix.level[0] / (1.0 - mix.slope[0])
        if mix.slope[0] > 0.12 and unmixed > mix.typical[0]:
            y = max(y, unmixed)
    return (float(min(y, 255.0)), float(cr) - 128, float(cb) - 128), (float(sy), float(scr) - 128, float(scb) - 128)


_UNLIKE = 50.0
"""Brightness by which upright and level lines of one box may differ, levels."""


def _to_ycc(bgr: F32) -> F32:
    b, g, r = (float(v) for v in bgr)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return np.array([y, (r - y) * 0.713 + 128, (b - y) * 0.564 + 128], np.float32)


def _median(values: F32) -> F32:
    """The (upper) median along the first axis; for few values much quicker than NumPy's."""
    return np.sort(values, axis=0)[len(values) // 2]


def _largest(values: F32) -> F32:
    """The largest of three channels, the last axis; much quicker than a reduction along so short an axis."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])


def _crossing(values: F32, level: float) -> float:
    """Distance from the first value to where the values rise above ``level``, in steps."""
    above = np.flatnonzero(values > level)
    if not len(above):
        return float(len(values))
    i = int(above[0])
    if i == 0:
        return 0.0
    a, b = float(values[i - 1]), float(values[i])
    return i - 1 + (level - a) / max(b - a, 1e-6)


def _short_runs(marks: NDArray[np.bool_], start: int, stop: int) -> list[tuple[int, int]]:
    """First and last index of each run of 2 to 9 marks between ``start`` and ``stop``."""
    start, stop = max(start, 0), max(stop, 0)
    part = marks[start:stop]
    if not part.any():
        return []
    steps = np.diff(np.concatenate([[False], part, [False]]).astype(np.int8))
    firsts, lasts = np.flatnonzero(steps > 0) + start, np.flatnonzero(steps < 0) + start - 1
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True) if 2 <= b - a + 1 <= 9]


@dataclass(frozen=True)
class _Fit:
    agreement: float
    visible: float
    closed: bool
    arm: int


def _closed(arms: F32) -> _Fit:
    seen = float(np.maximum(arms, 0).sum())
    told = float(np.abs(arms).sum())
    return _Fit(seen / max(told, 1e-6), seen / max(arms.size, 1), True, arms.shape[1])


def _fit(arms: F32) -> _Fit:
    """How well two opposite sides fit a closed box, or arms of one length at their four ends."""
    half = arms.shape[1]
    closed = _closed(arms)
    if half < 5:
        return closed
    total = arms.sum(axis=0)
    gained = np.concatenate([[0.0], np.cumsum(total)])
    worth = 2 * gained - gained[-1]
    least = 2
    arm = int(np.argmax(worth[least:])) + least
    if arm >= 0.94 * half - 1:
        return closed
    on, off = arms[:, :arm], arms[:, arm:]
    seen, missing = float(np.maximum(on, 0).sum()), float(np.maximum(-off, 0).sum())
    good_on = seen / max(float(np.abs(on).sum()), 1e-6)
    good_off = missing / max(float(np.abs(off).sum()), 1e-6) if off.any() else 1.0
    brackets = _Fit(min(good_on, good_off), seen / on.size, False, arm)
    return closed if closed.agreement >= brackets.agreement else brackets
