"""Photographs on disk: which files are some, how they are read, and whose face is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from face_af_common.encodings import ImageError
from face_af_common.image_files import read_image
from face_af_common.names import canonical_name
from face_af_common.types import Box

Picture = NDArray[np.uint8]

SIMILAR_SIZE = 0.64
"""A second face of this share of the largest one's area (0.8 of its side) leaves open who is meant."""


class PhotoError(ValueError):
    """A photograph that cannot be used; one line that says which and why."""


class HasBox(Protocol):
    @property
    def box(self) -> Box: ...


F = TypeVar("F", bound=HasBox)


def read_photo(path: Path) -> Picture:
    """The photograph as H x W x 3 uint8 BGR, turned upright as its EXIF data say. Raises :class:`PhotoError`."""
    try:
        return read_image(path)
    except ImageError as error:
        raise PhotoError(str(error)) from error


def photos_in(places: Iterable[Path]) -> list[Path]:
    """Files as they are given, and the files in folders in the order of their names, hidden ones left out."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(p for p in place.iterdir() if p.is_file() and not p.name.startswith("."))
        else:
            found.append(place)
    return found


def people_in(folder: Path) -> dict[str, list[Path]]:
    """One person for each folder in ``folder``, named like it, with the files in it. Raises :class:`PhotoError`."""
    try:
        folders = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError as error:
        raise PhotoError(f"{folder}: cannot be read ({error.strerror})") from error
    people: dict[str, list[Path]] = {}
    for place in folders:
        people.setdefault(canonical_name(place.name), []).extend(photos_in([place]))
    return people


def meant_face(faces: Sequence[F], path: Path, largest: bool = False) -> F:
    """The face that a photograph of one person shows: the largest of ``faces``.

    Raises :class:`PhotoError` where there is none, or, unless ``largest``, where a second one is about as large.
    """
    if not faces:
        raise PhotoError(f"{path}: no face found")
    ordered = sorted(faces, key=lambda face: -face.box.area)
    rivals = sum(face.box.area >= SIMILAR_SIZE * ordered[0].box.area for face in ordered)
    if rivals > 1 and not largest:
        raise PhotoError(f"{path}: {rivals} faces of similar size; crop it, or take the largest one with --largest")
    return ordered[0]
