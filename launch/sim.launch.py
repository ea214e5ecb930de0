"""A simulated stage with a virtual Nikon Z8, and the node graph of bringup.launch.py against it."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

FORWARDED = (
    "target",
    "gallery",
    "params_file",
    "namespace",
    "debug",
    "record",
    "bag",
    "log_level",
    "respawn",
    "standby",
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
        DeclareLaunchArgument("record", default_value="false", description="Record a bag while running"),
        DeclareLaunchArgument("bag", default_value="", description="Folder for the recording; empty: a new one"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
        DeclareLaunchArgument("respawn", default_value="true", description="Start a node again when it dies"),
        DeclareLaunchArgument("standby", default_value="true", description="Keep a second process ready for each node"),
    ]


def generate_launch_description() -> LaunchDescription:
    clock = LaunchConfiguration("clock")

    def typed(name: str, kind: type) -> ParameterValue:
        return ParameterValue(LaunchConfiguration(name), value_type=kind)

    stage = Node(
        package="face_af_sim",
        executable="stage",
        name="stage",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {
                "people": typed("people", str),
                "target": typed("target", str),
                "clock": typed("clock", str),
                "observed": typed("observed", bool),
                "seed": typed("seed", int),
                "duration": typed("duration", float),
                "rate": typed("rate", float),
                "ptpip_port": typed("camera_port", int),
            },
        ],
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        output="screen",
        emulate_tty=True,
    )
    graph = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare("face_af"), "launch", "bringup.launch.py"])
        ),
        launch_arguments={
            "source": "none",
            "transport": "ptpip",
            "camera_port": LaunchConfiguration("camera_port"),
            "profile": "virtual_z8",
            "use_sim_time": PythonExpression(["'", clock, "' == 'lockstep'"]),
            **{name: LaunchConfiguration(name) for name in FORWARDED},
        }.items(),
    )
    over = EmitEvent(event=Shutdown(reason="the stage is over"))
    return LaunchDescription(
        [
            *arguments(),
            graph,
            stage,
            RegisterEventHandler(OnProcessExit(target_action=stage, on_exit=[over])),
        ]
    )
