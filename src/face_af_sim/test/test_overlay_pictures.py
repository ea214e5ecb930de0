"""The generator of labelled pictures, and the detector's figures on a few of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from face_af_sim.overlay_kinds import KINDS
from face_af_sim.overlay_pictures import OverlayPictures, Recipe, photographs

PHOTOS = os.environ.get("FACE_AF_TEST_FACES", "")


def test_the_same_number_is_the_same_picture() -> None:
    one, other = OverlayPictures(seed=4).picture(7), OverlayPictures(seed=4).picture(7)
    assert (one.image == other.image).all() and one.boxes == other.boxes
    assert (one.image != OverlayPictures(seed=5).picture(7).image).any()


@pytest.mark.parametrize("height", [720, 1080])
def test_boxes_lie_in_the_picture_and_are_drawn(height: int) -> None:
    recipe = Recipe(width=height * 16 // 9, height=height, artefacts=False)
    picture = OverlayPictures(recipe=recipe, seed=1).picture(3)
    assert picture.image.shape == (height, height * 16 // 9, 3)
    for box in picture.boxes:
        assert box.box.x >= 0 and box.box.right <= picture.image.shape[1]
        assert box.box.y >= 0 and box.box.bottom <= height
        corner = picture.image[int(box.box.y + 1), int(box.box.x + 1)].astype(int)
        if picture.style.opacity == 1:
            assert np.abs(corner - np.array(picture.style.colours[box.state])).max() < 30


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_the_plain_ones_boxes(kind: str) -> None:
    plain, other = (OverlayPictures(recipe=Recipe(kind=k, artefacts=False), seed=8).picture(5) for k in ("plain", kind))
    assert other.image.shape == plain.image.shape
    if kind != "720 lines enlarged":
        assert {b.box for b in plain.boxes} <= {b.box for b in other.boxes} or kind == "other colours"
    assert kind in ("plain", "4:2:0") or (other.image != plain.image).any()


def test_pictures_without_boxes() -> None:
    assert OverlayPictures(recipe=Recipe(boxes=(0, 0)), seed=2).picture(0).boxes == ()


@pytest.mark.skipif(not PHOTOS, reason="FACE_AF_TEST_FACES names no folder of photographs")
def test_photographs_are_split_in_two() -> None:
    tune, judge = photographs(PHOTOS, False), photographs(PHOTOS, True)
    assert tune and judge and not set(tune) & set(judge)
    assert OverlayPictures(judge, seed=1).picture(0).background in {Path(p).name for p in judge}
