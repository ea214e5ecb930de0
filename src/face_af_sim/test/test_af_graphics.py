"""Boxes and on-screen display as drawn."""

from __future__ import annotations

import numpy as np
import pytest

from face_af_common.types import AfState, Box
from face_af_sim.af_graphics import STATE_COLOURS, AfBoxStyle, OsdReadings, draw_af_box, draw_osd


def canvas(value: int = 10) -> np.ndarray:
    return np.full((120, 160, 3), value, np.uint8)


def test_closed_outline_covers_exactly_its_box() -> None:
    image = canvas()
    draw_af_box(image, Box(20, 30, 50, 40), AfState.TRACKED, AfBoxStyle(line=3))
    drawn = (image == STATE_COLOURS[AfState.TRACKED]).all(axis=2)
    ys, xs = np.nonzero(drawn)
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (20, 69, 30, 69)
    assert drawn.sum() == 50 * 40 - 44 * 34
    assert not drawn[33:67, 23:67].any()


@pytest.mark.parametrize("arm", [0.1, 0.25, 0.4])
def test_brackets_leave_the_middle_of_each_side_open(arm: float) -> None:
    image = canvas()
    draw_af_box(image, Box(20, 20, 80, 60), AfState.DETECTED, AfBoxStyle(line=2, corners=True, arm=arm))
    drawn = (image != 10).any(axis=2)
    for y, x in (
        (20, 20),
        (20, 99),
        (79, 20),
        (79, 99),
        (21, 99 - round(arm * 80) + 1),
        (20 + round(arm * 60) - 1, 21),
    ):
        assert drawn[y, x], (y, x)
    assert not drawn[20, 60] and not drawn[50, 20] and not drawn[40:60, 40:80].any()


def test_fractional_edges_and_opacity_blend() -> None:
    image = canvas(0)
    draw_af_box(image, Box(20.5, 20, 50, 40), AfState.TRACKED, AfBoxStyle(line=2, opacity=0.5))
    full = STATE_COLOURS[AfState.TRACKED][0] / 2
    assert image[40, 21, 0] == pytest.approx(full, abs=1)
    assert image[40, 20, 0] == pytest.approx(full / 2, abs=1)


def test_shadow_is_darker_than_the_picture_beside_the_line() -> None:
    image = canvas(100)
    draw_af_box(image, Box(20, 20, 50, 40), AfState.ACTIVE_FOCUS, AfBoxStyle(line=2, shadow=0.5))
    assert image[40, 19].max() == 50 and image[40, 22].max() == 50 and image[40, 18].max() == 100


@pytest.mark.parametrize("box", [Box(-20, -10, 60, 50), Box(140, 100, 60, 50), Box(300, 300, 40, 40), Box(5, 5, 0, 10)])
def test_boxes_beyond_the_edge_are_cut_off(box: Box) -> None:
    draw_af_box(canvas(), box, AfState.TRACKED, AfBoxStyle(shadow=0.3, line=2.5))


def test_none_draws_nothing() -> None:
    image = canvas()
    draw_af_box(image, Box(20, 20, 50, 40), AfState.NONE)
    assert (image == 10).all()


@pytest.mark.parametrize("size", [(90, 160), (1080, 1920), (360, 640)])
def test_display_draws_on_any_size_and_leaves_the_middle_alone(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    draw_osd(image, OsdReadings(recording=True, battery=0.1, roll=None))
    assert image.any()
    h, w = size
    assert not image[h // 4 : h * 3 // 4, w // 4 : w * 3 // 4].any()
