"""``ros2 run``."""

from __future__ import annotations

import argparse
import os

from .main import CommandError
from .pkg_command import executables, package_prefix


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prefix", help="a command to put before the executable")
    parser.add_argument("package_name", help="name of the package")
    parser.add_argument("executable_name", help="name of the executable")
    parser.add_argument("argv", nargs=argparse.REMAINDER, help="arguments for the executable")
    parser.set_defaults(main=run)


def run(args: argparse.Namespace) -> int:
    """Becomes the executable, so that signals and the exit status are its own."""
    paths = [path for path in executables(args.package_name) if path.name == args.executable_name]
    if not paths:
        names = ", ".join(path.name for path in executables(args.package_name)) or "none"
        raise CommandError(
            f"No executable found: {args.executable_name} (in {package_prefix(args.package_name)}: {names})"
        )
    command = [*(args.prefix or "").split(), str(paths[0]), *args.argv]
    os.execvp(command[0], command)
