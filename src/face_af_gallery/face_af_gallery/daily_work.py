"""What becomes of people in a gallery day by day: renamed, merged, a sample moved or removed, handed on as a file.

Everything here changes an open gallery; call it inside :meth:`face_af_gallery.gallery.Gallery.changing`, which begins
with what is on disk, removes what was derived of samples that have gone, and writes nothing where something raises.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from face_af_common import files
from face_af_common.names import canonical_name

from .foreign import damage, decode_png, read_sample
from .gallery import Gallery
from .model import CHIP_SIZE, Chip, GalleryError, Sample, checked_name

FORMAT = 1
_ABOUT = "person.json"
_MOST_SAMPLES = 2000
_MOST_BYTES = 500_000_000
_CHIP_BYTES = 1_000_000


def rename(gallery: Gallery, old: str, new: str) -> int:
    """Gives a person another name, which nobody must have yet. Returns how many samples there are.

    Raises :class:`GalleryError`.
    """
    new = checked_name(new)
    if new == canonical_name(old):
        raise GalleryError(f"{new} has this name already")
    if gallery.samples(new):
        raise GalleryError(f"there is a {new} in the gallery already; `people merge` makes one person of the two")
    return _move(gallery, _of(gallery, old), new)


def merge(gallery: Gallery, old: str, into: str) -> int:
    """Makes one person of two: the samples of ``old`` become ``into``'s; returns how many.

    Raises :class:`GalleryError`.
    """
    into = _of(gallery, into)[0].identity
    if into == canonical_name(old):
        raise GalleryError(f"{into} cannot be merged with itself")
    return _move(gallery, _of(gallery, old), into)


def move(gallery: Gallery, key: str, name: str) -> Sample:
    """Makes one sample another person's, who may be new; returns it as it was. Raises :class:`GalleryError`."""
    sample, name = find(gallery, key), checked_name(name)
    if sample.identity == name:
        raise GalleryError(f"{sample.id} is a sample of {name} already")
    _move(gallery, [sample], name)
    return sample


def remove(gallery: Gallery, key: str) -> Sample:
    """Removes one sample; returns it. Raises :class:`GalleryError`."""
    sample = find(gallery, key)
    gallery.remove(sample.identity, sample.id)
    return sample


def find(gallery: Gallery, key: str) -> Sample:
    """The sample whose id begins with ``key``. Raises :class:`GalleryError`."""
    found = [s for s in gallery.samples() if key and s.id.startswith(key)]
    if len(found) != 1:
        many = f"{len(found)} samples begin with {key!r}: give more of the id" if found else f"no sample {key!r}"
        raise GalleryError(f"{many}; `people show NAME` lists a person's samples")
    return found[0]


def _of(gallery: Gallery, name: str) -> list[Sample]:
    found = gallery.samples(name)
    if not found:
        raise GalleryError(f"there is no {name} in the gallery; there are {', '.join(gallery.names[:20]) or 'nobody'}")
    return found


def _move(gallery: Gallery, samples: Sequence[Sample], name: str) -> int:
    for sample in samples:
        chip, row = gallery.chip(sample), gallery.embedding(sample)
        # a sample's id comes of its name, so that the same photograph enrolled again is the same sample
        if chip is not None:
            gallery.add(name, chip, row, sample.quality, sample.negative, sample.masked)
            gallery.remove(sample.identity, sample.id)
        else:
            gallery.add_embedded(dataclasses.replace(sample, identity=name), row)
    return len(samples)


# -- a person as a file ------------------------------------------------------------------------------------------------


def export(gallery: Gallery, name: str, path: Path) -> int:
    """Writes a person's samples as a zip file: their chips (PNG) and one JSON text. Returns how many.

    Embeddings stay behind: whoever imports it makes their own. Raises :class:`GalleryError` and ``FileError``.
    """
    samples = _of(gallery, name)
    buffer = io.BytesIO()
    entries = []
    with zipfile.ZipFile(buffer, "w") as archive:
        for sample in samples:
            chip = gallery.chip(sample)
            if chip is None:
                continue
            data = cv2.imencode(".png", chip.picture)[1]
            archive.writestr(f"chips/{sample.id}.png", data.tobytes())
            entries.append(
                {
                    "id": sample.id, "quality": sample.quality, "negative": sample.negative, "masked": sample.masked,
                    "landmarks": sample.landmarks.tolist(), "added": sample.added,
                }
            )  # fmt: skip
        about = {"format": FORMAT, "name": samples[0].identity, "samples": entries}
        archive.writestr(_ABOUT, json.dumps(about, ensure_ascii=False, indent=1))
    if not entries:
        raise GalleryError(f"{name} has no sample with a readable chip")
    files.write_bytes(path, buffer.getvalue(), private=True)
    return len(entries)


def read_export(path: Path) -> tuple[str, list[tuple[Sample, Chip]]]:
    """The name and the samples of a file that :func:`export` has written. Raises :class:`GalleryError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(files.read_bytes(path, _MOST_BYTES))) as archive:
            about = json.loads(_member(archive, _ABOUT))
            if about["format"] != FORMAT or len(about["samples"]) > _MOST_SAMPLES:
                raise ValueError(f"format {about['format']!r}, {len(about['samples'])} samples")
            name = checked_name(about["name"])
            found = []
            for entry in about["samples"]:
                sample = read_sample(name, entry)
                picture = decode_png(_member(archive, f"chips/{sample.id}.png"), CHIP_SIZE)
                if picture is None:
                    raise ValueError(f"the chip of {sample.id} is none")
                found.append((sample, Chip(picture, sample.landmarks)))
            return name, found
    except files.FileError as error:
        raise GalleryError(str(error)) from error
    except Exception as error:  # whatever a stranger's file makes of the parsers
        raise GalleryError(f"{files.shown(path)} is not a person that was exported ({damage(error)})") from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    info: Any = archive.getinfo(name)
    if info.file_size > _CHIP_BYTES:
        raise ValueError(f"{name} is larger than {_CHIP_BYTES} bytes")
    return archive.read(info)


def import_person(gallery: Gallery, samples: Sequence[tuple[Sample, Chip]], name: str) -> int:
    """Adds the samples of an export as ``name``'s, embedded by the gallery's model. Returns how many are new.

    Raises :class:`GalleryError`.
    """
    name, before = checked_name(name), len(gallery)
    for sample, chip in samples:
        row = gallery.embedder.embed(chip.picture, [chip.landmarks], flip=True)[0]
        gallery.add(name, chip, row, sample.quality, sample.negative, sample.masked)
    return len(gallery) - before
