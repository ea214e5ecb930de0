"""Where launch descriptions come from."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ._limits import unsupplied
from .entities import LaunchDescription
from .launch_context import LaunchContext
from .substitutions import Substitution, describe, normalize, perform

__all__ = [
    "PythonLaunchDescriptionSource",
]

__getattr__ = unsupplied(__name__)

Location = str | os.PathLike[str] | Substitution | Iterable[str | Substitution]


def load_launch_file(path: str) -> LaunchDescription:
    """The description that the launch file's ``generate_launch_description`` returns."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no launch file {path}")
    spec = importlib.util.spec_from_file_location("launch_file", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python launch file")
    module = importlib.util.module_from_spec(spec)
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes_bytecode
    if not hasattr(module, "generate_launch_description"):
        raise ValueError(f"{path} has no function generate_launch_description")
    description = module.generate_launch_description()
    if not isinstance(description, LaunchDescription):
        raise TypeError(f"{path}: generate_launch_description returned {description!r}, not a LaunchDescription")
    return description


class LaunchDescriptionSource:
    """A launch file whose path may be known only while the launch runs."""

    def __init__(self, launch_file_path: Location) -> None:
        path = os.fspath(launch_file_path) if isinstance(launch_file_path, os.PathLike) else launch_file_path
        self._path = normalize(path)
        self._loaded: tuple[str, LaunchDescription] | None = None

    @property
    def location(self) -> str:
        """The file's path; before it is loaded, as it stands in the launch file."""
        return self._loaded[0] if self._loaded else describe(self._path)

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        if self._loaded is None:
            path = str(Path(perform(context, self._path)).absolute())
            self._loaded = path, load_launch_file(path)
        return self._loaded[1]

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """The description, or None where the path is not yet known or the file cannot be read."""
        try:
            return self.get_launch_description(LaunchContext())
        except Exception:
            return None


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file written in Python."""
