"""``ros2 run``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

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
    # tools/0_quiet_interrupt.pth has made it quiet here; there, too, and it lets through what waits
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL and not args.prefix and _is_ours(paths[0]):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.execvp(command[0], command)


def _is_ours(path: Path) -> bool:
    """Whether it is a script of the project, for this interpreter."""
    if not path.parent.name.startswith(("face_af_", "nikon_mcn10")) and path.parent.name != "face_af":
        return False
    with path.open("rb") as file:
        return file.readline().strip() == f"#!{sys.executable}".encode()
