"""Pictures of the stage and what is said about them."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from face_af_sim.choreography import LANES, Choreography, Placement
from face_af_sim.people import Figures
from face_af_sim.simulation import HDMI, Simulation
from face_af_sim.stage import Stage


def at(name: str, x: float, lane: int = 1, facing: float = 1.0) -> Placement:
    return Placement(name, lane, x, 360.0, LANES[lane], facing)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (640, 480)])
def test_faces_are_where_the_truth_says(company: list[Figures], width: int, height: int) -> None:
    stage = Stage(company, width, height)
    empty = stage.render(0.0, [])
    placement = at("anna", 960.0)
    shown, (actor,) = stage.render(0.0, [placement]), stage.actors([placement])
    assert shown.shape == (height, width, 3) and shown.dtype == np.uint8
    assert actor.visible == 1.0
    assert actor.face.height == pytest.approx(LANES[1] * height / 1080, rel=0.05)
    x, y = (int(v) for v in actor.face.center)
    assert np.abs(shown[y, x].astype(int) - empty[y, x]).sum() > 60
    above = int(actor.face.y - 0.2 * actor.face.height)
    assert np.array_equal(shown[:above], empty[:above])


def test_nearer_people_hide_farther_ones(company: list[Figures]) -> None:
    stage = Stage(company, 1280, 720)
    apart = stage.actors([at("anna", 400, 0), at("bert", 1200, 2)])
    assert [a.visible for a in apart] == [1.0, 1.0]
    behind, front = stage.actors([at("anna", 800, 0), at("bert", 800, 2)])
    assert behind.visible < 0.2 and front.visible == 1.0


def test_people_beside_the_picture_are_not_visible_and_do_no_harm(company: list[Figures]) -> None:
    stage = Stage(company, 640, 360)
    outside = [at("anna", -400.0), at("bert", 2300.0), at("cleo", 0.0), at("dora", 1920.0)]
    shown = stage.render(0.0, outside)
    assert shown.shape == (360, 640, 3)
    seen = [a.visible for a in stage.actors(outside)]
    assert seen[0] == seen[1] == 0.0 and 0.2 < seen[2] < 0.8


def test_the_back_of_the_head_looks_different(company: list[Figures]) -> None:
    stage = Stage(company, 640, 360)
    front = stage.render(0.0, [at("anna", 960.0)])
    x, y = (int(v) for v in stage.actors([at("anna", 960.0)])[0].face.center)
    assert np.abs(front[y, x].astype(int) - stage.render(0.0, [at("anna", 960.0, facing=-1.0)])[y, x]).sum() > 100


def test_a_show_is_the_same_every_time(company: list[Figures]) -> None:
    def frames() -> list[tuple[np.ndarray, object]]:
        show = Simulation(company, "anna", seed=4, width=640, height=360, hdmi="poor")
        return [(f.picture.copy(), (f.actors, f.camera)) for f in (show.frame(k / 30) for k in range(60))]

    for (one, truth), (other, again) in zip(frames(), frames(), strict=True):
        assert np.array_equal(one, other) and truth == again


@pytest.mark.parametrize("hdmi", sorted(HDMI))
def test_the_boxes_of_the_camera_are_in_the_picture(company: list[Figures], hdmi: str) -> None:
    show = Simulation(company, "anna", seed=2, width=1280, height=720, hdmi=hdmi)
    frame = show.frame(0.0)
    for k in range(1, 45):
        frame = show.frame(k / 30)
    green = [b for b in frame.camera.boxes if b.state == 3]
    assert frame.camera.focused and len(green) == 1
    box = green[0].box
    line = frame.picture[int(box.y) + 1, int(box.x + 0.3 * box.width) : int(box.right - 0.3 * box.width)].mean(axis=0)
    # JPEG of Ubuntu's OpenCV (4.5.4, 4.6) leaves less of the colour
    least = 50 if tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 7) else 60
    assert line[1] > line[0] + least and line[1] > line[2] + least
    assert dataclasses.is_dataclass(frame)


def test_every_second_of_a_long_show_can_be_painted(company: list[Figures]) -> None:
    stage, show = Stage(company, 320, 240), Choreography([f.name for f in company], "anna", 9)
    for t in range(0, 600, 3):
        placements = show.at(float(t))
        stage.render(float(t), placements)
        assert all(0.0 <= a.visible <= 1.0 for a in stage.actors(placements))
