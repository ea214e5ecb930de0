"""Corners and the rectangles that they propose, before anything is looked at closely."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

from face_af_overlay.corners import Corners, measure
from face_af_overlay.detector import AfBoxDetector, rounded_example
from face_af_overlay.rectangles import Candidates, Limits, propose
from face_af_overlay.thin_lines import BOTTOM_LEFT, BOTTOM_RIGHT, TOP_LEFT, TOP_RIGHT, LineFinder, Reach

# Numba 0.57 compiles the loops for two minutes and more
pytestmark = pytest.mark.timeout(400)

Picture = NDArray[np.uint8]
Draw = Callable[..., None]

WHITE, GRAY = (245, 245, 245), (150, 150, 150)
LIMITS = Limits(low=16, high=349, aspect=2.0, uniform=50)


def corners(picture: Picture, scale: float = 1.0, limit: int = 300) -> Corners:
    reach = Reach.at(scale)
    return measure(picture, LineFinder().find(picture, reach, 6), reach, limit)


def candidates(picture: Picture, scale: float = 1.0) -> Candidates:
    return propose(picture, corners(picture, scale), LIMITS, Reach.at(scale), 50)


def middles(box: tuple[int, int, int, int], line: int) -> NDArray[np.float64]:
    """Left, top, right and bottom of the lines' middles."""
    x, y, w, h = box
    off = (line - 1) / 2
    return np.array([x + off, y + off, x + w - 1 - off, y + h - 1 - off])


def offset(found: Candidates, box: tuple[int, int, int, int], line: int) -> float:
    """How far the nearest candidate is off, pixels of its worst side."""
    return float(np.abs(found.rects - middles(box, line)).max(axis=1).min()) if len(found) else np.inf


@pytest.mark.parametrize("line", [2, 3, 5])
@pytest.mark.parametrize("at", [(700, 400), (701, 401)])
def test_corners_are_on_the_middles_of_their_lines(
    background: Picture, outline: Draw, line: int, at: tuple[int, int]
) -> None:
    box = (*at, 60, 80)
    outline(background, box, WHITE, line)
    found = corners(background)
    left, top, right, bottom = middles(box, line)
    places = {
        TOP_LEFT: (left, top),
        TOP_RIGHT: (right, top),
        BOTTOM_LEFT: (left, bottom),
        BOTTOM_RIGHT: (right, bottom),
    }
    for kind, place in places.items():
        own = found.values[kind, : found.counts[kind], :2]
        assert np.abs(own - place).max(axis=1).min() <= 1


def test_of_each_kind_the_best_corners_are_kept(background: Picture, outline: Draw) -> None:
    for i in range(12):
        outline(background, (100 + 100 * i, 300, 60, 60), GRAY if i % 2 else WHITE)
    found = corners(background, limit=5)
    assert list(found.counts) == [5, 5, 5, 5]
    assert found.values[:, :5, 3].min() > 200


@pytest.mark.parametrize("line", [2, 5])
@pytest.mark.parametrize("arm", [0.0, 0.3])
def test_small_and_large_boxes_are_placed_to_the_pixel(
    background: Picture, outline: Draw, line: int, arm: float
) -> None:
    boxes = [(300, 200, 40, 44), (800, 300, 320, 250)]
    for box in boxes:
        outline(background, box, GRAY, line, arm)
    found = candidates(background)
    assert all(offset(found, box, line) <= 1 for box in boxes)


@pytest.mark.parametrize("hidden", ["left", "right", "top", "bottom"])
def test_two_neighbouring_corners_are_enough(background: Picture, outline: Draw, hidden: str) -> None:
    # the other two lie on ground of the lines' colour, beyond which nothing of them is to be seen
    box = (700, 400, 120, 110)
    ground = {
        "left": np.s_[380:530, 690:712],
        "right": np.s_[380:530, 808:830],
        "top": np.s_[390:412, 680:840],
        "bottom": np.s_[498:520, 680:840],
    }
    background[ground[hidden]] = (168, 166, 167)
    outline(background, box, GRAY)
    assert offset(candidates(background), box, 3) <= 2


@pytest.mark.parametrize(("height", "line"), [(720, 2), (721, 2), (1080, 3), (1079, 2), (1440, 4)])
def test_heights_of_all_kinds(outline: Draw, height: int, line: int) -> None:
    picture = np.full((height, height * 16 // 9 + 1, 3), 60, np.uint8)
    box = (301, 203, 50, 42)
    outline(picture, box, GRAY, line)
    assert offset(candidates(picture, height / 1080), box, line) <= 1


def test_even_ground_and_tiny_pictures_propose_nothing() -> None:
    assert len(candidates(np.full((1080, 1920, 3), 90, np.uint8))) == 0
    assert len(candidates(np.zeros((20, 30, 3), np.uint8))) == 0


def test_colourful_chance_is_bounded() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    assert len(candidates(noise)) <= 50


def test_read_only_pictures_and_views(background: Picture, outline: Draw) -> None:
    outline(background, (700, 400, 80, 80), WHITE)
    detector = AfBoxDetector()
    detector.warm_up()
    background.setflags(write=False)
    assert len(detector.detect(background)) == 1
    assert len(detector.detect(background[::-1])) == 1
    assert np.shares_memory(detector.propose(background)[0], background), "a frame is not copied"


def versions() -> dict[str, int]:
    """How many versions of each compiled loop there are."""
    return {
        f"{name}.{key}": len(loop.signatures)
        for name, module in sys.modules.items()
        if name.startswith("face_af_overlay")
        for key, loop in vars(module).items()
        if isinstance(loop, Dispatcher)
    }


def test_after_warming_up_no_frame_waits_for_a_compiler(background: Picture, outline: Draw) -> None:
    detector = AfBoxDetector()
    detector.warm_up()
    before = versions()
    assert before
    background.setflags(write=False)
    detector.detect(background)  # no box: rounded corners are looked for
    sharp = background.copy()
    outline(sharp, (700, 400, 80, 80), WHITE)
    detector.detect(sharp)
    detector.detect(np.roll(rounded_example(), (90, 210), (0, 1)))
    assert versions() == before
