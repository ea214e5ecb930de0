"""The part of ROS 2's ``launch_ros`` that face_af's launch files use, for machines without an installed ROS 2."""

from launch._limits import unsupplied

__getattr__ = unsupplied(__name__, ("actions", "descriptions", "parameter_descriptions", "substitutions"))
