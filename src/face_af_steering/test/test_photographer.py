"""Who moved the focus, and who wins: scenes with a camera and a photographer that move it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import Play, Scene

from face_af_common.types import AfState, Box, SteeringStatus
from face_af_steering.attribution_priors import Priors
from face_af_steering.move_attribution import Likelihoods, MoveAttribution, Suspicion
from face_af_steering.planner import Planner, PlannerParams
from face_af_steering.selection import Move
from face_af_steering.subjects import Subject
from face_af_steering.yielding import Yielding

_ALWAYS = PlannerParams(photographer="always", yield_s=2.0)
_YIELDS_S = 2 * _ALWAYS.yield_s
"""``always`` leaves the photographer alone for twice as long."""


def _play(params: PlannerParams | None = None, target: int = 0, count: int = 4) -> Play:
    """A show that has run for two seconds, with the focus on the target."""
    play = Play(Scene(count, target=target, chosen=target, sizes=[100.0 + i for i in range(count)]), Planner(params))
    play.run(60)
    return play


def _insist(play: Play, face: int, times: int, reaction: int = 15) -> float:
    """The hand steps to ``face`` and back to it, ``reaction`` frames after each correction; when the last time."""
    for time in range(times + 1):
        if time:
            for _ in range(600):
                if play.scene.chosen == play.scene.target:
                    break
                play.run(1)
            assert play.scene.chosen == play.scene.target, "the face was taken away"
            play.run(reaction)
        play.scene.chosen = face
        moved = play.now
        play.run(4)
    return moved


def test_the_first_move_is_corrected_and_who_brings_it_back_is_obeyed() -> None:
    params = PlannerParams(yield_s=4.0)
    play = _play(params)
    moved = _insist(play, 1, times=1)
    assert len(play.sent) == 1 and play.planner.status == SteeringStatus.YIELDING
    assert "brought the same face back" in play.planner.reason
    play.run(240)
    assert len(play.sent) == 2 and play.sent[1][0] - moved >= params.yield_s
    assert play.planner.status == SteeringStatus.ON_TARGET


def test_each_time_the_photographer_insists_again_is_obeyed_twice_as_long() -> None:
    params = PlannerParams(yield_s=2.0)
    for times, factor in ((1, 1), (2, 2), (3, 4), (5, 4)):
        play = _play(params)
        moved = _insist(play, 1, times)
        before = len(play.sent)
        play.run(400)
        waited = play.sent[before][0] - moved
        assert factor * params.yield_s - 1e-9 <= waited < factor * params.yield_s + 0.5


@settings(max_examples=20, deadline=None)
@given(st.integers(6, 36), st.floats(1.0, 6.0), st.integers(0, 3), st.integers(3, 10))
def test_nobody_presses_against_who_insisted_twice(reaction: int, yield_s: float, to: int, delay: int) -> None:
    target = 1 if to != 1 else 2
    play = _play(PlannerParams(yield_s=yield_s), target)
    play.delay = delay
    face = to if abs(to - target) == 1 else target + 1
    moved = _insist(play, face, 2, reaction)
    before = len(play.sent)
    while play.now < moved + 2 * yield_s:
        play.run(1)
        assert len(play.sent) == before


@pytest.mark.parametrize(("insisted", "odds", "obeyed"), [(2, 50.0, True), (2, 2.0, False), (1, 50.0, False)])
def test_a_return_that_looks_like_a_loss_counts_with_the_others(insisted: int, odds: float, obeyed: bool) -> None:
    """The target's box was missed as the hand came back the second time; what went before says who it was."""
    found = Likelihoods(camera=4.0, goes_on=0.5, brings_back=True)
    suspicion = Suspicion(2, 0.0, found, rightwards=True, insisted=insisted, insists_odds=odds)
    assert Yielding().judge(0.0, found, suspicion, PlannerParams()) == obeyed


@pytest.mark.parametrize("reaction", [5, 6, 12])
@pytest.mark.parametrize("missed", [{0}, {1}])
def test_who_insists_is_obeyed_however_boxes_are_read(reaction: int, missed: set[int]) -> None:
    """The hand had pressed already when it was corrected, or the target's box was missed as the hand came back."""
    play = _play()
    play.scene.chosen = 1
    for time in range(2):
        for _ in range(60):
            if play.scene.chosen == 0:
                break
            play.run(1)
        assert play.scene.chosen == 0, "the face was taken away"
        play.run(reaction)
        play.scene.unseen_boxes = {0} if time in missed else set()
        play.run(3)
        play.scene.chosen = 1
        play.run(6)
        play.scene.unseen_boxes = set()
        play.run(3)
        if play.planner.status == SteeringStatus.YIELDING:
            break
    before, until = len(play.sent), play.now + 3.0
    while play.now < until:
        play.run(1)
        assert len(play.sent) == before and play.planner.status == SteeringStatus.YIELDING


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 20), st.floats(0.5, 8.0), st.sampled_from([0, 2]))
def test_always_never_presses_within_yield_s_of_a_step(wait: int, yield_s: float, to: int) -> None:
    scene = Scene(4, target=1, chosen=1, sizes=(100, 90, 80, 140))
    play = Play(scene, Planner(PlannerParams(yield_s=yield_s, photographer="always")))
    play.run(10 * wait)
    scene.chosen, moved = to, play.now
    play.run(30 * 18)
    assert play.sent and play.sent[0][0] - moved >= yield_s - 1e-9


def test_never_corrects_every_move() -> None:
    play = _play(PlannerParams(photographer="never"))
    _insist(play, 1, times=4)
    play.run(30)
    assert len(play.sent) == 5 and play.planner.yields == 0


def test_the_preference_is_live() -> None:
    play = _play()
    play.planner.params = _ALWAYS
    play.scene.chosen = 1
    play.run(30)
    assert play.sent == [] and play.planner.status == SteeringStatus.YIELDING


def test_a_photographer_who_goes_on_stepping_is_obeyed() -> None:
    play = _play(count=6)
    play.scene.chosen = 1
    play.run(18)
    play.scene.chosen = (play.scene.chosen or 0) + 1
    play.run(18)
    play.scene.chosen = (play.scene.chosen or 0) + 1
    play.run(20)
    assert play.planner.status == SteeringStatus.YIELDING


def test_wishes_of_this_session_teach_to_leave_the_next_step_alone() -> None:
    play = _play(PlannerParams(yield_s=2.0))
    for _ in range(3):
        _insist(play, 1, times=1)
        play.run(300)
    before = len(play.sent)
    play.scene.chosen = 1
    play.run(30)
    assert len(play.sent) == before and play.planner.status == SteeringStatus.YIELDING


def test_one_wish_beyond_doubt_is_enough_to_leave_the_next_step_alone() -> None:
    play = _play(PlannerParams(yield_s=2.0))
    _insist(play, 1, times=2)
    play.run(300)
    assert play.scene.chosen == 0
    before = len(play.sent)
    play.scene.chosen = 1
    play.run(30)
    assert len(play.sent) == before and play.planner.status == SteeringStatus.YIELDING


def test_that_a_photographer_is_at_work_is_forgotten_after_a_while() -> None:
    attribution = MoveAttribution(Priors(memory_s=60.0, at_work_odds=1.0))
    row = [Subject(key, Box(300.0 * key, 400.0, 100.0, 120.0)) for key in (1, 2)]
    move = Move(row[0], row[1], before_gone=False)
    for now in (0.0, 1.0):
        attribution.tick(now, {}, 1.5)
        attribution.left(now - 0.6, by_us=True)
        attribution.suspect(now, move, attribution.weigh(now, move, row, 0.0, 960.0))
    for now, at_work in ((1.1, True), (60.5, True), (61.5, False)):
        attribution.tick(now, {}, 1.5)
        assert attribution.at_work == at_work


@pytest.mark.parametrize("to", ["neighbour", "far"])
def test_a_restless_camera_is_corrected_every_time(to: str) -> None:
    play = _play(count=5)
    for k in range(20):
        play.run(100)
        assert play.scene.chosen == 0
        play.scene.chosen = 1 if to == "neighbour" else 2 + k % 3
    assert play.planner.yields == 0


def test_more_than_one_step_at_once_is_the_cameras() -> None:
    play = _play(_ALWAYS)
    play.scene.chosen = 2
    play.run(60)
    assert play.planner.yields == 0 and play.scene.chosen == 0


def test_the_yield_ends_when_the_target_is_chosen_again_or_somebody_says_so() -> None:
    for ask in (False, True):
        play = _play(_ALWAYS)
        play.scene.chosen = 1
        play.run(5)
        assert play.planner.status == SteeringStatus.YIELDING
        if ask:
            play.planner.resume()
            play.run(2)
            assert len(play.sent) == 1
        else:
            play.scene.chosen = 0
            play.run(5)
            assert play.planner.status == SteeringStatus.ON_TARGET


def test_a_press_under_way_that_undoes_the_photographers_step_does_not_end_the_yield() -> None:
    scene = Scene(5, target=0, chosen=0, sizes=(100, 130, 100, 90, 90))
    play = Play(scene, Planner(_ALWAYS), delay=15)
    for _ in range(5):  # the camera's own moves of three steps, each corrected: its response time is known
        play.run(90)
        scene.chosen = 3
    sent = len(play.sent)
    while len(play.sent) == sent:
        play.run(1)
    play.run(play.delay // 2)
    scene.chosen, moved = 4, play.now
    play.run(play.delay // 2 + 2)
    assert scene.chosen != 4, "the press took effect"
    assert play.planner.yields == 1 and play.planner.status == SteeringStatus.YIELDING
    play.run(150)
    later = [at for at, _ in play.sent if at > moved]
    assert later and later[0] - moved >= _YIELDS_S


def test_a_move_that_takes_itself_back_at_once_ends_its_own_yield_only() -> None:
    for hand in (False, True):
        scene = Scene(4, target=None, chosen=1, sizes=(100, 120, 90, 140))
        play = Play(scene, Planner(_ALWAYS))
        play.run(60)
        scene.target = 0
        if hand:
            scene.chosen = 2
            play.run(20)
            assert play.planner.status == SteeringStatus.YIELDING
        chosen, other = (2, 1) if hand else (1, 2)
        scene.misread = {chosen: AfState.DETECTED, other: AfState.TRACKED}
        play.run(3)
        scene.misread = {}
        play.run(8)
        assert (play.planner.status == SteeringStatus.YIELDING) == hand


def test_a_step_is_a_persons_though_the_box_before_is_missed() -> None:
    play = _play(_ALWAYS)
    play.scene.chosen, play.scene.unseen_boxes = 1, {0}
    play.run(4)
    play.scene.unseen_boxes = set()
    play.run(60)
    assert play.sent == [] and play.planner.status == SteeringStatus.YIELDING


def test_nobody_is_chosen_only_where_every_box_is_read() -> None:
    play = _play(PlannerParams(photographer="always"))
    # a person stepped to somebody whose box is missed for some frames
    play.scene.chosen, play.scene.unseen_boxes = 1, {1}
    play.run(12)
    play.scene.unseen_boxes = set()
    play.run(60)
    assert play.sent == [] and play.planner.status == SteeringStatus.YIELDING


def test_who_is_chosen_again_was_not_moved_to() -> None:
    scene = Scene(3, target=0, chosen=1, sizes=(100, 90, 140))
    scene.unseen_faces = scene.unseen_boxes = {0}
    play = Play(scene, Planner(_ALWAYS))
    play.run(60)
    scene.chosen = None
    play.run(20)
    scene.chosen = 1
    play.run(30)
    assert play.planner.yields == 0


def test_a_press_that_led_elsewhere_is_no_person() -> None:
    scene = Scene(5, target=2, chosen=0, sizes=(100, 100, 100, 100, 140))
    play = Play(scene, Planner(_ALWAYS))
    for _ in range(3):  # the response time is known
        play.run(60)
        scene.chosen = 0
    while scene.chosen == 0:
        play.run(1)
    play.run(60)
    scene.chosen, play.delay = 0, 100_000
    sent = len(play.sent)
    while len(play.sent) == sent:
        play.run(1)
    yields = play.planner.yields
    play.run(7)
    scene.chosen = 4  # not where RIGHT leads
    play.run(3)
    assert play.planner.yields == yields and play.planner.status != SteeringStatus.YIELDING


def test_the_state_says_who_and_how_long() -> None:
    play = _play(_ALWAYS)
    play.scene.chosen = 1
    reasons = []
    for _ in range(10):
        play.run(1)
        reasons.append(play.planner.reason)
    assert any("the photographer" in reason and "s left" in reason for reason in reasons)


def test_who_insists_is_obeyed_again_after_the_cameras_own_move_to_the_target() -> None:
    play = _play(PlannerParams(yield_s=4.0))
    _insist(play, 1, times=1)
    play.run(20)
    play.scene.chosen = 0  # the camera, by itself
    play.run(12)
    before = len(play.sent)
    play.scene.chosen = 1
    play.run(30)
    assert len(play.sent) == before and play.planner.status == SteeringStatus.YIELDING


def test_one_doubtful_return_does_not_teach_to_obey_first_steps() -> None:
    """The largest face is where cameras go by themselves: one chance return there does not give the target away."""
    scene = Scene(4, target=0, chosen=0, sizes=[100.0, 180.0, 90.0, 90.0])
    play = Play(scene, Planner(PlannerParams(yield_s=2.0)))
    play.run(40)
    for wait in (22, 14):
        scene.chosen = 1
        play.run(12 + wait)
    play.run(150)
    before = len(play.sent)
    scene.chosen = 1
    play.run(40)
    assert len(play.sent) > before
