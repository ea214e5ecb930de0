"""A gallery's files, and how they are written.

::

    gallery.json                 who there is, and each sample's quality and landmarks (the truth)
    chips/<id>.png               the aligned chip of each sample, 256 x 256: thumbnail, and source of the embeddings
    embeddings-<model>.npz       the samples' embeddings by one model; made again from the chips when it is missing

Nothing in it can execute code. Files are replaced whole, ``gallery.json`` last, so that a reader never meets half a
gallery.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import tempfile
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.images import BGR

from .model import CHIP_SIZE, GalleryError, Sample, checked_name

FORMAT = 1
_ID = re.compile(r"[0-9a-f]{16}")


class GalleryFolder:
    """The files of one gallery in ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def _people(self) -> Path:
        return self.path / "gallery.json"

    def _chip(self, key: str) -> Path:
        return self.path / "chips" / f"{key}.png"

    def _embeddings(self, model_id: str) -> Path:
        return self.path / f"embeddings-{re.sub(r'[^A-Za-z0-9._-]', '-', model_id)}.npz"

    def stamp(self) -> tuple[int, int] | None:
        """Changes with every write; None where there is no gallery."""
        try:
            status = self._people.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def read_samples(self) -> dict[str, Sample]:
        """Every sample by its id. Raises :class:`GalleryError`."""
        path = self._people
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise GalleryError(f"{path}: format {data['format']!r} is unknown; this program writes format {FORMAT}")
            samples = {}
            for name, entries in data["people"].items():
                for entry in entries:
                    if not _ID.fullmatch(entry["id"]):
                        raise ValueError(f"{entry['id']!r} is no sample id")
                    landmarks = np.asarray(entry["landmarks"], np.float32).reshape(5, 2)
                    if not (np.isfinite(landmarks).all() and math.isfinite(entry["quality"])):
                        raise ValueError(f"{entry['id']} has numbers that are none")
                    samples[entry["id"]] = Sample(
                        entry["id"],
                        checked_name(name),
                        float(entry["quality"]),
                        bool(entry["negative"]),
                        landmarks,
                        str(entry.get("added", "")),
                    )
            return samples
        except GalleryError:
            raise
        except OSError as error:
            raise GalleryError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GalleryError(
                f"{path} is not a gallery, or a damaged one ({type(error).__name__}: {error})"
            ) from error

    def write_samples(self, samples: Iterable[Sample]) -> None:
        """Replaces ``gallery.json``. Raises ``OSError``."""
        people: dict[str, list[dict[str, Any]]] = {}
        for s in samples:
            people.setdefault(s.identity, []).append(
                {
                    "id": s.id,
                    "quality": round(s.quality, 4),
                    "negative": s.negative,
                    "landmarks": [[round(float(v), 2) for v in point] for point in s.landmarks],
                    "added": s.added,
                }
            )
        text = json.dumps({"format": FORMAT, "people": people}, indent=1, ensure_ascii=False)
        _replace(self._people, text.encode())

    def read_chip(self, key: str) -> BGR | None:
        """A sample's chip (256 x 256 BGR); None where it is missing or broken."""
        path = self._chip(key)
        picture = cv2.imread(str(path)) if path.is_file() else None
        usable = picture is not None and picture.shape == (CHIP_SIZE, CHIP_SIZE, 3)
        return np.asarray(picture, np.uint8) if usable else None

    def write_chip(self, key: str, picture: BGR) -> None:
        """Raises ``OSError`` or :class:`GalleryError`."""
        good, data = cv2.imencode(".png", picture)
        if not good:
            raise GalleryError(f"the chip {key} cannot be written as PNG")
        _replace(self._chip(key), data.tobytes())

    def remove_other_chips(self, kept: Container[str]) -> None:
        """Removes the chips of samples that are not in ``kept``."""
        for path in (self.path / "chips").glob("*.png"):
            if _ID.fullmatch(path.stem) and path.stem not in kept:
                path.unlink(missing_ok=True)

    def read_embeddings(self, model_id: str, dimension: int) -> dict[str, NDArray[np.float32]]:
        """A model's embeddings by sample id; empty where the file is missing, broken or does not fit."""
        try:
            with np.load(self._embeddings(model_id), allow_pickle=False) as data:
                ids, rows = data["ids"], data["embeddings"]
        except Exception:  # NumPy raises zipfile's and its own types; the chips are the truth anyway
            return {}
        if rows.dtype != np.float32 or rows.shape != (len(ids), dimension) or not np.isfinite(rows).all():
            return {}
        return {str(key): row for key, row in zip(ids, rows, strict=True)}

    def write_embeddings(self, model_id: str, dimension: int, embeddings: Mapping[str, NDArray[np.float32]]) -> None:
        """Raises ``OSError``."""
        keys = sorted(embeddings)
        rows = np.array([embeddings[k] for k in keys], np.float32).reshape(len(keys), dimension)
        buffer = io.BytesIO()
        np.savez(buffer, ids=np.array(keys, "U16"), embeddings=rows)
        _replace(self._embeddings(model_id), buffer.getvalue())


def _replace(path: Path, data: bytes) -> None:
    """Writes a file so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
