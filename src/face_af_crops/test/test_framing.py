from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.types import Box
from face_af_crops.framing import Crop, best_crop, estimated_head, estimated_person, penalty, person_of
from face_af_crops.settings import make_settings, ratio

SIDES = st.integers(64, 4000)


@given(
    width=SIDES,
    height=SIDES,
    x=st.floats(-0.2, 1.0),
    y=st.floats(-0.2, 1.0),
    size=st.floats(0.01, 0.9),
    shape=st.sampled_from(["2:3", "1:1", "3:2", "16:9", "7:5"]),
    generous=st.booleans(),
)
def test_a_crop_is_exact_inside_and_never_cuts_the_face(
    width: int, height: int, x: float, y: float, size: float, shape: str, generous: bool
) -> None:
    settings = make_settings("generous" if generous else "balanced", {"ratios": [shape]})
    face = Box(x * width, y * height, size * height * 0.8, size * height)
    crop, refused = best_crop(estimated_person(face, width, height), face, width, height, settings)
    assert (crop is None) == bool(refused)
    if crop is None:
        return
    across, down = ratio(shape)
    assert crop.width * down == crop.height * across
    assert 0 <= crop.x <= crop.x + crop.width <= width
    assert 0 <= crop.y <= crop.y + crop.height <= height
    left, top = max(0.0, face.x), max(0.0, face.y)
    right, bottom = min(width, face.right), min(height, face.bottom)
    assert crop.x <= left
    assert crop.y <= top
    assert crop.x + crop.width >= right
    assert crop.y + crop.height >= bottom
    assert face.height <= settings.face_max_frac_in_crop * crop.height + 1e-6
    assert face.height >= settings.face_min_frac_in_crop * crop.height - 1e-6


def test_the_shape_that_adds_least_wins() -> None:
    settings = make_settings()
    face = Box(480, 100, 100, 120)
    standing = Box(400, 60, 260, 390)
    crop, _ = best_crop(standing, face, 1920, 1080, settings)
    assert crop is not None
    assert crop.ratio == "2:3"


def test_the_documents_penalty() -> None:
    settings = make_settings()
    face = Box(45, 40, 20, 20)
    # room enough at the sides; 40 of 200 above is 0.05 too much; below there is plenty
    assert penalty(Box(0, 0, 100, 200), face, settings) == pytest.approx(0.05)
    # 1 pixel beside a face of 20: 5 of the 6 wanted are missing
    assert penalty(Box(44, 30, 100, 200), face, settings) == pytest.approx(5 / 20)
    # 10 below, 30 wanted
    assert penalty(Box(0, 38, 100, 32), face, settings) == pytest.approx(20 / 20)


def test_a_face_belongs_to_the_smallest_person_that_has_it_up_high() -> None:
    face = Box(100, 20, 30, 40)
    near, crowd, below = Box(80, 10, 80, 300), Box(0, 0, 500, 500), Box(80, 0, 80, 50)
    assert person_of(face, [crowd, near, below]) == near
    assert person_of(Box(100, 260, 30, 30), [near]) is None


def test_heads_and_bodies_are_estimated_by_one_rule() -> None:
    body = estimated_person(Box(500, 100, 80, 100), 4000, 4000)
    head = estimated_head(body)
    assert head.height == pytest.approx(100)
    assert head.center[0] == pytest.approx(540)


def test_a_face_larger_than_any_crop_is_refused_with_the_reason() -> None:
    crop, refused = best_crop(Box(0, 0, 100, 100), Box(0, 0, 100, 100), 100, 100, make_settings())
    assert crop is None
    assert [r.ratio for r in refused] == ["2:3", "1:1", "3:2"]
    assert not isinstance(refused[0], Crop)
