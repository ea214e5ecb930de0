"""When a child hangs, and how patiently it is started again."""

from __future__ import annotations

import time

import pytest

from face_af_common.supervisor import HANG_S, START_S, Beats, Patience


def test_an_executor_hangs_when_it_has_not_turned_for_two_seconds() -> None:
    beats = Beats(2)
    start = time.monotonic()
    assert not beats.hangs(start + START_S - 1.0, start)
    assert beats.hangs(start + START_S + 1.0, start), "it never turned"
    beats.beat(0)
    assert beats.hangs(start + START_S + 1.0, start), "the other one never turned"
    beats.beat(1)
    now = time.monotonic()
    assert not beats.hangs(now + HANG_S - 0.2, start)
    assert beats.hangs(now + HANG_S + 0.2, start)
    assert not beats.hangs(now + 100.0, now + 99.0), "nobody could turn while all of it stood still"
    beats.reset()
    assert not beats.hangs(now + HANG_S + 0.2, now), "a new child has its time to start"


def test_who_dies_again_and_again_waits_longer_and_longer() -> None:
    patience = Patience()
    assert [patience.after(0.5) for _ in range(7)] == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert patience.after(20.0) == 0.0, "after a longer life everything is forgiven"
    assert patience.after(0.5) == 1.0


@pytest.mark.parametrize("executors", [1, 5])
def test_a_fresh_child_does_not_hang(executors: int) -> None:
    now = time.monotonic()
    assert not Beats(executors).hangs(now, now)
