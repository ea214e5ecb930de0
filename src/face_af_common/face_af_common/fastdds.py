"""Fast DDS' profile: its default shared memory is too small for 1080p images, and best-effort ones vanish silently.

``python -m face_af_common.fastdds`` prints the ``export`` line for a shell, or nothing where the user has a profile.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from .paths import share_dir

VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Fast DDS 3 (ROS 2 Kilted) has renamed the variable and warns of the old name; Fast DDS 2 knows only the old one."""


def profile_variable() -> str:
    """The environment variable that this distribution's Fast DDS reads."""
    return VARIABLES[os.environ.get("ROS_DISTRO", "") in ("humble", "iron", "jazzy")]


def profile() -> Path:
    """The profile that comes with the project."""
    return share_dir() / "config" / "fastdds.xml"


def export_line() -> str:
    """What a shell must run so that nodes started by hand use the profile; empty where one is set already."""
    name = profile_variable()
    return "" if os.environ.get(name) else f"export {name}={shlex.quote(str(profile()))}"


if __name__ == "__main__":
    print(export_line())
