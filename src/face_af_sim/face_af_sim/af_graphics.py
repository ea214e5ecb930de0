"""What a camera draws on its HDMI picture: autofocus boxes and the on-screen display.

Everything draws in place on a BGR picture (height x width x 3, uint8) and costs well under a
millisecond a box and about one for the display at 1920x1080. Sizes are pixels of the picture drawn on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfState, Box

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

STATE_COLOURS: Mapping[AfState, Colour] = {
    AfState.DETECTED: (150, 150, 150),
    AfState.TRACKED: (245, 245, 245),
    AfState.ACTIVE_FOCUS: (40, 220, 40),
}
"""The colours of a Z8's boxes; a style may say otherwise."""


@dataclass(frozen=True)
class AfBoxStyle:
    """How boxes look."""

    line: float = 3.0
    """Thickness of the lines, pixels."""
    corners: bool = False
    """Four corner brackets instead of a closed outline."""
    arm: float = 0.25
    """Length of a bracket's arms as a share of the box's side, 0.1 to 0.5."""
    opacity: float = 1.0
    """1: the line hides the picture; below, it is blended with it."""
    shadow: float = 0.0
    """Opacity of a dark edge, one pixel wide, on both sides of the lines; 0: none."""
    colours: Mapping[AfState, Colour] = field(default_factory=lambda: STATE_COLOURS)
    radius: float = 0.0
    """Radius of rounded corners as a share of the box's width; 0: sharp."""
    second: float = 0.0
    """A second outline so many pixels outside the box, from edge to edge; 0: none."""
    second_line: float = 1.0
    """Thickness of the second outline, pixels."""
    second_colour: Colour | None = None
    """None: the colour of the first."""


DEFAULT_STYLE = AfBoxStyle()

_Rect = tuple[float, float, float, float]


def draw_af_box(image: NDArray[np.uint8], box: Box, state: AfState, style: AfBoxStyle = DEFAULT_STYLE) -> None:
    """Draws one box whose outer edge is ``box``, cut off at the picture's edge.

    Edges that do not fall on whole pixels are anti-aliased. NONE draws nothing.
    """
    if state == AfState.NONE or box.width <= 0 or box.height <= 0:
        return
    colour = style.colours[state]
    if style.second > 0:
        reach = style.second + style.second_line
        outer = Box(box.x - reach, box.y - reach, box.width + 2 * reach, box.height + 2 * reach)
        shape = replace(style, line=style.second_line, shadow=0.0)
        _draw_outline(image, outer, shape, style.second_colour or colour, reach if style.radius else 0.0)
    _draw_outline(image, box, style, colour, 0.0)


def _draw_outline(image: NDArray[np.uint8], box: Box, style: AfBoxStyle, colour: Colour, rounder: float) -> None:
    """One closed outline or four brackets; ``rounder``: pixels added to the radius."""
    if style.radius > 0:
        radius = min(style.radius * box.width + rounder, box.width / 2, box.height / 2)
        _draw_rounded(image, box, style, colour, radius)
        return
    bars = list(_bars(box, style))
    if style.shadow > 0:
        for left, top, right, bottom in bars:
            _blend(image, (left - 1, top - 1, right + 1, bottom + 1), (0, 0, 0), style.shadow)
    for bar in bars:
        _blend(image, bar, colour, style.opacity)


def _draw_rounded(image: NDArray[np.uint8], box: Box, style: AfBoxStyle, colour: Colour, radius: float) -> None:
    """By each pixel's distance from a rectangle with corners of that radius, pixels."""
    height, width = image.shape[:2]
    x0, y0 = max(math.floor(box.x) - 2, 0), max(math.floor(box.y) - 2, 0)
    x1, y1 = min(math.ceil(box.right) + 2, width), min(math.ceil(box.bottom) + 2, height)
    if x0 >= x1 or y0 >= y1:
        return
    patch = image[y0:y1, x0:x1]
    # from the middle, at most up to where the corners begin
    across = np.abs(np.arange(x0, x1) + 0.5 - box.x - box.width / 2)
    down = np.abs(np.arange(y0, y1) + 0.5 - box.y - box.height / 2)[:, None]
    dx, dy = across - (box.width / 2 - radius), down - (box.height / 2 - radius)
    away = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - radius
    drawn = np.ones(patch.shape[:2], bool)
    if style.corners:
        arm = max(style.arm, 0.0)
        drawn = (across >= box.width * (0.5 - arm)) & (down >= box.height * (0.5 - arm))
    for reach, shade, opacity in ((1.0, (0, 0, 0), style.shadow), (0.0, colour, style.opacity)):
        if opacity > 0:
            share = np.clip(0.5 + reach - away, 0, 1) * np.clip(0.5 + reach + style.line + away, 0, 1)
            alpha = (opacity * drawn * share)[..., None]
            patch[:] = np.rint(patch + alpha * (np.asarray(shade, np.float32) - patch)).astype(np.uint8)


def _bars(box: Box, style: AfBoxStyle) -> Iterator[_Rect]:
    """The box's lines as rectangles (left, top, right, bottom) that do not overlap one another."""
    line = min(style.line, box.width / 2, box.height / 2)
    left, top, right, bottom = box.x, box.y, box.right, box.bottom
    if not style.corners:
        yield left, top, right, top + line
        yield left, bottom - line, right, bottom
        yield left, top + line, left + line, bottom - line
        yield right - line, top + line, right, bottom - line
        return
    across = min(max(style.arm * box.width, line), box.width / 2)
    down = min(max(style.arm * box.height, line), box.height / 2)
    for x0, x1, stem in ((left, left + across, left), (right - across, right, right - line)):
        yield x0, top, x1, top + line
        yield x0, bottom - line, x1, bottom
        yield stem, top + line, stem + line, top + down
        yield stem, bottom - down, stem + line, bottom - line


def _blend(image: NDArray[np.uint8], rect: _Rect, colour: Colour, opacity: float) -> None:
    """Fills a rectangle, each pixel as much as it is covered."""
    height, width = image.shape[:2]
    left, top, right, bottom = max(rect[0], 0.0), max(rect[1], 0.0), min(rect[2], width), min(rect[3], height)
    if left >= right or top >= bottom:
        return
    x0, y0, x1, y1 = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
    patch = image[y0:y1, x0:x1]
    if opacity >= 1 and (x0, y0, x1, y1) == (left, top, right, bottom):
        patch[:] = colour
        return
    alpha = opacity * np.outer(_coverage(y0, y1, top, bottom), _coverage(x0, x1, left, right))[..., None]
    patch[:] = np.rint(patch + alpha * (np.asarray(colour, np.float32) - patch)).astype(np.uint8)


def _coverage(first: int, last: int, low: float, high: float) -> NDArray[np.float32]:
    share = np.ones(last - first, np.float32)
    share[0] -= low - first
    share[-1] -= last - high
    return share


@dataclass(frozen=True)
class OsdReadings:
    """What the on-screen display says."""

    shutter: str = "1/500"
    aperture: str = "F2.8"
    iso: int = 6400
    battery: float = 0.8
    """0 to 1."""
    roll: float | None = 0.0
    """Degrees shown by the virtual horizon; None hides it."""
    recording: bool = False
    """Shows REC with the time and the red frame around the picture."""
    elapsed: float = 0.0
    """Seconds recorded."""
    frames_left: int = 1842
    grid: bool = False
    """The framing grid of thirds."""


DEFAULT_READINGS = OsdReadings()

_WHITE: Colour = (240, 240, 240)
_GREEN: Colour = (60, 210, 60)
_YELLOW: Colour = (0, 215, 255)
_RED: Colour = (40, 40, 230)


def draw_osd(image: NDArray[np.uint8], readings: OsdReadings = DEFAULT_READINGS) -> None:
    """Draws the camera's on-screen display over the picture, in sizes that follow its height."""
    height, width = image.shape[:2]
    unit = height / 1080
    if readings.grid:
        _grid(image, unit)
    base = round(height - 34 * unit)
    _text(image, f"{readings.shutter}   {readings.aperture}", (60 * unit, base), unit, _WHITE)
    _text(image, f"ISO {readings.iso}", (width - 420 * unit, base), unit, _YELLOW)
    _text(image, f"[{readings.frames_left}]", (width - 200 * unit, base), unit, _WHITE)
    _text(image, "AF-C", (60 * unit, 58 * unit), unit, _WHITE)
    _text(image, "FX  RAW+F", (220 * unit, 58 * unit), unit, _WHITE)
    _battery(image, readings.battery, unit)
    if readings.roll is not None:
        _horizon(image, readings.roll, unit)
    if readings.recording:
        minutes, seconds = divmod(int(readings.elapsed), 60)
        _text(image, f"REC {minutes:02d}:{seconds:02d}", (width - 560 * unit, 58 * unit), unit, _WHITE)
        cv2.circle(image, (round(width - 590 * unit), round(46 * unit)), round(12 * unit), _RED, -1, cv2.LINE_AA)
        cv2.rectangle(image, (0, 0), (width - 1, height - 1), _RED, max(2, round(6 * unit)))


def _text(image: NDArray[np.uint8], text: str, at: tuple[float, float], unit: float, colour: Colour) -> None:
    place, scale, thick = (round(at[0]), round(at[1])), 1.0 * unit, max(1, round(2 * unit))
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), thick + 2, cv2.LINE_AA)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def _battery(image: NDArray[np.uint8], charge: float, unit: float) -> None:
    right, top = image.shape[1] - 60 * unit, 30 * unit
    left, bottom = right - 52 * unit, top + 26 * unit
    thick = max(1, round(2 * unit))
    cv2.rectangle(image, (round(left), round(top)), (round(right), round(bottom)), _WHITE, thick)
    cv2.rectangle(
        image, (round(right), round(top + 8 * unit)), (round(right + 5 * unit), round(bottom - 8 * unit)), _WHITE, -1
    )
    inside = left + 5 * unit + max(0.0, min(1.0, charge)) * (right - left - 10 * unit)
    fill = _RED if charge < 0.15 else _WHITE
    cv2.rectangle(
        image, (round(left + 5 * unit), round(top + 5 * unit)), (round(inside), round(bottom - 5 * unit)), fill, -1
    )


def _horizon(image: NDArray[np.uint8], roll: float, unit: float) -> None:
    """Two level bars beside the centre, green while the camera is level."""
    height, width = image.shape[:2]
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    colour = _GREEN if abs(roll) < 0.5 else _YELLOW
    for inner, outer in ((-90, -190), (90, 190)):
        ends = [
            (round(width / 2 + reach * unit * cos), round(height / 2 + reach * unit * sin)) for reach in (inner, outer)
        ]
        cv2.line(image, ends[0], ends[1], colour, max(1, round(2 * unit)), cv2.LINE_AA)


def _grid(image: NDArray[np.uint8], unit: float) -> None:
    height, width = image.shape[:2]
    thick = max(1, round(unit))
    for third in (1, 2):
        x, y = round(width * third / 3), round(height * third / 3)
        cv2.line(image, (x, 0), (x, height - 1), (200, 200, 200), thick)
        cv2.line(image, (0, y), (width - 1, y), (200, 200, 200), thick)
