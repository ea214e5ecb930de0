"""The gallery as a person looks after it: who is there, how alike they are, photographs to add, faces to remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from face_af_common.images import BGR
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError, Sample, checked_name

from .alignment import Picture
from .analyser import AnalysedFace, FaceAnalyser

WRITER_S = 1.0
"""How long a change waits for another program that is writing the gallery."""
MOST_COMPARED = 2000
"""Samples in a gallery up to which everybody is compared with everybody when all people are listed."""
DOUBTFUL_QUALITY = 0.2
"""A face below is hardly of use."""


@dataclass(frozen=True)
class Alike:
    """The most alike person. ``name``: empty = there is nobody; ``similarity``: -1 to 1."""

    name: str = ""
    similarity: float = -1.0


@dataclass(frozen=True)
class PersonEntry:
    """A person in the gallery. ``faces``: their samples, each with the most alike other person."""

    name: str
    samples: int
    negatives: int
    nearest: Alike
    faces: list[tuple[Sample, Alike]] = field(default_factory=list)


@dataclass(frozen=True)
class Added:
    """A face of a photograph: ``chip`` 256 x 256 BGR, ``doubt``: what a person should think about, or empty."""

    sample_id: str
    quality: float
    nearest: Alike
    chip: BGR
    doubt: str


def people(gallery: Gallery) -> list[PersonEntry]:
    """Everybody, by name. In a large gallery nobody is compared."""
    by_name: dict[str, list[Sample]] = {}
    for sample in gallery.samples():
        by_name.setdefault(sample.identity, []).append(sample)
    compared = len(gallery) <= MOST_COMPARED
    return [_entry(gallery, name, samples, compared) for name, samples in sorted(by_name.items())]


def person(gallery: Gallery, name: str) -> PersonEntry:
    """One person with all samples. Raises :class:`GalleryError` for a person who is not there."""
    samples = gallery.samples(name)
    if not samples:
        raise GalleryError(f"there is nobody called {name!r} in the gallery")
    entry = _entry(gallery, samples[0].identity, samples, True)
    return PersonEntry(entry.name, entry.samples, entry.negatives, entry.nearest, _others(gallery, samples))


def _entry(gallery: Gallery, name: str, samples: Sequence[Sample], compared: bool) -> PersonEntry:
    shown = [sample for sample in samples if not sample.negative]
    nearest = Alike()
    if compared:
        nearest = max((alike for _, alike in _others(gallery, shown)), key=lambda a: a.similarity, default=nearest)
    return PersonEntry(name, len(shown), len(samples) - len(shown), nearest)


def _others(gallery: Gallery, samples: Sequence[Sample]) -> list[tuple[Sample, Alike]]:
    """Each sample with the person, other than its own, who is most alike."""
    if not samples:
        return []
    scores = gallery.scores(np.stack([gallery.embedding(sample) for sample in samples])).copy()
    found = []
    for sample, row in zip(samples, scores, strict=True):
        own = gallery.column(sample.identity)
        if own is not None:
            row[own] = -np.inf
        best = int(row.argmax()) if row.size else 0
        alone = not row.size or not np.isfinite(row[best])
        found.append((sample, Alike() if alone else Alike(gallery.names[best], float(row[best]))))
    return found


def add_photograph(analyser: FaceAnalyser, gallery: Gallery, name: str, bgr: Picture, preview: bool) -> Added:
    """Adds the largest face of a photograph (H x W x 3 uint8) as one of ``name``; ``preview``: changes nothing.

    Raises :class:`GalleryError` where there is no face, or for an impossible name, and ``PictureError``.
    """
    name = checked_name(name)
    faces = analyser.analyse(bgr)
    if not faces:
        raise GalleryError("there is no face in this photograph")
    face, chip = faces[0], analyser.chip(bgr, faces[0].landmarks)
    matches = gallery.match(face.embedding[None])[0]
    nearest = Alike(matches.identity, matches.similarity)
    doubt = _doubt(gallery, name, face, faces, nearest)
    sample_id = ""
    if not preview:
        with gallery.changing(WRITER_S):
            sample_id = analyser.enrol(gallery, name, bgr, face).id
    return Added(sample_id, face.quality, nearest, chip.picture, doubt)


def _doubt(gallery: Gallery, name: str, face: AnalysedFace, faces: Sequence[AnalysedFace], nearest: Alike) -> str:
    """What may be wrong with enrolling ``face`` as ``name``."""
    if nearest.name and nearest.name != name and nearest.similarity >= gallery.threshold:
        return f"this looks like {nearest.name}"
    own = gallery.column(name)
    if own is not None:
        likeness = float(gallery.scores(face.embedding[None])[0, own])
        if likeness < gallery.threshold:
            return f"this does not look like the other faces of {name}"
    if face.quality < DOUBTFUL_QUALITY:
        return "small, blurred or turned away: hardly of use"
    return f"the largest of {len(faces)} faces was taken" if len(faces) > 1 else ""


def remove(gallery: Gallery, name: str, sample_id: str = "") -> str:
    """Removes one sample, or (without ``sample_id``) a person; returns what to tell. Raises :class:`GalleryError`."""
    with gallery.changing(WRITER_S):
        gone = gallery.remove(name, sample_id or None)
        if not gone:
            what = f"no such face of {name!r}" if sample_id else f"nobody called {name!r}"
            raise GalleryError(f"there is {what} in the gallery")
    return f"one face of {name} is removed" if sample_id else f"{name} is removed, with {gone} faces"
