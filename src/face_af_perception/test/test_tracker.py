from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_common.types import Box
from face_af_perception.alignment import ARCFACE
from face_af_perception.detectors import Detection
from face_af_perception.params import TrackerParams
from face_af_perception.tracker import Tracker

GREY = np.full((360, 640, 3), 128, np.uint8)


def face(x: float, y: float = 100, size: float = 40) -> Detection:
    return Detection(Box(x, y, size, size), 0.9, (ARCFACE / 112 * size + (x, y)).astype(np.float32))


def ids(tracker: Tracker) -> list[int]:
    return [track.memory.id for track in tracker.tracks]


def test_a_moving_face_keeps_its_track() -> None:
    tracker = Tracker(TrackerParams())
    for i in range(60):
        tracker.update([face(10 + 9 * i)], GREY, i / 30)
    assert ids(tracker) == [1]


def test_faces_are_listed_in_the_detectors_order() -> None:
    tracker = Tracker(TrackerParams())
    tracker.update([face(10), face(300)], GREY, 0.0)
    tracker.update([face(302), face(12)], GREY, 0.03)
    assert ids(tracker) == [2, 1]


def test_a_face_that_is_back_within_a_second_is_the_same_and_to_be_verified() -> None:
    tracker = Tracker(TrackerParams())
    for i in range(10):
        tracker.update([face(100 + 2 * i)], GREY, i / 30)
    for i in range(10, 40):
        tracker.update([], GREY, i / 30)
        assert not tracker.tracks
    tracker.update([face(135)], GREY, 41 / 30)
    assert ids(tracker) == [1] and tracker.tracks[0].doubtful


def test_a_face_that_was_away_for_long_gets_a_new_track() -> None:
    tracker = Tracker(TrackerParams(keep_s=1.0))
    tracker.update([face(100)], GREY, 0.0)
    tracker.update([], GREY, 2.0)
    tracker.update([face(100)], GREY, 2.1)
    assert ids(tracker) == [2] and not tracker.lost


def test_a_far_face_is_somebody_else() -> None:
    tracker = Tracker(TrackerParams())
    tracker.update([face(100)], GREY, 0.0)
    tracker.update([face(400)], GREY, 0.033)
    assert ids(tracker) == [2] and [t.memory.id for t in tracker.lost] == [1]


def test_two_that_cross_in_plain_sight_keep_their_tracks_by_motion() -> None:
    tracker = Tracker(TrackerParams())
    for i in range(60):
        tracker.update([face(100 + 4 * i, 100), face(340 - 4 * i, 112)], GREY, i / 30)
    assert ids(tracker) == [1, 2]


def test_a_reset_forgets_places_but_not_ids() -> None:
    tracker = Tracker(TrackerParams())
    tracker.update([face(100)], GREY, 5.0)
    tracker.reset()
    tracker.update([face(100)], GREY, 1.0)
    assert ids(tracker) == [2]


boxes = st.builds(face, st.floats(-50, 700, width=32), st.floats(-50, 400, width=32), st.floats(1, 300, width=32))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 3), st.lists(boxes, max_size=6)), max_size=12))
def test_whatever_is_found_ids_are_unique_and_never_reused(frames: list[tuple[float, list[Detection]]]) -> None:
    tracker = Tracker(TrackerParams())
    stamp, gone, before = 0.0, set(), set()
    for step, found in frames:
        stamp += step
        tracker.update(found, GREY, stamp)
        now = ids(tracker)
        assert len(now) == len(found) == len(set(now))
        kept = {t.memory.id for t in tracker.lost}
        assert not kept & set(now) and not gone & set(now)
        gone |= (before - set(now)) - kept
        before = set(now) | kept
