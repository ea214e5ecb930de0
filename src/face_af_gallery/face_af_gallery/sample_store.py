"""The samples of the people who are known, in memory and in a folder that several programs may write."""

from __future__ import annotations

import contextlib
import copy
import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import FileError, shown
from face_af_common.images import BGR
from face_af_common.names import canonical_name

from .classifier import Classifier
from .files import LOCK_WAIT_S, GalleryFolder
from .model import CHIP_SIZE, Chip, EmbeddingModel, GalleryError, Sample, checked_name
from .stored_embeddings import embed_missing, joined, read_embeddings, write_embeddings

S = TypeVar("S", bound="SampleStore")

_CHANGED = ("_samples", "_embeddings", "_unsaved_chips", "_unusable", "_added", "_removed")
"""What adding and removing changes."""


class SampleStore:
    """Samples of people, their aligned chips, and their embeddings by one model.

    Open one with :meth:`open`; one without a folder (``folder`` None) lives in memory. ``version`` counts changes, so
    that a caller knows when to match again.

    Several programs may change one folder at the same time. What :meth:`add` and :meth:`remove` do is remembered, and
    :meth:`save` does it again to what is on disk by then, so that nobody's samples are lost. Where a change depends on
    who is there, make it inside :meth:`changing`.
    """

    def __init__(self, folder: Path | None, embedder: EmbeddingModel) -> None:
        self.folder = folder
        self._files = None if folder is None else GalleryFolder(folder)
        self.embedder = embedder
        self.model_id = embedder.model_id
        self.version = 0
        self._samples: dict[str, Sample] = {}
        self._embeddings: dict[str, NDArray[np.float32]] = {}
        self._unsaved_chips: dict[str, BGR] = {}
        self._unusable: dict[str, Sample] = {}
        self._added: set[str] = set()
        self._removed: set[str] = set()
        self._disk_stamp: tuple[int, int, int] | None = None
        self._trained: Classifier | None = None
        self._training_stamp: tuple[int, ...] = ()
        self.training = ""
        """How a classifier is trained (see :class:`face_af_gallery.training.Options`); empty where none is wanted."""

    @classmethod
    def open(
        cls: type[S],
        folder: str | Path,
        embedder: EmbeddingModel,
        *,
        create: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> S:
        """The samples in ``folder``, embedded by ``embedder``.

        Samples that this model has not embedded yet are embedded from their chips; ``progress`` gets (done, of how
        many). ``create``: an absent or empty folder gives an empty store (written by :meth:`save`). Raises
        :class:`GalleryError`.
        """
        store = cls(Path(folder).expanduser(), embedder)
        store.reload(create=create, progress=progress)
        return store

    # -- people ------------------------------------------------------------------------------------------------------

    def samples(self, name: str | None = None) -> list[Sample]:
        """All samples, or those of one person, best quality first."""
        wanted = None if name is None else canonical_name(name)
        chosen = [s for s in self._samples.values() if wanted in (None, s.identity)]
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
        self,
        name: str,
        chip: Chip,
        embedding: NDArray[np.float32],
        quality: float,
        negative: bool = False,
        masked: bool = False,
    ) -> Sample:
        """Adds a face of ``name`` (or, ``negative``, one that is not ``name``). The same chip twice counts once.

        ``masked``: it wears a mask; only faces with masks are compared with it.

        In memory until :meth:`save`. Raises :class:`GalleryError` for an impossible name or embedding.
        """
        name = checked_name(name)
        if chip.picture.shape != (CHIP_SIZE, CHIP_SIZE, 3):
            raise GalleryError(f"a chip of {CHIP_SIZE} x {CHIP_SIZE} pixels is needed, got {chip.picture.shape}")
        digest = hashlib.sha256(name.encode() + bytes([negative]) + chip.picture.tobytes()).hexdigest()[:16]
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        sample = Sample(digest, name, float(quality), negative, np.asarray(chip.landmarks, np.float32), now, masked)
        self.add_embedded(sample, embedding)
        self._unsaved_chips[digest] = chip.picture
        return sample

    def add_embedded(self, sample: Sample, embedding: NDArray[np.float32]) -> None:
        """Adds a sample without an image: for galleries in memory, it cannot be embedded by another model."""
        row = np.asarray(embedding, np.float32).reshape(-1)
        if row.size != self.embedder.dimension or not np.isfinite(row).all():
            raise GalleryError(
                f"{self.model_id} has embeddings of {self.embedder.dimension} numbers; {row.size} do not fit"
            )
        self._samples[sample.id], self._embeddings[sample.id] = sample, row
        self._unusable.pop(sample.id, None)
        self._added.add(sample.id)
        self._removed.discard(sample.id)
        self._changed()

    def remove(self, name: str, sample_id: str | None = None) -> int:
        """Removes a person, or one sample; returns how many samples went."""
        name = canonical_name(name)
        gone = [s.id for s in self._samples.values() if s.identity == name and sample_id in (None, s.id)]
        for key in gone:
            del self._samples[key]
            del self._embeddings[key]
            self._unsaved_chips.pop(key, None)
        for key in [s.id for s in self._unusable.values() if s.identity == name and sample_id in (None, s.id)]:
            gone.append(key)
            del self._unusable[key]
        self._added.difference_update(gone)
        self._removed.update(gone)
        self._changed()
        return len(gone)

    def chip(self, sample: Sample) -> Chip | None:
        """A sample's chip; None where its image is missing or broken."""
        picture = self._unsaved_chips.get(sample.id)
        if picture is None and self._files is not None:
            picture = self._files.read_chip(sample.id)
        return None if picture is None else Chip(picture, sample.landmarks)

    def thumbnail(self, name: str) -> BGR | None:
        """The best image of a person, 256 x 256 BGR."""
        for sample in self.samples(name):
            chip = None if sample.negative else self.chip(sample)
            if chip is not None:
                return chip.picture
        return None

    def _changed(self) -> None:
        self.version += 1

    # -- files -------------------------------------------------------------------------------------------------------

    def changed_on_disk(self) -> bool:
        """Whether another process has written the gallery since it was last read or saved."""
        if self._files is None or (stamp := self._files.stamp()) is None:
            return False
        return stamp != self._disk_stamp or self._files.training_stamp(self.model_id) != self._training_stamp

    def reload(self, *, create: bool = False, progress: Callable[[int, int], None] | None = None) -> None:
        """Reads the folder again; changes that are not saved are forgotten.

        Raises :class:`GalleryError`, and then keeps what it had.
        """
        embedded = self._read(create, progress)
        self._added.clear()
        self._removed.clear()
        self._unsaved_chips.clear()
        if embedded:
            files = self._folder_files
            with contextlib.suppress(GalleryError, OSError), files.locked(0.0):
                # a gallery that is read-only, or being written, is embedded again next time
                if not self.changed_on_disk():
                    write_embeddings(files, self.embedder, self._embeddings)

    def save(self, wait_s: float = LOCK_WAIT_S) -> None:
        """Brings what was added and removed to the folder, beside what others have changed there.

        Waits at most ``wait_s`` for another program that is writing. Raises :class:`GalleryError` where it cannot be
        written; nothing is lost then, and it may be tried again.
        """
        with self._folder_files.locked(wait_s):
            self._merge()
            self._write()

    @contextlib.contextmanager
    def changing(self, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
        """Nobody else writes the gallery inside the block, which begins with what is on disk and ends with a save.

        For changes that depend on who is there; keep the block short. It must not call :meth:`save` itself. Where the
        block or the save raises, the change is forgotten here too. Raises :class:`GalleryError`.
        """
        with self._folder_files.locked(wait_s):
            self._merge()
            before, version = {name: copy.copy(getattr(self, name)) for name in _CHANGED}, self.version
            writing = False
            try:
                yield
                writing = True
                self._write()
            except BaseException:
                vars(self).update(before)
                if writing:
                    self._disk_stamp = None  # what failed late may have been written all the same: read it again
                if self.version != version:
                    self._changed()
                raise

    def use(self, classifier: Classifier | None, training: str, wait_s: float = LOCK_WAIT_S) -> bool:
        """Keeps a classifier for this gallery, and how it was trained; None: names are those of the nearest sample.

        False, and nothing is written, where the gallery has changed since. Raises :class:`GalleryError`.
        """
        files = self._folder_files
        with files.locked(wait_s):
            if classifier is not None and files.stamp() != self._disk_stamp:
                return False
            try:
                if classifier is None:
                    files.forget_training()
                else:
                    files.write_training(training)
                    files.write_classifier(classifier)
            except FileError as error:
                raise GalleryError(str(error)) from error
            except OSError as error:
                raise GalleryError(f"{shown(files.path)}: cannot be written ({error.strerror})") from error
            self._training_stamp = files.training_stamp(self.model_id)
        self.training, self._trained = training if classifier is not None else "", classifier
        self._changed()
        return True

    @property
    def _folder_files(self) -> GalleryFolder:
        assert self._files is not None, "a gallery in memory has no files"
        return self._files

    def _read(self, create: bool, progress: Callable[[int, int], None] | None) -> int:
        """Takes over what is on disk; returns how many samples had to be embedded. Raises :class:`GalleryError`."""
        files, folder = self._folder_files, self._folder_files.path
        if folder.exists() and not folder.is_dir():
            raise GalleryError(f"{folder} is a file; a gallery is a folder")
        stamp = files.stamp()
        if stamp is None and not create:
            raise GalleryError(f"there is no gallery in {folder}; `ros2 run face_af_people enrol` makes one")
        samples = {} if stamp is None else files.read_samples()
        stored = read_embeddings(files, self.embedder)
        missing = [sample for key, sample in samples.items() if not all(key in rows for rows in stored)]
        without_chip = embed_missing(files, self.embedder, missing, stored, progress)
        unusable = {key: samples.pop(key) for key in without_chip}
        kept = joined(self.embedder, list(samples), stored)
        self._samples, self._embeddings, self._unusable, self._disk_stamp = samples, kept, unusable, stamp
        self._training_stamp = files.training_stamp(self.model_id)
        self.training, self._trained = files.read_training(), files.read_classifier(self.model_id)
        self._changed()
        return len(missing) - len(unusable)

    def _merge(self) -> None:
        """What others have written meanwhile, with our own changes done to it."""
        if self._folder_files.stamp() == self._disk_stamp:
            return
        added = [(self._samples[key], self._embeddings[key]) for key in self._added]
        self._read(create=True, progress=None)
        for sample, row in added:
            self._samples[sample.id], self._embeddings[sample.id] = sample, row
            self._unusable.pop(sample.id, None)
        for key in self._removed:
            self._samples.pop(key, None)
            self._embeddings.pop(key, None)
            self._unusable.pop(key, None)
        self._changed()

    def _write(self) -> None:
        files = self._folder_files
        everything = {**self._samples, **self._unusable}
        try:
            for key, picture in self._unsaved_chips.items():
                files.write_chip(key, picture)
            write_embeddings(files, self.embedder, self._embeddings)
            files.write_samples((*self.samples(), *self._unusable.values()))
            self._disk_stamp = files.stamp()
            files.forget_others(everything)
            if self._removed:
                files.forget_derived()
                self._trained, self._training_stamp = None, files.training_stamp(self.model_id)
        except FileError as error:
            raise GalleryError(str(error)) from error
        except OSError as error:
            raise GalleryError(f"{shown(files.path)}: cannot be written ({error.strerror})") from error
        self._unsaved_chips.clear()
        self._added.clear()
        self._removed.clear()
