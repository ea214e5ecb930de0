"""When a child hangs, and how patiently it is started again."""

from __future__ import annotations

import time

from face_af_common.supervisor import HANG_S, START_S, Beats, Patience


def test_an_executor_hangs_when_it_has_not_turned_for_two_seconds() -> None:
    beats = Beats(["one", "two"])
    start = time.monotonic()
    assert not beats.late(start + START_S - 1.0, start)
    assert beats.late(start + START_S + 1.0, start) == ["one", "two"], "they never turned"
    beats.beat(0)
    assert beats.late(time.monotonic() + HANG_S + 0.2, start) == ["one"], "the other one may take its time to start"
    beats.beat(1)
    now = time.monotonic()
    assert not beats.late(now + HANG_S - 0.2, start)
    assert beats.late(now + HANG_S + 0.2, start) == ["one", "two"]
    assert not beats.late(now + 100.0, now + 99.0), "nobody could turn while all of it stood still"
    beats.wait()
    assert not beats.late(now + START_S - 1.0, start), "who has waited has its time to start, too"
    assert beats.late(now + START_S + 1.0, start) == ["one", "two"]
    beats.reset()
    assert not beats.late(now + HANG_S + 0.2, now), "a new child has its time to start"


def test_who_dies_again_and_again_waits_longer_and_longer() -> None:
    patience = Patience()
    assert patience.hang_s == HANG_S
    assert [patience.after(0.5) for _ in range(7)] == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert patience.after(20.0) == 0.0, "after a longer life everything is forgiven"
    assert patience.hang_s == 2 * HANG_S, "it may only be slow"
    assert patience.after(0.5) == 1.0


def test_a_fresh_child_does_not_hang() -> None:
    now = time.monotonic()
    assert not Beats(["one", "two"]).late(now, now)
