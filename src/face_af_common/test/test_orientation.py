"""Turned images, and points and boxes turned back."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.orientation import FLIPS, ROTATIONS, Orientation
from face_af_common.types import Box

ALL = [Orientation(rotate, flip) for rotate, flip in itertools.product(ROTATIONS, FLIPS)]


def frame(width: int = 7, height: int = 5) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_rotations_are_clockwise(rotate: int) -> None:
    codes = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    expected = cv2.rotate(frame(), codes[rotate]) if rotate else frame()
    assert np.array_equal(Orientation(rotate).upright(frame()), expected)
    assert np.array_equal(Orientation(rotate, "horizontal").upright(frame()), expected[:, ::-1])
    assert np.array_equal(Orientation(rotate, "vertical").upright(frame()), expected[::-1])


@pytest.mark.parametrize("orientation", ALL)
def test_it_is_written_where_it_is_wanted(orientation: Orientation) -> None:
    width, height = orientation.size(7, 5)
    out = np.zeros((height, width, 3), np.uint8)
    turned = orientation.upright(frame(), out)
    assert np.shares_memory(turned, out)
    assert np.array_equal(out, orientation.upright(frame()))


def test_what_need_not_be_turned_is_not_copied() -> None:
    image = frame()
    assert Orientation().upright(image) is image


@given(st.sampled_from(ALL), st.integers(0, 6), st.integers(0, 4))
def test_a_pixel_is_found_again_in_the_cameras_frame(orientation: Orientation, x: int, y: int) -> None:
    shown = np.zeros((5, 7, 3), np.uint8)
    shown[y, x] = 255
    upright = orientation.upright(shown)
    (row,), (column,) = upright[..., 0].nonzero()
    height, width = upright.shape[:2]
    point = orientation.point_to_camera((column + 0.5) / width, (row + 0.5) / height)
    assert point == pytest.approx(((x + 0.5) / 7, (y + 0.5) / 5))
    assert orientation.box_to_camera(Box(column, row, 1, 1), width, height) == Box(x, y, 1, 1)
