"""A camera held in portrait: buttons move in its own frame or in the upright image, points are turned back."""

from __future__ import annotations

import pytest

from face_af_common.orientation import Orientation
from face_af_common.types import Action, ActionKind, AfBox, AfState, Box, Face
from face_af_steering.engine import SteeringEngine
from face_af_steering.params import SteeringNodeParams

WIDTH, HEIGHT = 1080, 1920
"""Of the upright image; the camera's frame lies on its side."""
TURNS = [Orientation(90), Orientation(270), Orientation(90, "horizontal"), Orientation(180), Orientation()]


def in_upright_image(orientation: Orientation, box: Box) -> Box:
    """A box of the camera's frame as the upright image shows it: found by trying the four ways back."""
    x, y = box.center
    points = [(x / HEIGHT, y / WIDTH)] if orientation.rotate in (90, 270) else [(x / WIDTH, y / HEIGHT)]
    for _ in range(3):
        points.append(orientation.point_to_camera(*points[-1]))
    target = points[0]
    (back,) = {tuple(round(v, 6) for v in p) for p in points if _close(orientation.point_to_camera(*p), target)}
    size = orientation.size(round(box.width), round(box.height))
    return Box(back[0] * WIDTH - size[0] / 2, back[1] * HEIGHT - size[1] / 2, *size)


def _close(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) < 1e-6


def first_action(engine: SteeringEngine, places: list[Box], chosen: int, target: int) -> Action:
    for frame in range(60):
        faces = [Face(i + 1, box, is_target=i == target, similarity=0.6) for i, box in enumerate(places)]
        boxes = [AfBox(AfState.TRACKED if i == chosen else AfState.DETECTED, box) for i, box in enumerate(places)]
        for action in engine.update(frame / 30, faces, boxes, "anna", (WIDTH, HEIGHT)):
            return action
    raise AssertionError("nothing was sent")


@pytest.mark.parametrize("orientation", TURNS)
def test_left_is_left_in_the_cameras_own_frame(orientation: Orientation) -> None:
    frame = (HEIGHT, WIDTH) if orientation.rotate in (90, 270) else (WIDTH, HEIGHT)
    own = [Box(frame[0] * share, frame[1] * 0.4, 90, 110) for share in (0.15, 0.4, 0.65)]
    engine = SteeringEngine(SteeringNodeParams(require_camera=False))
    engine.turn(orientation)
    places = [in_upright_image(orientation, box) for box in own]
    assert first_action(engine, places, chosen=2, target=1).kind is ActionKind.LEFT
    engine = SteeringEngine(SteeringNodeParams(require_camera=False))
    engine.turn(orientation)
    assert first_action(engine, places, chosen=0, target=1).kind is ActionKind.RIGHT


@pytest.mark.parametrize("orientation", TURNS)
def test_left_may_be_left_in_the_upright_image(orientation: Orientation) -> None:
    engine = SteeringEngine(SteeringNodeParams(left_means="image"))
    engine.turn(orientation)
    places = [Box(WIDTH * share, 700, 90, 110) for share in (0.15, 0.4, 0.65)]
    assert first_action(engine, places, chosen=2, target=1).kind is ActionKind.LEFT


@pytest.mark.parametrize("left_means", ["camera", "image"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_point_lies_on_the_face_in_the_cameras_frame(orientation: Orientation, left_means: str) -> None:
    engine = SteeringEngine(SteeringNodeParams(mode="af_area", left_means=left_means))
    engine.turn(orientation)
    place = Box(200, 300, 90, 110)
    action = first_action(engine, [place], chosen=0, target=0)
    assert action.kind is ActionKind.AF_AREA
    frame = orientation.size(WIDTH, HEIGHT)
    own = orientation.box_to_camera(place, WIDTH, HEIGHT)
    assert own.contains(action.x * frame[0], action.y * frame[1])


def test_a_camera_that_is_turned_meanwhile_begins_anew() -> None:
    engine = SteeringEngine(SteeringNodeParams())
    places = [Box(WIDTH * share, 700, 90, 110) for share in (0.15, 0.4, 0.65)]
    assert first_action(engine, places, chosen=2, target=1).kind is ActionKind.LEFT
    engine.turn(Orientation(180))
    assert engine.orientation == Orientation(180)
    with pytest.raises(AssertionError, match="nothing was sent"):
        first_action(engine, places, chosen=1, target=1)
