"""Whole people in a frame, by YOLOX where its weights are; otherwise nobody, and boxes are estimated from faces.

YOLOX (Megvii, Apache-2.0) gives boxes on grids of 8, 16 and 32 pixels: centre = (output + cell) x stride, size =
exp(output) x stride; the score is objectness x class. Input: BGR 0 to 255, fitted to the top left, the rest 114.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

STRIDES = (8, 16, 32)
PADDING = 114
PERSON = 0
"""Class of a person in COCO."""


class PersonDetector:
    """YOLOX on one input size; two boxes that share more than ``overlap`` (IoU) are one person. See
    :func:`open_persons`."""

    def __init__(self, runner: Any, overlap: float) -> None:
        self._runner = runner
        self._overlap = overlap
        height, width = runner.input_shape[2:4]
        self._size = (int(width or 416), int(height or 416))
        self._cells, self._steps = _grid(self._size)

    def detect(self, bgr: NDArray[np.uint8], confidence: float, smallest: int) -> list[Box]:
        """People in ``bgr`` (H x W x 3), best first, with boxes of at least ``smallest`` square pixels."""
        width, height = self._size
        shrink = min(width / bgr.shape[1], height / bgr.shape[0])
        inner = (max(1, round(bgr.shape[1] * shrink)), max(1, round(bgr.shape[0] * shrink)))
        canvas = np.full((height, width, 3), PADDING, np.uint8)
        cv2.resize(bgr, inner, dst=canvas[: inner[1], : inner[0]], interpolation=cv2.INTER_LINEAR)
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        rows = self._runner.run(tensor)[0][0]
        scores = rows[:, 4] * rows[:, 5 + PERSON]
        good = scores >= confidence
        rows, scores, cells, steps = rows[good], scores[good], self._cells[good], self._steps[good]
        centres = (rows[:, :2] + cells) * steps / shrink
        sizes = np.exp(np.minimum(rows[:, 2:4], 20)) * steps / shrink
        low = np.maximum(centres - sizes / 2, 0)
        high = np.minimum(centres + sizes / 2, (bgr.shape[1], bgr.shape[0]))
        boxes = [Box(*map(float, (*a, *(b - a)))) for a, b in zip(low, high, strict=True) if (b > a).all()]
        corners = [(b.x, b.y, b.width, b.height) for b in boxes]
        order = cv2.dnn.NMSBoxes(corners, scores.tolist(), confidence, self._overlap)
        return [boxes[int(i)] for i in np.asarray(order).reshape(-1) if boxes[int(i)].area >= smallest]


def open_persons(dirs: Sequence[Path], manifest: Path | None = None, **runtime: Any) -> PersonDetector | None:
    """The manifest's best person detector whose file is there; None where none is. Raises ``ModelError``."""
    from face_af_inference.manifest import load_manifest
    from face_af_inference.runtimes import ModelError, open_runner

    known = load_manifest(manifest)
    try:
        spec = known.choose("person", "auto", dirs)
    except ModelError:
        return None
    return PersonDetector(open_runner(spec.network(), **runtime), spec.nms)


def _grid(size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    cells, steps = [], []
    for stride in STRIDES:
        across, down = size[0] // stride, size[1] // stride
        y, x = np.mgrid[0:down, 0:across]
        cells.append(np.stack([x.ravel(), y.ravel()], 1))
        steps.append(np.full((across * down, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)
