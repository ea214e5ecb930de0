"""tools/ros2_pip: however a launch ends, everything that it started ends with it."""

from __future__ import annotations

import re
import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from launch_files import ROS2, write
from processes import Started, started, uses_stand_in

if not uses_stand_in():
    pytest.skip("a real ROS 2 is used here", allow_module_level=True)

STUBBORN = """
yield sh("trap '' INT TERM; echo ready; while :; do sleep 0.1; done", sigterm_timeout="0.3", sigkill_timeout="0.3")
"""
FAMILY = """
yield sh("sleep 300 & sleep 300 & echo ready; wait")
yield sh("exec sleep 301", respawn=True)
yield ExecuteProcess(cmd=["sleep", "302"])
"""


def begin(path: Path, log: Path) -> AbstractContextManager[Started]:
    return started([*ROS2, "launch", str(path)], log, ROS_LOG_DIR=str(log.parent / "log"))


def ends(run: Started, number: int, status: int, timeout: float = 10.0) -> None:
    run.process.send_signal(number)
    assert run.process.wait(timeout) == status, run.output()
    assert run.gone(0.5), run.output()


def test_ctrl_c_reaches_everything(tmp_path: Path) -> None:
    with begin(write(tmp_path, FAMILY), tmp_path / "out") as run:
        assert run.wait_for("ready", 20)
        time.sleep(0.3)
        ends(run, signal.SIGINT, 0)
        assert "user interrupted with ctrl-c (SIGINT)" in run.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_as_well(tmp_path: Path, number: int) -> None:
    with begin(write(tmp_path, FAMILY), tmp_path / "out") as run:
        assert run.wait_for("ready", 20)
        ends(run, number, 1)


def test_who_does_not_listen_is_killed_in_three_steps(tmp_path: Path) -> None:
    with begin(write(tmp_path, STUBBORN), tmp_path / "out") as run:
        assert run.wait_for("ready", 20)
        ends(run, signal.SIGINT, 0)
        sent = re.findall(r"sending signal '(\w+)'", run.output())
        assert sent == ["SIGINT", "SIGTERM", "SIGKILL"]


def test_what_a_process_left_behind_goes_on_until_the_launch_ends_where_it_is_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    body = f"""
    yield sh("sleep 300 & echo $! >> {mark}; echo ready; exit 1", respawn=True, respawn_delay=60.0)
    yield sh("sleep 300 & echo $! >> {mark}; echo ready; sleep 300")
    """
    with begin(write(tmp_path, body), tmp_path / "out") as run:
        assert run.until(lambda: "[sh-2] ready" in run.output() and "process has died" in run.output(), 20)
        assert set(map(int, mark.read_text().split())) < set(run.descendants())
        ends(run, signal.SIGINT, 0)


def test_what_a_process_left_behind_ends_with_it_where_it_is_not(tmp_path: Path) -> None:
    body = """
    yield sh("sleep 300 & echo left $!; exit 0")
    yield sh("echo ready; sleep 300")
    """
    with begin(write(tmp_path, body), tmp_path / "out") as run:
        assert run.until(lambda: "ready" in run.output() and "finished cleanly" in run.output(), 20)
        (pid,) = re.findall(r"left (\d+)", run.output())
        assert run.until(lambda: int(pid) not in run.descendants(), 10)


def test_nothing_is_left_when_the_launch_is_killed(tmp_path: Path) -> None:
    with begin(write(tmp_path, 'yield sh("echo ready; exec sleep 300")'), tmp_path / "out") as run:
        assert run.wait_for("ready", 20)
        run.process.kill()
        assert run.gone(3.0)


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
def test_ctrl_c_at_any_moment(tmp_path: Path, delay: float) -> None:
    with begin(write(tmp_path, FAMILY), tmp_path / "out") as run:
        time.sleep(delay)
        run.process.send_signal(signal.SIGINT)
        run.process.wait(15)
        assert run.gone(1.0), run.output()


def test_a_closed_pipe_ends_it(tmp_path: Path) -> None:
    path = write(tmp_path, 'yield sh("while :; do echo line; sleep 0.05; done")')
    command = f"{' '.join(ROS2)} launch {path} | head -4"
    with started(["sh", "-c", command], tmp_path / "out", ROS_LOG_DIR=str(tmp_path / "log")) as run:
        assert run.gone(20.0)
        assert len(run.output().splitlines()) == 4
