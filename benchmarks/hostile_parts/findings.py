"""What went wrong, and after which inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_MOST = 20
_SHOWN = 1500
_TROUBLE = re.compile(
    r"Traceback|process has died|hangs|ended hard|started again|Segmentation|terminate called|Aborted"
)


class Findings:
    """Each kind once, with how often it came and the inputs before the first time."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._inputs: dict[str, list[str]] = {}

    def add(self, what: str, inputs: Sequence[Any] = ()) -> None:
        key = re.sub(r"\d+", "#", what)
        self._counts[key] = self._counts.get(key, 0) + 1
        if len(self._counts) <= _MOST:
            self._inputs.setdefault(key, [what, *(_shown(entry) for entry in inputs)])

    @property
    def full(self) -> bool:
        """So many that more would say nothing."""
        return sum(self._counts.values()) > 5 * _MOST

    @property
    def texts(self) -> list[str]:
        return [f"{found[0]} ({self._counts[key]} times)" for key, found in self._inputs.items()]

    def report(self) -> dict[str, Any]:
        inputs = {found[0]: found[1:] for found in self._inputs.values() if found[1:]}
        return {"findings": self.texts, **({"inputs": inputs} if inputs else {})}


class LogWatch:
    """Troubles in logs since the last look; of a traceback also the last line."""

    def __init__(self, *logs: Path) -> None:
        self._read = {log: log.stat().st_size for log in logs}

    def troubles(self) -> list[str]:
        return [trouble for log in self._read for trouble in self._new(log)]

    def _new(self, log: Path) -> list[str]:
        with log.open("rb") as file:
            file.seek(self._read[log])
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._read[log] += whole
        lines = data[:whole].decode(errors="replace").splitlines()
        return [_with_end(lines, at) for at, line in enumerate(lines) if _TROUBLE.search(line)]


def _with_end(lines: Sequence[str], at: int) -> str:
    """A line; of a traceback also its last one, which says what it was."""
    if "Traceback" not in lines[at]:
        return lines[at]
    last = next(
        (line for line in lines[at + 1 :] if re.match(r"(\[.*?\] )?\w[\w.]*(Error|Exception|Interrupt)", line)), ""
    )
    return f"{lines[at]} … {last}"


def _shown(entry: Any) -> str:
    text = entry.hex() if isinstance(entry, bytes) else repr(entry)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
