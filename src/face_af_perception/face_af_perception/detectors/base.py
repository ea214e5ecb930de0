"""What every detector shares: one pass from the picture to the network's input, and back to picture pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box, Face
from face_af_gallery.model import Points
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError, Runner

from ..alignment import Picture, for_opencv

Tensor = NDArray[np.float32]

MULTIPLE = 32
"""Width and height of a network's input are multiples of its coarsest stride."""

SQUEEZE = 0.03
"""A picture may be flattened or narrowed by this share where that saves padding: 640 x 352 for 16:9, not 640 x 384."""

_AVERAGED_BELOW = 0.3
_KEPT_SIZES = 4

MAX_CANDIDATES = 2000
"""No more places than this are compared with one another, best first: a picture of noise must not take a second."""

MAX_FACES = 100
"""No more faces than this are reported for a picture, best first."""


class PictureError(ValueError):
    """A picture in which nothing can be looked for (no pixels, wrong type); the text says why."""


@dataclass(frozen=True)
class Detection:
    """One face found: ``box`` and ``landmarks`` (5 x 2 float32) in pixels of the picture, ``score`` 0 to 1."""

    box: Box
    score: float
    landmarks: Points

    @staticmethod
    def of(face: Face) -> Detection:
        """A published face as the detection it came from."""
        return Detection(face.box, face.score, np.asarray(face.landmarks, np.float32).reshape(5, 2))


@dataclass(frozen=True)
class Prepared:
    """A picture as the network wants it, and the factors (x, y) from the network's pixels back to the picture's.

    ``tensor`` (1 x 3 x H x W float32) is the detector's own and valid until its next picture.
    """

    tensor: Tensor
    enlarge: tuple[float, float]


class Detector:
    """Finds faces. ``detect`` does it all; ``prepare``, ``infer`` and ``decode`` are its steps, to be timed apart.

    The picture is scaled to fit ``size`` (width, height), aspect kept, at the top left of the network's input, the
    rest black. Where the network's input is free it is cut to what the picture fills, within :data:`SQUEEZE`, and
    another ``size`` may be given for one picture.
    """

    outputs = 0
    """How many outputs the network must have."""

    def __init__(self, spec: ModelSpec, runner: Runner, size: tuple[int, int], threshold: float = 0.0) -> None:
        if len(runner.output_names) != self.outputs:
            count = len(runner.output_names)
            raise ModelError(f"{spec.path}: a {spec.family} model has {self.outputs} outputs, this one has {count}")
        self.spec = spec
        self.runner = runner
        self.threshold = threshold or spec.score
        height, width = runner.input_shape[2:4]
        self.fixed_size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        """The only size that the network takes, or None when it takes any."""
        self.size = self.fixed_size or rounded(size)
        self._kept: dict[tuple[int, int], tuple[Picture, Tensor]] = {}

    def detect(self, bgr: Picture, size: tuple[int, int] | None = None) -> list[Detection]:
        """The faces of ``bgr`` (H x W x 3 uint8), best first. Raises :class:`PictureError`."""
        prepared = self.prepare(bgr, size)
        return self.decode(self.infer(prepared), prepared)

    def prepare(self, bgr: Picture, size: tuple[int, int] | None = None) -> Prepared:
        checked(bgr)
        width, height = self.fixed_size or (rounded(size) if size else self.size)
        shrink = min(width / bgr.shape[1], height / bgr.shape[0])
        inner = (max(1, round(bgr.shape[1] * shrink)), max(1, round(bgr.shape[0] * shrink)))
        if self.fixed_size is None and self.runner.any_size:
            width, height = _trimmed(inner[0]), _trimmed(inner[1])
            inner = min(inner[0], width), min(inner[1], height)
        canvas, tensor = self._buffers((width, height))
        canvas[inner[1] :] = 0
        canvas[:, inner[0] :] = 0
        # averaging takes five times as long, and shows in the result only where much is thrown away
        flag = cv2.INTER_AREA if shrink < _AVERAGED_BELOW else cv2.INTER_LINEAR
        cv2.resize(for_opencv(bgr), inner, dst=canvas[: inner[1], : inner[0]], interpolation=flag)
        planes = cv2.split(canvas)
        spec = self.spec
        for plane, target in zip(planes[::-1] if spec.color == "rgb" else planes, tensor[0], strict=True):
            cv2.addWeighted(plane, 1 / spec.std, plane, 0, -spec.mean / spec.std, dst=target, dtype=cv2.CV_32F)
        return Prepared(tensor, (bgr.shape[1] / inner[0], bgr.shape[0] / inner[1]))

    def _buffers(self, size: tuple[int, int]) -> tuple[Picture, Tensor]:
        """A picture and a network input of ``size``, used again: new memory costs more than the arithmetic."""
        buffers = self._kept.get(size)
        if buffers is None:
            if len(self._kept) >= _KEPT_SIZES:
                self._kept.clear()
            width, height = size
            buffers = np.zeros((height, width, 3), np.uint8), np.zeros((1, 3, height, width), np.float32)
            self._kept[size] = buffers
        return buffers

    def infer(self, prepared: Prepared) -> list[Tensor]:
        return self.runner.run(prepared.tensor)

    def decode(self, outputs: list[Tensor], prepared: Prepared) -> list[Detection]:
        raise NotImplementedError


def checked(bgr: Picture) -> None:
    """Raises :class:`PictureError` for what is no picture."""
    if bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.dtype != np.uint8 or bgr.size == 0:
        raise PictureError(f"a BGR picture of uint8 is needed, got {bgr.dtype} {bgr.shape}")


def _trimmed(length: int) -> int:
    """The multiple of 32 for a side of the picture: the next lower one where it hardly differs."""
    lower = length // MULTIPLE * MULTIPLE
    return lower if lower and length - lower <= SQUEEZE * length else lower + MULTIPLE


def rounded(size: tuple[int, int]) -> tuple[int, int]:
    """``size`` raised to multiples of 32."""
    width, height = (max(1, -(-int(v) // MULTIPLE)) * MULTIPLE for v in size)
    return width, height


def detections(
    boxes: Tensor, scores: Tensor, landmarks: Tensor, enlarge: tuple[float, float], overlap: float
) -> list[Detection]:
    """Candidates (left, top, right, bottom; N x 4) without those that overlap a better one, in picture pixels."""
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    boxes, scores, landmarks = boxes[order], scores[order], landmarks[order]
    kept = suppress(boxes, overlap)[:MAX_FACES]
    factors = np.array(enlarge, np.float32)
    corners = (boxes[kept] * np.tile(factors, 2)).tolist()
    points = np.asarray(landmarks[kept].reshape(-1, 5, 2) * factors, np.float32)
    finite = np.all(np.isfinite(points), axis=(1, 2))
    found = []
    for i, (left, top, right, bottom) in enumerate(corners):
        box = Box(left, top, max(0.0, right - left), max(0.0, bottom - top))
        if finite[i] and box.area > 0:
            found.append(Detection(box, float(scores[kept[i]]), points[i]))
    return found


def suppress(boxes: Tensor, overlap: float) -> list[int]:
    """Greedy non-maximum suppression of boxes sorted best first; returns the indices to keep."""
    area = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    rest = np.arange(len(boxes))
    kept: list[int] = []
    while rest.size:
        best, rest = int(rest[0]), rest[1:]
        kept.append(best)
        others = boxes[rest]
        width = np.minimum(others[:, 2], boxes[best, 2]) - np.maximum(others[:, 0], boxes[best, 0])
        height = np.minimum(others[:, 3], boxes[best, 3]) - np.maximum(others[:, 1], boxes[best, 1])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        rest = rest[shared <= overlap * np.maximum(area[rest] + area[best] - shared, 1e-9)]
    return kept
