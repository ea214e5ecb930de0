"""``ros2 launch``."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource, load_launch_file

from .main import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", "--noninteractive", action="store_true", default=not sys.stdin.isatty(), help="there is no terminal"
    )
    parser.add_argument("-d", "--debug", action="store_true", help="say more about what the launch does")
    parser.add_argument(
        "-s", "--show-args", "--show-arguments", action="store_true", help="show the launch file's arguments"
    )
    parser.add_argument(
        "-a", "--show-all-subprocesses-output", action="store_true", help="show the output of every process"
    )
    parser.add_argument("package_name", help="package with the launch file, or the launch file's path")
    parser.add_argument("launch_file_name", nargs="?", help="name of the launch file in the package")
    parser.add_argument("launch_arguments", nargs="*", help="arguments of the launch file: name:=value")
    parser.set_defaults(main=run)


def run(args: argparse.Namespace) -> int:
    words = list(args.launch_arguments)
    if Path(args.package_name).is_file():
        path = args.package_name
        words = [args.launch_file_name, *words] if args.launch_file_name else words
    else:
        path = find_launch_file(args.package_name, args.launch_file_name)
    arguments = parse_arguments(words)
    try:
        description = load_launch_file(str(Path(path).absolute()))
    except Exception as error:
        if args.debug:
            raise
        raise CommandError(f"{path}: {error}") from error
    if args.show_args:
        show_arguments(description)
        return 0
    warn_of_unknown(arguments, description)
    if args.show_all_subprocesses_output:
        os.environ["OVERRIDE_LAUNCH_PROCESS_OUTPUT"] = "both"
    service = LaunchService(argv=words, noninteractive=args.noninteractive, debug=args.debug)
    include = IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=arguments.items())
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def find_launch_file(package: str, name: str | None) -> str:
    """The one launch file of that name anywhere in the package's share folder."""
    try:
        share = get_package_share_directory(package)
    except (PackageNotFoundError, ValueError) as error:
        raise CommandError(f"Package '{package}' not found: {error}") from error
    launch_files = sorted(
        str(Path(root, file))
        for root, _, files in os.walk(share, followlinks=True)
        for file in files
        if file.endswith("launch.py")
    )
    found = [path for path in launch_files if Path(path).name == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"file '{name}' was found more than once in the share directory of '{package}': {found}")
    there = ", ".join(Path(path).name for path in launch_files) or "no launch files"
    raise CommandError(
        f"file '{name}' was not found in the share directory of package '{package}' which is at '{share}'; "
        f"there are {there}"
    )


def parse_arguments(words: list[str]) -> dict[str, str]:
    """``name:=value`` words; of duplicates the last wins."""
    arguments: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name or not value:
            raise CommandError(f"malformed launch argument '{word}', expected format '<name>:=<value>'")
        arguments[name] = value
    return arguments


def show_arguments(description: LaunchDescription) -> None:
    print("Arguments (pass arguments as '<name>:=<value>'):")
    arguments = description.arguments()
    for argument, conditional in arguments:
        print(f"\n    '{argument.name}':{'*' if conditional else ''}\n        {argument.description}")
        if argument.default_text is not None:
            print(f"        (default: {argument.default_text})")
    if not arguments:
        print("\n  No arguments.")
    elif any(conditional for _, conditional in arguments):
        print("\n* argument(s) which are only used if specific conditions occur")


def warn_of_unknown(given: dict[str, str], description: LaunchDescription) -> None:
    """A mistyped name would otherwise have no effect and no message."""
    known = [argument.name for argument, _ in description.arguments()]
    for name in given:
        if name not in known and name not in ("sigterm_timeout", "sigkill_timeout", "emulate_tty"):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            print(f"[WARNING] [launch]: there is no launch argument '{name}'{hint}", file=sys.stderr)
