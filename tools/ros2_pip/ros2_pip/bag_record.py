"""``ros2 bag record``."""

from __future__ import annotations

import argparse
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from .bag_files import until_signal
from .graph import Graph, absolute, graph
from .main import CommandError
from .messages import definition, load_type, type_hash
from .topic_qos import matching_qos

QUEUE_BYTES = 256 * 1024 * 1024
"""Messages that wait for the disk may take this much memory; what comes then is dropped, and counted."""


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
    with until_signal() as stop, graph(use_sim_time=args.use_sim_time) as g:
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
