"""What may stand at the cursor of a ``ros2`` command line, for tools/ros2_pip/completion.bash."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from ament_index_python.packages import get_package_share_directory, get_packages_with_prefixes
from ament_index_python.resources import get_resources

from .graph import graph
from .interface_command import interfaces
from .main import CommandError, below, make_parser
from .pkg_command import executables


def candidates(words: Sequence[str]) -> list[str]:
    """The words that complete the last one of ``words``, which follow ``ros2`` and of which the last may be empty."""
    *before, current = words
    parser: argparse.ArgumentParser = make_parser(before)
    left = list(before)
    while left and not left[0].startswith("-"):
        deeper = below(parser, left[0])
        if deeper is parser:
            break
        parser = deeper
        left.pop(0)
    if current.startswith("-"):
        found = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    else:
        found = _positional(parser, [word for word in left if not word.startswith("-")])
    return sorted(word for word in found if word.startswith(current))


def _positional(parser: argparse.ArgumentParser, given: list[str]) -> list[str]:
    actions = [action for action in parser._actions if not action.option_strings]
    if not actions:
        return []
    action = actions[min(len(given), len(actions) - 1)]
    if action.choices is not None:
        return list(map(str, action.choices))
    find = _FINDERS.get(action.dest)
    try:
        return find(given) if find else []
    except (CommandError, LookupError, OSError):
        return []


def _seen(what: str) -> list[str]:
    with graph(argparse.Namespace(spin_time=0.3)) as g:
        g.settle()
        if what == "nodes":
            return g.node_names()
        if what == "services":
            return [name for name, _ in g.node.get_service_names_and_types()]
        return [name for name, _ in g.topics()]


def _launch_files(given: list[str]) -> list[str]:
    share = Path(get_package_share_directory(given[0]))
    return [path.name for path in share.rglob("*launch.py")]


def _kinds(kind: str) -> list[str]:
    names = [name for package in get_resources("rosidl_interfaces") for name in interfaces(package)]
    return [name for name in names if not kind or name.split("/")[1] == kind]


_FINDERS: dict[str, Callable[[list[str]], list[str]]] = {
    "executable_name": lambda given: [path.name for path in executables(given[0])],
    "launch_file_name": _launch_files,
    "message_type": lambda _: _kinds("msg"),
    "node_name": lambda _: _seen("nodes"),
    "package_name": lambda _: list(get_packages_with_prefixes()),
    "service_name": lambda _: _seen("services"),
    "service_type": lambda _: _kinds("srv"),
    "topic_name": lambda _: _seen("topics"),
    "topic_type": lambda _: _kinds("msg"),
    "topics": lambda _: _seen("topics"),
    "type": lambda _: _kinds(""),
}
"""By the name of the positional argument; each gets the ones before it."""
