"""What the node learns about the corners that its camera draws."""

from __future__ import annotations

import numpy as np

from face_af_overlay.corner_style import CornerStyle
from face_af_overlay.detector import AfBoxDetector, example, rounded_example
from face_af_overlay.params import OverlayParams


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
    seen = [_watch(detector, style, rounded_example()) for _ in range(40)]
    first = seen.index(2)
    assert first <= 30
    assert seen[first:] == [2] * (40 - first)
