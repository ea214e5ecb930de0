"""A camera body that only writes down what reaches it, for tests and benchmarks."""

from __future__ import annotations

import time

from face_af_common.types import ActionKind, AfBox, AfState, Box

from ..controls import LiveView

JPEG = bytes.fromhex("ffd8ffe0") + bytes(1000) + bytes.fromhex("ffd9")


class RecordingBody:
    """``presses``: (``time.monotonic()``, button); ``areas``: points in 0 to 1; ``drives``: how often it focused."""

    def __init__(self) -> None:
        self.presses: list[tuple[float, ActionKind]] = []
        self.areas: list[tuple[float, float]] = []
        self.drives = 0
        self.can_focus = True
        self.view: LiveView | None = LiveView(
            JPEG,
            640,
            360,
            (AfBox(AfState.DETECTED, Box(10, 20, 40, 40)), AfBox(AfState.ACTIVE_FOCUS, Box(200, 100, 60, 60))),
        )

    def press(self, button: ActionKind) -> None:
        self.presses.append((time.monotonic(), button))

    def set_af_area(self, x: float, y: float) -> None:
        self.areas.append((x, y))

    def af_drive(self) -> bool:
        self.drives += 1
        return self.can_focus

    def live_view(self) -> LiveView | None:
        return self.view
