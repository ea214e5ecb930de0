"""The debug view's joins: complete pictures first, silent streams not waited for, bounded memory."""

from __future__ import annotations

from face_af_view.debug_joiner import RESULTS, DebugJoiner


def complete(joiner: DebugJoiner, stamp: int, now: float) -> None:
    for stream in RESULTS:
        joiner.add_result(stream, stamp, f"{stream}{stamp}", now)


def test_picture_waits_for_the_streams_that_talk() -> None:
    joiner = DebugJoiner()
    complete(joiner, 0, 0.0)
    joiner.add_picture(10, "p10", 0.1)
    joiner.add_result("faces", 10, "f", 0.12)
    joiner.add_result("boxes", 10, "b", 0.12)
    assert joiner.take(0.13, patience=0.3) is None
    joiner.add_result("state", 10, "s", 0.14)
    entry = joiner.take(0.14, patience=0.3)
    assert entry is not None and entry.results == {"faces": "f", "boxes": "b", "state": "s"}


def test_result_may_overtake_its_picture() -> None:
    joiner = DebugJoiner()
    complete(joiner, 10, 0.0)
    joiner.add_picture(10, "p", 0.01)
    entry = joiner.take(0.01, patience=0.3)
    assert entry is not None and set(entry.results) == set(RESULTS)


def test_dead_stream_is_not_waited_for_longer_than_patience_and_then_not_at_all() -> None:
    joiner = DebugJoiner()
    complete(joiner, 0, 0.0)
    joiner.add_picture(10, "p", 0.1)
    joiner.add_result("faces", 10, "f", 0.1)
    assert joiner.take(0.2, patience=0.3) is None
    entry = joiner.take(0.4, patience=0.3)
    assert entry is not None and entry.results == {"faces": "f"}
    joiner.add_picture(20, "q", 1.5)
    assert joiner.take(1.5, patience=0.3) is not None, "streams silent for a second"


def test_older_pictures_are_dropped_and_memory_is_bounded() -> None:
    joiner = DebugJoiner(depth=4)
    complete(joiner, 0, 0.0)
    for stamp in range(1, 50):
        joiner.add_picture(stamp, stamp, 0.0)
    complete(joiner, 49, 0.0)
    entry = joiner.take(0.0, patience=1.0)
    assert entry is not None and entry.picture == 49
    assert joiner.take(5.0, patience=1.0) is None


def test_a_clock_that_jumps_back_starts_anew() -> None:
    joiner = DebugJoiner()
    joiner.add_picture(1000, "new", 0.0)
    joiner.add_picture(5, "old", 0.1)
    entry = joiner.take(0.1, patience=0.0)
    assert entry is not None and entry.picture == "old"


def test_fps_counts_finished_frames() -> None:
    joiner = DebugJoiner()
    assert joiner.fps(0.0) is None
    for i in range(31):
        joiner.add_result("faces", i, i, i / 30)
    fps = joiner.fps(1.0)
    assert fps is not None and abs(fps - 30) < 0.5
