"""The node ``recorder``: writes the running graph into a rosbag2 MCAP bag, without ever holding the graph up.

Everything is kept as it was sent, pictures as the JPEG that the camera's node makes of them (``image_raw/compressed``).
What is recorded besides the nodes' topics: ``/diagnostics``, ``/parameter_events`` and, on ``session`` (JSON), every
node's parameters and the versions of models and gallery.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message

from face_af_common import qos
from face_af_common.diagnostics import ERROR, OK, WARN, Health
from face_af_common.live_parameters import LiveParameters
from face_af_common.paths import data_dir
from face_af_common.runtime import StartError

from .bag.bag_folder import RecordingError, TopicInfo, new_folder
from .bag.cdr import CdrError, stamp_of
from .bag.definitions import definition
from .bag.message_types import find_type
from .recorder.intake import Intake, Sink
from .recorder.params import RecorderParams
from .recorder.recorder import COMPRESSED_TYPE, BagRecorder, RecorderLimits
from .recorder.session import ParameterSnapshots, versions

# Deeper than the nodes' own: what waits here is recorded, not replaced by the next.
_DEPTH = 200
_PICTURES = 30
_EVENTS_QOS = QoSProfile(depth=500, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)

_MOST_EARLY = 100

TOPICS: dict[str, tuple[str, QoSProfile]] = {
    "faces": ("face_af_msgs/msg/FaceArray", qos.RESULT),
    "af_overlay": ("face_af_msgs/msg/AfOverlay", qos.RESULT),
    "speaker": ("face_af_msgs/msg/SpeakerArray", qos.RESULT),
    "command": ("face_af_msgs/msg/SteeringCommand", qos.RESULT),
    "state": ("face_af_msgs/msg/SteeringState", qos.RESULT),
    "camera_status": ("face_af_msgs/msg/CameraStatus", qos.STATUS),
    "frame_orientation": ("face_af_msgs/msg/FrameOrientation", qos.STATUS),
    "sim/truth": ("face_af_msgs/msg/SimTruth", qos.RESULT),
    "/diagnostics": ("diagnostic_msgs/msg/DiagnosticArray", _EVENTS_QOS),
    "/parameter_events": ("rcl_interfaces/msg/ParameterEvent", _EVENTS_QOS),
}
"""What is recorded beside the pictures; relative names are in the recorder's namespace."""


class RecorderNode(Node):
    def __init__(self) -> None:
        super().__init__("recorder")
        self._params = LiveParameters(self, RecorderParams)
        params = self._params.value
        asked = Path(params.folder).expanduser() if params.folder else _default_folder()
        try:
            folder = new_folder(asked, number_existing=params.if_exists == "number")
            self._recorder = BagRecorder(folder, _limits(params), versions(), self._on_stop)
        except RecordingError as error:
            raise StartError(str(error)) from error
        self._health = Health(self, extra=self._figures)
        self._recording = f"recording to {folder}"
        self._health.level, self._health.message = OK, self._recording
        self._stop_reason = ""
        self._stop_told = False
        self._recorded: set[str] = set()
        self._early: list[tuple[Callable[[str, int, bytes], None], str, bytes]] = []
        self._intake = Intake(self)
        self._frames = 0
        self._frame_stamps: dict[int, None] = {}
        self._missed: dict[int, None] = {}
        if folder != asked:
            self.get_logger().warning(f"{asked} holds something already; recording to {folder}")
        else:
            self.get_logger().info(f"recording to {folder}")
        self._raw_pictures = self.resolve_topic_name("image_raw")
        self._pictures = self._raw_pictures + "/compressed" if params.images else ""
        self._pictures_lacked = False
        if self._pictures:
            self._declare(self._pictures, COMPRESSED_TYPE, qos.COMPRESSED)
            kind, profile = find_type(COMPRESSED_TYPE), _deeper(qos.COMPRESSED, _PICTURES)
            self._intake.add(kind, self._pictures, profile, self._on_image)
        for topic, (kind, profile) in TOPICS.items():
            self._record(topic, kind, profile)
        if params.audio:
            self._record("audio", "face_af_msgs/msg/Audio", qos.RESULT)
        self._session_topic = self.resolve_topic_name("session")
        self._declare(self._session_topic, "std_msgs/msg/String", qos.STATUS)
        self._extra = params.extra_topics.split()
        self._snapshots = ParameterSnapshots(self, self._on_snapshot)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._survey_timer = self.create_timer(2.0, self._survey, clock=steady)
        self._stop_timer = self.create_timer(0.5, self._report_stop, clock=steady)
        self._intake.start()

    def close(self) -> None:
        """Writes what waits and completes the bag."""
        self._intake.close()
        self._recorder.close()
        if self._recorder.stopped and not self._stop_told:  # so late that nobody hears diagnostics
            print(f"[ERROR] recording has stopped: {self._recorder.stopped}", file=sys.stderr, flush=True)
        counts = self._recorder.counts
        lost = f", {counts.messages_dropped} lost to a slow disk" if counts.messages_dropped else ""
        print(f"{self._recorder.folder}: {counts.messages} messages, {self._frames} frames{lost}", flush=True)

    def _declare(self, name: str, kind: str, profile: QoSProfile) -> None:
        self._recorder.add_topic(TopicInfo(name, kind, definition(kind), _qos_yaml(profile)))
        self._recorded.add(name)

    def _record(self, topic: str, kind: str, profile: QoSProfile) -> None:
        name = self.resolve_topic_name(topic)
        self._declare(name, kind, profile)
        self._intake.add(find_type(kind), topic, _deeper(profile, _DEPTH), self._saver(topic, name))

    def _saver(self, topic: str, name: str) -> Sink:
        def save(data: bytes, received: int) -> None:
            self._add(self._recorder.add, name, data, received)
            if topic == "state":
                self._note_processed(data)

        return save

    def _on_image(self, data: bytes, received: int) -> None:
        self._add(self._recorder.add, self._pictures, data, received)
        self._frames += 1
        self._health.tick()
        try:
            stamp = stamp_of(data)
        except CdrError:
            return
        self._frame_stamps[stamp] = None
        self._missed.pop(stamp, None)
        while len(self._frame_stamps) > 300:
            del self._frame_stamps[next(iter(self._frame_stamps))]

    def _note_processed(self, data: bytes) -> None:
        """Counts frames that steering answered but that never came here."""
        try:
            stamp = stamp_of(data)
        except CdrError:
            return
        if self._frame_stamps and stamp > next(iter(self._frame_stamps)) and stamp not in self._frame_stamps:
            self._missed[stamp] = None

    def _survey(self) -> None:
        self._snapshots.survey()
        self._look_for_pictures()
        if not self._extra:
            return
        known = dict(self.get_topic_names_and_types())
        for topic in list(self._extra):
            name = self.resolve_topic_name(topic)
            if name in self._recorded:
                self._extra.remove(topic)
            elif name in known:
                self._extra.remove(topic)
                try:
                    self._record(topic, known[name][0], _offered(self, name))
                except (ImportError, AttributeError, ValueError):
                    self.get_logger().warning(f"{name} cannot be recorded: type {known[name][0]} is not installed")

    def _look_for_pictures(self) -> None:
        """Says so when another camera node publishes raw pictures only, at two surveys in a row."""
        if not self._pictures or self._recorder.stopped:
            return
        lacked, self._pictures_lacked = self._pictures_lacked, False
        if self.count_publishers(self._pictures):
            if lacked:
                self._health.recovered(self._recording)
            return
        self._pictures_lacked = self.count_publishers(self._raw_pictures) > 0
        if lacked and self._pictures_lacked:
            self._health.fault(
                f"frames are not recorded: {self._raw_pictures} is published, {self._pictures} is not; run "
                f"`ros2 run image_transport republish raw compressed` for that camera, or record with images:=false",
                WARN,
            )

    def _on_snapshot(self, nodes: dict[str, dict[str, Any]]) -> None:
        from std_msgs.msg import String

        text = json.dumps({"nodes": nodes, "versions": versions(nodes)}, sort_keys=True)
        self._add(self._recorder.add, self._session_topic, serialize_message(String(data=text)))
        self._recorder.set_session({**versions(nodes), "parameters": json.dumps(nodes, sort_keys=True)})

    def _on_stop(self, reason: str) -> None:
        self._stop_reason = reason  # from the writing thread; reported by the timer

    def _report_stop(self) -> None:
        if self._stop_reason:
            reason, self._stop_reason, self._stop_told = self._stop_reason, "", True
            message = f"recording has stopped, the graph goes on: {reason}"
            self._health.fault(message, ERROR)

    def _figures(self) -> dict[str, object]:
        counts = self._recorder.counts
        self._health.drops = counts.messages_dropped
        return {
            "folder": self._recorder.folder,
            "frames": self._frames,
            "frames_missed": len(self._missed),
            "messages": counts.messages,
            "files": self._recorder.files,
        }

    def _add(self, add: Callable[[str, int, bytes], None], name: str, data: bytes, received: int = 0) -> None:
        """Records with the node's time; what comes before simulated time has begun gets its first moment."""
        simulated = self.get_clock().ros_time_is_active
        now = received if received and not simulated else self.get_clock().now().nanoseconds
        if not now:
            if len(self._early) < _MOST_EARLY:
                self._early.append((add, name, data))
            return
        for add_early, early_name, early_data in self._early:
            add_early(early_name, now, early_data)
        self._early.clear()
        add(name, now, data)


def _limits(params: RecorderParams) -> RecorderLimits:
    return RecorderLimits(
        split_bytes=params.split_mb * 1_000_000,
        split_s=params.split_s,
        min_free_bytes=params.min_free_mb * 1_000_000,
        flush_s=params.flush_s,
        sync=params.sync,
    )


def _default_folder() -> Path:
    return data_dir() / "recordings" / time.strftime("%Y-%m-%d_%H-%M-%S")


def _deeper(profile: QoSProfile, depth: int) -> QoSProfile:
    return QoSProfile(
        depth=max(profile.depth, depth),
        history=HistoryPolicy.KEEP_LAST,
        reliability=profile.reliability,
        durability=profile.durability,
    )


def _offered(node: Node, topic: str) -> QoSProfile:
    """What a subscriber may ask for so that every publisher of the topic is heard."""
    infos = node.get_publishers_info_by_topic(topic)
    reliable = bool(infos) and all(i.qos_profile.reliability == ReliabilityPolicy.RELIABLE for i in infos)
    latched = bool(infos) and all(i.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for i in infos)
    return QoSProfile(
        depth=20,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _qos_yaml(profile: QoSProfile) -> str:
    """rosbag2's text of one offered profile, in the numbers of Humble."""
    forever = "\n    sec: 9223372036\n    nsec: 854775807"
    return (
        f"- history: {int(profile.history)}\n  depth: {profile.depth}\n  reliability: {int(profile.reliability)}\n"
        f"  durability: {int(profile.durability)}\n  deadline:{forever}\n  lifespan:{forever}\n  liveliness: 1\n"
        f"  liveliness_lease_duration:{forever}\n  avoid_ros_namespace_conventions: false"
    )
