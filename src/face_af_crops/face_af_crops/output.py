"""The folder of a run: crops, previews, the CSV, and what a later run needs to go on.

::

    .face_af_crops/run.json      which run this is (its key); marks the folder as made by this program
    .face_af_crops/*.npz         finished parts, written whole; removed when the run is complete
    crops/  annot/  debug/       what the user wants; with several people a folder for each below crops/
    index.csv                    one row a crop, in order
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from face_af_common.files import regular, told, write_bytes

from .errors import CropError

MARKER = ".face_af_crops"
COLUMNS = (
    "frame", "time_secs", "score", "face_dist", "second_dist", "x1", "y1", "x2", "y2", "ratio", "face_x", "face_y",
    "face_w", "face_h", "quality", "sharpness", "pose", "brightness", "scene", "hash", "body", "person", "video",
    "crop_path",
)  # fmt: skip


class OutputFolder:
    """Opens ``folder`` for the run called ``key``.

    An absent or empty folder is begun; one of the same run is continued; ``restart`` empties one that this program
    made. Raises :class:`CropError` for a folder of something else or of another run; nothing is touched then.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any], restart: bool = False) -> None:
        self.folder = folder
        self._state = folder / MARKER
        if folder.exists() and not folder.is_dir():
            raise CropError(f"{folder}: a file; --out needs a folder")
        if restart and self._state.is_dir():
            self._empty()
        made = self._state / "run.json"
        if made.is_file():
            self._check_key(made, key)
        elif folder.is_dir() and any(folder.iterdir()):
            raise CropError(f"{folder}: has files of something else in it; give an empty or a new folder as --out")
        self._guard(self._begin, made, key)

    def _begin(self, made: Path, key: Mapping[str, Any]) -> None:
        self._state.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # faces are personal data
        if not made.is_file():
            self.write(made, json.dumps(dict(key), indent=1, sort_keys=True).encode())

    def _check_key(self, made: Path, key: Mapping[str, Any]) -> None:
        try:
            old = dict(json.loads(regular(made).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise CropError(f"{made}: cannot be read; --restart begins anew") from error
        differing = sorted(k for k in {*old, *key} if old.get(k) != json.loads(json.dumps(key.get(k))))
        if differing:
            raise CropError(
                f"{self.folder}: was made with other {', '.join(differing)}; "
                "give another --out, or --restart to begin anew"
            )

    def _empty(self) -> None:
        for name in (MARKER, "crops", "annot", "debug"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("index.csv", "index.html", "report.json", "timeline.png", "selection.json"):
            (self.folder / name).unlink(missing_ok=True)

    def _guard(self, act: Any, *arguments: Any) -> Any:
        try:
            return act(*arguments)
        except OSError as error:
            error.filename = error.filename or str(self.folder)
            raise CropError(f"{told(error)}; what was done so far is kept") from error

    # -- finished parts ----------------------------------------------------------------------------------------------

    def part(self, name: str) -> bytes | None:
        """A finished part, or None."""
        try:
            return (self._state / f"{name}.npz").read_bytes()
        except OSError:
            return None

    def keep_part(self, name: str, data: bytes) -> None:
        self._guard(self.write, self._state / f"{name}.npz", data)

    def drop_parts(self) -> None:
        """The run is complete: what only a continuation would need goes. Embeddings go with it."""
        for path in self._state.glob("*.npz"):
            path.unlink(missing_ok=True)

    @property
    def complete(self) -> bool:
        return (self.folder / "report.json").is_file()

    # -- files -------------------------------------------------------------------------------------------------------

    def save(self, name: str, data: bytes) -> None:
        """Writes a file of the folder whole; one that has these bytes already is left alone. Raises CropError."""
        path = self.folder / name
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return
        self._guard(self.write, path, data)

    @staticmethod
    def write(path: Path, data: bytes) -> None:
        """Temporary name, then renamed; nothing is left behind where that fails. Raises OSError."""
        write_bytes(path, data)


class RowFile:
    """A CSV that grows row by row and survives a kill.

    The same rows again, from the start, leave the file as it is; where they differ or a row was cut off, the file is
    cut there and goes on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise CropError(told(error)) from error
        self._file.seek(0)
        self._old = self._file.read()
        self._at = 0
        self._line(COLUMNS)

    def add(self, row: Mapping[str, Any]) -> None:
        self._line([row[name] for name in COLUMNS])

    def _line(self, cells: Any) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        data = text.getvalue().encode()
        if self._old[self._at : self._at + len(data)] == data:
            self._at += len(data)
            return
        try:
            if self._at < len(self._old):
                self._file.truncate(self._at)
                self._old = self._old[: self._at]
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            error.filename = str(self._path)
            raise CropError(f"{told(error)}; what was done is kept") from error
        self._old += data
        self._at += len(data)

    def close(self) -> None:
        """Ends the file after the last row that was added."""
        if self._at < len(self._old):
            self._file.truncate(self._at)
        self._file.close()
