"""What is measured of a rectangle, what it is worth, and what was drawn."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from face_af_common.params import changed
from face_af_overlay import evidence, measure
from face_af_overlay.outline import Examiner, Flaw, Outline, Rejection
from face_af_overlay.params import OverlayParams
from face_af_overlay.rectangles import Candidates

Picture = NDArray[np.uint8]
Draw = Callable[..., None]


def examine(
    picture: Picture, *rects: tuple[int, int, int, int], colour: tuple[int, int, int] = (245, 245, 245)
) -> tuple[list[Outline], list[Rejection]]:
    colours = np.array([colour] * len(rects), np.float32)
    candidates = Candidates(np.array(rects, np.int32), colours, np.zeros(len(rects), np.int32))
    return Examiner().examine(picture, candidates, OverlayParams(), 1.0)


@pytest.mark.parametrize("line", [2, 3, 5])
@pytest.mark.parametrize("off", [(0, 0, 0, 0), (2, -1, 1, -2)])
def test_place_and_thickness_to_a_fraction_of_a_pixel(
    background: Picture, outline: Draw, line: int, off: tuple[int, int, int, int]
) -> None:
    outline(background, (600, 300, 90, 70), (245, 245, 245), line)
    middle = line // 2
    rect = (600 + middle + off[0], 300 + middle + off[1], 689 - middle + off[2], 369 - middle + off[3])
    (found,), rejected = examine(background, rect)
    assert rejected == []
    assert found.line == pytest.approx(line, abs=0.25)
    box = found.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((600, 300, 90, 70), abs=0.4)


@pytest.mark.parametrize("level", [120, 150, 185, 230, 250])
@pytest.mark.parametrize("blur", [0.0, 0.7])
def test_the_drawn_brightness_of_thin_blurred_lines(
    background: Picture, outline: Draw, level: int, blur: float
) -> None:
    outline(background, (600, 300, 90, 70), (level, level, level), 2)
    picture = cv2.GaussianBlur(background, (0, 0), blur) if blur else background
    (found,), _ = examine(np.asarray(picture, np.uint8), (601, 301, 688, 368), colour=(level, level, level))
    assert found.colour[0] == pytest.approx(level, abs=12)
    assert max(abs(found.colour[1]), abs(found.colour[2])) < 8


def test_brackets_are_told_from_closed_outlines(background: Picture, outline: Draw) -> None:
    outline(background, (600, 300, 90, 90), (245, 245, 245), 3)
    outline(background, (900, 300, 90, 90), (245, 245, 245), 3, 0.3)
    found, _ = examine(background, (601, 301, 688, 388), (901, 301, 988, 388))
    assert {round(one.box.x): one.closed for one in found} == {600: True, 900: False}


def test_a_rectangle_of_two_boxes_lines_is_none(background: Picture, outline: Draw) -> None:
    outline(background, (600, 300, 100, 100), (245, 245, 245), 3)
    outline(background, (660, 350, 120, 120), (245, 245, 245), 3)
    found, rejected = examine(background, (661, 301, 698, 398), (601, 351, 698, 398))
    assert found == [] and {r.flaw for r in rejected} <= {Flaw.EXTENDED, Flaw.BROKEN, Flaw.ROUND}


def test_a_line_from_side_to_side_divides_and_another_box_does_not(background: Picture, outline: Draw) -> None:
    outline(background, (600, 300, 100, 100), (245, 245, 245), 3)
    _, shapes = measure.measure(background, np.array([(601, 301, 698, 398)], np.int32), _WHITE, _SHARP, 1.0)
    assert not measure.divided(background, shapes[0])
    crossed = background.copy()
    outline(crossed, (640, 200, 120, 300), (245, 245, 245), 3)
    assert not measure.divided(crossed, shapes[0])
    background[300:400, 649:652] = 245
    assert measure.divided(background, shapes[0])


def test_at_and_beyond_the_pictures_edge_nothing_breaks(background: Picture, outline: Draw) -> None:
    outline(background, (0, 0, 60, 60), (245, 245, 245), 3)
    found, _ = examine(background, (1, 1, 58, 58), (-5, -5, 40, 40), (1890, 1050, 1925, 1085), (30, 30, 30, 30))
    assert len(found) <= 1


def test_no_rectangles() -> None:
    empty = Candidates(np.zeros((0, 4), np.int32), np.zeros((0, 3), np.float32), np.zeros(0, np.int32))
    assert Examiner().examine(np.zeros((90, 90, 3), np.uint8), empty, OverlayParams(), 1.0) == ([], [])


@pytest.mark.parametrize(
    ("name", "value", "flaw"),
    [
        ("shape.max_line", 2.0, Flaw.THICK),
        ("shape.max_aspect", 1.1, Flaw.ASPECT),
        ("shape.min_size", 100.0, Flaw.SIZE),
        ("shape.edge_margin", 200.0, Flaw.EDGE_MARGIN),
    ],
)
def test_limits_name_their_flaw(background: Picture, outline: Draw, name: str, value: float, flaw: Flaw) -> None:
    outline(background, (100, 100, 90, 70), (245, 245, 245), 4)
    candidates = Candidates(np.array([(102, 102, 187, 167)], np.int32), _WHITE, _SHARP)
    params = changed(OverlayParams(), {name: value})
    found, (rejection,) = Examiner().examine(background, candidates, params, 1.0)
    assert found == [] and rejection.flaw == flaw


@pytest.mark.parametrize("rounded", [False, True])
def test_evidence_is_monotone_where_it_must_be(rounded: bool) -> None:
    values = np.zeros((2, len(measure.FEATURES)), np.float32)
    values[1, measure.FEATURES.index("run_on")] = 9.0
    single, total = evidence.log_odds(values, np.array([rounded, rounded]))
    clean, running = evidence.confidence(total)
    assert running < clean
    assert evidence.worst(single[1] - single[0]) == "run_on"


_WHITE = np.array([(245, 245, 245)], np.float32)
_SHARP = np.zeros(1, np.int32)
