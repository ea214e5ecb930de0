"""A gallery's files, and how they are written.

::

    gallery.json                 who there is, and each sample's quality and landmarks (the truth)
    chips/<id>.png               the aligned chip of each sample, 256 x 256: thumbnail, and source of the embeddings
    embeddings-<model>.npz       the samples' embeddings by one model; made again from the chips when it is missing
    training.json                how a classifier is trained, where one is wanted
    classifier-<model>.npz       the classifier; trained again when the samples have changed
    derived/                     reports, checkpoints, maps of faces
    .lock                        held by whoever writes

Nothing in it can execute code. Files are replaced whole, ``gallery.json`` last, so that a reader never meets half a
gallery. Folders are for their owner alone (0700), files too (0600). Whatever else lies there is :class:`GalleryError`
or left out, never more than one line and a bounded amount of memory and time.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common import files
from face_af_common.images import BGR

from .classifier import Classifier
from .foreign import FORMAT, SAMPLE_ID, read_array_file, read_people, read_png
from .model import CHIP_SIZE, GalleryError, Sample

LOCK_WAIT_S = 30.0
"""How long a tool waits for another one that is writing."""
_CLASSIFIER_BYTES = 256_000_000
_TRAINING_BYTES = 10_000
_TEMPORARY = files.PART.format("*") + "*"


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
        return self.path / f"embeddings-{_plain(model_id)}.npz"

    def _classifier(self, model_id: str) -> Path:
        return self.path / f"classifier-{_plain(model_id)}.npz"

    @property
    def _training(self) -> Path:
        return self.path / "training.json"

    @property
    def derived(self) -> Path:
        """Folder for what was made of the samples and can be made again; see :meth:`forget_derived`."""
        return self.path / "derived"

    @contextlib.contextmanager
    def locked(self, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
        """Nobody else writes the gallery inside the block; the folder is made. Raises :class:`GalleryError`."""
        try:
            files.make_private(self.path)
            with files.locked(self.path / ".lock", wait_s, str(self.path)):
                yield
        except OSError as error:
            raise GalleryError(files.told(error)) from error

    def stamp(self) -> tuple[int, int, int] | None:
        """Changes with every write; None where there is no gallery."""
        try:
            status = self._people.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def training_stamp(self, model_id: str) -> tuple[int, ...]:
        """Changes when a classifier is trained, or none is wanted any more."""
        times = []
        for path in (self._training, self._classifier(model_id)):
            try:
                times.append(path.stat().st_mtime_ns)
            except OSError:
                times.append(0)
        return tuple(times)

    def read_samples(self) -> dict[str, Sample]:
        """Every sample by its id. Raises :class:`GalleryError`."""
        return read_people(self._people)

    def write_samples(self, samples: Iterable[Sample]) -> None:
        """Replaces ``gallery.json``. Raises ``FileError``."""
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
                | ({"masked": True} if s.masked else {})
            )
        text = json.dumps({"format": FORMAT, "people": people}, indent=1, ensure_ascii=False)
        files.write_text(self._people, text, private=True)

    def read_chip(self, key: str) -> BGR | None:
        """A sample's chip (256 x 256 BGR); None where it is missing or broken."""
        return read_png(self._chip(key), CHIP_SIZE)

    def write_chip(self, key: str, picture: BGR) -> None:
        """Raises ``FileError`` or :class:`GalleryError`."""
        good, data = cv2.imencode(".png", picture)
        if not good:
            raise GalleryError(f"the chip {key} cannot be written as PNG")
        path = self._chip(key)
        files.make_private(path.parent)
        files.write_bytes(path, data.tobytes(), private=True)

    def read_embeddings(self, model_id: str, dimension: int) -> dict[str, NDArray[np.float32]]:
        """A model's embeddings by sample id; empty where the file is missing, broken or does not fit."""
        found = read_array_file(self._embeddings(model_id))
        return found if all(row.size == dimension for row in found.values()) else {}

    def write_embeddings(self, model_id: str, embeddings: Mapping[str, NDArray[np.float32]]) -> None:
        """Raises ``FileError``."""
        self._write_arrays(self._embeddings(model_id), embeddings)

    def _write_arrays(self, path: Path, embeddings: Mapping[str, NDArray[np.float32]]) -> None:
        keys = sorted(embeddings)
        rows = np.stack([embeddings[k] for k in keys]) if keys else np.empty((0, 1))
        buffer = io.BytesIO()
        np.savez(buffer, ids=np.array(keys, "U16"), embeddings=rows.astype(np.float32))
        files.write_bytes(path, buffer.getvalue(), private=True)

    def clear(self) -> None:
        """Everybody goes, whatever state the files are in. Raises :class:`GalleryError`."""
        with self.locked():
            self.write_samples(())
            self.forget_others(())
            self.forget_derived()

    def read_classifier(self, model_id: str) -> Classifier | None:
        """The classifier for a model's embeddings; None where there is none, or a damaged one."""
        try:
            made = Classifier.from_bytes(files.read_bytes(self._classifier(model_id), _CLASSIFIER_BYTES))
        except (files.FileError, GalleryError):
            return None
        return made if made.model_id == model_id else None

    def write_classifier(self, classifier: Classifier) -> None:
        """Raises ``FileError``."""
        files.write_bytes(self._classifier(classifier.model_id), classifier.to_bytes(), private=True)

    def read_training(self) -> str:
        """How a classifier is trained (JSON); empty where none is wanted."""
        try:
            return files.read_bytes(self._training, _TRAINING_BYTES).decode("utf-8", "replace")
        except files.FileError:
            return ""

    def write_training(self, text: str) -> None:
        """Raises ``FileError``."""
        files.write_text(self._training, text, private=True)

    def forget_training(self) -> None:
        """From now on no classifier is used. Raises ``OSError``."""
        self._training.unlink(missing_ok=True)
        for path in self.path.glob("classifier-*.npz"):
            path.unlink(missing_ok=True)

    def forget_derived(self) -> None:
        """Removes what shows people who have gone: classifiers, reports, checkpoints, maps. Raises ``OSError``."""
        for path in self.path.glob("classifier-*.npz"):
            path.unlink(missing_ok=True)
        if self.derived.is_dir() and not self.derived.is_symlink():
            shutil.rmtree(self.derived)

    def forget_others(self, kept: Collection[str]) -> None:
        """Removes every trace of samples that are not in ``kept``: their chips, their embeddings by any model, and
        what a save that was killed has left. Only inside :meth:`locked`. Raises ``OSError``.
        """
        chips = self.path / "chips"
        for path in (*self.path.glob(_TEMPORARY), *chips.glob(_TEMPORARY)):
            path.unlink(missing_ok=True)
        for path in chips.glob("*.png"):
            if SAMPLE_ID.fullmatch(path.stem) and path.stem not in kept:
                path.unlink(missing_ok=True)
            else:
                files.make_file_private(path)  # earlier versions wrote them for everybody
        for path in self.path.glob("embeddings-*.npz"):
            rows = read_array_file(path)
            remaining = {key: row for key, row in rows.items() if key in kept}
            if not remaining:
                path.unlink(missing_ok=True)  # or unreadable: the chips make it again
            elif len(remaining) < len(rows):
                self._write_arrays(path, remaining)


def _plain(model_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", model_id)
