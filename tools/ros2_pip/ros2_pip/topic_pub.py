"""``ros2 topic pub``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import yaml
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from .graph import Graph, absolute, add_graph_arguments, graph
from .main import CommandError
from .messages import fill, load_type


def add_verb(verbs: Any) -> None:
    verb = verbs.add_parser("pub", help="publish a message, once or again and again")
    verb.add_argument("topic_name")
    verb.add_argument("message_type", help="as in std_msgs/msg/String")
    verb.add_argument("values", nargs="?", default="{}", help="the message's fields as YAML")
    verb.add_argument("--stdin", action="store_true", help="read the values from standard input")
    verb.add_argument("-r", "--rate", type=float, default=1.0, metavar="N", help="times a second (default: 1)")
    verb.add_argument("-p", "--print", type=int, default=1, metavar="N", help="print each N-th message only")
    count = verb.add_mutually_exclusive_group()
    count.add_argument("-1", "--once", dest="times", action="store_const", const=1, help="once")
    count.add_argument("-t", "--times", type=int, default=0, help="so many times (default: until Ctrl-C)")
    verb.add_argument(
        "-w", "--wait-matching-subscriptions", type=int, metavar="N",
        help="wait for so many subscriptions (default: 1 with --once and --times, otherwise 0)",
    )  # fmt: skip
    verb.add_argument("--max-wait-time-secs", type=float, metavar="S", help="give up waiting after S seconds")
    verb.add_argument("--keep-alive", type=float, default=0.1, metavar="N", help="stay N seconds after the last one")
    verb.add_argument("--qos-reliability", choices=("reliable", "best_effort"), default="reliable")
    verb.add_argument("--qos-durability", choices=("transient_local", "volatile"), default="volatile")
    verb.add_argument("--qos-depth", type=int, default=10)
    add_graph_arguments(verb)
    verb.set_defaults(main=pub)


def pub(args: argparse.Namespace) -> None:
    if args.rate <= 0:
        raise CommandError("--rate must be greater than 0")
    os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # else a wrong type is found only when the message is sent
    kind = load_type(args.message_type, "msg")
    try:
        values = yaml.safe_load(sys.stdin.read() if args.stdin else args.values) or {}
    except yaml.YAMLError as error:
        raise CommandError(f"the values are no YAML: {error}") from error
    stamped, values = _stamped_now(values)
    message = fill(kind(), values)
    profile = QoSProfile(
        depth=args.qos_depth,
        reliability=ReliabilityPolicy[args.qos_reliability.upper()],
        durability=DurabilityPolicy[args.qos_durability.upper()],
    )
    with graph(args) as g:
        publisher = g.node.create_publisher(kind, absolute(args.topic_name), profile)
        _wait_for_subscriptions(g, publisher, args)
        print("publisher: beginning loop")
        number, due = 0, time.monotonic()
        while g.context.ok() and (not args.times or number < args.times):
            number += 1
            if stamped:
                message.header.stamp = g.node.get_clock().now().to_msg()
            if args.print and number % args.print == 0:
                print(f"publishing #{number}: {message!r}\n")
            publisher.publish(message)
            due += 1 / args.rate
            if number != args.times:
                g.wait_for(lambda: time.monotonic() >= due or not g.context.ok(), None)  # noqa: B023  used at once
        g.wait_for(lambda: False, args.keep_alive)


def _stamped_now(values: Any) -> tuple[bool, Any]:
    """Whether the stamp is to be the time of sending (``header: auto`` or ``{stamp: now}``), and the other values."""
    if not isinstance(values, dict) or "header" not in values:
        return False, values
    header = values["header"]
    if header == "auto":
        return True, {name: value for name, value in values.items() if name != "header"}
    if isinstance(header, dict) and header.get("stamp") == "now":
        rest = {name: value for name, value in header.items() if name != "stamp"}
        return True, {**values, "header": rest}
    return False, values


def _wait_for_subscriptions(g: Graph, publisher: Any, args: argparse.Namespace) -> None:
    wanted = args.wait_matching_subscriptions
    wanted = int(bool(args.times)) if wanted is None else wanted
    end = None if args.max_wait_time_secs is None else time.monotonic() + args.max_wait_time_secs
    while publisher.get_subscription_count() < wanted:
        if end is not None and time.monotonic() >= end:
            there = publisher.get_subscription_count()
            raise CommandError(f"Timed out waiting for subscribers: {wanted} expected, {there} there")
        print(f"Waiting for at least {wanted} matching subscription(s)...")
        g.wait_for(lambda: publisher.get_subscription_count() >= wanted, 1.0)
