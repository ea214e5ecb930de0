"""Perception, overlay, speaker and steering without ROS: the nodes' cores, fed frame by frame with recorded images.

The results depend on frames and parameters alone, not on the machine's speed or its number of processors:
recognition, which in the live node spends a budget of time, spends a number of faces here.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2

from face_af_common.images import BGR
from face_af_common.node_params import NODES
from face_af_common.params import ParamError, build
from face_af_common.types import AfBox

from ..bag.bag_folder import RecordingError
from .frames import Frame
from .overlay_stage import Overlay
from .perception_stage import Perception
from .recorded import recorded_frames, recorded_orientations
from .settings import STAGES, Parameters
from .source import Source, UndecodableFrame, Undecoded
from .speaker_stage import Speaker
from .steering_stage import Steering

if TYPE_CHECKING:
    from face_af_perception.detectors import Detection

_MOST_WORKERS = 4


def check_parameters(parameters: Parameters) -> None:
    """Raises ``ParamError`` that names node and parameter."""
    for node, values in parameters.items():
        if node not in NODES:
            raise ParamError(f"there is no node {node}; there are {', '.join(NODES)}")
        try:
            build(NODES[node], values)
        except ParamError as error:
            raise ParamError(f"{node}: {error}") from error


def compute(
    source: Source,
    stages: Iterable[str],
    parameters: Parameters,
    perception: Perception | None = None,
    recorded: dict[int, Frame] | None = None,
    workers: int = 0,
    speaker: Speaker | None = None,
    show: Callable[[int, BGR], None] | None = None,
) -> Iterator[Frame]:
    """Every recorded frame, with ``stages`` computed anew and the rest as in ``recorded`` (default: the bag's own).

    The frames of ``recorded`` are changed and handed out. ``workers`` threads (0: one for each processor, 4 at most)
    decode images and look for faces and boxes in them; their number does not change the results. ``show`` gets
    stamp and image of each frame before it is handed out. ``ParamError`` and :class:`RecordingError` are raised
    before the first frame.
    """
    wanted = set(stages)
    if unknown := wanted - set(STAGES):
        raise RecordingError(f"{', '.join(sorted(unknown))} cannot be recomputed; there are {', '.join(STAGES)}")
    check_parameters({node: values for node, values in parameters.items() if node in wanted})
    if recorded is None:
        recorded = recorded_frames(source)
    if "perception" in wanted and perception is None:
        perception = Perception(parameters.get("perception", {}))
    overlay = Overlay(parameters.get("overlay", {})) if "overlay" in wanted else None
    if "speaker" in wanted and speaker is None:
        speaker = Speaker(source, parameters.get("speaker", {}))
    steering = None
    if "steering" in wanted:
        steering = Steering(parameters.get("steering", {}), recorded_orientations(source))
    decide = _Decide(steering, speaker if "speaker" in wanted else None)
    if "perception" not in wanted:
        perception = None
    if not wanted & {"perception", "overlay"}:
        return _steered(recorded, decide)
    return _computed(source, recorded, perception, overlay, decide, workers or min(processors(), _MOST_WORKERS), show)


@dataclasses.dataclass
class _Decide:
    """What follows from a frame's faces, boxes and time: who is heard, and what is done."""

    steering: Steering | None
    speaker: Speaker | None

    def __call__(self, frame: Frame) -> None:
        if self.speaker is not None:
            frame.speaking = self.speaker(frame.stamp_ns)
        if self.steering is not None:
            frame.actions, frame.status, frame.reason, frame.steering_target = [], None, "", None
            self.steering(frame)


def _steered(recorded: dict[int, Frame], decide: _Decide) -> Iterator[Frame]:
    for stamp in sorted(recorded):
        frame = recorded[stamp]
        decide(frame)
        yield frame


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


@dataclasses.dataclass
class _Looked:
    """What one image alone tells."""

    stamp_ns: int
    picture: BGR
    faces: list[Detection]
    boxes: list[AfBox]


def _computed(
    source: Source,
    recorded: dict[int, Frame],
    perception: Perception | None,
    overlay: Overlay | None,
    decide: _Decide,
    workers: int,
    show: Callable[[int, BGR], None] | None,
) -> Iterator[Frame]:
    def look(stamp: int, decode: Callable[[], BGR]) -> _Looked | UndecodableFrame:
        try:
            picture = decode()
        except UndecodableFrame as error:
            return error
        faces = perception.find(picture) if perception else []
        return _Looked(stamp, picture, faces, overlay.find(picture) if overlay else [])

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(workers, "look") as pool:
        ahead: deque[Future[_Looked | UndecodableFrame]] = deque()
        decoded = False
        entries = _without_repeats(source.undecoded())
        try:
            while True:
                for stamp, decode in itertools.islice(entries, 2 * workers - len(ahead) + 1):
                    ahead.append(pool.submit(look, stamp, decode))
                if not ahead:
                    return source.check_decoded(decoded)
                seen = ahead.popleft().result()
                if isinstance(seen, UndecodableFrame):
                    source.leave_out(seen)
                    continue
                decoded = True
                frame = recorded.get(seen.stamp_ns, Frame(seen.stamp_ns))
                frame.size = (seen.picture.shape[1], seen.picture.shape[0])
                if perception is not None:
                    frame.faces, frame.target = perception(seen.picture, seen.stamp_ns, seen.faces), perception.target
                if overlay is not None:
                    frame.boxes = overlay(seen.stamp_ns, seen.boxes)
                decide(frame)
                if show is not None:
                    show(seen.stamp_ns, seen.picture)
                yield frame
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _without_repeats(entries: Iterator[Undecoded]) -> Iterator[Undecoded]:
    """In lockstep a frame may have been sent twice."""
    previous = -1
    for stamp, decode in entries:
        if stamp != previous:
            yield stamp, decode
        previous = stamp
