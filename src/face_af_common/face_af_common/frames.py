"""Frames between nodes: by reference within a process, as ``sensor_msgs/Image`` for everybody else.

A frame of 1080p has 6 MB. Nodes of one process (:mod:`.container`) hand the same read-only array on; DDS carries it
only while a process outside subscribes. A subscriber cannot tell the difference, except by the time that it takes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary, WeakSet

from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from . import qos
from .images import BGR, JPEG_QUALITY, ImageError, from_bgr, to_bgr, to_jpeg
from .received import RefusedError, check
from .stamps import to_ns

_LOOK_S = 0.5
"""So often a subscription that is served within the process looks for publishers outside of it."""


_PATIENCE_S = 0.5
"""So long nobody gets a newer frame than a subscription that works on one."""


@dataclass(frozen=True)
class Frame:
    """One image of a camera. ``bgr``: H x W x 3 uint8, read-only; ``header``: its stamp and frame_id."""

    header: Header
    bgr: BGR

    @property
    def stamp_ns(self) -> int:
        return to_ns(self.header.stamp)


class _Local:
    """Who publishes and who subscribes one topic in this process."""

    def __init__(self) -> None:
        self.publishers: WeakSet[FramePublisher] = WeakSet()
        self.subscriptions: WeakSet[FrameSubscription] = WeakSet()
        self.stamps: deque[int] = deque(maxlen=64)
        """Of the newest frames that went by reference; what DDS brings of the same is a copy."""
        self.pending: Frame | None = None

    def hand_on(self) -> None:
        """Gives the newest frame to everybody, as soon as nobody works on the one before.

        Nodes that cannot keep up with the camera so take the same frames, not each its own, which nobody could join.
        """
        with _lock:
            subscriptions = list(self.subscriptions)
            if self.pending is None or any(subscription.busy for subscription in subscriptions):
                return
            frame, self.pending = self.pending, None
        for subscription in subscriptions:
            subscription.hand_over(frame)


_lock = threading.RLock()
_topics: WeakKeyDictionary[Context, dict[str, _Local]] = WeakKeyDictionary()


def _local(node: Node, topic: str) -> _Local:
    with _lock:
        return _topics.setdefault(node.context, {}).setdefault(topic, _Local())


class FramePublisher:
    """Publishes ``topic``, and ``topic/compressed`` (JPEG) with the same stamps while there is a subscriber to it.

    The JPEG is made here, as image_transport does: a recorder that made it would have to be sent 6 MB for each frame.
    """

    def __init__(self, node: Node, topic: str = "image_raw", quality: int = JPEG_QUALITY) -> None:
        self.quality = quality
        """Of the JPEGs, 1 to 100; may be changed at any time."""
        name = node.resolve_topic_name(topic)
        # best effort, unless a parameter qos_overrides.TOPIC.publisher.reliability says otherwise
        self._raw = node.create_publisher(
            Image, topic, qos.IMAGE, qos_overriding_options=QoSOverridingOptions.with_default_policies()
        )
        self._compressed = node.create_publisher(CompressedImage, f"{name}/compressed", qos.COMPRESSED)
        self._local = _local(node, name)
        with _lock:
            self._local.publishers.add(self)
            subscriptions = list(self._local.subscriptions)
        for subscription in subscriptions:
            subscription.wake()

    @property
    def subscriptions(self) -> int:
        """Subscriptions of the raw frames, in this process and outside."""
        with _lock:
            return len(self._local.subscriptions) + self._outside()

    @property
    def watched(self) -> bool:
        return bool(self.subscriptions + self._compressed.get_subscription_count())

    def _outside(self) -> int:
        """Subscriptions that only DDS can serve."""
        readers = sum(subscription.has_reader for subscription in self._local.subscriptions)
        return max(int(self._raw.get_subscription_count()) - readers, 0)

    @property
    def alive(self) -> bool:
        """Whether its node has not been destroyed."""
        try:
            with self._raw.handle:
                return True
        except InvalidHandle:
            return False

    def publish(self, bgr: BGR, header: Header) -> None:
        """``bgr``: H x W x 3 uint8, which must not be written to any more as long as a subscriber has it.

        Raises :class:`~face_af_common.images.ImageError` for another shape or type.
        """
        view = bgr.view()
        view.flags.writeable = False
        frame = Frame(header, view)
        with _lock:
            self._local.stamps.append(frame.stamp_ns)
            self._local.pending = frame
        self._local.hand_on()
        # nobody of this process waits for what the others need
        if self._outside():
            self._raw.publish(from_bgr(bgr, header))
        if self._compressed.get_subscription_count():
            self._compressed.publish(to_jpeg(bgr, header, self.quality))


class FrameSubscription:
    """Calls ``callback`` with the newest frame of ``topic`` in the thread of the node's executor; older ones go.

    ``on_error`` gets what was published but is no image. DDS is listened to only while another
    process publishes the topic, or none of this one does. ``in_step``: the other subscriptions of the process get no
    newer frame while this one works on its frame.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        callback: Callable[[Frame], None],
        on_error: Callable[[ImageError], None],
        in_step: bool = True,
    ) -> None:
        self._in_step = in_step
        self._since: float | None = None
        """When the frame that is worked on was handed over."""
        self._node, self._topic = node, topic
        self._callback, self._on_error = callback, on_error
        self._newest: Frame | None = None
        self._others_first = True
        self._reader: object | None = None
        self._local = _local(node, node.resolve_topic_name(topic))
        self._guard = node.create_guard_condition(self._on_wake)
        self._timer = node.create_timer(_LOOK_S, self._choose_source, clock=Clock(clock_type=ClockType.STEADY_TIME))
        with _lock:
            self._local.subscriptions.add(self)
        self._choose_source()

    @property
    def has_reader(self) -> bool:
        return self._reader is not None

    def close(self) -> None:
        """No frame comes any more. To be called in the executor's thread."""
        with _lock:
            self._local.subscriptions.discard(self)
        self._node.destroy_timer(self._timer)
        self._node.destroy_guard_condition(self._guard)
        self._listen(False)

    @property
    def busy(self) -> bool:
        """Whether the others wait for it; not for long, it may hang."""
        since = self._since
        return self._in_step and since is not None and time.monotonic() - since < _PATIENCE_S

    def hand_over(self, frame: Frame) -> None:
        """From a publisher of this process, in its thread."""
        self._since = self._since or time.monotonic()
        self._newest = frame
        self.wake()

    def wake(self) -> None:
        try:
            self._guard.trigger()
        except InvalidHandle:  # its node has been destroyed
            with _lock:
                self._local.subscriptions.discard(self)

    def _on_wake(self) -> None:
        if self._newest is not None and self._others_first:
            # rclpy answers services last: whoever asks would wait for this frame behind the one before
            self._others_first = False
            self._guard.trigger()
            return
        self._others_first = True
        frame, self._newest = self._newest, None
        if frame is None:
            self._choose_source()
        else:
            try:
                self._callback(frame)
            finally:
                self._since = None
                self._local.hand_on()

    def _choose_source(self) -> None:
        with _lock:
            here = sum(publisher.alive for publisher in self._local.publishers)
        name = self._node.resolve_topic_name(self._topic)
        self._listen(here == 0 or self._node.count_publishers(name) > here)

    def _listen(self, wanted: bool) -> None:
        if wanted == self.has_reader:
            return
        with _lock:
            if self._reader is not None:
                self._node.destroy_subscription(self._reader)
                self._reader = None
            else:
                self._reader = self._node.create_subscription(Image, self._topic, self._on_message, qos.IMAGE)

    def _on_message(self, message: Image) -> None:
        with _lock:
            if to_ns(message.header.stamp) in self._local.stamps:
                return
        try:
            check(message)
            bgr = to_bgr(message)
        except RefusedError as error:
            self._on_error(ImageError(str(error)))
            return
        except ImageError as error:
            self._on_error(error)
            return
        if bgr.flags.writeable:
            bgr = bgr.view()
            bgr.flags.writeable = False
        self._callback(Frame(message.header, bgr))
