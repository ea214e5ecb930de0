"""Draws the clothed body under a cut-out head, from the front or from behind.

Lengths are in hand spans of about 20 cm, with the chin at (0, 0), x to the right, y down; the body ends
below the knees, where the picture of a stage usually ends too.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Blue, green, red."""

HALF_WIDTH = 1.75
BELOW_CHIN = 8.4
_SPAN = 0.84
"""A hand span in heights of the face."""

_NECK = 0.14
"""The body is moved up by this much, behind the chin."""


@dataclass(frozen=True)
class Outfit:
    """``style``: suit, jacket, sweater, shirt or dress; ``accent``: tie, T-shirt or belt."""

    style: str
    main: Colour
    accent: Colour
    legs: Colour


OUTFITS: tuple[Outfit, ...] = (
    Outfit("suit", (66, 42, 30), (150, 60, 30), (60, 38, 27)),
    Outfit("sweater", (60, 92, 40), (40, 60, 30), (60, 52, 46)),
    Outfit("dress", (70, 40, 150), (40, 20, 90), (70, 40, 150)),
    Outfit("jacket", (62, 66, 84), (225, 222, 218), (100, 72, 48)),
    Outfit("shirt", (200, 168, 120), (60, 60, 60), (48, 46, 44)),
    Outfit("suit", (72, 70, 70), (36, 30, 140), (66, 64, 64)),
    Outfit("dress", (130, 96, 30), (90, 60, 20), (130, 96, 30)),
    Outfit("sweater", (38, 108, 214), (30, 80, 170), (52, 60, 86)),
)


class Figure:
    """A canvas ``colour`` (HxWx3) with ``mask`` (HxW), the chin at pixel ``(origin_x, origin_y)``."""

    def __init__(self, face_height: int, above_chin: int) -> None:
        self.span = _SPAN * face_height
        self.origin_x = round(HALF_WIDTH * self.span)
        self.origin_y = above_chin
        size = (above_chin + round(BELOW_CHIN * self.span), 2 * self.origin_x)
        self.colour = np.zeros((*size, 3), np.uint8)
        self.mask = np.zeros(size, np.uint8)

    def paint(self, corners: list[tuple[float, float]], colour: Colour, depth: float = 0.45, smooth: int = 2) -> None:
        """Paints a shape, darker towards its edge as round things are; ``depth`` is how far that reaches."""
        points = _rounded(np.array(corners, np.float64), smooth) * self.span + (
            self.origin_x,
            self.origin_y - _NECK * self.span,
        )
        x, y, width, height = cv2.boundingRect(points.astype(np.int32))
        x0, y0 = max(0, x - 2), max(0, y - 2)
        x1, y1 = min(self.mask.shape[1], x + width + 2), min(self.mask.shape[0], y + height + 2)
        if x1 <= x0 or y1 <= y0:
            return
        shape = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(shape, [np.round((points - (x0, y0)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        inner = cv2.distanceTransform(cv2.threshold(shape, 127, 255, cv2.THRESH_BINARY)[1], cv2.DIST_L2, 3)
        shade = 0.55 + 0.45 * np.sqrt(np.minimum(inner / (depth * self.span), 1.0))
        light = np.linspace(1.06, 0.90, x1 - x0, dtype=np.float32)[None, :]
        painted = shade * light
        part = self.colour[y0:y1, x0:x1]
        weight = (shape / np.float32(255))[..., None]
        part[:] = (
            part * (1 - weight) + np.minimum(painted[..., None] * np.array(colour, np.float32), 255) * weight
        ).astype(np.uint8)
        np.maximum(self.mask[y0:y1, x0:x1], shape, out=self.mask[y0:y1, x0:x1])

    def mirrored(
        self, corners: list[tuple[float, float]], colour: Colour, depth: float = 0.45, smooth: int = 2
    ) -> None:
        """Paints a shape and its mirror image."""
        self.paint(corners, colour, depth, smooth)
        self.paint([(-x, y) for x, y in corners], colour, depth, smooth)


def draw_body(figure: Figure, outfit: Outfit, skin: Colour, from_behind: bool, seed: int) -> None:
    """Draws legs, arms, torso, neck and what is worn; the head goes on top of it."""
    bare = outfit.style == "dress"
    if not bare:
        leg = [(0.0, 3.6), (0.93, 3.6), (0.92, 4.6), (0.66, 8.9), (0.14, 8.9), (0.02, 4.6)]
        figure.mirrored(leg, outfit.legs, 0.5, 1)
    _arms(figure, _darker(skin, 0.95) if bare else _darker(outfit.main, 0.92), skin, bare)
    neck = [(-0.30, -0.5), (0.30, -0.5), (0.33, 0.25), (0.62, 0.62), (-0.62, 0.62), (-0.33, 0.25)]
    figure.paint(neck, _darker(skin, 0.80), 0.25)
    torso = [(-0.36, 0.36), (-1.02, 0.55), (-1.22, 0.95), (-1.0, 1.6), (-0.84, 2.7), (-0.95, 3.9), (-0.95, 4.2)]
    if bare:
        shoulders = [(-0.36, 0.30), (-0.95, 0.50), (-1.12, 0.85), (-0.90, 1.5)]
        figure.paint([*shoulders, *((-x, y) for x, y in reversed(shoulders))], _darker(skin, 0.93), 0.3)
        torso = [(-0.52, 0.48), (-0.78, 0.56), (-0.86, 1.3), (-0.70, 2.5), (-0.92, 3.5), (-1.15, 5.6), (-1.35, 8.9)]
    figure.paint(torso + [(-x, y) for x, y in reversed(torso)], outfit.main, 0.7)
    if not from_behind:
        _front(figure, outfit, skin)
    elif not bare:
        figure.paint([(-0.40, 0.20), (0.40, 0.20), (0.42, 0.42), (-0.42, 0.42)], _darker(outfit.main, 0.8), 0.2)
    _cloth(figure, seed)


def _arms(figure: Figure, sleeve: Colour, skin: Colour, bare: bool) -> None:
    outer = [(0.80, 0.58), (1.18, 0.66), (1.42, 1.2), (1.52, 2.4), (1.45, 3.2), (1.30, 3.95)]
    inner = [(1.02, 3.92), (1.05, 3.1), (1.12, 2.4), (0.98, 1.4)]
    hand = [(1.02, 3.82), (1.28, 3.85), (1.32, 4.25), (1.20, 4.6), (1.04, 4.55), (0.98, 4.2)]
    arm = outer + inner
    if bare:
        arm, hand = ([(1.02 + (x - 1.2) * 0.72, y) for x, y in part] for part in (arm, hand))
    figure.mirrored(hand, _darker(skin, 0.9), 0.2)
    figure.mirrored(arm, sleeve, 0.30)


def _front(figure: Figure, outfit: Outfit, skin: Colour) -> None:
    main, accent = outfit.main, outfit.accent
    white = (222, 220, 216)
    if outfit.style == "suit":
        figure.paint([(-0.42, 0.30), (0.42, 0.30), (0.36, 1.2), (0.02, 2.6), (-0.02, 2.6), (-0.36, 1.2)], white, 0.3, 1)
        figure.paint(
            [(-0.10, 0.42), (0.10, 0.42), (0.07, 0.62), (0.15, 1.9), (0.0, 2.3), (-0.15, 1.9), (-0.07, 0.62)],
            accent,
            0.15,
            1,
        )
        figure.mirrored([(0.02, 0.48), (0.34, 0.12), (0.46, 0.34), (0.24, 0.74)], white, 0.6, 0)
        figure.mirrored(
            [(0.42, 0.34), (0.70, 1.1), (0.56, 1.25), (0.64, 1.4), (0.02, 2.75), (0.10, 2.0)],
            _darker(main, 1.25),
            0.5,
            1,
        )
        figure.paint([(-0.02, 2.6), (0.02, 2.6), (0.14, 4.2), (0.10, 4.2)], _darker(main, 0.6), 0.2, 0)
    elif outfit.style == "jacket":
        figure.paint([(-0.46, 0.34), (0.46, 0.34), (0.50, 4.1), (-0.50, 4.1)], accent, 0.5, 1)
        figure.paint([(-0.34, 0.1), (0.34, 0.1), (0.30, 0.52), (0.0, 0.70), (-0.30, 0.52)], _darker(skin, 0.85), 0.3)
        figure.mirrored(
            [(0.40, 0.30), (0.62, 0.5), (0.70, 1.3), (0.55, 4.2), (0.40, 4.2), (0.44, 1.5)], _darker(main, 1.15), 0.3, 1
        )
    elif outfit.style == "sweater":
        figure.paint([(-0.44, 0.24), (0.44, 0.24), (0.40, 0.50), (0.0, 0.60), (-0.40, 0.50)], _darker(main, 0.85), 0.2)
        figure.paint([(-0.32, 0.05), (0.32, 0.05), (0.28, 0.34), (0.0, 0.44), (-0.28, 0.34)], _darker(skin, 0.82), 0.3)
    elif outfit.style == "shirt":
        figure.paint([(-0.20, 0.05), (0.20, 0.05), (0.16, 0.5), (0.0, 0.85), (-0.16, 0.5)], _darker(skin, 0.85), 0.3, 1)
        figure.mirrored([(0.04, 0.80), (0.34, 0.18), (0.52, 0.38), (0.30, 0.86)], _darker(main, 1.1), 0.2, 1)
        figure.paint([(-0.03, 0.8), (0.03, 0.8), (0.03, 3.9), (-0.03, 3.9)], _darker(main, 0.8), 0.2, 0)
        figure.paint([(-0.93, 3.75), (0.93, 3.75), (0.94, 3.95), (-0.94, 3.95)], accent, 0.2, 0)
    else:
        figure.paint([(-0.62, 0.50), (0.62, 0.50), (0.42, 0.95), (0.0, 1.18), (-0.42, 0.95)], _darker(skin, 0.93), 0.5)
        figure.paint([(-0.72, 2.35), (0.72, 2.35), (0.72, 2.6), (-0.72, 2.6)], accent, 0.3, 0)


def _cloth(figure: Figure, seed: int) -> None:
    """Soft folds and a fine weave over all that is drawn, and less light towards the floor."""
    rng = np.random.default_rng(seed)
    height, width = figure.mask.shape
    folds = cv2.resize(
        rng.normal(0, 1, (height // 60 + 2, width // 26 + 2)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    weave = rng.normal(0, 1, (height, width)).astype(np.float32)
    fall = np.linspace(1.0, 0.55, height, dtype=np.float32)[:, None]
    gain = fall * (1 + 0.06 * folds + 0.02 * weave)
    figure.colour[:] = np.clip(figure.colour * gain[..., None], 0, 255).astype(np.uint8)


def _rounded(points: NDArray[np.float64], rounds: int) -> NDArray[np.float64]:
    """Cuts the corners of a closed polygon ``rounds`` times (Chaikin)."""
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points


def _darker(colour: Colour, factor: float) -> Colour:
    b, g, r = (min(255, int(v * factor)) for v in colour)
    return b, g, r
