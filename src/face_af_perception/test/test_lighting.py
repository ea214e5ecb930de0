"""Faces under stage light: chips made for the purpose; real ones are in test_stage_light.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_perception.alignment import ARCFACE
from face_af_perception.lighting import DIM, balanced
from face_af_perception.quality import quality, sharpness

RNG = np.random.default_rng(5)
SKIN = np.clip(RNG.normal(0, 1.3, (112, 112, 1)) + np.array([110, 140, 185]), 0, 255).astype(np.uint8)
"""A chip of a face in white light: B, G, R."""


def lit(*factors: float) -> np.ndarray:
    return np.clip(SKIN * np.array(factors), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [(1, 1, 1), (0.6, 0.8, 1), (0.4, 0.7, 1), (1, 0.7, 0.6), (0.5, 0.5, 0.5)])
def test_a_face_whose_colours_say_something_is_left_alone(light: tuple[float, ...]) -> None:
    chip = lit(*light)
    assert balanced(chip) is chip


@pytest.mark.parametrize(
    "light",
    [(0.05, 0.08, 1), (1, 0.1, 0.05), (1, 0, 0), (0.05, 1, 0.05), (1, 0.05, 1), (0, 0.5, 1), (1, 0, 0.3)],
)
def test_light_of_one_colour_is_taken_for_gray(light: tuple[float, ...]) -> None:
    chip = lit(*light)
    seen = balanced(chip)
    assert (seen == chip.max(2)[..., None]).all()


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 0.3))
def test_a_dim_face_is_brightened_to_one_level(light: float) -> None:
    seen = balanced(lit(light, light, light))
    assert seen[28:84, 28:84].max(2).mean() == pytest.approx(DIM, abs=3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 255), st.sampled_from([56, 112, 150]))
def test_any_flat_chip_keeps_its_shape(value: int, side: int) -> None:
    seen = balanced(np.full((side, side, 3), value, np.uint8))
    assert seen.shape == (side, side, 3) and seen.dtype == np.uint8


@pytest.mark.parametrize(
    "light", [(1, 1, 1), (0.3, 0.3, 0.3), (0.25, 0.25, 0.25), (0.3, 0.35, 1), (1, 0.4, 0.3), (1, 0, 0)]
)
def test_light_does_not_change_what_a_face_is_worth(light: tuple[float, ...]) -> None:
    white, dim = (quality(ARCFACE, balanced(chip)) for chip in (SKIN, lit(*light)))
    assert dim == pytest.approx(white, rel=0.35)


def test_blur_still_counts_in_dim_light() -> None:
    smooth = np.full((112, 112, 3), (20, 26, 34), np.uint8)
    assert sharpness(smooth) == 0.0
