"""Whom to look for: photographs, folders of them, and people of a gallery, as embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .bank import Bank, Rows
from .engine import Engine
from .errors import CropError

GALLERY = "GALLERY:"


@dataclass(frozen=True)
class References:
    """The bank as the user gave it, and a digest of the photographs' contents."""

    bank: Bank
    digest: str


def load_references(
    refs: Sequence[str], nots: Sequence[str], engine: Engine, gallery: Path, warn: Callable[[str], None]
) -> References:
    """Reads ``[NAME=]PHOTO``, ``[NAME=]FOLDER`` and ``GALLERY:NAME``; ``nots`` are photographs of other people.

    ``gallery`` is the folder that GALLERY means. Photographs of a folder that cannot be used are told to ``warn`` and
    left out; a single one that cannot be used is an error. Raises :class:`CropError`.
    """
    given: dict[str, list[Rows]] = {}
    digest = hashlib.sha256()
    for text in refs:
        name, rows, content = _one(text, engine, gallery, warn)
        given.setdefault(name, []).append(rows)
        digest.update(name.encode() + content)
    if not given:
        raise CropError("nobody to look for; give at least one --ref PHOTO")
    doubles: list[Rows] = []
    for text in nots:
        _, rows, content = _one(text, engine, gallery, warn)
        doubles.append(rows)
        digest.update(b"not" + content)
    dimension = engine.analyser.embedder.dimension
    bank = Bank(
        engine.scale,
        {name: np.concatenate(parts) for name, parts in given.items()},
        np.concatenate([np.empty((0, dimension), np.float32), *doubles]),
    )
    _check_apart(bank)
    return References(bank, digest.hexdigest())


def _one(text: str, engine: Engine, gallery: Path, warn: Callable[[str], None]) -> tuple[str, Rows, bytes]:
    name, _, place = text.rpartition("=")
    if Path(text).exists():
        name, place = "", text
    if place.startswith(GALLERY):
        person = place[len(GALLERY) :]
        rows = _of_gallery(person, engine, gallery)
        return name or person, rows, rows.tobytes()
    path = Path(place).expanduser()
    if not path.exists():
        raise CropError(f"{path}: there is no such photograph or folder; a person of the gallery is {GALLERY}NAME")
    if path.is_dir():
        rows, content = _of_folder(path, engine, warn)
    else:
        rows, content = _of_photo(path, engine)
    return name or path.resolve().stem, rows, content


def _of_gallery(person: str, engine: Engine, folder: Path) -> Rows:
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError

    try:
        gallery = Gallery.open(folder, engine.analyser.embedder)
    except GalleryError as error:
        raise CropError(str(error)) from error
    samples = [sample for sample in gallery.samples(person) if not sample.negative]
    if not samples:
        known = ", ".join(gallery.names[:8]) or "nobody"
        raise CropError(f"{person!r} is not in the gallery {folder}; there is {known}")
    return np.stack([gallery.embedding(sample) for sample in samples])


def _of_folder(folder: Path, engine: Engine, warn: Callable[[str], None]) -> tuple[Rows, bytes]:
    rows: list[Rows] = []
    content = b""
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        try:
            row, data = _of_photo(path, engine)
        except CropError as error:
            warn(f"left out: {error}")
            continue
        rows.append(row)
        content += data
    if not rows:
        raise CropError(f"{folder}: no photograph in it can be used as a reference")
    return np.concatenate(rows), content


def _of_photo(path: Path, engine: Engine) -> tuple[Rows, bytes]:
    from face_af_common.encodings import ImageError
    from face_af_common.image_files import read_image
    from face_af_people.photos import PhotoError, meant_face

    try:
        image = read_image(path)
    except ImageError as error:
        raise CropError(str(error)) from error
    try:
        face = meant_face(engine.analyser.find(image), path)
    except PhotoError as error:
        # its text may name an option that this tool does not have
        raise CropError(f"{str(error).partition(';')[0]}; one clear face is needed, crop the photograph") from error
    return engine.analyser.embed(image, [face])[0].embedding[None], hashlib.sha256(path.read_bytes()).digest()


def _check_apart(bank: Bank) -> None:
    """The same photograph for two people, or for a person and against them, can only be a mistake."""
    for person in bank.people:
        rows = bank.given[person]
        others = [(other, bank.given[other]) for other in bank.people if other != person]
        others.append(("--not", bank.doubles))
        for other, theirs in others:
            if len(theirs) and bool((np.abs(rows[:, None] - theirs[None]).max(-1) < 1e-6).any()):
                raise CropError(f"{person} and {other} have the same photograph")
