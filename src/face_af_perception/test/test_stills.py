"""Faces that fill a still picture, and small ones that do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from face_af_common.types import Box
from face_af_perception.alignment import ARCFACE
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.detectors import Detection
from face_af_perception.embedders import Embedder

SIDE = 200
FACE, EYE, BESIDE = Box(10, 10, 180, 180), Box(60, 60, 40, 40), Box(180, 2, 20, 30)


def face(box: Box, score: float = 0.7) -> Detection:
    points = ARCFACE / 112 * np.array([box.width, box.height]) + np.array([box.x, box.y])
    return Detection(box, score, points.astype(np.float32))


class Looks:
    """A detector that finds something else in each size of input, largest first."""

    size = (640, 384)

    def __init__(self, *found: list[Box]) -> None:
        self.found = found
        self.sizes: list[tuple[int, int]] = []

    def detect(self, bgr: np.ndarray, size: tuple[int, int]) -> list[Detection]:
        self.sizes.append(size)
        return [face(box) for box in self.found[len(self.sizes) - 1]]


@pytest.mark.parametrize(
    ("looks", "boxes"),
    [
        ([[FACE, BESIDE]], [FACE, BESIDE]),
        ([[], [FACE]], [FACE]),
        ([[], [], [FACE]], [FACE]),
        ([[], [], []], []),
        ([[EYE], [FACE]], [FACE]),
        ([[BESIDE], [FACE, BESIDE]], [FACE, BESIDE]),
        ([[BESIDE], [], [FACE]], [FACE, BESIDE]),
        ([[BESIDE], [EYE], [BESIDE]], [BESIDE]),
    ],
)
def test_a_picture_is_looked_at_smaller_until_a_face_is_not_small(
    make_embedder: Callable[..., Embedder], looks: list[list[Box]], boxes: list[Box]
) -> None:
    detector = Looks(*looks)
    analyser = FaceAnalyser(detector, make_embedder())  # type: ignore[arg-type]
    found = analyser.find(np.zeros((SIDE, SIDE, 3), np.uint8))
    assert [f.box for f in found] == boxes
    widths = [width for width, _ in detector.sizes]
    assert widths == [widths[0] // part for part in (1, 2, 4)][: len(looks)]
