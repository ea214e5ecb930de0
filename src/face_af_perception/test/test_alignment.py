from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_perception.alignment import (
    ARCFACE,
    ARCFACE_SIZE,
    CHIP_SIZE,
    aligned,
    chip_template,
    gallery_chip,
    moved,
    similarity_transform,
    warp,
)
from face_af_perception.quality import frontality, quality, sharpness


@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.05, 20),
    x=st.floats(-1e4, 1e4),
    y=st.floats(-1e4, 1e4),
)
def test_a_similarity_is_recovered_exactly(angle: float, scale: float, x: float, y: float) -> None:
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[cos, -sin, x], [sin, cos, y]])
    found = similarity_transform(ARCFACE, moved(ARCFACE, matrix))
    assert np.allclose(found[:, :2], matrix[:, :2], atol=scale * 1e-3 + 1e-3)


@given(st.lists(st.floats(-1e4, 1e4), min_size=10, max_size=10))
def test_only_rotation_scale_and_translation_are_fitted(numbers: list[float]) -> None:
    matrix = similarity_transform(np.array(numbers, np.float32).reshape(5, 2), ARCFACE)
    assert np.isfinite(matrix).all()
    assert math.isclose(matrix[0, 0], matrix[1, 1]) and math.isclose(matrix[0, 1], -matrix[1, 0], abs_tol=1e-12)


def test_landmarks_in_one_place_give_a_translation() -> None:
    assert np.allclose(similarity_transform(np.full((5, 2), 7, np.float32), ARCFACE)[:, :2], np.eye(2))


def _spots(points: np.ndarray, width: int, height: int, radius: float) -> np.ndarray:
    """White spots on black, with soft edges so that their place shows in the moments."""
    y, x = np.mgrid[:height, :width]
    picture = np.zeros((height, width), np.float64)
    for px, py in points:
        picture += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * radius**2))
    return np.repeat((picture.clip(0, 1) * 255).astype(np.uint8)[..., None], 3, 2)


def test_a_large_face_shrinks_onto_the_template_without_a_shift() -> None:
    points = ARCFACE * 6 + np.array([300, 100], np.float32)
    for landmark, wanted in zip(points, ARCFACE, strict=True):
        picture = _spots(landmark[None], 1200, 900, 14)
        chip = aligned(picture, points, ARCFACE, 112)[..., 0].astype(float)
        y, x = np.mgrid[:112, :112]
        centre = (chip * x).sum() / chip.sum(), (chip * y).sum() / chip.sum()
        assert np.allclose(centre, wanted, atol=0.15)


def test_a_gallery_chip_can_be_aligned_again() -> None:
    points = ARCFACE * 2 + np.array([100, 60], np.float32)
    picture = np.random.default_rng(0).integers(0, 255, (400, 500, 3), np.uint8)
    chip, landmarks = gallery_chip(picture, points)
    assert chip.shape == (CHIP_SIZE, CHIP_SIZE, 3)
    assert np.allclose(landmarks, chip_template(), atol=0.1)


def test_a_face_outside_the_picture_gives_a_black_chip() -> None:
    picture = np.full((50, 50, 3), 255, np.uint8)
    assert not aligned(picture, ARCFACE + 5000, ARCFACE, 112).any()
    assert warp(picture, np.array([[1e-4, 0, 0], [0, 1e-4, 0]]), 112, 112).shape == (112, 112, 3)


def test_quality_falls_with_size_pose_and_blur() -> None:
    sharp = np.random.default_rng(1).integers(0, 255, (112, 112, 3), np.uint8)
    flat = np.full((112, 112, 3), 128, np.uint8)
    turned = ARCFACE.copy()
    turned[2, 0] += 16
    assert quality(ARCFACE, sharp) > quality(ARCFACE / 4, sharp) > 0
    assert quality(ARCFACE, sharp) > quality(ARCFACE, flat)
    assert frontality(ARCFACE) > 0.7 > frontality(turned)
    assert sharpness(flat) == 0
    assert quality(np.zeros((5, 2), np.float32), flat) == 0.05


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_face_in_a_very_wide_picture(scale: float) -> None:
    rng = np.random.default_rng(0)
    face = cv2.GaussianBlur(rng.integers(0, 255, (400, 400, 3), np.uint8), (0, 0), 8)
    points = np.asarray(ARCFACE * scale + 20, np.float32)
    wide = np.zeros((400, 40_000, 3), np.uint8)
    wide[:, 39_000:39_400] = face
    chip = aligned(wide, points + np.array([39_000, 0], np.float32), ARCFACE, ARCFACE_SIZE)
    wanted = aligned(face, points, ARCFACE, ARCFACE_SIZE)
    assert np.abs(chip.astype(int) - wanted).max() <= 3
