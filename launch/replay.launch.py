"""Plays a recording (a rosbag2 bag or a video) through the node graph.

The nodes named by `recompute` run again on the recorded frames; everything else is played as recorded. They get the
recorded parameters, and over these the ones of `params_file`. With `rate:=0` the replay is lockstep: as fast as the
machine goes, no frame dropped, and the same input gives the same results.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from face_af_common.fastdds import profile_variable
from face_af_common.params import ParamError
from face_af_perception.params import REPEATABLE_PER_FRAME
from face_af_recording.bag.bag_folder import RecordingError
from face_af_recording.replay import settings
from face_af_recording.replay.recorded import usable
from face_af_recording.replay.settings import STAGES
from face_af_recording.replay.source import open_source

PACKAGES = {"perception": "face_af_perception", "overlay": "face_af_overlay", "steering": "face_af_steering"}
IN_NODES = PythonExpression(
    [
        *("'", LaunchConfiguration("nodes"), "' == 'true' or "),
        *("'", LaunchConfiguration("nodes"), "' == 'auto' and ", LaunchConfiguration("rate"), " > 0"),
    ]
)
"""Whether the nodes run beside the player."""


def arguments() -> list[DeclareLaunchArgument]:
    return [
        DeclareLaunchArgument("bag", description="rosbag2 folder, .mcap or .db3 file, or a video"),
        DeclareLaunchArgument(
            "recompute",
            default_value="perception,overlay,steering",
            description="Nodes that run again, separated by commas, or none; the rest is played as recorded",
        ),
        DeclareLaunchArgument("rate", default_value="1.0", description="Speed; 0: lockstep, as fast as possible"),
        DeclareLaunchArgument(
            "nodes",
            default_value="auto",
            choices=["auto", "true", "false"],
            description="Recompute in nodes of their own; false: in the player, with the same results and much "
            "faster; auto: false in lockstep",
        ),
        DeclareLaunchArgument("report", default_value="", description="File for the figures (JSON)"),
        DeclareLaunchArgument("results", default_value="", description="File for every frame's results (JSON lines)"),
        DeclareLaunchArgument("topic", default_value="", description="Topic of the frames, where there are several"),
        DeclareLaunchArgument("loop", default_value="false", description="Start again at the end"),
        DeclareLaunchArgument(
            "params_file", default_value="", description="YAML with parameters that win over the recorded ones"
        ),
        DeclareLaunchArgument("namespace", default_value="face_af", description="Namespace of every node"),
        DeclareLaunchArgument("debug", default_value="false", description="Start debug_view"),
        DeclareLaunchArgument("page", default_value="false", description="Serve the page: the replay on a phone"),
        DeclareLaunchArgument("page_port", default_value="8443", description="TCP port of the page"),
        DeclareLaunchArgument("page_bind", default_value="127.0.0.1", description="Address to serve the page on"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    ]


def fastdds_profile() -> SetEnvironmentVariable:
    """Shared memory that 1080p images fit into, unless the user has a profile of their own."""
    name = profile_variable()
    profile = PathJoinSubstitution([FindPackageShare("face_af"), "config", "fastdds.xml"])
    return SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=profile))


def node(package: str, executable: str, parameters: list, condition: IfCondition | None = None) -> Node:
    return Node(
        package=package,
        executable=executable,
        name=executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=parameters,
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        output="screen",
        emulate_tty=True,
        condition=condition,
    )


def recomputing_nodes(context: LaunchContext) -> list[Node]:
    """The nodes that run again, with the recorded parameters and the user's over them."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ("bag", "recompute", "topic", "params_file")}
    wanted = settings.stages_of(value["recompute"])
    if unknown := set(wanted) - set(STAGES):
        raise RuntimeError(f"recompute: {', '.join(sorted(unknown))} is none of {', '.join(STAGES)}")
    try:
        source = open_source(Path(value["bag"]).expanduser(), value["topic"])
        given = settings.from_file(Path(value["params_file"]).expanduser()) if value["params_file"] else {}
        parameters = settings.merged({stage: {} for stage in wanted}, usable(source.recorded_parameters()), given)
    except (RecordingError, ParamError) as error:
        raise RuntimeError(str(error)) from None
    if IN_NODES.perform(context) != "True":
        return []
    if "perception" in wanted and not parameters["perception"].get("recognition.per_frame"):
        parameters["perception"]["recognition.per_frame"] = REPEATABLE_PER_FRAME
    chosen = {stage: parameters[stage] for stage in wanted if parameters.get(stage)}
    file = tempfile.NamedTemporaryFile("w", prefix="face_af_replay_", suffix=".yaml", delete=False)  # noqa: SIM115
    with file:
        file.write(settings.to_yaml(chosen, "parameters of a replay") if chosen else "/**:\n  ros__parameters: {}\n")
    # the player itself hears recorded sound
    return [node(PACKAGES[stage], stage, [file.name, {"use_sim_time": True}]) for stage in wanted if stage in PACKAGES]


def generate_launch_description() -> LaunchDescription:
    kinds = {"rate": float, "loop": bool}
    names = ("bag", "topic", "recompute", "rate", "loop", "report", "results", "params_file")
    given = {name: ParameterValue(LaunchConfiguration(name), value_type=kinds.get(name, str)) for name in names}
    given["nodes"] = ParameterValue(IN_NODES, value_type=bool)
    player = node("face_af_recording", "replay_player", [given])
    page = {
        "port": ParameterValue(LaunchConfiguration("page_port"), value_type=int),
        "bind": ParameterValue(LaunchConfiguration("page_bind"), value_type=str),
        "mdns_name": "",
    }
    return LaunchDescription(
        [
            *arguments(),
            fastdds_profile(),
            OpaqueFunction(function=recomputing_nodes),
            node("face_af_view", "debug_view", [{"use_sim_time": True}], IfCondition(LaunchConfiguration("debug"))),
            node("face_af_view", "page", [{"use_sim_time": True, **page}], IfCondition(LaunchConfiguration("page"))),
            player,
            RegisterEventHandler(
                OnProcessExit(target_action=player, on_exit=EmitEvent(event=Shutdown(reason="the replay is over")))
            ),
        ]
    )
