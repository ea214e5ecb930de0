"""What is known of each replayed frame, and its exact written form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from face_af_common.types import Action, AfBox, Box, Face, SteeringStatus


@dataclass(frozen=True)
class TruthFrame:
    """What is really in the frame: names with boxes, and who has the focus (empty = nobody or not known)."""

    boxes: dict[str, Box]
    target: str = ""
    focus: str | None = None
    target_visible: bool | None = None


@dataclass
class Frame:
    """One frame with everything said about it; None where nothing was recorded or computed."""

    stamp_ns: int
    faces: list[Face] | None = None
    target: str = ""
    """The name that perception looks for."""
    boxes: list[AfBox] | None = None
    status: SteeringStatus | None = None
    reason: str = ""
    actions: list[Action] = field(default_factory=list)
    truth: TruthFrame | None = None
    size: tuple[int, int] = (1920, 1080)
    steering_target: str | None = None
    """The name that steering steers to: perception's, or the recipe's."""
    speaking: str = ""
    """Who was heard, as steering knew it at this frame; empty: nobody who is known."""

    @property
    def target_face(self) -> Face | None:
        if self.steering_target is not None and self.steering_target != self.target:
            return next(
                (face for face in self.faces or () if self.steering_target and face.identity == self.steering_target),
                None,
            )
        return next((face for face in self.faces or () if face.is_target), None)


def line(frame: Frame) -> str:
    """One line of JSON: everything but what depends on the machine's speed."""
    return json.dumps(
        {
            "stamp_ns": frame.stamp_ns,
            "target": frame.target,
            "meant": frame.steering_target,
            "speaking": frame.speaking,
            "faces": None if frame.faces is None else [_face(face) for face in frame.faces],
            "boxes": None if frame.boxes is None else [_box(b.box) | {"state": b.state.name} for b in frame.boxes],
            "status": None if frame.status is None else frame.status.name,
            "reason": frame.reason,
            "actions": [
                {"kind": a.kind.name, "reason": a.reason, "x": _number(a.x), "y": _number(a.y)} for a in frame.actions
            ],
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def digest(frames: Iterable[Frame]) -> str:
    """SHA-256 of all lines: equal results have equal digests."""
    total = hashlib.sha256()
    for frame in frames:
        total.update(line(frame).encode() + b"\n")
    return total.hexdigest()


def _face(face: Face) -> dict[str, Any]:
    return _box(face.box) | {
        "track": face.track_id,
        "identity": face.identity,
        "similarity": _number(face.similarity),
        "score": _number(face.score),
        "is_target": face.is_target,
    }


def _box(box: Box) -> dict[str, Any]:
    return {"x": _number(box.x), "y": _number(box.y), "w": _number(box.width), "h": _number(box.height)}


def _number(value: float) -> float:
    return round(float(value), 4)
