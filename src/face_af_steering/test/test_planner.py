"""What the planner does, one situation at a time."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from scene import FRAME_S, Play, Scene

from face_af_common.types import ActionKind, AfBox, AfState, Box, Face, SteeringStatus
from face_af_steering.planner import Planner, PlannerParams


def test_presses_towards_the_target_until_it_has_the_focus() -> None:
    play = Play(Scene(5, target=0, chosen=3))
    play.run(90)
    assert [a.kind for _, a in play.sent] == [ActionKind.LEFT] * 3
    assert play.planner.status == SteeringStatus.ON_TARGET
    assert play.planner.presses == 3
    assert play.planner.focus_track_id == play.planner.target_track_id == 1


def test_presses_right_where_the_target_is_right() -> None:
    play = Play(Scene(3, target=2, chosen=1))
    play.run(40)
    assert [a.kind for _, a in play.sent] == [ActionKind.RIGHT]


def test_track_ids_may_count_from_0() -> None:
    scene = Scene(3, target=0, chosen=2)
    planner = Planner()
    faces = [dataclasses.replace(face, track_id=face.track_id - 1) for face in scene.faces()]
    actions = [a for k in range(4) for a in planner.update(k * FRAME_S, faces, scene.boxes())]
    assert [a.kind for a in actions] == [ActionKind.LEFT]


def test_needs_two_frames_before_the_first_press() -> None:
    play = Play(Scene())
    assert play.run(1) == []
    assert play.planner.status == SteeringStatus.CONFIRMING
    assert len(play.run(1)) == 1


def test_learns_how_long_the_camera_takes() -> None:
    play = Play(Scene(8, target=0, chosen=7), delay=6)
    play.run(150)
    play.scene.chosen = 7
    play.run(150)
    assert play.planner.response_s == pytest.approx(6 * FRAME_S, abs=0.05)


def test_repeats_a_lost_press() -> None:
    play = Play(Scene(2, target=0, chosen=1))
    play.lost = {0}
    play.run(60)
    assert [a.kind for _, a in play.sent] == [ActionKind.LEFT] * 2
    assert play.planner.status == SteeringStatus.ON_TARGET


def test_a_press_that_chose_somebody_where_nobody_was_is_not_repeated() -> None:
    play = Play(Scene(5, target=0, chosen=None), delay=8)
    play.run(60)
    assert play.scene.chosen == 0
    assert len(play.sent) == 3, "one to choose the middle, two from there"
    assert not any("lost" in action.reason for _, action in play.sent)


def test_misread_boxes_do_not_hide_that_nobody_is_chosen() -> None:
    """With many faces there is hardly a frame without a box that is misread as chosen."""
    scene = Scene(8, target=0, chosen=0)
    play = Play(scene)
    for k in range(180):
        scene.chosen = 0 if k < 120 else None
        misread = k % 2 or scene.chosen is None
        scene.misread = {1 + 3 * k % 7: AfState.TRACKED} if misread else {}
        play.run(1)
        if play.sent:
            break
    assert play.sent and play.sent[0][0] > 4.0, "it asks the camera to choose somebody again"


def test_plans_anew_from_where_the_focus_went() -> None:
    scene = Scene(5, target=2, chosen=4)
    play = Play(scene, delay=1000)
    play.run(3)
    scene.chosen = 1
    play.run(10)
    play.delay = 6
    play.run(60)
    assert play.sent[-1][1].kind == ActionKind.RIGHT


def test_one_misread_frame_causes_no_press() -> None:
    for wrong in (
        {0: AfState.DETECTED},
        {1: AfState.TRACKED},
        {2: AfState.ACTIVE_FOCUS},
        {0: AfState.DETECTED, 1: AfState.TRACKED},
    ):
        scene = Scene(3, target=0, chosen=0)
        play = Play(scene)
        play.run(30)
        scene.misread = dict(wrong)
        play.run(1)
        scene.misread = {}
        play.run(60)
        assert play.sent == []


def test_boxes_that_are_missing_for_some_frames_change_nothing() -> None:
    scene = Scene(3, target=0, chosen=0)
    play = Play(scene)
    play.run(30)
    for unseen in ({0}, {0, 1, 2}, {1, 2}):
        scene.unseen_boxes = set(unseen)
        play.run(5)
        scene.unseen_boxes = set()
        play.run(5)
    assert play.sent == []
    assert play.planner.status == SteeringStatus.ON_TARGET


def test_remembers_a_candidate_that_is_missing_for_a_moment() -> None:
    scene = Scene(3, target=0, chosen=2)
    scene.unseen_boxes = {1}
    play = Play(scene)
    play.run(2)
    scene.unseen_boxes = set()
    play.run(60)
    assert [a.kind for _, a in play.sent] == [ActionKind.LEFT] * 2


def test_does_not_press_for_a_target_that_the_camera_has_not_detected() -> None:
    scene = Scene(3, target=0, chosen=2)
    scene.unseen_boxes = {0}
    play = Play(scene)
    play.run(60)
    assert play.sent == []
    assert "not detected" in play.planner.reason


def test_waits_while_the_target_is_hidden_and_confirms_anew() -> None:
    scene = Scene(3, target=0, chosen=0)
    play = Play(scene)
    play.run(30)
    scene.unseen_faces = scene.unseen_boxes = {0}
    scene.chosen = 2
    play.run(60)
    assert play.sent == [] and play.planner.status == SteeringStatus.NO_TARGET
    scene.unseen_faces = scene.unseen_boxes = set()
    play.run(1)
    assert play.sent == []
    play.run(60)
    assert play.planner.status == SteeringStatus.ON_TARGET


def test_a_look_alike_does_not_take_over_for_some_frames() -> None:
    scene = Scene(3, target=0, chosen=0)
    play = Play(scene)
    play.run(30)
    for _ in range(5):
        play.frame += 1
        faces = [dataclasses.replace(f, is_target=f.track_id == 3, similarity=0.6) for f in scene.faces()]
        assert play.planner.update(play.now, faces, scene.boxes()) == []
    for _ in range(60):
        play.frame += 1
        faces = [dataclasses.replace(f, is_target=f.track_id in (1, 3), similarity=0.6) for f in scene.faces()]
        assert play.planner.update(play.now, faces, scene.boxes()) == []


def test_gives_up_with_growing_pauses_and_tries_other_buttons_before() -> None:
    play = Play(Scene(3, target=0, chosen=2), delay=100_000)
    play.run(30 * 60)
    kinds = [a.kind for _, a in play.sent]
    assert kinds[:4] == [ActionKind.LEFT] * 4
    assert {ActionKind.FN1, ActionKind.RIGHT} <= set(kinds)
    pauses = [b - a for (a, _), (b, _) in itertools.pairwise(play.sent) if b - a > 2.5]
    assert len(pauses) >= 2 and pauses == sorted(pauses)
    assert len(kinds) < 60
    play.scene.chosen = 0
    play.run(10)
    assert play.planner.status == SteeringStatus.ON_TARGET


def test_says_that_it_gave_up() -> None:
    play = Play(Scene(3, target=0, chosen=2), delay=100_000)
    seen = set()
    for _ in range(30 * 30):
        play.run(1)
        seen.add(play.planner.status)
    assert SteeringStatus.GAVE_UP in seen


def test_uses_fn1_for_a_face_above() -> None:
    faces = [
        Face(1, Box(500, 200, 100, 120), is_target=True, similarity=0.6),
        Face(2, Box(505, 600, 100, 120)),
        Face(3, Box(1200, 400, 100, 120)),
    ]
    boxes = [AfBox(AfState.TRACKED if f.track_id == 2 else AfState.DETECTED, f.box) for f in faces]
    planner = Planner()
    actions = [a for k in range(3) for a in planner.update(k * FRAME_S, faces, boxes)]
    assert [a.kind for a in actions] == [ActionKind.FN1]


def test_wrap_around_takes_the_shorter_way() -> None:
    play = Play(Scene(7, target=6, chosen=0), Planner(PlannerParams(wrap="yes")))
    play.run(3)
    assert play.sent[0][1].kind == ActionKind.LEFT


def test_tries_to_go_around_where_much_may_be_won() -> None:
    play = Play(Scene(12, target=11, chosen=0))
    play.run(400)
    kinds = [a.kind for _, a in play.sent]
    assert kinds == [ActionKind.LEFT] + [ActionKind.RIGHT] * 11
    play.scene.chosen = 0
    play.run(400)
    assert [a.kind for _, a in play.sent[12:]] == [ActionKind.RIGHT] * 11


def test_corrects_the_cameras_own_jump_to_the_largest() -> None:
    scene = Scene(3, target=0, chosen=0, sizes=(100, 90, 140))
    play = Play(scene)
    play.run(60)
    scene.chosen = 2
    play.run(4)
    assert [a.kind for _, a in play.sent] == [ActionKind.LEFT]


def test_corrects_what_the_camera_did_after_it_lost_the_target() -> None:
    scene = Scene(3, target=0, chosen=0, sizes=(100, 90, 140))
    play = Play(scene)
    play.run(60)
    scene.unseen_boxes = {0}
    play.run(6)
    scene.chosen = 1
    play.run(6)
    scene.unseen_boxes = set()
    play.run(3)
    assert [a.kind for _, a in play.sent] == [ActionKind.LEFT]


def test_corrects_what_the_camera_did_when_the_face_under_its_box_had_turned_away() -> None:
    scene = Scene(4, target=0, chosen=2, sizes=(100, 130, 100, 90))
    scene.unseen_faces = {0}
    play = Play(scene)
    play.run(60)
    scene.unseen_faces = {0, 2}
    play.run(10)
    scene.chosen = 3
    play.run(5)
    scene.unseen_faces = {2}
    play.run(4)
    assert play.planner.yields == 0 and [a.kind for _, a in play.sent] == [ActionKind.LEFT]


def test_pause_resume_and_blocked() -> None:
    play = Play(Scene())
    play.planner.pause()
    play.run(30)
    assert play.sent == [] and play.planner.status == SteeringStatus.IDLE
    play.planner.resume()
    play.planner.blocked = "no camera"
    play.run(30)
    assert play.sent == [] and play.planner.reason == "no camera"
    play.planner.blocked = ""
    play.run(3)
    assert len(play.sent) == 1


def test_af_area_follows_the_eyes_with_dead_band_and_limit() -> None:
    params = PlannerParams(mode="af_area")
    planner = Planner(params)
    sent = []
    for k in range(120):
        x = 400.0 + (0.0 if k < 60 else 6.0 * (k - 60))
        eyes = (x + 30, 440.0, x + 70, 440.0, x + 50, 460.0, x + 35, 490.0, x + 65, 490.0)
        face = Face(1, Box(x, 400, 100, 120), is_target=True, similarity=0.6, landmarks=eyes)
        sent += [(k, a) for a in planner.update(k * FRAME_S, [face], [])]
    assert [k for k, _ in sent if k < 60] == [1]
    assert sent[0][1].kind == ActionKind.AF_AREA
    assert sent[0][1].x == pytest.approx(450 / 1920) and sent[0][1].y == pytest.approx(440 / 1080)
    times = [k * FRAME_S for k, _ in sent]
    assert all(b - a >= params.area_interval_s - 1e-9 for a, b in itertools.pairwise(times))
    assert len(sent) > 5


def test_a_clock_that_jumps_back_starts_anew_without_forgetting_the_camera() -> None:
    play = Play(Scene(4, target=0, chosen=3))
    play.run(120)
    learned = play.planner.response_s
    play.frame = 0
    play.scene.chosen = 1
    play.run(30)
    assert play.planner.status == SteeringStatus.ON_TARGET
    assert play.planner.response_s == pytest.approx(learned, abs=0.1)


def test_few_and_uneven_frames_are_enough() -> None:
    """Two to four frames a second, as on a computer that is far too slow: what the frame before showed still counts."""
    scene, planner, now, pressed = Scene(4, target=0, chosen=2), Planner(), 0.0, []
    for k in range(12):
        now += (0.3, 0.55, 0.4)[k % 3]
        if actions := planner.update(now, scene.faces(), scene.boxes()):
            pressed.append(k)
            scene.press(actions[0].kind)
    assert len(pressed) == 2 and pressed[0] <= 3
    assert scene.chosen == 0 and planner.status == SteeringStatus.ON_TARGET
