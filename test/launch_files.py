"""Launch files for tests of the stand-in for `launch`, and how they are started."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROS2 = [sys.executable, "-m", "ros2_pip"]

HEAD = """
from launch import LaunchDescription
from launch.actions import *
from launch.conditions import *
from launch.event_handlers import *
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import *
from launch_ros.actions import *
from launch_ros.parameter_descriptions import *
from launch_ros.substitutions import *

def sh(script, **more):
    return ExecuteProcess(cmd=["sh", "-c", script], output="screen", **more)

def generate_launch_description():
    return LaunchDescription(list(entities()))
"""


def write(folder: Path, body: str, name: str = "test.launch.py") -> Path:
    """A launch file whose ``entities()`` has that body."""
    path = folder / name
    path.write_text(HEAD + "\ndef entities():\n" + textwrap.indent(textwrap.dedent(body), "    "))
    return path
