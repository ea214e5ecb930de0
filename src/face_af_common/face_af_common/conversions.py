"""Plain types to and from ``face_af_msgs``."""

from __future__ import annotations

import math
from collections.abc import Iterable

from std_msgs.msg import Header

from face_af_msgs import msg as m

from .orientation import FLIPS, ROTATIONS, Orientation
from .stamps import from_ns
from .types import AfBox, AfState, Box, Face


def box_to_msg(box: Box) -> m.BoundingBox:
    return m.BoundingBox(x=float(box.x), y=float(box.y), width=float(box.width), height=float(box.height))


def box_from_msg(message: m.BoundingBox) -> Box:
    return Box(message.x, message.y, message.width, message.height)


def face_to_msg(face: Face) -> m.Face:
    message = m.Face(
        track_id=face.track_id,
        box=box_to_msg(face.box),
        score=float(face.score),
        identity=face.identity,
        similarity=float(face.similarity),
        is_target=face.is_target,
    )
    if face.landmarks is not None:
        message.landmarks = [float(v) for v in face.landmarks]
    return message


def face_from_msg(message: m.Face) -> Face:
    landmarks = tuple(float(v) for v in message.landmarks)
    return Face(
        track_id=message.track_id,
        box=box_from_msg(message.box),
        is_target=message.is_target,
        similarity=message.similarity,
        score=message.score,
        landmarks=landmarks if any(landmarks) else None,
        identity=message.identity,
    )


def af_box_to_msg(box: AfBox) -> m.AfBox:
    return m.AfBox(state=int(box.state), box=box_to_msg(box.box), confidence=float(box.confidence), id=box.id)


def af_box_from_msg(message: m.AfBox) -> AfBox:
    return AfBox(AfState(message.state), box_from_msg(message.box), message.confidence, message.id)


def orientation_to_msg(orientation: Orientation, header: Header) -> m.FrameOrientation:
    return m.FrameOrientation(header=header, rotate=orientation.rotate, flip=orientation.flip)


def orientation_from_msg(message: m.FrameOrientation) -> Orientation:
    """Values that mean nothing count as not turned."""
    if message.rotate not in ROTATIONS or message.flip not in FLIPS:
        return Orientation()
    return Orientation(message.rotate, message.flip)


def faces_from_msg(message: m.FaceArray) -> list[Face]:
    return [face_from_msg(face) for face in message.faces]


def af_boxes_from_msg(message: m.AfOverlay) -> list[AfBox]:
    return [af_box_from_msg(box) for box in message.boxes]


def af_boxes_to_msg(boxes: Iterable[AfBox]) -> list[m.AfBox]:
    return [af_box_to_msg(box) for box in boxes]


def speakers_to_msg(
    stamp_ns: int, span: float, share: float, rms: float, voices: Iterable[tuple[str, float]]
) -> m.SpeakerArray:
    """Who is heard in ``span`` seconds of sound that end at ``stamp_ns``.

    ``share``: of speech, 0 to 1; ``rms``: of the samples, 0 to 1; ``voices``: name (empty: unknown) and similarity.
    """
    message = m.SpeakerArray(span=span, speech=share, level=20 * math.log10(max(rms, 1e-6)))
    message.header.stamp = from_ns(max(0, stamp_ns))
    message.header.frame_id = "sound"
    message.speakers = [m.Speaker(identity=name, similarity=similarity) for name, similarity in voices]
    return message
