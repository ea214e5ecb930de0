"""What the detector finds, what it leaves alone, and what it says to bad input."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from face_af_common.params import ParamError, build, changed
from face_af_common.types import AfBox, AfState, Box
from face_af_overlay.detector import AfBoxDetector, OverlayParams, PictureError, example, rounded_example
from face_af_overlay.outline import Flaw

# Numba 0.57 compiles the loops for two minutes and more
pytestmark = pytest.mark.timeout(400)

Picture = NDArray[np.uint8]
Draw = Callable[..., None]

GRAY, WHITE, GREEN = (150, 150, 150), (245, 245, 245), (40, 215, 45)
STATES = {GRAY: AfState.DETECTED, WHITE: AfState.TRACKED, GREEN: AfState.ACTIVE_FOCUS}


def detect(picture: Picture, params: OverlayParams | None = None) -> list[AfBox]:
    return AfBoxDetector(params).detect(picture)


def jpeg(picture: Picture, quality: int = 70) -> Picture:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def chroma_422(picture: Picture) -> Picture:
    """The picture as a capture card hands it on that has half the columns of colour."""
    hdmi = pytest.importorskip("face_af_sim.hdmi", reason="face_af_sim is not there")
    return np.asarray(hdmi.transmit(picture, hdmi.HdmiArtefacts(chroma_422=True), np.random.default_rng(1)))


@pytest.mark.parametrize("colour", STATES)
@pytest.mark.parametrize("line", [2, 3, 5])
@pytest.mark.parametrize("arm", [0.0, 0.3])
@pytest.mark.parametrize("size", [(28, 28), (60, 90), (320, 220)])
def test_finds_every_style_colour_and_size(
    background: Picture, outline: Draw, colour: tuple[int, int, int], line: int, arm: float, size: tuple[int, int]
) -> None:
    if arm and min(size) * arm < line + 5:
        pytest.skip("arms too short to tell from dots")
    box = (700, 400, *size)
    outline(background, box, colour, line, arm)
    for picture in (background, jpeg(background)):
        found = detect(picture)
        assert [b.state for b in found] == [STATES[colour]]
        assert found[0].box.iou(Box(*box)) > 0.8
        assert 0.5 <= found[0].confidence <= 1.0


@pytest.mark.parametrize("colour", STATES)
@pytest.mark.parametrize("radius", [1 / 16, 1 / 8, 1 / 4])
@pytest.mark.parametrize("size", [(32, 32), (90, 120), (320, 280)])
def test_rounded_corners(
    background: Picture, colour: tuple[int, int, int], radius: float, size: tuple[int, int]
) -> None:
    graphics = pytest.importorskip("face_af_sim.af_graphics", reason="face_af_sim is not there")
    box = Box(700, 400, *size)
    style = graphics.AfBoxStyle(radius=radius, colours={STATES[colour]: colour})
    graphics.draw_af_box(background, box, STATES[colour], style)
    (found,) = detect(jpeg(background))
    assert found.state == STATES[colour] and found.box.iou(box) > 0.85


@pytest.mark.parametrize("second", [GRAY, (16, 16, 16), None])
@pytest.mark.parametrize("size", [(30, 30), (90, 120)])
def test_a_second_outline_is_no_second_box(
    background: Picture, second: tuple[int, int, int] | None, size: tuple[int, int]
) -> None:
    graphics = pytest.importorskip("face_af_sim.af_graphics", reason="face_af_sim is not there")
    box = Box(700, 400, *size)
    style = graphics.AfBoxStyle(line=3, second=6, second_colour=second, colours={AfState.TRACKED: WHITE})
    graphics.draw_af_box(background, box, AfState.TRACKED, style)
    (found,) = detect(background)
    assert found.state == AfState.TRACKED and found.box.iou(box) > 0.8


@pytest.mark.parametrize(
    ("box", "style"),
    [
        pytest.param(Box(700.5, 400.4, 70, 63), {"line": 2}, id="lines between two pixels"),
        pytest.param(Box(400, 9, 160, 160), {"line": 2, "corners": True, "arm": 0.28}, id="near the edge"),
    ],
)
def test_rounded_corners_of_thin_lines(background: Picture, box: Box, style: dict[str, float]) -> None:
    graphics = pytest.importorskip("face_af_sim.af_graphics", reason="face_af_sim is not there")
    graphics.draw_af_box(background, box, AfState.ACTIVE_FOCUS, graphics.AfBoxStyle(radius=1 / 8, **style))
    (found,) = detect(jpeg(chroma_422(background), 84))
    assert found.state == AfState.ACTIVE_FOCUS and found.box.iou(box) > 0.85


@pytest.mark.parametrize("ground", [40, 120, 215])
@pytest.mark.parametrize("line", [2, 4, 5])
def test_the_ground_between_two_outlines_is_no_box(ground: int, line: int) -> None:
    graphics = pytest.importorskip("face_af_sim.af_graphics", reason="face_af_sim is not there")
    box, picture = Box(700, 400, 48, 32), np.full((1080, 1920, 3), ground, np.uint8)
    style = graphics.AfBoxStyle(line=line, second=6, second_line=2)
    graphics.draw_af_box(picture, box, AfState.ACTIVE_FOCUS, style)
    (found,) = detect(chroma_422(picture))
    assert found.state == AfState.ACTIVE_FOCUS and found.box.iou(box) > 0.8


def test_several_boxes_of_fine_lines(background: Picture) -> None:
    graphics = pytest.importorskip("face_af_sim.af_graphics", reason="face_af_sim is not there")
    for x in (300, 450, 700):
        graphics.draw_af_box(background, Box(x, 200, 90, 80), AfState.TRACKED, graphics.AfBoxStyle(line=1.4))
    assert len(detect(background)) == 3


def test_overlapping_boxes_are_told_apart(background: Picture, outline: Draw) -> None:
    outline(background, (600, 300, 150, 150), GRAY)
    outline(background, (690, 360, 120, 160), GREEN)
    outline(background, (560, 420, 100, 80), WHITE)
    assert {b.state for b in detect(jpeg(background))} == set(STATES.values())


def test_half_of_the_box_on_like_coloured_ground(background: Picture, outline: Draw) -> None:
    background[:, 1000:] = (152, 150, 151)
    outline(background, (930, 400, 120, 120), GRAY, 3)
    outline(background, (930, 700, 120, 120), WHITE, 3)
    states = [b.state for b in detect(background)]
    assert AfState.TRACKED in states


@pytest.mark.parametrize("height", [720, 1440, 2160])
def test_sizes_scale_with_the_frame(outline: Draw, height: int) -> None:
    picture = np.full((height, height * 16 // 9, 3), 60, np.uint8)
    scale = height / 1080
    box = tuple(round(v * scale) for v in (500, 300, 80, 100))
    outline(picture, box, GREEN, max(2, round(3 * scale)))
    found = detect(picture)
    assert [b.state for b in found] == [AfState.ACTIVE_FOCUS]
    assert found[0].box.iou(Box(*box)) > 0.8


def test_a_box_at_the_very_edge(background: Picture, outline: Draw) -> None:
    outline(background, (9, 9, 60, 60), WHITE)
    assert len(detect(background)) == 1


class TestLeavesAlone:
    def test_plain_and_noisy_ground(self, background: Picture) -> None:
        assert detect(background) == []
        noise = np.random.default_rng(1).normal(0, 12, background.shape)
        assert detect(np.clip(background + noise, 0, 255).astype(np.uint8)) == []

    def test_filled_windows(self, background: Picture) -> None:
        cv2.rectangle(background, (300, 300), (420, 430), WHITE, -1)
        cv2.rectangle(background, (700, 300), (820, 430), GREEN, -1)
        assert detect(background) == []

    def test_picture_frames(self, background: Picture) -> None:
        cv2.rectangle(background, (300, 300), (500, 430), WHITE, 14)
        cv2.rectangle(background, (700, 300), (820, 430), GRAY, 22)
        assert detect(background) == []

    @pytest.mark.parametrize("line", [2, 3, 5])
    @pytest.mark.parametrize("over", [0, 25])
    def test_facades(self, background: Picture, line: int, over: int) -> None:
        for i in range(5):
            cv2.line(background, (500 + i * 70, 300 - over), (500 + i * 70, 580 + over), GRAY, line)
            cv2.line(background, (500 - over, 300 + i * 70), (780 + over, 300 + i * 70), GRAY, line)
        assert detect(background) == []

    def test_text_and_tilted_squares(self, background: Picture) -> None:
        cv2.putText(background, "LIVE 0123456789 BOD", (200, 500), cv2.FONT_HERSHEY_SIMPLEX, 3.0, WHITE, 4, cv2.LINE_AA)
        corners = cv2.boxPoints(((1400, 400), (120, 120), 12)).astype(np.int32)
        cv2.polylines(background, [corners], True, WHITE, 3, cv2.LINE_AA)
        assert detect(background) == []

    @pytest.mark.parametrize("axes", [(14, 14), (15, 17), (20, 20), (28, 30)])
    @pytest.mark.parametrize("colour", [*STATES, (70, 60, 90)])
    @pytest.mark.parametrize("line", [2.5, 3.0, 4.0])
    def test_letters_o(self, axes: tuple[int, int], colour: tuple[int, int, int], line: float) -> None:
        ground = 170 if max(colour) < 100 else 60
        large, picture = np.full((400, 400, 3), ground, np.uint8), np.full((1080, 1920, 3), ground, np.uint8)
        cv2.ellipse(large, (203, 201), (4 * axes[0], 4 * axes[1]), 0, 0, 360, colour, int(4 * line))
        picture[400:500, 700:800] = cv2.resize(large, (100, 100), interpolation=cv2.INTER_AREA)
        for blur in (0.5, 1.0):
            assert detect(cv2.GaussianBlur(picture, (0, 0), blur)) == []

    def test_outlines_of_other_colours(self, background: Picture, outline: Draw) -> None:
        outline(background, (400, 300, 90, 90), (220, 60, 40))
        outline(background, (700, 300, 90, 90), (0, 220, 230))
        found = AfBoxDetector().inspect(background)
        assert found.boxes == [] and {r.flaw for r in found.rejected} >= {Flaw.COLOUR}

    def test_too_long_and_too_big(self, background: Picture, outline: Draw) -> None:
        outline(background, (300, 300, 200, 90), WHITE)
        outline(background, (700, 300, 600, 600), WHITE)
        assert detect(background) == []


def test_yellow_and_red_by_parameter(background: Picture, outline: Draw) -> None:
    outline(background, (400, 300, 90, 90), (0, 220, 230))
    outline(background, (700, 300, 90, 90), (30, 30, 230))
    params = changed(OverlayParams(), {"colour.yellow": "tracked", "colour.red": "active_focus"})
    found = {b.state: b.box.x for b in detect(background, params)}
    assert found[AfState.TRACKED] == pytest.approx(400, abs=2)
    assert found[AfState.ACTIVE_FOCUS] == pytest.approx(700, abs=2)


def test_thresholds_take_effect(background: Picture, outline: Draw) -> None:
    outline(background, (20, 400, 60, 60), (180, 180, 180))
    detector = AfBoxDetector()
    assert [b.state for b in detector.detect(background)] == [AfState.DETECTED]
    detector.params = changed(OverlayParams(), {"colour.white_min": 170.0})
    assert [b.state for b in detector.detect(background)] == [AfState.TRACKED]
    detector.params = changed(OverlayParams(), {"shape.edge_margin": 50.0})
    assert [r.flaw for r in detector.inspect(background).rejected] == [Flaw.EDGE_MARGIN]


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((0, 40, 3), np.uint8),
        np.zeros((40, 40, 3), np.float32),
    ],
)
def test_not_a_picture(picture: Picture) -> None:
    with pytest.raises(PictureError):
        AfBoxDetector().detect(picture)


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3)), elements=st.sampled_from([0, 90, 250])
    )
)
def test_any_size_and_content_is_survived(picture: Picture) -> None:
    AfBoxDetector().detect(picture)


def test_views_and_changing_sizes(background: Picture, outline: Draw) -> None:
    outline(background, (700, 400, 80, 80), WHITE)
    detector = AfBoxDetector()
    assert len(detector.detect(background)) == 1
    assert len(detector.detect(background[100:901, 301:1400])) == 1
    assert len(detector.detect(background[:, ::-1])) == 1
    assert len(detector.detect(background)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"shape.min_size": 300.0, "shape.max_size": 100.0},
        {"colour.gray_min": 220.0},
        {"colour.green_hue_min": 100.0},
        {"contrast.line": 500},
        {"no_such": 1},
    ],
)
def test_contradicting_parameters_are_refused_whole(changes: dict[str, object]) -> None:
    with pytest.raises(ParamError):
        build(OverlayParams, changes)


def test_the_example_for_the_warm_up_goes_through_every_loop() -> None:
    boxes = AfBoxDetector().detect(example())
    assert {box.state for box in boxes} == {AfState.ACTIVE_FOCUS, AfState.TRACKED}
    rounded = AfBoxDetector().inspect(rounded_example()).outlines
    assert all(outline.radius > 0 for outline in rounded) and sorted(outline.closed for outline in rounded) == [0, 1]
