"""Faces of photographs, bare and with masks drawn on, in several kinds of light; found again as the node would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from drawn_masks import with_mask
from numpy.typing import NDArray
from photo_faces import largest_faces
from tqdm import tqdm

from face_af_perception.alignment import Picture
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.detectors import Detection

SIDE = 320
"""Pixels of the square around a face that is looked at."""


@dataclass(frozen=True)
class Look:
    """A face, found in ``bgr`` (SIDE x SIDE); ``photo``: the photograph's place in the list that it comes from."""

    photo: int
    file: Path
    covered: bool
    bgr: Picture
    face: Detection


def looks(analyser: FaceAnalyser, files: Sequence[Path], seed: int, bare: int, masked: int) -> Iterator[Look]:
    """Of each photograph's largest face so many ``bare`` and so many ``masked`` looks, the bare ones first.

    The first of each kind are in the photograph's own light, the others in another. Faces that are not found again
    are left out.
    """
    rng = np.random.default_rng(seed)
    bar = tqdm(files, unit="photo", disable=None, leave=False)
    for photo, (file, bgr, largest) in enumerate(largest_faces(bar, analyser)):
        for number in range(bare + masked):
            covered = number >= bare
            part, landmarks = _square(bgr, largest, rng.uniform(0.3, 0.55))
            if covered:
                part = with_mask(part, landmarks, rng)
            if number not in (0, bare):
                part = _lit(part, rng)
            found = analyser.detector.detect(part, (SIDE, SIDE))
            face = max(found, key=lambda face: face.box.area, default=None)
            if face is not None and face.box.contains(SIDE / 2, SIDE / 2):
                yield Look(photo, file, covered, part, face)


def _square(bgr: Picture, face: Detection, share: float) -> tuple[Picture, NDArray[np.float32]]:
    """The square around a face which takes a ``share`` of its side, and the landmarks in it."""
    scale = share * SIDE / max(face.box.width, face.box.height)
    middle = np.array([face.box.x + face.box.width / 2, face.box.y + face.box.height / 2])
    matrix = np.hstack([np.eye(2) * scale, (SIDE / 2 - scale * middle)[:, None]])
    part = cv2.warpAffine(bgr, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part, np.uint8), np.asarray(face.landmarks * scale + matrix[:, 2], np.float32)


def _lit(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Another light, another lens, another compression."""
    gain = np.full(3, rng.uniform(0.25, 1.25))
    if rng.random() < 0.25:
        gain *= rng.uniform(0.15, 1.0, 3)
    result = 255 * (bgr / 255.0) ** rng.uniform(0.7, 1.4) * gain
    if rng.random() < 0.4:
        small = rng.uniform(0.2, 0.7)
        result = cv2.resize(cv2.resize(result, None, fx=small, fy=small, interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    result += rng.normal(0, rng.uniform(0, 6), result.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(40, 95))]
    packed = cv2.imencode(".jpg", np.clip(result, 0, 255).astype(np.uint8), quality)[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
