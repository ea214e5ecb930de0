"""What is measured of a proposed rectangle: compiled, all rectangles of a frame in one call.

The picture across a side is explained as ``v = s b + (1 - s) c``: what is seen on the line (``v``) is the line's
colour ``c`` mixed with the ground ``b`` beside it, because lines are blended, blurred and thinner than the resolution
of colour. ``s`` and ``c`` are fitted to the arms behind the corners, which closed outlines and brackets have alike.
Place by place, the logarithm of a likelihood ratio then says whether a line or bare ground explains the picture
better; it is 0 where line and ground are alike.

Sides are top, bottom, left, right; each has two halves, from its first or last corner to the middle. Colours are Y,
and Cr and Cb around 0.
"""

from .columns import (
    ACROSS,
    AGREEMENT,
    BOTTOM,
    CLOSED,
    COLOURS,
    COLUMNS,
    CONTRAST,
    CORNER_LINE,
    DOWN,
    EXTENDED,
    FEATURES,
    FILLED,
    GROUND,
    LEFT,
    LEVELS,
    LINE,
    LINES,
    RADIUS,
    RIGHT,
    SLOPES,
    TOP,
    VISIBLE,
)
from .rectangle import measure
from .refuse import bulging, circular, divided
from .stroke_fit import STROKES, fit_strokes, strokes

__all__ = [
    "ACROSS",
    "AGREEMENT",
    "BOTTOM",
    "CLOSED",
    "COLOURS",
    "COLUMNS",
    "CONTRAST",
    "CORNER_LINE",
    "DOWN",
    "EXTENDED",
    "FEATURES",
    "FILLED",
    "GROUND",
    "LEFT",
    "LEVELS",
    "LINE",
    "LINES",
    "RADIUS",
    "RIGHT",
    "SLOPES",
    "STROKES",
    "TOP",
    "VISIBLE",
    "bulging",
    "circular",
    "divided",
    "fit_strokes",
    "measure",
    "strokes",
]
