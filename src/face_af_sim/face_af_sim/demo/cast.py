"""Who is on stage in the demo, and a gallery with the target's other photographs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from face_af_common.paths import gallery_dir, model_dirs
from face_af_gallery.files import GalleryFolder
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError
from face_af_inference.runtimes import ModelError
from face_af_people.enrolment import enrol_person
from face_af_perception.analyser import FaceAnalyser
from face_af_sim import cast as stage_cast
from face_af_sim import samples


class CastError(Exception):
    """There is nobody to put on stage or to enrol; one line that says why and what to do."""


@dataclass(frozen=True)
class Cast:
    """``stage``: the ``people`` parameter of the stage node (empty = samples); ``gallery``: a gallery's folder."""

    target: str
    stage: str
    gallery: Path


def prepare(out: Path, people: Path | None, target: str, say: Callable[[str], None]) -> Cast:
    """Fetches the samples if they are needed, prepares the figures, enrols the target into ``out/gallery``.

    Raises :class:`CastError`.
    """
    try:
        if people is None:
            samples.fetch(samples.samples_dir(), say)
        stage = stage_cast.prepare_stage(str(people or ""), target, say=say)
        _clear(out / "gallery")
        _enrol(stage.enrolment / stage.target, stage.target, out / "gallery", say)
    except (samples.SampleError, stage_cast.CastError, GalleryError, ModelError) as error:
        raise CastError(str(error)) from error
    return Cast(stage.target, str(people.resolve()) if people else "", out / "gallery")


def _clear(folder: Path) -> None:
    """Removes the gallery of an earlier demo, and refuses to remove anything else. Raises :class:`CastError`."""
    if not folder.exists():
        return
    earlier = GalleryFolder(folder)
    people = {sample.identity for sample in earlier.read_samples().values()} if earlier.stamp() else set()
    if len(people) != 1 or folder.resolve() == gallery_dir().resolve():
        raise CastError(f"{folder} is not the gallery of an earlier demo: choose another --out, or remove it")
    shutil.rmtree(folder)


def _enrol(photos: Path, name: str, folder: Path, say: Callable[[str], None]) -> None:
    analyser = FaceAnalyser.open(model_dirs=model_dirs())
    gallery = Gallery.open(folder, analyser.embedder, create=True)
    enrolled = enrol_person(gallery, analyser, name, sorted(photos.iterdir()), largest=True, say=say)
    if not enrolled.added:
        raise CastError(f"no photograph of {name} shows a face that can be enrolled")
    gallery.save()
