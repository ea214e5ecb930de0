"""Where this stand-in ends: never beside the real packages, and a clear error for what it does not have."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

REMEDY = "it needs an installed ROS 2 (this is face_af's stand-in for machines without one, tools/ros2_pip)"


def real_ros_prefix(package: str) -> Path | None:
    """The first prefix on ``AMENT_PREFIX_PATH`` where the real ``package`` is installed, if any."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix and (Path(prefix) / "share/ament_index/resource_index/packages" / package).is_file():
            return Path(prefix)
    return None


def unsupplied(module: str, submodules: tuple[str, ...] = ()) -> Callable[[str], Any]:
    """A module's ``__getattr__``: loads its submodules, and names whatever else is asked for."""

    def get(name: str) -> Any:
        if name in submodules:
            return importlib.import_module(f"{module}.{name}")
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise ImportError(f"{module}.{name} is not supplied: {REMEDY}")

    return get


if (_found := real_ros_prefix("launch")) is not None:
    raise ImportError(
        f"the real launch is installed in {_found}, and face_af's stand-in for it must not be used beside it: "
        f"leave the virtual environment that holds {Path(__file__).parents[1]}, or open a shell without that ROS 2"
    )
