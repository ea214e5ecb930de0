"""``ros2 pkg``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
    get_packages_with_prefixes,
)

from .main import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("list", help="names of all packages")
    verb.set_defaults(main=list_packages)
    verb = verbs.add_parser("prefix", help="where a package is installed")
    verb.add_argument("package_name")
    verb.add_argument("--share", action="store_true", help="show the share folder")
    verb.set_defaults(main=prefix)
    verb = verbs.add_parser("executables", help="executables of a package, or of all")
    verb.add_argument("package_name", nargs="?")
    verb.add_argument("--full-path", action="store_true", help="show paths")
    verb.set_defaults(main=list_executables)


def package_prefix(package: str) -> str:
    try:
        return str(get_package_prefix(package))
    except (PackageNotFoundError, ValueError) as error:
        raise CommandError(f"Package not found: {package}") from error


def executables(package: str) -> list[Path]:
    """Paths of the package's executables, sorted."""
    folder = Path(package_prefix(package), "lib", package)
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file() and os.access(path, os.X_OK)]


def list_packages(args: argparse.Namespace) -> None:
    print("\n".join(sorted(get_packages_with_prefixes())))


def prefix(args: argparse.Namespace) -> None:
    found = package_prefix(args.package_name)
    print(get_package_share_directory(args.package_name) if args.share else found)


def list_executables(args: argparse.Namespace) -> None:
    packages = [args.package_name] if args.package_name else sorted(get_packages_with_prefixes())
    for package in packages:
        for path in executables(package):
            print(path if args.full_path else f"{package} {path.name}")
