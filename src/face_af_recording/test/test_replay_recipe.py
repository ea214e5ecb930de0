"""A replay follows a recipe as the live steering node does."""

from __future__ import annotations

from pathlib import Path

import pytest

from face_af_common.types import AfBox, AfState, Box, Face
from face_af_recording.bag.bag_folder import RecordingError
from face_af_recording.replay.frames import Frame
from face_af_recording.replay.steering_stage import Steering

PLACES = {"anna": Box(300, 300, 120, 150), "ben": Box(1200, 320, 120, 150)}


def frame(number: int, present: tuple[str, ...]) -> Frame:
    faces = [
        Face(i + 1, PLACES[name], name == "ben", 0.8, 0.9, (0.0,) * 10, name)
        for i, name in enumerate(PLACES)
        if name in present
    ]
    boxes = [AfBox(AfState.ACTIVE_FOCUS, PLACES["ben"], 0.9), AfBox(AfState.DETECTED, PLACES["anna"], 0.9)]
    return Frame(1_000_000_000 + number * 33_000_000, faces, "ben", boxes)


def run(steering: Steering, present: tuple[str, ...], numbers: range) -> list[Frame]:
    frames = [frame(number, present) for number in numbers]
    for each in frames:
        steering(each)
    return frames


def test_the_recipe_decides_who_is_meant(tmp_path: Path) -> None:
    (tmp_path / "singer.yaml").write_text("hold_s: 0.2\ntarget: [anna, ben]\n", encoding="utf-8")
    steering = Steering({"recipe": "singer", "recipe_dir": str(tmp_path), "confirm_frames": 1})
    both = run(steering, ("anna", "ben"), range(60))
    assert both[-1].steering_target == "anna"
    assert both[-1].target_face is not None and both[-1].target_face.identity == "anna"
    assert both[-1].target == "ben", "what perception looked for is kept"
    assert any(each.actions for each in both), "the focus is on ben"
    alone = run(steering, ("ben",), range(60, 200))
    assert alone[-1].steering_target == "ben"


def test_a_recipe_follows_the_voice_that_steering_heard(tmp_path: Path) -> None:
    (tmp_path / "talk.yaml").write_text("hold_s: 0.2\ntarget: [speaking, anna]\n", encoding="utf-8")
    steering = Steering({"recipe": "talk", "recipe_dir": str(tmp_path)})
    assert run(steering, ("anna", "ben"), range(30))[-1].steering_target == "anna"
    frames = [frame(number, ("anna", "ben")) for number in range(30, 60)]
    for each in frames:
        each.speaking = "ben"
        steering(each)
    assert frames[-1].steering_target == "ben"


def test_without_a_recipe_perception_decides() -> None:
    frames = run(Steering({}), ("anna", "ben"), range(20))
    assert {each.steering_target for each in frames} == {"ben"}
    assert frames[-1].target_face is not None and frames[-1].target_face.identity == "ben"


def test_a_recipe_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises((RecordingError, ValueError), match="nowhere"):
        Steering({"recipe": "nowhere", "recipe_dir": str(tmp_path)})
