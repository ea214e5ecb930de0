"""What a replay plays as it was recorded, beside what is computed anew: each message when its time has come."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile

from face_af_common import qos
from face_af_common.conversions import speakers_to_msg
from face_af_msgs.msg import SpeakerArray

from .bag.message_types import find_type, fitting
from .replay.settings import STAGES
from .replay.source import BagSource, Source
from .replay.speaker_stage import Speaker

OWNED = {
    "perception": ("faces",),
    "overlay": ("af_overlay",),
    "speaker": ("speaker",),
    "steering": ("state", "command"),
}
"""The topics of each stage's results, within the namespace."""
_ALWAYS = ("sim/truth", "frame_orientation", "audio")
_LATCHED = ("camera_status", "frame_orientation")


class PlayedMessages:
    """Messages of what is not computed anew, by stamp, with their publishers on ``node``.

    ``stages``: what is computed anew; ``speaker``: who was heard, where that is computed beforehand.
    """

    def __init__(self, node: Node, source: Source, stages: Sequence[str], speaker: Speaker | None) -> None:
        self._messages: dict[int, list[tuple[Any, Any]]] = {}
        if isinstance(source, BagSource):
            self._read(node, source, stages)
        if speaker is not None:
            self._add_speaker(node, speaker)
        self._stamps = sorted(self._messages)
        self._next = 0

    def _read(self, node: Node, source: BagSource, stages: Sequence[str]) -> None:
        names = [*_ALWAYS, *(name for stage in STAGES if stage not in stages for name in OWNED[stage])]
        if "steering" not in stages:
            names.append("camera_status")
        publishers: dict[str, Any] = {}
        for name in names:
            topic = f"{source.namespace}/{name}"
            kind = source.topics.get(topic)
            if kind is not None and kind.startswith("face_af_msgs/"):
                profile: QoSProfile = qos.STATUS if name in _LATCHED else qos.RESULT
                publishers[topic] = node.create_publisher(find_type(kind), name, profile)
        for message in source.messages(set(publishers)) if publishers else ():
            played = fitting(message.type, message.raw, message.value)
            self._messages.setdefault(message.stamp_ns, []).append((publishers[message.topic], played))

    def _add_speaker(self, node: Node, speaker: Speaker) -> None:
        publisher = node.create_publisher(SpeakerArray, "speaker", qos.RESULT)
        for stamp, heard in speaker.heard:
            span, speech = heard.end - heard.start, heard.speech
            message = speakers_to_msg(stamp, span, speech.share, speech.rms, heard.voices)
            self._messages.setdefault(stamp, []).append((publisher, message))

    def rewind(self) -> None:
        self._next = 0

    def begin(self, first: int) -> None:
        """Publishes the orientation from before the first frame: the recorder had it, because it is latched."""
        self._next = bisect_left(self._stamps, first)
        for stamp in self._stamps[: self._next]:
            self._publish(stamp, lambda publisher: str(publisher.topic_name).endswith("/frame_orientation"))

    def publish_before(self, stamp: int) -> None:
        """What has stamps of its own (sound, who is heard, the camera's status) and came since the last frame."""
        while self._next < len(self._stamps) and self._stamps[self._next] <= stamp:
            due = self._stamps[self._next]
            self._next += 1
            if due < stamp:
                self._publish(due)

    def publish_at(self, stamp: int) -> None:
        """What belongs to the frame of this stamp."""
        self._publish(stamp)

    def _publish(self, stamp: int, wanted: Callable[[Any], bool] = lambda publisher: True) -> None:
        for publisher, message in self._messages.get(stamp, ()):
            if wanted(publisher):
                publisher.publish(message)
