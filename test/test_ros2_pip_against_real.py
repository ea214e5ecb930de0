"""Every launch file under the real `launch` and under tools/ros2_pip's stand-in: both must do the same.

FACE_AF_REAL_LAUNCH names the folders, colons between, in which Python finds the real launch, launch_ros, ros2launch,
osrf_pycommon and composition_interfaces. The executables are replaced by a program that notes how it was called.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from ament_index_python.packages import get_package_share_directory
from processes import uses_stand_in

if not uses_stand_in():
    pytest.skip("a real ROS 2 is used here", allow_module_level=True)

REAL = [folder for folder in os.environ.get("FACE_AF_REAL_LAUNCH", "").split(os.pathsep) if folder]
pytestmark = pytest.mark.skipif(not REAL, reason="FACE_AF_REAL_LAUNCH names no folders with the real launch")

ROOT = Path(__file__).resolve().parents[1]
ARGUMENTS: dict[str, list[list[str]]] = {
    "bringup.launch.py": [
        ["source:=file", "device:=some.mp4", "transport:=dry_run", "target:=ada", "record:=true", "bag:=there"],
        ["source:=none", "debug:=false", "use_sim_time:=true", "namespace:=/a/b", "log_level:=debug", "respawn:=false"],
    ],
    "sim.launch.py": [["clock:=lockstep", "seed:=7", "duration:=5", "target:=3", "gallery:=there"]],
    "replay.launch.py": [["bag:=VIDEO", "rate:=0", "loop:=true", "debug:=true"]],
    "demo.launch.py": [["clock:=lockstep", "target:=ada"]],
}
"""What to start each launch file with, beside nothing at all; VIDEO is a video file that exists."""

FILES = sorted(path.name for path in (ROOT / "launch").glob("*.launch.py"))
CASES = [(name, arguments) for name in FILES for arguments in ([], *ARGUMENTS.get(name, []))]

EVERYTHING = """
from typing import List
from launch import LaunchDescription
from launch.actions import (AppendEnvironmentVariable, DeclareLaunchArgument, GroupAction, OpaqueFunction,
                            RegisterEventHandler, SetEnvironmentVariable, SetLaunchConfiguration, TimerAction)
from launch.conditions import IfCondition, LaunchConfigurationEquals, UnlessCondition
from launch.event_handlers import OnProcessStart
from launch.substitutions import (Command, EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution,
                                  PythonExpression, TextSubstitution)
from launch_ros.actions import Node, PushRosNamespace, SetParameter, SetRemap
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackagePrefix, FindPackageShare

number = LaunchConfiguration("number")

def overlay(name, *parameters, **more):
    return Node(package="face_af_overlay", executable="overlay", name=name, parameters=list(parameters), **more)

def generate_launch_description():
    first = overlay("first", {
        "a": {"b": number, "c": [1, 2.5], "d": ["x", "y"]}, "e": ["n", number], "f": "1", "g": True,
        "h": ParameterValue(number, value_type=float), "i": ParameterValue(["[1,", number, "]"], value_type=List[int]),
        "j": ParameterValue(["s", number], value_type=str), ("k", number): 1.5, "l": [[number], ["9"]]})
    return LaunchDescription([
        DeclareLaunchArgument("number", default_value="5"),
        DeclareLaunchArgument("on", default_value=PythonExpression([number, " > 4"]), description="Whether",
                              condition=IfCondition("true")),
        DeclareLaunchArgument("path", default_value=[TextSubstitution(text="/a"), EnvironmentVariable("HOME")]),
        SetEnvironmentVariable("FACE_AF_A", number),
        AppendEnvironmentVariable("FACE_AF_A", "6"),
        GroupAction([
            SetEnvironmentVariable("FACE_AF_B", "in"), PushRosNamespace("one"), PushRosNamespace("two"),
            SetRemap("m", "n"),
            SetParameter("use_sim_time", True), SetParameter("words", "hello there"), first,
            overlay("absolute", namespace="/top", remappings=[("x", ["y", number])]),
            overlay(None, {"z": 0}),
        ]),
        GroupAction([SetLaunchConfiguration("number", "8")], scoped=False),
        overlay("after", PathJoinSubstitution([FindPackageShare("face_af"), "config", "face_af.yaml"]),
                arguments=[number, Command("echo -n there")], condition=IfCondition(LaunchConfiguration("on"))),
        overlay("never", condition=UnlessCondition(LaunchConfiguration("on"))),
        overlay("equal", condition=LaunchConfigurationEquals("number", "8")),
        overlay("file", ParameterFile([FindPackagePrefix("face_af_overlay"), "/no.yaml"]),
                additional_env={"FACE_AF_C": "3"}),
        RegisterEventHandler(OnProcessStart(target_action=first, on_start=[overlay("second", namespace="late")])),
        TimerAction(period=0.5, actions=[overlay("timed", arguments=[LaunchConfiguration("path")])]),
        OpaqueFunction(function=lambda context, n: [overlay(n + number.perform(context))], args=["opaque"]),
    ])
"""

START = """
import sys
import launch
from launch import LaunchDescription, LaunchService
from launch.actions import EmitEvent, IncludeLaunchDescription, TimerAction
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource

print("this is", launch.__file__, file=sys.stderr)
path, *words = sys.argv[1:]
arguments = [tuple(word.split(":=", 1)) for word in words]
service = LaunchService(argv=words, noninteractive=True)
service.include_launch_description(
    LaunchDescription(
        [
            IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=arguments),
            TimerAction(period=4.0, actions=[EmitEvent(event=Shutdown(reason="seen"))]),
        ]
    )
)
sys.exit(service.run())
"""

SHOW = {
    "real": """
import sys
from launch.launch_description_sources import get_launch_description_from_python_launch_file as load
from ros2launch.api import print_arguments_of_launch_description
print_arguments_of_launch_description(launch_description=load(sys.argv[1]))
""",
    "ours": """
import sys
from ros2_pip.main import main
sys.exit(main(["launch", sys.argv[1], "--show-args"]))
""",
}

STUB = """#!{python}
import json, os, signal, sys, time
call = {{"program": os.path.basename(sys.argv[0]), "arguments": sys.argv[1:], "files": []}}
call["environment"] = {{k: v for k, v in os.environ.items() if k.startswith(("FAST", "RCUTILS", "ROS_", "FACE_AF"))}}
for before, word in zip(sys.argv, sys.argv[1:]):
    if before == "--params-file" and os.path.basename(word) != "face_af.yaml":
        call["files"].append(open(word).read())
with open(f"{{os.environ['CALLS']}}/{{os.getpid()}}", "w") as out:
    json.dump(call, out)
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
time.sleep(60)
"""


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A prefix with the project's packages whose executables only note how they were called."""
    prefix = tmp_path_factory.mktemp("overlay")
    marks = prefix / "share/ament_index/resource_index/packages"
    marks.mkdir(parents=True)
    for setup in ROOT.glob("src/*/setup.py"):
        package = setup.parent.name
        (marks / package).touch()
        folder = prefix / "lib" / package
        folder.mkdir(parents=True)
        for name in re.findall(r'"(\w+) *= *[\w.{}]+:\w+"', setup.read_text()):
            (folder / name).write_text(STUB.format(python=sys.executable))
            (folder / name).chmod(0o755)
    (marks / "face_af").touch()
    (prefix / "share/face_af").symlink_to(get_package_share_directory("face_af"))
    yield prefix


def environment(kind: str, **more: str) -> dict[str, str]:
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in REAL]
    if kind == "real":
        paths = REAL + paths
    return {**os.environ, **more, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


def called(
    kind: str, path: Path, arguments: list[str], overlay: Path, folder: Path
) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and every process that was started, in a form that does not depend on names of temporary files."""
    calls = folder / kind
    calls.mkdir()
    prefixes = f"{overlay}{os.pathsep}{os.environ['AMENT_PREFIX_PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", START, str(path), *arguments],
        env=environment(kind, CALLS=str(calls), AMENT_PREFIX_PATH=prefixes, ROS_LOG_DIR=str(folder / f"log_{kind}")),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ("this is" in done.stderr) and ("ros2_pip/launch/" in done.stderr) == (kind == "ours"), done.stderr
    found = [json.loads(path.read_text()) for path in calls.iterdir()]
    for call in found:
        call["arguments"] = [
            re.sub(r".*(launch_params|face_af_(replay|session|stage|gallery))_.*", "PARAMETERS", word)
            for word in call["arguments"]
        ]
        # the real one writes lists as tuples
        call["files"] = json.loads(json.dumps([yaml.unsafe_load(text) for text in call["files"]]))
        call["environment"].pop("ROS_LOG_DIR", None)
        for name in ("FACE_AF_TURN", "FACE_AF_SESSION"):
            if value := call["environment"].get(name):
                call["environment"][name] = re.sub(r".*face_af_(turns|session)_[^/]+", "FOLDER", value)
    return done.returncode, sorted(found, key=lambda call: str((call["program"], call["arguments"])))


@pytest.mark.parametrize("name", FILES)
def test_arguments_are_shown_alike(name: str) -> None:
    path = Path(get_package_share_directory("face_af"), "launch", name)
    shown = {
        kind: subprocess.run(
            [sys.executable, "-c", SHOW[kind], str(path)],
            env=environment(kind),
            capture_output=True,
            text=True,
            timeout=60,
        )
        for kind in SHOW
    }
    assert shown["real"].returncode == 0, shown["real"].stderr
    assert shown["ours"].stdout == shown["real"].stdout


@pytest.mark.parametrize(
    ("name", "arguments"), CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_the_same_processes_are_started(name: str, arguments: list[str], overlay: Path, tmp_path: Path) -> None:
    path = Path(get_package_share_directory("face_af"), "launch", name)
    video = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    arguments = [word.replace("VIDEO", str(video)) for word in arguments]
    real = called("real", path, arguments, overlay, tmp_path)
    ours = called("ours", path, arguments, overlay, tmp_path)
    assert real[1] or real[0], "the real launch started nothing, and well"
    assert ours[0] == real[0]
    for one, other in zip(ours[1], real[1], strict=True):
        assert one == other


def test_all_that_is_supplied_means_the_same(overlay: Path, tmp_path: Path) -> None:
    path = tmp_path / "everything.launch.py"
    path.write_text(EVERYTHING)
    real = called("real", path, ["path:=given"], overlay, tmp_path)
    ours = called("ours", path, ["path:=given"], overlay, tmp_path)
    assert len(real[1]) == 9
    assert ours[0] == real[0]
    for one, other in zip(ours[1], real[1], strict=True):
        assert one == other
