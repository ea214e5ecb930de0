"""Processes that are killed come back with what was chosen live, and a recording goes on elsewhere."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from processes import Started, ros2, started

pytestmark = pytest.mark.timeout(200)

ARGUMENTS = ["source:=none", "transport:=dry_run", "debug:=false"]


def children_of(run: Started, executable: str) -> dict[int, int]:
    """Process ids of the supervised processes of ``executable``, and of their supervisors."""
    found = {}
    for pid in run.descendants():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            parent = int(re.findall(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])
        except OSError:
            continue
        if any(part.endswith(f"/{executable}".encode()) for part in command):
            found[pid] = parent
    return {pid: parent for pid, parent in found.items() if parent in found}


def replaced(run: Started, executable: str) -> None:
    """Kills the process, and waits until another one is there."""
    assert run.until(lambda: children_of(run, executable), 60), run.output()
    (killed,) = children_of(run, executable)
    os.kill(killed, signal.SIGKILL)
    assert run.until(lambda: children_of(run, executable).keys() - {killed}, 30), run.output()
    assert "(SIGKILL); it is started again" in run.output()


def test_a_recording_goes_on_elsewhere_when_the_recorder_was_killed(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    with started(
        ["ros2", "launch", "face_af", "bringup.launch.py", *ARGUMENTS, "record:=true", f"bag:={bag}"], tmp_path / "log"
    ) as run:
        assert run.wait_for(f"recording to {bag}", 60), run.output()
        replaced(run, "recorder")
        assert run.wait_for(f"recording to {bag}_2", 30), run.output()
        run.process.send_signal(signal.SIGINT)
        assert run.gone(25), run.output()
    for folder in (bag, tmp_path / "bag_2"):
        assert (folder / "metadata.yaml").is_file()


def test_who_was_paused_is_paused_after_a_crash_and_a_second_bringup_is_passive(tmp_path: Path) -> None:
    command = ["ros2", "launch", "face_af", "bringup.launch.py", *ARGUMENTS]
    with started(command, tmp_path / "log") as run:
        answer = ros2(run, "service", "call", "/face_af/pause", "std_srvs/srv/Trigger")
        assert "paused: no presses until resume" in answer, answer + run.output()
        replaced(run, "container")
        # a real ros2 does not wait for a node that is only just starting
        assert run.until(lambda: "True" in ros2(run, "param", "get", "/face_af/steering", "paused"), 60), run.output()
        environ = Path(f"/proc/{run.process.pid}/environ").read_bytes().split(b"\0")
        domain = next(e.split(b"=")[1].decode() for e in environ if e.startswith(b"ROS_DOMAIN_ID="))
        with started(command, tmp_path / "log2", ROS_DOMAIN_ID=domain) as second:
            assert second.wait_for("this one does nothing until that has ended", 60), second.output()
            second.process.send_signal(signal.SIGINT)
            assert second.gone(25), second.output()
        run.process.send_signal(signal.SIGINT)
        assert run.gone(25), run.output()
        assert "Traceback" not in run.output() + (tmp_path / "log2").read_text()


def test_nodes_whose_supervisor_was_killed_work_until_the_next_one_is_ready(tmp_path: Path) -> None:
    def answers() -> bool:
        return "False" in ros2(run, "param", "get", "/face_af/steering", "paused")

    with started(["ros2", "launch", "face_af", "bringup.launch.py", *ARGUMENTS], tmp_path / "log") as run:
        assert run.until(answers, 60), run.output()
        ((child, supervisor),) = children_of(run, "container").items()
        os.kill(supervisor, signal.SIGKILL)
        assert run.until(lambda: children_of(run, "container"), 60), run.output()
        assert child in run.descendants()
        assert answers()
        os.kill(child, signal.SIGALRM)  # its time is over
        assert run.until(lambda: child not in run.descendants(), 30)
        assert run.until(answers, 30), run.output()
        run.process.send_signal(signal.SIGINT)
        assert run.gone(25), run.output()
