"""MTCNN (Zhang et al., 2016): three small networks, each of which looks only at what the one before has left."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import open_runner

from ..alignment import Picture
from .base import Detection, Prepared, Tensor, detections, suppress
from .classic import ClassicDetector

SMALLEST = 20
"""Side in pixels of the smallest face that is looked for, in the shrunk picture."""
PYRAMID = 0.709
THRESHOLDS = (0.6, 0.7)
"""Of the first two networks; the third one's is the manifest's ``score``."""
_CELL, _STRIDE = 12, 2
_MOST = 400
"""Candidates that the second network looks at, at most."""


class Mtcnn(ClassicDetector):
    """Input RGB, ``(p - 127.5) / 128``, with rows and columns exchanged, channels last."""

    def __init__(self, spec: ModelSpec, size: tuple[int, int], threshold: float = 0.0, **runtime: Any) -> None:
        super().__init__(spec, size, threshold)
        runtime["runtime"] = "onnxruntime"  # inputs of any size, many of them: nothing to build an engine for
        self._propose, self._refine, self._output = (
            open_runner(path, **runtime) for path in (spec.path, spec.files["refine"], spec.files["output"])
        )
        self.runner = self._propose

    def infer(self, prepared: Prepared) -> list[Tensor]:
        picture = np.asarray(cv2.cvtColor(cast(Picture, prepared.tensor), cv2.COLOR_BGR2RGB), np.uint8)
        boxes = self._proposals(picture)
        boxes, scores, _ = self._looked_at(self._refine, picture, boxes, 24, THRESHOLDS[1])
        kept = _suppressed(boxes, scores, 0.7)
        boxes, scores, points = self._looked_at(self._output, picture, _square(boxes[kept]), 48, self.threshold)
        return [boxes, scores, points]

    def decode(self, outputs: list[Tensor], prepared: Prepared) -> list[Detection]:
        boxes, scores, points = outputs
        return detections(boxes, scores, points, prepared.enlarge, self.spec.nms)

    def _proposals(self, picture: Picture) -> Tensor:
        """N x 4 squares that the first network takes for faces, at any size."""
        boxes, scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        scale = _CELL / SMALLEST
        while min(picture.shape[:2]) * scale >= _CELL:
            size = int(np.ceil(picture.shape[1] * scale)), int(np.ceil(picture.shape[0] * scale))
            small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
            moved, chances = self._run(self._propose, small[None])
            chance = chances[0, :, :, 1]
            x, y = np.nonzero(chance >= THRESHOLDS[0])
            corner = np.stack([x, y], 1) * _STRIDE
            found = np.hstack([corner, corner + _CELL]).astype(np.float32) / scale
            found += moved[0, x, y] * (_CELL / scale)
            kept = _suppressed(found, chance[x, y], 0.5)
            boxes.append(found[kept])
            scores.append(chance[x, y][kept])
            scale *= PYRAMID
        together, chances = np.concatenate(boxes), np.concatenate(scores)
        return _square(together[_suppressed(together, chances, 0.7)[:_MOST]])

    def _looked_at(
        self, network: Any, picture: Picture, boxes: Tensor, side: int, threshold: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The boxes that a network keeps, moved as it says; their scores; N x 10 landmarks (of the last network)."""
        if not len(boxes):
            return np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 10), np.float32)
        outputs = self._run(network, np.stack([_cut(picture, box, side) for box in boxes]))
        moved, chances = outputs[0], outputs[-1][:, 1]
        kept = chances >= threshold
        boxes, moved, chances = boxes[kept], moved[kept], chances[kept]
        size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        points = np.empty((len(boxes), 10), np.float32)
        if len(outputs) > 2:
            at = outputs[1][kept]  # five x, then five y, in units of the box
            points[:, 0::2] = boxes[:, :1] + at[:, :5] * size[:, :1]
            points[:, 1::2] = boxes[:, 1:2] + at[:, 5:] * size[:, 1:2]
        return boxes + moved * size, chances, points

    @staticmethod
    def _run(network: Any, pictures: NDArray[np.uint8]) -> list[Tensor]:
        tensor = (pictures.astype(np.float32).transpose(0, 2, 1, 3) - 127.5) / 128
        found = dict(zip(network.output_names, network.run(np.ascontiguousarray(tensor)), strict=True))
        # the probabilities last, whatever the order in the file
        return [found[name] for name in sorted(found, key=lambda name: ("softmax" in name, name))]


def _square(boxes: Tensor) -> Tensor:
    side = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.hstack([center - side / 2, center + side / 2])


def _suppressed(boxes: Tensor, scores: Tensor, overlap: float) -> NDArray[np.int64]:
    order = np.argsort(-scores, kind="stable")
    return order[suppress(boxes[order], overlap)]


def _cut(picture: Picture, box: Tensor, side: int) -> Picture:
    """The box of a picture as a square of ``side`` pixels, black outside the picture."""
    scale = side / max(1.0, float(box[2] - box[0]))
    matrix = np.array([[scale, 0, -box[0] * scale], [0, scale, -box[1] * scale]], np.float64)
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_AREA), np.uint8)
