"""A tap on a box teaches its colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from face_af_common.params import changed
from face_af_common.types import AfState
from face_af_overlay.detector import AfBoxDetector
from face_af_overlay.params import OverlayNodeParams
from face_af_overlay.tap_calibration import TapCalibration, TapError


def frame(colour: tuple[int, int, int]) -> np.ndarray:
    picture = np.full((1080, 1920, 3), 60, np.uint8)
    cv2.rectangle(picture, (800, 400), (900, 500), colour, 3)
    return picture


def states(picture: np.ndarray, params: OverlayNodeParams) -> list[AfState]:
    return [box.state for box in AfBoxDetector(params).detect(picture)]


def test_a_white_that_is_read_as_gray_is_learned_by_a_tap() -> None:
    params, picture = OverlayNodeParams(), frame((178, 178, 178))
    assert states(picture, params) == [AfState.DETECTED]
    changes = TapCalibration().tap(picture, 850, 450, AfState.TRACKED, params)
    assert states(picture, changed(params, changes)) == [AfState.TRACKED]


def test_gray_and_white_are_told_apart_halfway() -> None:
    params, taps = OverlayNodeParams(), TapCalibration()
    gray, white = frame((120, 120, 120)), frame((200, 200, 200))
    params = changed(params, taps.tap(gray, 850, 450, AfState.DETECTED, params))
    params = changed(params, taps.tap(white, 805, 405, AfState.TRACKED, params))
    assert states(gray, params) == [AfState.DETECTED] and states(white, params) == [AfState.TRACKED]


def test_a_tap_beside_every_box_teaches_nothing() -> None:
    with pytest.raises(TapError, match="no box at this place"):
        TapCalibration().tap(frame((200, 200, 200)), 200, 200, AfState.TRACKED, OverlayNodeParams())
