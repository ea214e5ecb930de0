"""``ros2 COMMAND …``."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from launch._limits import REMEDY, real_ros_prefix

COMMANDS = {
    "bag": "record, play and inspect recordings",
    "interface": "show messages and services",
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


def like(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` where one of ``known`` is alike, and else nothing."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


class Parser(argparse.ArgumentParser):
    """Says for an unknown command, verb or option what there is, and what it takes to have more."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            names = list(action.choices)
            self.error(f"'{value}' is not supplied{like(value, names)} {_limits(names)}")
        super()._check_value(action, value)

    def parse(self, args: Sequence[str]) -> argparse.Namespace:
        """Like ``parse_args``, but tells an unknown option what the command or verb before it has."""
        parsed, unknown = self.parse_known_args(args)
        if unknown:
            parser: argparse.ArgumentParser = self
            for name in (getattr(parsed, "command", None), getattr(parsed, "verb", None)):
                parser = below(parser, name)
            options = [option for action in parser._actions for option in action.option_strings if option[:2] == "--"]
            near = like(unknown[0].split("=")[0], options) if unknown[0].startswith("-") else ""
            parser.error(f"'{unknown[0]}' is not supplied{near} {_limits(options)}")
        return parsed

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n")


def _limits(names: Iterable[str]) -> str:
    return f"(there are {', '.join(names)}; for more, {REMEDY})"


def below(parser: argparse.ArgumentParser, name: str | None) -> argparse.ArgumentParser:
    """The parser of a command or a verb, where ``parser`` has one of that name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and name in action.choices:
            return action.choices[name]  # type: ignore[no-any-return]
    return parser


def make_parser(argv: Sequence[str]) -> Parser:
    """The parser of all commands; only the one that ``argv`` names is imported and complete."""
    parser = Parser(prog="ros2", description="face_af's stand-in for the ros2 command.")
    parser.add_argument("--use-python-default-buffering", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    wanted = next((word for word in argv if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == wanted:
            try:
                module = importlib.import_module(f".{name}_command", __package__)
            except ModuleNotFoundError as error:
                parser.error(f"'{name}' needs the Python package {error.name}, which {sys.executable} does not have")
            module.add_arguments(command)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    real = real_ros_prefix("ros2cli")
    if real is not None:
        print(f"the real ros2 is installed in {real}; this stand-in for it must not be used beside it", file=sys.stderr)
        return 1
    if argv[:1] == ["--complete"]:
        print("\n".join(importlib.import_module(".completion", __package__).candidates(argv[1:])))
        return 0
    parser = make_parser(argv)
    args = parser.parse(argv)
    if args.command is None:
        parser.print_help()
        return 0
    if not args.use_python_default_buffering:
        with contextlib.suppress(AttributeError):
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # run and launch go on importing, whose weak references' callbacks swallow a KeyboardInterrupt
    if args.command not in ("run", "launch") and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # until here it ends us without a word
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
