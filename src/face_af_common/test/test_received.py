"""Messages that make no sense never reach a node."""

from __future__ import annotations

import math
from typing import Any

import pytest

m = pytest.importorskip("face_af_msgs.msg")

from builtin_interfaces.msg import Time  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from face_af_common.conversions import af_boxes_from_msg, faces_from_msg  # noqa: E402
from face_af_common.received import RefusedError, check  # noqa: E402
from face_af_common.types import ActionKind, SteeringStatus  # noqa: E402


def header(sec: int = 5, nanosec: int = 0, frame_id: str = "camera") -> Header:
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)


def box(**changes: float) -> Any:
    return m.BoundingBox(**{"x": 10.0, "y": 10.0, "width": 50.0, "height": 60.0, **changes})


def face(**changes: Any) -> Any:
    return m.Face(**{"track_id": 1, "box": box(), "score": 0.9, "identity": "anna", "similarity": 0.5, **changes})


def faces(*found: Any, **changes: Any) -> Any:
    return m.FaceArray(**{"header": header(), "width": 1920, "height": 1080, "faces": list(found), **changes})


def overlay(*boxes: Any, **changes: Any) -> Any:
    return m.AfOverlay(**{"header": header(), "width": 1920, "height": 1080, "boxes": list(boxes), **changes})


GOOD = (
    faces(face(), face(box=box(x=-30.0))),
    faces(),
    overlay(m.AfBox(state=3, box=box(), confidence=1.0)),
    m.SteeringCommand(header=header(), id=1, action=1),
    m.SteeringCommand(header=header(), id=1, action=7, x=0.5, y=1.0),
    m.SteeringState(header=header(), state=7),
    m.CameraStatus(press_loss=-1.0),
    m.FrameOrientation(rotate=90, flip="none"),
    m.SimTruth(header=header(), names=["anna"], boxes=[box()], visible=[True]),
)

NAN, INF = math.nan, math.inf
SIDES = ("x", "y", "width", "height")
BAD = (
    overlay(m.AfBox(state=4, box=box())),
    overlay(m.AfBox(state=255, box=box())),
    overlay(m.AfBox(state=1, box=box(width=-1.0))),
    overlay(m.AfBox(state=1, box=box(), confidence=NAN)),
    overlay(*[m.AfBox(state=1, box=box())] * 5000),
    overlay(header=header(0)),
    overlay(header=header(-5)),
    overlay(header=header(1, 4_000_000_000)),
    overlay(header=header(frame_id="x" * 1_000_000)),
    overlay(width=4_000_000_000),
    faces(*[face()] * 5000),
    faces(header=header(0)),
    faces(target="x" * 1_000_000),
    faces(inference_ms=NAN),
    faces(face(identity="x" * 1_000_000)),
    faces(face(similarity=INF)),
    faces(face(score=NAN)),
    faces(face(landmarks=[0.0] * 9 + [NAN])),
    *(faces(face(box=box(**{name: value}))) for name in SIDES for value in (NAN, INF, -1e30, 1e30)),
    m.SteeringCommand(header=header(), action=0),
    m.SteeringCommand(header=header(), action=200),
    m.SteeringCommand(header=header(), action=7, x=NAN),
    m.SteeringCommand(header=header(), action=7, x=1.5),
    m.SteeringCommand(header=header(), action=1, reason="x" * 1_000_000),
    m.SteeringState(header=header(), state=99),
    m.SteeringState(header=header(), state=1, latency_ms=INF),
    m.CameraStatus(wrap=9),
    m.CameraStatus(response_ms=-1.0),
    m.CameraStatus(response_ms=NAN),
    m.CameraStatus(press_loss=2.0),
    m.CameraStatus(last_error="x" * 1_000_000),
    m.FrameOrientation(flip="x" * 1_000_000),
    m.SimTruth(header=header(), names=["anna"], boxes=[], visible=[True]),
)  # fmt: skip


@pytest.mark.parametrize("message", GOOD)
def test_what_nodes_publish_is_used(message: Any) -> None:
    check(message)


@pytest.mark.parametrize("message", BAD)
def test_what_makes_no_sense_is_refused_in_one_short_line(message: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        check(message)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


number = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 255),
    st.lists(number, min_size=6, max_size=6),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 2**32 - 1),
)
def test_whatever_passes_can_be_converted(state: int, n: list[float], sec: int, nanosec: int) -> None:
    place = m.BoundingBox(x=n[0], y=n[1], width=n[2], height=n[3])
    found = faces(m.Face(box=place, score=n[4], similarity=n[5]), header=header(sec, nanosec))
    boxes = overlay(m.AfBox(state=state, box=place, confidence=n[4]), header=header(sec, nanosec))
    for message, convert in ((found, faces_from_msg), (boxes, af_boxes_from_msg)):
        try:
            check(message)
        except RefusedError:
            continue
        assert all(math.isfinite(one.box.area) and one.box.area >= 0 for one in convert(message))
        assert sec > 0 or nanosec > 0
    for kind, known in ((m.SteeringCommand, ActionKind), (m.SteeringState, SteeringStatus)):
        message = kind(header=header(), **{"action" if known is ActionKind else "state": state})
        try:
            check(message)
            known(state)
        except RefusedError:
            assert state not in list(known)
