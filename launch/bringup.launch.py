"""The node graph for a real camera (or a recording): capture, perception, overlay, steering and the driver."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from face_af_common import fastdds, running
from face_af_common.live_state import SESSION
from face_af_common.node_params import NODES
from face_af_common.param_files import check_file
from face_af_common.params import ParamError
from face_af_common.supervisor import USER_ERROR
from face_af_perception.params import REPEATABLE_PER_FRAME


def config(*path: str) -> str:
    return str(Path(get_package_share_directory("face_af"), "config", *path))


def arguments() -> list[DeclareLaunchArgument]:
    return [
        DeclareLaunchArgument(
            "source",
            default_value="v4l2",
            choices=["v4l2", "gstreamer", "file", "folder", "stage", "none"],
            description="Where images come from; stage: the simulation (sim.launch.py); none: another node's image_raw",
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
            "debug", default_value="true", description="Start debug_view, which draws only while it is watched"
        ),
        DeclareLaunchArgument("page", default_value="false", description="Serve the page for phones (docs/page.md)"),
        DeclareLaunchArgument(
            "page_port", default_value="", description="TCP port of the page; empty: as in params_file"
        ),
        DeclareLaunchArgument(
            "sound",
            default_value="",
            description="Listen: an ALSA device, a recording, or video, the sound of source:=file; empty: no",
        ),
        DeclareLaunchArgument(
            "actions", default_value="", description="File of actions (docs/outputs.md) for the outputs node; empty: no"
        ),
        DeclareLaunchArgument("record", default_value="false", description="Record a bag while running"),
        DeclareLaunchArgument(
            "record_audio", default_value="false", description="Record the sound too (with record and sound)"
        ),
        DeclareLaunchArgument("bag", default_value="", description="Folder for the recording; empty: a new one"),
        DeclareLaunchArgument("use_sim_time", default_value="false", description="Take the time from /clock"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
        DeclareLaunchArgument(
            "respawn",
            default_value="true",
            description="Replace a process that dies or hangs; what was chosen live is kept",
        ),
        DeclareLaunchArgument(
            "use_composition",
            default_value="true",
            description="Run all nodes but the driver and the recorder in one process, where frames go by reference",
        ),
        DeclareLaunchArgument(
            "repeatable",
            default_value="false",
            description="The same frames give the same results, however busy the machine is (simulated time)",
        ),
        DeclareLaunchArgument("stage_params", default_value="", description="YAML with the stage's parameters"),
        DeclareLaunchArgument(
            "compose_stage",
            default_value="true",
            description="use_composition: the stage too; false: in a process of its own, as a camera is",
        ),
    ]


def check_params_file(context: LaunchContext) -> None:
    """Says what is wrong with the parameter file before any node starts."""
    try:
        check_file(LaunchConfiguration("params_file").perform(context), NODES)
    except ParamError as error:
        raise RuntimeError(str(error)) from None


def stop_when_over(event: ProcessExited, _context: LaunchContext) -> EmitEvent | None:
    """The stage has ended its process because the show is over."""
    return EmitEvent(event=Shutdown(reason="the show is over")) if event.returncode == 0 else None


def stop_on_user_error(event: ProcessExited, _context: LaunchContext) -> EmitEvent | None:
    """A node that was told something impossible would only say so again and again."""
    if event.returncode == USER_ERROR:
        return EmitEvent(event=Shutdown(reason=f"{event.process_name} cannot start with what it was given"))
    return None


def fastdds_profile(frames: bool) -> dict[str, str]:
    """The environment of a process that exchanges ``frames`` with others, or small messages only.

    Only frames need shared memory; a user's own profile stays.
    """
    if fastdds.users_profile():
        return {}
    frames = frames and fastdds.shared_memory_mb() >= fastdds.SHARED_MEMORY_MB
    return {fastdds.profile_variable(): str(fastdds.profile(frames))}


def tell_of_small_shared_memory(context: LaunchContext) -> list[Action]:
    """One line where frames between processes will be slow, as the doctor says it."""
    if fastdds.users_profile() or fastdds.shared_memory_mb() >= fastdds.SHARED_MEMORY_MB:
        return []
    composed = Chosen(context).is_true("use_composition")
    what = "raw frames to other programs" if composed else "frames between the nodes"
    room = f"/dev/shm has {fastdds.shared_memory_mb():.0f} MB free"
    return [LogInfo(msg=f"{room}: {what} will be slow or lost; {fastdds.SHARED_MEMORY_ADVICE}")]


def session() -> Path:
    """A folder that is gone when the launch has ended."""
    folder = Path(tempfile.mkdtemp(prefix="face_af_session_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def parameter_file(folder: Path, namespace: str, given: Mapping[str, Mapping[str, Any]]) -> str:
    """What the launch arguments say of each node, as a parameter file: several nodes may share a process."""
    content = {}
    for node, values in given.items():
        chosen = {name: value for name, value in values.items() if value != ""}
        if chosen:
            content[f"{namespace.rstrip('/')}/{node}"] = {"ros__parameters": chosen}
    path = folder / "arguments.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


class Chosen:
    """The launch arguments as they were given."""

    def __init__(self, context: LaunchContext) -> None:
        self._context = context

    def text(self, name: str) -> str:
        return str(LaunchConfiguration(name).perform(self._context))

    def is_true(self, name: str) -> bool:
        text = self.text(name).lower()
        if text not in ("true", "1", "false", "0", ""):
            raise ValueError(f"{name}:={self.text(name)} is neither true nor false")
        return text in ("true", "1")

    def number(self, name: str) -> int | str:
        """Empty where nothing is given."""
        return int(self.text(name)) if self.text(name) else ""


def given_parameters(chosen: Chosen) -> dict[str, dict[str, Any]]:
    """The parameters that launch arguments set, by node; an empty one does not override the parameter file."""
    text, is_true = chosen.text, chosen.is_true
    given: dict[str, dict[str, Any]] = {
        "perception": {"target": text("target"), "gallery": text("gallery")},
        "overlay": {},
        "steering": {},
        "nikon_mcn10": {
            "transport": text("transport"),
            "host": text("camera_host"),
            "port": int(text("camera_port")),
            "profile": text("profile"),
        },
        "capture": {
            "source": text("source"),
            "device": text("device"),
            "wait": is_true("wait"),
            "rotate": chosen.number("rotate"),
        },
        "debug_view": {},
        "page": {"port": chosen.number("page_port")},
        "recorder": {"folder": text("bag"), "audio": True if is_true("record_audio") else ""},
        "speaker": {
            "source": text("device") if text("sound") == "video" else text("sound"),
            "gallery": text("gallery"),
        },
        "outputs": {"actions": text("actions")},
    }
    if is_true("repeatable"):
        given["perception"]["recognition.per_frame"] = REPEATABLE_PER_FRAME
    return given


def processes(chosen: Chosen) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Package and executable of the nodes that share a process, and of those with one of their own."""
    text, is_true = chosen.text, chosen.is_true
    sources = {"none": (), "stage": (("face_af_sim", "stage"),)}
    vision = [
        ("face_af_perception", "perception"),
        ("face_af_overlay", "overlay"),
        ("face_af_steering", "steering"),
        *([("face_af_view", "debug_view")] if is_true("debug") else ()),
        *([("face_af_view", "page")] if is_true("page") else ()),
        # the stage takes its time: it is made last
        *sources.get(text("source"), (("face_af_capture", "capture"),)),
    ]
    if not is_true("use_composition"):
        return [], vision
    if text("source") == "stage" and not is_true("compose_stage"):
        return vision[:-1], vision[-1:]
    return vision, []


def nodes(context: LaunchContext) -> list[Action]:
    """The graph."""
    chosen = Chosen(context)
    text, is_true = chosen.text, chosen.is_true
    missing = [name for name, given in (("record:=true", is_true("record")), ("sound:=", text("sound"))) if not given]
    if is_true("record_audio") and missing:
        raise RuntimeError(f"record_audio:=true needs {' and '.join(missing)} too")
    folder = session()
    namespace = "/" + text("namespace").strip("/")
    running.note(namespace)
    parameters = [
        text("params_file"),
        parameter_file(folder, namespace, given_parameters(chosen)),
        {"use_sim_time": is_true("use_sim_time")},
    ]
    if text("source") == "stage":
        parameters.append(text("stage_params"))
    environment = {SESSION: str(folder)} if is_true("respawn") else {}

    def start(package: str, executable: str, *arguments: str, name: str | None, frames: bool = False) -> Node:
        return Node(
            package=package,
            executable=executable,
            name=name,
            namespace=namespace,
            arguments=list(arguments),
            parameters=parameters,
            ros_arguments=["--log-level", text("log_level")],
            output="screen",
            emulate_tty=True,
            additional_env={**environment, **fastdds_profile(frames)},
            # its supervisor starts it again sooner; this is for the supervisor
            respawn=bool(environment),
            respawn_delay=0.5,
        )

    together, apart = processes(chosen)
    graph = []
    if together:
        # no node name: it would hold for every node of the process
        executables = [executable for _, executable in together]
        graph.append(start("face_af_common", "container", *executables, name=None, frames=True))
    graph += [start(package, executable, name=executable, frames=True) for package, executable in apart]
    handlers = []
    if text("source") == "stage":
        handlers.append(RegisterEventHandler(OnProcessExit(target_action=graph[-1], on_exit=stop_when_over)))
    graph.append(start("nikon_mcn10_driver", "nikon_mcn10", name="nikon_mcn10"))
    if text("sound"):
        graph.append(start("face_af_speaker", "speaker", name="speaker"))
    if text("actions"):
        graph.append(start("face_af_outputs", "outputs", name="outputs"))
    if is_true("record"):
        graph.append(start("face_af_recording", "recorder", name="recorder"))
    return [*handlers, *graph]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            *arguments(),
            OpaqueFunction(function=check_params_file),
            OpaqueFunction(function=tell_of_small_shared_memory),
            RegisterEventHandler(OnProcessExit(on_exit=stop_on_user_error)),
            OpaqueFunction(function=nodes),
        ]
    )
