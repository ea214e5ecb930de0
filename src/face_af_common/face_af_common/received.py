"""Messages from the network, checked once, before a node sees them: what makes no sense is dropped and counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from std_msgs.msg import Header

from face_af_msgs import msg as m

from .diagnostics import Health
from .stamps import to_ns
from .types import ActionKind, AfState, SteeringStatus

MAX_SIDE = 65_536
"""Pixels: of a frame, and of how far from it a box may lie."""
MAX_ITEMS = 500
"""Faces or boxes of one frame."""
MAX_TEXT = 1_000
"""Characters of a name or a reason."""
_LARGEST = 1e9
"""Of any other number: times in milliseconds, scores."""

M = TypeVar("M")


class RefusedError(ValueError):
    """A message that is not used; one line that says why."""


def subscribe(
    node: Node, kind: type[M], topic: str, callback: Callable[[M], None], qos: QoSProfile, health: Health | None = None
) -> Subscription:
    """A subscription whose ``callback`` gets only messages that pass :func:`check`; ``health`` counts the others."""

    def receive(message: M) -> None:
        try:
            check(message)
        except RefusedError as error:
            if health is not None:
                health.refuse(f"{topic}: {error}")
            return
        callback(message)

    return node.create_subscription(kind, topic, receive, qos)


def check(message: Any) -> None:
    """Raises :class:`RefusedError` for enums, numbers, sizes, texts and stamps that mean nothing."""
    header = getattr(message, "header", None)
    if header is not None:
        _header(header, type(message) not in _WITHOUT_FRAME)
    _CHECKS.get(type(message), lambda message: None)(message)


def _header(header: Header, of_a_frame: bool) -> None:
    _texts(header, "frame_id")
    if header.stamp.nanosec >= 1_000_000_000:
        raise RefusedError(f"a stamp with {header.stamp.nanosec} nanoseconds")
    if of_a_frame and to_ns(header.stamp) <= 0:
        raise RefusedError("no stamp")


def _faces(message: m.FaceArray) -> None:
    _frame(message, message.faces)
    _texts(message, "target")
    _numbers(message, "inference_ms")
    for face in message.faces:
        _box(face.box)
        _texts(face, "identity")
        _numbers(face, "score", "similarity")
        if not all(abs(v) <= 2 * MAX_SIDE for v in face.landmarks):
            raise RefusedError("landmarks that are nowhere")


def _overlay(message: m.AfOverlay) -> None:
    _frame(message, message.boxes)
    _numbers(message, "processing_ms")
    for box in message.boxes:
        _one_of(box.state, AfState, "the AF state")
        _box(box.box)
        _numbers(box, "confidence")


def _command(message: m.SteeringCommand) -> None:
    _one_of(message.action, ActionKind, "the action")
    _texts(message, "reason")
    if message.action == ActionKind.AF_AREA and not (0 <= message.x <= 1 and 0 <= message.y <= 1):
        raise RefusedError(f"a point outside of the frame, {message.x:g}, {message.y:g}")


def _state(message: m.SteeringState) -> None:
    _one_of(message.state, SteeringStatus, "the state")
    _texts(message, "target", "reason")
    _numbers(message, "response_ms", "latency_ms")


def _camera(message: m.CameraStatus) -> None:
    _texts(message, "transport", "model", "serial", "firmware", "last_error")
    _numbers(message, "command_latency_ms", "response_ms", "response_spread_ms", "press_loss")
    _one_of(message.wrap, (m.CameraStatus.WRAP_UNKNOWN, m.CameraStatus.WRAP_NO, m.CameraStatus.WRAP_YES), "wrap")
    if message.response_ms < 0 or message.response_spread_ms < 0 or not -1 <= message.press_loss <= 1:
        raise RefusedError("measured figures that nobody can have measured")


def _truth(message: m.SimTruth) -> None:
    if not len(message.names) == len(message.boxes) == len(message.visible) <= MAX_ITEMS:
        raise RefusedError("names, boxes and visible of different lengths")
    _texts(message, "target", "focus")
    for box in message.boxes:
        _box(box)


def _speakers(message: m.SpeakerArray) -> None:
    _numbers(message, "span", "speech", "level")
    if len(message.speakers) > MAX_ITEMS:
        raise RefusedError(f"{len(message.speakers)} voices")
    for speaker in message.speakers:
        _texts(speaker, "identity")
        _numbers(speaker, "similarity")


_CHECKS: Mapping[type, Callable[[Any], None]] = {
    m.FaceArray: _faces,
    m.AfOverlay: _overlay,
    m.SteeringCommand: _command,
    m.SteeringState: _state,
    m.CameraStatus: _camera,
    m.FrameOrientation: lambda message: _texts(message, "flip"),
    m.SimTruth: _truth,
    m.SpeakerArray: _speakers,
}
_WITHOUT_FRAME = (m.CameraStatus, m.FrameOrientation, m.SpeakerArray)
"""Messages whose stamp is that of no frame."""


def _frame(message: m.FaceArray | m.AfOverlay, items: Iterable[Any]) -> None:
    if message.width > MAX_SIDE or message.height > MAX_SIDE:
        raise RefusedError(f"a frame of {message.width} x {message.height} pixels")
    count = len(list(items))
    if count > MAX_ITEMS:
        raise RefusedError(f"{count} faces or boxes")


def _box(box: m.BoundingBox) -> None:
    values = (box.x, box.y, box.width, box.height)
    if not all(abs(v) <= MAX_SIDE for v in values) or box.width < 0 or box.height < 0:
        raise RefusedError("a box of {:g}, {:g}, {:g} x {:g}".format(*values))


def _numbers(message: Any, *names: str) -> None:
    for name in names:
        value = getattr(message, name)
        if not math.isfinite(value) or abs(value) > _LARGEST:
            raise RefusedError(f"{name} {value:g}")


def _texts(message: Any, *names: str) -> None:
    for name in names:
        if len(getattr(message, name)) > MAX_TEXT:
            raise RefusedError(f"{name} of {len(getattr(message, name))} characters")


def _one_of(value: int, known: Iterable[int], what: str) -> None:
    if value not in list(known):
        raise RefusedError(f"{what} {value}, which there is not")
