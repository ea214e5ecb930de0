"""Fast DDS' profile: its default shared memory is too small for 1080p images, and best-effort ones vanish silently.

``python -m face_af_common.fastdds`` prints the ``export`` line for a shell, or nothing where the user has a profile.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from .paths import share_dir

SHARED_MEMORY_MB = 128.0
"""Less room in /dev/shm than this is not enough for the profile's segments."""
SHARED_MEMORY_ADVICE = "sudo mount -o remount,size=1G /dev/shm; in Docker: --shm-size 1g (or --ipc host)"

VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Fast DDS 3 (ROS 2 Kilted) has renamed the variable and warns of the old name; Fast DDS 2 knows only the old one."""


def profile_variable() -> str:
    """The environment variable that this distribution's Fast DDS reads."""
    return VARIABLES[os.environ.get("ROS_DISTRO", "") in ("humble", "iron", "jazzy")]


def profile(frames: bool = True) -> Path:
    """The profile that comes with the project: for processes that exchange frames, or for small messages only."""
    return share_dir() / "config" / ("fastdds.xml" if frames else "fastdds_small.xml")


def users_profile() -> bool:
    """Whether the user has named a profile of their own, which nobody replaces."""
    named = os.environ.get(profile_variable(), "")
    return bool(named) and Path(named).name not in (profile().name, profile(frames=False).name)


def shared_memory_mb() -> float:
    """Free megabytes of ``/dev/shm``; 0 where there is none."""
    try:
        return shutil.disk_usage("/dev/shm").free / 1e6
    except OSError:
        return 0.0


def export_line() -> str:
    """What a shell must run so that nodes started by hand use the profile; empty where one is set already."""
    name = profile_variable()
    room = shared_memory_mb() >= SHARED_MEMORY_MB
    return "" if os.environ.get(name) else f"export {name}={shlex.quote(str(profile(frames=room)))}"


if __name__ == "__main__":
    print(export_line())
