"""Cuts a head with its hair out of a photograph: colour, soft mask, and where the face is in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.images import BGR
from face_af_common.types import Box

from .facemarks import FaceMarks

_WORKING_FACE = 220
"""Height of the face, pixels, at which a head is cut out."""


@dataclass(frozen=True)
class Head:
    """``colour`` (HxWx3) and ``mask`` (HxW, 0 to 255) of a head; ``face``, ``chin`` in its pixels; BGR colours."""

    colour: BGR
    mask: NDArray[np.uint8]
    face: Box
    chin: tuple[float, float]
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]


def cut_head(picture: BGR, marks: FaceMarks, face_height: int = _WORKING_FACE) -> Head:
    """The head at a scale where its face is ``face_height`` pixels high.

    What is head is decided by GrabCut, started from the jaw line (surely head) and an ellipse around
    the hair (perhaps head); everything outside that is surely not.
    """
    turn = _upright(marks)
    face = FaceMarks(_moved(marks.points, turn)).box
    scale = face_height / max(face.height, 1.0)
    place = scale * turn
    place[:, 2] += (scale * (0.75 * face.width - face.x), scale * (0.75 * face.height - face.y))
    size = (int(2.5 * face.width * scale), int(2.05 * face.height * scale))
    if scale < 0.5:  # halving first keeps the warp from skipping pixels
        half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return cut_head(np.asarray(half, np.uint8), FaceMarks(marks.points * np.float32(0.5)), face_height)
    moved = cv2.warpAffine(picture, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    colour = np.asarray(moved, np.uint8)
    white = np.full(picture.shape[:2], 255, np.uint8)
    inside = cv2.warpAffine(white, place, size, flags=cv2.INTER_NEAREST) > 0
    at = FaceMarks(_moved(marks.points, place))
    mask = _head_mask(colour, at, inside)
    skin, hair = _colours(colour, mask, at)
    return Head(_bleed(colour, mask), mask, at.box, at.chin, skin, hair)


def _upright(marks: FaceMarks) -> NDArray[np.float64]:
    """2x3 rotation about the face's middle that puts the line of the eyes level."""
    right, left = marks.points[36:42].mean(axis=0), marks.points[42:48].mean(axis=0)
    angle = np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0]))
    x, y = marks.points.mean(axis=0)
    return np.asarray(cv2.getRotationMatrix2D((float(x), float(y)), float(angle), 1.0))


def _moved(points: NDArray[np.float32], transform: NDArray[np.float64]) -> NDArray[np.float32]:
    return (points @ transform[:, :2].T + transform[:, 2]).astype(np.float32)


def _head_mask(colour: BGR, marks: FaceMarks, inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    height, width = colour.shape[:2]
    face, chin = marks.box, marks.chin
    cx = (float(marks.points[27:31, 0].mean()) + face.center[0]) / 2
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    hair = (int(cx), int(face.y + 0.30 * face.height))
    cv2.ellipse(labels, hair, (int(0.80 * face.width), int(0.78 * face.height)), 0, 0, 360, int(cv2.GC_PR_BGD), -1)
    cv2.ellipse(labels, hair, (int(0.60 * face.width), int(0.58 * face.height)), 0, 0, 360, int(cv2.GC_PR_FGD), -1)
    brows = marks.points[18:26] - (0, 0.17 * face.height)
    hull = cv2.convexHull(np.concatenate([marks.points, brows]).astype(np.float32)).astype(np.int32)
    cv2.fillConvexPoly(labels, hull, int(cv2.GC_FGD))
    crown = (int(cx), int(face.y + 0.24 * face.height))
    cv2.ellipse(labels, crown, (int(0.47 * face.width), int(0.36 * face.height)), 0, 180, 360, int(cv2.GC_FGD), -1)
    below = _below_jaw(labels.shape, marks)
    labels[below] = cv2.GC_BGD
    labels[~inside] = cv2.GC_BGD
    backs, fronts = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)
    cv2.grabCut(colour, labels, (0, 0, 1, 1), backs, fronts, 4, cv2.GC_INIT_WITH_MASK)
    head = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    # dark hair before a dark wall is easily lost: what is dark within the usual cap of hair is hair
    cap = np.zeros_like(head)
    cv2.ellipse(cap, hair, (int(0.53 * face.width), int(0.58 * face.height)), 0, 195, 345, 1, -1)
    head |= cap & (cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY) < 75) & inside
    size = max(3, int(face.width * 0.05) | 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    _, parts = cv2.connectedComponents(np.asarray(cv2.morphologyEx(head, cv2.MORPH_OPEN, brush), np.uint8))
    head = (parts == parts[int(chin[1]) - int(0.3 * face.height), int(cx)]).astype(np.uint8)
    contours, _ = cv2.findContours(head, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros_like(head)
    cv2.drawContours(whole, contours, -1, 255, -1)
    soft = cv2.GaussianBlur(whole, (0, 0), face.width * 0.022)
    # A steep ramp through the blurred outline: smooth, a few pixels soft, slightly inside the outline.
    return np.asarray(cv2.convertScaleAbs(np.clip(soft.astype(np.int16) - 110, 0, 90), alpha=255 / 90), np.uint8)


def _below_jaw(shape: tuple[int, ...], marks: FaceMarks) -> NDArray[np.bool_]:
    """Everything below the line that follows the jaw and goes out sideways at the lower ends of the ears."""
    face = marks.box
    jaw = marks.jaw
    drop = 0.02 * face.height
    path = [
        (0.0, float(jaw[3, 1]) + 0.10 * face.height),
        (float(jaw[3, 0]) - 0.1 * face.width, float(jaw[3, 1]) + 0.10 * face.height),
    ]
    path += [(float(x), float(y) + drop) for x, y in jaw[4:13]]
    path += [
        (float(jaw[13, 0]) + 0.1 * face.width, float(jaw[13, 1]) + 0.10 * face.height),
        (float(shape[1]), float(jaw[13, 1]) + 0.10 * face.height),
    ]
    path += [(float(shape[1]), float(shape[0])), (0.0, float(shape[0]))]
    below = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(below, [np.array(path, np.int32)], 1)
    return below.astype(bool)


def _colours(
    colour: BGR, mask: NDArray[np.uint8], marks: FaceMarks
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    face = marks.box
    cheeks = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(cheeks, cv2.convexHull(marks.points[[2, 4, 8, 12, 14, 33]]).astype(np.int32), 1)
    above = mask > 200
    above[int(face.y + 0.05 * face.height) :] = False
    skin = np.median(colour[cheeks.astype(bool)], axis=0)
    hair = np.median(colour[above], axis=0) if above.sum() > 200 else skin * 0.5
    return _triple(skin), _triple(hair)


def _triple(values: NDArray[np.float64]) -> tuple[int, int, int]:
    b, g, r = (int(v) for v in values)
    return b, g, r


def _bleed(colour: BGR, mask: NDArray[np.uint8]) -> BGR:
    """The head's own colours carried outwards under the soft edge, so that no old background shines through."""
    weight = (mask > 235).astype(np.float32)
    spread = cv2.GaussianBlur(colour.astype(np.float32) * weight[..., None], (0, 0), 5)
    total = cv2.GaussianBlur(weight, (0, 0), 5)
    outside = (mask <= 235) & (total > 1e-4)
    out = colour.copy()
    out[outside] = np.clip(spread[outside] / total[outside, None], 0, 255).astype(np.uint8)
    return out
