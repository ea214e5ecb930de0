"""When the nodes of a process count as hung."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from face_af_common.liveness import HANG_S, START_S, Beats, Silence, Starvation

STEP = 0.25


def pass_time(silence: Silence, start: float, seconds: float, starved: float = 0.0) -> float:
    """Looks every 0.25 s; ``starved``: the share of the time in which a thread waited for a processor."""
    for step in range(1, round(seconds / STEP) + 1):
        silence.look(start + step * STEP, starved * STEP)
    return start + seconds


def test_an_executor_hangs_when_it_has_not_turned_for_two_seconds() -> None:
    beats = Beats(["one", "two"])
    silence = Silence(beats, 0.0)
    now = pass_time(silence, 0.0, START_S)
    assert not silence.hung()
    beats.beat(0)
    now = pass_time(silence, now, 1.0)
    assert silence.hung() == ["two"], "it never turned"
    beats.beat(1)
    now = pass_time(silence, now, HANG_S)
    assert silence.hung() == ["one"], "the other one turned later"
    pass_time(silence, now, 0.5)
    assert silence.hung() == ["one", "two"]
    assert not silence.hung(2 * HANG_S)


def test_who_has_waited_to_be_the_one_has_its_time_to_start_too() -> None:
    beats = Beats(["one"])
    silence = Silence(beats, 0.0)
    now = 0.0
    for _ in range(3):
        beats.wait()
        now = pass_time(silence, now, START_S - 1.0)
        assert not silence.hung()
    pass_time(silence, now, 2.0)
    assert silence.hung() == ["one"]


def test_nobody_could_turn_while_the_whole_machine_stood_still() -> None:
    beats = Beats(["one"])
    silence = Silence(beats, 0.0)
    beats.beat(0)
    silence.look(0.25)
    silence.look(100.0)
    assert not silence.hung()
    pass_time(silence, 100.0, HANG_S + STEP)
    assert silence.hung() == ["one"]


def test_on_a_busy_machine_a_child_may_be_slow_but_not_hang_for_ever() -> None:
    beats = Beats(["one"])
    silence = Silence(beats, 0.0)
    beats.beat(0)
    silence.look(STEP, 0.0)
    now = pass_time(silence, STEP, 1.5 * HANG_S, starved=0.5)
    assert not silence.hung()
    pass_time(silence, now, 5 * HANG_S, starved=2.0)
    assert silence.hung() == ["one"], "several threads that wait do not hide it"


@contextmanager
def spinning(cpu: int) -> Iterator[int]:
    """A process that keeps one processor busy."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{cpu}])\nprint(flush=True)\nwhile True: pass"],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this kernel does not count who waits")
def test_two_processes_on_one_processor_are_starved() -> None:
    cpu = min(os.sched_getaffinity(0))
    with spinning(cpu) as one, spinning(cpu):
        starvation = Starvation(one)
        starvation.since_last()
        waited, stop = 0.0, time.monotonic() + 30.0
        while waited < 0.2 and time.monotonic() < stop:
            time.sleep(0.05)
            waited += starvation.since_last()
    assert waited >= 0.2


def test_who_sleeps_is_not_starved_and_who_has_ended_neither() -> None:
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    assert process.stdout is not None and process.stdin is not None
    process.stdout.readline()
    starvation = Starvation(process.pid)
    starvation.since_last()
    time.sleep(0.5)
    assert starvation.since_last() < 0.5
    process.communicate(b"\n")
    assert starvation.since_last() == 0.0
