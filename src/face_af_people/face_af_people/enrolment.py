"""Photographs into a gallery, with a look at whether they show one and the same person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_af_common.image_files import FOREIGN_SUFFIXES, IMAGE_SUFFIXES
from face_af_common.names import canonical_name
from face_af_gallery.gallery import Gallery
from face_af_gallery.matching import similarity
from face_af_gallery.model import checked_name
from face_af_perception.analyser import AnalysedFace, FaceAnalyser
from face_af_perception.detectors import PictureError

from .photos import PhotoError, Picture, meant_face, read_photo


@dataclass
class Enrolled:
    """What became of one person's photographs."""

    name: str
    added: list[Path] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    """In the gallery already."""
    outliers: list[tuple[Path, float]] = field(default_factory=list)
    """Left out: alike to none of the person's other photographs; with the similarity to the nearest."""
    skipped: int = 0
    alike_mean: float = 1.0
    alike_least: float = 1.0
    """Similarity of the person's samples to one another."""


def enrol_person(
    gallery: Gallery,
    analyser: FaceAnalyser,
    name: str,
    paths: Iterable[Path],
    *,
    largest: bool = False,
    keep_outliers: bool = False,
    negative: bool = False,
    masked: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Enrolled:
    """Adds one person's photographs to ``gallery`` (not saved); a photograph that cannot be used is told and skipped.

    ``negative``: they show a person who is *not* this person. ``masked``: they show the person with a mask.
    """
    name = checked_name(name)
    result = Enrolled(name)
    faces: list[tuple[Path, Picture, AnalysedFace]] = []
    for path in paths:
        found = _face(analyser, path, largest, say)
        if found is None:
            result.skipped += 1
        else:
            faces.append((path, *found))
    before = [gallery.embedding(s) for s in gallery.samples(name) if not s.negative and s.masked == masked]
    left_out: set[int] = set()
    if not negative and not keep_outliers:
        rows = np.stack([f[2].embedding for f in faces] + before) if faces else np.empty((0, 1), np.float32)
        left_out = {i for i in outliers(rows, analyser.embedder.threshold) if i < len(faces)}
        parts = [group for group in groups(rows[: len(faces)], analyser.embedder.threshold) if len(group) > 1]
        if len(parts) > 1:
            shown = " | ".join(" ".join(faces[i][0].name for i in group) for group in parts)
            say(f"{name}: the photos look like {len(parts)} different people, please check: {shown}")
    for index, (path, picture, face) in enumerate(faces):
        if index in left_out:
            nearest = nearest_other(rows)[index]
            result.outliers.append((path, nearest))
            say(
                f"{path}: like none of {name}'s other photos (at most {nearest:.2f}), left out; --keep-outliers adds it"
            )
            continue
        if not negative and not masked and (other := looks_like(gallery, analyser, name, face.embedding)):
            say(f"{path}: {other}; is it really {name}?")
        count = len(gallery)
        if face.masked and not masked:
            say(f"{path}: the face seems to wear a mask; enrol such photos with --masked")
        analyser.enrol(gallery, name, picture, face, negative, masked)
        (result.added if len(gallery) > count else result.known).append(path)
    rows = np.array([gallery.embedding(s) for s in gallery.samples(name) if not s.negative])
    if len(rows) > 1:
        alike = similarity(rows, rows)[np.triu_indices(len(rows), 1)]
        result.alike_mean, result.alike_least = float(alike.mean()), float(alike.min())
    return result


def outliers(rows: NDArray[np.float32], threshold: float) -> set[int]:
    """Which of a person's embeddings are alike (``threshold``) to none of the others, where most of the others agree.

    With fewer than three nobody can say which one is wrong.
    """
    if len(rows) < 3:
        return set()
    lonely = {i for i, nearest in enumerate(nearest_other(rows)) if nearest < threshold}
    return lonely if len(lonely) < len(rows) / 2 else set()


def groups(rows: NDArray[np.float32], threshold: float) -> list[list[int]]:
    """The embeddings gathered into groups whose members are alike (``threshold``) on average; largest group first."""
    alike = similarity(rows, rows)
    found = [[i] for i in range(len(rows))]
    while len(found) > 1:
        mean, a, b = max(
            (float(alike[np.ix_(found[i], found[j])].mean()), i, j) for j in range(len(found)) for i in range(j)
        )
        if mean < threshold:
            break
        found[a] += found.pop(b)
    return sorted((sorted(group) for group in found), key=len, reverse=True)


def nearest_other(rows: NDArray[np.float32]) -> list[float]:
    """For each embedding the similarity to the most alike of the others."""
    alike = similarity(rows, rows)
    np.fill_diagonal(alike, -1.0)
    return [float(value) for value in alike.max(1)]


def _face(
    analyser: FaceAnalyser, path: Path, largest: bool, say: Callable[[str], None]
) -> tuple[Picture, AnalysedFace] | None:
    try:
        if path.suffix.lower() not in IMAGE_SUFFIXES | FOREIGN_SUFFIXES:
            raise PhotoError(f"{path}: not a photograph, skipped")
        picture = read_photo(path)
        found = meant_face(analyser.find(picture), path, largest)
        return picture, analyser.embed(picture, [found])[0]
    except (PhotoError, PictureError) as error:
        say(str(error))
        return None


def looks_like(gallery: Gallery, analyser: FaceAnalyser, name: str, row: NDArray[np.float32]) -> str:
    """That a face looks like a person in the gallery other than ``name``, as text; empty where it does not."""
    others = [n for n in gallery.names if n != canonical_name(name)]
    if not others:
        return ""
    scores = gallery.scores(row[None])[0]
    best = max(others, key=lambda n: float(scores[gallery.names.index(n)]))
    alike = float(scores[gallery.names.index(best)])
    if alike < analyser.embedder.threshold:
        return ""
    return f"looks like {best}, who is in the gallery already ({alike:.2f})"
