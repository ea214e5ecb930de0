"""What one line of the page says about the whole: camera, warnings, rate, recording."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from face_af_common.names import short

from .acts import Known

_RECENT_S = 3.5
"""A node that has not reported for so long is left out."""
_MAX_NODES = 60
_RATE_S = 2.0


class StatusBoard:
    """Collects from topics; messages come in one thread, :meth:`status` is called in another."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace.strip("/")
        self._camera: dict[str, Any] | None = None
        self._nodes: dict[str, tuple[float, int, str]] = {}
        self._faces: deque[float] = deque(maxlen=120)

    def on_camera(self, message: Any) -> None:
        self._camera = {
            "connected": message.connected,
            "dry_run": message.dry_run,
            "transport": message.transport,
            "model": message.model,
            "sent": message.sent,
            "failed": message.failed,
            "dropped": message.dropped_stale,
            "error": message.last_error,
        }

    def on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            name = short(status.name.removeprefix(f"{self._namespace}/"))
            self._forget_strangers()
            if name in self._nodes or len(self._nodes) < _MAX_NODES:
                level = int.from_bytes(status.level, "little") if isinstance(status.level, bytes) else status.level
                self._nodes[name] = (time.monotonic(), level, status.message[:300])

    def _forget_strangers(self) -> None:
        """Names that nobody uses any more must not keep out those of nodes."""
        if len(self._nodes) >= _MAX_NODES:
            now = time.monotonic()
            self._nodes = {name: said for name, said in self._nodes.items() if now - said[0] < _RECENT_S}

    def on_faces(self, now: float) -> None:
        self._faces.append(now)

    def status(self, now: float, recording: bool, known: Known) -> dict[str, Any]:
        """The message ``status`` without its type."""
        recent = {name: said for name, said in list(self._nodes.items()) if now - said[0] < _RECENT_S}
        times = [t for t in list(self._faces) if now - t < _RATE_S]
        return {
            "camera": self._camera,
            "warnings": [
                {"node": name, "level": level, "text": text}
                for name, (_, level, text) in sorted(recent.items())
                if level in (1, 2)
            ],
            "nodes": sorted(recent),
            "fps": round((len(times) - 1) / (times[-1] - times[0]), 1) if len(times) > 2 else 0.0,
            "recording": recording or "recorder" in recent,
            "target": known.target,
            "followed": known.followed,
            "namespace": self._namespace,
        }
