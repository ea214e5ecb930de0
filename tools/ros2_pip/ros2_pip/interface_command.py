"""``ros2 interface``: definitions of messages and services, from the files that their packages have installed."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from ament_index_python.resources import get_resource, get_resources

from .main import CommandError, like

KINDS = {"msg": "Messages", "srv": "Services", "action": "Actions"}
_TYPE = re.compile(r"^\s*(?:(\w+)/)?([A-Z]\w*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[a-z]\w*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("show", help="definition of an interface, with those that are in it")
    verb.add_argument("type", help="as in std_msgs/msg/String; -: from standard input")
    comments = verb.add_mutually_exclusive_group()
    comments.add_argument("--all-comments", action="store_true", help="comments of nested definitions as well")
    comments.add_argument("--no-comments", action="store_true", help="no comments and no empty lines")
    verb.set_defaults(main=show)
    for name, text, main in (
        ("list", "all interfaces", list_interfaces),
        ("package", "interfaces of a package", of_package),
        ("packages", "packages that have interfaces", packages),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("-m", "--only-msgs", dest="kinds", action="append_const", const="msg")
        verb.add_argument("-s", "--only-srvs", dest="kinds", action="append_const", const="srv")
        verb.add_argument("-a", "--only-actions", dest="kinds", action="append_const", const="action")
        if name == "package":
            verb.add_argument("package_name")
        verb.set_defaults(main=main)


def interfaces(package: str) -> list[str]:
    """``package/kind/Name`` of all that the package has; none where it is no package of interfaces."""
    try:
        text, _ = get_resource("rosidl_interfaces", package)
    except LookupError:
        return []
    files = [Path(line) for line in text.splitlines()]
    return sorted(f"{package}/{path.parent}/{path.stem}" for path in files if path.suffix[1:] in KINDS)


def _wanted(names: list[str], kinds: list[str] | None) -> list[str]:
    return [name for name in names if name.split("/")[1] in (kinds or KINDS)]


def list_interfaces(args: argparse.Namespace) -> None:
    found = [name for package in sorted(get_resources("rosidl_interfaces")) for name in interfaces(package)]
    for kind in args.kinds or KINDS:
        print(f"{KINDS[kind]}:")
        for name in _wanted(found, [kind]):
            print(f"    {name}")


def of_package(args: argparse.Namespace) -> None:
    found = interfaces(args.package_name)
    if not found:
        known = sorted(get_resources("rosidl_interfaces"))
        raise CommandError(f"Unknown package '{args.package_name}'{like(args.package_name, known)}")
    for name in _wanted(found, args.kinds):
        print(name)


def packages(args: argparse.Namespace) -> None:
    for package in sorted(get_resources("rosidl_interfaces")):
        if _wanted(interfaces(package), args.kinds):
            print(package)


def show(args: argparse.Namespace) -> None:
    name = sys.stdin.readline().strip() if args.type == "-" else args.type
    for line in definition_lines(name, args.all_comments, not args.no_comments):
        print(line)


def definition_lines(name: str, nested_comments: bool = False, comments: bool = True, indent: int = 0) -> list[str]:
    """The lines of ``package/kind/Name``, each field's own type indented below it. Raises :class:`CommandError`."""
    lines = []
    package = name.split("/")[0]
    for line in _path(name).read_text("utf-8").splitlines():
        bare = line.split("#")[0].rstrip()
        if comments or bare:
            lines.append("\t" * indent + (line.rstrip() if comments else bare))
        if (field := _TYPE.match(bare)) and "=" not in bare.split("[")[0]:
            inner = f"{field[1] or package}/msg/{field[2]}"
            lines += definition_lines(inner, nested_comments, comments and nested_comments, indent + 1)
    return lines


def _path(name: str) -> Path:
    parts = name.split("/")
    if len(parts) == 2:
        parts = [parts[0], "msg", parts[1]]
    if len(parts) != 3:
        raise CommandError(f"Invalid name '{name}'. Expected three parts separated by '/'")
    package, kind, short = parts
    known = interfaces(package)
    if "/".join(parts) not in known:
        if not known:
            raise CommandError(
                f"Unknown package '{package}'{like(package, sorted(get_resources('rosidl_interfaces')))}"
            )
        raise CommandError(f"Unknown interface '{name}'{like('/'.join(parts), known)}")
    return Path(get_package_share_directory(package), kind, f"{short}.{kind}")
