"""Older detectors (Haar, HOG, SSD): they find boxes only, and five points are laid into each box afterwards.

For comparison, and for whoever wants one. Their libraries are imported when one is opened.
"""

from __future__ import annotations

import importlib.util
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_gallery.model import Points
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError

from ..alignment import ARCFACE, Picture, similarity_transform
from .base import Detection, Detector, Prepared, Tensor, checked, detections

_NOSE_BASE = (56.0, 80.0)
"""Where dlib's fifth point lies in the ARCFACE template."""
_LANDMARKS = ("face_recognition_models", "models/shape_predictor_5_face_landmarks.dat")
_SSD_MEAN_BGR = (104.0, 177.0, 123.0)
_SMALLEST = 20
"""Side in pixels of the smallest face that Haar's cascade looks for."""


class Backend:
    """What stands in place of a network's runner for detectors that are a library's own."""

    precision = "fp32"

    def __init__(self, name: str) -> None:
        self.name = name


class ClassicDetector(Detector):
    """A detector that takes a picture of any size and gives boxes. Larger pictures are shrunk to fit ``size``."""

    backend = ""

    def __init__(self, spec: ModelSpec, size: tuple[int, int], threshold: float = 0.0) -> None:
        self.spec = spec
        self.runner = cast(Any, Backend(self.backend))
        self.threshold = threshold or spec.score
        self.fixed_size = None
        self.size = size

    def prepare(self, bgr: Picture, size: tuple[int, int] | None = None) -> Prepared:
        """The picture, shrunk to fit ``size``; never enlarged."""
        checked(bgr)
        width, height = size or self.size
        shrink = min(1.0, width / bgr.shape[1], height / bgr.shape[0])
        inner = max(1, round(bgr.shape[1] * shrink)), max(1, round(bgr.shape[0] * shrink))
        small = bgr if shrink == 1.0 else cv2.resize(bgr, inner, interpolation=cv2.INTER_AREA)
        return Prepared(cast(Tensor, small), (bgr.shape[1] / inner[0], bgr.shape[0] / inner[1]))

    def infer(self, prepared: Prepared) -> list[Tensor]:
        picture = cast(Picture, prepared.tensor)
        boxes, scores = self.boxes(picture)
        kept = scores >= self.threshold
        boxes, scores = boxes[kept], scores[kept]
        return [boxes, scores, self._points.within(picture, boxes)]

    def decode(self, outputs: list[Tensor], prepared: Prepared) -> list[Detection]:
        boxes, scores, points = outputs
        return detections(boxes, scores, points, prepared.enlarge, self.spec.nms)

    def boxes(self, bgr: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """N x 4 boxes (left, top, right, bottom) in pixels, and N scores, 0 to 1."""
        raise NotImplementedError

    @cached_property
    def _points(self) -> FivePoints:
        return FivePoints()


class FivePoints:
    """dlib's five landmarks (corners of the eyes, base of the nose; CC0) as those of the ARCFACE template.

    The mouth is not among them: its corners are put where the template has them.
    """

    def __init__(self) -> None:
        path = package_file(*_LANDMARKS)
        try:
            import dlib
        except ImportError as error:
            raise ModelError(f"dlib is needed for the landmarks of this detector: {error}") from error
        self._dlib = dlib
        self._predict = dlib.shape_predictor(str(path))

    def within(self, bgr: Picture, boxes: NDArray[np.float32]) -> Tensor:
        """N x 10 landmarks of the faces in ``boxes`` (N x 4: left, top, right, bottom)."""
        if not len(boxes):
            return np.empty((0, 10), np.float32)
        gray = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        return np.stack([self._of(gray, box) for box in boxes]).reshape(-1, 10)

    def _of(self, gray: Picture, box: NDArray[np.float32]) -> Points:
        left, top, right, bottom = (round(float(v)) for v in box)
        shape = self._predict(gray, self._dlib.rectangle(left, top, right, bottom))
        found = np.array([(shape.part(i).x, shape.part(i).y) for i in range(5)], np.float32)
        eyes = np.stack([found[:2].mean(0), found[2:4].mean(0)])
        eyes = eyes[eyes[:, 0].argsort()]
        known = np.vstack([eyes, found[4:]])
        matrix = similarity_transform(np.vstack([ARCFACE[:2], [_NOSE_BASE]]).astype(np.float32), known)
        return np.asarray(np.vstack([eyes, ARCFACE[2:] @ matrix[:, :2].T + matrix[:, 2]]), np.float32)


class Haar(ClassicDetector):
    """OpenCV's cascade of Haar features (Viola and Jones, 2001). It gives no scores: all count as sure."""

    backend = "OpenCV"

    def __init__(self, spec: ModelSpec, size: tuple[int, int], threshold: float = 0.0) -> None:
        super().__init__(spec, size, threshold)
        self._cascade = cv2.CascadeClassifier(str(spec.path))
        if self._cascade.empty():
            raise ModelError(f"{spec.path}: not a cascade that OpenCV can read")

    def boxes(self, bgr: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        gray = cv2.equalizeHist(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
        found = self._cascade.detectMultiScale(gray, 1.1, 5, minSize=(_SMALLEST, _SMALLEST))
        rows = np.asarray(found, np.float32).reshape(-1, 4)
        return np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:]]), np.ones(len(rows), np.float32)


class Hog(ClassicDetector):
    """dlib's histograms of oriented gradients with a linear SVM (Dalal and Triggs, 2005), in a picture twice as large:
    it knows faces of 80 pixels and more."""

    backend = "dlib"

    def __init__(self, spec: ModelSpec, size: tuple[int, int], threshold: float = 0.0) -> None:
        super().__init__(spec, size, threshold)
        try:
            import dlib
        except ImportError as error:
            raise ModelError(f"the detector {spec.name} is dlib's own: {error}") from error
        self._detector = dlib.get_frontal_face_detector()

    def boxes(self, bgr: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        found, margins, _ = self._detector.run(gray, 1, 0.0)
        rows = [(r.left(), r.top(), r.right(), r.bottom()) for r in found]
        # distances from the border, 0 to about 3
        scores = 1 / (1 + np.exp(-2 * np.asarray(margins, np.float32).reshape(-1)))
        return np.array(rows, np.float32).reshape(-1, 4), np.asarray(scores, np.float32)


class Ssd(ClassicDetector):
    """OpenCV's single-shot detector with a ResNet-10 (Liu et al., 2016), 300 x 300 pixels."""

    backend = "OpenCV"
    side = 300

    def __init__(self, spec: ModelSpec, size: tuple[int, int], threshold: float = 0.0) -> None:
        super().__init__(spec, size, threshold)
        if not hasattr(cv2.dnn, "readNetFromCaffe"):
            raise ModelError(f"the detector {spec.name} needs OpenCV 4: version {cv2.__version__} reads no Caffe files")
        try:
            self._network = cv2.dnn.readNetFromCaffe(str(spec.files["deploy"]), str(spec.path))
        except cv2.error as error:
            raise ModelError(f"{spec.path}: cannot be read by OpenCV ({error.err or error})") from error

    def boxes(self, bgr: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self._network.setInput(cv2.dnn.blobFromImage(bgr, 1.0, (self.side, self.side), _SSD_MEAN_BGR))
        rows = np.asarray(self._network.forward(), np.float32).reshape(-1, 7)
        height, width = bgr.shape[:2]
        return rows[:, 3:7] * np.array([width, height, width, height], np.float32), rows[:, 2]


def package_file(package: str, name: str) -> Path:
    """A file inside an installed package, which is not imported. Raises :class:`ModelError`."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    raise ModelError(f"{name} is needed, which comes in the Python package {package}")
