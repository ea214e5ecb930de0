"""The node graph for a real camera (or a recording): capture, perception, overlay, steering and the driver."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
from launch_ros.actions import Node

from face_af.respawn import Respawn
from face_af_common.fastdds import profile_variable
from face_af_common.node_params import NODES
from face_af_common.param_files import check_file
from face_af_common.params import ParamError
from face_af_common.standby import TURN

USER_ERROR = 2
"""Exit status of a node that cannot start because of what it was told (face_af_common.node_main)."""


def config(*path: str) -> str:
    return str(Path(get_package_share_directory("face_af"), "config", *path))


def arguments() -> list[DeclareLaunchArgument]:
    return [
        DeclareLaunchArgument(
            "source",
            default_value="v4l2",
            choices=["v4l2", "gstreamer", "file", "folder", "none"],
            description="Where pictures come from; none: another node publishes image_raw",
        ),
        DeclareLaunchArgument(
            "device",
            default_value="/dev/video0",
            description="V4L2 device, GStreamer pipeline, video file or folder, as source says",
        ),
        DeclareLaunchArgument(
            "wait",
            default_value="true",
            choices=["true", "false"],
            description="A file or folder begins when perception and overlay are ready; false: at once",
        ),
        DeclareLaunchArgument(
            "rotate",
            default_value="",
            choices=["", "0", "90", "180", "270"],
            description="Degrees to turn the frames clockwise, for a camera held in portrait; empty: as in params_file",
        ),
        DeclareLaunchArgument("target", default_value="", description="Name of the person to focus on; empty: nobody"),
        DeclareLaunchArgument(
            "gallery", default_value="", description="Folder of the gallery; empty: the user's own in FACE_AF_DATA_DIR"
        ),
        DeclareLaunchArgument(
            "transport",
            default_value="usb",
            choices=["usb", "ptpip", "nikon_usb_control", "dry_run", "none"],
            description="How the camera is reached; dry_run logs every press and sends none",
        ),
        DeclareLaunchArgument("camera_host", default_value="127.0.0.1", description="ptpip: address of the camera"),
        DeclareLaunchArgument("camera_port", default_value="15740", description="ptpip: TCP port of the camera"),
        DeclareLaunchArgument(
            "profile",
            default_value="",
            description="Remote profile: a name in config/remote or a file; empty: as in params_file",
        ),
        DeclareLaunchArgument(
            "params_file", default_value=config("face_af.yaml"), description="YAML with the nodes' parameters"
        ),
        DeclareLaunchArgument("namespace", default_value="face_af", description="Namespace of every node"),
        DeclareLaunchArgument(
            "debug", default_value="true", description="Start debug_view, which draws only while somebody looks"
        ),
        DeclareLaunchArgument("record", default_value="false", description="Record a bag while running"),
        DeclareLaunchArgument("bag", default_value="", description="Folder for the recording; empty: a new one"),
        DeclareLaunchArgument("use_sim_time", default_value="false", description="Take the time from /clock"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
        DeclareLaunchArgument(
            "respawn",
            default_value="true",
            description="Start a node again when it dies: at once, then after 1, 2, 4 ... 10 s when it dies again soon",
        ),
        DeclareLaunchArgument(
            "standby",
            default_value="true",
            description="With respawn: keep a second process ready for each node between picture and press",
        ),
    ]


def check_params_file(context: LaunchContext) -> None:
    """Says what is wrong with the parameter file before any node starts."""
    try:
        check_file(LaunchConfiguration("params_file").perform(context), NODES)
    except ParamError as error:
        raise RuntimeError(str(error)) from None


def stop_on_user_error(event: ProcessExited, _context: LaunchContext) -> EmitEvent | None:
    """A node that was told something impossible would only say so again and again."""
    if event.returncode == USER_ERROR:
        return EmitEvent(event=Shutdown(reason=f"{event.process_name} cannot start with what it was given"))
    return None


def fastdds_profile() -> SetEnvironmentVariable:
    """Shared memory that 1080p pictures fit into, unless the user has a profile of their own."""
    name = profile_variable()
    return SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=config("fastdds.xml")))


def nodes(context: LaunchContext) -> list[Node | TimerAction | RegisterEventHandler]:
    """The graph. An argument that is left empty does not override the parameter file."""

    def text(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    def is_true(name: str) -> bool:
        return text(name).lower() == "true"

    respawn = Respawn(USER_ERROR)
    turns = Path(tempfile.mkdtemp(prefix="face_af_turns_"))
    atexit.register(shutil.rmtree, turns, ignore_errors=True)

    def node(
        package: str, executable: str, parameters: dict[str, str | int] | None = None, standby: bool = False
    ) -> list[Node | TimerAction]:
        given = {name: value for name, value in (parameters or {}).items() if value != ""}

        def make() -> Node:
            return Node(
                package=package,
                executable=executable,
                name=executable,
                namespace=text("namespace"),
                parameters=[text("params_file"), {"use_sim_time": is_true("use_sim_time"), **given}],
                ros_arguments=["--log-level", text("log_level")],
                output="screen",
                emulate_tty=True,
                additional_env={TURN: str(turns / executable)},
            )

        if not is_true("respawn"):
            return [make()]
        return respawn.keep_two(make) if standby and is_true("standby") else [respawn.keep(make)]

    graph = [
        *node("face_af_perception", "perception", {"target": text("target"), "gallery": text("gallery")}, standby=True),
        *node("face_af_overlay", "overlay", standby=True),
        *node("face_af_steering", "steering", standby=True),
        *node(
            "nikon_mcn10_driver",
            "nikon_mcn10",
            {
                "transport": text("transport"),
                "host": text("camera_host"),
                "port": int(text("camera_port")),
                "profile": text("profile"),
            },
            standby=True,
        ),
    ]
    if text("source") != "none":
        source: dict[str, str | int] = {"source": text("source"), "device": text("device"), "wait": is_true("wait")}
        source["rotate"] = int(text("rotate")) if text("rotate") else ""
        graph = [*node("face_af_capture", "capture", source, standby=True), *graph]
    if is_true("debug"):
        graph += node("face_af_view", "debug_view")
    if is_true("record"):
        graph += node("face_af_recording", "recorder", {"folder": text("bag")})
    return [RegisterEventHandler(OnProcessExit(on_exit=respawn.on_exit)), *graph]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            *arguments(),
            OpaqueFunction(function=check_params_file),
            fastdds_profile(),
            RegisterEventHandler(OnProcessExit(on_exit=stop_on_user_error)),
            OpaqueFunction(function=nodes),
        ]
    )
