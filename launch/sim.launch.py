"""A simulated stage with a virtual Nikon Z8, and the node graph of bringup.launch.py against it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    SetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.substitutions import ExecutableInPackage, FindPackageShare

from face_af_gallery.files import GalleryFolder

FORWARDED = (
    "stage_params",
    "target",
    "gallery",
    "camera_port",
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
        DeclareLaunchArgument(
            "target",
            default_value="",
            description="Name of the person to focus on; empty: the first who is on stage, with gallery nobody",
        ),
        DeclareLaunchArgument(
            "gallery",
            default_value="",
            description="Folder of the gallery; empty: one for this show, in which the target is enrolled",
        ),
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


def text_of(context: LaunchContext, name: str) -> str:
    return str(LaunchConfiguration(name).perform(context))


def stage_params(given: Mapping[str, str]) -> str:
    """The stage's parameters as a file: it may share a process with other nodes."""
    values = {
        "people": given["people"],
        "target": given["target"],
        "clock": given["clock"],
        "observed": given["observed"].lower() == "true",
        "seed": int(given["seed"]),
        "duration": float(given["duration"]),
        "rate": float(given["rate"]),
        "ptpip_port": int(given["camera_port"]),
    }
    name = "/".join(["", *filter(None, given["namespace"].split("/")), "stage"])
    file = tempfile.NamedTemporaryFile("w", prefix="face_af_stage_", suffix=".yaml", delete=False)  # noqa: SIM115
    with file:
        yaml.safe_dump({name: {"ros__parameters": values}}, file)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name


def graph(given: Mapping[str, str | LaunchConfiguration], condition: IfCondition | None = None) -> Action:
    """The nodes of bringup.launch.py with the stage among them."""
    lockstep = PythonExpression(["'", given["clock"], "' == 'lockstep'"])
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare("face_af"), "launch", "bringup.launch.py"])
        ),
        launch_arguments={
            "source": "stage",
            "transport": "ptpip",
            "profile": "virtual_z8",
            "use_sim_time": lockstep,
            "repeatable": lockstep,
            **{name: given[name] for name in FORWARDED},
        }.items(),
        condition=condition,
    )


def prepare(context: LaunchContext) -> list[Action]:
    """What the graph needs before it: its parameters where a gallery is given, else the gallery."""
    given = {argument.name: text_of(context, argument.name) for argument in arguments()}
    if given["gallery"]:
        return [SetLaunchConfiguration("stage_params", stage_params(given)), SetLaunchConfiguration("ready", "true")]
    folder = tempfile.mkdtemp(prefix="face_af_gallery_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [ExecutableInPackage("prepare_stage", "face_af_sim"), "--gallery", folder, "--target", given["target"]]
    if given["people"]:
        command += ["--people", given["people"]]
    enrolling = ExecuteProcess(cmd=command, name="prepare_stage", output="screen")

    def enrolled(event: ProcessExited, _context: LaunchContext) -> Action:
        if event.returncode != 0:
            return EmitEvent(event=Shutdown(reason="there is nobody to put on stage"))
        (target,) = {sample.identity for sample in GalleryFolder(Path(folder)).read_samples().values()}
        known = {**given, "gallery": folder, "target": target}
        return graph({**known, "stage_params": stage_params(known)})

    after = RegisterEventHandler(OnProcessExit(target_action=enrolling, on_exit=enrolled))
    return [SetLaunchConfiguration("ready", "false"), after, enrolling]


def generate_launch_description() -> LaunchDescription:
    later = {name: LaunchConfiguration(name) for name in ("clock", *FORWARDED)}
    ready = IfCondition(LaunchConfiguration("ready"))
    return LaunchDescription([*arguments(), OpaqueFunction(function=prepare), graph(later, ready)])
