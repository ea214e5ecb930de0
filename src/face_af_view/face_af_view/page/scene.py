"""What is seen in a frame, as the page draws it: faces, AF boxes and what steering makes of them, joined by stamp."""

from __future__ import annotations

from typing import Any

from face_af_common.types import AfBox, Box, Face

_PATIENCE_S = 0.08
"""Results of a frame go out without what has not come for so long."""
_SILENT_S = 1.0
"""A node that says nothing for so long is not waited for."""


def box(value: Box) -> list[float]:
    return [round(value.x, 1), round(value.y, 1), round(value.width, 1), round(value.height, 1)]


def face(value: Face) -> dict[str, Any]:
    return {
        "track": value.track_id,
        "box": box(value.box),
        "name": value.identity,
        "alike": round(value.similarity, 3),
        "target": value.is_target,
    }


def af_box(value: AfBox) -> dict[str, Any]:
    return {"state": int(value.state), "box": box(value.box)}


class Scene:
    """Collects the results of the newest frame; :meth:`take` gives them once all have come, or waited long enough.

    Parts are ``faces``, ``boxes`` and ``state``, each a dictionary for the page. Times are of one monotonic clock.
    """

    PARTS = ("faces", "boxes", "state")

    def __init__(self) -> None:
        self._parts: dict[str, tuple[int, Any]] = {}
        self._heard: dict[str, float] = {}
        self._dirty_since: float | None = None

    def add(self, part: str, stamp_ns: int, value: Any, now: float) -> None:
        """``part``: one of :attr:`PARTS`."""
        self._parts[part] = (stamp_ns, value)
        self._heard[part] = now
        if self._dirty_since is None:
            self._dirty_since = now

    def take(self, now: float) -> dict[str, Any] | None:
        """The message ``scene`` without its type; None while there is nothing new or the rest may still come."""
        if self._dirty_since is None:
            return None
        awake = [part for part in self.PARTS if now - self._heard.get(part, -1e9) < _SILENT_S]
        newest = max(self._parts[part][0] for part in awake) if awake else 0
        complete = all(self._parts[part][0] == newest for part in awake)
        if not complete and now - self._dirty_since < _PATIENCE_S:
            return None
        self._dirty_since = None
        faces = self._parts.get("faces", (newest, None))
        return {"stamp": faces[0] // 1000} | {part: self._parts[part][1] for part in awake}
