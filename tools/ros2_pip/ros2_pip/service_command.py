"""``ros2 service``."""

from __future__ import annotations

import argparse
import os

import yaml

from .graph import Graph, absolute, add_graph_arguments, graph, is_hidden
from .main import CommandError, like
from .messages import fill, load_type


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("list", help="names of all services")
    verb.add_argument("-t", "--show-types", action="store_true", help="types as well")
    verb.add_argument("-c", "--count-services", action="store_true", help="only how many there are")
    verb.add_argument("-a", "--include-hidden-services", action="store_true", help="hidden services as well")
    verb.set_defaults(main=list_services)
    verb = verbs.add_parser("type", help="type of a service")
    verb.add_argument("service_name")
    verb.set_defaults(main=show_type)
    verb = verbs.add_parser("find", help="services of a type")
    verb.add_argument("service_type", help="as in std_srvs/srv/Trigger")
    verb.add_argument("-c", "--count-services", action="store_true", help="only how many there are")
    verb.add_argument("-a", "--include-hidden-services", action="store_true", help="hidden services as well")
    verb.set_defaults(main=find)
    verb = verbs.add_parser("info", help="type of a service, and how many offer and use it")
    verb.add_argument("service_name")
    verb.set_defaults(main=info)
    verb = verbs.add_parser("call", help="call a service")
    verb.add_argument("service_name")
    verb.add_argument("service_type", help="for example std_srvs/srv/Trigger")
    verb.add_argument("values", nargs="?", default="{}", help="the request's fields as YAML")
    verb.set_defaults(main=call)
    for verb in verbs.choices.values():
        add_graph_arguments(verb)


def _services(g: Graph, hidden: bool) -> list[tuple[str, list[str]]]:
    g.settle()
    return sorted(
        (name, types) for name, types in g.node.get_service_names_and_types() if hidden or not is_hidden(name)
    )


def list_services(args: argparse.Namespace) -> None:
    with graph(args) as g:
        found = _services(g, args.include_hidden_services)
    if args.count_services:
        print(len(found))
        return
    for name, types in found:
        print(f"{name} [{', '.join(types)}]" if args.show_types else name)


def find(args: argparse.Namespace) -> None:
    with graph(args) as g:
        found = [name for name, types in _services(g, args.include_hidden_services) if args.service_type in types]
    print(len(found) if args.count_services else "\n".join(found), end="\n" if found or args.count_services else "")


def _types(g: Graph, name: str) -> list[str]:
    known = dict(_services(g, hidden=True))
    types = known.get(absolute(name))
    if not types:
        raise CommandError(f"Unknown service '{name}'{like(absolute(name), known)}")
    return types


def show_type(args: argparse.Namespace) -> None:
    with graph(args) as g:
        print("\n".join(_types(g, args.service_name)))


def info(args: argparse.Namespace) -> None:
    with graph(args) as g:
        types, name = _types(g, args.service_name), absolute(args.service_name)
        print(f"Type: {types[0] if len(types) == 1 else types}")
        print(f"Clients count: {g.node.count_clients(name)}")
        print(f"Services count: {g.node.count_services(name)}")


def call(args: argparse.Namespace) -> None:
    os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # else a wrong type is found only when the request is sent
    kind = load_type(args.service_type, "srv")
    try:
        values = yaml.safe_load(args.values) or {}
    except yaml.YAMLError as error:
        raise CommandError(f"the values are no YAML: {error}") from error
    request = fill(kind.Request(), values)
    with graph(args) as g:
        name = absolute(args.service_name)
        client = g.node.create_client(kind, name)
        if not client.service_is_ready():
            print("waiting for service to become available...")
            g.wait_for(client.service_is_ready, None)
        print(f"requester: making request: {request!r}\n")
        print(f"response:\n{g.call(kind, name, request, timeout=60.0)!r}\n")
