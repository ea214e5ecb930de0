"""One picture, every face in it: found, aligned, embedded. No memory; for enrolment, evaluation and stills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.paths import data_dir, model_dirs
from face_af_common.types import Box
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import Chip, Embeddings, Points, Sample
from face_af_inference.choosing import choose_embedders
from face_af_inference.manifest import load_manifest

from .alignment import Picture, gallery_chip
from .detectors import Detection, Detector, open_detector
from .embedders import FaceModel
from .ensemble import open_face_model
from .params import PerceptionNodeParams
from .quality import quality

_PARTS = (1, 2, 4)
"""A still picture is looked at in a network input of a side so many times smaller, until a face is not small."""
_SMALLEST_SIDE = 64
_SMALL = 0.35
"""A face lower than this share of the picture's shorter side may be something small beside a face that was missed."""
_LARGE = 0.5
"""What is found beside it must be at least so high: small faces are seen better in the first look."""
_SAME_FACE_IOU = 0.4


@dataclass(frozen=True)
class AnalysedFace:
    """A face of a picture: ``landmarks`` 5 x 2 pixels, ``embedding`` D numbers, ``quality`` 0 to 1.

    ``masked``: it seems to wear a mask; ``upper`` is then the embedding of its upper half.
    """

    box: Box
    score: float
    landmarks: Points
    embedding: NDArray[np.float32]
    quality: float
    masked: bool = False
    upper: NDArray[np.float32] | None = None


class FaceAnalyser:
    """A detector and an embedder (or several that work as one) together."""

    def __init__(self, detector: Detector, embedder: FaceModel) -> None:
        self.detector = detector
        self.embedder = embedder

    @classmethod
    def open(
        cls,
        detector: str = "auto",
        embedder: str = "auto",
        *,
        model_dirs: Sequence[Path] = (),
        detector_size: tuple[int, int] = (640, 384),
        detector_threshold: float = 0.0,
        manifest: Path | None = None,
        **runtime: Any,
    ) -> FaceAnalyser:
        """Loads two models by their names in the manifest (``auto``: the best whose files are there).

        Several embedders are joined by ``+``.

        ``runtime`` goes to :func:`face_af_inference.runtimes.open_runner`. Raises ``ModelError``.
        """
        entries = load_manifest(manifest)
        specs, together = choose_embedders(entries, embedder, list(model_dirs))
        return cls(
            open_detector(
                entries.choose("detector", detector, list(model_dirs)), detector_size, detector_threshold, **runtime
            ),
            open_face_model(specs, together, **runtime),
        )

    @classmethod
    def of(cls, params: PerceptionNodeParams, **runtime: Any) -> FaceAnalyser:
        """The models that the node's parameters name; what is given in ``runtime`` wins. Raises ``ModelError``."""
        return cls.open(
            params.detector,
            params.embedder,
            model_dirs=model_dirs(params.model_dir),
            detector_size=(params.detector_size[0], params.detector_size[1]),
            detector_threshold=params.detector_threshold,
            manifest=Path(params.manifest).expanduser() if params.manifest else None,
            **{
                "runtime": params.runtime,
                "precision": params.precision,
                "threads": params.threads,
                "cache_dir": data_dir() / "engines",
                **runtime,
            },
        )

    def warm_up(self) -> None:
        """Runs both networks once: the first run is the slow one."""
        width, height = self.detector.size
        self.detector.detect(np.zeros((height, width, 3), np.uint8))
        self.embedder.warm_up()

    def analyse(self, bgr: Picture) -> list[AnalysedFace]:
        """Every face of ``bgr`` (H x W x 3 uint8), largest first. Raises ``PictureError``."""
        return self.embed(bgr, self.find(bgr))

    def find(self, bgr: Picture) -> list[Detection]:
        """The faces of a still picture, largest first, in an input of the picture's own shape.

        Where nothing is found, or only small faces, the picture is looked at again, smaller: detectors know faces up to
        half their input, and some (with a mask, in narrow crops) only where they take less of it.
        """
        width, height = still_size(bgr.shape[1], bgr.shape[0], self.detector.size)
        shorter = min(bgr.shape[:2])
        found: list[Detection] = []
        for part in _PARTS:
            size = (max(_SMALLEST_SIDE, width // part), max(_SMALLEST_SIDE, height // part))
            found = _joined(found, self.detector.detect(bgr, size), _LARGE * shorter)
            if any(face.box.height >= _SMALL * shorter for face in found):
                break
        return sorted(found, key=lambda face: -face.box.area)

    def embed(self, bgr: Picture, faces: Sequence[Detection]) -> list[AnalysedFace]:
        rows, chips = self.embedder.look(bgr, [face.landmarks for face in faces], flip=True)
        wearing = self.embedder.members[0].masked(chips)
        uppers: list[NDArray[np.float32] | None] = [None] * len(faces)
        if self.embedder.upper is not None and any(wearing):
            covered = [i for i, yes in enumerate(wearing) if yes]
            halves = self.embedder.embed_masked(bgr, [faces[i].landmarks for i in covered], rows[covered], flip=True)
            for i, half in zip(covered, halves, strict=True):
                uppers[i] = half
        return [
            AnalysedFace(face.box, face.score, face.landmarks, row, quality(face.landmarks, chip), yes, upper)
            for face, row, chip, yes, upper in zip(faces, rows, chips, wearing, uppers, strict=True)
        ]

    def embed_landmarks(self, bgr: Picture, landmarks: Sequence[Points]) -> Embeddings:
        """N x D embeddings of faces whose landmarks are known."""
        return self.embedder.embed(bgr, landmarks, flip=True)

    def chip(self, bgr: Picture, landmarks: Points) -> Chip:
        """The chip that a gallery keeps of a face."""
        return Chip(*gallery_chip(bgr, landmarks))

    def enrol(
        self,
        gallery: Gallery,
        name: str,
        bgr: Picture,
        face: AnalysedFace,
        negative: bool = False,
        masked: bool = False,
    ) -> Sample:
        """Adds a face of ``bgr`` to a gallery of this embedder. Raises ``GalleryError``."""
        return gallery.add(name, self.chip(bgr, face.landmarks), face.embedding, face.quality, negative, masked)


def _joined(found: list[Detection], smaller: list[Detection], large: float) -> list[Detection]:
    """``found`` and the faces at least ``large`` pixels high that only the ``smaller`` look shows.

    What was found in the middle of one of them was its eye or ear. All of ``smaller`` where nothing was found.
    """
    if not found:
        return smaller
    missed = [
        face
        for face in smaller
        if face.box.height >= large and all(face.box.iou(other.box) < _SAME_FACE_IOU for other in found)
    ]
    return [face for face in found if not any(new.box.contains(*face.box.center) for new in missed)] + missed


def still_size(width: int, height: int, size: tuple[int, int]) -> tuple[int, int]:
    """An input with the area of ``size`` doubled and the aspect of a picture of ``width`` x ``height``."""
    area = 2 * size[0] * size[1]
    aspect = min(4.0, max(0.25, width / max(1, height)))
    side = (area / aspect) ** 0.5
    return int(side * aspect), int(side)
