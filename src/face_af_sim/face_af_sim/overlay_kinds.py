"""Boxes as other cameras, firmwares and cards draw them, and what cameras draw beside them.

Each kind changes the plain recipe in one way, so that a figure says what a detector cannot do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfBox, AfState, Box

from .af_graphics import AfBoxStyle, Colour

BGR = NDArray[np.uint8]
Restyle = Callable[[AfBoxStyle, np.random.Generator, float], AfBoxStyle]
Behind = Callable[[BGR, np.random.Generator, float], None]
Beside = Callable[[BGR, Sequence[AfBox], AfBoxStyle, np.random.Generator, float], None]


@dataclass(frozen=True)
class Kind:
    """One way in which frames differ from the plain ones."""

    restyle: Restyle | None = None
    """The style for a frame, from the plain one; the last argument is the frame's height over 1080."""
    behind: Behind | None = None
    """Draws what is no AF box, before the boxes."""
    beside: Beside | None = None
    """Draws what belongs to the boxes and is none, after them."""
    drawn_height: int = 0
    """The frame is drawn this high and enlarged; 0: drawn at its own height."""
    chroma_420: bool = False
    eyes: bool = False
    """A small box in most of the large ones, as eye detection draws it."""


def _rounded(low: float, high: float, corners: bool = False) -> Kind:
    def restyle(style: AfBoxStyle, rng: np.random.Generator, scale: float) -> AfBoxStyle:
        radius = float(rng.uniform(low, high))
        arm = float(rng.uniform(max(radius * 1.5, 0.2), max(radius * 1.5, 0.2) + 0.15))
        return replace(style, radius=radius, corners=corners, arm=arm)

    return Kind(restyle)


def _rounded_any(style: AfBoxStyle, rng: np.random.Generator, scale: float) -> AfBoxStyle:
    return replace(style, radius=0.125)


def _double(colour: Colour | None, rounded: bool = False) -> Kind:
    def restyle(style: AfBoxStyle, rng: np.random.Generator, scale: float) -> AfBoxStyle:
        line = max(1.0, float(rng.integers(1, 3)) * scale)
        return replace(
            style, second=6 * scale, second_line=line, second_colour=colour, radius=0.125 if rounded else 0.0
        )

    return Kind(restyle)


def _lines(low: float, high: float) -> Kind:
    def restyle(style: AfBoxStyle, rng: np.random.Generator, scale: float) -> AfBoxStyle:
        return replace(style, line=max(1.0, float(rng.uniform(low, high)) * scale))

    return Kind(restyle)


def _short_brackets(style: AfBoxStyle, rng: np.random.Generator, scale: float) -> AfBoxStyle:
    return replace(style, corners=True, arm=float(rng.uniform(0.12, 0.2)))


def _other_colours(style: AfBoxStyle, rng: np.random.Generator, scale: float) -> AfBoxStyle:
    gray, white = int(rng.integers(98, 197)), int(rng.integers(214, 256))
    hue, saturation, value = int(rng.integers(40, 84)), int(rng.integers(110, 256)), int(rng.integers(140, 256))
    green = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    tints = rng.integers(-8, 9, (2, 3))
    return replace(
        style,
        colours={
            AfState.DETECTED: _bgr(gray + tints[0]),
            AfState.TRACKED: _bgr(white + tints[1]),
            AfState.ACTIVE_FOCUS: _bgr(green),
        },
    )


def _bgr(values: NDArray[np.integer]) -> Colour:
    b, g, r = (int(v) for v in np.clip(values, 0, 255))
    return b, g, r


def _arrows(image: BGR, boxes: Sequence[AfBox], style: AfBoxStyle, rng: np.random.Generator, scale: float) -> None:
    """Triangles left and right of each box: another subject can be chosen on that side."""
    for box in boxes:
        middle, size = box.box.y + box.box.height / 2, max(8 * scale, box.box.height * rng.uniform(0.1, 0.25))
        gap = rng.uniform(6, 14) * scale
        for at, way in ((box.box.x - gap, -1), (box.box.right + gap, 1)):
            tip = [(at, middle - size / 2), (at, middle + size / 2), (at + way * size * 0.8, middle)]
            cv2.fillPoly(image, [np.rint(tip).astype(np.int32)], style.colours[box.state], cv2.LINE_AA)


def _grids(image: BGR, rng: np.random.Generator, scale: float) -> None:
    """A framing grid over the whole frame, of thirds or finer."""
    height, width = image.shape[:2]
    cells, thick = int(rng.integers(3, 7)), max(1, round(float(rng.uniform(1, 2.4)) * scale))
    shade = (int(rng.integers(150, 256)),) * 3
    for i in range(1, cells):
        x, y = round(width * i / cells), round(height * i / cells)
        cv2.line(image, (x, 0), (x, height - 1), shade, thick)
        cv2.line(image, (0, y), (width - 1, y), shade, thick)


def _areas(image: BGR, rng: np.random.Generator, scale: float) -> None:
    """The AF area, much larger than a box, closed or as four corners."""
    height, width = image.shape[:2]
    w, h = round(width * rng.uniform(0.35, 0.9)), round(height * rng.uniform(0.45, 0.9))
    x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
    thick, shade = max(1, round(float(rng.uniform(1, 4)) * scale)), (int(rng.integers(150, 256)),) * 3
    if rng.random() < 0.5:
        cv2.rectangle(image, (x, y), (x + w, y + h), shade, thick)
        return
    arm = round(float(rng.uniform(0.05, 0.12)) * h)
    for cx, right in ((x, arm), (x + w, -arm)):
        for cy, down in ((y, arm), (y + h, -arm)):
            cv2.line(image, (cx, cy), (cx + right, cy), shade, thick)
            cv2.line(image, (cx, cy), (cx, cy + down), shade, thick)


def eye_boxes(boxes: Sequence[AfBox], rng: np.random.Generator, scale: float) -> list[AfBox]:
    """An eye's box in most of those large enough, of the same state."""
    found = []
    for box in boxes:
        side = min(box.box.width, box.box.height) * float(rng.uniform(0.25, 0.38))
        if side < 24 * scale or rng.random() < 0.2:
            continue
        x = box.box.x + box.box.width * float(rng.choice([0.3, 0.7])) - side / 2
        y = box.box.y + box.box.height * float(rng.uniform(0.34, 0.46)) - side / 2
        found.append(AfBox(box.state, Box(round(x), round(y), round(side), round(side))))
    return found


KINDS: Mapping[str, Kind] = {
    "plain": Kind(),
    "rounded": Kind(_rounded_any),
    "rounded, closed, 1/16": _rounded(1 / 16, 1 / 16),
    "rounded, closed, 1/4": _rounded(1 / 4, 1 / 4),
    "rounded brackets": _rounded(0.08, 0.18, corners=True),
    "second outline": _double(None),
    "second outline, dark": _double((16, 16, 16)),
    "second outline, rounded": _double(None, rounded=True),
    "fine lines": _lines(1.2, 2.0),
    "bold lines": _lines(5.0, 6.0),
    "short brackets": Kind(_short_brackets),
    "other colours": Kind(_other_colours),
    "720 lines enlarged": Kind(drawn_height=720),
    "4:2:0": Kind(chroma_420=True),
    "eye in face": Kind(eyes=True),
    "arrows": Kind(beside=_arrows),
    "grid": Kind(behind=_grids),
    "AF area": Kind(behind=_areas),
}
"""What the bench tells apart, by name."""
