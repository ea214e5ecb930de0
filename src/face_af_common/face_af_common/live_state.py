"""What was chosen while a node ran, kept for the process that replaces it when it dies.

One small JSON file a node in the folder that :data:`SESSION` names, which a launch makes when it starts and removes
when it ends. Without that variable nothing is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

SESSION = "FACE_AF_SESSION"
"""Environment variable: folder of a launch's live choices; its processes are supervised (:mod:`.runtime`)."""


class LiveState:
    """``name``: the node's full name. Values are whatever JSON can hold."""

    def __init__(self, name: str) -> None:
        folder = os.environ.get(SESSION, "")
        self._path = Path(folder) / (name.strip("/").replace("/", ".") + ".json") if folder else None
        self._values = self._read()

    def get(self, key: str) -> Any:
        """What the process before this one has kept there; None = nothing."""
        return self._values.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keeps ``value``, in place of what was kept there; None removes it. A full disk is no reason to stop."""
        if self._path is None or self._values.get(key) == value:
            return
        self._values[key] = value
        with contextlib.suppress(OSError):
            # names of people: readable by their owner only, as mkstemp makes it
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".state")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self._values, file)
            Path(temporary).replace(self._path)

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}
