"""The way from the camera to the frame buffer."""

from __future__ import annotations

import numpy as np
import pytest

from face_af_sim.hdmi import CLEAN, HdmiArtefacts, add_noise, transmit


@pytest.fixture
def picture() -> np.ndarray:
    picture = np.full((61, 83, 3), 90, np.uint8)
    picture[:, 40] = (40, 220, 40)
    return picture


def test_without_artefacts_nothing_changes(picture: np.ndarray) -> None:
    assert transmit(picture, CLEAN) is picture


@pytest.mark.parametrize(
    "artefacts",
    [
        HdmiArtefacts(chroma_422=True),
        HdmiArtefacts(jpeg_quality=70),
        HdmiArtefacts(blur=0.8),
        HdmiArtefacts(noise=4),
        HdmiArtefacts(scale=0.7),
        HdmiArtefacts(scale=1.5),
        HdmiArtefacts(chroma_422=True, jpeg_quality=60, blur=0.8, noise=5, scale=0.8),
    ],
)
def test_size_stays_and_the_input_is_kept(picture: np.ndarray, artefacts: HdmiArtefacts) -> None:
    before = picture.copy()
    after = transmit(picture, artefacts)
    assert after.shape == picture.shape and after.dtype == np.uint8
    assert (picture == before).all() and (after != before).any()


def test_422_smears_colour_and_keeps_luma(picture: np.ndarray) -> None:
    after = transmit(picture, HdmiArtefacts(chroma_422=True)).astype(int)
    green = after[..., 1] - after[..., 2]
    assert green[30, 40] < 150 and green[30, 41] > 20


def test_noise_is_as_strong_as_asked_and_repeats() -> None:
    gray = np.full((200, 300, 3), 128, np.uint8)
    one = add_noise(gray, 4.0, np.random.default_rng(5))
    assert np.std(one.astype(float)) == pytest.approx(4.0, rel=0.1)
    assert (one == add_noise(gray, 4.0, np.random.default_rng(5))).all()
    assert (one != add_noise(gray, 4.0, np.random.default_rng(6))).any()
