"""Corners of thin outlines, found in the whole frame with whole-plane 8-bit arithmetic.

A corner is a pixel with a thin line to one side of it and a thin line above or below it, both like
itself, and with something else on the two other sides. A line is thin where a pixel is brighter, or
darker, than both pixels a few steps across, in green or in red: gray lines on skin, whose brightness
is the same, still differ in red. Nothing here depends on what colour a box should have.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
Index = NDArray[np.intp]

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = range(4)


@dataclass(frozen=True)
class Corners:
    """``x``, ``y``: a pixel inside the lines' crossing (int32); ``bgr``: its colour (N x 3 int16), for each kind."""

    x: tuple[NDArray[np.int32], ...]
    y: tuple[NDArray[np.int32], ...]
    bgr: tuple[NDArray[np.int16], ...]

    def __len__(self) -> int:
        return sum(len(x) for x in self.x)


class CornerFinder:
    """Keeps its planes between frames of one size, because fresh memory costs more than the arithmetic."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._across = 0
        self._planes: dict[str, U8] = {}

    def find(self, bgr: U8, line: int, along: int, across: int, limit: int) -> Corners:
        """Corners in ``bgr`` (H x W x 3 uint8), at most ``limit`` of each kind, best contrast first.

        ``line``: least difference across; ``along``: greatest difference along (both in levels);
        ``across``: steps to the pixels beside the line, more than its thickness.
        """
        height, width = bgr.shape[:2]
        if min(height, width) < 4 * across:
            none = np.zeros(0, np.int32)
            return Corners((none,) * 4, (none,) * 4, (np.zeros((0, 3), np.int16),) * 4)
        if (height, width, across) != (*self._shape, self._across):
            self._allocate(height, width, across)
        flags = self._flags(bgr, line, along)
        return self._collect(bgr, flags, line, limit)

    @property
    def green(self) -> U8:
        """The green plane of the picture last looked at."""
        return self._planes["green"]

    @property
    def red(self) -> U8:
        """The red plane of the picture last looked at."""
        return self._planes["red"]

    def _allocate(self, height: int, width: int, across: int) -> None:
        self._shape, self._across = (height, width), across
        self._planes = {name: np.zeros((height, width), np.uint8) for name in _KEPT}
        rows = min(height, _STRIP + 2 * (across + 2))
        self._scratch = [{name: np.zeros((rows, width), np.uint8) for name in _PASSING} for _ in range(2)]
        stride = (width + 7) // 8 * 8
        self._flag_rows = np.zeros((height, stride), np.uint8)

    def _flags(self, bgr: U8, line: int, along: int) -> U8:
        """A plane with one bit for each kind of corner.

        Strip by strip, so that what passes stays in the processor's cache, the lower half in a second thread.
        """
        height, margin = self._shape[0], self._across + 2
        tops = list(range(margin, height - margin, _STRIP))
        half = len(tops) // 2
        below = _HELPER.submit(self._strips, bgr, tops[half:], line, along, self._scratch[1])
        self._strips(bgr, tops[:half], line, along, self._scratch[0])
        below.result()
        return self._flag_rows

    def _strips(self, bgr: U8, tops: list[int], line: int, along: int, scratch: dict[str, U8]) -> None:
        margin = self._across + 2
        for top in tops:
            rows = slice(top - margin, min(top + _STRIP, self._shape[0] - margin) + margin)
            count = rows.stop - rows.start
            planes = {name: plane[rows] for name, plane in self._planes.items()}
            planes |= {name: plane[:count] for name, plane in scratch.items()}
            cv2.split(bgr[rows], [planes["blue"], planes["green"], planes["red"]])
            self._mark(planes, line, along, self._flag_rows[rows])

    def _mark(self, p: dict[str, U8], line: int, along: int, marks: U8) -> None:
        """Marks the corners of one strip in ``marks``, but for a margin of ``across`` and two pixels."""
        d = self._across
        arm = max(3, d - 2)
        height, width = p["green"].shape
        self._arms(p, line, along, arm, vertical=True)
        self._arms(p, line, along, arm, vertical=False)
        m = d + 2
        core = np.s_[m : height - m, m : width - m]
        right, left, down, up = (p[name][core] for name in ("rise_h", "fall_h", "rise_v", "fall_v"))
        # nothing like it on the other side of the corner
        for arms, steps, back in (
            (right, "dx", (0, d)),
            (left, "dx", (0, 0)),
            (down, "dy", (d, 0)),
            (up, "dy", (0, 0)),
        ):
            y, x = m - back[0], m - back[1]
            cv2.bitwise_and(arms, p[steps][y : y + height - 2 * m, x : x + width - 2 * m], dst=arms)
        flags, bit = marks[core], p["t0_h"][core]
        for kind, (one, other) in enumerate(((right, down), (left, down), (right, up), (left, up))):
            cv2.bitwise_and(one, other, dst=bit)
            if kind == 0:
                cv2.threshold(bit, 0, 1, cv2.THRESH_BINARY, dst=flags)
            else:
                cv2.threshold(bit, 0, 1 << kind, cv2.THRESH_BINARY, dst=bit)
                cv2.bitwise_or(flags, bit, dst=flags)

    def _arms(self, p: dict[str, U8], line: int, along: int, arm: int, *, vertical: bool) -> None:
        """Marks pixels with an arm ahead (into ``rise_*``) or behind (``fall_*``): thin and like the pixel."""
        height, width = p["green"].shape
        self._lines(p, line, vertical=vertical)
        self._alike(p, along, arm, vertical=vertical)
        way = "v" if vertical else "h"
        lines, alike = (p["v"], p["sy"]) if vertical else (p["h"], p["sx"])
        m = self._across + 2

        def at(plane: U8, by: int) -> U8:
            y, x = (by, 0) if vertical else (0, by)
            return plane[m + y : height - m + y, m + x : width - m + x]

        for name, line_at, alike_at in (("rise", arm, 0), ("fall", -arm, -arm)):
            cv2.bitwise_and(at(lines, line_at), at(alike, alike_at), dst=at(p[f"{name}_{way}"], 0))

    def _lines(self, p: dict[str, U8], line: int, *, vertical: bool) -> None:
        """Thin lines (cut short by a pixel at their ends) into ``h`` or ``v``, steps across them into ``dy`` or ``dx``.

        How much brighter, or darker, than both sides each pixel is goes into ``bright_*`` and ``dark_*``.
        """
        d = self._across
        height, width = p["green"].shape
        way = "v" if vertical else "h"
        ahead: Any
        behind: Any
        mid: Any
        first: Any
        last: Any
        if vertical:
            ahead, behind = np.s_[:, d:], np.s_[:, :-d]
            mid, first, last = np.s_[:, d:-d], np.s_[:, : width - 2 * d], np.s_[:, d : width - d]
            lines, steps, bright, dark = p["v"], p["dx"], p["bright_v"], p["dark_v"]
        else:
            ahead, behind = np.s_[d:], np.s_[:-d]
            mid, first, last = np.s_[d:-d], np.s_[: height - 2 * d], np.s_[d : height - d]
            lines, steps, bright, dark = p["h"], p["dy"], p["bright_h"], p["dark_h"]
        rise, fall, least, step = (p[f"{name}_{way}"] for name in ("rise", "fall", "t0", "t1"))
        step = step[behind]
        for plane in (p["green"], p["red"]):
            cv2.subtract(plane[ahead], plane[behind], dst=rise[behind])
            cv2.subtract(plane[behind], plane[ahead], dst=fall[behind])
            if plane is p["green"]:
                cv2.max(rise[behind], fall[behind], dst=step)
                cv2.min(rise[first], fall[last], dst=bright[mid])
                cv2.min(fall[first], rise[last], dst=dark[mid])
                continue
            cv2.max(step, rise[behind], dst=step)
            cv2.max(step, fall[behind], dst=step)
            cv2.min(rise[first], fall[last], dst=least[mid])
            cv2.max(bright[mid], least[mid], dst=bright[mid])
            cv2.min(fall[first], rise[last], dst=least[mid])
            cv2.max(dark[mid], least[mid], dst=dark[mid])
        cv2.threshold(step, line - 1, 255, cv2.THRESH_BINARY, dst=steps[behind])
        cv2.max(bright[mid], dark[mid], dst=least[mid])
        cv2.threshold(least[mid], line - 1, 255, cv2.THRESH_BINARY, dst=least[mid])
        cv2.erode(least[mid], _THREE_DOWN if vertical else _THREE_ACROSS, dst=lines[mid])

    def _alike(self, p: dict[str, U8], along: int, arm: int, *, vertical: bool) -> None:
        """Marks pixels that are like the one ``arm`` steps on, into ``sx`` or ``sy``; a strong line may differ more."""
        ahead: Any
        behind: Any
        if vertical:
            ahead, behind, alike, bright, dark = np.s_[arm:], np.s_[:-arm], p["sy"], p["bright_v"], p["dark_v"]
        else:
            ahead, behind, alike, bright, dark = np.s_[:, arm:], np.s_[:, :-arm], p["sx"], p["bright_h"], p["dark_h"]
        way = "v" if vertical else "h"
        green, gap, strength = p["green"], p[f"t0_{way}"][behind], p[f"t1_{way}"][behind]
        cv2.absdiff(green[ahead], green[behind], dst=gap)
        cv2.max(bright[ahead], bright[behind], dst=strength)
        cv2.max(strength, dark[ahead], dst=strength)
        cv2.max(strength, dark[behind], dst=strength)
        cv2.addWeighted(gap, 1.0, strength, -_GIVE, 0.0, dst=gap)
        cv2.threshold(gap, along, 255, cv2.THRESH_BINARY_INV, dst=alike[behind])

    def _collect(self, bgr: U8, flags: U8, line: int, limit: int) -> Corners:
        """One pixel of each connected bit of corner, and its colour."""
        words = np.flatnonzero(flags.reshape(-1).view(np.uint64) != 0)
        octets = flags.reshape(-1, 8)[words]
        row, column = np.nonzero(octets)
        index = words[row] * 8 + column
        stride = flags.shape[1]
        flat = flags.reshape(-1)
        values = flat[index]
        # of each blob the first pixel in reading order stands for it
        before = flat[index - 1] | flat[index - stride] | flat[index - stride - 1] | flat[index - stride + 1]
        fresh = values & ~before
        marks = [index[fresh & (1 << kind) > 0] for kind in range(4)]
        at = np.concatenate(marks)
        kind = np.repeat(np.arange(4), [len(mark) for mark in marks])
        # a drawn corner marks a block of pixels, chance a single one
        block = flat[at[:, None] + (np.arange(3)[:, None] * stride + np.arange(-1, 3)).reshape(-1)]
        keep = np.count_nonzero(block & (1 << kind).astype(np.uint8)[:, None], axis=1) > 2
        at, kind = at[keep], kind[keep]
        y, x = np.divmod(at, stride)
        bright, dark = self._middle(x, y, kind, "bright"), self._middle(x, y, kind, "dark")
        found = [_crossed(level, upright, line) for level in (bright, dark) for upright in (bright, dark)]
        both_bright, bright_dark, dark_bright, both_dark = found
        same = (np.abs(both_bright[0] - both_dark[0]) <= 1) & (np.abs(both_bright[1] - both_dark[1]) <= 1)
        both_dark[2][same & (both_bright[2] > 0)] = 0
        # an arm may be brighter than its ground and the other darker than its own
        for mixed in (bright_dark, dark_bright):
            mixed[2][(both_bright[2] > 0) | (both_dark[2] > 0)] = 0
        there = np.flatnonzero(np.concatenate([part[2] for part in found]) > 0)
        x, y, strength = (np.concatenate([part[i] for part in found])[there] for i in range(3))
        kind = np.tile(kind, 4)[there]
        pixels = bgr.reshape(-1, 3)
        width = bgr.shape[1]
        one = pixels[y * width + x + _RIGHT[kind] * _ARM_AT].astype(np.int16)
        other = pixels[(y + _DOWN[kind] * _ARM_AT) * width + x].astype(np.int16)
        worth = np.minimum(strength, _STRONG) - np.abs(one[:, 1] - other[:, 1])
        colour = (one + other) // 2
        xs, ys, colours = [], [], []
        for number in range(4):
            chosen = np.flatnonzero((kind == number) & (worth > -_UNEVEN))
            if len(chosen) > limit:
                chosen = chosen[np.argpartition(-worth[chosen], limit)[:limit]]
            xs.append(x[chosen].astype(np.int32))
            ys.append(y[chosen].astype(np.int32))
            colours.append(colour[chosen])
        return Corners(tuple(xs), tuple(ys), tuple(colours))

    def _middle(self, x: Index, y: Index, kind: Index, polarity: str) -> _Lines:
        """The level and the upright line, bright or dark, that are the arms of each corner."""
        width = self._shape[1]
        level = self._planes[f"{polarity}_h"].reshape(-1)
        upright = self._planes[f"{polarity}_v"].reshape(-1)
        rows, columns = y[:, None] + _AROUND, x[:, None] + _AROUND
        h = level[rows * width + (x + _RIGHT[kind] * _ARM_AT)[:, None]]
        v = upright[(y + _DOWN[kind] * _ARM_AT)[:, None] * width + columns]
        return _Lines(_strongest(h, rows), h.max(axis=1, initial=0), _strongest(v, columns), v.max(axis=1, initial=0))


@dataclass(frozen=True)
class _Lines:
    """For each corner the row and strength of a level line, the column and strength of an upright one."""

    row: Index
    level: U8
    column: Index
    upright: U8


def _crossed(level: _Lines, upright: _Lines, line: int) -> tuple[Index, Index, NDArray[np.int16]]:
    """Column and row where two lines cross, and how strong the weaker is; 0 where it is weaker than ``line``."""
    strength = np.minimum(level.level, upright.upright).astype(np.int16)
    strength[strength < line] = 0
    return upright.column, level.row, strength


def _strongest(strength: U8, place: NDArray[np.intp]) -> NDArray[np.intp]:
    """The middle of the strongest places of each row."""
    strong = strength.astype(np.int32)
    weight = np.where(strong * 10 >= strong.max(axis=1, keepdims=True, initial=0) * 8, 1, 0)
    total = np.maximum(weight.sum(axis=1), 1)
    return ((weight * place).sum(axis=1) + total // 2) // total


_HELPER = ThreadPoolExecutor(1, thread_name_prefix="overlay")
"""Looks at the lower half while the caller looks at the upper one; OpenCV lets other threads run meanwhile."""
_KEPT = ("green", "red", "bright_h", "dark_h", "bright_v", "dark_v")
"""Planes that are needed after the marks have been made."""
_PASSING = (
    *("blue", "h", "v", "dx", "dy", "sx", "sy"),
    *(f"{name}_{way}" for name in ("rise", "fall", "t0", "t1") for way in "hv"),
)
_STRIP = 180
"""Rows looked at together."""
_THREE_ACROSS = np.ones((1, 3), np.uint8)
_THREE_DOWN = np.ones((3, 1), np.uint8)
_RIGHT, _DOWN = np.array([1, -1, 1, -1]), np.array([1, 1, -1, -1])
"""To which side, and up or down, the arms of each kind of corner go."""
_ARM_AT = 5
"""Steps from a corner to where its arms are looked at."""
_AROUND = np.arange(-2, 5)
_STRONG = 60
"""Strength of a line above which more does not make it a better one."""
_GIVE = 0.5
"""Share of a line's strength that it may lose along an arm, by blur."""
_UNEVEN = 20
"""Green levels by which the two arms of a corner may differ beyond their strength."""
