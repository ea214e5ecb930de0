"""``ros2 service``."""

from __future__ import annotations

import argparse
import os

import yaml

from .graph import absolute, graph, is_hidden
from .main import CommandError
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
    verb = verbs.add_parser("call", help="call a service")
    verb.add_argument("service_name")
    verb.add_argument("service_type", help="for example std_srvs/srv/Trigger")
    verb.add_argument("values", nargs="?", default="{}", help="the request's fields as YAML")
    verb.set_defaults(main=call)


def list_services(args: argparse.Namespace) -> None:
    with graph() as g:
        g.settle()
        found = sorted(g.node.get_service_names_and_types())
    found = [(name, types) for name, types in found if args.include_hidden_services or not is_hidden(name)]
    if args.count_services:
        print(len(found))
        return
    for name, types in found:
        print(f"{name} [{', '.join(types)}]" if args.show_types else name)


def show_type(args: argparse.Namespace) -> None:
    with graph() as g:
        g.settle()
        types = dict(g.node.get_service_names_and_types()).get(absolute(args.service_name))
    if not types:
        raise CommandError(f"Unknown service '{args.service_name}'")
    print("\n".join(types))


def call(args: argparse.Namespace) -> None:
    os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # else a wrong type is found only when the request is sent
    kind = load_type(args.service_type, "srv")
    try:
        values = yaml.safe_load(args.values) or {}
    except yaml.YAMLError as error:
        raise CommandError(f"the values are no YAML: {error}") from error
    request = fill(kind.Request(), values)
    with graph() as g:
        name = absolute(args.service_name)
        client = g.node.create_client(kind, name)
        if not client.service_is_ready():
            print("waiting for service to become available...")
            g.wait_for(client.service_is_ready, None)
        print(f"requester: making request: {request!r}\n")
        print(f"response:\n{g.call(kind, name, request, timeout=60.0)!r}\n")
