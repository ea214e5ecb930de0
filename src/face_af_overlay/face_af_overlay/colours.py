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


def state_of(colour: tuple[float, float, float], params: ColourParams) -> AfState:
    """The state shown by a line of that Y, Cr, Cb (colour differences centred on 0); NONE when none is."""
    y, cr, cb = colour
    chroma = math.hypot(cr, cb)
    if chroma <= params.neutral_chroma and chroma < params.green_chroma:
        if y >= params.white_min:
            return AfState.TRACKED
        return AfState.DETECTED if y >= params.gray_min else AfState.NONE
    if chroma < params.green_chroma:
        return AfState.NONE
    hue = hue_of(colour)
    if params.green_hue_min <= hue <= params.green_hue_max:
        return AfState.ACTIVE_FOCUS
    if _YELLOW[0] <= hue < _YELLOW[1]:
        return _NAMED[params.yellow]
    if hue >= _RED[0] or hue < _RED[1]:
        return _NAMED[params.red]
    return AfState.NONE


def hue_of(colour: tuple[float, float, float]) -> float:
    """OpenCV hue (0 to 179) of a Y, Cr, Cb colour."""
    ycc = np.clip(np.array([[colour]], np.float32) + (0, 128, 128), 0, 255).astype(np.uint8)
    return float(cv2.cvtColor(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2BGR), cv2.COLOR_BGR2HSV)[0, 0, 0])


_YELLOW = (18.0, 34.0)
_RED = (165.0, 10.0)
