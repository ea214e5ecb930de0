"""tools/ros2_pip: the stand-in for `launch` and `launch_ros`."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from launch_files import ROS2, write
from processes import uses_stand_in

if not uses_stand_in():
    pytest.skip("a real ROS 2 is used here", allow_module_level=True)

from launch.actions import ExecuteProcess
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))


def run(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ROS2, "launch", str(path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def lines_of(result: subprocess.CompletedProcess[str], process: str = "sh") -> list[str]:
    return re.findall(rf"^\[{process}-\d+\] (.*)$", result.stdout, re.MULTILINE)


def test_scopes_end_with_their_group(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        show = "echo A=$A B=$B"
        yield SetEnvironmentVariable("A", "1")
        yield GroupAction([SetEnvironmentVariable("B", "2"), SetLaunchConfiguration("x", "in"), sh(show)])
        yield AppendEnvironmentVariable("A", "3", separator="+")
        yield sh(show)
        yield LogInfo(msg=["x is ", LaunchConfiguration("x", default="out")])
        """,
    )
    result = run(path)
    assert result.returncode == 0
    assert sorted(lines_of(result)) == ["A=1 B=2", "A=1+3 B="]
    assert "[launch.user]: x is out" in result.stdout


def test_arguments_are_shown_checked_and_passed_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        yield DeclareLaunchArgument("inner", description="Inside")
        yield LogInfo(msg=["inner ", LaunchConfiguration("inner"), " from ", ThisLaunchFileDir()])
        """,
        "inner.launch.py",
    )
    path = write(
        tmp_path,
        """
        yield DeclareLaunchArgument("mode", default_value="a", choices=["a", "b"], description="Mode")
        inner = PythonLaunchDescriptionSource([ThisLaunchFileDir(), "/inner.launch.py"])
        yield IncludeLaunchDescription(inner, launch_arguments={"inner": LaunchConfiguration("mode")}.items())
        """,
    )
    shown = run(path, "--show-args")
    assert shown.stdout.splitlines()[2:5] == [
        "    'mode':",
        "        Mode. Valid choices are: ['a', 'b']",
        "        (default: 'a')",
    ]
    assert f"inner b from {tmp_path}" in run(path, "mode:=b").stdout
    wrong = run(path, "mode:=c")
    assert wrong.returncode == 1
    assert "Valid options are: ['a', 'b']" in wrong.stdout
    assert "did you mean mode?" in run(path, "mod:=b").stderr
    malformed = run(path, "mode")
    assert malformed.returncode == 1
    assert malformed.stderr.strip() == "malformed launch argument 'mode', expected format '<name>:=<value>'"


def test_an_argument_without_default_must_be_given(tmp_path: Path) -> None:
    result = run(write(tmp_path, 'yield DeclareLaunchArgument("who", description="Whom")'))
    assert result.returncode == 1
    assert "'who' is missing (Whom)" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_events_respawn_and_exit_status(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        again = sh("echo once more; exit 3", respawn=True, respawn_delay=0.1, respawn_max_retries=2)
        yield again
        yield RegisterEventHandler(OnProcessStart(target_action=again, on_start=[LogInfo(msg="started")]))
        yield RegisterEventHandler(OnShutdown(on_shutdown=lambda event, context: LogInfo(msg=f"over: {event.reason}")))
        yield TimerAction(period=1.5, actions=[sh("true", on_exit=Shutdown(reason="enough"))])
        yield sh("exec sleep 60")
        """,
    )
    result = run(path)
    assert result.returncode == 0
    assert lines_of(result) == ["once more"] * 3
    assert result.stdout.count("[launch.user]: started") == 3
    assert "was required: shutting down launched system" in result.stdout
    assert "over: enough" in result.stdout
    assert result.stdout.count("exit code 3") == 3


def test_output_goes_where_it_is_asked_to_go(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        both = "echo out; echo err >&2"
        yield ExecuteProcess(cmd=["sh", "-c", both], name="quiet")
        terminal = "test -t 1 && printf 'no end'"
        yield ExecuteProcess(cmd=["sh", "-c", terminal], name="tty", output="both", emulate_tty=True)
        """,
    )
    result = run(path)
    assert "[quiet-1] err" in result.stdout
    assert "[quiet-1] out" not in result.stdout
    assert "[tty-2] no end" in result.stdout
    log = next((tmp_path / "log").glob("*/launch.log")).read_text()
    assert "[quiet-1] out" in log
    assert "[tty-2] no end" in log


def test_a_node_gets_what_ros_expects(tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_text('#!/bin/sh\nfor a in "$@"; do echo "$a"; case $a in *.yaml) cat "$a";; esac; done\n')
    program.chmod(0o755)
    path = write(
        tmp_path,
        f"""
        yield SetLaunchConfiguration("number", "5")
        yield GroupAction([
            PushRosNamespace("outer"),
            SetParameter("use_sim_time", True),
            SetRemap("image", "image_raw"),
            Node(
                executable={str(program)!r}, name="n", namespace="inner", arguments=["first"],
                ros_arguments=["--log-level", "debug"], remappings=[("a", "b")], output="screen",
                parameters=[{{"group": {{"x": LaunchConfiguration("number"), "list": [1, 2.5]}},
                              "text": ParameterValue(LaunchConfiguration("number"), value_type=str)}}],
            ),
        ])
        """,
    )
    lines = lines_of(run(path), "node")
    assert lines[:9] == [
        "first",
        "--ros-args",
        "--log-level",
        "debug",
        "--ros-args",
        "-r",
        "__node:=n",
        "-r",
        "__ns:=/outer/inner",
    ]
    assert lines[9:12] == ["-p", "use_sim_time:=True", "--params-file"]
    assert [line.strip() for line in lines[13:20]] == [
        "/outer/inner/n:",
        "ros__parameters:",
        "group.list:",
        "- 1.0",
        "- 2.5",
        "group.x: 5",
        "text: '5'",
    ]
    assert lines[20:] == ["-r", "image:=image_raw", "-r", "a:=b"]


# -- the edge ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("launch", "LaunchIntrospector"),
        ("launch.actions", "ResetEnvironment"),
        ("launch.substitutions", "FileContent"),
        ("launch.events.process", "SignalProcess"),
        ("launch_ros.actions", "LifecycleNode"),
        ("launch_ros.parameter_descriptions", "Parameter"),
    ],
)
def test_what_is_missing_is_named(module: str, name: str) -> None:
    with pytest.raises(ImportError, match=rf"{module}\.{name} is not supplied: it needs an installed ROS 2"):
        getattr(importlib.import_module(module), name)


def test_unknown_keywords_are_named() -> None:
    with pytest.raises(TypeError, match="prefix"):
        ExecuteProcess(cmd=["true"], prefix="gdb")
    with pytest.raises(TypeError, match="node_executable"):
        Node(executable="x", node_executable="y")
    with pytest.raises(NotImplementedError, match="allow_substs"):
        ParameterFile("x.yaml", allow_substs=True)


@pytest.mark.parametrize("module", ["launch", "launch_ros", "ros2_pip.main"])
def test_it_refuses_beside_the_real_one(tmp_path: Path, module: str) -> None:
    marks = tmp_path / "share/ament_index/resource_index/packages"
    marks.mkdir(parents=True)
    (marks / "launch").touch()
    environment = {**os.environ, "AMENT_PREFIX_PATH": f"{os.environ.get('AMENT_PREFIX_PATH', '')}:{tmp_path}"}
    done = subprocess.run([sys.executable, "-c", f"import {module}"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"the real launch is installed in {tmp_path}" in done.stderr


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    for body, text in (
        ('yield Node(package="no_such_package", executable="x")', "no_such_package"),
        ('yield ExecuteProcess(cmd=["/no/such/program"])', "/no/such/program"),
        ("yield 5", "5 cannot stand in a launch description"),
        ('yield LogInfo(msg=LaunchConfiguration("nope"))', "launch configuration 'nope' does not exist"),
        ('yield ExecuteProcess(cmd=["true"], output="nowhere")', "'nowhere' is none of screen, log"),
    ):
        result = run(write(tmp_path, body))
        assert result.returncode == 1, result.stdout
        assert text in result.stdout + result.stderr
        assert "Traceback" not in result.stdout + result.stderr
    missing = subprocess.run([*ROS2, "launch", "face_af", "no.launch.py"], capture_output=True, text=True)
    assert missing.returncode == 1
    assert "bringup.launch.py" in missing.stderr
