#!/usr/bin/env bash
# What a container runs: ./run on the image's ROS 2.
set -eo pipefail
source "/opt/ros/$ROS_DISTRO/setup.bash"
exec /opt/face_af/run "$@"
