"""A simulated stage with a virtual Nikon Z8, and the node graph of bringup.launch.py against it."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.substitutions import FindPackageShare

FORWARDED = (
    "target",
    "gallery",
    "params_file",
    "namespace",
    "debug",
    "page",
    "page_port",
    "record",
    "bag",
    "log_level",
    "respawn",
    "use_composition",
    "compose_stage",
)
"""Arguments of bringup.launch.py that mean the same here."""


def arguments() -> list[DeclareLaunchArgument]:
    return [
        DeclareLaunchArgument(
            "people", default_value="", description="Folder with one folder of photographs a person; empty: the samples"
        ),
        DeclareLaunchArgument("target", default_value="", description="Name of the person to focus on; empty: nobody"),
        DeclareLaunchArgument("gallery", default_value="", description="Folder of the gallery"),
        DeclareLaunchArgument(
            "clock",
            default_value="realtime",
            choices=["realtime", "lockstep"],
            description="lockstep: the next frame is drawn when steering has answered the last one",
        ),
        DeclareLaunchArgument(
            "observed", default_value="false", description="lockstep: wait for an observer too, who says sim/seen"
        ),
        DeclareLaunchArgument("seed", default_value="1", description="Of everything that is random on stage"),
        DeclareLaunchArgument("duration", default_value="0.0", description="Seconds on stage; 0: until stopped"),
        DeclareLaunchArgument("rate", default_value="30.0", description="Frames a second"),
        DeclareLaunchArgument(
            "camera_port", default_value="15740", description="TCP port of the virtual Z8 on loopback"
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(Path(get_package_share_directory("face_af"), "config", "face_af.yaml")),
            description="YAML with the nodes' parameters",
        ),
        DeclareLaunchArgument("namespace", default_value="face_af", description="Namespace of every node"),
        DeclareLaunchArgument("debug", default_value="true", description="Start debug_view"),
        DeclareLaunchArgument("page", default_value="false", description="Serve the page for phones"),
        DeclareLaunchArgument(
            "page_port", default_value="", description="TCP port of the page; empty: as in params_file"
        ),
        DeclareLaunchArgument("record", default_value="false", description="Record a bag while running"),
        DeclareLaunchArgument("bag", default_value="", description="Folder for the recording; empty: a new one"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
        DeclareLaunchArgument("respawn", default_value="true", description="Replace a process that dies or hangs"),
        DeclareLaunchArgument(
            "use_composition",
            default_value="true",
            description="Run the stage and all nodes but the driver and the recorder in one process",
        ),
        DeclareLaunchArgument(
            "compose_stage",
            default_value="true",
            description="false: the stage in a process of its own, as a camera is",
        ),
    ]


def write_stage_params(context: LaunchContext) -> list[Action]:
    """The stage's parameters as a file: it may share a process with other nodes."""

    def text(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    values = {
        "people": text("people"),
        "target": text("target"),
        "clock": text("clock"),
        "observed": text("observed").lower() == "true",
        "seed": int(text("seed")),
        "duration": float(text("duration")),
        "rate": float(text("rate")),
        "ptpip_port": int(text("camera_port")),
    }
    name = "/".join(["", *filter(None, text("namespace").split("/")), "stage"])
    file = tempfile.NamedTemporaryFile("w", prefix="face_af_stage_", suffix=".yaml", delete=False)  # noqa: SIM115
    with file:
        yaml.safe_dump({name: {"ros__parameters": values}}, file)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return [SetLaunchConfiguration("stage_params", file.name)]


def generate_launch_description() -> LaunchDescription:
    clock = LaunchConfiguration("clock")
    lockstep = PythonExpression(["'", clock, "' == 'lockstep'"])
    graph = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare("face_af"), "launch", "bringup.launch.py"])
        ),
        launch_arguments={
            "source": "stage",
            "stage_params": LaunchConfiguration("stage_params"),
            "transport": "ptpip",
            "camera_port": LaunchConfiguration("camera_port"),
            "profile": "virtual_z8",
            "use_sim_time": lockstep,
            "repeatable": lockstep,
            **{name: LaunchConfiguration(name) for name in FORWARDED},
        }.items(),
    )
    return LaunchDescription([*arguments(), OpaqueFunction(function=write_stage_params), graph])
