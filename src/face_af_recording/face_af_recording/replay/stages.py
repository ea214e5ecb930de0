"""Perception, overlay and steering without ROS: the nodes' cores, fed frame by frame with recorded pictures.

The results depend on frames and parameters alone, not on the machine's speed or its number of processors:
recognition, which in the live node spends a budget of time, spends a number of faces here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from face_af_common.conversions import af_boxes_from_msg, faces_from_msg
from face_af_common.images import BGR
from face_af_common.node_params import NODES
from face_af_common.params import ParamError, build, describe
from face_af_common.paths import data_dir
from face_af_common.types import Action, ActionKind, AfBox, Box, Face, SteeringStatus

from ..bag.bag_folder import RecordingError
from .frames import Frame, TruthFrame
from .source import BagSource, Source, Undecoded

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser
    from face_af_perception.detectors import Detection

STAGES = ("perception", "overlay", "steering")

Parameters = Mapping[str, Mapping[str, Any]]
"""``{node: {parameter: value}}``; what is absent has its default."""

_MOST_WORKERS = 4


class Perception:
    """Faces of frames. Raises :class:`RecordingError` when models or gallery cannot be used.

    Finding faces needs one picture alone, so it may be done ahead and by several threads; following and naming them
    needs every frame in order.
    """

    def __init__(self, params: Mapping[str, Any], models: Perception | None = None) -> None:
        from face_af_perception.analyser import FaceAnalyser
        from face_af_perception.pipeline import FacePipeline

        value: Any = build(NODES["perception"], params).repeatable()
        # the models of an earlier run are used again: opening them takes longer than a short bag
        analyser, gallery = (models.analyser, models.gallery) if models else _open_models(value)
        self.analyser: FaceAnalyser = analyser
        self.gallery: Gallery | None = gallery
        self.target: str = value.target
        self._ahead = _Ahead()
        detector: Any = self._ahead
        self._pipeline = FacePipeline(value, FaceAnalyser(detector, analyser.embedder), gallery)
        # ONNX Runtime's sessions may be used by several threads at once, TensorRT's contexts may not
        self._alone = contextlib.nullcontext() if "onnxruntime" in analyser.detector.runner.name else threading.Lock()
        self._own = threading.local()

    def find(self, picture: BGR) -> list[Detection]:
        """The faces of a picture; for any thread."""
        detector = getattr(self._own, "detector", None)
        if detector is None:
            # the network is shared, the working memory is not
            shared = self.analyser.detector
            detector = type(shared)(shared.spec, shared.runner, shared.size, shared.threshold)
            self._own.detector = detector
        prepared = detector.prepare(picture)
        with self._alone:
            outputs = detector.infer(prepared)
        return list(detector.decode(outputs, prepared))

    def __call__(self, picture: BGR, stamp_ns: int, found: list[Detection]) -> list[Face]:
        self._ahead.found = found
        faces = self._pipeline.process(picture, stamp_ns / 1e9)
        return [
            dataclasses.replace(
                face, box=_single_box(face.box), similarity=_single(face.similarity), score=_single(face.score)
            )
            for face in faces
        ]


class _Ahead:
    """Stands where the pipeline has its detector, and knows already what is in the picture."""

    def __init__(self) -> None:
        self.found: list[Detection] = []

    def prepare(self, _: BGR) -> None: ...

    def infer(self, _: None) -> None: ...

    def decode(self, _outputs: None, _prepared: None) -> list[Detection]:
        return self.found


class Overlay:
    """AF boxes of frames. Finding them needs one picture alone, following them every frame in order."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        from face_af_overlay.follow import BoxFollower

        self._params: Any = build(NODES["overlay"], params)
        self._own = threading.local()
        self._follower = BoxFollower()

    def find(self, picture: BGR) -> list[AfBox]:
        """The boxes of a picture; for any thread."""
        detector = getattr(self._own, "detector", None)
        if detector is None:
            from face_af_overlay.detector import AfBoxDetector

            detector = self._own.detector = AfBoxDetector()
            detector.params = self._params
        return list(detector.inspect(picture).boxes)

    def __call__(self, stamp_ns: int, found: list[AfBox]) -> list[AfBox]:
        boxes = self._follower.update(found, stamp_ns / 1e9, self._params.follow)
        return [dataclasses.replace(b, box=_single_box(b.box), confidence=_single(b.confidence)) for b in boxes]


class Steering:
    """Decisions on frames that have faces and boxes, by the recipe where there is one."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        from face_af_steering.engine import SteeringEngine
        from face_af_steering.recipe import RecipeError

        value: Any = build(NODES["steering"], params)
        try:
            self._engine = SteeringEngine(value)
        except RecipeError as error:
            raise RecordingError(str(error)) from error

    def __call__(self, frame: Frame) -> None:
        if frame.faces is None or frame.boxes is None:
            return
        engine, now = self._engine, frame.stamp_ns * 1e-9
        frame.actions = engine.update(now, frame.faces, frame.boxes, frame.target, frame.size)
        frame.status, frame.reason = engine.planner.status, engine.planner.reason
        frame.steering_target = engine.target


def _single(value: float) -> float:
    """As it is after travelling between nodes: single precision."""
    return float(np.float32(value))


def _single_box(box: Box) -> Box:
    return Box(_single(box.x), _single(box.y), _single(box.width), _single(box.height))


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
    workers: int = 0,
    show: Callable[[int, BGR], None] | None = None,
) -> Iterator[Frame]:
    """Every recorded frame, with ``stages`` computed anew and the rest as in ``recorded`` (default: the bag's own).

    The frames of ``recorded`` are changed and handed out. ``workers`` threads (0: one for each processor, 4 at most)
    decode pictures and look for faces and boxes in them; their number does not change the results. ``show`` gets
    stamp and picture of each frame before it is handed out. ``ParamError`` and :class:`RecordingError` are raised
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
    steering = Steering(parameters.get("steering", {})) if "steering" in wanted else None
    if "perception" not in wanted:
        perception = None
    if not wanted & {"perception", "overlay"}:
        return _steered(recorded, steering)
    return _computed(source, recorded, perception, overlay, steering, workers or min(processors(), _MOST_WORKERS), show)


def _steered(recorded: dict[int, Frame], steering: Steering | None) -> Iterator[Frame]:
    for stamp in sorted(recorded):
        frame = recorded[stamp]
        if steering is not None:
            frame.actions, frame.status, frame.reason, frame.steering_target = [], None, "", None
            steering(frame)
        yield frame


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


@dataclasses.dataclass
class _Looked:
    """What one picture alone tells."""

    stamp_ns: int
    picture: BGR
    faces: list[Detection]
    boxes: list[AfBox]


def _computed(
    source: Source,
    recorded: dict[int, Frame],
    perception: Perception | None,
    overlay: Overlay | None,
    steering: Steering | None,
    workers: int,
    show: Callable[[int, BGR], None] | None,
) -> Iterator[Frame]:
    def look(stamp: int, decode: Callable[[], BGR]) -> _Looked:
        picture = decode()
        faces = perception.find(picture) if perception else []
        return _Looked(stamp, picture, faces, overlay.find(picture) if overlay else [])

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(workers, "look") as pool:
        ahead: deque[Future[_Looked]] = deque()
        entries = _without_repeats(source.undecoded())
        try:
            while True:
                for stamp, decode in itertools.islice(entries, 2 * workers - len(ahead) + 1):
                    ahead.append(pool.submit(look, stamp, decode))
                if not ahead:
                    return
                seen = ahead.popleft().result()
                frame = recorded.get(seen.stamp_ns, Frame(seen.stamp_ns))
                frame.size = (seen.picture.shape[1], seen.picture.shape[0])
                if perception is not None:
                    frame.faces, frame.target = perception(seen.picture, seen.stamp_ns, seen.faces), perception.target
                if overlay is not None:
                    frame.boxes = overlay(seen.stamp_ns, seen.boxes)
                if steering is not None:
                    frame.actions, frame.status, frame.reason, frame.steering_target = [], None, "", None
                    steering(frame)
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
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError
    from face_af_perception.analyser import FaceAnalyser

    try:
        analyser = FaceAnalyser.of(value, threads=1)  # several pictures are looked at at once
        analyser.warm_up()
        folder = Path(value.gallery).expanduser() if value.gallery else data_dir() / "gallery"
        return analyser, Gallery.open(folder, analyser.embedder) if folder.is_dir() else None
    except (ModelError, GalleryError) as error:
        raise RecordingError(str(error)) from error
