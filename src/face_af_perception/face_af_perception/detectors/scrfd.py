"""SCRFD (InsightFace), any of its sizes with key points."""

from __future__ import annotations

import numpy as np

from face_af_inference.runtimes import ModelError

from .base import Detection, Detector, Prepared, Tensor, detections

STRIDES = (8, 16, 32)
ANCHORS = 2


class Scrfd(Detector):
    """Nine outputs, whatever their names: scores, box distances and key-point offsets, each at three strides."""

    outputs = 3 * len(STRIDES)

    def decode(self, outputs: list[Tensor], prepared: Prepared) -> list[Detection]:
        height, width = prepared.tensor.shape[2:4]
        boxes, scores, landmarks = [], [], []
        for level, stride in enumerate(STRIDES):
            columns, cells = width // stride, (width // stride) * (height // stride)
            # some exports carry a batch dimension, some do not
            score, distance, offset = (outputs[level + 3 * kind] for kind in range(3))
            if [v.size for v in (score, distance, offset)] != [cells * ANCHORS * n for n in (1, 4, 10)]:
                raise ModelError(f"the outputs at stride {stride} are not those of SCRFD at {width}x{height}")
            score, distance, offset = score.reshape(-1), distance.reshape(-1, 4), offset.reshape(-1, 10)
            index = np.flatnonzero(score > self.threshold)
            if not index.size:
                continue
            cell = index // ANCHORS
            # the anchor lies on the cell's corner; half a stride more would shift every face
            center = np.stack([cell % columns, cell // columns], 1).astype(np.float32) * stride
            reach = distance[index] * stride
            boxes.append(np.hstack([center - reach[:, :2], center + reach[:, 2:]]))
            landmarks.append(np.tile(center, 5) + offset[index] * stride)
            scores.append(score[index])
        if not boxes:
            return []
        return detections(
            np.concatenate(boxes), np.concatenate(scores), np.concatenate(landmarks), prepared.enlarge, self.spec.nms
        )
