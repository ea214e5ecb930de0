"""``container NODE...``: several nodes in one process, which hand frames on by reference (:mod:`.frames`)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rclpy.utilities import remove_ros_args


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the nodes that are named before ``--ros-args``, by what ``ros2 run`` calls them.

    The action that starts it must not give a node name: that would hold for every node of the process. Parameters are
    found by the nodes' own names.
    """
    from .executables import NODES, run

    names = remove_ros_args(sys.argv if argv is None else list(argv))[1:]
    unknown = [name for name in names if name not in NODES]
    if unknown or not names or len(set(names)) != len(names):
        what = f"there is no node {unknown[0]!r}" if unknown else "name each node once"
        print(f"container: {what}; there are {', '.join(NODES)}", file=sys.stderr)
        return 2
    return run(*names)
