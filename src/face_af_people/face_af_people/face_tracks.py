"""The faces of photographs, videos and cameras, followed from frame to frame: of each track the clearest few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.image_files import VIDEO_SUFFIXES
from face_af_common.types import Box

from .photos import PhotoError, Picture, read_photo

if TYPE_CHECKING:
    from face_af_gallery.model import Chip
    from face_af_perception.analyser import AnalysedFace, FaceAnalyser
    from face_af_perception.detectors import Detection

CROP = 0.6
"""Margin around a face in its crop, in widths of the face on each side."""
APART = 5
"""Frames between two faces of a track that are both kept: neighbours show nearly the same."""


@dataclass
class SeenFace:
    """A face of frame ``index``: ``crop`` with a margin, ``chip`` aligned; ``quality`` 0 to 1; ``embedding`` D."""

    index: int
    quality: float
    crop: Picture
    chip: Chip
    embedding: NDArray[np.float32]


@dataclass
class FaceTrack:
    """One face, followed through ``source``: the clearest ``faces``, best first, and the ``total`` of all qualities."""

    source: Path
    faces: list[SeenFace] = field(default_factory=list)
    total: float = 0.0

    def add(self, face: SeenFace, most: int) -> None:
        """Keeps ``face`` where it is among the ``most`` clearest, and better than its neighbours in time."""
        self.total += face.quality
        near = next((f for f in self.faces if abs(f.index - face.index) < APART), None)
        if near is not None:
            if near.quality >= face.quality:
                return
            self.faces.remove(near)
        self.faces = sorted([*self.faces, face], key=lambda f: -f.quality)[:most]

    @property
    def embedding(self) -> NDArray[np.float32]:
        """Mean of the faces' embeddings, weighted by quality."""
        from face_af_gallery.matching import mean_embedding

        rows = np.stack([face.embedding for face in self.faces])
        return np.asarray(mean_embedding(rows[:, None], [face.quality for face in self.faces])[0])


def is_stream(source: str) -> bool:
    """Whether an input is a camera or a network stream rather than a file: ``0``, ``/dev/video0``, ``rtsp://…``."""
    return source.isdecimal() or source.startswith("/dev/") or "://" in source


def tracks(
    analyser: FaceAnalyser, source: str, *, most: int, seconds: float = 0.0, say: Callable[[int], None] = lambda n: None
) -> list[FaceTrack]:
    """Every face of a photograph, or every track of a video or stream (of which ``seconds`` are looked at; 0: all).

    Raises :class:`PhotoError`.
    """
    if not is_stream(source) and Path(source).suffix.lower() not in VIDEO_SUFFIXES:
        return _photo(analyser, Path(source))
    return _video(analyser, source, most, seconds, say)


def _photo(analyser: FaceAnalyser, path: Path) -> list[FaceTrack]:
    from face_af_perception.detectors import PictureError

    picture = read_photo(path)
    try:
        found = analyser.analyse(picture)
    except PictureError as error:
        raise PhotoError(f"{path}: {error}") from error
    return [FaceTrack(path, [_seen(analyser, picture, face, 0)], face.quality) for face in found]


def _video(
    analyser: FaceAnalyser, source: str, most: int, seconds: float, say: Callable[[int], None]
) -> list[FaceTrack]:
    from face_af_perception.detectors import Detection
    from face_af_perception.params import PerceptionNodeParams
    from face_af_perception.pipeline import FacePipeline

    pipeline = FacePipeline(PerceptionNodeParams(), analyser, None)
    found: dict[int, FaceTrack] = {}
    index = -1
    for index, (stamp, picture) in enumerate(_frames(source, seconds)):
        say(index)
        for face in pipeline.process(picture, stamp):
            track = found.setdefault(face.track_id, FaceTrack(Path(source)))
            detection = Detection.of(face)
            if _worth(analyser, picture, detection, track, index, most):
                track.add(_seen(analyser, picture, analyser.embed(picture, [detection])[0], index), most)
    if index < 0:
        raise PhotoError(f"{source}: no frame can be read")
    return [track for track in found.values() if track.faces]


def _worth(analyser: FaceAnalyser, picture: Picture, face: Detection, track: FaceTrack, index: int, most: int) -> bool:
    """Whether a face may be kept: embeddings cost more than a look at its quality."""
    from face_af_perception.quality import quality

    value = quality(face.landmarks, analyser.embedder.members[0].chip(picture, face.landmarks))
    near = next((f for f in track.faces if abs(f.index - index) < APART), None)
    if near is not None:
        kept = value > near.quality
    else:
        kept = len(track.faces) < most or value > track.faces[-1].quality
    if not kept:
        track.total += value
    return kept


def _seen(analyser: FaceAnalyser, picture: Picture, face: AnalysedFace, index: int) -> SeenFace:
    chip = analyser.chip(picture, face.landmarks)
    return SeenFace(index, face.quality, crop(picture, face.box), chip, face.embedding)


def crop(picture: Picture, box: Box) -> Picture:
    """A copy of the face with :data:`CROP` of its width around it, as far as the picture reaches."""
    margin = CROP * box.width
    left, top = max(0, int(box.x - margin)), max(0, int(box.y - margin))
    right, bottom = int(box.right + margin) + 1, int(box.bottom + margin) + 1
    return picture[top:bottom, left:right].copy()


def _frames(source: str, seconds: float) -> Iterator[tuple[float, Picture]]:
    """Stamp in seconds and image of each frame."""
    stream = is_stream(source)
    if not stream and not Path(source).is_file():
        raise PhotoError(f"{source}: there is no such file")
    video = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    if not video.isOpened():
        raise PhotoError(f"{source}: {'cannot be opened' if stream else 'not a video, or a damaged one'}")
    rate = video.get(cv2.CAP_PROP_FPS)
    rate = rate if 1 <= rate <= 1000 else 30.0
    index = 0
    try:
        while not seconds or index / rate < seconds:
            good, picture = video.read()
            if not good:
                return
            yield index / rate, np.asarray(picture, np.uint8)
            index += 1
    finally:
        video.release()
