"""The people who are known: several samples of each, with their aligned chips, on disk as JSON, PNG and NPZ.

::

    gallery.json                 who there is, and each sample's quality and landmarks (the truth)
    chips/<id>.png               the aligned chip of each sample, 256 x 256: thumbnail, and source of the embeddings
    embeddings-<model>.npz       the samples' embeddings by one model; made again from the chips when it is missing

Nothing in it can execute code. Files are replaced whole, ``gallery.json`` last, so that a reader never meets half a
gallery.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import CHIP_SIZE, Picture, Points
from .embedders import Embedder, Embeddings

FORMAT = 1
MAX_NAME = 100
LARGE = 1_500_000
"""Numbers in a gallery from which on it is searched in two steps: coarsely in all of it, then exactly in the best."""
COARSE = 96
EXACT = 64
_ID = re.compile(r"[0-9a-f]{16}")


class GalleryError(ValueError):
    """A gallery that cannot be read, written or used; one line that says which, why and what to do."""


@dataclass(frozen=True)
class Chip:
    """An aligned face: ``picture`` (256 x 256 BGR) and the five landmarks in it. See ``alignment.gallery_chip``."""

    picture: Picture
    landmarks: Points


@dataclass(frozen=True)
class Sample:
    """One enrolled face of ``identity``; ``negative``: a face that is *not* this person."""

    id: str
    identity: str
    quality: float
    negative: bool
    landmarks: Points
    added: str = ""


@dataclass(frozen=True)
class Match:
    """The best person for one face, whatever the threshold. Empty identity: the gallery has nobody."""

    identity: str
    similarity: float
    second: float
    """Similarity to the second best person; -1 where there is none."""


class Gallery:
    """Samples of people and their embeddings by one model.

    Open one with :meth:`open`; one without a folder (``Gallery(None, embedder)``) lives in memory. ``version`` counts
    changes, so that a caller knows when to match again.
    """

    def __init__(self, folder: Path | None, embedder: Embedder) -> None:
        self.folder = folder
        self.embedder = embedder
        self.model_id = embedder.model_id
        self.version = 0
        self._samples: dict[str, Sample] = {}
        self._embeddings: dict[str, NDArray[np.float32]] = {}
        self._unsaved_chips: dict[str, Picture] = {}
        self._unusable: dict[str, Sample] = {}
        self._disk_stamp: tuple[int, int] | None = None
        self._index: _Index | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        embedder: Embedder,
        *,
        create: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Gallery:
        """The gallery in ``folder``, its samples embedded by ``embedder``.

        Samples that this model has not embedded yet are embedded from their chips; ``progress`` gets (done, of how
        many). ``create``: an absent or empty folder gives an empty gallery (written by :meth:`save`). Raises
        :class:`GalleryError`.
        """
        gallery = cls(Path(folder).expanduser(), embedder)
        gallery.reload(create=create, progress=progress)
        return gallery

    # -- people ------------------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """Everybody of whom there is at least one sample that shows them, sorted."""
        return self._matcher().names

    def samples(self, name: str | None = None) -> list[Sample]:
        """All samples, or those of one person, best quality first."""
        chosen = [s for s in self._samples.values() if name is None or s.identity == name]
        return sorted(chosen, key=lambda s: (s.identity, s.negative, -s.quality, s.id))

    def embedding(self, sample: Sample) -> NDArray[np.float32]:
        """The D numbers of a sample."""
        return self._embeddings[sample.id]

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def complaint(self) -> str:
        """What is wrong with samples that cannot be used, and what to do; empty where all can. Disk keeps them."""
        if not self._unusable:
            return ""
        people = sorted({sample.identity for sample in self._unusable.values()})
        shown = ", ".join(people[:5]) + (f" and {len(people) - 5} more" if len(people) > 5 else "")
        return (
            f"{len(self._unusable)} samples of {shown} in {self.folder} have neither an embedding by {self.model_id} "
            "nor a readable chip to make one from: enrol them again, or use the model that they were enrolled with"
        )

    def add(
        self, name: str, chip: Chip, embedding: NDArray[np.float32], quality: float, negative: bool = False
    ) -> Sample:
        """Adds a face of ``name`` (or, ``negative``, one that is not ``name``). The same chip twice counts once.

        In memory until :meth:`save`. Raises :class:`GalleryError` for an impossible name or embedding.
        """
        name = checked_name(name)
        if chip.picture.shape != (CHIP_SIZE, CHIP_SIZE, 3):
            raise GalleryError(f"a chip of {CHIP_SIZE} x {CHIP_SIZE} pixels is needed, got {chip.picture.shape}")
        digest = hashlib.sha256(name.encode() + bytes([negative]) + chip.picture.tobytes()).hexdigest()[:16]
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        sample = Sample(digest, name, float(quality), negative, np.asarray(chip.landmarks, np.float32), now)
        self.add_embedded(sample, embedding)
        self._unsaved_chips[digest] = chip.picture
        return sample

    def add_embedded(self, sample: Sample, embedding: NDArray[np.float32]) -> None:
        """Adds a sample without a picture: for galleries in memory, it cannot be embedded by another model."""
        row = np.asarray(embedding, np.float32).reshape(-1)
        if row.size != self.embedder.dimension or not np.isfinite(row).all():
            raise GalleryError(
                f"{self.model_id} has embeddings of {self.embedder.dimension} numbers; {row.size} do not fit"
            )
        self._samples[sample.id], self._embeddings[sample.id] = sample, row
        self._unusable.pop(sample.id, None)
        self._changed()

    def remove(self, name: str, sample_id: str | None = None) -> int:
        """Removes a person, or one sample; returns how many samples went."""
        gone = [s.id for s in self._samples.values() if s.identity == name and sample_id in (None, s.id)]
        for key in gone:
            del self._samples[key]
            del self._embeddings[key]
            self._unsaved_chips.pop(key, None)
        for key in [s.id for s in self._unusable.values() if s.identity == name and sample_id in (None, s.id)]:
            gone.append(key)
            del self._unusable[key]
        self._changed()
        return len(gone)

    def chip(self, sample: Sample) -> Chip | None:
        """A sample's chip; None where its picture is missing or broken."""
        picture = self._unsaved_chips.get(sample.id)
        if picture is None and self.folder is not None:
            picture = _read_picture(self._chip_path(sample.id))
        return None if picture is None else Chip(picture, sample.landmarks)

    def thumbnail(self, name: str) -> Picture | None:
        """The best picture of a person, 256 x 256 BGR."""
        for sample in self.samples(name):
            chip = None if sample.negative else self.chip(sample)
            if chip is not None:
                return chip.picture
        return None

    # -- matching ----------------------------------------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        """Similarity from which on a face may be given a name of this gallery.

        The embedder's own for up to ten people. Among more, some stranger will always be nearer to somebody: the
        threshold rises by a tenth of its distance from strangers with every tenfold of people.
        """
        return self.embedder.above(0.1 * math.log10(max(len(self.names), 10) / 10))

    def scores(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """N x P similarities of N embeddings to the P people in the order of :attr:`names`.

        A person's similarity is that to their nearest sample (of thousands of people, it is exact for the nearest ones
        and an estimate for the rest). Where a negative sample of the person is nearer still,
        the face is not that person, and the similarity falls by as much as the negative is nearer, and below 0.
        """
        return self._matcher().scores(np.asarray(embeddings, np.float32))

    def column(self, name: str) -> int | None:
        """A person's column in :meth:`scores`; None for somebody who is not known."""
        return self._matcher().place.get(name)

    def match(self, embeddings: Embeddings) -> list[Match]:
        """The best person for each row of ``embeddings`` (N x D)."""
        scores = self.scores(embeddings)
        names = self._matcher().names
        if not names:
            return [Match("", -1.0, -1.0)] * len(embeddings)
        best = scores.argmax(1)
        rows = np.arange(len(scores))
        top = scores[rows, best]
        if len(names) > 1:
            scores[rows, best] = -2
            second = scores.max(1)
        else:
            second = np.full(len(scores), -1.0)
        return [Match(names[b], float(t), float(s)) for b, t, s in zip(best, top, second, strict=True)]

    def _matcher(self) -> _Index:
        if self._index is None:
            self._index = _Index(self.samples(), self._embeddings, self.embedder.dimension)
        return self._index

    def _changed(self) -> None:
        self._index = None
        self.version += 1

    # -- files -------------------------------------------------------------------------------------------------------

    def changed_on_disk(self) -> bool:
        """Whether somebody else has written the gallery since it was last read or saved."""
        return self.folder is not None and self._stamp() not in (None, self._disk_stamp)

    def reload(self, *, create: bool = False, progress: Callable[[int, int], None] | None = None) -> None:
        """Reads the folder again. Raises :class:`GalleryError`, and then keeps what it had."""
        assert self.folder is not None, "a gallery in memory has no files"
        path = self.folder / "gallery.json"
        if self.folder.exists() and not self.folder.is_dir():
            raise GalleryError(f"{self.folder} is a file; a gallery is a folder")
        stamp = self._stamp()
        if stamp is None:
            if not create:
                raise GalleryError(f"there is no gallery in {self.folder}; `ros2 run face_af_tools enrol` makes one")
            samples: dict[str, Sample] = {}
        else:
            samples = _read_samples(path)
        kept = {key: row for key, row in self._read_embeddings().items() if key in samples}
        missing = [sample for key, sample in samples.items() if key not in kept]
        unusable: dict[str, Sample] = {}
        for done, sample in enumerate(missing):
            picture = _read_picture(self._chip_path(sample.id))
            if picture is None:
                unusable[sample.id] = samples.pop(sample.id)
                continue
            kept[sample.id] = self.embedder.embed(picture, [sample.landmarks], flip=True)[0]
            if progress is not None:
                progress(done + 1, len(missing))
        self._samples, self._embeddings, self._unusable, self._disk_stamp = samples, kept, unusable, stamp
        self._unsaved_chips.clear()
        self._changed()
        if missing:
            try:
                self._write_embeddings()
            except OSError:
                pass  # a read-only gallery is embedded again next time

    def save(self) -> None:
        """Writes everything to the folder. Raises :class:`GalleryError` where that is impossible."""
        assert self.folder is not None, "a gallery in memory has no files"
        try:
            (self.folder / "chips").mkdir(parents=True, exist_ok=True)
            for key, picture in self._unsaved_chips.items():
                good, data = cv2.imencode(".png", picture)
                if not good:
                    raise GalleryError(f"the chip {key} cannot be written as PNG")
                _replace(self._chip_path(key), data.tobytes())
            self._write_embeddings()
            people: dict[str, list[dict[str, Any]]] = {}
            for s in (*self.samples(), *self._unusable.values()):
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
            _replace(self.folder / "gallery.json", text.encode())
        except OSError as error:
            raise GalleryError(f"{self.folder}: cannot be written ({error.strerror})") from error
        for path in (self.folder / "chips").glob("*.png"):
            if _ID.fullmatch(path.stem) and path.stem not in self._samples and path.stem not in self._unusable:
                path.unlink(missing_ok=True)
        self._unsaved_chips.clear()
        self._disk_stamp = self._stamp()

    def _chip_path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / "chips" / f"{key}.png"

    def _embeddings_path(self) -> Path:
        assert self.folder is not None
        return self.folder / f"embeddings-{re.sub(r'[^A-Za-z0-9._-]', '-', self.model_id)}.npz"

    def _stamp(self) -> tuple[int, int] | None:
        assert self.folder is not None
        try:
            status = (self.folder / "gallery.json").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def _read_embeddings(self) -> dict[str, NDArray[np.float32]]:
        """This model's embeddings on disk; empty where the file is missing, broken or does not fit."""
        try:
            with np.load(self._embeddings_path(), allow_pickle=False) as data:
                ids, rows = data["ids"], data["embeddings"]
        except Exception:  # NumPy raises zipfile's and its own types; the chips are the truth anyway
            return {}
        if rows.dtype != np.float32 or rows.shape != (len(ids), self.embedder.dimension) or not np.isfinite(rows).all():
            return {}
        return {str(key): row for key, row in zip(ids, rows, strict=True)}

    def _write_embeddings(self) -> None:
        import io

        keys = sorted(self._embeddings)
        rows = np.array([self._embeddings[k] for k in keys], np.float32).reshape(len(keys), self.embedder.dimension)
        buffer = io.BytesIO()
        np.savez(buffer, ids=np.array(keys, "U16"), embeddings=rows)
        _replace(self._embeddings_path(), buffer.getvalue())


class _Index:
    """The samples as matrices, grouped by person."""

    def __init__(self, samples: Iterable[Sample], embeddings: dict[str, NDArray[np.float32]], dimension: int) -> None:
        samples = list(samples)
        positive = [s for s in samples if not s.negative]
        self.names = sorted({s.identity for s in positive})
        self.place = {name: i for i, name in enumerate(self.names)}
        negative = [s for s in samples if s.negative and s.identity in self.place]
        self._positive = _Group([(self.place[s.identity], embeddings[s.id]) for s in positive], dimension)
        self._negative = _Group([(self.place[s.identity], embeddings[s.id]) for s in negative], dimension)

    def scores(self, embeddings: Embeddings) -> NDArray[np.float32]:
        result = np.full((len(embeddings), len(self.names)), -1.0, np.float32)
        if not result.size:
            return result
        self._positive.best(embeddings, result)
        if self._negative.owners.size:
            against = np.full_like(result, -1.0)
            self._negative.best(embeddings, against)
            result = np.where(against >= result, np.minimum(result - against, 0), result)
        return result


class _Group:
    """Rows with owners. Of a large gallery only the rows that look nearest in few dimensions are compared in full."""

    def __init__(self, rows: list[tuple[int, NDArray[np.float32]]], dimension: int) -> None:
        rows.sort(key=lambda row: row[0])
        owners = np.array([owner for owner, _ in rows], np.int64)
        self._matrix = np.array([row for _, row in rows], np.float32).reshape(len(rows), dimension)
        self.owners, self._starts = np.unique(owners, return_index=True)
        self._half = (self._matrix * self._matrix).sum(1) / 2 - 1
        self._axes: NDArray[np.float32] | None = None
        columns = self._matrix.T
        if self._matrix.size > LARGE and dimension > COARSE:
            # the directions in which the gallery varies most
            _, axes = np.linalg.eigh((columns @ self._matrix).astype(np.float64))
            self._axes = np.ascontiguousarray(axes[:, -COARSE:], np.float32)
            columns = self._axes.T @ columns
        self._columns = np.ascontiguousarray(columns)

    def best(self, embeddings: Embeddings, out: NDArray[np.float32]) -> None:
        """Writes the similarity of each embedding to the nearest row of each owner into ``out`` (N x P)."""
        near = (embeddings if self._axes is None else embeddings @ self._axes) @ self._columns
        if self._axes is not None:
            for row, embedding in zip(near, embeddings, strict=True):
                nearest = np.argpartition(row - self._half, -EXACT)[-EXACT:]
                row[nearest] = self._matrix[nearest] @ embedding
        near -= self._half
        near -= (embeddings * embeddings).sum(1)[:, None] / 2
        if len(self.owners) != near.shape[1]:
            near = np.maximum.reduceat(near, self._starts, axis=1)
        if len(self.owners) == out.shape[1]:
            out[:] = near
        else:
            out[:, self.owners] = near


def checked_name(name: str) -> str:
    """A person's name, stripped; :class:`GalleryError` where it is empty, too long or has control characters."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise GalleryError(f"{name[:MAX_NAME]!r} cannot be a name: 1 to {MAX_NAME} printable characters are needed")
    return name


def _read_samples(path: Path) -> dict[str, Sample]:
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
        raise GalleryError(f"{path} is not a gallery, or a damaged one ({type(error).__name__}: {error})") from error


def _read_picture(path: Path) -> Picture | None:
    picture = cv2.imread(str(path)) if path.is_file() else None
    return np.asarray(picture, np.uint8) if picture is not None and picture.shape == (CHIP_SIZE, CHIP_SIZE, 3) else None


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
