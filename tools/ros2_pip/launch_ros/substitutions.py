"""Where packages and their executables are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch._limits import unsupplied
from launch.substitutions import SomeSubstitutionsType, Substitution, SubstitutionFailure, describe, normalize, perform

if TYPE_CHECKING:
    from launch import LaunchContext

__all__ = [
    "ExecutableInPackage",
    "FindPackagePrefix",
    "FindPackageShare",
]

__getattr__ = unsupplied(__name__)


class FindPackagePrefix(Substitution):
    """The prefix under which a package is installed. PackageNotFoundError where there is no such package."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        self._package = normalize(package)

    def perform(self, context: LaunchContext) -> str:
        return str(get_package_prefix(perform(context, self._package)))

    def describe(self) -> str:
        return f"{type(self).__name__}(pkg={describe(self._package)})"


class FindPackageShare(FindPackagePrefix):
    """A package's share folder."""

    def perform(self, context: LaunchContext) -> str:
        return str(get_package_share_directory(perform(context, self._package)))


class ExecutableInPackage(FindPackagePrefix):
    """The path of an executable of a package."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        super().__init__(package)
        self._executable = normalize(executable)

    def perform(self, context: LaunchContext) -> str:
        package, executable = perform(context, self._package), perform(context, self._executable)
        folder = Path(super().perform(context), "lib", package)
        path = folder / executable
        if not os.access(path, os.X_OK) or path.is_dir():
            raise SubstitutionFailure(f"executable '{executable}' not found on the libexec directory '{folder}'")
        return str(path)

    def describe(self) -> str:
        return f"ExecInPkg(pkg={describe(self._package)}, exec={describe(self._executable)})"
