from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.types import AfBox, AfState, Box

boxes = st.builds(Box, *[st.floats(-5000, 5000)] * 2, *[st.floats(0, 5000)] * 2)


@given(boxes, boxes)
def test_iou_is_symmetric_and_bounded(a: Box, b: Box) -> None:
    assert a.iou(b) == b.iou(a)
    assert 0.0 <= a.iou(b) <= 1.0


def test_iou_of_known_boxes() -> None:
    assert Box(0, 0, 10, 10).iou(Box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert Box(0, 0, 10, 10).iou(Box(10, 0, 10, 10)) == 0.0
    assert Box(3, 4, 0, 0).iou(Box(3, 4, 0, 0)) == 0.0


def test_grown_and_scaled() -> None:
    assert Box(10, 20, 10, 20).grown(0.5) == Box(5, 10, 20, 40)
    assert Box(10, 20, 10, 20).scaled(0.5) == Box(5, 10, 5, 10)


def test_which_boxes_are_the_cameras_choice() -> None:
    chosen = [AfBox(state, Box(0, 0, 1, 1)).chosen for state in AfState]
    assert chosen == [False, False, True, True]
