"""Faces brought into the pose that an embedder was trained on: a similarity transform from five landmarks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_gallery.model import CHIP_SIZE, Points

Picture = NDArray[np.uint8]

ARCFACE_SIZE = 112
ARCFACE: Points = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""ArcFace's template in a picture of 112 x 112 pixels (InsightFace)."""

DLIB_SIZE = 150
DLIB: Points = np.array([[46.7, 46.0], [102.1, 46.0], [74.2, 78.2], [50.0, 100.8], [98.7, 100.8]], np.float32)
"""Where the same five points lie in dlib's chip of 150 x 150 pixels (25 % padding).

dlib aligns by the corners of the eyes and the base of the nose; these are the medians of detectors' landmarks in chips
that dlib had aligned, so that its own landmark model is not needed.
"""


def similarity_transform(source: Points, target: Points) -> NDArray[np.float64]:
    """The 2 x 3 matrix (rotation, uniform scale, translation) that maps ``source`` nearest to ``target``.

    Least squares in closed form. All points in one place give a plain translation.
    """
    a, b = source.astype(np.float64), target.astype(np.float64)
    center_a, center_b = a.mean(0), b.mean(0)
    # points as complex numbers: one factor is both scale and rotation
    p = (a - center_a) @ (1, 1j)
    q = (b - center_b) @ (1, 1j)
    size = float(np.vdot(p, p).real)
    factor = complex(np.vdot(p, q)) / size if size > 1e-9 else 1 + 0j
    rotation = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([rotation, (center_b - rotation @ center_a)[:, None]])


def moved(points: Points, matrix: NDArray[Any]) -> Points:
    """``points`` (N x 2) after the 2 x 3 ``matrix``."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


_OPENCV_SIDE = 32767


def for_opencv(bgr: Picture) -> Picture:
    """``bgr`` as OpenCV takes it: its version 4.5.4 refuses a coloured picture of one pixel, which is doubled."""
    return np.repeat(bgr, 2, axis=0) if bgr.shape[:2] == (1, 1) else bgr


def warp(bgr: Picture, matrix: NDArray[np.float64], width: int, height: int) -> Picture:
    """The part of ``bgr`` that ``matrix`` maps into ``width`` x ``height``; black outside the picture.

    A face that must shrink to less than half is averaged first, so that fine patterns do not alias. Sides beyond
    OpenCV's limit of 32,767 pixels do no harm.
    """
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink > 0 and (shrink < 0.5 or max(bgr.shape) >= _OPENCV_SIDE):
        inverse = cv2.invertAffineTransform(matrix)
        corners = moved(np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float32), inverse)
        left, top = np.floor(corners.min(0) - 1).astype(int).clip(0)
        right, bottom = np.minimum(np.ceil(corners.max(0) + 2).astype(int), (bgr.shape[1], bgr.shape[0]))
        if right - left >= 2 and bottom - top >= 2:
            factor = max(1, int(1 / shrink))
            part = bgr[top:bottom, left:right]
            size = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
            fx, fy = part.shape[1] / size[0], part.shape[0] / size[1]
            bgr = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
            # pixel centres lie at +0.5
            grown = np.array([[fx, 0, left + (fx - 1) / 2], [0, fy, top + (fy - 1) / 2], [0, 0, 1]])
            matrix = matrix @ grown
    return np.asarray(cv2.warpAffine(for_opencv(bgr), matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def aligned(bgr: Picture, landmarks: Points, template: Points, size: int) -> Picture:
    """The face as a ``size`` x ``size`` BGR chip with its landmarks on ``template``."""
    return warp(bgr, similarity_transform(landmarks, template), size, size)


_CHIP_SCALE = 1.5


def chip_template() -> Points:
    """Where the landmarks lie in a gallery chip: ArcFace's template, half as large again, with a wide margin."""
    margin = (CHIP_SIZE - ARCFACE_SIZE * _CHIP_SCALE) / 2
    return np.asarray(ARCFACE * _CHIP_SCALE + margin, np.float32)


def gallery_chip(bgr: Picture, landmarks: Points) -> tuple[Picture, Points]:
    """A chip of 256 x 256 from which any embedder can align again, and the landmarks in it."""
    matrix = similarity_transform(landmarks, chip_template())
    return warp(bgr, matrix, CHIP_SIZE, CHIP_SIZE), moved(landmarks, matrix)
