"""A gallery's files as they are found, whoever wrote them: checked, bounded, and one line of complaint at most."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.files import FileError, read_bytes, shown
from face_af_common.images import BGR

from .model import GalleryError, Sample, checked_name

FORMAT = 1
SAMPLE_ID = re.compile(r"[0-9a-f]{16}")

_PEOPLE_BYTES = 64_000_000
"""Of ``gallery.json``: a sample has about 400 bytes."""
_CHIP_BYTES = 1_000_000
"""Of a chip: 256 x 256 pixels of noise have a fifth of it."""
_ARRAY_BYTES = 256_000_000
"""Of a file of embeddings: a sample has 2 kB."""
_DIGITS = 20
"""Of an integer in ``gallery.json``; Python takes minutes to read one of millions."""
_FARTHEST = 1e6
"""Of a landmark, pixels."""
_ADDED = 40
"""Characters of a date."""


def read_people(path: Path) -> dict[str, Sample]:
    """Every sample in a ``gallery.json`` by its id. Raises :class:`GalleryError`."""
    try:
        data = read_json(path, _PEOPLE_BYTES)
        if data["format"] != FORMAT:
            reason = f"format {data['format']!r}"[:60]
            raise GalleryError(f"{reason} is unknown; this program writes format {FORMAT}")
        return {
            sample.id: sample
            for name, entries in data["people"].items()
            for sample in (read_sample(checked_name(name), entry) for entry in entries)
        }
    except GalleryError as error:
        raise GalleryError(f"{shown(path)}: {error}") from error
    except FileError as error:
        raise GalleryError(str(error)) from error
    except Exception as error:  # whatever a stranger's file makes of the parser: brackets, numbers, types
        raise GalleryError(f"{shown(path)} is not a gallery, or a damaged one ({damage(error)})") from error


def read_json(path: Path, limit: int) -> Any:
    """A JSON file of at most ``limit`` bytes. Raises ``FileError``, or whatever the parser makes of its content."""
    return json.loads(read_bytes(path, limit).decode("utf-8"), parse_int=_integer)


def damage(error: Exception) -> str:
    """What a parser said, in some words on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def read_sample(name: str, entry: Any) -> Sample:
    """One entry of a person's samples. Raises whatever is wrong with it."""
    key, added = entry["id"], entry.get("added", "")
    if not SAMPLE_ID.fullmatch(key):
        raise ValueError(f"{key[:20]!r} is no sample id")
    landmarks = np.asarray(entry["landmarks"], np.float64).reshape(5, 2)
    quality = float(entry["quality"])
    if not (np.abs(landmarks).max() < _FARTHEST and math.isfinite(quality)):
        raise ValueError(f"{key} has numbers that are none")
    if not (isinstance(added, str) and len(added) <= _ADDED and added.isprintable()):
        raise ValueError(f"{key} has a date that is none")
    masked = bool(entry.get("masked"))
    return Sample(key, name, quality, bool(entry["negative"]), landmarks.astype(np.float32), added, masked)


def read_png(path: Path, size: int) -> BGR | None:
    """A PNG of ``size`` x ``size`` pixels as BGR; None where it is missing, broken or of another size."""
    try:
        return decode_png(read_bytes(path, _CHIP_BYTES), size)
    except OSError:
        return None


def decode_png(data: bytes, size: int) -> BGR | None:
    """The same of a PNG's bytes."""
    # the header tells how much memory the decoder would take
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:24] != b"IHDR" + 2 * size.to_bytes(4, "big"):
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None or picture.shape != (size, size, 3) else np.asarray(picture, np.uint8)


def read_array_file(path: Path) -> dict[str, NDArray[np.float32]]:
    """The rows in a file of embeddings by sample id; empty where it is missing or broken."""
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path, _ARRAY_BYTES))) as archive:
            ids, rows = _array(archive, "ids.npy"), _array(archive, "embeddings.npy")
        if ids.ndim != 1 or ids.dtype.kind != "U" or rows.ndim != 2 or rows.dtype != np.float32:
            return {}
        if len(ids) != len(rows) or not np.isfinite(rows).all():
            return {}
        return dict(zip(map(str, ids), rows, strict=True))
    except Exception:  # zipfile and NumPy raise types of many kinds; the chips are the truth anyway
        return {}


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array; a compressed one could be larger than memory, and so could what its header claims."""
    member = archive.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError("not an array that this program has written")
    raw = io.BytesIO(archive.read(member))
    if np.lib.format.read_magic(raw) != (1, 0) or int.from_bytes(raw.getvalue()[8:10], "little") > 1000:
        raise ValueError("not an array that this program has written")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(raw)
    if fortran or dtype.hasobject:
        raise ValueError("not an array that this program has written")
    return np.frombuffer(raw.read(), dtype)[: math.prod(shape)].reshape(shape)
