"""The photographs of a folder, and the largest face of each, for benchmarks that need many faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from face_af_common.encodings import ImageError
from face_af_common.image_files import IMAGE_SUFFIXES, read_image
from face_af_perception.alignment import Picture
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.detectors import Detection


def photographs(folder: Path) -> list[Path]:
    """The photographs in ``folder``, at any depth, by name; none where there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def largest_faces(photos: Iterable[Path], analyser: FaceAnalyser) -> Iterator[tuple[Path, Picture, Detection]]:
    """Each photograph that can be read and shows a face, its picture, and the largest face in it."""
    for photo in photos:
        try:
            picture = read_image(photo)
        except ImageError:
            continue
        faces = analyser.find(picture)
        if faces:
            yield photo, picture, faces[0]
