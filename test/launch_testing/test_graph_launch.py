"""Bringup, respawn and replay under the real launch_testing; skipped where it is not installed.

The same behaviours are tested without it in test_bringup.py, test_respawn.py and test_replay_graph.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import unittest
from typing import Any

import pytest

launch_testing = pytest.importorskip("launch_testing", reason="launch_testing comes with a real ROS 2")
pytest.importorskip("launch_testing.actions")

from launch import LaunchDescription  # noqa: E402
from launch.actions import IncludeLaunchDescription, TimerAction  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from launch.substitutions import PathJoinSubstitution  # noqa: E402
from launch_ros.substitutions import FindPackageShare  # noqa: E402


@pytest.mark.launch_test
def generate_test_description() -> LaunchDescription:
    file = PathJoinSubstitution([FindPackageShare("face_af"), "launch", "bringup.launch.py"])
    arguments = {"source": "none", "transport": "dry_run", "debug": "false"}
    return LaunchDescription(
        [
            IncludeLaunchDescription(PythonLaunchDescriptionSource(file), launch_arguments=arguments.items()),
            TimerAction(period=5.0, actions=[launch_testing.actions.ReadyToTest()]),
        ]
    )


class TestGraph(unittest.TestCase):
    def test_nodes_report_diagnostics(self, proc_output: Any) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray

        rclpy.init()
        node = rclpy.create_node("listener")
        heard: set[str] = set()
        node.create_subscription(
            DiagnosticArray, "/diagnostics", lambda message: heard.update(s.name for s in message.status), 50
        )
        wanted = {f"face_af/{name}" for name in ("perception", "overlay", "steering", "nikon_mcn10")}
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not wanted <= heard:
            rclpy.spin_once(node, timeout_sec=0.2)
        node.destroy_node()
        rclpy.shutdown()
        self.assertLessEqual(wanted, heard)

    def test_killed_nodes_are_started_again(self, proc_info: Any) -> None:
        before = _pid("container")
        os.kill(before, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if _pid("container") != before:
                    return
            except subprocess.CalledProcessError:
                pass
            time.sleep(0.2)
        self.fail("the nodes were not started again")


def _pid(executable: str) -> int:
    """Of the process that this test's own launch started."""
    found = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", f"/{executable} .*--ros-args"],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(found.stdout.split()[0])
