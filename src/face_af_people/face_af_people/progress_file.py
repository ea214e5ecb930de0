"""What a long run of ``identify`` has found so far, so that one that was stopped can go on.

A file of JSON lines beside the result: first what everything depends on, then a line for each input.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from face_af_common import json_lines
from face_af_common.files import make_file_private, writing

from .photos import PhotoError

SUFFIX = ".progress"
_MOST_BYTES = 2_000_000_000


class ProgressFile:
    """Of the result file ``result``; ``depends``: gallery, models and threshold, as JSON.

    ``found``: what an earlier run has found, by input; empty unless ``resume``. Raises :class:`PhotoError` where that
    run was another one's, and ``FileError``.
    """

    def __init__(self, result: Path, depends: Mapping[str, Any], resume: bool) -> None:
        self.path = result.with_name(result.name + SUFFIX)
        self.found: dict[str, list[Any]] = {}
        self._stamps: dict[str, list[int]] = {}
        if resume and self.path.is_file():
            self._read(dict(depends))
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = self.path.open("w", encoding="utf-8")
            make_file_private(self.path)
            self._write(dict(depends))
        for name, faces in self.found.items():
            self._write({"input": name, "stamp": self._stamps[name], "found": faces})

    def _read(self, depends: dict[str, Any]) -> None:
        if self.path.stat().st_size > _MOST_BYTES:
            raise PhotoError(f"{self.path}: larger than {_MOST_BYTES:,} bytes; without --resume it is begun anew")
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines):
                entry = json_lines.parsed(line)
                if number == 0 and entry is not None and entry != depends:
                    raise PhotoError(
                        f"{self.path}: begun with another gallery, threshold or detector; "
                        "without --resume it is begun anew"
                    )
                try:
                    if number and entry is not None and list(entry["stamp"]) == _stamp(str(entry["input"])):
                        name = str(entry["input"])
                        self.found[name], self._stamps[name] = list(entry["found"]), list(entry["stamp"])
                except (KeyError, TypeError):
                    continue  # no line of ours

    def add(self, name: str, found: list[Any]) -> None:
        """Keeps what was found in an input. Raises ``FileError``."""
        self._write({"input": name, "stamp": _stamp(name), "found": found})

    def _write(self, entry: dict[str, Any]) -> None:
        with writing(self.path):
            self._file.write(json_lines.line(entry))
            self._file.flush()

    def finish(self) -> None:
        """The result is written: the file goes."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def _stamp(name: str) -> list[int]:
    """Size and time of change: a file that was changed is looked at again."""
    try:
        status = Path(name).stat()
        return [status.st_size, status.st_mtime_ns]
    except OSError:
        return []
