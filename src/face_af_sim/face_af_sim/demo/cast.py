"""Who is on stage in the demo, and a gallery with the target's other photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from face_af_common.files import make_private, told, write_text
from face_af_common.paths import model_dirs
from face_af_gallery.files import GalleryFolder
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError
from face_af_inference.runtimes import ModelError
from face_af_people.enrolment import enrol_person
from face_af_perception.analyser import FaceAnalyser
from face_af_sim import cast as stage_cast
from face_af_sim import samples

MARKER = ".face_af_demo"
"""Name of the file that says that a gallery was made by a demo, and may be emptied by one."""


class CastError(Exception):
    """There is nobody to put on stage or to enrol; one line that says why and what to do."""


@dataclass(frozen=True)
class Cast:
    """``stage``: the ``people`` parameter of the stage node (empty = samples); ``gallery``: a gallery's folder."""

    target: str
    stage: str
    gallery: Path


def prepare(gallery: Path, people: Path | None, target: str, say: Callable[[str], None]) -> Cast:
    """Fetches the samples if they are needed, prepares the figures, enrols the target into ``gallery``.

    Raises :class:`CastError`.
    """
    try:
        if people is None:
            samples.fetch(samples.samples_dir(), say)
        stage = stage_cast.prepare_stage(str(people or ""), target, say=say)
        begin_gallery(gallery)
        _enrol(stage.enrolment / stage.target, stage.target, gallery, say)
    except (samples.SampleError, stage_cast.CastError, GalleryError, ModelError) as error:
        raise CastError(str(error)) from error
    return Cast(stage.target, str(people.resolve()) if people else "", gallery)


def begin_gallery(folder: Path) -> None:
    """An empty gallery that is marked as the demo's; one of an earlier demo is emptied. Raises :class:`CastError`."""
    marker = folder / MARKER
    try:
        if folder.exists() and not marker.is_file() and (not folder.is_dir() or any(folder.iterdir())):
            raise CastError(f"{folder} was not made by a demo, and is left alone: choose another --out")
        make_private(folder)
        write_text(marker, "Made by ./run demo, which empties this gallery when it starts.\n", private=True)
    except OSError as error:
        raise CastError(told(error)) from error
    GalleryFolder(folder).clear()


def _enrol(photos: Path, name: str, folder: Path, say: Callable[[str], None]) -> None:
    analyser = FaceAnalyser.open(model_dirs=model_dirs())
    gallery = Gallery.open(folder, analyser.embedder, create=True)
    enrolled = enrol_person(gallery, analyser, name, sorted(photos.iterdir()), largest=True, say=say)
    if not enrolled.added:
        raise CastError(f"no photograph of {name} shows a face that can be enrolled")
    gallery.save()
