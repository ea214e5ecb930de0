"""The planner's helpers on their own."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.params import ParamError, build
from face_af_common.types import ActionKind, AfBox, AfState, Box, Face
from face_af_steering.association import Association
from face_af_steering.cooldown import Cooldown
from face_af_steering.navigation import Navigation
from face_af_steering.params import PlannerParams, SteeringNodeParams
from face_af_steering.press_pipelining import PressPipelining
from face_af_steering.rate_limit import RateLimit
from face_af_steering.read_error_rate import ReadErrorRate
from face_af_steering.response import ResponseModel
from face_af_steering.subjects import Row, Subject

_FACE = Box(500, 300, 100, 125)


def _placed(face: Box, style: str) -> Box:
    if style == "eye":
        return Box(face.x + 0.52 * face.width, face.y + 0.3 * face.height, 0.35 * face.width, 0.35 * face.width)
    if style == "head":
        return Box(face.x - 0.25 * face.width, face.y - 0.3 * face.height, 1.5 * face.width, 1.45 * face.height)
    return face


@pytest.mark.parametrize("style", ["face", "eye", "head"])
def test_boxes_belong_to_their_faces_also_side_by_side(style: str) -> None:
    faces = [Box(300 + 115.0 * i, 300 + 10.0 * (i % 2), 100, 125) for i in range(5)]
    association = Association()
    for _ in range(3):
        assert association.assign(faces, [_placed(f, style) for f in faces]) == [0, 1, 2, 3, 4]


def test_a_neighbours_box_does_not_belong() -> None:
    neighbour = Box(_FACE.x + 105, _FACE.y, 100, 125)
    assert Association().assign([_FACE], [neighbour]) == [-1]
    assert Association().assign([_FACE], [_placed(neighbour, "head")]) == [-1]


def test_an_eye_box_in_a_face_box_belongs_to_the_same_face() -> None:
    assert Association().assign([_FACE], [_FACE, _placed(_FACE, "eye")]) == [0, 0]


@pytest.mark.parametrize("faces", [[], [Face(7, Box(100, 100, 100, 120))]])
def test_an_eye_box_in_a_face_box_is_no_subject_of_its_own(faces: list[Face]) -> None:
    face = AfBox(AfState.DETECTED, Box(98, 98, 104, 124))
    row = Row()
    for now in (1.0, 1.1):
        row.update(now, faces, [face, AfBox(AfState.ACTIVE_FOCUS, Box(115, 130, 34, 34))], 0.5)
        (subject,) = row.candidates(now, 0.5)
        assert subject.chosen and subject.box == face.box


def test_somebody_far_away_inside_a_near_ones_box_is_no_eye() -> None:
    near, far = Box(100, 100, 200, 240), Box(210, 150, 40, 48)
    row = Row()
    boxes = [AfBox(AfState.DETECTED, near), AfBox(AfState.TRACKED, far)]
    row.update(1.0, [Face(1, near), Face(2, far)], boxes, 0.5)
    assert [s.key for s in row.candidates(1.0, 0.5)] == [1, 2]
    assert [s.chosen for s in row.candidates(1.0, 0.5)] == [False, True]


def test_overlapping_faces_get_their_own_boxes() -> None:
    near, far = Box(500, 300, 160, 200), Box(580, 330, 90, 112)
    assert Association().assign([near, far], [far, near]) == [1, 0]


def test_a_new_track_id_at_the_same_place_is_the_same_subject() -> None:
    row = Row()
    row.update(0.0, [Face(1, _FACE)], [AfBox(AfState.TRACKED, _FACE)], 0.25)
    row.update(0.033, [Face(7, _FACE)], [AfBox(AfState.TRACKED, _FACE)], 0.25)
    assert row.renamed == {1: 7} and list(row.subjects) == [7]


def test_a_box_without_a_face_is_followed_and_joins_its_face() -> None:
    row = Row()
    for k in range(4):
        row.update(k / 30, [], [AfBox(AfState.DETECTED, Box(500 + 8 * k, 300, 100, 125))], 0.25)
    assert len(row.subjects) == 1 and next(iter(row.subjects)) < 0
    row.update(4 / 30, [Face(3, Box(532, 300, 100, 125))], [], 0.25)
    assert list(row.subjects) == [3]


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.7])
def test_response_is_learned_in_spite_of_strays(seconds: float) -> None:
    rng = random.Random(1)
    model = ResponseModel()
    for k in range(20):
        model.learn(1.2 if k % 7 == 3 else seconds * rng.uniform(0.8, 1.2))
    assert model.middle_s == pytest.approx(seconds, rel=0.2)
    assert 1.2 * seconds < model.timeout_s() < 2.2 * seconds + 0.2
    assert model.timeout_s(3) >= model.timeout_s()


def test_of_two_presses_the_older_takes_effect_first_unless_it_is_too_old() -> None:
    model = ResponseModel()
    for _ in range(10):
        model.learn(0.3)
    assert model.taking_effect([0.32, 0.1]) == (0, True)
    assert model.taking_effect([0.9, 0.3])[0] == 1
    assert not model.taking_effect([0.33, 0.3])[1]
    assert not model.can_use(2 * model.middle_s, sure=False)


@given(st.lists(st.floats(0, 0.5), max_size=200), st.integers(1, 10))
def test_rate_limit_cannot_be_exceeded(steps: list[float], most: int) -> None:
    limit, now, times = RateLimit(), 0.0, []
    for step in steps:
        now += step
        if limit.allows(now, 0.1, most, 3.0):
            limit.count(now)
            times.append(now)
    for i, start in enumerate(times):
        assert sum(t < start + 3.0 - 1e-9 for t in times[i:]) <= most


def test_parameters_are_checked_together() -> None:
    assert build(PlannerParams, {}) == PlannerParams()
    with pytest.raises(ParamError, match="give_up_max_s"):
        build(PlannerParams, {"give_up_s": 20.0, "give_up_max_s": 5.0})
    with pytest.raises(ParamError, match="no recipe nope"):
        build(SteeringNodeParams, {"recipe": "nope"})


def test_a_press_taken_for_lost_makes_it_more_patient() -> None:
    model = ResponseModel()
    for _ in range(5):
        model.learn(0.3)
    before = model.timeout_s()
    model.late()
    assert model.timeout_s() > before


def _follow_s(pipelining: PressPipelining, steps: int, spread_s: float = 0.015) -> float:
    response = ResponseModel()
    response.middle_s, response.spread_s = 0.4, spread_s
    return pipelining.follow_s(steps, response, picture_lag_s=0.066)


def test_a_camera_believed_too_quick_is_found_out_by_what_it_seems_to_lose() -> None:
    """It takes 0.8 s and is pressed every 0.28 s: each effect was taken for that of the newest press."""
    response = ResponseModel()
    for _ in range(8):
        response.learn(0.2)
    assert response.timeout_s() < 0.5
    for _ in range(12):
        for _ in range(2):
            response.lost()
        if not response.known:
            break
        response.learn(0.2)
    assert response.timeout_s() > 1.0, "patience enough to see what one press does"
    response.learn(0.8)
    assert response.middle_s == pytest.approx(0.8, abs=0.3)


@pytest.mark.parametrize("loss", [0.2, 0.3])
def test_a_link_that_loses_presses_does_not_change_what_the_camera_takes(loss: float) -> None:
    rng, response = random.Random(4), ResponseModel()
    for _ in range(200):
        response.lost() if rng.random() < loss else response.learn(0.3)
    assert response.known and response.middle_s == pytest.approx(0.3, abs=0.02)


def test_nobody_is_chosen_for_a_moment_only_so_fewer_frames_must_agree_on_somebody() -> None:
    good, bad = ReadErrorRate(), ReadErrorRate()
    for _ in range(200):
        for rate in (good, bad):
            rate.saw(10)
        bad.was_wrong(1)
    assert good.frames_needed_of_nobody(3) < bad.frames_needed_of_nobody(15)


def test_presses_that_follow_early_are_tried_where_that_saves_most() -> None:
    pipelining = PressPipelining()
    assert _follow_s(pipelining, 3) < 0.5 * 0.334 < 0.334 < _follow_s(pipelining, 2)
    pipelining.ended(early=True, worked=True)
    assert _follow_s(pipelining, 2) < 0.5 * 0.334


def test_a_camera_that_ignores_early_presses_is_given_its_time() -> None:
    pipelining = PressPipelining()
    pipelining.ended(early=True, worked=False)
    patient = _follow_s(pipelining, 9)
    assert patient > 0.334
    for _ in range(3):
        pipelining.ended(early=False, worked=True)
    assert 0.334 < _follow_s(pipelining, 9) < patient
    pipelining.ended(early=False, worked=False)
    assert _follow_s(pipelining, 9) > patient


def test_what_follows_no_sooner_than_the_effect_is_seen_is_not_worth_it() -> None:
    assert _follow_s(PressPipelining(), 2, spread_s=0.05) == math.inf


def test_a_press_after_the_answer_says_nothing_about_queueing() -> None:
    pipelining = PressPipelining()
    pipelining.ended(early=False, worked=True)
    assert _follow_s(pipelining, 2) > 0.334


def test_one_lost_press_does_not_make_a_camera_deaf() -> None:
    pipelining = PressPipelining()
    for _ in range(5):
        pipelining.ended(early=True, worked=True)
    pipelining.ended(early=True, worked=False)
    assert _follow_s(pipelining, 2) < 0.5 * 0.4


def _standing(count: int) -> list[Subject]:
    return [Subject(i + 1, Box(100.0 + 200.0 * i, 400, 100, 120)) for i in range(count)]


def test_going_around_is_tried_when_it_could_have_saved_enough() -> None:
    navigation, row = Navigation(), _standing(5)
    ways = 0
    while navigation.steps(row[0], row[4], row, "auto") == [ActionKind.RIGHT] * 4:
        navigation.set_out(ActionKind.RIGHT, row[0], row[4], row)
        ways += 1
        assert ways < 10
    assert navigation.steps(row[0], row[4], row, "auto") == [ActionKind.LEFT]
    assert navigation.steps(row[1], row[4], row, "auto") == [ActionKind.RIGHT] * 3, "only from the end"
    navigation.ended(ActionKind.LEFT, row[0], None, row[4], row)
    assert navigation.steps(row[0], row[4], row, "auto") == [ActionKind.RIGHT] * 4
    for _ in range(4 * ways):  # that try may have been lost
        navigation.set_out(ActionKind.RIGHT, row[0], row[4], row)
    assert navigation.steps(row[0], row[4], row, "auto") == [ActionKind.LEFT]
    navigation.ended(ActionKind.LEFT, row[0], row[4], row[4], row)
    assert navigation.steps(row[1], row[4], row, "auto") == [ActionKind.LEFT] * 2, "now it is known"


def test_a_focus_that_has_left_the_row_goes_the_direct_way() -> None:
    row = _standing(4)
    gone = Subject(9, Box(-200, 400, 100, 120))
    assert Navigation().steps(gone, row[3], row, "yes") == [ActionKind.RIGHT] * 4


def test_an_effect_too_soon_for_this_camera_is_not_ours() -> None:
    model = ResponseModel()
    assert model.earliest_s < 0.06, "nothing is known yet"
    for _ in range(8):
        model.learn(0.4)
    assert 0.2 < model.earliest_s < 0.35


def test_few_misreadings_make_one_frame_enough() -> None:
    good, bad = ReadErrorRate(), ReadErrorRate()
    for k in range(600):
        good.saw(4)
        bad.saw(4)
        if k % 10 == 0:
            bad.suspect(1)
            bad.was_wrong()
    assert ReadErrorRate().frames_needed(4, both=True) == 2
    assert good.frames_needed(4, both=True) == 1
    assert good.frames_needed(4, both=False) == 2
    assert bad.share == pytest.approx(0.025, rel=0.2)
    assert bad.frames_needed(15, both=True) == 2 < bad.frames_needed(15, both=False)


def test_what_turned_out_to_be_true_was_no_misreading() -> None:
    rate = ReadErrorRate()
    rate.suspect(2)
    rate.was_true()
    rate.was_wrong()
    assert rate.share < 0.01


def test_a_camera_that_is_deaf_after_an_effect_gets_a_rest() -> None:
    cooldown = Cooldown()
    for _ in range(10):
        cooldown.ended(0.03 if cooldown.pause_s < 0.1 else cooldown.pause_s, worked=cooldown.pause_s >= 0.1)
        cooldown.ended(1.0, worked=True)
    assert 0.1 <= cooldown.pause_s < 0.2


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_presses_lost_by_chance_ask_for_little_rest(loss: float) -> None:
    cooldown, rng, pauses = Cooldown(), random.Random(3), []
    for _ in range(400):
        cooldown.ended(0.03, worked=rng.random() >= loss)
        cooldown.ended(1.0, worked=rng.random() >= loss)
        pauses.append(cooldown.pause_s)
    assert sum(pauses) / len(pauses) < 0.06
