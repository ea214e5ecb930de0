"""Where ROS 2 writes its log files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

_NAME = "ROS_LOG_DIR"


def find_log_folder() -> None:
    """Log files go to a new temporary folder where ROS 2's own cannot be written: ``rclpy.init`` would raise.

    To be called before it, by every process that calls it.
    """
    home = Path(os.environ.get("ROS_HOME", "") or "~/.ros") / "log"
    folder = Path(os.environ.get(_NAME, "") or home).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError:
        with contextlib.suppress(OSError):
            os.environ[_NAME] = tempfile.mkdtemp(prefix="face_af-log-")
