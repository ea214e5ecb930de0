"""``ros2 topic``."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import deque
from itertools import pairwise
from typing import Any

import yaml
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from .graph import Graph, absolute, graph
from .main import CommandError
from .messages import Shown, load_type


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
    verb = verbs.add_parser("hz", help="measure how often messages come")
    verb.add_argument("topic_name")
    verb.add_argument("-w", "--window", type=int, default=10_000, help="messages to average over")
    verb.add_argument("--wall-time", action="store_true", help="taken for granted here")
    verb.set_defaults(main=hz)
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
    verb.set_defaults(main=echo)


def list_topics(args: argparse.Namespace) -> None:
    with graph() as g:
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
    with graph() as g:
        types = _wait_for_types(g, args.topic_name)
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
    with graph() as g:
        print("\n".join(_wait_for_types(g, args.topic_name)))


def _wait_for_types(g: Graph, topic: str, timeout: float | None = 3.0) -> list[str]:
    name = absolute(topic)
    if not g.wait_for(lambda: dict(g.topics(hidden=True)).get(name), timeout):
        raise CommandError(f"Unknown topic '{topic}'")
    return dict(g.topics(hidden=True))[name]


def matching_qos(g: Graph, topic: str) -> QoSProfile:
    """What fits every publisher that is there: reliable and latched only where all of them are."""
    offered = [entry.qos_profile for entry in g.node.get_publishers_info_by_topic(topic)]
    profile = QoSProfile(depth=10, history=HistoryPolicy.KEEP_LAST)
    reliable = bool(offered) and all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
    latched = bool(offered) and all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    profile.reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    profile.durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
    return profile


def hz(args: argparse.Namespace) -> None:
    with graph() as g:
        name = absolute(args.topic_name)
        if not dict(g.topics(True)).get(name) and not g.wait_for(lambda: dict(g.topics(True)).get(name), 2.0):
            print(f"WARNING: topic [{args.topic_name}] does not appear to be published yet", file=sys.stderr)
        kind = load_type(_wait_for_types(g, name, None)[0], "msg")
        arrivals: deque[float] = deque(maxlen=max(2, args.window + 1))
        g.node.create_subscription(
            kind, name, lambda _: arrivals.append(time.monotonic()), matching_qos(g, name), raw=True
        )
        printed = time.monotonic()
        last = 0.0
        while g.context.ok():
            g.spin_once(0.1)
            if time.monotonic() - printed < 1.0:
                continue
            printed = time.monotonic()
            if len(arrivals) > 1 and arrivals[-1] != last:
                last = arrivals[-1]
                print(hz_text(list(arrivals)))


def hz_text(arrivals: list[float]) -> str:
    """Rate and spread of at least two arrival times in seconds, as the real command writes them."""
    gaps = [after - before for before, after in pairwise(arrivals)]
    mean = statistics.fmean(gaps)
    return (
        f"average rate: {1 / mean if mean else 0:.3f}\n\tmin: {min(gaps):.3f}s max: {max(gaps):.3f}s "
        f"std dev: {statistics.pstdev(gaps):.5f}s window: {len(gaps)}"
    )


def echo(args: argparse.Namespace) -> int:
    shown = Shown(None if args.full_length else args.truncate_length, args.no_arr, args.no_str)
    with graph() as g:
        name = absolute(args.topic_name)
        if args.message_type:
            kind = load_type(args.message_type, "msg")
            g.settle()
        else:
            if not g.wait_for(lambda: dict(g.topics(True)).get(name), 2.0):
                print(f"WARNING: topic [{args.topic_name}] does not appear to be published yet", file=sys.stderr)
            kind = load_type(_wait_for_types(g, name, args.timeout)[0], "msg")
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
