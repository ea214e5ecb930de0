"""What ./run demo starts: the simulated stage and the graph, ready for its own monitor.

./run demo prepares the cast and the gallery first and writes a report; started by hand, this file needs
`gallery` and `target` (./run demo --prepare-only makes them).
"""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = {
    "gallery": ("out/demo/gallery", "Folder of the gallery"),
    "target": ("", "Name of the person to focus on; empty: nobody"),
    "people": ("", "Folder with one folder of photographs a person; empty: the samples"),
    "clock": ("realtime", "realtime or lockstep"),
    "observed": ("false", "lockstep: wait for an observer too, who says sim/seen"),
    "duration": ("30.0", "Seconds on stage; 0: until stopped"),
    "seed": ("1", "Of everything that is random on stage"),
    "debug": ("true", "Start debug_view, for rqt_image_view"),
    "use_composition": ("true", "Run the stage and all nodes but the driver in one process"),
    "page": ("false", "Serve the page for phones"),
    "page_port": ("", "TCP port of the page; empty: as in the parameter file"),
}


def generate_launch_description() -> LaunchDescription:
    stage = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution([FindPackageShare("face_af"), "launch", "sim.launch.py"])),
        launch_arguments={name: LaunchConfiguration(name) for name in ARGUMENTS}.items(),
    )
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, stage])
