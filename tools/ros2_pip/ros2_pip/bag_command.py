"""``ros2 bag``."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Reader, ReaderError, StoragePlugin, Writer, WriterError

from .graph import Graph, absolute, graph
from .main import CommandError
from .messages import definition, load_type, type_hash
from .topic_command import matching_qos

QUEUE_BYTES = 256 * 1024 * 1024
"""Messages that wait for the disk may take this much memory; what comes then is dropped, and counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("record", help="record topics until Ctrl-C")
    verb.add_argument("topics", nargs="*", help="names of topics")
    verb.add_argument("--topics", nargs="+", dest="more_topics", default=[], help="names of topics")
    verb.add_argument("-a", "--all", "--all-topics", action="store_true", help="all topics, later ones too")
    verb.add_argument("-e", "--regex", help="topics whose whole name matches")
    verb.add_argument("-o", "--output", help="folder to make (default: rosbag2_ and the time)")
    verb.add_argument("-s", "--storage", choices=("mcap", "sqlite3"), default="mcap")
    verb.add_argument("--use-sim-time", action="store_true", help="stamp messages with /clock")
    verb.set_defaults(main=record)
    verb = verbs.add_parser("play", help="publish what was recorded")
    verb.add_argument("bag_path")
    verb.add_argument("-r", "--rate", type=float, default=1.0, help="so many times as fast")
    verb.add_argument("-l", "--loop", action="store_true", help="again and again")
    verb.add_argument("-d", "--delay", type=float, default=0.0, help="seconds to wait before")
    verb.add_argument("--start-offset", type=float, default=0.0, help="seconds of the recording to leave out")
    verb.add_argument("--topics", nargs="+", default=[], help="these topics only")
    verb.add_argument("-m", "--remap", nargs="+", default=[], metavar="OLD:=NEW", help="other names for topics")
    verb.add_argument("--clock", type=float, nargs="?", const=40.0, metavar="HZ", help="publish /clock (default: 40)")
    verb.set_defaults(main=play)
    verb = verbs.add_parser("info", help="what is in a recording")
    verb.add_argument("bag_path")
    verb.set_defaults(main=info)


class Recorder:
    """Subscribes topics as they appear, and has what comes, undecoded, written by a thread that owns the file."""

    def __init__(self, g: Graph, writer: Writer, wanted: re.Pattern[str] | set[str]) -> None:
        self._graph, self._writer, self._wanted = g, writer, wanted
        self._jobs: Queue[Callable[[], None] | None] = Queue()
        self._waiting = 0
        self._topics: set[str] = set()
        self._connections: dict[str, Any] = {}
        self.failed = ""
        """Why nothing can be written any more; empty while all is well."""
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def subscribe_new(self) -> None:
        for topic, types in self._graph.topics():
            if topic in self._topics or not self._is_wanted(topic):
                continue
            if not self._graph.node.get_publishers_info_by_topic(topic):
                continue
            self._topics.add(topic)
            try:
                kind, text, digest = load_type(types[0], "msg"), definition(types[0]), type_hash(types[0])
            except CommandError as error:
                print(f"[WARN] [ros2bag]: {topic} is left out: {error}", file=sys.stderr)
                continue
            qos = matching_qos(self._graph, topic)
            qos.depth = 100
            self._jobs.put(partial(self._add, topic, types[0], text, digest, _to_rosbags(qos)))
            self._graph.node.create_subscription(kind, topic, partial(self._receive, topic), qos, raw=True)
            print(f"[INFO] [ros2bag]: Subscribed to topic '{topic}'")

    def _is_wanted(self, topic: str) -> bool:
        if isinstance(self._wanted, set):
            return topic in self._wanted
        return self._wanted.fullmatch(topic) is not None

    def _receive(self, topic: str, data: bytes) -> None:
        if self._waiting + len(data) > QUEUE_BYTES:
            self.dropped += 1
            return
        self._waiting += len(data)
        self._jobs.put(partial(self._write, topic, self._graph.node.get_clock().now().nanoseconds, data))

    def _add(self, topic: str, kind: str, text: str, digest: str, qos: Qos) -> None:
        self._connections[topic] = self._writer.add_connection(
            topic, kind, msgdef=text, rihs01=digest, offered_qos_profiles=[qos]
        )

    def _write(self, topic: str, stamp: int, data: bytes) -> None:
        self._waiting -= len(data)
        self._writer.write(self._connections[topic], stamp, data)

    def _work(self) -> None:
        try:
            self._writer.open()
            while (job := self._jobs.get()) is not None:
                job()
            self._writer.close()
        except Exception as error:  # disk full, folder gone, whatever the storage raises
            self.failed = str(error)

    def close(self) -> None:
        """Writes what still waits, and ends the file."""
        self._jobs.put(None)
        self._thread.join()


def record(args: argparse.Namespace) -> int:
    topics = {absolute(topic) for topic in [*args.topics, *args.more_topics]}
    if not (topics or args.all or args.regex):
        raise CommandError("name the topics to record, or --all, or --regex")
    wanted: re.Pattern[str] | set[str] = topics
    if args.all or args.regex:
        try:
            wanted = re.compile(args.regex or ".*")
        except re.error as error:
            raise CommandError(f"--regex: {error}") from error
    path = Path(args.output or datetime.now().strftime("rosbag2_%Y_%m_%d-%H_%M_%S"))
    try:
        writer = Writer(path, version=9, storage_plugin=StoragePlugin[args.storage.upper()])
    except WriterError as error:
        raise CommandError(str(error)) from error
    with _until_signal() as stop, graph(args.use_sim_time) as g:
        recorder = Recorder(g, writer, wanted)
        print(f"[INFO] [ros2bag]: Recording into {path}; Ctrl-C ends it")
        looked = 0.0
        while not stop.is_set() and not recorder.failed:
            if time.monotonic() - looked > 0.25:
                recorder.subscribe_new()
                looked = time.monotonic()
            g.spin_once(0.05)
        recorder.close()
    if recorder.failed:
        raise CommandError(f"{path}: {recorder.failed}")
    print(f"[INFO] [ros2bag]: {sum(writer.counts.values())} messages in {path}")
    if recorder.dropped:
        print(f"[WARN] [ros2bag]: {recorder.dropped} messages were dropped, the disk is too slow", file=sys.stderr)
    return 0


@contextmanager
def _until_signal() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that a recording is always closed properly."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def open_bag(path: str) -> Iterator[Reader]:
    try:
        reader = Reader(path)
        reader.open()
    except (ReaderError, OSError) as error:
        raise CommandError(f"{path}: {error}") from error
    try:
        yield reader
    finally:
        reader.close()


def play(args: argparse.Namespace) -> int:
    if args.rate <= 0:
        raise CommandError("--rate must be greater than 0")
    renamed = dict(_remap_rule(rule) for rule in args.remap)
    chosen = {absolute(topic) for topic in args.topics}
    with open_bag(args.bag_path) as reader, _until_signal() as stop, graph() as g:
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
        while not stop.is_set():
            _play_once(reader, connections, publishers, clock, args, stop)
            if not args.loop:
                break
        if not stop.is_set():
            g.wait_for(stop.is_set, 0.3)
    return 0


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


def _to_rosbags(qos: QoSProfile) -> Qos:
    for_ever = QosTime(9223372036, 854775807)
    reliable = qos.reliability == ReliabilityPolicy.RELIABLE
    latched = qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=qos.depth,
        reliability=QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=for_ever,
        lifespan=for_ever,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=for_ever,
        avoid_ros_namespace_conventions=False,
    )


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


def info(args: argparse.Namespace) -> None:
    with open_bag(args.bag_path) as reader:
        files = [path for path in sorted(Path(args.bag_path).glob("*")) if path.suffix in (".mcap", ".db3")]
        seconds = reader.duration / 1e9 if reader.message_count else 0.0
        start, end = reader.start_time, reader.start_time + int(seconds * 1e9)
        rows = [
            ("Files", "\n".join(path.name for path in files) or Path(args.bag_path).name),
            ("Bag size", _size_text(sum(path.stat().st_size for path in files))),
            ("Storage id", "sqlite3" if any(path.suffix == ".db3" for path in files) else "mcap"),
            ("Duration", f"{seconds:.9f}s"),
            ("Start", _time_text(start) if reader.message_count else "-"),
            ("End", _time_text(end) if reader.message_count else "-"),
            ("Messages", str(reader.message_count)),
        ]
        print()
        for label, text in rows:
            print(f"{label + ':':<19}{text}")
        label = "Topic information:"
        for connection in sorted(reader.connections, key=lambda c: c.topic):
            encoding = getattr(connection.ext, "serialization_format", "cdr")
            print(
                f"{label:<19}Topic: {connection.topic} | Type: {connection.msgtype} | "
                f"Count: {connection.msgcount} | Serialization Format: {encoding}"
            )
            label = ""
        print()


def _size_text(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def _time_text(stamp: int) -> str:
    seconds, rest = divmod(stamp, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds):%b %e %Y %H:%M:%S}.{rest:09d} ({seconds}.{rest:09d})"
