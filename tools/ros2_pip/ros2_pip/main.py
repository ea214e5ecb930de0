"""``ros2 COMMAND …``."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys

from launch._limits import REMEDY, real_ros_prefix

COMMANDS = {
    "bag": "record, play and inspect recordings",
    "launch": "run a launch file",
    "node": "list nodes and their topics",
    "param": "list, read, change and save parameters",
    "pkg": "find packages and their executables",
    "run": "run an executable of a package",
    "service": "list and call services",
    "topic": "list, watch and measure topics",
}


class CommandError(Exception):
    """The command cannot do what was asked; the text says why."""


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    real = real_ros_prefix("ros2cli")
    if real is not None:
        print(f"the real ros2 is installed in {real}; this stand-in for it must not be used beside it", file=sys.stderr)
        return 1
    parser = argparse.ArgumentParser(prog="ros2", description="face_af's stand-in for the ros2 command.")
    parser.add_argument("--use-python-default-buffering", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    wanted = next((word for word in argv if not word.startswith("-")), None)
    if wanted is not None and wanted not in COMMANDS:
        parser.error(f"'{wanted}' is not supplied: {REMEDY}; there are {', '.join(COMMANDS)}")
    for name, text in COMMANDS.items():
        # only the wanted command is imported
        command = commands.add_parser(name, help=text, description=text)
        if name == wanted:
            importlib.import_module(f".{name}_command", __package__).add_arguments(command)
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    if not args.use_python_default_buffering:
        with contextlib.suppress(AttributeError):
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        return int(args.main(args) or 0)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
