"""From the colour of an outline to the state that it shows."""

from __future__ import annotations

import math

import cv2
import numpy as np

from face_af_common.types import AfState

from .params import ColourParams

_NAMED = {
    "none": AfState.NONE,
    "detected": AfState.DETECTED,
    "tracked": AfState.TRACKED,
    "active_focus": AfState.ACTIVE_FOCUS,
}


Colour = tuple[float, float, float]
"""Y, and Cr and Cb centred on 0."""


def state_of(drawn: Colour, shown: Colour, params: ColourParams) -> AfState:
    """The state told by a line's colour; NONE when none is.

    ``drawn`` is the colour estimated to have been drawn, ``shown`` the one in the picture. A gray line's
    estimate may overshoot into the opposite of the background's colour, so gray and white are
    recognised by the most neutral colour between the two.
    """
    y, cr, cb = drawn
    chroma = math.hypot(cr, cb)
    if chroma >= params.green_chroma:
        hue = hue_of(drawn)
        if params.green_hue_min <= hue <= params.green_hue_max and shown[1] + shown[2] < -_GREENISH:
            return AfState.ACTIVE_FOCUS
        if _YELLOW[0] <= hue < _YELLOW[1] and params.yellow != "none":
            return _NAMED[params.yellow]
        if (hue >= _RED[0] or hue < _RED[1]) and params.red != "none":
            return _NAMED[params.red]
    if _neutral(drawn, shown) <= params.neutral_chroma:
        if y >= params.white_min:
            return AfState.TRACKED
        return AfState.DETECTED if y >= params.gray_min else AfState.NONE
    return AfState.NONE


def _neutral(one: Colour, other: Colour) -> float:
    """The least chroma on the way from one colour to the other."""
    ax, ay = one[1], one[2]
    dx, dy = other[1] - ax, other[2] - ay
    length = dx * dx + dy * dy
    at = 0.0 if length == 0 else min(max(-(ax * dx + ay * dy) / length, 0.0), 1.0)
    return math.hypot(ax + at * dx, ay + at * dy)


def hue_of(colour: Colour) -> float:
    """OpenCV hue (0 to 179) of a Y, Cr, Cb colour."""
    ycc = np.clip(np.array([[[colour[0], colour[1] + 128, colour[2] + 128]]], np.float32), 0, 255).astype(np.uint8)
    return float(cv2.cvtColor(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2BGR), cv2.COLOR_BGR2HSV)[0, 0, 0])


_GREENISH = 16.0
"""How far below neutral Cr and Cb of a green line must be in the picture itself, together."""
_YELLOW = (18.0, 34.0)
_RED = (165.0, 10.0)
