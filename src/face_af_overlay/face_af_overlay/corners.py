"""Corners of thin outlines, found in the whole frame with whole-plane 8-bit arithmetic.

A corner is a pixel with a thin line to one side of it and a thin line above or below it, both like
itself, and with something else on the two other sides. A line is thin where a pixel is brighter, or
darker, than both pixels a few steps across, in green or in red: gray lines on skin, whose brightness
is the same, still differ in red. Nothing here depends on what colour a box should have.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

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
        return self._collect(bgr, flags, limit)

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
        names = ("blue", "green", "red", "up", "down", "t0", "t1", "t2", "h", "v", "dx", "dy", "sx", "sy")
        self._planes = {name: np.zeros((height, width), np.uint8) for name in names}
        stride = (width + 7) // 8 * 8
        self._flag_rows = np.zeros((height, stride), np.uint8)

    def _flags(self, bgr: U8, line: int, along: int) -> U8:
        """A plane with one bit for each kind of corner."""
        p, d = self._planes, self._across
        arm = max(3, d - 2)
        height, width = self._shape
        green, red = p["green"], p["red"]
        cv2.split(bgr, [p["blue"], green, red])
        self._lines(green, red, line, vertical=False, lines=p["h"], steps=p["dy"])
        self._lines(green, red, line, vertical=True, lines=p["v"], steps=p["dx"])
        t0 = p["t0"]
        cv2.absdiff(green[:, arm:], green[:, :-arm], dst=t0[:, :-arm])
        cv2.threshold(t0, along, 255, cv2.THRESH_BINARY_INV, dst=p["sx"])
        cv2.absdiff(green[arm:], green[:-arm], dst=t0[:-arm])
        cv2.threshold(t0, along, 255, cv2.THRESH_BINARY_INV, dst=p["sy"])

        m = d + 2

        def at(name: str, y: int, x: int) -> U8:
            return p[name][m + y : height - m + y, m + x : width - m + x]

        # the four arms: thin, like the corner pixel, and nothing like it on the other side
        core = np.s_[m : height - m, m : width - m]
        right, left, down, up = (p[name][core] for name in ("t1", "t2", "up", "down"))
        for out, lines, same, step, (y, x), (sy, sx), (ey, ex) in (
            (right, "h", "sx", "dx", (0, arm), (0, 0), (0, -d)),
            (left, "h", "sx", "dx", (0, -arm), (0, -arm), (0, 0)),
            (down, "v", "sy", "dy", (arm, 0), (0, 0), (-d, 0)),
            (up, "v", "sy", "dy", (-arm, 0), (-arm, 0), (0, 0)),
        ):
            cv2.bitwise_and(at(lines, y, x), at(same, sy, sx), dst=out)
            cv2.bitwise_and(out, at(step, ey, ex), dst=out)
        flags = self._flag_rows[m : height - m, m : width - m]
        bit = t0[core]
        for kind, (one, other) in enumerate(((right, down), (left, down), (right, up), (left, up))):
            cv2.bitwise_and(one, other, dst=bit)
            if kind == 0:
                cv2.threshold(bit, 0, 1, cv2.THRESH_BINARY, dst=flags)
            else:
                cv2.threshold(bit, 0, 1 << kind, cv2.THRESH_BINARY, dst=bit)
                cv2.bitwise_or(flags, bit, dst=flags)
        return self._flag_rows

    def _lines(self, green: U8, red: U8, line: int, *, vertical: bool, lines: U8, steps: U8) -> None:
        """Marks thin lines in ``lines`` (cut short by a pixel at their ends) and steps across them in ``steps``."""
        p, d = self._planes, self._across
        height, width = self._shape
        if vertical:
            ahead, behind = np.s_[:, d:], np.s_[:, :-d]
            mid, first, last = np.s_[:, d:-d], np.s_[:, : width - 2 * d], np.s_[:, d : width - d]
        else:
            ahead, behind = np.s_[d:], np.s_[:-d]
            mid, first, last = np.s_[d:-d], np.s_[: height - 2 * d], np.s_[d : height - d]
        rise, fall, dark, best, step = p["up"][behind], p["down"][behind], p["t0"], p["t1"], p["t2"][behind]
        for number, plane in enumerate((green, red)):
            cv2.subtract(plane[ahead], plane[behind], dst=rise)
            cv2.subtract(plane[behind], plane[ahead], dst=fall)
            if number == 0:
                cv2.max(rise, fall, dst=step)
            else:
                cv2.max(step, rise, dst=step)
                cv2.max(step, fall, dst=step)
            # brighter than both sides, or darker than both
            up, down = p["up"], p["down"]
            if number == 0:
                cv2.min(up[first], down[last], dst=best[mid])
            else:
                cv2.min(up[first], down[last], dst=dark[mid])
                cv2.max(best[mid], dark[mid], dst=best[mid])
            cv2.min(down[first], up[last], dst=dark[mid])
            cv2.max(best[mid], dark[mid], dst=best[mid])
        cv2.threshold(step, line - 1, 255, cv2.THRESH_BINARY, dst=steps[behind])
        cv2.threshold(best[mid], line - 1, 255, cv2.THRESH_BINARY, dst=dark[mid])
        kernel = _THREE_DOWN if vertical else _THREE_ACROSS
        cv2.erode(dark[mid], kernel, dst=lines[mid])

    def _collect(self, bgr: U8, flags: U8, limit: int) -> Corners:
        """One pixel of each connected bit of corner, and its colour."""
        words = np.flatnonzero(flags.reshape(-1).view(np.uint64))
        octets = flags.reshape(-1, 8)[words]
        row, column = np.nonzero(octets)
        index = words[row] * 8 + column
        stride = flags.shape[1]
        flat = flags.reshape(-1)
        values = flat[index]
        # of each blob the first pixel in reading order stands for it
        before = flat[index - 1] | flat[index - stride] | flat[index - stride - 1] | flat[index - stride + 1]
        fresh = values & ~before
        steps = (np.arange(4)[:, None] * stride + np.arange(-1, 4)).reshape(-1)
        xs, ys, colours = [], [], []
        colour = bgr.reshape(-1, 3)
        for kind in range(4):
            bit = 1 << kind
            block = index[fresh & bit > 0][:, None] + steps
            marked = flat[np.minimum(block, flat.size - 1)] & bit > 0
            # a drawn corner marks a block of pixels, chance a single one
            size = np.count_nonzero(marked, axis=1)
            keep = np.flatnonzero(size > 1)
            if len(keep) > limit:
                keep = np.sort(keep[np.argpartition(-size[keep], limit)[:limit]])
            block, marked = block[keep], marked[keep]
            green = self._planes["green"].reshape(-1)[np.minimum(block, flat.size - 1)].astype(np.int16)
            # the line itself is the brightest part of the block or, on bright ground, the darkest; with
            # a dark edge drawn around it, or blur, the rest is not it
            rows = np.arange(len(keep))
            bright = np.where(marked, green, -1).argmax(axis=1)
            dark = np.where(marked, green, 999).argmin(axis=1)
            differs = green[rows, bright] - green[rows, dark] > _TWO_COLOURS
            at = np.concatenate([block[rows, bright], block[rows, dark][differs]])
            y, x = np.divmod(at, stride)
            xs.append(x.astype(np.int32))
            ys.append(y.astype(np.int32))
            colours.append(colour[y * bgr.shape[1] + x].astype(np.int16))
        return Corners(tuple(xs), tuple(ys), tuple(colours))


_THREE_ACROSS = np.ones((1, 3), np.uint8)
_THREE_DOWN = np.ones((3, 1), np.uint8)
_TWO_COLOURS = 20
"""Green levels within one corner's marks from which it is taken for two corners, one bright, one dark."""
