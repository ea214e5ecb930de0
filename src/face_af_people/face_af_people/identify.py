"""``ros2 run face_af_people identify``: who is on photographs and in videos."""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from face_af_common.files import FileError, replacing, write_json, write_text
from face_af_common.image_files import FOREIGN_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES
from face_af_common.paths import gallery_dir
from face_af_common.types import Face

from .annotated_video import AnnotatedVideo
from .models import add_model_options, complain, open_analyser
from .photos import PhotoError, Picture, people_in, photos_in, read_photo

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser

Entry = dict[str, Any]
"""``box``: x, y, width, height, pixels; ``identity``: empty where unknown; ``similarity``; the detector's ``score``."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="identify", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("inputs", nargs="+", metavar="IMAGE_OR_VIDEO", help="photos, videos, or folders of them")
    parser.add_argument(
        "--gallery", type=Path, default=gallery_dir(), metavar="DIR",
        help="a gallery, or a folder with one folder of photos a person",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="OUT", help="writes {path: [{box, identity, similarity, score}]}")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="writes a table with one row a face")
    parser.add_argument("--recursive", action="store_true", help="also look into the folders of folders")
    parser.add_argument("--annotate", type=Path, metavar="DIR", help="writes each image or video with names drawn")
    parser.add_argument("--threshold", type=float, default=0.0, help="similarity from which on a face is named")
    parser.add_argument("--largest", action="store_true", help="people's group photos: take the largest face")
    add_model_options(parser)
    options = parser.parse_args(argv)

    from tqdm import tqdm

    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError

    try:
        analyser = open_analyser(options)
        gallery = open_gallery(options.gallery, analyser, options.largest)
    except (GalleryError, ModelError, PhotoError) as error:
        complain(error)
        return 2
    job = Identifier(analyser, gallery, options.threshold, options.annotate)
    results: dict[str, list[Any]] = {}
    failed: set[str] = set()
    given, empty = expanded(options.inputs, options.recursive)
    for line in empty:
        complain(line)
    if not given:
        return 2
    with tqdm(given, unit="file", desc="identifying", disable=None) as bar:
        for name in bar:
            results[name], problem = _tried(job, Path(name))
            if problem:
                bar.write(problem)
                failed.add(name)
    for line in job.not_written:
        complain(line)
    if options.json:
        write_json(options.json, results)
    if options.csv:
        write_csv(options.csv, results)
    if not options.json and not options.csv:
        _show({name: found for name, found in results.items() if name not in failed})
    return 1 if len(failed) == len(results) or job.not_written else 0


def _tried(job: Identifier, path: Path) -> tuple[list[Any], str]:
    try:
        return job.identify(path), ""
    except PhotoError as error:
        return [], str(error)


def open_gallery(folder: Path, analyser: FaceAnalyser, largest: bool = False) -> Gallery:
    """The gallery in ``folder``, or one in memory of a folder with one folder of photos a person.

    Photos that cannot be used are told on standard error. Raises ``GalleryError``, :class:`PhotoError`.
    """
    from tqdm import tqdm

    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError

    from .enrolment import enrol_person

    if (folder / "gallery.json").exists():
        return Gallery.open(folder, analyser.embedder)
    if not folder.is_dir():
        raise GalleryError(f"{folder}: there is no such gallery; `ros2 run face_af_people enrol` makes one")
    people = people_in(folder)
    gallery = Gallery(None, analyser.embedder)
    for name, paths in tqdm(people.items(), unit="person", desc="enrolling", disable=None, leave=False):
        enrol_person(gallery, analyser, name, paths, largest=largest, say=complain)
    if not gallery.names:
        raise GalleryError(f"{folder}: neither a gallery nor a folder with one folder of usable photos a person")
    return gallery


class Identifier:
    """Names the faces of photographs, each by itself, and of videos, with tracking."""

    def __init__(
        self, analyser: FaceAnalyser, gallery: Gallery, threshold: float = 0.0, annotate: Path | None = None
    ) -> None:
        from .identity_rule import Rule

        self.analyser = analyser
        self.gallery = gallery
        self.rule = Rule(threshold)
        self._folder = annotate
        self._names: set[str] = set()
        self.not_written: list[str] = []
        """A line for each annotated image or video that could not be written."""

    def identify(self, path: Path) -> list[Any]:
        """The faces of a photograph, or for a video a list of those for each frame. Raises :class:`PhotoError`."""
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return self._video(path)
        return self._photo(path)

    def _photo(self, path: Path) -> list[Entry]:
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
        if self._folder is not None:
            try:
                with replacing(self._target(path.stem, ".jpg")) as part:
                    part.write_bytes(cv2.imencode(".jpg", drawn(picture, faces))[1].tobytes())
            except FileError as error:
                self.not_written.append(str(error))
        return [entry(face) for face in faces]

    def _video(self, path: Path) -> list[list[Entry]]:
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
        frames: list[list[Entry]] = []
        with self._annotated_video(path, rate) as write:
            for index, picture in enumerate(shown):
                faces = pipeline.process(picture, index / rate)
                frames.append([entry(face) for face in faces])
                write(picture, faces)
        video.release()
        if not frames:
            raise PhotoError(f"{path}: no frame can be read, a damaged video")
        return frames

    @contextlib.contextmanager
    def _annotated_video(self, path: Path, rate: float) -> Iterator[Callable[[Picture, Sequence[Face]], None]]:
        """A function that draws and writes a frame; where that fails the rest is still identified, and it is told."""
        if self._folder is None:
            yield lambda picture, faces: None
            return
        target = self._target(path.stem, ".mp4")
        video = AnnotatedVideo(target, rate)
        try:
            yield lambda picture, faces: video.write(drawn(picture, faces))
            video.finish()
        finally:
            video.discard()
        if video.problem:
            self.not_written.append(video.problem)

    def _target(self, stem: str, suffix: str) -> Path:
        """A path in the folder for annotated images that no earlier input has."""
        assert self._folder is not None
        name, count = stem + suffix, 1
        while name in self._names:
            count += 1
            name = f"{stem}_{count}{suffix}"
        self._names.add(name)
        return self._folder / name


def write_csv(path: Path, results: dict[str, list[Any]]) -> None:
    """One row a face: file, frame (empty for a photograph), box, who it is. Raises ``FileError``."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "frame", "x", "y", "width", "height", "identity", "similarity", "score"])
    for name, found in results.items():
        is_video = bool(found) and isinstance(found[0], list)
        for frame, faces in enumerate(found if is_video else [found]):
            for face in faces:
                who = [face["identity"], face["similarity"], face["score"]]
                writer.writerow([name, frame if is_video else "", *face["box"], *who])
    write_text(path, table.getvalue())


def entry(face: Face) -> Entry:
    """A face as it stands in the JSON file."""
    box = face.box
    return {
        "box": [round(float(v), 1) for v in (box.x, box.y, box.width, box.height)],
        "identity": face.identity,
        "similarity": round(float(face.similarity), 4),
        "score": round(float(face.score), 4),
    }


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


def expanded(inputs: Sequence[str], recursive: bool = False) -> tuple[list[str], list[str]]:
    """The paths as given, for a folder the photographs and videos in it; and a line for each folder without any."""
    found: list[str] = []
    empty: list[str] = []
    for given in inputs:
        folder = Path(given)
        if not folder.is_dir():
            found.append(given)
            continue
        known = IMAGE_SUFFIXES | FOREIGN_SUFFIXES | VIDEO_SUFFIXES
        folders = [folder]
        if recursive:
            folders += sorted(path for path in folder.rglob("*") if path.is_dir() and not path.name.startswith("."))
        inside = [str(path) for path in photos_in(folders) if path.suffix.lower() in known]
        if not inside:
            deeper = any(path.is_dir() for path in folder.iterdir())
            hint = f"; it has folders in it: give them, as in {folder}/*, or --recursive" if deeper else ""
            empty.append(f"{folder}: no photographs or videos in it{hint}")
        found += inside
    return found, empty


def _show(results: dict[str, list[Any]]) -> None:
    for path, found in results.items():
        if found and isinstance(found[0], list):
            names = sorted({face["identity"] for frame in found for face in frame if face["identity"]})
            print(f"{path}: {len(found)} frames, {', '.join(names) or 'nobody known'}")
        else:
            names = [f"{face['identity'] or 'unknown'} ({face['similarity']:.2f})" for face in found]
            print(f"{path}: {', '.join(names) or 'no face'}")
