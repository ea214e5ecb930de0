"""What the tests with films of real people share: reading them, enrolling, playing, counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from face_af_common.params import build
from face_af_common.types import Face
from face_af_gallery.gallery import Gallery
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.params import PerceptionNodeParams
from face_af_perception.pipeline import FacePipeline


@dataclass(frozen=True)
class Media:
    """Files in the folder that ``FACE_AF_TEST_MEDIA`` names."""

    folder: Path

    @property
    def clip(self) -> Path:
        return self.folder / "short_hamilton_clip.mp4"

    @property
    def people(self) -> dict[str, Path]:
        return {
            "singer": self.folder / "lin-manuel-miranda.png",
            "pianist": self.folder / "alex-lacamoire.png",
        }


@cache
def film(path: Path) -> list[np.ndarray]:
    """All frames, BGR."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        good, frame = capture.read()
        if not good:
            return frames
        frames.append(frame)


def gallery_of(models: FaceAnalyser, people: Mapping[str, Path]) -> Gallery:
    """One photograph a person."""
    gallery = Gallery(None, models.embedder)
    for name, path in people.items():
        photograph = np.asarray(cv2.imread(str(path)), np.uint8)
        models.enrol(gallery, name, photograph, models.analyse(photograph)[0])
    return gallery


def play(models: FaceAnalyser, gallery: Gallery, frames: Sequence[np.ndarray], target: str) -> list[list[Face]]:
    """The faces of each frame, at 30 frames a second."""
    params = build(PerceptionNodeParams, {"target": target}).repeatable()
    pipeline = FacePipeline(params, models, gallery)
    return [pipeline.process(frame, i / 30) for i, frame in enumerate(frames)]


def named(frames: Sequence[Sequence[Face]], name: str) -> int:
    """In how many frames somebody has this name."""
    return sum(any(face.identity == name for face in faces) for faces in frames)
