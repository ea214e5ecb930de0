"""``ros2 node``."""

from __future__ import annotations

import argparse
import sys

from .graph import absolute, add_graph_arguments, graph, is_hidden
from .main import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("list", help="names of all nodes")
    verb.add_argument("-a", "--all", action="store_true", help="hidden nodes as well")
    verb.add_argument("-c", "--count-nodes", action="store_true", help="only how many there are")
    verb.set_defaults(main=list_nodes)
    verb = verbs.add_parser("info", help="topics and services of a node")
    verb.add_argument("node_name")
    verb.add_argument("--include-hidden", action="store_true", help="hidden topics and services as well")
    verb.set_defaults(main=info)
    for verb in verbs.choices.values():
        add_graph_arguments(verb)


def list_nodes(args: argparse.Namespace) -> None:
    with graph(args) as g:
        g.settle()
        names = g.node_names(args.all)
    if args.count_nodes:
        print(len(names))
        return
    if len(set(names)) < len(names):
        print(
            "WARNING: Be aware that there are nodes in the graph that share an exact name, "
            "which can have unintended side effects.",
            file=sys.stderr,
        )
    if names:
        print("\n".join(names))


def info(args: argparse.Namespace) -> None:
    with graph(args) as g:
        try:
            name, namespace = g.find_node(args.node_name)
        except CommandError as error:
            raise CommandError(f"Unable to find node '{args.node_name}'") from error
        g.settle()
        node = g.node
        print(absolute(args.node_name))
        for title, found in (
            ("Subscribers", node.get_subscriber_names_and_types_by_node(name, namespace)),
            ("Publishers", node.get_publisher_names_and_types_by_node(name, namespace)),
            ("Service Servers", node.get_service_names_and_types_by_node(name, namespace)),
            ("Service Clients", node.get_client_names_and_types_by_node(name, namespace)),
        ):
            print(f"  {title}:")
            for item, types in sorted(found):
                if args.include_hidden or not is_hidden(item):
                    print(f"    {item}: {', '.join(types)}")
        # face_af has no actions
        print("  Action Servers:\n\n  Action Clients:\n")
