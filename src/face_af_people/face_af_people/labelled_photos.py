"""Photographs whose people are known: the lists that evaluate reads, and the face of each photograph."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from face_af_common.files import regular, told
from face_af_common.image_files import IMAGE_SUFFIXES

from .photos import PhotoError, meant_face, people_in, read_photo

if TYPE_CHECKING:
    from face_af_perception.analyser import AnalysedFace, FaceAnalyser

YES = {"yes", "1", "true", "same"}


@dataclass
class Photos:
    """The meant face of each photograph, found once."""

    analyser: FaceAnalyser
    faces: dict[Path, AnalysedFace] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def load(self, paths: Sequence[Path]) -> None:
        """Finds and embeds the faces of photographs; those without one are noted in ``problems``."""
        from tqdm import tqdm

        wanted = [path for path in dict.fromkeys(paths) if path not in self.faces]
        for path in tqdm(wanted, unit="photo", desc="recognising", disable=None, leave=False):
            self._load(path)

    def _load(self, path: Path) -> None:
        from face_af_perception.detectors import PictureError

        try:
            picture = read_photo(path)
            found = meant_face(self.analyser.find(picture), path, largest=True)
            self.faces[path] = self.analyser.embed(picture, [found])[0]
        except (PhotoError, PictureError) as error:
            self.problems.append(str(error))


def read_pairs(path: Path) -> list[tuple[Path, Path, bool]]:
    """Two photos and whether they show the same person, for each row of the file. Raises :class:`PhotoError`."""
    rows = [(path.parent / a, path.parent / b, word.strip().lower() in YES) for a, b, word in _rows(path, 3)]
    if len({same for _, _, same in rows}) < 2:
        raise PhotoError(f"{path}: both same and different pairs are needed (Yes and No in the third column)")
    return rows


def read_people(path: Path) -> dict[str, list[Path]]:
    """Each person's photos, of a folder of folders or a CSV file. Raises :class:`PhotoError`."""
    people: dict[str, list[Path]] = {}
    if path.is_dir():
        for name, paths in people_in(path).items():
            people[name] = [photo for photo in paths if photo.suffix.lower() in IMAGE_SUFFIXES]
    else:
        for photo, name in _rows(path, 2):
            people.setdefault(name, []).append(path.parent / photo)
    people = {name: paths for name, paths in people.items() if paths}
    if len(people) < 2:
        raise PhotoError(f"{path}: photos of at least two people are needed")
    return people


def _rows(path: Path, columns: int) -> list[list[str]]:
    """The rows of a CSV file below its heading."""
    try:
        with regular(path).open(newline="", encoding="utf-8") as file:
            rows = [row[:columns] for row in csv.reader(file) if row]
    except OSError as error:
        raise PhotoError(told(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise PhotoError(f"{path}: cannot be read ({error})") from error
    if len(rows) < 2 or any(len(row) < columns for row in rows):
        raise PhotoError(f"{path}: a heading and rows of {columns} columns are needed")
    return rows[1:]
