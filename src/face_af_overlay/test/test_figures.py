"""Recall and false boxes on generated pictures, well below what the benchmark shows so that chance does not fail it."""

from __future__ import annotations

import os

import pytest

from face_af_overlay.detector import AfBoxDetector

pictures = pytest.importorskip("face_af_sim.overlay_pictures", reason="face_af_sim is not there")
PHOTOS = os.environ.get("FACE_AF_TEST_FACES", "")


@pytest.mark.parametrize(
    ("ground", "kind"),
    [
        ("painted", "plain"),
        ("photographs", "plain"),
        ("photographs", "rounded"),
        ("photographs", "second outline, dark"),
    ],
)
def test_most_boxes_are_found_and_hardly_any_invented(ground: str, kind: str) -> None:
    if ground == "photographs" and not PHOTOS:
        pytest.skip("FACE_AF_TEST_FACES names no folder of photographs")
    photos = pictures.photographs(PHOTOS, judge=False) if ground == "photographs" else []
    generator = pictures.OverlayPictures(photos, pictures.Recipe(kind=kind), seed=31)
    detector = AfBoxDetector()
    drawn = found = false = 0
    for index in range(15):
        picture = generator.picture(index)
        boxes = detector.detect(picture.image)
        hits = sum(any(b.state == t.state and b.box.iou(t.box) >= 0.5 for b in boxes) for t in picture.boxes)
        drawn, found, false = drawn + len(picture.boxes), found + hits, false + len(boxes) - hits
    assert found / drawn >= 0.92
    assert false <= 1
