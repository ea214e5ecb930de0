"""The annotated frame: what was seen, and where the crop was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from face_af_common.types import Box

if TYPE_CHECKING:
    from .candidates import Candidate
    from .engine import Image

WIDTH = 960
FACE, BODY, CROP = (80, 220, 80), (200, 160, 60), (255, 255, 255)


def draw_preview(image: Image, candidate: Candidate, body: Box) -> Image:
    """A reduced copy with the face (green), the body (blue) and the crop (white)."""
    shrink = min(1.0, WIDTH / image.shape[1])
    size = (max(1, round(image.shape[1] * shrink)), max(1, round(image.shape[0] * shrink)))
    out = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    for box, color in ((body, BODY), (Box(*candidate.face), FACE), (Box(*map(float, candidate.box)), CROP)):
        part = box.scaled(shrink)
        cv2.rectangle(out, (round(part.x), round(part.y)), (round(part.right) - 1, round(part.bottom) - 1), color, 2)
    words = f"{candidate.person} {1 - candidate.distance:.2f}  {candidate.ratio}"
    words += "  body estimated" if candidate.estimated else ""
    for shade, thickness in (((0, 0, 0), 4), (CROP, 1)):
        cv2.putText(out, words, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, shade, thickness, cv2.LINE_AA)
    return out
