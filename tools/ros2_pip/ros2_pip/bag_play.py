"""``ros2 bag play``."""

from __future__ import annotations

import argparse
import select
import sys
import termios
import threading
import time
import tty
from queue import Empty, Full, Queue
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader

from .bag_files import open_bag, until_signal
from .graph import Graph, absolute, graph
from .main import CommandError
from .messages import load_type


def play(args: argparse.Namespace) -> int:
    if args.rate <= 0:
        raise CommandError("--rate must be greater than 0")
    if args.start_paused and not sys.stdin.isatty():
        raise CommandError("--start-paused needs a terminal: the space bar starts it")
    renamed = dict(_remap_rule(rule) for rule in args.remap)
    chosen = {absolute(topic) for topic in args.topics}
    with open_bag(args.bag_path) as reader, until_signal() as stop, graph() as g:
        connections = [c for c in reader.connections if not chosen or c.topic in chosen]
        publishers: dict[int, Any] = {}
        for connection in connections:
            topic = renamed.get(connection.topic, connection.topic)
            try:
                kind = load_type(connection.msgtype, "msg")
            except CommandError as error:
                print(f"[WARN] [ros2bag]: {connection.topic} is left out: {error}", file=sys.stderr)
                continue
            publishers[connection.id] = g.node.create_publisher(kind, topic, _qos_of(connection))
        connections = [c for c in connections if c.id in publishers]
        if not connections:
            raise CommandError(f"{args.bag_path}: there is nothing to play in it")
        clock = _ClockPublisher(g, args.clock) if args.clock else None
        g.wait_for(stop.is_set, max(args.delay, 0.3))  # subscribers find the publishers meanwhile
        if args.start_paused:
            _wait_for_space(stop)
        while not stop.is_set():
            _play_once(reader, connections, publishers, clock, args, stop)
            if not args.loop:
                break
        if not stop.is_set():
            g.wait_for(stop.is_set, 0.3)
    return 0


def _wait_for_space(stop: threading.Event) -> None:
    """Until the space bar is pressed in the terminal, or a signal has come."""
    print("[INFO] [ros2bag]: paused; the space bar starts it", flush=True)
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        while not stop.is_set():
            if select.select([sys.stdin], [], [], 0.1)[0] and sys.stdin.read(1) in (" ", ""):
                return
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _play_once(
    reader: Reader,
    connections: list[Any],
    publishers: dict[int, Any],
    clock: _ClockPublisher | None,
    args: argparse.Namespace,
    stop: threading.Event,
) -> None:
    start = reader.start_time + int(args.start_offset * 1e9)
    began = time.monotonic()
    # reading ahead, so that a slow disk does not delay messages
    ahead: Queue[Any] = Queue(maxsize=16)
    done = threading.Event()

    def read() -> None:
        for item in reader.messages(connections=connections, start=start):
            while not done.is_set():
                try:
                    ahead.put(item, timeout=0.2)
                    break
                except Full:
                    continue
            if done.is_set():
                return
        ahead.put(None)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while not stop.is_set():
            try:
                item = ahead.get(timeout=0.2)
            except Empty:
                continue
            if item is None:
                return
            connection, stamp, data = item
            due = began + (stamp - start) / 1e9 / args.rate
            while not stop.is_set() and (wait := due - time.monotonic()) > 0:
                if clock is not None:
                    clock.publish_if_due(start + int((time.monotonic() - began) * args.rate * 1e9))
                stop.wait(min(wait, 0.01 if clock is not None else 0.2))
            if not stop.is_set():
                publishers[connection.id].publish(bytes(data))
    finally:
        done.set()
        thread.join(1.0)


class _ClockPublisher:
    """The recording's time on /clock."""

    def __init__(self, g: Graph, rate: float) -> None:
        from rosgraph_msgs.msg import Clock

        self._message = Clock()
        self._publisher = g.node.create_publisher(Clock, "/clock", 10)
        self._period = 1 / rate
        self._published = 0.0

    def publish_if_due(self, stamp: int) -> None:
        now = time.monotonic()
        if now - self._published >= self._period:
            self._published = now
            self._message.clock.sec, self._message.clock.nanosec = divmod(stamp, 1_000_000_000)
            self._publisher.publish(self._message)


def _remap_rule(rule: str) -> tuple[str, str]:
    old, separator, new = rule.partition(":=")
    if not separator or not old or not new:
        raise CommandError(f"--remap: '{rule}' is not OLD:=NEW")
    return absolute(old), absolute(new)


def _qos_of(connection: Any) -> QoSProfile:
    """As it was offered when recorded; reliable where that is not known."""
    profile = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
    offered = connection.ext.offered_qos_profiles
    if offered:
        if all(qos.reliability == QosReliability.BEST_EFFORT for qos in offered):
            profile.reliability = ReliabilityPolicy.BEST_EFFORT
        if all(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered):
            profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
            profile.depth = max(1, offered[0].depth)
    return profile
