"""Masks drawn on photographs of faces: several cuts, any colour or pattern, in the light of the face."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_gallery.model import Points
from face_af_perception.alignment import Picture

CUTS: dict[str, list[tuple[float, float]]] = {
    "pleated": [(-1.0, 0.55), (-0.35, 0.42), (0.0, 0.36), (0.35, 0.42), (1.0, 0.55), (0.95, 1.25), (0.5, 1.7)],
    "cup": [(-1.0, 0.65), (-0.4, 0.5), (0.0, 0.28), (0.4, 0.5), (1.0, 0.65), (0.85, 1.2), (0.3, 1.8)],
    "cloth": [(-1.05, 0.5), (-0.4, 0.45), (0.0, 0.33), (0.4, 0.45), (1.05, 0.5), (1.0, 1.3), (0.45, 1.8)],
    "scarf": [(-1.2, 0.5), (-0.5, 0.42), (0.0, 0.35), (0.5, 0.42), (1.2, 0.5), (1.3, 1.6), (1.1, 2.4)],
}
"""Outlines from one ear over the nose to the other, and down to the middle of the chin, mirrored; in units of the
distance between the eyes (across) and of that from the eyes to the mouth (down)."""


def with_mask(bgr: Picture, landmarks: Points, rng: np.random.Generator) -> Picture:
    """A copy of ``bgr`` in which the face with these ``landmarks`` wears some mask."""
    eyes, mouth = landmarks[:2].mean(0).astype(float), landmarks[3:].mean(0).astype(float)
    across, down = (landmarks[1] - landmarks[0]).astype(float), mouth - eyes
    width, height = float(np.hypot(*across)), float(np.hypot(*down))
    if min(width, height) < 1:
        return bgr.copy()
    # in profile the eyes come together; a mask does not
    across *= max(1.0, 0.7 * height / width)
    turned = float(np.clip((landmarks[2] - eyes) @ across / (across @ across), -0.6, 0.6))

    cut = np.array(CUTS[str(rng.choice(list(CUTS)))])
    half = cut + rng.normal(0, 0.03, cut.shape)
    shape = np.concatenate([half, half[5:][::-1] * (-1, 1)])  # the chin's other half
    shape[:, 1] += rng.uniform(-0.1, 0.12)
    # the far cheek is short, the near one long
    shape[:, 0] = shape[:, 0] * np.where(shape[:, 0] * turned > 0, 1 - 0.8 * abs(turned), 1.0) + 0.9 * turned * np.exp(
        -(shape[:, 0] ** 2) / 0.3
    )
    outline = eyes + shape[:, :1] * across + shape[:, 1:] * down
    cover = np.zeros(bgr.shape[:2], np.uint8)
    cv2.fillPoly(cover, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if not cover.any():
        return bgr.copy()

    inverse = np.linalg.inv(np.stack([across, down], 1))
    rows, columns = np.indices(cover.shape, dtype=np.float32)
    x, y = columns - eyes[0], rows - eyes[1]
    place = np.stack([inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y])
    skin = bgr[_spot(eyes + 0.3 * down, height, cover.shape)].reshape(-1, 3).mean(0)
    cloth = _cloth(place, skin, rng) * _light(bgr, cover, height)[..., None]
    cloth += rng.normal(0, rng.uniform(0, 4), cloth.shape)
    alpha = cv2.GaussianBlur(cover, (0, 0), max(0.5, height / 50))[..., None] / 255.0
    result = bgr * (1 - alpha) + np.clip(cloth, 0, 255) * alpha
    if rng.random() < 0.5:  # loops to the ears
        colour = [float(c) for c in cloth[cover > 0].mean(0)]
        for side in (0, 4):
            ear = eyes + 1.3 * shape[side, 0] * across + 0.3 * down
            cv2.line(result, _point(outline[side]), _point(ear), colour, max(1, round(height / 40)), cv2.LINE_AA)
    return np.asarray(np.clip(result, 0, 255), np.uint8)


def _point(at: NDArray[Any]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def _spot(at: NDArray[Any], height: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    x, y, side = *_point(np.clip(at, 1, np.array(shape[1::-1]) - 2)), max(1, round(height / 8))
    return slice(max(0, y - side), y + side), slice(max(0, x - side), x + side)


def _light(bgr: Picture, cover: NDArray[np.uint8], height: float) -> NDArray[Any]:
    """How the face is lit, about 1: its own brightness without details."""
    gray = cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (0, 0), max(1.0, 0.35 * height)).astype(np.float32)
    level = max(20.0, float(gray[cover > 0].mean()))
    return np.asarray(np.clip(gray / level, 0.5, 1.6) * float(np.clip(level / 140, 0.25, 1.2)))


def _cloth(place: NDArray[Any], skin: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """H x W x 3 of a cloth in even light; ``place``: 2 x H x W, across and down the face."""
    first = _colour(skin, rng)
    across, down = place
    kind = rng.choice(["plain", "folds", "stripes", "checks", "dots", "blotches", "valve"], p=_SHARES)
    if kind == "plain":
        share = np.zeros_like(across)
    elif kind == "folds":
        return np.asarray(first * (1 + 0.1 * np.sin(rng.uniform(8, 18) * down + rng.uniform(0, 6)))[..., None])
    elif kind == "stripes":
        turn = rng.uniform(0, np.pi)
        share = np.sin(rng.uniform(8, 30) * (np.cos(turn) * across + np.sin(turn) * down)) > rng.uniform(-0.5, 0.7)
    elif kind == "checks":
        pace = rng.uniform(6, 25)
        share = (np.sin(pace * across) > 0) ^ (np.sin(pace * down) > 0)
    elif kind == "dots":
        pace = rng.uniform(8, 25)
        share = np.sin(pace * across) * np.sin(pace * down) > rng.uniform(0.2, 0.7)
    elif kind == "blotches":
        rough = rng.random((9, 9)).astype(np.float32)
        at = [np.clip((p + 1.3) * 3.2 / 1.3, 0, 8).astype(np.float32) for p in (across, down - 0.7)]
        share = cv2.remap(rough, at[0], at[1], cv2.INTER_CUBIC) > rng.uniform(0.3, 0.7)
    else:
        share = np.hypot(across - rng.choice([-0.4, 0.4]), down - 1.0) < 0.16
    second = _colour(skin, rng)
    share = np.asarray(share, np.float32)[..., None] * rng.uniform(0.3, 1.0)
    return np.asarray(first * (1 - share) + second * share)


_SHARES = [0.3, 0.2, 0.1, 0.1, 0.1, 0.15, 0.05]


def _colour(skin: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """BGR: white, black, gray, a light medical one, skin's, or any."""
    kind = rng.choice(["white", "black", "gray", "medical", "skin", "any"], p=[0.15, 0.15, 0.05, 0.2, 0.15, 0.3])
    if kind == "white":
        return rng.uniform(200, 250) * rng.uniform(0.94, 1.0, 3)
    if kind == "black":
        return rng.uniform(8, 50) * rng.uniform(0.9, 1.1, 3)
    if kind == "gray":
        return rng.uniform(60, 190) * rng.uniform(0.95, 1.05, 3)
    if kind == "medical":
        return np.array([(215, 190, 150), (190, 205, 170), (205, 190, 225)][rng.integers(3)]) * rng.uniform(
            0.85, 1.1, 3
        )
    if kind == "skin":
        return skin * rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
    return rng.uniform(10, 245, 3)
