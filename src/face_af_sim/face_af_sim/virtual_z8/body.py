"""A small camera body for the virtual Z8 when it runs alone: a few subjects, and a selection that presses move."""

from __future__ import annotations

import math
import threading
import time

import cv2
import numpy as np

from face_af_common.types import ActionKind, AfBox, AfState, Box

from ..controls import LiveView

_WIDTH, _HEIGHT = 640, 360
_COLORS = {AfState.DETECTED: (128, 128, 128), AfState.TRACKED: (255, 255, 255), AfState.ACTIVE_FOCUS: (60, 200, 60)}
_RESPONSE = 0.12
"""Seconds from a press to its effect."""


class DemoBody:
    """Subjects in a row that sway; LEFT and RIGHT move the selection, as a Z8's subject detection has it."""

    def __init__(self, subjects: int = 4) -> None:
        self._lock = threading.Lock()
        self._subjects = subjects
        self._selected = 0
        self._moves: list[tuple[float, int]] = []
        self.presses = 0

    def press(self, button: ActionKind) -> None:
        step = {ActionKind.LEFT: -1, ActionKind.RIGHT: 1}.get(button, 0)
        with self._lock:
            self.presses += 1
            self._moves.append((time.monotonic() + _RESPONSE, step))

    def set_af_area(self, x: float, y: float) -> None:
        centers = [box.center[0] / _WIDTH for box in self._boxes(time.monotonic())]
        with self._lock:
            self._selected = min(range(self._subjects), key=lambda i: abs(centers[i] - x))

    def af_drive(self) -> bool:
        return True

    def live_view(self) -> LiveView:
        now = time.monotonic()
        selected = self._apply(now)
        picture = np.full((_HEIGHT, _WIDTH, 3), 40, np.uint8)
        cv2.rectangle(picture, (0, _HEIGHT * 3 // 4), (_WIDTH, _HEIGHT), (60, 50, 45), cv2.FILLED)
        boxes = []
        for i, box in enumerate(self._boxes(now)):
            state = AfState.ACTIVE_FOCUS if i == selected else AfState.DETECTED
            boxes.append(AfBox(state, box, id=i + 1))
            x, y = (round(v) for v in box.center)
            cv2.ellipse(picture, (x, y + 70), (34, 60), 0, 0, 360, (90, 60 + 30 * i, 120), cv2.FILLED)
            cv2.circle(picture, (x, y), 20, (150, 180, 220), cv2.FILLED)
            corner = (round(box.x), round(box.y)), (round(box.right), round(box.bottom))
            cv2.rectangle(picture, *corner, _COLORS[state], 2)
        return LiveView(cv2.imencode(".jpg", picture)[1].tobytes(), _WIDTH, _HEIGHT, tuple(boxes))

    def _apply(self, now: float) -> int:
        with self._lock:
            while self._moves and self._moves[0][0] <= now:
                step = self._moves.pop(0)[1]
                self._selected = min(max(self._selected + step, 0), self._subjects - 1)
            return self._selected

    def _boxes(self, now: float) -> list[Box]:
        spacing = _WIDTH / self._subjects
        return [
            Box((i + 0.5) * spacing - 26 + 12 * math.sin(now / 2 + i), 110 + 8 * math.sin(now + 2 * i), 52, 52)
            for i in range(self._subjects)
        ]
