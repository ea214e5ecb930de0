"""Ids and states over time."""

from __future__ import annotations

from face_af_common.types import AfBox, AfState, Box
from face_af_overlay.follow import BoxTracker
from face_af_overlay.params import FollowParams

PARAMS = FollowParams()
FRAME = 1 / 30


def box(x: float, state: AfState = AfState.DETECTED, confidence: float = 0.9) -> AfBox:
    return AfBox(state, Box(x, 100, 80, 80), confidence)


def test_ids_stay_while_boxes_move() -> None:
    follower = BoxTracker()
    first = follower.update([box(100), box(400)], 0.0, PARAMS)
    for i in range(1, 20):
        now = follower.update([box(400 - 9 * i), box(100 + 9 * i)], i * FRAME, PARAMS)
        assert {b.id for b in now} == {b.id for b in first}
        if i < 14:
            assert min(now, key=lambda b: abs(b.box.x - 100 - 9 * i)).id == first[0].id


def test_a_flicker_is_bridged_and_a_loss_is_not() -> None:
    follower = BoxTracker()
    (seen,) = follower.update([box(100)], 0.0, PARAMS)
    assert follower.update([], FRAME, PARAMS) == [seen]
    assert [b.id for b in follower.update([box(101)], 2 * FRAME, PARAMS)] == [seen.id]
    assert follower.update([], 2 * FRAME + PARAMS.hold + 0.01, PARAMS) == []


def test_a_box_replaced_by_another_is_not_held() -> None:
    follower = BoxTracker()
    follower.update([box(100)], 0.0, PARAMS)
    grown = AfBox(AfState.TRACKED, Box(90, 90, 140, 140), 0.9)
    assert len(follower.update([grown], FRAME, PARAMS)) == 1


def test_an_unsure_change_of_state_waits_and_a_sure_one_does_not() -> None:
    follower = BoxTracker()
    follower.update([box(100)], 0.0, PARAMS)
    assert follower.update([box(100, AfState.TRACKED, 0.6)], FRAME, PARAMS)[0].state == AfState.DETECTED
    assert follower.update([box(100)], 2 * FRAME, PARAMS)[0].state == AfState.DETECTED
    assert follower.update([box(100, AfState.TRACKED, 0.95)], 3 * FRAME, PARAMS)[0].state == AfState.TRACKED


def test_a_lasting_change_of_state_comes_through() -> None:
    follower = BoxTracker()
    follower.update([box(100)], 0.0, PARAMS)
    states = [follower.update([box(100, AfState.ACTIVE_FOCUS, 0.6)], i * FRAME, PARAMS)[0].state for i in range(1, 5)]
    assert states[-1] == AfState.ACTIVE_FOCUS


def test_time_that_jumps_back_starts_anew() -> None:
    follower = BoxTracker()
    (before,) = follower.update([box(100)], 50.0, PARAMS)
    (after,) = follower.update([box(100)], 1.0, PARAMS)
    assert after.id != before.id
