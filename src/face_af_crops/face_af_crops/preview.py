"""The annotated frame: what was seen, and where the crop was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from face_af_common.types import Box

if TYPE_CHECKING:
    from .candidates import Candidate
    from .engine import Image

WIDTH = 960
FACE, BODY, CROP = (80, 220, 80), (200, 160, 60), (255, 255, 255)


def draw_faces(image: Image, faces: Sequence[Mapping[str, Any]], crops: Sequence[tuple[int, int, int, int]]) -> Image:
    """A reduced copy with every face, how alike it is to the nearest person, and the crops.

    ``faces``: as in the debug file, ``box`` in pixels and ``distances`` to each person.
    """
    out, shrink = _reduced(image)
    for face in faces:
        part = Box(*face["box"]).scaled(shrink)
        _rectangle(out, part, FACE)
        _text(out, f"{1 - min(face['distances']):.2f}", (round(part.x), max(18, round(part.y) - 6)))
    for crop in crops:
        _rectangle(out, Box(*map(float, crop)).scaled(shrink), CROP)
    return out


def draw_preview(image: Image, candidate: Candidate, body: Box) -> Image:
    """A reduced copy with the face (green), the body (blue) and the crop (white)."""
    out, shrink = _reduced(image)
    for box, color in ((body, BODY), (Box(*candidate.face), FACE), (Box(*map(float, candidate.box)), CROP)):
        _rectangle(out, box.scaled(shrink), color)
    words = f"{candidate.person} {1 - candidate.distance:.2f}  {candidate.ratio}"
    words += "  body estimated" if candidate.estimated else ""
    _text(out, words, (8, 24))
    return out


def _reduced(image: Image) -> tuple[Image, float]:
    shrink = min(1.0, WIDTH / image.shape[1])
    size = (max(1, round(image.shape[1] * shrink)), max(1, round(image.shape[0] * shrink)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), shrink


def _rectangle(out: Image, box: Box, color: tuple[int, int, int]) -> None:
    cv2.rectangle(out, (round(box.x), round(box.y)), (round(box.right) - 1, round(box.bottom) - 1), color, 2)


def _text(out: Image, words: str, at: tuple[int, int]) -> None:
    for shade, thickness in (((0, 0, 0), 4), (CROP, 1)):
        cv2.putText(out, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, shade, thickness, cv2.LINE_AA)
