"""What the node learns about the corners that its camera draws."""

from __future__ import annotations

import cv2
import numpy as np

from face_af_overlay.corner_style import CornerStyle
from face_af_overlay.detector import AfBoxDetector, example
from face_af_overlay.params import OverlayParams


def _rounded() -> np.ndarray:
    frame = np.full((1080, 1920, 3), 60, np.uint8)
    x, y, size, radius, white = 800, 400, 160, 20, (245, 245, 245)
    for start, end in (((radius, 0), (size - radius, 0)), ((0, radius), (0, size - radius))):
        for dx, dy in ((0, 0), (0, size) if start[1] == 0 else (size, 0)):
            cv2.line(frame, (x + start[0] + dx, y + start[1] + dy), (x + end[0] + dx, y + end[1] + dy), white, 3)
    for cx, cy, angle in ((radius, radius, 180), (size - radius, radius, 270), (size - radius, size - radius, 0),
                          (radius, size - radius, 90)):  # fmt: skip
        cv2.ellipse(frame, (x + cx, y + cy), (radius, radius), angle, 0, 90, white, 3, cv2.LINE_AA)
    return frame


def _watch(detector: AfBoxDetector, style: CornerStyle, frame: np.ndarray) -> int:
    found = detector.inspect(frame, explain=False, rounded=style.search_rounded())
    style.learn(found.outlines, found.scale)
    return len(found.boxes)


def test_after_a_second_of_sharp_boxes_rounded_ones_are_looked_for_once_a_second() -> None:
    detector, style = AfBoxDetector(OverlayParams()), CornerStyle()
    assert _watch(detector, style, example()) == 2 and style.search_rounded()
    for _ in range(30):
        _watch(detector, style, example())
    searched = 0
    for _ in range(60):
        searched += style.search_rounded()
        style.learn([], 1.0)
    assert searched == 2


def test_a_camera_with_rounded_boxes_is_noticed_within_a_second_and_for_good() -> None:
    detector, style = AfBoxDetector(OverlayParams()), CornerStyle()
    for _ in range(40):
        _watch(detector, style, example())
    seen = [_watch(detector, style, _rounded()) for _ in range(40)]
    first = seen.index(1)
    assert first <= 30
    assert seen[first:] == [1] * (40 - first)
