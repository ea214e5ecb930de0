"""The networks of one process: faces, their embeddings, and people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from .bank import Scale
from .persons import PersonDetector, open_persons

Image = NDArray[np.uint8]

DETECTOR_AREA = (640, 384)


@dataclass(frozen=True)
class Models:
    """Which models to load; plain values, so that other processes can be told."""

    detector: str = "auto"
    embedder: str = "auto"
    model_dir: str = ""
    manifest: str = ""
    runtime: str = "auto"
    threads: int = 2


@dataclass(frozen=True)
class FoundFace:
    """A face of a frame: ``landmarks`` 5 x 2 pixels, ``chip`` aligned, ``quality`` and ``sharpness`` 0 to 1."""

    box: Box
    score: float
    landmarks: NDArray[np.float32]
    chip: Image
    quality: float
    sharpness: float


@dataclass(frozen=True)
class SeenFace:
    """A face of a frame: ``landmarks`` 5 x 2 pixels, ``embedding`` D numbers, ``quality`` and ``sharpness`` 0 to 1."""

    box: Box
    score: float
    landmarks: NDArray[np.float32]
    embedding: NDArray[np.float32]
    quality: float
    sharpness: float

    @staticmethod
    def of(found: FoundFace, row: NDArray[np.float32]) -> SeenFace:
        return SeenFace(found.box, found.score, found.landmarks, row, found.quality, found.sharpness)


class Engine:
    """Open one with :func:`engine`."""

    def __init__(self, models: Models) -> None:
        from face_af_common.paths import model_dirs
        from face_af_perception.analyser import FaceAnalyser

        dirs = model_dirs(models.model_dir)
        runtime: dict[str, Any] = {"runtime": models.runtime, "threads": models.threads}
        self.analyser = FaceAnalyser.open(
            models.detector,
            models.embedder,
            model_dirs=dirs,
            detector_size=DETECTOR_AREA,
            manifest=Path(models.manifest) if models.manifest else None,
            **runtime,
        )
        own = Path(models.manifest) if models.manifest else None
        self.persons: PersonDetector | None = open_persons(dirs, own, **runtime)
        embedder = self.analyser.embedder
        self.scale = Scale(embedder.strangers, embedder.threshold)
        detector = self.analyser.detector
        self.identity = f"{detector.spec.model_id}+{embedder.model_id}+{'yolox' if self.persons else 'no persons'}"
        """Names the models: results of others cannot be continued."""

    def find(self, bgr: Image, confidence: float, smallest: float) -> list[FoundFace]:
        """Faces of ``bgr`` at least ``smallest`` pixels high, largest first."""
        from face_af_perception.quality import quality, sharpness

        detector, first = self.analyser.detector, self.analyser.embedder.members[0]
        detector.threshold = confidence
        faces = [face for face in detector.detect(bgr) if face.box.height >= smallest]
        faces.sort(key=lambda face: (-face.box.area, face.box.x))
        chips = [first.chip(bgr, face.landmarks) for face in faces]
        return [
            FoundFace(f.box, f.score, f.landmarks, chip, quality(f.landmarks, chip), sharpness(chip))
            for f, chip in zip(faces, chips, strict=True)
        ]

    def embed(self, bgr: Image, found: Sequence[FoundFace]) -> NDArray[np.float32]:
        """N x D embeddings of faces that :meth:`find` found in ``bgr``."""
        embedder = self.analyser.embedder
        first = embedder.members[0].embed_chips([face.chip for face in found])
        return embedder.complete(bgr, [face.landmarks for face in found], first, [None] * len(found))

    def faces(self, bgr: Image, confidence: float, smallest: float) -> list[SeenFace]:
        """:meth:`find` and :meth:`embed`."""
        found = self.find(bgr, confidence, smallest)
        return [SeenFace.of(face, row) for face, row in zip(found, self.embed(bgr, found), strict=True)]


@lru_cache(maxsize=1)
def engine(models: Models) -> Engine:
    """The engine of this process; loading takes a second. Raises ``ModelError``."""
    return Engine(models)


def pose(landmarks: Sequence[Sequence[float]] | NDArray[np.float32]) -> str:
    """``left``, ``front`` or ``right``: which side of the image the face looks to, from its landmarks.

    The nose of a face that looks to the camera lies midway between the eyes; a fifth of their distance off counts as
    turned.
    """
    points = np.asarray(landmarks, np.float32)
    across = points[1] - points[0]
    width = float(np.hypot(*across))
    if width < 1:
        return "front"
    offset = float((points[2] - (points[0] + points[1]) / 2) @ across) / width**2
    return "left" if offset < -0.2 else "right" if offset > 0.2 else "front"
