"""Nodes that are killed come back and report again; the others stay."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from processes import Started, started

pytestmark = pytest.mark.timeout(200)


def pid_of(run: Started, executable: str, other_than: int | None = None) -> int | None:
    for pid in sorted(run.descendants()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if pid != other_than and any(part.endswith(f"/{executable}".encode()) for part in command):
            return pid
    return None


def wait_for_pid(run: Started, executable: str, other_than: int | None, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        pid = pid_of(run, executable, other_than)
        if pid is not None:
            return pid
        time.sleep(0.1)
    return None


def test_killed_nodes_come_back_and_a_recording_goes_on_elsewhere(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    arguments = ["source:=none", "transport:=dry_run", "debug:=false", "standby:=false", "record:=true", f"bag:={bag}"]
    with started(["ros2", "launch", "face_af", "bringup.launch.py", *arguments], tmp_path / "log") as run:
        assert run.wait_for(f"recording to {bag}", 60), run.output()
        steering = wait_for_pid(run, "steering", None, 20)
        for executable in ("overlay", "recorder", "overlay"):
            killed = wait_for_pid(run, executable, None, 20)
            assert killed is not None, run.output()
            os.kill(killed, signal.SIGKILL)
            again = wait_for_pid(run, executable, killed, 20)
            assert again is not None, f"{executable} is not started again:\n{run.output()}"
        assert run.wait_for(f"recording to {bag}_2", 30), run.output()
        assert pid_of(run, "steering") == steering
        assert "it is started again in 0.1 s" in run.output()
        assert "it is started again in 1 s" in run.output(), "the second death in a row"
        run.process.send_signal(signal.SIGINT)
        assert run.gone(25), run.output()
    for folder in (bag, tmp_path / "bag_2"):
        assert (folder / "metadata.yaml").is_file()


def threads(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("Threads:")[2].split()[0])


def test_a_standby_takes_over_at_once(tmp_path: Path) -> None:
    arguments = ["source:=none", "transport:=dry_run", "debug:=false"]
    with started(["ros2", "launch", "face_af", "bringup.launch.py", *arguments], tmp_path / "log") as run:
        killed = wait_for_pid(run, "perception", None, 20)
        assert killed is not None, run.output()
        standby = wait_for_pid(run, "perception", killed, 30)
        assert standby is not None, run.output()
        time.sleep(4.0)  # imports
        waiting = threads(standby)
        os.kill(killed, signal.SIGKILL)
        assert run.wait_for("its standby goes on", 10), run.output()
        deadline = time.monotonic() + 10
        # a node of DDS has many more threads than a process that only waits for a lock
        while threads(standby) < waiting + 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert threads(standby) >= waiting + 5, run.output()
        run.process.send_signal(signal.SIGINT)
        assert run.gone(25), run.output()
        assert "Traceback" not in run.output()
