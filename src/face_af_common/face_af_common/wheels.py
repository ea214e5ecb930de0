"""Finds the Python packages that an installed ROS 2 lacks: in the project's .venv, which ROS' own Python ignores."""

from __future__ import annotations

import sys
from pathlib import Path

ADVICE = "./run setup installs it (or pip, from requirements/with_ros.txt, into a .venv beside the workspace's src)"


def add_venv(start: Path = Path(__file__)) -> Path | None:
    """Makes the ``.venv`` of the workspace around ``start`` importable, after all that the system has.

    ``ros2 launch`` and nodes that ``colcon build`` alone has made run on the system's Python. Only a ``.venv`` that
    was made to complete this very Python serves; returns its ``site-packages``, or ``None``.
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in start.resolve().parents:
        venv = folder / ".venv"
        packages = venv / "lib" / version / "site-packages"
        if Path(sys.prefix) == venv or not packages.is_dir():
            continue
        try:
            settings = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
        except OSError:
            continue
        if "include-system-site-packages = true" in settings:
            if str(packages) not in sys.path:
                sys.path.append(str(packages))
            return packages
    return None
