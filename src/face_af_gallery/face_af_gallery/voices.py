"""The voices of a gallery: ``voices.json`` beside ``gallery.json``, written with the same lock and for its owner alone.

Of a voice only its embeddings are kept, never the sound: enough to know it again, too little to hear what was said.
Voices that another model has embedded stay in the file and are told by :attr:`VoiceGallery.complaint`.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common import files
from face_af_common.names import canonical_name

from .files import GalleryFolder
from .foreign import damage, read_json
from .model import GalleryError, checked_name

FORMAT = 1
MAX_BYTES = 64_000_000
"""The largest file that is read: some 20,000 samples."""
MAX_DIMENSION = 4096


@dataclass(frozen=True)
class VoiceSample:
    """A session of one person: ``embedding`` by ``model_id`` of ``seconds`` of their speech."""

    id: str
    identity: str
    model_id: str
    seconds: float
    embedding: NDArray[np.float32]
    added: str = ""


class VoiceGallery:
    """The voices of one folder that one model has embedded; without a folder, in memory."""

    def __init__(self, folder: Path | None, model_id: str) -> None:
        self.folder = folder
        self.model_id = model_id
        self._samples: list[VoiceSample] = []
        self._others: list[VoiceSample] = []
        self._stamp: tuple[int, int, int] | None = None
        self.version = 0
        """Counts changes, so that a caller knows when to look again."""

    @classmethod
    def open(cls, folder: str | Path, model_id: str, *, create: bool = False) -> VoiceGallery:
        """The voices in ``folder``; ``create``: none yet is no error. Raises :class:`GalleryError`."""
        gallery = cls(Path(folder).expanduser(), model_id)
        gallery.reload()
        if not create and gallery._stamp is None:
            raise GalleryError(f"there are no voices in {folder}; `ros2 run face_af_speaker enrol` adds some")
        return gallery

    @property
    def names(self) -> list[str]:
        """Everybody whose voice is known, sorted."""
        return sorted({sample.identity for sample in self._samples})

    def samples(self, name: str | None = None) -> list[VoiceSample]:
        wanted = None if name is None else canonical_name(name)
        return [sample for sample in self._samples if wanted in (None, sample.identity)]

    @property
    def complaint(self) -> str:
        """Whose voices cannot be used and what to do; empty where all can."""
        people = sorted({sample.identity for sample in self._others} - set(self.names))
        if not people:
            return ""
        return f"the voices of {', '.join(people[:5])} were enrolled with another model: enrol them again"

    def add(self, name: str, embedding: NDArray[np.float32], seconds: float) -> VoiceSample:
        """Adds a session of ``name``; it is written at once. Raises :class:`GalleryError`."""
        row = np.asarray(embedding, np.float32).reshape(-1)
        if not (0 < row.size <= MAX_DIMENSION and np.isfinite(row).all()):
            raise GalleryError(f"{checked_name(name)}: this embedding has numbers that are none")
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        sample = VoiceSample(secrets.token_hex(8), checked_name(name), self.model_id, float(seconds), row, now)
        self._change(lambda samples: [*samples, sample])
        return sample

    def remove(self, name: str) -> int:
        """Removes a person's voice, whichever model embedded it; returns how many sessions went."""
        name = canonical_name(name)
        before = len(self._samples) + len(self._others)
        self._change(lambda samples: [sample for sample in samples if sample.identity != name])
        return max(0, before - len(self._samples) - len(self._others))

    # -- files -------------------------------------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        assert self.folder is not None, "voices in memory have no file"
        return self.folder / "voices.json"

    def changed_on_disk(self) -> bool:
        """Whether the file is another one than was last read."""
        return self.folder is not None and _stamp(self._path) != self._stamp

    def reload(self) -> None:
        """Reads the file again. Raises :class:`GalleryError`, and then keeps what it had."""
        stamp = _stamp(self._path)
        self._take([] if stamp is None else _read(self._path), stamp)

    def rename(self, old: str, new: str) -> None:
        """Makes the sessions of ``old`` those of ``new``. Raises :class:`GalleryError`."""
        old, new = canonical_name(old), checked_name(new)
        self._change(lambda samples: [replace(s, identity=new) if s.identity == old else s for s in samples])

    def _change(self, change: Callable[[list[VoiceSample]], list[VoiceSample]]) -> None:
        """Applies ``change`` to what is on disk now, whoever has written it since it was read."""
        if self.folder is None:
            self._take(change([*self._samples, *self._others]), None)
            return
        with GalleryFolder(self.folder).locked():
            old = _read(self._path) if self._path.exists() else []
            new = change(old)
            if new != old:
                try:
                    files.write_text(self._path, _text(new), private=True)
                except files.FileError as error:
                    raise GalleryError(str(error)) from error
            self._take(new, _stamp(self._path))

    def _take(self, samples: Iterable[VoiceSample], stamp: tuple[int, int, int] | None) -> None:
        samples = list(samples)
        self._samples = [sample for sample in samples if sample.model_id == self.model_id]
        self._others = [sample for sample in samples if sample.model_id != self.model_id]
        self._stamp = stamp
        self.version += 1


def remove_voice(folder: Path, name: str) -> int:
    """Removes every trace of a person's voice from a gallery's folder; returns how many sessions went.

    Raises :class:`GalleryError`.
    """
    if not (folder / "voices.json").exists():
        return 0
    return VoiceGallery.open(folder, "", create=True).remove(name)


def rename_voice(folder: Path, old: str, new: str) -> None:
    """Gives a person's sessions another name, who may have some already. Raises :class:`GalleryError`."""
    if (folder / "voices.json").exists():
        VoiceGallery.open(folder, "", create=True).rename(old, new)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _text(samples: Iterable[VoiceSample]) -> str:
    people: dict[str, list[dict[str, Any]]] = {}
    for s in samples:
        embedding = [round(float(value), 6) for value in s.embedding]
        people.setdefault(s.identity, []).append(
            {"id": s.id, "model": s.model_id, "seconds": round(s.seconds, 1), "added": s.added, "embedding": embedding}
        )
    return json.dumps({"format": FORMAT, "people": people}, ensure_ascii=False)


def _read(path: Path) -> list[VoiceSample]:
    try:
        data = read_json(path, MAX_BYTES)
        if data["format"] != FORMAT:
            reason = f"format {data['format']!r}"[:60]
            raise GalleryError(f"{reason} is unknown; this program writes format {FORMAT}")
        people = data["people"].items()
        return [_sample(checked_name(name), entry) for name, entries in people for entry in entries]
    except files.FileError as error:
        raise GalleryError(str(error)) from error
    except GalleryError as error:
        raise GalleryError(f"{path}: {error}") from error
    except Exception as error:  # whatever a stranger's file makes of the parser
        raise GalleryError(f"{path}: not a gallery's voices, or damaged ({damage(error)})") from error


def _sample(name: str, entry: Any) -> VoiceSample:
    with np.errstate(over="ignore"):
        embedding = np.asarray(entry["embedding"], np.float32)
    seconds = float(entry["seconds"])
    if embedding.ndim != 1 or not 0 < embedding.size <= MAX_DIMENSION or not np.isfinite(embedding).all():
        raise ValueError("an embedding is no list of numbers")
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{seconds} are no seconds")
    texts = [str(entry.get(key, "")) for key in ("id", "model", "added")]
    return VoiceSample(texts[0], name, texts[1], seconds, embedding, texts[2])
