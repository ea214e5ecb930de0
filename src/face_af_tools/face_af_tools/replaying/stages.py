"""Perception, overlay and steering without ROS: the nodes' cores, fed frame by frame with recorded pictures.

The results depend on frames and parameters alone, not on the machine's speed: recognition, which in the live node
spends a budget of time, spends a number of faces here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from face_af_common.conversions import af_boxes_from_msg, faces_from_msg
from face_af_common.images import BGR
from face_af_common.params import ParamError, build, describe
from face_af_common.paths import data_dir, model_dirs
from face_af_common.types import Action, ActionKind, AfBox, Box, Face, SteeringStatus

from ..node_params import NODES
from ..recording.bag_folder import RecordingError
from .frames import Frame, TruthFrame
from .source import BagSource, Source

if TYPE_CHECKING:
    from face_af_perception.pipeline import FacePipeline

STAGES = ("perception", "overlay", "steering")
FACES_PER_FRAME = 3
"""Embeddings a frame in a replay, where ``recognition.per_frame`` leaves it to the clock."""

Parameters = Mapping[str, Mapping[str, Any]]
"""``{node: {parameter: value}}``; what is absent has its default."""


class Perception:
    """Faces of frames. Raises :class:`RecordingError` when models or gallery cannot be used."""

    def __init__(self, params: Mapping[str, Any], pipeline: FacePipeline | None = None) -> None:
        from face_af_perception.pipeline import FacePipeline

        value: Any = build(NODES["perception"], params)
        if not value.recognition.per_frame:
            value = dataclasses.replace(
                value, recognition=dataclasses.replace(value.recognition, per_frame=FACES_PER_FRAME)
            )
        # the models of an earlier run are used again: opening them takes longer than a short bag
        analyser, gallery = (pipeline.analyser, pipeline.gallery) if pipeline else _open_models(value)
        self.pipeline = FacePipeline(value, analyser, gallery)
        self.target: str = value.target

    def __call__(self, picture: BGR, stamp_ns: int) -> list[Face]:
        faces = self.pipeline.process(picture, stamp_ns / 1e9)
        return [
            dataclasses.replace(
                face, box=_single_box(face.box), similarity=_single(face.similarity), score=_single(face.score)
            )
            for face in faces
        ]


class Overlay:
    """AF boxes of frames."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        from face_af_overlay.detector import AfBoxDetector
        from face_af_overlay.follow import BoxFollower

        self._params: Any = build(NODES["overlay"], params)
        self._detector = AfBoxDetector()
        self._detector.params = self._params
        self._follower = BoxFollower()

    def __call__(self, picture: BGR, stamp_ns: int) -> list[AfBox]:
        found = self._detector.inspect(picture).boxes
        boxes = self._follower.update(found, stamp_ns / 1e9, self._params.follow)
        return [dataclasses.replace(b, box=_single_box(b.box), confidence=_single(b.confidence)) for b in boxes]


class Steering:
    """Decisions on frames that have faces and boxes."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        from face_af_steering.planner import Planner

        self._planner = Planner(_planner_params(params))

    def __call__(self, frame: Frame) -> None:
        if frame.faces is None or frame.boxes is None:
            return
        self._planner.frame_size = frame.size
        frame.actions = list(self._planner.update(frame.stamp_ns * 1e-9, frame.faces, frame.boxes))
        frame.status, frame.reason = self._planner.status, self._planner.reason


def _single(value: float) -> float:
    """As it is after travelling between nodes: single precision."""
    return float(np.float32(value))


def _single_box(box: Box) -> Box:
    return Box(_single(box.x), _single(box.y), _single(box.width), _single(box.height))


def _planner_params(params: Mapping[str, Any]) -> Any:
    return build(NODES["steering"], params)


def check_parameters(parameters: Parameters) -> None:
    """Raises ``ParamError`` that names node and parameter."""
    for node, values in parameters.items():
        if node not in NODES:
            raise ParamError(f"there is no node {node}; there are {', '.join(NODES)}")
        try:
            build(NODES[node], values)
        except ParamError as error:
            raise ParamError(f"{node}: {error}") from error


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
    """What a bag's own results say about each frame, by stamp. Results without a picture are included."""
    frames: dict[int, Frame] = {}
    if not isinstance(source, BagSource):
        return frames
    kinds = {"FaceArray", "AfOverlay", "SteeringState", "SteeringCommand", "SimTruth"}
    topics = {name for name, kind in source.topics.items() if kind.startswith("face_af_msgs/") and kind[17:] in kinds}
    for message in source.messages(topics) if topics else ():
        frame = frames.setdefault(message.stamp_ns, Frame(message.stamp_ns))
        _take(frame, message.type[17:], message.value)
    return frames


def compute(
    source: Source,
    stages: Iterable[str],
    parameters: Parameters,
    perception: Perception | None = None,
    recorded: dict[int, Frame] | None = None,
) -> Iterator[Frame]:
    """Every recorded frame, with ``stages`` computed anew and the rest as in ``recorded`` (default: the bag's own).

    The frames of ``recorded`` are changed and handed out.

    Pictures are decoded and overlays read beside perception, each stream in order. ``ParamError`` and
    :class:`RecordingError` are raised before the first frame.
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
    steering = Steering(parameters.get("steering", {})) if "steering" in wanted else None
    if "perception" not in wanted:
        perception = None
    if not wanted & {"perception", "overlay"}:
        return _steered(recorded, steering)
    return _computed(source, recorded, perception, overlay, steering)


def _steered(recorded: dict[int, Frame], steering: Steering | None) -> Iterator[Frame]:
    for stamp in sorted(recorded):
        frame = recorded[stamp]
        if steering is not None:
            frame.actions, frame.status, frame.reason = [], None, ""
            steering(frame)
        yield frame


def _computed(
    source: Source,
    recorded: dict[int, Frame],
    perception: Perception | None,
    overlay: Overlay | None,
    steering: Steering | None,
) -> Iterator[Frame]:
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(1, "decode") as decoder, ThreadPoolExecutor(1, "overlay") as reader:
        pictures = source.frames()
        decoding = decoder.submit(next, pictures, None)
        previous = -1
        while (entry := decoding.result()) is not None:
            stamp, picture = entry
            decoding = decoder.submit(next, pictures, None)
            if stamp == previous:
                continue  # sent twice
            previous = stamp
            frame = recorded.get(stamp, Frame(stamp))
            frame.size = (picture.shape[1], picture.shape[0])
            boxes: Future[list[AfBox]] | None = reader.submit(overlay, picture, stamp) if overlay else None
            if perception is not None:
                frame.faces, frame.target = perception(picture, stamp), perception.target
            if boxes is not None:
                frame.boxes = boxes.result()
            if steering is not None:
                frame.actions, frame.status, frame.reason = [], None, ""
                steering(frame)
            yield frame


def _take(frame: Frame, kind: str, message: Any) -> None:
    if kind == "FaceArray":
        frame.faces, frame.target = faces_from_msg(message), message.target
        frame.size = (message.width or 1920, message.height or 1080)
    elif kind == "AfOverlay":
        frame.boxes = af_boxes_from_msg(message)
    elif kind == "SteeringState":
        frame.status, frame.reason = SteeringStatus(message.state), message.reason
    elif kind == "SteeringCommand":
        frame.actions.append(Action(ActionKind(message.action), message.reason, message.x, message.y))
    else:
        boxes = {
            name: Box(b.x, b.y, b.width, b.height)
            for name, b, visible in zip(message.names, message.boxes, message.visible, strict=False)
            if visible
        }
        frame.truth = TruthFrame(boxes, message.target, message.focus, message.target_visible)


def _open_models(value: Any) -> tuple[Any, Any]:
    from face_af_perception.analyser import FaceAnalyser
    from face_af_perception.gallery import Gallery, GalleryError
    from face_af_perception.runtimes import ModelError

    try:
        analyser = FaceAnalyser.open(
            value.detector,
            value.embedder,
            model_dirs=model_dirs(value.model_dir),
            detector_size=(value.detector_size[0], value.detector_size[1]),
            detector_threshold=value.detector_threshold,
            runtime=value.runtime,
            precision=value.precision,
            threads=value.threads,
            cache_dir=data_dir() / "engines",
        )
        analyser.warm_up()
        folder = Path(value.gallery).expanduser() if value.gallery else data_dir() / "gallery"
        return analyser, Gallery.open(folder, analyser.embedder) if folder.is_dir() else None
    except (ModelError, GalleryError) as error:
        raise RecordingError(str(error)) from error
