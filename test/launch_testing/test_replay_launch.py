"""A replay under the real launch_testing: it ends by itself with a report; skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import pytest

launch_testing = pytest.importorskip("launch_testing", reason="launch_testing comes with a real ROS 2")
pytest.importorskip("launch_testing.actions")

from launch import LaunchDescription  # noqa: E402
from launch.actions import ExecuteProcess, IncludeLaunchDescription  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from launch.substitutions import PathJoinSubstitution  # noqa: E402
from launch_ros.substitutions import FindPackageShare  # noqa: E402

FOLDER = Path(tempfile.mkdtemp(prefix="face_af_replay_test_"))
LINGER = """
import pathlib, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.1)
time.sleep(1.0)
"""
"""Keeps the launch, which the player's end shuts down, until the test has seen that: launch_testing wants it so."""


@pytest.mark.launch_test
def generate_test_description() -> LaunchDescription:
    path = Path(__file__).parents[2] / "src/face_af_recording/test/bags.py"
    spec = importlib.util.spec_from_file_location("bags", path)
    assert spec is not None and spec.loader is not None
    bags = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bags)
    bag = bags.write_bag(FOLDER / "bag", 10)
    file = PathJoinSubstitution([FindPackageShare("face_af"), "launch", "replay.launch.py"])
    arguments = {"bag": str(bag), "recompute": "overlay,steering", "rate": "0", "report": str(FOLDER / "report.json")}
    return LaunchDescription(
        [
            IncludeLaunchDescription(PythonLaunchDescriptionSource(file), launch_arguments=arguments.items()),
            ExecuteProcess(cmd=[sys.executable, "-c", LINGER, str(FOLDER / "seen")]),
            launch_testing.actions.ReadyToTest(),
        ]
    )


class TestReplay(unittest.TestCase):
    def test_it_ends_by_itself(self, proc_info: Any) -> None:
        proc_info.assertWaitForShutdown(process="replay_player", timeout=90)
        (FOLDER / "seen").touch()


@launch_testing.post_shutdown_test()
class TestReport(unittest.TestCase):
    def test_report(self) -> None:
        report = json.loads((FOLDER / "report.json").read_text())
        self.assertEqual(report["score"]["frames"], 10)
        self.assertEqual(report["unanswered"], 0)
