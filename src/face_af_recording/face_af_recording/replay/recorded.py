"""What a recording itself says: the nodes' parameters, and each frame's results."""

from __future__ import annotations

from typing import Any

from face_af_common.conversions import af_boxes_from_msg, faces_from_msg, orientation_from_msg
from face_af_common.node_params import NODES
from face_af_common.orientation import Orientation
from face_af_common.params import ParamError, describe
from face_af_common.types import Action, ActionKind, Box, SteeringStatus

from .frames import Frame, TruthFrame
from .settings import STAGES, Parameters
from .source import BagSource, Source


def usable(recorded: Parameters) -> dict[str, dict[str, Any]]:
    """Recorded parameters as far as this version of the nodes still has them with such values."""
    found: dict[str, dict[str, Any]] = {}
    for node in STAGES:
        infos = {info.name: info for info in describe(NODES[node])}
        for name, value in recorded.get(node, {}).items():
            if name not in infos:
                continue
            try:
                found.setdefault(node, {})[name] = infos[name].check(value)
            except ParamError:
                continue
    return found


def recorded_frames(source: Source) -> dict[int, Frame]:
    """What a bag's own results say about each frame, by stamp. Results without an image are included."""
    frames: dict[int, Frame] = {}
    if not isinstance(source, BagSource):
        return frames
    kinds = {"FaceArray", "AfOverlay", "SteeringState", "SteeringCommand", "SimTruth"}
    topics = {name for name, kind in source.topics.items() if kind.startswith("face_af_msgs/") and kind[17:] in kinds}
    for message in source.messages(topics) if topics else ():
        frame = frames.setdefault(message.stamp_ns, Frame(message.stamp_ns))
        _take(frame, message.type[17:], message.value)
    return frames


def recorded_orientations(source: Source) -> list[tuple[int, Orientation]]:
    """How the frames were turned, each from a stamp on (nanoseconds), in order; empty for bags that do not say."""
    if not isinstance(source, BagSource):
        return []
    topics = {name for name, kind in source.topics.items() if kind == "face_af_msgs/msg/FrameOrientation"}
    messages = source.messages(topics) if topics else ()
    return sorted(((m.stamp_ns, orientation_from_msg(m.value)) for m in messages), key=lambda entry: entry[0])


def _take(frame: Frame, kind: str, message: Any) -> None:
    if kind == "FaceArray":
        frame.faces, frame.target = faces_from_msg(message), message.target
        frame.size = (message.width or 1920, message.height or 1080)
    elif kind == "AfOverlay":
        frame.boxes = af_boxes_from_msg(message)
    elif kind == "SteeringState":
        frame.status, frame.reason, frame.steering_target = (
            SteeringStatus(message.state),
            message.reason,
            message.target,
        )
        frame.speaking = getattr(message, "speaking", "")  # recordings of before have none
    elif kind == "SteeringCommand":
        frame.actions.append(Action(ActionKind(message.action), message.reason, message.x, message.y))
    else:
        boxes = {
            name: Box(b.x, b.y, b.width, b.height)
            for name, b, visible in zip(message.names, message.boxes, message.visible, strict=False)
            if visible
        }
        frame.truth = TruthFrame(boxes, message.target, message.focus, message.target_visible)
