"""``ros2 topic``."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import yaml
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from . import topic_measure, topic_pub
from .graph import absolute, add_graph_arguments, graph
from .main import CommandError
from .messages import Shown, load_type
from .topic_qos import matching_qos, wait_for_types


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("list", help="names of all topics")
    verb.add_argument("-t", "--show-types", action="store_true", help="types as well")
    verb.add_argument("-c", "--count-topics", action="store_true", help="only how many there are")
    verb.add_argument("-v", "--verbose", action="store_true", help="types and number of publishers and subscribers")
    verb.add_argument("--include-hidden-topics", action="store_true", help="hidden topics as well")
    verb.set_defaults(main=list_topics)
    verb = verbs.add_parser("info", help="who publishes and subscribes a topic")
    verb.add_argument("topic_name")
    verb.add_argument("-v", "--verbose", action="store_true", help="with node names and quality of service")
    verb.set_defaults(main=info)
    verb = verbs.add_parser("type", help="type of a topic")
    verb.add_argument("topic_name")
    verb.set_defaults(main=show_type)
    verb = verbs.add_parser("find", help="topics of a type")
    verb.add_argument("topic_type", help="as in std_msgs/msg/String")
    verb.add_argument("-c", "--count-topics", action="store_true", help="only how many there are")
    verb.add_argument("--include-hidden-topics", action="store_true", help="hidden topics as well")
    verb.set_defaults(main=find)
    for verb in verbs.choices.values():
        add_graph_arguments(verb)
    topic_measure.add_verbs(verbs)
    topic_pub.add_verb(verbs)
    verb = verbs.add_parser("echo", help="print messages")
    verb.add_argument("topic_name")
    verb.add_argument("message_type", nargs="?")
    verb.add_argument("--once", action="store_true", help="one message only")
    verb.add_argument("--timeout", type=float, metavar="N", help="give up after N seconds without a message")
    verb.add_argument("--field", help="one field only, as in header.stamp")
    verb.add_argument("--csv", action="store_true", help="values separated by commas")
    verb.add_argument("-f", "--full-length", action="store_true", help="do not shorten arrays and texts")
    verb.add_argument("-l", "--truncate-length", type=int, default=128, help="shorten to this length (default: 128)")
    verb.add_argument("--no-arr", action="store_true", help="lengths of arrays only")
    verb.add_argument("--no-str", action="store_true", help="lengths of texts only")
    verb.add_argument("--qos-reliability", choices=("reliable", "best_effort"))
    verb.add_argument("--qos-durability", choices=("transient_local", "volatile"))
    verb.add_argument("--qos-depth", type=int)
    add_graph_arguments(verb)
    verb.set_defaults(main=echo)


def list_topics(args: argparse.Namespace) -> None:
    with graph(args) as g:
        g.settle()
        found = g.topics(args.include_hidden_topics)
        if args.count_topics:
            print(len(found))
        elif args.verbose:
            for title, count, noun in (
                ("Published", g.node.count_publishers, "publisher"),
                ("Subscribed", g.node.count_subscribers, "subscriber"),
            ):
                print(f"{title} topics:")
                for name, types in found:
                    if number := count(name):
                        print(f" * {name} [{', '.join(types)}] {number} {noun}{'s' if number > 1 else ''}")
                print()
        else:
            for name, types in found:
                print(f"{name} [{', '.join(types)}]" if args.show_types else name)


def info(args: argparse.Namespace) -> None:
    with graph(args) as g:
        types = wait_for_types(g, args.topic_name)
        g.settle()
        name = absolute(args.topic_name)
        end = "\n\n" if args.verbose else "\n"
        print(f"Type: {types[0] if len(types) == 1 else types}", end=end)
        for title, infos in (
            ("Publisher", g.node.get_publishers_info_by_topic(name)),
            ("Subscription", g.node.get_subscriptions_info_by_topic(name)),
        ):
            print(f"{title} count: {len(infos)}", end=end)
            for entry in infos if args.verbose else ():
                print(entry, end=end)


def show_type(args: argparse.Namespace) -> None:
    with graph(args) as g:
        print("\n".join(wait_for_types(g, args.topic_name)))


def find(args: argparse.Namespace) -> None:
    with graph(args) as g:
        g.settle()
        found = [name for name, types in g.topics(args.include_hidden_topics) if args.topic_type in types]
    print(len(found) if args.count_topics else "\n".join(found), end="\n" if found or args.count_topics else "")


def echo(args: argparse.Namespace) -> int:
    shown = Shown(None if args.full_length else args.truncate_length, args.no_arr, args.no_str)
    with graph(args) as g:
        name = absolute(args.topic_name)
        if args.message_type:
            kind = load_type(args.message_type, "msg")
            g.settle()
        else:
            if not g.wait_for(lambda: dict(g.topics(True)).get(name), 2.0):
                print(f"WARNING: topic [{args.topic_name}] does not appear to be published yet", file=sys.stderr)
            kind = load_type(wait_for_types(g, name, args.timeout)[0], "msg")
        qos = matching_qos(g, name)
        if args.qos_reliability:
            qos.reliability = ReliabilityPolicy[args.qos_reliability.upper()]
        if args.qos_durability:
            qos.durability = DurabilityPolicy[args.qos_durability.upper()]
        if args.qos_depth:
            qos.depth = args.qos_depth
        newest: float | None = None

        def show(message: Any) -> None:
            nonlocal newest
            if args.once and newest is not None:
                return
            newest = time.monotonic()
            part = _field(message, args.field)
            if args.csv:
                print(shown.csv(part))
            elif hasattr(part, "get_fields_and_field_types"):
                print(shown.text(part) + "---")
            else:
                plain = shown.plain(part)
                text = yaml.safe_dump(plain, default_flow_style=None) if isinstance(plain, list) else f"{plain}\n"
                print(text + "---")

        g.node.create_subscription(kind, name, show, qos)
        start = time.monotonic()
        while g.context.ok():
            g.spin_once(0.1)
            if args.once and newest is not None:
                return 0
            if args.timeout and time.monotonic() - (newest or start) > args.timeout:
                return 1
    return 0


def _field(message: Any, path: str | None) -> Any:
    for name in (path or "").split("."):
        if name:
            try:
                message = getattr(message, name)
            except AttributeError as error:
                raise CommandError(f"Invalid field '{path}': there is no {name}") from error
    return message
