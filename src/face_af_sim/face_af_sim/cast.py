"""Who plays: the cast on stage, and the target's other photographs for enrolment.

The photograph a person has on stage is never among those for enrolment,
unless it is the only one there is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from face_af_common.encodings import ImageError
from face_af_common.files import FileError, write_bytes
from face_af_common.image_files import IMAGE_SUFFIXES, read_image
from face_af_common.images import BGR
from face_af_common.names import canonical_name
from face_af_common.paths import data_dir

from . import samples
from .clothes import OUTFITS
from .facemarks import FaceFinder, FinderMissing, find_faces
from .people import Casting, Figures, NoFace, prepare, usable_faces

SAMPLE_TARGET = "obama"
_MOST_PEOPLE = 15


class CastError(Exception):
    """No stage can be made; the text says why and what to do."""


@dataclass(frozen=True)
class Cast:
    """``enrolment``: photographs of the target; each shows the target as its largest face."""

    castings: tuple[Casting, ...]
    target: str
    enrolment: tuple[Path, ...]


@dataclass(frozen=True)
class Prepared:
    """``enrolment``: a folder with one folder, named as the target, of its photographs."""

    figures: tuple[Figures, ...]
    target: str
    enrolment: Path


def prepare_stage(
    people: str = "", target: str = "", folder: Path | None = None, say: Callable[[str], None] = lambda text: None
) -> Prepared:
    """The figures on stage and the photographs to enrol the target from; kept in ``folder`` for the next time.

    ``people``: a folder with one folder of photographs for each person; empty = the samples. ``target``: a
    person's name; empty = the first (of the samples: :data:`SAMPLE_TARGET`). Raises :class:`CastError`.
    """
    folder = folder or data_dir() / "stage"
    try:
        cast = cast_of(Path(people).expanduser(), target) if people else sample_cast(samples.samples_dir(), target)
        figures = _figures(cast, folder / "figures", say)
        return Prepared(tuple(figures), cast.target, _enrolment(cast, folder / "enrolment", say))
    except (FinderMissing, NoFace, OSError) as error:
        raise CastError(str(error)) from error


def _figures(cast: Cast, cache: Path, say: Callable[[str], None]) -> list[Figures]:
    figures = []
    for casting in cast.castings:
        try:
            figures.append(prepare(casting, cache))
        except NoFace as error:
            if casting.name == cast.target:
                raise
            say(f"{casting.name} stays off stage: {error}")
    return figures


def sample_cast(folder: Path, target: str = "") -> Cast:
    """The cast of the sample photographs in ``folder``: the target and six strangers."""
    lacking = samples.missing(folder)
    if lacking:
        raise CastError(
            f"no sample photographs in {folder}: run `ros2 run face_af_sim fetch_samples` once with a network, "
            "or give your own people with people:=DIR"
        )
    if target not in ("", SAMPLE_TARGET):
        raise CastError(
            f"the target of the sample stage is {SAMPLE_TARGET}, not {target}; other people come with people:=DIR"
        )
    strangers = [
        Casting("biden", folder / "biden.jpg", 0, OUTFITS[5]),
        Casting("astronaut", folder / "astronaut.png", 0, OUTFITS[7]),
    ]
    worn = (OUTFITS[2], OUTFITS[1], OUTFITS[3], OUTFITS[6])
    strangers += [Casting(f"guest_{i + 1}", folder / "t1.jpg", i, outfit) for i, outfit in enumerate(worn)]
    return Cast(
        (Casting(SAMPLE_TARGET, folder / "obama.jpg", 0, OUTFITS[0]), *strangers),
        SAMPLE_TARGET,
        (folder / "obama2.jpg", folder / "obama3.jpg"),
    )


def cast_of(folder: Path, target: str = "", finder: FaceFinder = find_faces) -> Cast:
    """The cast of a user's own folder of folders; of each person the most frontal large photograph plays."""
    if not folder.is_dir():
        raise CastError(f"there is no folder {folder} with people")
    photos = {
        canonical_name(person.name): sorted(
            p for p in person.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()
        )
        for person in sorted(folder.iterdir())
        if person.is_dir() and not person.name.startswith(".")
    }
    names = [name for name, own in photos.items() if own]
    if not names:
        raise CastError(f"{folder} holds no folder with photographs (one folder for each person is needed)")
    target = canonical_name(target) or names[0]
    if target not in names:
        raise CastError(f"{folder} has no photographs of {target}; there are {', '.join(names)}")
    names = [target, *(name for name in names if name != target)][:_MOST_PEOPLE]
    castings, enrolment = [], tuple(photos[target])
    for i, name in enumerate(names):
        best = _best_photo(photos[name], finder)
        if best is None:
            if name == target:
                raise CastError(
                    f"no photograph of {target} in {folder} shows a face large and frontal enough for the stage"
                )
            continue
        photo, index = best
        castings.append(Casting(name, photo, index, OUTFITS[i % len(OUTFITS)]))
        if name == target:
            enrolment = tuple(p for p in photos[name] if p != photo) or (photo,)
    return Cast(tuple(castings), target, enrolment)


def _best_photo(photos: Sequence[Path], finder: FaceFinder) -> tuple[Path, int] | None:
    """The photograph with the largest usable face, and that face's place in it."""
    best: tuple[float, Path, int] | None = None
    for photo in photos[:12]:
        picture = _read(photo)
        if picture is None:
            continue
        for index, marks in enumerate(usable_faces(picture, finder)):
            if best is None or marks.box.height > best[0]:
                best = (marks.box.height, photo, index)
    return (best[1], best[2]) if best is not None else None


def _read(photo: Path) -> BGR | None:
    try:
        return read_image(photo)
    except ImageError:
        return None


def _enrolment(cast: Cast, folder: Path, say: Callable[[str], None]) -> Path:
    """Writes the target's enrolment photographs, each cut to its largest face, below ``folder``."""
    on_stage = {c.photo for c in cast.castings if c.name == cast.target}
    if on_stage & set(cast.enrolment):
        say(f"there is only one photograph of {cast.target}: it is used on stage and for enrolment")
    key = hashlib.sha256()
    for photo in cast.enrolment:
        key.update(photo.read_bytes())
    place = folder / key.hexdigest()[:12]
    own = place / cast.target
    if not own.is_dir():
        draft = place.with_name(f"{place.name}.{os.getpid()}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        (draft / cast.target).mkdir(parents=True)
        for photo in cast.enrolment:
            picture = _read(photo)
            if picture is not None:
                data = cv2.imencode(".png", _around_face(picture))[1].tobytes()
                write_bytes(draft / cast.target / f"{photo.stem}.png", data, private=True)
        try:
            draft.replace(place)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if not own.is_dir():  # another demo was quicker
                raise FileError(place, f"cannot be written ({error.strerror})") from error
    return place


def _around_face(picture: BGR) -> BGR:
    """Only the surroundings of the largest face, so that nobody else is in the picture; all of it without one."""
    faces = find_faces(picture)
    if not faces:
        return picture
    box = faces[0].box.grown(0.6)
    return picture[max(0, int(box.y)) : int(box.bottom), max(0, int(box.x)) : int(box.right)]
