"""Painting prepared pictures: soft edges, whatever lies outside, and layers that are drawn once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from face_af_sim.af_graphics import OsdReadings, draw_osd
from face_af_sim.sprites import Layer, Sprite


def blended(
    picture: NDArray[np.uint8], colour: NDArray[np.uint8], alpha: NDArray[np.uint8], left: int, top: int
) -> NDArray[np.float64]:
    """The same by the formula, in a frame so large that nothing is outside."""
    pad = 200
    out = np.pad(picture, ((pad, pad), (pad, pad), (0, 0))).astype(float)
    part = out[pad + top : pad + top + alpha.shape[0], pad + left : pad + left + alpha.shape[1]]
    weight = alpha[..., None] / 255
    part[:] = part * (1 - weight) + colour * weight
    return out[pad:-pad, pad:-pad]


@pytest.mark.parametrize(
    ("left", "top"), [(10, 10), (-20, 5), (5, -30), (90, 20), (30, 70), (-40, -40), (100, 80), (-64, 0), (0, 120)]
)
def test_a_sprite_is_blended_wherever_it_lies(left: int, top: int) -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (90, 120, 3), np.uint8)
    alpha = np.zeros((60, 64), np.uint8)
    cv2.circle(alpha, (30, 30), 22, 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (9, 9), 0), np.uint8)
    colour = rng.integers(0, 256, (60, 64, 3), np.uint8)
    expected = blended(picture, colour, alpha, left, top)
    Sprite.of(colour, alpha, 120).paint(picture, left, top)
    # opacities close to 0 and to 1 are rounded to them
    assert np.abs(picture - expected).max() <= 0.035 * 255 + 1


def test_a_layer_is_what_was_drawn() -> None:
    rng = np.random.default_rng(2)
    layer = Layer.of(lambda picture: draw_osd(picture, OsdReadings(roll=None)), 640, 360)
    picture = rng.integers(0, 256, (360, 640, 3), np.uint8)
    expected = picture.copy()
    draw_osd(expected, OsdReadings(roll=None))
    assert (expected != picture).any()
    layer.paint(picture)
    assert np.abs(picture.astype(int) - expected).max() <= 10


def test_an_empty_layer_paints_nothing() -> None:
    picture = np.full((20, 30, 3), 7, np.uint8)
    Layer.of(lambda picture: None, 30, 20).paint(picture)
    assert (picture == 7).all()
