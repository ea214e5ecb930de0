"""Drawing on pictures: nothing outside, nothing crashes, the original stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_common.types import AfBox, AfState, Box, Face, SteeringStatus
from face_af_view.annotate import TARGET, Caption, annotated, draw_frame, plain

anything = st.floats(allow_nan=True, allow_infinity=True, width=32)


def test_target_frame_is_green_and_the_original_untouched() -> None:
    picture = np.full((720, 1280, 3), 90, np.uint8)
    drawn = annotated(picture, [Face(1, Box(300, 200, 200, 240), is_target=True, identity="ann", similarity=0.7)], [])
    assert (picture == 90).all()
    assert tuple(drawn[300, 300]) == TARGET


def test_scaled_copy_has_boxes_where_they_belong() -> None:
    picture = np.zeros((1080, 1920, 3), np.uint8)
    drawn = annotated(picture, [Face(1, Box(600, 300, 300, 300), is_target=True)], [], height=540)
    assert drawn.shape == (540, 960, 3)
    assert tuple(drawn[225, 300]) == TARGET


def test_odd_sizes_become_even_and_small_pictures_are_not_enlarged() -> None:
    assert annotated(np.zeros((1001, 1777, 3), np.uint8), [], [], height=501).shape == (500, 890, 3)
    assert annotated(np.zeros((100, 120, 3), np.uint8), [], [], height=720).shape == (100, 120, 3)


@pytest.mark.parametrize("height", [None, 720, 540])
def test_the_bar_covers_nothing_of_the_image(height: int | None) -> None:
    picture = np.full((720, 1280, 3), 200, np.uint8)
    drawn = annotated(picture, [], [], Caption(SteeringStatus.ON_TARGET, "on target", presses=3), height)
    image_rows = int((drawn[:, 640] == 200).all(1).sum())
    assert drawn.shape[0] == (height or 756)
    assert image_rows == drawn.shape[0] - (36 if height != 540 else 28)
    assert (drawn[:image_rows] == 200).all() and drawn.shape[1] % 2 == 0


def test_af_boxes_differ_from_face_boxes() -> None:
    picture = np.zeros((720, 1280, 3), np.uint8)
    draw_frame(picture, [], [AfBox(AfState.TRACKED, Box(400, 300, 100, 100))])
    assert picture[345:355, 390:400].sum() == 0, "only corners are drawn"
    assert picture[290:300, 390:420].sum() > 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (30, 40), (720, 3)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    face = Face(1, Box(0, 0, 50, 50), True, 0.5, identity="someone with a long name")
    boxes = [AfBox(AfState.ACTIVE_FOCUS, Box(1, 1, 2, 2))]
    drawn = annotated(picture, [face], boxes, Caption(SteeringStatus.IDLE, "x" * 400, presses=1))
    assert drawn.shape[0] > shape[0] and drawn.shape[1] == shape[1]


@settings(max_examples=60, deadline=None)
@given(anything, anything, anything, anything, st.text(max_size=30))
def test_wild_boxes_and_names(x: float, y: float, width: float, height: float, name: str) -> None:
    picture = np.zeros((90, 160, 3), np.uint8)
    box = Box(x, y, width, height)
    faces = [Face(1, box, True, 0.1, identity=name)]
    annotated(picture, faces, [AfBox(AfState.TRACKED, box)], Caption(reason=name, note=name))


def test_plain() -> None:
    assert plain("Renée Zoë\tĐ") == "Renee Zoe ?"
