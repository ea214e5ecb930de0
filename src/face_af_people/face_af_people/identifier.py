"""Who is on a photograph or in a video: boxes, names and similarities, drawn where they are wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from face_af_common.files import FileError, write_bytes
from face_af_common.image_files import VIDEO_SUFFIXES
from face_af_common.types import Box, Face

from .annotated_video import AnnotatedVideo
from .contact_sheet import cell
from .photos import PhotoError, Picture, read_photo

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser

Entry = dict[str, Any]
"""``box``: x, y, width, height, pixels; ``identity``: empty where unknown; ``similarity``; the detector's ``score``."""


@dataclass
class Identified:
    """What was found in an input. ``found``: the faces of a photograph, or a list of those for each frame of a video.

    ``problem``: why it could not be looked at, ``not_written``: why it could not be drawn; one line each, or empty.
    ``cell``: for a contact sheet, where one is wanted (JPEG).
    """

    found: list[Any]
    problem: str = ""
    not_written: str = ""
    cell: bytes = b""


class Identifier:
    """Names the faces of photographs, each by itself, and of videos, with tracking.

    ``cells``: whether small images for a contact sheet are wanted.
    """

    def __init__(self, analyser: FaceAnalyser, gallery: Gallery, threshold: float = 0.0, cells: bool = False) -> None:
        from .identity_rule import Rule

        self.analyser = analyser
        self.gallery = gallery
        self.rule = Rule(threshold)
        self._cells = cells

    def identify(self, path: Path, target: Path | None = None) -> Identified:
        """Looks at a photograph or a video, and draws it into ``target`` (None: nowhere)."""
        try:
            if path.suffix.lower() in VIDEO_SUFFIXES:
                return self._video(path, target)
            return self._photo(path, target)
        except PhotoError as error:
            return Identified([], str(error))

    def cell_again(self, path: Path, found: list[Any]) -> bytes:
        """A contact sheet's cell of a photograph that was looked at before; empty for a video."""
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return b""
        try:
            return cell(drawn(read_photo(path), [face_of(e) for e in found]), path.name)
        except PhotoError:
            return b""

    def _photo(self, path: Path, target: Path | None) -> Identified:
        from face_af_perception.detectors import PictureError

        picture = read_photo(path)
        try:
            found = self.analyser.analyse(picture)
        except PictureError as error:
            raise PhotoError(f"{path}: {error}") from error
        named = self.rule.name(self.gallery, found)
        faces = [
            Face(index + 1, face.box, score=face.score, identity=name, similarity=similarity)
            for index, (face, (name, similarity)) in enumerate(zip(found, named, strict=True))
        ]
        result = Identified([entry(face) for face in faces])
        if target is None and not self._cells:
            return result
        image = drawn(picture, faces)
        if self._cells:
            result.cell = cell(image, path.name)
        if target is not None:
            try:
                write_bytes(target, cv2.imencode(".jpg", image)[1].tobytes())
            except FileError as error:
                result.not_written = str(error)
        return result

    def _video(self, path: Path, target: Path | None) -> Identified:
        from dataclasses import replace

        from tqdm import tqdm

        from face_af_perception.params import PerceptionNodeParams, RecognitionParams
        from face_af_perception.pipeline import FacePipeline

        # the tool has time: every track that wants an embedding gets it
        recognition = replace(RecognitionParams(), enter=self.rule.threshold, per_frame=100)
        pipeline = FacePipeline(replace(PerceptionNodeParams(), recognition=recognition), self.analyser, self.gallery)
        if not path.is_file():
            raise PhotoError(f"{path}: there is no such file")
        video = cv2.VideoCapture(str(path))
        if not video.isOpened():
            raise PhotoError(f"{path}: not a video, or a damaged one")
        rate = video.get(cv2.CAP_PROP_FPS)
        rate = rate if 1 <= rate <= 1000 else 30.0
        total = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT))) or None
        shown = tqdm(_frames(video), total=total, unit="frame", desc=path.name, disable=None, leave=False)
        result = Identified([])
        best = -1
        with self._annotated_video(target, rate, result) as write:
            for index, picture in enumerate(shown):
                faces = pipeline.process(picture, index / rate)
                result.found.append([entry(face) for face in faces])
                write(picture, faces)
                known = sum(bool(face.identity) for face in faces)
                if self._cells and known > best:
                    best, result.cell = known, cell(drawn(picture, faces), path.name)
        video.release()
        if not result.found:
            raise PhotoError(f"{path}: no frame can be read, a damaged video")
        return result

    @contextlib.contextmanager
    def _annotated_video(
        self, target: Path | None, rate: float, result: Identified
    ) -> Iterator[Callable[[Picture, Sequence[Face]], None]]:
        """A function that draws and writes a frame; where that fails the rest is still identified, and it is told."""
        if target is None:
            yield lambda picture, faces: None
            return
        video = AnnotatedVideo(target, rate)
        try:
            yield lambda picture, faces: video.write(drawn(picture, faces))
            video.finish()
        finally:
            video.discard()
        result.not_written = video.problem


def targets(inputs: Sequence[str], folder: Path | None) -> list[Path | None]:
    """Where each input is drawn: files in ``folder`` with the inputs' names, none of them twice."""
    taken: set[str] = set()
    found: list[Path | None] = []
    for given in inputs:
        path = Path(given)
        suffix = ".mp4" if path.suffix.lower() in VIDEO_SUFFIXES else ".jpg"
        name, count = path.stem + suffix, 1
        while name in taken:
            count += 1
            name = f"{path.stem}_{count}{suffix}"
        taken.add(name)
        found.append(None if folder is None else folder / name)
    return found


def entry(face: Face) -> Entry:
    """A face as it stands in the JSON file."""
    box = face.box
    return {
        "box": [round(float(v), 1) for v in (box.x, box.y, box.width, box.height)],
        "identity": face.identity,
        "similarity": round(float(face.similarity), 4),
        "score": round(float(face.score), 4),
    }


def face_of(entry: Entry, number: int = 0) -> Face:
    """The reverse of :func:`entry`."""
    box = Box(*map(float, entry["box"]))
    return Face(number, box, score=entry["score"], identity=entry["identity"], similarity=entry["similarity"])


def drawn(picture: Picture, faces: Sequence[Face]) -> Picture:
    """A copy of ``picture`` with each face's box, name and similarity; known people green, others gray."""
    out = picture.copy()
    unit = max(out.shape[:2]) / 1000
    for face in faces:
        box = face.box
        color = (80, 220, 80) if face.identity else (200, 200, 200)
        corner = (round(box.x), round(box.y))
        cv2.rectangle(out, corner, (round(box.right), round(box.bottom)), color, max(1, round(2 * unit)))
        text = f"{face.identity or 'unknown'} {face.similarity:.2f}"
        place = (corner[0], max(round(18 * unit), corner[1] - round(6 * unit)))
        for shade, width in (((0, 0, 0), 4 * unit), (color, 1.6 * unit)):
            cv2.putText(
                out, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, shade, max(1, round(width)), cv2.LINE_AA
            )
    return out


def _frames(video: cv2.VideoCapture) -> Iterator[Picture]:
    while True:
        good, picture = video.read()
        if not good:
            return
        yield np.asarray(picture, np.uint8)
