"""People for the stage: a head from a photograph on a drawn body, from the front and from behind; kept in a cache."""

from __future__ import annotations

import functools
import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.encodings import ImageError
from face_af_common.files import read_bytes, replacing
from face_af_common.image_files import MAX_BYTES, decode_image
from face_af_common.images import BGR
from face_af_common.types import Box

from .clothes import OUTFITS, Figure, Outfit, draw_body
from .cutout import Head, cut_head
from .facemarks import FaceFinder, FaceMarks, find_faces

UNIT = 200
"""Height of the face, pixels, in a prepared figure."""

_VERSION = 6
"""Goes into the cache's key: raise it when figures are drawn differently."""


@dataclass(frozen=True)
class Figures:
    """One person ready for the stage: BGRA pictures (HxWx4) whose ``face`` box is the same in both."""

    name: str
    front: NDArray[np.uint8]
    back: NDArray[np.uint8]
    face: Box


@dataclass(frozen=True)
class Casting:
    """Where a person's figure comes from: the ``face_index``-th usable face, counted from the left, of a photograph."""

    name: str
    photo: Path
    face_index: int = 0
    outfit: Outfit = OUTFITS[0]


class NoFace(Exception):
    """A photograph has no face that could go on stage; the text names it."""


def prepare(casting: Casting, cache: Path, finder: FaceFinder = find_faces) -> Figures:
    """The person's figures, from ``cache`` when the same photograph was prepared before.

    Raises :class:`NoFace`, or :class:`~face_af_sim.facemarks.FinderMissing` from the default finder.
    """
    data = read_bytes(casting.photo, MAX_BYTES)
    key = hashlib.sha256(data + repr((casting.face_index, casting.outfit, UNIT, _VERSION)).encode()).hexdigest()[:20]
    kept = cache / f"{key}.npz"
    if kept.is_file():
        try:
            with np.load(kept, allow_pickle=False) as stored:
                x, y, width, height = (float(v) for v in stored["face"])
                return Figures(casting.name, stored["front"], stored["back"], Box(x, y, width, height))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
            pass  # a half-written or foreign file: prepare it anew
    picture, faces = _faces_of(data, finder)
    if picture is None:
        raise NoFace(f"{casting.photo} is not a picture")
    if casting.face_index >= len(faces):
        raise NoFace(f"{casting.photo} shows no face that is large and frontal enough for the stage")
    figures = _draw(casting, cut_head(picture, faces[casting.face_index], UNIT))
    face = figures.face
    with replacing(kept, private=True) as draft:
        np.savez_compressed(
            draft, front=figures.front, back=figures.back, face=np.array([face.x, face.y, face.width, face.height])
        )
    return figures


@functools.lru_cache(maxsize=2)
def _faces_of(data: bytes, finder: FaceFinder) -> tuple[BGR | None, list[FaceMarks]]:
    """A photograph's picture and usable faces; kept, because several people may come from the same one."""
    try:
        bgr = decode_image(np.frombuffer(data, np.uint8))
    except ImageError:
        return None, []
    return bgr, usable_faces(bgr, finder)


def usable_faces(picture: BGR, finder: FaceFinder = find_faces, least: int = 60) -> list[FaceMarks]:
    """Faces of a picture from left to right, without profiles and those under ``least`` pixels high."""
    good = [marks for marks in finder(picture) if marks.box.height >= least and 0.15 < _turn(marks) < 0.85]
    return sorted(good, key=lambda marks: marks.box.x)


def _turn(marks: FaceMarks) -> float:
    """0.5 = looks straight ahead, towards 0 or 1 = turned to a side: where the nose is between the ears."""
    nose, one, other = marks.points[30], marks.points[2], marks.points[14]
    left, right = float(np.linalg.norm(nose - one)), float(np.linalg.norm(nose - other))
    return left / max(left + right, 1e-6)


def _draw(casting: Casting, head: Head) -> Figures:
    above = int(head.chin[1])
    figures: list[NDArray[np.uint8]] = []
    left, top = 0, 0
    for behind in (False, True):
        figure = Figure(UNIT, above)
        draw_body(figure, casting.outfit, head.skin, behind, seed=len(casting.name))
        left = figure.origin_x - int(head.chin[0])
        _blend(figure, _back_of(head) if behind else head.colour, head.mask, left, top)
        figures.append(np.dstack([figure.colour, figure.mask]))
    face = head.face
    return Figures(casting.name, figures[0], figures[1], Box(face.x + left, face.y + top, face.width, face.height))


def _blend(figure: Figure, colour: BGR, mask: NDArray[np.uint8], left: int, top: int) -> None:
    x0, x1 = max(0, left), min(figure.mask.shape[1], left + mask.shape[1])
    y1 = min(figure.mask.shape[0], top + mask.shape[0])
    own, own_mask = colour[: y1 - top, x0 - left : x1 - left], mask[: y1 - top, x0 - left : x1 - left]
    weight = (own_mask / np.float32(255))[..., None]
    part, part_mask = figure.colour[top:y1, x0:x1], figure.mask[top:y1, x0:x1]
    # Where nothing was drawn yet the head's colour counts alone; its mask keeps the edge soft.
    drawn = (part_mask / np.float32(255))[..., None]
    weight_colour = np.where(drawn > 0, weight, (weight > 0).astype(np.float32))
    part[:] = (part * (1 - weight_colour) + own * weight_colour).astype(np.uint8)
    np.maximum(part_mask, own_mask, out=part_mask)


def _back_of(head: Head) -> BGR:
    """The same head from behind: its outline, filled with hair."""
    rng = np.random.default_rng(7)
    height, width = head.mask.shape
    strands = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), sigmaX=1.2, sigmaY=14)
    inner = cv2.distanceTransform((head.mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    shade = 0.55 + 0.45 * np.sqrt(np.minimum(inner / (0.4 * UNIT), 1.0))
    filled = np.array(head.hair, np.float32) * 0.8 * (shade * (1 + 1.6 * strands))[..., None]
    return np.asarray(np.clip(filled, 0, 255), np.uint8)
